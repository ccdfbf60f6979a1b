/* SPDX-License-Identifier: BSD-3-Clause */
/* poll, of sockets and kernel descriptors together. */
#include <errno.h>
#include <stdlib.h>

#include "sleep_priv.h"

#define FEW	   64 /* descriptors without an allocation */
#define ALWAYS	   (POLLERR | POLLHUP | POLLNVAL)
#define IS_KFD(fd) ((fd) >= WEIR_KFD_BIT)

/* A descriptor of the call. */
struct polled {
	struct weir_sock *s; /* or NULL */
	nfds_t kernel;	     /* its place among the nap's descriptors; 0: none */
};

/* One call while it runs. */
struct polling {
	struct weir_stack *st;
	struct pollfd *fds;
	nfds_t n;
	short always;
	struct polled *items;
	struct weir_nap nap;
	struct polled few_items[FEW];
	struct pollfd few_fds[FEW + 1];
};

static void
add_kernel(struct polling *p, struct polled *item, int fd, short events)
{
	item->kernel = p->nap.n;
	p->nap.fds[p->nap.n++] = (struct pollfd){.fd = fd, .events = events};
}

/* An epoll set may have kernel descriptors: it is ready when they are, too. */
static void
find(struct polling *p, nfds_t i)
{
	struct polled *item = &p->items[i];
	const int fd = p->fds[i].fd;

	*item = (struct polled){0};
	if (IS_KFD(fd)) {
		add_kernel(p, item, fd & ~WEIR_KFD_BIT, p->fds[i].events);
		return;
	}
	item->s = weir_fd_any(&p->st->socks, fd);
	if (item->s != NULL && weir_sock_is_epoll(item->s) &&
		weir_peek(weir_epoll_of(item->s)->kernel_set) >= 0)
		add_kernel(p, item, weir_epoll_of(item->s)->kernel_set, POLLIN);
}

static int
begin(struct polling *p)
{
	p->items = p->few_items;
	p->nap.fds = p->few_fds;
	p->nap.n = 1;
	if (p->n > FEW) {
		p->items = calloc(p->n, sizeof(*p->items));
		p->nap.fds = calloc(p->n + 1, sizeof(*p->nap.fds));
	}
	if (p->items == NULL || p->nap.fds == NULL)
		return -ENOMEM;
	for (nfds_t i = 0; i < p->n; i++)
		find(p, i);
	return 0;
}

static void
end(struct polling *p)
{
	for (nfds_t i = 0; i < p->n && p->items != NULL && p->nap.fds != NULL; i++)
		if (p->items[i].s != NULL)
			weir_sock_unref(p->items[i].s);
	if (p->n > FEW) {
		free(p->items);
		free(p->nap.fds);
	}
}

/* The kernel tells of ends and errors always: where they are not wanted, it is asked no more. */
static short
kernel_events(struct polling *p, nfds_t i, short wanted)
{
	struct pollfd *fd = &p->nap.fds[i];
	const short events = fd->revents & wanted;

	if (events == 0 && fd->revents != 0)
		fd->fd = -1;
	return events;
}

static short
look_at(struct polling *p, nfds_t i)
{
	const struct polled *item = &p->items[i];
	const short wanted = (short)(p->fds[i].events | p->always);
	short events;

	if (p->fds[i].fd < 0)
		return 0;
	if (item->s == NULL)
		return item->kernel != 0 ? kernel_events(p, item->kernel, wanted) : POLLNVAL;
	events = weir_sock_poll_to_wait(item->s);
	if (item->kernel != 0 && p->nap.fds[item->kernel].revents != 0)
		events |= POLLIN | POLLRDNORM;
	return events & wanted;
}

/* One look at all: fills revents. @return descriptors with some */
static int
look(struct polling *p)
{
	int ready = 0;

	if (p->nap.n > 1)
		poll(p->nap.fds + 1, p->nap.n - 1, 0);
	for (nfds_t i = 0; i < p->n; i++) {
		p->fds[i].revents = look_at(p, i);
		ready += p->fds[i].revents != 0;
	}
	return ready;
}

static int
poll_all(struct polling *p)
{
	int ready = look(p);
	int rc = 0;

	if (ready != 0)
		return ready;
	if (p->nap.deadline_us == 0 || !weir_may_wait(p->st))
		return weir_nap_signal(p->st, p->nap.mask);
	while (rc == 0) {
		if (!weir_nap_enter(p->st, &p->nap))
			return -ENOBUFS;
		for (nfds_t i = 0; i < p->n; i++)
			if (p->items[i].s != NULL)
				weir_nap_for(&p->nap, p->items[i].s);
		ready = look(p);
		if (ready != 0)
			break;
		rc = weir_stack_is_running(p->st) ? weir_doze(p->st, &p->nap) : -EAGAIN;
	}
	weir_nap_leave(&p->nap);
	return ready != 0 || rc == -EAGAIN ? ready : rc;
}

int
weir_poll_until(struct weir_stack *st, struct pollfd *fds, nfds_t n, short always,
	uint64_t deadline_us, const sigset_t *mask)
{
	struct polling p = {.st = st,
		.fds = fds,
		.n = n,
		.always = always,
		.nap = {.deadline_us = deadline_us, .mask = mask}};
	int rc = begin(&p);

	if (rc == 0)
		rc = poll_all(&p);
	end(&p);
	return rc;
}

int
weir_ppoll(struct weir_stack *st, struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	const sigset_t *mask)
{
	uint64_t deadline_us;
	const int rc = weir_deadline_of(timeout, &deadline_us);

	if (rc != 0)
		return rc;
	if (st == NULL || (fds == NULL && n != 0))
		return -EFAULT;
	return weir_poll_until(st, fds, n, ALWAYS, deadline_us, mask);
}

int
weir_poll(struct weir_stack *st, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec ts;

	return weir_ppoll(st, fds, n, weir_timespec_ms(timeout_ms, &ts), NULL);
}
