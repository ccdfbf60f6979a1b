/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> cc_bbr -> tcp_pace. draft-ietf-ccwg-bbr 5.3, 5.6. */
#include "cc_bbr.h"

#define PROBE_RTT_US	 200000u
#define PROBE_WAIT_US	 2000000u /* and up to a second more, by chance */
#define PROBE_ROUNDS_MAX 63	  /* RFC 5681 peers of a small path need no longer */
#define LOSS_EVENTS	 6	  /* in a round of startup: the pipe is more than full */
#define PACING_PART	 990	  /* a little below the bandwidth: queues drain */

static const struct {
	uint16_t pacing; /* thousandths */
	uint16_t cwnd;
} gains[] = {
	[BBR_STARTUP] = {2770, 2000},
	[BBR_DRAIN] = {500, 2000},
	[BBR_DOWN] = {900, 2000},
	[BBR_CRUISE] = {1000, 2000},
	[BBR_REFILL] = {1000, 2000},
	[BBR_UP] = {1250, 2250},
	[BBR_PROBE_RTT] = {1000, 500},
};

/* Phases of ProbeBW (5.3.3) */

static void
start_down(struct weir_tcp *t, struct bbr *b)
{
	bbr_reset_signals(b);
	b->up_cnt = BBR_INF;
	b->rounds_since_probe = (uint8_t)weir_rand_below(&t->core->rand, 2);
	b->probe_wait_us = PROBE_WAIT_US + weir_rand_below(&t->core->rand, 1000001);
	b->phase_at = (uint32_t)t->core->now_us;
	b->acks = BBR_ACKS_STOPPING;
	bbr_start_round(b);
	b->state = BBR_DOWN;
}

static void
start_refill(struct bbr *b)
{
	bbr_reset_lower(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->acks = BBR_ACKS_REFILLING;
	bbr_start_round(b);
	b->state = BBR_REFILL;
}

/* Twice as steep each round. */
static void
raise_slope(const struct weir_tcp_conn *c, struct bbr *b)
{
	const uint32_t segs = 1u << b->up_rounds;

	b->up_rounds = (uint8_t)RTE_MIN(b->up_rounds + 1, 15);
	b->up_cnt = RTE_MAX(c->cc.cwnd / segs, (uint32_t)c->mss);
}

static void
start_up(const struct weir_tcp_conn *c, struct bbr *b, uint32_t bw)
{
	b->acks = BBR_ACKS_STARTING;
	bbr_start_round(b);
	bbr_reset_full_bw(b, bw);
	b->state = BBR_UP;
	raise_slope(c, b);
}

static bool
is_cwnd_limited(const struct weir_tcp_conn *c, const struct weir_tcp_sample *s)
{
	return c->is_cwnd_limited || s->prior_flight + c->mss > c->cc.cwnd;
}

static void
probe_upward(struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	if (!is_cwnd_limited(c, s) || c->cc.cwnd < b->inflight_hi)
		return;
	b->up_acked += s->newly_delivered;
	if (b->up_acked >= b->up_cnt) {
		b->inflight_hi += b->up_acked / b->up_cnt * c->mss;
		b->up_acked %= b->up_cnt;
	}
	if (b->is_round_start)
		raise_slope(c, b);
}

/* 5.5.10.2: the probe lost too much. */
static void
take_down(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t target = RTE_MIN(bbr_bdp(c, b, bbr_max_bw(b), BBR_ONE), c->cc.cwnd);

	b->is_probe_sample = false;
	if (!s->is_app_limited)
		b->inflight_hi = RTE_MAX(s->tx_flight, bbr_part(target, BBR_BETA));
	if (b->state == BBR_UP)
		start_down(t, b);
}

static void
adapt_upper(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	if (b->acks == BBR_ACKS_STARTING && b->is_round_start)
		b->acks = BBR_ACKS_FEEDBACK;
	if (b->acks == BBR_ACKS_STOPPING && b->is_round_start) {
		b->is_probe_sample = false;
		b->acks = BBR_ACKS_INIT;
		if (bbr_is_probing_bw(b) && !s->is_app_limited)
			bbr_advance_bw_filter(b);
	}
	if (bbr_is_too_high(s)) {
		if (b->is_probe_sample)
			take_down(t, c, b, s);
		return;
	}
	if (b->inflight_hi == BBR_INF)
		return;
	b->inflight_hi = RTE_MAX(b->inflight_hi, s->tx_flight);
	if (b->state == BBR_UP)
		probe_upward(c, b, s);
}

static bool
is_time_to_probe(const struct weir_tcp_conn *c, const struct bbr *b, uint64_t now_us)
{
	const uint32_t segs = bbr_bdp(c, b, bbr_bw(b), BBR_ONE) / c->mss;

	return (uint32_t)now_us - b->phase_at > b->probe_wait_us ||
	       b->rounds_since_probe >= RTE_MIN(segs, (uint32_t)PROBE_ROUNDS_MAX);
}

static bool
is_time_to_cruise(
	const struct weir_tcp_conn *c, const struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t flight = bbr_flight(s);

	return flight <= bbr_with_headroom(c, b) && flight <= bbr_bdp(c, b, bbr_max_bw(b), BBR_ONE);
}

static bool
is_time_to_go_down(const struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	if (is_cwnd_limited(c, s) && c->cc.cwnd >= b->inflight_hi) {
		bbr_reset_full_bw(b, bbr_max_bw(b)); /* the bound, not the path, holds us back */
		return false;
	}
	return b->is_full_now;
}

static void
cycle(struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s,
	uint32_t bw)
{
	if (!b->is_full)
		return;
	adapt_upper(t, c, b, s);
	switch (b->state) {
	case BBR_DOWN:
		if (is_time_to_probe(c, b, s->now_us))
			start_refill(b);
		else if (is_time_to_cruise(c, b, s))
			b->state = BBR_CRUISE;
		return;
	case BBR_CRUISE:
		if (is_time_to_probe(c, b, s->now_us))
			start_refill(b);
		return;
	case BBR_REFILL:
		if (b->is_round_start) {
			b->is_probe_sample = true;
			start_up(c, b, bw);
		}
		return;
	case BBR_UP:
		if (is_time_to_go_down(c, b, s))
			start_down(t, b);
		return;
	default:
		return;
	}
}

/* Startup and drain (5.3.1, 5.3.2) */

static void
check_startup(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	if (b->state == BBR_STARTUP && !b->is_full && b->loss_events >= LOSS_EVENTS &&
		bbr_is_too_high(s)) {
		b->is_full = true;
		b->inflight_hi = RTE_MAX(bbr_bdp(c, b, bbr_max_bw(b), BBR_ONE), b->inflight_latest);
	}
	if (b->state == BBR_STARTUP && b->is_full)
		b->state = BBR_DRAIN;
	if (b->state == BBR_DRAIN && bbr_flight(s) <= bbr_bdp(c, b, bbr_max_bw(b), BBR_ONE))
		start_down(t, b);
}

/* ProbeRTT (5.3.4) */

static uint32_t
probe_rtt_cwnd(const struct weir_tcp_conn *c, const struct bbr *b)
{
	return RTE_MAX(bbr_bdp(c, b, bbr_bw(b), gains[BBR_PROBE_RTT].cwnd), bbr_cwnd_min(c));
}

static void
save_cwnd(const struct weir_tcp_conn *c, struct bbr *b)
{
	b->prior_cwnd = b->state == BBR_PROBE_RTT ? RTE_MAX(b->prior_cwnd, c->cc.cwnd) : c->cc.cwnd;
}

static void
leave_probe_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b)
{
	b->probe_min_rtt_at = (uint32_t)t->core->now_us;
	c->cc.cwnd = RTE_MAX(c->cc.cwnd, b->prior_cwnd);
	bbr_reset_lower(b);
	if (!b->is_full) {
		b->state = BBR_STARTUP;
		return;
	}
	start_down(t, b);
	b->state = BBR_CRUISE;
}

static void
probe_rtt(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t now = (uint32_t)s->now_us;

	if (!b->is_rtt_timed) {
		if (bbr_flight(s) > probe_rtt_cwnd(c, b))
			return;
		b->is_rtt_timed = true;
		b->probe_rtt_done_at = now + PROBE_RTT_US;
		b->is_rtt_round_done = false;
		bbr_start_round(b);
		return;
	}
	if (b->is_round_start)
		b->is_rtt_round_done = true;
	if (b->is_rtt_round_done && weir_seq_gt(now, b->probe_rtt_done_at))
		leave_probe_rtt(t, c, b);
}

static void
check_probe_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, struct bbr *b,
	const struct weir_tcp_sample *s, bool is_time)
{
	if (b->state != BBR_PROBE_RTT && is_time && !b->is_idle_restart) {
		save_cwnd(c, b);
		b->state = BBR_PROBE_RTT;
		b->is_rtt_timed = false;
		b->acks = BBR_ACKS_STOPPING;
		bbr_start_round(b);
	}
	if (b->state == BBR_PROBE_RTT)
		probe_rtt(t, c, b, s);
	if (s->delivered > 0)
		b->is_idle_restart = false;
}

/* What follows for sending (5.6) */

static void
set_pacing(struct weir_tcp_conn *c, const struct bbr *b)
{
	const uint64_t rate = (uint64_t)bbr_bw(b) * BBR_BW_UNIT * gains[b->state].pacing / BBR_ONE *
			      PACING_PART / 1000;

	if (rate != 0 && (b->is_full || rate > c->cc.pacing_bps))
		c->cc.pacing_bps = rate;
}

/* 5.6.4.2: room for super-segments on their way in and out, and lumps of ACKs. */
static uint32_t
max_inflight(const struct weir_tcp_conn *c, const struct bbr *b)
{
	const uint32_t quantum = weir_tcp_pace_quantum(c);
	uint32_t bytes = bbr_bdp(c, b, bbr_bw(b), gains[b->state].cwnd);

	bytes += RTE_MAX(b->extra_acked[0], b->extra_acked[1]);
	bytes = RTE_MAX(RTE_MAX(bytes, 3 * quantum), bbr_cwnd_min(c));
	return b->state == BBR_UP ? bytes + 2u * c->mss : bytes;
}

static uint32_t
bound(const struct weir_tcp_conn *c, const struct bbr *b)
{
	uint32_t cap = BBR_INF;

	if (b->state == BBR_CRUISE || b->state == BBR_PROBE_RTT)
		cap = bbr_with_headroom(c, b);
	else if (bbr_is_probing_bw(b))
		cap = b->inflight_hi;
	cap = RTE_MIN(cap, b->inflight_lo);
	if (b->state == BBR_PROBE_RTT)
		cap = RTE_MIN(cap, probe_rtt_cwnd(c, b));
	return RTE_MAX(cap, bbr_cwnd_min(c));
}

static void
set_cwnd(struct weir_tcp_conn *c, const struct bbr *b, const struct weir_tcp_sample *s)
{
	const uint32_t max = max_inflight(c, b);
	uint32_t cwnd = c->cc.cwnd;

	if (b->is_full)
		cwnd = RTE_MIN(cwnd + s->newly_delivered, max);
	else if (cwnd < max || b->min_rtt_us == BBR_INF)
		cwnd += s->newly_delivered;
	c->cc.cwnd = RTE_MIN(RTE_MAX(cwnd, bbr_cwnd_min(c)), bound(c, b));
}

static void
bbr_control(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sample *s)
{
	struct bbr *b = bbr_of(c);
	const uint32_t bw = bbr_learn(c, b, s);

	check_startup(t, c, b, s);
	cycle(t, c, b, s, bw);
	check_probe_rtt(t, c, b, s, bbr_learn_rtt(b, s));
	bbr_learnt(b, s, bw);
	set_pacing(c, b);
	set_cwnd(c, b, s);
}

/* Before there is a sample: what the initial window suggests (5.6.2). */
static void
bbr_init(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct bbr *b = bbr_of(c);
	const uint32_t rtt_us = c->srtt_us != 0 ? c->srtt_us : 1000;

	bbr_model_init(b, t->core->now_us);
	b->state = BBR_STARTUP;
	b->prior_cwnd = c->cc.cwnd;
	c->cc.pacing_bps =
		(uint64_t)c->cc.cwnd * 1000000 / rtt_us * gains[BBR_STARTUP].pacing / BBR_ONE;
}

/* Losses change the model, not the window by themselves. */
static uint32_t
bbr_ssthresh(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	(void)t;
	save_cwnd(c, bbr_of(c));
	return RTE_MAX(c->cc.cwnd, bbr_cwnd_min(c));
}

static void
bbr_event(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_cc_event event)
{
	struct bbr *b = bbr_of(c);

	switch (event) {
	case WEIR_TCP_CC_RESTART:
		b->is_idle_restart = true;
		b->is_extra_begun = false;
		if (bbr_is_probing_bw(b) && bbr_bw(b) != 0)
			c->cc.pacing_bps = (uint64_t)bbr_bw(b) * BBR_BW_UNIT;
		return;
	case WEIR_TCP_CC_TIMEOUT: /* 5.5.10: what we knew may be of another path */
		bbr_reset_full_bw(b, b->bw_full);
		bbr_reset_lower(b);
		return;
	case WEIR_TCP_CC_RECOVERED:
		c->cc.cwnd = RTE_MAX(c->cc.cwnd, b->prior_cwnd);
		return;
	default:
		return;
	}
}

/* 5.5.11.3: the losses were none. */
static void
bbr_undo(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct bbr *b = bbr_of(c);

	(void)t;
	bbr_reset_full_bw(b, 0);
	bbr_reset_lower(b);
	c->cc.cwnd = RTE_MAX(c->cc.cwnd, b->prior_cwnd);
}

/* struct tcp_bbr_info of linux/inet_diag.h, gains in 256th. */
static uint32_t
bbr_info(const struct weir_tcp_conn *c, void *out)
{
	const struct bbr *b = (const struct bbr *)c->act->cc_priv;
	const uint64_t bw = (uint64_t)bbr_bw(b) * BBR_BW_UNIT;
	const uint32_t info[] = {(uint32_t)bw, (uint32_t)(bw >> 32), b->min_rtt_us,
		gains[b->state].pacing * 256 / BBR_ONE, gains[b->state].cwnd * 256 / BBR_ONE};

	memcpy(out, info, sizeof(info));
	return sizeof(info);
}

const struct weir_tcp_cc_ops weir_tcp_cc_bbr = {
	.name = "bbr",
	.init = bbr_init,
	.ssthresh = bbr_ssthresh,
	.control = bbr_control,
	.event = bbr_event,
	.undo = bbr_undo,
	.info = bbr_info,
};
