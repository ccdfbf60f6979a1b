/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_usr, tcp_reass -> tcp_buf; tcp_ack -> tcp_buf -> sock_publish. Buffers that grow with
 * what the path can hold, as in Linux: the receive buffer by what the application reads in a round
 * trip (dynamic right-sizing), the send buffer by the congestion window.
 */
#include "tcp_priv.h"

#define FIRST_SEGS 10 /* what a round trip carries before anything is known */
#define PATHS_MAX  8  /* a send buffer grows to so many bandwidth-delay products */

/* Nobody chose a size, the worker has memory to spare, and there is something to gain. */
static bool
may_grow(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	return !c->opts.is_rcvbuf_fixed && c->opts.rcvbuf < t->rcvbuf_max &&
	       t->held < t->held_max / 2;
}

static uint32_t
now_ms(const struct weir_tcp *t)
{
	return (uint32_t)(t->core->now_us / 1000);
}

/* What the application has read: all but what is held, of which about half is payload. */
static uint32_t
read_seq(const struct weir_tcp_conn *c)
{
	return c->rcv.nxt - c->rcv.held / 2;
}

/* The peer answers our echo at once when the window is what it waits for. */
void
weir_tcp_rcv_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t rtt_ms = weir_tcp_ts_now(t, c) - seg->ts_ecr;
	const uint32_t rtt_us = RTE_MAX(rtt_ms, 1u) * 1000;

	if (seg->ts_ecr == 0 || seg->len < c->rcv.mss ||
		rtt_ms > weir_tcp_rto_max_us(t, &c->opts) / 1000)
		return;
	c->is_rcv_rtt_due = false;
	act->rcv_rtt_us =
		act->rcv_rtt_us == 0 ? rtt_us : act->rcv_rtt_us - act->rcv_rtt_us / 8 + rtt_us / 8;
}

/* Without timestamps: a window takes a round trip, or longer. */
static void
rtt_by_window(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint64_t now_us = t->core->now_us;
	const uint32_t us = (uint32_t)RTE_MIN(now_us - act->rcv_rtt_at_us, (uint64_t)UINT32_MAX);

	if (act->rcv_rtt_at_us != 0 && weir_seq_lt(c->rcv.nxt, act->rcv_rtt_seq))
		return;
	if (act->rcv_rtt_at_us != 0)
		act->rcv_rtt_us = act->rcv_rtt_us == 0 ? us : RTE_MIN(act->rcv_rtt_us, us);
	act->rcv_rtt_seq = c->rcv.adv;
	act->rcv_rtt_at_us = now_us;
}

/* 0: not known */
static uint32_t
rtt_us(const struct weir_tcp_conn *c)
{
	return c->act->rcv_rtt_us != 0 ? c->act->rcv_rtt_us : c->srtt_us;
}

/* Room for twice as much, because the sender may double; and for the growth of the last round trip
 * to go on. Half of the buffer is window. */
static void
grow(const struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t copied, uint32_t before)
{
	uint64_t wnd = 2 * (uint64_t)copied + 16u * c->rcv.mss;
	uint64_t size;

	wnd += 2 * (wnd * (copied - before) / before);
	size = RTE_MIN(2 * wnd, (uint64_t)t->rcvbuf_max);
	if (size <= c->opts.rcvbuf)
		return;
	c->opts.rcvbuf = (uint32_t)size;
	c->is_buf_grown = true;
	weir_ready_add(t->ready, &c->ready, WEIR_READY_WRITE); /* the socket shows its size */
}

void
weir_tcp_rcvbuf_adjust(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t seq = read_seq(c);
	const uint32_t copied = weir_tcp_seq_span(seq, act->space_seq);
	const uint64_t now_us = t->core->now_us;
	uint32_t wait_us;

	if (c->has_ts)
		c->is_rcv_rtt_due = true;
	else
		rtt_by_window(t, c);
	wait_us = rtt_us(c);
	if (wait_us == 0 || now_us - act->space_us < wait_us) {
		c->space_due_ms = now_ms(t) + (wait_us != 0);
		return;
	}
	if (copied > act->space) {
		if (act->space_us != 0 && may_grow(t, c))
			grow(t, c, copied, act->space);
		act->space = copied;
	}
	act->space_seq = seq;
	act->space_us = now_us;
	c->space_due_ms = now_ms(t) + wait_us / 1000;
}

void
weir_tcp_buf_start(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->act->space = FIRST_SEGS * (uint32_t)RTE_MAX(c->mss, 1);
	c->act->space_seq = c->rcv.nxt;
	c->act->space_us = t->core->now_us;
	c->space_due_ms = now_ms(t);
}

/*
 * Many times what the path holds while its queues are empty. More would only lie in queues of our
 * own, and be cold in the cache when its turn comes.
 */
static uint64_t
enough(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;
	const uint64_t path = (uint64_t)act->rate_delivered * act->min_rtt_us;

	return act->rate_interval_us == 0 ? UINT64_MAX : PATHS_MAX * path / act->rate_interval_us;
}

void
weir_tcp_sndbuf_expand(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t segs = RTE_MAX(c->cc.cwnd / c->mss, c->act->reordering + 1);
	const uint64_t windows = 4 * (uint64_t)segs * c->mss; /* two; half of it is data */
	const uint64_t size = RTE_MIN(RTE_MIN(windows, enough(c)), (uint64_t)t->sndbuf_max);

	if (c->opts.is_sndbuf_fixed || size <= c->opts.sndbuf ||
		weir_tcp_pipe(c) >= c->cc.cwnd / c->mss)
		return;
	c->opts.sndbuf = (uint32_t)size;
	c->is_buf_grown = true;
}
