/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An epoll set. A watch that may be ready is in one of two lists: the queue of news, into which any
 * thread pushes, or `ready`, into which the set's calls move it; is_queued says so for both. It is
 * cleared before the descriptor is looked at, so that a change from there on is news again. A watch
 * that is level-triggered and was ready stays in `ready`, to be looked at again.
 */
#include "weir_sock.h"

#include <errno.h>
#include <poll.h>

#include "weir_mem.h"

#define ALWAYS	  (EPOLLERR | EPOLLHUP)
#define NESTS_MAX 5 /* sets in a chain of sets */

struct weir_sock *
weir_epoll_new(struct weir_socks *ss)
{
	struct weir_epoll *ep = weir_mem_alloc("weir_epoll", sizeof(*ep), SOCKET_ID_ANY);
	struct weir_sock *set = ep == NULL ? NULL : weir_sock_new(ss, WEIR_SOCK_OTHER, AF_UNSPEC);

	if (set == NULL) {
		weir_mem_free(ep);
		return NULL;
	}
	LIST_INIT(&ep->all);
	TAILQ_INIT(&ep->ready);
	weir_mpsc_init(&ep->news);
	ep->kernel_set = -1;
	ep->shown = -1;
	ep->bell = -1;
	set->object = ep;
	set->ops = &weir_epoll_ops;
	return set;
}

static bool
is_news_empty(const struct weir_epoll *ep)
{
	return __atomic_load_n(&ep->news.tail, __ATOMIC_ACQUIRE) == &ep->news.stub;
}

bool
weir_epoll_has_news(const struct weir_epoll *ep)
{
	return weir_peek(ep->n_ready) != 0 || !is_news_empty(ep);
}

/* Whoever takes is_bell_wanted rings. weir_epoll_set_bell() sets it, and looks for news again. */
static bool
ring(struct weir_epoll *ep)
{
	if (__atomic_exchange_n(&ep->is_bell_wanted, 0, __ATOMIC_ACQ_REL) == 0)
		return false;
	weir_epoll_ring(ep);
	return true;
}

bool
weir_epoll_tell(struct weir_sock *set)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	bool has_slept = weir_sock_wake(set);

	weir_watches_tell(set, WEIR_NEWS_IN);
	if (unlikely(__atomic_load_n(&ep->shown, __ATOMIC_ACQUIRE) >= 0))
		has_slept |= ring(ep);
	return has_slept;
}

static void
count_ready(struct weir_epoll *ep, struct weir_watch *w, bool is_ready)
{
	w->is_ready = is_ready;
	weir_poke(ep->n_ready, is_ready ? ep->n_ready + 1 : ep->n_ready - 1);
}

static void
add_ready(struct weir_epoll *ep, struct weir_watch *w)
{
	TAILQ_INSERT_TAIL(&ep->ready, w, ready);
	count_ready(ep, w, true);
}

static void
del_ready(struct weir_epoll *ep, struct weir_watch *w)
{
	TAILQ_REMOVE(&ep->ready, w, ready);
	count_ready(ep, w, false);
}

/* Forget a watch: it is dead. Not in `ready` any more. */
static void
bury(struct weir_watch *w)
{
	if (weir_peek(w->set) == NULL)
		return; /* done before */
	LIST_REMOVE(w, all);
	__atomic_store_n(&w->set, NULL, __ATOMIC_RELEASE);
	weir_watch_unref(w);
}

/* It is in neither list any more: the reference that came with it goes. */
static void
unqueue(struct weir_watch *w)
{
	__atomic_exchange_n(&w->is_queued, 0, __ATOMIC_ACQ_REL);
	weir_watch_unref(w);
}

static bool
is_dead(const struct weir_watch *w)
{
	return __atomic_load_n(&w->is_dead, __ATOMIC_ACQUIRE) != 0;
}

/* Move the news into `ready`. */
static void
drain(struct weir_epoll *ep)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&ep->news)) != NULL) {
		struct weir_watch *w = RTE_PTR_SUB(n, offsetof(struct weir_watch, news));

		if (is_dead(w)) {
			bury(w);
			unqueue(w);
		} else {
			add_ready(ep, w);
		}
	}
}

/* What of w's events is there; 0 for a dead one. */
static uint32_t
look(struct weir_watch *w)
{
	const uint32_t wanted = weir_peek(w->events) & ~(uint32_t)WEIR_WATCH_MODES;
	uint32_t events = 0;

	/* With a reference it is not freed; not dead, it is still the one that was to be watched.
	 */
	if (!weir_sock_try_ref(w->target))
		return 0;
	if (!is_dead(w))
		events = (uint32_t)(uint16_t)weir_sock_poll_to_wait(w->target) & wanted;
	weir_sock_unref(w->target);
	return events;
}

/* A new or changed watch: it may be ready already, and somebody be asleep for that. */
static void
look_first(struct weir_sock *set, struct weir_watch *w)
{
	weir_watched_sync(&w->target->watched);
	if (look(w) == 0 || __atomic_exchange_n(&w->is_queued, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	__atomic_fetch_add(&w->refs, 1, __ATOMIC_RELAXED);
	add_ready(weir_epoll_of(set), w);
	weir_epoll_tell(set);
}

static void
forget(struct weir_epoll *ep, struct weir_watch *w)
{
	__atomic_exchange_n(&w->is_dead, 1, __ATOMIC_ACQ_REL);
	if (w->is_ready) {
		del_ready(ep, w);
		unqueue(w); /* else, if it is in the news, it is found to be dead there */
	}
	bury(w);
}

int
weir_epoll_add(struct weir_sock *set, struct weir_sock *s, const struct epoll_event *event)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	struct weir_watch *w;

	drain(ep);
	if (weir_watch_find(s, set) != NULL)
		return -EEXIST;
	w = weir_watch_new(s, set, event->events | ALWAYS, event->data);
	if (w == NULL)
		return -ENOMEM;
	LIST_INSERT_HEAD(&ep->all, w, all);
	look_first(set, w);
	if (!(weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED))
		return 0;
	forget(ep, w); /* who closed it may have come before it was listed */
	return -EBADF;
}

int
weir_epoll_mod(struct weir_sock *set, struct weir_sock *s, const struct epoll_event *event)
{
	struct weir_watch *w = weir_watch_find(s, set);

	if (w == NULL)
		return -ENOENT;
	if (weir_peek(w->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	drain(weir_epoll_of(set));
	weir_poke(w->events, event->events | ALWAYS);
	w->data = event->data;
	look_first(set, w);
	return 0;
}

int
weir_epoll_del(struct weir_sock *set, struct weir_sock *s)
{
	struct weir_watch *w = weir_watch_find(s, set);

	if (w == NULL)
		return -ENOENT;
	forget(weir_epoll_of(set), w);
	drain(weir_epoll_of(set));
	return 0;
}

/* Back into `ready`, unless it is news meanwhile. With the reference of that list. */
static void
keep(struct weir_epoll *ep, struct weir_watch *w, bool is_first)
{
	if (__atomic_exchange_n(&w->is_queued, 1, __ATOMIC_ACQ_REL) != 0) {
		weir_watch_unref(w);
		return;
	}
	if (is_first)
		TAILQ_INSERT_HEAD(&ep->ready, w, ready);
	else
		TAILQ_INSERT_TAIL(&ep->ready, w, ready);
	count_ready(ep, w, true);
}

/* The first of `ready` leaves it, its reference the caller's. @return its events */
static uint32_t
take_first(struct weir_epoll *ep, struct weir_watch *w)
{
	del_ready(ep, w);
	__atomic_exchange_n(&w->is_queued, 0, __ATOMIC_ACQ_REL); /* what comes now is news */
	return look(w);
}

/* It has been told. */
static void
after_told(struct weir_epoll *ep, struct weir_watch *w)
{
	const uint32_t events = weir_peek(w->events);

	if (events & EPOLLONESHOT)
		weir_poke(w->events, events & WEIR_WATCH_MODES);
	if (events & (EPOLLONESHOT | EPOLLET))
		weir_watch_unref(w);
	else
		keep(ep, w, false);
}

/* The bell is to ring while there is something, and be silent while there is not. */
void
weir_epoll_set_bell(struct weir_sock *set)
{
	struct weir_epoll *ep = weir_epoll_of(set);

	if (ep->shown < 0)
		return;
	if (!weir_epoll_has_news(ep)) {
		weir_epoll_silence(ep);
		__atomic_exchange_n(&ep->is_bell_wanted, 1, __ATOMIC_ACQ_REL);
		weir_watched_sync(&set->watched);
	}
	if (weir_epoll_has_news(ep))
		ring(ep);
}

int
weir_epoll_take(struct weir_sock *set, struct epoll_event *events, int max)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	int n = 0;

	drain(ep);
	for (uint32_t left = ep->n_ready; left > 0 && n < max; left--) {
		struct weir_watch *w = TAILQ_FIRST(&ep->ready);
		const uint32_t found = take_first(ep, w);

		if (found == 0) {
			weir_watch_unref(w);
			continue;
		}
		events[n++] = (struct epoll_event){.events = found, .data = w->data};
		after_told(ep, w);
	}
	weir_epoll_set_bell(set);
	return n;
}

/* Is something ready in fact? What is not leaves the list. */
static bool
has_ready(struct weir_epoll *ep)
{
	struct weir_watch *w;

	drain(ep);
	while ((w = TAILQ_FIRST(&ep->ready)) != NULL) {
		if (take_first(ep, w) != 0) {
			keep(ep, w, true);
			return true;
		}
		weir_watch_unref(w);
	}
	return false;
}

/* The set as a descriptor. Never waits: while somebody is at the set, it says what it looks like.
 */
static short
poll_set(struct weir_sock *set)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	bool is_ready;

	if (weir_sock_flags(set) & WEIR_SOCK_FD_CLOSED)
		return POLLNVAL;
	if (!weir_trylock(&ep->lock))
		return weir_epoll_has_news(ep) ? POLLIN | POLLRDNORM : 0;
	is_ready = has_ready(ep);
	weir_unlock(&ep->lock);
	return is_ready ? POLLIN | POLLRDNORM : 0;
}

static void
release_set(struct weir_sock *set)
{
	struct weir_epoll *ep = weir_epoll_of(set);

	while (!LIST_EMPTY(&ep->all))
		forget(ep, LIST_FIRST(&ep->all));
	drain(ep);
	weir_epoll_kernel_free(ep);
	weir_mem_free(ep);
}

const struct weir_fd_ops weir_epoll_ops = {.poll = poll_set, .release = release_set};

/* ---- sets in sets ---- */

/* Sets in the longest chain of sets from set downward; too long also where it meets other. */
static unsigned int
depth_below(struct weir_sock *set, const struct weir_sock *other)
{
	struct weir_epoll *ep = weir_epoll_of(set);
	const struct weir_watch *w;
	unsigned int most = 0;

	if (set == other)
		return NESTS_MAX + 1;
	weir_lock(&ep->lock);
	LIST_FOREACH (w, &ep->all, all)
		if (most < NESTS_MAX && weir_sock_try_ref(w->target)) {
			if (!is_dead(w) && weir_sock_is_epoll(w->target))
				most = RTE_MAX(most, depth_below(w->target, other));
			weir_sock_unref(w->target);
		}
	weir_unlock(&ep->lock);
	return most + 1;
}

/* And upward. */
static unsigned int
depth_above(struct weir_sock *set)
{
	struct weir_watch *w = __atomic_load_n(&set->watched.watches, __ATOMIC_ACQUIRE);
	unsigned int most = 0;

	for (; w != NULL && most < NESTS_MAX; w = w->next) {
		struct weir_sock *above = __atomic_load_n(&w->set, __ATOMIC_ACQUIRE);

		if (above == NULL || is_dead(w) || !weir_sock_try_ref(above))
			continue;
		if (__atomic_load_n(&w->set, __ATOMIC_ACQUIRE) == above)
			most = RTE_MAX(most, depth_above(above));
		weir_sock_unref(above);
	}
	return most + 1;
}

int
weir_epoll_check_nest(struct weir_sock *set, struct weir_sock *inner)
{
	return depth_above(set) + depth_below(inner, set) > NESTS_MAX ? -ELOOP : 0;
}
