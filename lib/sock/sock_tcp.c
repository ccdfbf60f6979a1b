/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input -> sock_publish -> sock_tcp_event; TCP sockets on their home worker */
#include "weir_queue.h"

#include <errno.h>

/* Sends with MSG_ZEROCOPY whose data is gone since; with their connection all are over. */
static void
update_notices(struct weir_sock *s)
{
	const struct weir_tcp_conn *c = s->tcp.conn;
	const uint32_t n = c == NULL ? __atomic_load_n(&s->n_zerocopy, __ATOMIC_RELAXED)
				     : s->notices_base + c->sndq.n_notices;

	if (likely(n == s->n_notices) || weir_tcp_sleeps(&s->tcp))
		return;
	__atomic_store_n(&s->n_notices, n, __ATOMIC_RELEASE);
	weir_sock_notify_of(s, WEIR_NEWS_ERR);
}

/* Memory of sent data that TCP has let go of since. */
static void
update_freed(struct weir_sock *s)
{
	const struct weir_tcp_conn *c = s->tcp.conn;
	const uint32_t held = c == NULL ? 0 : c->sndq.charge;

	if (unlikely(c != NULL && c->is_lowat))
		weir_poke(s->notsent, c->snd.end - c->snd.max);
	__atomic_store_n(&s->tx_freed, s->tx_taken - held, __ATOMIC_RELEASE);
	update_notices(s);
}

/* Who watches it is told once after a send or poll that found no room: no edge with each ACK. */
static void
tell_room(struct weir_sock *s)
{
	weir_sock_wake(s);
	if (weir_peek(s->is_write_wanted) &&
		__atomic_exchange_n(&s->is_write_wanted, false, __ATOMIC_ACQ_REL))
		weir_sock_notify_of(s, WEIR_NEWS_OUT);
}

void
weir_sock_tcp_room(struct weir_sock_worker *ws, struct weir_sock *s)
{
	update_freed(s);
	if (!weir_sock_has_room(s))
		return;
	if (!(weir_sock_flags(s) & WEIR_SOCK_CALLBACKS)) {
		tell_room(s);
		weir_sock_post(s, WEIR_ASYN_WRITE, 0);
	} else if (weir_peek(s->is_write_wanted) &&
		   __atomic_exchange_n(&s->is_write_wanted, false, __ATOMIC_ACQ_REL)) {
		weir_sock_tell(ws, s, WEIR_EV_WRITE, 0);
	}
}

/* A buffer has grown. Who chooses a size meanwhile, by an option, has the last word. */
static void
show_buf(uint32_t *shown, uint32_t size)
{
	uint32_t old = weir_peek(*shown);

	if (size > old)
		__atomic_compare_exchange_n(
			shown, &old, size, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void
show_bufs(struct weir_sock *s, struct weir_tcp_conn *c)
{
	c->is_buf_grown = false;
	if (!weir_peek(s->opts.is_sndbuf_fixed))
		show_buf(&s->opts.sndbuf, c->opts.sndbuf);
	if (!weir_peek(s->opts.is_rcvbuf_fixed))
		show_buf(&s->opts.rcvbuf, c->opts.rcvbuf);
}

int
weir_sock_tcp_connect(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_tcp_opts opts;
	struct weir_tcp_conn *c;
	int rc;

	weir_sock_opts(s, &opts);
	rc = weir_tcp_connect(ws->tcp, &s->flow, &opts, &s->tcp, &c);
	if (rc != 0)
		return rc;
	rc = weir_tcp_keys_adopt(ws->tcp, c, s->keys);
	if (rc != 0) {
		weir_tcp_abort(ws->tcp, c);
		s->tcp.conn = NULL;
		return rc;
	}
	weir_sock_ref(s); /* the connection's */
	weir_poke(s->life, s->life + 1);
	s->is_connect_told = false;
	if (s->queue != NULL)
		weir_msgs_begin(s);
	s->rx_credited = __atomic_load_n(&s->rx_taken, __ATOMIC_RELAXED);
	weir_poke(s->rx_bytes, 0);
	weir_poke(s->rx_read, 0);
	weir_poke(s->urgent, 0);
	s->notices_base = s->n_notices;
	c->is_lowat = opts.notsent_lowat != 0;
	weir_sock_set_flow(s, &c->flow);
	weir_sock_clear(s, WEIR_SOCK_OVER | WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_FIN);
	weir_sock_set(s, WEIR_SOCK_CONNECTING | WEIR_SOCK_CONNECT_DUE);
	return 0;
}

int
weir_sock_tcp_listen(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_tcp_listener *l = &s->listeners[ws->index];
	const bool is_new = l->owner == NULL;

	if (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)
		return -EBADF; /* it may have left this worker already */
	l->backlog = weir_peek(s->backlog);
	weir_sock_opts(s, &l->opts);
	if (l->opts.save_syn != WEIR_TCP_SAVE_SYN_NO && weir_tcp_syns_init(ws->tcp) != 0)
		l->opts.save_syn = WEIR_TCP_SAVE_SYN_NO;
	if (weir_tcp_keys_listen(ws->tcp, l, s->keys) != 0)
		return -ENOMEM;
	if (!is_new)
		return 0;
	l->laddr = s->flow.laddr;
	l->lport = s->flow.lport;
	l->is_v6 = s->domain == AF_INET6;
	l->is_v6only = weir_sock_has(s, WEIR_SW_V6ONLY);
	l->n_accept = &s->n_accept;
	l->owner = s;
	weir_sock_ref(s);
	weir_tcp_listen(ws->tcp, l);
	return 0;
}

int
weir_sock_tcp_key(
	struct weir_sock_worker *ws, struct weir_sock *s, const struct weir_tcp_keys_update *u)
{
	if (!weir_sock_rouse(ws, s))
		return -ENOMEM;
	if (s->tcp.conn == NULL || s->tcp.conn->state == WEIR_TCP_CLOSED)
		return weir_tcp_keys_update(&s->keys, u);
	return weir_tcp_keys_update_conn(ws->tcp, s->tcp.conn, u);
}

void
weir_sock_tcp_unlisten(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_tcp_listener *l = &s->listeners[ws->index];

	if (l->owner == NULL)
		return;
	weir_tcp_unlisten(ws->tcp, l);
	l->owner = NULL;
	weir_sock_unref(s);
}

/* The home worker forgets the connection: it is over, or the application is done with it. */
static void
forget_conn(struct weir_sock_worker *ws, struct weir_sock *s)
{
	s->tcp.conn = NULL;
	update_freed(s);
	weir_sock_let_go(ws, s);
}

static struct weir_sock *
refuse_child(struct weir_sock_worker *ws, struct weir_tcp_conn *c, struct weir_sock *child)
{
	ws->stats.accept_no_sock++;
	weir_tcp_abort(ws->tcp, c);
	if (child != NULL) {
		child->tcp.conn = NULL;
		weir_sock_unref(child);
	}
	return NULL;
}

static void
inherit_callbacks(struct weir_sock *child, const struct weir_sock *ls)
{
	child->cb = (struct weir_callbacks){
		.recv = ls->cb.recv,
		.recv_mbuf = ls->cb.recv_mbuf,
		.event = ls->cb.event,
		.arg = weir_peek(ls->cb.arg),
	};
}

/* A passive open is complete: make its socket, queue it or tell the listener's callback. */
static struct weir_sock *
make_child(struct weir_sock_worker *ws, struct weir_tcp_conn *c)
{
	struct weir_sock *ls = c->listener->owner;
	const bool has_callbacks = weir_sock_flags(ls) & WEIR_SOCK_CALLBACKS;
	struct weir_sock *child = weir_sock_new(ws->socks, WEIR_SOCK_TCP, ls->domain);

	if (child == NULL)
		return refuse_child(ws, c, NULL);
	child->home = ws->index;
	child->flow = c->flow;
	child->opts = c->opts;
	child->switches = weir_peek(ls->switches);
	child->rcvlowat = weir_peek(ls->rcvlowat);
	child->rcvtimeo_ms = weir_peek(ls->rcvtimeo_ms);
	child->sndtimeo_ms = weir_peek(ls->sndtimeo_ms);
	child->priority = weir_peek(ls->priority);
	child->pmtudisc = weir_peek(ls->pmtudisc);
	child->is_linger = weir_peek(ls->is_linger);
	child->linger_s = weir_peek(ls->linger_s);
	weir_sock_inherit_stamps(ws, child, ls);
	child->is_connect_told = true;
	child->flags = WEIR_SOCK_CONNECTED;
	if (has_callbacks) {
		inherit_callbacks(child, ls);
		child->flags |= WEIR_SOCK_CALLBACKS;
		if (weir_fd_open(ws->socks, child) < 0)
			return refuse_child(ws, c, child);
	}
	weir_tcp_own(c, &child->tcp);
	c->listener = NULL;
	c->is_lowat = c->opts.notsent_lowat != 0;
	weir_sock_take_notes(ws, child, c);
	if (has_callbacks) {
		weir_sock_tell(ws, child, WEIR_EV_ACCEPT, 0);
		return child;
	}
	weir_sock_ref(child); /* the accept queue's */
	weir_mpsc_push(&ls->acceptq, &child->accept_node);
	__atomic_fetch_add(&ls->n_accept, 1, __ATOMIC_RELEASE);
	weir_sock_notify_of(ls, WEIR_NEWS_IN);
	weir_sock_post(ls, WEIR_ASYN_ACCEPT, 0);
	return child;
}

/* For the callback? A queue takes data after SHUT_RD, too: it can be read, as on Linux. */
static bool
wants_data(const struct weir_sock *s)
{
	return !(weir_sock_flags(s) & (WEIR_SOCK_RX_SHUT | WEIR_SOCK_FD_CLOSED));
}

/* Data that is for nobody goes through all the same. */
static bool
may_hand(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (unlikely(s->cb.recv_mbuf != NULL && wants_data(s) && weir_lend_is_full(s)))
		weir_lend_stall(ws, s);
	return !s->is_held && !s->is_stalled;
}

static void
hand_data(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c)
{
	struct rte_mbuf *m;

	/* A callback may close the socket, or hold it: the connection may be gone after each. */
	while (s->tcp.conn == c && may_hand(ws, s) && (m = weir_pktq_pop(&c->rcv.rx)) != NULL) {
		const uint32_t size = weir_mbuf_truesize(m);

		if (!wants_data(s))
			rte_pktmbuf_free(m);
		else if (weir_sock_hand(ws, s, m))
			continue; /* the window stays smaller by as much until it is back */
		if (s->tcp.conn == c)
			weir_tcp_credit(ws->tcp, c, size);
	}
}

static void
queue_data(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c)
{
	struct weir_pktq *q = &c->rcv.rx;
	uint32_t bytes = 0;
	uint64_t size = 0;

	for (struct rte_mbuf *m = weir_pktq_first(q); m != NULL; m = weir_pktq_next(m)) {
		size += weir_mbuf_truesize(m);
		bytes += m->pkt_len;
	}
	weir_mpsc_push_chain(&s->rxq, q->first, q->last);
	*q = (struct weir_pktq){0};
	s->data_us = ws->core->now_us;
	__atomic_store_n(&s->rx_bytes, s->rx_bytes + bytes, __ATOMIC_RELEASE);
	__atomic_fetch_add(&s->rx_given, size, __ATOMIC_RELEASE);
	weir_sock_notify_of(s, WEIR_NEWS_IN);
	weir_sock_post(s, WEIR_ASYN_READ, 0);
}

static void
mark_urgent(struct weir_sock *s, const struct weir_tcp_conn *c)
{
	__atomic_store_n(
		&s->urgent, WEIR_URGENT_SET | (uint32_t)(c->rcv_up - c->irs - 1), __ATOMIC_RELEASE);
	weir_sock_notify_of(s, WEIR_NEWS_IN);
}

static void
take_data(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c)
{
	if (c->rcv.rx.n == 0)
		return;
	if (weir_sock_flags(s) & (WEIR_SOCK_CALLBACKS | WEIR_SOCK_FD_CLOSED))
		hand_data(ws, s, c);
	else
		queue_data(ws, s, c);
}

/*
 * What is told behind data that is kept back waits with it; but not the end by an error, with which
 * such data is lost. @return the events to be told now
 */
static uint16_t
hold_back(struct weir_sock *s, const struct weir_tcp_conn *c, uint16_t events)
{
	const uint16_t behind = events & (WEIR_READY_PEERCLOSE | WEIR_READY_CLOSE);

	if ((!s->is_held && !s->is_stalled) || c->rcv.rx.n == 0 || c->error != 0)
		return events;
	s->held_events |= behind;
	return events & (uint16_t)~behind;
}

void
weir_sock_tcp_receiving(struct weir_sock_worker *ws, struct weir_sock *s, bool on)
{
	s->is_held = !on;
	if (s->is_held || s->is_stalled || s->tcp.conn == NULL)
		return;
	weir_ready_add(ws->ready, &s->tcp.conn->ready, WEIR_READY_READ | s->held_events);
	s->held_events = 0;
}

static void
tell_connected(struct weir_sock_worker *ws, struct weir_sock *s)
{
	weir_sock_set(s, WEIR_SOCK_CONNECTED);
	weir_sock_clear(s, WEIR_SOCK_CONNECTING);
	weir_sock_notify(s);
	s->is_connect_told = true;
	weir_sock_post(s, WEIR_ASYN_CONNECT, 0);
	weir_sock_tell(ws, s, WEIR_EV_CONNECT, 0);
}

static void
tell_peer_closed(struct weir_sock_worker *ws, struct weir_sock *s)
{
	weir_sock_set(s, WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_FIN);
	weir_sock_notify(s);
	weir_sock_post(s, WEIR_ASYN_PEERCLOSE, 0);
	weir_sock_tell(ws, s, WEIR_EV_PEERCLOSE, 0);
}

static void
tell_keepalive_down(struct weir_sock_worker *ws, struct weir_sock *s)
{
	weir_sock_post(s, WEIR_ASYN_KEEPALIVEDOWN, ETIMEDOUT);
	weir_sock_tell(ws, s, WEIR_EV_KEEPALIVEDOWN, ETIMEDOUT);
}

static void
tell_over(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c)
{
	const int error = c->error;

	forget_conn(ws, s);
	weir_tcp_release(ws->tcp, c);
	if (error != 0)
		__atomic_store_n(&s->error, error, __ATOMIC_RELAXED);
	weir_sock_set(s, WEIR_SOCK_OVER | WEIR_SOCK_RX_EOF);
	weir_sock_clear(s, WEIR_SOCK_CONNECTING | WEIR_SOCK_DEFERRED);
	weir_sock_notify(s);
	if (!s->is_connect_told) {
		s->is_connect_told = true;
		weir_sock_post(s, WEIR_ASYN_CONNECT, error);
		weir_sock_tell(ws, s, WEIR_EV_CONNECT, error);
	}
	weir_sock_post(s, WEIR_ASYN_CLOSE, error);
	weir_sock_tell(ws, s, WEIR_EV_CLOSE, error);
}

static void
tell_events(
	struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c, uint16_t events)
{
	/* s is ours until the end of the turn (weir_sock_let_go()); c only while s->tcp.conn says
	 * so.
	 */
	if (events & WEIR_READY_CONNECT)
		tell_connected(ws, s);
	if (events & WEIR_READY_URGENT)
		mark_urgent(s, c); /* before the data, so that no reader passes it */
	if (s->tcp.conn == c)
		take_data(ws, s, c);
	if (s->tcp.conn == c)
		events = hold_back(s, c, events);
	if (s->tcp.conn == c && (events & WEIR_READY_PEERCLOSE))
		tell_peer_closed(ws, s);
	if (s->tcp.conn == c && unlikely(c->is_buf_grown))
		show_bufs(s, c);
	if (s->tcp.conn == c && unlikely(events & WEIR_READY_NOTE))
		weir_sock_take_notes(ws, s, c);
	if (s->tcp.conn == c && (events & WEIR_READY_WRITE))
		weir_sock_tcp_room(ws, s);
	if (unlikely(events & WEIR_READY_ERROR))
		weir_sock_set(s, WEIR_SOCK_SOFT_ERROR);
	if (s->tcp.conn == c && (events & WEIR_READY_KEEPALIVEDOWN))
		tell_keepalive_down(ws, s);
	if (s->tcp.conn == c && (events & WEIR_READY_CLOSE))
		tell_over(ws, s, c);
}

void
weir_sock_tcp_event(struct weir_sock_worker *ws, struct weir_tcp_conn *c, uint16_t events)
{
	struct weir_sock *s = weir_sock_of(c);
	struct weir_tcp_busy busy;

	weir_tcp_busy_begin(ws->tcp, &busy, c);
	if (s == NULL && c->listener != NULL && (events & WEIR_READY_ACCEPT))
		s = make_child(ws, c);
	if (s != NULL)
		tell_events(ws, s, c, events);
	weir_tcp_busy_end(ws->tcp, &busy);
}

static void
give(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	if (s->tcp.conn == NULL || weir_tcp_send(ws->tcp, s->tcp.conn, m) != 0)
		rte_pktmbuf_free(m);
}

void
weir_sock_tcp_give(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	give(ws, s, m);
	update_freed(s);
}

static void
take_txq(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&s->txq)) != NULL) {
		struct rte_mbuf *m = weir_qnode_mbuf(n);

		s->tx_taken += weir_mbuf_truesize(m);
		give(ws, s, m);
	}
	update_freed(s);
}

bool
weir_sock_tcp_ready(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (unlikely(!weir_tcp_may_work(ws->tcp, &s->tcp)))
		return false;
	if (unlikely(weir_sock_has_queued(s)))
		take_txq(ws, s);
	return true;
}

static void
take_credit(struct weir_sock_worker *ws, struct weir_sock *s)
{
	const uint64_t taken = __atomic_load_n(&s->rx_taken, __ATOMIC_ACQUIRE);

	WEIR_ASSERT(!weir_tcp_sleeps(&s->tcp));
	if (s->tcp.conn != NULL)
		weir_tcp_credit(ws->tcp, s->tcp.conn, (uint32_t)(taken - s->rx_credited));
	s->rx_credited = taken;
}

/* What was received and not read; RFC 9293 3.6.1 and RFC 2525 2.17 ask for a reset then. */
static bool
has_unread(const struct weir_sock *s)
{
	return weir_sock_has_data(s) || s->tcp.conn->rcv.rx.n != 0;
}

static void
end_conn(struct weir_sock_worker *ws, struct weir_sock *s, bool is_abort)
{
	struct weir_tcp_conn *c = s->tcp.conn;

	if (c == NULL)
		return;
	is_abort |= (weir_peek(s->is_linger) && weir_peek(s->linger_s) == 0) || has_unread(s);
	if (is_abort)
		weir_tcp_abort(ws->tcp, c);
	else
		weir_tcp_close(ws->tcp, c);
	forget_conn(ws, s);
	weir_sock_set(s, WEIR_SOCK_OVER | WEIR_SOCK_RX_EOF);
	weir_sock_notify(s);
}

int
weir_sock_tcp_disconnect(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_tcp_conn *c = weir_sock_conn(ws, s);
	int error = 0;

	if (weir_tcp_sleeps(&s->tcp))
		return -ENOBUFS;

	if (c != NULL) {
		if (c->state == WEIR_TCP_CLOSED)
			error = c->error;
		else if (c->state < WEIR_TCP_CLOSING) /* the peer is reset, or was never reached */
			error = ECONNRESET;
		weir_tcp_abort(ws->tcp, c);
		forget_conn(ws, s);
	}
	take_txq(ws, s);
	weir_poke(s->urgent, 0);
	if (error != 0) /* one of an earlier attempt that nobody has fetched stays */
		__atomic_store_n(&s->error, error, __ATOMIC_RELAXED);
	weir_sock_clear(s, WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_CONNECT_DUE |
				   WEIR_SOCK_DEFERRED | WEIR_SOCK_OVER | WEIR_SOCK_RX_EOF |
				   WEIR_SOCK_RX_FIN | WEIR_SOCK_RX_SHUT | WEIR_SOCK_TX_SHUT);
	if (s->queue != NULL)
		weir_msgs_begin(s);
	weir_sock_notify(s);
	return 0;
}

int
weir_sock_tcp_shut_attempt(struct weir_sock_worker *ws, struct weir_sock *s)
{
	const struct weir_tcp_conn *c = weir_sock_conn(ws, s);

	if (c != NULL && c->state >= WEIR_TCP_SYN_RECEIVED)
		return -EISCONN;
	return weir_sock_tcp_disconnect(ws, s);
}

int
weir_sock_tcp_soft_error(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_tcp_conn *c = weir_sock_conn(ws, s);
	int error = 0;

	if (c != NULL) {
		error = c->soft_error;
		c->soft_error = 0;
	}
	return error;
}

static void
change_opts(struct weir_sock_worker *ws, struct weir_sock *s)
{
	uint8_t quickack, ifindex_plus1;
	struct weir_tcp_conn *c;

	if (s->tcp.conn == NULL)
		return;
	c = s->tcp.conn;
	quickack = c->opts.quickack;
	ifindex_plus1 = c->opts.ifindex_plus1;
	show_bufs(s, c);
	weir_sock_opts(s, &c->opts);
	if (c->opts.ifindex_plus1 != ifindex_plus1)
		c->dst.gen = 0; /* never fresh: the way is looked up again */
	weir_tcp_opts_changed(ws->tcp, c);
	if (c->opts.quickack != quickack)
		weir_tcp_quickack_set(ws->tcp, c);
}

/* A sender that came before the shutdown or close has not put its data into txq yet: come again. */
static uint32_t
put_off_end(struct weir_sock *s, uint32_t bits)
{
	const uint32_t end = bits & (WEIR_DOOR_SHUT_WR | WEIR_DOOR_CLOSE);

	if (end == 0 || (bits & WEIR_DOOR_ABORT) || s->tcp.conn == NULL ||
		!weir_sock_has_reserved(s))
		return bits;
	weir_sock_ring(s, end);
	return bits & ~end;
}

/* What puts data or a FIN under way comes again if too many others have some. */
static uint32_t
put_off_work(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	const uint32_t work = bits & (WEIR_DOOR_SEND | WEIR_DOOR_SHUT_WR | WEIR_DOOR_CLOSE);

	if (likely(work == 0 || (bits & WEIR_DOOR_ABORT) || weir_tcp_may_work(ws->tcp, &s->tcp)))
		return bits;
	weir_sock_put_off(ws, s, work);
	return bits & ~work;
}

/* Closed in both directions, if not by close(): data from here on is answered by a reset. */
static void
shut_both(struct weir_sock *s)
{
	const uint32_t both = WEIR_SOCK_RX_SHUT | WEIR_SOCK_TX_SHUT;

	if ((weir_sock_flags(s) & both) == both)
		s->tcp.conn->is_rcv_shut = true;
}

static void
serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	bits = put_off_work(ws, s, bits);
	if (bits & WEIR_DOOR_OPTS)
		change_opts(ws, s);
	if (bits & (WEIR_DOOR_SEND | WEIR_DOOR_SHUT_WR | WEIR_DOOR_CLOSE))
		take_txq(ws, s);
	if (unlikely(bits & WEIR_DOOR_WRITE))
		weir_sock_tcp_room(ws, s);
	bits = put_off_end(s, bits);
	if (bits & (WEIR_DOOR_CREDIT | WEIR_DOOR_OPTS)) /* SO_RCVBUF: what is worth telling */
		take_credit(ws, s);
	if ((bits & WEIR_DOOR_SHUT_WR) && s->tcp.conn != NULL)
		weir_tcp_shutdown(ws->tcp, s->tcp.conn);
	if ((bits & (WEIR_DOOR_SHUT_WR | WEIR_DOOR_SHUT_RD)) && s->tcp.conn != NULL)
		shut_both(s);
	if (bits & WEIR_DOOR_CLOSE)
		end_conn(ws, s, bits & WEIR_DOOR_ABORT);
}

void
weir_sock_tcp_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	struct weir_tcp_busy busy;

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return; /* listeners are served by calls to every worker */
	if (!weir_sock_rouse(ws, s)) {
		weir_sock_put_off(ws, s, bits);
		return;
	}
	weir_tcp_busy_begin(ws->tcp, &busy, s->tcp.conn);
	serve(ws, s, bits);
	weir_tcp_busy_end(ws->tcp, &busy);
}
