/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Congestion control behind one table of operations. All amounts in bytes.
 * Model   Recovery (tcp_recovery.c) finds losses and marks, keeps the sending within cwnd, and
 *         asks the algorithm what follows from them; the algorithm sets cwnd, ssthresh and, if it
 *         wants, pacing_bps. One with `control` sets all of them alone, after every ACK.
 */
#ifndef WEIR_TCP_CC_H
#define WEIR_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

struct weir_tcp;
struct weir_tcp_conn;

/** What one ACK told (draft-ietf-ccwg-bbr 4.1: delivery rate). Amounts in bytes. */
struct weir_tcp_sample {
	uint64_t now_us;
	uint32_t acked;        /* delivered first by this ACK if it moves; small segments as full */
	uint32_t delivered;    /* delivered in interval_us; 0: no rate sample */
	uint32_t interval_us;  /* over which it was delivered */
	uint32_t newly_delivered; /* by this ACK, cumulatively or selectively */
	uint32_t newly_lost;   /* marked lost by this ACK */
	uint32_t rtt_us;       /* 0: no sample */
	uint32_t prior_flight; /* in flight before the ACK */
	uint32_t prior_delivered; /* act->delivered when the segment acknowledged now was sent */
	uint32_t tx_flight;    /* in flight when the segment acknowledged now was sent */
	uint32_t lost;         /* lost since then */
	uint32_t ce;           /* of newly_delivered, reported as marked CE; see tcp_ecn.c */
	bool is_app_limited;   /* the rate is that of the application, not of the path */
	bool is_ece;           /* the ACK carries ECE (RFC 3168) */
};

enum weir_tcp_cc_event {
	WEIR_TCP_CC_RESTART,  /* sends again after an idle time */
	WEIR_TCP_CC_TIMEOUT,  /* the retransmission timer fired, ssthresh and cwnd are set */
	WEIR_TCP_CC_RECOVERY, /* entered fast recovery or window reduction, ssthresh is set */
	WEIR_TCP_CC_RECOVERED /* and left it */
};

#define WEIR_TCP_CC_PRIV 128 /* bytes that an algorithm has for itself */

/** State common to all algorithms, and room for one's own. */
struct weir_tcp_cc {
	const struct weir_tcp_cc_ops *ops;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t bytes_acked; /* RFC 3465 counting in congestion avoidance */
	uint32_t flight;      /* bytes in flight after data was sent last */
	uint64_t pacing_bps;  /* bytes per second, of an algorithm with `control` */
	uint64_t depart_ns;   /* paced: nothing goes before */
};

#define WEIR_TCP_CC_ECN (1u << 0) /* negotiates ECN even where it is not configured */

struct weir_tcp_cc_ops {
	const char *name; /* as in TCP_CONGESTION: "reno", "cubic", "dctcp", "bbr" */
	uint8_t flags;    /* WEIR_TCP_CC_* */
	/** The handshake is over (the initial window is in cwnd), or the application chose it. */
	void (*init)(struct weir_tcp *t, struct weir_tcp_conn *c);
	/** s->acked bytes outside of recovery, the window in use: grow. */
	void (*acked)(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sample *s);
	/** A congestion event begins (RFC 5681 3.1 (4)): the new ssthresh. */
	uint32_t (*ssthresh)(struct weir_tcp *t, struct weir_tcp_conn *c);
	/** NULL or: every ACK, in every state, before the others. */
	void (*sampled)(struct weir_tcp *t, struct weir_tcp_conn *c,
		const struct weir_tcp_sample *s);
	/** NULL or: takes over: sets cwnd and pacing_bps after every ACK; acked is not called. */
	void (*control)(struct weir_tcp *t, struct weir_tcp_conn *c,
		const struct weir_tcp_sample *s);
	/** NULL or: see the enum. */
	void (*event)(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_cc_event event);
	/** NULL or: what TCP_CC_INFO tells. @param out  16 or 20 bytes. @return how many */
	uint32_t (*info)(const struct weir_tcp_conn *c, void *out);
	/** NULL or: the congestion event was none; cwnd and ssthresh are as before it again. */
	void (*undo)(struct weir_tcp *t, struct weir_tcp_conn *c);
};

extern const struct weir_tcp_cc_ops weir_tcp_cc_bbr;
extern const struct weir_tcp_cc_ops weir_tcp_cc_cubic;
extern const struct weir_tcp_cc_ops weir_tcp_cc_dctcp;
extern const struct weir_tcp_cc_ops weir_tcp_cc_newreno;

#define WEIR_TCP_CC_INFO_MAX 20
#define WEIR_TCP_CC_NAME_LEN 16 /* with the final zero, as TCP_CA_NAME_MAX */

/** The number of the algorithm of this name ("cubic", ...), or -1. */
int weir_tcp_cc_find(const char *name);

/** The i-th algorithm, NULL at the end: 0 is the default. */
const struct weir_tcp_cc_ops *weir_tcp_cc_at(unsigned int i);

/** c->opts.cc is what c is to go by: set it up where it is another one than before. */
void weir_tcp_cc_choose(struct weir_tcp *t, struct weir_tcp_conn *c);

#endif
