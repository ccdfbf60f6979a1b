/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Ethernet addresses and headers as they stand on the wire.
 */
#ifndef WEIR_ETH_H
#define WEIR_ETH_H

#include <stdbool.h>
#include <string.h>

#include "weir_be.h"

#define WEIR_ETH_HLEN      14
#define WEIR_VLAN_HLEN     4
#define WEIR_ETH_TYPE_IP4  0x0800
#define WEIR_ETH_TYPE_ARP  0x0806
#define WEIR_ETH_TYPE_VLAN 0x8100
#define WEIR_ETH_TYPE_IP6  0x86dd

struct weir_mac {
	uint8_t b[6];
} __attribute__((packed));

struct weir_eth_hdr {
	struct weir_mac dst;
	struct weir_mac src;
	struct weir_be16 type;
} __attribute__((packed));

struct weir_vlan_hdr {
	struct weir_be16 tci;
	struct weir_be16 type;
} __attribute__((packed));

static inline bool
weir_mac_eq(const struct weir_mac *a, const struct weir_mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/** Group bit: multicast or broadcast. */
static inline bool
weir_mac_is_group(const struct weir_mac *a)
{
	return a->b[0] & 1;
}

static inline bool
weir_mac_is_broadcast(const struct weir_mac *a)
{
	static const struct weir_mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return weir_mac_eq(a, &all);
}

#endif
