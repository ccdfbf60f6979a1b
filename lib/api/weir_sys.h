/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the machine says of itself under /sys, /proc and /dev, read below a root directory, so that
 * a test can show another machine. root NULL or "" is the machine itself; paths are formats.
 */
#ifndef WEIR_SYS_H
#define WEIR_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_SYS_PATH_MAX  512
#define WEIR_SYS_SIZES_MAX 8

/** Where a file of root lies. @return 0, or -ENAMETOOLONG */
int weir_sys_path(char path[WEIR_SYS_PATH_MAX], const char *root, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** A file's text without its last newline, cut at len. @return 0, or negative errno */
int weir_sys_read(char *text, size_t len, const char *root, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** A file that holds one number, decimal or 0x... @return 0, or negative errno */
int weir_sys_number(int64_t *value, const char *root, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** The last part of what a symbolic link points to. @return 0, or negative errno */
int weir_sys_link(char *text, size_t len, const char *root, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** Is it there, and may we access it so (mode as of access(2): F_OK, R_OK | W_OK)? */
bool weir_sys_access(int mode, const char *root, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** What follows "Key:" or "Key" and blanks in a text such as /proc/self/status.
 *  @return 0, or -ENOENT */
int weir_sys_field(char *value, size_t len, const char *text, const char *key);

/** "0-2,5" to 0, 1, 2, 5. @return how many, or -EINVAL, or -ENOSPC beyond max */
int weir_sys_list(const char *text, int *ids, unsigned int max);

struct weir_hugepages {
	unsigned int n_sizes;
	struct weir_hugepage_size {
		uint64_t kb;
		uint64_t total;
		uint64_t free;
	} sizes[WEIR_SYS_SIZES_MAX];
};

/** Pages of each size the kernel knows; none where it knows none. */
void weir_sys_hugepages(struct weir_hugepages *huge, const char *root);

/** Free pages of all sizes, in MB. */
uint64_t weir_hugepages_free_mb(const struct weir_hugepages *huge);

/** Where a hugetlbfs is mounted. @return 0, or -ENOENT: nowhere */
int weir_sys_hugetlbfs(char *dir, size_t len, const char *root);

#endif
