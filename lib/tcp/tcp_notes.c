/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_listen, tcp_req -> tcp_notes -> sock_tcp; tcp_output, tcp_ack -> tcp_notes -> sock_tcp.
 * What the socket layer gets as packets beside data: the headers of the SYN (TCP_SAVE_SYN), and
 * when data went and was acknowledged (SO_TIMESTAMPING). They wait in a ring of the connection,
 * which refers to the last of them.
 */
#include "tcp_priv.h"

#include <rte_malloc.h>

#include "weir_dgram.h"
#include "weir_mbuf.h"

void
weir_tcp_note_add(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m)
{
	struct weir_qnode *last = c->act->notes;
	struct weir_qnode *n = &weir_pkt(m)->qn;

	n->next = last == NULL ? n : last->next;
	if (last != NULL)
		last->next = n;
	c->act->notes = n;
	if (c->end != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_NOTE);
}

struct rte_mbuf *
weir_tcp_note_pop(struct weir_tcp_conn *c)
{
	struct weir_qnode *last = c->act->notes;
	struct weir_qnode *first;

	if (last == NULL)
		return NULL;
	first = last->next;
	if (first == last)
		c->act->notes = NULL;
	else
		last->next = first->next;
	return weir_qnode_mbuf(first);
}

void
weir_tcp_notes_free(struct weir_tcp_conn *c)
{
	struct rte_mbuf *m;

	while ((m = weir_tcp_note_pop(c)) != NULL)
		rte_pktmbuf_free(m);
}

/* SYNs */

int
weir_tcp_syns_init(struct weir_tcp *t)
{
	if (t->syns == NULL)
		t->syns = rte_zmalloc("weir_tcp_syns", t->reqs.capacity * sizeof(t->syns[0]),
			RTE_CACHE_LINE_SIZE);
	return t->syns == NULL ? -ENOMEM : 0;
}

void
weir_tcp_syns_fini(struct weir_tcp *t)
{
	for (uint32_t i = 0; t->syns != NULL && i < t->reqs.capacity; i++)
		rte_pktmbuf_free(t->syns[i]);
	rte_free(t->syns);
	t->syns = NULL;
}

/* The Ethernet header without a tag; zeros for what never was on a wire, as a loopback has it. */
static void
put_mac(const struct weir_tcp *t, struct rte_mbuf *syn, struct rte_mbuf *m)
{
	struct weir_eth_hdr *eth = (struct weir_eth_hdr *)rte_pktmbuf_append(m, WEIR_ETH_HLEN);
	const struct weir_pkt *p = weir_pkt(syn);
	const struct weir_mac *mac = &t->ip->ifaces[p->ifindex].mac;
	unsigned int hlen = WEIR_ETH_HLEN;

	memset(eth, 0, sizeof(*eth));
	if ((p->flags & (WEIR_PKT_LOOPED | WEIR_PKT_REASSEMBLED)) == 0 &&
		rte_pktmbuf_headroom(syn) >= WEIR_ETH_HLEN + WEIR_VLAN_HLEN) {
		if (memcmp(rte_pktmbuf_mtod(syn, char *) - hlen, mac, sizeof(*mac)) != 0)
			hlen += WEIR_VLAN_HLEN;
		memcpy(eth, rte_pktmbuf_mtod(syn, char *) - hlen, 2 * sizeof(*mac));
	}
	eth->type =
		weir_be16(weir_addr_is_v4(&p->flow.raddr) ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6);
}

/* With half of the pool gone SYNs are not kept: they may stay with sockets for long. */
static struct rte_mbuf *
copy_syn(const struct weir_tcp *t, const struct weir_tcp_listener *l, const struct weir_tcp_rx *rx)
{
	const struct rte_mempool *pool = t->core->pool;
	struct rte_mbuf *m;

	if (rte_ring_count(pool->pool_data) < pool->size / 2)
		return NULL;
	m = weir_core_alloc(t->core);
	if (m == NULL)
		return NULL;
	if (l->opts.save_syn == WEIR_TCP_SAVE_SYN_MAC)
		put_mac(t, rx->m, m);
	if (rx->data_off > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	weir_mbuf_read(rx->m, 0, rx->data_off, rte_pktmbuf_append(m, rx->data_off));
	weir_dgram_note(m, &(struct weir_dgram_note){.origin = WEIR_NOTE_SYN});
	return m;
}

void
weir_tcp_keep_syn(struct weir_tcp *t, const struct weir_tcp_req *req, const struct weir_tcp_rx *rx)
{
	t->syns[weir_slab_index(&t->reqs, req)] = copy_syn(t, req->listener, rx);
}

struct rte_mbuf *
weir_tcp_take_kept_syn(struct weir_tcp *t, const struct weir_tcp_req *req)
{
	struct rte_mbuf **at = &t->syns[weir_slab_index(&t->reqs, req)];
	struct rte_mbuf *m = *at;

	*at = NULL;
	return m;
}

void
weir_tcp_note_syn(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	struct rte_mbuf *m = copy_syn(t, c->listener, rx);

	if (m != NULL)
		weir_tcp_note_add(t, c, m);
}

/* Stamps */

static void
stamp(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m, enum weir_tcp_stamp kind,
	uint32_t last)
{
	weir_pkt(m)->rx_us = t->core->now_us;
	weir_dgram_note(
		m, &(struct weir_dgram_note){
			   .error = ENOMSG, .info = kind, .data = last, .origin = WEIR_NOTE_STAMP});
	weir_tcp_note_add(t, c, m);
}

void
weir_tcp_stamp_sent(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sent_text *x,
	enum weir_tcp_stamp kind)
{
	struct rte_mbuf *m = c->end == NULL ? NULL : weir_core_alloc(t->core);

	if (m == NULL)
		return;
	if (x->how & WEIR_SEND_STAMP_DATA)
		weir_tcp_sndq_copy(c, m, x->seq, x->len);
	stamp(t, c, m, kind, x->last);
}

void
weir_tcp_stamp_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m, uint32_t last)
{
	if (c->end == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	if (!(weir_pkt(m)->send & WEIR_SEND_STAMP_DATA)) {
		rte_pktmbuf_free(m->next);
		m->next = NULL;
		m->nb_segs = 1;
		m->data_len = 0;
		m->pkt_len = 0;
	}
	stamp(t, c, m, WEIR_TCP_STAMP_ACK, last);
}
