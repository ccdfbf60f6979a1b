/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Raw sockets of one worker: packets of any protocol, straight from and to IP, as raw(7) has them.
 * Model   A socket stands in the table of every worker; each worker delivers what its queues
 *         receive. Every socket that matches gets the packet: one of them the mbuf itself, the
 *         others references. TCP, UDP, ICMP and IGMP are processed as without raw sockets; of those
 *         ip_deliver leaves a reference in ip->raw_copies.
 *         An IPv4 socket sees the IP header, of a reassembled packet as it would be of the whole;
 *         an IPv6 socket sees what is behind the extension headers.
 * Owner   The caller owns the pcb and takes it out before it goes.
 * Thread  The worker's lcore alone, but for struct weir_raw_opts.
 */
#ifndef WEIR_RAW_H
#define WEIR_RAW_H

#include "weir_dgram.h"

struct weir_raw_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_raw_stats.h"
#undef WEIR_STAT
};

/** Options of a raw socket; written by application threads, each field read by itself. */
struct weir_raw_opts {
	uint8_t proto;         /* fixed */
	bool is_hdrincl;       /* the application writes the IP header */
	int32_t cksum_off;     /* IPv6: where the checksum is made and checked; -1: nowhere */
	uint32_t icmp4_filter; /* bit n: messages of type n are not wanted */
	uint32_t icmp6_filter[8];
};

struct weir_raw {
	struct weir_core *core;
	struct weir_ip *ip;
	LIST_HEAD(, weir_pcb) of[256]; /* by protocol */
	struct weir_raw_stats stats;
};

void weir_raw_init(struct weir_raw *r, struct weir_core *core, struct weir_ip *ip);

/** Enter pcb into the table (kind WEIR_READY_RAW, raw set). */
void weir_raw_bind(struct weir_raw *r, struct weir_pcb *pcb);

/** Take it out. What it has in rx and in the ready list stays the caller's. */
void weir_raw_unbind(struct weir_raw *r, struct weir_pcb *pcb);

/**
 * Deliver v, packets of protocols that nobody else takes, and ip->raw_copies. What finds no socket
 * is answered (protocol unreachable, parameter problem). Empties both. Gives ip->errors to the
 * sockets of the protocol that they are about.
 */
void weir_raw_input(struct weir_raw *r, struct weir_vec *v, struct weir_ready *ready);

/**
 * Send m: behind an IP header that is made here, or beginning with its own (is_hdrincl).
 * @return 0, or -ENETUNREACH, -EADDRNOTAVAIL, -EMSGSIZE, -EINVAL (its header, or no room for the
 *         checksum), -ENOBUFS; m is taken in every case
 */
int weir_raw_output(struct weir_raw *r, struct rte_mbuf *m, const struct weir_dgram *d,
	const struct weir_raw_opts *o);

#endif
