/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Memory that is taken at start, on the NUMA node of its user, or by control calls; and how the
 * pools of what the packet path needs are run.
 */
#ifndef WEIR_MEM_H
#define WEIR_MEM_H

#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include "weir_tsan.h"

/*
 * A ring with relaxed tails: threads share CPUs, and none may wait for another one that was
 * preempted in the midst of an operation.
 */
#define WEIR_POOL_OPS_NAME "ring_mt_rts"

/**
 * Zero n bytes, a constant. GCC clears a struct of more than 96 bytes by `rep stos`, which takes
 * 30 cycles to begin: on the packet path it is to be cleared in parts.
 */
static inline __attribute__((always_inline)) void
weir_zero(void *mem, size_t n)
{
	size_t off = 0;

	for (; off + 64 <= n; off += 64)
		memset(RTE_PTR_ADD(mem, off), 0, 64);
	memset(RTE_PTR_ADD(mem, off), 0, n - off);
}

/** The operations of every mempool that several threads use. */
static inline const char *
weir_pool_ops(void)
{
#ifdef WEIR_TSAN
	return weir_tsan_pool_ops();
#else
	return WEIR_POOL_OPS_NAME;
#endif
}

/**
 * How many objects a pool for n is to have. What a preempted thread has begun to take leaves its
 * slots of the ring in use, up to an eighth of them, and an object that finds none on its way back
 * would be lost: so the ring must not be nearly full of objects.
 */
static inline unsigned int
weir_pool_size(unsigned int n)
{
	const unsigned int slots = rte_align32pow2(n + 1);

	return n > slots - slots / 4 ? slots : n; /* slots objects get a ring of twice as many */
}

/**
 * len zeroed bytes, aligned to a cache line, on numa_node; on another node rather than none.
 * Fresh memory comes zeroed from the kernel: it is not touched here.
 */
static inline void *
weir_mem_alloc(const char *name, size_t len, int numa_node)
{
	void *p;

	weir_tsan_blind();
	p = rte_zmalloc_socket(name, len, RTE_CACHE_LINE_SIZE, numa_node);
	if (p == NULL && numa_node != SOCKET_ID_ANY)
		p = rte_zmalloc(name, len, RTE_CACHE_LINE_SIZE);
	weir_tsan_see();
#ifdef WEIR_TSAN
	weir_tsan_take(&weir_tsan_heap);
#endif
	return p;
}

/** Free what weir_mem_alloc() gave, possibly to another thread; NULL: nothing. */
static inline void
weir_mem_free(void *p)
{
#ifdef WEIR_TSAN
	weir_tsan_give(&weir_tsan_heap);
#endif
	weir_tsan_blind(); /* it clears what it frees */
	rte_free(p);
	weir_tsan_see();
}

#endif
