/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_mbuf.h"

#include "link_priv.h"

void
weir_mbuf_strip_chain(struct rte_mbuf *m, uint32_t n)
{
	struct rte_mbuf *seg = m;
	uint16_t part;

	m->pkt_len -= n;
	for (; n > 0; n -= part, seg = seg->next) {
		part = (uint16_t)RTE_MIN(n, (uint32_t)seg->data_len);
		seg->data_off += part;
		seg->data_len -= part;
	}
}

void
weir_mbuf_trim_chain(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *seg = m;
	uint16_t kept = 1;

	m->pkt_len = len;
	for (; seg->data_len < len; seg = seg->next, kept++)
		len -= seg->data_len;
	seg->data_len = (uint16_t)len;
	if (seg->next == NULL)
		return;
	rte_pktmbuf_free(seg->next);
	seg->next = NULL;
	m->nb_segs = kept;
}

void
weir_mbuf_chain(struct rte_mbuf *m, struct rte_mbuf *tail)
{
	rte_pktmbuf_lastseg(m)->next = tail;
	m->nb_segs += tail->nb_segs;
	m->pkt_len += tail->pkt_len;
	tail->pkt_len = tail->data_len;
	tail->nb_segs = 1;
}

struct rte_mbuf *
weir_mbuf_prepend_chain(struct weir_core *core, struct rte_mbuf *m, uint16_t len)
{
	struct rte_mbuf *h = weir_core_alloc(core);

	if (h == NULL)
		return NULL;
	h->ol_flags |= m->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	h->tx_offload = m->tx_offload;
	h->vlan_tci = m->vlan_tci;
	*weir_pkt(h) = *weir_pkt(m);
	h->data_len = len;
	h->pkt_len = m->pkt_len + len;
	h->nb_segs = m->nb_segs + 1;
	h->next = m; /* as it is: m may be shared with a queue that counts on its lengths */
	return h;
}

struct rte_mbuf *
weir_mbuf_copy(struct weir_core *core, const struct rte_mbuf *m)
{
	struct rte_mbuf *c = rte_pktmbuf_copy(m, core->pool, 0, UINT32_MAX);

	if (c == NULL) {
		core->mbuf_fail++;
		return NULL;
	}
	memcpy(weir_pkt(c), (const char *)m + sizeof(*m), sizeof(struct weir_pkt));
	return c;
}

uint32_t
weir_mbuf_read(const struct rte_mbuf *m, uint32_t off, uint32_t n, void *bytes)
{
	const void *at;

	if (off >= m->pkt_len)
		return 0;
	n = RTE_MIN(n, m->pkt_len - off);
	at = rte_pktmbuf_read(m, off, n, bytes);
	if (at != bytes)
		memcpy(bytes, at, n);
	return n;
}

/* Half of the room stays for packets of flows: those are not sent twice. */
void
link_share(struct weir_core *core, const struct rte_mbuf *m)
{
	const struct weir_pkt *p = (const void *)((const char *)m + sizeof(*m));
	struct rte_mbuf *copy;

	if (p->flags & (WEIR_PKT_STEERED | WEIR_PKT_LOOPED))
		return;
	for (uint16_t w = 0; w < core->n_workers; w++) {
		if (w == core->worker || core->handover[w].n >= WEIR_VEC_MAX / 2)
			continue;
		copy = weir_mbuf_copy(core, m);
		if (copy == NULL)
			return;
		weir_pkt(copy)->flags |= WEIR_PKT_STEERED;
		weir_vec_add(&core->handover[w], copy);
	}
}
