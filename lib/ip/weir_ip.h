/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The network layer of one worker: IPv4 and IPv6 in and out, routes, ICMP.
 * Model   Both versions share one address type (weir_addr) and one way out, weir_ip_output().
 *         Each worker has its own copy of the routes (rte_rib / rte_rib6).
 *         Packets of flows that live elsewhere go to their worker: see weir_ip.steer.
 * Thread  The worker's lcore alone, except set-up before it starts.
 */
#ifndef WEIR_IP_H
#define WEIR_IP_H

#include <netinet/in.h>

#include "weir_link.h"

struct rte_rib;
struct rte_rib6;
struct weir_mcast;
struct weir_pmtu;

#define WEIR_ROUTES_MAX 1024 /* configured; those of interfaces and routers come on top */
#define WEIR_METRIC_ANY UINT32_MAX

enum weir_route_kind {
	WEIR_ROUTE_UNICAST,
	WEIR_ROUTE_BLACKHOLE,   /* senders get EINVAL, */
	WEIR_ROUTE_UNREACHABLE, /* EHOSTUNREACH, */
	WEIR_ROUTE_PROHIBIT,    /* EACCES */
	WEIR_ROUTE_KINDS
};

/** Of the same prefix and metric, an earlier one of these is used. */
enum weir_route_origin {
	WEIR_ROUTE_FROM_ADDR, /* an interface's own network */
	WEIR_ROUTE_FROM_CONF,
	WEIR_ROUTE_FROM_ROUTER, /* learnt */
};

struct weir_route {
	struct weir_addr net;
	struct weir_addr gateway; /* :: : on link */
	struct weir_addr src;     /* preferred source, or :: */
	uint32_t metric;          /* the least is used; with the prefix, a route's name */
	uint16_t mtu;             /* 0: the interface's */
	uint16_t next;            /* route.c: of the same prefix, less preferred */
	uint8_t prefix_len;       /* of the 16 bytes */
	uint8_t ifindex;
	uint8_t kind;   /* enum weir_route_kind */
	uint8_t origin; /* enum weir_route_origin */
	bool is_used;
};

struct weir_ip_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_ip_stats.h"
#undef WEIR_STAT
};

/** Where packets for a destination go. Valid while weir_dst_is_fresh(). */
struct weir_dst {
	struct weir_iface *ifc;
	struct weir_addr next_hop;
	struct weir_addr src; /* source address to use when none is bound (RFC 6724) */
	uint32_t gen;
	uint16_t mtu;  /* of the path as known: at most the interface's */
	bool is_broadcast; /* of all hosts, or of one of our networks */
	bool is_local; /* one of our own addresses: packets are looped, see weir_core.loop */
};

/** An ICMP error about a packet that this stack sent, for the socket layers. */
struct weir_icmp_error {
	struct rte_mbuf *m;    /* the message; still owned by the IP layer */
	struct weir_flow flow; /* as the local side sees it: laddr sent the quoted packet */
	uint8_t proto;         /* of the quoted packet */
	uint8_t type;          /* ICMP type and code as received (v4 or v6 by flow) */
	uint8_t code;
	uint16_t mtu;          /* next-hop MTU for "too big"/"fragmentation needed"; else 0 */
	int error;             /* errno the application sees: ECONNREFUSED, EHOSTUNREACH, ... */
	bool is_hard;          /* RFC 9293 3.9.2.2: not soft */
	uint16_t l3_at;        /* in m: the quoted packet, */
	uint16_t l4_at;        /* its transport header */
	uint32_t info;         /* what the message says beside its code: MTU, pointer */
	struct weir_addr offender; /* who sent it */
	uint32_t tcp_seq;      /* of the quoted header, for RFC 5927 checks (TCP) */
};

#define WEIR_ICMP_ERRORS_MAX 32
#define WEIR_IP_WAYS	     256 /* destinations whose route is remembered */

struct weir_ip {
	struct weir_core *core;
	struct weir_iface *ifaces; /* ifaces[n_ifaces], index = weir_iface.index */
	unsigned int n_ifaces;
	struct rte_rib *rib4; /* value: index into routes */
	struct rte_rib6 *rib6;
	struct weir_route *routes;
	unsigned int n_static;
	bool is_rib_old;    /* routes changed since the ribs were built */
	uint32_t route_gen; /* grows with every change of routes or addresses */
	uint64_t iface_changes; /* sum of weir_iface.route_change when route_gen last grew */
	uint64_t own_bits;    /* of our addresses and broadcasts, see ip_may_be_own() */
	uint64_t own_changes; /* sum of weir_iface.route_change when they were taken */
	bool is_steering;   /* several workers and a port without usable RSS: hash in software */
	const struct weir_steer *steer; /* flow -> worker; NULL with one worker */
	uint32_t ip4_id;
	uint8_t ttl; /* default hop limit, 64 */
	/*
	 * Raw sockets, by the raw layer: how many there are, and of which protocols (IPv4, IPv6).
	 * raw_copies holds references to packets of this burst that others take, too.
	 */
	unsigned int n_raw;
	uint64_t raw_protos[2][4];
	struct weir_vec raw_copies;
	/* ICMP rate limits: token buckets (RFC 4443 2.4 (f), RFC 1812 4.3.2.8) */
	struct weir_bucket {
		uint32_t tokens;
		uint32_t rate_per_s;
		uint32_t burst;
		uint64_t filled_us;
	} icmp_errors, icmp_echo;
	/* ICMP errors of this burst, read by udp and tcp, then freed by weir_ip_errors_done() */
	struct weir_icmp_error errors[WEIR_ICMP_ERRORS_MAX];
	unsigned int n_errors;
	struct weir_wheel_entry timer; /* reassembly */
	struct weir_mcast *mcast;      /* what routers are told: worker 0 */
	struct ip_reass *reass;        /* fragments held: n_held of it */
	struct weir_pmtu *pmtu;        /* of the stack, or NULL */
	struct weir_ip_stats stats;
	/** The routes to destinations that were asked for before, by hash. */
	struct weir_ip_way {
		struct weir_addr raddr;
		int ifindex;
		uint32_t pmtu_version;
		uint64_t until_us; /* its path MTU is forgotten then */
		struct weir_dst dst; /* as wide as the path is */
		uint16_t route_mtu;  /* and the route alone */
	} ways[WEIR_IP_WAYS];
};

/** Sum of the interfaces' route_change. */
static inline uint64_t
weir_ip_iface_changes(const struct weir_ip *ip)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ip->n_ifaces; i++)
		sum += ip->ifaces[i].route_change;
	return sum;
}

/** Have routes and addresses stayed as they were when dst was looked up? */
static inline bool
weir_dst_is_fresh(const struct weir_ip *ip, const struct weir_dst *dst)
{
	return dst->gen == ip->route_gen && weir_ip_iface_changes(ip) == ip->iface_changes;
}

/** How flows are spread over workers: the same on every port of a stack (steer.c). */
struct weir_steer {
	uint16_t n_workers;
	uint16_t reta_size; /* power of two */
	uint8_t key_len;
	uint8_t key[WEIR_RSS_KEY_LEN_MAX] __attribute__((aligned(4)));
	uint16_t reta[WEIR_RETA_SIZE_MAX]; /* hash & (reta_size - 1) -> worker */
};

/** The worker that receives packets of a flow (flow as the local side sees it). */
uint16_t weir_steer_worker(const struct weir_steer *s, const struct weir_flow *flow);

/** May a packet of len bytes behind its IP header go by dst in one piece? */
static inline bool
weir_dst_takes(const struct weir_dst *dst, uint32_t len, bool is_v4)
{
	return dst->is_local || len + (is_v4 ? 20 : 40) <= dst->mtu;
}

/* Set-up (ip.c, route.c) */

struct weir_ip_conf {
	struct weir_iface *ifaces;
	unsigned int n_ifaces;
	const struct weir_steer *steer; /* NULL with one worker */
	bool is_steering;
	struct weir_pmtu *pmtu; /* of the stack; NULL: none is learnt */
	uint32_t icmp_errors_per_s; /* 0: 1000 */
	int numa_node;
	const char *name; /* of the stack, for messages */
};

/** @return 0, -EINVAL: no interface, -ENOMEM */
int weir_ip_init(struct weir_ip *ip, struct weir_core *core, const struct weir_ip_conf *conf);
void weir_ip_fini(struct weir_ip *ip);

/** Packets that wait for the rest of their datagram. */
unsigned int weir_ip_frags_held(const struct weir_ip *ip);

/**
 * Add a route; origin, next and is_used do not matter, host bits are cleared. One of the same
 * prefix and metric is replaced, or stays.
 * @return 0, -EINVAL, -ENOSPC, -EEXIST
 */
int weir_ip_add_route(struct weir_ip *ip, const struct weir_route *route, bool may_replace);

/** The same for the plainest kind of route, with replacement: 0.0.0.0/0 has prefix_len 96. */
int weir_ip_set_route(struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len,
	const struct weir_addr *gateway, unsigned int ifindex);

/** Remove a configured route. @return 0, -ESRCH, -EINVAL */
int weir_ip_del_route(struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len,
	uint32_t metric);

/** The first route from *at on, which moves behind it (begin with 0); NULL: none is left. */
const struct weir_route *weir_ip_next_route(struct weir_ip *ip, unsigned int *at);

/** Receive a multicast group by an interface (-1: the first); as weir_iface_join(). */
int weir_ip_join(struct weir_ip *ip, const struct weir_addr *group, int ifindex);
int weir_ip_leave(struct weir_ip *ip, const struct weir_addr *group, int ifindex);

/**
 * Find the way to dst: own networks, then routes, longest prefix first; multicast and broadcast by
 * ifindex or the first interface.
 * @param ifindex  interface to use, or -1 for any
 * @return 0 and *out, or -ENETUNREACH; -EADDRNOTAVAIL when no source address fits; -EINVAL,
 *         -EHOSTUNREACH, -EACCES: a route refuses
 */
int weir_ip_route(struct weir_ip *ip, const struct weir_addr *dst, int ifindex,
	struct weir_dst *out);

/**
 * The same with a memory, for datagrams: looked up again when routes, addresses or the destination
 * changed. *dst is valid until the next call.
 */
int weir_ip_way(struct weir_ip *ip, const struct weir_addr *raddr, int ifindex,
	const struct weir_dst **dst);

/** As weir_ip_route(), with the same memory. */
int weir_ip_route_again(struct weir_ip *ip, const struct weir_addr *dst, int ifindex,
	struct weir_dst *out);

/**
 * Is addr one of the stack's own usable unicast addresses? *ifindex (may be NULL) says whose.
 * Loopback addresses are: packets to them are looped, and refused when they come from a port.
 */
bool weir_ip_is_local(
	const struct weir_ip *ip, const struct weir_addr *addr, unsigned int *ifindex);

/** The same seen from an interface (-1: any): a link-local address is that of its link alone. */
bool weir_ip_is_local_on(const struct weir_ip *ip, const struct weir_addr *addr, int ifindex,
	unsigned int *own);

/* Receive (ip4_input.c, ip6_input.c, icmp4.c, icmp6.c) */

/**
 * Check headers, sort by protocol. Data starts at the IP header, before and after. Sets weir_pkt
 * addresses, proto, ttl, tos, l4_off, l4_len, group and checksum flags. Trims link padding.
 * Reassembles fragments: what goes up may be a chain of many segments.
 * Hands over to the owning worker when steering, and what was reassembled elsewhere (TCP and UDP
 * only; datagrams to groups stay on the worker that received them).
 * ICMP is processed here; errors about own packets are left in ip->errors.
 * What was handed over by another worker was checked there and goes straight up.
 * Empties v. Other protocols go to raw; with raw NULL they end as drop_ip_proto and are answered.
 * Of those that are processed elsewhere and that a raw socket wants, references go to raw_copies.
 */
void weir_ip4_input(struct weir_ip *ip, struct weir_vec *v, struct weir_vec *udp,
	struct weir_vec *tcp, struct weir_vec *raw);
void weir_ip6_input(struct weir_ip *ip, struct weir_vec *v, struct weir_vec *udp,
	struct weir_vec *tcp, struct weir_vec *raw);

/** The next hop of m, which this worker sent, does not answer: left in ip->errors. Takes m. */
void weir_ip_unreached(struct weir_ip *ip, struct rte_mbuf *m);

/** The upper layers have read ip->errors: end them as icmp_taken. */
void weir_ip_errors_done(struct weir_ip *ip);

/** WEIR_TIMER_IP fired. */
void weir_ip_timer(struct weir_ip *ip);

/* Transmit (ip_output.c) */

struct weir_ip_hdr_info {
	const struct weir_addr *src;
	const struct weir_addr *dst;
	uint8_t proto;
	uint8_t ttl; /* 0: the default */
	uint8_t tos;
	bool is_looped;    /* to a group: members on this host get it, too */
	bool is_df;	   /* IPv4: routers may not split it, if it goes in one piece */
	bool may_fragment; /* DF as is_df, split if too large; else DF. Equal in both calls below */
};

/**
 * Prepend the IP header to m (data starts at the transport header) and send it by dst.
 * The transport checksum: the caller stored the pseudo-header sum and set ol_flags when the
 * interface offloads it, or the final value (weir_ip_l4_cksum() does either).
 * Takes m, whatever happens. Sets l2_len and l3_len of the mbuf. Counts tx_made (fragments each).
 */
void weir_ip_output(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h);

/**
 * Send m, which begins with an IP header that is complete but for the checksum of IPv4's (raw
 * sockets with IP_HDRINCL, IGMP), and fits the MTU. Takes m.
 */
void weir_ip_output_whole(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m);

/**
 * Fill the transport checksum field at *field (inside m's first segment, data starting at the
 * transport header) in software, or prepare for the port to do it: pseudo-header sum (without the
 * length for TSO, as DPDK asks), ol_flags, l4_len.
 * @param l4_hlen   transport header length, bytes
 * @param tso_segsz 0, or the payload bytes per segment for RTE_MBUF_F_TX_TCP_SEG
 */
void weir_ip_l4_cksum(const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, uint16_t *field, uint16_t l4_hlen, uint16_t tso_segsz);

enum weir_unreach { /* what weir_icmp_unreach() reports */
	WEIR_UNREACH_PORT,
	WEIR_UNREACH_PROTO,
};

/**
 * Answer a received packet with an ICMP/ICMPv6 error, within the rate limit and RFC 1122 3.2.2,
 * RFC 4443 2.4 (e). Does not take m.
 */
void weir_icmp_unreach(struct weir_ip *ip, struct rte_mbuf *m, enum weir_unreach what);

#endif
