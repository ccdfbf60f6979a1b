/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_ip_hdr.h"

#include <rte_common.h>

#include "unit.h"
#include "weir_rand.h"

/* 10.0.0.2 to 10.0.0.1, UDP, 28 bytes in all. */
static const struct weir_ip4 ip4 = {.src = {RTE_BE32(0x0a000002)},
	.dst = {RTE_BE32(0x0a000001)},
	.total_len = 28,
	.id = 0x1234,
	.frag = WEIR_IP4_DF,
	.hlen = 20,
	.proto = 17,
	.ttl = 64,
	.tos = 0x10};

static void
ip4_header_survives_building_and_reading(void)
{
	uint8_t bytes[20];
	struct weir_ip4 h = {0};

	weir_ip4_build(bytes, &ip4);
	CU_ASSERT_TRUE(weir_ip4_cksum_ok(bytes, 20));
	CU_ASSERT_EQUAL(weir_ip4_parse(bytes, 20, 28, &h), WEIR_IP_OK);
	CU_ASSERT_EQUAL(memcmp(&h, &ip4, sizeof(h)), 0);
}

/* A well-known header: RFC 1071's method gives 0xb861 for it. */
static void
ip4_checksum_is_that_of_rfc_1071(void)
{
	uint8_t bytes[20] = {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0,
		1, 0xc0, 0xa8, 0, 0xc7};

	CU_ASSERT_TRUE(weir_ip4_cksum_ok(bytes, 20));
	for (unsigned int bit = 0; bit < 160; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_FALSE(weir_ip4_cksum_ok(bytes, 20));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static enum weir_ip_verdict
parse4(uint8_t version_ihl, uint16_t total_len, size_t n, uint32_t pkt_len)
{
	uint8_t bytes[20];
	struct weir_ip4 h;

	weir_ip4_build(bytes, &ip4);
	bytes[0] = version_ihl;
	bytes[2] = (uint8_t)(total_len >> 8);
	bytes[3] = (uint8_t)total_len;
	return weir_ip4_parse(bytes, n, pkt_len, &h);
}

static void
ip4_lengths_must_fit_into_each_other(void)
{
	CU_ASSERT_EQUAL(parse4(0x45, 28, 20, 28), WEIR_IP_OK);
	CU_ASSERT_EQUAL(parse4(0x45, 28, 20, 46), WEIR_IP_OK); /* link padding */
	CU_ASSERT_EQUAL(parse4(0x45, 20, 20, 20), WEIR_IP_OK);
	CU_ASSERT_EQUAL(parse4(0x45, 29, 20, 28), WEIR_IP_SHORT);
	CU_ASSERT_EQUAL(parse4(0x45, 28, 19, 28), WEIR_IP_SHORT);
	CU_ASSERT_EQUAL(parse4(0x45, 28, 20, 19), WEIR_IP_SHORT);
	CU_ASSERT_EQUAL(parse4(0x65, 28, 20, 28), WEIR_IP_VERSION);
	CU_ASSERT_EQUAL(parse4(0x05, 28, 20, 28), WEIR_IP_VERSION);
	CU_ASSERT_EQUAL(parse4(0x44, 28, 20, 28), WEIR_IP_HEADER_LEN);
	CU_ASSERT_EQUAL(parse4(0x40, 28, 20, 28), WEIR_IP_HEADER_LEN);
	CU_ASSERT_EQUAL(parse4(0x47, 28, 20, 28), WEIR_IP_OK);
	CU_ASSERT_EQUAL(parse4(0x48, 28, 20, 28), WEIR_IP_HEADER_LEN);
	CU_ASSERT_EQUAL(parse4(0x45, 19, 20, 28), WEIR_IP_HEADER_LEN);
	CU_ASSERT_EQUAL(parse4(0x45, 0, 20, 28), WEIR_IP_HEADER_LEN);
}

static void
ip4_options_must_be_well_formed(void)
{
	CU_ASSERT_TRUE(weir_ip4_options_ok("", 0));
	CU_ASSERT_TRUE(weir_ip4_options_ok("\1\1\1\0", 4));
	CU_ASSERT_TRUE(weir_ip4_options_ok("\x07\x07\4\0\0\0\0\0", 8)); /* record route */
	CU_ASSERT_TRUE(weir_ip4_options_ok("\0\xff\xff\xff", 4)); /* after the end: anything */
	CU_ASSERT_FALSE(weir_ip4_options_ok("\x07\x09\4\0\0\0\0\0", 8)); /* beyond the header */
	CU_ASSERT_FALSE(weir_ip4_options_ok("\x07\1\1\1", 4));		 /* shorter than itself */
	CU_ASSERT_FALSE(weir_ip4_options_ok("\x07\0\1\1", 4));
	CU_ASSERT_FALSE(weir_ip4_options_ok("\1\1\1\x07", 4)); /* no length */
}

static void
ip4_source_routes_are_refused(void)
{
	CU_ASSERT_FALSE(weir_ip4_options_ok("\x83\x03\4\0", 4)); /* loose */
	CU_ASSERT_FALSE(weir_ip4_options_ok("\x89\x03\4\0", 4)); /* strict */
	CU_ASSERT_FALSE(weir_ip4_options_ok("\1\1\x83\x07\4\0\0\0\0\0\0\0", 12));
}

static const struct weir_ip6 ip6 = {.src = {.b = {0x20, 1, 0xd, 0xb8, [15] = 2}},
	.dst = {.b = {0x20, 1, 0xd, 0xb8, [15] = 1}},
	.flow_label = 0xabcde,
	.payload_len = 8,
	.next = 17,
	.hop_limit = 64,
	.tclass = 0xb8};

static void
ip6_header_survives_building_and_reading(void)
{
	uint8_t bytes[40];
	struct weir_ip6 h = {0};

	weir_ip6_build(bytes, &ip6);
	CU_ASSERT_EQUAL(weir_ip6_parse(bytes, 40, 48, &h), WEIR_IP_OK);
	CU_ASSERT_EQUAL(memcmp(&h.src, &ip6.src, 16), 0);
	CU_ASSERT_EQUAL(memcmp(&h.dst, &ip6.dst, 16), 0);
	CU_ASSERT_EQUAL(h.flow_label, ip6.flow_label);
	CU_ASSERT_EQUAL(h.payload_len, 8);
	CU_ASSERT_EQUAL(h.next, 17);
	CU_ASSERT_EQUAL(h.hop_limit, 64);
	CU_ASSERT_EQUAL(h.tclass, 0xb8);
}

static void
ip6_packet_must_hold_its_payload(void)
{
	uint8_t bytes[40];
	struct weir_ip6 h;

	weir_ip6_build(bytes, &ip6);
	CU_ASSERT_EQUAL(weir_ip6_parse(bytes, 40, 47, &h), WEIR_IP_SHORT);
	CU_ASSERT_EQUAL(weir_ip6_parse(bytes, 39, 48, &h), WEIR_IP_SHORT);
	CU_ASSERT_EQUAL(weir_ip6_parse(bytes, 40, 100, &h), WEIR_IP_OK);
	bytes[0] = 0x45;
	CU_ASSERT_EQUAL(weir_ip6_parse(bytes, 40, 48, &h), WEIR_IP_VERSION);
}

static void
ip6_fragment_header_survives(void)
{
	const struct weir_ip6_frag f = {.id = 0xdeadbeef, .offset = 65528, .next = 6, .more = true};
	struct weir_ip6_frag g;
	uint8_t bytes[8];

	weir_ip6_frag_build(bytes, &f);
	weir_ip6_frag_parse(bytes, &g);
	CU_ASSERT_EQUAL(g.id, f.id);
	CU_ASSERT_EQUAL(g.offset, f.offset);
	CU_ASSERT_EQUAL(g.next, 6);
	CU_ASSERT_TRUE(g.more);
}

static enum weir_ip6_opts
check(const char *options, unsigned int *bad_off)
{
	uint8_t bytes[8] = {6, 0};

	memcpy(bytes + 2, options, 6);
	return weir_ip6_opts_check(bytes, sizeof(bytes), bad_off);
}

/* RFC 8200 4.2: the two highest bits of an unknown option decide. */
static void
ip6_unknown_options_act_by_their_type(void)
{
	unsigned int off = 0;

	CU_ASSERT_EQUAL(check("\1\4\0\0\0\0", &off), WEIR_IP6_OPTS_OK);
	CU_ASSERT_EQUAL(check("\0\0\0\0\0\0", &off), WEIR_IP6_OPTS_OK);
	CU_ASSERT_EQUAL(check("\5\2\0\0\0\0", &off), WEIR_IP6_OPTS_OK);
	CU_ASSERT_EQUAL(check("\x3e\4\0\0\0\0", &off), WEIR_IP6_OPTS_OK);
	CU_ASSERT_EQUAL(check("\x7e\4\0\0\0\0", &off), WEIR_IP6_OPTS_DROP);
	CU_ASSERT_EQUAL(check("\0\xbe\3\0\0\0", &off), WEIR_IP6_OPTS_TELL);
	CU_ASSERT_EQUAL(off, 3);
	CU_ASSERT_EQUAL(check("\xfe\4\0\0\0\0", &off), WEIR_IP6_OPTS_TELL_UNICAST);
	CU_ASSERT_EQUAL(off, 2);
}

static void
ip6_malformed_options_are_dropped(void)
{
	unsigned int off = 0;

	CU_ASSERT_EQUAL(check("\1\5\0\0\0\0", &off), WEIR_IP6_OPTS_DROP);
	CU_ASSERT_EQUAL(check("\1\xff\0\0\0\0", &off), WEIR_IP6_OPTS_DROP);
	CU_ASSERT_EQUAL(check("\0\0\0\0\0\1", &off), WEIR_IP6_OPTS_DROP);
}

/* Whatever the bytes, what a parser calls right is consistent. */
static void
random_bytes_never_give_inconsistent_lengths(void)
{
	struct weir_rand r;
	uint8_t bytes[64];
	unsigned int off;
	struct weir_ip4 h4;
	struct weir_ip6 h6;

	weir_rand_seed(&r, 1);
	for (unsigned int i = 0; i < 200000; i++) {
		const uint32_t len = weir_rand_below(&r, sizeof(bytes) + 1);

		for (size_t k = 0; k < sizeof(bytes); k += 8) {
			const uint64_t v = weir_rand_u64(&r);

			memcpy(bytes + k, &v, 8);
		}
		bytes[0] = (uint8_t)((bytes[0] & 15) | (i & 1 ? 0x40 : 0x60));
		bytes[2] = 0;
		if (weir_ip4_parse(bytes, len, len, &h4) == WEIR_IP_OK)
			CU_ASSERT(h4.hlen >= 20 && h4.hlen <= h4.total_len && h4.total_len <= len);
		if (weir_ip6_parse(bytes, len, len, &h6) == WEIR_IP_OK)
			CU_ASSERT(h6.payload_len + 40u <= len);
		weir_ip4_options_ok(bytes, len);
		if (len >= 2)
			weir_ip6_opts_check(bytes, len, &off);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(ip4_header_survives_building_and_reading),
		UNIT(ip4_checksum_is_that_of_rfc_1071),
		UNIT(ip4_lengths_must_fit_into_each_other),
		UNIT(ip4_options_must_be_well_formed),
		UNIT(ip4_source_routes_are_refused),
		UNIT(ip6_header_survives_building_and_reading),
		UNIT(ip6_packet_must_hold_its_payload),
		UNIT(ip6_fragment_header_survives),
		UNIT(ip6_unknown_options_act_by_their_type),
		UNIT(ip6_malformed_options_are_dropped),
		UNIT(random_bytes_never_give_inconsistent_lengths),
		{0},
	};

	return unit_main("ip_hdr", tests, false);
}
