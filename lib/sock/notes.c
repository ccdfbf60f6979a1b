/* SPDX-License-Identifier: BSD-3-Clause */
/* Error queues: what became of datagrams (IP_RECVERR), when data went (SO_TIMESTAMPING). */
#include "weir_queue.h"

#include <errno.h>

#include <linux/net_tstamp.h>

#define NOTES_MAX 64 /* that wait; what comes then is dropped, as with a full receive buffer */

void
weir_sock_add_note(struct weir_sock *s, struct rte_mbuf *m)
{
	struct weir_sock_extra *x = weir_sock_extra(s);

	if (x == NULL || (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED) ||
		__atomic_load_n(&x->n_notes, __ATOMIC_RELAXED) - weir_peek(x->n_notes_read) >=
			NOTES_MAX) {
		rte_pktmbuf_free(m);
		return;
	}
	weir_mpsc_push(&x->errq, &weir_pkt(m)->qn);
	__atomic_fetch_add(&x->n_notes, 1, __ATOMIC_RELEASE);
}

/* A note of nothing but where d was to go, and the MTU there. NULL: no mbuf. */
static struct rte_mbuf *
width_note(struct weir_sock_worker *ws, const struct weir_dgram *d, const struct weir_dst *dst)
{
	struct rte_mbuf *m = weir_core_alloc(ws->core);

	if (m == NULL)
		return NULL;
	weir_dgram_note(m, &(struct weir_dgram_note){
				   .error = EMSGSIZE, .origin = WEIR_NOTE_LOCAL, .info = dst->mtu});
	weir_pkt(m)->ifindex = dst->ifc->index;
	weir_pkt(m)->flow = (struct weir_flow){.raddr = d->raddr, .rport = d->rport};
	return m;
}

/* The latest is the one that counts. */
static void
leave_path_note(struct weir_sock *s, struct rte_mbuf *m)
{
	if (m != NULL)
		rte_pktmbuf_free(__atomic_exchange_n(&s->dgram->path_note, m, __ATOMIC_ACQ_REL));
}

void
weir_sock_note_width(struct weir_sock_worker *ws, struct weir_sock *s, const struct weir_dgram *d)
{
	const struct weir_dgram_opts *o = &s->dgram->opts;
	const struct weir_dst *dst;
	struct weir_dst own;
	struct rte_mbuf *m;

	if (weir_ip_way(ws->ip, &d->raddr, d->ifindex, &dst) != 0)
		return;
	dst = weir_dgram_way(d, dst, &own);
	if (d->is_dontfrag && weir_peek(o->is_recvpathmtu6))
		leave_path_note(s, width_note(ws, d, dst));
	if (!weir_peek(o->is_recverr[!weir_addr_is_v4(&d->raddr)]))
		return;
	m = width_note(ws, d, dst);
	if (m != NULL)
		weir_sock_add_note(s, m);
}

struct rte_mbuf *
weir_sock_first_note(struct weir_sock *s)
{
	struct weir_sock_extra *x = weir_sock_extra(s);
	struct weir_qnode *n;

	if (x == NULL)
		return NULL;
	while ((n = weir_mpsc_pop(&x->errq)) != NULL)
		weir_pktq_add(&x->err_open, weir_qnode_mbuf(n));
	return weir_pktq_first(&x->err_open);
}

void
weir_sock_drop_note(struct weir_sock *s)
{
	rte_pktmbuf_free(weir_pktq_pop(&s->extra->err_open));
	weir_poke(s->extra->n_notes_read, s->extra->n_notes_read + 1);
}

struct weir_sock_extra *
weir_sock_want_extra(struct weir_sock *s, struct rte_mempool *pool)
{
	struct weir_sock_extra *x = weir_sock_extra(s), *other = NULL;
	struct rte_mbuf *m;

	if (x != NULL)
		return x;
	m = rte_pktmbuf_alloc(pool);
	if (m == NULL)
		return NULL;
	x = (struct weir_sock_extra *)RTE_PTR_ALIGN(
		rte_pktmbuf_mtod(m, char *), RTE_CACHE_LINE_MIN_SIZE);
	*x = (struct weir_sock_extra){.memory = m};
	weir_mpsc_init(&x->errq);
	if (__atomic_compare_exchange_n(
		    &s->extra, &other, x, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return x;
	rte_pktmbuf_free(m); /* another thread was quicker */
	return other;
}

void
weir_sock_free_extra(struct weir_sock *s)
{
	struct weir_sock_extra *x = s->extra;
	struct weir_qnode *n;

	if (x == NULL)
		return;
	while ((n = weir_mpsc_pop(&x->errq)) != NULL)
		rte_pktmbuf_free(weir_qnode_mbuf(n));
	weir_pktq_free(&x->err_open);
	rte_pktmbuf_free(x->syn);
	rte_pktmbuf_free(x->memory);
}

/* What SO_TIMESTAMPING asks for is inherited; where the count begins only a connection can say. */
void
weir_sock_inherit_stamps(
	struct weir_sock_worker *ws, struct weir_sock *child, const struct weir_sock *ls)
{
	const uint32_t stamps = weir_sock_stamps(ls);
	struct weir_sock_extra *x =
		likely(stamps == 0) ? NULL : weir_sock_want_extra(child, ws->core->pool);

	if (unlikely(x != NULL))
		x->stamps = stamps;
}

static void
take_note(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	struct weir_sock_extra *x = weir_sock_want_extra(s, ws->core->pool);
	struct weir_dgram_note n;

	weir_dgram_note_of(m, &n);
	if (x == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	if (n.origin == WEIR_NOTE_SYN) {
		__atomic_store_n(&x->syn, m, __ATOMIC_RELEASE);
		return;
	}
	n.data = weir_peek(x->stamps) & SOF_TIMESTAMPING_OPT_ID ? n.data - weir_peek(x->stamps_from)
								: 0;
	weir_dgram_note(m, &n);
	weir_sock_add_note(s, m);
	weir_sock_notify_of(s, WEIR_NEWS_ERR);
}

void
weir_sock_take_notes(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c)
{
	struct rte_mbuf *m;

	while ((m = weir_tcp_note_pop(c)) != NULL)
		take_note(ws, s, m);
}

/* The data comes back with a note, if it is not to be left away. */
static struct rte_mbuf *
make_stamp(struct weir_sock_worker *ws, struct rte_mbuf *m, const struct weir_send_how *how,
	enum weir_tcp_stamp kind)
{
	const bool is_empty = (how->stamps & SOF_TIMESTAMPING_OPT_TSONLY) || m->pkt_len == 0;
	struct rte_mbuf *note = is_empty ? weir_core_alloc(ws->core)
					 : rte_pktmbuf_copy(m, ws->core->pool, 0, UINT32_MAX);

	if (note == NULL)
		return NULL;
	weir_pkt(note)->rx_us = ws->core->now_us;
	weir_dgram_note(note, &(struct weir_dgram_note){.error = ENOMSG,
				      .info = kind,
				      .data = how->key,
				      .origin = WEIR_NOTE_STAMP});
	return note;
}

void
weir_sock_make_stamps(struct weir_sock_worker *ws, struct rte_mbuf *m,
	const struct weir_send_how *how, struct weir_sock_stamps *stamps)
{
	*stamps = (struct weir_sock_stamps){0};
	if (how->stamps & SOF_TIMESTAMPING_TX_SCHED)
		stamps->m[0] = make_stamp(ws, m, how, WEIR_TCP_STAMP_SCHED);
	if (how->stamps & SOF_TIMESTAMPING_TX_SOFTWARE)
		stamps->m[1] = make_stamp(ws, m, how, WEIR_TCP_STAMP_SENT);
}

void
weir_sock_tell_stamps(struct weir_sock *s, const struct weir_sock_stamps *stamps, bool is_sent)
{
	for (unsigned int i = 0; i < RTE_DIM(stamps->m); i++) {
		if (stamps->m[i] != NULL && is_sent)
			weir_sock_add_note(s, stamps->m[i]);
		else
			rte_pktmbuf_free(stamps->m[i]);
	}
	weir_sock_notify_of(s, WEIR_NEWS_ERR);
}
