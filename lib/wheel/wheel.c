/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_wheel.h"

#include <string.h>

#include "weir_assert.h"

/*
 * A slot of level n >= 1 is opened, its entries filed again further down, when now_tick reaches the
 * slot's first tick. So the slot that now_tick stands in holds nothing of this turn, and an entry
 * found in it is due one turn later. Level 0 holds this tick and the 63 after it.
 */
#define SLOT_BITS 6
#define SLOT_MASK (WEIR_WHEEL_SLOTS - 1)
#define SPAN	  (UINT64_C(1) << (SLOT_BITS * WEIR_WHEEL_LEVELS)) /* ticks the wheel reaches */

static_assert(1 << SLOT_BITS == WEIR_WHEEL_SLOTS, "slots are addressed by bits of the tick");
static_assert(offsetof(struct weir_wheel_entry, link) == 0, "entry_of() casts");

static inline struct weir_wheel_entry *
entry_of(struct weir_wheel_link *l)
{
	return (struct weir_wheel_entry *)l;
}

static inline uint64_t
rotr(uint64_t x, unsigned int n)
{
	return (x >> n) | (x << (-n & SLOT_MASK));
}

void
weir_wheel_init(struct weir_wheel *w, uint64_t now_us)
{
	memset(w, 0, sizeof(*w));
	w->now_tick = now_us / WEIR_WHEEL_TICK_US;
	w->next_us = WEIR_WHEEL_NEVER;
	for (unsigned int level = 0; level < WEIR_WHEEL_LEVELS; level++) {
		for (unsigned int i = 0; i < WEIR_WHEEL_SLOTS; i++) {
			struct weir_wheel_link *head = &w->slots[level][i];

			head->next = head->prev = head;
		}
	}
}

/* The tick to file a deadline under: not before now, not beyond what the wheel reaches. */
static uint64_t
filing_tick(const struct weir_wheel *w, uint64_t deadline_us)
{
	const uint64_t tick = deadline_us / WEIR_WHEEL_TICK_US;

	if (tick < w->now_tick)
		return w->now_tick;
	return tick - w->now_tick < SPAN ? tick : w->now_tick + SPAN - 1;
}

/* Link e into the slot of its deadline, last. */
static void
file_entry(struct weir_wheel *w, struct weir_wheel_entry *e)
{
	const uint64_t tick = filing_tick(w, e->deadline_us);
	const uint64_t ahead = tick - w->now_tick;
	const unsigned int level =
		ahead == 0 ? 0 : (63 - (unsigned int)__builtin_clzll(ahead)) / SLOT_BITS;
	const unsigned int slot = (tick >> (SLOT_BITS * level)) & SLOT_MASK;
	struct weir_wheel_link *head = &w->slots[level][slot];

	e->level = (uint8_t)level;
	e->slot = (uint8_t)slot;
	e->link.next = head;
	e->link.prev = head->prev;
	head->prev->next = &e->link;
	head->prev = &e->link;
	w->used[level] |= UINT64_C(1) << slot;
}

static void
unlink_entry(struct weir_wheel *w, struct weir_wheel_entry *e)
{
	struct weir_wheel_link *next = e->link.next;

	next->prev = e->link.prev;
	e->link.prev->next = next;
	if (next == next->prev) /* the head alone is left */
		w->used[e->level] &= ~(UINT64_C(1) << e->slot);
	e->link.next = e->link.prev = NULL;
}

void
weir_wheel_arm(struct weir_wheel *w, struct weir_wheel_entry *e, uint64_t deadline_us)
{
	if (weir_wheel_is_armed(e))
		unlink_entry(w, e);
	else
		w->armed++;
	e->deadline_us = deadline_us;
	file_entry(w, e);
	if (deadline_us < w->next_us)
		w->next_us = deadline_us;
}

void
weir_wheel_cancel(struct weir_wheel *w, struct weir_wheel_entry *e)
{
	if (!weir_wheel_is_armed(e))
		return;
	unlink_entry(w, e);
	w->armed--;
}

/*
 * The used slots of a level as bits, bit 0 being the first that time comes to; *first is that one's
 * number since tick 0. Bit n stands for slot *first + n.
 */
static uint64_t
slots_ahead(const struct weir_wheel *w, unsigned int level, uint64_t *first)
{
	*first = (w->now_tick >> (SLOT_BITS * level)) + (level > 0);
	return rotr(w->used[level], *first & SLOT_MASK);
}

/* The first tick of the slot that time comes to next, UINT64_MAX when all are empty. */
static uint64_t
next_slot_tick(const struct weir_wheel *w)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int level = 0; level < WEIR_WHEEL_LEVELS; level++) {
		uint64_t first, bits = slots_ahead(w, level, &first), tick;

		if (bits == 0)
			continue;
		tick = (first + (unsigned int)__builtin_ctzll(bits)) << (SLOT_BITS * level);
		if (tick < next)
			next = tick;
	}
	return next;
}

/* File the entries of a slot that time has come to again: they all go further down. */
static void
open_slot(struct weir_wheel *w, unsigned int level, unsigned int slot)
{
	struct weir_wheel_link *head = &w->slots[level][slot];
	struct weir_wheel_link *l = head->next;

	head->next = head->prev = head;
	w->used[level] &= ~(UINT64_C(1) << slot);
	while (l != head) {
		struct weir_wheel_link *next = l->next;

		file_entry(w, entry_of(l));
		l = next;
	}
}

/* Go to tick and open the slots that begin there. No slot begins between now_tick and tick. */
static void
advance(struct weir_wheel *w, uint64_t tick)
{
	if (tick == w->now_tick)
		return;
	w->now_tick = tick;
	for (unsigned int level = 1; level < WEIR_WHEEL_LEVELS; level++) {
		const uint64_t slot = tick >> (SLOT_BITS * level);

		if (slot << (SLOT_BITS * level) != tick)
			return;
		if (w->used[level] & UINT64_C(1) << (slot & SLOT_MASK))
			open_slot(w, level, slot & SLOT_MASK);
	}
}

/*
 * Take what is due out of the slot of now_tick. Sets next_us to the earliest deadline left in it,
 * or to 0 when due[] is full before all was seen.
 */
static unsigned int
take_due(struct weir_wheel *w, uint64_t now_us, struct weir_wheel_entry **due, unsigned int max)
{
	struct weir_wheel_link *head = &w->slots[0][w->now_tick & SLOT_MASK];
	struct weir_wheel_link *next;
	unsigned int n = 0;

	w->next_us = WEIR_WHEEL_NEVER;
	for (struct weir_wheel_link *l = head->next; l != head; l = next) {
		struct weir_wheel_entry *e = entry_of(l);

		next = l->next;
		if (e->deadline_us > now_us) {
			if (e->deadline_us < w->next_us)
				w->next_us = e->deadline_us;
			continue;
		}
		if (n == max) {
			w->next_us = 0;
			break;
		}
		unlink_entry(w, e);
		due[n++] = e;
	}
	w->armed -= n;
	return n;
}

unsigned int
weir_wheel_expire(
	struct weir_wheel *w, uint64_t now_us, struct weir_wheel_entry **due, unsigned int max)
{
	const uint64_t target = now_us / WEIR_WHEEL_TICK_US;
	unsigned int n = 0;

	if (now_us < w->next_us)
		return 0;
	for (;;) {
		const uint64_t tick = next_slot_tick(w);

		if (tick > target) {
			advance(w, target);
			w->next_us =
				tick == UINT64_MAX ? WEIR_WHEEL_NEVER : tick * WEIR_WHEEL_TICK_US;
			return n;
		}
		advance(w, tick);
		n += take_due(w, now_us, due + n, max - n);
		if (w->next_us != WEIR_WHEEL_NEVER)
			return n; /* due[] is full, or the rest of this tick is yet to come */
	}
}

static uint64_t
slot_min_us(const struct weir_wheel_link *head, uint64_t min_us)
{
	for (struct weir_wheel_link *l = head->next; l != head; l = l->next) {
		if (entry_of(l)->deadline_us < min_us)
			min_us = entry_of(l)->deadline_us;
	}
	return min_us;
}

/*
 * A slot's first tick is a lower bound of its deadlines (but for past ones, which stand in the
 * very first slot), so one slot of a level is read as a rule. The last level may hold deadlines
 * beyond the wheel's reach in front of nearer ones: there, slots are read up to the minimum found.
 */
uint64_t
weir_wheel_next_us(const struct weir_wheel *w)
{
	uint64_t min_us = WEIR_WHEEL_NEVER;

	for (unsigned int level = 0; level < WEIR_WHEEL_LEVELS; level++) {
		const unsigned int shift = SLOT_BITS * level;
		uint64_t first, bits = slots_ahead(w, level, &first);

		for (; bits != 0; bits &= bits - 1) {
			const uint64_t slot = first + (unsigned int)__builtin_ctzll(bits);

			if ((slot << shift) * WEIR_WHEEL_TICK_US >= min_us)
				break;
			min_us = slot_min_us(&w->slots[level][slot & SLOT_MASK], min_us);
		}
	}
	return min_us;
}
