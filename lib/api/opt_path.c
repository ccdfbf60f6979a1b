/* SPDX-License-Identifier: BSD-3-Clause */
/* What sockets ask of, and are told about, the path's MTU: ip(7), ipv6(7), RFC 3542 11. */
#include "opt_priv.h"

#define MTU6_MIN 1280

/* Of datagrams each version has its own; o->bit says whose it is. */
WEIR_OPT_GET(pmtudisc)
{
	if (s->kind == WEIR_SOCK_TCP)
		return weir_opt_put(value, weir_peek(s->pmtudisc));
	return weir_opt_put(value, weir_peek(s->dgram->opts.pmtudisc[o->bit]));
}

/* Streams never send what the path does not take. */
WEIR_OPT_SET(pmtudisc)
{
	const int v = weir_opt_int(value);

	if (!weir_opt_is_in(v, IP_PMTUDISC_DONT, IP_PMTUDISC_OMIT))
		return -EINVAL;
	if (s->kind == WEIR_SOCK_TCP && v != IP_PMTUDISC_WANT && v != IP_PMTUDISC_DO)
		return -EOPNOTSUPP;
	if (s->kind == WEIR_SOCK_TCP)
		weir_poke(s->pmtudisc, (uint8_t)v);
	else
		weir_poke(s->dgram->opts.pmtudisc[o->bit], (uint8_t)v);
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

/* The MTU of the path to the peer, or negative errno. */
static int
mtu_of(struct weir_stack *st, struct weir_sock *s)
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
	return rc != 0 ? rc : q.mtu;
}

WEIR_OPT_GET(mtu)
{
	const int mtu = mtu_of(st, s);

	return mtu < 0 ? mtu : weir_opt_put(value, mtu);
}

/* Fragments are to be no longer; 0: as the path takes them. Of streams without effect, as Linux. */
WEIR_OPT_SET(mtu)
{
	const int v = weir_opt_int(value);

	if (v != 0 && v < MTU6_MIN)
		return -EINVAL;
	if (s->kind != WEIR_SOCK_TCP)
		weir_poke(s->dgram->opts.mtu6, (uint16_t)RTE_MIN(v, UINT16_MAX));
	return 0;
}

WEIR_OPT_GET(pathmtu)
{
	struct ip6_mtuinfo info = {0};
	const int mtu = mtu_of(st, s);

	if (mtu < 0)
		return mtu;
	info.ip6m_mtu = (uint32_t)mtu;
	memcpy(value, &info, sizeof(info));
	return 0;
}

WEIR_OPT_DGRAM_BOOL(dontfrag6, is_dontfrag6)
WEIR_OPT_DGRAM_BOOL(recvpathmtu6, is_recvpathmtu6)

#define DISCOVER(name, version)                                                             \
	{                                                                                   \
		name, WEIR_OPT_ANY, sizeof(int), get_pmtudisc, set_pmtudisc, .bit = version \
	}

const struct weir_opt weir_opts_path4[] = {
	WEIR_OPT_ROW(IP_MTU, WEIR_OPT_ANY, get_mtu, NULL),
	DISCOVER(IP_MTU_DISCOVER, 0),
	{0},
};

const struct weir_opt weir_opts_path6[] = {
	WEIR_OPT_ROW(IPV6_DONTFRAG, WEIR_OPT_DGRAM, get_dontfrag6, set_dontfrag6),
	WEIR_OPT_ROW(IPV6_MTU, WEIR_OPT_ANY, get_mtu, set_mtu),
	DISCOVER(IPV6_MTU_DISCOVER, 1),
	{IPV6_PATHMTU, WEIR_OPT_ANY, sizeof(struct ip6_mtuinfo), get_pathmtu},
	WEIR_OPT_ROW(IPV6_RECVPATHMTU, WEIR_OPT_DGRAM, get_recvpathmtu6, set_recvpathmtu6),
	{0},
};
