/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_output -> tcp_pace; worker/timers -> tcp_timer -> (flush) tcp_output. Spread what the
 * window allows over time: each burst has its departure time, and the next waits for it.
 */
#include "tcp_priv.h"

#define BURST_SEGS 2	  /* but no less */
#define FREE_SEGS  10	  /* the first of a connection go at once, as Linux does it */
#define SLACK_NS   128000 /* timers are as late as two ticks of the wheel: made up for */

void
weir_tcp_pace_choose(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->is_paced =
		t->conf.use_pacing || c->opts.max_pacing_bps != 0 || c->cc.ops->control != NULL;
}

/* The window in a round trip; twice that while it doubles, 1.2 times to let it grow (as Linux). */
static uint64_t
rate_by_window(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_cc *cc = &c->cc;
	const unsigned int percent = cc->cwnd < cc->ssthresh / 2 ? 200 : 120;
	const uint64_t window = RTE_MAX(cc->cwnd, c->act->out_segs * c->mss);

	return c->srtt_us == 0 ? 0 : window * 10000 * percent / c->srtt_us;
}

uint64_t
weir_tcp_pace_bps(const struct weir_tcp_conn *c)
{
	const uint64_t bps = c->cc.ops->control != NULL ? c->cc.pacing_bps : rate_by_window(c);
	const uint64_t max = c->opts.max_pacing_bps;

	if (max == 0)
		return bps;
	return bps == 0 ? max : RTE_MIN(bps, max);
}

uint32_t
weir_tcp_pace_quantum(const struct weir_tcp_conn *c)
{
	const uint64_t bytes =
		RTE_MIN(weir_tcp_pace_bps(c) >> WEIR_TCP_BURST_SHIFT, WEIR_TCP_TSO_MAX);

	return RTE_MAX((uint32_t)bytes - (uint32_t)bytes % c->mss, BURST_SEGS * (uint32_t)c->mss);
}

bool
weir_tcp_pace_waits(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->cc.depart_ns <= t->core->now_us * 1000)
		return false;
	weir_tcp_timer_set(t, c, &c->pace_at, (c->cc.depart_ns + 999) / 1000);
	return true;
}

/* A burst that went late does not delay those after it; time without any is not saved up. */
void
weir_tcp_pace_sent(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len)
{
	const uint64_t now_ns = t->core->now_us * 1000;
	const uint64_t bps = weir_tcp_pace_bps(c);
	uint64_t len_ns;

	if (bps == 0 || c->snd.max - c->iss <= FREE_SEGS * (uint32_t)c->mss)
		return;
	len_ns = (uint64_t)len * 1000000000 / bps;
	if (c->cc.depart_ns + RTE_MAX(len_ns, (uint64_t)SLACK_NS) < now_ns)
		c->cc.depart_ns = now_ns;
	c->cc.depart_ns += len_ns;
}
