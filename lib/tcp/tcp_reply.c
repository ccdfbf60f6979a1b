/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_listen, tcp_req, tcp_wait -> tcp_reply -> ip_output. Segments outside of connections.
 */
#include "tcp_priv.h"

bool
weir_tcp_reply_route(struct weir_tcp *t, const struct weir_flow *flow, unsigned int ifindex,
	const struct weir_tcp_opts *opts, struct weir_dst *dst)
{
	const bool is_bound = weir_addr_is_link_local(&flow->raddr) ||
			      (opts != NULL && weir_tcp_opts_iface(opts) >= 0);

	return weir_ip_route_again(t->ip, &flow->raddr, is_bound ? (int)ifindex : -1, dst) == 0;
}

void
weir_tcp_reply(struct weir_tcp *t, const struct weir_flow *flow, const struct weir_dst *dst,
	const struct weir_tcp_opts *opts, struct weir_tcp_hdr_info *h)
{
	const struct weir_ip_hdr_info ip = {
		.src = &flow->laddr,
		.dst = &flow->raddr,
		.proto = IPPROTO_TCP,
		.ttl = opts != NULL ? opts->ttl : 0,
		.tos = opts != NULL ? opts->tos : 0,
	};
	struct rte_mbuf *m = weir_core_alloc(t->core);

	if (m == NULL) {
		t->stats.no_mbuf++;
		return;
	}
	h->sport = flow->lport;
	h->dport = flow->rport;
	rte_pktmbuf_append(m, (uint16_t)weir_tcp_build_len(h));
	weir_tcp_emit(t, dst, m, &ip, h, 0);
}

/* The sequence number is the peer's ACK, or 0 with all of its segment acknowledged. */
static struct weir_tcp_hdr_info
rst_for(const struct weir_tcp_seg *seg)
{
	struct weir_tcp_hdr_info h = {.flags = WEIR_TCP_RST, .seq = seg->ack};

	if (!(seg->flags & WEIR_TCP_ACK)) {
		h.flags = WEIR_TCP_RST | WEIR_TCP_ACK;
		h.seq = 0;
		h.ack = seg->seq + weir_tcp_seg_space(seg);
	}
	return h;
}

void
weir_tcp_answer_rst(struct weir_tcp *t, const struct weir_tcp_rx *rx)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	struct weir_tcp_hdr_info h = rst_for(&rx->seg);
	struct weir_dst dst;

	if (unlikely(t->n_auth != 0) && !weir_tcp_auth_fill(t, p, &h))
		return;
	if (!weir_tcp_limit_take(t, &t->resets, t->conf.resets_per_s))
		t->stats.rst_limited++;
	else if (weir_tcp_reply_route(t, &p->flow, p->ifindex, NULL, &dst))
		weir_tcp_reply(t, &p->flow, &dst, NULL, &h);
}
