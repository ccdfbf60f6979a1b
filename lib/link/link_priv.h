/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files of the link layer tell each other.
 */
#ifndef LINK_PRIV_H
#define LINK_PRIV_H

#include "weir_arp_hdr.h"
#include "weir_link.h"
#include "weir_mbuf.h"
#include "weir_nd_hdr.h"

#define ARP_RETRANS_US   1000000
#define NEIGH_PROBES_MAX 3       /* RFC 4861 10: MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
#define NEIGH_DELAY_US   5000000 /* RFC 4861 10: DELAY_FIRST_PROBE_TIME */

/** Worker 0 alone sends what only one may send. */
static inline bool
iface_is_speaker(const struct weir_iface *ifc)
{
	return ifc->core->worker == 0;
}

/** The usable entry for addr, or NULL. */
struct weir_ifaddr *iface_usable_addr(struct weir_iface *ifc, const struct weir_addr *addr);

/** Is addr in a network of one of the interface's usable addresses? */
bool iface_is_on_link(const struct weir_iface *ifc, const struct weir_addr *addr);

/** Somebody else has a: mark it, count, log, and stop using it. */
void iface_addr_duplicate(struct weir_iface *ifc, struct weir_ifaddr *a);

/** Somebody else uses an address that passed detection: count; log the first time. */
void iface_addr_conflict(struct weir_iface *ifc, const struct weir_addr *a,
	const struct weir_mac *other);

/** Make or refresh an address from an advertised prefix (RFC 4862 5.5.3). */
void iface_auto_addr(struct weir_iface *ifc, const struct weir_nd_prefix *p,
	const struct weir_addr *router);

/** Arm the interface's timer for the earliest of its deadlines. */
void iface_arm(struct weir_iface *ifc);

/** The link is there again: tell the others of our addresses, look for routers. */
void iface_announce_all(struct weir_iface *ifc);

/** link_state.c: look at the link, and say when to look again. */
void iface_watch(struct weir_iface *ifc);

/** Give a copy of a received packet to every other worker, unless it came from one. */
void link_share(struct weir_core *core, const struct rte_mbuf *m);

/* neigh.c */

struct weir_neigh *neigh_find(const struct weir_iface *ifc, const struct weir_addr *addr);

/** A new entry for addr, INCOMPLETE and without a timer; the longest unused goes when all are
 *  taken. NULL when none may go. */
struct weir_neigh *neigh_new(struct weir_iface *ifc, const struct weir_addr *addr);

/** What a received message says about a neighbour (RFC 4861 7.2.5). */
struct neigh_news {
	const struct weir_mac *mac; /* NULL: it did not say */
	bool is_solicited;          /* an answer to our question */
	bool is_override;           /* newer than what we know */
};

/** Take news into an entry; sends what waited once the address is known. */
void neigh_update(struct weir_neigh *n, const struct neigh_news *news);

/** Send to a resolved or resolvable neighbour: m lacks nothing but the destination MAC. */
void neigh_output(struct weir_iface *ifc, struct rte_mbuf *m, const struct weir_addr *next_hop);

/* arp.c, nd.c: questions and announcements */

/** Ask who has target; unicast when to is given. */
void arp_ask(struct weir_iface *ifc, const struct weir_addr *target, const struct weir_mac *to);
void arp_announce(struct weir_iface *ifc, const struct weir_addr *addr);
void nd_ask(struct weir_iface *ifc, const struct weir_addr *target, const struct weir_mac *to);
void nd_ask_duplicate(struct weir_iface *ifc, const struct weir_addr *target);
void nd_ask_routers(struct weir_iface *ifc);

/* eth_output.c */

/** Queue a complete frame for the port. Takes m. */
void eth_enqueue(struct weir_iface *ifc, struct rte_mbuf *m);

/** End all frames that wait for the port. */
void eth_drop_txq(struct weir_iface *ifc, enum weir_tx_fate fate);

/** Prepend the Ethernet header (dst still to be set). @return NULL when m ended */
struct rte_mbuf *eth_prepend(struct weir_iface *ifc, struct rte_mbuf *m, uint16_t type);

static inline void
eth_set_dst(struct rte_mbuf *m, const struct weir_mac *dst)
{
	rte_pktmbuf_mtod(m, struct weir_eth_hdr *)->dst = *dst;
}

#endif
