/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sock_tcp -> tcp_usr -> (flush) tcp_output. RFC 9293 3.10.1 to 3.10.6. */
#include "tcp_priv.h"

static bool
is_unicast(const struct weir_addr *a)
{
	return !weir_addr_is_any(a) && !weir_addr_is_multicast(a) && !weir_addr_is_broadcast(a);
}

/* Fill in what flow leaves open: source address, then port. */
static int
complete_flow(struct weir_tcp *t, struct weir_flow *flow, int ifindex)
{
	struct weir_dst dst;
	int err;

	if (!is_unicast(&flow->raddr) || flow->rport.raw == 0)
		return -ENETUNREACH;
	err = weir_ip_route_again(t->ip, &flow->raddr, ifindex, &dst);
	if (err < 0)
		return err;
	if (weir_addr_is_any(&flow->laddr))
		flow->laddr = dst.src;
	if (weir_addr_is_v4(&flow->laddr) != weir_addr_is_v4(&flow->raddr))
		return -EADDRNOTAVAIL;
	if (weir_addr_is_loopback(&flow->laddr) && !dst.is_local)
		return -EINVAL; /* it could not be answered */
	if (flow->lport.raw == 0)
		return weir_tcp_choose_port(t, flow);
	return weir_tcp_is_flow_free(t, flow) ? 0 : -EADDRINUSE;
}

/* RFC 6191, from the other side: go on behind the connection in TIME_WAIT, if there is one. */
static uint32_t
take_over_wait(struct weir_tcp *t, const struct weir_flow *flow)
{
	struct weir_tcp_wait *w = weir_tcp_find_wait(t, flow);
	uint32_t iss = weir_tcp_isn(t, flow);

	if (w == NULL)
		return iss;
	iss = w->snd_nxt + UINT16_MAX + 2;
	weir_tcp_wait_drop(t, w);
	return iss;
}

int
weir_tcp_connect(struct weir_tcp *t, const struct weir_flow *flow, const struct weir_tcp_opts *opts,
	struct weir_tcp_end *end, struct weir_tcp_conn **conn)
{
	struct weir_flow full = *flow;
	struct weir_tcp_conn *c;
	int err = complete_flow(t, &full, weir_tcp_opts_iface(opts));
	uint32_t iss;

	if (err < 0)
		return err;
	iss = take_over_wait(t, &full);
	c = weir_tcp_conn_new(t, &full, opts);
	if (c == NULL)
		return -ENOBUFS;
	err = weir_tcp_start(t, c, iss);
	if (err < 0) {
		weir_tcp_discard(t, c);
		return err;
	}
	weir_tcp_own(c, end);
	c->is_active = true;
	weir_tcp_set_state(t, c, WEIR_TCP_SYN_SENT);
	t->stats.active_opens++;
	weir_tcp_want_output(t, c);
	*conn = c;
	return 0;
}

static bool
may_send(const struct weir_tcp_conn *c)
{
	return !c->is_fin_queued &&
	       (c->state == WEIR_TCP_SYN_SENT || c->state == WEIR_TCP_SYN_RECEIVED ||
		       c->state == WEIR_TCP_ESTABLISHED || c->state == WEIR_TCP_CLOSE_WAIT);
}

/* m, about to be queued, ends a record, or its last byte is urgent or to be stamped. */
static void
note_how(struct weir_tcp_conn *c, struct rte_mbuf *m)
{
	if (weir_pkt(m)->send & WEIR_SEND_EOR)
		c->has_eor = true;
	if (weir_pkt(m)->send & WEIR_SEND_STAMPS)
		c->act->has_stamps = true;
	if (weir_pkt(m)->send & WEIR_SEND_URGENT) {
		c->is_urgent = true;
		c->snd_up = c->snd.end + m->pkt_len;
	}
}

int
weir_tcp_send(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m)
{
	if (!may_send(c))
		return -EPIPE;
	c->is_more = (weir_pkt(m)->send & WEIR_SEND_MORE) != 0;
	if (unlikely(weir_pkt(m)->send & (WEIR_SEND_EOR | WEIR_SEND_URGENT | WEIR_SEND_STAMPS)))
		note_how(c, m);
	weir_tcp_sndq_add(c, m);
	if (c->state >= WEIR_TCP_ESTABLISHED || c->is_fastopen)
		weir_tcp_want_output(t, c);
	return 0;
}

void
weir_tcp_credit(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t truesize)
{
	if (truesize == 0)
		return; /* nothing was read: no news of the window */
	weir_tcp_let_go(t, c, truesize);
	if ((int32_t)((uint32_t)(t->core->now_us / 1000) - c->space_due_ms) >= 0)
		weir_tcp_rcvbuf_adjust(t, c);
	if ((c->state == WEIR_TCP_ESTABLISHED || c->state == WEIR_TCP_FIN_WAIT_1 ||
		    c->state == WEIR_TCP_FIN_WAIT_2) &&
		weir_tcp_is_window_news(t, c))
		weir_tcp_ack_now(t, c);
}

void
weir_tcp_shutdown(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	switch (c->state) {
	case WEIR_TCP_SYN_SENT:
		weir_tcp_finish(t, c, ECONNRESET);
		return;
	case WEIR_TCP_SYN_RECEIVED:
		c->is_fin_queued = true; /* follows when it may be sent */
		if (c->is_fastopen)
			weir_tcp_want_output(t, c);
		return;
	case WEIR_TCP_ESTABLISHED:
		weir_tcp_set_state(t, c, WEIR_TCP_FIN_WAIT_1);
		break;
	case WEIR_TCP_CLOSE_WAIT:
		weir_tcp_set_state(t, c, WEIR_TCP_LAST_ACK);
		break;
	default:
		return;
	}
	c->is_fin_queued = true;
	weir_tcp_want_output(t, c);
}

void
weir_tcp_opts_changed(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->state == WEIR_TCP_CLOSED || (c->fo & WEIR_TCP_TFO_DEFERRED))
		return;
	weir_tcp_update_mss(c);
	weir_tcp_cc_choose(t, c);
	weir_tcp_timer_keep(t, c);
	c->is_lowat = c->opts.notsent_lowat != 0;
	if (c->opts.is_nodelay && weir_tcp_has_unsent(c))
		c->is_forced = true; /* what waits goes now, even if corked, as on Linux */
	weir_tcp_want_output(t, c);
}

void
weir_tcp_quickack_set(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->is_interactive = weir_tcp_is_ack_lazy(&c->opts);
	if ((c->opts.quickack & 3) != WEIR_TCP_QUICK_OFF && c->ack_delayed)
		weir_tcp_ack_now(t, c);
}

uint16_t
weir_tcp_advertised_mss(const struct weir_tcp_conn *c)
{
	return weir_tcp_local_mss(c);
}

static void
disown(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->end = NULL;
	if (!c->is_orphan && c->state != WEIR_TCP_CLOSED)
		t->n_orphans++;
	c->is_orphan = true;
	c->is_rcv_shut = true;
	weir_ready_del(t->ready, &c->ready);
}

void
weir_tcp_close(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->rcv.rx.first != NULL && c->state != WEIR_TCP_CLOSED) {
		weir_tcp_abort(t, c); /* unread data: RFC 9293 3.6.1 */
		return;
	}
	disown(t, c);
	if (t->n_orphans > t->conf.max_orphans && c->state != WEIR_TCP_CLOSED) {
		t->stats.orphans_reset++;
		weir_tcp_abort(t, c);
		return;
	}
	if (c->state == WEIR_TCP_CLOSED)
		weir_tcp_conn_free(t, c);
	else if (c->state == WEIR_TCP_FIN_WAIT_2)
		weir_tcp_fin_wait_2(t, c);
	else
		weir_tcp_shutdown(t, c);
}

/* RFC 9293 3.10.5: these peers believe in the connection. */
static bool
wants_reset(const struct weir_tcp_conn *c)
{
	return c->state == WEIR_TCP_SYN_RECEIVED || c->state == WEIR_TCP_ESTABLISHED ||
	       c->state == WEIR_TCP_FIN_WAIT_1 || c->state == WEIR_TCP_FIN_WAIT_2 ||
	       c->state == WEIR_TCP_CLOSE_WAIT;
}

void
weir_tcp_abort(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	disown(t, c);
	if (wants_reset(c))
		weir_tcp_send_rst(t, c);
	if (c->state == WEIR_TCP_CLOSED)
		weir_tcp_conn_free(t, c);
	else
		weir_tcp_finish(t, c, 0);
}

void
weir_tcp_release(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	weir_tcp_close(t, c);
}
