/* SPDX-License-Identifier: BSD-3-Clause */
/* Error queues of UDP and raw sockets: what became of datagrams (IP_RECVERR). */
#include "weir_sock.h"

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

struct rte_mbuf *
weir_sock_first_note(struct weir_sock *s)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&s->dgram->errq)) != NULL)
		weir_pktq_add(&s->dgram->err_open, weir_qnode_mbuf(n));
	return weir_pktq_first(&s->dgram->err_open);
}
