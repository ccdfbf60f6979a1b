/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * ICMP (RFC 792) and ICMPv6 (RFC 4443) messages, and the packets that errors quote.
 */
#ifndef WEIR_ICMP_HDR_H
#define WEIR_ICMP_HDR_H

#include <stddef.h>

#include "weir_addr.h"

#define WEIR_ICMP_HLEN 8

enum weir_icmp4_type {
	WEIR_ICMP4_ECHO_REPLY = 0,
	WEIR_ICMP4_UNREACH = 3,
	WEIR_ICMP4_QUENCH = 4,
	WEIR_ICMP4_REDIRECT = 5,
	WEIR_ICMP4_ECHO = 8,
	WEIR_ICMP4_TIME_EXCEEDED = 11,
	WEIR_ICMP4_PARAM = 12,
};

enum weir_icmp4_unreach_code {
	WEIR_ICMP4_UNREACH_HOST = 1,
	WEIR_ICMP4_UNREACH_PROTO = 2,
	WEIR_ICMP4_UNREACH_PORT = 3,
	WEIR_ICMP4_UNREACH_FRAG = 4, /* fragmentation needed and DF set */
};

enum weir_icmp6_type {
	WEIR_ICMP6_UNREACH = 1,
	WEIR_ICMP6_TOO_BIG = 2,
	WEIR_ICMP6_TIME_EXCEEDED = 3,
	WEIR_ICMP6_PARAM = 4,
	WEIR_ICMP6_ECHO = 128, /* from here on: not errors */
	WEIR_ICMP6_ECHO_REPLY = 129,
};

enum weir_icmp6_code {
	WEIR_ICMP6_UNREACH_ADDR = 3,
	WEIR_ICMP6_UNREACH_PORT = 4,
	WEIR_ICMP6_PARAM_FIELD = 0,
	WEIR_ICMP6_PARAM_NEXT_HEADER = 1,
	WEIR_ICMP6_PARAM_OPTION = 2,
};

#define WEIR_ICMP_FRAG_TIMEOUT 1 /* code of "time exceeded", both versions */

struct weir_icmp_hdr {
	uint8_t type;
	uint8_t code;
	uint16_t cksum;
	struct weir_be32 rest; /* echo: id and sequence; errors: MTU, pointer or unused */
} __attribute__((packed));

/** The packet that an ICMP error quotes, as far as it is there. */
struct weir_icmp_quote {
	struct weir_addr src;
	struct weir_addr dst;
	struct weir_be16 sport; /* of TCP and UDP */
	struct weir_be16 dport;
	uint32_t tcp_seq;
	uint16_t l4_off; /* of its transport header */
	uint8_t proto;
};

/** Is an ICMP message of this type an error (RFC 1122 3.2.2)? */
static inline bool
weir_icmp4_is_error(uint8_t type)
{
	return type == WEIR_ICMP4_UNREACH || type == WEIR_ICMP4_QUENCH ||
	       type == WEIR_ICMP4_REDIRECT || type == WEIR_ICMP4_TIME_EXCEEDED ||
	       type == WEIR_ICMP4_PARAM;
}

static inline bool
weir_icmp6_is_error(uint8_t type)
{
	return type < WEIR_ICMP6_ECHO;
}

/**
 * Read what an error quotes: IP header and 8 bytes of the transport's.
 * @return false when it is malformed, too short, or a fragment that has no ports
 */
bool weir_icmp4_quote_parse(const void *bytes, size_t len, struct weir_icmp_quote *q);
bool weir_icmp6_quote_parse(const void *bytes, size_t len, struct weir_icmp_quote *q);

#endif
