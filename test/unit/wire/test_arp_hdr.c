/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_arp_hdr.h"

#include "unit.h"

/* RFC 826: 10.0.0.1 at 02:..:01 asks for 10.0.0.2. */
static const uint8_t request[WEIR_ARP_LEN] = {
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};

static void
request_is_read(void)
{
	struct weir_arp arp;

	CU_ASSERT_TRUE_FATAL(weir_arp_parse(request, sizeof(request), &arp));
	CU_ASSERT_EQUAL(arp.op, WEIR_ARP_REQUEST);
	CU_ASSERT_EQUAL(weir_host32(arp.spa), 0x0a000001);
	CU_ASSERT_EQUAL(weir_host32(arp.tpa), 0x0a000002);
	CU_ASSERT_EQUAL(arp.sha.b[0], 2);
	CU_ASSERT_EQUAL(arp.sha.b[5], 1);
}

static void
build_gives_the_bytes_that_were_read(void)
{
	uint8_t bytes[WEIR_ARP_LEN];
	struct weir_arp arp;

	CU_ASSERT_TRUE_FATAL(weir_arp_parse(request, sizeof(request), &arp));
	weir_arp_build(bytes, &arp);
	CU_ASSERT_EQUAL(memcmp(bytes, request, sizeof(bytes)), 0);
}

static void
other_hardware_protocol_length_and_operation_are_refused(void)
{
	static const unsigned int fields[] = {1, 2, 3, 4, 5, 6};
	struct weir_arp arp;
	uint8_t bytes[WEIR_ARP_LEN];

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		memcpy(bytes, request, sizeof(bytes));
		bytes[fields[i]] ^= 0x11;
		CU_ASSERT_FALSE(weir_arp_parse(bytes, sizeof(bytes), &arp));
	}
	memcpy(bytes, request, sizeof(bytes));
	bytes[7] = 3; /* RARP */
	CU_ASSERT_FALSE(weir_arp_parse(bytes, sizeof(bytes), &arp));
	bytes[7] = 0;
	CU_ASSERT_FALSE(weir_arp_parse(bytes, sizeof(bytes), &arp));
}

static void
truncated_packet_is_refused(void)
{
	struct weir_arp arp;

	for (size_t n = 0; n < sizeof(request); n++)
		CU_ASSERT_FALSE(weir_arp_parse(request, n, &arp));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(request_is_read),
		UNIT(build_gives_the_bytes_that_were_read),
		UNIT(other_hardware_protocol_length_and_operation_are_refused),
		UNIT(truncated_packet_is_refused),
		{0},
	};

	return unit_main("arp_hdr", tests, false);
}
