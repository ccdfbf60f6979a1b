/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Plain values that one thread changes now and then while others read them.
 * Model   A value of one word is read and written by itself, in no order with others: weir_peek(),
 *         weir_poke(). A value of several words has a version beside it, odd while it is being
 *         changed; a reader that meets a change begins again.
 * Thread  weir_shared_set(): one writer at a time. Readers never wait for longer than a change
 *         takes, and write nothing.
 */
#ifndef WEIR_SHARED_H
#define WEIR_SHARED_H

#include <stddef.h>
#include <stdint.h>

/* Macros, for every type of field has the same rule. */
#define weir_peek(field)	__atomic_load_n(&(field), __ATOMIC_RELAXED)
#define weir_poke(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

typedef uint32_t weir_word __attribute__((may_alias));
typedef uint64_t weir_long __attribute__((may_alias));

/*
 * Copy len bytes (a multiple of 4, aligned to 8), each word by itself, long ones as far as there
 * are: what is read next is read as such. Acquire loads: what follows, the look at the version
 * above all, comes after them.
 */
static inline void
weir_shared_copy(void *to, const void *from, size_t len)
{
	const size_t n = len / sizeof(weir_long);

	for (size_t i = 0; i < n; i++)
		((weir_long *)to)[i] =
			__atomic_load_n((const weir_long *)from + i, __ATOMIC_ACQUIRE);
	if (len % sizeof(weir_long) != 0)
		((weir_word *)to)[2 * n] =
			__atomic_load_n((const weir_word *)from + 2 * n, __ATOMIC_ACQUIRE);
}

static inline void
weir_shared_get(const uint32_t *version, void *to, const void *from, size_t len)
{
	uint32_t before;

	do {
		before = __atomic_load_n(version, __ATOMIC_ACQUIRE);
		weir_shared_copy(to, from, len);
	} while ((before & 1) != 0 || __atomic_load_n(version, __ATOMIC_RELAXED) != before);
}

/* Release stores: a reader that sees one of them sees the odd version, too. */
static inline void
weir_shared_set(uint32_t *version, void *to, const void *from, size_t len)
{
	__atomic_fetch_add(version, 1, __ATOMIC_ACQ_REL);
	for (size_t i = 0; i < len / sizeof(weir_word); i++)
		__atomic_store_n((weir_word *)to + i, ((const weir_word *)from)[i],
			__ATOMIC_RELEASE);
	__atomic_fetch_add(version, 1, __ATOMIC_RELEASE);
}

#endif
