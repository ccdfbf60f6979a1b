/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A thread's sleep, for sockets and for kernel descriptors at once.
 * Model   weir_nap_enter(), weir_nap_for() each socket, a last look at all of them, weir_doze(),
 *         and again from the start; weir_nap_leave() at the end. What changes after weir_nap_for()
 *         wakes the thread.
 */
#ifndef SLEEP_PRIV_H
#define SLEEP_PRIV_H

#include "stack_priv.h"

struct weir_nap {
	struct weir_waiter *waiter; /* by weir_nap_enter() */
	uint64_t deadline_us;       /* weir_real_us(); UINT64_MAX: none; 0: now */
	const sigset_t *mask;       /* NULL: the thread's own */
	struct pollfd *fds;         /* fds[n]: kernel descriptors, behind one for the waiter */
	nfds_t n;                   /* at least 1 */
};

/** @return 0, -EINVAL. NULL: no deadline */
int weir_deadline_of(const struct timespec *timeout, uint64_t *deadline_us);

/** poll's time-out: negative is none (NULL). */
static inline const struct timespec *
weir_timespec_ms(int timeout_ms, struct timespec *ts)
{
	if (timeout_ms < 0)
		return NULL;
	*ts = (struct timespec){
		.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
	return ts;
}

/**
 * poll() of fds[n], descriptors as in weir_poll().
 * @param always  events that end it without being asked for
 */
int weir_poll_until(struct weir_stack *st, struct pollfd *fds, nfds_t n, short always,
	uint64_t deadline_us, const sigset_t *mask);

/** The calling thread is about to sleep. @return false: too many threads do */
bool weir_nap_enter(struct weir_stack *st, struct weir_nap *nap);
void weir_nap_for(struct weir_nap *nap, struct weir_sock *s);
void weir_nap_leave(struct weir_nap *nap);

/** Sleep. @return 0: woken, or a kernel descriptor has something; -EAGAIN: deadline; -EINTR, ... */
int weir_doze(const struct weir_stack *st, struct weir_nap *nap);

/** Is a signal pending that mask lets through? @return 0, -EINTR */
int weir_nap_signal(const struct weir_stack *st, const sigset_t *mask);

#endif
