/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: icmp6_input -> mld_input; mcast -> mld_send. RFC 2710, RFC 3810, host's side. */
#include "mcast_priv.h"
#include "weir_cksum.h"

#define TYPE_QUERY  130
#define TYPE_REPORT 131
#define TYPE_DONE   132

#define HLEN_OLD   24
#define HLEN_QUERY 28
#define MSG_MAX	   (HLEN_QUERY + GROUP_SOURCES_MAX * 16)
#define ALERT_HLEN 8
#define MS_US	   1000ull

unsigned int
mld_version(const struct weir_ip *ip, const struct mc_link *l)
{
	return l->v1_until_us > ip->core->now_us ? 1 : 2;
}

/* RFC 3810 5.2.13: link-local, or :: while there is none. */
static struct weir_addr
source_of(const struct weir_iface *ifc)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++)
		if (weir_addr_is_link_local(&ifc->addrs[i].addr) &&
			weir_ifaddr_is_usable(&ifc->addrs[i]))
			return ifc->addrs[i].addr;
	return (struct weir_addr){.q = {0, 0}};
}

void
mld_send(struct weir_ip *ip, struct weir_iface *ifc, const struct weir_addr *to, struct rte_mbuf *m)
{
	/* Hop-by-hop options (RFC 8200 4.3): ICMPv6 comes next, router alert (RFC 2711), padding.
	 */
	static const uint8_t alert[ALERT_HLEN] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	const struct weir_addr from = source_of(ifc);
	const struct weir_dst dst = {.ifc = ifc, .next_hop = *to, .src = from, .mtu = ifc->mtu6};
	uint8_t *msg = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t sum = 0;

	memcpy(msg + 2, &sum, sizeof(sum));
	sum = weir_cksum_l4(m, 0, m->pkt_len, &from, to, IPPROTO_ICMPV6);
	memcpy(msg + 2, &sum, sizeof(sum));
	memcpy(rte_pktmbuf_prepend(m, ALERT_HLEN), alert, ALERT_HLEN);
	weir_ip_output(ip, &dst, m,
		&(struct weir_ip_hdr_info){
			.src = &from, .dst = to, .proto = WEIR_IP6_NH_HOPOPTS, .ttl = 1});
}

void
mld_send_old(struct weir_ip *ip, const struct mc_group *g, bool is_end)
{
	static const struct weir_addr all_routers = {.b = {0xff, 0x02, [15] = 2}};
	struct rte_mbuf *m = weir_core_alloc(ip->core);
	uint8_t *msg;

	if (m == NULL)
		return;
	msg = (uint8_t *)rte_pktmbuf_append(m, HLEN_OLD);
	memset(msg, 0, HLEN_OLD);
	msg[0] = is_end ? TYPE_DONE : TYPE_REPORT;
	memcpy(msg + 8, g->addr.b, 16);
	mld_send(ip, &ip->ifaces[g->ifindex], is_end ? &all_routers : &g->addr, m);
}

/* RFC 3810 5.1.3: from 32768 on a mantissa and an exponent. */
static uint64_t
code_us(const uint8_t *bytes)
{
	const uint64_t code = (uint64_t)bytes[0] << 8 | bytes[1];
	const uint64_t ms =
		code < 32768 ? code : ((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);

	return ms * MS_US;
}

static bool
read_query(struct weir_ip *ip, const uint8_t *msg, uint32_t len, struct mc_query *q)
{
	struct mc_link *l = mcast_link(ip, q->ifindex, false);

	q->group = weir_addr_v6(msg + 8);
	q->max_us = code_us(msg + 4);
	if (len == HLEN_OLD) {
		l->v1_until_us = mcast_old_until(ip, l, q);
		return true;
	}
	return mcast_read_sources(q, msg + HLEN_OLD, len - HLEN_OLD);
}

static enum weir_fate
take(struct weir_ip *ip, const struct weir_pkt *p, const uint8_t *msg, uint32_t len)
{
	struct mc_query q = {.ifindex = p->ifindex};
	struct weir_addr group;

	/* RFC 3810 5.1.14, 6.2: from the link itself. */
	if (len < HLEN_OLD || p->ttl != 1)
		return WEIR_FATE_drop_igmp_bad;
	if (msg[0] == TYPE_REPORT) {
		group = weir_addr_v6(msg + 8);
		mcast_hear_report(ip, &group, p->ifindex);
	} else if (msg[0] == TYPE_QUERY) {
		if (!weir_addr_is_link_local(&p->flow.raddr) || !read_query(ip, msg, len, &q))
			return WEIR_FATE_drop_igmp_bad;
		mcast_take_query(ip, &q);
	}
	return WEIR_FATE_igmp_taken;
}

void
mld_input(struct weir_ip *ip, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	uint8_t msg[MSG_MAX];
	uint32_t len;

	if (ip->core->worker != 0) { /* who speaks listens */
		weir_core_handover(ip->core, m, 0);
		return;
	}
	len = weir_mbuf_read(m, p->l4_off, RTE_MIN((uint32_t)p->l4_len, (uint32_t)MSG_MAX), msg);
	weir_end(ip->core, m, take(ip, p, msg, len));
}
