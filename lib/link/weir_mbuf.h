/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Cutting and lengthening packets whose headers may lie anywhere in a chain.
 * Model   Only the mbuf structs change, never bytes of data: those may be shared.
 */
#ifndef WEIR_MBUF_H
#define WEIR_MBUF_H

#include "weir_core.h"

/* The functions that end in _chain are for what lies in several segments; not to be called. */

void weir_mbuf_strip_chain(struct rte_mbuf *m, uint32_t n);
void weir_mbuf_trim_chain(struct rte_mbuf *m, uint32_t len);
struct rte_mbuf *weir_mbuf_prepend_chain(struct weir_core *core, struct rte_mbuf *m, uint16_t len);

/** Take n bytes off the front, over segment borders; n <= pkt_len. Empty segments stay. */
static inline void
weir_mbuf_strip(struct rte_mbuf *m, uint32_t n)
{
	WEIR_ASSERT(n <= m->pkt_len);
	if (unlikely(n > m->data_len)) {
		weir_mbuf_strip_chain(m, n);
		return;
	}
	m->pkt_len -= n;
	m->data_off = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)(m->data_len - n);
}

/** Cut to len bytes, len <= pkt_len; segments behind are freed. */
static inline void
weir_mbuf_trim(struct rte_mbuf *m, uint32_t len)
{
	WEIR_ASSERT(len <= m->pkt_len);
	if (unlikely(m->nb_segs > 1)) {
		weir_mbuf_trim_chain(m, len);
		return;
	}
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
}

/** Put tail's segments behind m's. tail is no packet any more. */
void weir_mbuf_chain(struct rte_mbuf *m, struct rte_mbuf *tail);

/** May bytes be written to the first segment, n of them from the start of data? */
static inline bool
weir_mbuf_is_writable(const struct rte_mbuf *m, uint32_t n)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && m->data_len >= n;
}

/**
 * Room for len writable bytes in front: in m itself, or in a new mbuf before it.
 * @return the packet, longer by len; NULL when the pool is dry, m unchanged
 */
static inline struct rte_mbuf *
weir_mbuf_prepend(struct weir_core *core, struct rte_mbuf *m, uint16_t len)
{
	if (unlikely(!weir_mbuf_is_writable(m, 0) || rte_pktmbuf_headroom(m) < len))
		return weir_mbuf_prepend_chain(core, m, len);
	m->data_off = (uint16_t)(m->data_off - len);
	m->data_len = (uint16_t)(m->data_len + len);
	m->pkt_len += len;
	return m;
}

/** A copy of all of m, weir_pkt included, in mbufs of its own; NULL when the pool is dry. */
struct rte_mbuf *weir_mbuf_copy(struct weir_core *core, const struct rte_mbuf *m);

/** Copy n bytes from off to a flat buffer. @return bytes copied, fewer at the packet's end */
uint32_t weir_mbuf_read(const struct rte_mbuf *m, uint32_t off, uint32_t n, void *bytes);

#endif
