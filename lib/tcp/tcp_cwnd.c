/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_output -> tcp_cwnd. A window that was not used proves nothing: RFC 7661, RFC 5681 4.1,
 * as Linux does them. */
#include "tcp_loss_priv.h"

/* RFC 5681 4.1: after an idle time the path is a stranger again. Halved for each time-out. */
void
weir_tcp_restart_after_idle(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_cc *cc = &c->cc;
	const uint64_t now_us = t->core->now_us;
	int64_t idle_us = (int64_t)(now_us - c->sent_us);
	uint32_t floor;

	if (!t->conf.use_idle_restart || idle_us <= c->rto_us || cc->ops->control != NULL)
		return;
	if (cc->ops->event != NULL)
		cc->ops->event(t, c, WEIR_TCP_CC_RESTART);
	cc->ssthresh = weir_tcp_current_ssthresh(c);
	floor = RTE_MIN(cc->cwnd, weir_tcp_initial_cwnd(t, c));
	while ((idle_us -= c->rto_us) > 0 && cc->cwnd > floor)
		cc->cwnd /= 2;
	cc->cwnd = RTE_MAX(cc->cwnd - cc->cwnd % c->mss, floor);
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_RESTART, 0, cc->cwnd,
		(uint32_t)((now_us - c->sent_us) / 1000));
	c->act->cwnd_us = now_us;
	c->act->cwnd_used = 0;
}

/* RFC 2861 3.1: the application, or the peer's window, was the limit for a time-out. */
static void
shrink_unused(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t used = RTE_MAX(act->cwnd_used * c->mss, weir_tcp_initial_cwnd(t, c));

	if (c->ca == WEIR_TCP_CA_OPEN && used < c->cc.cwnd) {
		const uint32_t mean = (c->cc.cwnd + used) / 2;

		c->cc.ssthresh = weir_tcp_current_ssthresh(c);
		c->cc.cwnd = mean - mean % c->mss;
	}
	act->cwnd_used = 0;
	act->cwnd_us = t->core->now_us;
}

/* For a whole window: was cwnd the limit, or how much was under way at most? */
static void
note_use(struct weir_tcp_conn *c, bool is_limited)
{
	struct weir_tcp_act *act = c->act;

	if (weir_seq_lt(c->snd.una, act->usage_seq) && !is_limited &&
		(c->is_cwnd_limited || act->out_segs <= act->max_out))
		return;
	c->is_cwnd_limited = is_limited;
	act->max_out = act->out_segs;
	act->usage_seq = c->snd.max;
}

void
weir_tcp_validate_cwnd(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_sent, bool is_deferred)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t pipe = weir_tcp_pipe(c);
	const bool is_limited = is_deferred || c->cc.cwnd < (pipe + 1) * (uint64_t)c->mss;

	c->cc.flight = pipe * c->mss;
	if (!is_limited && weir_tcp_seq_span(c->snd.end, c->snd.max) < c->mss)
		weir_tcp_rate_app_limited(c);
	if (!is_sent && !is_limited)
		return;
	note_use(c, is_limited);
	if (weir_tcp_is_cwnd_in_use(c)) {
		act->cwnd_used = 0;
		act->cwnd_us = t->core->now_us;
		return;
	}
	act->cwnd_used = RTE_MAX(act->cwnd_used, act->out_segs);
	if (t->conf.use_idle_restart && c->cc.ops->control == NULL &&
		t->core->now_us - act->cwnd_us >= c->rto_us)
		shrink_unused(t, c);
}
