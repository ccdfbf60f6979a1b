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
	uint8_t ttl;     /* 0: default (one hop for groups) */
	bool is_looped;  /* a group or broadcast: members on this host get it, too */
	bool is_host_only; /* a group with no hop left: does not leave this host */
	bool is_whole;   /* not to be fragmented, here or on the way */
};

#endif
