/* SPDX-License-Identifier: BSD-3-Clause */
/* weir_net.h: changes, made on every worker in turn. */
#include "net_priv.h"

#include <errno.h>

#include "telemetry_priv.h"

int
net_port_index(const struct weir_stack *st, const char *name)
{
	for (unsigned int i = 0; i < st->n_ports; i++)
		if (strncmp(st->conf.ports[i].name, name, WEIR_CONF_NAME_MAX) == 0)
			return (int)i;
	return -ENODEV;
}

/* One change as the workers make it, and how it is undone. */

enum op {
	ADDR_ADD,
	ADDR_DEL,
	ROUTE_ADD,
	ROUTE_DEL,
	NEIGH_ADD,
	NEIGH_DEL,
	NEIGH_FLUSH,
	PORT_SWITCH,
	PORT_MTU,
};

struct change {
	enum op op;
	unsigned int port;
	bool flag; /* DAD; may replace; on */
	uint16_t mtu;
	struct weir_addr addr;
	unsigned int prefix_len;
	uint64_t preferred_us;
	uint64_t valid_us;
	struct weir_route route;
	struct weir_mac mac;
};

static int
add_addr(struct weir_iface *ifc, const struct change *c)
{
	const int rc = weir_iface_add_addr(ifc, &c->addr, c->prefix_len, c->flag);

	if (rc == 0)
		weir_iface_set_lifetimes(ifc, &c->addr, c->preferred_us, c->valid_us);
	return rc;
}

static int
change_on(struct weir_worker *w, void *arg)
{
	const struct change *c = arg;
	struct weir_iface *ifc = &w->ifaces[c->port];

	switch (c->op) {
	case ADDR_ADD:
		return add_addr(ifc, c);
	case ADDR_DEL:
		return weir_iface_del_addr(ifc, &c->addr);
	case ROUTE_ADD:
		return weir_ip_add_route(&w->ip, &c->route, c->flag);
	case ROUTE_DEL:
		return weir_ip_del_route(
			&w->ip, &c->route.net, c->route.prefix_len, c->route.metric);
	case NEIGH_ADD:
		return weir_iface_add_neigh(ifc, &c->addr, &c->mac);
	case NEIGH_DEL:
		return weir_iface_del_neigh(ifc, &c->addr);
	case NEIGH_FLUSH:
		weir_iface_flush_neighs(ifc);
		return 0;
	case PORT_SWITCH:
		weir_iface_set_admin(ifc, c->flag);
		return 0;
	case PORT_MTU:
		return weir_iface_set_mtu(ifc, c->mtu);
	}
	return -EINVAL;
}

static int
ask(struct weir_stack *st, unsigned int worker, struct change *c)
{
	return tel_ask(st, worker, change_on, c, sizeof(*c), TEL_ASK_US);
}

/* What is new on workers 0 to n - 1 goes again. A replaced route is gone: its successor stays. */
static void
undo(struct weir_stack *st, const struct change *c, unsigned int n)
{
	struct change back = *c;

	if (c->op == ADDR_ADD)
		back.op = ADDR_DEL;
	else if (c->op == ROUTE_ADD && !c->flag)
		back.op = ROUTE_DEL;
	else if (c->op == NEIGH_ADD)
		back.op = NEIGH_DEL;
	else
		return;
	for (unsigned int i = 0; i < n; i++)
		ask(st, i, &back);
}

static int
make_locked(struct weir_stack *st, struct change *c)
{
	const bool is_any_enough = c->op == NEIGH_DEL; /* each worker has learnt its own */
	int rc = is_any_enough ? -ESRCH : 0;

	for (unsigned int i = 0; i < st->n_workers; i++) {
		const int one = ask(st, i, c);

		if (is_any_enough && one == -ESRCH)
			continue;
		rc = one;
		if (rc != 0) {
			undo(st, c, i);
			break;
		}
	}
	return rc;
}

static int
make(struct weir_stack *st, struct change *c)
{
	int rc;

	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	pthread_mutex_lock(&st->net_lock);
	rc = make_locked(st, c);
	pthread_mutex_unlock(&st->net_lock);
	return rc;
}

static int
make_at(struct weir_stack *st, const char *port, struct change *c)
{
	const int index = net_port_index(st, port);

	if (index < 0)
		return index;
	c->port = (unsigned int)index;
	return make(st, c);
}

static uint64_t
lifetime_us(uint32_t seconds)
{
	return seconds == WEIR_NET_FOREVER ? WEIR_WHEEL_NEVER : seconds * UINT64_C(1000000);
}

int
weir_addr_add(struct weir_stack *st, const struct weir_net_addr *a)
{
	if (st == NULL || a == NULL)
		return -EFAULT;
	if (a->preferred_s > a->valid_s || a->valid_s == 0)
		return -EINVAL;
	return make_at(st, a->port,
		&(struct change){.op = ADDR_ADD,
			.addr = weir_addr_v6(a->prefix.addr),
			.prefix_len = a->prefix.len,
			.flag = !a->no_dad,
			.preferred_us = lifetime_us(a->preferred_s),
			.valid_us = lifetime_us(a->valid_s)});
}

int
weir_addr_del(struct weir_stack *st, const struct weir_net_addr *a)
{
	if (st == NULL || a == NULL)
		return -EFAULT;
	return make_at(st, a->port,
		&(struct change){.op = ADDR_DEL, .addr = weir_addr_v6(a->prefix.addr)});
}

/* The port of a route: as named, or of the network that its gateway is in. */
static int
port_of_route(struct weir_stack *st, const struct weir_net_route *r)
{
	struct weir_net_route way;
	const struct weir_addr gateway = weir_addr_v6(r->gateway);
	int rc;

	if (r->port[0] != '\0')
		return net_port_index(st, r->port);
	if (r->kind != WEIR_NET_UNICAST)
		return 0;
	if (weir_addr_is_any(&gateway) || weir_addr_is_link_local(&gateway))
		return -EINVAL;
	rc = weir_route_get(st, r->gateway, &way);
	if (rc != 0 || way.port[0] == '\0' || memcmp(way.gateway, r->gateway, 16) != 0)
		return -ENETUNREACH;
	return net_port_index(st, way.port);
}

static struct weir_route
inner_route(const struct weir_net_route *r, unsigned int port)
{
	return (struct weir_route){.net = weir_addr_v6(r->net.addr),
		.gateway = weir_addr_v6(r->gateway),
		.src = weir_addr_v6(r->src),
		.metric = r->metric,
		.mtu = r->mtu,
		.prefix_len = r->net.len,
		.ifindex = (uint8_t)port,
		.kind = r->kind};
}

int
weir_route_add(struct weir_stack *st, const struct weir_net_route *r, bool may_replace)
{
	int port;

	if (st == NULL || r == NULL)
		return -EFAULT;
	port = weir_worker_self() != NULL ? -EWOULDBLOCK : port_of_route(st, r);
	if (port < 0)
		return port;
	return make(st, &(struct change){.op = ROUTE_ADD,
				.route = inner_route(r, (unsigned int)port),
				.flag = may_replace});
}

int
weir_route_del(struct weir_stack *st, const struct weir_net_route *r)
{
	if (st == NULL || r == NULL)
		return -EFAULT;
	return make(st, &(struct change){.op = ROUTE_DEL, .route = inner_route(r, 0)});
}

int
weir_neigh_add(struct weir_stack *st, const struct weir_net_neigh *n)
{
	struct change c = {.op = NEIGH_ADD};

	if (st == NULL || n == NULL)
		return -EFAULT;
	c.addr = weir_addr_v6(n->addr);
	memcpy(c.mac.b, n->mac, sizeof(c.mac.b));
	return make_at(st, n->port, &c);
}

int
weir_neigh_del(struct weir_stack *st, const struct weir_net_neigh *n)
{
	if (st == NULL || n == NULL)
		return -EFAULT;
	return make_at(
		st, n->port, &(struct change){.op = NEIGH_DEL, .addr = weir_addr_v6(n->addr)});
}

int
weir_neigh_flush(struct weir_stack *st, const char *port)
{
	int rc = 0;

	if (st == NULL)
		return -EFAULT;
	if (port != NULL)
		return make_at(st, port, &(struct change){.op = NEIGH_FLUSH});
	for (unsigned int i = 0; i < st->n_ports && rc == 0; i++)
		rc = make(st, &(struct change){.op = NEIGH_FLUSH, .port = i});
	return rc;
}

int
weir_port_switch(struct weir_stack *st, const char *port, bool on)
{
	if (st == NULL || port == NULL)
		return -EFAULT;
	return make_at(st, port, &(struct change){.op = PORT_SWITCH, .flag = on});
}

int
weir_port_set_mtu(struct weir_stack *st, const char *port, uint16_t mtu)
{
	if (st == NULL || port == NULL)
		return -EFAULT;
	return make_at(st, port, &(struct change){.op = PORT_MTU, .mtu = mtu});
}
