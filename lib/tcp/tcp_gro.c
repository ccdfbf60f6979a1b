/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_input -> tcp_gro -> tcp_fast, ... Segments of one burst that follow one another become
 * one, a chain, so that the connection is looked up and worked on once. It looks like what a NIC's
 * LRO makes: RTE_MBUF_F_RX_LRO, with the size of the segments in tso_segsz.
 */
#include "tcp_priv.h"

#include "weir_mbuf.h"

#define RUNS 8 /* flows that a burst is expected to mix */

/* What the next segment of a flow may be joined to. */
struct run {
	struct rte_mbuf *head; /* NULL: nothing */
	struct rte_mbuf *last; /* of its segments */
};

/* Only ACK, perhaps PSH; at most timestamps; small ones share buffers instead. */
static bool
is_plain(const struct weir_pkt *p)
{
	const struct weir_tcp_seg *seg = &p->tcp;
	const unsigned int hlen = (unsigned int)p->l4_len - seg->len;

	return hlen == (seg->opts == 0 ? WEIR_TCP_HLEN : WEIR_TCP_HLEN + WEIR_TCP_OPT_TS_LEN) &&
	       (seg->flags & ~WEIR_TCP_PSH) == WEIR_TCP_ACK && seg->len > WEIR_TCP_COPY_MAX &&
	       (seg->opts == 0 || seg->opts == WEIR_TCP_OPT_TS);
}

static uint16_t
segment_size(const struct rte_mbuf *m, const struct weir_tcp_seg *seg)
{
	return (m->ol_flags & RTE_MBUF_F_RX_LRO) && m->tso_segsz != 0 ? m->tso_segsz : seg->len;
}

/* b says of everything but the text what a says. */
static bool
is_same(const struct weir_tcp_seg *a, const struct weir_tcp_seg *b)
{
	return a->ack == b->ack && a->wnd == b->wnd && a->opts == b->opts &&
	       (a->opts == 0 || (a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr));
}

static bool
may_join(struct rte_mbuf *head, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(head), *q = weir_pkt(m);

	return p->hash == q->hash && q->tcp.seq == p->tcp.seq + p->tcp.len && is_plain(q) &&
	       m->nb_segs == 1 && is_same(&p->tcp, &q->tcp) && p->tos == q->tos &&
	       q->tcp.len <= segment_size(head, &p->tcp) && p->l4_len + q->tcp.len <= UINT16_MAX &&
	       weir_flow_eq(&p->flow, &q->flow);
}

/* m's text behind head's; both lose what the link padded them with. */
static void
join(struct weir_tcp *t, struct run *r, struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(r->head);
	const struct weir_pkt *q = weir_pkt(m);

	if (r->head->nb_segs == 1)
		weir_mbuf_trim(r->head, (uint32_t)p->l4_off + p->l4_len);
	r->head->tso_segsz = segment_size(r->head, &p->tcp);
	r->head->ol_flags |= RTE_MBUF_F_RX_LRO;
	weir_mbuf_trim(m, (uint32_t)q->l4_off + q->l4_len);
	weir_mbuf_strip(m, (uint32_t)q->l4_off + q->l4_len - q->tcp.len);
	p->tcp.flags |= q->tcp.flags;
	p->tcp.len = (uint16_t)(p->tcp.len + q->tcp.len);
	p->l4_len = (uint16_t)(p->l4_len + q->tcp.len);
	r->head->pkt_len += m->pkt_len;
	r->head->nb_segs++;
	r->last->next = m;
	r->last = m;
	t->core->fates[WEIR_FATE_tcp_merged]++;
}

void
weir_tcp_gro(struct weir_tcp *t, struct weir_vec *v)
{
	struct run runs[RUNS] = {0};
	unsigned int n = 0;

	for (unsigned int i = 0; i < v->n; i++) {
		struct rte_mbuf *m = v->m[i];
		struct run *r = &runs[weir_pkt(m)->hash % RUNS];

		if (r->head != NULL && may_join(r->head, m)) {
			join(t, r, m);
			continue;
		}
		r->head = is_plain(weir_pkt(m)) && m->nb_segs == 1 ? m : NULL;
		r->last = m;
		v->m[n++] = m;
	}
	v->n = n;
}

uint16_t
weir_tcp_gro_size(const struct weir_tcp_rx *rx)
{
	return segment_size(rx->m, &rx->seg);
}
