/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_stash.h"

#include <pthread.h>

#include <rte_memory.h>

#include "unit.h"

#define N_OBJS	  8
#define N_THREADS 4
#define N_ROUNDS  50000

struct thing {
	uint32_t holders; /* atomic */
	char rest[60];
};

static void
all_can_be_taken_and_no_more(void)
{
	struct thing *t[N_OBJS];
	struct weir_stash s;

	CU_ASSERT_EQUAL_FATAL(weir_stash_init(&s, sizeof(struct thing), N_OBJS, SOCKET_ID_ANY), 0);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < N_OBJS; i++) {
			t[i] = weir_stash_get(&s);
			CU_ASSERT_PTR_NOT_NULL_FATAL(t[i]);
			CU_ASSERT_EQUAL(t[i]->holders++, 0); /* zeroed, and given to one alone */
		}
		CU_ASSERT_PTR_NULL(weir_stash_get(&s));
		for (unsigned int i = 0; i < N_OBJS; i++) {
			t[i]->holders = 0;
			weir_stash_put(&s, t[i]);
		}
	}
	weir_stash_fini(&s);
	CU_ASSERT_PTR_NULL(s.base);
}

static void
last_given_back_is_first_taken(void)
{
	struct weir_stash s;
	void *a, *b;

	CU_ASSERT_EQUAL_FATAL(weir_stash_init(&s, 100, N_OBJS, SOCKET_ID_ANY), 0);
	a = weir_stash_get(&s);
	b = weir_stash_get(&s);
	CU_ASSERT_EQUAL((char *)b - (char *)a, 128); /* cache lines */
	weir_stash_put(&s, b);
	weir_stash_put(&s, a);
	CU_ASSERT_PTR_EQUAL(weir_stash_get(&s), a);
	CU_ASSERT_PTR_EQUAL(weir_stash_get(&s), b);
	weir_stash_fini(&s);
}

struct racer {
	struct weir_stash *stash;
	unsigned int n_shared; /* objects that somebody else had, too */
	unsigned int n_none;
	pthread_t thread;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	for (unsigned int i = 0; i < N_ROUNDS; i++) {
		struct thing *t[2];

		for (unsigned int k = 0; k < 2; k++) {
			t[k] = weir_stash_get(r->stash);
			r->n_none += t[k] == NULL;
			r->n_shared += t[k] != NULL &&
				       __atomic_fetch_add(&t[k]->holders, 1, __ATOMIC_RELAXED) != 0;
		}
		for (unsigned int k = 0; k < 2; k++) {
			if (t[k] == NULL)
				continue;
			__atomic_fetch_sub(&t[k]->holders, 1, __ATOMIC_RELAXED);
			weir_stash_put(r->stash, t[k]);
		}
	}
	return NULL;
}

/* As many objects as the threads hold at most: none is ever missing, none has two holders. */
static void
threads_never_share_nor_lose_one(void)
{
	struct racer r[N_THREADS] = {0};
	struct weir_stash s;
	unsigned int n = 0;

	CU_ASSERT_EQUAL_FATAL(
		weir_stash_init(&s, sizeof(struct thing), 2 * N_THREADS, SOCKET_ID_ANY), 0);
	for (unsigned int i = 0; i < N_THREADS; i++) {
		r[i].stash = &s;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
	}
	for (unsigned int i = 0; i < N_THREADS; i++) {
		pthread_join(r[i].thread, NULL);
		CU_ASSERT_EQUAL(r[i].n_shared, 0);
		CU_ASSERT_EQUAL(r[i].n_none, 0);
	}
	while (n <= 2 * N_THREADS && weir_stash_get(&s) != NULL)
		n++;
	CU_ASSERT_EQUAL(n, 2 * N_THREADS);
	weir_stash_fini(&s);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(all_can_be_taken_and_no_more),
		UNIT(last_given_back_is_first_taken),
		UNIT(threads_never_share_nor_lose_one),
		{NULL},
	};

	return unit_main("base/stash", tests, true);
}
