/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip4_input, ip6_input -> raw_input -> (ready list) -> sock_publish */
#include "raw_priv.h"

#include "weir_shared.h"

#include "weir_cksum.h"
#include "weir_ip_hdr.h"
#include "weir_mbuf.h"

static void
give(struct weir_raw *r, struct weir_pcb *pcb, struct rte_mbuf *m, struct weir_ready *ready)
{
	if (pcb->is_v6)
		weir_mbuf_strip(m, weir_pkt(m)->l4_off);
	weir_pktq_add(&pcb->rx, m);
	weir_ready_add(ready, &pcb->ready, WEIR_READY_READ);
	r->stats.rx_packets++;
}

static void
give_reference(
	struct weir_raw *r, struct weir_pcb *pcb, struct rte_mbuf *m, struct weir_ready *ready)
{
	struct rte_mbuf *copy = rte_pktmbuf_clone(m, r->core->pool);

	if (copy == NULL) {
		r->core->mbuf_fail++;
		return;
	}
	*weir_pkt(copy) = *weir_pkt(m);
	give(r, pcb, copy, ready);
}

/*
 * IPv4 in fragments: the sockets see one header, that of the whole (its length may be beyond what
 * its field holds, as on Linux, by a few bytes of options). NULL: no mbuf, m ended.
 */
static struct rte_mbuf *
with_header_of_whole(struct weir_raw *r, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct rte_mbuf *h = weir_core_alloc(r->core);
	struct weir_ip4_hdr *hdr;

	if (h == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	*weir_pkt(h) = *p;
	hdr = (void *)rte_pktmbuf_append(h, p->l4_off);
	weir_mbuf_read(m, 0, p->l4_off, hdr);
	hdr->total_len = weir_be16((uint16_t)(p->l4_off + p->l4_len));
	hdr->frag = weir_be16(0);
	hdr->cksum = 0;
	hdr->cksum = (uint16_t)~weir_cksum_mbuf(h, 0, p->l4_off);
	weir_mbuf_strip(m, p->l4_off);
	weir_mbuf_chain(h, m);
	return h;
}

/* Linux: a socket that matches has had the packet, even if its filter keeps it out. */
static struct weir_pcb *
next_taker(struct weir_raw *r, struct weir_pcb *pcb, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);

	while ((pcb = raw_next_match(pcb, p)) != NULL && !raw_is_wanted(pcb, m, p)) {
		r->stats.rx_filtered++;
		pcb = LIST_NEXT(pcb, link);
	}
	return pcb;
}

/* To all that want it, the last of them m itself. Takes m. */
static void
deliver(struct weir_raw *r, struct rte_mbuf *m, struct weir_ready *ready)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_pcb *next, *pcb = next_taker(r, LIST_FIRST(&r->of[p->proto]), m);

	if (pcb != NULL && (p->flags & WEIR_PKT_REASSEMBLED) && weir_addr_is_v4(&p->flow.laddr))
		m = with_header_of_whole(r, m);
	if (pcb == NULL || m == NULL) {
		if (m != NULL)
			rte_pktmbuf_free(m);
		return;
	}
	while ((next = next_taker(r, LIST_NEXT(pcb, link), m)) != NULL) {
		give_reference(r, pcb, m, ready);
		pcb = next;
	}
	give(r, pcb, m, ready);
}

static void
input_one(struct weir_raw *r, struct rte_mbuf *m, struct weir_ready *ready)
{
	const struct weir_pkt *p = weir_pkt(m);

	if (raw_next_match(LIST_FIRST(&r->of[p->proto]), p) == NULL) {
		weir_icmp_unreach(r->ip, m, WEIR_UNREACH_PROTO);
		weir_end(r->core, m, WEIR_FATE_drop_ip_proto);
		return;
	}
	r->core->fates[WEIR_FATE_raw_taken]++;
	deliver(r, m, ready);
}

/* As Linux: only connected sockets are told without asking (IP_RECVERR), and of hard errors only.
 */
static void
take_error(struct weir_raw *r, const struct weir_icmp_error *e, struct weir_ready *ready)
{
	const struct weir_pkt p = {.flow = e->flow, .ifindex = weir_pkt(e->m)->ifindex};
	struct weir_pcb *pcb = raw_next_match(LIST_FIRST(&r->of[e->proto]), &p);

	for (; pcb != NULL; pcb = raw_next_match(LIST_NEXT(pcb, link), &p)) {
		const uint32_t at = weir_peek(pcb->raw->is_hdrincl) ? e->l3_at : e->l4_at;

		if (!weir_dgram_take_error(r->ip, pcb, e, !weir_addr_is_any(&pcb->raddr), at))
			continue;
		weir_ready_add(ready, &pcb->ready, WEIR_READY_ERROR);
		r->stats.rx_errors++;
	}
}

void
weir_raw_input(struct weir_raw *r, struct weir_vec *v, struct weir_ready *ready)
{
	struct weir_vec *copies = &r->ip->raw_copies;

	for (unsigned int i = 0; i < v->n; i++)
		input_one(r, v->m[i], ready);
	v->n = 0;
	for (unsigned int i = 0; i < copies->n; i++)
		deliver(r, copies->m[i], ready);
	copies->n = 0;
	for (unsigned int i = 0; i < r->ip->n_errors && r->ip->n_raw != 0; i++)
		take_error(r, &r->ip->errors[i], ready);
}
