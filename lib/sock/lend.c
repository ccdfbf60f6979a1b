/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that applications hold: counted from when a callback has returned, or weir_recv_mbuf(),
 * until weir_mbuf_free() or a send. Meanwhile their memory stays charged to the socket's receive
 * buffer, and all of them together to the stack's limit.
 */
#include "weir_sock.h"

void
weir_lend(struct weir_sock *s, struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(m);

	p->lender = s;
	p->lent_bytes = weir_mbuf_truesize(m);
	p->u[0] = weir_peek(s->life);
}

struct weir_loan
weir_lend_end(struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(m);
	const struct weir_loan loan = {p->lender, p->lent_bytes, (uint32_t)p->u[0]};

	p->lender = NULL;
	return loan;
}

void
weir_lend_again(struct rte_mbuf *m, const struct weir_loan *loan)
{
	struct weir_pkt *p = weir_pkt(m);

	p->lender = loan->sock;
	p->lent_bytes = loan->bytes;
	p->u[0] = loan->life;
}

/*
 * Another thread may have given the packet back before it is counted here: n_lent is -1 then, or
 * one less than it should be, and so are the references, until this puts it right.
 */
void
weir_lend_count(struct weir_sock *s, uint32_t bytes)
{
	__atomic_fetch_add(&s->lent_bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->socks->n_lent, 1, __ATOMIC_RELAXED);
	if (__atomic_fetch_add(&s->n_lent, 1, __ATOMIC_ACQ_REL) == 0)
		weir_sock_ref(s);
}

/* The memory is free: rx_taken grows by it, and rx_given too, so that nothing seems unread. */
static void
credit(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bytes)
{
	const uint64_t step = weir_peek(s->opts.rcvbuf) / 4 + 1; /* what matters to the window */
	const uint64_t taken = __atomic_fetch_add(&s->rx_taken, bytes, __ATOMIC_RELEASE);

	__atomic_fetch_add(&s->rx_given, bytes, __ATOMIC_RELEASE);
	if (ws != NULL)
		weir_sock_serve(ws, s, WEIR_DOOR_CREDIT);
	else if (taken / step != (taken + bytes) / step || weir_peek(s->n_lent) == 1)
		weir_sock_ring(s, WEIR_DOOR_CREDIT);
}

void
weir_lend_repaid(struct weir_sock_worker *ws, const struct weir_loan *loan)
{
	struct weir_sock *s = loan->sock;

	if (s->kind == WEIR_SOCK_TCP && loan->life == weir_peek(s->life))
		credit(ws, s, loan->bytes);
	__atomic_fetch_sub(&s->lent_bytes, loan->bytes, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&s->socks->n_lent, 1, __ATOMIC_RELAXED);
	if (__atomic_fetch_sub(&s->n_lent, 1, __ATOMIC_ACQ_REL) == 1)
		weir_sock_unref(s);
}

bool
weir_lend_is_full(const struct weir_sock *s)
{
	return weir_peek(s->socks->n_lent) >= (int32_t)s->socks->lent_max;
}

bool
weir_lend_is_over(const struct weir_sock *s, uint32_t bytes)
{
	return weir_lend_is_full(s) ||
	       (int64_t)weir_peek(s->lent_bytes) + bytes > (int64_t)weir_peek(s->opts.rcvbuf);
}

void
weir_lend_stall(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (s->is_stalled)
		return;
	s->is_stalled = true;
	ws->stats.stalls++;
	weir_sock_ref(s);
	STAILQ_INSERT_TAIL(&ws->stalled, s, stalled);
}

unsigned int
weir_lend_resume(struct weir_sock_worker *ws, bool is_end)
{
	const struct weir_socks *ss = ws->socks;
	const int32_t line = (int32_t)(ss->lent_max - ss->lent_max / 8);
	struct weir_sock *s;
	unsigned int n = 0;

	if (likely(STAILQ_EMPTY(&ws->stalled)) || (!is_end && weir_peek(ss->n_lent) >= line))
		return 0;
	while ((s = STAILQ_FIRST(&ws->stalled)) != NULL) {
		STAILQ_REMOVE_HEAD(&ws->stalled, stalled);
		s->is_stalled = false;
		weir_sock_tcp_receiving(ws, s, !s->is_held);
		weir_sock_unref(s);
		n++;
	}
	return n;
}
