/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Random numbers: a fast seeded generator (xoshiro256**, public domain algorithm) for schedules
 * and jitter, and SipHash-2-4 where a peer must not be able to predict the value (RFC 6528).
 * Thread  A generator belongs to its owner.
 */
#ifndef WEIR_RAND_H
#define WEIR_RAND_H

#include <stddef.h>
#include <stdint.h>

struct weir_rand {
	uint64_t s[4];
};

/** Same seed, same numbers. */
void weir_rand_seed(struct weir_rand *r, uint64_t seed);

/** 64 random bits. */
uint64_t weir_rand_u64(struct weir_rand *r);

/** A number in 0..below-1; below > 0. */
uint32_t weir_rand_below(struct weir_rand *r, uint32_t below);

/** SipHash-2-4 of len bytes under a 128-bit key. */
uint64_t weir_siphash(const uint64_t key[2], const void *data, size_t len);

#endif
