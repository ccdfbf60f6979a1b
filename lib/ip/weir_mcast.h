/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Multicast groups: which sockets are in them, and what the routers of a link are told (IGMP,
 * RFC 1112, 2236, 3376; MLD, RFC 2710, 3810; the host's side).
 * Model   A socket has a set of memberships that never changes: a control call makes another one.
 *         Each worker that knows the socket holds a reference to the set and has joined its groups
 *         on its interfaces. Worker 0 alone merges the filters of all sockets into one for each
 *         group and interface, and tells the routers.
 * Thread  Sets: any, references are atomic. All else: the worker's lcore alone.
 */
#ifndef WEIR_MCAST_H
#define WEIR_MCAST_H

#include "weir_dgram.h"

#define WEIR_MC_SOURCES_MAX 16 /* in a membership of one socket */
#define WEIR_MC_JOINS_MAX   20 /* memberships of one socket, as Linux */

/** One socket's membership: these sources alone, or all but these. */
struct weir_mc_join {
	struct weir_addr group;
	uint8_t ifindex;
	bool is_exclude;
	uint16_t n_sources;
	struct weir_addr sources[WEIR_MC_SOURCES_MAX];
};

struct weir_mc_set {
	uint32_t refs; /* atomic */
	uint32_t n;
	struct weir_mc_join joins[];
};

/** A copy of set (NULL: an empty one) with room for one join more; NULL: no memory. */
struct weir_mc_set *weir_mc_copy(const struct weir_mc_set *set);

void weir_mc_ref(struct weir_mc_set *set);

/** NULL: nothing. */
void weir_mc_unref(struct weir_mc_set *set);

/** The membership of a group on an interface, or NULL. */
const struct weir_mc_join *weir_mc_find(
	const struct weir_mc_set *set, const struct weir_addr *group, uint8_t ifindex);

/** May a socket see a datagram of flow, to a group? */
bool weir_mc_allows(const struct weir_pcb *pcb, const struct weir_flow *flow, uint8_t ifindex);

/**
 * A socket on this worker goes from set `from` to `to` (NULL: none).
 * @return 0; -ENOSPC, -ENOMEM: all is as before
 */
int weir_mcast_change(
	struct weir_ip *ip, const struct weir_mc_set *from, const struct weir_mc_set *to);

/** Addresses of ifc may have come or gone: MLD tells their solicited-node groups, too. */
void weir_mcast_addrs(struct weir_ip *ip, struct weir_iface *ifc);

/** WEIR_TIMER_MCAST fired. */
void weir_mcast_timer(struct weir_ip *ip);

#endif
