/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_sync -> tcp_wait; tcp_input -> tcp_wait -> tcp_reply, tcp_listen. TIME_WAIT in a record
 * of its own: what late segments need to be answered. All wait equally long, so that one list in
 * the order of their ends and one timer for its first serve them all.
 */
#include "tcp_priv.h"

#define REUSE_MS 1000 /* RFC 6191 with a timestamp clock of a second or finer, as Linux */

static uint32_t
now_ms(const struct weir_tcp *t)
{
	return (uint32_t)(t->core->now_us / 1000);
}

/* The list */

static uint32_t
index_of(const struct weir_tcp *t, const struct weir_tcp_wait *w)
{
	return weir_slab_index(&t->waits, w);
}

static void
append(struct weir_tcp *t, struct weir_tcp_wait *w)
{
	const uint32_t index = index_of(t, w);

	w->next = WEIR_TCP_NO_WAIT;
	w->prev = t->wait_last;
	if (t->wait_last == WEIR_TCP_NO_WAIT)
		t->wait_first = index;
	else
		weir_tcp_wait_at(t, t->wait_last)->next = index;
	t->wait_last = index;
}

static void
unlink_wait(struct weir_tcp *t, struct weir_tcp_wait *w)
{
	if (w->prev == WEIR_TCP_NO_WAIT)
		t->wait_first = w->next;
	else
		weir_tcp_wait_at(t, w->prev)->next = w->next;
	if (w->next == WEIR_TCP_NO_WAIT)
		t->wait_last = w->prev;
	else
		weir_tcp_wait_at(t, w->next)->prev = w->prev;
}

/* Time */

/* The timer may stand at a record that has gone since: then it fires for nothing, once. */
static void
arm(struct weir_tcp *t)
{
	const struct weir_tcp_wait *first;

	if (t->wait_first == WEIR_TCP_NO_WAIT || weir_wheel_is_armed(&t->wait_timer))
		return;
	first = weir_tcp_wait_at(t, t->wait_first);
	weir_wheel_arm(t->core->wheel, &t->wait_timer,
		t->core->now_us - t->core->now_us % 1000 +
			(uint64_t)weir_tcp_seq_span(first->end_ms, now_ms(t)) * 1000);
}

static void
start(struct weir_tcp *t, struct weir_tcp_wait *w)
{
	w->end_ms = (uint32_t)((t->core->now_us + t->conf.time_wait_us + 999) / 1000);
	append(t, w);
	arm(t);
}

static void
restart(struct weir_tcp *t, struct weir_tcp_wait *w)
{
	unlink_wait(t, w);
	start(t, w);
}

void
weir_tcp_wait_timer(struct weir_tcp *t)
{
	while (t->wait_first != WEIR_TCP_NO_WAIT) {
		struct weir_tcp_wait *w = weir_tcp_wait_at(t, t->wait_first);

		if (weir_seq_gt(w->end_ms, now_ms(t)))
			break;
		weir_tcp_wait_drop(t, w);
	}
	arm(t);
}

/* Coming and going */

void
weir_tcp_wait_drop(struct weir_tcp *t, struct weir_tcp_wait *w)
{
	if (unlikely(t->wait_keys != NULL))
		weir_tcp_auth_wait_over(t, w);
	unlink_wait(t, w);
	weir_table_del(&t->table, weir_tcp_hash(t, &w->flow), index_of(t, w) | WEIR_TCP_REF_WAIT);
	t->n_state[WEIR_TCP_TIME_WAIT]--;
	weir_slab_put(&t->waits, w);
}

/* A full pool forgets the oldest. */
static struct weir_tcp_wait *
new_wait(struct weir_tcp *t)
{
	struct weir_tcp_wait *w = weir_slab_get(&t->waits);

	if (w != NULL || t->wait_first == WEIR_TCP_NO_WAIT)
		return w;
	t->stats.time_wait_overflow++;
	weir_tcp_wait_drop(t, weir_tcp_wait_at(t, t->wait_first));
	return weir_slab_get(&t->waits);
}

static void
fill(const struct weir_tcp *t, struct weir_tcp_wait *w, const struct weir_tcp_conn *c)
{
	*w = (struct weir_tcp_wait){
		.flow = c->flow,
		.rcv_nxt = c->rcv.nxt,
		.ts_recent = c->ts_recent,
		.wnd = (uint16_t)((c->rcv.adv - c->rcv.nxt) >> c->rcv.wscale),
		.has_ts = c->has_ts,
		.answered_ms =
			(uint16_t)((now_ms(t) - t->conf.invalid_ratelimit_us / 1000) & 0x7fff),
	};
	w->snd_nxt = c->snd.max;
}

void
weir_tcp_time_wait(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_wait *w;

	if (c->ack_now)
		weir_tcp_send_ack(t, c); /* if it is lost here, the FIN comes again */
	if (t->conf.time_wait_us == 0 || (w = new_wait(t)) == NULL) {
		weir_tcp_finish(t, c, 0);
		return;
	}
	fill(t, w, c);
	if (unlikely(c->act->keys != NULL))
		weir_tcp_auth_wait(t, w, c);
	weir_tcp_finish(t, c, 0);
	/* The table has room for all that the slabs hold. */
	weir_table_add(&t->table, weir_tcp_hash(t, &w->flow), index_of(t, w) | WEIR_TCP_REF_WAIT);
	t->n_state[WEIR_TCP_TIME_WAIT]++;
	start(t, w);
}

bool
weir_tcp_wait_is_reusable(const struct weir_tcp *t, const struct weir_tcp_wait *w)
{
	const uint32_t began_ms = w->end_ms - t->conf.time_wait_us / 1000;

	return t->conf.use_tw_reuse && w->has_ts && now_ms(t) - began_ms > REUSE_MS;
}

/* Segments */

static void
send_ack(struct weir_tcp *t, const struct weir_tcp_wait *w, const struct weir_pkt *p)
{
	struct weir_tcp_hdr_info h = {
		.seq = w->snd_nxt,
		.ack = w->rcv_nxt,
		.wnd = w->wnd,
		.flags = WEIR_TCP_ACK,
		.opts = w->has_ts ? WEIR_TCP_OPT_TS : 0,
		.ts_val = now_ms(t) + weir_tcp_ts_offset(t, &w->flow),
		.ts_ecr = w->ts_recent,
	};
	struct weir_dst dst;

	if (unlikely(t->wait_keys != NULL) && !weir_tcp_auth_fill(t, p, &h))
		return;
	if (weir_tcp_reply_route(t, &w->flow, p->ifindex, NULL, &dst))
		weir_tcp_reply(t, &w->flow, &dst, NULL, &h);
}

/* Text and FIN need their answer; what has neither could be one half of two that answer each other.
 */
static void
answer(struct weir_tcp *t, struct weir_tcp_wait *w, const struct weir_tcp_rx *rx)
{
	const bool is_empty = rx->seg.len == 0 &&
			      (!(rx->seg.flags & WEIR_TCP_FIN) || (rx->seg.flags & WEIR_TCP_SYN));
	const uint32_t since_ms = (now_ms(t) - w->answered_ms) & 0x7fff;

	if (is_empty) {
		if (since_ms < t->conf.invalid_ratelimit_us / 1000)
			return;
		w->answered_ms = (uint16_t)(now_ms(t) & 0x7fff);
	}
	send_ack(t, w, weir_pkt(rx->m));
}

static bool
is_old_by_timestamp(const struct weir_tcp_wait *w, const struct weir_tcp_seg *seg)
{
	return w->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && !(seg->flags & WEIR_TCP_RST) &&
	       weir_seq_lt(seg->ts_val, w->ts_recent);
}

/* RFC 6191, RFC 9293 3.6.1: may this SYN take the place of the old connection? */
static bool
is_new_incarnation(const struct weir_tcp_wait *w, const struct weir_tcp_seg *seg)
{
	const uint8_t flags = seg->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST);

	if (flags != WEIR_TCP_SYN || is_old_by_timestamp(w, seg))
		return false;
	return weir_seq_gt(seg->seq, w->rcv_nxt) || (w->has_ts && (seg->opts & WEIR_TCP_OPT_TS) &&
							    weir_seq_gt(seg->ts_val, w->ts_recent));
}

static void
reopen(struct weir_tcp *t, struct weir_tcp_wait *w, struct weir_tcp_rx *rx)
{
	const uint32_t iss = w->snd_nxt + UINT16_MAX + 2;

	weir_tcp_wait_drop(t, w);
	weir_tcp_listen_input(t, rx, iss != 0 ? iss : 1);
}

/* What stands exactly where the connection ended, and has no text: an ACK, or a RST. */
static void
take_expected(struct weir_tcp *t, struct weir_tcp_wait *w, const struct weir_tcp_seg *seg)
{
	if (seg->flags & WEIR_TCP_RST) {
		if (!t->conf.use_rfc1337) {
			t->stats.rst_received++;
			weir_tcp_wait_drop(t, w);
		}
		return;
	}
	if (seg->flags & WEIR_TCP_ACK)
		restart(t, w);
	if (w->has_ts && (seg->opts & WEIR_TCP_OPT_TS))
		w->ts_recent = seg->ts_val;
}

void
weir_tcp_wait_input(struct weir_tcp *t, struct weir_tcp_wait *w, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;
	const bool is_old = is_old_by_timestamp(w, seg);

	rx->fate = is_old ? WEIR_FATE_drop_tcp_paws : WEIR_FATE_drop_tcp_seq;
	if (!is_old && seg->seq == w->rcv_nxt &&
		(weir_tcp_seg_space(seg) == 0 || (seg->flags & WEIR_TCP_RST))) {
		rx->fate = (seg->flags & WEIR_TCP_RST) ? WEIR_FATE_drop_tcp_flags
						       : WEIR_FATE_tcp_taken;
		take_expected(t, w, seg);
		return;
	}
	if (seg->flags & WEIR_TCP_RST)
		return;
	if (is_new_incarnation(w, seg) &&
		weir_tcp_find_listener(t, &w->flow, weir_pkt(rx->m)->ifindex) != NULL) {
		reopen(t, w, rx);
		return;
	}
	if (is_old || (seg->flags & WEIR_TCP_ACK))
		restart(t, w);
	answer(t, w, rx);
}
