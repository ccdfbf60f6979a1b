/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The link rig with a network layer on it, and packets to feed it.
 */
#ifndef IP_RIG_H
#define IP_RIG_H

#include "../link/net_rig.h"
#include "weir_icmp_hdr.h"
#include "weir_ip.h"
#include "weir_ip_hdr.h"

struct ip_rig {
	struct rig r;
	struct weir_ip ip;
	struct weir_vec udp, tcp, raw;
	bool has_raw; /* give other protocols to raw */
};

/** An IPv4 packet to make; zeros mean the usual: peer to us, UDP, 64 hops, right checksum. */
struct pkt4 {
	const char *src, *dst;
	uint8_t proto, ttl, version_ihl;
	uint16_t frag, id, total_len;
	bool bad_cksum;
	uint8_t flags; /* weir_pkt */
	uint64_t ol_flags;
	const void *options;
	size_t n_options;
	const void *payload;
	size_t n;
	size_t pad; /* link padding behind */
	size_t seg; /* bytes per segment */
};

/** An IPv6 packet to make: ext stands between header and payload, next names its first. */
struct pkt6 {
	const char *src, *dst;
	uint8_t next, hop_limit;
	int payload_len; /* 0: right */
	uint8_t flags;
	uint64_t ol_flags;
	const void *ext;
	size_t n_ext;
	const void *payload;
	size_t n, pad, seg;
};

/** Open with the peer as permanent neighbour; steer may be NULL. */
void ip_open(struct ip_rig *t, const struct rig_conf *c, const struct weir_steer *steer,
	bool is_steering);
void ip_close(struct ip_rig *t);

/** The packet goes through input; what went up waits in udp, tcp, raw. */
void ip_recv4(struct ip_rig *t, const struct pkt4 *p);
void ip_recv6(struct ip_rig *t, const struct pkt6 *p);

/** Through input with m, data at the IP header and weir_pkt set as by eth_input. */
void ip_recv_mbuf(struct ip_rig *t, struct rte_mbuf *m, bool is_v4);

/** weir_pkt as eth_input leaves it. */
void ip_begin(struct ip_rig *t, struct rte_mbuf *m, uint16_t l3_type, uint8_t flags);

/** Packets of core.loop go through input, as the worker does it. */
void ip_turn_loop(struct ip_rig *t);

/** End what went up. */
void ip_use(struct ip_rig *t);

/** An ICMP or ICMPv6 message with its checksum, at bytes; dst and src for ICMPv6. */
void ip_icmp_cksum(uint8_t *bytes, size_t n);
void ip_icmp6_cksum(struct ip_rig *t, uint8_t *bytes, size_t n, const char *src, const char *dst);

static inline struct weir_addr
ip_addr(const char *text)
{
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(text, &a), 0);
	return a;
}

#define ip_fate(t, f, n_) rig_fate(&(t)->r, f, n_)
#define ip_tx_fate(t, f, n_) rig_tx_fate(&(t)->r, f, n_)

#endif
