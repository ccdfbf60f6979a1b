/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_ethdev.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_pause.h>

#include "ethdev_priv.h"
#include "weir_log.h"

#define DESC_DEFAULT 512
#define SEGS_MAX     64 /* a 64 KiB segment in buffers of 1 KiB */

/* What opening works on. */
struct opening {
	const struct weir_port_conf *conf;
	struct ethdev *e;
	struct rte_eth_dev_info dev;
	struct rte_eth_conf eth;
	uint32_t caps;
	char *err;
	size_t err_len;
};

__attribute__((format(printf, 3, 4))) static int
fail(struct opening *o, int code, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(o->err, o->err_len, "%s: device %s: ", o->conf->name, o->conf->device);
	if (n < 0 || (size_t)n >= o->err_len)
		return code;
	va_start(ap, fmt);
	vsnprintf(o->err + n, o->err_len - (size_t)n, fmt, ap);
	va_end(ap);
	return code;
}

/* "it has: net_tap0, net_null1", or what to do when there is none. */
static int
not_found(struct opening *o)
{
	const bool is_pci = strchr(o->conf->device, ':') != NULL;
	char list[256] = "";
	size_t used = 0;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		char name[RTE_ETH_NAME_MAX_LEN];

		if (rte_eth_dev_get_name_by_port(id, name) == 0 && used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
				used == 0 ? "" : ", ", name);
	}
	return fail(o, -ENODEV, "not found (free devices: %s); %s", used == 0 ? "none" : list,
		is_pci ? "is it bound to vfio-pci and allowed by [eal] pci?"
		       : "is there a vdev of this name in [eal]?");
}

/* Probe again a device whose ethdev was closed by an earlier port. */
static int
probe_again(const char *device)
{
	struct rte_devargs *da;

	RTE_EAL_DEVARGS_FOREACH(NULL, da)
	{
		char name[RTE_DEV_NAME_MAX_LEN];
		char args[512];
		char bus[RTE_DEV_NAME_MAX_LEN];

		if (strcmp(da->name, device) != 0)
			continue;
		snprintf(bus, sizeof(bus), "%s", rte_bus_name(da->bus));
		snprintf(name, sizeof(name), "%s", da->name);
		snprintf(args, sizeof(args), "%s", da->args == NULL ? "" : da->args);
		rte_eal_hotplug_remove(bus, name); /* frees da */
		return rte_eal_hotplug_add(bus, name, args);
	}
	return -ENODEV;
}

static int
find_device(struct opening *o)
{
	struct ethdev *e = o->e;
	const char *device = o->conf->device;

	if (rte_eth_dev_get_port_by_name(device, &e->id) == 0)
		return 0;
	if (probe_again(device) == 0 && rte_eth_dev_get_port_by_name(device, &e->id) == 0)
		return 0;
	return not_found(o);
}

static int
own_device(struct opening *o)
{
	struct rte_eth_dev_owner owner = {.id = RTE_ETH_DEV_NO_OWNER};
	struct rte_eth_dev_owner now;
	struct ethdev *e = o->e;

	rte_eth_dev_owner_new(&owner.id);
	snprintf(owner.name, sizeof(owner.name), "weir port %s", o->conf->name);
	if (rte_eth_dev_owner_set(e->id, &owner) == 0) {
		e->owner = owner.id;
		return 0;
	}
	if (rte_eth_dev_owner_get(e->id, &now) != 0)
		snprintf(now.name, sizeof(now.name), "somebody else");
	return fail(o, -EBUSY, "in use by %s", now.name);
}

static int
choose_queues(struct opening *o)
{
	const uint16_t want = o->conf->n_queues;
	const uint16_t tx_max = RTE_MIN(o->dev.max_tx_queues, WEIR_PORT_QUEUES_MAX);

	if (want == 0 || o->dev.max_rx_queues == 0)
		return fail(o, -EINVAL, "no queues");
	if (want > tx_max)
		return fail(o, -EINVAL,
			"%u transmit queues for %u workers; every worker needs one of its own: "
			"use fewer workers or give the device more queues",
			tx_max, want);
	o->e->tx_queues = want;
	o->e->rx_queues = RTE_MIN(want, o->dev.max_rx_queues);
	return 0;
}

/* The largest MTU that the device's longest frame has room for. */
static uint16_t
mtu_limit(const struct rte_eth_dev_info *dev)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (dev->max_mtu != UINT16_MAX && dev->max_rx_pktlen > dev->max_mtu)
		overhead = dev->max_rx_pktlen - dev->max_mtu;
	if (dev->max_rx_pktlen <= overhead)
		return dev->max_mtu;
	return (uint16_t)RTE_MIN(dev->max_rx_pktlen - overhead, (uint32_t)dev->max_mtu);
}

/* Bytes of a frame that one buffer of queue q holds. */
static uint32_t
buffer_room(const struct opening *o, uint16_t q)
{
	return rte_pktmbuf_data_room_size(o->conf->pools[q]) - RTE_PKTMBUF_HEADROOM;
}

/* What stands around the packet in a buffer: link header, tag, checksum, a device's own header. */
#define FRAME_OVERHEAD 64

/* A device that takes no chains can send what fits one buffer. */
static uint16_t
mtu_to_send(const struct opening *o)
{
	uint32_t mtu = UINT16_MAX;

	for (uint16_t q = 0; q < o->e->tx_queues && !(o->caps & WEIR_PORT_TX_MULTI_SEG); q++)
		mtu = RTE_MIN(mtu, buffer_room(o, q) - FRAME_OVERHEAD);
	return (uint16_t)mtu;
}

static int
choose_mtu(struct opening *o)
{
	struct weir_port_info *info = &o->e->port.info;
	uint16_t mtu = o->conf->mtu;

	info->mtu_max = RTE_MIN(mtu_limit(&o->dev), mtu_to_send(o));
	if (mtu == 0 && rte_eth_dev_get_mtu(o->e->id, &mtu) == 0)
		mtu = RTE_MIN(mtu, info->mtu_max);
	if (mtu < o->dev.min_mtu || mtu > info->mtu_max)
		return fail(o, -EINVAL, "mtu %u: allowed %u to %u%s", mtu, o->dev.min_mtu,
			info->mtu_max,
			info->mtu_max == mtu_to_send(o)
				? ": it takes no chains and mbuf_data_room is small"
				: "");
	info->mtu = mtu;
	o->eth.rxmode.mtu = mtu;
	return 0;
}

/* Frames that do not fit one buffer need a device that spreads them over several. */
static int
choose_scatter(struct opening *o)
{
	uint16_t mtu = o->e->port.info.mtu, own;
	uint32_t frame;

	if (rte_eth_dev_get_mtu(o->e->id, &own) == 0)
		mtu = RTE_MAX(mtu, own); /* peers may believe it */
	frame = mtu + FRAME_OVERHEAD;

	for (uint16_t q = 0; q < o->e->rx_queues; q++) {
		const uint32_t room = buffer_room(o, q);

		if (frame <= room)
			continue;
		if (!(o->dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER))
			return fail(o, -EINVAL,
				"frames of %u bytes do not fit buffers of %u and the device can't "
				"scatter them: lower the mtu or raise the pool's data room",
				frame, room);
		o->eth.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	}
	return 0;
}

static void
choose_offloads(struct opening *o)
{
	struct ethdev *e = o->e;

	o->caps = ethdev_offload_caps(&o->dev, o->conf->caps_off);
	/* Fewer queues than workers: packets must be handed over in software anyway. */
	if (e->rx_queues == 1 || !(o->caps & WEIR_PORT_RSS) || !ethdev_rss_conf(&o->dev, &o->eth))
		o->caps &= ~(uint32_t)(WEIR_PORT_RSS | WEIR_PORT_RX_RSS_HASH);
	if (e->rx_queues < o->conf->n_queues)
		o->caps &= ~(uint32_t)WEIR_PORT_RSS;
	ethdev_offload_conf(&o->dev, o->caps, &o->eth);
	if (o->conf->vlan != 0) /* else virtio drops what has a tag */
		o->eth.rxmode.offloads |= o->dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	e->use_prepare = (o->eth.txmode.offloads & ~(uint64_t)RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

static int
setup_queues(struct opening *o)
{
	const struct weir_port_conf *conf = o->conf;
	struct ethdev *e = o->e;
	struct rte_eth_rxconf rx = o->dev.default_rxconf;
	struct rte_eth_txconf tx = o->dev.default_txconf;
	const unsigned int node = (unsigned int)rte_eth_dev_socket_id(e->id);
	uint16_t n_rx = conf->rx_desc != 0 ? conf->rx_desc : DESC_DEFAULT;
	uint16_t n_tx = conf->tx_desc != 0 ? conf->tx_desc : DESC_DEFAULT;
	int r;

	n_rx = RTE_MIN(n_rx, ethdev_quirk(&o->dev)->rx_desc_max);
	r = rte_eth_dev_adjust_nb_rx_tx_desc(e->id, &n_rx, &n_tx);
	if (r != 0)
		return fail(o, r, "descriptors: %s", rte_strerror(-r));
	rx.offloads = o->eth.rxmode.offloads;
	tx.offloads = o->eth.txmode.offloads;
	for (uint16_t q = 0; q < e->rx_queues; q++) {
		r = rte_eth_rx_queue_setup(e->id, q, n_rx, node, &rx, conf->pools[q]);
		if (r != 0)
			return fail(o, r, "receive queue %u, %u descriptors: %s", q, n_rx,
				rte_strerror(-r));
	}
	for (uint16_t q = 0; q < e->tx_queues; q++) {
		r = rte_eth_tx_queue_setup(e->id, q, n_tx, node, &tx);
		if (r != 0)
			return fail(o, r, "transmit queue %u, %u descriptors: %s", q, n_tx,
				rte_strerror(-r));
	}
	return 0;
}

/* Configure, set up and start, with or without receive interrupts. */
static int
bring_up(struct opening *o, bool use_intr)
{
	const struct weir_port_conf *conf = o->conf;
	struct ethdev *e = o->e;
	int r;

	o->eth.intr_conf.rxq = use_intr;
	r = rte_eth_dev_configure(e->id, e->rx_queues, e->tx_queues, &o->eth);
	if (r != 0)
		return fail(o, r, "%u receive and %u transmit queues, mtu %u refused: %s",
			e->rx_queues, e->tx_queues, o->eth.rxmode.mtu, rte_strerror(-r));
	if (conf->mtu != 0) {
		r = rte_eth_dev_set_mtu(e->id, conf->mtu);
		if (r != 0 && r != -ENOTSUP) /* else it is known from rxmode */
			return fail(o, r, "mtu %u: %s", conf->mtu, rte_strerror(-r));
	}
	r = setup_queues(o);
	if (r != 0)
		return r;
	r = rte_eth_dev_start(e->id);
	if (r != 0)
		return fail(o, r, "start: %s", rte_strerror(-r));
	e->is_started = true;
	if (o->eth.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER &&
		(r = rte_eth_dev_vlan_filter(e->id, conf->vlan, 1)) != 0)
		return fail(o, r, "vlan %u: %s", conf->vlan, rte_strerror(-r));
	if (conf->promisc && (r = rte_eth_promiscuous_enable(e->id)) != 0 && r != -ENOTSUP)
		return fail(o, r, "promiscuous mode: %s", rte_strerror(-r));
	return 0;
}

/* Runs on the interrupt thread. */
static int
on_event(uint16_t id, enum rte_eth_event_type type, void *arg, void *ret_param)
{
	struct ethdev *e = arg;
	const char *name = e->port.info.name;
	struct rte_eth_link l;

	switch (type) {
	case RTE_ETH_EVENT_INTR_LSC:
		if (rte_eth_link_get_nowait(id, &l) == 0)
			WEIR_LOG(NOTICE, "port %s: link %s", name, l.link_status ? "up" : "down");
		break;
	case RTE_ETH_EVENT_INTR_RMV:
		ethdev_say_removed(e);
		break;
	case RTE_ETH_EVENT_INTR_RESET:
		WEIR_LOG(ERR, "port %s: device asks to be reset: restart the stack", name);
		break;
	default:
		break;
	}
	return 0;
}

static const enum rte_eth_event_type events[] = {
	RTE_ETH_EVENT_INTR_LSC,
	RTE_ETH_EVENT_INTR_RMV,
	RTE_ETH_EVENT_INTR_RESET,
};

static void
watch_events(struct ethdev *e)
{
	for (size_t i = 0; i < RTE_DIM(events); i++)
		rte_eth_dev_callback_register(e->id, events[i], on_event, e);
	ethdev_watch_removal(e);
}

static void
unwatch_events(struct ethdev *e)
{
	for (size_t i = 0; i < RTE_DIM(events); i++)
		while (rte_eth_dev_callback_unregister(e->id, events[i], on_event, e) == -EAGAIN)
			rte_pause(); /* it runs */
	ethdev_unwatch_removal(e);
}

void
ethdev_free(struct ethdev *e)
{
	if (e->owner != RTE_ETH_DEV_NO_OWNER) {
		unwatch_events(e);
		rte_eth_dev_owner_unset(e->id, e->owner);
		rte_eth_dev_close(e->id);
	}
	rte_free(e);
}

/* What the running device turned out to be. */
static void
fill_info(struct opening *o)
{
	struct ethdev *e = o->e;
	struct weir_port_info *info = &e->port.info;
	const struct rte_eth_desc_lim *lim = &o->dev.tx_desc_lim;
	uint16_t segs = RTE_MIN(lim->nb_seg_max, lim->nb_mtu_seg_max);

	snprintf(info->name, sizeof(info->name), "%s", o->conf->name);
	snprintf(info->driver, sizeof(info->driver), "%s", o->dev.driver_name);
	rte_eth_macaddr_get(e->id, (struct rte_ether_addr *)&info->mac);
	info->numa_node = rte_eth_dev_socket_id(e->id);
	info->n_queues = e->rx_queues;
	/* 0: the driver does not say */
	segs = segs == 0 ? SEGS_MAX : RTE_MIN(segs, SEGS_MAX);
	info->segs_max = o->caps & WEIR_PORT_TX_MULTI_SEG ? segs : 1;
	info->caps = o->caps;
	if ((o->caps & WEIR_PORT_RSS) && !ethdev_rss_read(e, &o->dev))
		info->caps &= ~(uint32_t)WEIR_PORT_RSS;
	if (o->eth.intr_conf.rxq)
		info->caps |= WEIR_PORT_RX_INTR;
}

static int
open_device(struct opening *o)
{
	struct ethdev *e = o->e;
	bool use_intr;
	int r;

	if ((r = find_device(o)) != 0 || (r = own_device(o)) != 0)
		return r;
	r = rte_eth_dev_info_get(e->id, &o->dev);
	if (r != 0)
		return fail(o, r, "%s", rte_strerror(-r));
	if ((r = choose_queues(o)) != 0)
		return r;
	choose_offloads(o);
	if ((r = choose_mtu(o)) != 0 || (r = choose_scatter(o)) != 0)
		return r;
	o->eth.intr_conf.lsc =
		(*o->dev.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0 && !ethdev_quirk(&o->dev)->no_lsc;
	o->eth.intr_conf.rmv = (*o->dev.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
	watch_events(e);
	use_intr = o->conf->rx_intr && !(ethdev_quirk(&o->dev)->caps_off & WEIR_PORT_RX_INTR);
	r = bring_up(o, use_intr);
	if (use_intr && (r != 0 || !ethdev_wake_find(e))) {
		ethdev_ops.stop(&e->port);
		r = bring_up(o, false); /* works without being woken, it costs idle polling */
	}
	if (r == 0)
		fill_info(o);
	return r;
}

static int
ethdev_open(const struct weir_port_conf *conf, struct weir_port **port, char *err, size_t err_len)
{
	struct opening o = {.conf = conf, .err = err, .err_len = err_len};
	int r;

	o.e = rte_zmalloc("weir_ethdev", sizeof(*o.e), RTE_CACHE_LINE_SIZE);
	if (o.e == NULL)
		return fail(&o, -ENOMEM, "no memory");
	o.e->port.ops = &ethdev_ops;
	o.e->port.priv = o.e;
	o.e->owner = RTE_ETH_DEV_NO_OWNER;
	r = open_device(&o);
	if (r != 0) {
		ethdev_ops.close(&o.e->port);
		return r;
	}
	*port = &o.e->port;
	return 0;
}

const struct weir_driver weir_ethdev_driver = {.name = "ethdev", .open = ethdev_open};
