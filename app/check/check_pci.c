/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include <rte_memory.h>

#include "weir_numa.h"

#define CLASS_NETWORK 0x02 /* of the PCI class codes */
#define BIND	      "dpdk-devbind.py --bind=vfio-pci "

/* A device of [eal] pci. */
struct device {
	char address[WEIR_CONF_NAME_MAX];
	char kernel_driver[64]; /* empty: bound to none */
	char group[32];		/* IOMMU group; empty: none */
	struct check_driver dpdk;
};

static bool
has_entries(const struct check *c, const char *dir)
{
	char path[WEIR_SYS_PATH_MAX];
	struct dirent *e;
	bool has = false;
	DIR *d;

	if (weir_sys_path(path, c->root, "%s", dir) < 0 || (d = opendir(path)) == NULL)
		return false;
	while (!has && (e = readdir(d)) != NULL)
		has = e->d_name[0] != '.';
	closedir(d);
	return has;
}

/* VFIO without an IOMMU, as its module was told to allow. */
static bool
is_noiommu(const struct check *c)
{
	char text[8];

	return weir_sys_read(text, sizeof(text), c->root,
		       "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == 0 &&
	       text[0] == 'Y';
}

static const char *
iommu_hint(const struct check *c)
{
	if (has_entries(c, "/sys/kernel/iommu_groups"))
		return "";
	if (is_noiommu(c))
		return " (no IOMMU; vfio's no-IOMMU mode is on)";
	return " (no IOMMU: switch it on in the firmware and with intel_iommu=on or amd_iommu=on "
	       "on the kernel command line, or modprobe vfio enable_unsafe_noiommu_mode=1)";
}

/* ---- the device and its driver ---- */

static bool
check_is_network(struct check *c, const char *address)
{
	int64_t code;

	if (!weir_sys_access(F_OK, c->root, "/sys/bus/pci/devices/%s", address)) {
		check_say(c, CHECK_FAULT,
			"pci %s: no such device; dpdk-devbind.py --status-dev net lists those "
			"there are",
			address);
		return false;
	}
	if (weir_sys_number(&code, c->root, "/sys/bus/pci/devices/%s/class", address) < 0 ||
		code >> 16 == CLASS_NETWORK)
		return true;
	check_say(c, CHECK_FAULT,
		"pci %s: not a network device (class %06" PRIx64 "); change [eal] pci", address,
		(uint64_t)code);
	return false;
}

static bool
check_dpdk_driver(struct check *c, struct device *d)
{
	int64_t vendor = 0, device = 0;
	int rc;

	weir_sys_number(&vendor, c->root, "/sys/bus/pci/devices/%s/vendor", d->address);
	weir_sys_number(&device, c->root, "/sys/bus/pci/devices/%s/device", d->address);
	rc = check_find_pci_driver(c, (unsigned int)vendor, (unsigned int)device, &d->dpdk);
	if (rc == 0)
		return true;
	check_say(c, CHECK_FAULT,
		"pci %s: DPDK has no driver for %04x:%04x in %s (%s); install dpdk's drivers or "
		"use another device",
		d->address, (unsigned int)vendor, (unsigned int)device, RTE_EAL_PMD_PATH,
		strerror(-rc));
	return false;
}

/* "eth0" of the device, or "". */
static void
find_interface(const struct check *c, const struct device *d, char *name, size_t len)
{
	char path[WEIR_SYS_PATH_MAX];
	struct dirent *e;
	DIR *dir;

	name[0] = '\0';
	if (weir_sys_path(path, c->root, "/sys/bus/pci/devices/%s/net", d->address) < 0 ||
		(dir = opendir(path)) == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			snprintf(name, len, "%s", e->d_name);
	closedir(dir);
}

static void
say_kernel_driver(struct check *c, const struct device *d)
{
	char interface[256];

	find_interface(c, d, interface, sizeof(interface));
	check_say(c, CHECK_FAULT,
		"pci %s: bound to the kernel driver %s; hand it over (the kernel loses %s): " BIND
		"%s%s",
		d->address, d->kernel_driver, interface[0] != '\0' ? interface : "its interface",
		d->address, iommu_hint(c));
}

/* ---- bound to vfio-pci ---- */

/* All devices of an IOMMU group are handed over together, or none. @return one still in use */
static bool
find_neighbour(const struct check *c, const struct device *d, char *address, size_t len)
{
	char path[WEIR_SYS_PATH_MAX], driver[64];
	bool is_found = false;
	struct dirent *e;
	DIR *dir;

	if (weir_sys_path(path, c->root, "/sys/kernel/iommu_groups/%s/devices", d->group) < 0 ||
		(dir = opendir(path)) == NULL)
		return false;
	while (!is_found && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.' || weir_sys_link(driver, sizeof(driver), c->root,
						   "/sys/bus/pci/devices/%s/driver", e->d_name) < 0)
			continue;
		is_found = strcmp(driver, "vfio-pci") != 0 && strcmp(driver, "pcieport") != 0 &&
			   strcmp(driver, "pci-stub") != 0;
		if (is_found)
			snprintf(address, len, "%s (%s)", e->d_name, driver);
	}
	closedir(dir);
	return is_found;
}

static bool
may_open_group(const struct check *c, const struct device *d)
{
	const char *prefix = has_entries(c, "/sys/class/iommu") || !is_noiommu(c) ? "" : "noiommu-";

	return weir_sys_access(R_OK | W_OK, c->root, "/dev/vfio/vfio") &&
	       weir_sys_access(R_OK | W_OK, c->root, "/dev/vfio/%s%s", prefix, d->group);
}

/* DMA memory counts as locked, except for root. */
static bool
may_lock(const struct check *c, uint64_t *limit_mb)
{
	char text[4096], value[64];

	if (check_has_capability(c, CAP_IPC_LOCK) ||
		weir_sys_read(text, sizeof(text), c->root, "/proc/self/limits") < 0 ||
		weir_sys_field(value, sizeof(value), text, "Max locked memory") < 0 ||
		strncmp(value, "unlimited", 9) == 0)
		return true;
	*limit_mb = strtoull(value, NULL, 10) >> 20;
	return *limit_mb >= c->conf->memory_mb;
}

static void
check_vfio(struct check *c, const struct device *d)
{
	char neighbour[WEIR_SYS_PATH_MAX];
	uint64_t limit_mb;

	if (d->group[0] == '\0')
		check_say(c, CHECK_FAULT, "pci %s: bound to vfio-pci, but in no IOMMU group%s",
			d->address, iommu_hint(c));
	else if (find_neighbour(c, d, neighbour, sizeof(neighbour)))
		check_say(c, CHECK_FAULT,
			"pci %s: %s is in the same IOMMU group %s and in the kernel's use; bind "
			"it to vfio-pci as well, or unbind it",
			d->address, neighbour, d->group);
	else if (!may_open_group(c, d))
		check_say(c, CHECK_FAULT,
			"pci %s: /dev/vfio/%s can't be opened; run as root, or chown it and "
			"/dev/vfio/vfio",
			d->address, d->group);
	else if (!may_lock(c, &limit_mb))
		check_say(c, CHECK_FAULT,
			"pci %s: locked memory is limited to %" PRIu64
			" MB, [eal] memory = %u; raise memlock in /etc/security/limits.conf",
			d->address, limit_mb, c->conf->memory_mb);
	else
		check_say(c, CHECK_OK, "pci %s: bound to vfio-pci, IOMMU group %s, DPDK driver %s",
			d->address, d->group, d->dpdk.name);
}

static void
check_uio(struct check *c, const struct device *d)
{
	if (strstr(d->dpdk.kmod, d->kernel_driver) == NULL)
		check_say(c, CHECK_FAULT,
			"pci %s: the driver %s does not work with %s; " BIND "%s%s", d->address,
			d->dpdk.name, d->kernel_driver, d->address, iommu_hint(c));
	else if (!check_has_capability(c, CAP_SYS_ADMIN) || !check_has_capability(c, CAP_SYS_RAWIO))
		check_say(c, CHECK_FAULT,
			"pci %s: %s needs physical addresses, which only root sees; run as root, "
			"or " BIND "%s%s",
			d->address, d->kernel_driver, d->address, iommu_hint(c));
	else
		check_say(c, CHECK_OK, "pci %s: bound to %s, DPDK driver %s", d->address,
			d->kernel_driver, d->dpdk.name);
}

/* Drivers like mlx5 share the device with the kernel's. */
static bool
is_shared(const struct device *d)
{
	return strstr(d->dpdk.kmod, "vfio-pci") == NULL &&
	       strstr(d->dpdk.kmod, d->kernel_driver) != NULL;
}

static void
check_binding(struct check *c, const struct device *d)
{
	if (d->kernel_driver[0] == '\0')
		check_say(c, CHECK_FAULT,
			"pci %s: bound to no driver; modprobe vfio-pci; " BIND "%s%s", d->address,
			d->address, iommu_hint(c));
	else if (strcmp(d->kernel_driver, "vfio-pci") == 0)
		check_vfio(c, d);
	else if (strcmp(d->kernel_driver, "uio_pci_generic") == 0 ||
		 strcmp(d->kernel_driver, "igb_uio") == 0)
		check_uio(c, d);
	else if (is_shared(d))
		check_say(c, CHECK_OK, "pci %s: shared with the kernel driver %s, DPDK driver %s",
			d->address, d->kernel_driver, d->dpdk.name);
	else
		say_kernel_driver(c, d);
}

/* ---- NUMA ---- */

static void
check_node(struct check *c, const struct device *d)
{
	const int node = weir_numa_of_pci(c->root, d->address);

	for (unsigned int i = 0; i < c->conf->n_workers && node != SOCKET_ID_ANY; i++) {
		const int cpu = c->conf->cpus[i];
		const int cpu_node = cpu >= 0 ? weir_numa_of_cpu(c->root, cpu) : SOCKET_ID_ANY;

		if (cpu_node != SOCKET_ID_ANY && cpu_node != node)
			check_say(c, CHECK_NOTE,
				"pci %s: on NUMA node %d, but worker %u runs on CPU %d of node "
				"%d; choose CPUs of node %d",
				d->address, node, i, cpu, cpu_node, node);
	}
}

static void
check_device(struct check *c, const char *text)
{
	struct device d = {.kernel_driver = ""};

	snprintf(d.address, sizeof(d.address), "%.*s", (int)strcspn(text, ","), text);
	if (!check_is_network(c, d.address) || !check_dpdk_driver(c, &d))
		return;
	weir_sys_link(d.kernel_driver, sizeof(d.kernel_driver), c->root,
		"/sys/bus/pci/devices/%s/driver", d.address);
	weir_sys_link(d.group, sizeof(d.group), c->root, "/sys/bus/pci/devices/%s/iommu_group",
		d.address);
	check_binding(c, &d);
	check_node(c, &d);
}

void
check_pci(struct check *c)
{
	for (unsigned int i = 0; i < c->conf->n_pci; i++)
		check_device(c, c->conf->pci[i]);
}
