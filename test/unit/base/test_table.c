/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_table.h"

#include <errno.h>

#include <rte_memory.h>

#include "unit.h"
#include "weir_rand.h"

#define CAPACITY 100u /* 256 slots */
#define HASHES	 40u  /* few, close together and across the end of the array: long probe runs */

/* The table's content as a plain list: hash of each index, or NONE. */
#define NONE UINT32_MAX
struct model {
	uint32_t hash[CAPACITY];
	uint32_t count;
};

static uint32_t
some_hash(struct weir_rand *r)
{
	return weir_rand_below(r, HASHES) + 236; /* 236..275, modulo 256 */
}

static void
finds_all_entries_of_a_hash_and_no_others(void)
{
	struct weir_table_iter it;
	struct weir_table t;
	uint32_t index, seen = 0;

	CU_ASSERT_EQUAL_FATAL(weir_table_init(&t, CAPACITY, SOCKET_ID_ANY), 0);
	weir_table_add(&t, 5, 1);
	weir_table_add(&t, 5 + 256, 2); /* same place, other hash */
	weir_table_add(&t, 5, 3);
	weir_table_add(&t, 6, 4);
	it = weir_table_begin(&t, 5);
	while (weir_table_next(&t, &it, 5, &index))
		seen |= 1u << index;
	CU_ASSERT_EQUAL(seen, 1 << 1 | 1 << 3);
	weir_table_fini(&t);
}

static void
is_full_at_capacity_and_usable_after_a_deletion(void)
{
	struct weir_table t;

	CU_ASSERT_EQUAL_FATAL(weir_table_init(&t, 3, SOCKET_ID_ANY), 0);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(weir_table_add(&t, 9, i), 0);
	CU_ASSERT_EQUAL(weir_table_add(&t, 9, 3), -ENOSPC);
	CU_ASSERT_FALSE(weir_table_del(&t, 9, 3));
	CU_ASSERT_TRUE(weir_table_del(&t, 9, 1));
	CU_ASSERT_FALSE(weir_table_del(&t, 9, 1));
	CU_ASSERT_EQUAL(weir_table_add(&t, 9, 3), 0);
	CU_ASSERT_EQUAL(t.count, 3);
	weir_table_fini(&t);
}

static void
impossible_sizes_fail_with_enomem(void)
{
	struct weir_table t;

	CU_ASSERT_EQUAL(weir_table_init(&t, UINT32_MAX, SOCKET_ID_ANY), -ENOMEM);
	CU_ASSERT_EQUAL(weir_table_init(&t, 1u << 30, SOCKET_ID_ANY), -ENOMEM);
}

/* Each hash yields just the indices that the model has under it. */
static void
check_same(const struct weir_table *t, const struct model *m)
{
	uint32_t found = 0;

	CU_ASSERT_EQUAL(t->count, m->count);
	for (uint32_t hash = 236; hash < 236 + HASHES; hash++) {
		struct weir_table_iter it = weir_table_begin(t, hash);
		uint32_t index;

		while (weir_table_next(t, &it, hash, &index)) {
			CU_ASSERT_EQUAL(m->hash[index], hash);
			found++;
		}
	}
	CU_ASSERT_EQUAL(found, m->count);
}

static void
step(struct weir_table *t, struct model *m, struct weir_rand *r)
{
	const uint32_t index = weir_rand_below(r, CAPACITY);

	if (m->hash[index] == NONE) {
		m->hash[index] = some_hash(r);
		m->count++;
		CU_ASSERT_EQUAL(weir_table_add(t, m->hash[index], index), 0);
	} else {
		CU_ASSERT_FALSE(weir_table_del(t, m->hash[index] + 256, index));
		CU_ASSERT_TRUE_FATAL(weir_table_del(t, m->hash[index], index));
		m->hash[index] = NONE;
		m->count--;
	}
}

static void
random_use_agrees_with_a_plain_list(void)
{
	struct weir_rand r;
	struct weir_table t;
	struct model m;

	weir_rand_seed(&r, 4);
	m.count = 0;
	for (unsigned int i = 0; i < CAPACITY; i++)
		m.hash[i] = NONE;
	CU_ASSERT_EQUAL_FATAL(weir_table_init(&t, CAPACITY, SOCKET_ID_ANY), 0);
	for (unsigned int i = 0; i < 20000; i++) {
		step(&t, &m, &r);
		check_same(&t, &m);
	}
	weir_table_fini(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(finds_all_entries_of_a_hash_and_no_others),
		UNIT(is_full_at_capacity_and_usable_after_a_deletion),
		UNIT(impossible_sizes_fail_with_enomem),
		UNIT(random_use_agrees_with_a_plain_list),
		{NULL},
	};

	return unit_main("base/table", tests, true);
}
