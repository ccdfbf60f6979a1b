/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: eth_input -> arp_input. RFC 826, RFC 5227. */
#include "weir_link.h"

#include "link_priv.h"

#define DEFEND_INTERVAL_US 10000000 /* RFC 5227 1.1 */

static const struct weir_mac mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct weir_mac mac_none;

/* Transmit */

static void
send_arp(struct weir_iface *ifc, const struct weir_arp *arp, const struct weir_mac *to)
{
	struct rte_mbuf *m = weir_core_alloc(ifc->core);

	if (m == NULL)
		return; /* asked again, or asked for again, later */
	weir_arp_build(rte_pktmbuf_append(m, WEIR_ARP_LEN), arp);
	m = eth_prepend(ifc, m, WEIR_ETH_TYPE_ARP);
	eth_set_dst(m, to); /* prepending to a fresh mbuf cannot fail */
	ifc->stats.arp_sent++;
	weir_eth_send(ifc, m);
}

/* The address to ask from: of the target's network, or any. */
static bool
choose_sender(struct weir_iface *ifc, const struct weir_addr *target, struct weir_be32 *spa)
{
	bool is_found = false;

	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		if (!weir_addr_is_v4(&a->addr) || !weir_ifaddr_is_usable(a))
			continue;
		if (weir_addr_in_prefix(target, &a->addr, a->prefix_len)) {
			*spa = weir_addr_to_v4(&a->addr);
			return true;
		}
		if (!is_found)
			*spa = weir_addr_to_v4(&a->addr);
		is_found = true;
	}
	return is_found;
}

void
arp_ask(struct weir_iface *ifc, const struct weir_addr *target, const struct weir_mac *to)
{
	struct weir_arp arp = {
		.op = WEIR_ARP_REQUEST, .sha = ifc->mac, .tpa = weir_addr_to_v4(target)};

	if (choose_sender(ifc, target, &arp.spa))
		send_arp(ifc, &arp, to != NULL ? to : &mac_broadcast);
}

void
arp_announce(struct weir_iface *ifc, const struct weir_addr *addr)
{
	const struct weir_arp arp = {.op = WEIR_ARP_REQUEST,
		.sha = ifc->mac,
		.spa = weir_addr_to_v4(addr),
		.tpa = weir_addr_to_v4(addr)};

	send_arp(ifc, &arp, &mac_broadcast);
}

static void
reply(struct weir_iface *ifc, const struct weir_arp *asked)
{
	const struct weir_arp arp = {.op = WEIR_ARP_REPLY,
		.sha = ifc->mac,
		.spa = asked->tpa,
		.tha = asked->sha,
		.tpa = asked->spa};

	send_arp(ifc, &arp, &asked->sha);
}

/* Receive */

/* Can this sender exist? 0.0.0.0 asks whether an address is free (RFC 5227 1.1). */
static bool
is_plausible(const struct weir_iface *ifc, const struct weir_arp *arp)
{
	const struct weir_addr spa = weir_addr_v4(arp->spa);

	if (weir_mac_is_group(&arp->sha) || weir_mac_eq(&arp->sha, &mac_none))
		return false;
	if (weir_addr_is_any(&spa))
		return arp->op == WEIR_ARP_REQUEST;
	return !weir_addr_is_multicast(&spa) && !weir_addr_is_broadcast(&spa) &&
	       !weir_addr_is_loopback(&spa) && !weir_iface_is_directed_broadcast(ifc, &spa);
}

/* RFC 5227 2.4 (b): say once that the address is ours, then not again for a while. */
static void
defend(struct weir_iface *ifc, const struct weir_addr *addr, const struct weir_mac *other)
{
	const uint64_t now_us = ifc->core->now_us;

	iface_addr_conflict(ifc, addr, other);
	if (!iface_is_speaker(ifc))
		return;
	if (ifc->defended_us != 0 && now_us - ifc->defended_us < DEFEND_INTERVAL_US)
		return;
	ifc->defended_us = RTE_MAX(now_us, 1u);
	arp_announce(ifc, addr);
}

/*
 * RFC 826: what the sender says of itself is taken if it is known already; it becomes known by
 * asking for us. An announcement makes nobody known.
 */
static void
learn(struct weir_iface *ifc, const struct weir_arp *arp, bool is_for_us)
{
	const struct weir_addr spa = weir_addr_v4(arp->spa);
	struct weir_neigh *n = neigh_find(ifc, &spa);

	if (weir_addr_is_any(&spa))
		return;
	if (n == NULL && is_for_us && arp->op == WEIR_ARP_REQUEST && iface_is_on_link(ifc, &spa))
		n = neigh_new(ifc, &spa);
	if (n == NULL)
		return;
	neigh_update(n, &(struct neigh_news){.mac = &arp->sha,
				.is_solicited = is_for_us && arp->op == WEIR_ARP_REPLY,
				.is_override = true});
}

/*
 * Ours, come back? Our MAC alone does not say so: a net_tap device and the kernel's interface on
 * its other side have the same one.
 */
static bool
is_own(struct weir_iface *ifc, const struct weir_arp *arp)
{
	const struct weir_addr spa = weir_addr_v4(arp->spa);

	return weir_mac_eq(&arp->sha, &ifc->mac) &&
	       (weir_addr_is_any(&spa) || iface_usable_addr(ifc, &spa) != NULL);
}

/* @return how the packet ends */
static enum weir_fate
process(struct weir_iface *ifc, const struct weir_arp *arp, bool is_copy)
{
	const struct weir_addr spa = weir_addr_v4(arp->spa);
	const struct weir_addr tpa = weir_addr_v4(arp->tpa);
	const bool is_for_us = iface_usable_addr(ifc, &tpa) != NULL;

	if (is_own(ifc, arp))
		return WEIR_FATE_arp_taken;
	if (iface_usable_addr(ifc, &spa) != NULL) {
		defend(ifc, &spa, &arp->sha);
		return WEIR_FATE_drop_arp_bad;
	}
	learn(ifc, arp, is_for_us);
	if (is_for_us && arp->op == WEIR_ARP_REQUEST && !is_copy)
		reply(ifc, arp);
	return WEIR_FATE_arp_taken;
}

static void
input_one(struct weir_iface *ifc, struct rte_mbuf *m)
{
	const bool is_copy = weir_pkt(m)->flags & WEIR_PKT_STEERED;
	uint8_t buf[WEIR_ARP_LEN];
	struct weir_arp arp;

	if (!weir_arp_parse(buf, weir_mbuf_read(m, 0, sizeof(buf), buf), &arp) ||
		!is_plausible(ifc, &arp)) {
		weir_end(ifc->core, m, WEIR_FATE_drop_arp_bad);
		return;
	}
	link_share(ifc->core, m);
	weir_end(ifc->core, m, process(ifc, &arp, is_copy));
}

void
weir_arp_input(struct weir_iface *ifc, struct weir_vec *v)
{
	for (unsigned int i = 0; i < v->n; i++)
		input_one(ifc, v->m[i]);
	v->n = 0;
}
