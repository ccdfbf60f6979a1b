/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_sys.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
make_path(char path[WEIR_SYS_PATH_MAX], const char *root, const char *fmt, va_list args)
{
	const int head = snprintf(path, WEIR_SYS_PATH_MAX, "%s", root != NULL ? root : "");
	int tail;

	if (head < 0 || head >= WEIR_SYS_PATH_MAX)
		return -ENAMETOOLONG;
	tail = vsnprintf(path + head, (size_t)(WEIR_SYS_PATH_MAX - head), fmt, args);
	return tail < 0 || tail >= WEIR_SYS_PATH_MAX - head ? -ENAMETOOLONG : 0;
}

/* Sets path from the caller's root and fmt, ... */
#define MAKE_PATH(path, rc)                                 \
	do {                                                \
		va_list args_;                              \
		va_start(args_, fmt);                       \
		(rc) = make_path((path), root, fmt, args_); \
		va_end(args_);                              \
	} while (0)

int
weir_sys_path(char path[WEIR_SYS_PATH_MAX], const char *root, const char *fmt, ...)
{
	int rc;

	MAKE_PATH(path, rc);
	return rc;
}

static int
read_file(const char *path, char *text, size_t len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, text + have, len - 1 - have)) > 0)
		have += (size_t)n;
	n = n < 0 ? -errno : 0;
	close(fd);
	while (have > 0 && isspace((unsigned char)text[have - 1]))
		have--;
	text[have] = '\0';
	return (int)n;
}

int
weir_sys_read(char *text, size_t len, const char *root, const char *fmt, ...)
{
	char path[WEIR_SYS_PATH_MAX];
	int rc;

	MAKE_PATH(path, rc);
	return rc < 0 ? rc : read_file(path, text, len);
}

int
weir_sys_number(int64_t *value, const char *root, const char *fmt, ...)
{
	char path[WEIR_SYS_PATH_MAX], text[32], *end;
	int rc;

	MAKE_PATH(path, rc);
	if (rc == 0)
		rc = read_file(path, text, sizeof(text));
	if (rc < 0)
		return rc;
	errno = 0;
	*value = strtoll(text, &end, 0);
	return errno != 0 || end == text || *end != '\0' ? -EINVAL : 0;
}

int
weir_sys_link(char *text, size_t len, const char *root, const char *fmt, ...)
{
	char path[WEIR_SYS_PATH_MAX], target[WEIR_SYS_PATH_MAX];
	const char *slash;
	ssize_t n;
	int rc;

	MAKE_PATH(path, rc);
	if (rc < 0)
		return rc;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	slash = strrchr(target, '/');
	rc = snprintf(text, len, "%s", slash != NULL ? slash + 1 : target);
	return rc < 0 || (size_t)rc >= len ? -ENAMETOOLONG : 0;
}

bool
weir_sys_access(int mode, const char *root, const char *fmt, ...)
{
	char path[WEIR_SYS_PATH_MAX];
	int rc;

	MAKE_PATH(path, rc);
	return rc == 0 && access(path, mode) == 0;
}

int
weir_sys_field(char *value, size_t len, const char *text, const char *key)
{
	const size_t key_len = strlen(key);

	for (; text != NULL; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, key_len) == 0) {
			text += key_len;
			text += strspn(text, ": \t");
			snprintf(value, len, "%.*s", (int)strcspn(text, "\n"), text);
			return 0;
		}
	}
	return -ENOENT;
}

static int
parse_id(const char **text, int *id)
{
	char *end;
	long v;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	v = strtol(*text, &end, 10);
	if (v > 65535)
		return -EINVAL;
	*text = end;
	*id = (int)v;
	return 0;
}

/* One "a" or "a-b" of a list. */
static int
parse_range(const char **text, int *first, int *last)
{
	if (parse_id(text, first) < 0)
		return -EINVAL;
	*last = *first;
	if (**text == '-') {
		(*text)++;
		if (parse_id(text, last) < 0)
			return -EINVAL;
	}
	return *last < *first ? -EINVAL : 0;
}

int
weir_sys_list(const char *text, int *ids, unsigned int max)
{
	unsigned int n = 0;
	int first, last;

	for (;;) {
		text += strspn(text, " \t");
		if (parse_range(&text, &first, &last) < 0)
			return -EINVAL;
		for (; first <= last; first++) {
			if (n == max)
				return -ENOSPC;
			ids[n++] = first;
		}
		text += strspn(text, " \t");
		if (*text == '\0')
			return (int)n;
		if (*text++ != ',')
			return -EINVAL;
	}
}

static void
add_hugepage_size(struct weir_hugepages *huge, const char *root, uint64_t kb)
{
	struct weir_hugepage_size *s = &huge->sizes[huge->n_sizes];
	int64_t total, free_pages;

	if (huge->n_sizes == WEIR_SYS_SIZES_MAX)
		return;
	if (weir_sys_number(&total, root,
		    "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages", kb) < 0 ||
		weir_sys_number(&free_pages, root,
			"/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/free_hugepages", kb) < 0)
		return;
	*s = (struct weir_hugepage_size){kb, (uint64_t)total, (uint64_t)free_pages};
	huge->n_sizes++;
}

static int
by_size(const void *a, const void *b)
{
	const struct weir_hugepage_size *x = a, *y = b;

	return (x->kb > y->kb) - (x->kb < y->kb);
}

void
weir_sys_hugepages(struct weir_hugepages *huge, const char *root)
{
	char path[WEIR_SYS_PATH_MAX];
	struct dirent *e;
	uint64_t kb;
	DIR *dir;

	huge->n_sizes = 0;
	if (weir_sys_path(path, root, "/sys/kernel/mm/hugepages") < 0)
		return;
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (sscanf(e->d_name, "hugepages-%" SCNu64 "kB", &kb) == 1)
			add_hugepage_size(huge, root, kb);
	closedir(dir);
	qsort(huge->sizes, huge->n_sizes, sizeof(huge->sizes[0]), by_size);
}

uint64_t
weir_hugepages_free_mb(const struct weir_hugepages *huge)
{
	uint64_t kb = 0;

	for (unsigned int i = 0; i < huge->n_sizes; i++)
		kb += huge->sizes[i].free * huge->sizes[i].kb;
	return kb / 1024;
}

int
weir_sys_hugetlbfs(char *dir, size_t len, const char *root)
{
	char path[WEIR_SYS_PATH_MAX], line[1024], where[256], type[32];
	bool is_found = false;
	FILE *f;

	if (weir_sys_path(path, root, "/proc/mounts") < 0)
		return -ENOENT;
	f = fopen(path, "re");
	if (f == NULL)
		return -ENOENT;
	while (!is_found && fgets(line, sizeof(line), f) != NULL)
		is_found = sscanf(line, "%*s %255s %31s", where, type) == 2 &&
			   strcmp(type, "hugetlbfs") == 0;
	fclose(f);
	if (!is_found)
		return -ENOENT;
	snprintf(dir, len, "%s", where);
	return 0;
}
