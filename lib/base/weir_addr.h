/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One address type for IPv4 and IPv6: 16 bytes, IPv4 in its mapped form ::ffff:a.b.c.d
 * (RFC 4291 2.5.5.2). Everything above the IP layer handles both versions with the same code.
 */
#ifndef WEIR_ADDR_H
#define WEIR_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "weir_be.h"

struct weir_addr {
	union {
		uint8_t b[16];
		uint32_t w[4]; /* network byte order */
		uint64_t q[2];
	};
};

/** The ends of a flow as its local side sees them. Ports in network byte order. */
struct weir_flow {
	struct weir_addr laddr;
	struct weir_addr raddr;
	struct weir_be16 lport;
	struct weir_be16 rport;
};

#define WEIR_ADDR_STRLEN 46 /* as INET6_ADDRSTRLEN */

static inline struct weir_addr
weir_addr_v4(struct weir_be32 v4)
{
	struct weir_addr a;

	/* In the words that it is read in before long: a load of several stores waits for them. */
	a.q[0] = 0;
	a.q[1] = rte_cpu_to_be_64(UINT64_C(0xffff) << 32 | weir_host32(v4));
	return a;
}

static inline struct weir_addr
weir_addr_v6(const uint8_t v6[16])
{
	struct weir_addr a;

	memcpy(a.b, v6, 16);
	return a;
}

static inline bool
weir_addr_is_v4(const struct weir_addr *a)
{
	return a->q[0] == 0 && a->w[2] == rte_cpu_to_be_32(0xffff);
}

static inline struct weir_be32
weir_addr_to_v4(const struct weir_addr *a)
{
	return (struct weir_be32){a->w[3]};
}

static inline bool
weir_addr_eq(const struct weir_addr *a, const struct weir_addr *b)
{
	return ((a->q[0] ^ b->q[0]) | (a->q[1] ^ b->q[1])) == 0;
}

/** All of :: , or of 0.0.0.0. */
static inline bool
weir_addr_is_any(const struct weir_addr *a)
{
	return a->q[0] == 0 && a->w[3] == 0 &&
	       (a->w[2] == 0 || a->w[2] == rte_cpu_to_be_32(0xffff));
}

/** 224.0.0.0/4 or ff00::/8. */
static inline bool
weir_addr_is_multicast(const struct weir_addr *a)
{
	return weir_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

/** 255.255.255.255. */
static inline bool
weir_addr_is_broadcast(const struct weir_addr *a)
{
	return weir_addr_is_v4(a) && a->w[3] == UINT32_MAX;
}

/** 127.0.0.0/8 or ::1. */
static inline bool
weir_addr_is_loopback(const struct weir_addr *a)
{
	return weir_addr_is_v4(a) ? a->b[12] == 127
				  : a->q[0] == 0 && a->q[1] == rte_cpu_to_be_64(1);
}

/** fe80::/10 (169.254/16 is treated as any other IPv4 address). */
static inline bool
weir_addr_is_link_local(const struct weir_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/** Unique on one link at most (RFC 4007): link-local, or a group of that scope or a smaller one. */
static inline bool
weir_addr_has_scope(const struct weir_addr *a)
{
	return weir_addr_is_link_local(a) || (a->b[0] == 0xff && (a->b[1] & 15) <= 2);
}

/** Are the first len bits of a and b equal? len counts from the first bit of the 16 bytes. */
bool weir_addr_in_prefix(const struct weir_addr *a, const struct weir_addr *b, unsigned int len);

/**
 * Text to address, "192.0.2.1" or "2001:db8::1".
 * @return 0, or -EINVAL and *a untouched
 */
int weir_addr_parse(const char *text, struct weir_addr *a);

/** "192.0.2.1/24" or "2001:db8::1/64"; *len counts from the first of the 16 bytes (24 -> 120). */
int weir_addr_parse_prefix(const char *text, struct weir_addr *a, unsigned int *len);

/** Address to text; returns text. */
const char *weir_addr_format(const struct weir_addr *a, char text[WEIR_ADDR_STRLEN]);

/** The ports of a received packet, from the first four bytes of its UDP or TCP header. */
static inline void
weir_flow_take_ports(struct weir_flow *f, const void *l4)
{
	uint32_t ports;

	memcpy(&ports, l4, sizeof(ports));
	ports = ports << 16 | ports >> 16; /* source, destination -> local, remote */
	memcpy(&f->lport, &ports, sizeof(ports));
}

static inline bool
weir_flow_eq(const struct weir_flow *a, const struct weir_flow *b)
{
	uint32_t pa, pb;

	memcpy(&pa, &a->lport, 4);
	memcpy(&pb, &b->lport, 4);
	return weir_addr_eq(&a->laddr, &b->laddr) && weir_addr_eq(&a->raddr, &b->raddr) &&
	       pa == pb;
}

/** Mix for hash tables: two 64-bit words folded through a 128-bit product. */
static inline uint64_t
weir_mix64(uint64_t a, uint64_t b)
{
	const unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/** Keyed hash of a flow for tables; secret keeps peers from choosing collisions. */
static inline uint32_t
weir_flow_hash(const struct weir_flow *f, const uint64_t secret[2])
{
	uint32_t ports;
	uint64_t h;

	memcpy(&ports, &f->lport, 4);
	h = weir_mix64(f->laddr.q[0] ^ secret[0], f->laddr.q[1] ^ secret[1]);
	h = weir_mix64(f->raddr.q[0] ^ h, f->raddr.q[1] ^ secret[0]);
	h = weir_mix64(ports ^ secret[1], h ^ 0x9e3779b97f4a7c15u);
	return (uint32_t)(h ^ (h >> 32));
}

#endif
