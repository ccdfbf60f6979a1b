/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Neighbour discovery messages (RFC 4861 4): fixed parts and options, from ICMPv6 type onward.
 */
#ifndef WEIR_ND_HDR_H
#define WEIR_ND_HDR_H

#include <stddef.h>

#include "weir_addr.h"
#include "weir_eth.h"

enum weir_nd_type {
	WEIR_ND_RS = 133,
	WEIR_ND_RA = 134,
	WEIR_ND_NS = 135,
	WEIR_ND_NA = 136,
	WEIR_ND_REDIRECT = 137,
};

#define WEIR_ND_PREFIXES_MAX 8    /* read of one router advertisement */
#define WEIR_ND_OPT_LLA_LEN  8    /* a link-layer address option for Ethernet */
#define WEIR_ND_MSG_MAX      (24 + WEIR_ND_OPT_LLA_LEN) /* the longest that we build */

#define WEIR_ND_INFINITE UINT32_MAX /* lifetimes, seconds */

struct weir_nd_prefix {
	struct weir_addr prefix;
	uint32_t valid_s;
	uint32_t preferred_s;
	uint8_t len; /* bits */
	bool is_on_link;
	bool is_auto; /* addresses may be made from it (RFC 4862 5.5.3) */
};

/** A message as values; what a type has not is zero. */
struct weir_nd {
	uint8_t type;
	uint8_t code;
	/* NS, NA, redirect */
	struct weir_addr target;
	struct weir_addr dst; /* redirect */
	bool is_router;       /* NA flags R, S, O */
	bool is_solicited;
	bool is_override;
	/* RA */
	uint8_t hop_limit;   /* 0: not said */
	uint16_t lifetime_s; /* of the default router */
	uint32_t reachable_ms;
	uint32_t retrans_ms;
	/* options */
	bool has_slla;
	bool has_tlla;
	struct weir_mac slla;
	struct weir_mac tlla;
	uint32_t mtu; /* 0: without */
	unsigned int n_prefixes;
	struct weir_nd_prefix prefixes[WEIR_ND_PREFIXES_MAX];
};

/**
 * Read a message of len bytes.
 * @return false: too short for its type, unknown type, an option of length 0 or beyond the end
 */
bool weir_nd_parse(const void *bytes, size_t len, struct weir_nd *nd);

/**
 * Write an RS, NS or NA with its link-layer option if has_slla or has_tlla; checksum 0.
 * @return length, at most WEIR_ND_MSG_MAX
 */
size_t weir_nd_build(void *bytes, const struct weir_nd *nd);

/** ff02::1:ffXX:XXXX of an address (RFC 4291 2.7.1). */
struct weir_addr weir_addr_solicited_node(const struct weir_addr *a);

/** The interface identifier of an Ethernet address (RFC 2464 4) under a /64 prefix. */
struct weir_addr weir_addr_eui64(const struct weir_addr *prefix, const struct weir_mac *mac);

/** 33:33 and the last four bytes (RFC 2464 7); 01:00:5e and 23 bits for IPv4 (RFC 1112 6.4). */
struct weir_mac weir_mac_of_group(const struct weir_addr *group);

#endif
