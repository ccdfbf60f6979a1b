/* SPDX-License-Identifier: BSD-3-Clause */
/* Waking threads that wait for sockets: an eventfd each, written only while its thread sleeps. */
#include "weir_sock.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct weir_waiter *
weir_waiter_open(struct weir_waiters *ws)
{
	for (unsigned int id = 0; id < WEIR_WAITERS_MAX; id++) {
		struct weir_waiter *w = &ws->slot[id];
		unsigned int n = __atomic_load_n(&ws->n, __ATOMIC_RELAXED);

		if (__atomic_exchange_n(&w->is_used, 1, __ATOMIC_ACQ_REL) != 0)
			continue;
		w->id = id;
		if (w->efd == 0)
			w->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (w->efd < 0) {
			w->efd = 0;
			__atomic_store_n(&w->is_used, 0, __ATOMIC_RELEASE);
			return NULL;
		}
		while (n <= id && !__atomic_compare_exchange_n(&ws->n, &n, id + 1, true,
					  __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
		}
		return w;
	}
	return NULL;
}

void
weir_waiter_close(struct weir_waiter *w)
{
	__atomic_store_n(&w->is_sleeping, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&w->is_used, 0, __ATOMIC_RELEASE);
}

/* An exchange here and in weir_waiters_wake(): one of the two sees the other. */
void
weir_waiter_enter(struct weir_waiter *w)
{
	__atomic_exchange_n(&w->is_sleeping, 1, __ATOMIC_ACQ_REL);
}

void
weir_waiter_leave(struct weir_waiter *w)
{
	__atomic_store_n(&w->is_sleeping, 0, __ATOMIC_RELEASE);
}

/* @return whether it slept */
static bool
wake(struct weir_waiter *w)
{
	const uint64_t one = 1;

	if (__atomic_exchange_n(&w->is_sleeping, 0, __ATOMIC_ACQ_REL) == 0)
		return false;
	if (write(w->efd, &one, sizeof(one)) < 0) {
		/* EAGAIN: the counter is full, so the thread is being woken anyway. */
	}
	return true;
}

void
weir_waiters_wake(struct weir_waiters *ws)
{
	const unsigned int n = __atomic_load_n(&ws->n, __ATOMIC_ACQUIRE);

	for (unsigned int id = 0; id < n; id++)
		wake(&ws->slot[id]);
}

static bool
wake_class(struct weir_waiters *ws, unsigned int class)
{
	const unsigned int n = __atomic_load_n(&ws->n, __ATOMIC_ACQUIRE);
	bool has_slept = false;

	for (unsigned int id = class; id < n; id += WEIR_WAIT_CLASSES)
		if (weir_peek(ws->slot[id].is_sleeping) != 0)
			has_slept |= wake(&ws->slot[id]);
	return has_slept;
}

bool
weir_waiters_tell(struct weir_waiters *ws, uint64_t *waiters)
{
	/*
	 * Both sides change the word by a read-modify-write: either this one sees the waiter's bit,
	 * or the waiter's comes later and sees what was written before this call.
	 */
	uint64_t classes = __atomic_exchange_n(waiters, 0, __ATOMIC_ACQ_REL);
	bool has_slept = false;

	for (; classes != 0; classes &= classes - 1)
		has_slept |= wake_class(ws, (unsigned int)__builtin_ctzll(classes));
	return has_slept;
}

bool
weir_sock_wake(struct weir_sock *s)
{
	return weir_waiters_tell(&s->socks->waiters, &s->watched.waiters);
}
