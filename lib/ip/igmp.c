/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip4_input -> igmp_input; mcast -> igmp_send. RFC 1112, RFC 2236, RFC 3376, host's side. */
#include "mcast_priv.h"
#include "weir_cksum.h"

#define TYPE_QUERY   0x11
#define TYPE_REPORT1 0x12
#define TYPE_REPORT2 0x16
#define TYPE_LEAVE   0x17

#define HLEN_OLD   8
#define HLEN_QUERY 12
#define MSG_MAX	   (HLEN_QUERY + GROUP_SOURCES_MAX * 4)
#define ALERT_HLEN (WEIR_IP4_HLEN + 4)
#define TENTH_US   100000ull
#define V1_MAX_US  10000000ull /* RFC 2236 4 */

unsigned int
igmp_version(const struct weir_ip *ip, const struct mc_link *l)
{
	if (l->v1_until_us > ip->core->now_us)
		return 1;
	return l->v2_until_us > ip->core->now_us ? 2 : 3;
}

/* RFC 2113, RFC 3376 4: one hop, and a mark for routers that do not belong to the group. */
static void
put_header(struct weir_ip *ip, struct rte_mbuf *m, const struct weir_dst *dst,
	const struct weir_addr *to)
{
	static const uint8_t router_alert[4] = {0x94, 4, 0, 0};
	struct weir_ip4_hdr *h = rte_pktmbuf_mtod(m, struct weir_ip4_hdr *);

	*h = (struct weir_ip4_hdr){.version_ihl = 0x46,
		.tos = 0xc0, /* RFC 3376 4 */
		.total_len = weir_be16((uint16_t)m->pkt_len),
		.id = weir_be16((uint16_t)weir_rand_u64(&ip->core->rand)),
		.frag = weir_be16(WEIR_IP4_DF),
		.ttl = 1,
		.proto = IPPROTO_IGMP,
		.src = weir_addr_to_v4(&dst->src), /* 0.0.0.0 without an address */
		.dst = weir_addr_to_v4(to)};
	memcpy(h + 1, router_alert, sizeof(router_alert));
}

void
igmp_send(
	struct weir_ip *ip, struct weir_iface *ifc, const struct weir_addr *to, struct rte_mbuf *m)
{
	uint8_t *msg = rte_pktmbuf_mtod(m, uint8_t *);
	struct weir_dst dst;
	uint16_t sum = 0;

	memcpy(msg + 2, &sum, sizeof(sum));
	sum = (uint16_t)~weir_cksum_mbuf(m, 0, m->pkt_len);
	memcpy(msg + 2, &sum, sizeof(sum));
	weir_ip_route(ip, to, ifc->index, &dst);
	rte_pktmbuf_prepend(m, ALERT_HLEN); /* of a fresh mbuf: there is room */
	put_header(ip, m, &dst, to);
	dst.ifc = ifc;
	dst.next_hop = *to;
	weir_ip_output_whole(ip, &dst, m);
}

void
igmp_send_old(struct weir_ip *ip, const struct mc_group *g, bool is_end)
{
	const struct weir_addr all_routers = weir_addr_v4(weir_be32(0xe0000002));
	const unsigned int version = igmp_version(ip, mcast_link(ip, g->ifindex, true));
	const struct weir_be32 group = weir_addr_to_v4(&g->addr);
	struct rte_mbuf *m;
	uint8_t *msg;

	if (is_end && version == 1)
		return; /* RFC 1112 knows no end */
	m = weir_core_alloc(ip->core);
	if (m == NULL)
		return;
	msg = (uint8_t *)rte_pktmbuf_append(m, HLEN_OLD);
	memset(msg, 0, HLEN_OLD);
	msg[0] = is_end ? TYPE_LEAVE : version == 1 ? TYPE_REPORT1 : TYPE_REPORT2;
	memcpy(msg + 4, &group, sizeof(group));
	igmp_send(ip, &ip->ifaces[g->ifindex], is_end ? &all_routers : &g->addr, m);
}

/* RFC 3376 7.1: the length tells the version; the old ones silence the new for a while. */
static bool
read_query(struct weir_ip *ip, const uint8_t *msg, uint32_t len, struct mc_query *q)
{
	struct mc_link *l = mcast_link(ip, q->ifindex, true);

	q->group = mcast_addr_at(msg + 4, true);
	if (len == HLEN_OLD) {
		q->max_us = msg[1] == 0 ? V1_MAX_US : msg[1] * TENTH_US;
		*(msg[1] == 0 ? &l->v1_until_us : &l->v2_until_us) = mcast_old_until(ip, l, q);
		return true;
	}
	q->max_us = mcast_code(msg[1]) * TENTH_US;
	return mcast_read_sources(q, msg + HLEN_OLD, len - HLEN_OLD);
}

static enum weir_fate
take(struct weir_ip *ip, const struct weir_pkt *p, const uint8_t *msg, uint32_t len)
{
	struct mc_query q = {.ifindex = p->ifindex, .is_v4 = true};
	struct weir_addr group;

	switch (msg[0]) {
	case TYPE_QUERY:
		if (!read_query(ip, msg, len, &q))
			return WEIR_FATE_drop_igmp_bad;
		mcast_take_query(ip, &q);
		return WEIR_FATE_igmp_taken;
	case TYPE_REPORT1:
	case TYPE_REPORT2:
		group = mcast_addr_at(msg + 4, true);
		mcast_hear_report(ip, &group, p->ifindex);
		return WEIR_FATE_igmp_taken;
	default:
		return WEIR_FATE_igmp_taken; /* for routers */
	}
}

void
igmp_input(struct weir_ip *ip, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	uint8_t msg[MSG_MAX];
	uint32_t len;

	if (ip->core->worker != 0) { /* who speaks listens */
		weir_core_handover(ip->core, m, 0);
		return;
	}
	len = weir_mbuf_read(m, p->l4_off, RTE_MIN((uint32_t)p->l4_len, (uint32_t)MSG_MAX), msg);
	if (len < HLEN_OLD || weir_cksum_mbuf(m, p->l4_off, p->l4_len) != 0xffff)
		weir_end(ip->core, m, WEIR_FATE_drop_igmp_bad);
	else
		weir_end(ip->core, m, take(ip, p, msg, len));
}
