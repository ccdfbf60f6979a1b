/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input, tcp_usr, tcp_timer -> (flush) tcp_output -> ip_output */
#include "tcp_loss_priv.h"

/* Receive window */

static uint32_t
window_max(const struct weir_tcp_conn *c)
{
	return RTE_MIN(weir_tcp_clamp(&c->opts, c->opts.rcvbuf / 2),
		(uint32_t)UINT16_MAX << c->rcv.wscale);
}

/*
 * Half of the free memory: an mbuf costs about twice its payload. When all connections together
 * hold much, those that hold anything get no more, the others a little.
 */
static uint32_t
window_by_memory(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t free = c->opts.rcvbuf > c->rcv.held ? c->opts.rcvbuf - c->rcv.held : 0;
	const uint32_t wnd = RTE_MIN(free / 2, window_max(c));

	if (unlikely(t->held > t->held_max / 2))
		return c->rcv.held == 0 ? RTE_MIN(wnd, 2u * c->rcv.mss) : 0;
	return wnd;
}

uint32_t
weir_tcp_syn_window(const struct weir_tcp_opts *opts)
{
	return RTE_MIN(weir_tcp_clamp(opts, opts->rcvbuf / 2), (uint32_t)UINT16_MAX);
}

/* RFC 9293 3.8.6.2.2: it opens by a segment or a fair part of the buffer, never shrinks. */
static uint32_t
window(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t now = c->rcv.adv - c->rcv.nxt;
	const uint32_t wanted = window_by_memory(t, c);
	const uint32_t step = RTE_MIN((uint32_t)c->rcv.mss, window_max(c) / 2);

	return wanted > now && wanted - now >= step ? wanted : now;
}

bool
weir_tcp_is_window_news(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t now = c->rcv.adv - c->rcv.nxt;

	return now <= window_max(c) / 2 && window(t, c) >= 2 * now && window(t, c) != now;
}

/* The window field; the announced edge moves. Rounded up, so that the edge never goes back. */
static uint16_t
announce_window(const struct weir_tcp *t, struct weir_tcp_conn *c, bool is_syn)
{
	const uint8_t shift = is_syn ? 0 : c->rcv.wscale;
	const uint32_t wnd = is_syn ? weir_tcp_syn_window(&c->opts) : window(t, c);
	const uint32_t unit = 1u << shift;
	uint32_t field = (wnd + unit - 1) >> shift;

	if (c->rcv.held > c->opts.rcvbuf)
		field = wnd >> shift; /* nor creep forward over a full buffer */
	field = RTE_MIN(field, (uint32_t)UINT16_MAX);
	c->rcv.adv = weir_seq_max(c->rcv.adv, c->rcv.nxt + (field << shift));
	return (uint16_t)field;
}

/* Segment size */

static uint16_t
path_mtu(const struct weir_tcp_conn *c)
{
	return c->pmtu != 0 ? RTE_MIN(c->pmtu, c->dst.mtu) : c->dst.mtu;
}

static uint16_t
mss_of_mtu(const struct weir_flow *flow, uint16_t mtu)
{
	const uint16_t headers = (weir_addr_is_v4(&flow->raddr) ? 20 : 40) + WEIR_TCP_HLEN;

	return mtu > headers + WEIR_TCP_MSS_MIN ? (uint16_t)(mtu - headers) : WEIR_TCP_MSS_MIN;
}

uint16_t
weir_tcp_offered_mss(
	const struct weir_flow *flow, const struct weir_dst *dst, const struct weir_tcp_opts *opts)
{
	const uint16_t mss = mss_of_mtu(flow, dst->mtu);

	return opts->maxseg != 0 ? RTE_MIN(mss, opts->maxseg) : mss;
}

void
weir_tcp_update_mss(struct weir_tcp_conn *c)
{
	const uint16_t opts = c->has_ts ? WEIR_TCP_OPT_TS_LEN : 0;
	uint16_t mss = RTE_MIN(mss_of_mtu(&c->flow, path_mtu(c)), c->snd.peer_mss);

	if (c->opts.maxseg != 0)
		mss = RTE_MIN(mss, c->opts.maxseg);
	c->mss = mss > opts + 8 ? (uint16_t)(mss - opts) : 8; /* RFC 6691: options count */
}

/* No segment takes more than half of a small window, so that two can be on their way. */
uint32_t
weir_tcp_effective_mss(const struct weir_tcp_conn *c)
{
	const uint32_t limit = c->wnd_max > WEIR_TCP_MSS_IP4 ? c->wnd_max / 2 : c->wnd_max;
	const unsigned int blocks = weir_tcp_sack_blocks(c);
	const uint32_t opts = likely(blocks == 0) ? 0 : RTE_MIN(4u + 8u * blocks, c->mss - 8u);
	const uint32_t mss = c->mss - opts;

	return limit > 0 && limit < mss ? RTE_MAX(limit, RTE_MIN(mss, 28u)) : mss;
}

bool
weir_tcp_route(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_local = weir_addr_is_link_local(&c->flow.raddr);
	struct weir_dst dst;

	if (likely(weir_dst_is_fresh(t->ip, &c->dst)))
		return true;
	if (weir_ip_route(t->ip, &c->flow.raddr, is_local ? c->dst.ifc->index : -1, &dst) < 0)
		return false;
	c->dst = dst;
	weir_tcp_update_mss(c);
	return true;
}

/* One segment */

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

/* The pool is dry: what waits out of order here can be sent again, and may be what is missing. */
static void
note_no_mbuf(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	t->stats.no_mbuf++;
	weir_tcp_reass_free(t, c);
}

/* An mbuf with room for the header of a segment with these flags; h but for seq, ack, window. */
static struct rte_mbuf *
new_segment(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, uint8_t flags)
{
	struct rte_mbuf *m = weir_core_alloc(t->core);

	if (m == NULL) {
		note_no_mbuf(t, c);
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
	rte_pktmbuf_append(m, (uint16_t)weir_tcp_build_len(h));
	return m;
}

void
weir_tcp_emit(struct weir_tcp *t, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *ip, const struct weir_tcp_hdr_info *h, uint16_t tso_segsz)
{
	struct weir_tcp_hdr *hdr = rte_pktmbuf_mtod(m, struct weir_tcp_hdr *);
	const unsigned int hlen = weir_tcp_build((uint8_t *)hdr, h);

	weir_ip_l4_cksum(dst, m, ip, &hdr->cksum, (uint16_t)hlen, tso_segsz);
	weir_ip_output(t->ip, dst, m, ip);
	t->stats.tx_segs++;
	t->stats.rst_sent += !!(h->flags & WEIR_TCP_RST);
}

/* Every segment with ACK carries all that is due to the peer. */
static void
carry_ack(const struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	h->ack = c->rcv.nxt;
	h->ts_ecr = c->ts_recent;
	h->wnd = announce_window(t, c, h->flags & WEIR_TCP_SYN);
	if (c->rcv.quick_acks > 0 && c->last_ack_sent != c->rcv.nxt)
		c->rcv.quick_acks--;
	c->last_ack_sent = c->rcv.nxt;
	if (h->opts & WEIR_TCP_OPT_SACK)
		c->act->has_dsack = false;
	c->ack_now = false;
	c->ack_delayed = false;
	c->delack_at = 0;
}

static void
send_segment(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m,
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
		carry_ack(t, c, h);
	else if (h->flags & WEIR_TCP_SYN)
		h->wnd = (uint16_t)weir_tcp_syn_window(&c->opts);
	weir_tcp_emit(t, &c->dst, m, &ip, h, tso_segsz);
}

bool
weir_tcp_has_room(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	if (unlikely(c->dst.is_local))
		return t->core->loop.n < WEIR_VEC_MAX / 2;
	return weir_eth_room(c->dst.ifc) >= WEIR_TCP_ROOM_MIN;
}

/* Sequence number of a segment without text, which a peer whose window shrank takes, too. */
static uint32_t
empty_seq(const struct weir_tcp_conn *c)
{
	return weir_seq_min(c->snd.max, c->snd.una + c->snd.wnd);
}

static bool
send_empty(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint8_t flags)
{
	struct weir_tcp_hdr_info h;
	struct rte_mbuf *m = new_segment(t, c, &h, flags);

	if (m == NULL)
		return false;
	h.seq = seq;
	send_segment(t, c, m, &h, 0);
	return true;
}

void
weir_tcp_send_ack(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (weir_tcp_route(t, c))
		send_empty(t, c, empty_seq(c), WEIR_TCP_ACK);
}

bool
weir_tcp_send_probe(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	return weir_tcp_route(t, c) && send_empty(t, c, c->snd.una - 1, WEIR_TCP_ACK);
}

void
weir_tcp_send_rst(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (weir_tcp_route(t, c))
		send_empty(t, c, empty_seq(c), WEIR_TCP_RST | WEIR_TCP_ACK);
}

void
weir_tcp_send_rst_at(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq)
{
	if (weir_tcp_route(t, c))
		send_empty(t, c, seq, WEIR_TCP_RST);
}

/* What may go */

/* Is a segment of less than the full size held back? Nagle with Minshall's variant, and cork. */
static bool
is_held_back(const struct weir_tcp_conn *c)
{
	const uint32_t sml = c->act->sml;

	if (c->is_fin_queued || c->is_urgent)
		return false; /* nothing will be added to it, or it must not wait */
	if (c->opts.is_cork || c->is_more)
		return true;
	return !c->opts.is_nodelay && weir_seq_gt(sml, c->snd.una) && weir_seq_leq(sml, c->snd.nxt);
}

/*
 * Bytes to send next from snd.nxt, 0: none. Whole segments as long as windows and data allow; less
 * than one (RFC 9293 3.8.6.2.1) when that is all there is and may go, or when nothing is under way
 * and it fills half of the largest window the peer ever had.
 */
static uint32_t
next_len(struct weir_tcp_conn *c, uint32_t mss, uint32_t max)
{
	const uint32_t all = weir_tcp_seq_span(c->snd.end, c->snd.nxt);
	const uint32_t unsent =
		unlikely(c->has_eor) ? weir_tcp_sndq_record(c, c->snd.nxt, all) : all;
	const uint32_t wnd = weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt);
	const uint64_t cwnd = (uint64_t)weir_tcp_quota(c) * mss;
	const uint32_t len = (uint32_t)RTE_MIN(cwnd, RTE_MIN(RTE_MIN(unsent, max), wnd));

	if (len == unsent && (unsent != all || c->act->is_new_first || !is_held_back(c)))
		return len;
	if (len >= mss)
		return len - len % mss;
	if (!weir_tcp_is_in_flight(c) && len == wnd && len >= c->wnd_max / 2)
		return len;
	return 0;
}

/* It was held back for long enough: one segment, however small. */
static uint32_t
forced_len(const struct weir_tcp_conn *c, uint32_t mss)
{
	const uint32_t unsent = RTE_MIN(weir_tcp_seq_span(c->snd.end, c->snd.nxt), mss);

	return RTE_MIN(unsent, weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt));
}

/* May the FIN go with len bytes of text? It needs a place in the peer's window, not in cwnd. */
static bool
may_send_fin(const struct weir_tcp_conn *c, uint32_t len)
{
	return c->is_fin_queued && c->snd.nxt + len == c->snd.end &&
	       weir_seq_lt(c->snd.end, c->snd.una + c->snd.wnd);
}

/* Text and FIN */

/* RFC 9293 3.9.1.2: the last of what is queued, or of a record; unless more was announced. */
static bool
is_pushed(struct weir_tcp_conn *c, uint32_t seq, uint32_t len)
{
	if (seq + len == c->snd.end)
		return !c->is_more;
	return unlikely(c->has_eor) && weir_tcp_sndq_record(c, seq, len + 1) == len;
}

uint32_t
weir_tcp_send_text(
	struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len, bool has_fin)
{
	const unsigned int segs_max = RTE_MAX(c->dst.ifc->port->info.segs_max, 2);
	struct weir_tcp_hdr_info h;
	struct rte_mbuf *m = new_segment(t, c, &h, WEIR_TCP_ACK);
	uint32_t put = 0;

	if (m == NULL)
		return 0;
	if (len > 0 && (put = weir_tcp_sndq_put(t, c, m, seq, len, segs_max)) == 0) {
		note_no_mbuf(t, c);
		rte_pktmbuf_free(m);
		return 0;
	}
	has_fin = has_fin && put == len;
	if (put > 0 && is_pushed(c, seq, put))
		h.flags |= WEIR_TCP_PSH;
	if (has_fin)
		h.flags |= WEIR_TCP_FIN;
	h.seq = seq;
	if (unlikely(c->is_urgent))
		weir_tcp_urgent_mark(c, &h);
	if (c->last_ack_sent != c->rcv.nxt && put > 0)
		c->is_interactive = true;
	send_segment(t, c, m, &h, put > c->mss ? c->mss : 0);
	c->sent_us = t->core->now_us;
	c->act->bytes_sent += put;
	t->stats.tx_bytes += put;
	if (c->is_paced)
		weir_tcp_pace_sent(t, c, put);
	return put + has_fin;
}

/* The first data of a flight starts the timer; a loss probe waits for the latest (RFC 8985 7.2). */
static void
note_new(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t n)
{
	const bool is_first = c->act->out_segs == 0;
	const uint32_t segs = c->act->out_segs;

	weir_tcp_sent_add(t, c, c->snd.nxt, c->snd.nxt + n);
	c->snd.nxt += n;
	c->snd.max = c->snd.nxt;
	if (weir_tcp_in_reduction(c))
		c->act->prr_out += c->act->out_segs - segs;
	if (is_first || c->alarm == WEIR_TCP_ALARM_PROBE)
		weir_tcp_rearm_rto(t, c);
}

/* @return sequence numbers sent; 0: no room, mbuf or record */
static uint32_t
send_new(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len, bool has_fin)
{
	uint32_t sent;

	if (!weir_tcp_has_room(t, c) || !weir_tcp_sent_may_add(t, c))
		return 0;
	sent = weir_tcp_send_text(t, c, c->snd.nxt, len, has_fin);
	if (sent > 0)
		note_new(t, c, sent);
	return sent;
}

bool
weir_tcp_send_probe_text(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t unsent = weir_tcp_seq_span(c->snd.end, c->snd.nxt);
	const uint32_t len = RTE_MIN(unsent, weir_tcp_effective_mss(c));
	const bool has_fin = may_send_fin(c, len);

	if ((len == 0 && !has_fin) || weir_seq_gt(c->snd.nxt + len, c->snd.una + c->snd.wnd))
		return true;
	return send_new(t, c, len, has_fin) > 0;
}

/* Largest payload of one mbuf chain: a segment, or as many as the port cuts up itself. */
static uint32_t
max_len(const struct weir_tcp_conn *c, uint32_t mss)
{
	if (!(c->dst.ifc->caps & WEIR_PORT_TX_TSO) || c->dst.is_local || mss < c->mss ||
		c->is_ecn_cwr) /* CWR belongs on one segment */
		return mss;
	if (c->is_paced)
		return weir_tcp_pace_quantum(c);
	return WEIR_TCP_TSO_MAX - WEIR_TCP_TSO_MAX % mss;
}

uint32_t
weir_tcp_tso_segs(const struct weir_tcp_conn *c)
{
	const uint32_t mss = weir_tcp_effective_mss(c);

	return max_len(c, mss) / mss;
}

/* @return false: stopped for want of room or an mbuf, or because it was enough for one pass */
static bool
send_unsent(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t mss = weir_tcp_effective_mss(c);
	const uint32_t max = max_len(c, mss);
	unsigned int n;

	for (n = 0; n < WEIR_TCP_PASS_SEGS && weir_tcp_has_unsent(c); n++) {
		const uint32_t len = c->is_forced ? forced_len(c, mss) : next_len(c, mss, max);
		const bool has_fin = may_send_fin(c, len);

		if (len == 0 && !has_fin)
			break;
		if (c->is_paced && weir_tcp_pace_waits(t, c))
			break;
		if (send_new(t, c, len, has_fin) == 0)
			return false;
		c->is_forced = false;
		if (len % mss != 0)
			c->act->sml = c->snd.nxt;
	}
	c->is_forced = false;
	return n < WEIR_TCP_PASS_SEGS;
}

/* F-RTO, step 2 b: new data shows whether the time-out was needless. Without any, as usual. */
static bool
send_new_first(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!send_unsent(t, c))
		return false;
	c->act->is_new_first = false;
	if (weir_seq_leq(c->snd.max, c->act->high_seq)) {
		c->act->is_frto = false;
		c->is_rexmit_due = true;
	}
	return true;
}

/* @return as send_unsent() */
static bool
send_data(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	uint32_t max;
	bool is_done;

	if (c->act->out_segs == 0 && weir_tcp_has_unsent(c))
		weir_tcp_restart_after_idle(t, c);
	if (unlikely(c->act->is_tlp_due) && !weir_tcp_tlp_send(t, c))
		return false;
	max = c->snd.max;
	if (unlikely(c->act->is_new_first) && !send_new_first(t, c))
		return false;
	if (unlikely(c->is_rexmit_due) && !weir_tcp_send_lost(t, c))
		return false;
	is_done = send_unsent(t, c);
	weir_tcp_validate_cwnd(t, c, c->snd.max != max);
	if (c->snd.max != max)
		weir_tcp_tlp_start(t, c, false);
	return is_done;
}

/* SYN, SYN+ACK */
static bool
send_syn(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_first = c->snd.max == c->iss;
	uint8_t flags = WEIR_TCP_SYN;

	if (c->snd.nxt != c->iss)
		return true;
	if (c->state == WEIR_TCP_SYN_RECEIVED)
		flags |= WEIR_TCP_ACK;
	flags |= weir_tcp_ecn_syn_flags(t, c);
	if (!weir_tcp_has_room(t, c) || !send_empty(t, c, c->iss, flags))
		return false;
	c->snd.nxt = c->iss + 1;
	c->snd.max = c->snd.nxt;
	c->sent_us = t->core->now_us;
	t->stats.rexmit_segs += !is_first;
	c->act->rexmits += !is_first;
	c->is_timing = is_first;
	return true;
}

static bool
send_ack(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!c->ack_now)
		return true;
	return weir_tcp_has_room(t, c) && send_empty(t, c, empty_seq(c), WEIR_TCP_ACK);
}

/* RFC 6298 5.1 while something is under way; the persist timer while something can't go. */
static void
run_timer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (weir_tcp_is_in_flight(c) || c->state < WEIR_TCP_ESTABLISHED) {
		if (c->rexmit_at == 0 || c->is_persist)
			weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, c->rto_us);
		c->is_persist = false;
	} else if (weir_tcp_has_unsent(c)) {
		if (c->is_persist && c->rexmit_at != 0)
			return;
		c->is_persist = true;
		c->backoff = 0;
		weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, c->rto_us);
	} else {
		c->is_persist = false;
		c->rexmit_at = 0;
	}
}

static bool
send_all(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->state < WEIR_TCP_ESTABLISHED && !send_syn(t, c))
		return false;
	if (c->state >= WEIR_TCP_ESTABLISHED && !send_data(t, c))
		return false;
	return c->state == WEIR_TCP_SYN_SENT || send_ack(t, c);
}

bool
weir_tcp_output(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	/* Without a route it is as if the packets were lost: the timer tries again. */
	const bool is_done = !weir_tcp_route(t, c) || send_all(t, c);

	WEIR_ASSERT(c->state != WEIR_TCP_CLOSED);
	run_timer(t, c);
	if (unlikely(c->is_lowat) && c->owner != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_WRITE); /* less waits to be sent */
	return is_done;
}
