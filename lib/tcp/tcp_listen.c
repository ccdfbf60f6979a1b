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
has_syn_room(const struct weir_tcp *t, const struct weir_tcp_listener *l)
{
	return l->n_syn < RTE_MAX(l->backlog, (uint32_t)WEIR_TCP_SYN_MIN) &&
	       t->reqs.used < t->reqs.capacity;
}

static bool
wants_cookie(const struct weir_tcp *t, const struct weir_tcp_listener *l, uint32_t iss)
{
	if (iss != 0)
		return false; /* follows a TIME_WAIT: a peer that exists */
	return t->conf.syn_cookies == WEIR_TCP_COOKIES_ALWAYS ||
	       (t->conf.syn_cookies == WEIR_TCP_COOKIES_FULL && !has_syn_room(t, l));
}

/* There is room: open at once by Fast Open, or half. */
static enum weir_fate
open_syn(struct weir_tcp *t, struct weir_tcp_listener *l, struct weir_tcp_rx *rx, uint32_t iss)
{
	struct weir_tcp_fo fo;
	const enum weir_tcp_fo_act act = weir_tcp_fastopen_check(t, l, rx, &fo);

	if (iss == 0)
		iss = weir_tcp_isn(t, &weir_pkt(rx->m)->flow);
	if (act == WEIR_TCP_FO_OPEN && weir_tcp_fastopen_take(t, l, rx, iss))
		return rx->fate;
	return weir_tcp_req_open(t, l, rx, iss, act == WEIR_TCP_FO_GIVE ? &fo : NULL)
		       ? WEIR_FATE_tcp_taken
		       : WEIR_FATE_drop_no_memory;
}

/* RFC 9293 3.10.7.2, third: a SYN. Text and FIN on it are left to be sent again. */
static enum weir_fate
take_syn(struct weir_tcp *t, struct weir_tcp_listener *l, struct weir_tcp_rx *rx, uint32_t iss)
{
	const bool is_cookie = wants_cookie(t, l, iss);

	if (!weir_tcp_may_accept(t, l) || !(is_cookie || has_syn_room(t, l))) {
		t->stats.listen_overflow++;
		return WEIR_FATE_drop_tcp_backlog;
	}
	if (!is_cookie)
		return open_syn(t, l, rx, iss);
	weir_tcp_cookie_answer(t, l, rx);
	return WEIR_FATE_tcp_taken;
}

/* Second: an ACK. It may be the last of a handshake of which only a cookie was kept. */
static void
take_ack(struct weir_tcp *t, struct weir_tcp_listener *l, struct weir_tcp_rx *rx)
{
	struct weir_tcp_req req;

	if (!(rx->seg.flags & WEIR_TCP_SYN) && t->core->now_us < t->cookies_until_us) {
		if (weir_tcp_cookie_check(t, l, rx, &req)) {
			t->stats.cookies_received++;
			weir_tcp_req_revive(t, &req, rx);
			return;
		}
		t->stats.cookies_failed++;
	}
	weir_tcp_answer_rst(t, rx);
}

void
weir_tcp_listen_input(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t iss)
{
	const uint8_t flags = rx->seg.flags;
	const struct weir_pkt *p = weir_pkt(rx->m);
	struct weir_tcp_listener *l;

	rx->fate = WEIR_FATE_drop_tcp_no_conn;
	if (flags & WEIR_TCP_RST)
		return;
	l = weir_tcp_find_listener(t, &p->flow, p->ifindex);
	if (l == NULL)
		weir_tcp_answer_rst(t, rx);
	else if (flags & WEIR_TCP_ACK)
		take_ack(t, l, rx);
	else if ((flags & WEIR_TCP_SYN) && (flags & WEIR_TCP_FIN))
		rx->fate = WEIR_FATE_drop_tcp_flags; /* no peer opens so; Linux drops it, too */
	else if (flags & WEIR_TCP_SYN)
		rx->fate = take_syn(t, l, rx, iss);
}

/* Connections of l that the socket layer has not taken yet, although they are established. */
static void
reset_ready(struct weir_tcp *t, struct weir_tcp_listener *l)
{
	struct weir_ready_item *item = STAILQ_FIRST(t->ready);

	while (item != NULL) {
		struct weir_ready_item *next = STAILQ_NEXT(item, link);
		struct weir_tcp_conn *c = container_of(item, struct weir_tcp_conn, ready);

		if (item->kind == WEIR_READY_TCP && c->listener == l && c->end == NULL)
			weir_tcp_abort(t, c);
		item = next;
	}
}

/* Half-open connections go without a word, as in Linux: an ACK of theirs is answered by RST. */
void
weir_tcp_unlisten(struct weir_tcp *t, struct weir_tcp_listener *l)
{
	LIST_REMOVE(l, link);
	while (!LIST_EMPTY(&l->reqs))
		weir_tcp_req_drop(t, LIST_FIRST(&l->reqs));
	reset_ready(t, l);
	weir_tcp_keys_listen(t, l, NULL);
}
