/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Congestion control behind one table of operations. All amounts in bytes.
 */
#ifndef WEIR_TCP_CC_H
#define WEIR_TCP_CC_H

#include <stdint.h>

struct weir_tcp_conn;

/** State common to all algorithms, and room for one's own. */
struct weir_tcp_cc {
	const struct weir_tcp_cc_ops *ops;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t bytes_acked; /* RFC 3465 counting in congestion avoidance */
	uint32_t flight;      /* bytes in flight after data was sent last */
	uint64_t priv[2];
};

struct weir_tcp_cc_ops {
	const char *name; /* as in TCP_CONGESTION: "newreno" */
	/** The handshake is over: the initial window (RFC 6928) is in cwnd. */
	void (*init)(struct weir_tcp_conn *c);
	/** acked bytes were newly acknowledged outside of recovery, the window in full use. */
	void (*acked)(struct weir_tcp_conn *c, uint32_t acked, uint64_t now_us);
	/** Loss found by duplicate ACKs: lower ssthresh (RFC 5681 3.2 (2)). */
	void (*loss)(struct weir_tcp_conn *c, uint64_t now_us);
	/** The retransmission timer fired for the first time for this data (RFC 5681 3.1 (4)). */
	void (*timeout)(struct weir_tcp_conn *c, uint64_t now_us);
};

extern const struct weir_tcp_cc_ops weir_tcp_cc_newreno;

#endif
