/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip6_input -> icmp6_input -> nd_input. RFC 4443. */
#include <errno.h>

#include "mcast_priv.h"
#include "weir_cksum.h"
#include "weir_nd_hdr.h"

struct error_meaning {
	int error;
	bool is_hard;
};

/* What "destination unreachable" means to a socket, by code (RFC 4443 3.1). */
static const struct error_meaning unreach_meaning[] = {
	{ENETUNREACH, false},  /* no route */
	{EACCES, true},	       /* prohibited */
	{EHOSTUNREACH, false}, /* beyond the scope of the source address */
	{EHOSTUNREACH, false}, /* address */
	{ECONNREFUSED, true},  /* port */
	{EACCES, true},	       /* source address failed policy */
	{EACCES, true},	       /* reject route */
};

/* RFC 8201 4: no path is believed to be narrower than IPv6 allows. */
static uint16_t
believable_mtu(uint32_t mtu)
{
	return (uint16_t)RTE_MIN(RTE_MAX(mtu, (uint32_t)WEIR_IP6_MTU_MIN), (uint32_t)UINT16_MAX);
}

bool
icmp6_meaning(const struct weir_icmp_hdr *h, struct weir_icmp_error *e)
{
	*e = (struct weir_icmp_error){.type = h->type, .code = h->code};
	switch (h->type) {
	case WEIR_ICMP6_UNREACH:
		if (h->code >= RTE_DIM(unreach_meaning))
			return false;
		e->error = unreach_meaning[h->code].error;
		e->is_hard = unreach_meaning[h->code].is_hard;
		return true;
	case WEIR_ICMP6_TOO_BIG:
		e->error = EMSGSIZE;
		e->mtu = believable_mtu(weir_host32(h->rest));
		return true;
	case WEIR_ICMP6_TIME_EXCEEDED:
		e->error = EHOSTUNREACH;
		return true;
	case WEIR_ICMP6_PARAM:
		e->error = EPROTO;
		return true;
	default:
		return false;
	}
}

static bool
is_cksum_ok(const struct rte_mbuf *m, const struct weir_pkt *p)
{
	return weir_cksum_l4_ok(
		m, p->l4_off, p->l4_len, &p->flow.raddr, &p->flow.laddr, IPPROTO_ICMPV6);
}

static void
dispatch(struct weir_ip *ip, struct rte_mbuf *m, const struct weir_icmp_hdr *h)
{
	const struct weir_pkt *p = weir_pkt(m);

	if (h->type >= WEIR_ND_RS && h->type <= WEIR_ND_REDIRECT)
		weir_nd_input(ip_iface_of(ip, p), m);
	else if ((h->type >= 130 && h->type <= 132) || h->type == 143)
		mld_input(ip, m);
	else if (weir_addr_is_any(&p->flow.raddr)) /* only RS and DAD may come from nobody */
		weir_end(ip->core, m, WEIR_FATE_drop_ip_martian_src);
	else if (weir_icmp6_is_error(h->type))
		icmp_take_error(ip, m, h);
	else if (h->type == WEIR_ICMP6_ECHO && h->code == 0)
		icmp_answer_echo(ip, m, WEIR_ICMP6_ECHO_REPLY);
	else
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_type);
}

void
icmp6_input(struct weir_ip *ip, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_icmp_hdr h;

	if (p->l4_len < sizeof(h) || weir_mbuf_read(m, p->l4_off, sizeof(h), &h) != sizeof(h))
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_short);
	else if (!is_cksum_ok(m, p))
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_cksum);
	else
		dispatch(ip, m, &h);
}
