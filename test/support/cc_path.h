/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A path for one congestion control algorithm, on a virtual clock: a sender with endless data, a
 * bottleneck with a rate, a delay and a buffer, a receiver. No stack: the sender here does for
 * the algorithm what loss recovery does (weir_tcp_cc.h), with packets that are numbered afresh when
 * they are sent again.
 */
#ifndef CC_PATH_H
#define CC_PATH_H

#include "tcp_priv.h"

#define CC_PATH_MSS  1000
#define CC_PATH_PKTS 16384 /* on their way, at most */

struct cc_path_conf {
	const char *cc;
	uint64_t rate_Bps;    /* of the bottleneck; 0: none */
	uint32_t rtt_us;      /* without a queue */
	uint32_t buffer;      /* bytes the queue holds; 0: any */
	uint32_t mark;	      /* bytes of queue beyond which packets are marked CE; 0: never */
	uint32_t lose_one_in; /* packets, besides; 0: none */
	uint32_t burst;	      /* packets that one ACK acknowledges; 0: 1 */
	uint32_t ssthresh;    /* 0: not known yet */
	uint32_t cwnd;	      /* 0: ten segments */
};

struct cc_path_pkt {
	uint64_t sent_us;
	uint64_t acked_us; /* when its ACK is here */
	uint64_t first_us; /* of the rate sample */
	uint64_t delivered_us;
	uint32_t delivered;
	uint32_t lost;
	uint32_t tx_flight;
	bool is_dropped;
	bool is_ce;
};

struct cc_path {
	struct weir_core core;
	struct weir_tcp tcp;
	struct weir_tcp_conn conn;
	struct cc_path_conf conf;
	uint64_t now_us;
	uint64_t free_us; /* when the bottleneck has sent what it has */
	uint64_t free_ns; /* and the rest of it below a microsecond */
	uint64_t pace_us; /* paced: no packet before */
	uint64_t delivered_us;
	uint64_t first_us;
	uint64_t heard_us;
	uint32_t first;	    /* packets before this are done with */
	uint32_t next;	    /* number of the next */
	uint32_t recover;   /* in recovery: up to here */
	uint32_t delivered; /* bytes */
	uint32_t lost;
	uint32_t drops; /* packets */
	uint32_t marks;
	uint32_t flight;    /* bytes */
	uint32_t queue_max; /* bytes, since the test set it to 0 */
	uint64_t queue_sum; /* over packets sent */
	uint32_t queue_n;
	uint32_t events; /* times that recovery was entered */
	bool is_recovery;
	struct cc_path_pkt pkts[CC_PATH_PKTS];
};

void cc_path_open(struct cc_path *p, const struct cc_path_conf *conf);

/** Let the transfer go on for us. */
void cc_path_run(struct cc_path *p, uint64_t us);

/** Bytes delivered in that time, in percent of what the bottleneck can do. */
unsigned int cc_path_use(struct cc_path *p, uint64_t us);

/** One ACK of n bytes, as of now, outside of any path; the round trip is rtt_us. */
void cc_path_ack(struct cc_path *p, uint32_t n, uint32_t rtt_us);

/** A congestion event, as loss recovery would handle it at once. */
void cc_path_lose(struct cc_path *p);

#endif
