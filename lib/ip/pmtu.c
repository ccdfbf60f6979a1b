/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: icmp -> udp_input, raw_input -> pmtu; way -> pmtu */
#include "weir_pmtu.h"

#include <rte_common.h>

#define MTU_BITS   16
#define TIME_BITS  24
#define TIME_MASK  ((1u << TIME_BITS) - 1)
#define TICK_SHIFT 24  /* a unit of time: 16.8 s */
#define IP4_LEAST  552 /* as Linux: no path is believed to be narrower */

static uint64_t
hash_of(const uint64_t secret[2], const struct weir_addr *addr)
{
	return weir_mix64(addr->q[0] ^ secret[0], addr->q[1] ^ secret[1] ^ UINT64_C(0x706d7475));
}

static uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> (MTU_BITS + TIME_BITS));
}

static bool
is_over(uint64_t slot, uint64_t now_us)
{
	const uint32_t until = (uint32_t)(slot >> MTU_BITS) & TIME_MASK;

	return ((until - (uint32_t)(now_us >> TICK_SHIFT)) & TIME_MASK) > TIME_MASK / 2;
}

uint16_t
weir_pmtu_get(const struct weir_pmtu *t, const uint64_t secret[2], const struct weir_addr *addr,
	uint64_t now_us)
{
	const uint64_t hash = hash_of(secret, addr);
	const uint64_t slot = __atomic_load_n(&t->slots[hash % WEIR_PMTU_SLOTS], __ATOMIC_RELAXED);

	if (slot == 0 || tag_of(slot) != tag_of(hash) || is_over(slot, now_us))
		return 0;
	return (uint16_t)slot;
}

void
weir_pmtu_learn(struct weir_pmtu *t, const uint64_t secret[2], const struct weir_addr *addr,
	uint16_t mtu, uint64_t now_us)
{
	const uint64_t hash = hash_of(secret, addr);
	const uint16_t old = weir_pmtu_get(t, secret, addr, now_us);
	const uint32_t until = (uint32_t)((now_us + WEIR_PMTU_LIFE_US) >> TICK_SHIFT) & TIME_MASK;

	if (weir_addr_is_v4(addr))
		mtu = RTE_MAX(mtu, (uint16_t)IP4_LEAST);
	if (old != 0 && old <= mtu)
		return;
	__atomic_store_n(&t->slots[hash % WEIR_PMTU_SLOTS],
		(uint64_t)tag_of(hash) << (MTU_BITS + TIME_BITS) | (uint64_t)until << MTU_BITS |
			mtu,
		__ATOMIC_RELAXED);
	__atomic_fetch_add(&t->version, 1, __ATOMIC_RELEASE);
}
