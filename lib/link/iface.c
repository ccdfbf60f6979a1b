/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces: set-up, addresses and their lifetimes, groups, the timer. */
#include "weir_link.h"

#include <rte_malloc.h>

#include "link_priv.h"
#include "weir_ip_hdr.h"
#include "weir_log.h"

#define IP4_MTU_MIN 68 /* RFC 791 3.2 */

#define S_US		     1000000ull
#define REACHABLE_BASE_US    (30 * S_US) /* RFC 4861 10 */
#define RETRANS_US	     (1 * S_US)
#define RS_DELAY_MAX_US	     (1 * S_US)
#define RS_INTERVAL_US	     (4 * S_US)
#define RS_MAX		     3
#define ANNOUNCE_INTERVAL_US (2 * S_US) /* RFC 5227 1.1 */
#define ANNOUNCE_NUM	     2
#define WATCH_FIRST_US	     50000
#define TWO_HOURS_US	     (7200 * S_US) /* RFC 4862 5.5.3 (e) */

static const struct weir_addr link_local_prefix = {.b = {0xfe, 0x80}};
static const struct weir_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};
static const struct weir_addr all_hosts = {.b = {[10] = 0xff, 0xff, 224, 0, 0, 1}};

/* Set-up */

static int
check_conf(const struct weir_iface_conf *c, uint16_t mtu)
{
	if (c->port == NULL || c->index >= WEIR_IFACES_MAX || c->vlan > 4094)
		return -EINVAL;
	if (mtu < (c->is_ipv6 ? WEIR_IP6_MTU_MIN : IP4_MTU_MIN) || mtu > c->port->info.mtu)
		return -EINVAL;
	return 0;
}

static int
init_neighs(struct weir_iface *ifc)
{
	const int node = ifc->port->info.numa_node;
	int rc;

	ifc->neighs = rte_zmalloc_socket(
		"weir_neighs", WEIR_NEIGHS_MAX * sizeof(*ifc->neighs), RTE_CACHE_LINE_SIZE, node);
	if (ifc->neighs == NULL)
		return -ENOMEM;
	rc = weir_table_init(&ifc->neigh_table, WEIR_NEIGHS_MAX, node);
	if (rc != 0) {
		rte_free(ifc->neighs);
		ifc->neighs = NULL;
	}
	return rc;
}

int
weir_iface_init(struct weir_iface *ifc, struct weir_core *core, const struct weir_iface_conf *c)
{
	const uint16_t mtu = c->mtu != 0 || c->port == NULL ? c->mtu : c->port->info.mtu;
	struct weir_addr own;
	int rc = check_conf(c, mtu);

	if (rc != 0)
		return rc;
	memset(ifc, 0, sizeof(*ifc));
	ifc->core = core;
	ifc->port = c->port;
	ifc->caps = c->port->info.caps;
	ifc->segs_max = ifc->caps & WEIR_PORT_TX_MULTI_SEG ? c->port->info.segs_max : 1;
	ifc->queue = c->queue;
	ifc->rx_queues = c->port->info.n_queues;
	ifc->mtu = ifc->mtu6 = mtu;
	ifc->mss = c->mss;
	ifc->vlan = c->vlan;
	ifc->index = c->index;
	ifc->mac = c->port->info.mac;
	ifc->is_up = true;
	ifc->is_ipv6 = c->is_ipv6;
	ifc->no_dad = c->no_dad;
	ifc->accept_ra = c->accept_ra;
	ifc->reachable_base_us = ifc->reachable_us = REACHABLE_BASE_US;
	ifc->retrans_us = RETRANS_US;
	ifc->watch_at_us = WEIR_WHEEL_NEVER;
	ifc->rs_next_us = WEIR_WHEEL_NEVER;
	ifc->router_until_us = WEIR_WHEEL_NEVER;
	weir_wheel_entry_init(&ifc->timer, WEIR_TIMER_IFACE);
	rc = init_neighs(ifc);
	if (rc != 0 || !c->is_ipv6)
		return rc;
	own = weir_addr_eui64(&link_local_prefix, &ifc->mac);
	rc = weir_iface_add_addr(ifc, &own, 64, !c->no_dad);
	ifc->addrs[0].is_auto = true;
	return rc;
}

void
weir_iface_fini(struct weir_iface *ifc)
{
	if (ifc->neighs == NULL)
		return;
	for (unsigned int i = 0; i < WEIR_NEIGHS_MAX; i++) {
		if (ifc->neighs[i].state != WEIR_NEIGH_FREE)
			weir_neigh_forget(&ifc->neighs[i]);
	}
	eth_drop_txq(ifc, WEIR_TX_drop_link_down);
	weir_wheel_cancel(ifc->core->wheel, &ifc->timer);
	weir_table_fini(&ifc->neigh_table);
	rte_free(ifc->neighs);
	ifc->neighs = NULL;
}

/* Multicast */

static void
add_mac(struct weir_mac *macs, unsigned int *n, const struct weir_addr *group)
{
	const struct weir_mac mac = weir_mac_of_group(group);

	for (unsigned int i = 0; i < *n; i++) {
		if (weir_mac_eq(&macs[i], &mac))
			return;
	}
	macs[(*n)++] = mac;
}

/* Tell the port which group addresses to receive; one worker does, for all. */
static void
update_filters(struct weir_iface *ifc)
{
	struct weir_mac macs[2 + WEIR_IFADDRS_MAX + WEIR_GROUPS_MAX];
	const struct weir_port_ops *ops = ifc->port->ops;
	struct weir_addr group;
	unsigned int n = 0;

	if (!ifc->is_started || !iface_is_speaker(ifc) || ops->set_mcast == NULL)
		return;
	add_mac(macs, &n, &all_hosts);
	if (ifc->is_ipv6)
		add_mac(macs, &n, &all_nodes);
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		if (weir_addr_is_v4(&ifc->addrs[i].addr))
			continue;
		group = weir_addr_solicited_node(&ifc->addrs[i].addr);
		add_mac(macs, &n, &group);
	}
	for (unsigned int i = 0; i < ifc->n_groups; i++)
		add_mac(macs, &n, &ifc->groups[i].addr);
	if (ops->set_mcast(ifc->port, macs, n) != 0 && ops->set_promisc != NULL)
		ops->set_promisc(ifc->port, true); /* eth_input and IP filter in software */
}

static struct weir_group *
find_group(struct weir_iface *ifc, const struct weir_addr *group)
{
	for (unsigned int i = 0; i < ifc->n_groups; i++) {
		if (weir_addr_eq(&ifc->groups[i].addr, group))
			return &ifc->groups[i];
	}
	return NULL;
}

bool
weir_iface_has_group(const struct weir_iface *ifc, const struct weir_addr *group)
{
	struct weir_addr sn;

	if (weir_addr_eq(group, &all_hosts) || (ifc->is_ipv6 && weir_addr_eq(group, &all_nodes)))
		return true;
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		sn = weir_addr_solicited_node(&ifc->addrs[i].addr);
		if (weir_addr_eq(group, &sn) && !weir_addr_is_v4(&ifc->addrs[i].addr))
			return true;
	}
	for (unsigned int i = 0; i < ifc->n_groups; i++) {
		if (weir_addr_eq(&ifc->groups[i].addr, group))
			return true;
	}
	return false;
}

int
weir_iface_join(struct weir_iface *ifc, const struct weir_addr *group)
{
	struct weir_group *g = find_group(ifc, group);

	if (!weir_addr_is_multicast(group))
		return -EINVAL;
	if (g != NULL) {
		g->refs++;
		return 0;
	}
	if (ifc->n_groups == WEIR_GROUPS_MAX)
		return -ENOSPC;
	ifc->groups[ifc->n_groups++] = (struct weir_group){*group, 1};
	update_filters(ifc);
	return 0;
}

int
weir_iface_leave(struct weir_iface *ifc, const struct weir_addr *group)
{
	struct weir_group *g = find_group(ifc, group);

	if (g == NULL)
		return -EADDRNOTAVAIL;
	if (--g->refs > 0)
		return 0;
	*g = ifc->groups[--ifc->n_groups];
	update_filters(ifc);
	return 0;
}

/* Addresses */

struct weir_ifaddr *
weir_iface_addr(struct weir_iface *ifc, const struct weir_addr *addr)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		struct weir_ifaddr *a = &ifc->addrs[i];

		if (a->state != WEIR_IFADDR_DUPLICATE && weir_addr_eq(&a->addr, addr))
			return a;
	}
	return NULL;
}

struct weir_ifaddr *
iface_usable_addr(struct weir_iface *ifc, const struct weir_addr *addr)
{
	struct weir_ifaddr *a = weir_iface_addr(ifc, addr);

	return a != NULL && weir_ifaddr_is_usable(a) ? a : NULL;
}

bool
iface_is_on_link(const struct weir_iface *ifc, const struct weir_addr *addr)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		if (weir_ifaddr_is_usable(a) && weir_addr_in_prefix(addr, &a->addr, a->prefix_len))
			return true;
	}
	return false;
}

/* The host part of an IPv4 network, as a mask; 0 where there is no broadcast (RFC 3021). */
static uint32_t
host_mask(unsigned int prefix_len)
{
	const unsigned int bits = 128 - prefix_len;

	if (bits < 2)
		return 0;
	return bits >= 32 ? UINT32_MAX : (1u << bits) - 1;
}

bool
weir_iface_has_broadcast(const struct weir_iface *ifc, const struct weir_addr *dst)
{
	const uint32_t d = weir_host32(weir_addr_to_v4(dst));

	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];
		const uint32_t mask = host_mask(a->prefix_len);

		if (!weir_addr_is_v4(&a->addr) || mask == 0 || (d & mask) != mask)
			continue;
		if (((d ^ weir_host32(weir_addr_to_v4(&a->addr))) & ~mask) == 0)
			return true;
	}
	return false;
}

/* Is this an address that a host can have? */
static bool
is_host_addr(const struct weir_addr *addr, unsigned int prefix_len)
{
	const bool is_v4 = weir_addr_is_v4(addr);
	uint32_t mask, host;

	if (prefix_len > 128 || (is_v4 && prefix_len < 96))
		return false;
	if (weir_addr_is_any(addr) || weir_addr_is_multicast(addr) ||
		weir_addr_is_broadcast(addr) || weir_addr_is_loopback(addr))
		return false;
	if (!is_v4)
		return true;
	mask = host_mask(prefix_len);
	host = weir_host32(weir_addr_to_v4(addr)) & mask;
	return mask == 0 || (host != 0 && host != mask);
}

static void
announce(struct weir_iface *ifc, struct weir_ifaddr *a)
{
	if (iface_is_speaker(ifc))
		arp_announce(ifc, &a->addr);
	a->dad_until_us = ++a->dad_sent < ANNOUNCE_NUM ? ifc->core->now_us + ANNOUNCE_INTERVAL_US
						       : WEIR_WHEEL_NEVER;
}

/* The interface runs: detect duplicates of a (RFC 4862 5.4.2), or announce it (RFC 5227 2.3). */
static void
begin_addr(struct weir_iface *ifc, struct weir_ifaddr *a)
{
	if (weir_addr_is_v4(&a->addr)) {
		announce(ifc, a);
	} else if (a->state == WEIR_IFADDR_TENTATIVE) {
		if (iface_is_speaker(ifc))
			nd_ask_duplicate(ifc, &a->addr);
		a->dad_sent++;
		a->dad_until_us = ifc->core->now_us + ifc->retrans_us;
	}
}

int
weir_iface_add_addr(
	struct weir_iface *ifc, const struct weir_addr *addr, unsigned int prefix_len, bool use_dad)
{
	const bool is_tentative = use_dad && !weir_addr_is_v4(addr);
	struct weir_ifaddr *a;

	if (!is_host_addr(addr, prefix_len))
		return -EINVAL;
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		if (weir_addr_eq(&ifc->addrs[i].addr, addr))
			return -EEXIST;
	}
	if (ifc->n_addrs == WEIR_IFADDRS_MAX)
		return -ENOSPC;
	a = &ifc->addrs[ifc->n_addrs++];
	*a = (struct weir_ifaddr){.addr = *addr,
		.prefix_len = (uint8_t)prefix_len,
		.state = is_tentative ? WEIR_IFADDR_TENTATIVE : WEIR_IFADDR_PREFERRED,
		.dad_until_us = WEIR_WHEEL_NEVER,
		.preferred_until_us = WEIR_WHEEL_NEVER,
		.valid_until_us = WEIR_WHEEL_NEVER};
	ifc->route_change++;
	if (ifc->is_started) {
		update_filters(ifc);
		begin_addr(ifc, a);
		iface_arm(ifc);
	}
	return 0;
}

static void
remove_addr(struct weir_iface *ifc, struct weir_ifaddr *a)
{
	const struct weir_ifaddr *end = &ifc->addrs[--ifc->n_addrs];

	/* In their order, for the first of equals is the one that is used. */
	memmove(a, a + 1, (size_t)((const char *)end - (const char *)a));
	ifc->route_change++;
	update_filters(ifc);
}

int
weir_iface_del_addr(struct weir_iface *ifc, const struct weir_addr *addr)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		if (weir_addr_eq(&ifc->addrs[i].addr, addr)) {
			remove_addr(ifc, &ifc->addrs[i]);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

int
weir_iface_set_lifetimes(struct weir_iface *ifc, const struct weir_addr *addr,
	uint64_t preferred_us, uint64_t valid_us)
{
	struct weir_ifaddr *a = weir_iface_addr(ifc, addr);
	const uint64_t now_us = ifc->core->now_us;

	if (a == NULL)
		return -EADDRNOTAVAIL;
	a->preferred_until_us =
		preferred_us == WEIR_WHEEL_NEVER ? WEIR_WHEEL_NEVER : now_us + preferred_us;
	a->valid_until_us = valid_us == WEIR_WHEEL_NEVER ? WEIR_WHEEL_NEVER : now_us + valid_us;
	if (a->state == WEIR_IFADDR_DEPRECATED && preferred_us > 0)
		a->state = WEIR_IFADDR_PREFERRED;
	if (a->state == WEIR_IFADDR_PREFERRED && preferred_us == 0)
		a->state = WEIR_IFADDR_DEPRECATED;
	ifc->route_change++;
	iface_arm(ifc);
	return 0;
}

int
weir_iface_set_mtu(struct weir_iface *ifc, uint16_t mtu)
{
	if (mtu < (ifc->is_ipv6 ? WEIR_IP6_MTU_MIN : IP4_MTU_MIN) || mtu > ifc->port->info.mtu)
		return -EINVAL;
	ifc->mtu = ifc->mtu6 = mtu;
	ifc->route_change++;
	return 0;
}

void
iface_addr_duplicate(struct weir_iface *ifc, struct weir_ifaddr *a)
{
	char text[WEIR_ADDR_STRLEN];

	a->state = WEIR_IFADDR_DUPLICATE;
	a->dad_until_us = WEIR_WHEEL_NEVER;
	ifc->stats.dad_duplicates++;
	ifc->route_change++;
	if (iface_is_speaker(ifc))
		WEIR_LOG(WARNING, "port %s: %s is used by another station; not used here",
			ifc->port->info.name, weir_addr_format(&a->addr, text));
}

void
iface_addr_conflict(struct weir_iface *ifc, const struct weir_addr *a, const struct weir_mac *other)
{
	char text[WEIR_ADDR_STRLEN];

	if (ifc->stats.addr_conflicts++ > 0 || !iface_is_speaker(ifc))
		return;
	WEIR_LOG(WARNING, "port %s: %02x:%02x:%02x:%02x:%02x:%02x uses our address %s",
		ifc->port->info.name, other->b[0], other->b[1], other->b[2], other->b[3],
		other->b[4], other->b[5], weir_addr_format(a, text));
}

/* Addresses from router advertisements */

static uint64_t
lifetime_end(const struct weir_iface *ifc, uint32_t seconds)
{
	return seconds == WEIR_ND_INFINITE ? WEIR_WHEEL_NEVER : ifc->core->now_us + seconds * S_US;
}

/* RFC 4862 5.5.3 (e): nobody may shorten a lifetime to less than two hours by one message. */
static void
refresh_valid(struct weir_iface *ifc, struct weir_ifaddr *a, uint32_t valid_s)
{
	const uint64_t told_us = lifetime_end(ifc, valid_s);
	const uint64_t floor_us = ifc->core->now_us + TWO_HOURS_US;

	if (told_us > floor_us || told_us > a->valid_until_us)
		a->valid_until_us = told_us;
	else if (a->valid_until_us > floor_us)
		a->valid_until_us = floor_us;
}

static void
refresh_auto_addr(struct weir_iface *ifc, struct weir_ifaddr *a, const struct weir_nd_prefix *p)
{
	refresh_valid(ifc, a, p->valid_s);
	a->preferred_until_us = lifetime_end(ifc, p->preferred_s);
	if (a->state == WEIR_IFADDR_DEPRECATED && p->preferred_s > 0) {
		a->state = WEIR_IFADDR_PREFERRED;
		ifc->route_change++;
	}
}

void
iface_auto_addr(
	struct weir_iface *ifc, const struct weir_nd_prefix *p, const struct weir_addr *router)
{
	const struct weir_addr own = weir_addr_eui64(&p->prefix, &ifc->mac);
	struct weir_ifaddr *a = weir_iface_addr(ifc, &own);

	if (!p->is_auto || p->len != 64 || p->preferred_s > p->valid_s ||
		weir_addr_is_link_local(&p->prefix))
		return;
	if (a != NULL) {
		if (a->is_auto)
			refresh_auto_addr(ifc, a, p);
		return;
	}
	/* Off-link prefixes give an address, but no network. */
	if (p->valid_s == 0 ||
		weir_iface_add_addr(ifc, &own, p->is_on_link ? 64 : 128, !ifc->no_dad) != 0)
		return;
	a = &ifc->addrs[ifc->n_addrs - 1];
	a->is_auto = true;
	a->router = *router;
	a->preferred_until_us = lifetime_end(ifc, p->preferred_s);
	a->valid_until_us = lifetime_end(ifc, p->valid_s);
}

/* Time */

/* false: a is gone, another stands in its place. */
static bool
addr_tick(struct weir_iface *ifc, struct weir_ifaddr *a)
{
	const uint64_t now_us = ifc->core->now_us;

	if (a->valid_until_us <= now_us) {
		remove_addr(ifc, a);
		return false;
	}
	if (a->dad_until_us <= now_us) {
		if (weir_addr_is_v4(&a->addr)) {
			announce(ifc, a);
		} else {
			a->state = WEIR_IFADDR_PREFERRED;
			a->dad_until_us = WEIR_WHEEL_NEVER;
			ifc->route_change++;
		}
	}
	if (a->preferred_until_us <= now_us && a->state == WEIR_IFADDR_PREFERRED) {
		a->state = WEIR_IFADDR_DEPRECATED;
		ifc->route_change++;
	}
	return true;
}

static void
router_tick(struct weir_iface *ifc)
{
	const uint64_t now_us = ifc->core->now_us;

	if (ifc->router_until_us <= now_us) {
		ifc->router = (struct weir_addr){.q = {0, 0}};
		ifc->router_until_us = WEIR_WHEEL_NEVER;
		ifc->route_change++;
	}
	if (ifc->rs_next_us <= now_us) {
		nd_ask_routers(ifc);
		ifc->rs_next_us =
			++ifc->rs_sent < RS_MAX ? now_us + RS_INTERVAL_US : WEIR_WHEEL_NEVER;
	}
}

void
iface_arm(struct weir_iface *ifc)
{
	uint64_t next_us = RTE_MIN(ifc->rs_next_us, ifc->router_until_us);

	next_us = RTE_MIN(next_us, ifc->watch_at_us);
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		next_us = RTE_MIN(next_us, a->dad_until_us);
		next_us = RTE_MIN(next_us, a->valid_until_us);
		if (a->state == WEIR_IFADDR_PREFERRED)
			next_us = RTE_MIN(next_us, a->preferred_until_us);
	}
	if (next_us == WEIR_WHEEL_NEVER)
		weir_wheel_cancel(ifc->core->wheel, &ifc->timer);
	else
		weir_wheel_arm(ifc->core->wheel, &ifc->timer, next_us);
}

void
weir_iface_timer(struct weir_iface *ifc)
{
	for (unsigned int i = 0; i < ifc->n_addrs;) {
		if (addr_tick(ifc, &ifc->addrs[i]))
			i++;
	}
	router_tick(ifc);
	if (ifc->watch_at_us <= ifc->core->now_us)
		iface_watch(ifc);
	iface_arm(ifc);
}

void
iface_announce_all(struct weir_iface *ifc)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		ifc->addrs[i].dad_sent = 0;
		begin_addr(ifc, &ifc->addrs[i]);
	}
	ifc->rs_sent = 0;
	/* RFC 4861 6.3.7: hosts that start together shall not ask together. */
	if (ifc->is_ipv6 && ifc->accept_ra && iface_is_speaker(ifc))
		ifc->rs_next_us = ifc->core->now_us + ifc->retrans_us +
				  weir_rand_below(&ifc->core->rand, RS_DELAY_MAX_US);
	iface_arm(ifc);
}

void
weir_iface_start(struct weir_iface *ifc)
{
	if (ifc->is_started)
		return;
	ifc->is_started = true;
	ifc->watch_at_us = ifc->core->now_us + WATCH_FIRST_US;
	update_filters(ifc);
	iface_announce_all(ifc);
}
