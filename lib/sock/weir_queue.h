/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Message queues behind weir_async.h, and how sockets post to them.
 * Model   A socket's `msgs` word has for each kind a bit that says it may be posted, and one that
 *         says it waits to be taken; and one that says the socket stands in the queue. Posting
 *         turns "may" into "waits". What may be posted again, and when, is all there is to the
 *         rules: READ and ACCEPT by a call that finds nothing, WRITE by a send that found no room,
 *         the others never. CLOSE takes all other "may" bits along, so nothing comes behind it.
 * Races   Each side changes the word by a read-modify-write even where nothing changes: a worker
 *         after it has put data in place, a reader that found none before it looks again. One of
 *         them sees the other. For a socket that is only being attached the word of its waiters
 *         serves so: workers post after weir_sock_notify().
 * Owner   A socket keeps its first queue for life; the queue lives until its last socket is gone.
 *         A socket that stands in a queue is referenced by it.
 */
#ifndef WEIR_QUEUE_H
#define WEIR_QUEUE_H

#include "weir_async.h"
#include "weir_sock.h"

struct weir_queue {
	struct weir_socks *socks;
	LIST_ENTRY(weir_queue) link; /* of the stack's; under its queues_lock */
	uint32_t refs;		     /* atomic: the application's, and one of each of its sockets */
	uint32_t is_dead;	     /* atomic: freed by the application */
	int efd;		     /* once is_watched */
	uint32_t is_watched;	     /* atomic: the eventfd is to follow */
	uint32_t is_quiet; /* atomic: nothing waits and efd is not readable: who posts writes it */
	uint64_t waiters;  /* classes of threads that sleep for it; atomic */
	struct weir_mpsc waiting; /* sockets; any thread: push, under lock: pop */
	uint32_t lock;		  /* one taker at a time */
	struct weir_sock *current; /* popped, with messages left; under lock */
};

/* queue.c */

/** @return NULL: no memory */
struct weir_queue *weir_queue_make(struct weir_socks *ss);

/** The application lets go of it. What waits is thrown away. */
void weir_queue_end(struct weir_queue *q);

/** The same for all that are left. */
void weir_queues_end(struct weir_socks *ss);

/** One of its sockets or the application lets go. */
void weir_queue_unref(struct weir_queue *q);

/** s, which is marked as queued, has messages. Any thread. */
void weir_queue_add(struct weir_queue *q, struct weir_sock *s);

/** As weir_queue_get(). */
unsigned int weir_queue_take(struct weir_queue *q, struct weir_msg *msgs, unsigned int n);

/** Have the eventfd follow. @return 0, -EMFILE ... */
int weir_queue_watch(struct weir_queue *q);

/* msgs.c */

/** s, which has no queue: it posts to q from here on. Under ctl. */
void weir_msgs_attach(struct weir_sock *s, struct weir_queue *q);

/** s as at its beginning: all may be posted but WRITE. What waits is taken back. */
void weir_msgs_begin(struct weir_sock *s);

/** No more messages. */
void weir_msgs_off(struct weir_sock *s);
bool weir_msgs_are_on(const struct weir_sock *s);

/** weir_close(): CLOSE is all that comes. Under ctl. */
void weir_msgs_end(struct weir_sock *s);

/** A receive call, or accept, found nothing: kind may come again, and does if something came. */
void weir_msgs_rearm(struct weir_sock *s, enum weir_asyn kind);

/** Post kind if it may be, and if s is as it says. */
void weir_msgs_post(struct weir_sock *s, enum weir_asyn kind, int error);

/** The next message of s, which stands in the queue. @return false: none; s stands there no more */
bool weir_msgs_take(struct weir_sock *s, struct weir_msg *m);

/** As weir_msgs_post(), if s has a queue: any thread, after change and weir_sock_notify(). */
static inline void
weir_sock_post(struct weir_sock *s, enum weir_asyn kind, int error)
{
	if (unlikely(weir_peek(s->queue) != NULL))
		weir_msgs_post(s, kind, error);
}

#endif
