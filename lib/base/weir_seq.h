/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Sequence numbers modulo 2^32 (RFC 9293 3.4): a is before b when b - a, taken
 * modulo 2^32, lies in 1..2^31-1.
 */
#ifndef WEIR_SEQ_H
#define WEIR_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool
weir_seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool
weir_seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool
weir_seq_gt(uint32_t a, uint32_t b)
{
	return weir_seq_lt(b, a);
}

static inline bool
weir_seq_geq(uint32_t a, uint32_t b)
{
	return weir_seq_leq(b, a);
}

static inline uint32_t
weir_seq_max(uint32_t a, uint32_t b)
{
	return weir_seq_lt(a, b) ? b : a;
}

static inline uint32_t
weir_seq_min(uint32_t a, uint32_t b)
{
	return weir_seq_lt(a, b) ? a : b;
}

#endif
