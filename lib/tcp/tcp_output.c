/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input, tcp_usr, tcp_timer -> (flush) tcp_output -> ip_output */
#include "tcp_priv.h"

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
static uint32_t
effective_mss(const struct weir_tcp_conn *c)
{
	const uint32_t limit = c->wnd_max > WEIR_TCP_MSS_IP4 ? c->wnd_max / 2 : c->wnd_max;

	return limit > 0 && limit < c->mss ? RTE_MAX(limit, RTE_MIN(c->mss, 28u)) : c->mss;
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

/* Room in the interface's queue, or in the worker's own way back for our own addresses. */
static bool
has_room(const struct weir_tcp *t, const struct weir_tcp_conn *c)
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

/* Congestion window; the first two duplicate ACKs let a segment each out (RFC 3042). */
static uint32_t
cwnd_edge(const struct weir_tcp_conn *c)
{
	const uint32_t extra = !c->is_recovery && c->snd.dup_acks < 3 ? c->snd.dup_acks : 0;

	return c->snd.una + c->cc.cwnd + extra * c->mss;
}

/* Is a segment of less than the full size held back? Nagle with Minshall's variant, and cork. */
static bool
is_held_back(const struct weir_tcp_conn *c)
{
	if (c->is_fin_queued || weir_seq_lt(c->snd.nxt, c->snd.max) || c->is_urgent)
		return false; /* nothing will be added to it, or it must not wait */
	if (c->opts.is_cork || c->is_more)
		return true;
	return !c->opts.is_nodelay && weir_seq_gt(c->sml, c->snd.una) &&
	       weir_seq_leq(c->sml, c->snd.nxt);
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
	const uint32_t cwnd = weir_tcp_seq_span(cwnd_edge(c), c->snd.nxt);
	const uint32_t len = RTE_MIN(RTE_MIN(unsent, max), RTE_MIN(wnd, cwnd));

	if (len == unsent && (unsent != all || !is_held_back(c)))
		return len;
	if (len >= mss)
		return len - len % mss;
	if (!weir_tcp_is_in_flight(c) && len == wnd && len >= c->wnd_max / 2)
		return len;
	return 0;
}

/* After a time-out: one segment, even into a window that shrank over data sent before. */
static uint32_t
forced_len(const struct weir_tcp_conn *c, uint32_t mss)
{
	const uint32_t unsent = RTE_MIN(weir_tcp_seq_span(c->snd.end, c->snd.nxt), mss);
	const uint32_t wnd = weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt);

	if (weir_seq_lt(c->snd.nxt, c->snd.max) && wnd == 0)
		return unsent;
	return RTE_MIN(unsent, wnd);
}

/* May the FIN go with len bytes of text? It needs a place in the peer's window, not in cwnd. */
static bool
may_send_fin(const struct weir_tcp_conn *c, uint32_t len)
{
	return c->is_fin_queued && c->snd.nxt + len == c->snd.end &&
	       (weir_seq_lt(c->snd.end, c->snd.una + c->snd.wnd) ||
		       weir_seq_lt(c->snd.end, c->snd.max));
}

/* Text and FIN */

static void
note_sent(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len, bool has_fin)
{
	const uint64_t now_us = t->core->now_us;
	const uint32_t end = seq + len + has_fin;

	t->stats.tx_bytes += len;
	c->sent_us = now_us;
	if (weir_seq_lt(seq, c->snd.max)) {
		t->stats.rexmit_segs++;
		c->rexmits++;
		c->is_timing = false; /* Karn: RFC 6298 3 */
		c->rtt_start_us = now_us;
	} else if (!c->is_timing) {
		c->is_timing = true;
		c->rtt_seq = seq;
		c->rtt_start_us = now_us;
	}
	if (seq == c->snd.nxt) {
		c->snd.nxt = end;
		c->snd.max = weir_seq_max(c->snd.max, end);
	}
}

/* RFC 9293 3.9.1.2: the last of what is queued, or of a record; unless more was announced. */
static bool
is_pushed(struct weir_tcp_conn *c, uint32_t seq, uint32_t len)
{
	if (seq + len == c->snd.end)
		return !c->is_more;
	return unlikely(c->has_eor) && weir_tcp_sndq_record(c, seq, len + 1) == len;
}

/* Text of len bytes at seq, and the FIN if it is to follow. @return false: no mbuf */
static bool
send_text(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len, bool has_fin)
{
	const unsigned int segs_max = RTE_MAX(c->dst.ifc->port->info.segs_max, 2);
	struct weir_tcp_hdr_info h;
	struct rte_mbuf *m = new_segment(t, c, &h, WEIR_TCP_ACK);
	uint32_t put = 0;

	if (m == NULL)
		return false;
	if (len > 0 && (put = weir_tcp_sndq_put(t, c, m, seq, len, segs_max)) == 0) {
		note_no_mbuf(t, c);
		rte_pktmbuf_free(m);
		return false;
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
	note_sent(t, c, seq, put, has_fin);
	if (c->is_paced)
		weir_tcp_pace_sent(t, c, put);
	return true;
}

/* RFC 5681 3.2 (3), RFC 6582 3.2: the segment at una, once. */
static bool
send_again(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t sent = weir_tcp_seq_span(weir_seq_min(c->snd.max, c->snd.end), c->snd.una);
	const uint32_t len = RTE_MIN(sent, effective_mss(c));
	const bool has_fin = weir_seq_gt(c->snd.max, c->snd.end) && c->snd.una + len == c->snd.end;

	if (!c->is_rexmit_due)
		return true;
	if (!has_room(t, c) || !send_text(t, c, c->snd.una, len, has_fin))
		return false;
	c->is_rexmit_due = false;
	return true;
}

/* RFC 5681 4.1: after an idle time the path is a stranger again. */
static void
restart_after_idle(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (t->conf.use_idle_restart && !weir_tcp_is_in_flight(c) &&
		t->core->now_us - c->sent_us > c->rto_us)
		c->cc.cwnd = RTE_MIN(c->cc.cwnd, weir_tcp_initial_cwnd(t, c));
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

/* Did the congestion window end it? The peer's window or the lack of data did otherwise. */
static void
note_flight(struct weir_tcp_conn *c)
{
	const uint32_t unsent = weir_tcp_seq_span(c->snd.end, c->snd.nxt);
	const uint32_t cwnd = weir_tcp_seq_span(cwnd_edge(c), c->snd.nxt);
	const uint32_t wnd = weir_tcp_seq_span(c->snd.una + c->snd.wnd, c->snd.nxt);

	c->is_cwnd_limited = unsent > cwnd && cwnd < wnd && cwnd < c->mss;
	c->cc.flight = c->snd.nxt - c->snd.una;
}

/* @return false: stopped for want of room or an mbuf, or because it was enough for one pass */
static bool
send_data(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t mss = effective_mss(c);
	const uint32_t max = max_len(c, mss);
	unsigned int n;

	restart_after_idle(t, c);
	for (n = 0; n < WEIR_TCP_PASS_SEGS && weir_tcp_has_unsent(c); n++) {
		const uint32_t len = c->is_forced ? forced_len(c, mss) : next_len(c, mss, max);
		const bool has_fin = may_send_fin(c, len);

		if (len == 0 && !has_fin)
			break;
		if (c->is_paced && weir_tcp_pace_waits(t, c))
			break;
		if (!has_room(t, c) || !send_text(t, c, c->snd.nxt, len, has_fin))
			return false;
		c->is_forced = false;
		if (len % mss != 0)
			c->sml = c->snd.nxt;
	}
	c->is_forced = false;
	note_flight(c);
	return n < WEIR_TCP_PASS_SEGS;
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
	if (!has_room(t, c) || !send_empty(t, c, c->iss, flags))
		return false;
	c->snd.nxt = c->iss + 1;
	c->snd.max = c->snd.nxt;
	c->sent_us = t->core->now_us;
	t->stats.rexmit_segs += !is_first;
	c->rexmits += !is_first;
	c->is_timing = is_first;
	c->rtt_seq = c->iss;
	c->rtt_start_us = t->core->now_us;
	return true;
}

static bool
send_ack(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!c->ack_now)
		return true;
	return has_room(t, c) && send_empty(t, c, empty_seq(c), WEIR_TCP_ACK);
}

/* RFC 6298 5.1 while something is under way; the persist timer while something can't go. */
static void
run_timer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint64_t at_us = t->core->now_us + c->rto_us;

	if (weir_tcp_is_in_flight(c) || c->state < WEIR_TCP_ESTABLISHED) {
		if (c->rexmit_at == 0 || c->is_persist)
			weir_tcp_timer_set(t, c, &c->rexmit_at, at_us);
		c->is_persist = false;
	} else if (weir_tcp_has_unsent(c)) {
		if (c->is_persist && c->rexmit_at != 0)
			return;
		c->is_persist = true;
		c->backoff = 0;
		weir_tcp_timer_set(t, c, &c->rexmit_at, at_us);
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
	if (c->state >= WEIR_TCP_ESTABLISHED && !(send_again(t, c) && send_data(t, c)))
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
