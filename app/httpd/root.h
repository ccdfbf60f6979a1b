/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Files below one directory, by the path of a request.
 * Model   A path is walked name by name, from directory to directory. Names that begin with a dot
 *         (so "..", too) do not exist here, and symbolic links are not followed: nothing outside
 *         of the root can be reached, whatever else happens to the tree meanwhile.
 */
#ifndef ROOT_H
#define ROOT_H

#include <stdint.h>

#define ROOT_PATH_MAX 1024
#define ROOT_NAME_MAX 256

/** A regular file opened for reading. @return descriptor and *size; -ENOENT, -EACCES ... */
int root_open(int root, const char *path, uint64_t *size);

/** A file on its way: under a name of its own until it is whole. */
struct root_put {
	int dir;
	int fd;
	char name[ROOT_NAME_MAX]; /* what it will be called */
	char temp[64];
};

/** @param id  unique among the puts of this process. @return 0; -ENOENT (its directory), -EISDIR */
int root_put_begin(struct root_put *p, int root, const char *path, uint64_t id);

/** Give the file its name. @return 1: new, 0: in place of another, or negative errno */
int root_put_commit(struct root_put *p);

/** Remove what was written. */
void root_put_cancel(struct root_put *p);

#endif
