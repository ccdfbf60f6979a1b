/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_sync -> tcp_ecn; tcp_output -> tcp_ecn. RFC 3168, and the receiver of RFC 8257. */
#include "tcp_loss_priv.h"

#define ECN_BOTH (WEIR_TCP_ECE | WEIR_TCP_CWR)
#define QUICK	 2 /* segments acknowledged at once where the sender's window may be very small */

static bool
needs_ecn(const struct weir_tcp_conn *c)
{
	return c->cc.ops->flags & WEIR_TCP_CC_ECN;
}

/* Setting up */

static bool
is_asking(const struct weir_tcp *t)
{
	return t->conf.ecn >= WEIR_TCP_ECN_YES && t->conf.ecn != WEIR_TCP_ECN_ACCURATE_PASSIVE;
}

uint8_t
weir_tcp_ecn_syn_flags(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_first = c->snd.max == c->iss;

	if (c->state == WEIR_TCP_SYN_RECEIVED)
		return c->has_ecn ? WEIR_TCP_ECE : 0;
	if (!is_asking(t) && !needs_ecn(c))
		return 0;
	if (t->conf.ecn == WEIR_TCP_ECN_ACCURATE)
		weir_tcp_accecn_ask(c);
	c->has_ecn = true;		/* until the answer says otherwise */
	return is_first ? ECN_BOTH : 0; /* RFC 3168 6.1.1.1: something may drop such SYNs */
}

static bool
is_accurate_accepted(const struct weir_tcp *t)
{
	return t->conf.ecn >= WEIR_TCP_ECN_ACCURATE;
}

/* RFC 3168 6.1.1: both flags ask; a marked SYN is not how it is done, but in a data centre. */
uint8_t
weir_tcp_ecn_accepts(
	const struct weir_tcp *t, const struct weir_tcp_cc_ops *cc, const struct weir_tcp_rx *rx)
{
	const uint8_t ect = weir_pkt(rx->m)->tos & WEIR_IP_ECN_MASK;
	const uint8_t ace = is_accurate_accepted(t) ? weir_tcp_ace(rx) : 0;

	if (ace != 0 && weir_tcp_accecn_is_asked(rx))
		return WEIR_TCP_REQ_ECN_ACCURATE | ect;
	if ((rx->seg.flags & ECN_BOTH) != ECN_BOTH)
		return WEIR_TCP_REQ_ECN_NO;
	return (cc->flags & WEIR_TCP_CC_ECN) ||
			       (t->conf.ecn != WEIR_TCP_ECN_NO && ect == WEIR_IP_ECN_NONE)
		       ? WEIR_TCP_REQ_ECN_CLASSIC
		       : WEIR_TCP_REQ_ECN_NO;
}

uint8_t
weir_tcp_ecn_mark_syn_ack(const struct weir_tcp_req *req, const struct weir_tcp_cc_ops *cc,
	struct weir_tcp_hdr_info *h)
{
	if (req->ecn == WEIR_TCP_REQ_ECN_NO)
		return WEIR_IP_ECN_NONE;
	if (req->ecn >= WEIR_TCP_REQ_ECN_ACCURATE)
		weir_tcp_ace_set(h, weir_tcp_accecn_reflect(req->ecn));
	else
		h->flags |= WEIR_TCP_ECE;
	return (cc->flags & WEIR_TCP_CC_ECN) ? WEIR_IP_ECN_ECT0 : WEIR_IP_ECN_NONE;
}

static uint8_t
ect_of_syn(const struct weir_tcp_conn *c)
{
	return needs_ecn(c) ? WEIR_IP_ECN_ECT0 : WEIR_IP_ECN_NONE;
}

void
weir_tcp_ecn_accepted(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_req *req,
	const struct weir_tcp_rx *rx)
{
	if (unlikely(req->ecn >= WEIR_TCP_REQ_ECN_ACCURATE))
		weir_tcp_accecn_accept(t, c, rx, req->ecn & WEIR_IP_ECN_MASK, ect_of_syn(c));
}

/* In SYN_SENT: an answer has ECE alone; a SYN that crossed ours asks as ours does. */
static void
take_classic(struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint8_t want = (seg->flags & WEIR_TCP_ACK) ? WEIR_TCP_ECE : ECN_BOTH;

	c->has_ecn = c->has_ecn && (seg->flags & ECN_BOTH) == want;
}

void
weir_tcp_ecn_take_answer(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	if (c->act->accecn.mode != WEIR_TCP_ECN_MODE_ASKED) {
		take_classic(c, &rx->seg);
		return;
	}
	if (rx->seg.flags & WEIR_TCP_ACK) {
		weir_tcp_accecn_answer(t, c, rx, ect_of_syn(c));
		return;
	}
	weir_tcp_accecn_cross(t, c, rx);
	if (!weir_tcp_is_accecn(c))
		take_classic(c, &rx->seg);
}

/* Sending */

/* The SYN that asks for the accurate kind has all three flags, the answer to one tells how it came.
 */
static uint8_t
mark_syn(const struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	const struct weir_tcp_accecn *a = &c->act->accecn;

	if (a->mode == WEIR_TCP_ECN_MODE_ASKED && (h->flags & ECN_BOTH) == ECN_BOTH)
		h->is_ae = true;
	else if (a->mode == WEIR_TCP_ECN_MODE_ACCURATE)
		weir_tcp_ace_set(h, weir_tcp_accecn_reflect(a->peer_ect));
	return ect_of_syn(c);
}

uint8_t
weir_tcp_ecn_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, bool has_text)
{
	const bool is_new = has_text && weir_seq_geq(h->seq, c->snd.max);

	if (h->flags & WEIR_TCP_SYN)
		return mark_syn(c, h);
	if (weir_tcp_is_accecn(c))
		return weir_tcp_accecn_mark(c, h, has_text);
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

	if (weir_tcp_is_accecn(c))
		return; /* counted before its ACK was taken */
	t->stats.rx_ce += is_ce;
	if (is_ce)
		weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_CE, weir_tcp_rcvd_pos(c, c->rcv.nxt), 0);
	if (needs_ecn(c))
		echo_each(t, c, is_ce);
	else
		echo_until_cwr(t, c, &rx->seg, is_ce);
}

/* Does the ACK tell of marks? The accurate kind says of how many. */
static bool
has_echo(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	struct weir_tcp_news *news)
{
	const uint8_t flags = rx->seg.flags;
	uint32_t ce_bytes;

	if (!weir_tcp_is_accecn(c)) {
		t->stats.rx_ece += (flags & (WEIR_TCP_ECE | WEIR_TCP_SYN)) == WEIR_TCP_ECE;
		return (flags & (WEIR_TCP_ECE | WEIR_TCP_SYN)) == WEIR_TCP_ECE;
	}
	ce_bytes = c->act->accecn.delivered[WEIR_IP_ECN_CE - 1];
	news->ce_segs = weir_tcp_accecn_news(c, rx, news);
	news->ce_bytes = c->act->accecn.delivered[WEIR_IP_ECN_CE - 1] - ce_bytes;
	c->act->delivered_ce += news->ce_segs;
	t->stats.rx_ece += news->ce_segs > 0;
	return news->ce_segs > 0;
}

void
weir_tcp_ecn_ack(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	struct weir_tcp_news *news)
{
	if (!has_echo(t, c, rx, news))
		return;
	weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_ECE, weir_tcp_sent_pos(c, c->snd.una), c->cc.cwnd);
	news->flags |= NEWS_ECE;
	c->is_ecn_reducing = true;
	weir_tcp_enter_cwr(t, c);
	c->is_ecn_reducing = false;
}

uint32_t
weir_tcp_ecn_marked(
	const struct weir_tcp_conn *c, const struct weir_tcp_news *news, uint32_t delivered)
{
	if (!(news->flags & NEWS_ECE))
		return 0;
	if (!weir_tcp_is_accecn(c))
		return delivered;
	return RTE_MIN(delivered, news->ce_bytes != 0 ? news->ce_bytes : news->ce_segs * c->mss);
}
