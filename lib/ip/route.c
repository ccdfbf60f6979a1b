/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes. The ribs are built anew when routes or addresses changed. */
#include "weir_ip.h"

#include <inttypes.h>
#include <stdio.h>

#include <rte_malloc.h>
#include <rte_rib.h>
#include <rte_rib6.h>

#include "ip_priv.h"

#define DYNAMIC_MAX   (WEIR_IFACES_MAX * (WEIR_IFADDRS_MAX + 1)) /* networks and learnt routers */
#define NO_ROUTE      UINT16_MAX
#define IP4_MTU_MIN   68	 /* RFC 791 3.2 */
#define ROUTER_METRIC 1024	 /* of learnt default routes, as Linux */
#define LOOP_MTU      UINT16_MAX /* what never leaves the stack is limited by its header alone */
#define TABLE_MAX     (WEIR_ROUTES_MAX + DYNAMIC_MAX)

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

/* The configured route of a prefix with that metric, or with any. */
static struct weir_route *
find_conf_route(
	struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len, uint32_t metric)
{
	for (unsigned int i = 0; i < TABLE_MAX; i++) {
		struct weir_route *r = &ip->routes[i];

		if (r->is_used && r->origin == WEIR_ROUTE_FROM_CONF &&
			r->prefix_len == prefix_len && weir_addr_eq(&r->net, net) &&
			(metric == WEIR_METRIC_ANY || r->metric == metric))
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
is_good_prefix(const struct weir_addr *net, unsigned int prefix_len)
{
	return prefix_len <= 128 && !(weir_addr_is_v4(net) && prefix_len < 96);
}

static bool
is_good_route(const struct weir_ip *ip, const struct weir_route *r)
{
	if (r->ifindex >= ip->n_ifaces || !is_good_prefix(&r->net, r->prefix_len) ||
		r->kind >= WEIR_ROUTE_KINDS || r->metric == WEIR_METRIC_ANY)
		return false;
	if (r->mtu != 0 && r->mtu < (weir_addr_is_v4(&r->net) ? IP4_MTU_MIN : WEIR_IP6_MTU_MIN))
		return false;
	if (!weir_addr_is_any(&r->src) && weir_addr_is_v4(&r->src) != weir_addr_is_v4(&r->net))
		return false;
	if (weir_addr_is_any(&r->gateway))
		return true;
	return weir_addr_is_v4(&r->net) == weir_addr_is_v4(&r->gateway) &&
	       !weir_addr_is_multicast(&r->gateway) && !weir_addr_is_loopback(&r->gateway);
}

int
weir_ip_add_route(struct weir_ip *ip, const struct weir_route *route, bool may_replace)
{
	struct weir_addr masked = route->net;
	struct weir_route *r;

	if (!is_good_route(ip, route))
		return -EINVAL;
	mask_prefix(&masked, route->prefix_len);
	r = find_conf_route(ip, &masked, route->prefix_len, route->metric);
	if (r != NULL && !may_replace)
		return -EEXIST;
	if (r == NULL) {
		if (ip->n_static == WEIR_ROUTES_MAX)
			return -ENOSPC;
		r = find_free_route(ip);
		if (r == NULL)
			return -ENOSPC;
		ip->n_static++;
	}
	*r = *route;
	r->net = masked;
	r->origin = WEIR_ROUTE_FROM_CONF;
	r->is_used = true;
	if (weir_addr_is_any(&r->gateway))
		r->gateway = any;
	routes_changed(ip);
	return 0;
}

int
weir_ip_set_route(struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len,
	const struct weir_addr *gateway, unsigned int ifindex)
{
	if (prefix_len > 128 || ifindex >= ip->n_ifaces)
		return -EINVAL;
	return weir_ip_add_route(ip,
		&(struct weir_route){.net = *net,
			.gateway = *gateway,
			.prefix_len = (uint8_t)prefix_len,
			.ifindex = (uint8_t)ifindex},
		true);
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
weir_ip_del_route(
	struct weir_ip *ip, const struct weir_addr *net, unsigned int prefix_len, uint32_t metric)
{
	struct weir_addr masked = *net;
	struct weir_route *r;

	if (!is_good_prefix(net, prefix_len))
		return -EINVAL;
	mask_prefix(&masked, prefix_len);
	r = find_conf_route(ip, &masked, prefix_len, metric);
	if (r == NULL)
		return -ESRCH;
	rib_clear_route(ip, r);
	r->is_used = false;
	ip->n_static--;
	routes_changed(ip);
	return 0;
}

/* Building the ribs */

/* Is a to be used before b, of the same prefix? */
static bool
is_preferred(const struct weir_route *a, const struct weir_route *b)
{
	return a->metric != b->metric ? a->metric < b->metric : a->origin < b->origin;
}

/* Put route i into the list that begins with head; routes as good as others go behind them. */
static uint16_t
chain(struct weir_route *routes, uint16_t head, uint16_t i)
{
	uint16_t *at = &head;

	while (*at != NO_ROUTE && !is_preferred(&routes[i], &routes[*at]))
		at = &routes[*at].next;
	routes[i].next = *at;
	*at = i;
	return head;
}

static void
rib_add4(struct weir_ip *ip, uint16_t i)
{
	const struct weir_route *r = &ip->routes[i];
	const uint32_t net = weir_host32(weir_addr_to_v4(&r->net));
	const uint8_t depth = (uint8_t)(r->prefix_len - 96);
	struct rte_rib_node *node = rte_rib_lookup_exact(ip->rib4, net, depth);
	uint64_t head = NO_ROUTE;

	if (node != NULL)
		rte_rib_get_nh(node, &head);
	else
		node = rte_rib_insert(ip->rib4, net, depth);
	if (node != NULL)
		rte_rib_set_nh(node, chain(ip->routes, (uint16_t)head, i));
}

static void
rib_add6(struct weir_ip *ip, uint16_t i)
{
	const struct weir_route *r = &ip->routes[i];
	struct rte_rib6_node *node = rte_rib6_lookup_exact(ip->rib6, r->net.b, r->prefix_len);
	uint64_t head = NO_ROUTE;

	if (node != NULL)
		rte_rib6_get_nh(node, &head);
	else
		node = rte_rib6_insert(ip->rib6, r->net.b, r->prefix_len);
	if (node != NULL)
		rte_rib6_set_nh(node, chain(ip->routes, (uint16_t)head, i));
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
					.origin = WEIR_ROUTE_FROM_ADDR});
	}
	if (!weir_addr_is_any(&ifc->router))
		add_dynamic(ip, &(struct weir_route){.gateway = ifc->router,
					.ifindex = ifc->index,
					.metric = ROUTER_METRIC,
					.origin = WEIR_ROUTE_FROM_ROUTER});
}

static void
drop_dynamic(struct weir_ip *ip)
{
	for (unsigned int i = 0; i < TABLE_MAX; i++) {
		struct weir_route *r = &ip->routes[i];

		if (!r->is_used)
			continue;
		rib_clear_route(ip, r);
		if (r->origin != WEIR_ROUTE_FROM_CONF)
			r->is_used = false;
	}
}

static void
fill_ribs(struct weir_ip *ip)
{
	for (uint16_t i = 0; i < TABLE_MAX; i++) {
		const struct weir_route *r = &ip->routes[i];

		if (!r->is_used ||
			(r->kind == WEIR_ROUTE_UNICAST && ip->ifaces[r->ifindex].is_admin_down))
			continue;
		if (weir_addr_is_v4(&r->net))
			rib_add4(ip, i);
		else
			rib_add6(ip, i);
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

const struct weir_route *
weir_ip_next_route(struct weir_ip *ip, unsigned int *at)
{
	refresh(ip);
	for (; *at < TABLE_MAX; ++*at)
		if (ip->routes[*at].is_used)
			return &ip->routes[(*at)++];
	return NULL;
}

/* Lookup */

/* The first route of a list that leads out by the interface; those that refuse ask for none. */
static const struct weir_route *
pick(const struct weir_ip *ip, uint64_t head, int ifindex)
{
	for (uint64_t i = head; i != NO_ROUTE; i = ip->routes[i].next) {
		const struct weir_route *r = &ip->routes[i];

		if (ifindex < 0 || r->ifindex == ifindex || r->kind != WEIR_ROUTE_UNICAST)
			return r;
	}
	return NULL;
}

static const struct weir_route *
lookup4(const struct weir_ip *ip, const struct weir_addr *dst, int ifindex)
{
	struct rte_rib_node *node = rte_rib_lookup(ip->rib4, weir_host32(weir_addr_to_v4(dst)));
	const struct weir_route *r = NULL;
	uint64_t head;

	for (; node != NULL && r == NULL; node = rte_rib_lookup_parent(node)) {
		rte_rib_get_nh(node, &head);
		r = pick(ip, head, ifindex);
	}
	return r;
}

static const struct weir_route *
lookup6(const struct weir_ip *ip, const struct weir_addr *dst, int ifindex)
{
	struct rte_rib6_node *node = rte_rib6_lookup(ip->rib6, dst->b);
	const struct weir_route *r = NULL;
	uint64_t head;

	for (; node != NULL && r == NULL; node = rte_rib6_lookup_parent(node)) {
		rte_rib6_get_nh(node, &head);
		r = pick(ip, head, ifindex);
	}
	return r;
}

static int
leave_by(const struct weir_ip *ip, unsigned int ifindex, const struct weir_addr *dst,
	const struct weir_addr *next_hop, struct weir_dst *out)
{
	out->ifc = &ip->ifaces[ifindex];
	out->next_hop = *next_hop;
	out->mtu = weir_addr_is_v4(dst) ? out->ifc->mtu : out->ifc->mtu6;
	/* For IPv4 the network of the next hop tells best which address the peer expects. */
	return source_choose(
		ip, out->ifc, weir_addr_is_v4(dst) ? next_hop : dst, next_hop, &out->src);
}

/* What a route that refuses says, as Linux does. */
static int
refusal_of(const struct weir_route *r)
{
	static const int errors[WEIR_ROUTE_KINDS] = {
		[WEIR_ROUTE_BLACKHOLE] = -EINVAL,
		[WEIR_ROUTE_UNREACHABLE] = -EHOSTUNREACH,
		[WEIR_ROUTE_PROHIBIT] = -EACCES,
	};

	return errors[r->kind];
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
	if (unlikely(r->kind != WEIR_ROUTE_UNICAST))
		return refusal_of(r);
	rc = leave_by(ip, r->ifindex, dst, weir_addr_is_any(&r->gateway) ? dst : &r->gateway, out);
	if (r->mtu != 0)
		out->mtu = RTE_MIN(out->mtu, r->mtu);
	if (weir_addr_is_any(&r->src) || !weir_ip_is_local(ip, &r->src, NULL))
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
	*out = (struct weir_dst){.gen = ip->route_gen, .is_broadcast = ip_is_broadcast(ip, dst)};
	if (ifindex >= (int)ip->n_ifaces || weir_addr_is_any(dst))
		return -ENETUNREACH;
	if (weir_ip_is_local_on(ip, dst, ifindex, &own)) {
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
