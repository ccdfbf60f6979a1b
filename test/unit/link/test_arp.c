/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_rig.h"
#include "weir_arp_hdr.h"

static struct rig r;
static const struct weir_mac other_mac = {{2, 0, 0, 0, 0, 9}};
static const uint8_t payload[20] = {0x45};

static struct weir_be32
v4(uint8_t last)
{
	return weir_be32(0x0a000000u | last);
}

static struct rte_mbuf *
arp_frame(const struct weir_mac *dst, const struct weir_arp *arp)
{
	uint8_t bytes[WEIR_ARP_LEN];

	weir_arp_build(bytes, arp);
	return rig_frame(&r, dst, WEIR_ETH_TYPE_ARP, bytes, sizeof(bytes));
}

static void
recv_arp(const struct weir_arp *arp)
{
	rig_recv(&r, arp_frame(arp->op == WEIR_ARP_REQUEST ? &all_mac : &us_mac, arp));
}

/* The next frame sent is ARP: read it. */
static struct weir_mac
sent_arp(struct weir_arp *arp)
{
	struct rte_mbuf *m = rig_sent(&r);
	struct weir_mac dst;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(weir_host16(rig_eth(m)->type), WEIR_ETH_TYPE_ARP);
	CU_ASSERT_TRUE(weir_arp_parse(rig_bytes(m) + 14, m->pkt_len - 14, arp));
	dst = rig_eth(m)->dst;
	rte_pktmbuf_free(m);
	return dst;
}

static void
send_to_peer(void)
{
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
}

static void
request_for_our_address_is_answered(void)
{
	struct weir_arp arp;
	struct weir_mac dst;

	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(2), .tpa = v4(1)});
	dst = sent_arp(&arp);
	CU_ASSERT_TRUE(weir_mac_eq(&dst, &peer_mac));
	CU_ASSERT_EQUAL(arp.op, WEIR_ARP_REPLY);
	CU_ASSERT_TRUE(weir_mac_eq(&arp.sha, &us_mac));
	CU_ASSERT_TRUE(weir_mac_eq(&arp.tha, &peer_mac));
	CU_ASSERT_EQUAL(arp.spa.raw, v4(1).raw);
	CU_ASSERT_EQUAL(arp.tpa.raw, v4(2).raw);
	rig_fate(&r, arp_taken, 1);
	rig_close(&r);
}

/* RFC 826: whoever asks for us will get packets from us, so we know him at once. */
static void
asker_becomes_a_neighbour(void)
{
	struct rte_mbuf *m;

	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(2), .tpa = v4(1)});
	rig_drain(&r);
	send_to_peer();
	m = rig_sent(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(weir_host16(rig_eth(m)->type), WEIR_ETH_TYPE_IP4);
	CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->dst, &peer_mac));
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
request_for_another_is_not_answered(void)
{
	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(2), .tpa = v4(3)});
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_close(&r);
}

/* RFC 5227 1.1: a probe comes from 0.0.0.0; the answer makes nobody a neighbour. */
static void
probe_for_our_address_is_answered(void)
{
	struct weir_arp arp;

	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = peer_mac, .tpa = v4(1)});
	sent_arp(&arp);
	CU_ASSERT_EQUAL(arp.op, WEIR_ARP_REPLY);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_close(&r);
}

static void
gratuitous_arp_updates_but_does_not_create(void)
{
	struct rte_mbuf *m;

	rig_open(&r, &(struct rig_conf){0});
	recv_arp(
		&(struct weir_arp){WEIR_ARP_REQUEST, .sha = other_mac, .spa = v4(2), .tpa = v4(2)});
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(2), .tpa = v4(1)});
	recv_arp(
		&(struct weir_arp){WEIR_ARP_REQUEST, .sha = other_mac, .spa = v4(2), .tpa = v4(2)});
	rig_drain(&r);
	send_to_peer();
	m = rig_sent(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->dst, &other_mac));
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
packets_wait_for_the_answer_in_order(void)
{
	uint8_t bytes[20] = {0};
	struct weir_arp arp;
	struct weir_mac dst;
	struct rte_mbuf *m;

	rig_open(&r, &(struct rig_conf){0});
	for (bytes[0] = 1; bytes[0] <= 3; bytes[0]++)
		weir_eth_output(&r.ifc, rig_mbuf(&r, bytes, sizeof(bytes), 0), &peer4);
	dst = sent_arp(&arp);
	CU_ASSERT_TRUE(weir_mac_eq(&dst, &all_mac));
	CU_ASSERT_EQUAL(arp.op, WEIR_ARP_REQUEST);
	CU_ASSERT_EQUAL(arp.spa.raw, v4(1).raw);
	CU_ASSERT_EQUAL(arp.tpa.raw, v4(2).raw);
	CU_ASSERT_PTR_NULL(rig_sent(&r)); /* one question for all three */
	recv_arp(&(struct weir_arp){WEIR_ARP_REPLY, peer_mac, us_mac, v4(2), v4(1)});
	for (uint8_t i = 1; i <= 3; i++) {
		m = rig_sent(&r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(rig_bytes(m)[14], i);
		CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->dst, &peer_mac));
		rte_pktmbuf_free(m);
	}
	rig_close(&r);
}

/* RFC 5227 2.4: one announcement in defence, not one per packet. */
static void
conflict_is_counted_and_answered_once(void)
{
	struct weir_arp arp;

	rig_open(&r, &(struct rig_conf){0});
	for (unsigned int i = 0; i < 5; i++)
		recv_arp(&(struct weir_arp){
			WEIR_ARP_REQUEST, .sha = other_mac, .spa = v4(1), .tpa = v4(2)});
	rig_fate(&r, drop_arp_bad, 5);
	CU_ASSERT_EQUAL(r.ifc.stats.addr_conflicts, 5);
	sent_arp(&arp);
	CU_ASSERT_EQUAL(arp.spa.raw, arp.tpa.raw);
	CU_ASSERT_PTR_NULL(rig_sent(&r));
	rig_pass(&r, 10000000);
	recv_arp(
		&(struct weir_arp){WEIR_ARP_REQUEST, .sha = other_mac, .spa = v4(1), .tpa = v4(2)});
	sent_arp(&arp);
	rig_close(&r);
}

static void
our_own_packets_come_back_without_harm(void)
{
	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = us_mac, .spa = v4(1), .tpa = v4(1)});
	rig_fate(&r, arp_taken, 1);
	CU_ASSERT_EQUAL(r.ifc.stats.addr_conflicts, 0);
	rig_close(&r);
}

/* net_tap: the kernel's interface on the other side has the address of ours. */
static void
peer_with_our_mac_is_answered(void)
{
	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){WEIR_ARP_REQUEST, .sha = us_mac, .spa = v4(2), .tpa = v4(1)});
	CU_ASSERT_EQUAL(rig_drain(&r), 1);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 1);
	rig_close(&r);
}

static void
impossible_senders_are_dropped(void)
{
	static const struct weir_mac none;
	const struct weir_arp bad[] = {
		{WEIR_ARP_REQUEST, .sha = all_mac, .spa = v4(2), .tpa = v4(1)},
		{WEIR_ARP_REQUEST, .sha = none, .spa = v4(2), .tpa = v4(1)},
		{WEIR_ARP_REQUEST, .sha = peer_mac, .spa = weir_be32(0xe0000001), .tpa = v4(1)},
		{WEIR_ARP_REQUEST, .sha = peer_mac, .spa = weir_be32(0x7f000001), .tpa = v4(1)},
		{WEIR_ARP_REQUEST, .sha = peer_mac, .spa = weir_be32(0xffffffff), .tpa = v4(1)},
		{WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(255), .tpa = v4(1)},
		{WEIR_ARP_REPLY, .sha = peer_mac, .tpa = v4(1)},
	};

	rig_open(&r, &(struct rig_conf){0});
	for (size_t i = 0; i < RTE_DIM(bad); i++)
		recv_arp(&bad[i]);
	rig_fate(&r, drop_arp_bad, RTE_DIM(bad));
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	rig_close(&r);
}

static void
truncated_and_scattered_packets(void)
{
	const struct weir_arp arp = {WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(2), .tpa = v4(1)};
	uint8_t bytes[14 + WEIR_ARP_LEN];
	struct rte_mbuf *m;

	rig_open(&r, &(struct rig_conf){0});
	for (uint32_t n = 14; n < 14 + WEIR_ARP_LEN; n++) {
		m = arp_frame(&us_mac, &arp);
		rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - n));
		rig_recv(&r, m);
	}
	rig_fate(&r, drop_arp_bad, WEIR_ARP_LEN);
	m = arp_frame(&us_mac, &arp);
	memcpy(bytes, rig_bytes(m), sizeof(bytes));
	rte_pktmbuf_free(m);
	rig_recv(&r, rig_mbuf(&r, bytes, sizeof(bytes), 5));
	rig_fate(&r, arp_taken, 1);
	CU_ASSERT_EQUAL(rig_drain(&r), 1);
	rig_close(&r);
}

static void
off_link_asker_is_answered_but_not_kept(void)
{
	rig_open(&r, &(struct rig_conf){0});
	recv_arp(&(struct weir_arp){
		WEIR_ARP_REQUEST, .sha = peer_mac, .spa = weir_be32(0xc0a80001), .tpa = v4(1)});
	CU_ASSERT_EQUAL(rig_drain(&r), 1);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 0);
	rig_close(&r);
}

static void
other_workers_get_a_copy_and_do_not_answer(void)
{
	const struct weir_arp arp = {WEIR_ARP_REQUEST, .sha = peer_mac, .spa = v4(2), .tpa = v4(1)};
	struct rte_mbuf *copy;

	rig_open(&r, &(struct rig_conf){.worker = 1, .n_workers = 3});
	recv_arp(&arp);
	CU_ASSERT_EQUAL(rig_drain(&r), 1);
	rig_fate(&r, handed_over, 0);
	CU_ASSERT_EQUAL(r.core.handover[0].n, 1);
	CU_ASSERT_EQUAL(r.core.handover[1].n, 0);
	CU_ASSERT_EQUAL_FATAL(r.core.handover[2].n, 1);
	copy = r.core.handover[2].m[0];
	r.core.handover[2].n = 0;
	CU_ASSERT_EQUAL(weir_pkt(copy)->l3_type, WEIR_ETH_TYPE_ARP);
	CU_ASSERT_TRUE(weir_pkt(copy)->flags & WEIR_PKT_STEERED);
	r.core.rx_frames++;
	weir_vec_add(&r.arp, copy);
	weir_arp_input(&r.ifc, &r.arp);
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	CU_ASSERT_EQUAL(r.core.handover[0].n, 1);
	rig_fate(&r, arp_taken, 2);
	rig_close(&r);
}

static void
address_is_announced_twice_by_worker_0(void)
{
	struct weir_arp arp;
	struct weir_mac dst;

	rig_open_quiet(&r, &(struct rig_conf){.no_ipv6 = true});
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	weir_iface_start(&r.ifc);
	dst = sent_arp(&arp);
	CU_ASSERT_TRUE(weir_mac_eq(&dst, &all_mac));
	CU_ASSERT_EQUAL(arp.spa.raw, v4(1).raw);
	CU_ASSERT_EQUAL(arp.tpa.raw, v4(1).raw);
	rig_pass(&r, 1999999);
	CU_ASSERT_PTR_NULL(rig_sent(&r));
	rig_pass(&r, 1);
	sent_arp(&arp);
	rig_pass(&r, 60000000);
	CU_ASSERT_PTR_NULL(rig_sent(&r));
	rig_close(&r);

	rig_open_quiet(&r, &(struct rig_conf){.no_ipv6 = true, .worker = 1, .n_workers = 2});
	weir_iface_start(&r.ifc);
	rig_pass(&r, 60000000);
	CU_ASSERT_PTR_NULL(rig_sent(&r));
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(request_for_our_address_is_answered),
		UNIT(asker_becomes_a_neighbour),
		UNIT(request_for_another_is_not_answered),
		UNIT(probe_for_our_address_is_answered),
		UNIT(gratuitous_arp_updates_but_does_not_create),
		UNIT(packets_wait_for_the_answer_in_order),
		UNIT(conflict_is_counted_and_answered_once),
		UNIT(our_own_packets_come_back_without_harm),
		UNIT(peer_with_our_mac_is_answered),
		UNIT(impossible_senders_are_dropped),
		UNIT(truncated_and_scattered_packets),
		UNIT(off_link_asker_is_answered_but_not_kept),
		UNIT(other_workers_get_a_copy_and_do_not_answer),
		UNIT(address_is_announced_twice_by_worker_0),
		{0},
	};

	return unit_main("arp", tests, true);
}
