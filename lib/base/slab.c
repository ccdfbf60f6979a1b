/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_slab.h"

#include <errno.h>

#include "weir_mem.h"

int
weir_slab_init(struct weir_slab *s, uint32_t obj_size, uint32_t capacity, int numa_node)
{
	/* A free object holds the free list's link, and the next one is to be aligned too. */
	const uint32_t size = RTE_ALIGN_CEIL(obj_size, (uint32_t)sizeof(uint64_t));

	*s = (struct weir_slab){.obj_size = size, .capacity = capacity};
	s->base = weir_mem_alloc("weir_slab", (size_t)size * capacity, numa_node);
	return s->base == NULL ? -ENOMEM : 0;
}

void
weir_slab_fini(struct weir_slab *s)
{
	rte_free(s->base);
	s->base = NULL;
	s->capacity = 0;
}
