/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_output -> tcp_mss. The way to the peer, and what it takes in one segment. */
#include "tcp_output_priv.h"

static uint16_t
path_mtu(const struct weir_tcp_conn *c)
{
	return c->pmtu != 0 ? RTE_MIN(c->pmtu, c->dst.mtu) : c->dst.mtu;
}

static uint16_t
mss_of_mtu(const struct weir_flow *flow, uint16_t mtu)
{
	const uint16_t headers = (weir_addr_is_v4(&flow->raddr) ? 20 : 40) + WEIR_TCP_HLEN;

	return mtu > headers + WEIR_TCP_MSS_MIN ? (uint16_t)(mtu - headers) : WEIR_TCP_MSS_MIN;
}

/* The port's limit counts in both directions, as of a router that clamps what SYNs say. */
uint16_t
weir_tcp_clamp_mss(const struct weir_dst *dst, uint16_t mss)
{
	const bool is_clamped = !dst->is_local && dst->ifc->mss != 0;

	return is_clamped ? RTE_MIN(mss, dst->ifc->mss) : mss;
}

uint16_t
weir_tcp_offered_mss(
	const struct weir_flow *flow, const struct weir_dst *dst, const struct weir_tcp_opts *opts)
{
	const uint16_t mss = weir_tcp_clamp_mss(dst, mss_of_mtu(flow, dst->mtu));

	return opts->maxseg != 0 ? RTE_MIN(mss, opts->maxseg) : mss;
}

uint16_t
weir_tcp_opts_len(const struct weir_tcp_conn *c)
{
	return (c->has_ts ? WEIR_TCP_OPT_TS_LEN : 0) + (c->has_auth ? weir_tcp_auth_len(c) : 0);
}

void
weir_tcp_update_mss(struct weir_tcp_conn *c)
{
	const uint16_t opts = weir_tcp_opts_len(c);
	const uint16_t mss = RTE_MIN(mss_of_mtu(&c->flow, path_mtu(c)), c->snd.peer_mss);

	c->mss = mss > opts + 8 ? (uint16_t)(mss - opts) : 8; /* RFC 6691: options count */
}

/* No segment takes more than half of a small window, so that two can be on their way. */
uint32_t
weir_tcp_effective_mss(const struct weir_tcp_conn *c)
{
	const uint32_t limit = c->wnd_max > WEIR_TCP_MSS_IP4 ? c->wnd_max / 2 : c->wnd_max;
	const unsigned int blocks = weir_tcp_sack_blocks(c);
	uint32_t opts = likely(blocks == 0) ? 0 : 4u + 8u * blocks;
	uint32_t mss;

	if (unlikely(c->has_ecn))
		opts = RTE_MIN(opts + weir_tcp_accecn_len(c),
			WEIR_TCP_HLEN_MAX - WEIR_TCP_HLEN - weir_tcp_opts_len(c));
	mss = c->mss - RTE_MIN(opts, c->mss - 8u);

	return limit > 0 && limit < mss ? RTE_MAX(limit, RTE_MIN(mss, 28u)) : mss;
}

bool
weir_tcp_route(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_dst dst;

	if (likely(weir_dst_is_fresh(t->ip, &c->dst)))
		return true;
	if (weir_ip_route_again(t->ip, &c->flow.raddr, weir_tcp_opts_iface(&c->opts), &dst) < 0)
		return false;
	if (unlikely(!weir_ip_is_local(t->ip, &c->flow.laddr, NULL)))
		return false; /* its address was taken away: nothing may come from there */
	c->dst = dst;
	weir_tcp_update_mss(c);
	return true;
}
