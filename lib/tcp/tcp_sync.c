/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input -> tcp_sync -> tcp_ack, tcp_reass -> sock_publish */
#include "tcp_priv.h"

void
weir_tcp_challenge(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!weir_tcp_may_answer(t, &c->challenge_ms) ||
		!weir_tcp_limit_take(t, &t->challenges, t->conf.challenges_per_s)) {
		t->stats.challenge_limited++;
		return;
	}
	t->stats.challenge_acks++;
	weir_tcp_ack_now(t, c);
}

void
weir_tcp_reset_by_peer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	int error = ECONNRESET;

	if (c->state == WEIR_TCP_SYN_SENT || (c->state == WEIR_TCP_SYN_RECEIVED && !c->is_fastopen))
		error = ECONNREFUSED;
	else if (c->state == WEIR_TCP_CLOSE_WAIT)
		error = EPIPE; /* as Linux: the reader has seen the end, the writer learns of it */
	t->stats.rst_received++;
	weir_tcp_finish(t, c, error);
}

/*
 * Table 6 of RFC 9293 3.4, with the allowance for a closed window: what starts at RCV.NXT gets
 * its ACK and RST looked at. An empty ACK at the right edge is taken, too: a peer whose full
 * window was lost sends such ones, and its news about our data must not wait.
 */
static bool
is_acceptable(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t space = weir_tcp_seg_space(seg);

	if (seg->seq == c->rcv.nxt)
		return true;
	if (space > 0)
		return weir_seq_lt(seg->seq, c->rcv.adv) &&
		       weir_seq_gt(seg->seq + space, c->rcv.nxt);
	if (seg->flags & WEIR_TCP_RST)
		return weir_seq_gt(seg->seq, c->rcv.nxt) && weir_seq_lt(seg->seq, c->rcv.adv);
	return weir_seq_gt(seg->seq, c->rcv.nxt) && weir_seq_leq(seg->seq, c->rcv.adv);
}

/* RFC 7323 5.2; TS.Recent of a connection idle for 24 days says nothing. */
static bool
is_old_by_timestamp(
	const struct weir_tcp *t, const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	return c->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && !(seg->flags & WEIR_TCP_RST) &&
	       weir_seq_lt(seg->ts_val, c->ts_recent) &&
	       t->core->now_us - c->heard_us < WEIR_TCP_PAWS_IDLE_US;
}

/* The SYN, ACK of a simultaneous open starts left of the window, but carries the awaited ACK. */
static bool
is_crossed_syn_ack(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint8_t both = WEIR_TCP_SYN | WEIR_TCP_ACK;

	return c->state == WEIR_TCP_SYN_RECEIVED && c->is_active && seg->seq == c->irs &&
	       seg->ack == c->snd.max && (seg->flags & (both | WEIR_TCP_RST)) == both;
}

/* The peer has not seen our SYN, ACK: send it again. Where SYNs crossed, its time-out does. */
static bool
is_syn_again(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	return c->state == WEIR_TCP_SYN_RECEIVED && !c->is_active && seg->seq == c->irs &&
	       (seg->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST)) == WEIR_TCP_SYN;
}

/* Answer what is not acceptable. Data that was lost on its way back needs each ACK; the rest has a
 * limit. */
static void
answer_unacceptable(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	if (seg->flags & WEIR_TCP_RST)
		return;
	if (is_syn_again(c, seg)) {
		c->snd.nxt = c->iss;
		c->is_timing = false;
		weir_tcp_want_output(t, c);
		return;
	}
	if (unlikely((seg->flags & WEIR_TCP_SYN) && c->has_ecn))
		weir_tcp_accecn_repeat(c);
	if (seg->len > 0 && weir_seq_lt(seg->seq, c->rcv.nxt))
		weir_tcp_dsack(t, c, seg->seq, weir_seq_min(seg->seq + seg->len, c->rcv.nxt));
	if (seg->len > 0 || (seg->flags & WEIR_TCP_FIN))
		weir_tcp_ack_now(t, c);
	else
		weir_tcp_challenge(t, c);
}

/* First: is it in the window, and not an old duplicate by its timestamp? */
static enum weir_tcp_verdict
check_sequence(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	struct weir_tcp_seg *seg = &rx->seg;
	const uint32_t end = seg->seq + weir_tcp_seg_space(seg);

	if (is_crossed_syn_ack(c, seg)) {
		seg->flags &= (uint8_t)~WEIR_TCP_SYN;
		seg->wnd = (uint16_t)(seg->wnd >> c->snd.wscale); /* a SYN's is not scaled */
		seg->seq++;
		weir_tcp_dsack(
			t, c, c->irs, c->rcv.nxt); /* its SYN came twice: told, as by Linux */
		weir_tcp_ack_now(t, c);
	} else if (is_old_by_timestamp(t, c, seg)) {
		answer_unacceptable(t, c, seg);
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_paws);
	}
	if (t->conf.is_ts_strict && c->has_ts && !(seg->opts & WEIR_TCP_OPT_TS) &&
		!(seg->flags & WEIR_TCP_RST))
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_paws);
	if (!is_acceptable(c, seg)) {
		answer_unacceptable(t, c, seg);
		return weir_tcp_done(rx, seg->len > 0 && weir_seq_leq(end, c->rcv.nxt)
						 ? WEIR_FATE_drop_tcp_duplicate
						 : WEIR_FATE_drop_tcp_seq);
	}
	return SEG_GOES_ON;
}

/* Second: RST, with RFC 5961 3.2: only the exact sequence number resets. */
static enum weir_tcp_verdict
check_rst(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (!(rx->seg.flags & WEIR_TCP_RST))
		return SEG_GOES_ON;
	if (rx->seg.seq != c->rcv.nxt) {
		weir_tcp_challenge(t, c);
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_seq);
	}
	weir_tcp_reset_by_peer(t, c);
	return SEG_DONE;
}

/* Fourth: a SYN in the window is answered, whatever else it says (RFC 5961 4.2). */
static enum weir_tcp_verdict
check_syn(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (!(rx->seg.flags & WEIR_TCP_SYN))
		return SEG_GOES_ON;
	weir_tcp_challenge(t, c);
	return weir_tcp_done(rx, WEIR_FATE_drop_tcp_flags);
}

/* RFC 7323 4.3 (2): of segments that span the last ACK, the newest timestamp. */
static void
note_timestamp(struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	if (c->has_ts && (seg->opts & WEIR_TCP_OPT_TS) &&
		weir_seq_leq(seg->seq, c->last_ack_sent) && weir_seq_geq(seg->ts_val, c->ts_recent))
		c->ts_recent = seg->ts_val;
}

/* Fifth, SYN_RECEIVED: does it acknowledge our SYN? */
static enum weir_tcp_verdict
check_syn_ack(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	if (weir_seq_leq(seg->ack, c->snd.una) || weir_seq_gt(seg->ack, c->snd.max)) {
		weir_tcp_send_rst_at(t, c, seg->ack);
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_ack);
	}
	weir_tcp_establish(t, c, seg);
	return SEG_GOES_ON;
}

/* Our FIN is acknowledged. */
static enum weir_tcp_verdict
fin_acked(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	switch (c->state) {
	case WEIR_TCP_FIN_WAIT_1:
		weir_tcp_fin_wait_2(t, c);
		return SEG_GOES_ON;
	case WEIR_TCP_CLOSING:
		weir_tcp_time_wait(t, c);
		return SEG_DONE;
	case WEIR_TCP_LAST_ACK:
		weir_tcp_finish(t, c, 0);
		return SEG_DONE;
	default:
		return SEG_GOES_ON;
	}
}

/* Fifth: the ACK field. */
static enum weir_tcp_verdict
check_ack(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (!(rx->seg.flags & WEIR_TCP_ACK))
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_no_ack);
	if (c->state == WEIR_TCP_SYN_RECEIVED && check_syn_ack(t, c, rx) == SEG_DONE)
		return SEG_DONE;
	if (weir_tcp_ack_input(t, c, rx) == SEG_DONE)
		return SEG_DONE;
	note_timestamp(c, &rx->seg);
	c->heard_us = t->core->now_us;
	return weir_tcp_is_fin_acked(c) ? fin_acked(t, c) : SEG_GOES_ON;
}

/*
 * RFC 9293 3.6.1: data for a connection that nobody reads from any more is answered by RST, so that
 * the peer learns that it is lost.
 */
static bool
is_data_for_nobody(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	return c->is_rcv_shut && seg->len > 0 && weir_seq_gt(seg->seq + seg->len, c->rcv.nxt) &&
	       (c->state == WEIR_TCP_FIN_WAIT_1 || c->state == WEIR_TCP_FIN_WAIT_2);
}

static void
reset_for_nobody(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	rx->fate = WEIR_FATE_drop_tcp_closed;
	weir_tcp_answer_rst(t, rx); /* as from a host that does not know the connection */
	weir_tcp_finish(t, c, ECONNRESET);
}

/* Seventh: the text. */
static void
take_text(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (rx->seg.len == 0)
		return;
	if (c->has_ecn)
		weir_tcp_ecn_text(t, c, rx);
	weir_tcp_reass_input(t, c, rx);
}

/* Beyond the peer's FIN there is nothing: ignored. What reaches back before it has come twice. */
static void
pass_over(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (rx->seg.len > 0)
		rx->fate = WEIR_FATE_drop_tcp_duplicate;
	if (weir_seq_lt(rx->seg.seq, c->rcv.nxt))
		weir_tcp_ack_now(t, c);
}

/* The FIN stands at the end of what came, or came before its turn: remember where. */
static void
note_fin(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t fin_seq)
{
	if (fin_seq != c->rcv.nxt)
		weir_tcp_ack_now(t, c);
	if (weir_seq_geq(fin_seq, c->rcv.nxt) &&
		(fin_seq == c->rcv.nxt || weir_seq_lt(fin_seq, c->rcv.adv))) {
		c->has_fin_seq = true;
		c->fin_seq = fin_seq;
		if (fin_seq != c->rcv.nxt)
			weir_tcp_sack_add(c, fin_seq, fin_seq + 1); /* as Linux */
	}
}

static void
take_fin(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->has_fin_seq = false;
	c->is_fin_rcvd = true;
	c->rcv.nxt++;
	c->rcv.adv = weir_seq_max(c->rcv.adv, c->rcv.nxt);
	weir_tcp_sack_trim(c);
	weir_tcp_ack_now(t, c);
	if (c->end != NULL || c->listener != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_PEERCLOSE);
}

/* Eighth: the peer has finished sending. */
static void
check_fin(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	/* CLOSED (0) means "stay": this peer's FIN came before. */
	static const enum weir_tcp_state after_fin[WEIR_TCP_STATES] = {
		[WEIR_TCP_ESTABLISHED] = WEIR_TCP_CLOSE_WAIT,
		[WEIR_TCP_FIN_WAIT_1] = WEIR_TCP_CLOSING, /* step five left our FIN unacked */
		[WEIR_TCP_FIN_WAIT_2] = WEIR_TCP_TIME_WAIT,
	};
	const enum weir_tcp_state next = after_fin[c->state];

	if (!c->has_fin_seq || c->fin_seq != c->rcv.nxt || next == WEIR_TCP_CLOSED)
		return;
	take_fin(t, c);
	if (next == WEIR_TCP_TIME_WAIT)
		weir_tcp_time_wait(t, c);
	else
		weir_tcp_set_state(t, c, next);
}

void
weir_tcp_sync_text(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const bool has_fin = rx->seg.flags & WEIR_TCP_FIN;
	const uint32_t fin_seq = rx->seg.seq + rx->seg.len;

	if (is_data_for_nobody(c, &rx->seg)) {
		reset_for_nobody(t, c, rx);
		return;
	}
	if (c->is_fin_rcvd) {
		pass_over(t, c, rx);
		return;
	}
	if (rx->seg.flags & WEIR_TCP_URG)
		weir_tcp_urgent_input(t, c, &rx->seg);
	take_text(t, c, rx);
	if (has_fin)
		note_fin(t, c, fin_seq);
	check_fin(t, c);
}

void
weir_tcp_sync_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (check_sequence(t, c, rx) == SEG_DONE || /* first: acceptable? */
		check_rst(t, c, rx) == SEG_DONE ||  /* second; third, security, is not used */
		check_syn(t, c, rx) == SEG_DONE)    /* fourth */
		return;
	if (unlikely(c->has_ecn))
		weir_tcp_accecn_received(t, c, rx);
	if (check_ack(t, c, rx) == SEG_DONE) /* fifth */
		return;
	weir_tcp_sync_text(t, c, rx); /* sixth to eighth */
}
