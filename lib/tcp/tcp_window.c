/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_segment, tcp_usr -> tcp_window. The window that is announced to the peer. */
#include "tcp_output_priv.h"

static uint32_t
window_max(const struct weir_tcp_conn *c)
{
	return RTE_MIN(weir_tcp_clamp(&c->opts, c->opts.rcvbuf / 2),
		(uint32_t)UINT16_MAX << c->rcv.wscale);
}

/*
 * Half of the free memory: an mbuf costs about twice its payload. When all connections together
 * hold much, those that hold anything get no more, the others a little.
 */
static uint32_t
window_by_memory(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t free = c->opts.rcvbuf > c->rcv.held ? c->opts.rcvbuf - c->rcv.held : 0;
	const uint32_t wnd = RTE_MIN(free / 2, window_max(c));

	if (unlikely(t->held > t->held_max / 2))
		return c->rcv.held == 0 ? RTE_MIN(wnd, 2u * c->rcv.mss) : 0;
	return wnd;
}

uint32_t
weir_tcp_syn_window(const struct weir_tcp_opts *opts)
{
	return RTE_MIN(weir_tcp_clamp(opts, opts->rcvbuf / 2), (uint32_t)UINT16_MAX);
}

/* RFC 9293 3.8.6.2.2: it opens by a segment or a fair part of the buffer, never shrinks. */
static uint32_t
window(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t now = c->rcv.adv - c->rcv.nxt;
	const uint32_t wanted = window_by_memory(t, c);
	const uint32_t step = RTE_MIN((uint32_t)c->rcv.mss, window_max(c) / 2);

	return wanted > now && wanted - now >= step ? wanted : now;
}

bool
weir_tcp_is_window_news(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t now = c->rcv.adv - c->rcv.nxt;

	return now <= window_max(c) / 2 && window(t, c) >= 2 * now && window(t, c) != now;
}

/* Rounded up, so that the edge never goes back. */
uint16_t
weir_tcp_announce_window(const struct weir_tcp *t, struct weir_tcp_conn *c, bool is_syn)
{
	const uint8_t shift = is_syn ? 0 : c->rcv.wscale;
	const uint32_t wnd = is_syn ? weir_tcp_syn_window(&c->opts) : window(t, c);
	const uint32_t unit = 1u << shift;
	uint32_t field = (wnd + unit - 1) >> shift;

	if (c->rcv.held > c->opts.rcvbuf)
		field = wnd >> shift; /* nor creep forward over a full buffer */
	field = RTE_MIN(field, (uint32_t)UINT16_MAX);
	c->rcv.adv = weir_seq_max(c->rcv.adv, c->rcv.nxt + (field << shift));
	return (uint16_t)field;
}
