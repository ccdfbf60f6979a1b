/* SPDX-License-Identifier: BSD-3-Clause */
/* poll and epoll. */
#include "pd.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t
deadline(struct pd *p, int timeout_ms)
{
	return timeout_ms < 0 ? PD_NEVER : pd_now(p) + (uint64_t)timeout_ms * 1000;
}

static bool
is_polled(struct pd *p, struct pd_waiter *w)
{
	return weir_poll(p->st, w->fds, w->n, 0) != 0;
}

static int
poll_files(struct pd *p, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct pollfd *own = calloc(n + 1, sizeof(*own));
	struct pd_waiter w = {
		.is_ready = is_polled, .fds = own, .n = n, .deadline_us = deadline(p, timeout_ms)};
	int rc;

	if (own == NULL)
		return -ENOMEM;
	for (nfds_t i = 0; i < n; i++) {
		const int sock = pd_fd_sock(p, fds[i].fd);

		/* A negative one is passed over, any other that is not open is an event. */
		own[i] = (struct pollfd){.fd = fds[i].fd < 0 ? -1
					       : sock < 0    ? INT32_MAX
							     : sock,
			.events = fds[i].events};
	}
	rc = pd_wait(p, &w);
	rc = rc == 0 || rc == -EAGAIN ? weir_poll(p->st, own, n, 0) : rc;
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = own[i].revents;
	free(own);
	return rc;
}

static int
pd_poll(void *ctx, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct pd *p = pd_enter(ctx);
	const int rc = fds == NULL && n != 0 ? -EFAULT : poll_files(p, fds, n, timeout_ms);

	return (int)pd_leave(p, rc);
}

/* epoll: the stack's, but for the waiting */

static int
pd_epoll_create(void *ctx, int size)
{
	struct pd *p = pd_enter(ctx);
	const int set = size > 0 ? weir_epoll_create(p->st, 0) : -EINVAL;
	int rc = set;

	if (set >= 0) {
		rc = pd_fd_open(p, set);
		if (rc < 0)
			weir_close(p->st, set);
	}
	return (int)pd_leave(p, rc);
}

static int
pd_epoll_ctl(void *ctx, int epfd, int op, int fd, struct epoll_event *event)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(
		p, weir_epoll_ctl(p->st, pd_fd_sock(p, epfd), op, pd_fd_sock(p, fd), event));
}

static int
pd_epoll_wait(void *ctx, int epfd, struct epoll_event *events, int max_events, int timeout_ms)
{
	struct pd *p = pd_enter(ctx);
	struct pollfd pfd = {.fd = pd_fd_sock(p, epfd), .events = POLLIN};
	struct pd_waiter w = {.is_ready = is_polled, .fds = &pfd, .n = 1};
	int rc = weir_epoll_wait(p->st, pfd.fd, events, max_events, 0);

	if (rc == 0) {
		w.deadline_us = deadline(p, timeout_ms);
		rc = pd_wait(p, &w);
		if (rc == 0 || rc == -EAGAIN)
			rc = weir_epoll_wait(p->st, pd_fd_sock(p, epfd), events, max_events, 0);
	}
	return (int)pd_leave(p, rc);
}

void
pd_polls(struct pd_table *t)
{
	t->poll = pd_poll;
	t->epoll_create = pd_epoll_create;
	t->epoll_ctl = pd_epoll_ctl;
	t->epoll_wait = pd_epoll_wait;
}
