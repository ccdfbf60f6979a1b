/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of RFC 4861 7.3, driven by IPv4 neighbours; nd has its own rules in test_nd.c. */
#include "net_rig.h"
#include "weir_arp_hdr.h"

#define S 1000000

static struct rig r;
static const uint8_t payload[20] = {0x45};

static void
send_to(const struct weir_addr *to)
{
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), to);
}

/* What was sent: frames of IP, and questions to all or to one. */
struct sent {
	unsigned int ip, multicast, unicast;
};

static struct sent
look(void)
{
	struct sent s = {0};
	struct rte_mbuf *m;

	while ((m = rig_sent(&r)) != NULL) {
		if (weir_host16(rig_eth(m)->type) == WEIR_ETH_TYPE_IP4)
			s.ip++;
		else if (weir_mac_is_group(&rig_eth(m)->dst))
			s.multicast++;
		else
			s.unicast++;
		rte_pktmbuf_free(m);
	}
	return s;
}

static void
look_for(unsigned int ip, unsigned int multicast, unsigned int unicast)
{
	const struct sent s = look();

	CU_ASSERT_EQUAL(s.ip, ip);
	CU_ASSERT_EQUAL(s.multicast, multicast);
	CU_ASSERT_EQUAL(s.unicast, unicast);
}

static void
reply(void)
{
	uint8_t bytes[WEIR_ARP_LEN];

	weir_arp_build(bytes, &(struct weir_arp){WEIR_ARP_REPLY, peer_mac, us_mac,
				      weir_addr_to_v4(&peer4), weir_addr_to_v4(&us4)});
	rig_recv(&r, rig_frame(&r, &us_mac, WEIR_ETH_TYPE_ARP, bytes, sizeof(bytes)));
}

static void
open_reachable(void)
{
	rig_open(&r, &(struct rig_conf){0});
	send_to(&peer4);
	reply();
	look_for(1, 1, 0);
}

/* What could not be delivered is there for IP, from its own header on. */
static void
look_for_unreached(void)
{
	struct rte_mbuf *m = weir_pktq_pop(&r.core.loop);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(r.core.loop.n, 0);
	CU_ASSERT(weir_pkt(m)->flags & WEIR_PKT_UNREACHED);
	CU_ASSERT_EQUAL(weir_pkt(m)->l3_type, WEIR_ETH_TYPE_IP4);
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod(m, uint8_t *), 0x45);
	rte_pktmbuf_free(m);
}

static void
silent_neighbour_is_asked_three_times_then_given_up(void)
{
	rig_open(&r, &(struct rig_conf){0});
	send_to(&peer4);
	look_for(0, 1, 0);
	rig_pass(&r, S);
	look_for(0, 1, 0);
	rig_pass(&r, S);
	look_for(0, 1, 0);
	rig_pass(&r, S - 1);
	look_for(0, 0, 0);
	rig_tx_fate(&r, drop_neigh_failed, 0);
	rig_pass(&r, 1);
	rig_tx_fate(&r, drop_neigh_failed, 1);
	CU_ASSERT_EQUAL(r.ifc.stats.neigh_failed, 1);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	look_for_unreached();
	send_to(&peer4); /* and the next packet asks anew */
	look_for(0, 1, 0);
	rig_close(&r);
}

static void
queue_of_waiting_packets_loses_its_oldest(void)
{
	rig_open(&r, &(struct rig_conf){0});
	for (unsigned int i = 0; i < WEIR_NEIGH_QUEUE_MAX + 4; i++)
		send_to(&peer4);
	rig_tx_fate(&r, drop_neigh_queue, 4);
	reply();
	look_for(WEIR_NEIGH_QUEUE_MAX, 1, 0);
	rig_close(&r);
}

static void
reachable_neighbour_is_not_asked(void)
{
	open_reachable();
	rig_pass(&r, 29 * S);
	send_to(&peer4);
	rig_pass(&r, 20 * S);
	look_for(1, 0, 0);
	rig_close(&r);
}

/* RFC 4861 7.3.3: used after its time, an entry waits 5 s for a confirmation, then asks. */
static void
aged_neighbour_is_probed_by_unicast(void)
{
	open_reachable();
	rig_pass(&r, 31 * S);
	send_to(&peer4);
	look_for(1, 0, 0);
	rig_pass(&r, 5 * S - 1);
	look_for(0, 0, 0);
	rig_pass(&r, 1);
	look_for(0, 0, 1);
	reply();
	rig_pass(&r, 20 * S);
	look_for(0, 0, 0);
	rig_close(&r);
}

static void
probed_neighbour_that_is_silent_is_forgotten(void)
{
	open_reachable();
	rig_pass(&r, 31 * S);
	send_to(&peer4);
	rig_pass(&r, 8 * S - 1);
	look_for(1, 0, 3);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 1);
	rig_pass(&r, 1);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_close(&r);
}

static void
confirmation_from_above_spares_the_probe(void)
{
	open_reachable();
	rig_pass(&r, 31 * S);
	send_to(&peer4);
	rig_pass(&r, 4 * S);
	weir_neigh_confirm(&r.ifc, &peer4);
	rig_pass(&r, 20 * S);
	look_for(1, 0, 0);
	rig_close(&r);
}

static void
confirmation_says_nothing_about_an_unknown_address(void)
{
	rig_open(&r, &(struct rig_conf){0});
	weir_neigh_confirm(&r.ifc, &peer4);
	send_to(&peer4);
	weir_neigh_confirm(&r.ifc, &peer4);
	look_for(0, 1, 0);
	send_to(&peer4);
	look_for(0, 0, 0);
	rig_close(&r);
}

static void
permanent_neighbour_never_changes(void)
{
	static const struct weir_mac fixed = {{2, 0, 0, 0, 0, 7}};
	struct rte_mbuf *m;

	rig_open(&r, &(struct rig_conf){0});
	send_to(&peer4); /* what waits for it is sent at once */
	look_for(0, 1, 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r.ifc, &peer4, &fixed), 0);
	look_for(1, 0, 0);
	reply();
	rig_pass(&r, 3600ull * S);
	send_to(&peer4);
	m = rig_sent(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->dst, &fixed));
	rte_pktmbuf_free(m);
	rig_pass(&r, 60 * S);
	look_for(0, 0, 0);
	rig_close(&r);
}

static void
full_cache_forgets_the_longest_unused(void)
{
	struct weir_addr a = peer4;

	rig_open(&r, &(struct rig_conf){0});
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r.ifc, &us4, &us_mac), 0); /* may not go */
	a.b[13] = 5; /* away from our own network's special addresses */
	for (unsigned int i = 1; i < WEIR_NEIGHS_MAX; i++) {
		a.b[14] = (uint8_t)(i >> 8);
		a.b[15] = (uint8_t)i;
		send_to(&a);
		rig_pass(&r, 1);
		look();
	}
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, WEIR_NEIGHS_MAX);
	a.b[14] = 0;
	a.b[15] = 1;
	send_to(&a); /* the oldest is used again */
	a.b[14] = 200;
	send_to(&a);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, WEIR_NEIGHS_MAX);
	CU_ASSERT_EQUAL(r.ifc.stats.neigh_evicted, 1);
	rig_tx_fate(&r, drop_neigh_failed, 1);
	a.b[14] = 0;
	send_to(&a);
	CU_ASSERT_EQUAL(r.ifc.stats.neigh_evicted, 1); /* still there */
	a.b[15] = 2;
	send_to(&a);
	CU_ASSERT_EQUAL(r.ifc.stats.neigh_evicted, 2); /* it was this one */
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(silent_neighbour_is_asked_three_times_then_given_up),
		UNIT(queue_of_waiting_packets_loses_its_oldest),
		UNIT(reachable_neighbour_is_not_asked),
		UNIT(aged_neighbour_is_probed_by_unicast),
		UNIT(probed_neighbour_that_is_silent_is_forgotten),
		UNIT(confirmation_from_above_spares_the_probe),
		UNIT(confirmation_says_nothing_about_an_unknown_address),
		UNIT(permanent_neighbour_never_changes),
		UNIT(full_cache_forgets_the_longest_unused),
		{0},
	};

	return unit_main("neigh", tests, true);
}
