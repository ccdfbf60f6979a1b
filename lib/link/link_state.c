/* SPDX-License-Identifier: BSD-3-Clause */
/* Link state: worker 0 asks the port now and then, all workers follow what it has seen. */
#include "link_priv.h"
#include "weir_link.h"
#include "weir_log.h"

#define WATCH_UP_US   1000000 /* a link that fails loses packets anyway */
#define WATCH_DOWN_US 50000   /* but one that comes back shall be used soon */

static void
ask_port(struct weir_iface *ifc)
{
	const struct weir_port_ops *ops = ifc->port->ops;
	struct weir_port_link link;

	if (ops->link != NULL && ops->link(ifc->port, &link) == 0)
		__atomic_store_n(&ifc->port->is_down, !link.is_up, __ATOMIC_RELAXED);
}

/* What was learnt may have changed with the cable; what waits is old when it comes back. */
static void
go_down(struct weir_iface *ifc)
{
	ifc->stats.link_downs++;
	weir_iface_flush_neighs(ifc);
	eth_drop_txq(ifc, WEIR_TX_drop_link_down);
}

void
weir_iface_set_link(struct weir_iface *ifc, bool is_up)
{
	is_up &= !ifc->is_admin_down;
	if (ifc->is_up == is_up)
		return;
	ifc->is_up = is_up;
	if (iface_is_speaker(ifc))
		WEIR_LOG(
			NOTICE, "port %s: link is %s", ifc->port->info.name, is_up ? "up" : "down");
	if (is_up)
		iface_announce_all(ifc);
	else
		go_down(ifc);
}

void
weir_iface_set_admin(struct weir_iface *ifc, bool is_up)
{
	if (ifc->is_admin_down == !is_up)
		return;
	ifc->is_admin_down = !is_up;
	ifc->route_change++;
	weir_iface_set_link(ifc, !__atomic_load_n(&ifc->port->is_down, __ATOMIC_RELAXED));
}

void
iface_watch(struct weir_iface *ifc)
{
	if (iface_is_speaker(ifc))
		ask_port(ifc);
	weir_iface_set_link(ifc, !__atomic_load_n(&ifc->port->is_down, __ATOMIC_RELAXED));
	ifc->watch_at_us = ifc->core->now_us + (ifc->is_up ? WATCH_UP_US : WATCH_DOWN_US);
}
