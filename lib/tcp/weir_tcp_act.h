/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a connection needs while data is under way: the scoreboard of what was sent, loss recovery,
 * measurements, counters.
 * Model   Each segment (or super-segment) sent has a record until it is acknowledged. The records
 *         of a connection stand in two lists: by sequence number, all of them; by the time they
 *         were sent last, those that are neither SACKed nor lost (RFC 8985 6.2). Windows are
 *         counted in segments, a small one as a whole one, as Linux does.
 * Owner   It is a part of the connection; t->sents holds the records. References to those are
 *         indices + 1, 0: none.
 * Thread  The worker's lcore alone.
 */
#ifndef WEIR_TCP_ACT_H
#define WEIR_TCP_ACT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir_tcp_accecn.h"
#include "weir_tcp_cc.h"
#include "weir_tcp_hdr.h"

struct rte_mbuf;
struct weir_qnode;

/** Loss recovery, numbered as in Linux's TCP_INFO. */
enum weir_tcp_ca {
	WEIR_TCP_CA_OPEN,
	WEIR_TCP_CA_DISORDER, /* something is SACKed, or duplicate ACKs came */
	WEIR_TCP_CA_CWR,      /* the window is being reduced, nothing is lost */
	WEIR_TCP_CA_RECOVERY, /* fast recovery */
	WEIR_TCP_CA_LOSS,     /* after a time-out */
	WEIR_TCP_CA_STATES
};

/** "Open", ... */
const char *weir_tcp_ca_name(enum weir_tcp_ca ca);

enum weir_tcp_sent_flag {
	WEIR_TCP_SACKED = 1 << 0,
	WEIR_TCP_LOST = 1 << 1,
	WEIR_TCP_REXMIT = 1 << 2,      /* a repetition is under way */
	WEIR_TCP_REXMIT_EVER = 1 << 3, /* was sent more than once */
	WEIR_TCP_TIMED = 1 << 4,       /* in the list by time */
	WEIR_TCP_APP_LIMITED = 1 << 5,
	WEIR_TCP_BLURRED = 1 << 6, /* holds more than was sent at sent_us: no record was free */
	WEIR_TCP_PUSHED = 1 << 7,  /* its last segment carries PSH */
};

/** What keeps data from being delivered, as TCP_INFO counts it. */
enum weir_tcp_limit_kind {
	WEIR_TCP_LIMIT_NONE, /* there is none */
	WEIR_TCP_LIMIT_BUSY, /* the path */
	WEIR_TCP_LIMIT_RWND, /* the peer's window */
	WEIR_TCP_LIMIT_SNDBUF, /* the send buffer: the application would send more */
	WEIR_TCP_LIMITS
};

/** What was sent with one call: a cache line. */
struct weir_tcp_sent {
	uint32_t seq;
	uint32_t end;
	uint32_t next;	/* by sequence number */
	uint32_t later; /* by time */
	uint32_t earlier;
	uint16_t segs;
	uint16_t mss; /* what it was cut into */
	uint64_t sent_us;
	/* delivery rate (draft-ietf-ccwg-bbr 4.1), as of sent_us */
	uint64_t first_us;     /* start of the flight it was sent in */
	uint64_t delivered_us; /* when `delivered` was reached; 0: has given its sample */
	uint32_t delivered;
	uint32_t lost;
	uint32_t tx_flight;
	uint8_t flags;
};

static_assert(sizeof(struct weir_tcp_sent) == 64, "a cache line");

/** A SACK block of the latest ACK, and the last record it touches. */
struct weir_tcp_sack_hint {
	uint32_t start;
	uint32_t end;
	uint32_t at;
};

#define WEIR_TCP_SACKS 4

struct weir_tcp_act {
	/* line 0: every segment sent or acknowledged */
	uint32_t head; /* records by sequence number */
	uint32_t tail;
	uint32_t oldest; /* records by time */
	uint32_t newest;
	uint32_t out_segs;    /* under way, not acknowledged */
	uint32_t sacked_segs; /* without SACK: duplicate ACKs */
	uint32_t lost_segs;
	uint32_t rexmit_segs; /* repetitions under way */
	uint32_t delivered;   /* bytes, modulo 2^32 */
	uint32_t lost;	      /* bytes ever marked lost, modulo 2^32 */
	uint32_t delivered_segs;
	uint32_t app_limited; /* delivered when what was sent for lack of data has arrived; 0: no */
	uint32_t sml;	      /* end of the last small segment sent (Nagle, Minshall's variant) */
	/* cwnd in use (RFC 7661, as Linux) */
	uint32_t max_out; /* most segments under way until usage_seq is acknowledged */
	uint32_t usage_seq;
	uint32_t cwnd_used;
	/* line 1: times */
	uint64_t cwnd_us;     /* when the window was last in full use */
	uint64_t first_us;    /* delivery rate: send time of the latest segment delivered */
	uint64_t delivered_us;
	uint32_t srtt8_us; /* 8 times the smoothed one */
	uint32_t mdev4_us; /* 4 times its mean deviation */
	uint32_t mdev_max_us;
	uint32_t var_us;  /* what the time-out adds to srtt: never less than rto_min */
	uint32_t rtt_seq; /* var_us may fall once a round trip: when this is acknowledged */
	uint32_t min_rtt_us;
	uint64_t min_rtt_at_us; /* when it was measured */
	uint8_t n_sacks;	/* receiver: blocks to announce */
	bool has_dsack;
	uint8_t n_hints; /* sender: what the latest ACK said */
	bool is_tlp;	 /* a loss probe is under way */
	bool is_tlp_due;
	bool is_new_first; /* F-RTO: new data before repetitions */
	bool is_rack_news;
	uint8_t reo_steps; /* reordering window, quarters of min_rtt */
	/* line 2: RACK, counters, recovery */
	uint64_t rack_us; /* RFC 8985: the segment sent last of those delivered */
	uint32_t rack_end;
	uint32_t rack_rtt_us;
	uint64_t bytes_sent; /* repetitions included */
	uint32_t acks_in; /* segments without text */
	uint8_t limit;	  /* enum weir_tcp_limit_kind, of the latest flight */
	bool has_stamps;  /* some send asked for time stamps (WEIR_SEND_STAMP_*) */
	uint16_t mtu_size; /* of the path's MTU probe under way; 0: none */
	uint32_t rate_delivered; /* bytes in rate_interval_us: the latest good rate */
	uint32_t rate_interval_us;
	bool is_rate_app_limited;
	bool is_dsack_seen;  /* in this round trip */
	uint8_t reo_persist; /* recoveries until the reordering window shrinks */
	bool may_undo;
	uint32_t reo_delivered;
	uint32_t high_seq;   /* snd.max when the state was entered */
	uint32_t reordering; /* segments */
	uint32_t lost_hint;  /* before this record there is nothing lost to send again */
	uint32_t fack;	     /* end of the highest SACKed record, while sacked_segs > 0 */
	/* line 3 and on: congestion control's, then what only losses need */
	uint64_t cc_priv[WEIR_TCP_CC_PRIV / 8];
	/* the receive buffer's growth (tcp_buf.c) */
	uint64_t space_us; /* this measurement began */
	uint32_t space;	   /* most bytes that the application read in a round trip */
	uint32_t space_seq; /* how far it had read at space_us */
	uint64_t rcv_rtt_at_us; /* without timestamps: when rcv_rtt_seq was still a window away */
	uint32_t rcv_rtt_seq;
	uint32_t rcv_rtt_us; /* as the receiver sees it; 0: not known */
	/* losses */
	uint32_t prior_cwnd;
	uint32_t prior_ssthresh; /* 0: not to be restored */
	uint32_t prr_delivered;	 /* segments (RFC 9937) */
	uint32_t prr_out;
	uint32_t undo_marker; /* snd.una when the window was reduced, with may_undo */
	int32_t undo_rexmits; /* repetitions not yet found needless; -1: none were made */
	uint32_t rexmit_ts;   /* timestamp of the first repetition, with has_rexmit_ts */
	uint32_t tlp_seq;     /* snd.max when the probe went, with is_tlp */
	bool has_rexmit_ts;
	bool is_tlp_rexmit; /* the probe was a repetition */
	bool is_frto;
	bool is_reneged;
	uint32_t reord_seen;
	struct weir_tcp_sack sacks[1 + WEIR_TCP_SACKS]; /* the DSACK; blocks, latest first */
	struct weir_tcp_sack_hint hints[WEIR_TCP_SACKS];
	struct rte_mbuf *cursor; /* where the latest repetition was found in the send queue */
	uint32_t cursor_seq;
	/* for those who watch */
	uint32_t dsacks;  /* segments that arrived twice */
	uint64_t bytes_rexmit;
	uint32_t delivered_ce; /* of delivered_segs, those marked */
	struct weir_tcp_accecn accecn;
	uint16_t mtu_high;  /* no more than that passes; 0: not searched for */
	uint16_t mtu_since; /* about seconds: when the search began */
	uint64_t limit_us[WEIR_TCP_LIMITS]; /* how long each limit was in force */
	uint64_t limit_since_us;
	struct weir_tcp_keys *keys; /* NULL: no keys */
	struct weir_qnode *notes;   /* the last of a ring, see tcp_notes.c; NULL: none */
	/* tcp_park.c's; last: it is not packed */
	struct {
		uint32_t since; /* when it was put into the queue */
		uint32_t next;	/* indices + 1 */
		uint32_t prev;
	} queue;
};

static_assert(offsetof(struct weir_tcp_act, cwnd_us) == 64, "line 0");
static_assert(offsetof(struct weir_tcp_act, rack_us) == 128, "line 1");
static_assert(offsetof(struct weir_tcp_act, cc_priv) == 192, "line 2");

#endif
