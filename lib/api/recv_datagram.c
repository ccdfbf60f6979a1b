/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: rxq -> recv; datagrams */
#include <errno.h>

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
		weir_addr_copy_out(s->domain, &p->flow.raddr, p->flow.rport, c->msg->msg_name,
			&c->msg->msg_namelen);
	weir_cmsg_put_time(c, st, s, p->rx_us);
	weir_cmsg_put_datagram(c, s, p);
	weir_peek_off_move(s, flags & MSG_PEEK ? n : m->pkt_len, flags & MSG_PEEK);
	if (!(flags & MSG_PEEK))
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
		return -EAGAIN;
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
