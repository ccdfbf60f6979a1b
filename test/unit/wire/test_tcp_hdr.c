/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "unit.h"
#include "weir_rand.h"
#include "weir_tcp_hdr.h"

/* Parse what h builds; the segment carries n bytes of data. */
static struct weir_tcp_seg
rebuild(const struct weir_tcp_hdr_info *h, uint16_t n)
{
	uint8_t hdr[WEIR_TCP_HLEN_MAX];
	struct weir_tcp_seg seg;
	const unsigned int len = weir_tcp_build(hdr, h);

	CU_ASSERT_EQUAL(len, weir_tcp_build_len(h));
	CU_ASSERT_EQUAL(len % 4, 0);
	CU_ASSERT_EQUAL(weir_tcp_parse(hdr, (uint16_t)(len + n), &seg), len);
	return seg;
}

static void
plain_header_comes_back(void)
{
	const struct weir_tcp_hdr_info h = {.seq = 0x01020304,
		.ack = 0xfffefdfc,
		.wnd = 0x1234,
		.urg = 7,
		.flags = WEIR_TCP_ACK};
	const struct weir_tcp_seg seg = rebuild(&h, 100);

	CU_ASSERT_EQUAL(seg.seq, h.seq);
	CU_ASSERT_EQUAL(seg.ack, h.ack);
	CU_ASSERT_EQUAL(seg.wnd, h.wnd);
	CU_ASSERT_EQUAL(seg.urg, h.urg);
	CU_ASSERT_EQUAL(seg.flags, h.flags);
	CU_ASSERT_EQUAL(seg.len, 100);
	CU_ASSERT_EQUAL(seg.opts, 0);
}

/* The order of options that Linux uses, byte for byte. */
static void
syn_options_stand_in_their_order(void)
{
	static const struct {
		uint8_t opts;
		uint8_t len;
		uint8_t bytes[20];
	} cases[] = {
		{WEIR_TCP_OPT_MSS, 4, {2, 4, 5, 180}},
		{WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_WSCALE, 8, {2, 4, 5, 180, 1, 3, 3, 8}},
		{WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_SACK_OK | WEIR_TCP_OPT_WSCALE, 12,
			{2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 8}},
		{WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_TS | WEIR_TCP_OPT_WSCALE, 20,
			{2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 8}},
		{WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_SACK_OK | WEIR_TCP_OPT_TS | WEIR_TCP_OPT_WSCALE,
			20, {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 8}},
	};
	uint8_t hdr[WEIR_TCP_HLEN_MAX];

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		const struct weir_tcp_hdr_info h = {.flags = WEIR_TCP_SYN,
			.opts = cases[i].opts,
			.mss = 1460,
			.wscale = 8,
			.ts_val = 1,
			.ts_ecr = 2};

		CU_ASSERT_EQUAL(
			weir_tcp_build(hdr, &h), WEIR_TCP_HLEN + (unsigned int)cases[i].len);
		CU_ASSERT_EQUAL(memcmp(hdr + WEIR_TCP_HLEN, cases[i].bytes, cases[i].len), 0);
	}
}

static void
sack_blocks_come_back(void)
{
	static const struct weir_tcp_sack blocks[] = {{100, 200}, {UINT32_MAX, 5}, {7, 8}};
	const struct weir_tcp_hdr_info h = {.flags = WEIR_TCP_ACK,
		.opts = WEIR_TCP_OPT_TS | WEIR_TCP_OPT_SACK,
		.n_sack = 3,
		.sack = blocks};
	uint8_t hdr[WEIR_TCP_HLEN_MAX];
	struct weir_tcp_seg seg;

	CU_ASSERT_EQUAL(weir_tcp_build(hdr, &h), WEIR_TCP_HLEN + 12 + 4 + 24);
	CU_ASSERT_EQUAL(weir_tcp_parse(hdr, WEIR_TCP_HLEN_MAX, &seg), WEIR_TCP_HLEN_MAX);
	CU_ASSERT_EQUAL(seg.n_sack, 3);
	for (unsigned int i = 0; i < 3; i++) {
		const struct weir_tcp_sack b = weir_tcp_sack_at(hdr, &seg, i);

		CU_ASSERT_EQUAL(b.start, blocks[i].start);
		CU_ASSERT_EQUAL(b.end, blocks[i].end);
	}
}

/* Parse, build, parse again: the same value. */
static void
any_header_comes_back(void)
{
	struct weir_rand rand;

	weir_rand_seed(&rand, 5);
	for (unsigned int i = 0; i < 20000; i++) {
		struct weir_tcp_hdr_info h = {
			.seq = (uint32_t)weir_rand_u64(&rand),
			.ack = (uint32_t)weir_rand_u64(&rand),
			.wnd = (uint16_t)weir_rand_u64(&rand),
			.flags = (uint8_t)weir_rand_u64(&rand),
			.opts = (uint8_t)(weir_rand_u64(&rand) & 15),
			.wscale = (uint8_t)weir_rand_below(&rand, 15),
			.mss = (uint16_t)(1 + weir_rand_below(&rand, 65535)),
			.ts_val = (uint32_t)weir_rand_u64(&rand),
			.ts_ecr = (uint32_t)weir_rand_u64(&rand),
		};
		const struct weir_tcp_seg seg = rebuild(&h, 9);

		CU_ASSERT_EQUAL(seg.opts, h.opts);
		CU_ASSERT_EQUAL(seg.mss, (h.opts & WEIR_TCP_OPT_MSS) ? h.mss : 0);
		CU_ASSERT_EQUAL(seg.wscale, (h.opts & WEIR_TCP_OPT_WSCALE) ? h.wscale : 0);
		CU_ASSERT_EQUAL(seg.ts_val, (h.opts & WEIR_TCP_OPT_TS) ? h.ts_val : 0);
		CU_ASSERT_EQUAL(seg.ts_ecr, (h.opts & WEIR_TCP_OPT_TS) ? h.ts_ecr : 0);
		CU_ASSERT_EQUAL(seg.flags, h.flags);
	}
}

/* The sanitizers watch: exact allocations, nothing read beyond them. */
static void
garbage_is_survived(void)
{
	struct weir_rand rand;

	weir_rand_seed(&rand, 6);
	for (unsigned int i = 0; i < 100000; i++) {
		const uint16_t len = (uint16_t)weir_rand_below(&rand, WEIR_TCP_HLEN_MAX + 1);
		uint8_t *hdr = malloc(len + 1u);
		struct weir_tcp_seg seg;
		unsigned int hlen;

		CU_ASSERT_PTR_NOT_NULL_FATAL(hdr);
		for (uint16_t k = 0; k < len; k++) /* small numbers make options likelier */
			hdr[k] = (uint8_t)weir_rand_below(&rand, k % 3 == 0 ? 256 : 12);
		if (len > 12 && i % 4 != 0)
			hdr[12] = (uint8_t)(len / 4 << 4);
		hlen = weir_tcp_parse(hdr, len, &seg);
		CU_ASSERT(hlen == 0 || (hlen >= WEIR_TCP_HLEN && hlen <= len));
		if (hlen != 0 && (seg.opts & WEIR_TCP_OPT_SACK)) {
			CU_ASSERT(seg.n_sack >= 1 && seg.n_sack <= WEIR_TCP_SACK_BLOCKS);
			CU_ASSERT(seg.sack_off + 8u * seg.n_sack <= hlen);
			weir_tcp_sack_at(hdr, &seg, seg.n_sack - 1u);
		}
		free(hdr);
	}
}

static void
short_headers_are_refused(void)
{
	uint8_t hdr[WEIR_TCP_HLEN_MAX] = {0};
	struct weir_tcp_seg seg;

	hdr[12] = 15 << 4;
	for (uint16_t len = 0; len < WEIR_TCP_HLEN_MAX; len++)
		CU_ASSERT_EQUAL(weir_tcp_parse(hdr, len, &seg), 0);
	CU_ASSERT_EQUAL(weir_tcp_parse(hdr, 60, &seg), 60);
	for (uint8_t off = 0; off < 5; off++) {
		hdr[12] = (uint8_t)(off << 4);
		CU_ASSERT_EQUAL(weir_tcp_parse(hdr, 60, &seg), 0);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(plain_header_comes_back),
		UNIT(syn_options_stand_in_their_order),
		UNIT(sack_blocks_come_back),
		UNIT(any_header_comes_back),
		UNIT(garbage_is_survived),
		UNIT(short_headers_are_refused),
		{NULL, NULL},
	};

	return unit_main("tcp_hdr", tests, false);
}
