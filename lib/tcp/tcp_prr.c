/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> tcp_prr. RFC 9937: proportional rate reduction, in segments as Linux does. */
#include "tcp_loss_priv.h"

uint32_t
weir_tcp_ask_ssthresh(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t ssthresh = c->cc.ops->ssthresh(t, c);

	return RTE_MAX(ssthresh - ssthresh % c->mss, 2u * c->mss);
}

uint32_t
weir_tcp_current_ssthresh(const struct weir_tcp_conn *c)
{
	const uint32_t cwnd = c->cc.cwnd;

	return weir_tcp_in_reduction(c) ? c->cc.ssthresh
					: RTE_MAX(c->cc.ssthresh, cwnd / 2 + cwnd / 4);
}

void
weir_tcp_reduction_start(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;

	act->high_seq = c->snd.max;
	act->is_tlp = false;
	act->prior_cwnd = c->cc.cwnd;
	act->prr_delivered = 0;
	act->prr_out = 0;
	c->cc.ssthresh = weir_tcp_ask_ssthresh(t, c);
	weir_tcp_ecn_reduced(c);
	if (c->cc.ops->event != NULL)
		c->cc.ops->event(t, c, WEIR_TCP_CC_RECOVERY);
}

void
weir_tcp_reduction_end(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->cc.ops->control == NULL && c->cc.ssthresh < UINT32_MAX &&
		(c->ca == WEIR_TCP_CA_CWR || c->act->may_undo)) {
		c->cc.cwnd = c->cc.ssthresh;
		c->act->cwnd_us = t->core->now_us;
	}
	if (c->cc.ops->event != NULL)
		c->cc.ops->event(t, c, WEIR_TCP_CC_RECOVERED);
}

/* While more is under way than shall be: a share of what is delivered. Then as much as arrives, and
 * one more where nothing new is lost (the slow start bound). */
static int64_t
may_send(const struct weir_tcp_conn *c, uint32_t delivered, bool is_clean_advance)
{
	const struct weir_tcp_act *act = c->act;
	const uint32_t ssthresh = c->cc.ssthresh / c->mss;
	const uint32_t prior_cwnd = RTE_MAX(act->prior_cwnd / c->mss, 1u);
	const int64_t room = (int64_t)ssthresh - weir_tcp_pipe(c);
	int64_t n;

	if (room < 0)
		return (int64_t)(((uint64_t)ssthresh * act->prr_delivered + prior_cwnd - 1) /
				 prior_cwnd) -
		       act->prr_out;
	n = RTE_MAX((int64_t)act->prr_delivered - act->prr_out, (int64_t)delivered);
	return RTE_MIN(n + is_clean_advance, room);
}

void
weir_tcp_reduce(struct weir_tcp_conn *c, uint32_t delivered, bool is_clean_advance)
{
	struct weir_tcp_act *act = c->act;
	int64_t n;

	if (delivered == 0 || act->prior_cwnd == 0)
		return;
	act->prr_delivered += delivered;
	n = may_send(c, delivered, is_clean_advance);
	n = RTE_MAX(n, act->prr_out == 0 ? 1 : 0); /* the fast retransmit goes in any case */
	c->cc.cwnd = (uint32_t)(weir_tcp_pipe(c) + n) * c->mss;
}
