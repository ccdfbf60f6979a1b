/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * BBR, version 3 (draft-ietf-ccwg-bbr): what its files share.
 * Model   cc_bbr_model.c learns from samples what the path can do: bandwidth, least round trip,
 *         how much in flight it bears. cc_bbr.c is the state machine that sends so as to learn
 *         it, and turns the model into cwnd and pacing_bps.
 */
#ifndef CC_BBR_H
#define CC_BBR_H

#include "tcp_priv.h"

#define BBR_INF	     UINT32_MAX
#define BBR_BW_UNIT  16 /* bytes a second: bandwidths fit 32 bits up to 500 Gbit/s */
#define BBR_CWND_MIN 4	/* segments */

/* Gains and factors, in thousandths */
#define BBR_ONE	     1000u
#define BBR_LOSS_MAX 20 /* more of a flight lost: it was too much */
#define BBR_BETA     700
#define BBR_HEADROOM 150  /* left free for others while cruising */
#define BBR_FULL_BW  1250 /* growth that shows that the pipe is not full */

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN, /* the four phases of ProbeBW */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT
};

/* What the ACKs that come in tell of. */
enum bbr_acks {
	BBR_ACKS_INIT,
	BBR_ACKS_REFILLING,
	BBR_ACKS_STARTING, /* the first round of probing: of what was sent before */
	BBR_ACKS_FEEDBACK,
	BBR_ACKS_STOPPING
};

struct bbr {
	uint32_t bw[2];	      /* maximum of this cycle and of the one before */
	uint32_t bw_lo;	      /* short-term bound; BBR_INF: none */
	uint32_t bw_latest;   /* of this round */
	uint32_t bw_full;     /* what growth is measured by */
	uint32_t inflight_hi; /* long-term bound, bytes; BBR_INF: none */
	uint32_t inflight_lo;
	uint32_t inflight_latest;
	uint32_t delivered; /* bytes, as in prior_delivered */
	uint32_t round_end; /* the round ends when what was sent from then on is delivered */
	uint32_t loss_round_end;
	uint32_t min_rtt_us;
	uint32_t min_rtt_at; /* times: low bits of microseconds */
	uint32_t probe_min_rtt_us;
	uint32_t probe_min_rtt_at;
	uint32_t probe_rtt_done_at;
	uint32_t phase_at;
	uint32_t probe_wait_us;
	uint32_t up_cnt; /* bytes acknowledged for each segment that inflight_hi grows */
	uint32_t up_acked;
	uint32_t prior_cwnd;
	uint32_t extra_acked[2]; /* beyond what the bandwidth explains: maxima of five rounds */
	uint32_t extra_at;
	uint32_t extra_delivered;
	uint8_t state;
	uint8_t acks;
	uint8_t full_count;
	uint8_t rounds_since_probe;
	uint8_t up_rounds;
	uint8_t extra_rounds;
	uint8_t loss_events; /* ACKs that told of losses, in this round */
	bool is_full : 1;    /* the pipe was filled once */
	bool is_full_now : 1;
	bool is_round_start : 1;
	bool is_loss_round_start : 1;
	bool is_loss_in_round : 1;
	bool is_probe_sample : 1; /* losses tell of a probe for bandwidth */
	bool is_rtt_round_done : 1;
	bool is_idle_restart : 1;
	bool is_rtt_timed : 1; /* probe_rtt_done_at is set */
	bool is_extra_begun : 1;
};

static_assert(sizeof(struct bbr) <= WEIR_TCP_CC_PRIV, "fits");

static inline struct bbr *
bbr_of(struct weir_tcp_conn *c)
{
	return weir_tcp_cc_priv(c);
}

static inline uint32_t
bbr_part(uint32_t v, uint32_t thousandths)
{
	return (uint32_t)RTE_MIN((uint64_t)v * thousandths / BBR_ONE, UINT64_C(0xfffffffe));
}

static inline bool
bbr_is_probing_bw(const struct bbr *b)
{
	return b->state >= BBR_DOWN && b->state <= BBR_UP;
}

static inline uint32_t
bbr_cwnd_min(const struct weir_tcp_conn *c)
{
	return BBR_CWND_MIN * (uint32_t)c->mss;
}

/** In flight after the ACK. */
static inline uint32_t
bbr_flight(const struct weir_tcp_sample *s)
{
	const uint32_t gone = s->newly_delivered + s->newly_lost;

	return s->prior_flight > gone ? s->prior_flight - gone : 0;
}

/* cc_bbr_model.c */

void bbr_model_init(struct bbr *b, uint64_t now_us);

/** Greatest bandwidth of the last two cycles; and as bounded by losses. */
uint32_t bbr_max_bw(const struct bbr *b);
uint32_t bbr_bw(const struct bbr *b);

/** Bytes in flight that gain times the model's bandwidth and round trip ask for. */
uint32_t bbr_bdp(const struct weir_tcp_conn *c, const struct bbr *b, uint32_t bw, uint32_t gain);

/** inflight_hi less what is left for others. */
uint32_t bbr_with_headroom(const struct weir_tcp_conn *c, const struct bbr *b);

void bbr_start_round(struct bbr *b);
void bbr_reset_full_bw(struct bbr *b, uint32_t bw);
void bbr_reset_signals(struct bbr *b);
void bbr_reset_lower(struct bbr *b);
void bbr_advance_bw_filter(struct bbr *b);

/** Is more of the flight lost than the path should lose? */
bool bbr_is_too_high(const struct weir_tcp_sample *s);

/** What an ACK says, before the state machine; and the end of it. @return bandwidth of s */
uint32_t bbr_learn(struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s);
void bbr_learnt(struct bbr *b, const struct weir_tcp_sample *s, uint32_t bw);

/** @return whether it is time to look for a shorter round trip */
bool bbr_learn_rtt(struct bbr *b, const struct weir_tcp_sample *s);

#endif
