/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: send -> txq, door -> (home worker) udp_output, raw_output; on the worker without the queue
 */
#include <errno.h>

#include "send_priv.h"

#define UDP_MAX_IP4 65507
#define UDP_MAX_IP6 65527
#define RAW_MAX_IP4 65515
#define RAW_MAX	    65535

#define SEGMENTS_MAX 64 /* of one send, as Linux */

static size_t
datagram_max(const struct weir_sock *s, const struct weir_addr *to)
{
	const bool is_v4 = weir_addr_is_v4(to);

	if (s->kind == WEIR_SOCK_UDP)
		return is_v4 ? UDP_MAX_IP4 : UDP_MAX_IP6;
	return is_v4 && !weir_peek(s->dgram->raw.is_hdrincl) ? RAW_MAX_IP4 : RAW_MAX;
}

struct rte_mbuf *
weir_source_gather(struct rte_mempool *pool, struct weir_source *src)
{
	const uint32_t max = weir_payload_max(pool);
	const size_t n = likely(src->left <= max) ? 1 : src->left / max + 1;
	struct rte_mbuf *head;

	if (!weir_sock_may_take(pool, n))
		return NULL;
	head = rte_pktmbuf_alloc(pool);
	if (head == NULL)
		return NULL;
	weir_source_fill(head, src, max);
	while (src->left > 0) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		if (m == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		weir_source_fill(m, src, max);
		rte_pktmbuf_chain(head, m);
	}
	return head;
}

/* Is it the address of all hosts of a configured network (none where all bits are the net's)? */
static bool
is_directed(const struct weir_conf_prefix *net, const struct weir_addr *to)
{
	const struct weir_addr addr = weir_addr_v6(net->addr);
	const unsigned int bits = 128 - net->len;
	const uint32_t mask = bits >= 32 ? UINT32_MAX : (1u << bits) - 1;

	return weir_addr_is_v4(&addr) && bits >= 2 &&
	       (weir_host32(weir_addr_to_v4(to)) & mask) == mask &&
	       weir_addr_in_prefix(to, &addr, net->len);
}

bool
weir_is_broadcast(const struct weir_stack *st, const struct weir_addr *to)
{
	if (likely((to->b[15] & 3) != 3))
		return false; /* the last bits of such an address, two at least, are set */
	if (weir_addr_is_broadcast(to))
		return true;
	if (!weir_addr_is_v4(to) || weir_addr_is_multicast(to))
		return false;
	for (unsigned int i = 0; i < st->n_ports; i++)
		for (unsigned int k = 0; k < st->conf.ports[i].n_addrs; k++)
			if (is_directed(&st->conf.ports[i].addrs[k], to))
				return true;
	return false;
}

/* An IPv6 raw socket's port is a protocol: its own, or none, unless it is one for all. */
static int
check_port(const struct weir_sock *s, const struct weir_addr *to, struct weir_be16 *port)
{
	const uint16_t proto = weir_host16(*port);

	if (s->kind == WEIR_SOCK_UDP)
		return port->raw == 0 ? -EINVAL : 0;
	if (s->domain == AF_INET) {
		*port = weir_be16(0);
		return 0;
	}
	if (weir_addr_is_v4(to) || proto > UINT8_MAX)
		return -EINVAL;
	if (proto != 0 && proto != s->dgram->raw.proto && s->dgram->raw.proto != IPPROTO_RAW)
		return -EINVAL;
	return 0;
}

/* Where the call's address says to, its scope included. */
static int
take_address(struct weir_sock *s, const struct sockaddr *sa, socklen_t sa_len, struct weir_pkt *p)
{
	int rc = weir_sock_addr_in(s->domain, sa, sa_len, &p->flow.raddr, &p->flow.rport);

	if (rc == 0)
		rc = check_port(s, &p->flow.raddr, &p->flow.rport);
	if (rc == 0 && weir_sock_has(s, WEIR_SW_V6ONLY) && weir_addr_is_v4(&p->flow.raddr))
		rc = -ENETUNREACH;
	if (rc == 0)
		p->how.ifindex = (int16_t)weir_sock_scope_in(s->domain, sa, sa_len, &p->flow.raddr);
	return rc;
}

/* The connected address. */
static int
take_peer(struct weir_sock *s, struct weir_pkt *p)
{
	if (!(weir_sock_flags(s) & WEIR_SOCK_CONNECTED))
		return -EDESTADDRREQ;
	weir_sock_flow(s, &p->flow);
	if (weir_addr_is_any(&p->flow.raddr))
		return -EDESTADDRREQ; /* another thread is taking its peer away */
	if (s->kind != WEIR_SOCK_UDP)
		p->flow.rport = weir_be16(0);
	return 0;
}

/* Where a datagram goes, and how, into p. Binds the socket, even if it can go nowhere, as Linux. */
static int
prepare(struct weir_stack *st, struct weir_sock *s, const struct msghdr *msg, struct weir_pkt *p)
{
	int rc = s->kind == WEIR_SOCK_UDP ? weir_bind_auto(st, s) : 0;

	p->how = (struct weir_send_how){.ifindex = -1,
		.ttl = -1,
		.tos = -1,
		.dontfrag = -1,
		.segment = weir_peek(s->dgram->opts.segment),
		.stamps = weir_sock_stamps(s)};
	if (rc != 0)
		return rc;
	if (msg->msg_name != NULL)
		rc = take_address(s, msg->msg_name, msg->msg_namelen, p);
	else
		rc = take_peer(s, p);
	if (rc == 0 && msg->msg_controllen != 0)
		rc = weir_send_cmsgs(st, s, msg, p);
	if (rc == 0 && weir_is_broadcast(st, &p->flow.raddr) &&
		!weir_sock_has(s, WEIR_SW_BROADCAST))
		rc = -EACCES;
	return rc;
}

static int
wait_room(struct weir_stack *st, struct weir_sock *s, int flags)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->sndtimeo_ms));
	int rc = 0;

	while (rc == 0 && weir_sock_tx_room(s) <= 0)
		rc = weir_wait_writable(st, s, flags, deadline);
	return rc;
}

/* Datagrams that are to be stamped are counted from 0 on. */
static uint32_t
next_key(struct weir_sock *s, uint32_t stamps)
{
	return stamps & SOF_TIMESTAMPING_OPT_ID
		       ? __atomic_fetch_add(&s->extra->stamps_from, 1, __ATOMIC_RELAXED)
		       : 0;
}

/* m is taken when the result is 0. */
static int
hand_in(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_pkt *where)
{
	struct weir_sock_worker *ws = weir_here(st, s);
	struct weir_pkt *p = weir_pkt(m);

	p->flow = where->flow;
	p->how = where->how;
	if (unlikely(p->how.stamps & WEIR_STAMPS_SENT))
		p->how.key = next_key(s, p->how.stamps);
	if (ws != NULL) {
		const int rc = weir_sock_dgram_send(ws, s, m);

		weir_watches_tell(s, WEIR_NEWS_OUT); /* as if it had been queued and sent */
		return rc;
	}
	__atomic_fetch_add(&s->tx_queued, weir_mbuf_truesize(m), __ATOMIC_RELAXED);
	weir_mpsc_push(&s->txq, &p->qn);
	weir_sock_ring(s, WEIR_DOOR_SEND);
	return 0;
}

ssize_t
weir_send_datagram(struct weir_stack *st, struct weir_sock *s, struct weir_source *src,
	const struct msghdr *msg, int flags)
{
	const size_t len = src->left;
	struct weir_pkt where;
	struct rte_mbuf *m;
	int rc;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	rc = prepare(st, s, msg, &where);
	if (rc != 0)
		return rc;
	rc = weir_take_error(s);
	if (rc != 0)
		return -rc;
	if (weir_sock_flags(s) & WEIR_SOCK_TX_SHUT)
		return -EPIPE;
	if (len > datagram_max(s, &where.flow.raddr))
		return -EMSGSIZE;
	if (where.how.segment != 0 && len > (size_t)where.how.segment * SEGMENTS_MAX)
		return -EINVAL;
	if (src->is_bad)
		return -EFAULT;
	rc = wait_room(st, s, flags);
	if (rc != 0)
		return rc;
	m = weir_source_gather(weir_send_pool(st, s), src);
	if (m == NULL) {
		weir_note_starved(st, s);
		return -ENOBUFS;
	}
	rc = hand_in(st, s, m, &where);
	return rc == 0 ? (ssize_t)len : rc;
}

int
weir_send_datagram_mbuf(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf *m,
	const struct sockaddr *sa, socklen_t sa_len)
{
	const struct msghdr msg = {.msg_name = (void *)(uintptr_t)sa, .msg_namelen = sa_len};
	struct weir_pkt where;
	const int rc = prepare(st, s, &msg, &where);

	if (rc != 0)
		return rc;
	if (m->pkt_len > datagram_max(s, &where.flow.raddr))
		return -EMSGSIZE;
	if (weir_sock_tx_room(s) <= 0) {
		weir_want_write(s);
		return -EAGAIN;
	}
	/* From here on m is gone: what cannot be sent any more is an error of the socket. */
	(void)hand_in(st, s, m, &where);
	return 0;
}
