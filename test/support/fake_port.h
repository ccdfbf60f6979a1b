/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port for unit tests: what is fed to it is received, what is sent by it is kept to be looked at.
 * Model   A list of packets per queue and direction, in order. Nothing is copied.
 * Owner   The test owns the struct; the port owns the mbufs in its lists until they are received
 *         (the receiver's) or taken by the test (the test's).
 */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

#include "weir_port.h"

#define FAKE_PORT_QUEUES 4
#define FAKE_PORT_ROOM   2048 /* packets per queue and direction */

struct fake_list {
	unsigned int head; /* next to leave */
	unsigned int tail; /* next free; both grow for ever, modulo FAKE_PORT_ROOM */
	struct rte_mbuf *m[FAKE_PORT_ROOM];
};

struct fake_port {
	struct weir_port port; /* info may be changed before the port is used */
	unsigned int tx_room;  /* packets tx() still takes; UINT_MAX: all */
	bool is_up;
	bool is_promisc;
	bool is_started;
	unsigned int n_mcast; /* the latest set_mcast() */
	struct weir_mac mcast[WEIR_PORT_MCAST_MAX];
	struct weir_port_stats stats;
	struct fake_list rx[FAKE_PORT_QUEUES];
	struct fake_list tx[FAKE_PORT_QUEUES];
};

/**
 * A port that is up: MAC 02:00:00:00:00:01, MTU 1500, n_queues queue pairs, chains of up to 16
 * segments, no other capability. close() frees what the lists hold, as fake_port_fini() does.
 */
void fake_port_init(struct fake_port *f, unsigned int n_queues);

/** Free what the lists still hold. */
void fake_port_fini(struct fake_port *f);

/** m will be received on queue. Takes m. */
void fake_port_feed(struct fake_port *f, unsigned int queue, struct rte_mbuf *m);

/** The oldest packet sent on queue, now the caller's, or NULL. */
struct rte_mbuf *fake_port_take(struct fake_port *f, unsigned int queue);

/** Packets sent on queue and not taken. */
unsigned int fake_port_sent(const struct fake_port *f, unsigned int queue);

/** Free the packets sent on all queues. @return how many */
unsigned int fake_port_drain(struct fake_port *f);

#endif
