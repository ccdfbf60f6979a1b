/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip_output, arp, nd -> eth_output -> neigh_output -> eth_flush -> port tx */
#include "weir_link.h"

#include "link_priv.h"
#include "weir_eth_known.h"

#define TX_BURST    64
#define TX_STUCK_US 100000

static inline unsigned int
txq_len(const struct weir_iface *ifc)
{
	return ifc->txq_tail - ifc->txq_head;
}

/* One mbuf, or a chain that the port takes, with m's bytes; takes m. NULL: m ended. */
static struct rte_mbuf *
linearize(struct weir_iface *ifc, struct rte_mbuf *m)
{
	struct rte_mbuf *flat;

	if (likely(m->nb_segs <= ifc->segs_max))
		return m;
	flat = weir_mbuf_copy(ifc->core, m);
	if (flat == NULL || flat->nb_segs > ifc->segs_max) {
		rte_pktmbuf_free(flat);
		weir_tx_end(ifc->core, m, WEIR_TX_drop_tx_no_mbuf);
		return NULL;
	}
	ifc->stats.tx_linearized++;
	rte_pktmbuf_free(m);
	return flat;
}

void
eth_enqueue(struct weir_iface *ifc, struct rte_mbuf *m)
{
	if (unlikely(!ifc->is_up)) {
		weir_tx_end(ifc->core, m, WEIR_TX_drop_link_down);
		return;
	}
	if (unlikely(m->nb_segs > 1)) {
		m = linearize(ifc, m);
		if (m == NULL)
			return;
	}
	if (unlikely(weir_eth_room(ifc) == 0))
		weir_eth_flush(ifc);
	if (unlikely(weir_eth_room(ifc) == 0)) {
		weir_tx_end(ifc->core, m, WEIR_TX_drop_port_full);
		return;
	}
	ifc->txq[ifc->txq_tail++ % WEIR_TXQ_MAX] = m;
}

void
eth_drop_txq(struct weir_iface *ifc, enum weir_tx_fate fate)
{
	while (txq_len(ifc) > 0)
		weir_tx_end(ifc->core, ifc->txq[ifc->txq_head++ % WEIR_TXQ_MAX], fate);
	ifc->txq_stuck_us = 0;
}

/* The port has taken nothing for too long: what waits is old, make room for news. */

static void
note_stuck(struct weir_iface *ifc)
{
	const uint64_t now_us = ifc->core->now_us;

	if (ifc->txq_stuck_us == 0)
		ifc->txq_stuck_us = RTE_MAX(now_us, 1u);
	else if (now_us - ifc->txq_stuck_us >= TX_STUCK_US)
		eth_drop_txq(ifc, WEIR_TX_drop_port_full);
}

void
weir_eth_flush(struct weir_iface *ifc)
{
	unsigned int start, n, sent;

	if (txq_len(ifc) == 0)
		return;
	ifc->stats.tx_flushes++;
	do {
		start = ifc->txq_head % WEIR_TXQ_MAX;
		n = RTE_MIN(txq_len(ifc), WEIR_TXQ_MAX - start);
		n = RTE_MIN(n, (unsigned int)TX_BURST);
		sent = weir_port_tx(ifc->port, ifc->queue, &ifc->txq[start], (uint16_t)n);
		ifc->txq_head += sent;
		ifc->core->tx_fates[WEIR_TX_sent] += sent;
		if (sent > 0)
			ifc->txq_stuck_us = 0;
	} while (sent == n && txq_len(ifc) > 0);
	if (sent == 0)
		note_stuck(ifc);
}

/* The tag goes into the header, or into the mbuf for the port to insert. */
struct rte_mbuf *
eth_prepend(struct weir_iface *ifc, struct rte_mbuf *m, uint16_t type)
{
	const bool is_tag_inline = ifc->vlan != 0 && !(ifc->caps & WEIR_PORT_TX_VLAN);
	const uint16_t hlen = WEIR_ETH_HLEN + (is_tag_inline ? WEIR_VLAN_HLEN : 0);
	struct rte_mbuf *h = weir_mbuf_prepend(ifc->core, m, hlen);
	struct weir_eth_hdr *eth;

	if (unlikely(h == NULL)) {
		weir_tx_end(ifc->core, m, WEIR_TX_drop_tx_no_mbuf);
		return NULL;
	}
	eth = rte_pktmbuf_mtod(h, struct weir_eth_hdr *);
	eth->src = ifc->mac;
	eth->type = weir_be16(type);
	h->l2_len = hlen;
	h->ol_flags &= ~RTE_MBUF_F_TX_VLAN;
	if (is_tag_inline) {
		eth->type = weir_be16(WEIR_ETH_TYPE_VLAN);
		*(struct weir_vlan_hdr *)(eth + 1) =
			(struct weir_vlan_hdr){weir_be16(ifc->vlan), weir_be16(type)};
	} else if (ifc->vlan != 0) {
		h->vlan_tci = ifc->vlan;
		h->ol_flags |= RTE_MBUF_F_TX_VLAN;
	}
	return h;
}

/* Group addresses need no neighbour. */
static bool
map_group(const struct weir_iface *ifc, const struct weir_addr *next_hop, struct weir_mac *dst)
{
	if (weir_addr_is_multicast(next_hop)) {
		*dst = weir_mac_of_group(next_hop);
		return true;
	}
	if (!weir_addr_is_v4(next_hop))
		return false;
	if (!weir_addr_is_broadcast(next_hop) && !weir_iface_is_directed_broadcast(ifc, next_hop))
		return false;
	*dst = (struct weir_mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	return true;
}

void
weir_eth_output(struct weir_iface *ifc, struct rte_mbuf *m, const struct weir_addr *next_hop)
{
	const uint16_t type = weir_addr_is_v4(next_hop) ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6;
	struct weir_mac dst;

	if (likely(weir_eth_output_known(ifc, m, next_hop, type, 0) != NULL))
		return;
	ifc->core->tx_made++;
	m = eth_prepend(ifc, m, type);
	if (m == NULL)
		return;
	if (map_group(ifc, next_hop, &dst)) {
		eth_set_dst(m, &dst);
		eth_enqueue(ifc, m);
		return;
	}
	neigh_output(ifc, m, next_hop);
}

void
weir_eth_send(struct weir_iface *ifc, struct rte_mbuf *m)
{
	ifc->core->tx_made++;
	eth_enqueue(ifc, m);
}
