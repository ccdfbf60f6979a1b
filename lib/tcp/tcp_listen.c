/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input -> tcp_listen -> tcp_output */
#include "tcp_priv.h"

#include <stddef.h>

/* A 4 us clock plus a keyed hash of the flow: each flow has a sequence space of its own. */
uint32_t
weir_tcp_isn(const struct weir_tcp *t, const struct weir_flow *flow)
{
	const size_t len = offsetof(struct weir_flow, rport) + sizeof(flow->rport);

	return (uint32_t)weir_siphash(t->core->secret, flow, len) + (uint32_t)(t->core->now_us / 4);
}

bool
weir_tcp_may_accept(const struct weir_tcp *t, const struct weir_tcp_listener *l)
{
	const uint32_t not_counted = l->ready_turn == t->turn ? l->n_ready : 0;

	return __atomic_load_n(l->n_accept, __ATOMIC_RELAXED) + not_counted <= l->backlog;
}

static bool
may_take_syn(const struct weir_tcp *t, const struct weir_tcp_listener *l)
{
	return weir_tcp_may_accept(t, l) &&
	       l->n_syn < RTE_MAX(l->backlog, (uint32_t)WEIR_TCP_SYN_MIN);
}

static void
enter_syn_queue(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_listener *l)
{
	c->listener = l;
	l->n_syn++;
	TAILQ_INSERT_TAIL(&l->syn, c, link);
	weir_tcp_set_state(t, c, WEIR_TCP_SYN_RECEIVED);
	t->stats.passive_opens++;
}

void
weir_tcp_leave_syn_queue(struct weir_tcp_conn *c)
{
	if (c->listener == NULL)
		return; /* simultaneous open */
	c->listener->n_syn--;
	TAILQ_REMOVE(&c->listener->syn, c, link);
}

/* RFC 9293 3.10.7.2, third: a SYN. Text and FIN on it are left to be sent again. */
static enum weir_fate
take_syn(struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_rx *rx,
	uint32_t iss_min)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	const uint32_t isn = weir_tcp_isn(t, &p->flow);
	struct weir_tcp_conn *c;

	if (!may_take_syn(t, l)) {
		t->stats.listen_overflow++;
		return WEIR_FATE_drop_tcp_backlog;
	}
	c = weir_tcp_conn_new(t, &p->flow, &l->opts);
	if (c == NULL)
		return WEIR_FATE_drop_no_memory;
	if (weir_tcp_start(t, c, weir_addr_is_link_local(&p->flow.raddr) ? p->ifindex : -1,
		    iss_min != 0 ? weir_seq_max(isn, iss_min) : isn) < 0) {
		weir_tcp_discard(t, c);
		return WEIR_FATE_drop_tcp_flags;
	}
	enter_syn_queue(t, c, l);
	weir_tcp_take_syn(t, c, &rx->seg);
	weir_tcp_ecn_take_syn(t, c, &rx->seg, p->tos);
	weir_tcp_want_output(t, c);
	return WEIR_FATE_tcp_taken;
}

void
weir_tcp_listen_input(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t iss_min)
{
	const uint8_t flags = rx->seg.flags;
	struct weir_tcp_listener *l;

	rx->fate = WEIR_FATE_drop_tcp_no_conn;
	if (flags & WEIR_TCP_RST)
		return;
	l = weir_tcp_find_listener(t, &weir_pkt(rx->m)->flow);
	if (l == NULL || (flags & WEIR_TCP_ACK))
		weir_tcp_answer_rst(t, rx);
	else if ((flags & WEIR_TCP_SYN) && (flags & WEIR_TCP_FIN))
		rx->fate = WEIR_FATE_drop_tcp_flags; /* no peer opens so; Linux drops it, too */
	else if (flags & WEIR_TCP_SYN)
		rx->fate = take_syn(t, l, rx, iss_min);
}

/* Connections of l that the socket layer has not taken yet, although they are established. */
static void
reset_ready(struct weir_tcp *t, struct weir_tcp_listener *l)
{
	struct weir_ready_item *item = STAILQ_FIRST(t->ready);

	while (item != NULL) {
		struct weir_ready_item *next = STAILQ_NEXT(item, link);
		struct weir_tcp_conn *c = container_of(item, struct weir_tcp_conn, ready);

		if (item->kind == WEIR_READY_TCP && c->listener == l && c->owner == NULL)
			weir_tcp_abort(t, c);
		item = next;
	}
}

void
weir_tcp_unlisten(struct weir_tcp *t, struct weir_tcp_listener *l)
{
	struct weir_tcp_conn *c;

	LIST_REMOVE(l, link);
	while ((c = TAILQ_FIRST(&l->syn)) != NULL)
		weir_tcp_abort(t, c);
	reset_ready(t, l);
}
