/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_timer, tcp_ack -> tcp_loss. After a time-out: RFC 5681 3.1, F-RTO (RFC 5682 3.1). */
#include "tcp_loss_priv.h"

/* RFC 2018 8: the peer acknowledged up to what it had SACKed, but not that. */
static void
take_reneging(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->act->is_reneged = true;
	t->stats.sack_reneged++;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_RENEGED, 0, weir_tcp_sent_pos(c, c->snd.una),
		weir_tcp_sent_pos(c, c->snd.max));
	weir_tcp_sent_unmark_sacked(t, c);
}

/* All of it is lost, but what the peer has, and what has been under way for less than RACK's
 * round trip. */
static void
mark_all(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *head = weir_tcp_sent_at(t, act->head), *s;
	const bool is_reneged = head != NULL && (head->flags & WEIR_TCP_SACKED);

	if (is_reneged)
		take_reneging(t, c);
	else if (!c->has_sack)
		act->sacked_segs = 0;
	for (s = head; s != NULL; s = weir_tcp_sent_at(t, s->next)) {
		if (!is_reneged && s != head && weir_tcp_rack_left_us(t, c, s, 0) > 0)
			continue;
		weir_tcp_sent_lost(t, c, s);
	}
}

/* The window is reduced once for a loss: not again for what was under way then, nor when the
 * repetition is lost, too. */
static bool
is_new_loss(const struct weir_tcp_conn *c)
{
	return c->ca <= WEIR_TCP_CA_DISORDER || weir_seq_leq(c->act->high_seq, c->snd.una) ||
	       (c->ca == WEIR_TCP_CA_LOSS && c->retries == 0);
}

void
weir_tcp_enter_loss(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const bool is_first = c->ca < WEIR_TCP_CA_RECOVERY;
	const uint32_t usual = t->conf.reordering;

	mark_all(t, c);
	if (is_new_loss(c)) {
		act->prior_ssthresh = weir_tcp_current_ssthresh(c);
		act->prior_cwnd = c->cc.cwnd;
		c->cc.ssthresh = weir_tcp_ask_ssthresh(t, c);
		weir_tcp_undo_mark(c);
	}
	c->cc.cwnd = (weir_tcp_pipe(c) + 1) * c->mss;
	act->cwnd_us = t->core->now_us;
	if (c->ca <= WEIR_TCP_CA_DISORDER && act->sacked_segs >= usual)
		act->reordering = RTE_MIN(act->reordering, usual); /* was thought too much of */
	weir_tcp_set_ca(t, c, WEIR_TCP_CA_LOSS);
	act->high_seq = c->snd.max;
	act->is_tlp = false;
	act->is_tlp_due = false;
	weir_tcp_ecn_reduced(c);
	act->is_frto = t->conf.use_frto && (is_first || c->retries > 0);
	act->is_new_first = false;
	if (c->cc.ops->event != NULL)
		c->cc.ops->event(t, c, WEIR_TCP_CC_TIMEOUT);
}

static bool
has_new_to_send(const struct weir_tcp_conn *c)
{
	return weir_tcp_has_unsent(c) && weir_seq_gt(c->snd.una + c->snd.wnd, c->snd.max);
}

/*
 * F-RTO, with SACK as well as without. @return whether the ACK is dealt with: the time-out was
 * needless, or new data goes out first to find out.
 */
static bool
frto_acked(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;

	if ((news->flags & NEWS_ORIG) && weir_tcp_undo_loss(t, c, news, true))
		return true; /* step 3 b */
	if (weir_seq_gt(c->snd.max, act->high_seq)) {
		if (news->flags & (NEWS_SACKED | NEWS_DUP))
			act->is_frto = false; /* step 3 a: it was a loss */
	} else if ((news->flags & NEWS_ADVANCED) && weir_seq_lt(c->snd.una, act->high_seq)) {
		act->high_seq = c->snd.max;
		act->is_frto = has_new_to_send(c); /* step 2 b */
		act->is_new_first = act->is_frto;
		return act->is_frto;
	}
	return false;
}

void
weir_tcp_loss_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	const bool is_recovered = weir_seq_geq(c->snd.una, act->high_seq);

	if ((news->flags & NEWS_ADVANCED) && weir_tcp_undo_loss(t, c, news, false))
		return;
	if (act->is_frto && frto_acked(t, c, news))
		return;
	if (is_recovered) {
		weir_tcp_undo_recovery(t, c, news);
		return;
	}
	if (c->has_sack)
		return;
	if (weir_seq_gt(c->snd.max, act->high_seq) && (news->flags & NEWS_DUP))
		weir_tcp_reno_duplicate(c);
	else if (news->flags & NEWS_ADVANCED)
		act->sacked_segs = 0;
}
