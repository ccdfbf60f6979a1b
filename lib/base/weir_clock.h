/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Where a stack's time comes from: the TSC in use, a virtual clock in tests.
 * Model   Microseconds since an arbitrary start, never going back.
 * Thread  The TSC clock may be read anywhere; a virtual clock belongs to one thread.
 */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>

struct weir_clock {
	uint64_t (*now_us)(const struct weir_clock *clock);
	uint64_t start;      /* TSC: counter at the start; virtual: the time itself, in us */
	uint64_t us_per_tsc; /* TSC: microseconds per count, a fraction of 2^64; else 0 */
};

/** A clock that reads the TSC. EAL must be initialised (it calibrates the TSC). */
void weir_clock_init_tsc(struct weir_clock *clock);

/** A clock that stands at start_us until weir_clock_advance(). */
void weir_clock_init_virtual(struct weir_clock *clock, uint64_t start_us);

/** Move a virtual clock forward by us. */
void weir_clock_advance(struct weir_clock *clock, uint64_t us);

static inline uint64_t
weir_clock_now_us(const struct weir_clock *clock)
{
	return clock->now_us(clock);
}

#endif
