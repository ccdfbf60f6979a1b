/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_cksum.h"

#include <netinet/in.h>

#include "unit.h"
#include "weir_rand.h"

#define BYTES_MAX 3000u

static struct rte_mempool *pool;

/* RFC 1071 1 word by word: the plain way. */
static uint16_t
plain_sum(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return rte_cpu_to_be_16(weir_cksum_fold(sum));
}

/* A chain that holds bytes[len] in segments of random lengths, empty ones too. */
static struct rte_mbuf *
random_chain(struct weir_rand *r, const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool), *seg;
	uint32_t room = weir_rand_below(r, 4) * 100, n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	for (seg = m;; seg = seg->next) {
		n = RTE_MIN(len, weir_rand_below(r, room + 4));
		memcpy(rte_pktmbuf_mtod(seg, uint8_t *), bytes, n);
		seg->data_len = (uint16_t)n;
		m->pkt_len += n;
		bytes += n;
		len -= n;
		if (len == 0)
			return m;
		seg->next = rte_pktmbuf_alloc(pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(seg->next);
		m->nb_segs++;
	}
}

static void
example_of_rfc_1071(void)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	memcpy(rte_pktmbuf_append(m, sizeof(bytes)), bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(rte_be_to_cpu_16(weir_cksum_mbuf(m, 0, sizeof(bytes))), 0xddf2);
	rte_pktmbuf_free(m);
}

static void
any_segment_boundaries_give_the_same_sum(void)
{
	uint8_t bytes[BYTES_MAX];
	struct weir_rand r;

	weir_rand_seed(&r, 6);
	for (unsigned int i = 0; i < BYTES_MAX; i++)
		bytes[i] = (uint8_t)weir_rand_u64(&r);
	for (unsigned int round = 0; round < 2000; round++) {
		const uint32_t total = 1 + weir_rand_below(&r, round % 2 ? 60 : 600);
		struct rte_mbuf *m = random_chain(&r, bytes, total);
		const uint32_t off = weir_rand_below(&r, total);
		const uint32_t len = weir_rand_below(&r, total - off + 1);

		CU_ASSERT_EQUAL(weir_cksum_mbuf(m, off, len), plain_sum(bytes + off, len));
		CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 0, total), plain_sum(bytes, total));
		rte_pktmbuf_free(m);
	}
}

/* All ones is where carries are lost, if they are. */
static void
carries_of_long_runs_of_ones_are_kept(void)
{
	uint8_t bytes[BYTES_MAX];
	struct weir_rand r;

	weir_rand_seed(&r, 7);
	memset(bytes, 0xff, sizeof(bytes));
	for (uint32_t len = 1; len < BYTES_MAX; len += 97) {
		struct rte_mbuf *m = random_chain(&r, bytes, len);

		CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 0, len), plain_sum(bytes, len));
		rte_pktmbuf_free(m);
	}
}

static void
what_lies_beyond_the_chain_is_not_read(void)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	memcpy(rte_pktmbuf_append(m, sizeof(bytes)), bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 0, 5000), plain_sum(bytes, 5));
	CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 5, 10), 0);
	CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 500, 10), 0);
	CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 2, 0), 0);
	rte_pktmbuf_free(m);
}

/* The pseudo-header as the RFCs draw it, byte for byte, against the sum of its values. */
static void
pseudo_header_is_that_of_the_version(void)
{
	static const uint8_t v4[12] = {192, 0, 2, 1, 198, 51, 100, 7, 0, 17, 0x05, 0xdc};
	static const uint8_t v6[40] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1, 0xfe,
		0x80, [31] = 0xfe, [33] = 1, 0x02, 0x03, [39] = 17};
	struct weir_addr src, dst;

	weir_addr_parse("192.0.2.1", &src);
	weir_addr_parse("198.51.100.7", &dst);
	CU_ASSERT_EQUAL(
		weir_cksum_pseudo(&src, &dst, IPPROTO_UDP, 1500), plain_sum(v4, sizeof(v4)));
	weir_addr_parse("2001:db8::1", &src);
	weir_addr_parse("fe80::fe", &dst);
	CU_ASSERT_EQUAL(
		weir_cksum_pseudo(&src, &dst, IPPROTO_UDP, 0x10203), plain_sum(v6, sizeof(v6)));
}

static void
a_filled_in_checksum_verifies_and_one_flipped_bit_does_not(void)
{
	struct weir_addr src, dst;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, 41);
	uint16_t sum;

	weir_addr_parse("2001:db8::1", &src);
	weir_addr_parse("2001:db8::2", &dst);
	for (unsigned int i = 0; i < 41; i++)
		p[i] = (uint8_t)(i * 37);
	p[10] = p[11] = 0;
	sum = weir_cksum_l4(m, 4, 37, &src, &dst, IPPROTO_UDP);
	memcpy(&p[10], &sum, 2);
	CU_ASSERT_TRUE(weir_cksum_l4_ok(m, 4, 37, &src, &dst, IPPROTO_UDP));
	for (unsigned int bit = 4 * 8; bit < 41 * 8; bit++) {
		p[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		CU_ASSERT_FALSE(weir_cksum_l4_ok(m, 4, 37, &src, &dst, IPPROTO_UDP));
		p[bit / 8] ^= (uint8_t)(1 << (bit % 8));
	}
	CU_ASSERT_FALSE(weir_cksum_l4_ok(m, 4, 37, &src, &src, IPPROTO_UDP));
	CU_ASSERT_FALSE(weir_cksum_l4_ok(m, 4, 37, &src, &dst, IPPROTO_TCP));
	rte_pktmbuf_free(m);
}

static void
with_pool(void)
{
	pool = unit_pool("cksum", 4095);
}

static void
pool_is_full_at_the_end(void)
{
	unit_pool_done(pool);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(with_pool),
		UNIT(example_of_rfc_1071),
		UNIT(any_segment_boundaries_give_the_same_sum),
		UNIT(carries_of_long_runs_of_ones_are_kept),
		UNIT(what_lies_beyond_the_chain_is_not_read),
		UNIT(pseudo_header_is_that_of_the_version),
		UNIT(a_filled_in_checksum_verifies_and_one_flipped_bit_does_not),
		UNIT(pool_is_full_at_the_end),
		{NULL},
	};

	return unit_main("buf/cksum", tests, true);
}
