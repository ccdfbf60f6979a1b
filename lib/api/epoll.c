/* SPDX-License-Identifier: BSD-3-Clause */
/* epoll: the public calls; the sets themselves are lib/sock/epoll.c. */
#include <errno.h>
#include <limits.h>

#include "sleep_priv.h"

/* What EPOLLEXCLUSIVE may be combined with. */
#define EXCLUSIVE_OK \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define EVENTS_MAX (INT_MAX / (int)sizeof(struct epoll_event))

int
weir_epoll_create(struct weir_stack *st, int flags)
{
	struct weir_sock *set;
	int fd;

	if (st == NULL)
		return -EFAULT;
	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	set = weir_epoll_new(&st->socks);
	if (set == NULL)
		return -ENFILE;
	fd = weir_fd_open(&st->socks, set);
	weir_sock_unref(set);
	return fd;
}

/* Workers do not wait for whoever holds a set. */
static bool
enter(struct weir_epoll *ep)
{
	if (weir_worker_self() != NULL)
		return weir_trylock(&ep->lock);
	weir_lock(&ep->lock);
	return true;
}

static int
check_event(int op, const struct epoll_event *event, bool is_nested)
{
	if (op == EPOLL_CTL_DEL || !(event->events & EPOLLEXCLUSIVE))
		return 0;
	if (op == EPOLL_CTL_MOD)
		return -EINVAL;
	if (op == EPOLL_CTL_ADD && (is_nested || (event->events & ~EXCLUSIVE_OK)))
		return -EINVAL;
	return 0;
}

static int
change(struct weir_sock *set, int op, struct weir_sock *s, const struct epoll_event *event)
{
	switch (op) {
	case EPOLL_CTL_ADD:
		return weir_epoll_add(set, s, event);
	case EPOLL_CTL_MOD:
		return weir_epoll_mod(set, s, event);
	case EPOLL_CTL_DEL:
		return weir_epoll_del(set, s);
	default:
		return -EINVAL;
	}
}

static int
change_locked(struct weir_sock *set, int op, struct weir_sock *s, const struct epoll_event *event)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	int rc;

	if (!enter(ep))
		return -EWOULDBLOCK;
	rc = change(set, op, s, event);
	weir_unlock(&ep->lock);
	return rc;
}

/* Of a set in a set, the kernel's part changes with it. */
static int
change_nested(struct weir_sock *set, int op, struct weir_sock *inner, struct epoll_event *event)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	int rc;

	weir_lock(&ep->lock);
	rc = change(set, op, inner, event);
	if (rc == 0)
		rc = weir_epoll_nest_ctl(set, op, inner, event);
	if (rc != 0 && op == EPOLL_CTL_ADD)
		weir_epoll_del(set, inner);
	weir_unlock(&ep->lock);
	return rc;
}

static int
nest(struct weir_sock *set, int op, struct weir_sock *inner, struct epoll_event *event)
{
	uint32_t *lock = &set->socks->nest_lock;
	int rc;

	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	weir_lock(lock);
	rc = op == EPOLL_CTL_ADD ? weir_epoll_check_nest(set, inner) : 0;
	if (rc == 0)
		rc = change_nested(set, op, inner, event);
	weir_unlock(lock);
	return rc;
}

static int
control(struct weir_sock *set, int op, struct weir_sock *s, struct epoll_event *event)
{
	int rc;

	if (s == set || !weir_sock_is_epoll(set))
		return -EINVAL;
	rc = check_event(op, event, weir_sock_is_epoll(s));
	if (rc != 0)
		return rc;
	return weir_sock_is_epoll(s) ? nest(set, op, s, event) : change_locked(set, op, s, event);
}

static int
control_kernel(struct weir_sock *set, int op, int fd, struct epoll_event *event)
{
	struct weir_epoll *ep;
	int rc;

	if (!weir_sock_is_epoll(set))
		return -EINVAL;
	ep = weir_epoll_of(set);
	if (!enter(ep))
		return -EWOULDBLOCK;
	rc = weir_epoll_kernel_ctl(set, op, fd, event);
	weir_unlock(&ep->lock);
	weir_sock_notify_of(
		set, WEIR_NEWS_IN); /* who sleeps may not know of the kernel's part yet */
	return rc;
}

int
weir_epoll_ctl(struct weir_stack *st, int epfd, int op, int fd, struct epoll_event *event)
{
	struct weir_sock *set, *s;
	int rc;

	if (st == NULL || (event == NULL && op != EPOLL_CTL_DEL))
		return -EFAULT;
	set = weir_fd_any(&st->socks, epfd);
	if (set == NULL)
		return -EBADF;
	if (fd >= WEIR_KFD_BIT) {
		rc = control_kernel(set, op, fd & ~WEIR_KFD_BIT, event);
	} else {
		s = weir_fd_any(&st->socks, fd);
		rc = s == NULL ? -EBADF : control(set, op, s, event);
		if (s != NULL)
			weir_sock_unref(s);
	}
	weir_sock_unref(set);
	return rc;
}

/* ---- waiting ---- */

static int
take_kernel(struct weir_epoll *ep, struct epoll_event *events, int max)
{
	const int set = weir_peek(ep->kernel_set);
	const int n = set < 0 || max <= 0 ? 0 : epoll_wait(set, events, max, 0);

	return n < 0 ? 0 : n;
}

static int
take_own(struct weir_sock *set, struct epoll_event *events, int max)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	int n = 0;

	if (max > 0 && weir_epoll_has_news(ep) && enter(ep)) {
		n = weir_epoll_take(set, events, max);
		weir_unlock(&ep->lock);
	}
	return n;
}

/* What is ready. The two kinds take turns in being first, so that none starves the other. */
static int
take(struct weir_sock *set, struct epoll_event *events, int max)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	int n;

	if (weir_peek(ep->kernel_set) < 0)
		return take_own(set, events, max);
	if (__atomic_xor_fetch(&ep->is_kernel_first, 1, __ATOMIC_RELAXED)) {
		n = take_kernel(ep, events, max);
		return n + take_own(set, events + n, max - n);
	}
	n = take_own(set, events, max);
	return n + take_kernel(ep, events + n, max - n);
}

static int
sleep_for(struct weir_stack *st, struct weir_sock *set, struct epoll_event *events, int max,
	struct weir_nap *nap)
{
	int n = 0, rc = 0;

	while (rc == 0) {
		if (!weir_nap_enter(st, nap))
			return -ENOBUFS;
		weir_nap_for(nap, set);
		/* One that another thread adds now is found after the next wake-up: that of its
		 * add. */
		nap->fds[1] = (struct pollfd){
			.fd = weir_peek(weir_epoll_of(set)->kernel_set), .events = POLLIN};
		n = take(set, events, max);
		if (n != 0)
			break;
		if (weir_sock_flags(set) & WEIR_SOCK_FD_CLOSED)
			rc = -EBADF;
		else
			rc = weir_stack_is_running(st) ? weir_doze(st, nap) : -EAGAIN;
	}
	weir_nap_leave(nap);
	return n != 0 || rc == -EAGAIN ? n : rc;
}

static int
wait_until(struct weir_stack *st, struct weir_sock *set, struct epoll_event *events, int max,
	uint64_t deadline_us, const sigset_t *mask)
{
	struct pollfd fds[2];
	struct weir_nap nap = {.deadline_us = deadline_us, .mask = mask, .fds = fds, .n = 2};
	int n;

	if (max <= 0 || max > EVENTS_MAX)
		return -EINVAL;
	if (events == NULL)
		return -EFAULT;
	if (!weir_sock_is_epoll(set))
		return -EINVAL;
	n = take(set, events, max);
	if (n != 0)
		return n;
	if (deadline_us == 0 || !weir_may_wait(st))
		return weir_nap_signal(st, mask);
	return sleep_for(st, set, events, max, &nap);
}

int
weir_epoll_pwait2(struct weir_stack *st, int epfd, struct epoll_event *events, int max,
	const struct timespec *timeout, const sigset_t *mask)
{
	uint64_t deadline_us;
	struct weir_sock *set;
	int rc = weir_deadline_of(timeout, &deadline_us);

	if (rc != 0)
		return rc;
	set = st == NULL ? NULL : weir_fd_any(&st->socks, epfd);
	if (set == NULL)
		return -EBADF;
	rc = wait_until(st, set, events, max, deadline_us, mask);
	weir_sock_unref(set);
	return rc;
}

int
weir_epoll_pwait(struct weir_stack *st, int epfd, struct epoll_event *events, int max,
	int timeout_ms, const sigset_t *mask)
{
	struct timespec ts;

	return weir_epoll_pwait2(st, epfd, events, max, weir_timespec_ms(timeout_ms, &ts), mask);
}

int
weir_epoll_wait(
	struct weir_stack *st, int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	return weir_epoll_pwait(st, epfd, events, max, timeout_ms, NULL);
}

/* ---- as a kernel descriptor ---- */

static int
show(struct weir_sock *set)
{
	struct weir_epoll *ep;
	int fd;

	if (!weir_sock_is_epoll(set))
		return -EINVAL;
	ep = weir_epoll_of(set);
	if (!enter(ep))
		return -EWOULDBLOCK;
	fd = weir_epoll_show(set);
	weir_unlock(&ep->lock);
	return fd;
}

int
weir_epoll_fd(struct weir_stack *st, int epfd)
{
	struct weir_sock *set = st == NULL ? NULL : weir_fd_any(&st->socks, epfd);
	int fd;

	if (set == NULL)
		return -EBADF;
	fd = show(set);
	weir_sock_unref(set);
	return fd;
}
