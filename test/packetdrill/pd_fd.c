/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors. At its end the tool closes with the kernel's close() whatever a script left open. So
 * each number is one of the kernel's, of a file that does nothing, and leads here to the stack's.
 */
#include "pd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool
make_room(struct pd *p, int fd)
{
	const int n = RTE_MAX(fd + 1, 2 * p->n_files);
	struct pd_file *files;

	if (fd < p->n_files)
		return true;
	files = realloc(p->files, (size_t)n * sizeof(*files));
	if (files == NULL)
		return false;
	memset(files + p->n_files, 0, (size_t)(n - p->n_files) * sizeof(*files));
	p->files = files;
	p->n_files = n;
	return true;
}

/* The stack's part of a descriptor. */
static void
drop(struct pd *p, int fd)
{
	struct pd_file *f = &p->files[fd];

	weir_close(p->st, f->sock);
	*f = (struct pd_file){.sock = -1};
}

static int
add(struct pd *p, int fd, int sock)
{
	if (!make_room(p, fd)) {
		close(fd);
		return -ENOMEM;
	}
	if (p->files[fd].is_open)
		drop(p, fd); /* the tool has closed the kernel's behind our back */
	p->files[fd] = (struct pd_file){.is_open = true, .sock = sock};
	return 0;
}

int
pd_fd_open(struct pd *p, int sock)
{
	const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int rc = fd < 0 ? -errno : add(p, fd, sock);

	return rc < 0 ? rc : fd;
}

int
pd_fd_add(struct pd *p, int fd)
{
	return add(p, fd, -1);
}

struct pd_file *
pd_fd_get(struct pd *p, int fd)
{
	return fd >= 0 && fd < p->n_files && p->files[fd].is_open ? &p->files[fd] : NULL;
}

int
pd_fd_sock(struct pd *p, int fd)
{
	const struct pd_file *f = pd_fd_get(p, fd);

	return f == NULL ? -1 : f->sock;
}

void
pd_fd_close(struct pd *p, int fd)
{
	drop(p, fd);
	close(fd);
}

void
pd_fd_fini(struct pd *p)
{
	for (int fd = 0; fd < p->n_files; fd++)
		if (p->files[fd].is_open)
			drop(p, fd);
	free(p->files);
	p->files = NULL;
	p->n_files = 0;
}
