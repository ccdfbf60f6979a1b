/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets as objects: pool, references, the door. Any thread. */
#include "weir_queue.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "weir_mem.h"
#include "weir_ring.h"

static int
make_fds(struct weir_socks *ss, const struct weir_socks_conf *conf)
{
	char name[RTE_RING_NAMESIZE];

	ss->fds = weir_mem_alloc("weir_fds", sizeof(ss->fds[0]) * conf->sockets, conf->numa_node);
	snprintf(name, sizeof(name), "%s_fd", conf->name);
	/* Twice as many slots as descriptors: see weir_pool_size(). */
	ss->free_fds = rte_ring_create_elem(name, sizeof(uint32_t),
		rte_align32pow2(2 * conf->sockets + 1), conf->numa_node, WEIR_RING_MPMC);
	if (ss->fds == NULL || ss->free_fds == NULL)
		return -ENOMEM;
	for (uint32_t fd = 0; fd < conf->sockets; fd++)
		weir_ring_put_elems(ss->free_fds, &fd, sizeof(fd), 1);
	return 0;
}

static int
make_binds(struct weir_socks *ss, const struct weir_socks_conf *conf)
{
	for (unsigned int kind = 0; kind < RTE_DIM(ss->binds); kind++) {
		ss->binds[kind] = weir_mem_alloc(
			"weir_binds", sizeof(ss->binds[kind][0]) * 65536, conf->numa_node);
		if (ss->binds[kind] == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
weir_socks_init(struct weir_socks *ss, const struct weir_socks_conf *conf)
{
	int rc;

	memset(ss, 0, sizeof(*ss));
	ss->stack = conf->stack;
	ss->capacity = conf->sockets;
	ss->n_workers = conf->n_workers;
	ss->tcp_opts = conf->tcp_opts;
	ss->udp_rcvbuf = conf->udp_rcvbuf;
	ss->udp_sndbuf = conf->udp_sndbuf;
	ss->port_min = conf->port_min;
	ss->port_max = conf->port_max;
	ss->lent_max = conf->lent_max;
	ss->workers = weir_mem_alloc(
		"weir_socks", sizeof(ss->workers[0]) * conf->n_workers, conf->numa_node);
	rc = ss->workers == NULL ? -ENOMEM : 0;
	if (rc == 0)
		rc = weir_stash_init(
			&ss->stash, sizeof(struct weir_sock), conf->sockets, conf->numa_node);
	if (rc == 0)
		rc = make_fds(ss, conf);
	if (rc == 0)
		rc = make_binds(ss, conf);
	if (rc != 0)
		weir_socks_fini(ss);
	return rc;
}

void
weir_socks_fini(struct weir_socks *ss)
{
	for (unsigned int i = 0; i < ss->waiters.n; i++)
		if (ss->waiters.slot[i].efd > 0)
			close(ss->waiters.slot[i].efd);
	for (unsigned int kind = 0; kind < RTE_DIM(ss->binds); kind++)
		weir_mem_free(ss->binds[kind]);
	rte_ring_free(ss->free_fds);
	weir_mem_free(ss->fds);
	weir_stash_fini(&ss->stash);
	weir_mem_free(ss->workers);
	memset(ss, 0, sizeof(*ss));
}

static_assert(sizeof(struct weir_tcp_opts) % sizeof(weir_word) == 0, "weir_sock_opts()");
static_assert(sizeof(struct weir_flow) % sizeof(weir_word) == 0, "weir_sock_flow()");

static void
init_opts(struct weir_sock *s, struct weir_socks *ss)
{
	s->opts = ss->tcp_opts;
	if (weir_sock_is_dgram(s)) {
		s->opts.rcvbuf = ss->udp_rcvbuf;
		s->opts.sndbuf = ss->udp_sndbuf;
	}
}

static int
make_dgram(struct weir_sock *s)
{
	if (!weir_sock_is_dgram(s))
		return 0;
	s->dgram = weir_mem_alloc("weir_sock_dgram", sizeof(*s->dgram), SOCKET_ID_ANY);
	if (s->dgram == NULL)
		return -ENOMEM;
	s->dgram->raw.cksum_off = -1;
	s->dgram->opts.pmtudisc[0] = s->dgram->opts.pmtudisc[1] = IP_PMTUDISC_WANT;
	weir_mpsc_init(&s->extra->errq);
	s->dgram->mc_send[0].ttl = s->dgram->mc_send[1].ttl = 1;
	return 0;
}

static struct weir_sock *
take_from_stash(struct weir_socks *ss)
{
	struct weir_sock *s = weir_stash_get(&ss->stash);

	if (s != NULL)
		__atomic_fetch_add(&ss->used, 1, __ATOMIC_RELAXED);
	return s;
}

static void
give_to_stash(struct weir_socks *ss, struct weir_sock *s)
{
	weir_stash_put(&ss->stash, s);
	__atomic_fetch_sub(&ss->used, 1, __ATOMIC_RELEASE);
}

struct weir_sock *
weir_sock_new(struct weir_socks *ss, int kind, int domain)
{
	struct weir_sock *s = take_from_stash(ss);

	if (s == NULL)
		return NULL;
	/* refs stays 0 until all else is set: see weir_fd_get(). */
	memset((char *)s + offsetof(struct weir_sock, flags), 0,
		sizeof(*s) - offsetof(struct weir_sock, flags));
	s->socks = ss;
	s->fd = -1;
	s->kind = (uint8_t)kind;
	s->domain = (uint8_t)domain;
	if (domain == AF_INET) {
		s->flow.laddr = weir_addr_v4(weir_be32(INADDR_ANY));
		s->flow.raddr = s->flow.laddr;
	}
	init_opts(s, ss);
	if (make_dgram(s) != 0) {
		give_to_stash(ss, s);
		return NULL;
	}
	s->rcvlowat = 1;
	s->peek_off = -1;
	s->pmtudisc = IP_PMTUDISC_WANT;
	s->home =
		(uint16_t)(__atomic_fetch_add(&ss->next_home, 1, __ATOMIC_RELAXED) % ss->n_workers);
	weir_mpsc_init(&s->rxq);
	weir_mpsc_init(&s->txq);
	weir_mpsc_init(&s->acceptq);
	__atomic_store_n(&s->refs, 1, __ATOMIC_RELEASE);
	return s;
}

static void
free_queue(struct weir_mpsc *q)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(q)) != NULL)
		rte_pktmbuf_free(weir_qnode_mbuf(n));
}

/* Connections that nobody accepted: their home workers reset them. */
void
weir_sock_abort_unaccepted(struct weir_sock *s)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&s->acceptq)) != NULL) {
		struct weir_sock *child = RTE_PTR_SUB(n, offsetof(struct weir_sock, accept_node));

		weir_sock_ring(child, WEIR_DOOR_CLOSE | WEIR_DOOR_ABORT);
		weir_sock_unref(child);
	}
}

static void
free_dgram(struct weir_sock *s)
{
	if (!weir_sock_is_dgram(s))
		return;
	weir_mc_unref(s->dgram->mc);
	rte_pktmbuf_free(s->dgram->path_note);
	weir_mem_free(s->dgram);
}

void
weir_sock_unref(struct weir_sock *s)
{
	struct weir_socks *ss = s->socks;

	if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	WEIR_ASSERT(s->fd < 0 || (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED));
	weir_watches_free(s);
	if (s->kind == WEIR_SOCK_OTHER && s->ops != NULL)
		s->ops->release(s);
	weir_bind_del(ss, s);
	weir_sock_abort_unaccepted(s);
	free_queue(&s->rxq);
	free_queue(&s->txq);
	weir_pktq_free(&s->rx_open);
	weir_tcp_keys_free(s->keys);
	weir_mem_free(s->pcbs); /* or its listeners */
	weir_sock_free_extra(s);
	free_dgram(s);
	if (unlikely(s->queue != NULL))
		weir_queue_unref(s->queue);
	give_to_stash(ss, s);
}

uint32_t
weir_sock_first_len(struct weir_sock *s)
{
	struct rte_mbuf *m;
	uint32_t len = 0;

	weir_lock(&s->recv_lock);
	m = weir_sock_rx_next(s, NULL);
	if (m != NULL)
		len = m->pkt_len;
	weir_unlock(&s->recv_lock);
	return len;
}

struct rte_mbuf *
weir_sock_rx_next(struct weir_sock *s, struct rte_mbuf *m)
{
	struct rte_mbuf *next = m == NULL ? weir_pktq_first(&s->rx_open) : weir_pktq_next(m);
	struct weir_qnode *n;

	if (next != NULL)
		return next;
	n = weir_mpsc_pop(&s->rxq);
	if (n == NULL)
		return NULL;
	next = weir_qnode_mbuf(n);
	weir_pkt(next)->u[0] = weir_mbuf_truesize(next);
	weir_pktq_add(&s->rx_open, next);
	return next;
}

void
weir_sock_purge(struct weir_sock *s)
{
	struct weir_qnode *n;
	struct rte_mbuf *m;

	weir_lock(&s->recv_lock);
	while ((m = weir_pktq_pop(&s->rx_open)) != NULL) {
		__atomic_fetch_add(&s->rx_taken, weir_pkt(m)->u[0], __ATOMIC_RELEASE);
		rte_pktmbuf_free(m);
	}
	while ((n = weir_mpsc_pop(&s->rxq)) != NULL) {
		m = weir_qnode_mbuf(n);
		__atomic_fetch_add(&s->rx_taken, weir_mbuf_truesize(m), __ATOMIC_RELEASE);
		rte_pktmbuf_free(m);
	}
	weir_poke(s->rx_read, weir_peek(s->rx_bytes));
	weir_unlock(&s->recv_lock);
}

bool
weir_sock_has_data(const struct weir_sock *s)
{
	const uint64_t taken = __atomic_load_n(&s->rx_taken, __ATOMIC_RELAXED);

	/* Signed: a reader may be ahead of the worker's count for a moment. */
	return (int64_t)(__atomic_load_n(&s->rx_given, __ATOMIC_ACQUIRE) - taken) > 0;
}

bool
weir_sock_is_notsent_full(const struct weir_sock *s, unsigned int shift)
{
	const uint64_t lowat = weir_peek(s->opts.notsent_lowat);

	return unlikely(lowat != 0) && (uint64_t)weir_peek(s->notsent) << shift >= lowat;
}

/*
 * With all mbufs queued to be sent, none would be left for headers and ACKs, and so none would ever
 * come back.
 */
bool
weir_sock_may_take(const struct rte_mempool *pool, size_t n)
{
	/* Its common ring; rte_mempool_avail_count() would walk the caches of all lcores. */
	return rte_ring_count(pool->pool_data) >= pool->size / 8 + n;
}

/* A writer is woken when a third of the buffer is free, as Linux does it, not for every byte. */
bool
weir_sock_has_room(const struct weir_sock *s)
{
	return !weir_sock_is_notsent_full(s, 1) &&
	       weir_sock_tx_room(s) >= (int64_t)(weir_peek(s->opts.sndbuf) / 3);
}

/*
 * What was reserved is added, and looked at, by a read-modify-write: either the sender's comes
 * first and the worker waits, or it comes later and the sender sees why it must not go on.
 */
bool
weir_sock_reserve(struct weir_sock *s, uint64_t truesize)
{
	__atomic_fetch_add(&s->tx_queued, truesize, __ATOMIC_ACQ_REL);
	if (!(weir_sock_flags(s) & (WEIR_SOCK_TX_SHUT | WEIR_SOCK_FD_CLOSED)))
		return true;
	__atomic_fetch_sub(&s->tx_queued, truesize, __ATOMIC_RELAXED);
	return false;
}

bool
weir_sock_has_reserved(struct weir_sock *s)
{
	return __atomic_fetch_add(&s->tx_queued, 0, __ATOMIC_ACQ_REL) != s->tx_taken;
}

/* As much as SO_RCVLOWAT asks for; less where the window would never let that much come. */
bool
weir_sock_is_readable(const struct weir_sock *s)
{
	const uint32_t unread = weir_sock_readable(s);
	const uint32_t lowat = weir_peek(s->rcvlowat);

	return unread > 0 && (unread >= lowat || unread >= weir_peek(s->opts.rcvbuf) / 2);
}

/* Which directions of a stream are over. A socket that never connected has none open, either. */
static short
poll_ends(uint32_t flags)
{
	const bool is_rx_over = (flags & (WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_SHUT)) != 0;
	const bool is_over = (flags & WEIR_SOCK_OVER) || !(flags & WEIR_SOCK_CONNECTED);
	short ev = is_rx_over ? POLLIN | POLLRDNORM | POLLRDHUP : 0;

	if (is_over || (is_rx_over && (flags & WEIR_SOCK_TX_SHUT)))
		ev |= POLLHUP;
	return ev;
}

static short
poll_tcp(const struct weir_sock *s, uint32_t flags)
{
	short ev;

	if (flags & WEIR_SOCK_LISTENING)
		return __atomic_load_n(&s->n_accept, __ATOMIC_ACQUIRE) != 0 ? POLLIN | POLLRDNORM
									    : 0;
	if (flags & WEIR_SOCK_CONNECTING) /* a write is what sends the SYN that was put off */
		return flags & WEIR_SOCK_DEFERRED ? POLLOUT | POLLWRNORM : 0;
	ev = poll_ends(flags);
	if (weir_sock_is_readable(s))
		ev |= POLLIN | POLLRDNORM;
	if (weir_sock_has_urgent(s, weir_peek(s->urgent)))
		ev |= POLLPRI;
	if ((flags & (WEIR_SOCK_TX_SHUT | WEIR_SOCK_OVER)) ||
		(weir_sock_has_room(s) && !(flags & WEIR_SOCK_STARVED)))
		ev |= POLLOUT | POLLWRNORM;
	return ev;
}

static short
poll_udp(const struct weir_sock *s, uint32_t flags)
{
	short ev = 0;

	if (flags & WEIR_SOCK_RX_SHUT)
		ev |= POLLIN | POLLRDNORM | POLLRDHUP;
	if ((flags & WEIR_SOCK_RX_SHUT) && (flags & WEIR_SOCK_TX_SHUT))
		ev |= POLLHUP;
	if (weir_sock_has_data(s))
		ev |= POLLIN | POLLRDNORM;
	if (weir_sock_has_room(s) && !(flags & WEIR_SOCK_STARVED))
		ev |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return ev;
}

short
weir_sock_poll(const struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);
	short ev = s->kind == WEIR_SOCK_TCP ? poll_tcp(s, flags) : poll_udp(s, flags);

	if (!(flags & WEIR_SOCK_LISTENING) &&
		(__atomic_load_n(&s->error, __ATOMIC_RELAXED) != 0 || weir_sock_has_notice(s)))
		ev |= POLLERR; /* of a listener, as on Linux, an error of its past is not told */
	if (flags & WEIR_SOCK_FD_CLOSED)
		ev |= POLLNVAL;
	return ev;
}

/* Connected, and so lacking nothing but room? Callbacks are told of room only after a send. */
static bool
may_want_room(uint32_t flags)
{
	return (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CALLBACKS)) == WEIR_SOCK_CONNECTED;
}

short
weir_sock_poll_to_wait(struct weir_sock *s)
{
	short ev;

	if (s->kind == WEIR_SOCK_OTHER)
		return s->ops->poll(s);
	ev = weir_sock_poll(s);
	if (likely(s->kind != WEIR_SOCK_TCP || (ev & (POLLOUT | POLLHUP))) ||
		!may_want_room(weir_sock_flags(s)) || weir_peek(s->is_write_wanted))
		return ev;
	/* weir_sock_tcp_room() looks for the mark after its own change of that word. */
	__atomic_store_n(&s->is_write_wanted, true, __ATOMIC_RELEASE);
	weir_watched_sync(&s->watched);
	return weir_sock_poll(s);
}

void
weir_sock_wake_worker(struct weir_sock_worker *ws)
{
	const uint64_t one = 1;

	/* As with waiters: an exchange on both sides, so that one of them sees the other. */
	if (__atomic_exchange_n(&ws->is_sleeping, 0, __ATOMIC_ACQ_REL) != 0 &&
		write(ws->efd, &one, sizeof(one)) < 0) {
		/* EAGAIN: the counter is full, so the worker is being woken anyway. */
	}
}

void
weir_sock_ring(struct weir_sock *s, uint32_t bits)
{
	struct weir_sock_worker *ws;

	if (__atomic_fetch_or(&s->door, bits, __ATOMIC_ACQ_REL) != 0)
		return; /* in the queue already */
	weir_sock_ref(s);
	ws = s->socks->workers[weir_sock_home(s)];
	weir_mpsc_push(&ws->doors, &s->door_node);
	weir_sock_wake_worker(ws);
}
