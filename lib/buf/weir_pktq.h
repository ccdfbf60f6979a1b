/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A list of packets that one owner holds, first in, first out.
 */
#ifndef WEIR_PKTQ_H
#define WEIR_PKTQ_H

#include "weir_pkt.h"

/** A plain list of packets of one owner, linked through weir_pkt.qn. */
struct weir_pktq {
	struct weir_qnode *first;
	struct weir_qnode *last;
	uint32_t n;
};

static inline void
weir_pktq_add(struct weir_pktq *q, struct rte_mbuf *m)
{
	struct weir_qnode *n = &weir_pkt(m)->qn;

	n->next = NULL;
	if (q->first == NULL)
		q->first = n;
	else
		q->last->next = n;
	q->last = n;
	q->n++;
}

static inline struct rte_mbuf *
weir_pktq_first(const struct weir_pktq *q)
{
	return q->first == NULL ? NULL : weir_qnode_mbuf(q->first);
}

/** The packet behind m, or NULL. */
static inline struct rte_mbuf *
weir_pktq_next(struct rte_mbuf *m)
{
	struct weir_qnode *n = weir_pkt(m)->qn.next;

	return n == NULL ? NULL : weir_qnode_mbuf(n);
}

static inline struct rte_mbuf *
weir_pktq_pop(struct weir_pktq *q)
{
	struct weir_qnode *n = q->first;

	if (n == NULL)
		return NULL;
	q->first = n->next;
	q->n--;
	return weir_qnode_mbuf(n);
}

static inline void
weir_pktq_free(struct weir_pktq *q)
{
	struct rte_mbuf *m;

	while ((m = weir_pktq_pop(q)) != NULL)
		rte_pktmbuf_free(m);
}

#endif
