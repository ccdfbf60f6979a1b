/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sock_publish -> notify -> the queues of epoll sets; and the list of a descriptor's watches
 */
#include "weir_sock.h"

#include <errno.h>

#include "weir_mem.h"

bool
weir_sock_try_ref(struct weir_sock *s)
{
	uint32_t refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED);

	do {
		if (refs == 0)
			return false;
	} while (!__atomic_compare_exchange_n(
		&s->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

/*
 * Into set's queue if w is still set's, with a reference. That is taken first: with it, w is not
 * used again for another set. @return false: it is not
 */
static bool
push_to(struct weir_sock *set, struct weir_watch *w)
{
	__atomic_fetch_add(&w->refs, 1, __ATOMIC_ACQ_REL);
	if (__atomic_load_n(&w->set, __ATOMIC_ACQUIRE) == set) {
		weir_mpsc_push(&weir_epoll_of(set)->news, &w->news);
		return true;
	}
	weir_watch_unref(w);
	return false;
}

/* w's set knows already, but who watches the set may have looked at it since: another edge. */
static void
tell_above(const struct weir_watch *w)
{
	struct weir_sock *set = __atomic_load_n(&w->set, __ATOMIC_ACQUIRE);

	if (likely(set == NULL || weir_peek(set->watched.watches) == NULL) ||
		!weir_sock_try_ref(set))
		return;
	if (__atomic_load_n(&w->set, __ATOMIC_ACQUIRE) == set)
		weir_watches_tell(set, WEIR_NEWS_IN);
	weir_sock_unref(set);
}

/*
 * Tell w's set, unless w is in its queue. The set may go this moment, and w be used again for
 * another one, which then has to be told in the first one's place. @return whether a thread slept
 */
static bool
tell_set(struct weir_watch *w)
{
	for (;;) {
		struct weir_sock *set;
		bool has_slept;

		if (__atomic_exchange_n(&w->is_queued, 1, __ATOMIC_ACQ_REL) != 0) {
			tell_above(w);
			return false;
		}
		set = __atomic_load_n(&w->set, __ATOMIC_ACQUIRE);
		if (set != NULL && weir_sock_try_ref(set)) {
			if (push_to(set, w)) {
				has_slept = weir_epoll_tell(set);
				weir_sock_unref(set);
				return has_slept;
			}
			weir_sock_unref(set);
		}
		__atomic_exchange_n(&w->is_queued, 0, __ATOMIC_ACQ_REL);
		if (__atomic_load_n(&w->set, __ATOMIC_ACQUIRE) == set)
			return false;
	}
}

static bool
is_wanted(uint32_t events, uint32_t news)
{
	events &= ~(uint32_t)WEIR_WATCH_MODES;
	return events != 0 && (news == WEIR_NEWS_ALL || (events & news) != 0);
}

/* EPOLLEXCLUSIVE: of these, sets are told up to the first in which a thread sleeps. */
static void
tell_exclusive(struct weir_watch *w, uint32_t news)
{
	for (; w != NULL; w = w->next) {
		const uint32_t events = weir_peek(w->events);

		if ((events & EPOLLEXCLUSIVE) && is_wanted(events, news) && tell_set(w) &&
			news != WEIR_NEWS_ALL)
			return;
	}
}

void
weir_watches_tell(struct weir_sock *s, uint32_t news)
{
	struct weir_watch *first = __atomic_load_n(&s->watched.watches, __ATOMIC_ACQUIRE);
	bool has_exclusive = false;

	for (struct weir_watch *w = first; w != NULL; w = w->next) {
		const uint32_t events = weir_peek(w->events);

		if (events & EPOLLEXCLUSIVE)
			has_exclusive = true;
		else if (is_wanted(events, news))
			tell_set(w);
	}
	if (has_exclusive)
		tell_exclusive(first, news);
}

void
weir_sock_notify_of(struct weir_sock *s, uint32_t news)
{
	weir_sock_wake(s); /* its read-modify-write orders s and its watches */
	weir_watches_tell(s, news);
}

void
weir_sock_notify(struct weir_sock *s)
{
	weir_sock_notify_of(s, WEIR_NEWS_ALL);
}

void
weir_watches_end(struct weir_sock *s)
{
	struct weir_watch *w;

	weir_watched_sync(&s->watched);
	w = __atomic_load_n(&s->watched.watches, __ATOMIC_ACQUIRE);
	for (; w != NULL; w = w->next)
		if (__atomic_exchange_n(&w->is_dead, 1, __ATOMIC_ACQ_REL) == 0)
			tell_set(w); /* to be buried */
}

void
weir_watch_unref(struct weir_watch *w)
{
	if (__atomic_sub_fetch(&w->refs, 1, __ATOMIC_ACQ_REL) == 0)
		weir_mem_free(w);
}

void
weir_watches_free(struct weir_sock *s)
{
	struct weir_watch *w, *next;

	for (w = s->watched.watches; w != NULL; w = next) {
		next = w->next;
		weir_watch_unref(w);
	}
}

struct weir_watch *
weir_watch_find(struct weir_sock *s, const struct weir_sock *set)
{
	struct weir_watch *w = __atomic_load_n(&s->watched.watches, __ATOMIC_ACQUIRE);

	while (w != NULL && (__atomic_load_n(&w->set, __ATOMIC_ACQUIRE) != set ||
				    __atomic_load_n(&w->is_dead, __ATOMIC_ACQUIRE)))
		w = w->next;
	return w;
}

/* One that nobody but the list knows any more. */
static struct weir_watch *
use_again(struct weir_sock *s)
{
	struct weir_watch *w = __atomic_load_n(&s->watched.watches, __ATOMIC_ACQUIRE);
	uint32_t refs;

	for (; w != NULL; w = w->next) {
		refs = 1;
		if (__atomic_compare_exchange_n(
			    &w->refs, &refs, 2, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return w;
	}
	return NULL;
}

static void
list(struct weir_sock *s, struct weir_watch *w)
{
	w->next = __atomic_load_n(&s->watched.watches, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(
		&s->watched.watches, &w->next, w, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
	}
}

struct weir_watch *
weir_watch_new(struct weir_sock *s, struct weir_sock *set, uint32_t events, epoll_data_t data)
{
	struct weir_watch *w = use_again(s);
	const bool is_new = w == NULL;

	if (is_new)
		w = weir_mem_alloc("weir_watch", sizeof(*w), SOCKET_ID_ANY);
	if (w == NULL)
		return NULL;
	if (is_new)
		w->refs = 2;
	w->target = s;
	w->data = data;
	weir_poke(w->events, events);
	__atomic_store_n(&w->is_dead, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&w->set, set, __ATOMIC_RELEASE);
	if (is_new)
		list(s, w);
	return w;
}
