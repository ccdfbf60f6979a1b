/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Burst vectors: what one stage of the pipeline hands to the next.
 */
#ifndef WEIR_VEC_H
#define WEIR_VEC_H

#include <rte_mbuf.h>

#include "weir_assert.h"

#define WEIR_BURST_MAX 32  /* packets taken from a port in one turn */
#define WEIR_VEC_MAX   128 /* room of a vector: bursts, handed-over and reassembled packets */

struct weir_vec {
	unsigned int n;
	struct rte_mbuf *m[WEIR_VEC_MAX];
};

/** Append m; the caller knows that there is room. */
static inline void
weir_vec_add(struct weir_vec *v, struct rte_mbuf *m)
{
	WEIR_ASSERT(v->n < WEIR_VEC_MAX);
	v->m[v->n++] = m;
}

#endif
