/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Internet checksums (RFC 1071) over mbuf chains. Sums are 16-bit one's complement in memory order:
 * store them as they are.
 */
#ifndef WEIR_CKSUM_H
#define WEIR_CKSUM_H

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "weir_addr.h"

/** Fold a 32-bit sum to 16 bits. */
static inline uint16_t
weir_cksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/** Sum (not complemented) of len bytes of m's chain from off; any segment boundaries. */
uint16_t weir_cksum_mbuf(const struct rte_mbuf *m, uint32_t off, uint32_t len);

/** Fold a 64-bit sum to 16 bits. */
static inline uint16_t
weir_cksum_fold64(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return weir_cksum_fold((uint32_t)sum);
}

/** Sum (not complemented) of the pseudo-header of either version (RFC 9293 3.1, RFC 8200 8.1). */
static inline uint16_t
weir_cksum_pseudo(
	const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto, uint32_t l4_len)
{
	uint64_t sum = (uint64_t)rte_cpu_to_be_32(l4_len) + rte_cpu_to_be_32(proto);

	sum += (uint64_t)src->w[3] + dst->w[3];
	if (!weir_addr_is_v4(dst)) {
		for (unsigned int i = 0; i < 3; i++)
			sum += (uint64_t)src->w[i] + dst->w[i];
	}
	return weir_cksum_fold64(sum);
}

/** Checksum field for the transport part of m, whose field must be 0 when this is called. */
static inline uint16_t
weir_cksum_l4(const struct rte_mbuf *m, uint32_t l4_off, uint32_t l4_len,
	const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto)
{
	return (uint16_t)~weir_cksum_fold((uint32_t)weir_cksum_mbuf(m, l4_off, l4_len) +
					  weir_cksum_pseudo(src, dst, proto, l4_len));
}

/** Is the checksum of a received transport part right? (Sum over all of it is 0xffff.) */
static inline bool
weir_cksum_l4_ok(const struct rte_mbuf *m, uint32_t l4_off, uint32_t l4_len,
	const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto)
{
	return weir_cksum_l4(m, l4_off, l4_len, src, dst, proto) == 0;
}

#endif
