/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A cable in software: two ports in one process joined by it, with the offloads of a good NIC.
 * Model   Each end has receive queues (rings), filled by Toeplitz RSS of what the other end sends.
 *         Mbufs pass by pointer. A full receive queue pushes back: tx() takes fewer, nothing is
 *         lost. With impairments frames go through a weir_line first, and a full queue drops.
 *         A checksum that the sender leaves to its port is not computed but reported as good by
 *         the receiver's, or filled in where that port does not check; TSO is cut into frames
 *         of the sender's segment size, payload by reference, or handed on whole as LRO.
 *         Frames over the MTU are dropped. An end sees all frames, to whatever address.
 * Names   Cables have a name unique in the process (memzone "weir_cable_NAME"), by which the
 *         driver "wire" opens their ends: device = NAME:a, NAME:b (or :0, :1). A name that no
 *         weir_cable_new() made is made by the first open, and freed by the last close. Parameters
 *         may follow: those of weir_impair_parse() for what this end sends, and, read by the
 *         open that makes the cable, seed, queues, depth, lro: "c0:a,loss=1%,delay=10ms,seed=7".
 * Owner   weir_cable_free() frees a cable made by weir_cable_new(), once its ends are no longer
 *         used. Received mbufs are the sender's pool's: it must live until they are freed.
 * Thread  Each queue of an end belongs to one thread. weir_cable_set(), _link() and _stats() may be
 *         called by any thread at any time, everything else by one control thread.
 *         Without impairments there is no lock; with them, one per direction.
 * Time    The clock given; without one the TSC's. With a virtual clock and one thread a cable is
 *         deterministic.
 */
#ifndef WEIR_CABLE_H
#define WEIR_CABLE_H

#include "weir_clock.h"
#include "weir_impair.h"
#include "weir_port.h"

#define WEIR_CABLE_NAME_LEN 20 /* with the final zero */

/** What both ends offer, unless switched off; WEIR_PORT_RX_LRO and _RX_INTR only when asked. */
#define WEIR_CABLE_CAPS                                                                            \
	(WEIR_PORT_RX_IP4_CKSUM | WEIR_PORT_RX_L4_CKSUM | WEIR_PORT_RX_RSS_HASH |                  \
		WEIR_PORT_TX_IP4_CKSUM | WEIR_PORT_TX_TCP_CKSUM | WEIR_PORT_TX_UDP_CKSUM |         \
		WEIR_PORT_TX_TSO | WEIR_PORT_TX_MULTI_SEG | WEIR_PORT_TX_VLAN |                    \
		WEIR_PORT_RX_VLAN | WEIR_PORT_RSS)

/** All zero: one queue, MTU 1500, all offloads, no impairment. */
struct weir_cable_conf {
	uint64_t seed;
	uint16_t queues;      /* receive queues of each end; 0: one, or what an open wants */
	uint32_t queue_depth; /* frames a receive queue holds, up to 2^20; 0: 1024 */
	uint32_t line_pkts;   /* frames on their way through impairments; 0: 16384 */
	uint16_t mtu;         /* bytes of IP packet; 0: 1500 */
	bool lro;             /* hand TSO packets to the receiver whole */
	uint32_t caps_off;    /* of WEIR_CABLE_CAPS, for both ends */
	struct weir_impair impair[2]; /* of what end 0 sends, of what end 1 sends */
};

/** One direction; frames, after segmentation. */
struct weir_cable_stats {
	uint64_t sent;
	uint64_t delivered; /* received by the other end's rx() */
	uint64_t lost;
	uint64_t duplicated;
	uint64_t corrupted;
	uint64_t reordered;
	uint64_t dropped_full;     /* rate queue, line or receive queue full */
	uint64_t dropped_oversize; /* longer than the MTU */
	uint64_t dropped_down;     /* link down */
	uint64_t dropped_bad;      /* offload requests that contradict the packet */
	uint64_t dropped_no_mbuf;  /* no mbuf for headers */
	uint64_t held;             /* in the line and in receive queues */
	/* sent + duplicated = delivered + lost + the drops + held, when nothing moves */
};

struct weir_cable;

/**
 * Both ends are started and the link is up at once; ports opened by name start with start().
 * @param name   1 to WEIR_CABLE_NAME_LEN - 1 characters
 * @param conf   NULL: all zero
 * @param clock  must outlive the cable; NULL: the TSC
 * @return 0, -EINVAL, -EEXIST (name taken), -ENOMEM
 */
int weir_cable_new(const char *name, const struct weir_cable_conf *conf,
	const struct weir_clock *clock, struct weir_cable **cable);

/** Free the cable and everything on it. NULL is allowed. */
void weir_cable_free(struct weir_cable *cable);

/** The cable of this name, or NULL. */
struct weir_cable *weir_cable_find(const char *name);

/** End 0 or 1, the cable's property. */
struct weir_port *weir_cable_port(struct weir_cable *cable, unsigned int end);

/** Change what happens to frames that end sends from now on. */
void weir_cable_set(struct weir_cable *cable, unsigned int end, const struct weir_impair *impair);

/** Pull the cable, or plug it in. Frames sent meanwhile are dropped; those on it arrive. */
void weir_cable_link(struct weir_cable *cable, bool is_up);

/** Counts of the direction that end sends in. */
void weir_cable_stats(
	const struct weir_cable *cable, unsigned int end, struct weir_cable_stats *stats);

/**
 * When the next frame can be received at either end: 0 when one can be now, UINT64_MAX when there
 * is none. For who moves a virtual clock: nobody else may use the cable meanwhile.
 */
uint64_t weir_cable_next_us(const struct weir_cable *cable);

extern const struct weir_driver weir_cable_driver; /* "wire" */

#endif
