/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> tcp_scoreboard. SACK blocks of the peer: RFC 2018 5, RFC 2883 4, RFC 6675. */
#include "tcp_loss_priv.h"

/* The blocks of one ACK, as they came. */
struct blocks {
	struct weir_tcp_sack b[WEIR_TCP_SACKS];
	unsigned int n;
	bool has_dsack; /* b[0] */
};

static struct blocks
read_blocks(const struct weir_tcp_rx *rx)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	struct blocks blocks = {.n = RTE_MIN(rx->seg.n_sack, WEIR_TCP_SACKS)};
	uint8_t copy[WEIR_TCP_HLEN_MAX];
	const uint8_t *hdr = rte_pktmbuf_read(
		rx->m, p->l4_off, RTE_MIN(p->l4_len, (uint16_t)WEIR_TCP_HLEN_MAX), copy);

	for (unsigned int i = 0; i < blocks.n; i++)
		blocks.b[i] = weir_tcp_sack_at(hdr, &rx->seg, i);
	return blocks;
}

/* RFC 2883 4: the first block lies below the ACK, or within the second. */
static bool
is_dsack(const struct blocks *blocks, uint32_t ack)
{
	const struct weir_tcp_sack *b = blocks->b;

	if (weir_seq_lt(b[0].start, ack))
		return true;
	return blocks->n > 1 && weir_seq_leq(b[0].end, b[1].end) &&
	       weir_seq_geq(b[0].start, b[1].start);
}

/* Does b say something that can be true? That of a DSACK may lie below una, but not far below. */
static bool
is_valid(const struct weir_tcp_conn *c, const struct weir_tcp_sack *b, bool is_dup)
{
	const struct weir_tcp_act *act = c->act;

	if (weir_seq_gt(b->end, c->snd.max) || weir_seq_geq(b->start, b->end))
		return false;
	if (weir_seq_gt(b->start, c->snd.una))
		return true;
	if (!is_dup || !act->may_undo || weir_seq_gt(b->end, c->snd.una))
		return false;
	if (weir_seq_geq(b->start, act->undo_marker))
		return true;
	return weir_seq_gt(b->end, act->undo_marker) && weir_seq_geq(b->start, b->end - c->wnd_max);
}

void
weir_tcp_saw_reordering(struct weir_tcp_conn *c, uint32_t low)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t fack = weir_tcp_fack(c);

	if (!weir_seq_lt(low, fack))
		return;
	if (fack - low > act->reordering * c->mss)
		act->reordering = RTE_MIN(
			(fack - low + c->mss - 1) / c->mss, (uint32_t)WEIR_TCP_REORDERING_MAX);
	act->reord_seen++;
}

/* How many segments came twice. One that was not sent twice is the network's doing (RFC 3708). */
static uint32_t
count_duplicates(struct weir_tcp_conn *c, const struct weir_tcp_sack *b, struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t len = b->end - b->start;
	const uint32_t segs = len > c->mss ? (len + c->mss - 1) / c->mss : 1;

	act->dsacks += segs;
	if (act->dsacks > c->rexmits)
		return 0;
	if (act->is_tlp && act->tlp_seq == b->end)
		news->flags |= NEWS_DSACK_TLP;
	else if (act->reord_seen > 0)
		act->is_dsack_seen = true;
	news->flags |= NEWS_DSACK;
	act->delivered_segs += segs;
	return segs;
}

static bool
take_dsack(struct weir_tcp *t, struct weir_tcp_conn *c, const struct blocks *blocks,
	struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	const struct weir_tcp_sack *b = &blocks->b[0];
	uint32_t segs;

	if (!is_dsack(blocks, news->seg->ack) || !weir_seq_lt(b->start, b->end) ||
		weir_seq_gt(b->end, c->snd.max))
		return false;
	t->stats.dsacks_received++;
	segs = count_duplicates(c, b, news);
	if (segs != 0 && act->may_undo && act->undo_rexmits > 0 &&
		weir_seq_leq(b->end, news->prior_una) && weir_seq_gt(b->end, act->undo_marker))
		act->undo_rexmits = RTE_MAX(act->undo_rexmits - (int32_t)segs, 0);
	return segs != 0;
}

/* The peer has s twice: a repetition less that could have been needed. */
static void
tag_duplicate(struct weir_tcp_conn *c, const struct weir_tcp_sent *s, struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;

	if (!(s->flags & WEIR_TCP_REXMIT_EVER))
		return;
	if (act->may_undo && act->undo_rexmits > 0 && weir_seq_gt(s->end, act->undo_marker))
		act->undo_rexmits = RTE_MAX(act->undo_rexmits - s->segs, 0);
	if ((s->flags & WEIR_TCP_SACKED) && weir_seq_lt(s->seq, news->reord))
		news->reord = s->seq;
}

static void
note_first_sacked(
	struct weir_tcp_conn *c, const struct weir_tcp_sent *s, struct weir_tcp_news *news)
{
	if (weir_seq_lt(s->seq, weir_tcp_fack(c)) && weir_seq_lt(s->seq, news->reord))
		news->reord = s->seq;
	if (weir_seq_leq(s->end, c->act->high_seq))
		news->flags |= NEWS_ORIG;
	if (s->flags & WEIR_TCP_BLURRED)
		return;
	if (news->first_sacked_us == 0)
		news->first_sacked_us = s->sent_us;
	news->last_sacked_us = s->sent_us;
}

static void
tag(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s, bool is_dup,
	struct weir_tcp_news *news)
{
	if (is_dup)
		tag_duplicate(c, s, news);
	if (weir_seq_leq(s->end, c->snd.una))
		return; /* about to be forgotten */
	if (!(s->flags & WEIR_TCP_SACKED)) {
		weir_tcp_rack_delivered(t, c, s, news->seg);
		if (!(s->flags & WEIR_TCP_REXMIT_EVER))
			note_first_sacked(c, s, news);
		weir_tcp_sent_sacked(t, c, s);
		weir_tcp_rate_delivered(c->act, s, news);
		news->flags |= NEWS_SACKED;
	}
	if (is_dup && (s->flags & WEIR_TCP_REXMIT))
		weir_tcp_sent_rexmit_over(c, s);
}

/*
 * How much of s lies in b: all (s->end - s->seq), none (0), or its beginning up to a border
 * between segments. *skip: so much in front, in whole segments, does not.
 */
static uint32_t
overlap(const struct weir_tcp_sent *s, const struct weir_tcp_sack *b, uint32_t *skip)
{
	const uint32_t len = s->end - s->seq;
	const uint32_t from = weir_tcp_seq_span(b->start, s->seq);
	const uint32_t to = weir_seq_geq(b->end, s->end) ? len : b->end - s->seq;

	*skip = (from + s->mss - 1) / s->mss * s->mss;
	if (*skip >= len)
		return 0;
	if (to == len)
		return len - *skip;
	return to / s->mss * s->mss > *skip ? to / s->mss * s->mss - *skip : 0;
}

/* Tag what of s lies in b. @return the record to go on with after */
static struct weir_tcp_sent *
tag_part(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s,
	const struct weir_tcp_sack *b, bool is_dup, struct weir_tcp_news *news)
{
	uint32_t skip;
	const uint32_t len = overlap(s, b, &skip);

	if (len == 0)
		return s;
	if (skip > 0) {
		if (!weir_tcp_sent_split(t, c, s, skip))
			return s;
		s = weir_tcp_sent_at(t, s->next);
	}
	if (len < s->end - s->seq && !weir_tcp_sent_split(t, c, s, len))
		return s;
	tag(t, c, s, is_dup, news);
	return s;
}

/* @return reference of the last record that begins in b's reach */
static uint32_t
tag_block(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t at, const struct weir_tcp_sack *b,
	bool is_dup, struct weir_tcp_news *news)
{
	struct weir_tcp_sent *s;

	for (s = weir_tcp_sent_at(t, at); s != NULL && weir_seq_lt(s->seq, b->end);
		s = weir_tcp_sent_at(t, s->next)) {
		if (weir_seq_gt(s->end, b->start))
			s = tag_part(t, c, s, b, is_dup, news);
		at = weir_tcp_sent_ref(t, s);
	}
	return at;
}

/* Is the record that h names still there? It reaches to h's end at least. */
static bool
is_alive(const struct weir_tcp_sack_hint *h, const struct weir_tcp_news *news)
{
	return weir_seq_gt(h->end, news->prior_una);
}

/* Part of b that the ACK before told already is left out. *at: where to look for the rest. */
static struct weir_tcp_sack
skip_known(const struct weir_tcp *t, const struct weir_tcp_conn *c, struct weir_tcp_sack b,
	uint32_t *at, const struct weir_tcp_news *news)
{
	const struct weir_tcp_act *act = c->act;

	*at = act->head;
	for (unsigned int i = 0; i < act->n_hints; i++) {
		const struct weir_tcp_sack_hint *h = &act->hints[i];

		if (!is_alive(h, news))
			continue;
		if (weir_seq_geq(b.start, h->start) && weir_seq_lt(b.start, h->end))
			b.start = weir_seq_min(h->end, b.end);
		if (weir_seq_leq(weir_tcp_sent_at(t, h->at)->seq, b.start) &&
			(*at == 0 || weir_seq_gt(weir_tcp_sent_at(t, h->at)->seq,
					     weir_tcp_sent_at(t, *at)->seq)))
			*at = h->at;
	}
	return b;
}

static void
tag_new(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sack *b,
	struct weir_tcp_sack_hint *hint, struct weir_tcp_news *news)
{
	const struct weir_tcp_sack rest = skip_known(t, c, *b, &hint->at, news);

	hint->start = b->start;
	hint->end = b->end;
	if (weir_seq_lt(rest.start, rest.end))
		hint->at = tag_block(t, c, hint->at, &rest, false, news);
}

/* Lowest first, so that reordering is seen by what is known before this ACK and by its blocks. */
static void
sort(struct weir_tcp_sack *b, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		for (unsigned int k = i; k > 0 && weir_seq_lt(b[k].start, b[k - 1].start); k--)
			RTE_SWAP(b[k], b[k - 1]);
	}
}

static void
tag_all(struct weir_tcp *t, struct weir_tcp_conn *c, const struct blocks *blocks,
	struct weir_tcp_news *news)
{
	struct weir_tcp_sack_hint hints[WEIR_TCP_SACKS];
	struct weir_tcp_sack valid[WEIR_TCP_SACKS];
	unsigned int n = 0;

	for (unsigned int i = blocks->has_dsack; i < blocks->n; i++) {
		if (is_valid(c, &blocks->b[i], false))
			valid[n++] = blocks->b[i];
		else if (weir_seq_gt(blocks->b[i].end, c->snd.una))
			t->stats.bad_sacks++;
	}
	sort(valid, n);
	for (unsigned int i = 0; i < n; i++)
		tag_new(t, c, &valid[i], &hints[i], news);
	memcpy(c->act->hints, hints, n * sizeof(hints[0]));
	c->act->n_hints = (uint8_t)(c->act->sacked_segs > 0 ? n : 0);
}

void
weir_tcp_lose_oversized(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t lost = act->lost_segs;
	struct weir_tcp_sent *s;

	for (s = weir_tcp_sent_at(t, act->head); s != NULL; s = weir_tcp_sent_at(t, s->next)) {
		if (s->mss > c->mss && s->end - s->seq > c->mss)
			weir_tcp_sent_lost(t, c, s);
	}
	if (act->lost_segs != lost)
		weir_tcp_repeat_unblamed(t, c);
}

void
weir_tcp_repeat_unblamed(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;

	if (c->ca != WEIR_TCP_CA_LOSS) {
		act->high_seq = c->snd.max;
		c->cc.ssthresh = weir_tcp_current_ssthresh(c);
		act->prior_ssthresh = 0;
		act->may_undo = false;
		act->is_frto = false;
		weir_tcp_set_ca(t, c, WEIR_TCP_CA_LOSS);
	}
	c->is_rexmit_due = true;
	weir_tcp_want_output(t, c);
}

void
weir_tcp_sack_input(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	struct blocks blocks;

	if (!c->has_sack || !(rx->seg.opts & WEIR_TCP_OPT_SACK))
		return;
	blocks = read_blocks(rx);
	blocks.has_dsack = take_dsack(t, c, &blocks, news);
	if (blocks.has_dsack && is_valid(c, &blocks.b[0], true))
		tag_block(t, c, act->head, &blocks.b[0], true, news);
	tag_all(t, c, &blocks, news);
	if (news->flags & NEWS_SACKED)
		weir_tcp_trace_more(t, c, WEIR_TCP_EVENT_SACK, act->sacked_segs,
			weir_tcp_sent_pos(c, act->fack));
	if (news->reord != c->snd.max && (c->ca != WEIR_TCP_CA_LOSS || act->may_undo))
		weir_tcp_saw_reordering(c, news->reord);
}
