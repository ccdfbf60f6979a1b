/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * WEIR_ASSERT(x): our own mistakes, not the peer's or the application's. On in debug and test
 * builds (WEIR_DEBUG); in release builds it is only a hint to nobody and costs nothing.
 */
#ifndef WEIR_ASSERT_H
#define WEIR_ASSERT_H

#include <assert.h> /* static_assert */

#include <rte_debug.h>

#ifdef WEIR_DEBUG
#define WEIR_ASSERT(x) RTE_VERIFY(x)
#else
#define WEIR_ASSERT(x) ((void)sizeof(x))
#endif

#endif
