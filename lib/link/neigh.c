/* SPDX-License-Identifier: BSD-3-Clause */
/* The neighbour cache: RFC 4861 7.2, 7.3 for both IP versions. */
#include "weir_link.h"

#include "link_priv.h"
#include "weir_eth_known.h"

static uint32_t
hash_of(const struct weir_iface *ifc, const struct weir_addr *addr)
{
	const uint64_t *secret = ifc->core->secret;

	return (uint32_t)weir_mix64(addr->q[0] ^ secret[0], addr->q[1] ^ secret[1]);
}

struct weir_neigh *
neigh_find(const struct weir_iface *ifc, const struct weir_addr *addr)
{
	const uint32_t hash = hash_of(ifc, addr);
	struct weir_table_iter it = weir_table_begin(&ifc->neigh_table, hash);
	uint32_t i;

	while (weir_table_next(&ifc->neigh_table, &it, hash, &i)) {
		if (weir_addr_eq(&ifc->neighs[i].addr, addr))
			return &ifc->neighs[i];
	}
	return NULL;
}

static uint32_t
index_of(const struct weir_neigh *n)
{
	return (uint32_t)(n - n->ifc->neighs);
}

static struct weir_neigh *
find_free(struct weir_iface *ifc)
{
	for (unsigned int k = 0; k < WEIR_NEIGHS_MAX; k++) {
		const uint32_t i = (ifc->neigh_free + k) % WEIR_NEIGHS_MAX;

		if (ifc->neighs[i].state == WEIR_NEIGH_FREE) {
			ifc->neigh_free = i + 1;
			return &ifc->neighs[i];
		}
	}
	return NULL;
}

/* Make room: forget the learnt entry that was not used for longest. */
static struct weir_neigh *
evict(struct weir_iface *ifc)
{
	struct weir_neigh *oldest = NULL;

	for (unsigned int i = 0; i < WEIR_NEIGHS_MAX; i++) {
		struct weir_neigh *n = &ifc->neighs[i];

		if (n->state != WEIR_NEIGH_PERMANENT &&
			(oldest == NULL || n->used_us < oldest->used_us))
			oldest = n;
	}
	if (oldest != NULL) {
		ifc->stats.neigh_evicted++;
		weir_neigh_forget(oldest);
	}
	return oldest;
}

struct weir_neigh *
neigh_new(struct weir_iface *ifc, const struct weir_addr *addr)
{
	struct weir_neigh *n =
		ifc->neigh_table.count < WEIR_NEIGHS_MAX ? find_free(ifc) : evict(ifc);

	if (n == NULL)
		return NULL;
	*n = (struct weir_neigh){.addr = *addr,
		.state = WEIR_NEIGH_INCOMPLETE,
		.ifc = ifc,
		.used_us = ifc->core->now_us};
	weir_wheel_entry_init(&n->timer, WEIR_TIMER_NEIGH);
	if (weir_table_add(&ifc->neigh_table, hash_of(ifc, addr), index_of(n)) != 0) {
		n->state = WEIR_NEIGH_FREE;
		return NULL;
	}
	ifc->stats.neigh_created++;
	return n;
}

void
weir_neigh_forget(struct weir_neigh *n)
{
	struct weir_iface *ifc = n->ifc;
	const uint32_t i = index_of(n);
	struct rte_mbuf *m;

	weir_wheel_cancel(ifc->core->wheel, &n->timer);
	while ((m = weir_pktq_pop(&n->waiting)) != NULL)
		weir_tx_end(ifc->core, m, WEIR_TX_drop_neigh_failed);
	weir_table_del(&ifc->neigh_table, hash_of(ifc, &n->addr), i);
	n->state = WEIR_NEIGH_FREE;
	ifc->neigh_free = i;
}

static void
send_to(struct weir_neigh *n, struct rte_mbuf *m)
{
	eth_set_dst(m, &n->mac);
	eth_enqueue(n->ifc, m);
}

static void
send_waiting(struct weir_neigh *n)
{
	struct rte_mbuf *m;

	while ((m = weir_pktq_pop(&n->waiting)) != NULL)
		send_to(n, m);
}

/* RFC 4861 7.2.2: a full queue loses its oldest packet. */
static void
add_waiting(struct weir_neigh *n, struct rte_mbuf *m)
{
	if (n->waiting.n == WEIR_NEIGH_QUEUE_MAX)
		weir_tx_end(n->ifc->core, weir_pktq_pop(&n->waiting), WEIR_TX_drop_neigh_queue);
	weir_pktq_add(&n->waiting, m);
}

/* Ask once more, and look again after the retransmission time. */
static void
solicit(struct weir_neigh *n)
{
	const struct weir_mac *to = n->state == WEIR_NEIGH_PROBE ? &n->mac : NULL;
	const bool is_v4 = weir_addr_is_v4(&n->addr);

	n->probes++;
	weir_wheel_arm(n->ifc->core->wheel, &n->timer,
		n->ifc->core->now_us + (is_v4 ? ARP_RETRANS_US : n->ifc->retrans_us));
	if (is_v4)
		arp_ask(n->ifc, &n->addr, to);
	else
		nd_ask(n->ifc, &n->addr, to);
}

static void
set_reachable(struct weir_neigh *n)
{
	n->state = WEIR_NEIGH_REACHABLE;
	n->confirmed_us = n->ifc->core->now_us;
	weir_wheel_cancel(n->ifc->core->wheel, &n->timer);
}

static void
set_stale(struct weir_neigh *n)
{
	n->state = WEIR_NEIGH_STALE;
	weir_wheel_cancel(n->ifc->core->wheel, &n->timer);
}

/* RFC 4861 7.3.3: a packet goes out by an entry that may be out of date. */
static void
begin_delay(struct weir_neigh *n)
{
	n->state = WEIR_NEIGH_DELAY;
	weir_wheel_arm(n->ifc->core->wheel, &n->timer, n->ifc->core->now_us + NEIGH_DELAY_US);
}

void
neigh_output(struct weir_iface *ifc, struct rte_mbuf *m, const struct weir_addr *next_hop)
{
	struct weir_neigh *n = neigh_find(ifc, next_hop);

	if (unlikely(n == NULL)) {
		n = neigh_new(ifc, next_hop);
		if (n == NULL) {
			weir_tx_end(ifc->core, m, WEIR_TX_drop_neigh_failed);
			return;
		}
		add_waiting(n, m);
		solicit(n);
		return;
	}
	n->used_us = ifc->core->now_us;
	if (unlikely(n->state == WEIR_NEIGH_INCOMPLETE)) {
		add_waiting(n, m);
		return;
	}
	if (unlikely(n->state == WEIR_NEIGH_STALE || weir_neigh_has_aged(n)))
		begin_delay(n);
	*weir_neigh_hint(ifc, next_hop) = n;
	send_to(n, m);
}

/* RFC 4861 7.2.5, the entry had no address. */
static void
complete(struct weir_neigh *n, const struct neigh_news *news)
{
	if (news->mac == NULL)
		return;
	n->mac = *news->mac;
	if (news->is_solicited)
		set_reachable(n);
	else
		set_stale(n);
	if (n->waiting.n > 0 && n->state == WEIR_NEIGH_STALE)
		begin_delay(n);
	send_waiting(n);
}

void
neigh_update(struct weir_neigh *n, const struct neigh_news *news)
{
	const bool is_other = news->mac != NULL && !weir_mac_eq(news->mac, &n->mac);

	if (n->state == WEIR_NEIGH_PERMANENT)
		return;
	if (n->state == WEIR_NEIGH_INCOMPLETE) {
		complete(n, news);
		return;
	}
	if (is_other && !news->is_override) {
		if (n->state == WEIR_NEIGH_REACHABLE)
			set_stale(n);
		return;
	}
	if (is_other)
		n->mac = *news->mac;
	if (news->is_solicited)
		set_reachable(n);
	else if (is_other)
		set_stale(n);
}

void
weir_neigh_confirm(struct weir_iface *ifc, const struct weir_addr *addr)
{
	struct weir_neigh *n = neigh_find(ifc, addr);

	if (n == NULL || n->state == WEIR_NEIGH_INCOMPLETE || n->state == WEIR_NEIGH_PERMANENT)
		return;
	set_reachable(n);
}

/* m goes back to IP as a packet that could not be delivered; without room it just ends. */
static void
return_unreached(struct weir_iface *ifc, struct rte_mbuf *m)
{
	struct weir_core *core = ifc->core;
	struct weir_pkt *p = weir_pkt(m);

	if (core->loop.n >= WEIR_LOOP_MAX) {
		weir_tx_end(core, m, WEIR_TX_drop_neigh_failed);
		return;
	}
	core->tx_fates[WEIR_TX_drop_neigh_failed]++;
	rte_pktmbuf_adj(m, (uint16_t)m->l2_len);
	p->l3_type =
		(*rte_pktmbuf_mtod(m, uint8_t *) >> 4) == 4 ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6;
	p->flags = WEIR_PKT_UNREACHED;
	p->ifindex = ifc->index;
	weir_pktq_add(&core->loop, m);
}

static void
fail(struct weir_neigh *n)
{
	struct rte_mbuf *m;

	n->ifc->stats.neigh_failed++;
	while ((m = weir_pktq_pop(&n->waiting)) != NULL)
		return_unreached(n->ifc, m);
	weir_neigh_forget(n);
}

void
weir_neigh_timer(struct weir_neigh *n)
{
	if (n->state == WEIR_NEIGH_DELAY) {
		n->state = WEIR_NEIGH_PROBE;
		n->probes = 0;
	} else if (n->state != WEIR_NEIGH_INCOMPLETE && n->state != WEIR_NEIGH_PROBE) {
		return;
	}
	if (n->probes < NEIGH_PROBES_MAX) {
		solicit(n);
		return;
	}
	fail(n);
}

int
weir_iface_add_neigh(
	struct weir_iface *ifc, const struct weir_addr *addr, const struct weir_mac *mac)
{
	struct weir_neigh *n = neigh_find(ifc, addr);

	if (weir_addr_is_any(addr) || weir_addr_is_multicast(addr) ||
		weir_addr_is_broadcast(addr) || weir_mac_is_group(mac))
		return -EINVAL;
	if (n == NULL)
		n = neigh_new(ifc, addr);
	if (n == NULL)
		return -ENOSPC;
	n->mac = *mac;
	n->state = WEIR_NEIGH_PERMANENT;
	weir_wheel_cancel(ifc->core->wheel, &n->timer);
	send_waiting(n);
	return 0;
}

int
weir_iface_del_neigh(struct weir_iface *ifc, const struct weir_addr *addr)
{
	struct weir_neigh *n = neigh_find(ifc, addr);

	if (n == NULL)
		return -ESRCH;
	weir_neigh_forget(n);
	return 0;
}

void
weir_iface_flush_neighs(struct weir_iface *ifc)
{
	for (unsigned int i = 0; i < WEIR_NEIGHS_MAX; i++) {
		struct weir_neigh *n = &ifc->neighs[i];

		if (n->state != WEIR_NEIGH_FREE && n->state != WEIR_NEIGH_PERMANENT)
			weir_neigh_forget(n);
	}
}
