/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel descriptors in an epoll set, and the set as a kernel descriptor. The kernel keeps the
 * first in an epoll set of its own, events and data as the application gave them. A set in a set
 * has its kernel part in the kernel part of the other. What is shown of a set to the kernel's poll
 * is one more, of that part and of an eventfd, the bell, for the rest.
 */
#include "weir_sock.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int
make_kernel_set(struct weir_epoll *ep)
{
	int fd;

	if (ep->kernel_set >= 0)
		return 0;
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return -errno;
	weir_poke(ep->kernel_set, fd);
	return 0;
}

int
weir_epoll_kernel_ctl(struct weir_sock *set, int op, int fd, struct epoll_event *event)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	const int rc = make_kernel_set(ep);

	if (rc != 0)
		return rc;
	if (fd == ep->kernel_set || (fd == ep->shown && fd >= 0))
		return -EINVAL;
	return epoll_ctl(ep->kernel_set, op, fd, event) == 0 ? 0 : -errno;
}

int
weir_epoll_nest_ctl(
	struct weir_sock *set, int op, struct weir_sock *inner, struct epoll_event *event)
{
	struct weir_epoll *ep = weir_epoll_of(inner);
	int rc;

	weir_lock(&ep->lock);
	rc = make_kernel_set(ep);
	weir_unlock(&ep->lock);
	return rc == 0 ? weir_epoll_kernel_ctl(set, op, ep->kernel_set, event) : rc;
}

static int
watch_in(int set, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int
make_shown(struct weir_epoll *ep)
{
	int shown, rc = make_kernel_set(ep);

	if (rc != 0)
		return rc;
	if (ep->bell < 0)
		ep->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ep->bell < 0)
		return -errno;
	shown = epoll_create1(EPOLL_CLOEXEC);
	if (shown < 0)
		return -errno;
	rc = watch_in(shown, ep->bell);
	if (rc == 0)
		rc = watch_in(shown, ep->kernel_set);
	if (rc != 0) {
		close(shown);
		return rc;
	}
	weir_poke(ep->is_bell_wanted, 1);
	__atomic_store_n(&ep->shown, shown, __ATOMIC_RELEASE);
	return 0;
}

int
weir_epoll_show(struct weir_sock *set)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	const int rc = ep->shown >= 0 ? 0 : make_shown(ep);

	if (rc != 0)
		return rc;
	weir_epoll_set_bell(set);
	return ep->shown;
}

void
weir_epoll_kernel_free(struct weir_epoll *ep)
{
	const int fds[] = {ep->shown, ep->bell, ep->kernel_set};

	for (unsigned int i = 0; i < RTE_DIM(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void
weir_epoll_ring(struct weir_epoll *ep)
{
	const uint64_t one = 1;

	if (write(ep->bell, &one, sizeof(one)) < 0) {
		/* EAGAIN: the counter is full, and so the bell rings. */
	}
}

void
weir_epoll_silence(struct weir_epoll *ep)
{
	uint64_t count;

	if (read(ep->bell, &count, sizeof(count)) < 0) {
		/* EAGAIN: it was silent. */
	}
}
