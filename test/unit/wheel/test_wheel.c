/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_wheel.h"

#include <rte_common.h>

#include "unit.h"
#include "weir_rand.h"

#define START_US UINT64_C(123456789012)
#define HOUR_US	 (UINT64_C(3600) * 1000 * 1000)
#define DAY_US	 (24 * HOUR_US)

static struct weir_wheel wheel;

static unsigned int
expire(uint64_t now_us, struct weir_wheel_entry **due, unsigned int max)
{
	return weir_wheel_expire(&wheel, now_us, due, max);
}

static void
nothing_is_due_before_its_deadline(void)
{
	static const uint64_t waits_us[] = {1, 63, 64, 65, 4095, 4096, 262144, 1000000, HOUR_US,
		49 * DAY_US, 51 * DAY_US, 400 * DAY_US};

	for (size_t i = 0; i < RTE_DIM(waits_us); i++) {
		const uint64_t at_us = START_US + waits_us[i];
		struct weir_wheel_entry e, *due[2];

		weir_wheel_init(&wheel, START_US);
		weir_wheel_entry_init(&e, 7);
		CU_ASSERT_FALSE(weir_wheel_is_armed(&e));
		weir_wheel_arm(&wheel, &e, at_us);
		CU_ASSERT_TRUE(weir_wheel_is_armed(&e));
		CU_ASSERT_EQUAL(weir_wheel_next_us(&wheel), at_us);
		CU_ASSERT_EQUAL(expire(at_us - 1, due, 2), 0);
		CU_ASSERT_EQUAL(weir_wheel_next_us(&wheel), at_us);
		CU_ASSERT_EQUAL(expire(at_us, due, 2), 1);
		CU_ASSERT_PTR_EQUAL(due[0], &e);
		CU_ASSERT_EQUAL(e.kind, 7);
		CU_ASSERT_FALSE(weir_wheel_is_armed(&e));
		CU_ASSERT_EQUAL(weir_wheel_next_us(&wheel), WEIR_WHEEL_NEVER);
		CU_ASSERT_EQUAL(wheel.armed, 0);
	}
}

static void
a_past_deadline_is_due_at_once(void)
{
	struct weir_wheel_entry e[2] = {0}, *due[3];

	weir_wheel_init(&wheel, START_US);
	weir_wheel_arm(&wheel, &e[0], START_US - HOUR_US);
	weir_wheel_arm(&wheel, &e[1], 0);
	CU_ASSERT_EQUAL(weir_wheel_next_us(&wheel), 0);
	CU_ASSERT_EQUAL(expire(START_US, due, 3), 2);
}

static void
a_deadline_of_never_is_never_due(void)
{
	struct weir_wheel_entry e = {0}, *due[1];

	weir_wheel_init(&wheel, START_US);
	weir_wheel_arm(&wheel, &e, WEIR_WHEEL_NEVER);
	for (uint64_t now_us = START_US; now_us < START_US + 1000 * DAY_US; now_us += 7 * DAY_US)
		CU_ASSERT_EQUAL(expire(now_us, due, 1), 0);
	CU_ASSERT_EQUAL(weir_wheel_next_us(&wheel), WEIR_WHEEL_NEVER);
	CU_ASSERT_TRUE(weir_wheel_is_armed(&e));
}

static void
arming_again_moves_the_deadline(void)
{
	struct weir_wheel_entry e = {0}, *due[2];

	weir_wheel_init(&wheel, START_US);
	weir_wheel_arm(&wheel, &e, START_US + 100);
	weir_wheel_arm(&wheel, &e, START_US + 5000);
	CU_ASSERT_EQUAL(wheel.armed, 1);
	CU_ASSERT_EQUAL(expire(START_US + 4999, due, 2), 0);
	weir_wheel_arm(&wheel, &e, START_US + 4000);
	CU_ASSERT_EQUAL(expire(START_US + 4999, due, 2), 1);
	CU_ASSERT_EQUAL(expire(START_US + 5000, due, 2), 0);
}

static void
a_cancelled_entry_is_not_handed_back(void)
{
	struct weir_wheel_entry e[2] = {0}, *due[2];

	weir_wheel_init(&wheel, START_US);
	weir_wheel_cancel(&wheel, &e[0]); /* never armed: nothing happens */
	weir_wheel_arm(&wheel, &e[0], START_US + 100);
	weir_wheel_arm(&wheel, &e[1], START_US + 100);
	weir_wheel_cancel(&wheel, &e[0]);
	weir_wheel_cancel(&wheel, &e[0]);
	CU_ASSERT_EQUAL(wheel.armed, 1);
	CU_ASSERT_EQUAL(expire(START_US + 100, due, 2), 1);
	CU_ASSERT_PTR_EQUAL(due[0], &e[1]);
}

/* All due in one call's time, in portions; what waits between two portions may be cancelled. */
static void
more_than_fits_waits_for_the_next_call(void)
{
	struct weir_wheel_entry e[10] = {0}, *due[4];

	weir_wheel_init(&wheel, START_US);
	for (unsigned int i = 0; i < 10; i++)
		weir_wheel_arm(&wheel, &e[i], START_US + 1000 * (10 - i));
	CU_ASSERT_EQUAL(expire(START_US + DAY_US, due, 4), 4);
	for (unsigned int i = 0; i < 4; i++)
		CU_ASSERT_PTR_EQUAL(due[i], &e[9 - i]);
	weir_wheel_cancel(&wheel, &e[5]);
	CU_ASSERT_EQUAL(expire(START_US + DAY_US, due, 4), 4);
	CU_ASSERT_PTR_EQUAL(due[0], &e[4]);
	CU_ASSERT_EQUAL(expire(START_US + DAY_US, due, 4), 1);
	CU_ASSERT_PTR_EQUAL(due[0], &e[0]);
	CU_ASSERT_EQUAL(expire(START_US + DAY_US, due, 4), 0);
}

/* A wheel that went through empty ticks one by one would not come to the end of this. */
static void
long_silence_costs_nothing(void)
{
	struct weir_wheel_entry e = {0}, *due[1];
	uint64_t now_us = START_US;

	weir_wheel_init(&wheel, now_us);
	for (unsigned int i = 0; i < 200000; i++) {
		weir_wheel_arm(&wheel, &e, now_us + 30 * DAY_US);
		now_us += 31 * DAY_US;
		CU_ASSERT_EQUAL(expire(now_us, due, 1), 1);
	}
}

static void
an_idle_wheel_only_compares(void)
{
	struct weir_wheel_entry e = {0}, *due[1];

	weir_wheel_init(&wheel, START_US);
	CU_ASSERT_EQUAL(wheel.next_us, WEIR_WHEEL_NEVER);
	weir_wheel_arm(&wheel, &e, START_US + HOUR_US);
	CU_ASSERT_EQUAL(wheel.next_us, START_US + HOUR_US);
	CU_ASSERT_EQUAL(expire(START_US + HOUR_US, due, 1), 1);
	CU_ASSERT_EQUAL(wheel.next_us, WEIR_WHEEL_NEVER);
}

/* The model: entries and their deadlines in an array, searched from end to end. */
#define ENTRIES 200u
struct model {
	struct weir_wheel_entry e[ENTRIES];
	bool is_armed[ENTRIES];
	uint64_t now_us;
	uint64_t expired_us; /* time of the latest expire() */
	struct weir_rand rand;
};

static uint64_t
model_next_us(const struct model *m)
{
	uint64_t next_us = WEIR_WHEEL_NEVER;

	for (unsigned int i = 0; i < ENTRIES; i++) {
		if (m->is_armed[i] && m->e[i].deadline_us < next_us)
			next_us = m->e[i].deadline_us;
	}
	return next_us;
}

static unsigned int
model_due(const struct model *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ENTRIES; i++)
		n += m->is_armed[i] && m->e[i].deadline_us <= m->now_us;
	return n;
}

/* A random time of random magnitude: 0 to 2^bits us. */
static uint64_t
some_us(struct model *m, unsigned int bits)
{
	const uint32_t magnitude = weir_rand_below(&m->rand, bits);

	return weir_rand_u64(&m->rand) >> (63 - magnitude);
}

static void
arm_or_cancel(struct model *m)
{
	const unsigned int i = weir_rand_below(&m->rand, ENTRIES);
	const unsigned int what = weir_rand_below(&m->rand, 8);
	const uint64_t past_us = some_us(m, 20);

	m->is_armed[i] = what != 0;
	if (what == 0)
		weir_wheel_cancel(&wheel, &m->e[i]);
	else if (what == 1)
		weir_wheel_arm(&wheel, &m->e[i], m->now_us - RTE_MIN(past_us, m->now_us));
	else
		weir_wheel_arm(&wheel, &m->e[i], m->now_us + some_us(m, 46));
}

/* Due, complete up to max, and the earliest tick first: ticks before the latest call count as it.
 */
static void
expire_and_check(struct model *m)
{
	struct weir_wheel_entry *due[ENTRIES];
	const unsigned int max = 1 + weir_rand_below(&m->rand, ENTRIES);
	const unsigned int want = RTE_MIN(model_due(m), max);
	const unsigned int n = expire(m->now_us, due, max);
	uint64_t last_tick = 0;

	CU_ASSERT_EQUAL_FATAL(n, want);
	for (unsigned int i = 0; i < n; i++) {
		const uint64_t at_us = RTE_MAX(due[i]->deadline_us, m->expired_us);

		CU_ASSERT_TRUE(m->is_armed[due[i] - m->e]);
		CU_ASSERT(due[i]->deadline_us <= m->now_us);
		CU_ASSERT_FALSE(weir_wheel_is_armed(due[i]));
		CU_ASSERT(at_us / WEIR_WHEEL_TICK_US >= last_tick);
		last_tick = at_us / WEIR_WHEEL_TICK_US;
		m->is_armed[due[i] - m->e] = false;
	}
	if (n > 0 && n == max)
		CU_ASSERT(last_tick * WEIR_WHEEL_TICK_US <= model_next_us(m) ||
			  model_next_us(m) < m->expired_us ||
			  last_tick == model_next_us(m) / WEIR_WHEEL_TICK_US);
	m->expired_us = m->now_us;
}

static void
run_against_model(struct model *m, unsigned int jump_bits)
{
	weir_wheel_init(&wheel, m->now_us);
	m->expired_us = m->now_us;
	for (unsigned int i = 0; i < ENTRIES; i++)
		m->is_armed[i] = false;
	for (unsigned int round = 0; round < 20000; round++) {
		for (unsigned int i = weir_rand_below(&m->rand, 8); i > 0; i--)
			arm_or_cancel(m);
		CU_ASSERT_EQUAL_FATAL(weir_wheel_next_us(&wheel), model_next_us(m));
		CU_ASSERT(wheel.next_us <= model_next_us(m));
		m->now_us += some_us(m, jump_bits);
		expire_and_check(m);
		CU_ASSERT(wheel.next_us <= model_next_us(m));
	}
}

static void
random_use_agrees_with_a_plain_list(void)
{
	static const unsigned int jump_bits[] = {6, 10, 16, 24, 34, 43};
	struct model m = {.now_us = START_US};

	weir_rand_seed(&m.rand, 5);
	for (size_t i = 0; i < RTE_DIM(jump_bits); i++) {
		for (unsigned int k = 0; k < ENTRIES; k++)
			weir_wheel_entry_init(&m.e[k], 0);
		run_against_model(&m, jump_bits[i]);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(nothing_is_due_before_its_deadline),
		UNIT(a_past_deadline_is_due_at_once),
		UNIT(a_deadline_of_never_is_never_due),
		UNIT(arming_again_moves_the_deadline),
		UNIT(a_cancelled_entry_is_not_handed_back),
		UNIT(more_than_fits_waits_for_the_next_call),
		UNIT(long_silence_costs_nothing),
		UNIT(an_idle_wheel_only_compares),
		UNIT(random_use_agrees_with_a_plain_list),
		{NULL},
	};

	return unit_main("wheel/wheel", tests, false);
}
