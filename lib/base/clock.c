/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_clock.h"

#include <rte_cycles.h>

#include "weir_assert.h"

static uint64_t
tsc_now_us(const struct weir_clock *clock)
{
	const unsigned __int128 counts = rte_rdtsc() - clock->start;

	return (uint64_t)((counts * clock->us_per_tsc) >> 64);
}

static uint64_t
virtual_now_us(const struct weir_clock *clock)
{
	return clock->start;
}

void
weir_clock_init_tsc(struct weir_clock *clock)
{
	const uint64_t hz = rte_get_tsc_hz();

	WEIR_ASSERT(hz > US_PER_S); /* less than a microsecond per count */
	clock->now_us = tsc_now_us;
	clock->start = rte_rdtsc();
	clock->us_per_tsc = (uint64_t)(((unsigned __int128)US_PER_S << 64) / hz);
}

void
weir_clock_init_virtual(struct weir_clock *clock, uint64_t start_us)
{
	*clock = (struct weir_clock){.now_us = virtual_now_us, .start = start_us};
}

void
weir_clock_advance(struct weir_clock *clock, uint64_t us)
{
	WEIR_ASSERT(clock->now_us == virtual_now_us);
	clock->start += us;
}
