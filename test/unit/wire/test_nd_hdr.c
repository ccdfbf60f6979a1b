/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_nd_hdr.h"

#include "unit.h"
#include "weir_rand.h"

static const struct weir_mac mac = {{0x02, 0, 0, 0xaa, 0xbb, 0xcc}};
static const struct weir_addr target = {.b = {0x20, 1, 0xd, 0xb8, [13] = 1, 2, 3}};

static void
solicitation_and_advertisement_survive(void)
{
	const struct weir_nd sent[] = {
		{.type = WEIR_ND_NS, .target = target, .has_slla = true, .slla = mac},
		{.type = WEIR_ND_NS, .target = target},
		{.type = WEIR_ND_NA,
			.target = target,
			.is_solicited = true,
			.is_override = true,
			.has_tlla = true,
			.tlla = mac},
		{.type = WEIR_ND_NA, .target = target, .is_router = true},
		{.type = WEIR_ND_RS, .has_slla = true, .slla = mac},
	};
	uint8_t bytes[WEIR_ND_MSG_MAX];
	struct weir_nd nd;

	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		const size_t n = weir_nd_build(bytes, &sent[i]);

		CU_ASSERT_TRUE_FATAL(n <= sizeof(bytes));
		CU_ASSERT_TRUE(weir_nd_parse(bytes, n, &nd));
		CU_ASSERT_EQUAL(nd.type, sent[i].type);
		CU_ASSERT_TRUE(weir_addr_eq(&nd.target, &sent[i].target));
		CU_ASSERT_EQUAL(nd.is_router, sent[i].is_router);
		CU_ASSERT_EQUAL(nd.is_solicited, sent[i].is_solicited);
		CU_ASSERT_EQUAL(nd.is_override, sent[i].is_override);
		CU_ASSERT_EQUAL(nd.has_slla, sent[i].has_slla);
		CU_ASSERT_EQUAL(nd.has_tlla, sent[i].has_tlla);
		CU_ASSERT_TRUE(weir_mac_eq(&nd.slla, &sent[i].slla));
		CU_ASSERT_TRUE(weir_mac_eq(&nd.tlla, &sent[i].tlla));
	}
}

/* RFC 4861 4.2: hop limit 64, router for 1800 s, MTU 1400, one prefix. */
static const uint8_t ra[16 + 8 + 8 + 32] = {134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0x75, 0x30, 0, 0, 3,
	0xe8, 1, 1, 2, 0, 0, 0xaa, 0xbb, 0xcc, 5, 1, 0, 0, 0, 0, 5, 0x78, 3, 4, 64, 0xc0, 0, 0,
	0x0e, 0x10, 0, 0, 7, 8, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8};

static void
router_advertisement_is_read(void)
{
	struct weir_nd nd;

	CU_ASSERT_TRUE_FATAL(weir_nd_parse(ra, sizeof(ra), &nd));
	CU_ASSERT_EQUAL(nd.hop_limit, 64);
	CU_ASSERT_EQUAL(nd.lifetime_s, 1800);
	CU_ASSERT_EQUAL(nd.reachable_ms, 30000);
	CU_ASSERT_EQUAL(nd.retrans_ms, 1000);
	CU_ASSERT_EQUAL(nd.mtu, 1400);
	CU_ASSERT_TRUE(nd.has_slla && weir_mac_eq(&nd.slla, &mac));
	CU_ASSERT_EQUAL_FATAL(nd.n_prefixes, 1);
	CU_ASSERT_EQUAL(nd.prefixes[0].len, 64);
	CU_ASSERT_EQUAL(nd.prefixes[0].valid_s, 3600);
	CU_ASSERT_EQUAL(nd.prefixes[0].preferred_s, 1800);
	CU_ASSERT_TRUE(nd.prefixes[0].is_on_link && nd.prefixes[0].is_auto);
}

static void
truncated_message_or_option_is_refused(void)
{
	struct weir_nd nd;

	for (size_t n = 0; n < sizeof(ra); n++)
		CU_ASSERT_EQUAL(weir_nd_parse(ra, n, &nd), n == 16 || n == 24 || n == 32);
}

/* RFC 4861 6.1.2: an option of length 0 must not be walked over. */
static void
option_of_length_zero_is_refused(void)
{
	uint8_t bytes[sizeof(ra)];
	struct weir_nd nd;

	memcpy(bytes, ra, sizeof(ra));
	bytes[17] = 0;
	CU_ASSERT_FALSE(weir_nd_parse(bytes, sizeof(bytes), &nd));
}

static void
unknown_types_are_refused_and_unknown_options_ignored(void)
{
	uint8_t bytes[sizeof(ra)];
	struct weir_nd nd;

	memcpy(bytes, ra, sizeof(ra));
	bytes[16] = 200;
	CU_ASSERT_TRUE(weir_nd_parse(bytes, sizeof(bytes), &nd));
	CU_ASSERT_FALSE(nd.has_slla);
	bytes[0] = 138;
	CU_ASSERT_FALSE(weir_nd_parse(bytes, sizeof(bytes), &nd));
}

static void
more_prefixes_than_we_keep_are_ignored(void)
{
	uint8_t bytes[16 + 32 * (WEIR_ND_PREFIXES_MAX + 3)];
	struct weir_nd nd;

	memcpy(bytes, ra, 16);
	for (size_t i = 16; i < sizeof(bytes); i += 32)
		memcpy(bytes + i, ra + 32, 32);
	CU_ASSERT_TRUE(weir_nd_parse(bytes, sizeof(bytes), &nd));
	CU_ASSERT_EQUAL(nd.n_prefixes, WEIR_ND_PREFIXES_MAX);
}

static void
addresses_are_derived_as_the_rfcs_say(void)
{
	static const struct weir_addr fe80 = {.b = {0xfe, 0x80}};
	struct weir_addr a;
	struct weir_mac m;
	char text[WEIR_ADDR_STRLEN];

	a = weir_addr_solicited_node(&target);
	CU_ASSERT_STRING_EQUAL(weir_addr_format(&a, text), "ff02::1:ff01:203");
	m = weir_mac_of_group(&a);
	CU_ASSERT_EQUAL(memcmp(&m, "\x33\x33\xff\1\2\3", 6), 0);
	a = weir_addr_eui64(&fe80, &mac);
	CU_ASSERT_STRING_EQUAL(weir_addr_format(&a, text), "fe80::ff:feaa:bbcc");
	a = weir_addr_v4(weir_be32(0xe0818283)); /* 224.129.130.131 */
	m = weir_mac_of_group(&a);
	CU_ASSERT_EQUAL(memcmp(&m, "\1\0\x5e\x01\x82\x83", 6), 0);
}

static void
random_messages_do_no_harm(void)
{
	struct weir_rand r;
	uint8_t bytes[128];
	struct weir_nd nd;

	weir_rand_seed(&r, 3);
	for (unsigned int i = 0; i < 100000; i++) {
		const size_t len = weir_rand_below(&r, sizeof(bytes) + 1);

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)weir_rand_below(&r, i & 1 ? 8 : 256);
		bytes[0] = (uint8_t)(133 + i % 5);
		weir_nd_parse(bytes, len, &nd);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(solicitation_and_advertisement_survive),
		UNIT(router_advertisement_is_read),
		UNIT(truncated_message_or_option_is_refused),
		UNIT(option_of_length_zero_is_refused),
		UNIT(unknown_types_are_refused_and_unknown_options_ignored),
		UNIT(more_prefixes_than_we_keep_are_ignored),
		UNIT(addresses_are_derived_as_the_rfcs_say),
		UNIT(random_messages_do_no_harm),
		{0},
	};

	return unit_main("nd_hdr", tests, false);
}
