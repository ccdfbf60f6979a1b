/* SPDX-License-Identifier: BSD-3-Clause */
/* How a calling thread reaches a socket's worker. */
#include <errno.h>
#include <sched.h>
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
	const bool is_own = self != NULL && self->sock.socks == &st->socks;

	/* In a callback of s this worker's reference is to last until the end of the turn. */
	if (is_own) {
		weir_sock_leave(&st->socks, s, self->index);
	} else if (self != NULL && weir_stack_is_running(st)) {
		weir_sock_leave(&st->socks, s, 0);
	} else {
		weir_on_all(st, leave_on, s);
		weir_bind_del(&st->socks, s);
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
