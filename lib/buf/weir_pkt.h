/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the stack knows of a packet while it has it: two cache lines in the mbuf's private area.
 * Model   Every mbuf pool of Weir has WEIR_PKT_PRIV bytes of private area; weir_pkt(m) is that of
 *         the packet's first segment. The stages fill it going up; upper layers read it and may
 *         use the `u` part for their own purposes while they hold the packet.
 * Owner   Whoever owns the mbuf.
 */
#ifndef WEIR_PKT_H
#define WEIR_PKT_H

#include <rte_mbuf.h>

#include "weir_addr.h"
#include "weir_assert.h"
#include "weir_mpsc.h"

#define WEIR_PKT_PRIV 128 /* private area of every mbuf pool, bytes */

enum weir_pkt_flag {
	WEIR_PKT_MULTICAST = 1 << 0, /* link or IP destination is multicast */
	WEIR_PKT_BROADCAST = 1 << 1, /* link or IP destination is broadcast */
	WEIR_PKT_STEERED = 1 << 2,   /* came from another worker: do not hand over again */
	WEIR_PKT_L4_CKSUM_OK = 1 << 3,
	WEIR_PKT_L4_CKSUM_BAD = 1 << 4,
	WEIR_PKT_LOOPED = 1 << 5,      /* local delivery: never left the stack */
	WEIR_PKT_REASSEMBLED = 1 << 6, /* came as fragments */
	WEIR_PKT_UNREACHED = 1 << 7,   /* our own, and the next hop does not answer */
};

/** What the application said about data that it gave to be sent; on the call's last packet. */
enum weir_pkt_send {
	WEIR_SEND_MORE = 1 << 0,   /* MSG_MORE: wait for more before a small segment goes */
	WEIR_SEND_EOR = 1 << 1,    /* MSG_EOR: what follows does not share a segment with it */
	WEIR_SEND_URGENT = 1 << 2, /* MSG_OOB: its last byte is urgent */
	WEIR_SEND_NOTICE = 1 << 3, /* MSG_ZEROCOPY: count it when the peer has it */
	/* SO_TIMESTAMPING: tell when its last byte ... */
	WEIR_SEND_STAMP_SCHED = 1 << 4, /* is about to go */
	WEIR_SEND_STAMP_SENT = 1 << 5,	/* has gone */
	WEIR_SEND_STAMP_ACKED = 1 << 6, /* and all before it is acknowledged */
	WEIR_SEND_STAMP_DATA = 1 << 7,	/* and show the data with it */
	WEIR_SEND_STAMPS = WEIR_SEND_STAMP_SCHED | WEIR_SEND_STAMP_SENT | WEIR_SEND_STAMP_ACKED,
};

/** A parsed TCP segment; sequence space in host order. */
struct weir_tcp_seg {
	uint32_t seq;
	uint32_t ack;
	uint32_t ts_val;
	uint32_t ts_ecr;
	uint16_t wnd; /* as on the wire, unscaled */
	uint16_t urg;
	uint16_t len; /* data bytes, without SYN and FIN */
	uint16_t mss; /* from the option; 0 without */
	uint8_t flags;
	uint8_t opts; /* WEIR_TCP_OPT_*: which options were there */
	uint8_t wscale;
	uint8_t n_sack; /* SACK blocks at sack_off from the TCP header */
	uint8_t sack_off;
	uint8_t fo_off; /* Fast Open cookie, from the TCP header */
	uint8_t auth_off; /* signature (RFC 2385), KeyID (RFC 5925); 0: none, or two */
	uint8_t fo_len; /* its bytes; WEIR_TCP_FO_EXP: in the experimental option */
};

/** What a call says about one datagram, beside where it goes (flow: raddr, rport). */
struct weir_send_how {
	int16_t ifindex; /* -1: as the socket says; so all below */
	int16_t ttl;
	int16_t tos;
	int16_t dontfrag; /* IPV6_DONTFRAG: 0 or 1 */
	uint16_t segment; /* UDP_SEGMENT: bytes of each datagram that it is cut into; 0: not cut */
	bool has_src;     /* flow.laddr is the source */
	uint32_t stamps;  /* SOF_TIMESTAMPING_* */
	uint32_t key;     /* and the datagram's number */
};

struct weir_pkt {
	struct weir_qnode qn; /* link in whatever queue holds the packet */
	uint64_t rx_us;       /* worker clock when it was received */
	uint16_t l3_off;      /* of the IP header, from the first byte of data in the mbuf */
	uint16_t l4_off;      /* of the transport header, likewise */
	uint16_t l4_len;      /* transport header and payload, bytes */
	uint16_t l3_type;     /* EtherType, host order: whose input takes it (ARP, IPv4, IPv6) */
	uint8_t ifindex;      /* interface it came in by */
	uint8_t proto;        /* transport protocol, IPPROTO_* */
	uint8_t ttl;          /* hop limit */
	uint8_t tos;          /* traffic class */
	uint8_t flags;        /* enum weir_pkt_flag */
	uint8_t send;         /* of a stream's data to send: enum weir_pkt_send */
	union {
		struct weir_tcp_seg tcp;
		struct weir_send_how how; /* of a datagram to send */
		uint64_t u[4]; /* send queues and others, while they hold the packet */
	};
	struct weir_flow flow; /* line 1: laddr is the packet's destination, raddr its source */
	uint32_t hash;         /* weir_flow_hash() of flow, or of whatever its table needs */
	uint32_t lent_bytes;   /* while an application has it: truesize when it got it */
	void *lender;          /* and the socket it got it from; else NULL */
} __attribute__((aligned(8)));

static_assert(sizeof(struct weir_pkt) <= WEIR_PKT_PRIV, "the private area holds it");

static inline struct weir_pkt *
weir_pkt(struct rte_mbuf *m)
{
	return (struct weir_pkt *)rte_mbuf_to_priv(m);
}

static inline struct rte_mbuf *
weir_pkt_mbuf(struct weir_pkt *p)
{
	return (struct rte_mbuf *)((char *)p - sizeof(struct rte_mbuf));
}

static inline struct rte_mbuf *
weir_qnode_mbuf(struct weir_qnode *n)
{
	return weir_pkt_mbuf((struct weir_pkt *)((char *)n - offsetof(struct weir_pkt, qn)));
}

/** Bytes of memory that m's chain really holds: what sockets are charged for it. */
static inline uint32_t
weir_mbuf_truesize(const struct rte_mbuf *m)
{
	uint32_t bytes = 0;

	for (; m != NULL; m = m->next)
		bytes += (uint32_t)sizeof(*m) + WEIR_PKT_PRIV + m->buf_len;
	return bytes;
}

#endif
