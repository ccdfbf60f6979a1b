/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> cc_cubic -> cc_hystart. RFC 9406; and Linux's. */
#include "cc_hystart.h"

#include "tcp_priv.h"

/* RFC 9406 4.3 */
#define RTT_THRESH_MIN_US 4000u
#define RTT_THRESH_MAX_US 16000u
#define RTT_DIVISOR	  8
#define SAMPLES		  8
#define CSS_DIVISOR	  4
#define CSS_ROUNDS	  5

/* Linux */
#define CWND_SEGS_MIN 16
#define TRAIN_GAP_US  2000u
#define BURST_US_MAX  1000u
#define TSO_BYTES     (4u * 65536) /* may go in one burst */

void
weir_hystart_reset(struct weir_hystart *h)
{
	*h = (struct weir_hystart){
		.last_rtt_us = UINT32_MAX,
		.rtt_us = UINT32_MAX,
		.base_rtt_us = UINT32_MAX,
	};
}

static void
begin_round(const struct weir_tcp_conn *c, struct weir_hystart *h)
{
	h->is_begun = true;
	h->round_end = c->snd.max;
	h->last_rtt_us = h->rtt_us;
	h->rtt_us = UINT32_MAX;
	h->samples = 0;
}

/* An ACK of a super-segment counts as the ACKs that its segments would have had. */
static void
take_sample(const struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s)
{
	const uint32_t n = RTE_MAX(s->acked / (2u * c->mss), 1u);

	h->rtt_us = RTE_MIN(h->rtt_us, s->rtt_us);
	h->samples = (uint8_t)RTE_MIN(h->samples + n, (uint32_t)SAMPLES);
}

/* How much longer than this a round trip has to be. */
static uint32_t
threshold(uint32_t rtt_us)
{
	return RTE_MIN(RTE_MAX(rtt_us / RTT_DIVISOR, RTT_THRESH_MIN_US), RTT_THRESH_MAX_US);
}

/* Has the path become slower by this round? */
static bool
is_longer(const struct weir_hystart *h)
{
	return h->samples >= SAMPLES && h->last_rtt_us != UINT32_MAX &&
	       h->rtt_us >= h->last_rtt_us + threshold(h->last_rtt_us);
}

static void
judge(struct weir_hystart *h)
{
	if (!h->is_conservative) {
		if (!is_longer(h))
			return;
		h->is_conservative = true;
		h->base_rtt_us = h->rtt_us;
		h->rounds = 0;
	} else if (h->samples >= SAMPLES && h->rtt_us < h->base_rtt_us) {
		h->is_conservative = false; /* it was noise */
		h->base_rtt_us = UINT32_MAX;
	}
}

uint32_t
weir_hystart_acked(struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s)
{
	if (!h->is_begun)
		begin_round(c, h);
	if (s->rtt_us != 0) {
		take_sample(c, h, s);
		judge(h);
	}
	if (weir_seq_geq(c->snd.una, h->round_end)) {
		if (h->is_conservative && ++h->rounds >= CSS_ROUNDS)
			c->cc.ssthresh = c->cc.cwnd;
		begin_round(c, h);
	}
	return h->is_conservative ? s->acked / CSS_DIVISOR : s->acked;
}

/* ACKs have come closely for as long as a full path takes to give them. */
static bool
is_train(const struct weir_tcp_conn *c, struct weir_hystart *h, uint64_t now_us)
{
	const uint64_t bps = weir_tcp_pace_bps(c);
	const uint64_t burst_us = bps == 0 ? 0 : TSO_BYTES * UINT64_C(1000000) / bps;
	uint64_t limit_us = h->base_rtt_us + RTE_MIN(burst_us, (uint64_t)BURST_US_MAX);

	if (now_us - h->train_us > TRAIN_GAP_US)
		return false;
	h->train_us = now_us;
	if (!c->is_paced) /* else departures alone are spread over half of a round trip */
		limit_us /= 2;
	return now_us - h->begun_us > limit_us;
}

/* The first samples of a round are only looked at for the shortest. */
static bool
is_delayed(struct weir_hystart *h, uint32_t rtt_us)
{
	h->rtt_us = RTE_MIN(h->rtt_us, rtt_us);
	if (h->samples < SAMPLES) {
		h->samples++;
		return false;
	}
	return h->rtt_us > h->base_rtt_us + threshold(h->base_rtt_us);
}

void
weir_hystart_watch(struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s)
{
	bool is_full;

	h->base_rtt_us = RTE_MIN(h->base_rtt_us, s->rtt_us);
	if (!h->is_begun || weir_seq_gt(c->snd.una, h->round_end)) {
		begin_round(c, h);
		h->begun_us = h->train_us = s->now_us;
	}
	if (c->cc.cwnd < CWND_SEGS_MIN * c->mss)
		return;
	is_full = is_train(c, h, s->now_us);
	if (is_delayed(h, s->rtt_us) || is_full)
		c->cc.ssthresh = c->cc.cwnd;
}
