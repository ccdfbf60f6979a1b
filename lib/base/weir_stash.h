/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Objects of one size for many threads; the one given back last is taken first, for it is in the
 * cache.
 * Model   One array reserved at start, which never moves and is used for nothing else, and a list
 *         of those that were given back (Treiber's stack), as indices. The array is touched only
 *         as far as objects were ever in use. A count of changes beside the list's head keeps a
 *         thread that was preempted from taking an old view for the present one.
 * Thread  Any; lockless.
 * Cost    Get and put: one compare-and-swap without contention.
 */
#ifndef WEIR_STASH_H
#define WEIR_STASH_H

#include <stddef.h>
#include <stdint.h>

#include "weir_assert.h"

struct weir_stash {
	char *base;
	uint32_t *next; /* of each that was given back: index + 1 of the one below; 0: none */
	uint32_t obj_size;
	uint32_t capacity;
	uint64_t head __attribute__((aligned(64))); /* changes << 32 | index + 1; atomic */
	uint32_t fresh; /* objects fresh..capacity-1 were never used; atomic */
};

/** Reserve capacity zeroed objects, aligned to cache lines, on a NUMA node. @return 0 or -ENOMEM */
int weir_stash_init(struct weir_stash *s, uint32_t obj_size, uint32_t capacity, int numa_node);

/** Free the memory; the content may be all zero, too. */
void weir_stash_fini(struct weir_stash *s);

/** An object as it was given back, or zeroed; NULL: none left. */
void *weir_stash_get(struct weir_stash *s);
void weir_stash_put(struct weir_stash *s, void *obj);

#endif
