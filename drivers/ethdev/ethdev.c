/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: worker -> ethdev_rx | link/eth_output -> ethdev_tx */
#include "ethdev_priv.h"

#include <string.h>

static inline bool
is_gone(const struct ethdev *e)
{
	return __atomic_load_n(&e->is_gone, __ATOMIC_RELAXED);
}

static uint16_t
ethdev_rx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	const struct ethdev *e = ethdev_of(p);

	if (unlikely(queue >= e->rx_queues || is_gone(e)))
		return 0;
	return rte_eth_rx_burst(e->id, queue, m, n);
}

/*
 * The device's own preparation (pseudo-header checksums, limits of its descriptors). A packet
 * it refuses would stand in front of the queue for ever, so it ends here.
 */
static uint16_t
tx_prepared(struct ethdev *e, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	const uint16_t good = rte_eth_tx_prepare(e->id, queue, m, n);
	uint16_t sent = rte_eth_tx_burst(e->id, queue, m, good);

	if (unlikely(good < n && sent == good)) {
		rte_pktmbuf_free(m[sent++]);
		e->txq[queue].refused++;
	}
	return sent;
}

static uint16_t
ethdev_tx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct ethdev *e = ethdev_of(p);

	if (unlikely(is_gone(e)))
		return 0;
	return e->use_prepare ? tx_prepared(e, queue, m, n) : rte_eth_tx_burst(e->id, queue, m, n);
}

static int
ethdev_start(struct weir_port *p)
{
	struct ethdev *e = ethdev_of(p);
	int r = 0;

	if (!e->is_started)
		r = rte_eth_dev_start(e->id);
	e->is_started = r == 0;
	return r;
}

static int
ethdev_stop(struct weir_port *p)
{
	struct ethdev *e = ethdev_of(p);
	int r = 0;

	if (e->is_started)
		r = rte_eth_dev_stop(e->id);
	e->is_started = false;
	return r;
}

static void
ethdev_close(struct weir_port *p)
{
	ethdev_stop(p);
	ethdev_free(ethdev_of(p));
}

static int
ethdev_link(struct weir_port *p, struct weir_port_link *link)
{
	const struct ethdev *e = ethdev_of(p);
	struct rte_eth_link l;
	int r;

	*link = (struct weir_port_link){0};
	if (is_gone(e))
		return 0;
	r = rte_eth_link_get_nowait(e->id, &l);
	if (r != 0)
		return r;
	link->is_up = l.link_status == RTE_ETH_LINK_UP;
	if (l.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		link->speed_mbps = l.link_speed;
	return 0;
}

static int
ethdev_stats(struct weir_port *p, struct weir_port_stats *stats)
{
	const struct ethdev *e = ethdev_of(p);
	struct rte_eth_stats s;
	const int r = rte_eth_stats_get(e->id, &s);

	if (r != 0)
		return r;
	*stats = (struct weir_port_stats){
		.rx_packets = s.ipackets,
		.rx_bytes = s.ibytes,
		.tx_packets = s.opackets,
		.tx_bytes = s.obytes,
		.rx_missed = s.imissed,
		.rx_errors = s.ierrors,
		.rx_no_mbuf = s.rx_nombuf,
		.tx_errors = s.oerrors,
	};
	for (uint16_t q = 0; q < e->tx_queues; q++)
		stats->tx_errors += e->txq[q].refused;
	return 0;
}

/* A device without a list, or with too short a one, receives all groups instead. */
static int
ethdev_set_mcast(struct weir_port *p, const struct weir_mac *macs, unsigned int n)
{
	const struct ethdev *e = ethdev_of(p);
	struct rte_ether_addr list[WEIR_PORT_MCAST_MAX];

	if (n <= WEIR_PORT_MCAST_MAX) {
		memcpy(list, macs, n * sizeof(list[0]));
		if (rte_eth_dev_set_mc_addr_list(e->id, list, n) == 0)
			return 0;
	}
	if (rte_eth_allmulticast_enable(e->id) == 0)
		return 0;
	return rte_eth_promiscuous_enable(e->id);
}

static int
ethdev_set_promisc(struct weir_port *p, bool on)
{
	const struct ethdev *e = ethdev_of(p);

	return on ? rte_eth_promiscuous_enable(e->id) : rte_eth_promiscuous_disable(e->id);
}

static int
ethdev_set_mtu(struct weir_port *p, uint16_t mtu)
{
	const struct ethdev *e = ethdev_of(p);
	const int r = rte_eth_dev_set_mtu(e->id, mtu);

	if (r == 0)
		p->info.mtu = mtu;
	return r;
}

const struct weir_port_ops ethdev_ops = {
	.rx = ethdev_rx,
	.tx = ethdev_tx,
	.start = ethdev_start,
	.stop = ethdev_stop,
	.close = ethdev_close,
	.link = ethdev_link,
	.stats = ethdev_stats,
	.set_mcast = ethdev_set_mcast,
	.set_promisc = ethdev_set_promisc,
	.set_mtu = ethdev_set_mtu,
	.rx_fd = ethdev_rx_fd,
	.rx_intr = ethdev_rx_intr,
};
