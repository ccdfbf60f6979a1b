/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_sync -> tcp_urgent -> sock_publish; tcp_output -> tcp_urgent. Urgent data, RFC 6093:
 * the pointer is to the byte behind the urgent one, as all implementations have it (RFC 6093 3.1).
 */
#include "tcp_priv.h"

void
weir_tcp_urgent_input(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t up = seg->seq + seg->urg - (seg->urg != 0);

	if (weir_seq_lt(up, c->rcv.nxt) || (c->has_mark && weir_seq_leq(up, c->rcv_up)))
		return; /* it has passed, or is known */
	if (c->is_rcv_shut ||
		(c->state != WEIR_TCP_ESTABLISHED && c->state != WEIR_TCP_FIN_WAIT_1 &&
			c->state != WEIR_TCP_FIN_WAIT_2))
		return;
	c->has_mark = true;
	c->rcv_up = up;
	weir_ready_add(t->ready, &c->ready, WEIR_READY_URGENT);
}

void
weir_tcp_urgent_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	const uint32_t ahead = weir_tcp_seq_span(c->snd_up, h->seq);

	if (weir_seq_geq(c->snd.una, c->snd_up)) {
		c->is_urgent = false;
		return;
	}
	if (ahead == 0)
		return;
	h->flags |= WEIR_TCP_URG;
	h->urg = (uint16_t)RTE_MIN(ahead, (uint32_t)UINT16_MAX);
}
