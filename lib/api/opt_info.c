/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP_INFO: what the worker knows of a connection, in the kernel's layout. */
#include <linux/tcp.h>

#include "opt_priv.h"

static_assert(sizeof(struct tcp_info) == WEIR_OPT_INFO_LEN, "as in the table");
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
	struct tcp_info info;
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
			 (c->has_wscale ? TCPI_OPT_WSCALE : 0) |
			 (c->fo & WEIR_TCP_TFO_ACKED ? TCPI_OPT_SYN_DATA : 0));
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
	i->tcpi_total_retrans = c->act->rexmits;
	i->tcpi_retransmits = c->is_persist ? 0 : c->retries;
	i->tcpi_probes = c->is_persist ? c->retries : c->keep_probes;
	i->tcpi_backoff = c->is_persist ? c->backoff : c->retries;
	i->tcpi_pacing_rate = c->cc.pacing_bps;
	i->tcpi_max_pacing_rate = UINT64_MAX;
	i->tcpi_reordering = c->act->reordering;
	i->tcpi_notsent_bytes = c->snd.end - weir_seq_min(c->snd.end, c->snd.max);
	i->tcpi_bytes_acked = c->state < WEIR_TCP_ESTABLISHED ? 0 : c->snd.una - c->iss - 1;
	i->tcpi_snd_wnd = c->snd.wnd;
}

static void
fill_receiving(const struct weir_tcp *t, const struct weir_tcp_conn *c, struct tcp_info *i)
{
	i->tcpi_rcv_mss = c->rcv.mss;
	i->tcpi_advmss = weir_tcp_advertised_mss(c);
	i->tcpi_rcv_ssthresh = c->opts.rcvbuf / 2;
	i->tcpi_rcv_space = c->rcv.adv - c->rcv.nxt;
	i->tcpi_ato = t->conf.delack_us;
	i->tcpi_bytes_received =
		c->state < WEIR_TCP_ESTABLISHED ? 0 : c->rcv.nxt - c->irs - 1 - c->is_fin_rcvd;
	i->tcpi_rcv_ooopack = c->ooo.n;
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
	i->tcpi_rto = c->rto_us;
	i->tcpi_rtt = c->srtt_us;
	i->tcpi_rttvar = c->rttvar_us;
	i->tcpi_pmtu = c->pmtu != 0 ? RTE_MIN(c->pmtu, c->dst.mtu) : c->dst.mtu;
	i->tcpi_last_data_sent = ms_since(now_us, c->sent_us);
	i->tcpi_last_ack_recv = ms_since(now_us, c->heard_us);
	i->tcpi_last_data_recv = ms_since(now_us, s->data_us != 0 ? s->data_us : c->heard_us);
	fill_sending(c, i);
	fill_receiving(t, c, i);
}

static int
info_on(struct weir_worker *w, void *arg)
{
	struct query *q = arg;

	if (q->s->conn != NULL)
		fill(&w->tcp, q->s, q->s->conn, q->now_us, &q->info);
	return 0;
}

int
weir_opt_get_info(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	struct query q = {
		.s = s,
		.now_us = weir_stack_now_us(st),
		.info.tcpi_state = kernel_state[WEIR_TCP_CLOSED],
	};
	int rc = 0;

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING) {
		q.info.tcpi_state = kernel_state[WEIR_TCP_LISTEN];
		q.info.tcpi_unacked = weir_peek(s->n_accept);
		q.info.tcpi_sacked = weir_peek(s->backlog);
	} else {
		rc = weir_on_worker(st, weir_sock_home(s), info_on, &q);
	}
	memcpy(value, &q.info, sizeof(q.info));
	return rc;
}
