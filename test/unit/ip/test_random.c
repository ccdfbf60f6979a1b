/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames near to right ones, damaged at random and cut into segments at random: whatever they are,
 * each ends in one fate, and no mbuf is lost (rig_close checks both).
 */
#include "ip_rig.h"
#include "weir_arp_hdr.h"
#include "weir_nd_hdr.h"

#define FRAMES 60000

static struct ip_rig t;
static struct weir_rand rnd;
static uint64_t seen[WEIR_FATE_MAX]; /* fates over all seeds */

static uint32_t
below(uint32_t n)
{
	return weir_rand_below(&rnd, n);
}

static size_t
make_arp(uint8_t *b)
{
	weir_arp_build(b, &(struct weir_arp){.op = (uint16_t)(1 + below(2)),
				  .sha = peer_mac,
				  .spa = weir_be32(0x0a000000 + below(4)),
				  .tpa = weir_be32(0x0a000000 + below(4))});
	return WEIR_ARP_LEN;
}

static size_t
fill_l4(uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)below(below(2) ? 256 : 4);
	return n;
}

static size_t
make_ip4(uint8_t *b)
{
	static const uint8_t protos[] = {IPPROTO_ICMP, IPPROTO_UDP, IPPROTO_TCP, 99};
	const uint8_t proto = protos[below(4)];
	const size_t n = fill_l4(b + 20, 8 + below(200) / 8 * 8);

	if (proto == IPPROTO_ICMP) {
		b[20] = (uint8_t)(below(2) ? 8 : below(14));
		if (n > 36)
			weir_ip4_build(b + 28, &(struct weir_ip4){.src = weir_addr_to_v4(&us4),
						       .dst = weir_addr_to_v4(&peer4),
						       .total_len = 60,
						       .proto = IPPROTO_TCP});
		ip_icmp_cksum(b + 20, n);
	}
	weir_ip4_build(
		b, &(struct weir_ip4){.src = below(50) ? weir_addr_to_v4(&peer4) : weir_be32(0),
			   .dst = below(50) ? weir_addr_to_v4(&us4) : weir_be32(0x7f000001),
			   .total_len = (uint16_t)(20 + n),
			   .id = (uint16_t)below(3),
			   .frag = (uint16_t)(below(3) ? 0 : below(2) * WEIR_IP4_MF + below(20)),
			   .proto = proto,
			   .ttl = 64});
	return 20 + n;
}

static size_t
make_nd(uint8_t *b)
{
	const struct weir_nd nd = {.type = (uint8_t)(WEIR_ND_NS + below(2)),
		.target = below(2) ? us6 : peer6,
		.has_slla = below(2),
		.slla = peer_mac,
		.is_solicited = below(2)};
	size_t n = weir_nd_build(b, &nd);

	if (below(4) == 0) { /* a router advertisement with whatever options */
		n = 16 + fill_l4(b + 16, 8 * below(8));
		b[0] = WEIR_ND_RA;
	}
	return n;
}

static size_t
make_ip6(uint8_t *b)
{
	static const uint8_t nexts[] = {0, 43, 44, 60, 59, 99, IPPROTO_UDP, IPPROTO_TCP,
		IPPROTO_ICMPV6, IPPROTO_ICMPV6, IPPROTO_ICMPV6, IPPROTO_ICMPV6};
	const uint8_t next = nexts[below(RTE_DIM(nexts))];
	size_t n = fill_l4(b + 40, 8 * below(20));

	if (next == IPPROTO_ICMPV6) {
		if (below(2))
			n = make_nd(b + 40);
		else if (n > 0)
			b[40] = (uint8_t)(below(2) ? 128 : 1 + below(4));
		if (n > 0)
			ip_icmp6_cksum(&t, b + 40, n, below(2) ? NULL : "fe80::99", NULL);
	} else if (n > 0) {
		b[40] = nexts[below(RTE_DIM(nexts))]; /* a chain of headers */
		b[41] = (uint8_t)below(3);
	}
	weir_ip6_build(b, &(struct weir_ip6){.src = below(2) ? peer6 : ip_addr("fe80::99"),
				  .dst = us6,
				  .payload_len = (uint16_t)n,
				  .next = next,
				  .hop_limit = 255});
	return 40 + n;
}

/* Change some bytes, or the length. */
static size_t
damage(uint8_t *b, size_t n)
{
	for (uint32_t i = below(4); i > 0; i--)
		b[below((uint32_t)n)] = (uint8_t)below(256);
	return below(4) == 0 ? 1 + below((uint32_t)n) : n + below(2) * below(30);
}

static struct rte_mbuf *
make_frame(void)
{
	static const uint16_t types[] = {WEIR_ETH_TYPE_ARP, WEIR_ETH_TYPE_IP4, WEIR_ETH_TYPE_IP6};
	const uint32_t kind = below(3);
	uint8_t b[600] = {0};
	struct weir_eth_hdr eth = {.dst = below(8) ? us_mac : all_mac,
		.src = peer_mac,
		.type = weir_be16(types[kind])};
	size_t n = 14;

	memcpy(b, &eth, sizeof(eth));
	n += kind == 0 ? make_arp(b + 14) : kind == 1 ? make_ip4(b + 14) : make_ip6(b + 14);
	if (below(3) != 0)
		n = damage(b, n);
	return rig_mbuf(&t.r, b, n, below(2) ? 0 : 1 + below(80));
}

/* One turn of a worker. */
static void
turn(void)
{
	rig_recv(&t.r, make_frame());
	weir_ip4_input(&t.ip, &t.r.ip4, &t.udp, &t.tcp, NULL);
	weir_ip6_input(&t.ip, &t.r.ip6, &t.udp, &t.tcp, NULL);
	ip_use(&t);
	weir_ip_errors_done(&t.ip);
	ip_turn_loop(&t);
	rig_drain(&t.r);
	for (unsigned int w = 0; w < 2; w++) {
		rte_pktmbuf_free_bulk(t.r.core.handover[w].m, t.r.core.handover[w].n);
		t.r.core.handover[w].n = 0;
	}
	weir_core_flush(&t.r.core);
	rig_pass(&t.r, below(5000) ? below(2000) : 61000000);
}

/* The mix reaches every corner of these layers that it can. */
static void
expect_all_fates(void)
{
	static const enum weir_fate never[] = {WEIR_FATE_raw_taken, WEIR_FATE_tcp_taken,
		WEIR_FATE_tcp_merged, WEIR_FATE_drop_ip_ttl, WEIR_FATE_drop_icmp_rate,
		WEIR_FATE_drop_frag_limit, WEIR_FATE_drop_port_off, WEIR_FATE_igmp_taken,
		WEIR_FATE_drop_igmp_bad};

	for (unsigned int f = WEIR_FATE_arp_taken; f <= WEIR_FATE_drop_nd_bad; f++) {
		bool may_be_zero = false;

		for (size_t i = 0; i < RTE_DIM(never); i++)
			may_be_zero |= never[i] == f;
		CU_ASSERT(may_be_zero || seen[f] > 0);
	}
}

static void
damaged_frames_all_end_somewhere(void)
{
	const struct weir_steer s = {.n_workers = 2,
		.reta_size = 2,
		.key_len = 40,
		.key = "Any forty bytes make a key for Toeplitz.",
		.reta = {0, 1}};

	for (uint64_t seed = 1; seed <= 3; seed++) {
		weir_rand_seed(&rnd, seed);
		ip_open(&t, &(struct rig_conf){.n_workers = 2, .accept_ra = true, .use_dad = true},
			&s, true);
		for (unsigned int i = 0; i < FRAMES; i++)
			turn();
		CU_ASSERT_EQUAL(t.r.core.mbuf_fail, 0);
		ip_close(&t);
		for (unsigned int f = 0; f < WEIR_FATE_MAX; f++)
			seen[f] += t.r.core.fates[f];
	}
	expect_all_fates();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(damaged_frames_all_end_somewhere),
		{0},
	};

	return unit_main("random", tests, true);
}
