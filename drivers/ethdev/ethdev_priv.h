/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETHDEV_PRIV_H
#define ETHDEV_PRIV_H

#include <rte_ethdev.h>

#include "weir_port.h"

/** Transmit errors seen by this driver, per queue: one writer each. */
struct ethdev_txq {
	uint64_t refused; /* packets that the device's checks refuse */
} __rte_cache_aligned;

struct ethdev {
	struct weir_port port;
	uint16_t id; /* DPDK's port id */
	uint16_t rx_queues;
	uint16_t tx_queues;
	bool use_prepare; /* offloads on: the device may want headers prepared */
	bool is_started;
	bool is_monitoring; /* holds EAL's watch of kernel events */
	bool is_gone; /* removed, told by its event; interrupt thread: w, all: r */
	uint64_t owner;
	int rx_fd[WEIR_PORT_QUEUES_MAX];       /* -1 without */
	bool is_eventfd[WEIR_PORT_QUEUES_MAX]; /* rx_fd must be read to become quiet (VFIO, vhost);
						* else it is the packets' own (tap) */
	struct ethdev_txq txq[WEIR_PORT_QUEUES_MAX];
};

extern const struct weir_port_ops ethdev_ops;

/* open.c */

/** Close the device, if it is ours, and free e. */
void ethdev_free(struct ethdev *e);

/* removal.c */

/** The device is gone; what it still holds is given back when the port is closed. */
void ethdev_say_removed(struct ethdev *e);
/** Be told when the device is taken away; nothing if it can't be known. */
void ethdev_watch_removal(struct ethdev *e);
void ethdev_unwatch_removal(struct ethdev *e);

/* offload.c */

/** What must be known of a driver because it does not say it. */
struct ethdev_quirk {
	const char *driver;
	uint32_t caps_off;
	uint16_t rx_desc_max;
	bool no_lsc; /* ask for the link's state instead of waiting for its interrupt */
};

const struct ethdev_quirk *ethdev_quirk(const struct rte_eth_dev_info *dev);

/** Of caps that the device and conf allow. */
uint32_t ethdev_offload_caps(const struct rte_eth_dev_info *dev, uint32_t caps_off);
/** Set what caps need in rxmode and txmode. */
void ethdev_offload_conf(const struct rte_eth_dev_info *dev, uint32_t caps,
	struct rte_eth_conf *conf);

/* rss.c */

/** Ask for flows spread by addresses and ports under our key. @return whether the device can */
bool ethdev_rss_conf(const struct rte_eth_dev_info *dev, struct rte_eth_conf *conf);
/**
 * Set the redirection table of the running device, read it and the key back into port.info.
 * @return whether they are known and say where TCP and UDP flows go
 */
bool ethdev_rss_read(struct ethdev *e, const struct rte_eth_dev_info *dev);

/* rx_wake.c */

/** Find the queues' descriptors. @return whether every receive queue has one of its own */
bool ethdev_wake_find(struct ethdev *e);
int ethdev_rx_fd(struct weir_port *p, uint16_t queue);
int ethdev_rx_intr(struct weir_port *p, uint16_t queue, bool on);

static inline struct ethdev *
ethdev_of(const struct weir_port *p)
{
	return (struct ethdev *)p->priv;
}

#endif
