/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What ThreadSanitizer cannot see by itself: memory that goes from thread to thread through DPDK's
 * libraries, which are not built with it, and through rings whose two sides use a counter in words
 * of different size.
 * Model   Who lets an object go gives it, who gets it takes it, both by the object's address or by
 *         that of the queue it passes: what the giver did comes before what the taker does. Used
 *         where DPDK orders the two, nowhere else: Weir's own queues and flags are plain atomics.
 * Cost    None in other builds: all of this is empty there.
 */
#ifndef WEIR_TSAN_H
#define WEIR_TSAN_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define WEIR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_TSAN 1
#endif
#endif

#ifdef WEIR_TSAN

#include <sanitizer/tsan_interface.h>

void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

extern const char weir_tsan_heap; /* stands for the heap of rte_malloc */

/** Mempool operations as those of WEIR_POOL_OPS_NAME, objects given and taken (tsan.c). */
const char *weir_tsan_pool_ops(void);

static inline void
weir_tsan_give(const void *object)
{
	__tsan_release((void *)(uintptr_t)object);
}

static inline void
weir_tsan_take(const void *object)
{
	__tsan_acquire((void *)(uintptr_t)object);
}

/** Between these two, what the thread reads and writes is not looked at. */
static inline void
weir_tsan_blind(void)
{
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

static inline void
weir_tsan_see(void)
{
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

#else

static inline void
weir_tsan_give(const void *object)
{
}

static inline void
weir_tsan_take(const void *object)
{
}

static inline void
weir_tsan_blind(void)
{
}

static inline void
weir_tsan_see(void)
{
}

#endif

#endif
