/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files of the network layer tell each other.
 */
#ifndef IP_PRIV_H
#define IP_PRIV_H

#include "weir_icmp_hdr.h"
#include "weir_ip.h"
#include "weir_ip_hdr.h"
#include "weir_mbuf.h"

/** A check passed: the packet does not end here. */
#define GO_ON WEIR_FATE_MAX

/** Where input sorts packets to. */
struct ip_sinks {
	struct weir_vec *udp;
	struct weir_vec *tcp;
	struct weir_vec *raw; /* may be NULL */
};

/** Add m to the next stage's vector, or end it when that is full. */
void ip_give(struct weir_ip *ip, struct rte_mbuf *m, struct weir_vec *v);

/** A packet whose weir_pkt is filled in goes to its protocol, here or on another worker. */
void ip_deliver(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_sinks *to);

/** weir_pkt checksum flags from what the port says. */
void ip_note_l4_cksum(const struct weir_ip *ip, struct rte_mbuf *m);

/** A parser's verdict as a fate; GO_ON for WEIR_IP_OK. */
static inline enum weir_fate
ip_fate_of(enum weir_ip_verdict v)
{
	switch (v) {
	case WEIR_IP_OK:
		return GO_ON;
	case WEIR_IP_VERSION:
		return WEIR_FATE_drop_ip_version;
	case WEIR_IP_HEADER_LEN:
		return WEIR_FATE_drop_ip_header_len;
	default:
		return WEIR_FATE_drop_ip_short;
	}
}

/** Is a the address of one of our own networks' broadcasts, or 255.255.255.255? */
bool ip_is_broadcast(const struct weir_ip *ip, const struct weir_addr *a);

/** The bit in weir_ip.own_bits of addresses that end like a. */
static inline uint64_t
ip_own_bit(const struct weir_addr *a)
{
	return UINT64_C(1) << (a->b[15] & 63);
}

/** false: a is no address of ours, and no broadcast of our networks. true: look it up */
static inline bool
ip_may_be_own(const struct weir_ip *ip, const struct weir_addr *a)
{
	return ip->own_bits & ip_own_bit(a);
}

/** Before a burst: own_bits as the interfaces are now. */
void ip_note_own(struct weir_ip *ip);

/** Is the packet for an address of ours? Link-local ones count on their interface only. */
bool ip_is_ours(const struct weir_ip *ip, const struct weir_pkt *p);

static inline struct weir_iface *
ip_iface_of(const struct weir_ip *ip, const struct weir_pkt *p)
{
	WEIR_ASSERT(p->ifindex < ip->n_ifaces);
	return &ip->ifaces[p->ifindex];
}

/* route.c */

int route_init(struct weir_ip *ip, int numa_node);
void route_fini(struct weir_ip *ip);

/* source.c */

/**
 * The best source for dst when it leaves by ifc to next_hop (RFC 6724 5): of ifc, or else another
 * interface's. @return 0, -EADDRNOTAVAIL
 */
int source_choose(const struct weir_ip *ip, const struct weir_iface *ifc,
	const struct weir_addr *dst, const struct weir_addr *next_hop, struct weir_addr *src);

/* reass.c */

/** Where a fragment belongs. */
struct ip_frag {
	uint32_t id;
	uint32_t off; /* of its first byte in the datagram */
	uint8_t proto; /* part of the key for IPv4; 0 for IPv6 (RFC 8200 4.5) */
	bool more;
};

int reass_init(struct weir_ip *ip, int numa_node);
void reass_fini(struct weir_ip *ip);

/**
 * Take a fragment: weir_pkt tells addresses, l4_off and l4_len of its part of the datagram.
 * @return the whole datagram once it is complete, with l4_len of all; NULL: m is held or ended
 */
struct rte_mbuf *reass_add(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_frag *f);

/* icmp.c */

/** An error to send about a packet. */
struct icmp_report {
	uint8_t type;
	uint8_t code;
	bool is_multicast_ok; /* RFC 4443 2.4 (e.3): may answer what was sent to a group */
	uint32_t rest;        /* pointer or MTU, host order */
};

/** Send an error about m, if it may be sent. Does not take m. */
void icmp_send_error(struct weir_ip *ip, struct rte_mbuf *m, const struct icmp_report *r);

/** Answer an echo request. Takes m. */
void icmp_answer_echo(struct weir_ip *ip, struct rte_mbuf *m, uint8_t reply_type);

/** A received error about a packet of ours: read what it quotes. Takes m. */
void icmp_take_error(struct weir_ip *ip, struct rte_mbuf *m, const struct weir_icmp_hdr *h);

/** icmp4.c, icmp6.c: type, code, mtu, error and is_hard of e. @return false: no error to a flow */
bool icmp4_meaning(const struct weir_icmp_hdr *h, struct weir_icmp_error *e);
bool icmp6_meaning(const struct weir_icmp_hdr *h, struct weir_icmp_error *e);

/** Take one from a bucket. @return false when it is empty */
bool icmp_bucket_take(struct weir_bucket *b, uint64_t now_us);
void icmp_bucket_init(struct weir_bucket *b, uint32_t rate_per_s, uint32_t burst, uint64_t now_us);

/** An ICMP message for this host, header at l4_off. Takes m. */
void icmp4_input(struct weir_ip *ip, struct rte_mbuf *m);
void icmp6_input(struct weir_ip *ip, struct rte_mbuf *m);

#endif
