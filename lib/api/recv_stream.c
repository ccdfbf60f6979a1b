/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: rxq -> recv; streams: reading, peeking, the urgent byte, and what the end looks like */
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>

#include "recv_priv.h"
#include "weir_mbuf.h"

/* One call while it runs. */
struct reading {
	struct weir_sink *to;
	int flags;
	uint64_t rx_us;	 /* when the last packet that gave something came; 0: none */
	bool is_at_mark; /* the urgent byte comes next: reading stops here */
};

/* How many of the n bytes at stream offset at may be read in one go. */
static size_t
before_mark(const struct weir_sock *s, uint32_t at, size_t n, struct reading *r)
{
	const uint64_t urgent = weir_peek(s->urgent);
	const uint32_t dist = weir_urgent_at(urgent) - at;

	if (likely(urgent == 0) || dist == 0 || dist >= n)
		return n;
	r->is_at_mark = true;
	return dist;
}

/* Is the byte at the front the urgent one, which is not to be read in line? */
static bool
is_hole(const struct weir_sock *s, uint32_t at)
{
	const uint64_t urgent = weir_peek(s->urgent);

	return unlikely(urgent != 0) && weir_urgent_at(urgent) == at &&
	       !weir_sock_has(s, WEIR_SW_OOBINLINE);
}

static bool
is_at_mark(const struct weir_sock *s, uint32_t at)
{
	const uint64_t urgent = weir_peek(s->urgent);

	return unlikely(urgent != 0) && weir_urgent_at(urgent) == at;
}

/* Take n bytes off the front. Segments that are read through stay, empty, until all is. */
static void
trim_front(struct rte_mbuf *m, size_t n)
{
	m->pkt_len -= (uint32_t)n;
	while (n > 0) {
		const uint16_t part = (uint16_t)RTE_MIN(n, (size_t)m->data_len);

		m->data_off = (uint16_t)(m->data_off + part);
		m->data_len = (uint16_t)(m->data_len - part);
		n -= part;
		m = m->next;
	}
}

/* n bytes of the first packet have been read: the mark is behind us once it was among them. */
static void
take_front(struct weir_sock *s, struct rte_mbuf *m, size_t n)
{
	uint64_t urgent = weir_peek(s->urgent);
	const uint32_t at = s->rx_read + (uint32_t)n;

	weir_poke(s->rx_read, at);
	if (unlikely(urgent != 0) && (int32_t)(at - weir_urgent_at(urgent)) > 0)
		__atomic_compare_exchange_n(
			&s->urgent, &urgent, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	if (n == m->pkt_len)
		weir_rx_drop_first(s);
	else
		trim_front(m, n);
}

static size_t
peek_stream(struct weir_sock *s, struct reading *r)
{
	size_t skip = (size_t)RTE_MAX(weir_peek(s->peek_off), 0);
	uint32_t at = s->rx_read;
	size_t n = 0;

	if (is_hole(s, at))
		skip = RTE_MAX(skip, (size_t)1);
	for (struct rte_mbuf *m = weir_sock_rx_next(s, NULL);
		m != NULL && r->to->left > 0 && !r->is_at_mark; m = weir_sock_rx_next(s, m)) {
		const size_t gone = RTE_MIN(skip, (size_t)m->pkt_len);
		const size_t max = before_mark(s, at + (uint32_t)gone, m->pkt_len - gone, r);

		n += weir_sink_put(r->to, m, gone, max);
		r->rx_us = weir_pkt(m)->rx_us;
		at += m->pkt_len;
		skip -= gone;
		if (n > 0 && is_at_mark(s, at))
			r->is_at_mark = true;
	}
	return n;
}

static size_t
read_stream(struct weir_sock *s, struct reading *r)
{
	size_t n = 0;

	while (r->to->left > 0 && !r->is_at_mark) {
		struct rte_mbuf *m = weir_sock_rx_next(s, NULL);
		size_t part;

		if (m == NULL)
			break;
		if (is_at_mark(s, s->rx_read)) {
			if (n > 0)
				break;
			if (is_hole(s, s->rx_read)) {
				take_front(s, m, 1);
				continue;
			}
		}
		part = before_mark(s, s->rx_read, m->pkt_len, r);
		part = weir_sink_put(r->to, m, 0, part);
		r->rx_us = weir_pkt(m)->rx_us;
		n += part;
		take_front(s, m, part);
	}
	return n;
}

/* The home worker is told of room when it matters to the window: a quarter of the buffer. */
static void
tell_taken(struct weir_stack *st, struct weir_sock *s)
{
	struct weir_sock_worker *ws = weir_here(st, s);
	const uint64_t taken = __atomic_load_n(&s->rx_taken, __ATOMIC_RELAXED);

	if (ws != NULL) {
		weir_sock_serve(ws, s, WEIR_DOOR_CREDIT);
	} else if (taken - s->rx_told >= weir_peek(s->opts.rcvbuf) / 4) {
		s->rx_told = taken;
		weir_sock_ring(s, WEIR_DOOR_CREDIT);
	}
}

/*
 * What an empty queue means, by the flags as they were before it was looked at: an end or error
 * that came later may have data before it. 0: more may come; 1: the end; negative: an error, told
 * once.
 */
static int
stream_end(struct weir_sock *s, uint32_t flags)
{
	int error;

	if (flags & WEIR_SOCK_RX_FIN)
		return 1;
	error = weir_take_error(s);
	if (error != 0)
		return -error;
	if (flags & (WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_SHUT))
		return 1;
	return flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING) ? 0 : -ENOTCONN;
}

/* Would a read be more than "come again"? However little has come. */
static bool
has_news(const struct weir_sock *s)
{
	const uint32_t over = WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_SHUT | WEIR_SOCK_OVER;

	return weir_sock_readable(s) > 0 || (weir_sock_flags(s) & over) ||
	       __atomic_load_n(&s->error, __ATOMIC_RELAXED) != 0 ||
	       !(weir_sock_flags(s) & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING));
}

static size_t
take(struct weir_stack *st, struct weir_sock *s, struct reading *r)
{
	const bool is_peek = (r->flags & MSG_PEEK) != 0;
	const uint64_t before = __atomic_load_n(&s->rx_taken, __ATOMIC_RELAXED);
	size_t n;

	weir_lock(&s->recv_lock);
	n = is_peek ? peek_stream(s, r) : read_stream(s, r);
	weir_peek_off_move(s, n, is_peek);
	if (__atomic_load_n(&s->rx_taken, __ATOMIC_RELAXED) != before)
		tell_taken(st, s);
	weir_unlock(&s->recv_lock);
	return n;
}

/* One attempt. @return bytes > 0; 0 at the end; -EAGAIN: nothing now; other errors */
static ssize_t
try_stream(struct weir_stack *st, struct weir_sock *s, struct reading *r, bool has_some)
{
	const uint32_t before = weir_sock_flags(s);
	size_t n;
	int rc;

	if (r->to->is_bad && !r->to->is_discard && weir_sock_readable(s) > 0)
		return -EFAULT;
	n = take(st, s, r);
	if (n > 0)
		return (ssize_t)n;
	if (has_some)
		return has_news(s) ? 0 : -EAGAIN; /* an error stays for the next call */
	if (r->to->left == 0 && weir_sock_readable(s) > 0)
		return 0;
	rc = stream_end(s, before);
	return rc == 1 ? 0 : rc == 0 ? -EAGAIN : rc;
}

/* Bytes that a call waits for: all of them, or as many as SO_RCVLOWAT says. */
static size_t
target_of(const struct weir_sock *s, size_t len, int flags)
{
	if (flags & MSG_PEEK)
		return 1;
	if (flags & MSG_WAITALL)
		return RTE_MAX(len, (size_t)1);
	return RTE_MAX(RTE_MIN((size_t)weir_peek(s->rcvlowat), len), (size_t)1);
}

static ssize_t
read_until(struct weir_stack *st, struct weir_sock *s, struct reading *r)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->rcvtimeo_ms));
	const size_t target = target_of(s, r->to->left, r->flags);
	ssize_t done = 0;

	for (;;) {
		ssize_t n = try_stream(st, s, r, done > 0);

		if (n > 0) {
			done += n;
			if ((size_t)done >= target || r->is_at_mark || r->to->left == 0)
				return done;
			continue;
		}
		if (n == -EAGAIN && has_news(s))
			continue; /* came meanwhile */
		if (n == -EAGAIN && !weir_is_nonblock(st, s, r->flags)) {
			n = weir_wait(st, s, has_news, deadline);
			if (n == 0)
				continue;
		}
		return done > 0 ? done : n;
	}
}

/* A byte of the stream that has come and was not read. */
static char
byte_at(struct weir_sock *s, uint32_t at)
{
	struct rte_mbuf *m;
	uint32_t skip;
	char byte = 0;

	weir_lock(&s->recv_lock);
	skip = at - s->rx_read;
	for (m = weir_sock_rx_next(s, NULL); m != NULL && skip >= m->pkt_len;
		m = weir_sock_rx_next(s, m))
		skip -= m->pkt_len;
	if (m != NULL)
		weir_mbuf_read(m, skip, 1, &byte);
	weir_unlock(&s->recv_lock);
	return byte;
}

/* MSG_OOB: the urgent byte itself. It never waits. */
static ssize_t
recv_urgent(struct weir_sock *s, struct reading *r, struct msghdr *msg)
{
	uint64_t urgent = __atomic_load_n(&s->urgent, __ATOMIC_ACQUIRE);
	const uint32_t flags = weir_sock_flags(s);
	char byte;

	if (weir_sock_has(s, WEIR_SW_OOBINLINE) || urgent == 0 || (urgent & WEIR_URGENT_READ))
		return -EINVAL;
	if ((flags & WEIR_SOCK_OVER) && !(flags & WEIR_SOCK_RX_FIN))
		return -ENOTCONN;
	if (!weir_sock_has_urgent(s, urgent))
		return flags & (WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_SHUT) ? 0 : -EAGAIN;
	byte = byte_at(s, weir_urgent_at(urgent));
	if (!(r->flags & MSG_PEEK))
		__atomic_compare_exchange_n(&s->urgent, &urgent, urgent | WEIR_URGENT_READ, false,
			__ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	msg->msg_flags |= MSG_OOB;
	if (r->to->left == 0) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (r->to->is_discard)
		return 1;
	for (size_t i = 0; i < r->to->n_iov; i++) {
		if (r->to->iov[i].iov_len == 0)
			continue;
		if (r->to->iov[i].iov_base == NULL)
			return -EFAULT;
		memcpy(r->to->iov[i].iov_base, &byte, 1);
		break;
	}
	return 1;
}

/* Which of the sends with MSG_ZEROCOPY are over, from the first not yet told on. */
static ssize_t
recv_notice(struct weir_sock *s, struct weir_cmsgs *c)
{
	struct {
		struct sock_extended_err e;
		struct sockaddr_in6 offender;
	} err = {.e = {.ee_origin = SO_EE_ORIGIN_ZEROCOPY, .ee_code = SO_EE_CODE_ZEROCOPY_COPIED}};
	const bool is_v6 = s->domain == AF_INET6;

	weir_lock(&s->recv_lock);
	err.e.ee_info = s->n_noticed;
	err.e.ee_data = __atomic_load_n(&s->n_notices, __ATOMIC_ACQUIRE) - 1;
	weir_poke(s->n_noticed, err.e.ee_data + 1);
	weir_unlock(&s->recv_lock);
	if (err.e.ee_data + 1 == err.e.ee_info)
		return -EAGAIN;
	c->msg->msg_flags |= MSG_ERRQUEUE;
	if (is_v6)
		weir_cmsg_put(c, IPPROTO_IPV6, IPV6_RECVERR, &err, sizeof(err));
	else
		weir_cmsg_put(c, IPPROTO_IP, IP_RECVERR, &err,
			sizeof(err.e) + sizeof(struct sockaddr_in));
	return 0;
}

/* An error queue has time stamps first. */
static ssize_t
recv_error(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to, struct weir_cmsgs *c)
{
	const ssize_t rc = weir_recv_note(st, s, to, c);

	return rc == -EAGAIN ? recv_notice(s, c) : rc;
}

/* TCP_INQ: what is left to read; the end counts as one, so that it is read, too. */
static void
put_inq(struct weir_cmsgs *c, const struct weir_sock *s)
{
	const int inq = (int)weir_sock_unread(s) + !!(weir_sock_flags(s) & WEIR_SOCK_RX_FIN);

	if (weir_sock_has(s, WEIR_SW_INQ))
		weir_cmsg_put(c, IPPROTO_TCP, TCP_CM_INQ, &inq, sizeof(inq));
}

ssize_t
weir_recv_stream(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to,
	struct weir_cmsgs *c, int flags)
{
	struct reading r = {.to = to, .flags = flags};
	ssize_t rc;

	to->is_discard = (flags & MSG_TRUNC) != 0;
	if (flags & MSG_ERRQUEUE)
		return recv_error(st, s, to, c);
	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return recv_urgent(s, &r, c->msg);
	rc = read_until(st, s, &r);
	if (rc < 0)
		return rc;
	if (r.rx_us != 0)
		weir_cmsg_put_time(c, st, s, r.rx_us, WEIR_STAMPS_RECEIVED);
	put_inq(c, s);
	return rc;
}
