/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Memory that is taken at start, on the NUMA node of its user; freed by rte_free().
 */
#ifndef WEIR_MEM_H
#define WEIR_MEM_H

#include <stddef.h>

#include <rte_malloc.h>

/**
 * len zeroed bytes, aligned to a cache line, on numa_node; on another node rather than none.
 * Fresh memory comes zeroed from the kernel: it is not touched here.
 */
static inline void *
weir_mem_alloc(const char *name, size_t len, int numa_node)
{
	void *p = rte_zmalloc_socket(name, len, RTE_CACHE_LINE_SIZE, numa_node);

	if (p == NULL && numa_node != SOCKET_ID_ANY)
		p = rte_zmalloc(name, len, RTE_CACHE_LINE_SIZE);
	return p;
}

#endif
