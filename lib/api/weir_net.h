/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Addresses, routes, neighbours and ports of a stack, changed while it runs (doc/network.md).
 * Model   Every worker has its own copy. A change is made on one after the other, between two of
 *         their turns, and undone again where a worker refuses it. Connections notice a new route
 *         with their next packet. What is configured and what is changed here is one table.
 * Thread  Any thread but the stack's workers (-EWOULDBLOCK); changes wait for each other.
 * Errors  -EINVAL: a value or a combination that cannot be; -ENODEV: no port of that name;
 *         -ETIMEDOUT: a worker has not answered for a second, and may make the change later;
 *         -EFAULT, and what each call names.
 */
#ifndef WEIR_NET_H
#define WEIR_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir_conf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weir_stack;

#define WEIR_NET_FOREVER UINT32_MAX /* a lifetime */

/* Addresses */

enum weir_net_addr_state {
	WEIR_NET_ADDR_TENTATIVE, /* duplicate address detection under way: not used yet */
	WEIR_NET_ADDR_PREFERRED,
	WEIR_NET_ADDR_DEPRECATED, /* not a source of what is new, if there is another */
	WEIR_NET_ADDR_DUPLICATE,  /* another station has it: not used */
};

struct weir_net_addr {
	char port[WEIR_CONF_NAME_MAX];
	struct weir_conf_prefix prefix; /* the address and its network's length */
	uint32_t preferred_s;           /* lifetimes; 0: deprecated at once */
	uint32_t valid_s;
	bool no_dad;  /* IPv6: do not ask whether another station has it */
	bool is_auto; /* out: link-local, or from a router */
	uint8_t state; /* out: enum weir_net_addr_state */
};

/**
 * Give a port an address; IPv6 ones can be used once DAD is through (a second), IPv4 ones at once.
 * @return 0, -EEXIST, -ENOSPC: the port has 16
 */
int weir_addr_add(struct weir_stack *st, const struct weir_net_addr *addr);

/**
 * Take it away; port and prefix.addr count. Connections from it send nothing any more and time out,
 * as on Linux. @return 0, -EADDRNOTAVAIL
 */
int weir_addr_del(struct weir_stack *st, const struct weir_net_addr *addr);

/** Up to max of them, port by port, the first of a port preferred. @return how many there are */
int weir_addr_list(struct weir_stack *st, struct weir_net_addr *list, unsigned int max);

/* Routes */

enum weir_net_route_kind {
	WEIR_NET_UNICAST,
	WEIR_NET_BLACKHOLE,   /* EINVAL to who sends there */
	WEIR_NET_UNREACHABLE, /* EHOSTUNREACH */
	WEIR_NET_PROHIBIT,    /* EACCES */
};

enum weir_net_route_origin {
	WEIR_NET_FROM_ADDR, /* a port's own network */
	WEIR_NET_FROM_CONF, /* the configuration, or weir_route_add() */
	WEIR_NET_FROM_ROUTER,
};

struct weir_net_route {
	struct weir_conf_prefix net;
	uint8_t gateway[16]; /* :: : on link */
	uint8_t src[16];     /* preferred source; :: : as RFC 6724 says */
	char port[WEIR_CONF_NAME_MAX]; /* may be empty with a gateway: the port that reaches it */
	uint32_t metric; /* the route with the least is used; with net it is the route's name */
	uint16_t mtu;    /* of packets that go there; 0: the port's */
	uint8_t kind;    /* enum weir_net_route_kind */
	uint8_t origin;  /* out: enum weir_net_route_origin */
};

/** @return 0, -EEXIST (unless may_replace), -ENOSPC, -ENETUNREACH: no port reaches the gateway */
int weir_route_add(struct weir_stack *st, const struct weir_net_route *route, bool may_replace);

/** Remove the configured route of net and metric. @return 0, -ESRCH */
int weir_route_del(struct weir_stack *st, const struct weir_net_route *route);

int weir_route_list(struct weir_stack *st, struct weir_net_route *list, unsigned int max);

/** How a packet to dst would go: net is dst, gateway the next hop, src its source. 0 or the error
 *  that a sender would get. To an own address the port is empty. */
int weir_route_get(struct weir_stack *st, const uint8_t dst[16], struct weir_net_route *route);

/* Neighbours */

enum weir_net_neigh_state {
	WEIR_NET_NEIGH_INCOMPLETE = 1,
	WEIR_NET_NEIGH_REACHABLE,
	WEIR_NET_NEIGH_STALE,
	WEIR_NET_NEIGH_DELAY,
	WEIR_NET_NEIGH_PROBE,
	WEIR_NET_NEIGH_PERMANENT,
};

struct weir_net_neigh {
	char port[WEIR_CONF_NAME_MAX];
	uint8_t addr[16];
	uint8_t mac[6];
	uint8_t state; /* out: enum weir_net_neigh_state */
	bool is_router; /* out */
};

/** Add or change a static neighbour. @return 0, -ENOSPC */
int weir_neigh_add(struct weir_stack *st, const struct weir_net_neigh *neigh);

/** Forget a neighbour, static or learnt. @return 0, -ESRCH: no worker knew it */
int weir_neigh_del(struct weir_stack *st, const struct weir_net_neigh *neigh);

/** Forget all that were learnt, of one port or (NULL) of all. */
int weir_neigh_flush(struct weir_stack *st, const char *port);

/** What the workers know; one entry for each neighbour that any of them knows. */
int weir_neigh_list(struct weir_stack *st, struct weir_net_neigh *list, unsigned int max);

/* Ports */

struct weir_net_port {
	char name[WEIR_CONF_NAME_MAX];
	uint8_t mac[6];
	bool is_on;    /* not switched off */
	bool has_link; /* and its link is up */
	uint16_t mtu;
	uint16_t mtu_max; /* what it was opened with */
};

/** Switch a port off or on. Off, it sends and takes nothing, and its routes are not used. */
int weir_port_switch(struct weir_stack *st, const char *port, bool on);

/** @return 0, -EINVAL: beyond mtu_max, less than 68 or with IPv6 1280 */
int weir_port_set_mtu(struct weir_stack *st, const char *port, uint16_t mtu);

int weir_port_list(struct weir_stack *st, struct weir_net_port *list, unsigned int max);

/* Text */

/**
 * Make a change that is given as text, such as "addr add 10.0.0.5/24 port p0" (doc/network.md has
 * them all).
 * @param err  one line saying what is wrong, "" when nothing is
 */
int weir_net_command(struct weir_stack *st, const char *text, char *err, size_t err_len);

#ifdef __cplusplus
}
#endif

#endif
