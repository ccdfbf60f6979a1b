/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Intrusive queue, many producers and one consumer, without locks.
 * Model   A linked list of nodes that live in the queued objects, and a stub node in the queue
 *         itself. A producer swings `tail` to its last node, then links the old tail to its
 *         first. An empty queue costs nothing but its head.
 * Thread  Any thread pushes; one thread at a time pops. Between a producer's two steps the
 *         queue may look empty: the producer's notice of new work must come after its push.
 * Source  D. Vyukov's intrusive MPSC queue.
 */
#ifndef WEIR_MPSC_H
#define WEIR_MPSC_H

#include <stdbool.h>
#include <stddef.h>

struct weir_qnode {
	struct weir_qnode *next; /* producer: w, consumer: r */
};

struct weir_mpsc {
	struct weir_qnode *tail; /* producers */
	struct weir_qnode *head; /* consumer */
	struct weir_qnode stub;
};

static inline void
weir_mpsc_init(struct weir_mpsc *q)
{
	q->stub.next = NULL;
	q->head = &q->stub;
	q->tail = &q->stub;
}

/** Push a chain first..last that is already linked through next. */
static inline void
weir_mpsc_push_chain(struct weir_mpsc *q, struct weir_qnode *first, struct weir_qnode *last)
{
	struct weir_qnode *prev;

	__atomic_store_n(&last->next, NULL, __ATOMIC_RELAXED);
	prev = __atomic_exchange_n(&q->tail, last, __ATOMIC_ACQ_REL);
	__atomic_store_n(&prev->next, first, __ATOMIC_RELEASE); /* pairs with weir_mpsc_pop() */
}

static inline void
weir_mpsc_push(struct weir_mpsc *q, struct weir_qnode *n)
{
	weir_mpsc_push_chain(q, n, n);
}

/** The oldest node, unlinked, or NULL. */
static inline struct weir_qnode *
weir_mpsc_pop(struct weir_mpsc *q)
{
	struct weir_qnode *head = q->head;
	struct weir_qnode *next = __atomic_load_n(&head->next, __ATOMIC_ACQUIRE);

	if (head == &q->stub) {
		if (next == NULL)
			return NULL;
		q->head = head = next;
		next = __atomic_load_n(&head->next, __ATOMIC_ACQUIRE);
	}
	if (next == NULL) {
		/* The last one: put the stub behind it, unless a producer is at work there. */
		if (head != __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE))
			return NULL;
		weir_mpsc_push(q, &q->stub);
		next = __atomic_load_n(&head->next, __ATOMIC_ACQUIRE);
		if (next == NULL)
			return NULL;
	}
	q->head = next;
	return head;
}

#endif
