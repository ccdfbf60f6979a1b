/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Who is told when a descriptor changes: threads that sleep for it, and epoll sets that watch it.
 * Model   All that has a descriptor (a socket, an epoll set, a message queue) is a weir_sock with a
 *         head `watched`: the classes of threads to wake, and a list of watches, one for each set.
 *         A change is told by weir_sock_notify(). For each watch that wants it, that puts the watch
 *         into the set's queue of news, unless it is there already, and tells the set, which may be
 *         watched itself. A set looks at what is in its queue alone, whatever else it watches.
 * Owner   A watch has references: of the list of its descriptor, which it never leaves until that
 *         is freed (a dead one is used again for another set); of its set; and of the queue that
 *         it is in. It holds neither the descriptor nor the set: memory of weir_socks is only ever
 *         used for weir_socks, so both are reached by weir_sock_try_ref().
 * Thread  Notices come from any thread, and wait for nobody. All else of a set is under its lock,
 *         which no worker waits for. What orders the two sides is `watched.waiters`: whoever
 *         changes a descriptor, and whoever adds or changes a watch, does a read-modify-write of
 *         it in between that and its look at the other's.
 */
#ifndef WEIR_WATCH_H
#define WEIR_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "weir_mpsc.h"

struct weir_sock;
struct weir_socks;
struct weir_watch;

struct weir_watched {
	uint64_t waiters;           /* classes of threads that sleep for it; atomic */
	struct weir_watch *watches; /* atomic */
};

/** What a descriptor that is no socket does in place of one: weir_sock.ops. Any thread. */
struct weir_fd_ops {
	short (*poll)(struct weir_sock *s);   /* as weir_sock_poll() */
	void (*release)(struct weir_sock *s); /* the last reference is gone: free s->object */
};

/** Bits of a watch's events that are not of poll(2). */
#define WEIR_WATCH_MODES (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)

/* What weir_sock_notify_of() tells, as Linux groups it. */
#define WEIR_NEWS_IN  (EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND)
#define WEIR_NEWS_OUT (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)
#define WEIR_NEWS_ERR (EPOLLERR)
#define WEIR_NEWS_ALL 0 /* anything may have changed */

struct weir_watch {
	struct weir_qnode news;   /* in the set's queue */
	struct weir_watch *next;  /* of the same descriptor; not changed once it is listed */
	struct weir_sock *target; /* the descriptor; for as long as it lives */
	struct weir_sock *set;    /* NULL: none; atomic */
	uint32_t refs;            /* atomic */
	uint32_t events;          /* enum EPOLL_EVENTS wanted, with modes; atomic */
	uint32_t is_queued;       /* in the queue of news or the list `ready`; atomic */
	uint32_t is_dead;         /* the descriptor was closed, or the watch deleted; atomic */
	epoll_data_t data;        /* from here on under the set's lock */
	bool is_ready;            /* in `ready` */
	LIST_ENTRY(weir_watch) all;
	TAILQ_ENTRY(weir_watch) ready;
};

/** An epoll set: the object of a weir_sock. */
struct weir_epoll {
	uint32_t lock;
	LIST_HEAD(, weir_watch) all;
	TAILQ_HEAD(weir_watches, weir_watch) ready; /* out of news, not yet looked at */
	uint32_t n_ready; /* written under lock; atomic */
	struct weir_mpsc news __attribute__((aligned(64))); /* any thread: push; under lock: pop */

	/* Kernel descriptors of the set, and the set as one (see epoll_kernel.c). */
	int kernel_set; /* kernel's epoll set of them; -1: none; atomic */
	int shown;      /* weir_epoll_fd(): a set of kernel_set and bell; -1: none; atomic */
	int bell;       /* eventfd: this set has news; -1: none */
	uint32_t is_bell_wanted;  /* atomic: who rings it clears this */
	uint32_t is_kernel_first; /* atomic: whose turn it was to be asked first */
};

/* watch.c: the side of the descriptor. Any thread */

/** A reference, unless the last one is gone. */
bool weir_sock_try_ref(struct weir_sock *s);

/** s changed: wake who sleeps for it, tell who watches it. After the change. */
void weir_sock_notify(struct weir_sock *s);

/** The same for a change of these events alone. @param news  WEIR_NEWS_* */
void weir_sock_notify_of(struct weir_sock *s, uint32_t news);

/** The second half of that: s's threads have been woken. */
void weir_watches_tell(struct weir_sock *s, uint32_t news);

/** Order what was written before with what is read after, as seen from weir_sock_notify(). */
static inline void
weir_watched_sync(struct weir_watched *h)
{
	__atomic_fetch_or(&h->waiters, 0, __ATOMIC_ACQ_REL);
}

/** s lost its descriptor: its watches are dead, and their sets will find that out. */
void weir_watches_end(struct weir_sock *s);

/** s is freed: drop what its list held. */
void weir_watches_free(struct weir_sock *s);

/** The watch of set on s, or NULL. Under set's lock. */
struct weir_watch *weir_watch_find(struct weir_sock *s, const struct weir_sock *set);

/** A new watch of set on s, with the set's reference. NULL: no memory. Under set's lock. */
struct weir_watch *weir_watch_new(
	struct weir_sock *s, struct weir_sock *set, uint32_t events, epoll_data_t data);

void weir_watch_unref(struct weir_watch *w);

/* epoll.c: the side of the set. By who holds the set's lock, but for new and poll */

extern const struct weir_fd_ops weir_epoll_ops;

/** A set without a descriptor. NULL: no memory, no socket left */
struct weir_sock *weir_epoll_new(struct weir_socks *ss);

/** @return 0, -EEXIST, -ENOMEM, -EBADF: closed this moment */
int weir_epoll_add(struct weir_sock *set, struct weir_sock *s, const struct epoll_event *event);

/** @return 0, -ENOENT, -EINVAL: EPOLLEXCLUSIVE stays as it is */
int weir_epoll_mod(struct weir_sock *set, struct weir_sock *s, const struct epoll_event *event);

/** @return 0, -ENOENT */
int weir_epoll_del(struct weir_sock *set, struct weir_sock *s);

/**
 * What is ready, at most max, oldest news first. Level-triggered ones stay for the next call,
 * behind what this one did not come to. @return how many
 */
int weir_epoll_take(struct weir_sock *set, struct epoll_event *events, int max);

/** Watches of set have become ready: tell who sleeps for it. Any thread. @return somebody slept */
bool weir_epoll_tell(struct weir_sock *set);

/** Let the bell say whether there is something. */
void weir_epoll_set_bell(struct weir_sock *set);

/** Does the set look as if it had something? Any thread, without its lock. */
bool weir_epoll_has_news(const struct weir_epoll *ep);

/**
 * May set watch inner, which is a set? No loops, and no long chains. Not under a lock of a set.
 * @return 0, -ELOOP
 */
int weir_epoll_check_nest(struct weir_sock *set, struct weir_sock *inner);

/* epoll_kernel.c: under the set's lock, but for ring */

/** EPOLL_CTL_* of a kernel descriptor. @return 0 or negative errno, as Linux */
int weir_epoll_kernel_ctl(struct weir_sock *set, int op, int fd, struct epoll_event *event);

/** The same of the kernel part of inner, which is a set. */
int weir_epoll_nest_ctl(
	struct weir_sock *set, int op, struct weir_sock *inner, struct epoll_event *event);

/** weir_epoll.shown, made on first use. @return it, or negative errno */
int weir_epoll_show(struct weir_sock *set);

void weir_epoll_kernel_free(struct weir_epoll *ep);
void weir_epoll_ring(struct weir_epoll *ep);
void weir_epoll_silence(struct weir_epoll *ep);

#endif
