/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The TCP header and its options: bytes to values and values to bytes, no state.
 * Model   The parser fills a struct weir_tcp_seg (see weir_pkt.h). It never fails on options: a
 *         malformed one ends the list, one of a wrong length or an unknown kind is skipped
 *         (RFC 9293 3.1, MUST-7).
 */
#ifndef WEIR_TCP_HDR_H
#define WEIR_TCP_HDR_H

#include "weir_be.h"
#include "weir_pkt.h"

#define WEIR_TCP_HLEN     20
#define WEIR_TCP_HLEN_MAX 60

enum weir_tcp_flag {
	WEIR_TCP_FIN = 0x01,
	WEIR_TCP_SYN = 0x02,
	WEIR_TCP_RST = 0x04,
	WEIR_TCP_PSH = 0x08,
	WEIR_TCP_ACK = 0x10,
	WEIR_TCP_URG = 0x20,
	WEIR_TCP_ECE = 0x40,
	WEIR_TCP_CWR = 0x80,
};

/** Options found by the parser (weir_tcp_seg.opts), or wanted from the builder. */
enum weir_tcp_opt {
	WEIR_TCP_OPT_MSS = 1 << 0,
	WEIR_TCP_OPT_WSCALE = 1 << 1,
	WEIR_TCP_OPT_SACK_OK = 1 << 2,
	WEIR_TCP_OPT_TS = 1 << 3,
	WEIR_TCP_OPT_SACK = 1 << 4,
	WEIR_TCP_OPT_FASTOPEN = 1 << 5, /* RFC 7413 */
	WEIR_TCP_OPT_AUTH = 1 << 6, /* RFC 2385 or RFC 5925; always the first one */
};

#define WEIR_TCP_OPT_ACCECN (1 << 7) /* builder only (RFC 9768); weir_tcp_find_option() reads */
#define WEIR_TCP_SEG_CE (1 << 7) /* beside the options: the packet was marked CE (RFC 3168) */

#define WEIR_TCP_WSCALE_MAX    14 /* RFC 7323 2.3 */
#define WEIR_TCP_OPT_MD5_LEN   20 /* nop, nop, signature */
#define WEIR_TCP_OPT_AUTH_OFF  4  /* where the signature stands in them, and in TCP-AO */
#define WEIR_TCP_KIND_MD5      19
#define WEIR_TCP_KIND_AO       29
#define WEIR_TCP_KIND_ACCECN0  172 /* counters of ECT(0), CE, ECT(1) */
#define WEIR_TCP_KIND_ACCECN1  174 /* the other way round: the one that is sent */
#define WEIR_TCP_OPT_ACCECN_LEN 12 /* with all of them */
#define WEIR_TCP_OPT_TS_LEN    12 /* nop, nop, timestamps: what every segment carries */
#define WEIR_TCP_SACK_BLOCKS   4
#define WEIR_TCP_FO_COOKIE_MAX 16
#define WEIR_TCP_FO_LEN	       0x1f /* of weir_tcp_seg.fo_len */
#define WEIR_TCP_FO_EXP	       0x80 /* kind 254 with a magic number, as before RFC 7413 */

struct weir_tcp_hdr {
	struct weir_be16 sport;
	struct weir_be16 dport;
	struct weir_be32 seq;
	struct weir_be32 ack;
	uint8_t off; /* header length in words << 4; low bits reserved, but the last: AE */
	uint8_t flags;
	struct weir_be16 wnd;
	uint16_t cksum;
	struct weir_be16 urg;
} __attribute__((packed));

/** A Fast Open option. */
struct weir_tcp_fo {
	uint8_t cookie[WEIR_TCP_FO_COOKIE_MAX];
	uint8_t len; /* 0: asks for one */
	bool is_exp;
};

/** What an authentication option says beside its MAC, which the builder leaves 0. */
struct weir_tcp_auth_opt {
	uint8_t mac_len; /* of TCP-AO (RFC 5925); 0: MD5 (RFC 2385) */
	uint8_t key_id;
	uint8_t rnext_id;
};

struct weir_tcp_sack {
	uint32_t start;
	uint32_t end;
};

/** A header to build; host order. */
struct weir_tcp_hdr_info {
	struct weir_be16 sport;
	struct weir_be16 dport;
	uint32_t seq;
	uint32_t ack;
	uint16_t wnd;
	uint16_t urg;
	uint8_t flags;
	uint8_t opts; /* enum weir_tcp_opt */
	uint8_t wscale;
	uint8_t n_sack; /* 1..WEIR_TCP_SACK_BLOCKS with WEIR_TCP_OPT_SACK; 3 beside timestamps */
	uint16_t mss;
	uint32_t ts_val;
	uint32_t ts_ecr;
	const struct weir_tcp_sack *sack;
	const struct weir_tcp_auth_opt *auth; /* with WEIR_TCP_OPT_AUTH */
	const struct weir_tcp_fo *fo; /* with WEIR_TCP_OPT_FASTOPEN */
	bool is_ae; /* the flag AE (RFC 9768), beside flags */
	uint8_t n_ecn; /* with WEIR_TCP_OPT_ACCECN: 0 to 3 of ecn_bytes */
	uint32_t ecn_bytes[3]; /* 24 bits each: ECT(1), CE, ECT(0) */
};

/**
 * Read a header.
 * @param hdr  the first min(len, WEIR_TCP_HLEN_MAX) bytes of the segment
 * @param len  bytes of the segment, header and data
 * @return     header length, or 0: shorter than its header, or a data offset below 5
 */
unsigned int weir_tcp_parse(const uint8_t *hdr, uint16_t len, struct weir_tcp_seg *seg);

/** SACK block i (0..seg->n_sack-1) of a parsed header. */
struct weir_tcp_sack weir_tcp_sack_at(
	const uint8_t *hdr, const struct weir_tcp_seg *seg, unsigned int i);

/** The option of this kind in a header that weir_tcp_parse() took, or NULL. For rare ones. */
const uint8_t *weir_tcp_find_option(const uint8_t *hdr, uint8_t kind);

/** Bytes that the option takes in the header; see weir_tcp_auth_opt. */
static inline uint16_t
weir_tcp_auth_opt_len(uint8_t mac_len)
{
	const unsigned int len = (WEIR_TCP_OPT_AUTH_OFF + mac_len + 3u) / 4 * 4;

	return (uint16_t)(mac_len == 0 ? WEIR_TCP_OPT_MD5_LEN : len);
}

/** As the next, whatever the options are. */
unsigned int weir_tcp_build_len_any(const struct weir_tcp_hdr_info *h);

/** Length of the header that h makes, WEIR_TCP_HLEN..WEIR_TCP_HLEN_MAX. */
static inline unsigned int
weir_tcp_build_len(const struct weir_tcp_hdr_info *h)
{
	if (likely(h->opts == WEIR_TCP_OPT_TS))
		return WEIR_TCP_HLEN + WEIR_TCP_OPT_TS_LEN;
	return h->opts == 0 ? WEIR_TCP_HLEN : weir_tcp_build_len_any(h);
}

#define WEIR_TCP_TS_ALIGNED RTE_BE32(0x0101080a) /* nop, nop, timestamps, length 10 */

/** The part of a header that all have, len bytes with options; checksum 0. */
static inline void
weir_tcp_put_fixed(uint8_t *hdr, const struct weir_tcp_hdr_info *h, unsigned int len)
{
	struct weir_tcp_hdr *wire = (struct weir_tcp_hdr *)hdr;

	wire->sport = h->sport;
	wire->dport = h->dport;
	wire->seq = weir_be32(h->seq);
	wire->ack = weir_be32(h->ack);
	wire->off = (uint8_t)(len / 4 << 4 | h->is_ae);
	wire->flags = h->flags;
	wire->wnd = weir_be16(h->wnd);
	wire->cksum = 0;
	wire->urg = weir_be16(h->urg);
}

/** weir_tcp_build() where there is no option, or timestamps alone. */
static inline unsigned int
weir_tcp_build_plain(uint8_t *hdr, const struct weir_tcp_hdr_info *h)
{
	struct weir_be32 *ts = (struct weir_be32 *)(hdr + WEIR_TCP_HLEN);

	if (h->opts == 0) {
		weir_tcp_put_fixed(hdr, h, WEIR_TCP_HLEN);
		return WEIR_TCP_HLEN;
	}
	weir_tcp_put_fixed(hdr, h, WEIR_TCP_HLEN + WEIR_TCP_OPT_TS_LEN);
	ts[0].raw = WEIR_TCP_TS_ALIGNED;
	ts[1] = weir_be32(h->ts_val);
	ts[2] = weir_be32(h->ts_ecr);
	return WEIR_TCP_HLEN + WEIR_TCP_OPT_TS_LEN;
}

/**
 * Write a header, checksum field and signature 0. Options stand in the order that Linux
 * uses: mss, sackOK, timestamps, AccECN, nop, wscale on a SYN; nop, nop, timestamps, AccECN, nop,
 * nop, SACK
 * otherwise.
 * @param hdr  room for weir_tcp_build_len(h)
 * @return     header length
 */
unsigned int weir_tcp_build(uint8_t *hdr, const struct weir_tcp_hdr_info *h);

#endif
