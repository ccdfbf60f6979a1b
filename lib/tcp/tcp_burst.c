/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_output -> tcp_burst. How much goes next: what the windows allow, what Nagle's rule
 * holds back, and in bursts of which size, as Linux has them.
 */
#include "tcp_output_priv.h"

#define RTT_SHIFT   9	 /* of the least round trip: halve the burst for each half millisecond */
#define DEFER_US    1000 /* wait for a larger burst only if one went so recently */
#define DEFER_SHARE 3	 /* but not when so large a share of the window may go */
#define BURST_SEGS  2	 /* the least */

bool
weir_tcp_is_cut_by_port(const struct weir_tcp_conn *c, uint32_t mss)
{
	return (c->dst.ifc->caps & WEIR_PORT_TX_TSO) && !c->dst.is_local && mss == c->mss &&
	       !c->has_auth; /* each segment has a signature of its own */
}

/* What goes in a millisecond, and more on a short path, where a larger burst harms less. */
static uint32_t
burst_len(const struct weir_tcp_conn *c)
{
	const uint32_t shift = c->act->min_rtt_us >> RTT_SHIFT;
	const uint32_t extra = shift < 17 ? (WEIR_TCP_TSO_MAX + 136) >> shift : 0;
	uint64_t bps;

	if (extra >= WEIR_TCP_TSO_MAX || (bps = weir_tcp_pace_bps(c)) == 0)
		return WEIR_TCP_TSO_MAX;
	return (uint32_t)RTE_MIN((bps >> WEIR_TCP_BURST_SHIFT) + extra, WEIR_TCP_TSO_MAX);
}

uint32_t
weir_tcp_burst_segs(const struct weir_tcp_conn *c, uint32_t mss)
{
	const bool is_cut_by_port = weir_tcp_is_cut_by_port(c, mss);
	uint32_t segs;

	if (is_cut_by_port ? c->is_ecn_cwr /* CWR belongs on one segment */ : c->is_paced)
		return 1;
	if (c->is_paced)
		return weir_tcp_pace_quantum(c) / mss;
	segs = RTE_MAX(burst_len(c) / mss, (uint32_t)BURST_SEGS);
	return is_cut_by_port ? segs : RTE_MIN(segs, (uint32_t)WEIR_TCP_ROOM_MIN);
}

bool
weir_tcp_may_send_fin(const struct weir_tcp_conn *c, uint32_t len)
{
	return c->is_fin_queued && c->snd.nxt + len == c->snd.end &&
	       weir_seq_lt(c->snd.end, c->snd.una + c->snd.wnd);
}

uint32_t
weir_tcp_forced_len(const struct weir_tcp_conn *c, uint32_t mss)
{
	const uint32_t unsent = RTE_MIN(weir_tcp_seq_span(c->snd.end, c->snd.nxt), mss);

	return RTE_MIN(unsent, weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt));
}

/* Is a segment of less than the full size held back? Nagle with Minshall's variant, and cork. */
static bool
is_held_back(const struct weir_tcp_conn *c)
{
	const uint32_t sml = c->act->sml;

	if (c->is_fin_queued || c->is_urgent || c->act->is_new_first)
		return false; /* nothing will be added to it, or it must not wait */
	if (c->opts.is_cork || c->is_more)
		return true;
	return !c->opts.is_nodelay && weir_seq_gt(sml, c->snd.una) && weir_seq_leq(sml, c->snd.nxt);
}

/* Nobody waits for an ACK that comes late: half a round trip, or a millisecond. */
static bool
is_ack_near(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const struct weir_tcp_sent *head = weir_tcp_sent_at(t, c->act->head);

	return head != NULL &&
	       head->sent_us + c->srtt_us <=
		       t->core->now_us + RTE_MIN(c->srtt_us / 2, (uint32_t)DEFER_US);
}

/* Would waiting for the next ACK make a better burst? */
static bool
is_deferrable(const struct weir_tcp *t, const struct weir_tcp_conn *c, struct weir_tcp_pass *pass,
	uint32_t unsent, uint32_t wnd)
{
	const uint32_t cwnd = weir_tcp_quota(c) * c->mss;
	const uint32_t limit = RTE_MIN(wnd, cwnd);
	const uint32_t share = RTE_MIN(c->snd.wnd, c->cc.cwnd) / DEFER_SHARE;

	if (limit >= pass->segs_max * c->mss || limit >= share || c->ca >= WEIR_TCP_CA_RECOVERY ||
		t->core->now_us - c->sent_us > DEFER_US || !is_ack_near(t, c) ||
		(c->is_fin_queued && limit > unsent))
		return false;
	pass->is_cwnd_limited = cwnd < wnd && cwnd <= unsent;
	pass->is_rwnd_limited = cwnd >= wnd && wnd <= unsent;
	return true;
}

/* Segments that the congestion window lets out at once: at least two bursts fill it. */
static uint32_t
quota(const struct weir_tcp_conn *c)
{
	return RTE_MIN(weir_tcp_quota(c), RTE_MAX(c->cc.cwnd / c->mss / 2, 1u));
}

/* Of all that waits, what belongs to one record. */
static uint32_t
in_record(struct weir_tcp_conn *c, uint32_t all)
{
	return unlikely(c->has_eor) ? weir_tcp_sndq_record(c, c->snd.nxt, all) : all;
}

/* Up to a whole segment. When the peer's window is too small for it, half of the largest window it
 * ever had must do, with nothing under way (RFC 9293 3.8.6.2.1). */
static uint32_t
one_segment(const struct weir_tcp_conn *c, uint32_t len, uint32_t wnd, bool is_whole)
{
	if (len > wnd)
		return !weir_tcp_is_in_flight(c) && wnd >= c->wnd_max / 2 ? wnd : 0;
	return is_whole || !is_held_back(c) ? len : 0;
}

uint32_t
weir_tcp_next_len(const struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_pass *pass)
{
	const uint32_t mss = pass->mss;
	const uint32_t all = weir_tcp_seq_span(c->snd.end, c->snd.nxt);
	const uint32_t unsent = in_record(c, all);
	const uint32_t wnd = weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt);
	const uint32_t len = RTE_MIN(unsent, wnd);
	uint32_t max;

	if (!weir_tcp_has_quota(c))
		return 0;
	if (unsent <= mss || wnd < mss) {
		pass->is_rwnd_limited = RTE_MIN(unsent, mss) > wnd;
		return one_segment(c, RTE_MIN(unsent, mss), wnd, unsent >= mss || unsent != all);
	}
	if (unlikely(is_deferrable(t, c, pass, unsent, wnd)))
		return 0;
	max = RTE_MIN(quota(c), pass->segs_max) * mss;
	if (max <= len)
		return max;
	return len % mss == 0 || len != all || !is_held_back(c) ? len : len - len % mss;
}
