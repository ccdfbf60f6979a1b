/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack, tcp_timer -> tcp_rack. RFC 8985 6: what was sent before something delivered is
 * lost when a round trip and a reordering window have passed. */
#include "tcp_loss_priv.h"

#define PERSIST 16 /* recoveries that a wider window lasts: RFC 8985 6.2, step 4 */

static bool
is_sent_after(uint64_t us_a, uint32_t end_a, uint64_t us_b, uint32_t end_b)
{
	return us_a > us_b || (us_a == us_b && weir_seq_gt(end_a, end_b));
}

/* Was it the first transmission that was delivered? Then that was not sent at sent_us. */
static bool
is_needless(const struct weir_tcp_conn *c, const struct weir_tcp_sent *s,
	const struct weir_tcp_seg *seg)
{
	return weir_tcp_echoes_before(c, seg, (uint32_t)(s->sent_us / 1000) + c->ts_offset);
}

/* Steps 1 and 2 */
void
weir_tcp_rack_delivered(const struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_sent *s, const struct weir_tcp_seg *seg)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t rtt_us = (uint32_t)(t->core->now_us - s->sent_us);

	if (unlikely(s->flags & WEIR_TCP_REXMIT_EVER) &&
		(rtt_us < act->min_rtt_us || is_needless(c, s, seg)))
		return;
	act->is_rack_news = true;
	act->rack_rtt_us = rtt_us;
	if (is_sent_after(s->sent_us, s->end, act->rack_us, act->rack_end)) {
		act->rack_us = s->sent_us;
		act->rack_end = s->end;
	}
}

/* Step 4. Without reordering seen, three segments SACKed prove a loss, and in recovery any. */
static uint32_t
reo_wnd_us(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;

	if (act->reord_seen == 0 &&
		(c->ca >= WEIR_TCP_CA_RECOVERY || act->sacked_segs >= act->reordering))
		return 0;
	return RTE_MIN(act->min_rtt_us / 4 * act->reo_steps, c->srtt_us);
}

void
weir_tcp_rack_adapt(struct weir_tcp_act *act, const struct weir_tcp_news *news)
{
	if (news->rate_us == 0)
		return;
	if (weir_seq_lt(news->rate_delivered, act->reo_delivered))
		act->is_dsack_seen = false; /* no round trip since it was widened */
	if (act->is_dsack_seen) {
		act->reo_steps = (uint8_t)RTE_MIN(act->reo_steps + 1, UINT8_MAX);
		act->is_dsack_seen = false;
		act->reo_delivered = act->delivered;
		act->reo_persist = PERSIST;
	} else if (act->reo_persist == 0) {
		act->reo_steps = 1;
	}
}

int64_t
weir_tcp_rack_left_us(const struct weir_tcp *t, const struct weir_tcp_conn *c,
	const struct weir_tcp_sent *s, uint32_t reo_us)
{
	return (int64_t)c->act->rack_rtt_us + reo_us - (int64_t)(t->core->now_us - s->sent_us);
}

/* Step 5. @return us until the last of those that may be lost is; 0: none waits */
static uint64_t
detect(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t reo_us = reo_wnd_us(c);
	struct weir_tcp_sent *s = weir_tcp_sent_at(t, act->oldest), *next;
	int64_t wait_us = 0;

	for (; s != NULL && is_sent_after(act->rack_us, act->rack_end, s->sent_us, s->end);
		s = next) {
		const int64_t left_us = weir_tcp_rack_left_us(t, c, s, reo_us);

		next = weir_tcp_sent_at(t, s->later);
		if (left_us <= 0)
			weir_tcp_sent_lost(t, c, s);
		else
			wait_us = RTE_MAX(wait_us, left_us);
	}
	return (uint64_t)wait_us;
}

bool
weir_tcp_rack_mark(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	uint64_t wait_us;

	if (!c->act->is_rack_news)
		return false;
	c->act->is_rack_news = false;
	wait_us = detect(t, c);
	if (wait_us == 0)
		return false;
	weir_tcp_alarm(t, c, WEIR_TCP_ALARM_REORDER,
		RTE_MIN(wait_us + WEIR_TCP_PROBE_MIN_US, (uint64_t)c->rto_us));
	return true;
}

void
weir_tcp_rack_expired(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t pipe = weir_tcp_pipe(c);
	const uint64_t wait_us = detect(t, c);

	if (weir_tcp_pipe(c) != pipe) {
		if (c->ca != WEIR_TCP_CA_RECOVERY) {
			weir_tcp_enter_recovery(t, c);
			if (c->cc.ops->control == NULL)
				weir_tcp_reduce(c, 1, false);
		}
		c->is_rexmit_due = true;
		weir_tcp_want_output(t, c);
	}
	if (wait_us != 0)
		weir_tcp_alarm(t, c, WEIR_TCP_ALARM_REORDER, wait_us + WEIR_TCP_PROBE_MIN_US);
	else
		weir_tcp_rearm_rto(t, c);
}
