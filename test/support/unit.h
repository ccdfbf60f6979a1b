/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The frame of a unit test program: a list of tests, run by CUnit, in a process with or without EAL
 * (no hugepages, no PCI, nothing on disk).
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>

#include <CUnit/CUnit.h>

#include <rte_mempool.h>

struct rte_mbuf;
struct weir_core;

struct unit_test {
	const char *name;
	void (*run)(void);
};

#define UNIT(fn) {#fn, fn}

/** Run tests[] up to the one without a name. @return exit status for main() */
int unit_main(const char *suite, const struct unit_test *tests, bool needs_eal);

/** An mbuf pool as Weir's workers have them (private area WEIR_PKT_PRIV), n mbufs. */
struct rte_mempool *unit_pool(const char *name, unsigned int n);

/** m's first n bytes in a segment of their own, from pool, before the rest. Takes m. */
struct rte_mbuf *unit_split(struct rte_mempool *pool, struct rte_mbuf *m, uint16_t n);

/** Assert that the given frames and all packets made have ended, each once. */
void unit_books_balance(const struct weir_core *core, uint64_t given);

/** Assert that all mbufs are back, then free the pool. */
void unit_pool_done(struct rte_mempool *pool);

#endif
