/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <rte_build_config.h>

/*
 * A DPDK driver's plugin carries a line of JSON for each driver in it, the same that
 * dpdk-pmdinfo.py shows:
 * PMD_INFO_STRING= {"name": "net_x", "kmod": "* vfio-pci", "pci_ids": [[32902, 4297, 65535,
 * 65535]]}
 */
#define INFO_MARK "PMD_INFO_STRING= "
#define ANY_ID	  0xffff

struct wanted {
	const char *vdev; /* NULL: the PCI device of these numbers */
	unsigned int vendor;
	unsigned int device;
	struct check_driver *found;
};

static void
copy_string(const char *info, const char *key, char text[CHECK_DRIVER_MAX])
{
	const char *value = strstr(info, key);

	text[0] = '\0';
	if (value != NULL)
		snprintf(text, CHECK_DRIVER_MAX, "%.*s", (int)strcspn(value + strlen(key), "\""),
			value + strlen(key));
}

/* As DPDK's vdev bus does: a device's name begins with its driver's. */
static bool
is_driver_of_vdev(const char *info, const char *name, const char *device)
{
	const bool is_old_name = strncmp(device, "eth_", 4) == 0 && strncmp(name, "net_", 4) == 0;

	if (strstr(info, "\"pci_ids\": []") == NULL || name[0] == '\0')
		return false;
	if (is_old_name)
		return strncmp(device + 4, name + 4, strlen(name) - 4) == 0;
	return strncmp(device, name, strlen(name)) == 0;
}

static bool
is_driver_of_pci(const char *info, unsigned int vendor, unsigned int device)
{
	const char *ids = strstr(info, "\"pci_ids\": [");
	unsigned int v, d;

	if (ids == NULL)
		return false;
	ids = strchr(ids, '[') + 1;
	while ((ids = strchr(ids, '[')) != NULL) {
		ids++;
		if (sscanf(ids, "%u, %u", &v, &d) == 2 && v == vendor &&
			(d == device || d == ANY_ID))
			return true;
	}
	return false;
}

static bool
is_match(const char *info, const struct wanted *w)
{
	copy_string(info, "\"name\": \"", w->found->name);
	copy_string(info, "\"kmod\": \"", w->found->kmod);
	if (w->vdev != NULL)
		return is_driver_of_vdev(info, w->found->name, w->vdev);
	return is_driver_of_pci(info, w->vendor, w->device);
}

/* text[len]: a whole plugin file. Infos end with a zero byte; one cut off by the file's end does
 * not count. */
static bool
search_text(const char *text, size_t len, const struct wanted *w)
{
	const char *end = text + len;
	const char *info = text;

	while ((info = memmem(info, (size_t)(end - info), INFO_MARK, strlen(INFO_MARK))) != NULL) {
		info += strlen(INFO_MARK);
		if (memchr(info, '\0', (size_t)(end - info)) != NULL && is_match(info, w))
			return true;
	}
	return false;
}

static bool
search_file(const char *path, const struct wanted *w)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_found = false;
	struct stat st;
	void *text;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (text != MAP_FAILED) {
			is_found = search_text(text, (size_t)st.st_size, w);
			munmap(text, (size_t)st.st_size);
		}
	}
	close(fd);
	return is_found;
}

/* EAL loads names with .so; of a library's several links to one file, the file is enough. */
static bool
is_plugin(const char *dir, const char *name)
{
	char path[WEIR_SYS_PATH_MAX];
	struct stat st;

	return strncmp(name, "librte_net_", 11) == 0 && strstr(name, ".so") != NULL &&
	       weir_sys_path(path, dir, "/%s", name) == 0 && lstat(path, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

static int
search_plugins(const struct check *c, const struct wanted *w)
{
	char dir_path[WEIR_SYS_PATH_MAX], path[WEIR_SYS_PATH_MAX];
	bool is_found = false;
	struct dirent *e;
	DIR *dir;

	if (weir_sys_path(dir_path, c->root, "%s", RTE_EAL_PMD_PATH) < 0)
		return -ENAMETOOLONG;
	dir = opendir(dir_path);
	if (dir == NULL)
		return -errno;
	while (!is_found && (e = readdir(dir)) != NULL)
		is_found = is_plugin(dir_path, e->d_name) &&
			   weir_sys_path(path, dir_path, "/%s", e->d_name) == 0 &&
			   search_file(path, w);
	closedir(dir);
	return is_found ? 0 : -ENOENT;
}

int
check_find_vdev_driver(const struct check *c, const char *device, struct check_driver *found)
{
	const struct wanted w = {.vdev = device, .found = found};

	return search_plugins(c, &w);
}

int
check_find_pci_driver(
	const struct check *c, unsigned int vendor, unsigned int device, struct check_driver *found)
{
	const struct wanted w = {.vendor = vendor, .device = device, .found = found};

	return search_plugins(c, &w);
}
