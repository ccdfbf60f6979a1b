/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: worker/timers -> tcp_timer -> (flush) tcp_output */
#include "tcp_loss_priv.h"
#include "tcp_mtu_probe.h"

#define BLACK_HOLE_RETRIES 3 /* RFC 1122 4.2.3.5, R1 */

/*
 * One wheel entry serves all deadlines of a connection. It is armed no later than the earliest;
 * a deadline that moves later or goes away leaves it: then it fires for nothing, once.
 */
uint64_t
weir_tcp_next_us(const struct weir_tcp_conn *c)
{
	const uint64_t all[] = {c->rexmit_at, c->delack_at, c->keep_at, c->end_at, c->pace_at};
	uint64_t next = WEIR_WHEEL_NEVER;

	for (unsigned int i = 0; i < RTE_DIM(all); i++) {
		if (all[i] != 0)
			next = RTE_MIN(next, all[i]);
	}
	return next;
}

static void
arm(struct weir_tcp *t, struct weir_tcp_conn *c, uint64_t at_us)
{
	if (!weir_wheel_is_armed(&c->timer) || at_us < c->timer.deadline_us)
		weir_wheel_arm(t->core->wheel, &c->timer, at_us);
}

void
weir_tcp_timer_set(struct weir_tcp *t, struct weir_tcp_conn *c, uint64_t *deadline, uint64_t at_us)
{
	*deadline = at_us;
	arm(t, c, at_us);
}

void
weir_tcp_timer_resume(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint64_t next_us = weir_tcp_next_us(c);

	if (next_us != WEIR_WHEEL_NEVER)
		arm(t, c, next_us);
}

static uint64_t
user_timeout_us(const struct weir_tcp_conn *c)
{
	return c->opts.user_timeout_ms * UINT64_C(1000);
}

void
weir_tcp_alarm(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_alarm what, uint64_t us)
{
	uint64_t at_us = t->core->now_us + RTE_MAX(us, 1u);

	if (c->opts.user_timeout_ms != 0 && c->retrans_since_us != 0 && what == WEIR_TCP_ALARM_RTO)
		at_us = RTE_MAX(RTE_MIN(at_us, c->retrans_since_us + user_timeout_us(c)),
			t->core->now_us + 1);
	c->alarm = (uint8_t)what;
	weir_tcp_timer_set(t, c, &c->rexmit_at, at_us);
}

uint64_t
weir_tcp_rto_left_us(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const struct weir_tcp_sent *head = weir_tcp_sent_at(t, c->act->head);
	const uint64_t now_us = t->core->now_us;

	if (head == NULL || head->sent_us + c->rto_us <= now_us)
		return 0;
	return head->sent_us + c->rto_us - now_us;
}

/* From now on, or in place of another timer as if it had run since the first segment was sent. */
void
weir_tcp_rearm_rto(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->act->out_segs == 0) {
		c->rexmit_at = 0;
		c->alarm = WEIR_TCP_ALARM_RTO;
		return;
	}
	weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO,
		c->alarm == WEIR_TCP_ALARM_RTO ? c->rto_us : weir_tcp_rto_left_us(t, c));
}

void
weir_tcp_start_timer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!weir_tcp_tlp_start(t, c, true))
		weir_tcp_rearm_rto(t, c);
}

static bool
is_due(const struct weir_tcp *t, uint64_t *deadline)
{
	if (*deadline == 0 || *deadline > t->core->now_us)
		return false;
	*deadline = 0;
	return true;
}

/* Give up: the latest ICMP error says more than a time-out does. */
static void
time_out(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const int error = c->soft_error != 0 ? c->soft_error : ETIMEDOUT;

	t->stats.timeouts++;
	weir_tcp_trace_log(t, c, error);
	weir_tcp_finish(t, c, error);
}

static unsigned int
retries_max(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	if (c->state == WEIR_TCP_SYN_SENT)
		return c->opts.syn_retries != 0 ? c->opts.syn_retries : t->conf.syn_retries;
	if (c->state == WEIR_TCP_SYN_RECEIVED) /* simultaneous open */
		return t->conf.synack_retries;
	return c->is_orphan ? RTE_MIN(t->conf.orphan_retries, t->conf.data_retries)
			    : t->conf.data_retries;
}

/* RFC 9293 3.8.3: R2 by number, or the user time-out. */
static bool
has_waited_enough(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	if (c->opts.user_timeout_ms != 0 && c->state >= WEIR_TCP_ESTABLISHED)
		return c->retrans_since_us != 0 &&
		       t->core->now_us - c->retrans_since_us >= user_timeout_us(c);
	return c->retries >= retries_max(t, c);
}

/* Now, wait_us after what is unanswered was sent; and never past the user time-out. */
static void
start_waiting(struct weir_tcp *t, struct weir_tcp_conn *c, uint64_t since_us, uint64_t next_us)
{
	if (c->retrans_since_us == 0)
		c->retrans_since_us = since_us;
	if (c->opts.user_timeout_ms != 0 && c->state >= WEIR_TCP_ESTABLISHED)
		next_us = RTE_MIN(next_us, c->retrans_since_us + user_timeout_us(c));
	weir_tcp_timer_set(t, c, &c->rexmit_at, RTE_MAX(next_us, t->core->now_us + 1));
}

/* RFC 6298 5.4 to 5.7: what was sent first goes again; a SYN by itself, the rest by tcp_loss.c. */
static void
lose_all(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->state < WEIR_TCP_ESTABLISHED) {
		c->snd.nxt = c->iss;
		c->is_timing = false;
		return;
	}
	weir_tcp_enter_loss(t, c);
	c->is_rexmit_due = true;
}

/* @return whether c is still there */
static bool
rto_expired(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint64_t now_us = t->core->now_us;
	const uint64_t since_us = now_us - c->rto_us;
	const bool is_given_up = has_waited_enough(t, c);

	if (unlikely(c->fo != 0))
		weir_tcp_fastopen_timed_out(t, c, is_given_up);
	if (is_given_up) {
		time_out(t, c);
		return false;
	}
	t->stats.rto_fired++;
	weir_tcp_trace(
		t, c, WEIR_TCP_EVENT_RTO, c->retries, weir_tcp_sent_pos(c, c->snd.una), c->rto_us);
	if (unlikely(t->conf.mtu_probing != 0) && c->retries >= BLACK_HOLE_RETRIES &&
		c->state >= WEIR_TCP_ESTABLISHED)
		weir_tcp_mtu_black_hole(t, c);
	lose_all(t, c);
	/* A peer that answers with a closed window is alive (RFC 9293 3.8.6). */
	if (c->snd.wnd != 0 || now_us - c->heard_us > weir_tcp_rto_max_us(t, &c->opts) ||
		c->state < WEIR_TCP_ESTABLISHED)
		c->retries++;
	c->rto_us = RTE_MIN(2 * (uint64_t)c->rto_us, weir_tcp_rto_max_us(t, &c->opts));
	c->alarm = WEIR_TCP_ALARM_RTO;
	start_waiting(t, c, since_us, now_us + c->rto_us);
	weir_tcp_want_output(t, c);
	return true;
}

/* @return whether c is still there */
static bool
rexmit_expired(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	switch ((enum weir_tcp_alarm)c->alarm) {
	case WEIR_TCP_ALARM_PROBE:
		weir_tcp_tlp_expired(t, c);
		return true;
	case WEIR_TCP_ALARM_REORDER:
		weir_tcp_rack_expired(t, c);
		return true;
	default:
		return rto_expired(t, c);
	}
}

static bool
is_window_open(const struct weir_tcp_conn *c)
{
	return weir_seq_gt(c->snd.una + c->snd.wnd, c->snd.nxt);
}

/*
 * A peer that keeps its window closed holds what nobody on this side waits for any more: as on
 * Linux, that ends when the probes have become as rare as they get.
 */
static bool
is_orphan_stalled(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	return c->is_orphan && c->backoff >= t->conf.orphan_retries &&
	       (uint64_t)c->rto_us << c->backoff >= weir_tcp_rto_max_us(t, &c->opts);
}

/* Something waits, nothing is under way. @return whether c is still there */
static bool
persist_expired(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint64_t now_us = t->core->now_us;
	uint64_t wait_us;

	if (has_waited_enough(t, c) || is_orphan_stalled(t, c)) {
		time_out(t, c);
		return false;
	}
	if (is_window_open(c)) { /* held back to avoid small segments, or corked: long enough */
		c->is_forced = true;
		c->is_more = false;
		c->is_persist = false;
		weir_tcp_want_output(t, c);
		return true;
	}
	c->retries++;
	c->backoff = RTE_MIN(c->backoff + 1, 30);
	t->stats.zero_window_probes++;
	weir_tcp_send_probe(t, c);
	wait_us = RTE_MIN((uint64_t)c->rto_us << c->backoff, weir_tcp_rto_max_us(t, &c->opts));
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_WND_PROBE, c->backoff, weir_tcp_sent_pos(c, c->snd.una),
		(uint32_t)wait_us);
	start_waiting(t, c, now_us, now_us + wait_us);
	return true;
}

void
weir_tcp_timer_keep(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->keep_probes = 0;
	c->keep_at = 0;
	if (c->opts.is_keepalive && c->state >= WEIR_TCP_ESTABLISHED)
		weir_tcp_timer_set(t, c, &c->keep_at,
			t->core->now_us + c->opts.keep_idle_s * UINT64_C(1000000));
}

static bool
has_kept_enough(const struct weir_tcp_conn *c, uint64_t idle_us)
{
	if (c->opts.user_timeout_ms != 0)
		return c->keep_probes > 0 && idle_us >= user_timeout_us(c);
	return c->keep_probes >= c->opts.keep_cnt;
}

/* RFC 9293 3.8.4. @return whether c is still there */
static bool
keep_expired(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint64_t idle_us = t->core->now_us - c->heard_us;
	const uint64_t limit_us = c->opts.keep_idle_s * UINT64_C(1000000);

	if (idle_us < limit_us || weir_tcp_is_in_flight(c) || weir_tcp_has_unsent(c)) {
		c->keep_probes = 0; /* the retransmission timer watches, or the peer was heard */
		weir_tcp_timer_set(t, c, &c->keep_at,
			idle_us < limit_us ? c->heard_us + limit_us : t->core->now_us + limit_us);
		return true;
	}
	if (has_kept_enough(c, idle_us)) {
		weir_tcp_send_rst(t, c);
		if (c->end != NULL)
			weir_ready_add(t->ready, &c->ready, WEIR_READY_KEEPALIVEDOWN);
		time_out(t, c);
		return false;
	}
	c->keep_probes++;
	t->stats.keepalive_probes++;
	weir_tcp_trace(
		t, c, WEIR_TCP_EVENT_KEEP_PROBE, c->keep_probes, (uint32_t)(idle_us / 1000), 0);
	weir_tcp_send_probe(t, c);
	weir_tcp_timer_set(
		t, c, &c->keep_at, t->core->now_us + c->opts.keep_intvl_s * UINT64_C(1000000));
	return true;
}

/* TCP_LINGER2, or the stack's. */
static uint64_t
fin_wait_2_us(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	if (c->opts.linger2_s < 0)
		return 1; /* not at all */
	return c->opts.linger2_s != 0 ? (uint64_t)c->opts.linger2_s * 1000000
				      : t->conf.fin_wait_2_us;
}

void
weir_tcp_fin_wait_2(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->state != WEIR_TCP_FIN_WAIT_2)
		weir_tcp_set_state(t, c, WEIR_TCP_FIN_WAIT_2);
	if (c->is_orphan && c->end_at == 0)
		weir_tcp_timer_set(t, c, &c->end_at, t->core->now_us + fin_wait_2_us(t, c));
}

void
weir_tcp_timer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (is_due(t, &c->end_at)) {
		weir_tcp_finish(t, c, 0);
		return;
	}
	if (is_due(t, &c->delack_at)) {
		c->is_interactive = false;
		weir_tcp_ack_now(t, c);
	}
	if (is_due(t, &c->pace_at))
		weir_tcp_want_output(t, c);
	if (is_due(t, &c->keep_at) && !keep_expired(t, c))
		return;
	if (is_due(t, &c->rexmit_at) &&
		!(c->is_persist ? persist_expired(t, c) : rexmit_expired(t, c)))
		return;
	weir_tcp_timer_resume(t, c);
}
