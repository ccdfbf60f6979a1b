/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Path MTUs that ICMP told about destinations of datagrams (RFC 1191, RFC 8201).
 * Model   One table for a stack, since errors come to whichever worker their flow hashes to. A
 *         slot is one word: a tag of the address, when it ends, the MTU. Another address of the
 *         same slot replaces it: what was lost is learnt again.
 * Thread  Any; slots and version are atomic.
 */
#ifndef WEIR_PMTU_H
#define WEIR_PMTU_H

#include "weir_addr.h"

#define WEIR_PMTU_SLOTS	  1024
#define WEIR_PMTU_LIFE_US UINT64_C(600000000) /* RFC 1191 6.3: 10 minutes */

struct weir_pmtu {
	uint32_t version; /* grows with each change */
	uint64_t slots[WEIR_PMTU_SLOTS];
};

/** What is known of addr, or 0. */
uint16_t weir_pmtu_get(const struct weir_pmtu *t, const uint64_t secret[2],
	const struct weir_addr *addr, uint64_t now_us);

/** A router said so, about a datagram of ours. Only less than what was known counts. */
void weir_pmtu_learn(struct weir_pmtu *t, const uint64_t secret[2], const struct weir_addr *addr,
	uint16_t mtu, uint64_t now_us);

#endif
