/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data waiting to be acknowledged: a list of packets, each a chain of segments. weir_pkt.u[0] of a
 * packet is the sequence number of its first byte. Bytes are never written, except behind the
 * last ones of a buffer that nobody else refers to.
 */
#include "tcp_priv.h"

#include <rte_memcpy.h>

#include "weir_mbuf.h"

/* A place in the queue: byte off of segment seg of packet pkt. */
struct place {
	struct rte_mbuf *pkt;
	struct rte_mbuf *seg;
	uint32_t off;
};

static uint32_t
seq_of(struct rte_mbuf *m)
{
	return (uint32_t)weir_pkt(m)->u[0];
}

/* Append a small packet's bytes to the last buffer of the queue. */
static bool
pack_into_tail(struct weir_tcp_sndq *s, struct rte_mbuf *m)
{
	struct rte_mbuf *tail, *last;

	if (m->pkt_len > WEIR_TCP_COPY_MAX || s->q.first == NULL ||
		(weir_pkt(m)->send & (WEIR_SEND_NOTICE | WEIR_SEND_STAMPS)))
		return false;
	tail = weir_qnode_mbuf(s->q.last);
	if (weir_pkt(tail)->send & (WEIR_SEND_EOR | WEIR_SEND_NOTICE | WEIR_SEND_STAMPS))
		return false;
	last = rte_pktmbuf_lastseg(tail);
	if (!weir_mbuf_is_writable(last, 0) || rte_pktmbuf_tailroom(last) < m->pkt_len)
		return false;
	weir_mbuf_read(m, 0, m->pkt_len, rte_pktmbuf_mtod_offset(last, char *, last->data_len));
	last->data_len = (uint16_t)(last->data_len + m->pkt_len);
	tail->pkt_len += m->pkt_len;
	weir_pkt(tail)->send = weir_pkt(m)->send;
	return true;
}

/* What an empty packet asks for is of what is queued; of all that was ever sent if nothing is. */
static void
mark_tail(struct weir_tcp_sndq *s, struct rte_mbuf *m)
{
	const uint8_t how = weir_pkt(m)->send;

	if (s->q.first != NULL)
		weir_pkt(weir_qnode_mbuf(s->q.last))->send |= how;
	else
		s->n_notices += (how & WEIR_SEND_NOTICE) != 0;
}

void
weir_tcp_sndq_add(struct weir_tcp_conn *c, struct rte_mbuf *m)
{
	const uint32_t seq = c->snd.end;

	if (unlikely(m->pkt_len == 0)) {
		mark_tail(&c->sndq, m);
		rte_pktmbuf_free(m);
		return;
	}
	c->snd.end += m->pkt_len;
	if (pack_into_tail(&c->sndq, m)) {
		rte_pktmbuf_free(m);
		return;
	}
	weir_pkt(m)->u[0] = seq;
	c->sndq.charge += weir_mbuf_truesize(m);
	weir_pktq_add(&c->sndq.q, m);
}

static void
drop_cursors(struct weir_tcp_conn *c, const struct rte_mbuf *m)
{
	if (c->sndq.cursor == m)
		c->sndq.cursor = NULL;
	if (c->act->cursor == m)
		c->act->cursor = NULL;
}

static struct rte_mbuf *
take_first(struct weir_tcp_sndq *s)
{
	struct rte_mbuf *m = weir_pktq_pop(&s->q);

	s->charge -= weir_mbuf_truesize(m);
	s->n_notices += (weir_pkt(m)->send & WEIR_SEND_NOTICE) != 0;
	return m;
}

static void
drop_first(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct rte_mbuf *m = take_first(&c->sndq);

	drop_cursors(c, m);
	if (unlikely(weir_pkt(m)->send & WEIR_SEND_STAMP_ACKED))
		weir_tcp_stamp_acked(t, c, m, seq_of(m) + m->pkt_len - 1);
	else
		rte_pktmbuf_free(m);
}

/* The first segment of the first packet is acknowledged: its successor takes the packet's place. */
static struct rte_mbuf *
drop_first_segment(struct weir_tcp_conn *c)
{
	struct weir_tcp_sndq *s = &c->sndq;
	struct rte_mbuf *m = weir_pktq_first(&s->q);
	struct rte_mbuf *head = m->next;

	head->pkt_len = m->pkt_len - m->data_len;
	head->nb_segs = (uint16_t)(m->nb_segs - 1);
	weir_pkt(head)->u[0] = seq_of(m) + m->data_len;
	weir_pkt(head)->send = weir_pkt(m)->send;
	weir_pkt(head)->qn = weir_pkt(m)->qn;
	s->q.first = &weir_pkt(head)->qn;
	if (s->q.last == &weir_pkt(m)->qn)
		s->q.last = s->q.first;
	drop_cursors(c, m);
	m->next = NULL;
	m->nb_segs = 1;
	s->charge -= weir_mbuf_truesize(m);
	rte_pktmbuf_free_seg(m);
	return head;
}

void
weir_tcp_sndq_release(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq)
{
	struct weir_tcp_sndq *s = &c->sndq;
	struct rte_mbuf *m;

	while ((m = weir_pktq_first(&s->q)) != NULL && weir_seq_leq(seq_of(m) + m->pkt_len, seq))
		drop_first(t, c);
	if (m == NULL)
		return;
	while (weir_seq_leq(seq_of(m) + m->data_len, seq))
		m = drop_first_segment(c);
}

void
weir_tcp_sndq_free(struct weir_tcp_conn *c)
{
	c->sndq.cursor = NULL;
	c->act->cursor = NULL;
	while (c->sndq.q.first != NULL)
		rte_pktmbuf_free(take_first(&c->sndq));
}

/* The packet that seq is in. One cursor moves along with new data, another with repetitions. */
static struct rte_mbuf *
find_packet(struct weir_tcp_conn *c, uint32_t seq)
{
	struct weir_tcp_sndq *s = &c->sndq;
	struct weir_tcp_act *act = c->act;
	const bool is_new = s->cursor == NULL || weir_seq_geq(seq, s->cursor_seq);
	struct rte_mbuf *m = weir_pktq_first(&s->q);

	if (is_new && s->cursor != NULL)
		m = s->cursor;
	else if (act->cursor != NULL && weir_seq_geq(seq, act->cursor_seq))
		m = act->cursor;
	while (weir_seq_geq(seq, seq_of(m) + m->pkt_len))
		m = weir_pktq_next(m);
	if (is_new) {
		s->cursor = m;
		s->cursor_seq = seq_of(m);
	} else {
		act->cursor = m;
		act->cursor_seq = seq_of(m);
	}
	return m;
}

static struct place
find(struct weir_tcp_conn *c, uint32_t seq)
{
	struct rte_mbuf *m = find_packet(c, seq);
	struct place p;

	p = (struct place){m, m, seq - seq_of(m)};
	for (; p.off >= p.seg->data_len; p.seg = p.seg->next)
		p.off -= p.seg->data_len;
	return p;
}

uint32_t
weir_tcp_sndq_record(struct weir_tcp_conn *c, uint32_t seq, uint32_t len)
{
	struct rte_mbuf *m;

	if (len == 0)
		return 0;
	for (m = find(c, seq).pkt; m != NULL; m = weir_pktq_next(m)) {
		if (weir_pkt(m)->send & WEIR_SEND_EOR)
			return RTE_MIN(len, seq_of(m) + m->pkt_len - seq);
	}
	c->has_eor = false; /* all of them have been sent */
	return len;
}

void
weir_tcp_sndq_stamp(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len)
{
	for (struct rte_mbuf *m = find_packet(c, seq); m != NULL; m = weir_pktq_next(m)) {
		const struct weir_tcp_sent_text x = {.seq = seq,
			.len = len,
			.last = seq_of(m) + m->pkt_len - 1,
			.how = weir_pkt(m)->send};

		if (weir_seq_geq(x.last, seq + len))
			return;
		if (x.how & WEIR_SEND_STAMP_SCHED)
			weir_tcp_stamp_sent(t, c, &x, WEIR_TCP_STAMP_SCHED);
		if (x.how & WEIR_SEND_STAMP_SENT)
			weir_tcp_stamp_sent(t, c, &x, WEIR_TCP_STAMP_SENT);
	}
}

/* The bytes at p that lie together, at most len; empty segments are stepped over. */
static uint32_t
piece_at(struct place *p, uint32_t len)
{
	while (p->off == p->seg->data_len) {
		p->off = 0;
		p->seg = p->seg->next;
		if (p->seg == NULL) {
			p->pkt = weir_pktq_next(p->pkt);
			p->seg = p->pkt;
		}
	}
	return RTE_MIN(len, p->seg->data_len - p->off);
}

static unsigned int
count_pieces(struct place p, uint32_t len, unsigned int max)
{
	unsigned int n = 0;

	while (len > 0 && n <= max) {
		const uint32_t piece = piece_at(&p, len);

		p.off += piece;
		len -= piece;
		n++;
	}
	return n;
}

static void
put_copy(struct rte_mbuf *m, struct place p, uint32_t len)
{
	char *to = rte_pktmbuf_append(m, (uint16_t)len);

	while (len > 0) {
		const uint32_t piece = piece_at(&p, len);

		rte_memcpy(to, rte_pktmbuf_mtod_offset(p.seg, char *, p.off), piece);
		to += piece;
		p.off += piece;
		len -= piece;
	}
}

void
weir_tcp_sndq_copy(struct weir_tcp_conn *c, struct rte_mbuf *m, uint32_t seq, uint32_t len)
{
	put_copy(m, find(c, seq), RTE_MIN(len, rte_pktmbuf_tailroom(m)));
}

static struct rte_mbuf *
new_reference(struct weir_tcp *t, const struct place *p, uint32_t len)
{
	struct rte_mbuf *ref = weir_core_alloc(t->core);

	if (ref == NULL)
		return NULL;
	rte_pktmbuf_attach(ref, p->seg);
	ref->data_off = (uint16_t)(ref->data_off + p->off);
	ref->data_len = (uint16_t)len;
	ref->pkt_len = len;
	return ref;
}

static uint32_t
put_references(
	struct weir_tcp *t, struct rte_mbuf *m, struct place p, uint32_t len, unsigned int segs_max)
{
	struct rte_mbuf *last = m;
	uint32_t put = 0;

	while (put < len && m->nb_segs < segs_max) {
		const uint32_t piece = piece_at(&p, len - put);
		struct rte_mbuf *ref = new_reference(t, &p, piece);

		if (ref == NULL)
			return 0;
		last->next = ref;
		last = ref;
		m->nb_segs++;
		m->pkt_len += piece;
		p.off += piece;
		put += piece;
	}
	return put;
}

uint32_t
weir_tcp_sndq_put(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m, uint32_t seq,
	uint32_t len, unsigned int segs_max)
{
	const struct place p = find(c, seq);
	const bool fits = len <= rte_pktmbuf_tailroom(m);

	if (fits && (len <= WEIR_TCP_COPY_MAX || !(c->dst.ifc->caps & WEIR_PORT_TX_MULTI_SEG) ||
			    count_pieces(p, len, segs_max) >= segs_max)) {
		put_copy(m, p, len);
		return len;
	}
	return put_references(t, m, p, len, segs_max);
}
