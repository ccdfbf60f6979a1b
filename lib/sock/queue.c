/* SPDX-License-Identifier: BSD-3-Clause */
/* Message queues: sockets that have something to tell, in the order in which it came up. */
#include "weir_queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "weir_mem.h"

struct weir_queue *
weir_queue_make(struct weir_socks *ss)
{
	struct weir_queue *q = weir_mem_alloc("weir_queue", sizeof(*q), SOCKET_ID_ANY);

	if (q == NULL)
		return NULL;
	q->socks = ss;
	q->refs = 1;
	q->efd = -1;
	weir_mpsc_init(&q->waiting);
	weir_lock(&ss->queues_lock);
	LIST_INSERT_HEAD(&ss->queues, q, link);
	weir_unlock(&ss->queues_lock);
	return q;
}

void
weir_queue_unref(struct weir_queue *q)
{
	if (__atomic_sub_fetch(&q->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (q->efd >= 0)
		close(q->efd);
	weir_mem_free(q);
}

/* The next socket that has something to tell, with its reference, or NULL. Under lock. */
static struct weir_sock *
pop(struct weir_queue *q)
{
	struct weir_qnode *n = weir_mpsc_pop(&q->waiting);

	return n == NULL ? NULL : RTE_PTR_SUB(n, offsetof(struct weir_sock, queue_node));
}

static void
throw_away(struct weir_queue *q)
{
	struct weir_msg m;

	weir_lock(&q->lock);
	while (q->current != NULL || (q->current = pop(q)) != NULL) {
		weir_msgs_off(q->current);
		while (weir_msgs_take(q->current, &m)) {
		}
		weir_sock_unref(q->current);
		q->current = NULL;
	}
	weir_unlock(&q->lock);
}

void
weir_queue_end(struct weir_queue *q)
{
	weir_lock(&q->socks->queues_lock);
	LIST_REMOVE(q, link);
	weir_unlock(&q->socks->queues_lock);
	__atomic_store_n(&q->is_dead, 1, __ATOMIC_RELEASE);
	__atomic_fetch_or(&q->waiters, 0, __ATOMIC_ACQ_REL); /* see weir_queue_add() */
	throw_away(q);
	weir_queue_unref(q);
}

void
weir_queues_end(struct weir_socks *ss)
{
	while (!LIST_EMPTY(&ss->queues))
		weir_queue_end(LIST_FIRST(&ss->queues));
}

static void
write_efd(struct weir_queue *q)
{
	const uint64_t one = 1;

	if (__atomic_exchange_n(&q->is_quiet, 0, __ATOMIC_ACQ_REL) != 0 &&
		write(q->efd, &one, sizeof(one)) < 0) {
		/* EAGAIN: the counter is full, so it is readable. */
	}
}

void
weir_queue_add(struct weir_queue *q, struct weir_sock *s)
{
	__atomic_fetch_add(&q->refs, 1, __ATOMIC_RELAXED); /* s may be gone before we are through */
	weir_sock_ref(s);
	weir_mpsc_push(&q->waiting, &s->queue_node);
	/* A read-modify-write here, and by who sleeps, watches or ends: one sees the other. */
	weir_waiters_tell(&q->socks->waiters, &q->waiters);
	if (unlikely(__atomic_load_n(&q->is_watched, __ATOMIC_ACQUIRE)))
		write_efd(q);
	if (unlikely(__atomic_load_n(&q->is_dead, __ATOMIC_ACQUIRE)))
		throw_away(q);
	weir_queue_unref(q);
}

static bool
is_empty(const struct weir_queue *q)
{
	return q->current == NULL &&
	       __atomic_load_n(&q->waiting.tail, __ATOMIC_ACQUIRE) == &q->waiting.stub;
}

/* Nothing waits, or we think so: not readable from here on; but if something came, it is. */
static void
quieten(struct weir_queue *q)
{
	uint64_t count;

	if (read(q->efd, &count, sizeof(count)) < 0) {
		/* EAGAIN: it was not readable. */
	}
	__atomic_exchange_n(&q->is_quiet, 1, __ATOMIC_ACQ_REL);
	if (!is_empty(q))
		write_efd(q);
}

int
weir_queue_watch(struct weir_queue *q)
{
	int rc = 0;

	weir_lock(&q->lock);
	if (q->efd < 0) {
		q->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		rc = q->efd < 0 ? -errno : 0;
	}
	if (rc == 0 && !weir_peek(q->is_watched)) {
		__atomic_store_n(&q->is_watched, 1, __ATOMIC_RELEASE);
		__atomic_fetch_or(&q->waiters, 0, __ATOMIC_ACQ_REL);
		quieten(q);
	}
	weir_unlock(&q->lock);
	return rc;
}

static unsigned int
take(struct weir_queue *q, struct weir_msg *msgs, unsigned int n)
{
	unsigned int taken = 0;

	while (taken < n && (q->current != NULL || (q->current = pop(q)) != NULL)) {
		if (weir_msgs_take(q->current, &msgs[taken])) {
			taken++;
		} else {
			weir_sock_unref(q->current);
			q->current = NULL;
		}
	}
	return taken;
}

unsigned int
weir_queue_take(struct weir_queue *q, struct weir_msg *msgs, unsigned int n)
{
	unsigned int taken;

	weir_lock(&q->lock);
	taken = take(q, msgs, n);
	/* Having found none: a poster's write that came late may have made it readable. */
	if (unlikely(weir_peek(q->is_watched)) && taken < n &&
		(taken == 0 || !weir_peek(q->is_quiet)))
		quieten(q);
	weir_unlock(&q->lock);
	return taken;
}
