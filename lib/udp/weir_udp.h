/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * UDP of one worker (RFC 768, RFC 8200 8.1): bindings, datagrams in and out.
 * Model   A binding (weir_pcb) stands in the table of every worker; each worker delivers what
 *         its queues receive. Received datagrams wait in pcb->rx until the socket layer takes them
 *         in the same turn.
 * Owner   The caller owns the pcb and unbinds it before it goes.
 * Thread  The worker's lcore alone.
 */
#ifndef WEIR_UDP_H
#define WEIR_UDP_H

#include "weir_dgram.h"

#define WEIR_UDP_HLEN 8

struct weir_udp_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_udp_stats.h"
#undef WEIR_STAT
};

#define WEIR_UDP_PORTS 65536

LIST_HEAD(weir_pcbs, weir_pcb);

struct weir_udp {
	struct weir_core *core;
	struct weir_ip *ip;
	struct weir_pcbs *ports; /* WEIR_UDP_PORTS: those that are not connected, by local port */
	struct weir_pcbs *flows; /* those that are: by a hash of the peer and both ports */
	uint32_t flows_mask;
	uint32_t n_connected;
	struct weir_udp_stats stats;
};

/** @param sockets  of the stack: how many bindings are to be found soon. @return 0, -ENOMEM */
int weir_udp_init(struct weir_udp *u, struct weir_core *core, struct weir_ip *ip,
	uint32_t sockets, int numa_node);
void weir_udp_fini(struct weir_udp *u);

/**
 * Enter pcb (laddr, lport, raddr, rport set by the caller) into the table. Of several that fit a
 * datagram equally, the one bound last gets it. The addresses stay until it is taken out.
 */
void weir_udp_bind(struct weir_udp *u, struct weir_pcb *pcb);

/** Take pcb out of the table. What it has in rx and in the ready list stays the caller's. */
void weir_udp_unbind(struct weir_udp *u, struct weir_pcb *pcb);

/**
 * Deliver datagrams to the best binding: connected before bound to the address before any.
 * Multicast and broadcast go to every match (the last gets the packet, the others clones of it).
 * Checks length and checksum; answers what finds no port by ICMP port unreachable.
 * The delivered mbuf's data is the payload; weir_pkt flow holds the addresses and ports.
 * Empties v. Also gives hard ip->errors of UDP to their bindings, if those are connected.
 */
void weir_udp_input(struct weir_udp *u, struct weir_vec *v, struct weir_ready *ready);

/**
 * Send m (data is the payload, headroom for all headers or not) as one datagram.
 * @return 0, or -ENETUNREACH, -EADDRNOTAVAIL, -EMSGSIZE, -ENOBUFS; m is taken in every case
 */
int weir_udp_output(struct weir_udp *u, struct rte_mbuf *m, const struct weir_dgram *d);

#endif
