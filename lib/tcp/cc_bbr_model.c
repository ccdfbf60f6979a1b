/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> cc_bbr -> cc_bbr_model. draft-ietf-ccwg-bbr 5.2, 5.5. */
#include "cc_bbr.h"

#define MIN_RTT_SPAN_US	  10000000u
#define PROBE_RTT_SPAN_US 5000000u
#define FULL_BW_ROUNDS	  3
#define EXTRA_ROUNDS	  5

void
bbr_model_init(struct bbr *b, uint64_t now_us)
{
	*b = (struct bbr){
		.bw_lo = BBR_INF,
		.inflight_hi = BBR_INF,
		.inflight_lo = BBR_INF,
		.min_rtt_us = BBR_INF,
		.min_rtt_at = (uint32_t)now_us,
		.probe_min_rtt_us = BBR_INF,
		.probe_min_rtt_at = (uint32_t)now_us,
	};
}

uint32_t
bbr_max_bw(const struct bbr *b)
{
	return RTE_MAX(b->bw[0], b->bw[1]);
}

uint32_t
bbr_bw(const struct bbr *b)
{
	return RTE_MIN(bbr_max_bw(b), b->bw_lo);
}

uint32_t
bbr_bdp(const struct weir_tcp_conn *c, const struct bbr *b, uint32_t bw, uint32_t gain)
{
	uint64_t bytes;

	if (b->min_rtt_us == BBR_INF || bw == 0)
		return bbr_part(10u * c->mss, gain);
	bytes = (uint64_t)bw * b->min_rtt_us / 1000000 * BBR_BW_UNIT;
	return (uint32_t)RTE_MIN(bytes * gain / BBR_ONE, UINT64_C(0x7fffffff));
}

uint32_t
bbr_with_headroom(const struct weir_tcp_conn *c, const struct bbr *b)
{
	uint32_t room;

	if (b->inflight_hi == BBR_INF)
		return BBR_INF;
	room = RTE_MAX((uint32_t)c->mss, bbr_part(b->inflight_hi, BBR_HEADROOM));
	return RTE_MAX(b->inflight_hi - RTE_MIN(room, b->inflight_hi), bbr_cwnd_min(c));
}

void
bbr_start_round(struct bbr *b)
{
	b->round_end = b->delivered;
}

void
bbr_reset_full_bw(struct bbr *b, uint32_t bw)
{
	b->bw_full = bw;
	b->full_count = 0;
	b->is_full_now = false;
}

void
bbr_reset_signals(struct bbr *b)
{
	b->is_loss_in_round = false;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

void
bbr_reset_lower(struct bbr *b)
{
	b->bw_lo = BBR_INF;
	b->inflight_lo = BBR_INF;
}

void
bbr_advance_bw_filter(struct bbr *b)
{
	if (b->bw[0] == 0)
		return;
	b->bw[1] = b->bw[0];
	b->bw[0] = 0;
}

bool
bbr_is_too_high(const struct weir_tcp_sample *s)
{
	return s->lost > bbr_part(s->tx_flight, BBR_LOSS_MAX);
}

static uint32_t
bw_of(const struct weir_tcp_sample *s)
{
	if (s->delivered == 0 || s->interval_us == 0)
		return 0;
	return (uint32_t)RTE_MIN((uint64_t)s->delivered * 1000000 / s->interval_us / BBR_BW_UNIT,
		(uint64_t)BBR_INF - 1);
}

static void
update_rounds(struct bbr *b, const struct weir_tcp_sample *s)
{
	b->is_round_start = false;
	b->is_loss_round_start = false;
	if (s->delivered == 0) {
		b->delivered += s->newly_delivered;
		return;
	}
	b->delivered = s->prior_delivered + s->delivered;
	if (weir_seq_geq(s->prior_delivered, b->round_end)) {
		bbr_start_round(b);
		b->is_round_start = true;
		b->rounds_since_probe = (uint8_t)RTE_MIN(b->rounds_since_probe + 1, UINT8_MAX);
	}
	if (weir_seq_geq(s->prior_delivered, b->loss_round_end)) {
		b->loss_round_end = b->delivered;
		b->is_loss_round_start = true;
	}
}

/* 5.5.10.3: while not probing, a round with losses takes the short-term bounds down. */
static void
adapt_lower(const struct weir_tcp_conn *c, struct bbr *b)
{
	if (!b->is_loss_round_start)
		return;
	if (b->is_loss_in_round && b->state != BBR_STARTUP && b->state != BBR_REFILL &&
		b->state != BBR_UP) {
		if (b->bw_lo == BBR_INF)
			b->bw_lo = bbr_max_bw(b);
		if (b->inflight_lo == BBR_INF)
			b->inflight_lo = c->cc.cwnd;
		b->bw_lo = RTE_MAX(b->bw_latest, bbr_part(b->bw_lo, BBR_BETA));
		b->inflight_lo = RTE_MAX(b->inflight_latest, bbr_part(b->inflight_lo, BBR_BETA));
	}
	b->is_loss_in_round = false;
}

/* 5.5.9: ACKs that come in lumps need more in flight than the bandwidth alone says. */
static void
learn_aggregation(const struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t now = (uint32_t)s->now_us;
	uint64_t expected = (uint64_t)bbr_bw(b) * (now - b->extra_at) / 1000000 * BBR_BW_UNIT;

	if (!b->is_extra_begun || b->extra_delivered <= expected) {
		b->is_extra_begun = true;
		b->extra_delivered = 0;
		b->extra_at = now;
		expected = 0;
	}
	b->extra_delivered += s->newly_delivered;
	if (b->is_round_start && ++b->extra_rounds >= EXTRA_ROUNDS) {
		b->extra_rounds = 0;
		b->extra_acked[1] = b->extra_acked[0];
		b->extra_acked[0] = 0;
	}
	b->extra_acked[0] = RTE_MAX(b->extra_acked[0],
		(uint32_t)RTE_MIN(b->extra_delivered - expected, (uint64_t)c->cc.cwnd));
}

/* 5.3.1.2: three rounds without growth show that the pipe is full. */
static void
check_full_bw(struct bbr *b, const struct weir_tcp_sample *s, uint32_t bw)
{
	if (b->is_full_now || !b->is_round_start || s->is_app_limited)
		return;
	if (bw >= bbr_part(b->bw_full, BBR_FULL_BW)) {
		bbr_reset_full_bw(b, bw);
		return;
	}
	b->full_count++;
	b->is_full_now = b->full_count >= FULL_BW_ROUNDS;
	if (b->is_full_now)
		b->is_full = true;
}

uint32_t
bbr_learn(struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t bw = bw_of(s);

	update_rounds(b, s);
	b->bw_latest = RTE_MAX(b->bw_latest, bw);
	b->inflight_latest = RTE_MAX(b->inflight_latest, s->delivered);
	if (bw != 0 && (bw >= bbr_max_bw(b) || !s->is_app_limited))
		b->bw[0] = RTE_MAX(b->bw[0], bw);
	if (b->is_round_start)
		b->loss_events = 0;
	if (s->newly_lost > 0) {
		b->is_loss_in_round = true;
		b->loss_events = (uint8_t)RTE_MIN(b->loss_events + 1, UINT8_MAX);
	}
	adapt_lower(c, b);
	learn_aggregation(c, b, s);
	if (bw != 0)
		check_full_bw(b, s, bw);
	return bw;
}

void
bbr_learnt(struct bbr *b, const struct weir_tcp_sample *s, uint32_t bw)
{
	if (!b->is_loss_round_start)
		return;
	b->bw_latest = bw;
	b->inflight_latest = s->delivered;
}

/* 5.3.4.3 */
bool
bbr_learn_rtt(struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t now = (uint32_t)s->now_us;
	const bool is_old = now - b->probe_min_rtt_at > PROBE_RTT_SPAN_US;

	if (s->rtt_us != 0 && (s->rtt_us < b->probe_min_rtt_us || is_old)) {
		b->probe_min_rtt_us = s->rtt_us;
		b->probe_min_rtt_at = now;
	}
	if (b->probe_min_rtt_us < b->min_rtt_us || now - b->min_rtt_at > MIN_RTT_SPAN_US) {
		b->min_rtt_us = b->probe_min_rtt_us;
		b->min_rtt_at = b->probe_min_rtt_at;
	}
	return is_old;
}
