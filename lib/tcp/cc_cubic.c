/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_ack, tcp_timer -> cc_cubic. RFC 9438, in bytes and milliseconds, by integers.
 * W_cubic(t) = C (t - K)^3 + W_max segments, C = 0.4, t in seconds, beta = 0.7.
 */
#include "cc_hystart.h"
#include "tcp_priv.h"

#define SETTLE_US   UINT64_C(1000000) /* after a congestion event round trips say little */
#define SPAN_MS_MAX 300000 /* |t - K| beyond this adds nothing that a window could hold */

/* What a congestion event changes, and its undoing restores. */
struct cubic_curve {
	uint64_t epoch_us;  /* when this congestion avoidance began; 0: it has not yet */
	uint32_t w_max;	    /* 0: nothing known of the path */
	uint32_t prior;	    /* cwnd before the last reduction (cwnd_prior) */
	uint32_t origin;    /* where the curve is flat: w_max, or cwnd when that was more */
	uint32_t k_ms;	    /* and when, after epoch_us */
	uint32_t w_est;	    /* what Reno would have */
	uint32_t est_acked; /* bytes acknowledged, not yet in w_est */
};

struct cubic {
	struct cubic_curve now;
	struct cubic_curve before;
	uint64_t used_us; /* the window was in use last */
	struct weir_hystart hystart;
};

static_assert(sizeof(struct cubic) <= WEIR_TCP_CC_PRIV, "fits");

/* The largest n with n^3 <= v. */
static uint32_t
cube_root(uint64_t v)
{
	uint64_t n = 0;

	for (uint64_t bit = UINT64_C(1) << 20; bit != 0; bit >>= 1) {
		if ((n | bit) * (n | bit) * (n | bit) <= v)
			n |= bit;
	}
	return (uint32_t)n;
}

/* C * (span ms)^3 segments, in bytes. */
static uint64_t
cubed(uint64_t span_ms, uint32_t mss)
{
	const uint64_t s = RTE_MIN(span_ms, (uint64_t)SPAN_MS_MAX);

	return s * s * s / 1000 * mss * 4 / 10 / 1000000;
}

/* RFC 9438 4.2: the point of the curve for at_us. */
static uint64_t
w_cubic(const struct cubic_curve *q, uint64_t at_us, uint32_t mss)
{
	const uint64_t t_ms = (at_us - q->epoch_us) / 1000;

	if (t_ms < q->k_ms) {
		const uint64_t below = cubed(q->k_ms - t_ms, mss);

		return below < q->origin ? q->origin - below : 0;
	}
	return q->origin + cubed(t_ms - q->k_ms, mss);
}

static void
begin_epoch(struct cubic_curve *q, const struct weir_tcp_conn *c, uint64_t now_us)
{
	const uint32_t cwnd = c->cc.cwnd;

	q->epoch_us = now_us;
	q->origin = RTE_MAX(q->w_max, cwnd);
	q->k_ms = cube_root((q->origin - cwnd) * UINT64_C(2500000000) / c->mss);
	q->w_est = cwnd;
	q->est_acked = 0;
}

/* RFC 9438 4.3: as fast as Reno with beta = 0.7 would be; alpha = 3 (1 - beta) / (1 + beta). */
static void
grow_estimate(struct cubic_curve *q, const struct weir_tcp_conn *c, uint32_t acked)
{
	const uint64_t cwnd = c->cc.cwnd;
	const uint64_t per_mss = q->w_est < q->prior ? cwnd * 17 / 9 : cwnd;
	uint64_t n;

	q->est_acked += acked;
	n = q->est_acked / per_mss;
	q->est_acked -= (uint32_t)(n * per_mss);
	q->w_est += (uint32_t)n * c->mss;
}

/* Time in which the window was not in use does not count (RFC 9438 4.2, 5.8). */
static void
skip_idle(struct cubic *q, const struct weir_tcp_conn *c, uint64_t now_us)
{
	const uint64_t gap_us = now_us - q->used_us;

	if (q->now.epoch_us != 0 && gap_us > 2 * (uint64_t)c->srtt_us)
		q->now.epoch_us += gap_us - c->srtt_us;
}

/*
 * RFC 9438 4.4, 4.5: towards the curve a round trip ahead, no faster than by half a window. Where
 * slow start ended early and no loss has told what the path takes, Linux grows by 5 % at least.
 */
static void
avoid(struct cubic *q, struct weir_tcp_conn *c, uint64_t now_us, uint32_t acked, uint32_t way)
{
	const bool is_blind = way == WEIR_TCP_HYSTART_LINUX && q->now.w_max == 0;
	struct weir_tcp_cc *cc = &c->cc;
	uint64_t target;

	if (q->now.epoch_us == 0)
		begin_epoch(&q->now, c, now_us);
	grow_estimate(&q->now, c, acked);
	if (w_cubic(&q->now, now_us, c->mss) < q->now.w_est) {
		cc->cwnd = RTE_MAX(cc->cwnd, q->now.w_est);
		if (!is_blind)
			return;
	}
	target = RTE_MIN(
		w_cubic(&q->now, now_us + c->srtt_us, c->mss), (uint64_t)cc->cwnd + cc->cwnd / 2);
	if (is_blind)
		target = RTE_MAX(target, (uint64_t)cc->cwnd + cc->cwnd / 20);
	if (target > cc->cwnd) {
		const uint64_t grown = (target - cc->cwnd) * acked + cc->bytes_acked;

		cc->bytes_acked = (uint32_t)(grown % cc->cwnd);
		cc->cwnd = (uint32_t)RTE_MIN(grown / cc->cwnd + cc->cwnd, target);
	}
}

/* HyStart++ watches the first slow start; those after a time-out have a goal. */
static uint32_t
slow_start(struct cubic *q, struct weir_tcp_conn *c, const struct weir_tcp_sample *s, uint32_t way)
{
	struct weir_tcp_cc *cc = &c->cc;
	uint32_t n;

	if (way == WEIR_TCP_HYSTART_PP && cc->ssthresh == UINT32_MAX) {
		cc->cwnd += weir_hystart_acked(c, &q->hystart, s);
		return 0;
	}
	if (way == WEIR_TCP_HYSTART_LINUX && s->rtt_us != 0 &&
		(q->now.epoch_us == 0 || s->now_us - q->now.epoch_us >= SETTLE_US))
		weir_hystart_watch(c, &q->hystart, s);
	n = RTE_MIN(s->acked, cc->ssthresh - cc->cwnd);
	cc->cwnd += n;
	return s->acked - n;
}

static void
cubic_acked(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sample *s)
{
	struct cubic *q = weir_tcp_cc_priv(c);
	const uint32_t way = t->conf.hystart;
	uint32_t acked = s->acked;

	skip_idle(q, c, s->now_us);
	q->used_us = s->now_us;
	if (c->cc.cwnd < c->cc.ssthresh)
		acked = slow_start(q, c, s, way);
	if (acked > 0)
		avoid(q, c, s->now_us, acked, way);
}

static void
cubic_init(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct cubic *q = weir_tcp_cc_priv(c);

	*q = (struct cubic){.used_us = t->core->now_us};
	weir_hystart_reset(&q->hystart);
	c->cc.bytes_acked = 0;
}

/* RFC 9438 4.6 by cwnd, as Linux; 4.7: who had less than before makes room for others. */
static uint32_t
cubic_ssthresh(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct cubic *q = weir_tcp_cc_priv(c);
	const uint32_t cwnd = c->cc.cwnd;

	(void)t;
	q->before = q->now;
	q->now.w_max = cwnd < q->now.w_max ? (uint32_t)(cwnd * UINT64_C(17) / 20) : cwnd;
	q->now.prior = cwnd;
	q->now.epoch_us = 0;
	c->cc.bytes_acked = 0;
	return RTE_MAX((uint32_t)(cwnd * UINT64_C(7) / 10), 2u * c->mss);
}

/* RFC 9438 4.8: after a time-out the curve begins flat, at K = 0. */
static void
cubic_event(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_cc_event event)
{
	struct cubic *q = weir_tcp_cc_priv(c);

	(void)t;
	if (event != WEIR_TCP_CC_TIMEOUT)
		return;
	q->now.w_max = 0;
	weir_hystart_reset(&q->hystart);
}

/* RFC 9438 4.9 */
static void
cubic_undo(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct cubic *q = weir_tcp_cc_priv(c);

	(void)t;
	q->now = q->before;
}

const struct weir_tcp_cc_ops weir_tcp_cc_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.acked = cubic_acked,
	.ssthresh = cubic_ssthresh,
	.event = cubic_event,
	.undo = cubic_undo,
};
