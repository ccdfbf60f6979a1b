/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_thash.h>

#include "cable_priv.h"
#include "cable_rig.h"

/* The verification suite of Microsoft's RSS specification: 66.9.149.187:2794 to 161.142.100.80:1766
 */
static void
the_hash_is_the_specifications(void)
{
	static struct cable_rss rss;
	struct rte_mempool *pool = unit_pool("rss", 15);
	struct rte_mbuf *m = udp_frame(pool, 2794, 10);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	uint32_t hash;

	cable_rss_init(&rss);
	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(66, 9, 149, 187));
	ip->dst_addr = rte_cpu_to_be_32(0xa18e6450);
	udp->dst_port = rte_cpu_to_be_16(1766);
	CU_ASSERT_TRUE(cable_rss_hash(&rss, m, &hash));
	CU_ASSERT_EQUAL(hash, 0x51ccc178);
	ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG);
	CU_ASSERT_TRUE(cable_rss_hash(&rss, m, &hash));
	CU_ASSERT_EQUAL(hash, 0x323e8fc2);
	rte_pktmbuf_free(m);
	unit_pool_done(pool);
}

/* The same, 3ffe:2501:200:1fff::7 port 2794 to 3ffe:2501:200:3::1 port 1766. */
static void
the_hash_is_the_specifications_for_ipv6(void)
{
	static const uint8_t src[16] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, [15] = 7};
	static const uint8_t dst[16] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, [15] = 1};
	static struct cable_rss rss;
	struct rte_mempool *pool = unit_pool("rss", 15);
	struct rte_mbuf *m = tso_packet(pool, true, 0, 1);
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, 14);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint32_t hash;

	cable_rss_init(&rss);
	memcpy(ip->src_addr, src, 16);
	memcpy(ip->dst_addr, dst, 16);
	tcp->src_port = rte_cpu_to_be_16(2794);
	tcp->dst_port = rte_cpu_to_be_16(1766);
	CU_ASSERT_TRUE(cable_rss_hash(&rss, m, &hash));
	CU_ASSERT_EQUAL(hash, 0x40207d3d);
	ip->proto = IPPROTO_FRAGMENT;
	CU_ASSERT_TRUE(cable_rss_hash(&rss, m, &hash));
	CU_ASSERT_EQUAL(hash, 0x2cc18cd5);
	rte_pktmbuf_free(m);
	unit_pool_done(pool);
}

static void
a_tag_does_not_change_the_hash(void)
{
	static struct cable_rss rss;
	struct rte_mempool *pool = unit_pool("rss", 15);
	struct rte_mbuf *m = udp_frame(pool, 2794, 10);
	uint32_t plain, tagged;

	cable_rss_init(&rss);
	CU_ASSERT_TRUE(cable_rss_hash(&rss, m, &plain));
	CU_ASSERT_EQUAL(rte_vlan_insert(&m), 0);
	CU_ASSERT_TRUE(cable_rss_hash(&rss, m, &tagged));
	CU_ASSERT_EQUAL(plain, tagged);
	rte_pktmbuf_free(m);
	unit_pool_done(pool);
}

/* What a stack does to find a frame's queue: key and table of the port's info, rte_thash. */
static uint16_t
predict(const struct weir_port_info *info, const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	const rte_be16_t *ports = (const rte_be16_t *)(ip + 1);
	uint32_t tuple[3] = {rte_be_to_cpu_32(ip->src_addr), rte_be_to_cpu_32(ip->dst_addr),
		(uint32_t)rte_be_to_cpu_16(ports[0]) << 16 | rte_be_to_cpu_16(ports[1])};
	uint32_t key[10]; /* aligned */
	uint32_t hash;

	memcpy(key, info->rss_key, sizeof(key));
	hash = rte_softrss(tuple, 3, (const uint8_t *)key);
	return info->reta[hash & (info->reta_size - 1u)];
}

static void
flows_spread_over_the_queues_as_the_port_says(void)
{
	const struct weir_cable_conf conf = {.queues = 4};
	struct rig r;
	unsigned int counts[4] = {0};

	rig_open(&r, &conf);
	CU_ASSERT_EQUAL(r.b->info.n_queues, 4);
	CU_ASSERT_TRUE(r.b->info.caps & WEIR_PORT_RSS);
	for (uint16_t port = 1; port <= 800; port++)
		send_one(r.a, udp_frame(r.pool, port, 10));
	for (uint16_t q = 0; q < 4; q++) {
		struct rte_mbuf *m;

		while (weir_port_rx(r.b, q, &m, 1) == 1) {
			counts[q]++;
			CU_ASSERT_EQUAL(predict(&r.b->info, m), q);
			CU_ASSERT_TRUE(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
			CU_ASSERT_EQUAL(r.b->info.reta[m->hash.rss & 127], q);
			rte_pktmbuf_free(m);
		}
		CU_ASSERT_TRUE(counts[q] > 120 && counts[q] < 280);
	}
	CU_ASSERT_EQUAL(counts[0] + counts[1] + counts[2] + counts[3], 800);
	rig_close(&r);
}

static void
a_burst_of_many_flows_keeps_each_in_order(void)
{
	const struct weir_cable_conf conf = {.queues = 3};
	struct rig r;
	struct rte_mbuf *m[240];
	uint32_t last[8] = {0};

	rig_open(&r, &conf);
	for (uint16_t i = 0; i < 240; i++)
		m[i] = udp_frame(r.pool, i % 8, i + 1u);
	CU_ASSERT_EQUAL(weir_port_tx(r.a, 0, m, 240), 240);
	for (uint16_t q = 0; q < 3; q++) {
		while (weir_port_rx(r.b, q, m, 1) == 1) {
			CU_ASSERT_TRUE(m[0]->pkt_len > last[udp_sport(m[0])]);
			last[udp_sport(m[0])] = m[0]->pkt_len;
			rte_pktmbuf_free(m[0]);
		}
	}
	for (uint16_t i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(last[i], UDP_HDRS + 233u + i);
	rig_close(&r);
}

static void
impaired_frames_go_to_the_same_queues(void)
{
	const struct weir_cable_conf conf = {.queues = 4, .impair[0] = {.delay_us = 10}};
	struct rig r;
	unsigned int n = 0;

	rig_open(&r, &conf);
	for (uint16_t port = 1; port <= 100; port++)
		send_one(r.a, udp_frame(r.pool, port, 10));
	weir_clock_advance(&r.clock, 10);
	for (uint16_t q = 0; q < 4; q++) {
		struct rte_mbuf *m;

		for (; weir_port_rx(r.b, q, &m, 1) == 1; n++) {
			CU_ASSERT_EQUAL(predict(&r.b->info, m), q);
			rte_pktmbuf_free(m);
		}
	}
	CU_ASSERT_EQUAL(n, 100);
	rig_close(&r);
}

static void
other_frames_go_to_queue_0_without_a_hash(void)
{
	const struct weir_cable_conf conf = {.queues = 4};
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, &conf);
	m = rte_pktmbuf_alloc(r.pool);
	fill_eth(m, RTE_ETHER_TYPE_ARP);
	fill_payload(m, 46);
	send_one(r.a, m);
	m = recv_one(r.b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_FALSE(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(the_hash_is_the_specifications),
		UNIT(the_hash_is_the_specifications_for_ipv6),
		UNIT(a_tag_does_not_change_the_hash),
		UNIT(flows_spread_over_the_queues_as_the_port_says),
		UNIT(a_burst_of_many_flows_keeps_each_in_order),
		UNIT(impaired_frames_go_to_the_same_queues),
		UNIT(other_frames_go_to_queue_0_without_a_hash),
		{0},
	};

	return unit_main("rss", tests, true);
}
