/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_clock.h"

#include <rte_cycles.h>

#include "unit.h"

static void
virtual_clock_stands_until_it_is_advanced(void)
{
	struct weir_clock c;

	weir_clock_init_virtual(&c, 1000);
	CU_ASSERT_EQUAL(weir_clock_now_us(&c), 1000);
	CU_ASSERT_EQUAL(weir_clock_now_us(&c), 1000);
	weir_clock_advance(&c, 500);
	CU_ASSERT_EQUAL(weir_clock_now_us(&c), 1500);
}

static void
tsc_clock_starts_at_zero_and_never_goes_back(void)
{
	struct weir_clock c;
	uint64_t last = 0;

	weir_clock_init_tsc(&c);
	CU_ASSERT(weir_clock_now_us(&c) < US_PER_S);
	for (unsigned int i = 0; i < 100000; i++) {
		const uint64_t now = weir_clock_now_us(&c);

		CU_ASSERT(now >= last);
		last = now;
	}
}

/* A clock that started ten years ago: nothing overflows, and it is not a second off. */
static void
tsc_clock_is_exact_after_years(void)
{
	static const uint64_t ten_years_s = UINT64_C(10) * 365 * 86400;
	struct weir_clock c;
	uint64_t now;

	weir_clock_init_tsc(&c);
	c.start -= ten_years_s * rte_get_tsc_hz();
	now = weir_clock_now_us(&c);
	CU_ASSERT(now >= ten_years_s * US_PER_S - 1000);
	CU_ASSERT(now < (ten_years_s + 1) * US_PER_S);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(virtual_clock_stands_until_it_is_advanced),
		UNIT(tsc_clock_starts_at_zero_and_never_goes_back),
		UNIT(tsc_clock_is_exact_after_years),
		{NULL},
	};

	return unit_main("base/clock", tests, true);
}
