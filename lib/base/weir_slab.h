/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Objects of one size for one owner, named by pointer or by a 32-bit index.
 * Model   One array reserved at start, which never moves, and a free list through the free
 *         objects. The array is touched only as far as objects were ever in use.
 * Thread  One owner; the counts may be read by anyone.
 * Cost    Get and put O(1).
 */
#ifndef WEIR_SLAB_H
#define WEIR_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "weir_assert.h"

struct weir_slab {
	char *base;
	uint32_t obj_size;
	uint32_t capacity;
	uint32_t fresh;     /* objects fresh..capacity-1 were never used */
	uint32_t free_head; /* index + 1 of the latest freed; 0: none */
	uint32_t used;
	uint32_t used_max;
};

/** Reserve capacity objects on a NUMA node; they are aligned to 8 bytes. @return 0 or -ENOMEM */
int weir_slab_init(struct weir_slab *s, uint32_t obj_size, uint32_t capacity, int numa_node);
void weir_slab_fini(struct weir_slab *s);

static inline void *
weir_slab_at(const struct weir_slab *s, uint32_t index)
{
	return s->base + (size_t)index * s->obj_size;
}

static inline uint32_t
weir_slab_index(const struct weir_slab *s, const void *obj)
{
	return (uint32_t)((size_t)((const char *)obj - s->base) / s->obj_size);
}

/** An object with undefined content, or NULL at capacity. */
static inline void *
weir_slab_get(struct weir_slab *s)
{
	uint32_t index;

	if (s->free_head != 0) {
		index = s->free_head - 1;
		s->free_head = *(uint32_t *)weir_slab_at(s, index);
	} else if (s->fresh < s->capacity) {
		index = s->fresh++;
	} else {
		return NULL;
	}
	if (++s->used > s->used_max)
		s->used_max = s->used;
	return weir_slab_at(s, index);
}

/** Give back an object whose index is known, which saves a division. */
static inline void
weir_slab_put_at(struct weir_slab *s, void *obj, uint32_t index)
{
	WEIR_ASSERT(s->used > 0 && obj == weir_slab_at(s, index));
	*(uint32_t *)obj = s->free_head;
	s->free_head = index + 1;
	s->used--;
}

static inline void
weir_slab_put(struct weir_slab *s, void *obj)
{
	weir_slab_put_at(s, obj, weir_slab_index(s, obj));
}

#endif
