/* SPDX-License-Identifier: BSD-3-Clause */
/* Error queues of UDP and raw sockets: what became of datagrams (IP_RECVERR). */
#include "weir_sock.h"

#include <errno.h>

#define NOTES_MAX 64 /* that wait; what comes then is dropped, as with a full receive buffer */

void
weir_sock_add_note(struct weir_sock *s, struct rte_mbuf *m)
{
	const uint32_t n = __atomic_load_n(&s->n_notices, __ATOMIC_RELAXED);

	if (n - weir_peek(s->n_noticed) >= NOTES_MAX ||
		(weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)) {
		rte_pktmbuf_free(m);
		return;
	}
	weir_mpsc_push(&s->dgram->errq, &weir_pkt(m)->qn);
	__atomic_fetch_add(&s->n_notices, 1, __ATOMIC_RELEASE);
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
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&s->dgram->errq)) != NULL)
		weir_pktq_add(&s->dgram->err_open, weir_qnode_mbuf(n));
	return weir_pktq_first(&s->dgram->err_open);
}
