/* SPDX-License-Identifier: BSD-3-Clause */
/* poll, and epoll made of it: level and edge triggered, one-shot. */
#include "pd.h"

#include <errno.h>
#include <stdlib.h>

#define ALWAYS (EPOLLERR | EPOLLHUP)
#define MODES  (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLERR == POLLERR &&
		      EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP,
	"events of poll and epoll are the same bits");

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

/* epoll */

static struct pd_epoll *
epoll_of(struct pd *p, int fd)
{
	const struct pd_file *f = pd_fd_get(p, fd);

	return f == NULL ? NULL : f->epoll;
}

static uint32_t
events_of(struct pd *p, const struct pd_interest *i)
{
	const uint32_t wanted = (i->event.events & ~(uint32_t)MODES) | ALWAYS;
	struct pollfd pfd = {.fd = pd_fd_sock(p, i->fd), .events = (short)(wanted & INT16_MAX)};

	weir_poll(p->st, &pfd, 1, 0);
	return (uint32_t)(uint16_t)pfd.revents & wanted;
}

/* What ever came for a socket: its memory, and connections that wait. */
static size_t
news_of(struct pd *p, int sock)
{
	struct weir_sock *s = weir_fd_get(&p->st->socks, sock);
	size_t n;

	if (s == NULL)
		return 0;
	n = (size_t)s->rx_given + s->n_accept + s->n_notices;
	weir_sock_unref(s);
	return n;
}

static size_t
bytes_of(struct pd *p, const struct pd_interest *i, uint32_t events)
{
	if (!(i->event.events & EPOLLET) || !(events & (EPOLLIN | EPOLLERR)))
		return 0;
	return news_of(p, pd_fd_sock(p, i->fd));
}

/* An edge: an event that was not there, or more to read than there was. */
static void
look(struct pd *p, struct pd_interest *i)
{
	const uint32_t events = events_of(p, i);
	const size_t n = bytes_of(p, i, events);

	i->is_edge |= (events & ~i->seen) != 0 || n > i->n_seen;
	i->seen = events;
	i->n_seen = n;
}

void
pd_epoll_look(struct pd *p)
{
	for (int fd = 0; fd < p->n_files; fd++) {
		struct pd_interest *i;

		if (p->files[fd].epoll == NULL)
			continue;
		TAILQ_FOREACH (i, &p->files[fd].epoll->list, link)
			look(p, i);
	}
}

static bool
is_due(const struct pd_interest *i)
{
	return !i->is_off && i->seen != 0 && (i->is_edge || !(i->event.events & EPOLLET));
}

static bool
is_epoll_ready(struct pd *p, struct pd_waiter *w)
{
	const struct pd_interest *i;

	TAILQ_FOREACH (i, &w->epoll->list, link)
		if (is_due(i))
			return true;
	return false;
}

static int
report(struct pd *p, struct pd_epoll *e, struct epoll_event *events, int max)
{
	struct pd_interest *i;
	int n = 0;

	TAILQ_FOREACH (i, &e->list, link) {
		if (n == max)
			break;
		if (!is_due(i))
			continue;
		events[n].events = i->seen;
		events[n++].data = i->event.data;
		i->is_edge = false;
		i->is_off = (i->event.events & EPOLLONESHOT) != 0;
	}
	return n;
}

static struct pd_interest *
find(struct pd_epoll *e, int fd)
{
	struct pd_interest *i;

	TAILQ_FOREACH (i, &e->list, link)
		if (i->fd == fd)
			return i;
	return NULL;
}

static void
forget(struct pd_epoll *e, struct pd_interest *i)
{
	TAILQ_REMOVE(&e->list, i, link);
	free(i);
}

void
pd_epoll_forget(struct pd *p, int fd)
{
	for (int e = 0; e < p->n_files; e++) {
		struct pd_interest *i =
			p->files[e].epoll == NULL ? NULL : find(p->files[e].epoll, fd);

		if (i != NULL)
			forget(p->files[e].epoll, i);
	}
}

void
pd_epoll_free(struct pd *p, struct pd_epoll *e)
{
	while (!TAILQ_EMPTY(&e->list))
		forget(e, TAILQ_FIRST(&e->list));
	free(e);
}

static int
pd_epoll_create(void *ctx, int size)
{
	struct pd *p = pd_enter(ctx);
	struct pd_epoll *e = size > 0 ? calloc(1, sizeof(*e)) : NULL;
	int rc;

	if (e == NULL)
		return (int)pd_leave(p, size > 0 ? -ENOMEM : -EINVAL);
	TAILQ_INIT(&e->list);
	rc = pd_fd_open(p, -1, e);
	if (rc < 0)
		free(e);
	return (int)pd_leave(p, rc);
}

/* Begin anew: what is there already counts as an edge. */
static void
set_event(struct pd_interest *i, const struct epoll_event *event)
{
	i->event = *event;
	i->seen = 0;
	i->n_seen = 0;
	i->is_edge = false;
	i->is_off = false;
}

static int
add(struct pd_epoll *e, int fd, const struct epoll_event *event)
{
	struct pd_interest *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return -ENOMEM;
	i->fd = fd;
	set_event(i, event);
	TAILQ_INSERT_TAIL(&e->list, i, link);
	return 0;
}

static int
control(struct pd *p, int epfd, int op, int fd, const struct epoll_event *event)
{
	struct pd_epoll *e = epoll_of(p, epfd);
	struct pd_interest *i;

	if (pd_fd_get(p, epfd) == NULL || pd_fd_get(p, fd) == NULL)
		return -EBADF;
	if (e == NULL || epoll_of(p, fd) != NULL)
		return -EINVAL; /* not an epoll object; or one in the other, which is not offered */
	if (event == NULL && op != EPOLL_CTL_DEL)
		return -EFAULT;
	i = find(e, fd);
	if (op == EPOLL_CTL_ADD)
		return i != NULL ? -EEXIST : add(e, fd, event);
	if (op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
		return -EINVAL;
	if (i == NULL)
		return -ENOENT;
	if (op == EPOLL_CTL_MOD)
		set_event(i, event);
	else
		forget(e, i);
	return 0;
}

static int
pd_epoll_ctl(void *ctx, int epfd, int op, int fd, struct epoll_event *event)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, control(p, epfd, op, fd, event));
}

static int
pd_epoll_wait(void *ctx, int epfd, struct epoll_event *events, int max_events, int timeout_ms)
{
	struct pd *p = pd_enter(ctx);
	struct pd_waiter w = {.is_ready = is_epoll_ready, .epoll = epoll_of(p, epfd)};
	int rc;

	if (w.epoll == NULL)
		return (int)pd_leave(p, pd_fd_get(p, epfd) == NULL ? -EBADF : -EINVAL);
	if (max_events <= 0 || events == NULL)
		return (int)pd_leave(p, events == NULL ? -EFAULT : -EINVAL);
	w.deadline_us = deadline(p, timeout_ms);
	rc = pd_wait(p, &w);
	if (epoll_of(p, epfd) != w.epoll)
		rc = -EBADF; /* closed meanwhile */
	else if (rc == 0 || rc == -EAGAIN)
		rc = report(p, w.epoll, events, max_events);
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
