/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_output -> tcp_sent; tcp_ack -> tcp_sent. Records of what is under way.
 *
 * When no record is free, new data joins the latest record of its connection, which from then on
 * gives no round-trip times ("blurred"), or waits where there is none; SACK blocks that would need
 * a record split are not noted, so at worst data is sent twice.
 */
#include "tcp_loss_priv.h"
#include "tcp_mtu_probe.h"

#define SEGS_MAX 60000 /* of a record */

static uint16_t
segs_of(const struct weir_tcp_conn *c, uint32_t seq, uint32_t end, uint16_t mss)
{
	const uint32_t text = end - seq - (c->is_fin_queued && weir_seq_gt(end, c->snd.end));

	return text > mss ? (uint16_t)((text + mss - 1) / mss) : 1;
}

/* The list by time */

static void
time_append(struct weir_tcp *t, struct weir_tcp_act *act, struct weir_tcp_sent *s)
{
	const uint32_t ref = weir_tcp_sent_ref(t, s);

	s->flags |= WEIR_TCP_TIMED;
	s->later = 0;
	s->earlier = act->newest;
	if (act->oldest == 0)
		act->oldest = ref;
	else
		weir_tcp_sent_at(t, act->newest)->later = ref;
	act->newest = ref;
}

static void
time_insert_after(struct weir_tcp *t, struct weir_tcp_act *act, struct weir_tcp_sent *prev,
	struct weir_tcp_sent *s)
{
	const uint32_t ref = weir_tcp_sent_ref(t, s);
	const uint32_t later = prev != NULL ? prev->later : act->oldest;

	s->flags |= WEIR_TCP_TIMED;
	s->later = later;
	s->earlier = prev != NULL ? weir_tcp_sent_ref(t, prev) : 0;
	if (prev != NULL)
		prev->later = ref;
	else
		act->oldest = ref;
	if (later != 0)
		weir_tcp_sent_at(t, later)->earlier = ref;
	else
		act->newest = ref;
}

/* The oldest one's `earlier` is not kept: taking records off in order touches just themselves. */
static void
time_remove(struct weir_tcp *t, struct weir_tcp_act *act, struct weir_tcp_sent *s)
{
	const bool is_oldest = act->oldest == weir_tcp_sent_ref(t, s);

	if (!(s->flags & WEIR_TCP_TIMED))
		return;
	s->flags &= (uint8_t)~WEIR_TCP_TIMED;
	if (is_oldest)
		act->oldest = s->later;
	else
		weir_tcp_sent_at(t, s->earlier)->later = s->later;
	if (s->later == 0)
		act->newest = is_oldest ? 0 : s->earlier;
	else if (!is_oldest)
		weir_tcp_sent_at(t, s->later)->earlier = s->earlier;
}

/* New ones */

static bool
may_join(const struct weir_tcp_sent *tail)
{
	return tail != NULL && !(tail->flags & (WEIR_TCP_SACKED | WEIR_TCP_LOST)) &&
	       tail->segs < SEGS_MAX - WEIR_TCP_TSO_MAX / WEIR_TCP_MSS_MIN;
}

static bool
is_slab_empty(const struct weir_slab *s)
{
	return s->used == s->capacity;
}

bool
weir_tcp_sent_may_add(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	return likely(!is_slab_empty(&t->sents)) || may_join(weir_tcp_sent_at(t, c->act->tail));
}

static void
join_tail(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t end, uint32_t mss)
{
	struct weir_tcp_sent *tail = weir_tcp_sent_at(t, c->act->tail);
	const uint16_t segs = segs_of(c, tail->end, end, (uint16_t)mss);

	tail->end = end;
	tail->segs = (uint16_t)(tail->segs + segs);
	tail->flags |= WEIR_TCP_BLURRED;
	tail->sent_us = t->core->now_us;
	c->act->out_segs += segs;
	if (tail->flags & WEIR_TCP_REXMIT)
		c->act->rexmit_segs += segs;
	time_remove(t, c->act, tail);
	time_append(t, c->act, tail);
	t->stats.no_record++;
}

void
weir_tcp_sent_add(
	struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t end, uint32_t mss, bool is_pushed)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *s = weir_slab_get(&t->sents);

	if (unlikely(s == NULL)) {
		join_tail(t, c, end, mss);
		return;
	}
	s->seq = c->snd.nxt;
	s->end = end;
	s->next = 0;
	s->mss = (uint16_t)mss;
	s->segs = segs_of(c, s->seq, end, s->mss);
	s->flags = is_pushed ? WEIR_TCP_PUSHED : 0;
	if (act->tail == 0)
		act->head = weir_tcp_sent_ref(t, s);
	else
		weir_tcp_sent_at(t, act->tail)->next = weir_tcp_sent_ref(t, s);
	act->tail = weir_tcp_sent_ref(t, s);
	time_append(t, act, s);
	weir_tcp_rate_sent(t, c, s);
	act->out_segs += s->segs;
}

/* Counts of what s stands for in the scoreboard. */
static void
count(struct weir_tcp_act *act, const struct weir_tcp_sent *s, int segs)
{
	act->out_segs += (uint32_t)segs;
	if (s->flags & WEIR_TCP_SACKED)
		act->sacked_segs += (uint32_t)segs;
	if (s->flags & WEIR_TCP_LOST)
		act->lost_segs += (uint32_t)segs;
	if (s->flags & WEIR_TCP_REXMIT)
		act->rexmit_segs += (uint32_t)segs;
}

/* Hints that reach into the second part name that one. */
static void
move_hints(struct weir_tcp_act *act, uint32_t from, uint32_t seq, uint32_t to)
{
	for (unsigned int i = 0; i < act->n_hints; i++) {
		if (act->hints[i].at == from && weir_seq_gt(act->hints[i].end, seq))
			act->hints[i].at = to;
	}
}

bool
weir_tcp_sent_split(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s, uint32_t len)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *rest = weir_slab_get(&t->sents);
	const uint32_t ref = weir_tcp_sent_ref(t, s);
	uint32_t rest_ref;

	if (rest == NULL)
		return false;
	rest_ref = weir_tcp_sent_ref(t, rest);
	*rest = *s;
	rest->seq = s->seq + len;
	s->end = rest->seq;
	s->flags &= (uint8_t)~WEIR_TCP_PUSHED;
	s->next = rest_ref;
	if (act->tail == ref)
		act->tail = rest_ref;
	if (s->flags & WEIR_TCP_TIMED)
		time_insert_after(t, act, s, rest);
	move_hints(act, ref, rest->seq, rest_ref);
	count(act, s, -s->segs);
	s->segs = segs_of(c, s->seq, s->end, s->mss);
	rest->segs = segs_of(c, rest->seq, rest->end, rest->mss);
	count(act, s, s->segs + rest->segs);
	return true;
}

void
weir_tcp_sent_again(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s)
{
	time_remove(t, c->act, s);
	time_append(t, c->act, s);
	weir_tcp_rate_sent(t, c, s);
	s->flags |= WEIR_TCP_REXMIT_EVER;
}

/* Acknowledged */

static void
note_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s, uint32_t bytes,
	uint32_t segs, struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;

	if (unlikely(s->mss > c->mss))
		weir_tcp_mtu_acked(c, s);
	if (unlikely(s->flags & WEIR_TCP_REXMIT_EVER)) {
		news->flags |= NEWS_REXMIT_ACKED;
	} else if (!(s->flags & WEIR_TCP_SACKED)) {
		if (!(s->flags & WEIR_TCP_BLURRED)) {
			news->last_acked_us = s->sent_us;
			if (news->first_acked_us == 0)
				news->first_acked_us = s->sent_us;
		}
		if (weir_seq_lt(s->seq, news->reord))
			news->reord = s->seq;
		if (weir_seq_leq(s->end, act->high_seq))
			news->flags |= NEWS_ORIG;
	}
	if (!(s->flags & WEIR_TCP_SACKED)) {
		act->delivered += bytes;
		if (c->has_sack) {
			act->delivered_segs += segs;
			weir_tcp_rack_delivered(t, c, s, news->seg);
		}
		weir_tcp_rate_delivered(act, s, news);
	}
	news->acked_segs += segs;
	news->flags |= NEWS_ACKED;
	count(act, s, -(int)segs);
}

/* una lies within s. What is less than a segment is no news yet. */
static void
trim(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s,
	struct weir_tcp_news *news)
{
	const uint32_t una = c->snd.una;
	const uint16_t left = segs_of(c, una, s->end, s->mss);

	if ((s->flags & WEIR_TCP_BLURRED) && (s->flags & WEIR_TCP_REXMIT))
		weir_tcp_sent_rexmit_over(c, s); /* perhaps only its beginning was sent again */
	if (left < s->segs)
		note_acked(t, c, s, una - s->seq, s->segs - left, news);
	else if (!(s->flags & WEIR_TCP_SACKED))
		c->act->delivered += una - s->seq;
	s->seq = una;
	s->segs = left;
}

void
weir_tcp_sent_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *s;
	uint32_t ref;

	while ((s = weir_tcp_sent_at(t, act->head)) != NULL && weir_seq_leq(s->end, c->snd.una)) {
		note_acked(t, c, s, s->end - s->seq, s->segs, news);
		time_remove(t, act, s);
		if (act->lost_hint == act->head)
			act->lost_hint = s->next;
		ref = act->head;
		act->head = s->next;
		weir_slab_put_at(&t->sents, s, ref - 1);
	}
	if (s == NULL)
		act->tail = 0;
	else if (unlikely(weir_seq_lt(s->seq, c->snd.una)))
		trim(t, c, s, news);
}

void
weir_tcp_sent_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_sent *s;

	while ((s = weir_tcp_sent_at(t, c->act->head)) != NULL) {
		c->act->head = s->next;
		weir_slab_put_at(&t->sents, s, weir_tcp_sent_ref(t, s) - 1);
	}
}

/* Marks */

void
weir_tcp_sent_rexmit_over(struct weir_tcp_conn *c, struct weir_tcp_sent *s)
{
	s->flags &= (uint8_t)~WEIR_TCP_REXMIT;
	c->act->rexmit_segs -= s->segs;
}

static void
unmark_lost(struct weir_tcp_act *act, struct weir_tcp_sent *s)
{
	s->flags &= (uint8_t)~WEIR_TCP_LOST;
	act->lost_segs -= s->segs;
}

void
weir_tcp_sent_sacked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s)
{
	struct weir_tcp_act *act = c->act;

	if (s->flags & WEIR_TCP_LOST) { /* else the repetition may still be under way */
		if (s->flags & WEIR_TCP_REXMIT)
			weir_tcp_sent_rexmit_over(c, s);
		unmark_lost(act, s);
	}
	time_remove(t, act, s);
	if (act->sacked_segs == 0 || weir_seq_gt(s->end, act->fack))
		act->fack = s->end;
	s->flags |= WEIR_TCP_SACKED;
	act->sacked_segs += s->segs;
	act->delivered += s->end - s->seq;
	act->delivered_segs += s->segs;
}

void
weir_tcp_sent_lost(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s)
{
	struct weir_tcp_act *act = c->act;
	const struct weir_tcp_sent *hint = weir_tcp_sent_at(t, act->lost_hint);

	if (s->flags & WEIR_TCP_SACKED)
		return;
	if (hint == NULL || weir_seq_lt(s->seq, hint->seq))
		act->lost_hint = weir_tcp_sent_ref(t, s);
	time_remove(t, act, s);
	if (!(s->flags & WEIR_TCP_LOST)) {
		s->flags |= WEIR_TCP_LOST;
		act->lost_segs += s->segs;
		act->lost += s->end - s->seq;
	} else if (s->flags & WEIR_TCP_REXMIT) {
		weir_tcp_sent_rexmit_over(c, s);
		act->lost += s->end - s->seq;
	}
}

/* They are older than what stands in the list by time, in their order. */
void
weir_tcp_sent_unmark_lost(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *prev = NULL, *s;

	for (s = weir_tcp_sent_at(t, act->head); s != NULL; s = weir_tcp_sent_at(t, s->next)) {
		if (!(s->flags & WEIR_TCP_LOST))
			continue;
		unmark_lost(act, s);
		if (s->flags & WEIR_TCP_TIMED)
			continue;
		if (prev != NULL && prev->sent_us > s->sent_us)
			prev = NULL;
		time_insert_after(t, act, prev, s);
		prev = s;
	}
	act->lost_hint = 0;
}

void
weir_tcp_sent_unmark_sacked(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_sent *s;

	for (s = weir_tcp_sent_at(t, c->act->head); s != NULL; s = weir_tcp_sent_at(t, s->next))
		s->flags &= (uint8_t)~WEIR_TCP_SACKED;
	c->act->sacked_segs = 0;
	c->act->n_hints = 0;
}

struct weir_tcp_sent *
weir_tcp_sent_next_lost(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint8_t both = WEIR_TCP_LOST | WEIR_TCP_REXMIT;
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *s = weir_tcp_sent_at(t, act->lost_hint);

	if (act->lost_segs == 0)
		return NULL;
	while (s != NULL && (s->flags & both) != WEIR_TCP_LOST) {
		act->lost_hint = s->next;
		s = weir_tcp_sent_at(t, s->next);
	}
	return s;
}
