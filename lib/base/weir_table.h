/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Hash index: from a 32-bit hash to pointers, for keys that live in the pointed-to objects.
 * Model   Open addressing with linear probing in one array of (hash, index) pairs; deletion moves
 *         later entries back, so there are no tombstones and lookups stop at the first free slot.
 *         Objects are named by a 32-bit index that the caller maps to its object.
 * Owner   The caller owns the objects. The table never touches them.
 * Thread  One owner.
 * Cost    A lookup reads one cache line at usual loads. The array is twice the capacity or more.
 */
#ifndef WEIR_TABLE_H
#define WEIR_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct weir_table_slot {
	uint32_t hash;
	uint32_t ref; /* index + 1; 0 is free */
};

struct weir_table {
	struct weir_table_slot *slots;
	uint32_t mask;
	uint32_t count;
	uint32_t capacity;
};

/** Room for capacity entries on a NUMA node. @return 0 or -ENOMEM */
int weir_table_init(struct weir_table *t, uint32_t capacity, int numa_node);
void weir_table_fini(struct weir_table *t);

/** Add index under hash (duplicates allowed). @return 0 or -ENOSPC at capacity */
int weir_table_add(struct weir_table *t, uint32_t hash, uint32_t index);

/** The entry (hash, from), which is there, is (hash, to) from now on. */
void weir_table_move(struct weir_table *t, uint32_t hash, uint32_t from, uint32_t to);

/** Remove the entry (hash, index). @return whether it was there */
bool weir_table_del(struct weir_table *t, uint32_t hash, uint32_t index);

/** Where a walk over the entries of one hash stands. */
struct weir_table_iter {
	uint32_t pos;
};

static inline struct weir_table_iter
weir_table_begin(const struct weir_table *t, uint32_t hash)
{
	return (struct weir_table_iter){hash & t->mask};
}

/** The next index stored under hash, in *index; false at the end. */
static inline bool
weir_table_next(const struct weir_table *t, struct weir_table_iter *it, uint32_t hash,
	uint32_t *index)
{
	for (;;) {
		const struct weir_table_slot *s = &t->slots[it->pos];

		if (s->ref == 0)
			return false;
		it->pos = (it->pos + 1) & t->mask;
		if (s->hash == hash) {
			*index = s->ref - 1;
			return true;
		}
	}
}

#endif
