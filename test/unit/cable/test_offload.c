/* SPDX-License-Identifier: BSD-3-Clause */
#include "cable_priv.h"
#include "cable_rig.h"

static const uint32_t all_cksums = WEIR_PORT_RX_IP4_CKSUM | WEIR_PORT_RX_L4_CKSUM;

/* Check one frame of a cut packet whose payload starts at `at`, and free it. */
static void
check_segment(struct rte_mbuf *m, bool is_v6, uint32_t i, uint32_t at, uint32_t len, bool is_last)
{
	uint8_t buf[2048];
	const uint32_t l3 = is_v6 ? 40 : 20;
	const uint32_t hdrs = 14 + l3 + 20;
	const uint8_t *f = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	const struct rte_tcp_hdr *tcp = (const void *)(f + 14 + l3);
	uint8_t flags = RTE_TCP_ACK_FLAG;

	CU_ASSERT_EQUAL(m->pkt_len, hdrs + len);
	CU_ASSERT_EQUAL(rte_be_to_cpu_32(tcp->sent_seq), 0xfffffff0 + at);
	flags |= i == 0 ? RTE_TCP_CWR_FLAG : 0;
	flags |= is_last ? RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG : 0;
	CU_ASSERT_EQUAL(tcp->tcp_flags, flags);
	if (is_v6) {
		const struct rte_ipv6_hdr *ip = (const void *)(f + 14);

		CU_ASSERT_EQUAL(rte_be_to_cpu_16(ip->payload_len), 20 + len);
	} else {
		const struct rte_ipv4_hdr *ip = (const void *)(f + 14);

		CU_ASSERT_EQUAL(rte_be_to_cpu_16(ip->total_length), 40 + len);
		CU_ASSERT_EQUAL(rte_be_to_cpu_16(ip->packet_id), 100 + i);
	}
	for (uint32_t b = 0; b < len; b++)
		if (f[hdrs + b] != payload_byte(at + b))
			CU_FAIL("payload differs");
	rte_pktmbuf_free(m);
}

static void
check_tso(bool is_v6, uint32_t payload, uint16_t mss)
{
	struct rig r;
	struct rte_mbuf *m;
	uint32_t at = 0;
	uint32_t i = 0;

	rig_open(&r, NULL);
	send_one(r.a, tso_packet(r.pool, is_v6, payload, mss));
	do {
		const uint32_t len = RTE_MIN(payload - at, (uint32_t)mss);

		m = recv_one(r.b);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(
			m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
		check_segment(m, is_v6, i++, at, len, at + len == payload);
		at += len;
	} while (at < payload);
	CU_ASSERT_PTR_NULL(recv_one(r.b));
	rig_close(&r);
}

static void
tso_cuts_at_the_segment_size(void)
{
	check_tso(false, 10000, 1460);
	check_tso(false, 2920, 1460);
	check_tso(true, 10001, 1440);
	check_tso(true, 20000, 333);
	check_tso(false, 1, 536);
	check_tso(false, 0, 536);
}

static void
cut_frames_have_right_checksums_where_the_receiver_looks(void)
{
	const struct weir_cable_conf conf = {.caps_off = all_cksums};
	struct rig r;
	struct rte_mbuf *m;
	int n = 0;

	rig_open(&r, &conf);
	send_one(r.a, tso_packet(r.pool, false, 5000, 1459)); /* odd: sums cross segments */
	send_one(r.a, tso_packet(r.pool, true, 5000, 1001));
	for (; (m = recv_one(r.b)) != NULL; n++) {
		CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, 0);
		CU_ASSERT_TRUE(cksums_ok(m));
		rte_pktmbuf_free(m);
	}
	CU_ASSERT_EQUAL(n, 4 + 5);
	rig_close(&r);
}

static void
lro_hands_the_packet_over_whole(void)
{
	const struct weir_cable_conf conf = {.lro = true};
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, &conf);
	CU_ASSERT_TRUE(r.b->info.caps & WEIR_PORT_RX_LRO);
	send_one(r.a, tso_packet(r.pool, false, 10000, 1460));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->pkt_len, TCP_HDRS + 10000);
	CU_ASSERT_EQUAL(m->ol_flags,
		RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	CU_ASSERT_EQUAL(m->tso_segsz, 1460);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
impossible_tso_requests_are_dropped(void)
{
	struct rig r;
	struct rte_mbuf *m;
	struct weir_cable_stats s;

	rig_open(&r, NULL);
	send_one(r.a, tso_packet(r.pool, false, 5000, 0));    /* no segment size */
	send_one(r.a, tso_packet(r.pool, false, 5000, 1461)); /* frames over the MTU */
	send_one(r.a, tso_packet(r.pool, false, 5000, 1));    /* too many frames */
	m = tso_packet(r.pool, false, 0, 500);
	m->l4_len = 60; /* headers longer than the packet */
	send_one(r.a, m);
	m = tso_packet(r.pool, false, 3000, 500);
	m->l3_len = 0;
	send_one(r.a, m);
	CU_ASSERT_PTR_NULL(recv_one(r.b));
	weir_cable_stats(r.cable, 0, &s);
	CU_ASSERT_EQUAL(s.dropped_bad, 4);
	CU_ASSERT_EQUAL(s.dropped_oversize, 1);
	rig_close(&r);
}

static void
tso_without_room_or_mbufs_loses_nothing_but_itself(void)
{
	const struct weir_cable_conf conf = {.queue_depth = 4};
	struct rte_mempool *small = unit_pool("small", 8);
	struct rig r;
	struct rte_mbuf *m;
	struct weir_cable_stats s;

	rig_open(&r, &conf);
	m = tso_packet(r.pool, false, 5000, 1000); /* five frames: not now, not ever */
	CU_ASSERT_EQUAL(weir_port_tx(r.a, 0, &m, 1), 0);
	rte_pktmbuf_free(m);
	m = tso_packet(small, false, 4000, 1000); /* five mbufs of eight; four frames need eight */
	send_one(r.a, m);
	CU_ASSERT_PTR_NULL(recv_one(r.b));
	weir_cable_stats(r.cable, 0, &s);
	CU_ASSERT_EQUAL(s.dropped_no_mbuf, 1);
	unit_pool_done(small);
	rig_close(&r);
}

static struct rte_mbuf *
udp_offloaded(struct rte_mempool *pool)
{
	struct rte_mbuf *m = udp_frame(pool, 5, 101);

	rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14)->hdr_checksum = 0xdead;
	rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, 34)->dgram_cksum = 0xbeef;
	m->l2_len = 14;
	m->l3_len = 20;
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
	return m;
}

static void
checksums_asked_for_are_reported_good_and_not_computed(void)
{
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, NULL);
	send_one(r.a, udp_offloaded(r.pool));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	CU_ASSERT_EQUAL(rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, 34)->dgram_cksum, 0xbeef);
	rte_pktmbuf_free(m);
	send_one(r.a, udp_frame(r.pool, 5, 100)); /* done in software: not judged */
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
checksums_are_filled_in_for_a_receiver_that_does_not_check(void)
{
	const struct weir_cable_conf conf = {.caps_off = WEIR_PORT_RX_L4_CKSUM};
	struct rig r;
	struct rte_mbuf *m;
	struct rte_mbuf *shared;

	rig_open(&r, &conf);
	send_one(r.a, udp_offloaded(r.pool));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	CU_ASSERT_TRUE(cksums_ok(m));
	rte_pktmbuf_free(m);

	shared = udp_offloaded(r.pool); /* never written: the headers are copied */
	m = rte_pktmbuf_clone(shared, r.pool);
	send_one(r.a, m);
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->nb_segs, 2);
	CU_ASSERT_TRUE(cksums_ok(m));
	CU_ASSERT_EQUAL(
		rte_pktmbuf_mtod_offset(shared, struct rte_udp_hdr *, 34)->dgram_cksum, 0xbeef);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(shared);
	rig_close(&r);
}

static void
a_port_without_transmit_offload_ignores_the_request(void)
{
	const struct weir_cable_conf conf = {
		.caps_off = WEIR_PORT_TX_IP4_CKSUM | WEIR_PORT_TX_UDP_CKSUM};
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, &conf);
	send_one(r.a, udp_offloaded(r.pool));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	CU_ASSERT_FALSE(cksums_ok(m));
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
corruption_is_found_by_checksums(void)
{
	const struct weir_cable_conf conf = {.seed = 3, .impair[0] = {.corrupt_ppm = WEIR_PPM}};
	struct rig r;
	struct rte_mbuf *m;
	struct rte_mbuf *before;
	unsigned int found = 0;

	rig_open(&r, &conf);
	for (int i = 0; i < 200; i++) {
		uint8_t buf[2048];
		const uint8_t *f;

		before = udp_offloaded(r.pool);
		send_one(r.a, rte_pktmbuf_clone(before, r.pool));
		m = recv_one(r.b);
		CU_ASSERT_EQUAL(m->ol_flags, 0);
		CU_ASSERT_EQUAL(RTE_MBUF_CLONED(m), 0);
		f = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
		/* A bit of the Ethernet header is no matter for IP's checksums. */
		if (memcmp(f, rte_pktmbuf_mtod(before, void *), 14) == 0)
			found += !cksums_ok(m);
		else
			found++;
		CU_ASSERT_EQUAL(
			rte_pktmbuf_mtod_offset(before, struct rte_udp_hdr *, 34)->dgram_cksum,
			0xbeef);
		rte_pktmbuf_free(m);
		rte_pktmbuf_free(before);
	}
	CU_ASSERT_EQUAL(found, 200);
	rig_close(&r);
}

static struct rte_mbuf *
tagged(struct rte_mempool *pool)
{
	struct rte_mbuf *m = udp_offloaded(pool);

	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	m->vlan_tci = 0x2007;
	return m;
}

static void
tags_pass_from_offload_to_offload(void)
{
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, NULL);
	send_one(r.a, tagged(r.pool));
	m = recv_one(r.b);
	CU_ASSERT_TRUE(m->ol_flags & RTE_MBUF_F_RX_VLAN);
	CU_ASSERT_TRUE(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED);
	CU_ASSERT_EQUAL(m->vlan_tci, 0x2007);
	CU_ASSERT_EQUAL(m->pkt_len, UDP_HDRS + 101);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
tags_are_written_for_a_receiver_that_does_not_strip(void)
{
	const struct weir_cable_conf conf = {.caps_off = WEIR_PORT_RX_VLAN | WEIR_PORT_RX_L4_CKSUM};
	struct rig r;
	struct rte_mbuf *m;
	uint8_t buf[2048];
	const uint8_t *f;

	rig_open(&r, &conf);
	send_one(r.a, tagged(r.pool));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	CU_ASSERT_EQUAL(m->pkt_len, UDP_HDRS + 101 + 4);
	f = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	CU_ASSERT_EQUAL(memcmp(f + 12, "\x81\x00\x20\x07\x08\x00\x45", 7), 0);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
tags_in_the_frame_are_stripped(void)
{
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, NULL);
	m = udp_frame(r.pool, 1, 1500 - 28); /* a tag does not count against the MTU */
	m->vlan_tci = 9;
	CU_ASSERT_EQUAL(rte_vlan_insert(&m), 0);
	send_one(r.a, m);
	m = recv_one(r.b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->ol_flags, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
	CU_ASSERT_EQUAL(m->vlan_tci, 9);
	CU_ASSERT_EQUAL(m->pkt_len, 1514);
	CU_ASSERT_TRUE(cksums_ok(m));
	rte_pktmbuf_free(m);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(tso_cuts_at_the_segment_size),
		UNIT(cut_frames_have_right_checksums_where_the_receiver_looks),
		UNIT(lro_hands_the_packet_over_whole),
		UNIT(impossible_tso_requests_are_dropped),
		UNIT(tso_without_room_or_mbufs_loses_nothing_but_itself),
		UNIT(checksums_asked_for_are_reported_good_and_not_computed),
		UNIT(checksums_are_filled_in_for_a_receiver_that_does_not_check),
		UNIT(a_port_without_transmit_offload_ignores_the_request),
		UNIT(corruption_is_found_by_checksums),
		UNIT(tags_pass_from_offload_to_offload),
		UNIT(tags_are_written_for_a_receiver_that_does_not_strip),
		UNIT(tags_in_the_frame_are_stripped),
		{0},
	};

	return unit_main("offload", tests, true);
}
