/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of levels IPPROTO_IP and IPPROTO_IPV6. */
#include "opt_priv.h"

#define ECN_MASK    3 /* of a stream's traffic class: TCP's own */
#define TTL_DEFAULT 64

WEIR_OPT_GET(tos)
{
	return weir_opt_put(value, weir_peek(s->opts.tos));
}

static int
put_tos(struct weir_stack *st, struct weir_sock *s, int tos)
{
	if (s->kind == WEIR_SOCK_TCP)
		tos &= ~ECN_MASK;
	weir_poke(s->opts.tos, (uint8_t)tos);
	return weir_opt_changed(st, s);
}

WEIR_OPT_SET(tos)
{
	return put_tos(st, s, weir_opt_int(value));
}

/* -1 restores the default (ip(7), ipv6(7)). */
WEIR_OPT_SET(tclass)
{
	const int v = weir_opt_int(value);

	return weir_opt_is_in(v, -1, UINT8_MAX) ? put_tos(st, s, RTE_MAX(v, 0)) : -EINVAL;
}

WEIR_OPT_GET(ttl)
{
	const int ttl = weir_peek(s->opts.ttl);

	return weir_opt_put(value, ttl != 0 ? ttl : TTL_DEFAULT);
}

WEIR_OPT_SET(ttl)
{
	const int v = weir_opt_int(value);

	if (v != -1 && !weir_opt_is_in(v, 1, UINT8_MAX))
		return -EINVAL;
	weir_poke(s->opts.ttl, v == -1 ? 0 : (uint8_t)v);
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(pmtudisc)
{
	return weir_opt_put(value, weir_peek(s->pmtudisc));
}

/* Streams never send what the path does not take. */
WEIR_OPT_SET(pmtudisc)
{
	const int v = weir_opt_int(value);

	if (!weir_opt_is_in(v, IP_PMTUDISC_DONT, IP_PMTUDISC_OMIT))
		return -EINVAL;
	if (s->kind == WEIR_SOCK_TCP && v != IP_PMTUDISC_WANT && v != IP_PMTUDISC_DO)
		return -EOPNOTSUPP;
	if (s->kind != WEIR_SOCK_TCP)
		weir_poke(s->dgram->opts.pmtudisc, (uint8_t)v);
	weir_poke(s->pmtudisc, (uint8_t)v);
	return 0;
}

struct mtu_query {
	struct weir_sock *s;
	struct weir_addr raddr;
	int ifindex;
	int mtu;
};

static int
mtu_on(struct weir_worker *w, void *arg)
{
	struct mtu_query *q = arg;
	const struct weir_tcp_conn *c =
		q->s->kind == WEIR_SOCK_TCP ? weir_sock_conn(&w->sock, q->s) : NULL;
	const struct weir_dst *dst;
	int rc;

	if (weir_tcp_sleeps(&q->s->tcp))
		return -ENOBUFS;
	if (c != NULL) {
		q->mtu = c->pmtu != 0 ? RTE_MIN(c->pmtu, c->dst.mtu) : c->dst.mtu;
		return 0;
	}
	rc = weir_ip_way(&w->ip, &q->raddr, q->ifindex, &dst);
	q->mtu = rc == 0 ? dst->mtu : 0;
	return rc;
}

WEIR_OPT_GET(mtu)
{
	struct mtu_query q = {.s = s};
	struct weir_flow flow;
	int rc;

	if (!(weir_sock_flags(s) & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING)) ||
		(weir_sock_flags(s) & WEIR_SOCK_LISTENING))
		return -ENOTCONN;
	weir_sock_flow(s, &flow);
	q.raddr = flow.raddr;
	q.ifindex = weir_sending_iface(s, &flow.raddr);
	rc = weir_on_worker(st, weir_sock_home(s), mtu_on, &q);
	return rc != 0 ? rc : weir_opt_put(value, q.mtu);
}

WEIR_OPT_SET(v6only)
{
	if (weir_sock_flags(s) & WEIR_SOCK_BOUND)
		return -EINVAL;
	return weir_opt_set_switch(st, s, o, value);
}

const struct weir_opt weir_opts_ip4[] = {
	WEIR_OPT_SWITCH(IP_FREEBIND, WEIR_OPT_ANY, WEIR_SW_FREEBIND),
	WEIR_OPT_ROW(IP_MTU, WEIR_OPT_ANY, get_mtu, NULL),
	WEIR_OPT_ROW(IP_MTU_DISCOVER, WEIR_OPT_ANY, get_pmtudisc, set_pmtudisc),
	WEIR_OPT_SWITCH(IP_PKTINFO, WEIR_OPT_DGRAM, WEIR_SW_PKTINFO),
	WEIR_OPT_SWITCH(IP_RECVTOS, WEIR_OPT_DGRAM, WEIR_SW_RECVTOS),
	WEIR_OPT_SWITCH(IP_RECVTTL, WEIR_OPT_DGRAM, WEIR_SW_RECVTTL),
	WEIR_OPT_ROW(IP_TOS, WEIR_OPT_ANY, get_tos, set_tos),
	WEIR_OPT_ROW(IP_TTL, WEIR_OPT_ANY, get_ttl, set_ttl),
	{0},
};

const struct weir_opt weir_opts_ip6[] = {
	WEIR_OPT_SWITCH(IPV6_FREEBIND, WEIR_OPT_ANY, WEIR_SW_FREEBIND),
	WEIR_OPT_ROW(IPV6_MTU, WEIR_OPT_ANY, get_mtu, NULL),
	WEIR_OPT_ROW(IPV6_MTU_DISCOVER, WEIR_OPT_ANY, get_pmtudisc, set_pmtudisc),
	WEIR_OPT_SWITCH(IPV6_RECVHOPLIMIT, WEIR_OPT_DGRAM, WEIR_SW_RECVHOPLIMIT),
	WEIR_OPT_SWITCH(IPV6_RECVPKTINFO, WEIR_OPT_DGRAM, WEIR_SW_PKTINFO6),
	WEIR_OPT_SWITCH(IPV6_RECVTCLASS, WEIR_OPT_DGRAM, WEIR_SW_RECVTCLASS),
	WEIR_OPT_ROW(IPV6_TCLASS, WEIR_OPT_ANY, get_tos, set_tclass),
	WEIR_OPT_ROW(IPV6_UNICAST_HOPS, WEIR_OPT_ANY, get_ttl, set_ttl),
	{IPV6_V6ONLY, WEIR_OPT_ANY, sizeof(int), weir_opt_get_switch, set_v6only, WEIR_SW_V6ONLY,
		NULL},
	{0},
};
