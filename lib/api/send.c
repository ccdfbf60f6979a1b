/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: send -> txq, door -> (home worker) tcp_send, udp_output; on the worker without the queue */
#include <errno.h>
#include <limits.h>

#include <rte_ring.h>

#include "send_priv.h"
#include "weir_queue.h"

#define SEND_BURST   32	  /* mbufs allocated and filled at once */
#define SYN_DATA_MAX 9600 /* more than any SYN carries */

int
weir_source_init(struct weir_source *src, const struct iovec *iov, size_t n_iov)
{
	*src = (struct weir_source){.iov = iov, .n_iov = n_iov};
	for (size_t i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > SSIZE_MAX - src->left)
			return -EINVAL;
		src->is_bad |= iov[i].iov_base == NULL && iov[i].iov_len != 0;
		src->left += iov[i].iov_len;
	}
	return 0;
}

static void
source_read(struct weir_source *src, char *to, size_t len)
{
	src->left -= len;
	while (len > 0) {
		const size_t part = RTE_MIN(len, src->iov->iov_len - src->off);

		if (part > 0) /* an empty part may be at NULL */
			memcpy(to, (const char *)src->iov->iov_base + src->off, part);
		to += part;
		len -= part;
		src->off += part;
		if (src->off == src->iov->iov_len) {
			src->iov++;
			src->n_iov--;
			src->off = 0;
		}
	}
}

static void
source_skip(struct weir_source *src, size_t len)
{
	src->left -= len;
	while (len > 0) {
		const size_t part = RTE_MIN(len, src->iov->iov_len - src->off);

		len -= part;
		src->off += part;
		if (src->off == src->iov->iov_len) {
			src->iov++;
			src->n_iov--;
			src->off = 0;
		}
	}
}

static uint32_t
mbuf_size(const struct rte_mempool *pool)
{
	return (uint32_t)(sizeof(struct rte_mbuf) + WEIR_PKT_PRIV) +
	       rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool);
}

void
weir_want_write(struct weir_sock *s)
{
	__atomic_store_n(&s->is_write_wanted, true, __ATOMIC_RELEASE);
	if (weir_peek(s->queue) != NULL && !(weir_sock_flags(s) & WEIR_SOCK_CONNECTING))
		weir_msgs_rearm(s, WEIR_ASYN_WRITE);
	/* The worker may have made room, the last for long, since we looked. */
	if (weir_here(s->socks->stack, s) == NULL)
		weir_sock_ring(s, WEIR_DOOR_WRITE);
}

/* The pool is low: who asked is told when it is not any more. */
void
weir_note_starved(struct weir_stack *st, struct weir_sock *s)
{
	struct weir_sock_worker *ws = weir_here(st, s);

	__atomic_fetch_add(&st->socks.send_no_mbuf, 1, __ATOMIC_RELAXED);
	weir_sock_set(s, WEIR_SOCK_STARVED);
	weir_want_write(s);
	if (ws != NULL)
		weir_sock_serve(ws, s, WEIR_DOOR_STARVED);
	else
		weir_sock_ring(s, WEIR_DOOR_STARVED);
}

void
weir_source_fill(struct rte_mbuf *m, struct weir_source *src, uint32_t max)
{
	const uint32_t len = (uint32_t)RTE_MIN((size_t)max, src->left);

	source_read(src, rte_pktmbuf_append(m, (uint16_t)len), len);
}

/* On the home worker. */
static int
hand_over(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf **m, unsigned int n)
{
	if (!weir_sock_may_give(s))
		return -EPIPE;
	for (unsigned int i = 0; i < n; i++)
		weir_sock_tcp_give(ws, s, m[i]);
	return 0;
}

/*
 * Give filled packets to the home worker: now, or by its door.
 * @param how  enum weir_pkt_send, of the last one
 * @return 0; -EPIPE: refused
 */
static int
hand_in(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf **m, unsigned int n,
	uint8_t how)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < n; i++) {
		size += weir_mbuf_truesize(m[i]);
		weir_pkt(m[i])->qn.next = i + 1 < n ? &weir_pkt(m[i + 1])->qn : NULL;
		weir_pkt(m[i])->send = i + 1 < n ? 0 : how;
	}
	if (ws != NULL && weir_sock_tcp_ready(ws, s))
		return hand_over(ws, s, m, n);
	if (!weir_sock_reserve(s, size))
		return -EPIPE;
	weir_mpsc_push_chain(&s->txq, &weir_pkt(m[0])->qn, &weir_pkt(m[n - 1])->qn);
	weir_sock_ring(s, WEIR_DOOR_SEND);
	return 0;
}

/* MSG_ZEROCOPY is copied as well; what was asked for is the notice that the peer has it. */
static bool
wants_notice(struct weir_sock *s, int flags)
{
	if (likely(!(flags & MSG_ZEROCOPY)) || !weir_sock_has(s, WEIR_SW_ZEROCOPY))
		return false;
	__atomic_fetch_add(&s->n_zerocopy, 1, __ATOMIC_RELAXED);
	return true;
}

static uint8_t
how_to_stamp(uint32_t stamps)
{
	if (likely(!(stamps & WEIR_STAMPS_SENT)))
		return 0;
	return (uint8_t)((stamps & SOF_TIMESTAMPING_TX_SCHED ? WEIR_SEND_STAMP_SCHED : 0) |
			 (stamps & SOF_TIMESTAMPING_TX_SOFTWARE ? WEIR_SEND_STAMP_SENT : 0) |
			 (stamps & SOF_TIMESTAMPING_TX_ACK ? WEIR_SEND_STAMP_ACKED : 0) |
			 (stamps & SOF_TIMESTAMPING_OPT_TSONLY ? 0 : WEIR_SEND_STAMP_DATA));
}

static uint8_t
how_to_send(struct weir_sock *s, int flags, uint32_t stamps)
{
	return (uint8_t)(how_to_stamp(stamps) | (wants_notice(s, flags) ? WEIR_SEND_NOTICE : 0) |
			 (flags & MSG_MORE ? WEIR_SEND_MORE : 0) |
			 (flags & MSG_EOR ? WEIR_SEND_EOR : 0) |
			 (flags & MSG_OOB ? WEIR_SEND_URGENT : 0));
}

/* Mbufs for the next burst, max bytes each; the last one may overshoot the room. */
static size_t
burst_mbufs(const struct rte_mempool *pool, size_t left, uint32_t max, int64_t room)
{
	size_t n;

	if (likely(left <= max))
		return 1;
	n = RTE_MIN((left + max - 1) / max, (size_t)(room / mbuf_size(pool)) + 1);
	return RTE_MIN(n, (size_t)SEND_BURST);
}

/* One burst of a stream. @return 0, -ENOBUFS, -EPIPE; on errors src is as before */
static int
send_burst(struct weir_stack *st, struct weir_sock *s, struct weir_source *src, int64_t room,
	int flags)
{
	struct rte_mempool *pool = weir_send_pool(st, s);
	const uint32_t max = weir_payload_max(pool);
	const struct weir_source before = *src;
	const size_t n = burst_mbufs(pool, src->left, max, room);
	struct rte_mbuf *m[SEND_BURST];
	int rc;

	if (!weir_sock_may_take(pool, n) || rte_pktmbuf_alloc_bulk(pool, m, (unsigned int)n) != 0) {
		weir_note_starved(st, s);
		return -ENOBUFS;
	}
	for (size_t i = 0; i < n; i++)
		weir_source_fill(m[i], src, max);
	rc = hand_in(weir_here(st, s), s, m, (unsigned int)n,
		src->left == 0 ? how_to_send(s, flags, src->stamps) : 0);
	if (rc != 0) {
		*src = before;
		rte_pktmbuf_free_bulk(m, (unsigned int)n);
	}
	return rc;
}

/* May s send at all? 0 or a negative errno; -EAGAIN while it connects. */
static int
may_send(struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);
	int rc = __atomic_load_n(&s->error, __ATOMIC_RELAXED);

	if (rc != 0) {
		rc = weir_take_error(s);
		if (rc != 0)
			return -rc;
	}
	if (flags & (WEIR_SOCK_TX_SHUT | WEIR_SOCK_OVER))
		return -EPIPE;
	if (flags & WEIR_SOCK_CONNECTING)
		return -EAGAIN;
	return flags & WEIR_SOCK_CONNECTED ? 0 : -EPIPE;
}

static bool
is_writable(const struct weir_sock *s)
{
	return (weir_sock_poll(s) & (POLLOUT | POLLERR | POLLHUP)) != 0;
}

int
weir_wait_writable(struct weir_stack *st, struct weir_sock *s, int flags, uint64_t deadline)
{
	if (weir_is_nonblock(st, s, flags)) {
		weir_want_write(s);
		return -EAGAIN;
	}
	return weir_wait(st, s, is_writable, deadline);
}

static bool
is_fed(const struct weir_sock *s)
{
	return !(weir_sock_flags(s) & WEIR_SOCK_STARVED);
}

/* One burst, or a wait until one may go. */
static int
send_some(struct weir_stack *st, struct weir_sock *s, struct weir_source *src, int flags,
	uint64_t deadline)
{
	const int64_t room = weir_sock_tx_room(s);
	int rc = may_send(s);

	if (rc == 0 && src->is_bad)
		return -EFAULT;
	if (rc == -EAGAIN || (rc == 0 && (room <= 0 || weir_sock_is_notsent_full(s, 0))))
		return weir_wait_writable(st, s, flags, deadline);
	if (rc == 0)
		rc = send_burst(st, s, src, room, flags);
	if (rc == -ENOBUFS && !weir_is_nonblock(st, s, flags))
		rc = weir_wait(st, s, is_fed, deadline);
	return rc;
}

/*
 * A call ends with less than it was given: what it asked for is of the last byte that was taken. An
 * empty packet says so behind it. (A record, MSG_EOR, does not end there.)
 */
static void
end_early(struct weir_stack *st, struct weir_sock *s, int flags, uint32_t stamps)
{
	const uint8_t how = how_to_send(s, flags & ~MSG_EOR, stamps);
	struct rte_mbuf *m = NULL;

	if (likely(!(how & (WEIR_SEND_NOTICE | WEIR_SEND_STAMPS | WEIR_SEND_URGENT))))
		return;
	m = rte_pktmbuf_alloc(weir_send_pool(st, s));
	if (m != NULL && hand_in(weir_here(st, s), s, &m, 1, how) == 0)
		return;
	rte_pktmbuf_free(m);
	if (how & WEIR_SEND_NOTICE)
		__atomic_fetch_sub(&s->n_zerocopy, 1, __ATOMIC_RELAXED);
}

static ssize_t
send_stream(struct weir_stack *st, struct weir_sock *s, struct weir_source *src, int flags)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->sndtimeo_ms));
	const size_t all = src->left;
	int rc = 0;

	while (rc == 0 && src->left > 0)
		rc = send_some(st, s, src, flags, deadline);
	if (src->left > 0 && src->left < all)
		end_early(st, s, flags, src->stamps);
	if (src->left < all)
		return (ssize_t)(all - src->left);
	return rc;
}

/* Opening with data (RFC 7413) */

/* As much of src as a SYN could carry, or no data at all. NULL: the pool is low */
static struct rte_mbuf *
syn_data(struct weir_stack *st, struct weir_sock *s, const struct weir_source *src)
{
	struct weir_source part = *src;

	part.left = RTE_MIN(part.left, (size_t)SYN_DATA_MAX);
	return weir_source_gather(weir_send_pool(st, s), &part);
}

/* Does sa name a peer? *addr then. @return 0 or -errno; without an address TCP decides */
static int
peer_of(const struct weir_sock *s, const struct sockaddr *sa, socklen_t sa_len,
	struct weir_name *peer)
{
	if (sa == NULL)
		return 0;
	if (sa_len >= sizeof(sa->sa_family) && sa->sa_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	return weir_name_in(s, sa, sa_len, peer);
}

/* 0 and o->taken; or -errno */
static int
start_fastopen(struct weir_stack *st, struct weir_sock_open *o, const struct weir_source *src,
	const struct sockaddr *sa, socklen_t sa_len)
{
	struct weir_name peer;
	int rc;

	if (!(st->conf.tcp.fastopen & WEIR_TCP_FASTOPEN_CLIENT))
		return -EOPNOTSUPP;
	rc = peer_of(o->s, sa, sa_len, &peer);
	if (rc != 0)
		return rc;
	o->m = syn_data(st, o->s, src);
	if (o->m == NULL) {
		weir_note_starved(st, o->s);
		return -ENOBUFS;
	}
	rc = weir_connect_with(st, o, sa != NULL ? &peer : NULL);
	if (o->m != NULL)
		rte_pktmbuf_free(o->m);
	return rc;
}

/* The connection is under way with `taken` bytes of src; a blocking call waits and sends the rest.
 */
static ssize_t
go_on_fastopen(struct weir_stack *st, struct weir_sock *s, struct weir_source *src, int flags,
	uint32_t taken)
{
	const bool is_nonblock = weir_is_nonblock(st, s, flags);
	ssize_t rest;
	int rc;

	source_skip(src, taken);
	if (is_nonblock)
		return taken > 0 ? (ssize_t)taken : -EINPROGRESS;
	rc = weir_connect_wait(st, s, -EINPROGRESS);
	if (rc != 0)
		return rc == -EINPROGRESS && taken > 0 ? (ssize_t)taken : rc;
	rest = src->left > 0 ? send_stream(st, s, src, flags) : 0;
	return rest < 0 && taken > 0 ? (ssize_t)taken : (ssize_t)taken + rest;
}

static ssize_t
send_fastopen(struct weir_stack *st, struct weir_sock *s, struct weir_source *src, int flags,
	const struct sockaddr *sa, socklen_t sa_len)
{
	const bool is_blocking = !weir_peek(s->is_nonblock) && !(flags & MSG_DONTWAIT);
	struct weir_sock_open o = {.s = s,
		.wanted = is_blocking ? (uint32_t)RTE_MIN(src->left, (size_t)UINT32_MAX) : 0};
	int rc;

	if (src->is_bad)
		return -EFAULT;
	o.all = (uint32_t)RTE_MIN(src->left, (size_t)UINT32_MAX);
	o.how = how_to_send(s, flags, src->stamps);
	rc = start_fastopen(st, &o, src, sa, sa_len);
	if ((o.how & WEIR_SEND_NOTICE) && (rc != 0 || o.taken != o.all))
		__atomic_fetch_sub(&s->n_zerocopy, 1, __ATOMIC_RELAXED); /* the rest is counted */
	if (rc == -EALREADY) { /* begun before: it may be over, and then this is a send */
		rc = weir_connect_wait(st, s, -EALREADY);
		return rc == 0 ? send_stream(st, s, src, flags) : rc;
	}
	return rc == 0 ? go_on_fastopen(st, s, src, flags, o.taken) : rc;
}

/* An address is passed over, as on Linux: a stream has its peer. */
static ssize_t
send_on_stream(struct weir_stack *st, struct weir_sock *s, struct weir_source *src, int flags,
	const struct sockaddr *sa, socklen_t sa_len)
{
	if (unlikely((flags & MSG_FASTOPEN) || (weir_sock_flags(s) & WEIR_SOCK_DEFERRED)))
		return send_fastopen(st, s, src, flags, sa, sa_len);
	if (src->left == 0)
		return may_send(s); /* nothing to send, but is the socket fit for it? */
	return send_stream(st, s, src, flags);
}

/*
 * The socket of fd for one call, without a reference of its own where that is safe: on a worker
 * that has its connection, or its binding, whose reference lasts until the end of the turn.
 */
static struct weir_sock *
borrow(struct weir_stack *st, int fd, bool *is_ours)
{
	struct weir_worker *const self = weir_worker_self();
	struct weir_sock *s = NULL;

	*is_ours = false;
	if (st == NULL)
		return NULL;
	if (self != NULL && self->sock.socks == &st->socks)
		s = weir_fd_peek(&st->socks, fd, self->index);
	if (s != NULL)
		return s;
	*is_ours = true;
	return weir_fd_get(&st->socks, fd);
}

static void
give_back(struct weir_sock *s, bool is_ours)
{
	if (is_ours)
		weir_sock_unref(s);
}

/* Stamps that the socket or the call asks for; there must be room to tell them. */
static int
read_stamps(struct weir_stack *st, struct weir_sock *s, const struct msghdr *msg, uint32_t *stamps)
{
	int rc = 0;

	*stamps = weir_sock_stamps(s);
	if (unlikely(msg->msg_controllen != 0 && msg->msg_control != NULL))
		rc = weir_send_stream_cmsgs(msg, stamps);
	if (unlikely(rc == 0 && (*stamps & WEIR_STAMPS_SENT)) &&
		weir_sock_want_extra(s, weir_send_pool(st, s)) == NULL)
		return -ENOBUFS;
	return rc;
}

static ssize_t
send_msg(struct weir_stack *st, int fd, const struct msghdr *msg, int flags)
{
	bool is_ours;
	struct weir_sock *s = borrow(st, fd, &is_ours);
	struct weir_source src;
	ssize_t rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = weir_source_init(&src, msg->msg_iov, msg->msg_iovlen);
	if (rc == 0 && weir_sock_is_dgram(s))
		rc = weir_send_datagram(st, s, &src, msg, flags);
	else if (rc == 0 && (rc = read_stamps(st, s, msg, &src.stamps)) == 0)
		rc = send_on_stream(st, s, &src, flags, msg->msg_name, msg->msg_namelen);
	give_back(s, is_ours);
	return rc;
}

ssize_t
weir_sendto(struct weir_stack *st, int fd, const void *buf, size_t len, int flags,
	const struct sockaddr *addr, socklen_t addr_len)
{
	struct iovec iov = {(void *)(uintptr_t)buf, len};
	const struct msghdr msg = {.msg_name = (void *)(uintptr_t)addr,
		.msg_namelen = addr_len,
		.msg_iov = &iov,
		.msg_iovlen = 1};

	if (len - 1 < WEIR_SEND_SMALL && weir_send_here(st, fd, buf, (uint32_t)len, flags))
		return (ssize_t)len;
	return send_msg(st, fd, &msg, flags);
}

ssize_t
weir_send(struct weir_stack *st, int fd, const void *buf, size_t len, int flags)
{
	return weir_sendto(st, fd, buf, len, flags, NULL, 0);
}

ssize_t
weir_sendmsg(struct weir_stack *st, int fd, const struct msghdr *msg, int flags)
{
	if (msg == NULL || (msg->msg_iov == NULL && msg->msg_iovlen != 0))
		return -EFAULT;
	if (msg->msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	return send_msg(st, fd, msg, flags);
}

/* Weir keeps notes in the private area of every mbuf it queues. */
static bool
is_usable(struct rte_mbuf *m)
{
	return rte_pktmbuf_priv_size(m->pool) >= WEIR_PKT_PRIV;
}

static int
send_stream_mbuf(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf *m)
{
	int rc = may_send(s);

	if (rc == 0 && m->pkt_len == 0)
		rc = -EINVAL;
	if (rc == 0 && weir_sock_tx_room(s) <= 0) {
		weir_want_write(s);
		rc = -EAGAIN;
	}
	return rc == 0 ? hand_in(weir_here(st, s), s, &m, 1, how_to_stamp(weir_sock_stamps(s)))
		       : rc;
}

/* One that was received here is given back by being sent; it is gone then, so the loan is noted. */
static int
send_mbuf(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf *m,
	const struct sockaddr *addr, socklen_t addr_len)
{
	const struct weir_loan loan = weir_lend_end(m);
	int rc;

	if (weir_sock_is_dgram(s))
		rc = weir_send_datagram_mbuf(st, s, m, addr, addr_len);
	else
		rc = send_stream_mbuf(st, s, m); /* which passes an address over */
	if (rc != 0)
		weir_lend_again(m, &loan);
	else if (loan.sock != NULL)
		weir_repay(st, m, &loan);
	return rc;
}

int
weir_send_mbuf(struct weir_stack *st, int fd, struct rte_mbuf *m, const struct sockaddr *addr,
	socklen_t addr_len)
{
	bool is_ours;
	struct weir_sock *s = borrow(st, fd, &is_ours);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	if (m == NULL)
		rc = -EFAULT;
	else if (!is_usable(m))
		rc = -EINVAL;
	else
		rc = send_mbuf(st, s, m, addr, addr_len);
	give_back(s, is_ours);
	return rc;
}
