/* SPDX-License-Identifier: BSD-3-Clause */
/* How a calling thread reaches a socket's worker, and how it waits. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "stack_priv.h"
#include "weir_mem.h"

#define CTL_YIELDS   100 /* before a thread that waits for another's call begins to sleep */
#define CTL_SLEEP_US 50

struct weir_sock_worker *
weir_here(struct weir_stack *st, const struct weir_sock *s)
{
	struct weir_worker *const self = weir_worker_self();
	struct weir_worker *const home = st->workers[weir_sock_home(s)];

	if (self == home)
		return &home->sock;
	if (weir_stack_is_running(st) || (self != NULL && self->sock.socks == &st->socks))
		return NULL;
	return &home->sock;
}

bool
weir_may_wait(const struct weir_stack *st)
{
	return weir_worker_self() == NULL && weir_stack_is_running(st);
}

int
weir_on_worker(struct weir_stack *st, unsigned int index, int (*fn)(struct weir_worker *, void *),
	void *arg)
{
	struct weir_worker *w = st->workers[index];

	if (weir_worker_self() == w || !weir_stack_is_running(st))
		return fn(w, arg);
	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK; /* workers that wait for each other would wait for ever */
	return weir_worker_call(w, fn, arg);
}

/* A posted call with the reference that came with it. */
struct later {
	int (*fn)(struct weir_worker *, void *);
	struct weir_sock *s;
};

static int
run_later(struct weir_worker *w, void *arg)
{
	struct later l = *(struct later *)arg;
	const int rc = l.fn(w, l.s);

	weir_mem_free(arg);
	weir_sock_unref(l.s);
	return rc;
}

static int
post_later(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), struct weir_sock *s)
{
	struct later *l = weir_mem_alloc("weir_later", sizeof(*l), SOCKET_ID_ANY);
	int rc;

	if (l == NULL)
		return -ENOMEM;
	*l = (struct later){fn, s};
	weir_sock_ref(s);
	rc = weir_worker_post(w, run_later, l);
	if (rc != 0) {
		weir_mem_free(l);
		weir_sock_unref(s);
	}
	return rc;
}

int
weir_on_all(struct weir_stack *st, int (*fn)(struct weir_worker *, void *), struct weir_sock *s)
{
	const bool is_later = weir_worker_self() != NULL && weir_stack_is_running(st);
	int first = 0;

	for (unsigned int i = 0; i < st->n_workers; i++) {
		struct weir_worker *w = st->workers[i];
		int rc;

		if (is_later && weir_worker_self() != w)
			rc = post_later(w, fn, s);
		else
			rc = weir_on_worker(st, i, fn, s);
		if (first == 0)
			first = rc;
	}
	return first;
}

static int
leave_on(struct weir_worker *w, void *arg)
{
	weir_sock_leave_one(&w->sock, arg);
	return 0;
}

void
weir_leave_all(struct weir_stack *st, struct weir_sock *s)
{
	const struct weir_worker *self = weir_worker_self();

	if (self == NULL || !weir_stack_is_running(st)) {
		weir_on_all(st, leave_on, s);
		weir_bind_del(&st->socks, s);
	} else if (self->sock.socks == &st->socks) {
		weir_sock_leave(&st->socks, s, self->index);
	} else {
		weir_sock_leave(&st->socks, s, 0);
	}
}

int
weir_ctl_enter(struct weir_sock *s)
{
	uint32_t ctl = 0;

	for (unsigned int tries = 0; !__atomic_compare_exchange_n(
		     &s->ctl, &ctl, WEIR_CTL_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
		tries++) {
		if (ctl & WEIR_CTL_CLOSE)
			return -EBADF;
		if (weir_worker_self() != NULL)
			return -EWOULDBLOCK; /* the holder may wait for this very worker */
		if (tries < CTL_YIELDS)
			sched_yield();
		else
			usleep(CTL_SLEEP_US);
		ctl = 0;
	}
	return 0;
}

void
weir_ctl_leave(struct weir_stack *st, struct weir_sock *s)
{
	if (__atomic_fetch_and(&s->ctl, ~(uint32_t)WEIR_CTL_HELD, __ATOMIC_ACQ_REL) &
		WEIR_CTL_CLOSE)
		weir_close_sock(st, s);
}

void
weir_ctl_close(struct weir_stack *st, struct weir_sock *s)
{
	if (!(__atomic_fetch_or(&s->ctl, WEIR_CTL_CLOSE, __ATOMIC_ACQ_REL) & WEIR_CTL_HELD))
		weir_close_sock(st, s);
}

uint64_t
weir_real_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The calling thread's waiter, made on first use, given back when the thread ends. */
static struct weir_waiter *
own_waiter(struct weir_stack *st)
{
	struct weir_waiter *w = pthread_getspecific(st->waiter_key);

	if (w != NULL)
		return w;
	w = weir_waiter_open(&st->socks.waiters);
	if (w != NULL)
		pthread_setspecific(st->waiter_key, w);
	return w;
}

void
weir_find_noise(sigset_t *noise)
{
	struct sigaction sa;

	sigemptyset(noise);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		if (sigaction(sig, NULL, &sa) == 0 && (sa.sa_flags & SA_RESTART) &&
			sa.sa_handler != SIG_DFL && sa.sa_handler != SIG_IGN)
			sigaddset(noise, sig);
}

/* The signals that are not to disturb the calling thread's sleep: what it blocks, and noise. */
static void
sleep_mask(const struct weir_stack *st, sigset_t *mask)
{
	sigset_t own;

	pthread_sigmask(SIG_BLOCK, NULL, &own);
	sigorset(mask, &own, &st->noise);
}

/* Sleep until woken or until the deadline. @return 0, -EAGAIN at the deadline, -EINTR */
static int
doze(const struct weir_stack *st, struct weir_waiter *w, uint64_t deadline_us)
{
	struct pollfd pfd = {.fd = w->efd, .events = POLLIN};
	sigset_t mask;
	struct timespec ts;
	uint64_t count, now;
	int rc;

	if (deadline_us != UINT64_MAX) {
		now = weir_real_us();
		now = deadline_us > now ? deadline_us - now : 0;
		ts.tv_sec = (time_t)(now / 1000000);
		ts.tv_nsec = (long)(now % 1000000) * 1000;
	}
	sleep_mask(st, &mask);
	rc = ppoll(&pfd, 1, deadline_us == UINT64_MAX ? NULL : &ts, &mask);
	if (rc > 0 && read(w->efd, &count, sizeof(count)) < 0)
		rc = 1; /* EAGAIN: somebody's wake-up of an earlier sleep, drained already */
	if (rc == 0)
		return -EAGAIN;
	return rc < 0 ? -EINTR : 0;
}

/* From here on a change of s finds us asleep. Before the last look at s. */
static void
enter(struct weir_waiter *w, struct weir_sock *s)
{
	weir_waiter_enter(w);
	__atomic_fetch_or(
		&s->waiters, UINT64_C(1) << (w->id % WEIR_WAIT_CLASSES), __ATOMIC_ACQ_REL);
}

int
weir_wait(struct weir_stack *st, struct weir_sock *s, bool (*done)(const struct weir_sock *),
	uint64_t deadline_us)
{
	struct weir_waiter *w = own_waiter(st);
	int rc = 0;

	if (w == NULL)
		return -ENOBUFS;
	while (rc == 0) {
		enter(w, s);
		if (done(s))
			break;
		if (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)
			rc = -EBADF;
		else if (!weir_stack_is_running(st))
			rc = -EAGAIN; /* stopped: nothing will happen any more */
		else
			rc = doze(st, w, deadline_us);
	}
	weir_waiter_leave(w);
	return rc;
}

int
weir_wait_for(struct weir_stack *st, uint64_t *classes, bool (*done)(void *), void *arg,
	uint64_t deadline_us)
{
	struct weir_waiter *w = own_waiter(st);
	int rc = 0;

	if (w == NULL)
		return -ENOBUFS;
	while (rc == 0) {
		weir_waiter_enter(w);
		__atomic_fetch_or(
			classes, UINT64_C(1) << (w->id % WEIR_WAIT_CLASSES), __ATOMIC_ACQ_REL);
		if (done(arg))
			break;
		rc = weir_stack_is_running(st) ? doze(st, w, deadline_us) : -EAGAIN;
	}
	weir_waiter_leave(w);
	return rc;
}

/* One look at all sockets: fills revents. @return descriptors with some */
static int
look(struct weir_sock **socks, struct pollfd *fds, nfds_t n)
{
	int ready = 0;

	for (nfds_t i = 0; i < n; i++) {
		const short always = POLLERR | POLLHUP | POLLNVAL;

		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		fds[i].revents = socks[i] == NULL ? POLLNVAL
						  : weir_sock_poll(socks[i]) &
							    (short)(fds[i].events | always);
		ready += fds[i].revents != 0;
	}
	return ready;
}

static int
poll_socks(struct weir_stack *st, struct weir_sock **socks, struct pollfd *fds, nfds_t n,
	uint64_t deadline_us)
{
	struct weir_waiter *w;
	int ready = look(socks, fds, n);
	int rc = 0;

	if (ready != 0 || deadline_us == 0 || !weir_may_wait(st))
		return ready;
	w = own_waiter(st);
	if (w == NULL)
		return -ENOBUFS;
	while (rc == 0) {
		weir_waiter_enter(w);
		for (nfds_t i = 0; i < n; i++)
			if (socks[i] != NULL)
				enter(w, socks[i]);
		ready = look(socks, fds, n);
		if (ready != 0)
			break;
		rc = weir_stack_is_running(st) ? doze(st, w, deadline_us) : -EAGAIN;
	}
	weir_waiter_leave(w);
	return ready != 0 || rc == -EAGAIN ? ready : rc;
}

int
weir_poll(struct weir_stack *st, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct weir_sock *few[64], **socks = few;
	uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : 0;
	int rc;

	if (st == NULL || (fds == NULL && n != 0))
		return -EFAULT;
	if (n > RTE_DIM(few))
		socks = malloc(n * sizeof(*socks));
	if (socks == NULL)
		return -ENOMEM;
	if (timeout_ms > 0)
		deadline = weir_deadline_us((uint32_t)timeout_ms);
	for (nfds_t i = 0; i < n; i++)
		socks[i] = weir_fd_get(&st->socks, fds[i].fd);
	rc = poll_socks(st, socks, fds, n, deadline);
	for (nfds_t i = 0; i < n; i++)
		if (socks[i] != NULL)
			weir_sock_unref(socks[i]);
	if (socks != few)
		free(socks);
	return rc;
}
