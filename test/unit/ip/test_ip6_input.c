/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

static struct ip_rig t;
static const uint8_t udp[12] = {0, 1, 0, 2, 0, 12};

static void
open_rig(void)
{
	ip_open(&t, &(struct rig_conf){0}, NULL, false);
}

static void
input(struct pkt6 p)
{
	if (p.n_ext == 0 && p.next == 0)
		p.next = IPPROTO_UDP;
	if (p.payload == NULL) {
		p.payload = udp;
		p.n = sizeof(udp);
	}
	ip_recv6(&t, &p);
}

/* The next frame sent is an ICMPv6 error about a header: its code and pointer. */
static void
expect_param_problem(uint8_t code, uint32_t pointer)
{
	struct rte_mbuf *m = rig_sent(&t.r);
	struct weir_icmp_hdr h;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memcpy(&h, rig_bytes(m) + 54, sizeof(h));
	CU_ASSERT_EQUAL(h.type, WEIR_ICMP6_PARAM);
	CU_ASSERT_EQUAL(h.code, code);
	CU_ASSERT_EQUAL(weir_host32(h.rest), pointer);
	rte_pktmbuf_free(m);
}

static void
datagram_goes_up_with_its_addresses(void)
{
	struct weir_pkt *p;

	open_rig();
	input((struct pkt6){.hop_limit = 7, .pad = 5, .seg = 13});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	p = weir_pkt(t.udp.m[0]);
	CU_ASSERT_TRUE(weir_addr_eq(&p->flow.laddr, &us6));
	CU_ASSERT_TRUE(weir_addr_eq(&p->flow.raddr, &peer6));
	CU_ASSERT_EQUAL(p->l4_off, 40);
	CU_ASSERT_EQUAL(p->l4_len, sizeof(udp));
	CU_ASSERT_EQUAL(p->ttl, 7);
	CU_ASSERT_EQUAL(t.udp.m[0]->pkt_len, 40 + sizeof(udp));
	ip_close(&t);
}

static void
malformed_headers_end_by_name(void)
{
	uint8_t bytes[60] = {0x45, [5] = 20};
	struct rte_mbuf *m;

	open_rig();
	input((struct pkt6){.payload_len = sizeof(udp) + 1});
	ip_fate(&t, drop_ip_short, 1);
	for (size_t n = 1; n < 40; n++) {
		m = rig_mbuf(&t.r, bytes, n, 9);
		ip_begin(&t, m, WEIR_ETH_TYPE_IP6, 0);
		ip_recv_mbuf(&t, m, false);
	}
	ip_fate(&t, drop_ip_short, 40);
	m = rig_mbuf(&t.r, bytes, sizeof(bytes), 0);
	ip_begin(&t, m, WEIR_ETH_TYPE_IP6, 0);
	ip_recv_mbuf(&t, m, false);
	ip_fate(&t, drop_ip_version, 1);
	ip_close(&t);
}

static void
martian_addresses_are_dropped(void)
{
	static const char *const src[] = {
		"::", "::1", "ff02::1", "::ffff:10.0.0.2", "::ffff:10.0.0.1", "2001:db8::1"};
	static const char *const dst[] = {"::", "::1", "::ffff:10.0.0.1", "ff01::1", "ff00::1"};

	open_rig();
	for (size_t i = 0; i < RTE_DIM(src); i++)
		input((struct pkt6){.src = src[i]});
	ip_fate(&t, drop_ip_martian_src, RTE_DIM(src));
	for (size_t i = 0; i < RTE_DIM(dst); i++)
		input((struct pkt6){.dst = dst[i]});
	ip_fate(&t, drop_ip_martian_dst, RTE_DIM(dst));
	CU_ASSERT_EQUAL(t.udp.n, 0);
	ip_close(&t);
}

static void
only_our_addresses_and_groups_are_taken(void)
{
	open_rig();
	input((struct pkt6){.dst = "2001:db8::3"});
	input((struct pkt6){.dst = "ff02::2"});
	input((struct pkt6){.dst = "ff02::1:ff00:9"});
	ip_fate(&t, drop_ip_not_ours, 3);
	input((struct pkt6){.dst = "ff02::1"});
	input((struct pkt6){.dst = "ff02::1:ff00:1"});
	input((struct pkt6){.dst = "fe80::ff:fe00:1"});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 3);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->flags, WEIR_PKT_MULTICAST);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[1])->flags, WEIR_PKT_MULTICAST);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[2])->flags, 0);
	ip_close(&t);
}

static void
extension_headers_are_walked(void)
{
	static const uint8_t ext[] = {60, 0, 1, 4, 0, 0, 0, 0, 43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0};

	open_rig();
	for (size_t seg = 0; seg < 80; seg += 11) {
		input((struct pkt6){.next = 0, .ext = ext, .n_ext = sizeof(ext), .seg = seg});
		CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
		CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->l4_off, 40 + sizeof(ext));
		CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->l4_len, sizeof(udp));
		CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->proto, IPPROTO_UDP);
		ip_use(&t);
	}
	ip_close(&t);
}

static void
extension_header_beyond_the_packet_is_dropped(void)
{
	static const uint8_t ext[] = {17, 9, 1, 4, 0, 0, 0, 0};

	open_rig();
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = 8});
	input((struct pkt6){.next = 43, .ext = ext, .n_ext = 8});
	input((struct pkt6){.next = 60, .payload = ext, .n = 1});
	input((struct pkt6){.next = 0, .payload = ext, .n = 7, .ext = ext, .n_ext = 0});
	ip_fate(&t, drop_ip_options, 3);
	input((struct pkt6){.next = 44, .payload = ext, .n = 7});
	ip_fate(&t, drop_frag_bad, 1);
	ip_close(&t);
}

static void
hop_by_hop_stands_first_only(void)
{
	static const uint8_t ext[] = {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0};

	open_rig();
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = sizeof(ext)});
	ip_fate(&t, drop_ip_options, 1);
	expect_param_problem(WEIR_ICMP6_PARAM_NEXT_HEADER, 40);
	ip_close(&t);
}

static void
unknown_options_act_by_their_type(void)
{
	uint8_t ext[] = {17, 0, 0x3e, 4, 0, 0, 0, 0};

	open_rig();
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = 8});
	CU_ASSERT_EQUAL(t.udp.n, 1);
	ext[2] = 0x7e;
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = 8});
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ext[2] = 0xbe;
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = 8});
	expect_param_problem(WEIR_ICMP6_PARAM_OPTION, 42);
	input((struct pkt6){.next = 60, .dst = "ff02::1", .ext = ext, .n_ext = 8});
	expect_param_problem(WEIR_ICMP6_PARAM_OPTION, 42);
	ext[2] = 0xfe;
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = 8});
	expect_param_problem(WEIR_ICMP6_PARAM_OPTION, 42);
	input((struct pkt6){.next = 60, .dst = "ff02::1", .ext = ext, .n_ext = 8});
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ip_fate(&t, drop_ip_options, 5);
	ip_close(&t);
}

/* RFC 5095, RFC 8200 4.4. */
static void
routing_header_with_a_way_to_go_is_refused(void)
{
	uint8_t ext[24] = {17, 2, 0, 1};

	open_rig();
	input((struct pkt6){.next = 43, .ext = ext, .n_ext = 24});
	ip_fate(&t, drop_ip_options, 1);
	expect_param_problem(WEIR_ICMP6_PARAM_FIELD, 42);
	ext[3] = 0;
	input((struct pkt6){.next = 43, .ext = ext, .n_ext = 24});
	CU_ASSERT_EQUAL(t.udp.n, 1);
	ip_close(&t);
}

static void
endless_chains_of_headers_are_dropped(void)
{
	uint8_t ext[8 * 100] = {0};

	open_rig();
	for (size_t i = 0; i < sizeof(ext); i += 8)
		ext[i] = 60;
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = sizeof(ext)});
	ip_fate(&t, drop_ip_options, 1);
	ip_close(&t);
}

static void
unknown_protocol_is_answered(void)
{
	static const uint8_t ext[] = {99, 0, 1, 4, 0, 0, 0, 0};

	open_rig();
	input((struct pkt6){.next = 99});
	expect_param_problem(WEIR_ICMP6_PARAM_NEXT_HEADER, 6);
	input((struct pkt6){.next = 60, .ext = ext, .n_ext = 8});
	expect_param_problem(WEIR_ICMP6_PARAM_NEXT_HEADER, 40);
	input((struct pkt6){.next = WEIR_IP6_NH_NONE});
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ip_fate(&t, drop_ip_proto, 3);
	t.has_raw = true;
	input((struct pkt6){.next = 99});
	CU_ASSERT_EQUAL(t.raw.n, 1);
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(datagram_goes_up_with_its_addresses),
		UNIT(malformed_headers_end_by_name),
		UNIT(martian_addresses_are_dropped),
		UNIT(only_our_addresses_and_groups_are_taken),
		UNIT(extension_headers_are_walked),
		UNIT(extension_header_beyond_the_packet_is_dropped),
		UNIT(hop_by_hop_stands_first_only),
		UNIT(unknown_options_act_by_their_type),
		UNIT(routing_header_with_a_way_to_go_is_refused),
		UNIT(endless_chains_of_headers_are_dropped),
		UNIT(unknown_protocol_is_answered),
		{0},
	};

	return unit_main("ip6_input", tests, true);
}
