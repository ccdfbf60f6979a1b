/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What UDP and raw sockets have in common below the socket layer: their place in a worker's table,
 * and a datagram that is to be sent.
 */
#ifndef WEIR_DGRAM_H
#define WEIR_DGRAM_H

#include "weir_ip.h"
#include "weir_ready.h"

struct weir_mc_set;
struct weir_raw_opts;

/** Options that a worker goes by; written by application threads, each field by itself. */
struct weir_dgram_opts {
	uint8_t pmtudisc[2];   /* IPv4, IPv6: IP_PMTUDISC_* */
	bool is_recverr[2];    /* IPv4, IPv6: errors go to the error queue */
	bool is_dontfrag6;     /* IPV6_DONTFRAG */
	bool is_recvpathmtu6;  /* IPV6_RECVPATHMTU */
	uint16_t mtu6;         /* IPV6_MTU: no longer fragments; 0: as the path says */
	bool no_cksum4;        /* SO_NO_CHECK */
	bool no_cksum6_tx;     /* UDP_NO_CHECK6_TX */
	bool no_cksum6_rx;     /* UDP_NO_CHECK6_RX */
	bool is_gro;           /* UDP_GRO */
	uint16_t segment;      /* UDP_SEGMENT; 0: datagrams are not cut */
};

/** Who has something to tell of what was sent: ee_origin of Linux. */
enum weir_note_origin {
	WEIR_NOTE_SYN = 0, /* Weir's own: a SYN that was received (TCP_SAVE_SYN) */
	WEIR_NOTE_LOCAL = 1,
	WEIR_NOTE_ICMP4 = 2,
	WEIR_NOTE_ICMP6 = 3,
	WEIR_NOTE_STAMP = 4, /* SO_TIMESTAMPING; weir_pkt's rx_us says when */
};

/** An entry of an error queue: in the mbuf that holds what is left of the datagram. */
struct weir_dgram_note {
	int error;
	uint32_t info;
	uint32_t data;
	uint8_t origin; /* enum weir_note_origin */
	uint8_t type;
	uint8_t code;
};

static_assert(sizeof(struct weir_dgram_note) <= sizeof(((struct weir_pkt *)0)->u), "it has room");

/** weir_pkt's flow says where the datagram went (raddr, rport), and who complained (laddr). */
static inline void
weir_dgram_note(struct rte_mbuf *m, const struct weir_dgram_note *note)
{
	memcpy(weir_pkt(m)->u, note, sizeof(*note));
}

static inline void
weir_dgram_note_of(struct rte_mbuf *m, struct weir_dgram_note *note)
{
	memcpy(note, weir_pkt(m)->u, sizeof(*note));
}

/** One socket in the table of one worker. */
struct weir_pcb {
	LIST_ENTRY(weir_pcb) link;    /* in its bucket */
	struct weir_ready_item ready; /* kind WEIR_READY_UDP or WEIR_READY_RAW */
	struct weir_pktq rx;          /* packets of this turn, as the socket is to see them */
	struct weir_addr laddr;       /* any: every address (:: also takes IPv4 unless v6only) */
	struct weir_addr raddr;       /* connected to; any: not connected */
	struct weir_be16 lport;       /* raw: the protocol, as getsockname() shows it */
	struct weir_be16 rport;
	uint8_t ifindex_plus1; /* 0: any interface */
	bool is_v6only;
	bool is_reuseport; /* shares datagrams with others that fit as well as it does */
	bool is_v6;        /* an AF_INET6 socket: laddr any means :: */
	bool is_mc_strict4; /* only groups that the socket itself is in (IP_MULTICAST_ALL off) */
	bool is_mc_strict6;
	int error;         /* latest ICMP error, with WEIR_READY_ERROR */
	const struct weir_mc_set *mc;    /* groups that the socket is in, or NULL */
	struct weir_pktq errs;           /* for its error queue, with WEIR_READY_ERROR */
	const struct weir_dgram_opts *opts; /* the socket's; NULL: none is set */
	const struct weir_raw_opts *raw; /* raw sockets: the socket's, changed by other threads */
	void *owner;
};

/** One datagram to send: where to, where from, how. */
struct weir_dgram {
	struct weir_addr laddr; /* any, or a group: the route's */
	struct weir_addr raddr;
	struct weir_be16 lport;
	struct weir_be16 rport; /* raw, IPv6: the protocol in place of the socket's, or 0 */
	int ifindex;            /* interface to leave by; -1: the route's */
	uint8_t tos;
	bool is_looped;  /* a group or broadcast: members on this host get it, too */
	uint8_t ttl;     /* 0: default (one hop for groups) */
	bool is_host_only; /* a group with no hop left: does not leave this host */
	uint16_t mtu;    /* no longer fragments; 0: as the path says */
	bool is_whole;   /* not to be fragmented here */
	bool is_dontfrag; /* because IPV6_DONTFRAG says so */
	bool is_df;      /* nor on the way, if it goes in one piece */
	bool is_path_ignored; /* what is known of the path does not count, the interface does */
	bool no_cksum;   /* UDP: without checksum */
};

/** The way of d, and room for one that is not as others go it. */
const struct weir_dst *weir_dgram_way(
	const struct weir_dgram *d, const struct weir_dst *dst, struct weir_dst *own);

/**
 * e is about a datagram that pcb sent: its path MTU is learnt, and pcb->error and pcb->errs follow
 * as its options ask.
 * @param at  in e->m: the quoted data as the application gave it
 * @return is the socket to be told (WEIR_READY_ERROR)?
 */
bool weir_dgram_take_error(struct weir_ip *ip, struct weir_pcb *pcb,
	const struct weir_icmp_error *e, bool is_connected, uint32_t at);

#endif
