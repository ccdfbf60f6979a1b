/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * IPv4 and IPv6 headers: bytes to values and back (RFC 791, RFC 8200).
 * Model   A parser reads what lies contiguously in memory and compares lengths with the packet's;
 *         what it returns is consistent: header within total length within packet.
 */
#ifndef WEIR_IP_HDR_H
#define WEIR_IP_HDR_H

#include <stddef.h>

#include "weir_addr.h"

#define WEIR_IP4_HLEN      20
#define WEIR_IP4_HLEN_MAX  60
#define WEIR_IP4_DF        0x4000
#define WEIR_IP4_MF        0x2000
#define WEIR_IP4_FRAG_MASK 0x1fff

#define WEIR_IP6_HLEN      40
#define WEIR_IP6_FRAG_HLEN 8
#define WEIR_IP6_MTU_MIN   1280

/* Next-header values of IPv6 that <netinet/in.h> leaves out or spells differently are here too. */
#define WEIR_IP6_NH_HOPOPTS  0
#define WEIR_IP6_NH_ROUTING  43
#define WEIR_IP6_NH_FRAGMENT 44
#define WEIR_IP6_NH_NONE     59
#define WEIR_IP6_NH_DSTOPTS  60

/** What a parser thinks of a header. */
enum weir_ip_verdict {
	WEIR_IP_OK,
	WEIR_IP_SHORT,      /* truncated, or the packet is shorter than it says */
	WEIR_IP_VERSION,    /* other version */
	WEIR_IP_HEADER_LEN, /* header length below the minimum or beyond the total length */
};

struct weir_ip4_hdr {
	uint8_t version_ihl;
	uint8_t tos;
	struct weir_be16 total_len;
	struct weir_be16 id;
	struct weir_be16 frag;
	uint8_t ttl;
	uint8_t proto;
	uint16_t cksum;
	struct weir_be32 src;
	struct weir_be32 dst;
} __attribute__((packed));

/** The low bits of the traffic class (RFC 3168 5). */
enum weir_ip_ecn {
	WEIR_IP_ECN_NONE = 0, /* not ECN-capable */
	WEIR_IP_ECN_ECT1 = 1,
	WEIR_IP_ECN_ECT0 = 2,
	WEIR_IP_ECN_CE = 3, /* congestion experienced */
	WEIR_IP_ECN_MASK = 3
};

/** An IPv4 header as values. */
struct weir_ip4 {
	struct weir_be32 src;
	struct weir_be32 dst;
	uint16_t total_len;
	uint16_t id;
	uint16_t frag; /* flags and offset as WEIR_IP4_DF, _MF, _FRAG_MASK */
	uint8_t hlen;  /* 20..60 */
	uint8_t proto;
	uint8_t ttl;
	uint8_t tos;
};

/**
 * Read a header.
 * @param n        bytes readable at bytes: the fixed header is enough
 * @param pkt_len  length of the whole packet, link padding included
 * @return         WEIR_IP_OK: hlen <= total_len <= pkt_len
 */
static inline enum weir_ip_verdict
weir_ip4_parse(const void *bytes, size_t n, uint32_t pkt_len, struct weir_ip4 *ip)
{
	const struct weir_ip4_hdr *h = bytes;

	if (n < sizeof(*h) || pkt_len < sizeof(*h))
		return WEIR_IP_SHORT;
	if (h->version_ihl >> 4 != 4)
		return WEIR_IP_VERSION;
	*ip = (struct weir_ip4){.src = h->src,
		.dst = h->dst,
		.total_len = weir_host16(h->total_len),
		.id = weir_host16(h->id),
		.frag = weir_host16(h->frag),
		.hlen = (uint8_t)((h->version_ihl & 15) * 4),
		.proto = h->proto,
		.ttl = h->ttl,
		.tos = h->tos};
	if (ip->hlen < WEIR_IP4_HLEN || ip->hlen > ip->total_len)
		return WEIR_IP_HEADER_LEN;
	return ip->total_len <= pkt_len ? WEIR_IP_OK : WEIR_IP_SHORT;
}

/** A sum of a few 32-bit words as one of 16-bit words (RFC 1071). */
static inline uint16_t
weir_ip4_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)sum;
}

/** Sum (not complemented) of a header without options. */
static inline uint16_t
weir_ip4_sum(const void *bytes)
{
	uint32_t w[5];

	memcpy(w, bytes, sizeof(w));
	return weir_ip4_fold((uint64_t)w[0] + w[1] + w[2] + w[3] + w[4]);
}

/** Write the 20 bytes of a header without options; hlen is not read. */
static inline void
weir_ip4_build(void *bytes, const struct weir_ip4 *ip)
{
	/* Its words are summed as they are made: to read back what was just stored would stall. */
	const struct weir_be32 w[] = {
		weir_be32(0x45u << 24 | (uint32_t)ip->tos << 16 | ip->total_len),
		weir_be32((uint32_t)ip->id << 16 | ip->frag),
		weir_be32((uint32_t)ip->ttl << 24 | (uint32_t)ip->proto << 16),
		ip->src,
		ip->dst,
	};
	struct weir_ip4_hdr *h = bytes;

	memcpy(h, w, sizeof(*h));
	h->cksum = (uint16_t)~weir_ip4_fold(
		(uint64_t)w[0].raw + w[1].raw + w[2].raw + w[3].raw + w[4].raw);
}

/** Is the checksum over hlen header bytes right (RFC 1071)? */
bool weir_ip4_cksum_ok(const void *bytes, size_t hlen);

/** What options say: well-formed, and no source route among them (RFC 7126 4.3, 4.4)? */
bool weir_ip4_options_ok(const void *options, size_t len);

struct weir_ip6_hdr {
	struct weir_be32 vtf; /* version, traffic class, flow label */
	struct weir_be16 payload_len;
	uint8_t next;
	uint8_t hop_limit;
	uint8_t src[16];
	uint8_t dst[16];
} __attribute__((packed));

/** An IPv6 header as values. */
struct weir_ip6 {
	struct weir_addr src;
	struct weir_addr dst;
	uint32_t flow_label; /* 20 bits */
	uint16_t payload_len;
	uint8_t next;
	uint8_t hop_limit;
	uint8_t tclass;
};

/** Read a header; parameters as for IPv4. WEIR_IP_OK: 40 + payload_len <= pkt_len. */
static inline enum weir_ip_verdict
weir_ip6_parse(const void *bytes, size_t n, uint32_t pkt_len, struct weir_ip6 *ip)
{
	const struct weir_ip6_hdr *h = bytes;
	uint32_t vtf;

	if (n < sizeof(*h) || pkt_len < sizeof(*h))
		return WEIR_IP_SHORT;
	vtf = weir_host32(h->vtf);
	if (vtf >> 28 != 6)
		return WEIR_IP_VERSION;
	*ip = (struct weir_ip6){.src = weir_addr_v6(h->src),
		.dst = weir_addr_v6(h->dst),
		.flow_label = vtf & 0xfffff,
		.payload_len = weir_host16(h->payload_len),
		.next = h->next,
		.hop_limit = h->hop_limit,
		.tclass = (uint8_t)(vtf >> 20)};
	return WEIR_IP6_HLEN + (uint32_t)ip->payload_len <= pkt_len ? WEIR_IP_OK : WEIR_IP_SHORT;
}

/** Write the 40 bytes of a header. */
void weir_ip6_build(void *bytes, const struct weir_ip6 *ip);

/** A fragment header (RFC 8200 4.5). */
struct weir_ip6_frag {
	uint32_t id;
	uint16_t offset; /* bytes, a multiple of 8 */
	uint8_t next;
	bool more;
};

void weir_ip6_frag_parse(const uint8_t bytes[WEIR_IP6_FRAG_HLEN], struct weir_ip6_frag *f);
void weir_ip6_frag_build(uint8_t bytes[WEIR_IP6_FRAG_HLEN], const struct weir_ip6_frag *f);

/** Bytes of an options or routing header, from its first two. 8..2048 */
static inline unsigned int
weir_ip6_ext_len(const uint8_t bytes[2])
{
	return (bytes[1] + 1u) * 8;
}

/** What to do about the options of a hop-by-hop or destination header (RFC 8200 4.2). */
enum weir_ip6_opts {
	WEIR_IP6_OPTS_OK,
	WEIR_IP6_OPTS_DROP,         /* malformed, or an unknown option of action 01 */
	WEIR_IP6_OPTS_TELL,         /* action 10: parameter problem, whatever the destination */
	WEIR_IP6_OPTS_TELL_UNICAST, /* action 11: parameter problem unless it was multicast */
};

/**
 * Read an options header of len bytes, weir_ip6_ext_len() of it.
 * @param bad_off  out: for the TELL verdicts, where the option stands in bytes
 */
enum weir_ip6_opts weir_ip6_opts_check(const uint8_t *bytes, size_t len, unsigned int *bad_off);

#endif
