/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * rte_ring as Weir uses it between threads.
 * Model   Many producers, one consumer or many; with relaxed tails, so that nobody waits for a
 *         thread that was preempted in the midst of an operation.
 * Thread  What a producer wrote before it put an object is seen by the one who takes it.
 */
#ifndef WEIR_RING_H
#define WEIR_RING_H

#include <stdbool.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "weir_tsan.h"

#define WEIR_RING_MPSC (RING_F_MP_RTS_ENQ | RING_F_SC_DEQ)
#define WEIR_RING_MPMC (RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ)

/** Put up to n elements of size bytes (4, 8, 16 k). @return how many, from the first */
static inline unsigned int
weir_ring_put_elems(struct rte_ring *r, const void *elems, unsigned int size, unsigned int n)
{
	unsigned int done;

	weir_tsan_give(r);
	weir_tsan_blind();
	done = rte_ring_enqueue_burst_elem(r, elems, size, n, NULL);
	weir_tsan_see();
	return done;
}

/** Take up to n elements, oldest first. @return how many */
static inline unsigned int
weir_ring_take_elems(struct rte_ring *r, void *elems, unsigned int size, unsigned int n)
{
	unsigned int done;

	weir_tsan_blind();
	done = rte_ring_dequeue_burst_elem(r, elems, size, n, NULL);
	weir_tsan_see();
	if (done != 0)
		weir_tsan_take(r);
	return done;
}

static inline unsigned int
weir_ring_put(struct rte_ring *r, void *const *objects, unsigned int n)
{
	return weir_ring_put_elems(r, objects, sizeof(*objects), n);
}

static inline unsigned int
weir_ring_take(struct rte_ring *r, void **objects, unsigned int n)
{
	return weir_ring_take_elems(r, objects, sizeof(*objects), n);
}

static inline unsigned int
weir_ring_count(const struct rte_ring *r)
{
	unsigned int n;

	weir_tsan_blind();
	n = rte_ring_count(r);
	weir_tsan_see();
	return n;
}

static inline unsigned int
weir_ring_room(const struct rte_ring *r)
{
	return rte_ring_get_capacity(r) - weir_ring_count(r);
}

static inline bool
weir_ring_is_empty(const struct rte_ring *r)
{
	return weir_ring_count(r) == 0;
}

#endif
