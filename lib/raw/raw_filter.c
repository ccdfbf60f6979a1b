/* SPDX-License-Identifier: BSD-3-Clause */
/* What a raw socket does not want to see: ICMP types, packets whose checksum is wrong. */
#include "raw_priv.h"

#include "weir_cksum.h"
#include "weir_mbuf.h"
#include "weir_shared.h"

/* raw(7), ICMP_FILTER: types from 32 on cannot be kept out. */
static bool
is_icmp4_wanted(const struct weir_raw_opts *o, const struct rte_mbuf *m, const struct weir_pkt *p)
{
	uint8_t type;

	if (p->l4_len == 0 || weir_mbuf_read(m, p->l4_off, 1, &type) != 1)
		return false;
	return type >= 32 || !(weir_peek(o->icmp4_filter) >> type & 1);
}

/* RFC 3542 3.2. */
static bool
is_icmp6_wanted(const struct weir_raw_opts *o, const struct rte_mbuf *m, const struct weir_pkt *p)
{
	uint8_t type;

	if (p->l4_len == 0 || weir_mbuf_read(m, p->l4_off, 1, &type) != 1)
		return false;
	return !(weir_peek(o->icmp6_filter[type / 32]) >> type % 32 & 1);
}

/* RFC 3542 3.1: what is checked on the way in is the sum of all, wherever its field lies. */
static bool
is_cksum_ok(const struct weir_raw_opts *o, const struct rte_mbuf *m, const struct weir_pkt *p)
{
	if (weir_peek(o->cksum_off) < 0)
		return true;
	return weir_cksum_l4_ok(m, p->l4_off, p->l4_len, &p->flow.raddr, &p->flow.laddr, o->proto);
}

bool
raw_is_wanted(const struct weir_pcb *pcb, const struct rte_mbuf *m, const struct weir_pkt *p)
{
	const struct weir_raw_opts *o = pcb->raw;

	if (!pcb->is_v6)
		return o->proto != IPPROTO_ICMP || is_icmp4_wanted(o, m, p);
	if (o->proto == IPPROTO_ICMPV6 && !is_icmp6_wanted(o, m, p))
		return false;
	return is_cksum_ok(o, m, p);
}
