/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A small lock for control paths and for the application's side: spins briefly, then yields, since
 * its holder may share the CPU. Zero: free. Workers do not take one that others hold for long.
 */
#ifndef WEIR_LOCK_H
#define WEIR_LOCK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

static inline bool
weir_trylock(uint32_t *lock)
{
	return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void
weir_lock(uint32_t *lock)
{
	unsigned int spins = 0;

	while (!weir_trylock(lock))
		if (++spins % 64 == 0)
			sched_yield();
}

static inline void
weir_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
