/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_ecn -> tcp_accecn; tcp_sync, tcp_ack -> tcp_accecn; tcp_segment -> tcp_accecn. Accurate
 * ECN (RFC 9768): each side counts the marked packets and bytes that it receives, and every segment
 * tells: packets modulo 8 by the flags AE, CWR and ECE, bytes by an option. Where the RFC leaves a
 * choice it is Linux's.
 */
#include "tcp_accecn.h"

#define OPT_BYTES      (1u << 22) /* an option at least so often */
#define CE_PENDING_MAX 2	  /* marked segments with text until an ACK: 3.2.2.5.1 */

enum { ASKED = 7, CLASSIC = 3 }; /* ACE of a SYN */

bool
weir_tcp_is_accecn(const struct weir_tcp_conn *c)
{
	return c->act->accecn.mode == WEIR_TCP_ECN_MODE_ACCURATE;
}

/* The wire */

static const uint8_t *
header_of(const struct weir_tcp_rx *rx, uint8_t copy[WEIR_TCP_HLEN_MAX])
{
	const struct weir_pkt *p = weir_pkt(rx->m);

	return rte_pktmbuf_read(
		rx->m, p->l4_off, RTE_MIN(p->l4_len, (uint16_t)WEIR_TCP_HLEN_MAX), copy);
}

uint8_t
weir_tcp_ace(const struct weir_tcp_rx *rx)
{
	uint8_t copy[WEIR_TCP_HLEN_MAX];
	const struct weir_tcp_hdr *h = (const struct weir_tcp_hdr *)header_of(rx, copy);

	return (uint8_t)((h->off & 1) << 2 | h->flags >> 6);
}

static uint8_t
ect_of(const struct weir_tcp_rx *rx)
{
	return weir_pkt(rx->m)->tos & WEIR_IP_ECN_MASK;
}

void
weir_tcp_ace_set(struct weir_tcp_hdr_info *h, uint8_t ace)
{
	h->flags = (uint8_t)((h->flags & ~(WEIR_TCP_ECE | WEIR_TCP_CWR)) | (ace & 3) << 6);
	h->is_ae = ace >> 2 & 1;
}

/* RFC 9768, table 3: how a SYN,ACK or the last ACK of the handshake tells a codepoint. */
uint8_t
weir_tcp_accecn_reflect(uint8_t ect)
{
	static const uint8_t ace[] = {[WEIR_IP_ECN_NONE] = 2,
		[WEIR_IP_ECN_ECT1] = 3,
		[WEIR_IP_ECN_ECT0] = 4,
		[WEIR_IP_ECN_CE] = 6};

	return ace[ect & WEIR_IP_ECN_MASK];
}

static uint8_t
reflected(uint8_t ace)
{
	switch (ace) {
	case 2:
		return WEIR_IP_ECN_NONE;
	case 0:
	case 4:
		return WEIR_IP_ECN_ECT0;
	case 6:
		return WEIR_IP_ECN_CE;
	default:
		return WEIR_IP_ECN_ECT1;
	}
}

/* 3.2.2.3: what may become of a codepoint on its way? ECT may be marked, nothing else. */
static bool
is_change_legal(uint8_t sent, uint8_t arrived)
{
	return sent == arrived ||
	       (sent != WEIR_IP_ECN_NONE && arrived != WEIR_IP_ECN_NONE && sent != WEIR_IP_ECN_CE);
}

static void
read_fields(const uint8_t *p, struct weir_tcp_accecn_opt *o)
{
	o->kind = p[0];
	o->n = RTE_MIN((p[1] - 2u) / 3, (unsigned int)WEIR_TCP_ACCECN_FIELDS);
	for (unsigned int i = 0; i < o->n; i++) {
		const uint8_t *f = p + 2 + 3 * i;

		o->value[i] = (uint32_t)f[0] << 16 | (uint32_t)f[1] << 8 | f[2];
	}
}

struct weir_tcp_accecn_opt
weir_tcp_accecn_read(const struct weir_tcp_rx *rx)
{
	uint8_t copy[WEIR_TCP_HLEN_MAX];
	const uint8_t *hdr = header_of(rx, copy);
	const uint8_t *p = weir_tcp_find_option(hdr, WEIR_TCP_KIND_ACCECN0);
	struct weir_tcp_accecn_opt o = {0};

	if (p == NULL)
		p = weir_tcp_find_option(hdr, WEIR_TCP_KIND_ACCECN1);
	if (p != NULL)
		read_fields(p, &o);
	return o;
}

/* The first option of the peer: 3.2.3.2.4, a counter that begins at 0 was cleared on its way. */
void
weir_tcp_accecn_see(struct weir_tcp_accecn *a, const struct weir_tcp_accecn_opt *o)
{
	if (o->kind == 0 || a->seen >= WEIR_TCP_ACCECN_COUNTERS)
		return;
	a->seen = o->n == 0 ? WEIR_TCP_ACCECN_EMPTY : WEIR_TCP_ACCECN_COUNTERS;
	for (unsigned int i = 0; i < o->n; i++)
		if (o->value[i] == 0 &&
			weir_tcp_accecn_first(weir_tcp_accecn_field(o->kind, i)) != 0)
			a->seen = WEIR_TCP_ACCECN_BROKEN;
	if (a->seen == WEIR_TCP_ACCECN_BROKEN)
		a->fail |= WEIR_TCP_ACCECN_OPT_RECEIVED;
}

/* Setting up */

static void
begin(struct weir_tcp *t, struct weir_tcp_conn *c, uint8_t peer_ect)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);

	a->mode = WEIR_TCP_ECN_MODE_ACCURATE;
	a->use = t->conf.ecn_option & 3;
	a->peer_ect = peer_ect & 3;
	a->last_ect = peer_ect & 3;
	c->has_ecn = true;
	c->is_ecn_echo = true; /* no segment takes the fast path */
	c->is_ecn_cwr = true;  /* nor leaves in a super-segment */
}

void
weir_tcp_accecn_ask(struct weir_tcp_conn *c)
{
	weir_tcp_accecn_of(c)->mode = WEIR_TCP_ECN_MODE_ASKED;
}

bool
weir_tcp_accecn_is_asked(const struct weir_tcp_rx *rx)
{
	const uint8_t ace = weir_tcp_ace(rx);

	return ace != 0 && ace != CLASSIC;
}

/* The last ACK of the handshake tells how our SYN,ACK arrived: 3.2.2.1. */
static void
take_third(struct weir_tcp_conn *c, const struct weir_tcp_rx *rx, uint8_t sent)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);
	const uint8_t ace = weir_tcp_ace(rx), arrived = reflected(ace);

	if (ace == 0)
		a->fail |= WEIR_TCP_ACCECN_ACE_RECEIVED;
	if (ace == 0 || ace == 1 || ace == WEIR_TCP_ACE_INIT || ace == ASKED || rx->seg.len > 0)
		return; /* no codepoint */
	if (!is_change_legal(sent, arrived))
		a->fail |= WEIR_TCP_ACCECN_ACE_RECEIVED;
	else if (arrived == WEIR_IP_ECN_CE)
		c->act->delivered_ce++;
}

void
weir_tcp_accecn_accept(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	uint8_t peer_ect, uint8_t sent)
{
	const struct weir_tcp_accecn_opt o = weir_tcp_accecn_read(rx);

	begin(t, c, peer_ect);
	take_third(c, rx, sent);
	weir_tcp_accecn_see(weir_tcp_accecn_of(c), &o);
	weir_tcp_accecn_of(c)->demand = 1;
}

/* 3.1.1, table 2: our SYN asked for accurate ECN; this is the SYN,ACK. */
void
weir_tcp_accecn_answer(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx, uint8_t sent)
{
	const uint8_t ace = weir_tcp_ace(rx), ect = ect_of(rx);
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);
	struct weir_tcp_accecn_opt o;

	if (ace == 0 || ace == ASKED) { /* nothing of it, or what echoes all it gets */
		a->mode = WEIR_TCP_ECN_MODE_NONE;
		c->has_ecn = false;
		return;
	}
	if (ace == 1 || ace == 5) {
		a->mode = WEIR_TCP_ECN_MODE_CLASSIC;
		return;
	}
	begin(t, c, ect);
	o = weir_tcp_accecn_read(rx);
	weir_tcp_accecn_see(a, &o);
	a->demand = o.kind != 0 ? 2 : 0;
	a->is_reflecting = true;
	if (!is_change_legal(sent, reflected(ace)))
		a->fail |= WEIR_TCP_ACCECN_ACE_RECEIVED;
	if (ect == WEIR_IP_ECN_CE) {
		a->received_ce++;
		a->pending++;
	}
}

/* Both SYNs crossed: the peer's asks, too, or ECN is of the kind that it asks for. */
void
weir_tcp_accecn_cross(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	if (weir_tcp_accecn_is_asked(rx))
		begin(t, c, ect_of(rx));
	else
		weir_tcp_accecn_of(c)->mode = WEIR_TCP_ECN_MODE_CLASSIC;
}

void
weir_tcp_accecn_repeat(struct weir_tcp_conn *c)
{
	weir_tcp_accecn_of(c)->is_reflecting = true;
}

/* Receiving */

static void
count_text(struct weir_tcp_accecn *a, uint8_t ect, uint32_t len)
{
	static const uint8_t fields[] = {0, 1, 3, 2}; /* that tell of ECT(1), ECT(0), CE */
	uint32_t *bytes = &a->received[ect - 1];
	const uint32_t before = *bytes;

	*bytes += len;
	a->min_fields = RTE_MAX((uint8_t)a->min_fields, fields[ect]) & 3;
	if ((*bytes ^ before) & ~(OPT_BYTES - 1))
		a->demand = RTE_MAX((uint8_t)a->demand, (uint8_t)1) & 3;
}

/* How many packets were joined to make rx's. */
static uint32_t
packets_of(const struct weir_tcp_rx *rx)
{
	const uint16_t size = weir_tcp_gro_size(rx);

	return size != 0 && rx->seg.len > size ? (rx->seg.len + size - 1u) / size : 1;
}

/* 3.2.2.5.1: an ACK at once where the marking changes, and for a few marks. */
void
weir_tcp_accecn_received(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);
	const uint8_t ect = ect_of(rx);
	const bool is_edge = ect != a->last_ect, is_ce = ect == WEIR_IP_ECN_CE;

	if (a->mode != WEIR_TCP_ECN_MODE_ACCURATE)
		return;
	if (is_ce) {
		const uint32_t n = packets_of(rx);

		t->stats.rx_ce += n;
		a->received_ce += n;
		a->pending = RTE_MIN(a->pending + n, WEIR_TCP_ACE_MASK) & 7;
		weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_CE, weir_tcp_rcvd_pos(c, c->rcv.nxt), 0);
	}
	if (ect != WEIR_IP_ECN_NONE && rx->seg.len > 0)
		count_text(a, ect, rx->seg.len);
	if (is_edge || is_ce)
		a->demand = 2;
	a->last_ect = ect & 3;
	if (rx->seg.len > 0 && (is_edge || a->pending >= CE_PENDING_MAX))
		weir_tcp_ack_now(t, c);
}

/* Sending */

/* An option with as many counters as fit into room, all that the peer has to know among them. */
static bool
fit_option(const struct weir_tcp_accecn *a, uint32_t room, uint8_t *n)
{
	unsigned int fields = WEIR_TCP_ACCECN_FIELDS;

	while (RTE_ALIGN_CEIL(2 + 3 * fields, 4u) > room) {
		if (fields == a->min_fields || fields == 0)
			return false;
		fields--;
	}
	*n = (uint8_t)fields;
	return true;
}

/* 3.2.3.3: about three a round trip. */
static bool
is_beacon_due(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const uint32_t since_us = (uint32_t)t->core->now_us - c->act->accecn.opt_us;

	return t->conf.ecn_beacon != 0 && (uint64_t)since_us * t->conf.ecn_beacon >= c->srtt_us;
}

static bool
wants_option(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const struct weir_tcp_accecn *a = &c->act->accecn;

	if (a->use == WEIR_TCP_ECN_OPTION_NO || a->seen == WEIR_TCP_ACCECN_NOT_SEEN ||
		(a->fail & WEIR_TCP_ACCECN_OPT_SENT))
		return false;
	return a->use == WEIR_TCP_ECN_OPTION_ALWAYS || a->demand > 0 || is_beacon_due(t, c);
}

uint32_t
weir_tcp_accecn_len(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_accecn *a = &c->act->accecn;

	return a->mode == WEIR_TCP_ECN_MODE_ACCURATE && a->use != WEIR_TCP_ECN_OPTION_NO &&
			       a->seen != WEIR_TCP_ACCECN_NOT_SEEN
		       ? WEIR_TCP_OPT_ACCECN_LEN
		       : 0;
}

static void
put_option(struct weir_tcp *t, struct weir_tcp_accecn *a, struct weir_tcp_hdr_info *h)
{
	h->opts |= WEIR_TCP_OPT_ACCECN;
	for (unsigned int i = 0; i < h->n_ecn; i++) {
		const unsigned int field = weir_tcp_accecn_field(WEIR_TCP_KIND_ACCECN1, i);

		h->ecn_bytes[i] =
			(a->received[field] + weir_tcp_accecn_first(field)) & WEIR_TCP_ACCECN_BYTES;
	}
	a->min_fields = 0;
	a->opt_us = (uint32_t)t->core->now_us;
	a->demand -= a->demand > 0;
}

void
weir_tcp_accecn_fill(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);
	const uint32_t room = WEIR_TCP_HLEN_MAX - weir_tcp_build_len(h);

	if (a->mode != WEIR_TCP_ECN_MODE_ACCURATE || (h->flags & WEIR_TCP_RST))
		return;
	if (h->flags & WEIR_TCP_SYN) { /* the answer to a SYN that crossed ours */
		if (a->use != WEIR_TCP_ECN_OPTION_NO && fit_option(a, room, &h->n_ecn))
			put_option(t, a, h);
	} else if (wants_option(t, c) && fit_option(a, room, &h->n_ecn)) {
		put_option(t, a, h);
	}
}

void
weir_tcp_accecn_fill_syn_ack(const struct weir_tcp *t, struct weir_tcp_hdr_info *h)
{
	const struct weir_tcp_accecn none = {0};

	if (t->conf.ecn_option == WEIR_TCP_ECN_OPTION_NO ||
		!fit_option(&none, WEIR_TCP_HLEN_MAX - weir_tcp_build_len(h), &h->n_ecn))
		return;
	h->opts |= WEIR_TCP_OPT_ACCECN;
	for (unsigned int i = 0; i < h->n_ecn; i++)
		h->ecn_bytes[i] =
			weir_tcp_accecn_first(weir_tcp_accecn_field(WEIR_TCP_KIND_ACCECN1, i));
}

uint8_t
weir_tcp_accecn_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, bool has_text)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);
	const bool is_reflecting = a->is_reflecting && !has_text;
	const uint8_t broken = WEIR_TCP_ACCECN_ACE_RECEIVED | WEIR_TCP_ACCECN_ACE_SENT;

	if (h->flags & WEIR_TCP_RST)
		return WEIR_IP_ECN_NONE;
	weir_tcp_ace_set(h, is_reflecting ? weir_tcp_accecn_reflect(a->peer_ect)
					  : (uint8_t)((a->received_ce + WEIR_TCP_ACE_INIT) &
						      WEIR_TCP_ACE_MASK));
	a->is_reflecting = false;
	if (!is_reflecting)
		a->pending = 0;
	return (a->fail & broken) ? WEIR_IP_ECN_NONE : WEIR_IP_ECN_ECT0;
}
