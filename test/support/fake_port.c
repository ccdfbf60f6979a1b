/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_port.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool
list_put(struct fake_list *l, struct rte_mbuf *m)
{
	if (l->tail - l->head == FAKE_PORT_ROOM)
		return false;
	l->m[l->tail++ % FAKE_PORT_ROOM] = m;
	return true;
}

static struct rte_mbuf *
list_get(struct fake_list *l)
{
	return l->head == l->tail ? NULL : l->m[l->head++ % FAKE_PORT_ROOM];
}

static unsigned int
list_free(struct fake_list *l)
{
	struct rte_mbuf *m;
	unsigned int n = 0;

	for (; (m = list_get(l)) != NULL; n++)
		rte_pktmbuf_free(m);
	return n;
}

static uint16_t
fake_rx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct fake_port *f = p->priv;
	uint16_t i;

	for (i = 0; i < n && (m[i] = list_get(&f->rx[queue])) != NULL; i++) {
		f->stats.rx_packets++;
		f->stats.rx_bytes += m[i]->pkt_len;
	}
	return i;
}

static uint16_t
fake_tx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct fake_port *f = p->priv;
	uint16_t i;

	for (i = 0; i < n && f->tx_room > 0 && list_put(&f->tx[queue], m[i]); i++) {
		f->stats.tx_packets++;
		f->stats.tx_bytes += m[i]->pkt_len;
		if (f->tx_room != UINT_MAX)
			f->tx_room--;
	}
	return i;
}

static int
fake_start(struct weir_port *p)
{
	((struct fake_port *)p->priv)->is_started = true;
	return 0;
}

static int
fake_stop(struct weir_port *p)
{
	((struct fake_port *)p->priv)->is_started = false;
	return 0;
}

static void
fake_close(struct weir_port *p)
{
	fake_port_fini(p->priv);
}

static int
fake_link(struct weir_port *p, struct weir_port_link *link)
{
	const struct fake_port *f = p->priv;

	*link = (struct weir_port_link){.is_up = f->is_up};
	return 0;
}

static int
fake_stats(struct weir_port *p, struct weir_port_stats *stats)
{
	*stats = ((const struct fake_port *)p->priv)->stats;
	return 0;
}

static int
fake_set_mcast(struct weir_port *p, const struct weir_mac *macs, unsigned int n)
{
	struct fake_port *f = p->priv;

	if (n > WEIR_PORT_MCAST_MAX)
		return -ENOSPC;
	memcpy(f->mcast, macs, n * sizeof(*macs));
	f->n_mcast = n;
	return 0;
}

static int
fake_set_promisc(struct weir_port *p, bool on)
{
	((struct fake_port *)p->priv)->is_promisc = on;
	return 0;
}

static int
fake_set_mtu(struct weir_port *p, uint16_t mtu)
{
	if (mtu > p->info.mtu_max)
		return -EINVAL;
	p->info.mtu = mtu;
	return 0;
}

static int
fake_rx_fd(struct weir_port *p, uint16_t queue)
{
	return -ENOTSUP;
}

static int
fake_rx_intr(struct weir_port *p, uint16_t queue, bool on)
{
	return -ENOTSUP;
}

static const struct weir_port_ops fake_ops = {
	.rx = fake_rx,
	.tx = fake_tx,
	.start = fake_start,
	.stop = fake_stop,
	.close = fake_close,
	.link = fake_link,
	.stats = fake_stats,
	.set_mcast = fake_set_mcast,
	.set_promisc = fake_set_promisc,
	.set_mtu = fake_set_mtu,
	.rx_fd = fake_rx_fd,
	.rx_intr = fake_rx_intr,
};

void
fake_port_init(struct fake_port *f, unsigned int n_queues)
{
	struct weir_port_info *info = &f->port.info;

	memset(f, 0, sizeof(*f));
	f->port.ops = &fake_ops;
	f->port.priv = f;
	f->tx_room = UINT_MAX;
	f->is_up = true;
	snprintf(info->name, sizeof(info->name), "fake0");
	snprintf(info->driver, sizeof(info->driver), "fake");
	info->mac = (struct weir_mac){{2, 0, 0, 0, 0, 1}};
	info->numa_node = SOCKET_ID_ANY;
	info->caps = WEIR_PORT_TX_MULTI_SEG;
	info->n_queues = (uint16_t)n_queues;
	info->mtu = 1500;
	info->mtu_max = 9000;
	info->segs_max = 16;
}

void
fake_port_fini(struct fake_port *f)
{
	for (unsigned int q = 0; q < FAKE_PORT_QUEUES; q++) {
		list_free(&f->rx[q]);
		list_free(&f->tx[q]);
	}
}

void
fake_port_feed(struct fake_port *f, unsigned int queue, struct rte_mbuf *m)
{
	if (!list_put(&f->rx[queue], m)) {
		f->stats.rx_missed++;
		rte_pktmbuf_free(m);
	}
}

struct rte_mbuf *
fake_port_take(struct fake_port *f, unsigned int queue)
{
	return list_get(&f->tx[queue]);
}

unsigned int
fake_port_sent(const struct fake_port *f, unsigned int queue)
{
	return f->tx[queue].tail - f->tx[queue].head;
}

unsigned int
fake_port_drain(struct fake_port *f)
{
	unsigned int n = 0;

	for (unsigned int q = 0; q < FAKE_PORT_QUEUES; q++)
		n += list_free(&f->tx[q]);
	return n;
}
