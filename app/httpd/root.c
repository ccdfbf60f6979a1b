/* SPDX-License-Identifier: BSD-3-Clause */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Take the next name of *path. @return 1: one; 0: the path is at its end; -ENOENT: no such name */
static int
next_name(const char **path, char name[ROOT_NAME_MAX])
{
	const char *at = *path + strspn(*path, "/");
	const size_t len = strcspn(at, "/");

	*path = at + len;
	if (len == 0)
		return 0;
	if (at[0] == '.' || len >= ROOT_NAME_MAX)
		return -ENOENT;
	memcpy(name, at, len);
	name[len] = '\0';
	return 1;
}

/* Go down to the directory of the last name. @return its descriptor; 0 in name[0]: no name at all
 */
static int
walk(int root, const char *path, char name[ROOT_NAME_MAX])
{
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
	int rc = next_name(&path, name);

	if (rc == 0)
		name[0] = '\0';
	while (rc > 0 && dir >= 0 && *path != '\0') {
		const int up = dir;

		dir = openat(up, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(up);
		rc = next_name(&path, name);
		if (rc == 0)
			name[0] = '\0'; /* "dir/" names the directory */
	}
	if (dir < 0)
		return -errno;
	if (rc < 0) {
		close(dir);
		return rc;
	}
	return dir;
}

static int
check_regular(int fd, uint64_t *size)
{
	struct stat s;

	if (fstat(fd, &s) != 0)
		return -errno;
	*size = (uint64_t)s.st_size;
	return S_ISREG(s.st_mode) ? 0 : -ENOENT;
}

int
root_open(int root, const char *path, uint64_t *size)
{
	char name[ROOT_NAME_MAX];
	const int dir = walk(root, path, name);
	int fd, rc;

	if (dir < 0)
		return dir;
	/* O_NONBLOCK: a FIFO must not stop us before it is found to be one. */
	fd = openat(dir, name[0] == '\0' ? "index.html" : name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	rc = fd < 0 ? -errno : check_regular(fd, size);
	close(dir);
	if (rc == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* May a file get this name? Not if it is a directory's. */
static int
check_name(int dir, const char *name)
{
	struct stat s;

	if (name[0] == '\0')
		return -EISDIR;
	if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode))
		return -EISDIR;
	return 0;
}

int
root_put_begin(struct root_put *p, int root, const char *path, uint64_t id)
{
	int rc;

	p->dir = walk(root, path, p->name);
	if (p->dir < 0)
		return p->dir;
	rc = check_name(p->dir, p->name);
	snprintf(p->temp, sizeof(p->temp), ".weir-put-%d-%" PRIu64, (int)getpid(), id);
	if (rc == 0) {
		p->fd = openat(p->dir, p->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (p->fd >= 0)
			return 0;
		rc = -errno;
	}
	close(p->dir);
	return rc;
}

int
root_put_commit(struct root_put *p)
{
	const bool is_new = faccessat(p->dir, p->name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	int rc = close(p->fd) == 0 ? 0 : -errno;

	if (rc == 0 && renameat(p->dir, p->temp, p->dir, p->name) != 0)
		rc = -errno;
	if (rc != 0)
		unlinkat(p->dir, p->temp, 0);
	close(p->dir);
	return rc != 0 ? rc : is_new;
}

void
root_put_cancel(struct root_put *p)
{
	close(p->fd);
	unlinkat(p->dir, p->temp, 0);
	close(p->dir);
}
