/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that applications have in their hands. */
#include <errno.h>

#include "recv_priv.h"

static bool
has_notes(struct rte_mbuf *m)
{
	return rte_pktmbuf_priv_size(m->pool) >= WEIR_PKT_PRIV;
}

struct rte_mbuf *
weir_mbuf_alloc(struct weir_stack *st, int fd)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	struct rte_mbuf *m;

	if (s == NULL)
		return NULL;
	m = rte_pktmbuf_alloc(st->pools[weir_sock_home(s)]);
	if (m != NULL)
		weir_pkt(m)->lender = NULL;
	weir_sock_unref(s);
	return m;
}

void
weir_repay(struct weir_stack *st, const struct rte_mbuf *m, const struct weir_loan *loan)
{
	struct weir_worker *self = weir_worker_self();

	if (self != NULL && self->sock.handing == m)
		self->sock.handing = NULL; /* not counted yet */
	else
		weir_lend_repaid(weir_here(st, loan->sock), loan);
}

void
weir_mbuf_free(struct rte_mbuf *m)
{
	struct weir_loan loan = {0};

	if (m == NULL)
		return;
	if (has_notes(m))
		loan = weir_lend_end(m);
	rte_pktmbuf_free(m);
	if (loan.sock != NULL)
		weir_repay(loan.sock->socks->stack, m, &loan);
}

/* The first packet leaves the queue; what it holds stays charged. Under recv_lock. */
static void
lend_first(struct weir_sock *s, struct rte_mbuf *m)
{
	const uint64_t bytes = weir_pkt(m)->u[0];

	weir_pktq_pop(&s->rx_open);
	if (s->kind == WEIR_SOCK_TCP)
		__atomic_fetch_sub(&s->rx_given, bytes, __ATOMIC_RELEASE);
	else
		__atomic_fetch_add(&s->rx_taken, bytes, __ATOMIC_RELEASE);
	weir_poke(s->rx_read, s->rx_read + m->pkt_len);
	weir_lend(s, m);
	weir_pkt(m)->lent_bytes = (uint32_t)bytes; /* as it was charged when it came */
	weir_lend_count(s, (uint32_t)bytes);
}

/* @return bytes; -EAGAIN; -ENOBUFS */
static ssize_t
take_mbuf(struct weir_sock *s, struct rte_mbuf **m)
{
	ssize_t rc = -EAGAIN;

	weir_lock(&s->recv_lock);
	*m = weir_sock_rx_next(s, NULL);
	if (*m != NULL && weir_lend_is_full(s)) {
		*m = NULL;
		rc = -ENOBUFS;
	} else if (*m != NULL) {
		rc = (*m)->pkt_len;
		lend_first(s, *m);
	}
	weir_unlock(&s->recv_lock);
	return rc;
}

/* Waits, and tells the end and errors, as a receive call of no bytes does; 0: there is more. */
static ssize_t
wait_for_more(struct weir_stack *st, struct weir_sock *s, int flags)
{
	struct msghdr msg = {0};
	struct weir_cmsgs c = {.msg = &msg};
	struct weir_sink to;
	char byte;
	const struct iovec iov = {&byte, 1};

	weir_sink_init(&to, &iov, 1);
	flags = (flags & MSG_DONTWAIT) | MSG_PEEK;
	if (s->kind == WEIR_SOCK_TCP)
		return weir_recv_stream(st, s, &to, &c, flags);
	return weir_recv_datagram(st, s, &to, &c, flags);
}

/* A stream ends with 0; a datagram may be empty. */
static ssize_t
recv_mbuf(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf **m, int flags)
{
	ssize_t rc = take_mbuf(s, m);

	while (rc == -EAGAIN) {
		rc = wait_for_more(st, s, flags);
		if (rc < 0 || (rc == 0 && s->kind == WEIR_SOCK_TCP))
			return rc;
		if (rc == 0 && (weir_sock_flags(s) & WEIR_SOCK_RX_SHUT))
			return 0;
		rc = take_mbuf(s, m);
	}
	return rc;
}

ssize_t
weir_recv_mbuf(
	struct weir_stack *st, int fd, struct rte_mbuf **m, struct weir_from *from, int flags)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	ssize_t rc = -EINVAL;

	if (s == NULL)
		return weir_no_sock(st, fd);
	if (m == NULL)
		rc = -EFAULT;
	else if (!(flags & ~MSG_DONTWAIT) && !(weir_sock_flags(s) & WEIR_SOCK_CALLBACKS))
		rc = recv_mbuf(st, s, m, flags);
	if (rc >= 0 && *m != NULL && from != NULL)
		weir_sock_from(s, *m, from);
	if (rc == -EAGAIN)
		weir_found_nothing(s, flags);
	weir_sock_unref(s);
	return rc;
}
