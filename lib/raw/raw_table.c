/* SPDX-License-Identifier: BSD-3-Clause */
#include "raw_priv.h"

#include "weir_mcast.h"

void
weir_raw_init(struct weir_raw *r, struct weir_core *core, struct weir_ip *ip)
{
	*r = (struct weir_raw){.core = core, .ip = ip};
}

/* What IP looks at before it leaves a reference: is there a socket of this protocol and version? */
static void
note_proto(struct weir_raw *r, uint8_t proto, bool is_v6)
{
	uint64_t *word = &r->ip->raw_protos[is_v6][proto / 64];
	const struct weir_pcb *pcb;

	*word &= ~(UINT64_C(1) << proto % 64);
	LIST_FOREACH (pcb, &r->of[proto], link)
		if (pcb->is_v6 == is_v6)
			*word |= UINT64_C(1) << proto % 64;
}

void
weir_raw_bind(struct weir_raw *r, struct weir_pcb *pcb)
{
	LIST_INSERT_HEAD(&r->of[pcb->raw->proto], pcb, link);
	r->ip->n_raw++;
	note_proto(r, pcb->raw->proto, pcb->is_v6);
}

void
weir_raw_unbind(struct weir_raw *r, struct weir_pcb *pcb)
{
	LIST_REMOVE(pcb, link);
	r->ip->n_raw--;
	note_proto(r, pcb->raw->proto, pcb->is_v6);
}

/* raw(7): a socket sees all packets of its protocol and version, from and to the addresses it has.
 */
static bool
takes(const struct weir_pcb *pcb, const struct weir_pkt *p)
{
	if (pcb->is_v6 == weir_addr_is_v4(&p->flow.laddr))
		return false;
	if (!weir_addr_is_any(&pcb->raddr) && !weir_addr_eq(&pcb->raddr, &p->flow.raddr))
		return false;
	if (!weir_addr_is_any(&pcb->laddr) && !weir_addr_eq(&pcb->laddr, &p->flow.laddr))
		return false;
	if (weir_addr_is_multicast(&p->flow.laddr) && !weir_mc_allows(pcb, &p->flow, p->ifindex))
		return false;
	return pcb->ifindex_plus1 == 0 || pcb->ifindex_plus1 == p->ifindex + 1;
}

struct weir_pcb *
raw_next_match(struct weir_pcb *pcb, const struct weir_pkt *p)
{
	while (pcb != NULL && !takes(pcb, p))
		pcb = LIST_NEXT(pcb, link);
	return pcb;
}
