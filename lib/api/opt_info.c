/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP_INFO, TCP_CC_INFO, SO_MEMINFO: what the worker knows, in the kernel's layouts. */
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include "opt_priv.h"

/* struct tcp_info of Linux 6.18, of which the header at hand may have but the first part. */
struct info {
	struct tcp_info i;
	uint32_t rcv_wnd;
	uint32_t rehash;
	uint16_t total_rto;
	uint16_t total_rto_recoveries;
	uint32_t total_rto_time;
	uint32_t received_ce;	     /* from here on accurate ECN (RFC 9768) */
	uint32_t delivered_bytes[3]; /* ECT(1), ECT(0), CE, as all of these */
	uint32_t received_bytes[3];
	uint32_t ecn; /* mode, 2 bits; option seen, 2 bits; what failed, 4 bits */
};

static_assert(offsetof(struct info, rcv_wnd) == 232, "the header at hand is of Linux 5.4 to 6.1");
static_assert(sizeof(struct info) == WEIR_OPT_INFO_LEN, "as in the table");
static_assert(SK_MEMINFO_VARS * sizeof(uint32_t) == WEIR_OPT_MEMINFO_LEN, "as in the table");
static_assert(WEIR_OPT_INFO_LEN <= WEIR_OPT_MAX, "room for any value");

#define NO_SSTHRESH INT32_MAX

/* The numbers of include/net/tcp_states.h. */
static const uint8_t kernel_state[WEIR_TCP_STATES] = {
	[WEIR_TCP_CLOSED] = 7,
	[WEIR_TCP_LISTEN] = 10,
	[WEIR_TCP_SYN_SENT] = 2,
	[WEIR_TCP_SYN_RECEIVED] = 3,
	[WEIR_TCP_ESTABLISHED] = 1,
	[WEIR_TCP_FIN_WAIT_1] = 4,
	[WEIR_TCP_FIN_WAIT_2] = 5,
	[WEIR_TCP_CLOSE_WAIT] = 8,
	[WEIR_TCP_CLOSING] = 11,
	[WEIR_TCP_LAST_ACK] = 9,
	[WEIR_TCP_TIME_WAIT] = 6,
};

struct query {
	struct weir_sock *s;
	uint64_t now_us;
	struct info info;
};

static uint32_t
segments(const struct weir_tcp_conn *c, uint32_t bytes)
{
	return c->mss != 0 ? (bytes + c->mss - 1) / c->mss : 0;
}

static uint32_t
ms_since(uint64_t now_us, uint64_t then_us)
{
	return then_us != 0 && now_us > then_us ? (uint32_t)((now_us - then_us) / 1000) : 0;
}

static uint8_t
options_of(const struct weir_tcp_conn *c)
{
	return (uint8_t)((c->has_ts ? TCPI_OPT_TIMESTAMPS : 0) | (c->has_sack ? TCPI_OPT_SACK : 0) |
			 (c->has_wscale ? TCPI_OPT_WSCALE : 0) | (c->has_ecn ? TCPI_OPT_ECN : 0) |
			 (c->fo & WEIR_TCP_TFO_ACKED ? TCPI_OPT_SYN_DATA : 0));
}

/* Linux counts in milliseconds, rounded up. */
static uint32_t
whole_ms(uint32_t us)
{
	return (us + 999) / 1000 * 1000;
}

/* Each limit is one of being busy. */
static void
fill_limits(const struct weir_tcp_conn *c, uint64_t now_us, struct tcp_info *i)
{
	const struct weir_tcp_act *act = c->act;
	const bool is_idle = act->out_segs == 0 && c->snd.nxt == c->snd.end;
	uint64_t us[WEIR_TCP_LIMITS];

	memcpy(us, act->limit_us, sizeof(us));
	us[act->limit] += (is_idle ? act->delivered_us : now_us) - act->limit_since_us;
	i->tcpi_rwnd_limited = us[WEIR_TCP_LIMIT_RWND];
	i->tcpi_sndbuf_limited = us[WEIR_TCP_LIMIT_SNDBUF];
	i->tcpi_busy_time =
		us[WEIR_TCP_LIMIT_BUSY] + us[WEIR_TCP_LIMIT_RWND] + us[WEIR_TCP_LIMIT_SNDBUF];
}

/* Of what was sent once, all that is not under way; and the SYN and the FIN, as in Linux. */
static uint64_t
bytes_acked(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;
	const uint32_t text_max = weir_seq_min(c->snd.max, c->snd.end);
	const uint32_t text_una = weir_seq_min(c->snd.una, c->snd.end);

	if (c->state < WEIR_TCP_ESTABLISHED)
		return 0;
	return act->bytes_sent - act->bytes_rexmit - (text_max - text_una) + c->is_active +
	       (c->snd.una - text_una);
}

static uint64_t
bytes_received(const struct weir_tcp_conn *c)
{
	const uint64_t wraps = c->rcv_wraps + (c->rcv.nxt < c->last_ack_sent);

	if (c->state < WEIR_TCP_ESTABLISHED)
		return 0;
	return (wraps << 32) + c->rcv.nxt - c->irs - 1 - c->is_fin_rcvd;
}

/* What both sides have counted so far. The SYN counts for the side that sent it, as in Linux. */
static void
fill_counts(const struct weir_tcp_conn *c, struct tcp_info *i)
{
	const struct weir_tcp_act *act = c->act;
	const bool is_open = c->state >= WEIR_TCP_ESTABLISHED;

	const uint32_t first = act->delivered_segs + act->out_segs - act->sacked_segs;

	i->tcpi_bytes_acked = bytes_acked(c);
	i->tcpi_bytes_received = bytes_received(c);
	i->tcpi_bytes_sent = act->bytes_sent;
	i->tcpi_bytes_retrans = act->bytes_rexmit;
	i->tcpi_segs_out = first + c->rexmits + c->empty_out;
	i->tcpi_segs_in = c->ready.n_in;
	i->tcpi_data_segs_out = first + c->rexmits;
	i->tcpi_data_segs_in = c->ready.n_in - RTE_MIN(act->acks_in, c->ready.n_in);
	i->tcpi_delivered = act->delivered_segs + is_open;
	i->tcpi_delivered_ce = act->delivered_ce;
	i->tcpi_dsack_dups = act->dsacks;
	i->tcpi_reord_seen = act->reord_seen;
}

static void
fill_rate(const struct weir_tcp_conn *c, struct tcp_info *i)
{
	const struct weir_tcp_act *act = c->act;
	const uint64_t max = c->opts.max_pacing_bps;
	const uint64_t bps = weir_tcp_pace_bps(c);

	i->tcpi_min_rtt = act->min_rtt_us != 0 ? act->min_rtt_us : UINT32_MAX;
	i->tcpi_delivery_rate_app_limited = act->is_rate_app_limited;
	if (act->rate_interval_us != 0)
		i->tcpi_delivery_rate =
			(uint64_t)act->rate_delivered * 1000000 / act->rate_interval_us;
	i->tcpi_pacing_rate = bps != 0 ? bps : UINT64_MAX;
	i->tcpi_max_pacing_rate = max != 0 ? max : UINT64_MAX;
}

static void
fill_sending(const struct weir_tcp_conn *c, struct tcp_info *i)
{
	i->tcpi_snd_mss = c->mss;
	i->tcpi_unacked = c->act->out_segs;
	i->tcpi_sacked = c->act->sacked_segs;
	i->tcpi_lost = c->act->lost_segs;
	i->tcpi_retrans = c->act->rexmit_segs;
	i->tcpi_snd_cwnd = RTE_MAX(c->cc.cwnd / RTE_MAX(c->mss, (uint16_t)1), 1u);
	i->tcpi_snd_ssthresh =
		c->cc.ssthresh == UINT32_MAX ? NO_SSTHRESH : segments(c, c->cc.ssthresh);
	i->tcpi_total_retrans = c->rexmits;
	i->tcpi_retransmits = c->is_persist ? 0 : c->retries;
	i->tcpi_probes = c->is_persist ? c->retries : c->keep_probes;
	i->tcpi_backoff = c->is_persist ? c->backoff : c->retries;
	i->tcpi_reordering = c->act->reordering;
	i->tcpi_notsent_bytes = c->snd.end - weir_seq_min(c->snd.end, c->snd.max);
	i->tcpi_snd_wnd = c->snd.wnd;
}

static void
fill_receiving(const struct weir_tcp *t, const struct weir_sock *s, const struct weir_tcp_conn *c,
	struct tcp_info *i)
{
	i->tcpi_rcv_mss = c->rcv.mss;
	i->tcpi_advmss = weir_tcp_advertised_mss(c);
	i->tcpi_rcv_ssthresh = c->opts.rcvbuf / 2;
	i->tcpi_rcv_space = c->rcv.adv - c->rcv.nxt;
	i->tcpi_ato = s->data_us != 0 ? t->conf.delack_us : 0;
	i->tcpi_rcv_ooopack = c->ooo.n;
}

static void
fill_ecn(const struct weir_tcp_conn *c, struct info *info)
{
	const struct weir_tcp_accecn *a = &c->act->accecn;
	const unsigned int mode = !c->has_ecn			      ? WEIR_TCP_ECN_MODE_NONE
				  : a->mode == WEIR_TCP_ECN_MODE_NONE ? WEIR_TCP_ECN_MODE_CLASSIC
								      : a->mode;

	info->rcv_wnd = c->rcv.adv - c->rcv.nxt;
	info->received_ce = a->received_ce;
	memcpy(info->delivered_bytes, a->delivered, sizeof(a->delivered));
	memcpy(info->received_bytes, a->received, sizeof(a->received));
	info->ecn = mode | (unsigned int)a->seen << 2 | (unsigned int)a->fail << 4;
}

static void
fill(const struct weir_tcp *t, const struct weir_sock *s, const struct weir_tcp_conn *c,
	uint64_t now_us, struct tcp_info *i)
{
	i->tcpi_state = kernel_state[c->state];
	i->tcpi_ca_state = c->ca; /* numbered alike */
	i->tcpi_options = options_of(c);
	i->tcpi_fastopen_client_fail = (c->fo >> WEIR_TCP_TFO_FAIL_SHIFT) & 3;
	i->tcpi_snd_wscale = c->snd.wscale & 15;
	i->tcpi_rcv_wscale = c->rcv.wscale & 15;
	i->tcpi_rto = whole_ms(c->rto_us);
	i->tcpi_rtt = c->srtt_us;
	i->tcpi_rttvar = c->rttvar_us;
	i->tcpi_pmtu = c->pmtu != 0 ? RTE_MIN(c->pmtu, c->dst.mtu) : c->dst.mtu;
	i->tcpi_last_data_sent = ms_since(now_us, c->sent_us);
	i->tcpi_last_ack_recv = ms_since(now_us, c->heard_us);
	i->tcpi_last_data_recv = ms_since(now_us, s->data_us != 0 ? s->data_us : c->heard_us);
	fill_sending(c, i);
	fill_receiving(t, s, c, i);
	fill_counts(c, i);
	fill_rate(c, i);
	fill_limits(c, now_us, i);
}

static int
info_on(struct weir_worker *w, void *arg)
{
	struct query *q = arg;

	if (!weir_sock_rouse(&w->sock, q->s))
		return -ENOBUFS;
	if (q->s->tcp.conn != NULL) {
		fill(&w->tcp, q->s, q->s->tcp.conn, q->now_us, &q->info.i);
		fill_ecn(q->s->tcp.conn, &q->info);
	}
	return 0;
}

int
weir_opt_get_info(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	struct query q = {
		.s = s,
		.now_us = weir_stack_now_us(st),
		.info.i.tcpi_state = kernel_state[WEIR_TCP_CLOSED],
	};
	int rc = 0;

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING) {
		q.info.i.tcpi_state = kernel_state[WEIR_TCP_LISTEN];
		q.info.i.tcpi_unacked = weir_peek(s->n_accept);
		q.info.i.tcpi_sacked = weir_peek(s->backlog);
	} else {
		rc = weir_on_worker(st, weir_sock_home(s), info_on, &q);
	}
	memcpy(value, &q.info, sizeof(q.info));
	return rc;
}

struct cc_query {
	struct weir_sock *s;
	void *value;
};

static int
cc_info_on(struct weir_worker *w, void *arg)
{
	const struct cc_query *q = arg;
	const struct weir_tcp_conn *c = weir_sock_conn(&w->sock, q->s);

	if (weir_tcp_sleeps(&q->s->tcp))
		return -ENOBUFS;
	return c != NULL && c->cc.ops->info != NULL ? (int)c->cc.ops->info(c, q->value) : 0;
}

/* Nothing, of an algorithm that tells nothing. */
int
weir_opt_get_cc_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	struct cc_query q = {s, value};
	const int n = weir_sock_flags(s) & WEIR_SOCK_LISTENING
			      ? 0
			      : weir_on_worker(st, weir_sock_home(s), cc_info_on, &q);

	(void)o;
	return n < 0 ? n : n + 1;
}

static int
meminfo_on(struct weir_worker *w, void *arg)
{
	struct cc_query *q = arg;
	const struct weir_tcp_conn *c = weir_sock_conn(&w->sock, q->s);
	uint32_t *mem = q->value;

	if (weir_tcp_sleeps(&q->s->tcp))
		return -ENOBUFS;
	if (c == NULL)
		return 0;
	mem[SK_MEMINFO_RMEM_ALLOC] = c->rcv.held;
	mem[SK_MEMINFO_WMEM_QUEUED] = c->sndq.charge;
	return 0;
}

int
weir_opt_get_meminfo(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	struct cc_query q = {s, value};
	uint32_t *mem = value;

	memset(mem, 0, WEIR_OPT_MEMINFO_LEN);
	mem[SK_MEMINFO_RCVBUF] = weir_peek(s->opts.rcvbuf);
	mem[SK_MEMINFO_SNDBUF] = weir_peek(s->opts.sndbuf);
	(void)o;
	return s->kind != WEIR_SOCK_TCP || (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		       ? 0
		       : weir_on_worker(st, weir_sock_home(s), meminfo_on, &q);
}
