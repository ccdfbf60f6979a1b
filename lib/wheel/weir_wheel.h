/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Timer wheel: arm, cancel and collect the timeouts of one worker.
 * Model   Six levels of 64 slots. A slot of level 0 is WEIR_WHEEL_TICK_US wide, one of level n
 *         64 times wider than one of level n - 1. An entry waits in the slot of its deadline and
 *         moves down as time comes nearer; it is handed back when its deadline itself has come,
 *         never before. One 64-bit word per level tells which slots hold entries.
 * Owner   Entries live in the caller's objects. The wheel links them, never frees them:
 *         cancel an entry before its object goes.
 * Thread  One wheel per worker, touched by that worker's lcore alone.
 * Cost    Arm and cancel O(1). Expire O(entries due or moved down); an idle wheel costs a compare.
 */
#ifndef WEIR_WHEEL_H
#define WEIR_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_WHEEL_TICK_US 64
#define WEIR_WHEEL_LEVELS  6 /* 64 us * 64^6: 50 days; later deadlines wait in the last slot */
#define WEIR_WHEEL_SLOTS   64
#define WEIR_WHEEL_NEVER   UINT64_MAX

/* Circular with the slot's head; next is NULL when not armed. */
struct weir_wheel_link {
	struct weir_wheel_link *next;
	struct weir_wheel_link *prev;
};

struct weir_wheel_entry {
	struct weir_wheel_link link; /* first: a link of a slot is its entry */
	uint64_t deadline_us;
	uint8_t level; /* where it waits */
	uint8_t slot;
	uint8_t kind; /* what it belongs to: the caller's, untouched by the wheel */
};

struct weir_wheel {
	uint64_t now_tick;                /* all earlier ticks have been expired */
	uint64_t next_us;                 /* no entry is due before this; a lower bound */
	uint64_t used[WEIR_WHEEL_LEVELS]; /* bit n: slot n holds entries */
	struct weir_wheel_link slots[WEIR_WHEEL_LEVELS][WEIR_WHEEL_SLOTS];
	uint64_t armed; /* entries waiting */
};

/** An empty wheel standing at now_us. */
void weir_wheel_init(struct weir_wheel *w, uint64_t now_us);

/** Make e ready for use; kind is kept for the caller. */
static inline void
weir_wheel_entry_init(struct weir_wheel_entry *e, uint8_t kind)
{
	*e = (struct weir_wheel_entry){.kind = kind};
}

static inline bool
weir_wheel_is_armed(const struct weir_wheel_entry *e)
{
	return e->link.next != NULL;
}

/** Wait until deadline_us; moves it if e waits already. A past deadline is due at once. */
void weir_wheel_arm(struct weir_wheel *w, struct weir_wheel_entry *e, uint64_t deadline_us);

/** Stop waiting; nothing happens if e does not wait. */
void weir_wheel_cancel(struct weir_wheel *w, struct weir_wheel_entry *e);

/**
 * Hand back the entries that are due.
 * @param now_us  worker clock; never earlier than in the call before
 * @param due     out: up to max entries, earliest tick first, no longer linked
 * @return        entries written, 0..max; max means more may wait: call again
 */
unsigned int weir_wheel_expire(
	struct weir_wheel *w, uint64_t now_us, struct weir_wheel_entry **due, unsigned int max);

/** Exact time of the earliest deadline, or WEIR_WHEEL_NEVER. O(entries of a slot per level). */
uint64_t weir_wheel_next_us(const struct weir_wheel *w);

#endif
