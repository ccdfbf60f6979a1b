/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_flush -> tcp_brief -> tcp_segment -> ip_output. What a conversation sends most: one
 * small piece, all that waits, on a connection where nothing else goes on. It does what
 * tcp_output.c comes to in its steps, when each of them has nothing to decide.
 */
#include "tcp_output_priv.h"

/* Nothing goes on that tcp_output.c has a step for. */
static bool
is_plain(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;

	if (act == NULL || c->state != WEIR_TCP_ESTABLISHED || c->ca != WEIR_TCP_CA_OPEN)
		return false;
	if (c->is_rexmit_due || c->is_forced || c->is_persist || c->is_fin_queued || c->is_paced ||
		c->has_ecn || c->is_more || c->is_urgent || c->has_eor || c->has_auth ||
		c->is_lowat || c->opts.is_cork || c->pmtu != 0)
		return false;
	return (act->sacked_segs | act->lost_segs | act->rexmit_segs) == 0 && act->n_sacks == 0 &&
	       !(act->is_tlp_due || act->is_new_first || act->has_dsack || act->has_stamps);
}

/* May len bytes go now, and in one segment? Windows as in weir_tcp_next_len(), Nagle's rule too. */
static bool
may_go(const struct weir_tcp_conn *c, uint32_t len)
{
	const struct weir_tcp_act *act = c->act;

	return len < c->mss && c->wnd_max >= 2u * c->mss &&
	       len <= weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt) &&
	       (act->out_segs == 0 ||
		       (c->cc.cwnd >= ((uint64_t)act->out_segs + 1) * c->mss &&
			       (c->opts.is_nodelay || !weir_seq_gt(act->sml, c->snd.una) ||
				       weir_seq_gt(act->sml, c->snd.nxt))));
}

/* Where the bytes from snd.nxt on lie; NULL: not all in the last buffer of the queue. */
static const char *
unsent(const struct weir_tcp_conn *c)
{
	struct rte_mbuf *m = weir_qnode_mbuf(c->sndq.q.last);
	const uint32_t off = c->snd.nxt - (uint32_t)weir_pkt(m)->u[0];

	if (m->nb_segs != 1 || off >= m->data_len)
		return NULL;
	return rte_pktmbuf_mtod_offset(m, const char *, off);
}

/* A packet with room for the header and a copy of the bytes behind it; NULL: no mbuf, or a small
 * one
 */
static struct rte_mbuf *
copy(struct weir_tcp *t, const char *bytes, uint32_t hlen, uint32_t len)
{
	struct rte_mbuf *m = weir_core_alloc(t->core);

	if (unlikely(m == NULL))
		return NULL;
	if (unlikely(rte_pktmbuf_tailroom(m) < hlen + len)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(rte_pktmbuf_mtod_offset(m, char *, hlen), bytes, len);
	m->data_len = (uint16_t)(hlen + len);
	m->pkt_len = hlen + len;
	return m;
}

/* As weir_tcp_send_segment(). */
static void
send_plain(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m, uint32_t hlen)
{
	struct weir_tcp_hdr *hdr = rte_pktmbuf_mtod(m, struct weir_tcp_hdr *);
	const struct weir_ip_hdr_info ip = {
		.src = &c->flow.laddr,
		.dst = &c->flow.raddr,
		.proto = IPPROTO_TCP,
		.ttl = c->opts.ttl,
		.tos = c->opts.tos & (uint8_t)~WEIR_IP_ECN_MASK,
	};
	struct weir_tcp_hdr_info h = {
		.sport = c->flow.lport,
		.dport = c->flow.rport,
		.seq = c->snd.nxt,
		.flags = WEIR_TCP_ACK | WEIR_TCP_PSH,
		.opts = c->has_ts ? WEIR_TCP_OPT_TS : 0,
		.ts_val = weir_tcp_ts_now(t, c),
	};

	weir_tcp_carry_ack(t, c, &h);
	weir_tcp_build_plain((uint8_t *)hdr, &h);
	weir_ip_l4_cksum(&c->dst, m, &ip, &hdr->cksum, (uint16_t)hlen, 0);
	weir_ip_output(t->ip, &c->dst, m, &ip);
	t->stats.tx_segs++;
	t->stats.brief_sends++;
}

static bool
send_piece(struct weir_tcp *t, struct weir_tcp_conn *c, const char *bytes, uint32_t len)
{
	const uint32_t hlen = WEIR_TCP_HLEN + (c->has_ts ? WEIR_TCP_OPT_TS_LEN : 0);
	struct rte_mbuf *m = copy(t, bytes, hlen, len);

	if (unlikely(m == NULL))
		return false;
	if (c->is_answer_due)
		weir_tcp_note_answer(t, c);
	send_plain(t, c, m, hlen);
	c->act->bytes_sent += len;
	t->stats.tx_bytes += len;
	return true;
}

/* Nothing was under way: is the path still known, and since when does data wait? */
static void
begin_flight(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (t->core->now_us - c->sent_us > c->rto_us)
		weir_tcp_restart_after_idle(t, c);
	weir_tcp_limit_restart(t, c->act);
}

/* The record, the timer, the use of the windows. */
static void
note_piece(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len)
{
	struct weir_tcp_act *act = c->act;
	const bool is_first = act->out_segs == 0;
	const bool needs_rto = is_first || c->alarm == WEIR_TCP_ALARM_PROBE;

	if (is_first)
		begin_flight(t, c);
	weir_tcp_sent_add(t, c, c->snd.nxt + len, c->mss, true);
	c->sent_us = t->core->now_us;
	c->snd.nxt += len;
	c->snd.max = c->snd.nxt;
	act->sml = c->snd.nxt;
	weir_tcp_note_limits(t, c, &(struct weir_tcp_pass){0}, true);
	if (!weir_tcp_tlp_start(t, c, false) && needs_rto)
		weir_tcp_rearm_rto(t, c);
}

bool
weir_tcp_brief(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t len = c->snd.end - c->snd.nxt;
	const char *bytes;

	if (len == 0 || len > WEIR_TCP_COPY_MAX || !is_plain(c) || !may_go(c, len) ||
		!weir_dst_is_fresh(t->ip, &c->dst) || !weir_tcp_has_room(t, c) ||
		!weir_tcp_sent_may_add(t, c))
		return false;
	bytes = unsent(c);
	if (bytes == NULL || !send_piece(t, c, bytes, len))
		return false;
	note_piece(t, c, len);
	return true;
}
