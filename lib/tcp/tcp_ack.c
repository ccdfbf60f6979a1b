/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_sync, tcp_fast -> tcp_ack -> tcp_output */
#include "tcp_priv.h"

#define DUP_ACKS_MAX 3 /* RFC 5681 3.2: as many make a loss */

/* RFC 6298 2.3, but the variance term, not the whole, is at least the minimum, as in Linux. */
static void
set_rto(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->rto_us = RTE_MIN(
		c->srtt_us + RTE_MAX(4 * c->rttvar_us, t->conf.rto_min_us), t->conf.rto_max_us);
}

/* RFC 4861 7.3.1: forward progress. Once a second is often enough. */
static void
confirm_neighbour(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t now_ms = (uint32_t)(t->core->now_us / 1000);

	if (now_ms - c->confirm_ms < 1000 || !weir_dst_is_fresh(t->ip, &c->dst))
		return;
	c->confirm_ms = now_ms;
	weir_neigh_confirm(c->dst.ifc, &c->dst.next_hop);
}

void
weir_tcp_rtt_sample(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us)
{
	const uint32_t rtt = RTE_MAX(rtt_us, 1u);
	uint32_t delta;

	if (c->srtt_us == 0) {
		c->srtt_us = rtt;
		c->rttvar_us = rtt / 2;
	} else {
		delta = rtt > c->srtt_us ? rtt - c->srtt_us : c->srtt_us - rtt;
		c->rttvar_us = c->rttvar_us - c->rttvar_us / 4 + delta / 4;
		c->srtt_us = RTE_MAX(c->srtt_us - c->srtt_us / 8 + rtt / 8, 1u);
	}
	set_rto(t, c);
	confirm_neighbour(t, c);
}

/*
 * Data was sent again at rtt_start_us. An echo from then on measures the path (RFC 7323 4). An
 * older one tells that the first transmission arrived and only its ACK was lost (RFC 3522): how
 * long that took is no round-trip time, but there is no reason to back off any more.
 */
static void
measure_echo(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t ts_ecr)
{
	const uint32_t rtt_ms = weir_tcp_ts_now(t, c) - ts_ecr;
	const uint64_t since_us = t->core->now_us - c->rtt_start_us;

	if (rtt_ms <= since_us / 1000 + 1)
		weir_tcp_rtt_sample(t, c, rtt_ms * 1000);
	else if (c->srtt_us != 0)
		set_rto(t, c);
}

/* One segment is timed at a time; timestamps serve where it was sent again (Karn, RFC 6298 3). */
static void
measure(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	if (c->is_timing) {
		if (weir_seq_leq(seg->ack, c->rtt_seq))
			return;
		c->is_timing = false;
		weir_tcp_rtt_sample(t, c, (uint32_t)(t->core->now_us - c->rtt_start_us));
	} else if (c->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && seg->ts_ecr != 0) {
		measure_echo(t, c, seg->ts_ecr);
	}
}

uint32_t
weir_tcp_initial_cwnd(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t segs = t->conf.initial_window;

	return RTE_MIN(segs * c->mss, RTE_MAX(2u * c->mss, segs * 1460)); /* RFC 6928 2 */
}

/* RFC 5681 2, with a window that did not move. */
static bool
is_duplicate(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	return seg->ack == c->snd.una && weir_tcp_is_in_flight(c) && seg->len == 0 &&
	       !(seg->flags & (WEIR_TCP_SYN | WEIR_TCP_FIN)) &&
	       (uint32_t)seg->wnd << c->snd.wscale == c->snd.wnd;
}

/* RFC 6582 3.2, step 2: enter fast recovery; step 3 is in tcp_output. */
static void
enter_recovery(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->cc.ssthresh = c->cc.ops->ssthresh(t, c);
	c->cc.cwnd = c->cc.ssthresh + DUP_ACKS_MAX * c->mss;
	c->recover = c->snd.max;
	c->is_recovery = true;
	c->is_partial_acked = false;
	c->is_rexmit_due = true;
	t->stats.fast_rexmit++;
}

static void
take_duplicate(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	t->stats.dup_acks++;
	if (c->snd.dup_acks < UINT8_MAX)
		c->snd.dup_acks++;
	if (c->is_recovery)
		c->cc.cwnd += c->mss; /* a segment has left the network */
	else if (c->snd.dup_acks == DUP_ACKS_MAX && weir_seq_gt(c->snd.una, c->recover))
		enter_recovery(t, c);
	weir_tcp_want_output(t, c); /* the first two: limited transmit (RFC 3042) */
}

/* RFC 6582 3.2, step 3: new data acknowledged in recovery. */
static void
recovery_acked(struct weir_tcp_conn *c, uint32_t acked)
{
	struct weir_tcp_cc *cc = &c->cc;
	const uint32_t flight = c->snd.max - c->snd.una;

	if (weir_seq_geq(c->snd.una, c->recover)) { /* full: deflate, without a burst */
		cc->cwnd = RTE_MIN(cc->ssthresh, RTE_MAX(flight, c->mss) + c->mss);
		c->is_recovery = false;
		c->snd.dup_acks = 0;
		return;
	}
	c->is_rexmit_due = true; /* partial: the next hole */
	cc->cwnd = cc->cwnd > acked ? cc->cwnd - acked : 0;
	if (acked >= c->mss || cc->cwnd < c->mss)
		cc->cwnd += c->mss;
}

/* A window that is not in use does not grow (RFC 7661 in its simplest form). */
static void
grow_window(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t acked)
{
	const struct weir_tcp_cc *cc = &c->cc;
	const struct weir_tcp_sample s = {.now_us = t->core->now_us, .acked = acked};

	if (cc->ops->acked == NULL)
		return;
	if (c->is_cwnd_limited || (cc->cwnd < cc->ssthresh && cc->cwnd < 2 * cc->flight))
		cc->ops->acked(t, c, &s);
}

/* RFC 6298 5.2, 5.3; RFC 6582 4: only the first partial ACK restarts it. */
static void
restart_timer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!weir_tcp_is_in_flight(c)) {
		c->rexmit_at = 0;
		return;
	}
	if (c->is_recovery) {
		if (c->is_partial_acked)
			return;
		c->is_partial_acked = true;
	}
	weir_tcp_timer_set(t, c, &c->rexmit_at, t->core->now_us + c->rto_us);
}

static void
release_acked(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t charge = c->sndq.charge;

	weir_tcp_sndq_release(c, weir_seq_min(c->snd.una, c->snd.end));
	if (c->sndq.charge < charge && c->owner != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_WRITE);
}

void
weir_tcp_ack_new(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t acked = seg->ack - c->snd.una;

	measure(t, c, seg);
	c->snd.una = seg->ack;
	if (weir_seq_lt(c->snd.nxt, c->snd.una))
		c->snd.nxt = c->snd.una;
	c->retries = 0;
	c->retrans_since_us = 0;
	c->is_persist = false;
	c->is_more = false; /* MSG_MORE holds data back until the peer's next news, as on Linux */
	release_acked(t, c);
	if (c->is_recovery) {
		recovery_acked(c, acked);
	} else {
		c->snd.dup_acks = 0;
		grow_window(t, c, acked);
	}
	restart_timer(t, c);
	if (weir_tcp_has_unsent(c) || c->is_rexmit_due)
		weir_tcp_want_output(t, c);
}

/* RFC 9293 3.10.7.4, fifth: news of the window, not from an older segment. */
static void
update_window(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t wnd = (uint32_t)seg->wnd << c->snd.wscale;

	if (!weir_seq_lt(c->snd.wl1, seg->seq) &&
		!(c->snd.wl1 == seg->seq && weir_seq_leq(c->snd.wl2, seg->ack)))
		return;
	c->snd.wl1 = seg->seq;
	c->snd.wl2 = seg->ack;
	if (wnd == c->snd.wnd)
		return;
	c->snd.wnd = wnd;
	c->wnd_max = RTE_MAX(c->wnd_max, wnd);
	if (c->is_persist && wnd > 0) {
		c->is_persist = false;
		c->rexmit_at = 0;
		c->retrans_since_us = 0;
	}
	weir_tcp_want_output(t, c);
}

enum weir_tcp_verdict
weir_tcp_ack_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;
	const bool is_dup = is_duplicate(c, seg);

	if (weir_seq_gt(seg->ack, c->snd.max) ||
		weir_seq_lt(seg->ack, c->snd.una - c->wnd_max)) { /* RFC 5961 5.2 */
		weir_tcp_challenge(t, c);
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_ack);
	}
	if (weir_seq_lt(seg->ack, c->snd.una))
		return SEG_GOES_ON;
	if (c->is_persist)
		c->retries = 0; /* the probes are answered: persist for ever (RFC 9293 3.8.6.1) */
	update_window(t, c, seg);
	if (is_dup)
		take_duplicate(t, c);
	else if (seg->ack != c->snd.una)
		weir_tcp_ack_new(t, c, seg);
	if (c->has_ecn)
		weir_tcp_ecn_ack(t, c, seg);
	return SEG_GOES_ON;
}
