/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: udp_input -> sock_publish -> sock_udp_event; UDP sockets on each worker */
#include "weir_queue.h"

#include <errno.h>

int
weir_sock_udp_bind(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_udp_pcb *pcb = &s->pcbs[ws->index];
	const bool is_new = pcb->owner == NULL;
	struct weir_flow flow;

	if (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)
		return -EBADF; /* it may have left this worker already */
	if (!is_new)
		weir_udp_unbind(ws->udp, pcb); /* bound before: the addresses change (connect) */
	weir_sock_flow(s, &flow);
	pcb->laddr = flow.laddr;
	pcb->lport = flow.lport;
	pcb->raddr = flow.raddr;
	pcb->rport = flow.rport;
	pcb->is_v6 = s->domain == AF_INET6;
	pcb->is_reuseport = weir_sock_has(s, WEIR_SW_REUSEPORT);
	pcb->is_v6only = weir_sock_has(s, WEIR_SW_V6ONLY);
	pcb->ready.kind = WEIR_READY_UDP;
	pcb->owner = s;
	if (is_new)
		weir_sock_ref(s);
	weir_udp_bind(ws->udp, pcb);
	return 0;
}

void
weir_sock_udp_unbind(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_udp_pcb *pcb = s->pcbs == NULL ? NULL : &s->pcbs[ws->index];

	if (pcb == NULL || pcb->owner == NULL)
		return;
	weir_udp_unbind(ws->udp, pcb);
	weir_ready_del(ws->ready, &pcb->ready);
	weir_pktq_free(&pcb->rx);
	pcb->owner = NULL;
	weir_sock_unref(s);
}

/* udp_input counted the datagram as taken; what does not fit is a drop after all. */
static void
drop_full(struct weir_sock_worker *ws, struct rte_mbuf *m)
{
	ws->core->fates[WEIR_FATE_udp_taken]--;
	weir_end(ws->core, m, WEIR_FATE_drop_udp_full);
}

static void
queue_datagram(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	const uint32_t size = weir_mbuf_truesize(m);
	const uint64_t taken = __atomic_load_n(&s->rx_taken, __ATOMIC_ACQUIRE);
	const int64_t held = (int64_t)(__atomic_load_n(&s->rx_given, __ATOMIC_RELAXED) - taken);

	if (held + size > (int64_t)weir_peek(s->opts.rcvbuf) ||
		(weir_sock_flags(s) & (WEIR_SOCK_RX_SHUT | WEIR_SOCK_FD_CLOSED))) {
		drop_full(ws, m);
		return;
	}
	weir_mpsc_push(&s->rxq, &weir_pkt(m)->qn);
	__atomic_fetch_add(&s->rx_given, size, __ATOMIC_RELEASE);
}

static void
take_datagrams(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_udp_pcb *pcb)
{
	struct rte_mbuf *m;

	if (weir_sock_flags(s) & WEIR_SOCK_CALLBACKS) {
		while (pcb->owner == s && (m = weir_pktq_pop(&pcb->rx)) != NULL)
			weir_sock_hand(ws, s, m);
		return;
	}
	while ((m = weir_pktq_pop(&pcb->rx)) != NULL)
		queue_datagram(ws, s, m);
	weir_sock_notify_of(s, WEIR_NEWS_IN);
	weir_sock_post(s, WEIR_ASYN_READ, 0);
}

void
weir_sock_udp_event(struct weir_sock_worker *ws, struct weir_udp_pcb *pcb, uint16_t events)
{
	struct weir_sock *s = pcb->owner;

	if (s == NULL)
		return;
	weir_sock_ref(s); /* a callback may close it */
	if (events & WEIR_READY_READ)
		take_datagrams(ws, s, pcb);
	if (pcb->owner == s && (events & WEIR_READY_ERROR)) {
		__atomic_store_n(&s->error, pcb->error, __ATOMIC_RELAXED);
		weir_sock_notify_of(s, WEIR_NEWS_ERR);
		weir_sock_post(s, WEIR_ASYN_READ, 0);
		weir_sock_tell(ws, s, WEIR_EV_ERROR, pcb->error);
	}
	weir_sock_unref(s);
}

int
weir_sock_udp_send(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	const struct weir_udp_pcb *pcb =
		&s->pcbs[ws->index]; /* its addresses outlast the binding */
	const struct weir_flow f = weir_pkt(m)->flow;

	return weir_udp_output(ws->udp, m, &pcb->laddr, pcb->lport, &f.raddr, f.rport,
		weir_peek(s->opts.tos), weir_peek(s->opts.ttl), -1);
}

static void
take_txq(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&s->txq)) != NULL) {
		struct rte_mbuf *m = weir_qnode_mbuf(n);
		const uint32_t size = weir_mbuf_truesize(m);
		const int rc = weir_sock_udp_send(ws, s, m);

		if (rc != 0)
			__atomic_store_n(&s->error, -rc, __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->tx_freed, size, __ATOMIC_RELEASE);
	}
	weir_sock_notify_of(s, WEIR_NEWS_OUT);
	if (unlikely(weir_peek(s->error) != 0))
		weir_sock_post(s, WEIR_ASYN_READ, 0); /* a receive call tells it */
	weir_sock_post(s, WEIR_ASYN_WRITE, 0);
}

void
weir_sock_udp_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	if (bits & (WEIR_DOOR_SEND | WEIR_DOOR_CLOSE))
		take_txq(ws, s);
}
