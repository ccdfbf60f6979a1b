/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_rand.h"

#include <string.h>

#include <rte_byteorder.h>

static inline uint64_t
rotl(uint64_t x, unsigned int n)
{
	return (x << n) | (x >> (64 - n));
}

/* splitmix64: spreads a seed of few set bits over the whole state. */
static uint64_t
splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void
weir_rand_seed(struct weir_rand *r, uint64_t seed)
{
	for (unsigned int i = 0; i < 4; i++)
		r->s[i] = splitmix(&seed);
}

/* xoshiro256** */
uint64_t
weir_rand_u64(struct weir_rand *r)
{
	uint64_t *s = r->s;
	const uint64_t out = rotl(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

/*
 * The high half of a 32 x 32 bit product. Products whose low half falls into the first
 * 2^32 mod below values are thrown away, so that every result is equally likely.
 */
uint32_t
weir_rand_below(struct weir_rand *r, uint32_t below)
{
	const uint32_t reject = (uint32_t)-below % below;
	uint64_t product;

	do {
		product = (weir_rand_u64(r) >> 32) * below;
	} while ((uint32_t)product < reject);
	return (uint32_t)(product >> 32);
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline void
sip_rounds(struct sip *s, unsigned int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

uint64_t
weir_siphash(const uint64_t key[2], const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t word, last = (uint64_t)len << 56; /* the tail, with the length in its top byte */
	struct sip s = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
		key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		sip_word(&s, rte_le_to_cpu_64(word));
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)p[i] << (8 * i);
	sip_word(&s, last);
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
