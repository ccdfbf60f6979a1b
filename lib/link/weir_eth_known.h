/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The common way out, inline: a frame without a tag to a neighbour that needs no thought.
 */
#ifndef WEIR_ETH_KNOWN_H
#define WEIR_ETH_KNOWN_H

#include "weir_eth.h"
#include "weir_link.h"
#include "weir_mbuf.h"

/** Was it reachable for too long without news (RFC 4861 7.3.2)? */
static inline bool
weir_neigh_has_aged(const struct weir_neigh *n)
{
	return n->state == WEIR_NEIGH_REACHABLE &&
	       n->ifc->core->now_us - n->confirmed_us > n->ifc->reachable_us;
}

/** Complete, and sending to it changes nothing. */
static inline bool
weir_neigh_is_steady(const struct weir_neigh *n)
{
	return n->state >= WEIR_NEIGH_REACHABLE && n->state != WEIR_NEIGH_STALE &&
	       !weir_neigh_has_aged(n);
}

/** Where next_hop stands among the neighbours that packets went to of late. */
static inline struct weir_neigh **
weir_neigh_hint(struct weir_iface *ifc, const struct weir_addr *next_hop)
{
	return &ifc->hops[next_hop->b[15] & (WEIR_HOPS_MAX - 1)];
}

/** The neighbour, if packets went to it of late and it is steady; or NULL. */
static inline struct weir_neigh *
weir_neigh_known(struct weir_iface *ifc, const struct weir_addr *next_hop)
{
	struct weir_neigh *n = *weir_neigh_hint(ifc, next_hop);

	/* Memory of the cache holds entries at any time, if not always this neighbour's. */
	if (unlikely(n == NULL || !weir_addr_eq(&n->addr, next_hop) || !weir_neigh_is_steady(n)))
		return NULL;
	n->used_us = ifc->core->now_us;
	return n;
}

/** Is there nothing about the interface and m that weir_eth_output() has a step for? */
static inline bool
weir_eth_is_plain(const struct weir_iface *ifc, const struct rte_mbuf *m, uint16_t hlen)
{
	return ifc->vlan == 0 && ifc->is_up && m->nb_segs <= ifc->segs_max &&
	       weir_eth_room(ifc) != 0 && weir_mbuf_is_writable(m, 0) &&
	       rte_pktmbuf_headroom(m) >= hlen;
}

/**
 * As weir_eth_output() where things are as they mostly are, with room for another header.
 * @param l3_len  bytes of that header, which m does not have yet
 * @return where they are to be written; NULL: nothing was done
 */
static inline void *
weir_eth_output_known(struct weir_iface *ifc, struct rte_mbuf *m,
	const struct weir_addr *next_hop, uint16_t type, uint16_t l3_len)
{
	const struct weir_neigh *n = weir_neigh_known(ifc, next_hop);
	const uint16_t hlen = (uint16_t)(WEIR_ETH_HLEN + l3_len);
	struct weir_eth_hdr *eth;

	if (unlikely(n == NULL || !weir_eth_is_plain(ifc, m, hlen)))
		return NULL;
	m->data_off = (uint16_t)(m->data_off - hlen);
	m->data_len = (uint16_t)(m->data_len + hlen);
	m->pkt_len += hlen;
	m->l2_len = WEIR_ETH_HLEN;
	m->ol_flags &= ~RTE_MBUF_F_TX_VLAN;
	eth = rte_pktmbuf_mtod(m, struct weir_eth_hdr *);
	*eth = (struct weir_eth_hdr){.dst = n->mac, .src = ifc->mac, .type = weir_be16(type)};
	ifc->txq[ifc->txq_tail++ % WEIR_TXQ_MAX] = m;
	ifc->core->tx_made++;
	return eth + 1;
}

#endif
