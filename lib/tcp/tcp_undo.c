/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_recovery, tcp_loss -> tcp_undo. What was taken for a loss was none: RFC 3522, RFC 4015
 * (timestamps), RFC 3708 (DSACK). */
#include "tcp_loss_priv.h"

#define PERSIST_MAX 16

void
weir_tcp_undo_mark(struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;

	act->may_undo = true;
	act->undo_marker = c->snd.una;
	act->undo_rexmits = (int32_t)act->rexmit_segs + (act->is_tlp && act->is_tlp_rexmit);
	if (act->undo_rexmits == 0)
		act->undo_rexmits = -1;
}

static void
undo(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_nothing_lost)
{
	struct weir_tcp_act *act = c->act;

	if (is_nothing_lost)
		weir_tcp_sent_unmark_lost(t, c);
	if (act->prior_ssthresh != 0) {
		c->cc.cwnd = RTE_MAX(c->cc.cwnd, act->prior_cwnd);
		c->cc.ssthresh = RTE_MAX(c->cc.ssthresh, act->prior_ssthresh);
		if (c->cc.ops->undo != NULL)
			c->cc.ops->undo(t, c);
	}
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_UNDO, 0, c->cc.cwnd, c->cc.ssthresh);
	act->cwnd_us = t->core->now_us;
	act->may_undo = false;
	act->is_rack_news = true; /* look at all of it again */
	t->stats.undone++;
}

/* Did what is acknowledged arrive by its first transmission? */
static bool
was_only_late(const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	const struct weir_tcp_act *act = c->act;

	if (act->has_rexmit_ts)
		return weir_tcp_echoes_before(c, news->seg, act->rexmit_ts);
	return c->has_sack || weir_seq_lt(c->snd.una, act->high_seq);
}

static bool
is_undoable(const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	return c->act->may_undo && (c->act->undo_rexmits == 0 || was_only_late(c, news));
}

static void
forget_first_rexmit(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!weir_tcp_is_rexmit_open(t, c))
		c->act->has_rexmit_ts = false;
}

bool
weir_tcp_must_wait_for_more(const struct weir_tcp_conn *c)
{
	return c->snd.una == c->act->high_seq && !c->has_sack;
}

bool
weir_tcp_undo_recovery(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;

	if (is_undoable(c, news))
		undo(t, c, false);
	else if (act->reo_persist > 0)
		act->reo_persist--;
	if (weir_tcp_must_wait_for_more(c)) {
		forget_first_rexmit(t, c);
		return true;
	}
	weir_tcp_set_ca(t, c, WEIR_TCP_CA_OPEN);
	act->is_reneged = false;
	return false;
}

bool
weir_tcp_undo_partial(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	if (!c->act->may_undo || !was_only_late(c, news))
		return false;
	weir_tcp_saw_reordering(c, news->prior_una);
	if (c->act->rexmit_segs > 0)
		return true;
	forget_first_rexmit(t, c);
	undo(t, c, true);
	weir_tcp_try_open(t, c);
	return false;
}

bool
weir_tcp_undo_dsack(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;

	if (!act->may_undo || act->undo_rexmits != 0)
		return false;
	act->reo_persist = (uint8_t)RTE_MIN(act->reo_persist + 1, PERSIST_MAX);
	undo(t, c, false);
	return true;
}

bool
weir_tcp_undo_loss(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news, bool is_frto)
{
	if (!is_frto && !is_undoable(c, news))
		return false;
	undo(t, c, true);
	c->retries = 0;
	if (weir_tcp_must_wait_for_more(c)) {
		forget_first_rexmit(t, c);
		return true;
	}
	if (is_frto || c->has_sack) {
		weir_tcp_set_ca(t, c, WEIR_TCP_CA_OPEN);
		c->act->is_reneged = false;
	}
	return true;
}
