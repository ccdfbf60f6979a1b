/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_rand.h"

#include <rte_common.h>

#include "unit.h"

/* The first values of the algorithm's authors' code from the state 1, 2, 3, 4. */
static void
generator_is_xoshiro256starstar(void)
{
	struct weir_rand r = {{1, 2, 3, 4}};

	CU_ASSERT_EQUAL(weir_rand_u64(&r), 11520);
	CU_ASSERT_EQUAL(weir_rand_u64(&r), 0);
	CU_ASSERT_EQUAL(weir_rand_u64(&r), 1509978240);
	CU_ASSERT_EQUAL(weir_rand_u64(&r), 1215971899390074240);
}

/* The first values of splitmix64 from 1234567. */
static void
seed_fills_the_state_by_splitmix64(void)
{
	struct weir_rand r;

	weir_rand_seed(&r, 1234567);
	CU_ASSERT_EQUAL(r.s[0], 6457827717110365317u);
	CU_ASSERT_EQUAL(r.s[1], 3203168211198807973u);
}

static void
below_stays_below_and_reaches_every_value_alike(void)
{
	unsigned int hits[7] = {0};
	struct weir_rand r;

	weir_rand_seed(&r, 1);
	for (unsigned int i = 0; i < 70000; i++) {
		const uint32_t v = weir_rand_below(&r, 7);

		CU_ASSERT_FATAL(v < 7);
		hits[v]++;
	}
	for (unsigned int i = 0; i < 7; i++)
		CU_ASSERT(hits[i] > 9500 && hits[i] < 10500);
	CU_ASSERT_EQUAL(weir_rand_below(&r, 1), 0);
	CU_ASSERT(weir_rand_below(&r, UINT32_MAX) < UINT32_MAX);
}

/* Key 00..0f, messages of 0 to 15 bytes 00, 01, ...: the vectors published with SipHash-2-4. */
static void
siphash_gives_the_published_vectors(void)
{
	static const uint64_t want[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce,
		0xab0200f58b01d137, 0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3,
		0xf4b32f46226bada7, 0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
		0xa129ca6149be45e5};
	static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t message[16];

	for (uint8_t i = 0; i < 16; i++) {
		message[i] = i;
		CU_ASSERT_EQUAL(weir_siphash(key, message, i), want[i]);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(generator_is_xoshiro256starstar),
		UNIT(seed_fills_the_state_by_splitmix64),
		UNIT(below_stays_below_and_reaches_every_value_alike),
		UNIT(siphash_gives_the_published_vectors),
		{NULL},
	};

	return unit_main("base/rand", tests, false);
}
