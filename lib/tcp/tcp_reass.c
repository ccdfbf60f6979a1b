/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_sync, tcp_fast -> tcp_reass -> sock_publish */
#include "tcp_priv.h"

#include "weir_mbuf.h"

/* A packet that waits keeps its segment, trimmed, in weir_pkt.tcp. */
static uint32_t
start_of(struct rte_mbuf *m)
{
	return weir_pkt(m)->tcp.seq;
}

static uint32_t
end_of(struct rte_mbuf *m)
{
	return weir_pkt(m)->tcp.seq + weir_pkt(m)->tcp.len;
}

static void
trim_front(struct weir_tcp_rx *rx, uint32_t n)
{
	rx->seg.seq += n;
	rx->seg.len = (uint16_t)(rx->seg.len - n);
	rx->data_off = (uint16_t)(rx->data_off + n);
}

/* Free emptied segments in front; weir_pkt moves to the new head. */
static struct rte_mbuf *
drop_empty_head(struct rte_mbuf *m)
{
	while (m->data_len == 0 && m->next != NULL) {
		struct rte_mbuf *head = m->next;

		head->pkt_len = m->pkt_len;
		head->nb_segs = (uint16_t)(m->nb_segs - 1);
		*weir_pkt(head) = *weir_pkt(m);
		m->next = NULL;
		m->nb_segs = 1;
		rte_pktmbuf_free_seg(m);
		m = head;
	}
	return m;
}

/* Take rx's mbuf, cut down to its payload. */
static struct rte_mbuf *
take_payload(struct weir_tcp_rx *rx)
{
	struct rte_mbuf *m = rx->m;

	rx->m = NULL;
	weir_mbuf_trim(m, (uint32_t)rx->data_off + rx->seg.len);
	weir_mbuf_strip(m, rx->data_off);
	weir_pkt(m)->tcp = rx->seg;
	return likely(m->next == NULL) ? m : drop_empty_head(m);
}

void
weir_tcp_ack_data(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t unacked = c->rcv.nxt - c->last_ack_sent;
	const bool is_quick = c->rcv.quick_acks > 0 && !c->is_interactive;

	if (c->ack_now)
		return;
	if (unacked > c->rcv.mss || is_quick || weir_tcp_delack_us(t, &c->opts) == 0) {
		weir_tcp_ack_now(t, c);
	} else if (!c->ack_delayed) {
		c->ack_delayed = true;
		weir_tcp_timer_set(
			t, c, &c->delack_at, t->core->now_us + weir_tcp_delack_us(t, &c->opts));
	}
}

/* Small segments of one turn share a buffer, so that they do not hold one each. */
static bool
merge_into_tail(struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	struct weir_pktq *q = &c->rcv.rx;
	struct rte_mbuf *tail, *last;

	if (rx->seg.len > WEIR_TCP_COPY_MAX || q->first == NULL)
		return false;
	tail = weir_qnode_mbuf(q->last);
	last = rte_pktmbuf_lastseg(tail);
	if (!weir_mbuf_is_writable(last, 0) || rte_pktmbuf_tailroom(last) < rx->seg.len)
		return false;
	weir_mbuf_read(rx->m, rx->data_off, rx->seg.len,
		rte_pktmbuf_mtod_offset(last, char *, last->data_len));
	last->data_len = (uint16_t)(last->data_len + rx->seg.len);
	tail->pkt_len += rx->seg.len;
	return true;
}

static void
note_size(struct weir_tcp_conn *c, uint16_t size)
{
	if (size > c->rcv.mss)
		c->rcv.mss = RTE_MIN(size, weir_tcp_local_mss(c));
}

void
weir_tcp_take_in_order(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const uint16_t len = rx->seg.len;
	struct rte_mbuf *m;

	c->rcv.nxt += len;
	c->is_answer_due = true;
	t->stats.rx_bytes += len;
	if (len > c->rcv.mss)
		note_size(c, weir_tcp_gro_size(rx));
	weir_tcp_ack_data(t, c);
	if (unlikely(c->is_rcv_rtt_due))
		weir_tcp_rcv_rtt(t, c, &rx->seg);
	if (c->is_rcv_shut) {
		rx->fate = WEIR_FATE_drop_tcp_closed;
		return;
	}
	weir_ready_add(t->ready, &c->ready, WEIR_READY_READ);
	if (merge_into_tail(c, rx))
		return;
	m = take_payload(rx);
	weir_tcp_hold(t, c, weir_mbuf_truesize(m));
	weir_pktq_add(&c->rcv.rx, m);
}

static struct rte_mbuf *
ooo_pop(struct weir_tcp_conn *c)
{
	struct rte_mbuf *m = weir_pktq_pop(&c->ooo);

	c->has_ooo = c->ooo.first != NULL;
	return m;
}

static void
ooo_drop_first(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct rte_mbuf *m = ooo_pop(c);

	weir_tcp_let_go(t, c, weir_mbuf_truesize(m));
	rte_pktmbuf_free(m);
}

void
weir_tcp_reass_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!c->has_ooo)
		return;
	while (c->has_ooo)
		ooo_drop_first(t, c);
	weir_tcp_sack_clear(c);
}

/* The first packet that waits reaches rcv.nxt: what is new of it is in order now. */
static void
ooo_deliver_first(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct rte_mbuf *m = ooo_pop(c);
	const uint32_t old = c->rcv.nxt - start_of(m);

	weir_tcp_let_go(t, c, weir_mbuf_truesize(m));
	c->rcv.nxt = end_of(m);
	t->stats.rx_bytes += m->pkt_len - old;
	if (c->is_rcv_shut) {
		rte_pktmbuf_free(m);
		return;
	}
	weir_mbuf_strip(m, old);
	m = drop_empty_head(m);
	weir_tcp_hold(t, c, weir_mbuf_truesize(m));
	weir_pktq_add(&c->rcv.rx, m);
	weir_ready_add(t->ready, &c->ready, WEIR_READY_READ);
}

/* A hole is filled: hand up what follows it. */
static void
ooo_drain(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t nxt = c->rcv.nxt;
	struct rte_mbuf *m;

	while ((m = weir_pktq_first(&c->ooo)) != NULL && weir_seq_leq(start_of(m), c->rcv.nxt)) {
		if (weir_seq_lt(start_of(m), nxt))
			weir_tcp_dsack(t, c, start_of(m), weir_seq_min(end_of(m), nxt));
		if (weir_seq_leq(end_of(m), c->rcv.nxt))
			ooo_drop_first(t, c);
		else
			ooo_deliver_first(t, c);
	}
	weir_tcp_sack_trim(c);
}

/* The last packet that starts at or before seq, or NULL. New ones mostly go to the end. */
static struct rte_mbuf *
ooo_before(struct weir_tcp_conn *c, uint32_t seq)
{
	struct rte_mbuf *prev = NULL;
	struct rte_mbuf *m = weir_pktq_first(&c->ooo);

	if (m != NULL && weir_seq_leq(start_of(weir_qnode_mbuf(c->ooo.last)), seq))
		return weir_qnode_mbuf(c->ooo.last);
	for (; m != NULL && weir_seq_leq(start_of(m), seq); m = weir_pktq_next(m))
		prev = m;
	return prev;
}

static void
ooo_insert_after(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *prev, struct rte_mbuf *m)
{
	struct weir_qnode *n = &weir_pkt(m)->qn;
	struct weir_qnode **link = prev == NULL ? &c->ooo.first : &weir_pkt(prev)->qn.next;

	n->next = *link;
	*link = n;
	if (n->next == NULL)
		c->ooo.last = n;
	c->ooo.n++;
	c->has_ooo = true;
	weir_tcp_hold(t, c, weir_mbuf_truesize(m));
}

static void
ooo_drop_after(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *prev, struct rte_mbuf *m)
{
	struct weir_qnode **link = prev == NULL ? &c->ooo.first : &weir_pkt(prev)->qn.next;

	*link = weir_pkt(m)->qn.next;
	if (*link == NULL && prev != NULL)
		c->ooo.last = &weir_pkt(prev)->qn;
	c->ooo.n--;
	c->has_ooo = c->ooo.first != NULL;
	weir_tcp_let_go(t, c, weir_mbuf_truesize(m));
	rte_pktmbuf_free(m);
}

/* Cut rx against its neighbours, drop what it covers whole. */
static void
ooo_fit(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *prev, struct weir_tcp_rx *rx)
{
	struct weir_tcp_seg *seg = &rx->seg;
	struct rte_mbuf *next;

	if (prev != NULL && weir_seq_gt(end_of(prev), seg->seq)) {
		const uint32_t twice = RTE_MIN(end_of(prev) - seg->seq, (uint32_t)seg->len);

		weir_tcp_dsack(t, c, seg->seq, seg->seq + twice);
		trim_front(rx, twice);
	}
	while ((next = prev == NULL ? weir_pktq_first(&c->ooo) : weir_pktq_next(prev)) != NULL &&
		weir_seq_leq(end_of(next), seg->seq + seg->len) && seg->len > 0) {
		weir_tcp_dsack(t, c, start_of(next), end_of(next));
		ooo_drop_after(t, c, prev, next);
	}
	if (next != NULL && weir_seq_lt(start_of(next), seg->seq + seg->len)) {
		weir_tcp_dsack(t, c, start_of(next), seg->seq + seg->len);
		seg->len = (uint16_t)(start_of(next) - seg->seq);
	}
}

static void
ooo_add(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	struct rte_mbuf *prev = ooo_before(c, rx->seg.seq);
	const uint32_t start = rx->seg.seq, end = start + rx->seg.len;

	t->stats.ooo_segs++;
	weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_OOO, weir_tcp_rcvd_pos(c, start), end - start);
	ooo_fit(t, c, prev, rx);
	if (rx->seg.len == 0) {
		rx->fate = WEIR_FATE_drop_tcp_duplicate;
	} else if (c->ooo.n >= t->conf.ooo_max) {
		rx->fate = WEIR_FATE_drop_tcp_rcvbuf;
		return;
	} else {
		ooo_insert_after(t, c, prev, take_payload(rx));
	}
	weir_tcp_sack_add(c, start, end);
}

/*
 * Twice the buffer is the end, however small the segments were that filled it; and what all
 * connections hold together is bounded. What is out of order gives way to what is in order: the
 * peer will send it again.
 */
static bool
has_room(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_in_order)
{
	const uint64_t max = 2 * (uint64_t)c->opts.rcvbuf;

	if (!is_in_order)
		return c->rcv.held <= max && t->held <= t->held_max / 2;
	if (c->rcv.held > max || t->held > t->held_max)
		weir_tcp_reass_free(t, c);
	return c->rcv.held <= max && t->held <= t->held_max;
}

/* Cut to what is new and in the window. */
static void
trim_to_window(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	struct weir_tcp_seg *seg = &rx->seg;

	const uint32_t old = RTE_MIN(weir_tcp_seq_span(c->rcv.nxt, seg->seq), (uint32_t)seg->len);

	if (unlikely(old > 0))
		weir_tcp_dsack(t, c, seg->seq, seg->seq + old);
	trim_front(rx, old);
	seg->len = (uint16_t)(seg->len - RTE_MIN(weir_tcp_seq_span(seg->seq + seg->len, c->rcv.adv),
						 (uint32_t)seg->len));
}

void
weir_tcp_reass_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const bool was_old = weir_seq_leq(rx->seg.seq + rx->seg.len, c->rcv.nxt);
	bool is_in_order;

	trim_to_window(t, c, rx);
	is_in_order = rx->seg.seq == c->rcv.nxt;
	if (!is_in_order || c->has_ooo || rx->seg.len == 0 || !has_room(t, c, is_in_order))
		weir_tcp_ack_now(t, c); /* RFC 5681 4.2 */
	if (rx->seg.len == 0)
		rx->fate = was_old ? WEIR_FATE_drop_tcp_duplicate : WEIR_FATE_drop_tcp_seq;
	else if (!has_room(t, c, is_in_order))
		rx->fate = WEIR_FATE_drop_tcp_rcvbuf;
	else if (is_in_order)
		weir_tcp_take_in_order(t, c, rx);
	else
		ooo_add(t, c, rx);
	ooo_drain(t, c);
}
