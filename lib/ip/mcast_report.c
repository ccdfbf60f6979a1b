/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of IGMPv3 (RFC 3376 4.2) and MLDv2 (RFC 3810 5.2): the same but for the addresses. */
#include "mcast_priv.h"

#define REPORT_HLEN	 8
#define TYPE_IGMP3	 0x22
#define TYPE_MLD2	 143
#define REPORT_BYTES_MAX 1200 /* fits every link, headers included */

static uint32_t
addr_len(const struct mc_report *r)
{
	return r->is_v4 ? 4 : 16;
}

static void
put_addr(const struct mc_report *r, const struct weir_addr *a)
{
	const uint32_t n = addr_len(r);

	memcpy(rte_pktmbuf_append(r->m, (uint16_t)n), a->b + 16 - n, n);
}

static bool
begin(struct mc_report *r)
{
	if (r->m != NULL)
		return true;
	r->m = weir_core_alloc(r->ip->core);
	if (r->m == NULL)
		return false;
	memset(rte_pktmbuf_append(r->m, REPORT_HLEN), 0, REPORT_HLEN);
	*rte_pktmbuf_mtod(r->m, uint8_t *) = r->is_v4 ? TYPE_IGMP3 : TYPE_MLD2;
	r->n_records = 0;
	return true;
}

void
mcast_report_send(struct mc_report *r)
{
	const struct weir_addr routers4 = weir_addr_v4(weir_be32(0xe0000016));
	static const struct weir_addr routers6 = {.b = {0xff, 0x02, [15] = 0x16}};
	struct weir_be16 n = weir_be16(r->n_records);

	if (r->m == NULL)
		return;
	memcpy(rte_pktmbuf_mtod_offset(r->m, char *, 6), &n, sizeof(n));
	if (r->is_v4)
		igmp_send(r->ip, r->ifc, &routers4, r->m);
	else
		mld_send(r->ip, r->ifc, &routers6, r->m);
	r->m = NULL;
}

void
mcast_report_add(struct mc_report *r, const struct mc_group *g, enum mc_record type,
	bool (*listed)(const struct mc_group *g, const struct mc_source *s))
{
	struct weir_be16 n_sources;
	uint16_t n = 0;
	uint8_t *head;

	for (uint32_t i = 0; i < g->n_sources; i++)
		n += listed(g, &g->sources[i]);
	if (r->m != NULL && r->m->pkt_len + 4 + (n + 1u) * addr_len(r) > REPORT_BYTES_MAX)
		mcast_report_send(r);
	if (!begin(r))
		return; /* said again later, or asked for again */
	head = (uint8_t *)rte_pktmbuf_append(r->m, 4);
	head[0] = (uint8_t)type;
	head[1] = 0;
	n_sources = weir_be16(n);
	memcpy(head + 2, &n_sources, sizeof(n_sources));
	put_addr(r, &g->addr);
	for (uint32_t i = 0; i < g->n_sources; i++)
		if (listed(g, &g->sources[i]))
			put_addr(r, &g->sources[i].addr);
	r->n_records++;
}
