/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_slab.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_memory.h>

#include "unit.h"
#include "weir_rand.h"

#define CAPACITY 50u

static void
gives_each_object_once_up_to_capacity(void)
{
	void *obj[CAPACITY];
	struct weir_slab s;

	CU_ASSERT_EQUAL_FATAL(weir_slab_init(&s, 24, CAPACITY, SOCKET_ID_ANY), 0);
	for (unsigned int i = 0; i < CAPACITY; i++) {
		obj[i] = weir_slab_get(&s);
		CU_ASSERT_PTR_NOT_NULL_FATAL(obj[i]);
		CU_ASSERT_EQUAL(weir_slab_index(&s, obj[i]), i);
		CU_ASSERT_PTR_EQUAL(weir_slab_at(&s, i), obj[i]);
		memset(obj[i], 0xff, 24);
	}
	CU_ASSERT_PTR_NULL(weir_slab_get(&s));
	CU_ASSERT_EQUAL(s.used, CAPACITY);
	weir_slab_put(&s, obj[7]);
	CU_ASSERT_PTR_EQUAL(weir_slab_get(&s), obj[7]);
	weir_slab_fini(&s);
}

static void
untouched_objects_come_last(void)
{
	struct weir_slab s;
	void *a;

	CU_ASSERT_EQUAL_FATAL(weir_slab_init(&s, 64, CAPACITY, SOCKET_ID_ANY), 0);
	for (unsigned int i = 0; i < 10; i++) {
		a = weir_slab_get(&s);
		weir_slab_put(&s, a);
	}
	CU_ASSERT_EQUAL(s.fresh, 1);
	CU_ASSERT_EQUAL(s.used, 0);
	CU_ASSERT_EQUAL(s.used_max, 1);
	weir_slab_fini(&s);
}

/* A size that is no multiple of a word still gives aligned objects that do not overlap. */
static void
objects_are_aligned_and_apart(void)
{
	struct weir_slab s;
	char *a, *b;

	CU_ASSERT_EQUAL_FATAL(weir_slab_init(&s, 13, 2, SOCKET_ID_ANY), 0);
	a = weir_slab_get(&s);
	b = weir_slab_get(&s);
	CU_ASSERT_EQUAL((uintptr_t)a % 8, 0);
	CU_ASSERT_EQUAL(b - a, 16);
	weir_slab_fini(&s);
}

static void
random_use_never_gives_an_object_twice(void)
{
	bool used[CAPACITY] = {false};
	unsigned int n_used = 0;
	struct weir_rand r;
	struct weir_slab s;

	weir_rand_seed(&r, 3);
	CU_ASSERT_EQUAL_FATAL(weir_slab_init(&s, 8, CAPACITY, SOCKET_ID_ANY), 0);
	for (unsigned int i = 0; i < 20000; i++) {
		const uint32_t pick = weir_rand_below(&r, CAPACITY);
		void *obj;

		if (used[pick]) {
			weir_slab_put(&s, weir_slab_at(&s, pick));
			used[pick] = false;
			n_used--;
		} else if ((obj = weir_slab_get(&s)) != NULL) {
			CU_ASSERT_FALSE(used[weir_slab_index(&s, obj)]);
			used[weir_slab_index(&s, obj)] = true;
			n_used++;
		}
		CU_ASSERT_EQUAL(s.used, n_used);
	}
	weir_slab_fini(&s);
}

static void
more_than_there_is_fails_with_enomem(void)
{
	struct weir_slab s;

	CU_ASSERT_EQUAL(weir_slab_init(&s, 1 << 20, 1 << 20, SOCKET_ID_ANY), -ENOMEM);
	weir_slab_fini(&s);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(gives_each_object_once_up_to_capacity),
		UNIT(untouched_objects_come_last),
		UNIT(objects_are_aligned_and_apart),
		UNIT(random_use_never_gives_an_object_twice),
		UNIT(more_than_there_is_fails_with_enomem),
		{NULL},
	};

	return unit_main("base/slab", tests, true);
}
