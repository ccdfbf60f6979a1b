/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_seq.h"

#include <rte_common.h>

#include "unit.h"

static void
order_holds_across_the_wrap(void)
{
	static const uint32_t starts[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	static const uint32_t steps[] = {1, 2, 0x7ffffffe, 0x7fffffff};

	for (size_t i = 0; i < RTE_DIM(starts); i++) {
		for (size_t j = 0; j < RTE_DIM(steps); j++) {
			const uint32_t a = starts[i], b = a + steps[j];

			CU_ASSERT_TRUE(weir_seq_lt(a, b) && weir_seq_leq(a, b));
			CU_ASSERT_TRUE(weir_seq_gt(b, a) && weir_seq_geq(b, a));
			CU_ASSERT_FALSE(weir_seq_lt(b, a) || weir_seq_gt(a, b));
			CU_ASSERT_EQUAL(weir_seq_max(a, b), b);
			CU_ASSERT_EQUAL(weir_seq_min(a, b), a);
			CU_ASSERT_EQUAL(weir_seq_max(b, a), b);
			CU_ASSERT_EQUAL(weir_seq_min(b, a), a);
		}
	}
}

static void
equal_numbers_are_neither_before_nor_after(void)
{
	CU_ASSERT_FALSE(weir_seq_lt(7, 7) || weir_seq_gt(7, 7));
	CU_ASSERT_TRUE(weir_seq_leq(7, 7) && weir_seq_geq(7, 7));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(order_holds_across_the_wrap),
		UNIT(equal_numbers_are_neither_before_nor_after),
		{NULL},
	};

	return unit_main("base/seq", tests, false);
}
