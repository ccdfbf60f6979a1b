/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_fast -> tcp_ack_all -> tcp_output. The common ACK, of all that is under way, when none
 * of it was SACKed, lost or sent again: what tcp_ack.c does in steps, from the first and the last
 * record alone.
 */
#include "tcp_loss_priv.h"

/* What one such ACK tells. */
struct flight {
	const struct weir_tcp_sent *first;
	const struct weir_tcp_sent *last;
	uint32_t segs;
	uint32_t bytes;
	uint32_t rtt_us; /* of the last */
};

static bool
has_plain_records(const struct weir_tcp *t, const struct weir_tcp_act *act)
{
	const uint8_t plain = WEIR_TCP_TIMED | WEIR_TCP_APP_LIMITED | WEIR_TCP_PUSHED;
	const struct weir_tcp_sent *s;

	for (s = weir_tcp_sent_at(t, act->head); s != NULL; s = weir_tcp_sent_at(t, s->next)) {
		if (s->flags & ~plain)
			return false;
	}
	return act->head != 0;
}

bool
weir_tcp_may_ack_all(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;

	if ((act->sacked_segs | act->lost_segs | act->rexmit_segs) != 0 || act->is_tlp ||
		act->is_dsack_seen || act->mtu_size != 0 || act->reo_steps != 1 || c->has_ecn)
		return false;
	return c->cc.ops->sampled == NULL && c->cc.ops->control == NULL &&
	       has_plain_records(t, act);
}

static void
forget_records(struct weir_tcp *t, struct weir_tcp_act *act)
{
	struct weir_tcp_sent *s;
	uint32_t ref = act->head;

	for (; ref != 0; ref = s->next) {
		s = weir_tcp_sent_at(t, ref);
		weir_slab_put_at(&t->sents, s, ref - 1);
	}
	act->head = 0;
	act->tail = 0;
	act->oldest = 0;
	act->newest = 0;
	act->out_segs = 0;
	act->lost_hint = 0;
}

/* A lone small segment's ACK may have been delayed: it is no new minimum after a while. */
static void
note_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, const struct flight *f)
{
	const uint64_t first_us = t->core->now_us - f->first->sent_us;
	const bool may_be_delayed = f->segs == 1 && f->bytes < c->mss;

	if (!may_be_delayed || f->rtt_us <= c->act->min_rtt_us)
		weir_tcp_min_rtt(t, c, f->rtt_us);
	weir_tcp_rtt_sample(t, c, (uint32_t)first_us);
}

static void
note_delivered(struct weir_tcp *t, struct weir_tcp_conn *c, const struct flight *f)
{
	struct weir_tcp_act *act = c->act;

	act->delivered += f->bytes;
	act->delivered_segs += f->segs;
	if (c->has_sack) {
		act->is_rack_news = true;
		act->rack_rtt_us = (uint32_t)(t->core->now_us - f->last->sent_us);
		act->rack_us = f->last->sent_us;
		act->rack_end = f->last->end;
	}
}

static void
sample(struct weir_tcp *t, struct weir_tcp_conn *c, const struct flight *f,
	struct weir_tcp_sample *s)
{
	*s = (struct weir_tcp_sample){
		.now_us = t->core->now_us,
		.acked = f->segs * c->mss,
		.newly_delivered = f->bytes,
		.rtt_us = f->rtt_us,
		.prior_flight = f->segs * c->mss,
		.prior_delivered = f->last->delivered,
		.tx_flight = f->last->tx_flight,
		.is_app_limited = f->last->flags & WEIR_TCP_APP_LIMITED,
	};
	weir_tcp_rate_flight(t, c->act, f->last, s);
}

void
weir_tcp_ack_all(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;
	struct weir_tcp_sample s;
	struct flight f = {
		.first = weir_tcp_sent_at(t, act->head),
		.last = weir_tcp_sent_at(t, act->tail),
		.segs = act->out_segs,
	};

	f.bytes = f.last->end - f.first->seq;
	f.rtt_us = RTE_MAX((uint32_t)(t->core->now_us - f.last->sent_us), 1u);
	note_delivered(t, c, &f);
	note_rtt(t, c, &f);
	sample(t, c, &f, &s);
	forget_records(t, c->act);
	c->rexmit_at = 0;
	c->alarm = WEIR_TCP_ALARM_RTO;
	if (weir_tcp_is_cwnd_in_use(c))
		c->cc.ops->acked(t, c, &s);
}
