/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_addr.h"

#include <errno.h>

#include <rte_common.h>

#include "unit.h"

static struct weir_addr
addr(const char *text)
{
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(text, &a), 0);
	return a;
}

static void
text_and_address_convert_both_ways(void)
{
	static const char *const texts[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
		"2001:db8::1", "fe80::200:ff:fe00:1", "2001:db8:1:2:3:4:5:6"};
	char text[WEIR_ADDR_STRLEN];

	for (size_t i = 0; i < RTE_DIM(texts); i++) {
		struct weir_addr a = addr(texts[i]);

		CU_ASSERT_STRING_EQUAL(weir_addr_format(&a, text), texts[i]);
	}
}

static void
ipv4_is_stored_in_mapped_form(void)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	struct weir_addr v4 = addr("192.0.2.1"), v6 = addr("::ffff:192.0.2.1");

	CU_ASSERT_EQUAL(memcmp(v4.b, mapped, 16), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&v4, &v6));
	CU_ASSERT_TRUE(weir_addr_is_v4(&v4));
	CU_ASSERT_EQUAL(weir_host32(weir_addr_to_v4(&v4)), 0xc0000201);
}

static void
bad_text_is_refused_and_leaves_the_address(void)
{
	static const char *const bad[] = {"", " ", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4 ",
		"::1::", "2001:db8::1/64", "fe80::1%eth0", "localhost", "12345::"};
	struct weir_addr a = addr("192.0.2.1"), before = a;

	for (size_t i = 0; i < RTE_DIM(bad); i++)
		CU_ASSERT_EQUAL(weir_addr_parse(bad[i], &a), -EINVAL);
	CU_ASSERT_TRUE(weir_addr_eq(&a, &before));
}

static void
prefix_length_counts_from_the_first_of_16_bytes(void)
{
	struct weir_addr a, want = addr("192.0.2.1");
	unsigned int len;

	CU_ASSERT_EQUAL(weir_addr_parse_prefix("192.0.2.1/24", &a, &len), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&a, &want));
	CU_ASSERT_EQUAL(len, 120);
	CU_ASSERT_EQUAL(weir_addr_parse_prefix("0.0.0.0/0", &a, &len), 0);
	CU_ASSERT_EQUAL(len, 96);
	CU_ASSERT_EQUAL(weir_addr_parse_prefix("192.0.2.1/32", &a, &len), 0);
	CU_ASSERT_EQUAL(len, 128);
	CU_ASSERT_EQUAL(weir_addr_parse_prefix("2001:db8::1/64", &a, &len), 0);
	CU_ASSERT_EQUAL(len, 64);
	CU_ASSERT_EQUAL(weir_addr_parse_prefix("::/0", &a, &len), 0);
	CU_ASSERT_EQUAL(len, 0);
	CU_ASSERT_EQUAL(weir_addr_parse_prefix("::ffff:192.0.2.1/120", &a, &len), 0);
	CU_ASSERT_EQUAL(len, 120);
}

static void
bad_prefix_is_refused_and_leaves_the_results(void)
{
	static const char *const bad[] = {"", "/", "/24", "192.0.2.1", "192.0.2.1/", "192.0.2.1/33",
		"192.0.2.1/+8", "192.0.2.1/ 8", "192.0.2.1/8 ", "192.0.2.1/-1", "192.0.2.1/8x",
		"192.0.2.1/0x8", "192.0.2.1/4294967304", "192.0.2.1/8/8", "::/129", "::/0000",
		"0000000000000000000000000000000000000000000000000000000000000000001/8"};
	struct weir_addr a = addr("2001:db8::1"), before = a;
	unsigned int len = 7;

	for (size_t i = 0; i < RTE_DIM(bad); i++)
		CU_ASSERT_EQUAL(weir_addr_parse_prefix(bad[i], &a, &len), -EINVAL);
	CU_ASSERT_TRUE(weir_addr_eq(&a, &before));
	CU_ASSERT_EQUAL(len, 7);
}

/* The lengths up to the first differing bit match, the longer ones do not. */
static void
prefix_matches_up_to_the_first_differing_bit(void)
{
	const struct weir_addr a = addr("2001:db8::5a5a:ffff");

	for (unsigned int bit = 0; bit < 128; bit++) {
		struct weir_addr b = a;

		b.b[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
		for (unsigned int len = 0; len <= 128; len++)
			CU_ASSERT_EQUAL(weir_addr_in_prefix(&a, &b, len), len <= bit);
	}
	CU_ASSERT_TRUE(weir_addr_in_prefix(&a, &a, 128));
}

static void
kinds_of_address_are_told_apart(void)
{
	struct weir_addr any4 = addr("0.0.0.0"), any6 = addr("::"), all = addr("255.255.255.255");
	struct weir_addr lo4 = addr("127.9.9.9"), lo6 = addr("::1"), uni4 = addr("128.0.0.1");
	struct weir_addr mc4 = addr("224.0.0.1"), mc4_last = addr("239.255.255.255");
	struct weir_addr mc6 = addr("ff02::1"), ll = addr("fe80::1"), ll_last = addr("febf::1");
	struct weir_addr site = addr("fec0::1"), reserved = addr("240.0.0.1"), one = addr("::2");

	CU_ASSERT_TRUE(weir_addr_is_any(&any4) && weir_addr_is_any(&any6));
	CU_ASSERT_FALSE(weir_addr_is_any(&lo6) || weir_addr_is_any(&uni4));
	CU_ASSERT_TRUE(weir_addr_is_broadcast(&all));
	CU_ASSERT_FALSE(weir_addr_is_broadcast(&any4) || weir_addr_is_multicast(&all));
	CU_ASSERT_TRUE(weir_addr_is_loopback(&lo4) && weir_addr_is_loopback(&lo6));
	CU_ASSERT_FALSE(weir_addr_is_loopback(&uni4) || weir_addr_is_loopback(&one));
	CU_ASSERT_TRUE(weir_addr_is_multicast(&mc4) && weir_addr_is_multicast(&mc4_last));
	CU_ASSERT_TRUE(weir_addr_is_multicast(&mc6));
	CU_ASSERT_FALSE(weir_addr_is_multicast(&reserved) || weir_addr_is_multicast(&ll));
	CU_ASSERT_TRUE(weir_addr_is_link_local(&ll) && weir_addr_is_link_local(&ll_last));
	CU_ASSERT_FALSE(weir_addr_is_link_local(&site));
}

/* Every field of a flow takes part in equality and, for all practical purposes, in the hash. */
static void
flows_differ_by_each_field(void)
{
	static const uint64_t secret[2] = {0x0123456789abcdef, 0xfedcba9876543210};
	const struct weir_flow f = {.laddr = addr("192.0.2.1"),
		.raddr = addr("192.0.2.2"),
		.lport = weir_be16(80),
		.rport = weir_be16(40000)};

	for (size_t i = 0; i < offsetof(struct weir_flow, rport) + sizeof(f.rport); i++) {
		struct weir_flow g = f;

		CU_ASSERT_TRUE(weir_flow_eq(&f, &g));
		CU_ASSERT_EQUAL(weir_flow_hash(&f, secret), weir_flow_hash(&g, secret));
		((uint8_t *)&g)[i] ^= 1;
		CU_ASSERT_FALSE(weir_flow_eq(&f, &g));
		CU_ASSERT_NOT_EQUAL(weir_flow_hash(&f, secret), weir_flow_hash(&g, secret));
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(text_and_address_convert_both_ways),
		UNIT(ipv4_is_stored_in_mapped_form),
		UNIT(bad_text_is_refused_and_leaves_the_address),
		UNIT(prefix_length_counts_from_the_first_of_16_bytes),
		UNIT(bad_prefix_is_refused_and_leaves_the_results),
		UNIT(prefix_matches_up_to_the_first_differing_bit),
		UNIT(kinds_of_address_are_told_apart),
		UNIT(flows_differ_by_each_field),
		{NULL},
	};

	return unit_main("base/addr", tests, false);
}
