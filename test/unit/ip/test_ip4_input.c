/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

static struct ip_rig t;
static const uint8_t udp[12] = {0, 1, 0, 2, 0, 12};

static void
open_caps(uint32_t caps)
{
	ip_open(&t, &(struct rig_conf){.caps = caps}, NULL, false);
}

/* Input of p with a UDP payload. */
static void
input(struct pkt4 p)
{
	if (p.payload == NULL) {
		p.payload = udp;
		p.n = sizeof(udp);
	}
	ip_recv4(&t, &p);
}

static void
datagram_goes_up_with_its_addresses(void)
{
	struct weir_pkt *p;

	open_caps(0);
	input((struct pkt4){.ttl = 3});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	p = weir_pkt(t.udp.m[0]);
	CU_ASSERT_TRUE(weir_addr_eq(&p->flow.laddr, &us4));
	CU_ASSERT_TRUE(weir_addr_eq(&p->flow.raddr, &peer4));
	CU_ASSERT_EQUAL(p->l4_off, 20);
	CU_ASSERT_EQUAL(p->l4_len, sizeof(udp));
	CU_ASSERT_EQUAL(p->ttl, 3);
	CU_ASSERT_EQUAL(p->proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(*rig_bytes(t.udp.m[0]), 0x45);
	CU_ASSERT_EQUAL(t.ip.stats.rx_ip4, 1);
	ip_close(&t);
}

static void
protocols_are_sorted(void)
{
	open_caps(0);
	t.has_raw = true;
	input((struct pkt4){.proto = IPPROTO_TCP});
	input((struct pkt4){.proto = IPPROTO_UDP});
	input((struct pkt4){.proto = IPPROTO_GRE});
	input((struct pkt4){.proto = IPPROTO_ICMPV6}); /* of the other version */
	CU_ASSERT_EQUAL(t.tcp.n, 1);
	CU_ASSERT_EQUAL(t.udp.n, 1);
	CU_ASSERT_EQUAL(t.raw.n, 2);
	ip_close(&t);
}

static void
link_padding_is_cut_off(void)
{
	open_caps(0);
	for (size_t seg = 0; seg < 45; seg += 5) {
		input((struct pkt4){.pad = 14, .seg = seg});
		CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
		CU_ASSERT_EQUAL(t.udp.m[0]->pkt_len, 32);
		rte_mbuf_sanity_check(t.udp.m[0], 1);
		ip_use(&t);
	}
	ip_close(&t);
}

static void
malformed_headers_end_by_name(void)
{
	open_caps(0);
	input((struct pkt4){.version_ihl = 0x55});
	ip_fate(&t, drop_ip_version, 1);
	input((struct pkt4){.version_ihl = 0x44});
	input((struct pkt4){.version_ihl = 0x49}); /* 36 bytes of header in a packet of 32 */
	input((struct pkt4){.total_len = 19});
	ip_fate(&t, drop_ip_header_len, 3);
	input((struct pkt4){.total_len = 33});
	ip_fate(&t, drop_ip_short, 1);
	input((struct pkt4){.bad_cksum = true});
	ip_fate(&t, drop_ip_cksum, 1);
	CU_ASSERT_EQUAL(t.udp.n, 0);
	ip_close(&t);
}

static void
truncated_packets_end_as_short(void)
{
	uint8_t bytes[32];
	struct rte_mbuf *m;

	open_caps(0);
	weir_ip4_build(bytes, &(struct weir_ip4){.total_len = 32, .proto = IPPROTO_UDP});
	for (size_t n = 1; n < 32; n++) {
		m = rig_mbuf(&t.r, bytes, n, n % 3 ? 0 : 7);
		ip_begin(&t, m, WEIR_ETH_TYPE_IP4, 0);
		ip_recv_mbuf(&t, m, true);
	}
	ip_fate(&t, drop_ip_short, 31);
	ip_close(&t);
}

static void
checksum_is_left_to_the_port_that_says_good(void)
{
	open_caps(WEIR_PORT_RX_IP4_CKSUM);
	input((struct pkt4){.bad_cksum = true, .ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD});
	CU_ASSERT_EQUAL(t.udp.n, 1);
	input((struct pkt4){.bad_cksum = true, .ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD});
	input((struct pkt4){.bad_cksum = true});
	ip_fate(&t, drop_ip_cksum, 2);
	ip_close(&t);
	open_caps(0); /* a port without the capability is not believed */
	input((struct pkt4){.bad_cksum = true, .ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD});
	ip_fate(&t, drop_ip_cksum, 1);
	ip_close(&t);
}

static uint8_t
l4_flags(uint32_t caps, uint64_t ol_flags)
{
	uint8_t flags;

	open_caps(caps);
	input((struct pkt4){.ol_flags = ol_flags});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	flags = weir_pkt(t.udp.m[0])->flags;
	ip_close(&t);
	return flags;
}

static void
transport_checksum_is_passed_on_as_the_port_says(void)
{
	const uint32_t cap = WEIR_PORT_RX_L4_CKSUM;

	CU_ASSERT_EQUAL(l4_flags(cap, RTE_MBUF_F_RX_L4_CKSUM_GOOD), WEIR_PKT_L4_CKSUM_OK);
	CU_ASSERT_EQUAL(l4_flags(cap, RTE_MBUF_F_RX_L4_CKSUM_NONE), WEIR_PKT_L4_CKSUM_OK);
	CU_ASSERT_EQUAL(l4_flags(cap, RTE_MBUF_F_RX_L4_CKSUM_BAD), WEIR_PKT_L4_CKSUM_BAD);
	CU_ASSERT_EQUAL(l4_flags(cap, 0), 0);
	CU_ASSERT_EQUAL(l4_flags(0, RTE_MBUF_F_RX_L4_CKSUM_GOOD), 0);
}

static void
options_are_stepped_over_and_source_routes_refused(void)
{
	open_caps(0);
	input((struct pkt4){.options = "\1\1\1\0", .n_options = 4, .seg = 21});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->l4_off, 24);
	input((struct pkt4){.options = "\x83\3\4\0", .n_options = 4});
	input((struct pkt4){.options = "\7\0\0\0", .n_options = 4});
	ip_fate(&t, drop_ip_options, 2);
	ip_close(&t);
}

static void
martian_sources_are_dropped(void)
{
	static const char *const src[] = {"224.0.0.1", "239.255.255.255", "255.255.255.255",
		"10.0.0.255", "127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "10.0.0.1"};

	open_caps(0);
	for (size_t i = 0; i < RTE_DIM(src); i++)
		input((struct pkt4){.src = src[i]});
	ip_fate(&t, drop_ip_martian_src, RTE_DIM(src));
	CU_ASSERT_EQUAL(t.udp.n, 0);
	input((struct pkt4){.src = "0.0.0.0", .dst = "255.255.255.255"}); /* DHCP */
	CU_ASSERT_EQUAL(t.udp.n, 1);
	ip_close(&t);
}

static void
martian_destinations_are_dropped(void)
{
	open_caps(0);
	input((struct pkt4){.dst = "127.0.0.1"});
	input((struct pkt4){.dst = "0.0.0.0"});
	input((struct pkt4){.dst = "0.0.0.1"});
	ip_fate(&t, drop_ip_martian_dst, 3);
	ip_close(&t);
}

static void
only_our_addresses_and_groups_are_taken(void)
{
	static const char *const other[] = {"10.0.0.2", "10.0.0.3", "10.0.1.255", "239.1.1.1"};
	const struct weir_addr group = ip_addr("239.1.1.1");

	open_caps(0);
	for (size_t i = 0; i < RTE_DIM(other); i++)
		input((struct pkt4){.dst = other[i], .src = "10.0.0.9"});
	ip_fate(&t, drop_ip_not_ours, RTE_DIM(other));
	CU_ASSERT_EQUAL(weir_ip_join(&t.ip, &group, -1), 0);
	input((struct pkt4){.dst = "239.1.1.1"});
	input((struct pkt4){.dst = "224.0.0.1"});
	input((struct pkt4){.dst = "10.0.0.255"});
	input((struct pkt4){.dst = "255.255.255.255"});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 4);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->flags, WEIR_PKT_MULTICAST);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[1])->flags, WEIR_PKT_MULTICAST);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[2])->flags, WEIR_PKT_BROADCAST);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[3])->flags, WEIR_PKT_BROADCAST);
	CU_ASSERT_EQUAL(weir_ip_leave(&t.ip, &group, -1), 0);
	input((struct pkt4){.dst = "239.1.1.1"});
	CU_ASSERT_EQUAL(t.udp.n, 4);
	ip_close(&t);
}

static void
full_vector_drops(void)
{
	open_caps(0);
	for (unsigned int i = 0; i < WEIR_VEC_MAX + 3; i++)
		input((struct pkt4){0});
	CU_ASSERT_EQUAL(t.udp.n, WEIR_VEC_MAX);
	ip_fate(&t, drop_no_memory, 3);
	ip_close(&t);
}

static void
header_may_be_scattered(void)
{
	open_caps(0);
	for (size_t seg = 1; seg < 32; seg++) {
		input((struct pkt4){.seg = seg});
		CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
		ip_use(&t);
	}
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(datagram_goes_up_with_its_addresses),
		UNIT(protocols_are_sorted),
		UNIT(link_padding_is_cut_off),
		UNIT(malformed_headers_end_by_name),
		UNIT(truncated_packets_end_as_short),
		UNIT(checksum_is_left_to_the_port_that_says_good),
		UNIT(transport_checksum_is_passed_on_as_the_port_says),
		UNIT(options_are_stepped_over_and_source_routes_refused),
		UNIT(martian_sources_are_dropped),
		UNIT(martian_destinations_are_dropped),
		UNIT(only_our_addresses_and_groups_are_taken),
		UNIT(full_vector_drops),
		UNIT(header_may_be_scattered),
		{0},
	};

	return unit_main("ip4_input", tests, true);
}
