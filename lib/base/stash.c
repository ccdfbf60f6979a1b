/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_stash.h"

#include <errno.h>

#include "weir_mem.h"

int
weir_stash_init(struct weir_stash *s, uint32_t obj_size, uint32_t capacity, int numa_node)
{
	const uint32_t size = RTE_ALIGN_CEIL(obj_size, (uint32_t)RTE_CACHE_LINE_SIZE);

	*s = (struct weir_stash){.obj_size = size, .capacity = capacity};
	s->base = weir_mem_alloc("weir_stash", (size_t)size * capacity, numa_node);
	s->next = weir_mem_alloc("weir_stash", sizeof(s->next[0]) * capacity, numa_node);
	if (s->base != NULL && s->next != NULL)
		return 0;
	weir_stash_fini(s);
	return -ENOMEM;
}

void
weir_stash_fini(struct weir_stash *s)
{
	weir_mem_free(s->base);
	weir_mem_free(s->next);
	*s = (struct weir_stash){0};
}

static uint64_t
changed(uint64_t head, uint32_t top)
{
	return ((head >> 32) + 1) << 32 | top;
}

/* Index + 1 of the one given back last, or 0. */
static uint32_t
pop(struct weir_stash *s)
{
	uint64_t head = __atomic_load_n(&s->head, __ATOMIC_ACQUIRE);
	uint32_t top, below;

	do {
		top = (uint32_t)head;
		if (top == 0)
			return 0;
		/* It may be another thread's by now: then the head has changed. */
		below = __atomic_load_n(&s->next[top - 1], __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(
		&s->head, &head, changed(head, below), false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	return top;
}

/* Index + 1 of one that was never used, or 0. */
static uint32_t
unwrap(struct weir_stash *s)
{
	uint32_t fresh = __atomic_load_n(&s->fresh, __ATOMIC_RELAXED);

	do {
		if (fresh == s->capacity)
			return 0;
	} while (!__atomic_compare_exchange_n(
		&s->fresh, &fresh, fresh + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return fresh + 1;
}

void *
weir_stash_get(struct weir_stash *s)
{
	uint32_t top = pop(s);

	if (top == 0)
		top = unwrap(s);
	if (top == 0)
		top = pop(s); /* given back meanwhile? */
	return top == 0 ? NULL : s->base + (size_t)(top - 1) * s->obj_size;
}

void
weir_stash_put(struct weir_stash *s, void *obj)
{
	const uint32_t index = (uint32_t)((size_t)((char *)obj - s->base) / s->obj_size);
	uint64_t head = __atomic_load_n(&s->head, __ATOMIC_RELAXED);

	WEIR_ASSERT(index < s->capacity);
	do {
		__atomic_store_n(&s->next[index], (uint32_t)head, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&s->head, &head, changed(head, index + 1), false,
		__ATOMIC_RELEASE, __ATOMIC_RELAXED));
}
