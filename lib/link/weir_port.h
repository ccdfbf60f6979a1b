/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a driver offers: a port with queue pairs that receive and transmit bursts of mbufs.
 * Model   A driver fills a struct weir_port. One indirect call per burst, none per packet.
 * Owner   The driver owns the port from open to close. Received mbufs belong to the caller;
 *         mbufs that tx() took belong to the port, the rest stay the caller's.
 * Thread  rx and tx of one queue: that queue's worker alone. All else: the control thread, before
 *         start or while the port runs where the driver says so.
 * Errors  Control calls return 0 or negative errno; -ENOTSUP: this driver can't.
 */
#ifndef WEIR_PORT_H
#define WEIR_PORT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "weir_eth.h"

#define WEIR_PORT_NAME_LEN    64
#define WEIR_RSS_KEY_LEN_MAX  64
#define WEIR_RETA_SIZE_MAX    512
#define WEIR_PORT_QUEUES_MAX  64
#define WEIR_PORT_MCAST_MAX   256

/** Capabilities: what the port does so that software need not. */
enum weir_port_cap {
	WEIR_PORT_RX_IP4_CKSUM = 1 << 0, /* reports IPv4 header checksums in ol_flags */
	WEIR_PORT_RX_L4_CKSUM = 1 << 1,  /* reports TCP and UDP checksums in ol_flags */
	WEIR_PORT_RX_RSS_HASH = 1 << 2,  /* puts its Toeplitz hash in mbuf.hash.rss */
	WEIR_PORT_RX_LRO = 1 << 3,       /* may deliver merged TCP segments */
	WEIR_PORT_TX_IP4_CKSUM = 1 << 4,
	WEIR_PORT_TX_TCP_CKSUM = 1 << 5,
	WEIR_PORT_TX_UDP_CKSUM = 1 << 6,
	WEIR_PORT_TX_TSO = 1 << 7,       /* RTE_MBUF_F_TX_TCP_SEG, both IP versions */
	WEIR_PORT_TX_MULTI_SEG = 1 << 8, /* takes chained mbufs, info.segs_max long */
	WEIR_PORT_TX_VLAN = 1 << 9,      /* inserts mbuf.vlan_tci (RTE_MBUF_F_TX_VLAN) */
	WEIR_PORT_RX_VLAN = 1 << 10,     /* strips tags into mbuf.vlan_tci */
	WEIR_PORT_RSS = 1 << 11,         /* spreads flows by rss_key and reta: software need not */
	WEIR_PORT_RX_INTR = 1 << 12,     /* rx_intr() and rx_fd() work */
};

struct weir_port_info {
	char name[WEIR_PORT_NAME_LEN];
	char driver[32];
	struct weir_mac mac;
	int numa_node;      /* SOCKET_ID_ANY where it has none */
	uint32_t caps;      /* enum weir_port_cap, after configuration */
	uint16_t n_queues;  /* queue pairs set up */
	uint16_t mtu;       /* bytes of IP packet */
	uint16_t mtu_max;
	uint16_t segs_max;  /* longest mbuf chain tx() takes */
	uint16_t reta_size; /* entries of reta, a power of two; 0 without RSS */
	uint8_t rss_key_len;
	uint8_t rss_key[WEIR_RSS_KEY_LEN_MAX];
	uint16_t reta[WEIR_RETA_SIZE_MAX]; /* hash & (reta_size - 1) -> queue */
};

struct weir_port_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_missed; /* lost for want of descriptors or room */
	uint64_t rx_errors;
	uint64_t rx_no_mbuf;
	uint64_t tx_errors;
};

struct weir_port_link {
	bool is_up;
	uint32_t speed_mbps; /* 0: unknown */
};

struct weir_port;

struct weir_port_ops {
	/** Up to n packets into m[n]. @return how many */
	uint16_t (*rx)(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n);
	/** Send m[0..n-1]. @return how many were taken, from the front */
	uint16_t (*tx)(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n);
	int (*start)(struct weir_port *p);
	int (*stop)(struct weir_port *p);
	void (*close)(struct weir_port *p); /* frees p */
	/** At any time, by one thread at a time. */
	int (*link)(struct weir_port *p, struct weir_port_link *link);
	int (*stats)(struct weir_port *p, struct weir_port_stats *stats);
	/** Receive these n group addresses (and broadcast); replaces the list before. */
	int (*set_mcast)(struct weir_port *p, const struct weir_mac *macs, unsigned int n);
	int (*set_promisc)(struct weir_port *p, bool on);
	int (*set_mtu)(struct weir_port *p, uint16_t mtu);
	/** A descriptor that epoll can wait on for packets of queue; -ENOTSUP without. */
	int (*rx_fd)(struct weir_port *p, uint16_t queue);
	/** Let the queue raise its descriptor at the next packet, or stop that. */
	int (*rx_intr)(struct weir_port *p, uint16_t queue, bool on);
};

struct weir_port {
	const struct weir_port_ops *ops;
	void *priv; /* the driver's */
	struct weir_port_info info;
	bool is_down; /* as link() last told worker 0; read by all */
};

/** What the configuration asks of a driver when it opens a port. */
struct weir_port_conf {
	const char *name;   /* section name: "tap0" */
	const char *device; /* what the driver opens: ethdev name, PCI address, or cable end */
	uint16_t n_queues;  /* queue pairs wanted: one per worker; there may be fewer rx queues
			     * (info.n_queues tells) but must offer that many tx queues */
	uint16_t rx_desc;   /* descriptors per queue */
	uint16_t tx_desc;
	uint16_t mtu;       /* 0: the device's own */
	uint16_t vlan;      /* the tag of its frames; 0: untagged */
	bool promisc;
	bool rx_intr;       /* interrupts will be waited on (idle = sleep) */
	uint32_t caps_off;  /* enum weir_port_cap not to be used even if there */
	struct rte_mempool *const *pools; /* pools[n_queues]: receive buffers of each queue */
};

/** A driver: opens ports. The list of drivers is a constant in lib/api. */
struct weir_driver {
	const char *name; /* the configuration's "driver = " */
	/** @return 0 and *port, or negative errno; says why in err (one line, no newline) */
	int (*open)(const struct weir_port_conf *conf, struct weir_port **port, char *err,
		size_t err_len);
};

static inline uint16_t
weir_port_rx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	return p->ops->rx(p, queue, m, n);
}

static inline uint16_t
weir_port_tx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	return p->ops->tx(p, queue, m, n);
}

#endif
