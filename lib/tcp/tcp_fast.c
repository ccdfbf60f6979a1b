/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input -> tcp_fast -> sock_publish */
#include "tcp_priv.h"

static bool
has_expected_options(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	return c->has_ts ? seg->opts == WEIR_TCP_OPT_TS && weir_seq_geq(seg->ts_val, c->ts_recent)
			 : seg->opts == 0;
}

/* Nothing special goes on in either direction. */
static bool
is_steady(const struct weir_tcp_conn *c)
{
	return c->state == WEIR_TCP_ESTABLISHED && c->ca == WEIR_TCP_CA_OPEN && !c->is_persist &&
	       !c->has_ooo && !c->has_fin_seq && !c->is_rcv_shut && !c->is_ecn_echo;
}

/* Only ACK, perhaps PSH; in order; in the window; the peer's window open; and with some news. */
static bool
is_expected(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	return (seg->flags & ~WEIR_TCP_PSH) == WEIR_TCP_ACK && seg->seq == c->rcv.nxt &&
	       seg->len <= c->rcv.adv - c->rcv.nxt && seg->wnd != 0 &&
	       weir_seq_geq(seg->ack, c->snd.una) && weir_seq_leq(seg->ack, c->snd.max) &&
	       (seg->len > 0 || seg->ack != c->snd.una);
}

/* Who answers small requests changes its window with every segment. */
static void
take_window(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t wnd = (uint32_t)seg->wnd << c->snd.wscale;

	if (weir_tcp_set_window(c, seg, wnd) && weir_tcp_has_unsent(c))
		weir_tcp_want_output(t, c);
}

bool
weir_tcp_fast_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	if (!is_steady(c) || !is_expected(c, seg) || !has_expected_options(c, seg) ||
		(seg->len > 0 && (c->rcv.held > c->opts.rcvbuf || t->held > t->held_max)))
		return false;
	if (c->has_ts && weir_seq_leq(seg->seq, c->last_ack_sent))
		c->ts_recent = seg->ts_val;
	c->heard_us = t->core->now_us;
	take_window(t, c, seg);
	if (seg->ack != c->snd.una)
		weir_tcp_ack_new(t, c, rx);
	if (seg->len > 0)
		weir_tcp_take_in_order(t, c, rx);
	return true;
}
