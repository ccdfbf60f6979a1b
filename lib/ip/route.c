/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes and source addresses. The ribs are built anew when routes or addresses changed. */
#include "weir_ip.h"

#include <inttypes.h>
#include <stdio.h>

#include <rte_malloc.h>
#include <rte_rib.h>
#include <rte_rib6.h>

#include "ip_priv.h"

#define DYNAMIC_MAX (WEIR_IFACES_MAX * (WEIR_IFADDRS_MAX + 1)) /* networks and learnt routers */
#define LOOP_MTU    UINT16_MAX /* what never leaves the stack is limited by its header alone */
#define TABLE_MAX   (WEIR_ROUTES_MAX + DYNAMIC_MAX)

/* Where a route comes from; of the same prefix, the last of these wins. */
enum origin { FROM_ROUTER, FROM_CONF, FROM_ADDR, ORIGINS };

static const struct weir_addr any;

/* Set-up */

int
route_init(struct weir_ip *ip, int numa_node)
{
	struct rte_rib_conf conf4 = {.max_nodes = 2 * TABLE_MAX};
	struct rte_rib6_conf conf6 = {.max_nodes = 2 * TABLE_MAX};
	char name[RTE_MEMPOOL_NAMESIZE];

	/* Names must differ within the process and fit a mempool's: the address serves. */
	snprintf(name, sizeof(name), "w4_%" PRIxPTR, (uintptr_t)ip);
	ip->rib4 = rte_rib_create(name, numa_node, &conf4);
	snprintf(name, sizeof(name), "w6_%" PRIxPTR, (uintptr_t)ip);
	ip->rib6 = rte_rib6_create(name, numa_node, &conf6);
	ip->routes = rte_zmalloc_socket(
		"weir_routes", TABLE_MAX * sizeof(*ip->routes), RTE_CACHE_LINE_SIZE, numa_node);
	ip->is_rib_old = true;
	ip->route_gen = 1; /* an empty weir_dst is not fresh */
	if (ip->rib4 != NULL && ip->rib6 != NULL && ip->routes != NULL)
		return 0;
	route_fini(ip);
	return -ENOMEM;
}

void
route_fini(struct weir_ip *ip)
{
	rte_rib_free(ip->rib4);
	rte_rib6_free(ip->rib6);
	rte_free(ip->routes);
	ip->rib4 = NULL;
	ip->rib6 = NULL;
	ip->routes = NULL;
}

/* The table */

static void
mask_prefix(struct weir_addr *net, unsigned int len)
{
	for (unsigned int i = 0; i < 16; i++) {
		const unsigned int keep = len > i * 8 ? RTE_MIN(len - i * 8, 8u) : 0;

		net->b[i] &= (uint8_t)(0xff00u >> keep);
	}
}

static struct weir_route *
find_free_route(struct weir_ip *ip)
{
	for (unsigned int i = 0; i < TABLE_MAX; i++) {
		if (!ip->routes[i].is_used)
			return &ip->routes[i];
	}
	return NULL;
}

static struct weir_route *
find_conf_route(struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len)
{
	for (unsigned int i = 0; i < TABLE_MAX; i++) {
		struct weir_route *r = &ip->routes[i];

		if (r->is_used && r->origin == FROM_CONF && r->prefix_len == prefix_len &&
			weir_addr_eq(&r->net, net))
			return r;
	}
	return NULL;
}

static void
routes_changed(struct weir_ip *ip)
{
	ip->is_rib_old = true;
	ip->route_gen++;
}

static bool
is_good_route(const struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len,
	const struct weir_addr *gateway, unsigned int ifindex)
{
	if (ifindex >= ip->n_ifaces || prefix_len > 128)
		return false;
	if (weir_addr_is_v4(net) && prefix_len < 96)
		return false;
	if (weir_addr_is_any(gateway))
		return true;
	return weir_addr_is_v4(net) == weir_addr_is_v4(gateway) &&
	       !weir_addr_is_multicast(gateway) && !weir_addr_is_loopback(gateway);
}

int
weir_route_add(struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len,
	const struct weir_addr *gateway, unsigned int ifindex)
{
	struct weir_addr masked = *net;
	struct weir_route *r;

	if (!is_good_route(ip, net, prefix_len, gateway, ifindex))
		return -EINVAL;
	mask_prefix(&masked, prefix_len);
	r = find_conf_route(ip, &masked, prefix_len);
	if (r == NULL) {
		if (ip->n_static == WEIR_ROUTES_MAX)
			return -ENOSPC;
		r = find_free_route(ip);
		if (r == NULL)
			return -ENOSPC;
		ip->n_static++;
	}
	*r = (struct weir_route){.gateway = weir_addr_is_any(gateway) ? any : *gateway,
		.net = masked,
		.prefix_len = (uint8_t)prefix_len,
		.ifindex = (uint8_t)ifindex,
		.origin = FROM_CONF,
		.is_used = true};
	routes_changed(ip);
	return 0;
}

static void
rib_clear_route(struct weir_ip *ip, const struct weir_route *r)
{
	if (weir_addr_is_v4(&r->net))
		rte_rib_remove(ip->rib4, weir_host32(weir_addr_to_v4(&r->net)),
			(uint8_t)(r->prefix_len - 96));
	else
		rte_rib6_remove(ip->rib6, r->net.b, r->prefix_len);
}

int
weir_route_del(struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len)
{
	struct weir_addr masked = *net;
	struct weir_route *r;

	if (prefix_len > 128)
		return -EINVAL;
	mask_prefix(&masked, prefix_len);
	r = find_conf_route(ip, &masked, prefix_len);
	if (r == NULL)
		return -ENOENT;
	rib_clear_route(ip, r);
	r->is_used = false;
	ip->n_static--;
	routes_changed(ip);
	return 0;
}

/* Building the ribs */

static void
rib_set4(struct weir_ip *ip, const struct weir_route *r, uint64_t index)
{
	const uint32_t net = weir_host32(weir_addr_to_v4(&r->net));
	const uint8_t depth = (uint8_t)(r->prefix_len - 96);
	struct rte_rib_node *node = rte_rib_lookup_exact(ip->rib4, net, depth);

	if (node == NULL)
		node = rte_rib_insert(ip->rib4, net, depth);
	if (node != NULL)
		rte_rib_set_nh(node, index);
}

static void
rib_set6(struct weir_ip *ip, const struct weir_route *r, uint64_t index)
{
	struct rte_rib6_node *node = rte_rib6_lookup_exact(ip->rib6, r->net.b, r->prefix_len);

	if (node == NULL)
		node = rte_rib6_insert(ip->rib6, r->net.b, r->prefix_len);
	if (node != NULL)
		rte_rib6_set_nh(node, index);
}

static void
add_dynamic(struct weir_ip *ip, const struct weir_route *route)
{
	struct weir_route *r = find_free_route(ip);

	if (r == NULL)
		return; /* cannot be: the table has room for all of them */
	*r = *route;
	mask_prefix(&r->net, r->prefix_len);
	r->is_used = true;
}

/* An interface's own networks (link-local ones are looked up by interface) and its router. */
static void
add_iface_routes(struct weir_ip *ip, const struct weir_iface *ifc)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		if (!weir_ifaddr_is_usable(a) || weir_addr_is_link_local(&a->addr) ||
			a->prefix_len == 128)
			continue;
		add_dynamic(ip, &(struct weir_route){.net = a->addr,
					.prefix_len = a->prefix_len,
					.ifindex = ifc->index,
					.origin = FROM_ADDR});
	}
	if (!weir_addr_is_any(&ifc->router))
		add_dynamic(ip, &(struct weir_route){.gateway = ifc->router,
					.ifindex = ifc->index,
					.origin = FROM_ROUTER});
}

static void
drop_dynamic(struct weir_ip *ip)
{
	for (unsigned int i = 0; i < TABLE_MAX; i++) {
		struct weir_route *r = &ip->routes[i];

		if (!r->is_used)
			continue;
		rib_clear_route(ip, r);
		if (r->origin != FROM_CONF)
			r->is_used = false;
	}
}

/* Lower indices win among equals, so that the first interface is the one that is used. */
static void
fill_ribs(struct weir_ip *ip)
{
	for (unsigned int origin = 0; origin < ORIGINS; origin++) {
		for (unsigned int i = TABLE_MAX; i-- > 0;) {
			const struct weir_route *r = &ip->routes[i];

			if (!r->is_used || r->origin != origin)
				continue;
			if (weir_addr_is_v4(&r->net))
				rib_set4(ip, r, i);
			else
				rib_set6(ip, r, i);
		}
	}
}

static void
refresh(struct weir_ip *ip)
{
	const uint64_t changes = weir_ip_iface_changes(ip);

	if (likely(changes == ip->iface_changes && !ip->is_rib_old))
		return;
	drop_dynamic(ip);
	for (unsigned int i = 0; i < ip->n_ifaces; i++)
		add_iface_routes(ip, &ip->ifaces[i]);
	fill_ribs(ip);
	if (changes != ip->iface_changes)
		ip->route_gen++;
	ip->iface_changes = changes;
	ip->is_rib_old = false;
}

/* Source addresses: RFC 6724 5, rules 1, 2, 3 and 8. */

static unsigned int
scope_of(const struct weir_addr *a)
{
	if (weir_addr_is_v4(a))
		return 14;
	if (weir_addr_is_multicast(a))
		return a->b[1] & 15;
	return weir_addr_is_link_local(a) ? 2 : 14;
}

static unsigned int
common_bits(const struct weir_addr *a, const struct weir_addr *b)
{
	unsigned int i = 0;

	while (i < 16 && a->b[i] == b->b[i])
		i++;
	if (i == 16)
		return 128;
	return i * 8 + (unsigned int)__builtin_clz((unsigned int)(a->b[i] ^ b->b[i])) - 24;
}

/* Is a a better source than b for dst? */
static bool
is_better_source(
	const struct weir_ifaddr *a, const struct weir_ifaddr *b, const struct weir_addr *dst)
{
	const unsigned int sa = scope_of(&a->addr), sb = scope_of(&b->addr), sd = scope_of(dst);
	unsigned int ca, cb;

	if (sa != sb)
		return sa < sb ? sa >= sd : sb < sd;
	if (a->state != b->state)
		return a->state == WEIR_IFADDR_PREFERRED;
	ca = RTE_MIN(common_bits(&a->addr, dst), (unsigned int)a->prefix_len);
	cb = RTE_MIN(common_bits(&b->addr, dst), (unsigned int)b->prefix_len);
	return ca > cb;
}

static const struct weir_ifaddr *
best_of_iface(const struct weir_iface *ifc, const struct weir_addr *dst,
	const struct weir_ifaddr *best, bool is_other_iface)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		if (!weir_ifaddr_is_usable(a) || weir_addr_is_v4(&a->addr) != weir_addr_is_v4(dst))
			continue;
		if (is_other_iface && weir_addr_is_link_local(&a->addr))
			continue;
		if (best == NULL || is_better_source(a, best, dst))
			best = a;
	}
	return best;
}

/* An address of the outgoing interface, or else of another (RFC 1122 3.3.4.2, weak model). */
static int
choose_source(const struct weir_ip *ip, const struct weir_iface *ifc, const struct weir_addr *dst,
	struct weir_addr *src)
{
	const struct weir_ifaddr *best = best_of_iface(ifc, dst, NULL, false);

	for (unsigned int i = 0; i < ip->n_ifaces && best == NULL; i++)
		best = best_of_iface(&ip->ifaces[i], dst, NULL, true);
	if (best == NULL)
		return -EADDRNOTAVAIL;
	*src = best->addr;
	return 0;
}

/* Lookup */

static const struct weir_route *
lookup4(const struct weir_ip *ip, const struct weir_addr *dst, int ifindex)
{
	struct rte_rib_node *node = rte_rib_lookup(ip->rib4, weir_host32(weir_addr_to_v4(dst)));
	uint64_t index;

	for (; node != NULL; node = rte_rib_lookup_parent(node)) {
		rte_rib_get_nh(node, &index);
		if (ifindex < 0 || ip->routes[index].ifindex == ifindex)
			return &ip->routes[index];
	}
	return NULL;
}

static const struct weir_route *
lookup6(const struct weir_ip *ip, const struct weir_addr *dst, int ifindex)
{
	struct rte_rib6_node *node = rte_rib6_lookup(ip->rib6, dst->b);
	uint64_t index;

	for (; node != NULL; node = rte_rib6_lookup_parent(node)) {
		rte_rib6_get_nh(node, &index);
		if (ifindex < 0 || ip->routes[index].ifindex == ifindex)
			return &ip->routes[index];
	}
	return NULL;
}

static int
leave_by(const struct weir_ip *ip, unsigned int ifindex, const struct weir_addr *dst,
	const struct weir_addr *next_hop, struct weir_dst *out)
{
	out->ifc = &ip->ifaces[ifindex];
	out->next_hop = *next_hop;
	out->mtu = weir_addr_is_v4(dst) ? out->ifc->mtu : out->ifc->mtu6;
	/* For IPv4 the network of the next hop tells best which address the peer expects. */
	return choose_source(ip, out->ifc, weir_addr_is_v4(dst) ? next_hop : dst, &out->src);
}

static int
route_unicast(struct weir_ip *ip, const struct weir_addr *dst, int ifindex, struct weir_dst *out)
{
	const struct weir_route *r =
		weir_addr_is_v4(dst) ? lookup4(ip, dst, ifindex) : lookup6(ip, dst, ifindex);
	int rc;

	if (r == NULL) {
		ip->stats.route_misses++;
		return -ENETUNREACH;
	}
	rc = leave_by(ip, r->ifindex, dst, weir_addr_is_any(&r->gateway) ? dst : &r->gateway, out);
	if (weir_addr_is_any(&r->src))
		return rc;
	out->src = r->src;
	return 0;
}

/* Groups and link-local addresses say nothing about the interface: the asked one, or the first. */
static int
route_on_link(struct weir_ip *ip, const struct weir_addr *dst, int ifindex, struct weir_dst *out)
{
	return leave_by(ip, ifindex < 0 ? 0 : (unsigned int)ifindex, dst, dst, out);
}

int
weir_ip_route(struct weir_ip *ip, const struct weir_addr *dst, int ifindex, struct weir_dst *out)
{
	unsigned int own;

	refresh(ip);
	*out = (struct weir_dst){.gen = ip->route_gen};
	if (ifindex >= (int)ip->n_ifaces || weir_addr_is_any(dst))
		return -ENETUNREACH;
	if (weir_ip_is_local(ip, dst, &own)) {
		out->ifc = &ip->ifaces[own];
		out->next_hop = out->src = *dst; /* RFC 6724 5, rule 1 */
		out->mtu = LOOP_MTU;
		out->is_local = true;
		return 0;
	}
	if (weir_addr_is_multicast(dst) || weir_addr_is_broadcast(dst) ||
		weir_addr_is_link_local(dst))
		return route_on_link(ip, dst, ifindex, out);
	return route_unicast(ip, dst, ifindex, out);
}
