/* SPDX-License-Identifier: BSD-3-Clause */
/* weir_net.h: what there is. Addresses and routes as worker 0 has them, neighbours of all. */
#include <errno.h>

#include "net_priv.h"
#include "telemetry_priv.h"

#define CHUNK 64 /* what a worker copies out between two turns */

static_assert((int)WEIR_NET_ADDR_DUPLICATE == (int)WEIR_IFADDR_DUPLICATE, "the same states");
static_assert((int)WEIR_NET_NEIGH_PERMANENT == (int)WEIR_NEIGH_PERMANENT, "the same states");
static_assert((int)WEIR_NET_PROHIBIT == (int)WEIR_ROUTE_PROHIBIT, "the same kinds");
static_assert((int)WEIR_NET_FROM_ROUTER == (int)WEIR_ROUTE_FROM_ROUTER, "the same origins");

static void
put_port(char name[WEIR_CONF_NAME_MAX], const struct weir_stack *st, unsigned int port)
{
	memcpy(name, st->conf.ports[port].name, WEIR_CONF_NAME_MAX);
}

/* Addresses */

static uint32_t
seconds_left(uint64_t until_us, uint64_t now_us)
{
	if (until_us == WEIR_WHEEL_NEVER)
		return WEIR_NET_FOREVER;
	return until_us > now_us ? (uint32_t)((until_us - now_us) / 1000000) : 0;
}

static void
put_addr(struct weir_net_addr *out, const struct weir_stack *st, const struct tel_addrs *a,
	unsigned int i)
{
	const struct weir_ifaddr *in = &a->addr[i];

	*out = (struct weir_net_addr){
		.preferred_s = seconds_left(in->preferred_until_us, a->now_us),
		.valid_s = seconds_left(in->valid_until_us, a->now_us),
		.is_auto = in->is_auto,
		.state = in->state};
	put_port(out->port, st, a->port);
	memcpy(out->prefix.addr, in->addr.b, 16);
	out->prefix.len = in->prefix_len;
}

int
weir_addr_list(struct weir_stack *st, struct weir_net_addr *list, unsigned int max)
{
	unsigned int n = 0;

	if (st == NULL || (list == NULL && max != 0))
		return -EFAULT;
	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	for (unsigned int p = 0; p < st->n_ports; p++) {
		struct tel_addrs a;
		const int rc = tel_ask_addrs(st, p, &a);

		if (rc != 0)
			return rc;
		for (unsigned int i = 0; i < a.n; i++, n++)
			if (n < max)
				put_addr(&list[n], st, &a, i);
	}
	return (int)n;
}

/* Routes */

struct routes {
	unsigned int at;
	unsigned int n;
	struct weir_route route[CHUNK];
};

static int
read_routes(struct weir_worker *w, void *arg)
{
	struct routes *r = arg;
	const struct weir_route *route;

	r->n = 0;
	while (r->n < CHUNK && (route = weir_ip_next_route(&w->ip, &r->at)) != NULL)
		r->route[r->n++] = *route;
	return 0;
}

static void
put_route(struct weir_net_route *out, const struct weir_stack *st, const struct weir_route *in)
{
	*out = (struct weir_net_route){
		.metric = in->metric, .mtu = in->mtu, .kind = in->kind, .origin = in->origin};
	memcpy(out->net.addr, in->net.b, 16);
	out->net.len = in->prefix_len;
	memcpy(out->gateway, in->gateway.b, 16);
	memcpy(out->src, in->src.b, 16);
	if (in->kind == WEIR_ROUTE_UNICAST)
		put_port(out->port, st, in->ifindex);
}

int
weir_route_list(struct weir_stack *st, struct weir_net_route *list, unsigned int max)
{
	struct routes r = {.n = CHUNK};
	unsigned int n = 0;

	if (st == NULL || (list == NULL && max != 0))
		return -EFAULT;
	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	while (r.n == CHUNK) {
		const int rc = tel_ask(st, 0, read_routes, &r, sizeof(r), TEL_ASK_US);

		if (rc != 0)
			return rc;
		for (unsigned int i = 0; i < r.n; i++, n++)
			if (n < max)
				put_route(&list[n], st, &r.route[i]);
	}
	return (int)n;
}

struct query {
	struct weir_addr dst;
	struct weir_addr next_hop;
	struct weir_addr src;
	uint16_t mtu;
	int port; /* -1: to ourselves */
};

static int
route_on(struct weir_worker *w, void *arg)
{
	struct query *q = arg;
	struct weir_dst dst;
	const int rc = weir_ip_route(&w->ip, &q->dst, -1, &dst);

	if (rc != 0)
		return rc;
	q->next_hop = dst.next_hop;
	q->src = dst.src;
	q->mtu = dst.mtu;
	q->port = dst.is_local ? -1 : dst.ifc->index;
	return 0;
}

int
weir_route_get(struct weir_stack *st, const uint8_t dst[16], struct weir_net_route *out)
{
	struct query q;
	int rc;

	if (st == NULL || dst == NULL || out == NULL)
		return -EFAULT;
	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	q = (struct query){.dst = weir_addr_v6(dst)};
	rc = tel_ask(st, 0, route_on, &q, sizeof(q), TEL_ASK_US);
	if (rc != 0)
		return rc;
	*out = (struct weir_net_route){.net.len = 128, .mtu = q.mtu};
	memcpy(out->net.addr, dst, 16);
	memcpy(out->gateway, q.next_hop.b, 16);
	memcpy(out->src, q.src.b, 16);
	if (q.port >= 0)
		put_port(out->port, st, (unsigned int)q.port);
	return 0;
}

/* Neighbours */

struct neighs {
	unsigned int port;
	unsigned int at;
	unsigned int n;
	struct weir_net_neigh neigh[CHUNK];
};

static int
read_neighs(struct weir_worker *w, void *arg)
{
	struct neighs *r = arg;
	const struct weir_iface *ifc = &w->ifaces[r->port];

	for (r->n = 0; r->n < CHUNK && r->at < WEIR_NEIGHS_MAX; r->at++) {
		const struct weir_neigh *n = &ifc->neighs[r->at];
		struct weir_net_neigh *out = &r->neigh[r->n];

		if (n->state == WEIR_NEIGH_FREE)
			continue;
		*out = (struct weir_net_neigh){.state = n->state, .is_router = n->is_router};
		memcpy(out->addr, n->addr.b, 16);
		if (n->state != WEIR_NEIGH_INCOMPLETE)
			memcpy(out->mac, n->mac.b, sizeof(out->mac));
		r->n++;
	}
	return 0;
}

/* Another worker may have told of it; what is reachable says more than what is not. */
static void
merge_neigh(struct weir_net_neigh *list, unsigned int max, unsigned int *n,
	const struct weir_net_neigh *new)
{
	for (unsigned int i = 0; i < *n && i < max; i++) {
		if (memcmp(list[i].addr, new->addr, 16) != 0 ||
			strcmp(list[i].port, new->port) != 0)
			continue;
		if (new->state == WEIR_NET_NEIGH_REACHABLE ||
			list[i].state == WEIR_NET_NEIGH_INCOMPLETE)
			list[i] = *new;
		return;
	}
	if (*n < max)
		list[*n] = *new;
	++*n;
}

static int
list_neighs(struct weir_stack *st, unsigned int worker, unsigned int port,
	struct weir_net_neigh *list, unsigned int max, unsigned int *n)
{
	struct neighs r = {.port = port};

	while (r.at < WEIR_NEIGHS_MAX) {
		const int rc = tel_ask(st, worker, read_neighs, &r, sizeof(r), TEL_ASK_US);

		if (rc != 0)
			return rc;
		for (unsigned int i = 0; i < r.n; i++) {
			put_port(r.neigh[i].port, st, port);
			merge_neigh(list, max, n, &r.neigh[i]);
		}
	}
	return 0;
}

int
weir_neigh_list(struct weir_stack *st, struct weir_net_neigh *list, unsigned int max)
{
	unsigned int n = 0;
	int rc = 0;

	if (st == NULL || (list == NULL && max != 0))
		return -EFAULT;
	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	for (unsigned int p = 0; p < st->n_ports; p++)
		for (unsigned int w = 0; w < st->n_workers && rc == 0; w++)
			rc = list_neighs(st, w, p, list, max, &n);
	return rc != 0 ? rc : (int)n;
}

/* Ports */

int
weir_port_list(struct weir_stack *st, struct weir_net_port *list, unsigned int max)
{
	if (st == NULL || (list == NULL && max != 0))
		return -EFAULT;
	for (unsigned int i = 0; i < st->n_ports && i < max; i++) {
		const struct weir_iface *ifc = &st->workers[0]->ifaces[i];

		/* Single words as they stand. */
		list[i] = (struct weir_net_port){.is_on = !ifc->is_admin_down,
			.has_link = ifc->is_up,
			.mtu = ifc->mtu,
			.mtu_max = st->ports[i]->info.mtu};
		put_port(list[i].name, st, i);
		memcpy(list[i].mac, ifc->mac.b, sizeof(list[i].mac));
	}
	return (int)st->n_ports;
}
