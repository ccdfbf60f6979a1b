/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input, tcp_usr, tcp_timer -> (flush) tcp_output -> ip_output */
#include "tcp_output_priv.h"

/* What may go */

/* Is a segment of less than the full size held back? Nagle with Minshall's variant, and cork. */
static bool
is_held_back(const struct weir_tcp_conn *c)
{
	const uint32_t sml = c->act->sml;

	if (c->is_fin_queued || c->is_urgent)
		return false; /* nothing will be added to it, or it must not wait */
	if (c->opts.is_cork || c->is_more)
		return true;
	return !c->opts.is_nodelay && weir_seq_gt(sml, c->snd.una) && weir_seq_leq(sml, c->snd.nxt);
}

/*
 * Bytes to send next from snd.nxt, 0: none. Whole segments as long as windows and data allow; less
 * than one (RFC 9293 3.8.6.2.1) when that is all there is and may go, or when nothing is under way
 * and it fills half of the largest window the peer ever had.
 */
static uint32_t
next_len(struct weir_tcp_conn *c, uint32_t mss, uint32_t max)
{
	const uint32_t all = weir_tcp_seq_span(c->snd.end, c->snd.nxt);
	const uint32_t unsent =
		unlikely(c->has_eor) ? weir_tcp_sndq_record(c, c->snd.nxt, all) : all;
	const uint32_t wnd = weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt);
	const uint64_t cwnd = (uint64_t)weir_tcp_quota(c) * mss;
	const uint32_t len = (uint32_t)RTE_MIN(cwnd, RTE_MIN(RTE_MIN(unsent, max), wnd));

	if (len == unsent && (unsent != all || c->act->is_new_first || !is_held_back(c)))
		return len;
	if (len >= mss)
		return len - len % mss;
	if (!weir_tcp_is_in_flight(c) && len == wnd && len >= c->wnd_max / 2)
		return len;
	return 0;
}

/* It was held back for long enough: one segment, however small. */
static uint32_t
forced_len(const struct weir_tcp_conn *c, uint32_t mss)
{
	const uint32_t unsent = RTE_MIN(weir_tcp_seq_span(c->snd.end, c->snd.nxt), mss);

	return RTE_MIN(unsent, weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt));
}

/* May the FIN go with len bytes of text? It needs a place in the peer's window, not in cwnd. */
static bool
may_send_fin(const struct weir_tcp_conn *c, uint32_t len)
{
	return c->is_fin_queued && c->snd.nxt + len == c->snd.end &&
	       weir_seq_lt(c->snd.end, c->snd.una + c->snd.wnd);
}

/* Text and FIN */

/* RFC 9293 3.9.1.2: the last of what is queued, or of a record; unless more was announced. */
static bool
is_pushed(struct weir_tcp_conn *c, uint32_t seq, uint32_t len)
{
	if (seq + len == c->snd.end)
		return !c->is_more;
	return unlikely(c->has_eor) && weir_tcp_sndq_record(c, seq, len + 1) == len;
}

uint32_t
weir_tcp_send_text(
	struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len, bool has_fin)
{
	const unsigned int segs_max = RTE_MAX(c->dst.ifc->port->info.segs_max, 2);
	struct weir_tcp_hdr_info h;
	struct rte_mbuf *m = weir_tcp_new_segment(t, c, &h, WEIR_TCP_ACK);
	uint32_t put = 0;

	if (m == NULL)
		return 0;
	if (len > 0 && (put = weir_tcp_sndq_put(t, c, m, seq, len, segs_max)) == 0) {
		weir_tcp_note_no_mbuf(t, c);
		rte_pktmbuf_free(m);
		return 0;
	}
	has_fin = has_fin && put == len;
	if (put > 0 && is_pushed(c, seq, put))
		h.flags |= WEIR_TCP_PSH;
	if (has_fin)
		h.flags |= WEIR_TCP_FIN;
	h.seq = seq;
	if (unlikely(c->is_urgent))
		weir_tcp_urgent_mark(c, &h);
	if (c->last_ack_sent != c->rcv.nxt && put > 0)
		c->is_interactive = true;
	weir_tcp_send_segment(t, c, m, &h, put > c->mss ? c->mss : 0);
	c->sent_us = t->core->now_us;
	c->act->bytes_sent += put;
	t->stats.tx_bytes += put;
	if (c->is_paced)
		weir_tcp_pace_sent(t, c, put);
	return put + has_fin;
}

/* The first data of a flight starts the timer; a loss probe waits for the latest (RFC 8985 7.2). */
static void
note_new(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t n)
{
	const bool is_first = c->act->out_segs == 0;
	const uint32_t segs = c->act->out_segs;

	weir_tcp_sent_add(t, c, c->snd.nxt, c->snd.nxt + n);
	c->snd.nxt += n;
	c->snd.max = c->snd.nxt;
	if (weir_tcp_in_reduction(c))
		c->act->prr_out += c->act->out_segs - segs;
	if (is_first || c->alarm == WEIR_TCP_ALARM_PROBE)
		weir_tcp_rearm_rto(t, c);
}

/* @return sequence numbers sent; 0: no room, mbuf or record */
static uint32_t
send_new(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len, bool has_fin)
{
	uint32_t sent;

	if (!weir_tcp_has_room(t, c) || !weir_tcp_sent_may_add(t, c))
		return 0;
	sent = weir_tcp_send_text(t, c, c->snd.nxt, len, has_fin);
	if (sent > 0)
		note_new(t, c, sent);
	return sent;
}

bool
weir_tcp_send_probe_text(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t unsent = weir_tcp_seq_span(c->snd.end, c->snd.nxt);
	const uint32_t len = RTE_MIN(unsent, weir_tcp_effective_mss(c));
	const bool has_fin = may_send_fin(c, len);

	if ((len == 0 && !has_fin) || weir_seq_gt(c->snd.nxt + len, c->snd.una + c->snd.wnd))
		return true;
	return send_new(t, c, len, has_fin) > 0;
}

/* Largest payload of one mbuf chain: a segment, or as many as the port cuts up itself. */
static uint32_t
max_len(const struct weir_tcp_conn *c, uint32_t mss)
{
	if (!(c->dst.ifc->caps & WEIR_PORT_TX_TSO) || c->dst.is_local || mss < c->mss ||
		c->is_ecn_cwr) /* CWR belongs on one segment */
		return mss;
	if (c->is_paced)
		return weir_tcp_pace_quantum(c);
	return WEIR_TCP_TSO_MAX - WEIR_TCP_TSO_MAX % mss;
}

uint32_t
weir_tcp_tso_segs(const struct weir_tcp_conn *c)
{
	const uint32_t mss = weir_tcp_effective_mss(c);

	return max_len(c, mss) / mss;
}

/* @return false: stopped for want of room or an mbuf, or because it was enough for one pass */
static bool
send_unsent(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t mss = weir_tcp_effective_mss(c);
	const uint32_t max = max_len(c, mss);
	unsigned int n;

	for (n = 0; n < WEIR_TCP_PASS_SEGS && weir_tcp_has_unsent(c); n++) {
		const uint32_t len = c->is_forced ? forced_len(c, mss) : next_len(c, mss, max);
		const bool has_fin = may_send_fin(c, len);

		if (len == 0 && !has_fin)
			break;
		if (c->is_paced && weir_tcp_pace_waits(t, c))
			break;
		if (send_new(t, c, len, has_fin) == 0)
			return false;
		c->is_forced = false;
		if (len % mss != 0)
			c->act->sml = c->snd.nxt;
	}
	c->is_forced = false;
	return n < WEIR_TCP_PASS_SEGS;
}

/* F-RTO, step 2 b: new data shows whether the time-out was needless. Without any, as usual. */
static bool
send_new_first(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!send_unsent(t, c))
		return false;
	c->act->is_new_first = false;
	if (weir_seq_leq(c->snd.max, c->act->high_seq)) {
		c->act->is_frto = false;
		c->is_rexmit_due = true;
	}
	return true;
}

/* @return as send_unsent() */
static bool
send_data(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	uint32_t max;
	bool is_done;

	if (c->act->out_segs == 0 && weir_tcp_has_unsent(c))
		weir_tcp_restart_after_idle(t, c);
	if (unlikely(c->act->is_tlp_due) && !weir_tcp_tlp_send(t, c))
		return false;
	max = c->snd.max;
	if (unlikely(c->act->is_new_first) && !send_new_first(t, c))
		return false;
	if (unlikely(c->is_rexmit_due) && !weir_tcp_send_lost(t, c))
		return false;
	is_done = send_unsent(t, c);
	weir_tcp_validate_cwnd(t, c, c->snd.max != max);
	if (c->snd.max != max)
		weir_tcp_tlp_start(t, c, false);
	return is_done;
}

/* SYN, SYN+ACK */
static bool
send_syn(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_first = c->snd.max == c->iss;
	uint8_t flags = WEIR_TCP_SYN;

	if (c->snd.nxt != c->iss)
		return true;
	if (c->state == WEIR_TCP_SYN_RECEIVED)
		flags |= WEIR_TCP_ACK;
	flags |= weir_tcp_ecn_syn_flags(t, c);
	if (!weir_tcp_has_room(t, c) || !weir_tcp_send_empty(t, c, c->iss, flags))
		return false;
	c->snd.nxt = c->iss + 1;
	c->snd.max = c->snd.nxt;
	c->sent_us = t->core->now_us;
	t->stats.rexmit_segs += !is_first;
	c->act->rexmits += !is_first;
	c->is_timing = is_first;
	return true;
}

static bool
send_ack(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!c->ack_now)
		return true;
	return weir_tcp_has_room(t, c) &&
	       weir_tcp_send_empty(t, c, weir_tcp_empty_seq(c), WEIR_TCP_ACK);
}

/* RFC 6298 5.1 while something is under way; the persist timer while something can't go. */
static void
run_timer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (weir_tcp_is_in_flight(c) || c->state < WEIR_TCP_ESTABLISHED) {
		if (c->rexmit_at == 0 || c->is_persist)
			weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, c->rto_us);
		c->is_persist = false;
	} else if (weir_tcp_has_unsent(c)) {
		if (c->is_persist && c->rexmit_at != 0)
			return;
		c->is_persist = true;
		c->backoff = 0;
		weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, c->rto_us);
	} else {
		c->is_persist = false;
		c->rexmit_at = 0;
	}
}

static bool
send_all(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->state < WEIR_TCP_ESTABLISHED && !send_syn(t, c))
		return false;
	if (c->state >= WEIR_TCP_ESTABLISHED && !send_data(t, c))
		return false;
	return c->state == WEIR_TCP_SYN_SENT || send_ack(t, c);
}

bool
weir_tcp_output(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	/* Without a route it is as if the packets were lost: the timer tries again. */
	const bool is_done = !weir_tcp_route(t, c) || send_all(t, c);

	WEIR_ASSERT(c->state != WEIR_TCP_CLOSED);
	run_timer(t, c);
	if (unlikely(c->is_lowat) && c->owner != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_WRITE); /* less waits to be sent */
	return is_done;
}
