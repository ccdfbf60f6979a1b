/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_path.h"

#include <CUnit/Basic.h>

#define START_US UINT64_C(1000000000)
#define REORDER	 3 /* later packets acknowledged that make one lost */
#define RTO_US	 1000000

static struct cc_path_pkt *
pkt(struct cc_path *p, uint32_t n)
{
	return &p->pkts[n % CC_PATH_PKTS];
}

void
cc_path_open(struct cc_path *p, const struct cc_path_conf *conf)
{
	struct weir_tcp_conn *c = &p->conn;

	memset(p, 0, sizeof(*p));
	p->conf = *conf;
	p->conf.burst = RTE_MAX(conf->burst, 1u);
	p->now_us = START_US;
	p->core.now_us = START_US;
	p->tcp.core = &p->core;
	weir_rand_seed(&p->core.rand, 1);
	weir_tcp_conf_default(&p->tcp.conf);
	p->heard_us = START_US;
	p->delivered_us = START_US;
	c->state = WEIR_TCP_ESTABLISHED;
	c->mss = CC_PATH_MSS;
	c->srtt_us = conf->rtt_us;
	c->rto_us = RTO_US;
	c->cc.cwnd = conf->cwnd != 0 ? conf->cwnd : 10 * CC_PATH_MSS;
	c->cc.ssthresh = conf->ssthresh != 0 ? conf->ssthresh : UINT32_MAX;
	c->opts.cc = (uint8_t)weir_tcp_cc_find(conf->cc);
	weir_tcp_cc_choose(&p->tcp, c);
}

static void
tell(struct cc_path *p, enum weir_tcp_cc_event event)
{
	if (p->conn.cc.ops->event != NULL)
		p->conn.cc.ops->event(&p->tcp, &p->conn, event);
}

static void
set_clock(struct cc_path *p, uint64_t now_us)
{
	p->now_us = now_us;
	p->core.now_us = now_us;
}

/* Sending */

static uint32_t
queued(const struct cc_path *p)
{
	return p->free_us > p->now_us
		       ? (uint32_t)((p->free_us - p->now_us) * p->conf.rate_Bps / 1000000)
		       : 0;
}

static void
enqueue(struct cc_path *p, struct cc_path_pkt *k)
{
	const uint32_t queue = queued(p);
	const uint64_t ns =
		p->conf.rate_Bps == 0 ? 0 : CC_PATH_MSS * UINT64_C(1000000000) / p->conf.rate_Bps;

	p->queue_sum += queue;
	p->queue_n++;
	p->queue_max = RTE_MAX(p->queue_max, queue);
	k->is_dropped = (p->conf.buffer != 0 && queue + CC_PATH_MSS > p->conf.buffer) ||
			(p->conf.lose_one_in != 0 &&
				weir_rand_below(&p->core.rand, p->conf.lose_one_in) == 0);
	k->acked_us = p->now_us + p->conf.rtt_us;
	if (k->is_dropped) {
		p->drops++;
		return;
	}
	k->is_ce = p->conf.mark != 0 && queue > p->conf.mark;
	p->marks += k->is_ce;
	if (p->free_us < p->now_us) {
		p->free_us = p->now_us;
		p->free_ns = 0;
	}
	p->free_ns += ns;
	p->free_us += p->free_ns / 1000;
	p->free_ns %= 1000;
	k->acked_us = p->free_us + p->conf.rtt_us;
}

static void
send_one(struct cc_path *p)
{
	struct weir_tcp_conn *c = &p->conn;
	struct cc_path_pkt *k = pkt(p, p->next);

	if (p->flight == 0) {
		p->first_us = p->now_us;
		p->delivered_us = p->now_us;
	}
	*k = (struct cc_path_pkt){.sent_us = p->now_us,
		.first_us = p->first_us,
		.delivered_us = p->delivered_us,
		.delivered = p->delivered,
		.lost = p->lost};
	enqueue(p, k);
	p->next++;
	p->flight += CC_PATH_MSS;
	k->tx_flight = p->flight;
	c->snd.max += CC_PATH_MSS;
	c->snd.nxt = c->snd.max;
	c->sent_us = p->now_us;
	if (c->cc.pacing_bps != 0)
		p->pace_us = RTE_MAX(p->pace_us, p->now_us - RTE_MIN(p->now_us, UINT64_C(1000))) +
			     CC_PATH_MSS * UINT64_C(1000000) / c->cc.pacing_bps;
}

static bool
may_send(const struct cc_path *p)
{
	return p->flight + CC_PATH_MSS <= p->conn.cc.cwnd && p->next - p->first < CC_PATH_PKTS;
}

static void
send_all(struct cc_path *p)
{
	while (may_send(p) && (p->conn.cc.pacing_bps == 0 || p->pace_us <= p->now_us))
		send_one(p);
	p->conn.cc.flight = p->flight;
}

/* Receiving ACKs */

static void
enter_recovery(struct cc_path *p, bool is_mark)
{
	struct weir_tcp_cc *cc = &p->conn.cc;

	p->is_recovery = true;
	p->recover = p->next;
	p->events++;
	p->conn.is_ecn_reducing = is_mark;
	cc->ssthresh = cc->ops->ssthresh(&p->tcp, &p->conn);
	p->conn.is_ecn_reducing = false;
	if (cc->ops->control == NULL)
		cc->cwnd = cc->ssthresh;
	tell(p, WEIR_TCP_CC_RECOVERY);
}

static void
add_pkt(struct cc_path *p, const struct cc_path_pkt *k, struct weir_tcp_sample *s)
{
	const uint64_t send_us = k->sent_us - k->first_us;
	const uint64_t ack_us = p->now_us - k->delivered_us;

	p->delivered += CC_PATH_MSS;
	p->delivered_us = p->now_us;
	p->flight -= CC_PATH_MSS;
	p->first_us = k->sent_us;
	s->acked += CC_PATH_MSS;
	s->newly_delivered += CC_PATH_MSS;
	s->ce += k->is_ce ? CC_PATH_MSS : 0;
	s->is_ece = s->is_ece || k->is_ce;
	s->rtt_us = (uint32_t)(p->now_us - k->sent_us);
	s->prior_delivered = k->delivered;
	s->delivered = p->delivered - k->delivered;
	s->interval_us = (uint32_t)RTE_MAX(send_us, ack_us);
	s->tx_flight = k->tx_flight;
	s->lost = p->lost - k->lost;
}

static void
lose_before(struct cc_path *p, uint32_t n, struct weir_tcp_sample *s)
{
	for (; p->first != n; p->first++) {
		if (!pkt(p, p->first)->is_dropped)
			continue;
		p->flight -= CC_PATH_MSS;
		p->lost += CC_PATH_MSS;
		s->newly_lost += CC_PATH_MSS;
	}
}

static void
update_rtt(struct weir_tcp_conn *c, uint32_t rtt_us)
{
	c->srtt_us = c->srtt_us - c->srtt_us / 8 + rtt_us / 8;
}

static void
tell_acked(struct cc_path *p, const struct weir_tcp_sample *s)
{
	struct weir_tcp_conn *c = &p->conn;
	const struct weir_tcp_cc_ops *ops = c->cc.ops;

	if (ops->sampled != NULL)
		ops->sampled(&p->tcp, c, s);
	if (p->is_recovery && (int32_t)(p->first - p->recover) >= 0) {
		p->is_recovery = false;
		tell(p, WEIR_TCP_CC_RECOVERED);
	}
	if (!p->is_recovery && (s->newly_lost > 0 || s->is_ece))
		enter_recovery(p, s->newly_lost == 0);
	if (ops->control != NULL)
		ops->control(&p->tcp, c, s);
	else if (!p->is_recovery && s->prior_flight + 2u * c->mss > c->cc.cwnd)
		ops->acked(&p->tcp, c, s);
}

/* Packets arrive in order: those before it that are missing were dropped. */
static void
take_acks(struct cc_path *p)
{
	struct weir_tcp_sample s = {.now_us = p->now_us, .prior_flight = p->flight};
	uint32_t n = p->first, got = 0, last = p->first;

	for (; n != p->next && got < p->conf.burst; n++) {
		struct cc_path_pkt *k = pkt(p, n);

		if (k->is_dropped)
			continue;
		if (k->acked_us > p->now_us)
			break;
		if (k->acked_us != 0) {
			add_pkt(p, k, &s);
			k->acked_us = 0;
			got++;
		}
		last = n + 1;
	}
	if (got == 0)
		return;
	p->heard_us = p->now_us;
	lose_before(p, last, &s);
	p->conn.snd.una = p->first * CC_PATH_MSS;
	update_rtt(&p->conn, s.rtt_us);
	tell_acked(p, &s);
}

static uint64_t
next_ack_us(struct cc_path *p)
{
	uint32_t left = p->conf.burst;
	uint64_t at_us = UINT64_MAX;

	for (uint32_t n = p->first; n != p->next && left > 0; n++) {
		if (pkt(p, n)->is_dropped)
			continue;
		at_us = pkt(p, n)->acked_us;
		left--;
	}
	return at_us;
}

/* Nothing is heard any more: what is under way is lost. */
static void
time_out(struct cc_path *p)
{
	struct weir_tcp_cc *cc = &p->conn.cc;
	struct weir_tcp_sample s = {.now_us = p->now_us};

	lose_before(p, p->next, &s);
	p->heard_us = p->now_us;
	p->conn.snd.una = p->conn.snd.max;
	cc->ssthresh = cc->ops->ssthresh(&p->tcp, &p->conn);
	cc->cwnd = CC_PATH_MSS;
	p->is_recovery = false;
	tell(p, WEIR_TCP_CC_TIMEOUT);
}

void
cc_path_run(struct cc_path *p, uint64_t us)
{
	const uint64_t until = p->now_us + us;

	for (;;) {
		uint64_t next;

		send_all(p);
		next = RTE_MIN(next_ack_us(p), p->heard_us + RTO_US);
		if (may_send(p))
			next = RTE_MIN(next, p->pace_us);
		if (next > until)
			break;
		set_clock(p, RTE_MAX(next, p->now_us));
		if (next == p->heard_us + RTO_US)
			time_out(p);
		else
			take_acks(p);
	}
	set_clock(p, until);
}

unsigned int
cc_path_use(struct cc_path *p, uint64_t us)
{
	const uint32_t before = p->delivered;

	cc_path_run(p, us);
	return (unsigned int)((p->delivered - before) * UINT64_C(100000000) /
			      (p->conf.rate_Bps * us));
}

void
cc_path_ack(struct cc_path *p, uint32_t n, uint32_t rtt_us)
{
	const struct weir_tcp_sample s = {.now_us = p->now_us,
		.acked = n,
		.newly_delivered = n,
		.rtt_us = rtt_us,
		.prior_flight = p->conn.cc.cwnd};

	p->conn.snd.una += n;
	if (weir_seq_lt(p->conn.snd.max, p->conn.snd.una + p->conn.cc.cwnd))
		p->conn.snd.max = p->conn.snd.una + p->conn.cc.cwnd;
	p->conn.snd.nxt = p->conn.snd.max;
	p->conn.cc.ops->acked(&p->tcp, &p->conn, &s);
}

void
cc_path_lose(struct cc_path *p)
{
	struct weir_tcp_cc *cc = &p->conn.cc;

	cc->ssthresh = cc->ops->ssthresh(&p->tcp, &p->conn);
	cc->cwnd = cc->ssthresh;
	tell(p, WEIR_TCP_CC_RECOVERY);
	tell(p, WEIR_TCP_CC_RECOVERED);
}
