/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_sync, tcp_fast -> tcp_ack -> tcp_recovery -> tcp_output */
#include "tcp_loss_priv.h"
#include "weir_mem.h"

uint32_t
weir_tcp_initial_cwnd(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t segs = t->conf.initial_window;

	return RTE_MIN(segs * c->mss, RTE_MAX(2u * c->mss, segs * 1460)); /* RFC 6928 2 */
}

static void
open_news(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg, struct weir_tcp_news *news)
{
	const struct weir_tcp_act *act = c->act;

	weir_zero(news, sizeof(*news));
	news->seg = seg;
	news->prior_una = c->snd.una;
	news->prior_pipe = weir_tcp_pipe(c);
	news->prior_sacked = act->sacked_segs;
	news->prior_fack = weir_tcp_fack(c);
	news->prior_delivered = act->delivered_segs;
	news->prior_delivered_bytes = act->delivered;
	news->prior_lost = act->lost;
	news->reord = c->snd.max;
}

static void
release_acked(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t charge = c->sndq.charge;

	weir_tcp_sndq_release(t, c, weir_seq_min(c->snd.una, c->snd.end));
	if (unlikely(charge >= c->opts.sndbuf / 2) && c->opts.sndbuf < t->sndbuf_max)
		weir_tcp_sndbuf_expand(t, c);
	if (c->sndq.charge < charge && c->end != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_WRITE);
}

static void
advance(struct weir_tcp_conn *c, uint32_t ack)
{
	c->snd.una = ack;
	if (weir_seq_lt(c->snd.nxt, c->snd.una))
		c->snd.nxt = c->snd.una;
	c->retries = 0;
	c->retrans_since_us = 0;
	c->soft_error = 0; /* the path works */
	c->is_persist = false;
	c->is_more = false; /* MSG_MORE holds data back until the peer's next news, as on Linux */
}

/* A SACK round trip of data sent after the head of the queue shows that the path is alive. */
static bool
is_sack_progress(
	const struct weir_tcp *t, const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	const struct weir_tcp_sent *head = weir_tcp_sent_at(t, c->act->head);

	return head != NULL && news->first_sacked_us != 0 && news->first_sacked_us < head->sent_us;
}

/* The scoreboard without what is acknowledged, and the round-trip time that it gives. */
static void
take_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	bool has_rtt;

	news->reord = c->snd.max;
	if (news->flags & NEWS_ADVANCED) {
		weir_tcp_sent_acked(t, c, news);
		release_acked(t, c);
	}
	has_rtt = weir_tcp_rtt_update(t, c, news);
	if (!(news->flags & NEWS_ACKED)) {
		if (has_rtt && is_sack_progress(t, c, news))
			news->flags |= NEWS_SET_TIMER;
		return;
	}
	news->flags |= NEWS_SET_TIMER;
	if (!c->has_sack) {
		weir_tcp_reno_acked(c, news);
		if (news->flags & NEWS_REXMIT_ACKED)
			news->flags &= ~(uint32_t)NEWS_ORIG;
	} else if (unlikely(weir_seq_lt(news->reord, news->prior_fack))) {
		weir_tcp_saw_reordering(c, news->reord);
	}
}

/* A window that is not in use does not grow (RFC 7661, as Linux). */
static bool
may_grow(const struct weir_tcp *t, const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	const struct weir_tcp_act *act = c->act;
	const uint32_t progress =
		act->reordering > t->conf.reordering ? NEWS_ACKED | NEWS_SACKED : NEWS_ACKED;

	return (news->flags & progress) && weir_tcp_is_cwnd_in_use(c);
}

static void
control(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	const struct weir_tcp_cc_ops *ops = c->cc.ops;
	struct weir_tcp_sample s;

	weir_tcp_rate_sample(t, c, news, &s);
	if (s.is_ece && !weir_tcp_is_accecn(c))
		c->act->delivered_ce += c->act->delivered_segs - news->prior_delivered;
	if (ops->sampled != NULL)
		ops->sampled(t, c, &s);
	if (ops->control != NULL)
		ops->control(t, c, &s);
	else if (weir_tcp_in_reduction(c))
		weir_tcp_reduce(c, c->act->delivered_segs - news->prior_delivered,
			(news->flags & NEWS_ADVANCED) && s.newly_lost == 0);
	else if (may_grow(t, c, news))
		ops->acked(t, c, &s);
}

static bool
is_dubious(const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	return c->ca != WEIR_TCP_CA_OPEN ||
	       (news->flags & (NEWS_SACKED | NEWS_DSACK | NEWS_DUP)) != 0;
}

/* What follows from an ACK, in this order. */
static void
take_news(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	struct weir_tcp_news *news)
{
	take_acked(t, c, news);
	weir_tcp_rack_adapt(c->act, news);
	if (unlikely(c->act->is_tlp))
		weir_tcp_tlp_acked(t, c, news);
	if (unlikely(is_dubious(c, news)))
		weir_tcp_recover(t, c, news);
	if (c->has_ecn)
		weir_tcp_ecn_ack(t, c, rx, news);
	if (news->flags & NEWS_SET_TIMER)
		weir_tcp_start_timer(t, c);
	control(t, c, news);
	if (weir_tcp_has_unsent(c) || c->is_rexmit_due)
		weir_tcp_want_output(t, c);
}

static void
take_progress(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	struct weir_tcp_news news;

	open_news(c, &rx->seg, &news);
	news.flags |= NEWS_ADVANCED;
	advance(c, rx->seg.ack);
	take_news(t, c, rx, &news);
}

void
weir_tcp_ack_new(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	c->act->acks_in += seg->len == 0;
	if (seg->ack != c->snd.max || !weir_tcp_may_ack_all(t, c)) {
		take_progress(t, c, rx);
		return;
	}
	advance(c, seg->ack);
	release_acked(t, c);
	weir_tcp_ack_all(t, c);
	if (weir_tcp_has_unsent(c))
		weir_tcp_want_output(t, c);
}

/* News of the window, not from an older segment: RFC 9293 3.10.7.4, fifth; but one that shrinks
 * without anything else being new is no news, as in Linux. */
static bool
is_window_update(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg, uint32_t wnd)
{
	return weir_seq_gt(seg->ack, c->snd.una) || weir_seq_gt(seg->seq, c->snd.wl1) ||
	       (seg->seq == c->snd.wl1 && (wnd > c->snd.wnd || wnd == 0));
}

static void
trace_window(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t una = weir_tcp_sent_pos(c, c->snd.una);

	if (c->snd.wnd == 0)
		weir_tcp_trace(t, c, WEIR_TCP_EVENT_WND_CLOSED, 0, una, c->snd.end - c->snd.una);
	else
		weir_tcp_trace(t, c, WEIR_TCP_EVENT_WND_OPENED, 0, una, c->snd.wnd);
}

/* @return whether it is one */
static bool
update_window(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t wnd = (uint32_t)seg->wnd << c->snd.wscale;
	bool was_closed;

	if (!is_window_update(c, seg, wnd))
		return false;
	was_closed = c->snd.wnd == 0;
	if (!weir_tcp_set_window(c, seg, wnd))
		return true;
	if (unlikely(was_closed || wnd == 0))
		trace_window(t, c);
	if (c->is_persist && wnd > 0) {
		c->is_persist = false;
		c->rexmit_at = 0;
		c->retrans_since_us = 0;
	}
	weir_tcp_want_output(t, c);
	return true;
}

/* RFC 5681 2 */
static bool
is_duplicate(const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	return !(news->flags & (NEWS_ADVANCED | NEWS_DATA | NEWS_WINDOW)) && c->act->out_segs != 0;
}

/* An older ACK may still tell what is SACKed. */
static void
take_old(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	struct weir_tcp_news news;

	if (!(rx->seg.opts & WEIR_TCP_OPT_SACK))
		return;
	open_news(c, &rx->seg, &news);
	weir_tcp_sack_input(t, c, rx, &news);
	if (is_dubious(c, &news))
		weir_tcp_recover(t, c, &news);
	if (c->is_rexmit_due)
		weir_tcp_want_output(t, c);
}

static void
take_ack(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;
	struct weir_tcp_news news;

	open_news(c, seg, &news);
	if (seg->len > 0 || (seg->flags & (WEIR_TCP_SYN | WEIR_TCP_FIN)))
		news.flags |= NEWS_DATA;
	c->act->acks_in += seg->len == 0;
	if (update_window(t, c, seg))
		news.flags |= NEWS_WINDOW;
	if (seg->ack != c->snd.una) {
		advance(c, seg->ack);
		news.flags |= NEWS_ADVANCED;
	}
	weir_tcp_sack_input(t, c, rx, &news);
	if (is_duplicate(c, &news)) {
		t->stats.dup_acks++;
		weir_tcp_trace_more(
			t, c, WEIR_TCP_EVENT_DUP_ACK, weir_tcp_sent_pos(c, c->snd.una), c->cc.cwnd);
		news.flags |= NEWS_DUP;
	}
	take_news(t, c, rx, &news);
}

/* Persist for ever (RFC 9293 3.8.6.1); the next probe counts from here, as in Linux. */
static void
take_probe_answer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->retries = 0;
	weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO,
		RTE_MIN((uint64_t)c->rto_us << c->backoff, weir_tcp_rto_max_us(t, &c->opts)));
}

enum weir_tcp_verdict
weir_tcp_ack_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	if (weir_seq_gt(seg->ack, c->snd.max) ||
		weir_seq_lt(seg->ack, c->snd.una - c->wnd_max)) { /* RFC 5961 5.2 */
		weir_tcp_challenge(t, c);
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_ack);
	}
	if (c->is_persist && !weir_seq_lt(seg->ack, c->snd.una))
		take_probe_answer(t, c);
	if (weir_seq_lt(seg->ack, c->snd.una))
		take_old(t, c, rx);
	else
		take_ack(t, c, rx);
	return SEG_GOES_ON;
}
