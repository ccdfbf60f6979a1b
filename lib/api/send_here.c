/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: send -> send_here -> tcp_send. What a callback answers most: a few bytes, on the worker
 * that has the connection, while there is room. All else goes the long way of send.c.
 */
#include "send_priv.h"

/* Connected, and nothing else is to be said about it. */
static bool
is_open(const struct weir_sock *s)
{
	const uint32_t all = WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_TX_SHUT |
			     WEIR_SOCK_OVER | WEIR_SOCK_DEFERRED | WEIR_SOCK_FD_CLOSED;

	return (weir_sock_flags(s) & all) == WEIR_SOCK_CONNECTED &&
	       __atomic_load_n(&s->error, __ATOMIC_RELAXED) == 0;
}

static bool
has_room(const struct weir_sock *s)
{
	return weir_sock_tx_room(s) > 0 && !weir_sock_is_notsent_full(s, 0);
}

/* The stream that fd is, if its connection is on the worker whose turn it is. */
static struct weir_sock *
find_here(struct weir_stack *st, int fd, struct weir_worker *self)
{
	struct weir_sock *s;

	if (self == NULL || st == NULL || self->sock.socks != &st->socks)
		return NULL;
	s = weir_fd_peek(&st->socks, fd, self->index);
	return s != NULL && s->kind == WEIR_SOCK_TCP ? s : NULL;
}

bool
weir_send_here(struct weir_stack *st, int fd, const void *buf, uint32_t len, int flags)
{
	struct weir_worker *const self = weir_worker_self();
	struct weir_sock *const s = find_here(st, fd, self);
	struct rte_mbuf *m;

	if (s == NULL || (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) || buf == NULL || !is_open(s) ||
		weir_sock_extra(s) != NULL || !has_room(s) ||
		!weir_sock_may_take(self->core.pool, 1) ||
		len > weir_payload_max(self->core.pool) || !weir_sock_tcp_ready(&self->sock, s))
		return false;
	m = rte_pktmbuf_alloc(self->core.pool);
	if (m == NULL)
		return false;
	memcpy(rte_pktmbuf_mtod(m, char *), buf, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	weir_pkt(m)->send = 0;
	weir_sock_tcp_give(&self->sock, s, m);
	return true;
}
