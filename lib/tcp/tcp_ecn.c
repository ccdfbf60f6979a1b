/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_sync -> tcp_ecn; tcp_output -> tcp_ecn. RFC 3168, and the receiver of RFC 8257. */
#include "tcp_priv.h"

#define ECN_BOTH (WEIR_TCP_ECE | WEIR_TCP_CWR)
#define QUICK	 2 /* segments acknowledged at once where the sender's window may be very small */

static bool
needs_ecn(const struct weir_tcp_conn *c)
{
	return c->cc.ops->flags & WEIR_TCP_CC_ECN;
}

/* Setting up */

uint8_t
weir_tcp_ecn_syn_flags(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_first = c->snd.max == c->iss;

	if (c->state == WEIR_TCP_SYN_RECEIVED)
		return c->has_ecn ? WEIR_TCP_ECE : 0;
	if (t->conf.ecn < WEIR_TCP_ECN_YES && !needs_ecn(c))
		return 0;
	c->has_ecn = true;		/* until the answer says otherwise */
	return is_first ? ECN_BOTH : 0; /* RFC 3168 6.1.1.1: something may drop such SYNs */
}

/* RFC 3168 6.1.1: both flags ask; a marked SYN is not how it is done, but in a data centre. */
bool
weir_tcp_ecn_accepts(const struct weir_tcp *t, const struct weir_tcp_cc_ops *cc,
	const struct weir_tcp_seg *seg, uint8_t tos)
{
	if ((seg->flags & ECN_BOTH) != ECN_BOTH)
		return false;
	return (cc->flags & WEIR_TCP_CC_ECN) ||
	       (t->conf.ecn != WEIR_TCP_ECN_NO && (tos & WEIR_IP_ECN_MASK) == WEIR_IP_ECN_NONE);
}

/* In SYN_SENT: an answer has ECE alone; a SYN that crossed ours asks as ours does. */
void
weir_tcp_ecn_take_answer(struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint8_t want = (seg->flags & WEIR_TCP_ACK) ? WEIR_TCP_ECE : ECN_BOTH;

	c->has_ecn = c->has_ecn && (seg->flags & ECN_BOTH) == want;
}

/* Sending */

uint8_t
weir_tcp_ecn_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, bool has_text)
{
	const bool is_new = has_text && weir_seq_geq(h->seq, c->snd.max);

	if (h->flags & WEIR_TCP_SYN)
		return needs_ecn(c) ? WEIR_IP_ECN_ECT0 : WEIR_IP_ECN_NONE;
	if (c->is_ecn_echo)
		h->flags |= WEIR_TCP_ECE;
	if (is_new && c->is_ecn_cwr) {
		c->is_ecn_cwr = false;
		h->flags |= WEIR_TCP_CWR;
	}
	return is_new || needs_ecn(c) ? WEIR_IP_ECN_ECT0 : WEIR_IP_ECN_NONE;
}

void
weir_tcp_ecn_reduced(struct weir_tcp_conn *c)
{
	if (c->has_ecn)
		c->is_ecn_cwr = true;
}

/* Receiving */

/* RFC 8257 3.2: each ACK tells of the data that it acknowledges, so one that waits goes first. */
static void
echo_each(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_ce)
{
	if (c->is_ecn_echo == is_ce)
		return;
	if (c->ack_delayed || c->ack_now)
		weir_tcp_send_ack(t, c);
	c->is_ecn_echo = is_ce;
	weir_tcp_ack_now(t, c);
}

/* RFC 3168 6.1.3: echo until the sender says that it has reduced its window. */
static void
echo_until_cwr(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg, bool is_ce)
{
	if (seg->flags & WEIR_TCP_CWR) {
		c->is_ecn_echo = false;
		weir_tcp_ack_now(t, c);
	}
	if (!is_ce || c->is_ecn_echo)
		return;
	c->is_ecn_echo = true;
	c->is_interactive = false;
	c->rcv.quick_acks = RTE_MAX(c->rcv.quick_acks, QUICK);
}

void
weir_tcp_ecn_text(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	const bool is_ce = rx->seg.opts & WEIR_TCP_SEG_CE;

	t->stats.rx_ce += is_ce;
	if (is_ce)
		weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_CE, weir_tcp_rcvd_pos(c, c->rcv.nxt), 0);
	if (needs_ecn(c))
		echo_each(t, c, is_ce);
	else
		echo_until_cwr(t, c, &rx->seg, is_ce);
}

void
weir_tcp_ecn_ack(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	if (!(seg->flags & WEIR_TCP_ECE) || (seg->flags & WEIR_TCP_SYN))
		return;
	t->stats.rx_ece++;
	weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_ECE, weir_tcp_sent_pos(c, c->snd.una), c->cc.cwnd);
	c->is_ecn_reducing = true;
	weir_tcp_enter_cwr(t, c);
	c->is_ecn_reducing = false;
}

uint32_t
weir_tcp_ecn_marked(
	const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg, uint32_t delivered)
{
	return c->has_ecn && (seg->flags & WEIR_TCP_ECE) ? delivered : 0;
}
