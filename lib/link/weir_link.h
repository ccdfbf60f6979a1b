/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The link layer of one worker: interfaces, their addresses and neighbours, Ethernet in and out.
 * Model   An interface (weir_iface) is one port as one worker sees it: its queue pair, its copy of
 *         the addresses, its own neighbour cache. ARP and neighbour discovery packets are processed
 *         by the worker that receives them and copied to all others, so that the copies agree;
 *         worker 0 alone sends what only one may send (DAD, gratuitous ARP, router solicitations).
 * Owner   weir_iface belongs to its worker; the port behind it to the stack.
 * Thread  The worker's lcore alone, except the set-up calls before it starts.
 */
#ifndef WEIR_LINK_H
#define WEIR_LINK_H

#include <sys/queue.h>

#include "weir_addr.h"
#include "weir_core.h"
#include "weir_port.h"
#include "weir_ready.h"
#include "weir_table.h"

#define WEIR_IFACES_MAX      16
#define WEIR_IFADDRS_MAX     16
#define WEIR_NEIGHS_MAX      1024 /* per interface and worker */
#define WEIR_NEIGH_QUEUE_MAX 128  /* packets that wait for one neighbour */
#define WEIR_TXQ_MAX         1024 /* packets that wait for room in the port's queue */
#define WEIR_HOPS_MAX        8    /* a power of two */
#define WEIR_GROUPS_MAX      64   /* multicast groups joined, per interface */

enum weir_ifaddr_state {
	WEIR_IFADDR_TENTATIVE, /* duplicate address detection under way (RFC 4862 5.4) */
	WEIR_IFADDR_PREFERRED,
	WEIR_IFADDR_DEPRECATED, /* preferred lifetime over (RFC 4862 5.5.4) */
	WEIR_IFADDR_DUPLICATE,  /* somebody else has it: not used */
};

struct weir_ifaddr {
	struct weir_addr addr;
	uint8_t prefix_len; /* of the 16 bytes: 10.0.0.1/24 has 120 */
	uint8_t state;      /* enum weir_ifaddr_state */
	bool is_auto;       /* link-local or from a router advertisement */
	struct weir_addr router; /* whose advertisement; :: without */
	uint8_t dad_sent;   /* DAD solicitations, or IPv4 announcements (RFC 5227 2.3) */
	uint64_t dad_until_us;       /* end of DAD, or time of the next announcement; or NEVER */
	uint64_t preferred_until_us; /* WEIR_WHEEL_NEVER: for ever */
	uint64_t valid_until_us;
};

static inline bool
weir_ifaddr_is_usable(const struct weir_ifaddr *a)
{
	return a->state == WEIR_IFADDR_PREFERRED || a->state == WEIR_IFADDR_DEPRECATED;
}

/** RFC 4861 7.3.2; ARP entries use the same states. */
enum weir_neigh_state {
	WEIR_NEIGH_FREE,
	WEIR_NEIGH_INCOMPLETE,
	WEIR_NEIGH_REACHABLE,
	WEIR_NEIGH_STALE,
	WEIR_NEIGH_DELAY,
	WEIR_NEIGH_PROBE,
	WEIR_NEIGH_PERMANENT, /* from the configuration */
};

struct weir_neigh {
	struct weir_addr addr;
	struct weir_mac mac;
	uint8_t state;
	uint8_t probes; /* unanswered so far */
	bool is_router;
	struct weir_iface *ifc;
	uint64_t confirmed_us; /* last proof of reachability */
	uint64_t used_us;      /* last packet sent through it */
	struct weir_wheel_entry timer;
	struct weir_pktq waiting; /* packets complete but for the destination MAC */
};

struct weir_link_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_link_stats.h"
#undef WEIR_STAT
};

struct weir_iface {
	/* hot: transmit */
	struct weir_core *core;
	struct weir_port *port;
	uint32_t caps; /* copy of port->info.caps */
	uint16_t segs_max; /* longest chain that the port takes */
	uint16_t queue;
	uint16_t rx_queues; /* port->info.n_queues: this worker polls it if queue < rx_queues */
	uint16_t mtu;
	uint16_t vlan; /* 0: untagged */
	uint8_t index; /* 0..WEIR_IFACES_MAX-1, equal on all workers */
	bool is_up;    /* link state; true at first */
	bool is_admin_down; /* switched off: is_up is false whatever the link does */
	uint64_t route_change; /* grows when router or addrs change: routes are looked up again */
	struct weir_mac mac;
	uint32_t txq_head; /* packets waiting for the port, in a ring of WEIR_TXQ_MAX */
	uint32_t txq_tail;
	uint64_t txq_stuck_us; /* since when the port has taken none; 0: it does */
	/* neighbours that packets went to of late, by the last bits of their address: a hint */
	struct weir_neigh *hops[WEIR_HOPS_MAX];
	struct rte_mbuf *txq[WEIR_TXQ_MAX];
	/* addresses */
	unsigned int n_addrs;
	struct weir_ifaddr addrs[WEIR_IFADDRS_MAX];
	/* neighbours */
	struct weir_neigh *neighs; /* WEIR_NEIGHS_MAX */
	struct weir_table neigh_table;
	uint32_t neigh_free; /* hint where to look for a free one */
	/* multicast groups joined by upper layers, beside those that every host is in */
	unsigned int n_groups;
	struct weir_group {
		struct weir_addr addr;
		uint32_t refs;
	} groups[WEIR_GROUPS_MAX];
	/* IPv6 configuration (RFC 4861, 4862) */
	bool is_started;
	bool is_ipv6;
	bool no_dad;
	bool accept_ra;
	uint8_t rs_sent;
	uint8_t hop_limit; /* learnt default; 0: the stack's */
	uint16_t mtu6;     /* of IPv6: mtu, or less where a router says so */
	uint16_t mss; /* largest MSS that TCP offers and believes here; 0: any */
	uint32_t reachable_base_us; /* before it is spread (RFC 4861 6.3.2) */
	uint32_t reachable_us;
	uint32_t retrans_us;
	uint64_t watch_at_us;     /* next look at the link state */
	uint64_t rs_next_us;      /* next router solicitation, or NEVER */
	uint64_t defended_us;     /* last answer to an address conflict (RFC 5227 2.4) */
	struct weir_addr router; /* default router learnt, :: without */
	uint64_t router_until_us;
	struct weir_wheel_entry timer;
	struct weir_link_stats stats;
};

/* Set-up (iface.c) */

struct weir_iface_conf {
	struct weir_port *port;
	uint16_t queue;
	uint16_t vlan;
	uint16_t mtu; /* 0: the port's */
	uint16_t mss; /* see weir_iface.mss */
	uint8_t index;
	bool accept_ra;
	bool is_ipv6; /* make a link-local address and speak neighbour discovery */
	bool no_dad;  /* the addresses that the stack makes itself are usable without DAD */
};

/**
 * Set up one worker's view of a port.
 * @return 0, -ENOMEM, or -EINVAL: an MTU beyond the port's or below 68 (IPv6: 1280), a bad VLAN
 */
int weir_iface_init(
	struct weir_iface *ifc, struct weir_core *core, const struct weir_iface_conf *c);

/** Free packets that wait and all memory. */
void weir_iface_fini(struct weir_iface *ifc);

/**
 * Add an address; IPv6 ones start as tentative when use_dad, IPv4 ones are announced (RFC 5227 3).
 * @return 0, -EEXIST, -ENOSPC, -EINVAL
 */
int weir_iface_add_addr(struct weir_iface *ifc, const struct weir_addr *addr,
	unsigned int prefix_len, bool use_dad);
int weir_iface_del_addr(struct weir_iface *ifc, const struct weir_addr *addr);

/** Lifetimes of an address from now on, WEIR_WHEEL_NEVER without end. 0 or -EADDRNOTAVAIL */
int weir_iface_set_lifetimes(struct weir_iface *ifc, const struct weir_addr *addr,
	uint64_t preferred_us, uint64_t valid_us);

/** A neighbour that never changes. @return 0 or -ENOSPC; -EINVAL: no unicast address */
int weir_iface_add_neigh(
	struct weir_iface *ifc, const struct weir_addr *addr, const struct weir_mac *mac);

/** Forget a neighbour, learnt or not; or all that are learnt. @return 0 or -ESRCH */
int weir_iface_del_neigh(struct weir_iface *ifc, const struct weir_addr *addr);
void weir_iface_flush_neighs(struct weir_iface *ifc);

/** Switch the interface off or on. Off, it sends and takes nothing, and no route leads there. */
void weir_iface_set_admin(struct weir_iface *ifc, bool is_up);

/** @return 0; -EINVAL: more than the port's, or less than its versions of IP need */
int weir_iface_set_mtu(struct weir_iface *ifc, uint16_t mtu);

/** The interface's entry for addr in any state but DUPLICATE, or NULL. */
struct weir_ifaddr *weir_iface_addr(struct weir_iface *ifc, const struct weir_addr *addr);

/** As the next, of an IPv4 address. */
bool weir_iface_has_broadcast(const struct weir_iface *ifc, const struct weir_addr *dst);

/** Is dst a directed broadcast of one of the interface's IPv4 networks? */
static inline bool
weir_iface_is_directed_broadcast(const struct weir_iface *ifc, const struct weir_addr *dst)
{
	/* Its host part has two bits at least, and all of them are ones. */
	return (dst->b[15] & 3) == 3 && weir_addr_is_v4(dst) && weir_iface_has_broadcast(ifc, dst);
}

/** Does the interface receive this group: all hosts, all nodes, solicited-node, joined? */
bool weir_iface_has_group(const struct weir_iface *ifc, const struct weir_addr *group);

/**
 * Receive a multicast group (counted: leave as often as joined). Datagrams to a group are delivered
 * on the worker that receives them, so every worker's interface joins.
 * @return 0, -EINVAL: not multicast, -ENOSPC; leave: -EADDRNOTAVAIL
 */
int weir_iface_join(struct weir_iface *ifc, const struct weir_addr *group);
int weir_iface_leave(struct weir_iface *ifc, const struct weir_addr *group);

/** WEIR_TIMER_IFACE fired: DAD, router solicitation, lifetimes. */
void weir_iface_timer(struct weir_iface *ifc);

/**
 * The link came or went: log, forget learnt neighbours and what waits, or announce the addresses
 * again. Called by the watch in the interface's timer, and by who receives a frame on a link that
 * was thought to be down.
 */
void weir_iface_set_link(struct weir_iface *ifc, bool is_up);

/** Called once when the worker starts and the port is up: DAD, announcements, RS. */
void weir_iface_start(struct weir_iface *ifc);

/* Receive (eth_input.c, arp.c, nd.c) */

/**
 * Sort frames by EtherType; ends what is not for us. Frames without our tag end as drop_vlan; tag
 * 0 (priority only) counts as none. On return data starts at the ARP or IP header; link padding
 * is still there. Sets weir_pkt ifindex, flags, l3_type, l3_off (0), rx_us, and clears the rest.
 * @param v  frames from the port; empty on return
 */
void weir_eth_input(struct weir_iface *ifc, struct weir_vec *v, struct weir_vec *arp,
	struct weir_vec *ip4, struct weir_vec *ip6);

/** RFC 826, RFC 5227. Empties v. Copies to the other workers what did not come from one. */
void weir_arp_input(struct weir_iface *ifc, struct weir_vec *v);

/**
 * An ICMPv6 message of type 133..137, checksum verified by the caller (icmp6). Data starts at the
 * IPv6 header, weir_pkt is filled in. Copied to the other workers like ARP.
 * Checks hop limit 255 and all of RFC 4861 6.1, 7.1. Takes m.
 */
void weir_nd_input(struct weir_iface *ifc, struct rte_mbuf *m);

/* Transmit (eth_output.c, neigh.c) */

/**
 * Send an IP packet (data starts at the IP header) to next_hop: resolve, prepend Ethernet, queue.
 * Multicast and broadcast are mapped (RFC 1112 6.4, RFC 2464 7). Takes m, whatever happens.
 * Prepends in place when m is direct and not shared, with a new header mbuf otherwise.
 * Counts tx_made, as weir_eth_send() does.
 */
void weir_eth_output(struct weir_iface *ifc, struct rte_mbuf *m, const struct weir_addr *next_hop);

/** Send a whole frame as it is (ARP, tests). Takes m. */
void weir_eth_send(struct weir_iface *ifc, struct rte_mbuf *m);

/**
 * Give the port what waits. Called once a turn, and when the queue is full. A port that takes
 * nothing for 100 ms loses its queue (drop_port_full).
 */
void weir_eth_flush(struct weir_iface *ifc);

/** Packets that can be queued now without loss; TCP holds back below a threshold. */
static inline unsigned int
weir_eth_room(const struct weir_iface *ifc)
{
	return WEIR_TXQ_MAX - (ifc->txq_tail - ifc->txq_head);
}

/** An upper layer saw forward progress (RFC 4861 7.3.1): the neighbour is reachable. */
void weir_neigh_confirm(struct weir_iface *ifc, const struct weir_addr *addr);

/**
 * WEIR_TIMER_NEIGH fired. When nobody answers, the packets that wait come back by core->loop, from
 * the IP header on and marked WEIR_PKT_UNREACHED: IP tells those who sent them.
 */
void weir_neigh_timer(struct weir_neigh *n);

/** Forget a learnt neighbour, its waiting packets end as drop_neigh_failed. */
void weir_neigh_forget(struct weir_neigh *n);

#endif
