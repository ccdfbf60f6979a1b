/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input, tcp_usr, tcp_timer -> (flush) tcp_output -> ip_output */
#include "tcp_mtu_probe.h"
#include "tcp_output_priv.h"

/* Text and FIN */

/* RFC 9293 3.9.1.2: the last of what is queued, or of a record; unless more was announced. */
static bool
is_pushed(struct weir_tcp_conn *c, uint32_t len)
{
	if (c->snd.nxt + len == c->snd.end)
		return !c->is_more;
	return unlikely(c->has_eor) && weir_tcp_sndq_record(c, c->snd.nxt, len + 1) == len;
}

void
weir_tcp_note_answer(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->is_answer_due = false;
	if (t->core->now_us - c->heard_us < weir_tcp_delack_us(t, &c->opts))
		c->is_interactive = true;
}

/* @return as weir_tcp_send_text(), of one packet */
static uint32_t
send_piece(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len, uint32_t mss,
	uint8_t flags)
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
	if (put == len)
		h.flags |= put > 0 ? flags : flags & (uint8_t)~WEIR_TCP_PSH;
	if (put > mss)
		h.flags |= WEIR_TCP_PSH;
	h.seq = seq;
	if (unlikely(c->is_urgent))
		weir_tcp_urgent_mark(c, &h);
	if (c->is_answer_due && put > 0)
		weir_tcp_note_answer(t, c);
	weir_tcp_send_segment(t, c, m, &h, put > mss ? (uint16_t)mss : 0);
	c->act->bytes_sent += put;
	t->stats.tx_bytes += put;
	if (unlikely(c->act->has_stamps) && put > 0)
		weir_tcp_sndq_stamp(t, c, seq, put);
	if (c->is_paced)
		weir_tcp_pace_sent(t, c, put);
	return put + !!(h.flags & WEIR_TCP_FIN);
}

uint32_t
weir_tcp_send_text(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len,
	uint32_t mss, uint8_t flags)
{
	const uint32_t piece_max = weir_tcp_is_cut_by_port(c, mss) ? len : mss;
	uint32_t sent = 0, piece, n;

	do {
		piece = RTE_MIN(len - sent, piece_max);
		n = send_piece(t, c, seq + sent, piece, mss, sent + piece == len ? flags : 0);
		sent += n;
	} while (n == piece && sent < len);
	c->sent_us = t->core->now_us;
	return sent;
}

/* The first data of a flight starts the timer; a loss probe waits for the latest (RFC 8985 7.2). */
static void
note_new(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t n, uint32_t mss, bool has_push)
{
	const bool is_first = c->act->out_segs == 0;
	const uint32_t segs = c->act->out_segs;

	weir_tcp_sent_add(t, c, c->snd.nxt + n, mss, has_push);
	c->snd.nxt += n;
	c->snd.max = c->snd.nxt;
	if (weir_tcp_in_reduction(c))
		c->act->prr_out += c->act->out_segs - segs;
	if (is_first || c->alarm == WEIR_TCP_ALARM_PROBE)
		weir_tcp_rearm_rto(t, c);
}

/*
 * A burst of several segments ends with PSH, so that the peer takes it as a whole (as Linux).
 * @return sequence numbers sent; 0: no room, mbuf or record
 */
static uint32_t
send_new(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len, uint32_t mss)
{
	const uint8_t fin = weir_tcp_may_send_fin(c, len) ? WEIR_TCP_FIN : 0;
	const bool is_end = len > 0 && is_pushed(c, len);
	const uint8_t push = is_end || len > mss ? WEIR_TCP_PSH : 0;
	uint32_t sent;

	if (!weir_tcp_has_room(t, c) || !weir_tcp_sent_may_add(t, c))
		return 0;
	sent = weir_tcp_send_text(t, c, c->snd.nxt, len, mss, fin | push);
	if (sent > 0)
		note_new(t, c, sent, mss, is_end && sent >= len);
	return sent;
}

bool
weir_tcp_send_probe_text(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t mss = weir_tcp_effective_mss(c);
	const uint32_t len = RTE_MIN(weir_tcp_seq_span(c->snd.end, c->snd.nxt), mss);

	if ((len == 0 && !weir_tcp_may_send_fin(c, len)) ||
		weir_seq_gt(c->snd.nxt + len, c->snd.una + c->snd.wnd))
		return true;
	return send_new(t, c, len, mss) > 0;
}

/* Packets that text of len makes. */
static uint32_t
packets(const struct weir_tcp_conn *c, const struct weir_tcp_pass *pass, uint32_t len)
{
	return len <= pass->mss || weir_tcp_is_cut_by_port(c, pass->mss)
		       ? 1
		       : (len + pass->mss - 1) / pass->mss;
}

/* @return whether to go on sending */
static bool
probe_path(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	uint32_t len;

	switch (weir_tcp_mtu_next(t, c, &len)) {
	case MTU_GOES:
		if (send_new(t, c, len, len) == 0)
			return false;
		weir_tcp_mtu_sent(t, c, len);
		return true;
	case MTU_WAITS:
		return false;
	default:
		return true;
	}
}

/* @return false: stopped for want of room or an mbuf, or because it was enough for one pass */
static bool
send_unsent(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_pass *pass)
{
	uint32_t n = 0;

	pass->mss = weir_tcp_effective_mss(c);
	pass->segs_max = weir_tcp_seq_span(c->snd.end, c->snd.nxt) <= pass->mss
				 ? 1
				 : weir_tcp_burst_segs(c, pass->mss);
	if (unlikely(c->pmtu != 0) && !probe_path(t, c))
		return true;
	while (n < WEIR_TCP_PASS_SEGS && weir_tcp_has_unsent(c)) {
		const uint32_t len = c->is_forced ? weir_tcp_forced_len(c, pass->mss)
						  : weir_tcp_next_len(t, c, pass);

		if (len == 0 && !weir_tcp_may_send_fin(c, len))
			break;
		if (c->is_paced && weir_tcp_pace_waits(t, c))
			break;
		if (send_new(t, c, len, pass->mss) == 0)
			return false;
		c->is_forced = false;
		if (len < pass->mss ? len > 0 : len != pass->mss && len % pass->mss != 0)
			c->act->sml = c->snd.nxt;
		n += packets(c, pass, len);
	}
	return n < WEIR_TCP_PASS_SEGS;
}

/* F-RTO, step 2 b: new data shows whether the time-out was needless. Without any, as usual. */
static bool
send_new_first(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_pass *pass)
{
	if (!send_unsent(t, c, pass))
		return false;
	c->act->is_new_first = false;
	if (weir_seq_leq(c->snd.max, c->act->high_seq)) {
		c->act->is_frto = false;
		c->is_rexmit_due = true;
	}
	return true;
}

void
weir_tcp_note_limits(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_pass *pass, bool is_sent)
{
	const bool is_full = c->sndq.charge >= c->opts.sndbuf && !weir_tcp_has_unsent(c);

	weir_tcp_validate_cwnd(t, c, is_sent, pass->is_cwnd_limited);
	if (!weir_tcp_is_in_flight(c) && !weir_tcp_has_unsent(c))
		return;
	if (pass->is_rwnd_limited)
		weir_tcp_set_limit(t, c->act, WEIR_TCP_LIMIT_RWND);
	else if (is_full && !c->is_cwnd_limited)
		weir_tcp_set_limit(t, c->act, WEIR_TCP_LIMIT_SNDBUF);
	else
		weir_tcp_set_limit(t, c->act, WEIR_TCP_LIMIT_BUSY);
}

/* @return as send_unsent() */
static bool
send_data(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_pass pass = {0};
	bool is_done = true;
	uint32_t max;

	if (c->act->out_segs == 0 && weir_tcp_has_unsent(c)) {
		weir_tcp_restart_after_idle(t, c);
		weir_tcp_limit_restart(t, c->act);
	}
	if (unlikely(c->act->is_tlp_due) && !weir_tcp_tlp_send(t, c))
		return false;
	max = c->snd.max;
	if (unlikely(c->act->is_new_first) && !send_new_first(t, c, &pass))
		return false;
	if (unlikely(c->is_rexmit_due) && !weir_tcp_send_lost(t, c))
		return false;
	if (weir_tcp_has_unsent(c))
		is_done = send_unsent(t, c, &pass);
	c->is_forced = false;
	weir_tcp_note_limits(t, c, &pass, c->snd.max != max);
	if (c->snd.max != max && likely(c->state >= WEIR_TCP_ESTABLISHED))
		weir_tcp_tlp_start(t, c, false);
	return is_done;
}

/* The first SYN of a Fast Open: with an option, text, or both. @return bytes of text; < 0: not sent
 */
static int64_t
send_fastopen_syn(struct weir_tcp *t, struct weir_tcp_conn *c, uint8_t flags)
{
	const unsigned int segs_max = RTE_MAX(c->dst.ifc->port->info.segs_max, 2);
	struct weir_tcp_hdr_info h;
	struct rte_mbuf *m = weir_tcp_new_segment(t, c, &h, flags);
	uint32_t len;

	if (m == NULL)
		return -1;
	len = weir_tcp_fastopen_syn(t, c, &h);
	rte_pktmbuf_append(m, (uint16_t)(weir_tcp_build_len(&h) - m->pkt_len));
	if (len > 0)
		len = weir_tcp_sndq_put(t, c, m, c->iss + 1, len, segs_max);
	if (len > 0)
		c->fo |= WEIR_TCP_TFO_DATA;
	h.seq = c->iss;
	weir_tcp_send_segment(t, c, m, &h, 0);
	c->act->bytes_sent += len;
	t->stats.tx_bytes += len;
	return len;
}

/* @return bytes of text that went with the SYN; < 0: it did not go */
static int64_t
send_one_syn(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_first)
{
	uint8_t flags = WEIR_TCP_SYN;

	if (c->state == WEIR_TCP_SYN_RECEIVED)
		flags |= WEIR_TCP_ACK;
	flags |= weir_tcp_ecn_syn_flags(t, c);
	if (!weir_tcp_has_room(t, c))
		return -1;
	if (unlikely(is_first && (c->fo & WEIR_TCP_TFO_WANTED)))
		return send_fastopen_syn(t, c, flags);
	return weir_tcp_send_empty(t, c, c->iss, flags) ? 0 : -1;
}

/* SYN, SYN+ACK. Again, it goes without text: what has gone before counts as sent. */
static bool
send_syn(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_first = c->snd.max == c->iss;
	int64_t len;

	if (c->snd.nxt != c->iss)
		return true;
	len = send_one_syn(t, c, is_first);
	if (len < 0)
		return false;
	if (is_first)
		c->snd.max = c->iss + 1 + (uint32_t)len;
	c->snd.nxt = c->snd.max;
	c->sent_us = t->core->now_us;
	t->stats.rexmit_segs += !is_first;
	c->rexmits += !is_first;
	c->is_timing = is_first;
	return true;
}

/* Who was accepted by its SYN may be sent to before its final ACK (RFC 7413 4.2.2). */
static bool
may_send_text(const struct weir_tcp_conn *c)
{
	return c->state >= WEIR_TCP_ESTABLISHED || unlikely(c->is_fastopen);
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
	if (may_send_text(c) && !send_data(t, c))
		return false;
	return c->state == WEIR_TCP_SYN_SENT || send_ack(t, c);
}

bool
weir_tcp_output(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	bool is_done;

	/* Without a route it is as if the packets were lost: the timer tries again. */
	is_done = !weir_tcp_route(t, c) || send_all(t, c);
	WEIR_ASSERT(c->state != WEIR_TCP_CLOSED);
	run_timer(t, c);
	if (unlikely(c->is_lowat) && c->end != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_WRITE); /* less waits to be sent */
	return is_done;
}
