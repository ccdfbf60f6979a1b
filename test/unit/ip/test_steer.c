/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

/* The key and vectors that adapter makers publish for Toeplitz hashing of RSS. */
static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25,
	0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
	0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct {
	const char *src, *dst;
	uint16_t sport, dport;
	uint32_t hash;
} vectors[] = {
	{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178},
	{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea},
	{"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d},
	{"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf},
};

static struct weir_steer steer;
static struct ip_rig t;

static void
set_up(uint16_t n_workers)
{
	steer = (struct weir_steer){.n_workers = n_workers, .reta_size = 512, .key_len = 40};
	memcpy(steer.key, key, sizeof(key));
	for (unsigned int i = 0; i < 512; i++)
		steer.reta[i] = (uint16_t)(i % n_workers);
}

static void
hash_is_that_of_the_ports(void)
{
	set_up(1);
	for (unsigned int i = 0; i < 512; i++)
		steer.reta[i] = (uint16_t)i;
	for (size_t i = 0; i < RTE_DIM(vectors); i++) {
		const struct weir_flow f = {.laddr = ip_addr(vectors[i].dst),
			.raddr = ip_addr(vectors[i].src),
			.lport = weir_be16(vectors[i].dport),
			.rport = weir_be16(vectors[i].sport)};

		CU_ASSERT_EQUAL(weir_steer_worker(&steer, &f), vectors[i].hash & 511);
	}
}

/* Send one packet per source port; count what stays. */
static unsigned int
spread(uint8_t proto, uint8_t flags, const char *dst)
{
	unsigned int kept;
	uint8_t l4[20] = {0, 0, 0, 80};

	for (uint8_t i = 0; i < 100; i++) {
		l4[1] = i;
		ip_recv4(&t, &(struct pkt4){.proto = proto,
				     .flags = flags,
				     .dst = dst,
				     .payload = l4,
				     .n = 20});
	}
	kept = t.udp.n + t.tcp.n;
	ip_use(&t);
	return kept;
}

static void
flows_of_other_workers_are_handed_over(void)
{
	unsigned int kept;

	set_up(2);
	ip_open(&t, &(struct rig_conf){.worker = 1, .n_workers = 2}, &steer, true);
	kept = spread(IPPROTO_TCP, 0, NULL);
	CU_ASSERT_TRUE(kept > 20 && kept < 80);
	ip_fate(&t, handed_over, 100 - kept);
	CU_ASSERT_EQUAL_FATAL(t.r.core.handover[0].n, 100 - kept);
	for (unsigned int i = 0; i < t.r.core.handover[0].n; i++) {
		struct weir_pkt *p = weir_pkt(t.r.core.handover[0].m[i]);

		CU_ASSERT_TRUE(p->flags & WEIR_PKT_STEERED);
		CU_ASSERT_EQUAL(p->l3_type, WEIR_ETH_TYPE_IP4);
		CU_ASSERT_EQUAL(weir_steer_worker(&steer, &p->flow), 0);
	}
	ip_close(&t);
}

static void
what_was_handed_over_stays(void)
{
	struct rte_mbuf *m;
	uint8_t bytes[40] = {0x45};

	set_up(2);
	for (uint16_t worker = 0; worker < 2; worker++) {
		ip_open(&t, &(struct rig_conf){.worker = worker, .n_workers = 2}, &steer, true);
		m = rig_mbuf(&t.r, bytes, sizeof(bytes), 0);
		ip_begin(&t, m, WEIR_ETH_TYPE_IP4, WEIR_PKT_STEERED);
		weir_pkt(m)->proto = IPPROTO_TCP;
		weir_pkt(m)->l4_off = 20;
		weir_pkt(m)->l4_len = 20;
		ip_recv_mbuf(&t, m, true);
		CU_ASSERT_EQUAL(t.tcp.n, 1);
		ip_fate(&t, handed_over, 0);
		ip_close(&t);
	}
}

static void
nothing_is_handed_over_while_ports_spread(void)
{
	set_up(2);
	ip_open(&t, &(struct rig_conf){.n_workers = 2}, &steer, false);
	CU_ASSERT_EQUAL(spread(IPPROTO_UDP, 0, NULL), 100);
	ip_close(&t);
}

static void
broadcasts_stay_where_they_came_in(void)
{
	set_up(2);
	ip_open(&t, &(struct rig_conf){.n_workers = 2}, &steer, true);
	CU_ASSERT_EQUAL(spread(IPPROTO_UDP, 0, "10.0.0.255"), 100);
	ip_close(&t);
}

static void
too_short_for_ports_stays(void)
{
	set_up(2);
	ip_open(&t, &(struct rig_conf){.n_workers = 2}, &steer, true);
	ip_recv4(&t, &(struct pkt4){.payload = "abc", .n = 3});
	CU_ASSERT_EQUAL(t.udp.n, 1);
	ip_close(&t);
}

static void
full_hand_over_vector_drops(void)
{
	unsigned int i;

	set_up(2);
	for (i = 0; i < 512; i++)
		steer.reta[i] = 1;
	ip_open(&t, &(struct rig_conf){.n_workers = 2}, &steer, true);
	spread(IPPROTO_TCP, 0, NULL);
	spread(IPPROTO_TCP, 0, NULL);
	ip_fate(&t, handed_over, WEIR_VEC_MAX);
	ip_fate(&t, drop_handover_full, 200 - WEIR_VEC_MAX);
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(hash_is_that_of_the_ports),
		UNIT(flows_of_other_workers_are_handed_over),
		UNIT(what_was_handed_over_stays),
		UNIT(nothing_is_handed_over_while_ports_spread),
		UNIT(broadcasts_stay_where_they_came_in),
		UNIT(too_short_for_ports_stays),
		UNIT(full_hand_over_vector_drops),
		{0},
	};

	return unit_main("steer", tests, true);
}
