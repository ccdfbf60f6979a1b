/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sock_publish -> sock_tcp_event, sock_udp_event -> hand -> the application's callback */
#include "weir_sock.h"

void
weir_sock_from(const struct weir_sock *s, struct rte_mbuf *m, struct weir_from *from)
{
	const struct weir_pkt *p = weir_pkt(m);

	from->addr_len = weir_sock_addr_out(
		s->domain, &p->flow.raddr, p->flow.rport, p->ifindex, &from->addr.in6);
	from->ifindex = p->ifindex;
	from->rx_us = p->rx_us;
}

/* A datagram is handed over whole: one that came in pieces is gathered first. */
static void
hand_gathered(struct weir_sock *s, struct rte_mbuf *m, const struct weir_from *from)
{
	uint8_t room[65536];

	s->cb.recv(s->socks->stack, s->fd, rte_pktmbuf_read(m, 0, m->pkt_len, room), m->pkt_len,
		from, weir_peek(s->cb.arg));
}

/* The function that has got the first piece gets the others, whatever is set meanwhile. */
static void
hand_pieces(struct weir_sock *s, const struct rte_mbuf *m, const struct weir_from *from)
{
	const weir_recv_fn recv = s->cb.recv;

	for (; m != NULL && !(weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED); m = m->next)
		if (m->data_len > 0 || s->kind != WEIR_SOCK_TCP)
			recv(s->socks->stack, s->fd, rte_pktmbuf_mtod(m, const void *), m->data_len,
				from, weir_peek(s->cb.arg));
}

/* What comes back before the callback returns was never kept, and costs nothing to count. */
static bool
hand_mbuf(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_from *from)
{
	const uint32_t bytes = weir_mbuf_truesize(m);
	bool is_kept;

	weir_lend(s, m);
	ws->handing = m;
	s->cb.recv_mbuf(s->socks->stack, s->fd, m, from, weir_peek(s->cb.arg));
	is_kept = ws->handing != NULL;
	ws->handing = NULL;
	if (is_kept)
		weir_lend_count(s, bytes);
	return is_kept;
}

bool
weir_sock_hand(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	struct weir_from from;

	ws->stats.callbacks++;
	weir_sock_from(s, m, &from);
	if (s->cb.recv_mbuf != NULL)
		return hand_mbuf(ws, s, m, &from);
	if (s->kind != WEIR_SOCK_TCP && m->nb_segs > 1)
		hand_gathered(s, m, &from);
	else
		hand_pieces(s, m, &from);
	rte_pktmbuf_free(m);
	return false;
}
