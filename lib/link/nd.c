/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip6_input -> icmp6 -> nd_input. RFC 4861, RFC 4862. */
#include "weir_link.h"

#include <netinet/in.h>

#include "link_priv.h"
#include "weir_cksum.h"
#include "weir_ip_hdr.h"

#define ND_HOP_LIMIT 255

/* What a router may set (RFC 4861 6.2.1 and sense): retransmission and reachable time, us. */
#define RETRANS_US_MIN	 100000u
#define RETRANS_US_MAX	 60000000u
#define REACHABLE_MS_MAX 3600000u

static const struct weir_addr any;
static const struct weir_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};
static const struct weir_addr all_routers = {.b = {0xff, 0x02, [15] = 2}};

/* Transmit */

/* IPv6 and ICMPv6 checksum around a message; m's data is the message. */
static void
send_nd(struct weir_iface *ifc, const struct weir_nd *nd, const struct weir_addr *src,
	const struct weir_addr *dst)
{
	struct rte_mbuf *m = weir_core_alloc(ifc->core);
	uint8_t *msg;
	uint16_t len, cksum;

	if (m == NULL)
		return; /* asked again, or asked for again, later */
	msg = rte_pktmbuf_mtod(m, uint8_t *);
	len = (uint16_t)weir_nd_build(msg, nd);
	rte_pktmbuf_append(m, len);
	cksum = weir_cksum_l4(m, 0, len, src, dst, IPPROTO_ICMPV6);
	memcpy(msg + 2, &cksum, sizeof(cksum));
	weir_ip6_build(rte_pktmbuf_prepend(m, WEIR_IP6_HLEN), &(struct weir_ip6){.src = *src,
								      .dst = *dst,
								      .payload_len = len,
								      .next = IPPROTO_ICMPV6,
								      .hop_limit = ND_HOP_LIMIT});
	ifc->stats.nd_sent++;
	weir_eth_output(ifc, m, dst);
}

/* RFC 4861 7.2.2: ask from an address of ours, of the target's kind where there is one. */
static const struct weir_addr *
choose_sender(const struct weir_iface *ifc, const struct weir_addr *target)
{
	const struct weir_addr *other = NULL;

	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		if (weir_addr_is_v4(&a->addr) || !weir_ifaddr_is_usable(a))
			continue;
		if (weir_addr_is_link_local(&a->addr) == weir_addr_is_link_local(target))
			return &a->addr;
		other = &a->addr;
	}
	return other;
}

void
nd_ask(struct weir_iface *ifc, const struct weir_addr *target, const struct weir_mac *to)
{
	const struct weir_addr dst = to != NULL ? *target : weir_addr_solicited_node(target);
	const struct weir_addr *src = choose_sender(ifc, target);
	const struct weir_nd nd = {
		.type = WEIR_ND_NS, .target = *target, .has_slla = true, .slla = ifc->mac};

	if (src != NULL)
		send_nd(ifc, &nd, src, &dst);
}

void
nd_ask_duplicate(struct weir_iface *ifc, const struct weir_addr *target)
{
	const struct weir_addr dst = weir_addr_solicited_node(target);

	send_nd(ifc, &(struct weir_nd){.type = WEIR_ND_NS, .target = *target}, &any, &dst);
}

/* RFC 4861 4.1: without an address there is no link-layer option. */
void
nd_ask_routers(struct weir_iface *ifc)
{
	const struct weir_addr *src = NULL;
	struct weir_nd nd = {.type = WEIR_ND_RS};

	for (unsigned int i = 0; i < ifc->n_addrs && src == NULL; i++) {
		if (weir_addr_is_link_local(&ifc->addrs[i].addr) &&
			weir_ifaddr_is_usable(&ifc->addrs[i]))
			src = &ifc->addrs[i].addr;
	}
	if (src != NULL) {
		nd.has_slla = true;
		nd.slla = ifc->mac;
	}
	send_nd(ifc, &nd, src != NULL ? src : &any, &all_routers);
}

/* RFC 4861 7.2.4. */
static void
answer(struct weir_iface *ifc, const struct weir_addr *target, const struct weir_addr *asker)
{
	const bool is_probe = weir_addr_is_any(asker);
	const struct weir_nd nd = {.type = WEIR_ND_NA,
		.target = *target,
		.is_solicited = !is_probe,
		.is_override = true,
		.has_tlla = true,
		.tlla = ifc->mac};

	send_nd(ifc, &nd, target, is_probe ? &all_nodes : asker);
}

/* Receive: validation */

static bool
is_unicast_mac(const struct weir_mac *mac)
{
	static const struct weir_mac none;

	return !weir_mac_is_group(mac) && !weir_mac_eq(mac, &none);
}

/* RFC 4861 7.1.1. */
static bool
is_valid_ns(const struct weir_flow *f, const struct weir_nd *nd)
{
	const struct weir_addr sn = weir_addr_solicited_node(&nd->target);

	if (weir_addr_is_multicast(&nd->target))
		return false;
	if (weir_addr_is_any(&f->raddr))
		return weir_addr_eq(&f->laddr, &sn) && !nd->has_slla;
	return true;
}

/* RFC 4861 7.1.2. */
static bool
is_valid_na(const struct weir_flow *f, const struct weir_nd *nd)
{
	return !weir_addr_is_multicast(&nd->target) &&
	       !(weir_addr_is_multicast(&f->laddr) && nd->is_solicited);
}

/* RFC 4861 8.1. */
static bool
is_valid_redirect(const struct weir_flow *f, const struct weir_nd *nd)
{
	return weir_addr_is_link_local(&f->raddr) && !weir_addr_is_multicast(&nd->dst) &&
	       (weir_addr_is_link_local(&nd->target) || weir_addr_eq(&nd->target, &nd->dst));
}

static bool
is_valid(const struct weir_pkt *p, const struct weir_nd *nd)
{
	const struct weir_flow *f = &p->flow;

	if (nd->code != 0)
		return false;
	if ((nd->has_slla && !is_unicast_mac(&nd->slla)) ||
		(nd->has_tlla && !is_unicast_mac(&nd->tlla)))
		return false;
	switch (nd->type) {
	case WEIR_ND_NS:
		return is_valid_ns(f, nd);
	case WEIR_ND_NA:
		return is_valid_na(f, nd);
	case WEIR_ND_RA: /* RFC 4861 6.1.2 */
		return weir_addr_is_link_local(&f->raddr);
	case WEIR_ND_RS: /* RFC 4861 6.1.1 */
		return !(weir_addr_is_any(&f->raddr) && nd->has_slla);
	default:
		return is_valid_redirect(f, nd);
	}
}

/* Receive: neighbours */

/* What a sender says of itself with a source link-layer address: known or not, now it is. */
static void
learn_source(struct weir_iface *ifc, const struct weir_addr *src, const struct weir_nd *nd,
	bool is_router)
{
	struct weir_neigh *n;

	if (!nd->has_slla || weir_addr_is_any(src))
		return;
	n = neigh_find(ifc, src);
	if (n == NULL)
		n = neigh_new(ifc, src);
	if (n == NULL)
		return;
	neigh_update(n, &(struct neigh_news){.mac = &nd->slla, .is_override = true});
	n->is_router |= is_router;
}

static void
take_ns(struct weir_iface *ifc, const struct weir_pkt *p, const struct weir_nd *nd)
{
	struct weir_ifaddr *a = weir_iface_addr(ifc, &nd->target);

	if (a == NULL)
		return;
	if (a->state == WEIR_IFADDR_TENTATIVE) {
		/* RFC 4862 5.4.3: another station is about to take it too. */
		if (weir_addr_is_any(&p->flow.raddr))
			iface_addr_duplicate(ifc, a);
		return;
	}
	learn_source(ifc, &p->flow.raddr, nd, false);
	if (!(p->flags & WEIR_PKT_STEERED))
		answer(ifc, &nd->target, &p->flow.raddr);
}

static void
forget_router(struct weir_iface *ifc)
{
	ifc->router = any;
	ifc->router_until_us = WEIR_WHEEL_NEVER;
	ifc->route_change++;
}

/* RFC 4862 5.4.4 for our own addresses, RFC 4861 7.2.5 for others'. */
static void
take_na(struct weir_iface *ifc, const struct weir_nd *nd)
{
	struct weir_ifaddr *a = weir_iface_addr(ifc, &nd->target);
	struct weir_neigh *n;

	if (a != NULL) {
		if (a->state == WEIR_IFADDR_TENTATIVE)
			iface_addr_duplicate(ifc, a);
		else if (nd->has_tlla && !weir_mac_eq(&nd->tlla, &ifc->mac))
			iface_addr_conflict(ifc, &nd->target, &nd->tlla);
		return;
	}
	n = neigh_find(ifc, &nd->target);
	if (n == NULL)
		return;
	if (n->is_router && !nd->is_router && weir_addr_eq(&ifc->router, &n->addr))
		forget_router(ifc);
	n->is_router = nd->is_router;
	neigh_update(n, &(struct neigh_news){.mac = nd->has_tlla ? &nd->tlla : NULL,
				.is_solicited = nd->is_solicited,
				.is_override = nd->is_override});
}

/* Receive: routers */

/* RFC 4861 6.3.6: stay with the router that we have while it can be reached. */
static bool
may_change_router(const struct weir_iface *ifc, const struct weir_addr *to)
{
	const struct weir_neigh *n;

	if (weir_addr_is_any(&ifc->router) || weir_addr_eq(&ifc->router, to))
		return true;
	n = neigh_find(ifc, &ifc->router);
	return n == NULL || n->state == WEIR_NEIGH_INCOMPLETE;
}

static void
take_router(struct weir_iface *ifc, const struct weir_addr *router, uint16_t lifetime_s)
{
	if (lifetime_s == 0) {
		if (weir_addr_eq(&ifc->router, router))
			forget_router(ifc);
		return;
	}
	if (!may_change_router(ifc, router))
		return;
	if (!weir_addr_eq(&ifc->router, router))
		ifc->route_change++;
	ifc->router = *router;
	ifc->router_until_us = ifc->core->now_us + lifetime_s * 1000000ull;
	ifc->rs_next_us = WEIR_WHEEL_NEVER; /* RFC 4861 6.3.7: it answered */
}

/* RFC 4861 6.3.2: spread by half up and down, so that hosts do not probe together. */
static void
set_reachable_time(struct weir_iface *ifc, uint32_t reachable_ms)
{
	const uint32_t base_us = RTE_MIN(reachable_ms, REACHABLE_MS_MAX) * 1000;

	if (reachable_ms == 0 || base_us == ifc->reachable_base_us)
		return;
	ifc->reachable_base_us = base_us;
	ifc->reachable_us = base_us / 2 + weir_rand_below(&ifc->core->rand, base_us);
}

/* RFC 4861 6.3.4. */
static void
take_params(struct weir_iface *ifc, const struct weir_nd *nd)
{
	if (nd->hop_limit != 0)
		ifc->hop_limit = nd->hop_limit;
	set_reachable_time(ifc, nd->reachable_ms);
	if (nd->retrans_ms != 0)
		ifc->retrans_us = (uint32_t)RTE_MIN(
			RTE_MAX(nd->retrans_ms * 1000ull, RETRANS_US_MIN), RETRANS_US_MAX);
	if (nd->mtu >= WEIR_IP6_MTU_MIN && nd->mtu <= ifc->mtu && nd->mtu != ifc->mtu6) {
		ifc->mtu6 = (uint16_t)nd->mtu;
		ifc->route_change++;
	}
}

static void
take_ra(struct weir_iface *ifc, const struct weir_pkt *p, const struct weir_nd *nd)
{
	if (!ifc->accept_ra)
		return;
	ifc->stats.ra_taken++;
	learn_source(ifc, &p->flow.raddr, nd, true);
	take_params(ifc, nd);
	take_router(ifc, &p->flow.raddr, nd->lifetime_s);
	for (unsigned int i = 0; i < nd->n_prefixes; i++)
		iface_auto_addr(ifc, &nd->prefixes[i], &p->flow.raddr);
	iface_arm(ifc);
}

/* A redirect is checked, but routes stay as they are: RFC 4861 8.3 lets a host ignore it. */
static void
take(struct weir_iface *ifc, const struct weir_pkt *p, const struct weir_nd *nd)
{
	switch (nd->type) {
	case WEIR_ND_NS:
		take_ns(ifc, p, nd);
		break;
	case WEIR_ND_NA:
		take_na(ifc, nd);
		break;
	case WEIR_ND_RA:
		take_ra(ifc, p, nd);
		break;
	default: /* RS: for routers */
		break;
	}
}

void
weir_nd_input(struct weir_iface *ifc, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	uint8_t buf[2048]; /* longer ones than this in several segments are not believed */
	const void *msg = NULL;
	struct weir_nd nd;

	/* RFC 6980 5: nor are fragments. */
	if (p->ttl == ND_HOP_LIMIT && !(p->flags & WEIR_PKT_REASSEMBLED) &&
		(p->l4_len <= sizeof(buf) || m->nb_segs == 1))
		msg = rte_pktmbuf_read(m, p->l4_off, p->l4_len, buf);
	if (msg == NULL || !weir_nd_parse(msg, p->l4_len, &nd) || !is_valid(p, &nd)) {
		weir_end(ifc->core, m, WEIR_FATE_drop_nd_bad);
		return;
	}
	link_share(ifc->core, m);
	take(ifc, p, &nd);
	weir_end(ifc->core, m, WEIR_FATE_nd_taken);
}
