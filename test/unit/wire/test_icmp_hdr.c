/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_icmp_hdr.h"

#include <netinet/in.h>

#include "unit.h"
#include "weir_ip_hdr.h"
#include "weir_rand.h"

static const uint8_t l4[8] = {0x12, 0x34, 0, 80, 0xde, 0xad, 0xbe, 0xef};

static size_t
quote4(uint8_t *bytes, uint8_t proto, uint16_t frag)
{
	weir_ip4_build(bytes, &(struct weir_ip4){.src = weir_be32(0x0a000001),
				      .dst = weir_be32(0x0a000002),
				      .total_len = 1500,
				      .frag = frag,
				      .proto = proto,
				      .ttl = 1});
	memcpy(bytes + 20, l4, 8);
	return 28;
}

static void
ip4_quote_gives_flow_and_sequence(void)
{
	struct weir_icmp_quote q;
	uint8_t bytes[28];
	const size_t n = quote4(bytes, IPPROTO_TCP, WEIR_IP4_DF);

	CU_ASSERT_TRUE_FATAL(weir_icmp4_quote_parse(bytes, n, &q));
	CU_ASSERT_EQUAL(weir_host32(weir_addr_to_v4(&q.src)), 0x0a000001);
	CU_ASSERT_EQUAL(weir_host32(weir_addr_to_v4(&q.dst)), 0x0a000002);
	CU_ASSERT_EQUAL(weir_host16(q.sport), 0x1234);
	CU_ASSERT_EQUAL(weir_host16(q.dport), 80);
	CU_ASSERT_EQUAL(q.tcp_seq, 0xdeadbeef);
	CU_ASSERT_EQUAL(q.proto, IPPROTO_TCP);
}

static void
ip4_quote_too_short_for_ports_is_refused(void)
{
	struct weir_icmp_quote q;
	uint8_t bytes[28];
	const size_t n = quote4(bytes, IPPROTO_UDP, 0);

	for (size_t k = 0; k < n; k++)
		CU_ASSERT_FALSE(weir_icmp4_quote_parse(bytes, k, &q));
}

static void
ip4_quote_of_a_later_fragment_is_refused(void)
{
	struct weir_icmp_quote q;
	uint8_t bytes[28];

	CU_ASSERT_FALSE(weir_icmp4_quote_parse(bytes, quote4(bytes, IPPROTO_UDP, 185), &q));
	CU_ASSERT_TRUE(weir_icmp4_quote_parse(bytes, quote4(bytes, IPPROTO_UDP, WEIR_IP4_MF), &q));
}

static size_t
quote6(uint8_t *bytes, uint8_t next, const uint8_t *ext, size_t ext_len)
{
	weir_ip6_build(bytes, &(struct weir_ip6){.src = {.b = {0x20, [15] = 1}},
				      .dst = {.b = {0x20, [15] = 2}},
				      .payload_len = 1400,
				      .next = next,
				      .hop_limit = 1});
	memcpy(bytes + 40, ext, ext_len);
	memcpy(bytes + 40 + ext_len, l4, 8);
	return 48 + ext_len;
}

static void
ip6_quote_is_found_behind_extension_headers(void)
{
	static const uint8_t ext[] = {
		60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 9};
	struct weir_icmp_quote q;
	uint8_t bytes[128];
	const size_t n = quote6(bytes, WEIR_IP6_NH_HOPOPTS, ext, sizeof(ext));

	CU_ASSERT_TRUE_FATAL(weir_icmp6_quote_parse(bytes, n, &q));
	CU_ASSERT_EQUAL(q.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(weir_host16(q.dport), 80);
	for (size_t k = 0; k < n; k++)
		CU_ASSERT_FALSE(weir_icmp6_quote_parse(bytes, k, &q));
}

static void
ip6_quote_of_a_later_fragment_is_refused(void)
{
	static const uint8_t ext[] = {17, 0, 0, 9, 0, 0, 0, 9};
	struct weir_icmp_quote q;
	uint8_t bytes[128];

	CU_ASSERT_FALSE(weir_icmp6_quote_parse(
		bytes, quote6(bytes, WEIR_IP6_NH_FRAGMENT, ext, sizeof(ext)), &q));
}

static void
only_errors_are_errors(void)
{
	CU_ASSERT_TRUE(weir_icmp4_is_error(WEIR_ICMP4_UNREACH));
	CU_ASSERT_TRUE(weir_icmp4_is_error(WEIR_ICMP4_REDIRECT));
	CU_ASSERT_FALSE(weir_icmp4_is_error(WEIR_ICMP4_ECHO));
	CU_ASSERT_FALSE(weir_icmp4_is_error(WEIR_ICMP4_ECHO_REPLY));
	CU_ASSERT_TRUE(weir_icmp6_is_error(127));
	CU_ASSERT_FALSE(weir_icmp6_is_error(128));
}

static void
random_quotes_do_no_harm(void)
{
	struct weir_icmp_quote q;
	struct weir_rand r;
	uint8_t bytes[96];

	weir_rand_seed(&r, 2);
	for (unsigned int i = 0; i < 100000; i++) {
		const size_t len = weir_rand_below(&r, sizeof(bytes) + 1);

		quote6(bytes, (uint8_t)(i % 64), (const uint8_t *)"", 0);
		for (size_t k = 40; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)weir_rand_below(&r, i & 1 ? 3 : 256);
		weir_icmp6_quote_parse(bytes, len, &q);
		bytes[0] = (uint8_t)(0x40 | (i & 15));
		weir_icmp4_quote_parse(bytes, len, &q);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(ip4_quote_gives_flow_and_sequence),
		UNIT(ip4_quote_too_short_for_ports_is_refused),
		UNIT(ip4_quote_of_a_later_fragment_is_refused),
		UNIT(ip6_quote_is_found_behind_extension_headers),
		UNIT(ip6_quote_of_a_later_fragment_is_refused),
		UNIT(only_errors_are_errors),
		UNIT(random_quotes_do_no_harm),
		{0},
	};

	return unit_main("icmp_hdr", tests, false);
}
