/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_sent -> tcp_rate; tcp_ack -> tcp_rate. draft-ietf-ccwg-bbr 4.1: delivery rate. */
#include "tcp_loss_priv.h"

void
weir_tcp_rate_sent(const struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s)
{
	struct weir_tcp_act *act = c->act;

	s->sent_us = t->core->now_us;
	if (act->out_segs == 0) { /* a flight begins */
		act->first_us = s->sent_us;
		act->delivered_us = s->sent_us;
	}
	s->first_us = act->first_us;
	s->delivered_us = act->delivered_us;
	s->delivered = act->delivered;
	s->lost = act->lost;
	s->tx_flight = weir_tcp_pipe(c) * c->mss + (s->end - s->seq);
	s->flags &= (uint8_t)~WEIR_TCP_APP_LIMITED;
	if (act->app_limited != 0)
		s->flags |= WEIR_TCP_APP_LIMITED;
}

void
weir_tcp_rate_delivered(
	struct weir_tcp_act *act, struct weir_tcp_sent *s, struct weir_tcp_news *news)
{
	if (s->delivered_us == 0)
		return;
	if (news->rate_us == 0 || s->sent_us > news->rate_sent_us ||
		(s->sent_us == news->rate_sent_us && weir_seq_gt(s->end, news->rate_end))) {
		news->rate_us = s->delivered_us;
		news->rate_sent_us = s->sent_us;
		news->rate_end = s->end;
		news->rate_delivered = s->delivered;
		news->rate_lost = s->lost;
		news->rate_flight = s->tx_flight;
		news->rate_interval_us = (uint32_t)(s->sent_us - s->first_us);
		news->is_app_limited = s->flags & WEIR_TCP_APP_LIMITED;
		act->first_us = s->sent_us;
	}
	s->delivered_us = 0;
}

/* The slower of sending and of acknowledging; less than the least round trip is no rate. */
static uint32_t
interval_us(const struct weir_tcp *t, const struct weir_tcp_act *act, uint64_t since_us,
	uint32_t sending_us)
{
	const uint32_t us = RTE_MAX((uint32_t)(t->core->now_us - since_us), sending_us);

	return since_us == 0 || act->is_reneged || us < act->min_rtt_us ? 0 : us;
}

static void
remember_rate(struct weir_tcp_act *act, const struct weir_tcp_sample *s)
{
	if (s->is_app_limited && (uint64_t)s->delivered * act->rate_interval_us <
					 (uint64_t)act->rate_delivered * s->interval_us)
		return;
	act->rate_delivered = s->delivered;
	act->rate_interval_us = s->interval_us;
	act->is_rate_app_limited = s->is_app_limited;
}

static void
end_app_limited(struct weir_tcp_act *act)
{
	if (act->app_limited != 0 && weir_seq_gt(act->delivered, act->app_limited))
		act->app_limited = 0;
}

void
weir_tcp_rate_flight(struct weir_tcp *t, struct weir_tcp_act *act, const struct weir_tcp_sent *last,
	struct weir_tcp_sample *s)
{
	act->first_us = last->sent_us;
	act->delivered_us = t->core->now_us;
	end_app_limited(act);
	s->is_app_limited = last->flags & WEIR_TCP_APP_LIMITED;
	s->interval_us =
		interval_us(t, act, last->delivered_us, (uint32_t)(last->sent_us - last->first_us));
	if (s->interval_us == 0)
		return;
	s->delivered = act->delivered - last->delivered;
	s->lost = act->lost - last->lost;
	remember_rate(act, s);
}

void
weir_tcp_rate_sample(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news,
	struct weir_tcp_sample *s)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t segs = act->delivered_segs - news->prior_delivered;

	*s = (struct weir_tcp_sample){
		.now_us = t->core->now_us,
		.acked = (news->flags & NEWS_ADVANCED) ? segs * c->mss : 0,
		.newly_delivered = act->delivered - news->prior_delivered_bytes,
		.newly_lost = act->lost - news->prior_lost,
		.rtt_us = news->rtt_us,
		.prior_flight = news->prior_pipe * c->mss,
		.prior_delivered = news->rate_delivered,
		.tx_flight = news->rate_flight,
		.is_app_limited = news->is_app_limited,
		.is_ece = (news->flags & NEWS_ECE) != 0,
	};
	if (unlikely(s->is_ece))
		s->ce = weir_tcp_ecn_marked(c, news, s->newly_delivered);
	end_app_limited(act);
	if (s->newly_delivered == 0)
		return;
	act->delivered_us = t->core->now_us;
	s->interval_us = interval_us(t, act, news->rate_us, news->rate_interval_us);
	if (s->interval_us == 0)
		return;
	s->delivered = act->delivered - news->rate_delivered;
	s->lost = act->lost - news->rate_lost;
	remember_rate(act, s);
}

void
weir_tcp_rate_app_limited(struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t at = act->delivered + weir_tcp_pipe(c) * c->mss;

	if (act->lost_segs <= act->rexmit_segs)
		act->app_limited = at != 0 ? at : 1;
}
