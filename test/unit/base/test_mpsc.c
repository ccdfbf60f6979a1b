/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_mpsc.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "unit.h"

#define PRODUCERS 4
#define EACH	  50000u
#define ROUNDS	  200000u

struct item {
	struct weir_qnode node; /* first */
	unsigned int producer;
	unsigned int seq;
};

struct producer {
	struct weir_mpsc *q;
	struct item *items; /* items[EACH] */
	unsigned int id;
};

static void
leaves_in_the_order_of_arrival(void)
{
	struct weir_qnode n[5];
	struct weir_mpsc q;

	weir_mpsc_init(&q);
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
	weir_mpsc_push(&q, &n[0]);
	n[1].next = &n[2];
	n[2].next = &n[3];
	weir_mpsc_push_chain(&q, &n[1], &n[3]);
	for (unsigned int i = 0; i < 4; i++) {
		CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &n[i]);
		if (i == 1)
			weir_mpsc_push(&q, &n[4]);
	}
	CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &n[4]);
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
}

static void
a_popped_node_may_be_pushed_again_at_once(void)
{
	struct weir_qnode a, b;
	struct weir_mpsc q;

	weir_mpsc_init(&q);
	for (unsigned int i = 0; i < 10; i++) {
		weir_mpsc_push(&q, &a);
		CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &a);
	}
	weir_mpsc_push(&q, &a);
	weir_mpsc_push(&q, &b);
	for (unsigned int i = 0; i < 10; i++) {
		CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &a);
		weir_mpsc_push(&q, &a);
		CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &b);
		weir_mpsc_push(&q, &b);
	}
}

/* The two steps of a push, taken apart: swing the tail, link the old one. */
static struct weir_qnode *
half_push(struct weir_mpsc *q, struct weir_qnode *n)
{
	n->next = NULL;
	return __atomic_exchange_n(&q->tail, n, __ATOMIC_ACQ_REL);
}

static void
a_producer_caught_between_its_steps_holds_back_but_loses_nothing(void)
{
	struct weir_qnode n[3], *prev;
	struct weir_mpsc q;

	weir_mpsc_init(&q); /* into the empty queue, another one behind */
	prev = half_push(&q, &n[0]);
	weir_mpsc_push(&q, &n[1]);
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
	prev->next = &n[0];
	CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &n[0]);

	prev = half_push(&q, &n[2]); /* behind the last one */
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
	prev->next = &n[2];
	CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &n[1]);
	CU_ASSERT_PTR_EQUAL(weir_mpsc_pop(&q), &n[2]);
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
}

/* Singly, and by chains of three. */
static void *
produce(void *arg)
{
	struct producer *p = arg;

	for (unsigned int i = 0; i < EACH; i++) {
		p->items[i].producer = p->id;
		p->items[i].seq = i;
	}
	for (unsigned int i = 0; i < EACH;) {
		struct item *it = &p->items[i];

		if (i % 7 == 0 && i + 3 <= EACH) {
			it[0].node.next = &it[1].node;
			it[1].node.next = &it[2].node;
			weir_mpsc_push_chain(p->q, &it[0].node, &it[2].node);
			i += 3;
		} else {
			weir_mpsc_push(p->q, &it->node);
			i++;
		}
	}
	return NULL;
}

static void
several_producers_lose_nothing_and_keep_their_order(void)
{
	unsigned int next[PRODUCERS] = {0}, disorder = 0;
	struct producer p[PRODUCERS];
	pthread_t thread[PRODUCERS];
	struct weir_mpsc q;

	weir_mpsc_init(&q);
	for (unsigned int i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){.q = &q, .id = i};
		p[i].items = calloc(EACH, sizeof(*p[i].items));
		CU_ASSERT_PTR_NOT_NULL_FATAL(p[i].items);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, produce, &p[i]), 0);
	}
	for (unsigned int n = 0; n < PRODUCERS * EACH;) {
		struct item *it = (struct item *)weir_mpsc_pop(&q);

		if (it == NULL) {
			sched_yield();
			continue;
		}
		disorder += it->seq != next[it->producer]++;
		n++;
	}
	CU_ASSERT_EQUAL(disorder, 0);
	CU_ASSERT_PTR_NULL(weir_mpsc_pop(&q));
	for (unsigned int i = 0; i < PRODUCERS; i++) {
		pthread_join(thread[i], NULL);
		CU_ASSERT_EQUAL(next[i], EACH);
		free(p[i].items);
	}
}

struct ping {
	struct weir_mpsc there, back;
};

/* Sends back what it gets. */
static void *
echo(void *arg)
{
	struct ping *p = arg;

	for (unsigned int i = 0; i < ROUNDS;) {
		struct weir_qnode *n = weir_mpsc_pop(&p->there);

		if (n == NULL) {
			sched_yield();
			continue;
		}
		weir_mpsc_push(&p->back, n);
		i++;
	}
	return NULL;
}

/* Nearly empty queues all the time, and nodes pushed again the moment they are popped. */
static void
few_nodes_go_round_between_two_threads(void)
{
	struct item items[2] = {0};
	struct ping p;
	pthread_t thread;

	weir_mpsc_init(&p.there);
	weir_mpsc_init(&p.back);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, echo, &p), 0);
	weir_mpsc_push(&p.there, &items[0].node);
	weir_mpsc_push(&p.there, &items[1].node);
	for (unsigned int sent = 2, got = 0; got < ROUNDS;) {
		struct item *it = (struct item *)weir_mpsc_pop(&p.back);

		if (it == NULL) {
			sched_yield();
			continue;
		}
		CU_ASSERT_PTR_EQUAL(it, &items[got % 2]);
		got++;
		it->seq++;
		if (sent < ROUNDS) {
			weir_mpsc_push(&p.there, &it->node);
			sent++;
		}
	}
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(items[0].seq + items[1].seq, ROUNDS);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(leaves_in_the_order_of_arrival),
		UNIT(a_popped_node_may_be_pushed_again_at_once),
		UNIT(a_producer_caught_between_its_steps_holds_back_but_loses_nothing),
		UNIT(several_producers_lose_nothing_and_keep_their_order),
		UNIT(few_nodes_go_round_between_two_threads),
		{NULL},
	};

	return unit_main("base/mpsc", tests, false);
}
