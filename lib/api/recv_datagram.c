/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: rxq -> recv; datagrams */
#include <errno.h>
#include <linux/udp.h>

#include "recv_priv.h"

static bool
has_news(const struct weir_sock *s)
{
	return (weir_sock_poll(s) & (POLLIN | POLLERR | POLLHUP)) != 0;
}

/* The datagram that SO_PEEK_OFF points into, and where; without one the first from its start. */
static struct rte_mbuf *
first_to_read(struct weir_sock *s, int flags, size_t *off)
{
	struct rte_mbuf *m = weir_sock_rx_next(s, NULL);
	const int32_t skip = weir_peek(s->peek_off);

	*off = 0;
	if (!(flags & MSG_PEEK) || skip < 0)
		return m;
	*off = (size_t)skip;
	while (m != NULL && *off >= m->pkt_len && *off > 0) {
		*off -= m->pkt_len;
		m = weir_sock_rx_next(s, m);
	}
	return m;
}

static bool
is_joinable(const struct weir_sock *s, size_t n, size_t len)
{
	return s->kind == WEIR_SOCK_UDP && weir_peek(s->dgram->opts.is_gro) && n == len && len > 0;
}

/* Does next go on where a datagram of size bytes ended? Of the same flow, and not longer. */
static bool
goes_on(const struct weir_pkt *p, struct rte_mbuf *next, size_t size)
{
	const struct weir_pkt *q = weir_pkt(next);

	return next->pkt_len > 0 && next->pkt_len <= size && p->tos == q->tos && p->ttl == q->ttl &&
	       p->ifindex == q->ifindex && p->flow.rport.raw == q->flow.rport.raw &&
	       weir_addr_eq(&p->flow.raddr, &q->flow.raddr) &&
	       weir_addr_eq(&p->flow.laddr, &q->flow.laddr);
}

/*
 * UDP_GRO: m, already at *to, and what follows of its flow as one; the last may be shorter.
 * Under recv_lock. @return bytes
 */
static size_t
join(struct weir_sock *s, struct rte_mbuf *m, struct weir_sink *to, struct weir_cmsgs *c)
{
	const struct weir_pkt p = *weir_pkt(m);
	const size_t size = m->pkt_len;
	const int gso_size = (int)size;
	size_t part = size, sum = size;

	weir_rx_drop_first(s);
	while (part == size && (m = weir_sock_rx_next(s, NULL)) != NULL && goes_on(&p, m, size) &&
		m->pkt_len <= to->left && sum + m->pkt_len <= UINT16_MAX) {
		part = weir_sink_put(to, m, 0, m->pkt_len);
		sum += part;
		weir_rx_drop_first(s);
	}
	if (sum > size)
		weir_cmsg_put(c, IPPROTO_UDP, UDP_GRO, &gso_size, sizeof(gso_size));
	return sum;
}

/* Under recv_lock. */
static ssize_t
take_datagram(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf *m, size_t off,
	struct weir_sink *to, struct weir_cmsgs *c, int flags)
{
	const struct weir_pkt *p = weir_pkt(m);
	const size_t len = m->pkt_len - off;
	const size_t n = weir_sink_put(to, m, off, len);

	if (n < len)
		c->msg->msg_flags |= MSG_TRUNC;
	if (c->msg->msg_name != NULL)
		weir_addr_copy_out(s->domain, &p->flow.raddr, p->flow.rport, p->ifindex,
			c->msg->msg_name, &c->msg->msg_namelen);
	weir_cmsg_put_time(c, st, s, p->rx_us, WEIR_STAMPS_RECEIVED);
	weir_cmsg_put_datagram(c, s, p);
	weir_peek_off_move(s, flags & MSG_PEEK ? n : m->pkt_len, flags & MSG_PEEK);
	if (flags & MSG_PEEK)
		return (ssize_t)(flags & MSG_TRUNC ? len : n);
	if (unlikely(is_joinable(s, n, len)))
		return (ssize_t)join(s, m, to, c);
	weir_rx_drop_first(s);
	return (ssize_t)(flags & MSG_TRUNC ? len : n);
}

static ssize_t
try_datagram(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to, struct weir_cmsgs *c,
	int flags)
{
	const int error = weir_take_error(s); /* it comes before data */
	struct rte_mbuf *m;
	ssize_t rc = -EAGAIN;
	size_t off;

	if (error != 0)
		return -error;
	weir_lock(&s->recv_lock);
	m = first_to_read(s, flags, &off);
	if (m != NULL)
		rc = to->is_bad ? -EFAULT : take_datagram(st, s, m, off, to, c, flags);
	weir_unlock(&s->recv_lock);
	return rc;
}

ssize_t
weir_recv_datagram(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to,
	struct weir_cmsgs *c, int flags)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->rcvtimeo_ms));
	ssize_t n;

	if (flags & MSG_ERRQUEUE)
		return weir_recv_note(st, s, to, c);
	if (unlikely(weir_peek(s->dgram->path_note) != NULL) &&
		weir_peek(s->dgram->opts.is_recvpathmtu6))
		return weir_recv_path_mtu(s, c);
	while ((n = try_datagram(st, s, to, c, flags)) == -EAGAIN) {
		int rc;

		if (weir_is_nonblock(st, s, flags))
			return -EAGAIN;
		if (weir_sock_flags(s) & WEIR_SOCK_RX_SHUT)
			return 0; /* the end is only for who would wait, as on Linux */
		rc = weir_wait(st, s, has_news, deadline);
		if (rc != 0)
			return rc;
	}
	return n;
}
