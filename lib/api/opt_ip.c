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

WEIR_OPT_SET(v6only)
{
	if (weir_sock_flags(s) & WEIR_SOCK_BOUND)
		return -EINVAL;
	return weir_opt_set_switch(st, s, o, value);
}

const struct weir_opt weir_opts_ip4[] = {
	WEIR_OPT_SWITCH(IP_FREEBIND, WEIR_OPT_ANY, WEIR_SW_FREEBIND),
	WEIR_OPT_SWITCH(IP_PKTINFO, WEIR_OPT_DGRAM, WEIR_SW_PKTINFO),
	WEIR_OPT_SWITCH(IP_RECVTOS, WEIR_OPT_DGRAM, WEIR_SW_RECVTOS),
	WEIR_OPT_SWITCH(IP_RECVTTL, WEIR_OPT_DGRAM, WEIR_SW_RECVTTL),
	WEIR_OPT_ROW(IP_TOS, WEIR_OPT_ANY, get_tos, set_tos),
	WEIR_OPT_ROW(IP_TTL, WEIR_OPT_ANY, get_ttl, set_ttl),
	{0},
};

const struct weir_opt weir_opts_ip6[] = {
	WEIR_OPT_SWITCH(IPV6_FREEBIND, WEIR_OPT_ANY, WEIR_SW_FREEBIND),
	WEIR_OPT_SWITCH(IPV6_RECVHOPLIMIT, WEIR_OPT_DGRAM, WEIR_SW_RECVHOPLIMIT),
	WEIR_OPT_SWITCH(IPV6_RECVPKTINFO, WEIR_OPT_DGRAM, WEIR_SW_PKTINFO6),
	WEIR_OPT_SWITCH(IPV6_RECVTCLASS, WEIR_OPT_DGRAM, WEIR_SW_RECVTCLASS),
	WEIR_OPT_ROW(IPV6_TCLASS, WEIR_OPT_ANY, get_tos, set_tclass),
	WEIR_OPT_ROW(IPV6_UNICAST_HOPS, WEIR_OPT_ANY, get_ttl, set_ttl),
	{IPV6_V6ONLY, WEIR_OPT_ANY, sizeof(int), weir_opt_get_switch, set_v6only, WEIR_SW_V6ONLY,
		NULL},
	{0},
};
