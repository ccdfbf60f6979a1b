/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_rig.h"
#include "weir_ip_hdr.h"
#include "weir_nd_hdr.h"

#define S 1000000ull

static struct rig r;
static const struct weir_addr any, all_nodes = {.b = {0xff, 2, [15] = 1}};
static const struct weir_addr router = {.b = {0xfe, 0x80, [15] = 0x99}};
static const uint8_t payload[40] = {0x60};

/* An ICMPv6 message as icmp6 hands it down; data starts at an IPv6 header. */
struct msg {
	struct weir_addr src, dst;
	uint8_t ttl; /* 0: 255 */
	uint8_t flags;
	size_t seg; /* bytes per segment */
};

static void
recv_bytes(const struct msg *msg, const uint8_t *bytes, size_t n)
{
	uint8_t buf[2048] = {0x60};
	struct rte_mbuf *m;

	memcpy(buf + 40, bytes, n);
	m = rig_mbuf(&r, buf, 40 + n, msg->seg);
	*weir_pkt(m) = (struct weir_pkt){.l4_off = 40,
		.l4_len = (uint16_t)n,
		.l3_type = WEIR_ETH_TYPE_IP6,
		.proto = IPPROTO_ICMPV6,
		.ttl = msg->ttl != 0 ? msg->ttl : 255,
		.flags = msg->flags,
		.flow = {.laddr = msg->dst, .raddr = msg->src}};
	r.core.rx_frames++;
	weir_nd_input(&r.ifc, m);
	weir_core_flush(&r.core);
}

static void
recv_nd(const struct msg *msg, const struct weir_nd *nd)
{
	uint8_t bytes[WEIR_ND_MSG_MAX];

	recv_bytes(msg, bytes, weir_nd_build(bytes, nd));
}

/* The next frame sent is neighbour discovery: read it, check the checksum. */
static struct weir_mac
sent_nd(struct weir_ip6 *ip, struct weir_nd *nd)
{
	struct rte_mbuf *m = rig_sent(&r);
	struct weir_mac dst;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	dst = rig_eth(m)->dst;
	CU_ASSERT_EQUAL(weir_ip6_parse(rig_bytes(m) + 14, 40, m->pkt_len - 14, ip), WEIR_IP_OK);
	CU_ASSERT_EQUAL(ip->hop_limit, 255);
	CU_ASSERT_EQUAL(ip->next, IPPROTO_ICMPV6);
	CU_ASSERT_TRUE(
		weir_cksum_l4_ok(m, 54, ip->payload_len, &ip->src, &ip->dst, IPPROTO_ICMPV6));
	CU_ASSERT_TRUE(weir_nd_parse(rig_bytes(m) + 54, ip->payload_len, nd));
	rte_pktmbuf_free(m);
	return dst;
}

static struct weir_nd
ns(const struct weir_addr *target)
{
	return (struct weir_nd){
		.type = WEIR_ND_NS, .target = *target, .has_slla = true, .slla = peer_mac};
}

static struct weir_nd
na(const struct weir_addr *target, bool solicited, bool override)
{
	return (struct weir_nd){.type = WEIR_ND_NA,
		.target = *target,
		.is_solicited = solicited,
		.is_override = override,
		.has_tlla = true,
		.tlla = peer_mac};
}

static void
solicitation_for_us_is_answered(void)
{
	const struct weir_nd q = ns(&us6);
	struct weir_ip6 ip;
	struct weir_nd nd;
	struct weir_mac dst;

	rig_open(&r, &(struct rig_conf){0});
	recv_nd(&(struct msg){peer6, weir_addr_solicited_node(&us6)}, &q);
	dst = sent_nd(&ip, &nd);
	CU_ASSERT_TRUE(weir_mac_eq(&dst, &peer_mac)); /* learnt from the question */
	CU_ASSERT_EQUAL(nd.type, WEIR_ND_NA);
	CU_ASSERT_TRUE(nd.is_solicited && nd.is_override && !nd.is_router);
	CU_ASSERT_TRUE(nd.has_tlla && weir_mac_eq(&nd.tlla, &us_mac));
	CU_ASSERT_TRUE(weir_addr_eq(&ip.src, &us6));
	CU_ASSERT_TRUE(weir_addr_eq(&ip.dst, &peer6));
	rig_fate(&r, nd_taken, 1);
	rig_close(&r);
}

/* RFC 4862 5.4: who asks from :: looks for duplicates; all must hear the answer. */
static void
duplicate_detection_of_others_is_answered_to_all(void)
{
	struct weir_nd q = ns(&us6), nd;
	struct weir_ip6 ip;

	rig_open(&r, &(struct rig_conf){0});
	q.has_slla = false;
	recv_nd(&(struct msg){any, weir_addr_solicited_node(&us6)}, &q);
	sent_nd(&ip, &nd);
	CU_ASSERT_TRUE(weir_addr_eq(&ip.dst, &all_nodes));
	CU_ASSERT_FALSE(nd.is_solicited);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_close(&r);
}

static void
address_is_resolved_and_waiting_packets_sent(void)
{
	const struct weir_nd a = na(&peer6, true, true);
	struct weir_ip6 ip;
	struct weir_nd nd;
	struct rte_mbuf *m;
	struct weir_mac dst;

	rig_open(&r, &(struct rig_conf){0});
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer6);
	dst = sent_nd(&ip, &nd);
	CU_ASSERT_EQUAL(memcmp(&dst, "\x33\x33\xff\0\0\2", 6), 0);
	CU_ASSERT_EQUAL(nd.type, WEIR_ND_NS);
	CU_ASSERT_TRUE(weir_addr_eq(&nd.target, &peer6));
	CU_ASSERT_TRUE(weir_addr_eq(&ip.src, &us6));
	CU_ASSERT_TRUE(nd.has_slla);
	recv_nd(&(struct msg){peer6, us6}, &a);
	m = rig_sent(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->dst, &peer_mac));
	CU_ASSERT_EQUAL(weir_host16(rig_eth(m)->type), WEIR_ETH_TYPE_IP6);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

/* The state and address of the only neighbour, after an advertisement to one of `state`. */
static void
advertise(uint8_t state, bool solicited, bool override, uint8_t want_state, bool want_new_mac)
{
	static const struct weir_mac old = {{2, 0, 0, 0, 0, 5}};
	const struct weir_nd a = na(&peer6, solicited, override);
	struct weir_neigh *n = NULL;

	rig_open(&r, &(struct rig_conf){0});
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer6);
	for (unsigned int i = 0; i < WEIR_NEIGHS_MAX; i++) {
		if (r.ifc.neighs[i].state != WEIR_NEIGH_FREE)
			n = &r.ifc.neighs[i];
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	n->state = state;
	n->mac = old;
	recv_nd(&(struct msg){peer6, us6}, &a);
	CU_ASSERT_EQUAL(n->state, want_state);
	CU_ASSERT_EQUAL(weir_mac_eq(&n->mac, &peer_mac), want_new_mac);
	rig_close(&r);
}

/* RFC 4861 7.2.5. */
static void
advertisement_changes_entries_as_its_flags_say(void)
{
	advertise(WEIR_NEIGH_INCOMPLETE, true, false, WEIR_NEIGH_REACHABLE, true);
	advertise(
		WEIR_NEIGH_INCOMPLETE, false, false, WEIR_NEIGH_DELAY, true); /* it sends at once */
	advertise(WEIR_NEIGH_REACHABLE, true, false, WEIR_NEIGH_STALE, false);
	advertise(WEIR_NEIGH_STALE, true, false, WEIR_NEIGH_STALE, false);
	advertise(WEIR_NEIGH_STALE, true, true, WEIR_NEIGH_REACHABLE, true);
	advertise(WEIR_NEIGH_REACHABLE, false, true, WEIR_NEIGH_STALE, true);
	advertise(WEIR_NEIGH_PERMANENT, true, true, WEIR_NEIGH_PERMANENT, false);
}

static void
advertisement_that_nobody_asked_for_creates_nothing(void)
{
	const struct weir_nd a = na(&peer6, false, true);

	rig_open(&r, &(struct rig_conf){0});
	recv_nd(&(struct msg){peer6, all_nodes}, &a);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_fate(&r, nd_taken, 1);
	rig_close(&r);
}

static void
messages_that_fail_the_rfc_checks_are_dropped(void)
{
	static const struct weir_addr group = {.b = {0xff, 2, [15] = 5}};
	static const struct weir_mac group_mac = {{0x33, 0x33, 0, 0, 0, 1}};
	struct weir_nd q = ns(&us6), a = na(&peer6, true, true), bad;
	const struct weir_addr sn = weir_addr_solicited_node(&us6);
	unsigned int n = 0;

	rig_open(&r, &(struct rig_conf){0});
	recv_nd(&(struct msg){peer6, sn, .ttl = 254}, &q), n++; /* came through a router */
	recv_nd(&(struct msg){peer6, sn, .flags = WEIR_PKT_REASSEMBLED}, &q), n++;
	bad = q, bad.code = 1;
	recv_nd(&(struct msg){peer6, sn}, &bad), n++;
	bad = q, bad.target = group;
	recv_nd(&(struct msg){peer6, sn}, &bad), n++;
	recv_nd(&(struct msg){any, sn}, &q), n++; /* :: with a link-layer address */
	bad = q, bad.has_slla = false;
	recv_nd(&(struct msg){any, us6}, &bad), n++; /* :: to a unicast address */
	bad = q, bad.slla = group_mac;
	recv_nd(&(struct msg){peer6, sn}, &bad), n++;
	recv_nd(&(struct msg){peer6, all_nodes}, &a), n++; /* solicited, but to all */
	bad = a, bad.target = group;
	recv_nd(&(struct msg){peer6, us6}, &bad), n++;
	recv_nd(&(struct msg){any, all_nodes},
		&(struct weir_nd){.type = WEIR_ND_RS, .has_slla = true, .slla = peer_mac}),
		n++;
	rig_fate(&r, drop_nd_bad, n);
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_close(&r);
}

static void
scattered_messages_are_read(void)
{
	const struct weir_nd q = ns(&us6);

	rig_open(&r, &(struct rig_conf){0});
	for (size_t seg = 1; seg < 50; seg += 3)
		recv_nd(&(struct msg){peer6, weir_addr_solicited_node(&us6), .seg = seg}, &q);
	rig_fate(&r, nd_taken, 17);
	CU_ASSERT_EQUAL(rig_drain(&r), 17);
	rig_close(&r);
}

/* Duplicate address detection of our own addresses (RFC 4862 5.4) */

static void
tentative_address_is_usable_after_detection(void)
{
	struct weir_ip6 ip;
	struct weir_nd nd;

	rig_open_quiet(&r, &(struct rig_conf){.use_dad = true});
	weir_iface_start(&r.ifc);
	sent_nd(&ip, &nd); /* link-local */
	CU_ASSERT_TRUE(weir_addr_is_any(&ip.src));
	CU_ASSERT_FALSE(nd.has_slla);
	CU_ASSERT_TRUE(weir_addr_eq(&nd.target, &link_local));
	rig_drain(&r);
	CU_ASSERT_EQUAL(weir_iface_addr(&r.ifc, &us6)->state, WEIR_IFADDR_TENTATIVE);
	rig_pass(&r, S - 1);
	CU_ASSERT_EQUAL(weir_iface_addr(&r.ifc, &us6)->state, WEIR_IFADDR_TENTATIVE);
	rig_pass(&r, 1);
	CU_ASSERT_EQUAL(weir_iface_addr(&r.ifc, &us6)->state, WEIR_IFADDR_PREFERRED);
	rig_drain(&r);
	rig_close(&r);
}

static void
open_tentative(void)
{
	rig_open_quiet(&r, &(struct rig_conf){.use_dad = true});
	weir_iface_start(&r.ifc);
	rig_drain(&r);
}

static void
tentative_address_is_not_answered_for(void)
{
	const struct weir_nd q = ns(&us6);

	open_tentative();
	recv_nd(&(struct msg){peer6, weir_addr_solicited_node(&us6)}, &q);
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	CU_ASSERT_EQUAL(weir_iface_addr(&r.ifc, &us6)->state, WEIR_IFADDR_TENTATIVE);
	rig_close(&r);
}

static void
address_of_another_station_is_not_taken(void)
{
	const struct weir_nd a = na(&us6, false, true);
	struct weir_nd q = ns(&link_local);

	open_tentative();
	recv_nd(&(struct msg){us6, all_nodes}, &a); /* it answers our question */
	CU_ASSERT_PTR_NULL(weir_iface_addr(&r.ifc, &us6));
	q.has_slla = false;
	recv_nd(&(struct msg){any, weir_addr_solicited_node(&link_local)}, &q); /* it asks, too */
	CU_ASSERT_PTR_NULL(weir_iface_addr(&r.ifc, &link_local));
	CU_ASSERT_EQUAL(r.ifc.stats.dad_duplicates, 2);
	rig_pass(&r, 5 * S);
	CU_ASSERT_PTR_NULL(weir_iface_addr(&r.ifc, &us6));
	rig_drain(&r);
	rig_close(&r);
}

static void
conflict_after_detection_is_counted(void)
{
	const struct weir_nd a = na(&us6, false, true);

	rig_open(&r, &(struct rig_conf){0});
	recv_nd(&(struct msg){us6, all_nodes}, &a);
	CU_ASSERT_EQUAL(r.ifc.stats.addr_conflicts, 1);
	CU_ASSERT_EQUAL(weir_iface_addr(&r.ifc, &us6)->state, WEIR_IFADDR_PREFERRED);
	rig_close(&r);
}

/* Routers */

struct ra {
	uint16_t lifetime_s;
	uint32_t mtu, valid_s, preferred_s;
	uint8_t prefix_len, prefix_flags;
};

static void
recv_ra(const struct weir_addr *from, const struct ra *ra)
{
	uint8_t b[16 + 8 + 8 + 32] = {134, 0, 0, 0, 63};
	const struct weir_be16 life = weir_be16(ra->lifetime_s);
	const struct weir_be32 mtu = weir_be32(ra->mtu), valid = weir_be32(ra->valid_s),
			       pref = weir_be32(ra->preferred_s);

	memcpy(b + 6, &life, 2);
	memcpy(b + 16, "\1\1", 2);
	memcpy(b + 18, &peer_mac, 6);
	memcpy(b + 24, "\5\1", 2);
	memcpy(b + 28, &mtu, 4);
	memcpy(b + 32, "\3\4", 2);
	b[34] = ra->prefix_len;
	b[35] = ra->prefix_flags;
	memcpy(b + 36, &valid, 4);
	memcpy(b + 40, &pref, 4);
	memcpy(b + 48, "\x20\x01\x0d\xb8\0\x77", 6);
	recv_bytes(&(struct msg){*from, all_nodes}, b, sizeof(b));
	CU_ASSERT_TRUE(ra->valid_s == 0 || r.core.fates[WEIR_FATE_drop_nd_bad] == 0);
}

static struct weir_ifaddr *
auto_addr(void)
{
	static const struct weir_addr a = {
		.b = {0x20, 1, 0xd, 0xb8, 0, 0x77, [11] = 0xff, 0xfe, 0, 0, 1}};

	return weir_iface_addr(&r.ifc, &a);
}

#define ON_LINK_AUTO 0xc0

static void
router_gives_route_address_and_parameters(void)
{
	rig_open(&r, &(struct rig_conf){.accept_ra = true});
	recv_ra(&router, &(struct ra){1800, 1400, 3600, 1800, 64, ON_LINK_AUTO});
	CU_ASSERT_TRUE(weir_addr_eq(&r.ifc.router, &router));
	CU_ASSERT_EQUAL(r.ifc.mtu6, 1400);
	CU_ASSERT_EQUAL(r.ifc.mtu, 1500);
	CU_ASSERT_EQUAL(r.ifc.hop_limit, 63);
	CU_ASSERT_PTR_NOT_NULL_FATAL(auto_addr());
	CU_ASSERT_EQUAL(auto_addr()->prefix_len, 64);
	rig_pass(&r, 1800 * S);
	CU_ASSERT_TRUE(weir_addr_is_any(&r.ifc.router));
	CU_ASSERT_EQUAL(auto_addr()->state, WEIR_IFADDR_DEPRECATED);
	rig_pass(&r, 1800 * S);
	CU_ASSERT_PTR_NULL(auto_addr());
	rig_drain(&r);
	rig_close(&r);
}

static void
nothing_is_taken_from_routers_unless_configured(void)
{
	rig_open(&r, &(struct rig_conf){0});
	recv_ra(&router, &(struct ra){1800, 1400, 3600, 1800, 64, ON_LINK_AUTO});
	CU_ASSERT_TRUE(weir_addr_is_any(&r.ifc.router));
	CU_ASSERT_PTR_NULL(auto_addr());
	rig_fate(&r, nd_taken, 1);
	rig_close(&r);
}

static void
router_must_be_link_local_and_prefix_sensible(void)
{
	rig_open(&r, &(struct rig_conf){.accept_ra = true});
	recv_ra(&peer6, &(struct ra){1800, 1400, 0, 0, 64, ON_LINK_AUTO});
	rig_fate(&r, drop_nd_bad, 1);
	recv_ra(&router,
		&(struct ra){1800, 100, 0, 0, 64, ON_LINK_AUTO}); /* no lifetime, tiny MTU */
	CU_ASSERT_PTR_NULL(auto_addr());
	CU_ASSERT_EQUAL(r.ifc.mtu6, 1500);
	r.core.fates[WEIR_FATE_drop_nd_bad]--, r.core.rx_frames--;
	recv_ra(&router,
		&(struct ra){1800, 1400, 60, 61, 64, ON_LINK_AUTO}); /* preferred > valid */
	recv_ra(&router, &(struct ra){1800, 1400, 60, 60, 48, ON_LINK_AUTO});
	recv_ra(&router, &(struct ra){1800, 1400, 60, 60, 64, 0x80}); /* not for addresses */
	CU_ASSERT_PTR_NULL(auto_addr());
	rig_close(&r);
}

/* RFC 4862 5.5.3 (e): a forged message must not take our address away at once. */
static void
lifetime_is_not_cut_below_two_hours(void)
{
	rig_open(&r, &(struct rig_conf){.accept_ra = true});
	recv_ra(&router, &(struct ra){1800, 0, 86400, 86400, 64, ON_LINK_AUTO});
	CU_ASSERT_PTR_NOT_NULL_FATAL(auto_addr());
	recv_ra(&router, &(struct ra){1800, 0, 1, 1, 64, ON_LINK_AUTO});
	CU_ASSERT_EQUAL(auto_addr()->valid_until_us, r.core.now_us + 7200 * S);
	rig_pass(&r, 1000 * S);
	recv_ra(&router, &(struct ra){1800, 0, 1, 1, 64, ON_LINK_AUTO});
	CU_ASSERT_EQUAL(auto_addr()->valid_until_us, r.core.now_us + 6200 * S);
	recv_ra(&router, &(struct ra){1800, 0, 6300, 6300, 64, ON_LINK_AUTO});
	CU_ASSERT_EQUAL(auto_addr()->valid_until_us, r.core.now_us + 6300 * S);
	rig_close(&r);
}

static void
router_leaves_and_another_does_not_push_it_out(void)
{
	static const struct weir_addr second = {.b = {0xfe, 0x80, [15] = 0x98}};

	rig_open(&r, &(struct rig_conf){.accept_ra = true});
	recv_ra(&router, &(struct ra){1800, 0, 0, 0, 0, 0});
	recv_ra(&second, &(struct ra){1800, 0, 0, 0, 0, 0});
	CU_ASSERT_TRUE(weir_addr_eq(&r.ifc.router, &router));
	recv_ra(&second, &(struct ra){0, 0, 0, 0, 0, 0});
	CU_ASSERT_TRUE(weir_addr_eq(&r.ifc.router, &router));
	recv_ra(&router, &(struct ra){0, 0, 0, 0, 0, 0});
	CU_ASSERT_TRUE(weir_addr_is_any(&r.ifc.router));
	rig_close(&r);
}

/* RFC 4861 6.3.7: three solicitations, until one is answered. */
static void
routers_are_asked_for(void)
{
	struct weir_ip6 ip;
	struct weir_nd nd;
	struct rte_mbuf *m;
	unsigned int n = 0;

	rig_open_quiet(&r, &(struct rig_conf){.accept_ra = true, .no_addrs = true});
	weir_iface_start(&r.ifc);
	rig_pass(&r, 2 * S);
	sent_nd(&ip, &nd);
	CU_ASSERT_EQUAL(nd.type, WEIR_ND_RS);
	CU_ASSERT_TRUE(weir_addr_eq(&ip.src, &link_local));
	rig_pass(&r, 60 * S);
	while ((m = rig_sent(&r)) != NULL) {
		n++;
		rte_pktmbuf_free(m);
	}
	CU_ASSERT_EQUAL(n, 2);
	rig_close(&r);
	rig_open_quiet(&r, &(struct rig_conf){.accept_ra = true, .no_addrs = true});
	weir_iface_start(&r.ifc);
	recv_ra(&router, &(struct ra){1800, 0, 0, 0, 0, 0});
	rig_pass(&r, 60 * S);
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	rig_close(&r);
}

static void
redirects_are_checked_and_ignored(void)
{
	uint8_t b[40] = {137};

	rig_open(&r, &(struct rig_conf){.accept_ra = true});
	memcpy(b + 8, &router, 16);
	memcpy(b + 24, &peer6, 16);
	recv_bytes(&(struct msg){router, us6}, b, sizeof(b));
	rig_fate(&r, nd_taken, 1);
	recv_bytes(&(struct msg){peer6, us6}, b, sizeof(b)); /* not from a router's address */
	b[24] = 0xff;
	recv_bytes(&(struct msg){router, us6}, b, sizeof(b)); /* for a group */
	rig_fate(&r, drop_nd_bad, 2);
	rig_close(&r);
}

static void
other_workers_get_a_copy_and_do_not_answer(void)
{
	const struct weir_nd q = ns(&us6);

	rig_open(&r, &(struct rig_conf){.worker = 1, .n_workers = 2});
	recv_nd(&(struct msg){peer6, weir_addr_solicited_node(&us6)}, &q);
	CU_ASSERT_EQUAL(rig_drain(&r), 1);
	CU_ASSERT_EQUAL_FATAL(r.core.handover[0].n, 1);
	CU_ASSERT_EQUAL(weir_pkt(r.core.handover[0].m[0])->l3_type, WEIR_ETH_TYPE_IP6);
	recv_nd(&(struct msg){peer6, weir_addr_solicited_node(&us6), .flags = WEIR_PKT_STEERED},
		&q);
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	CU_ASSERT_EQUAL(r.core.handover[0].n, 1);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(solicitation_for_us_is_answered),
		UNIT(duplicate_detection_of_others_is_answered_to_all),
		UNIT(address_is_resolved_and_waiting_packets_sent),
		UNIT(advertisement_changes_entries_as_its_flags_say),
		UNIT(advertisement_that_nobody_asked_for_creates_nothing),
		UNIT(messages_that_fail_the_rfc_checks_are_dropped),
		UNIT(scattered_messages_are_read),
		UNIT(tentative_address_is_usable_after_detection),
		UNIT(tentative_address_is_not_answered_for),
		UNIT(address_of_another_station_is_not_taken),
		UNIT(conflict_after_detection_is_counted),
		UNIT(router_gives_route_address_and_parameters),
		UNIT(nothing_is_taken_from_routers_unless_configured),
		UNIT(router_must_be_link_local_and_prefix_sensible),
		UNIT(lifetime_is_not_cut_below_two_hours),
		UNIT(router_leaves_and_another_does_not_push_it_out),
		UNIT(routers_are_asked_for),
		UNIT(redirects_are_checked_and_ignored),
		UNIT(other_workers_get_a_copy_and_do_not_answer),
		{0},
	};

	return unit_main("nd", tests, true);
}
