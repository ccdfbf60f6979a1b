/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_table.h"

#include <errno.h>

#include <rte_common.h>

#include "weir_assert.h"
#include "weir_mem.h"

int
weir_table_init(struct weir_table *t, uint32_t capacity, int numa_node)
{
	const uint64_t n_slots = rte_align64pow2(RTE_MAX(2 * (uint64_t)capacity, UINT64_C(2)));

	if (n_slots > UINT64_C(1) << 32)
		return -ENOMEM;
	t->slots = weir_mem_alloc("weir_table", n_slots * sizeof(*t->slots), numa_node);
	if (t->slots == NULL)
		return -ENOMEM;
	t->mask = (uint32_t)(n_slots - 1);
	t->count = 0;
	t->capacity = capacity;
	return 0;
}

void
weir_table_fini(struct weir_table *t)
{
	rte_free(t->slots);
	*t = (struct weir_table){.slots = NULL};
}

int
weir_table_add(struct weir_table *t, uint32_t hash, uint32_t index)
{
	uint32_t pos = hash & t->mask;

	if (t->count == t->capacity)
		return -ENOSPC;
	while (t->slots[pos].ref != 0)
		pos = (pos + 1) & t->mask;
	t->slots[pos] = (struct weir_table_slot){.hash = hash, .ref = index + 1};
	t->count++;
	return 0;
}

/*
 * Close the gap at hole: an entry behind it moves in when its probing starts at or before the hole,
 * for it could not be found past a free slot. It leaves the next gap.
 */
static void
close_gap(struct weir_table *t, uint32_t hole)
{
	uint32_t pos = hole;

	for (;;) {
		const struct weir_table_slot *s;

		pos = (pos + 1) & t->mask;
		s = &t->slots[pos];
		if (s->ref == 0)
			break;
		if (((pos - s->hash) & t->mask) >= ((pos - hole) & t->mask)) {
			t->slots[hole] = *s;
			hole = pos;
		}
	}
	t->slots[hole].ref = 0;
}

/* The slot of (hash, index); where there is none, a free one. */
static uint32_t
find(const struct weir_table *t, uint32_t hash, uint32_t index)
{
	uint32_t pos = hash & t->mask;

	while (t->slots[pos].ref != 0 &&
		(t->slots[pos].hash != hash || t->slots[pos].ref != index + 1))
		pos = (pos + 1) & t->mask;
	return pos;
}

void
weir_table_move(struct weir_table *t, uint32_t hash, uint32_t from, uint32_t to)
{
	const uint32_t pos = find(t, hash, from);

	WEIR_ASSERT(t->slots[pos].ref != 0);
	t->slots[pos].ref = to + 1;
}

bool
weir_table_del(struct weir_table *t, uint32_t hash, uint32_t index)
{
	const uint32_t pos = find(t, hash, index);

	if (t->slots[pos].ref == 0)
		return false;
	close_gap(t, pos);
	t->count--;
	return true;
}
