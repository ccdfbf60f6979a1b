/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_cksum.h"

#include <string.h>

#include <rte_byteorder.h>

/* What most machines add at once: four sums in one or two registers. */
typedef uint64_t lanes __attribute__((vector_size(32)));

/*
 * Sum of a contiguous part that begins at an even offset. Words of 32 bits in 64-bit sums: the
 * carries collect above and are folded once.
 */
static uint16_t
sum_part(const char *p, uint32_t len)
{
	lanes words, low = {0}, high = {0};
	uint64_t sum = 0;
	uint32_t word;

	for (; len >= sizeof(words); len -= (uint32_t)sizeof(words), p += sizeof(words)) {
		memcpy(&words, p, sizeof(words));
		low += words & UINT32_MAX;
		high += words >> 32;
	}
	low += high;
	for (unsigned int i = 0; i < 4; i++)
		sum += low[i];
	for (; len >= sizeof(word); len -= (uint32_t)sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	word = 0; /* an odd last byte is padded with zero (RFC 1071 1) */
	memcpy(&word, p, len);
	return weir_cksum_fold64(sum + word);
}

uint16_t
weir_cksum_mbuf(const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	uint32_t sum = 0, done = 0;

	while (m != NULL && off >= m->data_len) {
		off -= m->data_len;
		m = m->next;
	}
	for (; m != NULL && done < len; m = m->next, off = 0) {
		const uint32_t n = RTE_MIN(m->data_len - off, len - done);
		const uint16_t part = sum_part(rte_pktmbuf_mtod_offset(m, const char *, off), n);

		/* A part at an odd offset adds with its bytes swapped (RFC 1071 2 (B)). */
		sum += done & 1 ? rte_bswap16(part) : part;
		done += n;
	}
	return weir_cksum_fold(sum);
}
