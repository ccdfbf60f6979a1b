/* SPDX-License-Identifier: BSD-3-Clause */
/* /weir/net changes addresses, routes, neighbours and ports; /weir/addrs ... list them. */
#include <errno.h>
#include <stdlib.h>

#include "net_priv.h"
#include "telemetry_priv.h"

#define LIST_MAX (WEIR_IFACES_MAX * WEIR_NEIGHS_MAX)

static const char *
addr_text(const uint8_t addr[16], char text[WEIR_ADDR_STRLEN])
{
	const struct weir_addr a = weir_addr_v6(addr);

	return weir_addr_format(&a, text);
}

static void
tel_addr(struct rte_tel_data *d, const char *name, const uint8_t addr[16])
{
	const struct weir_addr a = weir_addr_v6(addr);
	char text[WEIR_ADDR_STRLEN];

	if (!weir_addr_is_any(&a))
		tel_text(d, name, "%s", weir_addr_format(&a, text));
}

static void
tel_prefix(struct rte_tel_data *d, const char *name, const struct weir_conf_prefix *p)
{
	const struct weir_addr a = weir_addr_v6(p->addr);
	char text[WEIR_ADDR_STRLEN];

	tel_text(d, name, "%s/%u", addr_text(p->addr, text),
		weir_addr_is_v4(&a) ? p->len - 96u : p->len);
}

static void
tel_mac(struct rte_tel_data *d, const char *name, const uint8_t m[6])
{
	tel_text(d, name, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void
put_addr(struct rte_tel_data *d, const void *row)
{
	static const char *const states[] = {"tentative", "preferred", "deprecated", "duplicate"};
	const struct weir_net_addr *a = row;

	tel_text(d, "port", "%s", a->port);
	tel_prefix(d, "address", &a->prefix);
	tel_text(d, "state", "%s", states[a->state]);
	tel_int(d, "auto", a->is_auto);
	if (a->preferred_s != WEIR_NET_FOREVER)
		tel_u64(d, "preferred_s", a->preferred_s);
	if (a->valid_s != WEIR_NET_FOREVER)
		tel_u64(d, "valid_s", a->valid_s);
}

static void
put_route(struct rte_tel_data *d, const void *row)
{
	static const char *const kinds[] = {"unicast", "blackhole", "unreachable", "prohibit"};
	static const char *const origins[] = {"network", "static", "router"};
	const struct weir_net_route *r = row;

	tel_prefix(d, "net", &r->net);
	tel_addr(d, "gateway", r->gateway);
	tel_addr(d, "src", r->src);
	tel_text(d, "port", "%s", r->port);
	tel_u64(d, "metric", r->metric);
	if (r->mtu != 0)
		tel_u64(d, "mtu", r->mtu);
	tel_text(d, "kind", "%s", kinds[r->kind]);
	tel_text(d, "origin", "%s", origins[r->origin]);
}

static void
put_neigh(struct rte_tel_data *d, const void *row)
{
	static const char *const states[] = {
		"", "incomplete", "reachable", "stale", "delay", "probe", "permanent"};
	const struct weir_net_neigh *n = row;

	tel_addr(d, "address", n->addr);
	tel_text(d, "port", "%s", n->port);
	if (n->state != WEIR_NET_NEIGH_INCOMPLETE)
		tel_mac(d, "mac", n->mac);
	tel_text(d, "state", "%s", states[n->state]);
	tel_int(d, "router", n->is_router);
}

static int
list_addrs(struct weir_stack *st, void *list, unsigned int max)
{
	return weir_addr_list(st, list, max);
}

static int
list_routes(struct weir_stack *st, void *list, unsigned int max)
{
	return weir_route_list(st, list, max);
}

static int
list_neighs(struct weir_stack *st, void *list, unsigned int max)
{
	return weir_neigh_list(st, list, max);
}

/* A page of what list() tells. Taken anew for each page: rows may come twice, or be missed. */
static int
answer(struct tel_req *r, const char *what, size_t size,
	int (*list)(struct weir_stack *, void *, unsigned int),
	void (*put)(struct rte_tel_data *, const void *))
{
	struct rte_tel_data *rows = tel_dict(), *row;
	char *all = malloc(size * LIST_MAX);
	const int n = rows == NULL || all == NULL ? -ENOMEM : list(r->st, all, LIST_MAX);
	uint64_t i;

	if (n < 0)
		tel_text(r->d, "error", "%s", strerror(-n));
	for (i = r->from; n > 0 && i < (uint64_t)n && i < r->from + TEL_SOCKS_MAX; i++) {
		row = tel_dict();
		if (row != NULL)
			put(row, all + i * size);
		tel_put_row(rows, (unsigned int)i, row);
	}
	tel_put(r->d, what, rows);
	if (n > 0 && i < (uint64_t)n)
		tel_u64(r->d, "next", i);
	free(all);
	return 0;
}

int
tel_addrs(struct tel_req *r)
{
	return answer(r, "addrs", sizeof(struct weir_net_addr), list_addrs, put_addr);
}

int
tel_routes(struct tel_req *r)
{
	return answer(r, "routes", sizeof(struct weir_net_route), list_routes, put_route);
}

int
tel_neighs(struct tel_req *r)
{
	return answer(r, "neighs", sizeof(struct weir_net_neigh), list_neighs, put_neigh);
}

int
tel_way(struct tel_req *r)
{
	struct weir_net_route way;
	struct weir_addr dst;
	int rc = weir_addr_parse(r->arg, &dst);

	if (rc == 0)
		rc = weir_route_get(r->st, dst.b, &way);
	if (rc != 0) {
		tel_text(r->d, "error", "%s: %s", r->arg, strerror(-rc));
		return 0;
	}
	tel_addr(r->d, "to", way.net.addr);
	tel_addr(r->d, "next_hop", way.gateway);
	tel_addr(r->d, "src", way.src);
	tel_text(r->d, "port", "%s", way.port);
	tel_u64(r->d, "mtu", way.mtu);
	return 0;
}

int
tel_net(struct tel_req *r)
{
	char err[WEIR_CONF_ERR_MAX];
	const int rc = weir_net_command(r->st, r->arg, err, sizeof(err));

	tel_int(r->d, "result", rc);
	if (rc != 0)
		tel_text(r->d, "error", "%s", err);
	return 0;
}
