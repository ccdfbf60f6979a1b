/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: errq -> recvmsg(MSG_ERRQUEUE): what became of data sent, ip(7) IP_RECVERR, ipv6(7) */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>

#include "recv_priv.h"

struct told {
	struct sock_extended_err e;
	union {
		struct sockaddr_in6 in6;
		struct sockaddr_in in;
	} offender;
};

static bool
is_icmp(const struct weir_dgram_note *n)
{
	return n->origin == WEIR_NOTE_ICMP4 || n->origin == WEIR_NOTE_ICMP6;
}

static void
put_note(struct weir_cmsgs *c, const struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_dgram_note *n)
{
	const struct weir_addr *who = &weir_pkt(m)->flow.laddr;
	struct told t = {.e = {.ee_errno = (uint32_t)n->error,
				 .ee_origin = n->origin,
				 .ee_type = n->type,
				 .ee_code = n->code,
				 .ee_info = n->info,
				 .ee_data = n->data}};
	struct sockaddr_in6 at;

	if (is_icmp(n)) {
		weir_sock_addr_out(s->domain, who, weir_be16(0), weir_pkt(m)->ifindex, &at);
		memcpy(&t.offender, &at, s->domain == AF_INET ? sizeof(t.offender.in) : sizeof(at));
	}
	if (s->domain == AF_INET6)
		weir_cmsg_put(
			c, IPPROTO_IPV6, IPV6_RECVERR, &t, sizeof(t.e) + sizeof(t.offender.in6));
	else
		weir_cmsg_put(c, IPPROTO_IP, IP_RECVERR, &t, sizeof(t.e) + sizeof(t.offender.in));
}

/* Linux: the error that the next call tells is that of the next entry, if ICMP told it. */
static void
drop_note(struct weir_sock *s, const struct weir_dgram_note *n)
{
	struct weir_dgram_note next = {0};
	struct rte_mbuf *m;

	weir_sock_drop_note(s);
	m = weir_sock_first_note(s);
	if (m != NULL)
		weir_dgram_note_of(m, &next);
	if (m != NULL && is_icmp(&next))
		__atomic_store_n(&s->error, next.error, __ATOMIC_RELAXED);
	else if (is_icmp(n))
		__atomic_store_n(&s->error, 0, __ATOMIC_RELAXED);
}

ssize_t
weir_recv_note(
	struct weir_stack *st, struct weir_sock *s, struct weir_sink *to, struct weir_cmsgs *c)
{
	struct weir_dgram_note n;
	struct rte_mbuf *m;
	ssize_t rc = -EAGAIN;

	weir_lock(&s->recv_lock);
	m = weir_sock_first_note(s);
	if (m != NULL && to->is_bad) {
		rc = -EFAULT;
	} else if (m != NULL) {
		weir_dgram_note_of(m, &n);
		rc = (ssize_t)weir_sink_put(to, m, 0, m->pkt_len);
		if ((size_t)rc < m->pkt_len)
			c->msg->msg_flags |= MSG_TRUNC;
		c->msg->msg_flags |= MSG_ERRQUEUE;
		if (c->msg->msg_name != NULL && n.origin != WEIR_NOTE_STAMP)
			weir_addr_copy_out(s->domain, &weir_pkt(m)->flow.raddr,
				weir_pkt(m)->flow.rport, weir_pkt(m)->ifindex, c->msg->msg_name,
				&c->msg->msg_namelen);
		else
			c->msg->msg_namelen = 0;
		if (n.origin == WEIR_NOTE_STAMP)
			weir_cmsg_put_time(c, st, s, weir_pkt(m)->rx_us, WEIR_STAMPS_ALL);
		put_note(c, s, m, &n);
		drop_note(s, &n);
	}
	weir_unlock(&s->recv_lock);
	return rc;
}

ssize_t
weir_recv_path_mtu(struct weir_sock *s, struct weir_cmsgs *c)
{
	struct rte_mbuf *m = __atomic_exchange_n(&s->dgram->path_note, NULL, __ATOMIC_ACQ_REL);
	struct ip6_mtuinfo info = {0};
	struct weir_dgram_note n;
	socklen_t len;

	if (m == NULL)
		return -EAGAIN; /* another thread was quicker */
	weir_dgram_note_of(m, &n);
	info.ip6m_mtu = n.info;
	len = weir_sock_addr_out(AF_INET6, &weir_pkt(m)->flow.raddr, weir_be16(0),
		weir_pkt(m)->ifindex, &info.ip6m_addr);
	if (c->msg->msg_name != NULL) {
		memcpy(c->msg->msg_name, &info.ip6m_addr, RTE_MIN(len, c->msg->msg_namelen));
		c->msg->msg_namelen = len;
	}
	weir_cmsg_put(c, IPPROTO_IPV6, IPV6_PATHMTU, &info, sizeof(info));
	rte_pktmbuf_free(m);
	return 0;
}
