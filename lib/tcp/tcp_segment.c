/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_output, tcp_timer, tcp_usr -> tcp_segment -> ip_output. One segment. */
#include "tcp_output_priv.h"

static void
fill_syn_options(
	const struct weir_tcp *t, const struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	const bool is_answer = c->state == WEIR_TCP_SYN_RECEIVED;

	h->opts = WEIR_TCP_OPT_MSS;
	h->mss = weir_tcp_local_mss(c);
	h->wscale = c->rcv.wscale;
	if (is_answer ? c->has_wscale : t->conf.use_wscale)
		h->opts |= WEIR_TCP_OPT_WSCALE;
	if (is_answer ? c->has_ts : t->conf.use_timestamps)
		h->opts |= WEIR_TCP_OPT_TS;
	if (is_answer ? c->has_sack : t->conf.use_sack)
		h->opts |= WEIR_TCP_OPT_SACK_OK;
}

static void
fill_sack(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	const unsigned int n = weir_tcp_sack_blocks(c);

	if (likely(n == 0))
		return;
	h->opts |= WEIR_TCP_OPT_SACK;
	h->n_sack = (uint8_t)n;
	h->sack = weir_tcp_sack_first(c);
}

void
weir_tcp_note_no_mbuf(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	t->stats.no_mbuf++;
	weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_NO_MBUF, weir_tcp_sent_pos(c, c->snd.una),
		weir_tcp_sent_pos(c, c->snd.max));
	weir_tcp_reass_free(t, c);
}

/* A SYN that is signed by MD5 has no room for timestamps, as on Linux. */
static void
fill_signature(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	if ((h->flags & WEIR_TCP_SYN) && !(h->flags & WEIR_TCP_ACK) && weir_tcp_auth_is_md5(c))
		h->opts &= (uint8_t)~WEIR_TCP_OPT_TS;
	weir_tcp_auth_fill_conn(t, c, h);
}

struct rte_mbuf *
weir_tcp_new_segment(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, uint8_t flags)
{
	struct rte_mbuf *m = weir_core_alloc(t->core);

	if (m == NULL) {
		weir_tcp_note_no_mbuf(t, c);
		return NULL;
	}
	*h = (struct weir_tcp_hdr_info){
		.sport = c->flow.lport,
		.dport = c->flow.rport,
		.flags = flags,
		.opts = c->has_ts ? WEIR_TCP_OPT_TS : 0,
		.ts_val = weir_tcp_ts_now(t, c),
	};
	if (flags & WEIR_TCP_SYN)
		fill_syn_options(t, c, h);
	else if (!(flags & WEIR_TCP_RST))
		fill_sack(c, h);
	if (unlikely(c->has_auth))
		fill_signature(t, c, h);
	if (unlikely(c->has_ecn))
		weir_tcp_accecn_fill(t, c, h);
	rte_pktmbuf_append(m, (uint16_t)weir_tcp_build_len(h));
	return m;
}

void
weir_tcp_emit(struct weir_tcp *t, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *ip, const struct weir_tcp_hdr_info *h, uint16_t tso_segsz)
{
	struct weir_tcp_hdr *hdr = rte_pktmbuf_mtod(m, struct weir_tcp_hdr *);
	const unsigned int hlen = weir_tcp_build((uint8_t *)hdr, h);

	if (unlikely(h->opts & WEIR_TCP_OPT_AUTH))
		weir_tcp_auth_sign(t, m, ip, h);
	weir_ip_l4_cksum(dst, m, ip, &hdr->cksum, (uint16_t)hlen, tso_segsz);
	weir_ip_output(t->ip, dst, m, ip);
	t->stats.tx_segs++;
	t->stats.rst_sent += !!(h->flags & WEIR_TCP_RST);
}

void
weir_tcp_carry_ack(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	h->ack = c->rcv.nxt;
	h->ts_ecr = c->ts_recent;
	h->wnd = weir_tcp_announce_window(t, c, h->flags & WEIR_TCP_SYN);
	if (unlikely(h->wnd == 0))
		weir_tcp_trace(t, c, WEIR_TCP_EVENT_OUR_WND_CLOSED, 0,
			weir_tcp_rcvd_pos(c, c->rcv.nxt), c->rcv.held);
	if (c->rcv.quick_acks > 0 && c->last_ack_sent != c->rcv.nxt)
		c->rcv.quick_acks--;
	c->rcv_wraps = (c->rcv_wraps + (c->rcv.nxt < c->last_ack_sent)) & 0x7fff;
	c->last_ack_sent = c->rcv.nxt;
	if (h->opts & WEIR_TCP_OPT_SACK)
		c->act->has_dsack = false;
	c->ack_now = false;
	c->ack_delayed = false;
	c->delack_at = 0;
}

void
weir_tcp_send_segment(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m,
	struct weir_tcp_hdr_info *h, uint16_t tso_segsz)
{
	struct weir_ip_hdr_info ip = {
		.src = &c->flow.laddr,
		.dst = &c->flow.raddr,
		.proto = IPPROTO_TCP,
		.ttl = c->opts.ttl,
		.tos = c->opts.tos & (uint8_t)~WEIR_IP_ECN_MASK,
	};

	if (c->has_ecn)
		ip.tos |= weir_tcp_ecn_mark(c, h, m->pkt_len > weir_tcp_build_len(h));
	if (h->flags & WEIR_TCP_ACK)
		weir_tcp_carry_ack(t, c, h);
	else if (h->flags & WEIR_TCP_SYN)
		h->wnd = (uint16_t)weir_tcp_syn_window(&c->opts);
	weir_tcp_emit(t, &c->dst, m, &ip, h, tso_segsz);
}

bool
weir_tcp_has_room(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	if (unlikely(c->dst.is_local))
		return t->core->loop.n < WEIR_LOOP_MAX / 2;
	return weir_eth_room(c->dst.ifc) >= WEIR_TCP_ROOM_MIN;
}

uint32_t
weir_tcp_empty_seq(const struct weir_tcp_conn *c)
{
	return weir_seq_min(c->snd.max, c->snd.una + c->snd.wnd);
}

bool
weir_tcp_send_empty(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint8_t flags)
{
	struct weir_tcp_hdr_info h;
	struct rte_mbuf *m = weir_tcp_new_segment(t, c, &h, flags);

	if (m == NULL)
		return false;
	h.seq = seq;
	c->empty_out++;
	weir_tcp_send_segment(t, c, m, &h, 0);
	return true;
}

void
weir_tcp_send_ack(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (weir_tcp_route(t, c))
		weir_tcp_send_empty(t, c, weir_tcp_empty_seq(c), WEIR_TCP_ACK);
}

bool
weir_tcp_send_probe(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	return weir_tcp_route(t, c) && weir_tcp_send_empty(t, c, c->snd.una - 1, WEIR_TCP_ACK);
}

void
weir_tcp_send_rst(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (weir_tcp_route(t, c))
		weir_tcp_send_empty(t, c, weir_tcp_empty_seq(c), WEIR_TCP_RST | WEIR_TCP_ACK);
}

void
weir_tcp_send_rst_at(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq)
{
	if (weir_tcp_route(t, c))
		weir_tcp_send_empty(t, c, seq, WEIR_TCP_RST);
}
