/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * ARP packets for IPv4 over Ethernet (RFC 826): bytes to values and back.
 */
#ifndef WEIR_ARP_HDR_H
#define WEIR_ARP_HDR_H

#include <stddef.h>

#include "weir_eth.h"

#define WEIR_ARP_LEN     28
#define WEIR_ARP_REQUEST 1
#define WEIR_ARP_REPLY   2

/** An ARP packet: sender and target, hardware and protocol addresses. */
struct weir_arp {
	uint16_t op; /* WEIR_ARP_REQUEST or WEIR_ARP_REPLY */
	struct weir_mac sha;
	struct weir_mac tha;
	struct weir_be32 spa;
	struct weir_be32 tpa;
};

/**
 * Read a packet.
 * @return false when it is short, not about IPv4 over Ethernet, or neither request nor reply
 */
bool weir_arp_parse(const void *bytes, size_t len, struct weir_arp *arp);

/** Write WEIR_ARP_LEN bytes. */
void weir_arp_build(void *bytes, const struct weir_arp *arp);

#endif
