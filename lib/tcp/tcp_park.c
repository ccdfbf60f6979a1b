/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_input, tcp_timer, tcp_output -> tcp_park. What a connection needs while data is under
 * way (weir_tcp_act) is packed while it is idle. Packing loses nothing, so that nobody can tell
 * from what a connection does whether it has slept: of each word, two bits say how many of its
 * bytes are kept. Few of them have a value then.
 * Those that have an act stand in a queue and are looked at once in a PERIOD, so that connections
 * that sleep cost no time and those that work next to none.
 */
#include "tcp_priv.h"

#include <string.h>

#define PERIOD_TICKS 1000 /* of 1024 us: that long nothing came or went */
#define STEPS	     16	  /* connections looked at in a turn */
#define STEPS_WANT   64	  /* for one that can't have an act otherwise */

#define WORDS (offsetof(struct weir_tcp_act, queue) / sizeof(uint32_t))

/* Kept of a word: */
enum { NOTHING, ONE_BYTE, TWO_BYTES, ALL };

struct parked {
	uint8_t codes[(WORDS + 3) / 4];
	uint8_t bytes[WEIR_TCP_PARKED - (WORDS + 3) / 4];
};

static_assert(sizeof(struct parked) == WEIR_TCP_PARKED, "as the slab's objects");
static_assert(offsetof(struct weir_tcp_act, queue) % sizeof(uint32_t) == 0, "whole words");

static const uint8_t code_len[] = {[NOTHING] = 0, [ONE_BYTE] = 1, [TWO_BYTES] = 2, [ALL] = 4};

static uint32_t
ticks_of(const struct weir_tcp *t)
{
	return (uint32_t)(t->core->now_us >> 10);
}

static struct weir_tcp_act *
act_at(const struct weir_tcp *t, uint32_t ref)
{
	return ref == 0 ? NULL : weir_slab_at(&t->acts, ref - 1);
}

static void
enqueue(struct weir_tcp *t, struct weir_tcp_act *act)
{
	struct weir_tcp_act *last = act_at(t, t->act_last);
	const uint32_t ref = weir_slab_index(&t->acts, act) + 1;

	act->queue.since = ticks_of(t);
	act->queue.next = 0;
	act->queue.prev = t->act_last;
	t->act_last = ref;
	if (last != NULL) {
		last->queue.next = ref;
		return;
	}
	t->act_first = ref;
	t->act_due = act->queue.since + PERIOD_TICKS;
}

static void
dequeue(struct weir_tcp *t, const struct weir_tcp_act *act)
{
	struct weir_tcp_act *next = act_at(t, act->queue.next);
	struct weir_tcp_act *prev = act_at(t, act->queue.prev);

	if (next != NULL)
		next->queue.prev = act->queue.prev;
	else
		t->act_last = act->queue.prev;
	if (prev != NULL)
		prev->queue.next = act->queue.next;
	else
		t->act_first = act->queue.next;
}

/* Nothing is under way, nothing waits, and no timer runs but keepalive's. */
static bool
is_idle(const struct weir_tcp_conn *c)
{
	return c->state >= WEIR_TCP_ESTABLISHED && !weir_tcp_is_in_flight(c) &&
	       !weir_tcp_has_unsent(c) && c->sndq.q.first == NULL && c->act->head == 0 &&
	       c->act->keys == NULL && !c->is_out && !c->has_ooo && c->rexmit_at == 0 &&
	       c->delack_at == 0 && c->pace_at == 0;
}

static bool
is_quiet_since(const struct weir_tcp_conn *c, uint64_t now_us)
{
	return now_us - RTE_MAX(c->heard_us, c->sent_us) >= (uint64_t)PERIOD_TICKS << 10;
}

static unsigned int
code_of(uint32_t word)
{
	if (word > UINT16_MAX)
		return ALL;
	return word > UINT8_MAX ? TWO_BYTES : word > 0 ? ONE_BYTE : NOTHING;
}

/* @return false: it holds too much */
static bool
pack(const struct weir_tcp_act *act, struct parked *p)
{
	const char *from = (const char *)act;
	uint8_t *at = p->bytes;

	memset(p->codes, 0, sizeof(p->codes));
	for (unsigned int i = 0; i < WORDS; i++, from += sizeof(uint32_t)) {
		unsigned int code;
		uint32_t word;

		memcpy(&word, from, sizeof(word));
		code = code_of(word);
		if (code_len[code] > (size_t)(p->bytes + sizeof(p->bytes) - at))
			return false;
		p->codes[i / 4] |= (uint8_t)(code << (i % 4 * 2));
		memcpy(at, &word, code_len[code]); /* x86 and ARM64: the low bytes come first */
		at += code_len[code];
	}
	return true;
}

static void
unpack(const struct parked *p, struct weir_tcp_act *act)
{
	char *to = (char *)act;
	const uint8_t *at = p->bytes;

	for (unsigned int i = 0; i < WORDS; i++, to += sizeof(uint32_t)) {
		const unsigned int len = code_len[p->codes[i / 4] >> (i % 4 * 2) & 3];
		uint32_t word = 0;

		memcpy(&word, at, len);
		memcpy(to, &word, sizeof(word));
		at += len;
	}
}

static bool
park(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct parked *p = weir_slab_get(&t->parked);

	if (p == NULL)
		return false;
	if (!pack(c->act, p)) {
		weir_slab_put(&t->parked, p);
		return false;
	}
	weir_slab_put(&t->acts, c->act);
	c->act = NULL;
	c->parked = weir_slab_index(&t->parked, p) + 1;
	return true;
}

/* The first of the queue: it sleeps, or its turn comes again. */
static bool
look_at_first(struct weir_tcp *t, bool is_wanted)
{
	struct weir_tcp_act *act = act_at(t, t->act_first);
	struct weir_tcp_conn *c = weir_slab_at(&t->conns, act->queue.conn);

	dequeue(t, act);
	if (is_idle(c) && (is_wanted || is_quiet_since(c, t->core->now_us)) && park(t, c))
		return true;
	enqueue(t, act);
	return false;
}

void
weir_tcp_park_due(struct weir_tcp *t)
{
	for (unsigned int i = 0; i < STEPS && t->act_first != 0; i++) {
		const uint32_t due = act_at(t, t->act_first)->queue.since + PERIOD_TICKS;

		if ((int32_t)(ticks_of(t) - due) < 0) {
			t->act_due = due;
			return;
		}
		look_at_first(t, false);
	}
}

/* Somebody else's who does not need it just now. */
static struct weir_tcp_act *
get_act(struct weir_tcp *t)
{
	struct weir_tcp_act *act = weir_slab_get(&t->acts);

	for (unsigned int i = 0; i < STEPS_WANT && act == NULL && t->act_first != 0; i++) {
		if (look_at_first(t, true))
			act = weir_slab_get(&t->acts);
	}
	return act;
}

struct weir_tcp_act *
weir_tcp_act_new(struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = get_act(t);

	if (act == NULL) {
		t->stats.no_act++;
		return NULL;
	}
	memset(act, 0, sizeof(*act));
	act->queue.conn = weir_slab_index(&t->conns, c);
	enqueue(t, act);
	return act;
}

bool
weir_tcp_unpark(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct parked *p = weir_slab_at(&t->parked, c->parked - 1);

	c->act = weir_tcp_act_new(t, c);
	if (c->act == NULL)
		return false;
	unpack(p, c->act);
	weir_slab_put_at(&t->parked, p, c->parked - 1);
	c->parked = 0;
	weir_tcp_cc_choose(t, c); /* what was chosen while there was no act to be had */
	return true;
}

void
weir_tcp_act_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->act != NULL) {
		dequeue(t, c->act);
		weir_slab_put(&t->acts, c->act);
	} else {
		weir_slab_put_at(
			&t->parked, weir_slab_at(&t->parked, c->parked - 1), c->parked - 1);
	}
}
