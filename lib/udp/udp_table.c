/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_priv.h"

#include "weir_mcast.h"
#include "weir_mem.h"

int
weir_udp_init(struct weir_udp *u, struct weir_core *core, struct weir_ip *ip, int numa_node)
{
	*u = (struct weir_udp){.core = core, .ip = ip};
	u->buckets = weir_mem_alloc(
		"weir_udp_buckets", WEIR_UDP_BUCKETS * sizeof(*u->buckets), numa_node);
	return u->buckets == NULL ? -ENOMEM : 0;
}

void
weir_udp_fini(struct weir_udp *u)
{
	rte_free(u->buckets);
	u->buckets = NULL;
}

static unsigned int
bucket_of(struct weir_be16 lport)
{
	return weir_host16(lport) % WEIR_UDP_BUCKETS;
}

void
weir_udp_bind(struct weir_udp *u, struct weir_pcb *pcb)
{
	LIST_INSERT_HEAD(&u->buckets[bucket_of(pcb->lport)], pcb, link);
}

void
weir_udp_unbind(struct weir_udp *u, struct weir_pcb *pcb)
{
	LIST_REMOVE(pcb, link);
}

struct weir_pcb *
udp_first(const struct weir_udp *u, struct weir_be16 lport)
{
	return LIST_FIRST(&u->buckets[bucket_of(lport)]);
}

/* RFC 3493 3.7, 5.3: an IPv6 socket takes IPv4 too, unless it says otherwise. */
static bool
takes_version(const struct weir_pcb *pcb, bool is_v4)
{
	if (is_v4)
		return !pcb->is_v6 || !pcb->is_v6only;
	return pcb->is_v6 && !weir_addr_is_v4(&pcb->laddr);
}

static bool
takes(const struct weir_pcb *pcb, const struct weir_flow *f, uint8_t ifindex)
{
	if (pcb->lport.raw != f->lport.raw)
		return false;
	if (udp_is_connected(pcb) &&
		(pcb->rport.raw != f->rport.raw || !weir_addr_eq(&pcb->raddr, &f->raddr)))
		return false;
	if (!weir_addr_is_any(&pcb->laddr) && !weir_addr_eq(&pcb->laddr, &f->laddr))
		return false;
	if (pcb->ifindex_plus1 != 0 && pcb->ifindex_plus1 != ifindex + 1)
		return false;
	return takes_version(pcb, weir_addr_is_v4(&f->laddr)) &&
	       (likely(!weir_addr_is_multicast(&f->laddr)) || weir_mc_allows(pcb, f, ifindex));
}

struct weir_pcb *
udp_next_match(struct weir_pcb *pcb, const struct weir_flow *flow, uint8_t ifindex)
{
	while (pcb != NULL && !takes(pcb, flow, ifindex))
		pcb = LIST_NEXT(pcb, link);
	return pcb;
}

/* Connected before bound to the address before bound to the interface before any. */
static unsigned int
closeness(const struct weir_pcb *pcb)
{
	return (udp_is_connected(pcb) ? 4u : 0u) | (weir_addr_is_any(&pcb->laddr) ? 0u : 2u) |
	       (pcb->ifindex_plus1 != 0 ? 1u : 0u);
}

/* Of those that share a port and fit as well as best, the one whose turn it is for this flow. */
static struct weir_pcb *
choose_sharer(const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex,
	struct weir_pcb *best)
{
	const unsigned int rank = closeness(best);
	struct weir_pcb *const first = udp_next_match(udp_first(u, flow->lport), flow, ifindex);
	struct weir_pcb *pcb;
	unsigned int n = 0;

	for (pcb = first; pcb != NULL; pcb = udp_next_match(LIST_NEXT(pcb, link), flow, ifindex))
		n += pcb->is_reuseport && closeness(pcb) == rank;
	n = weir_flow_hash(flow, u->core->secret) % n;
	for (pcb = first; pcb != NULL; pcb = udp_next_match(LIST_NEXT(pcb, link), flow, ifindex))
		if (pcb->is_reuseport && closeness(pcb) == rank && n-- == 0)
			return pcb;
	return best;
}

struct weir_pcb *
udp_best_match(const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex)
{
	struct weir_pcb *pcb = udp_next_match(udp_first(u, flow->lport), flow, ifindex);
	struct weir_pcb *best = pcb;

	while (pcb != NULL) {
		if (closeness(pcb) > closeness(best))
			best = pcb;
		pcb = udp_next_match(LIST_NEXT(pcb, link), flow, ifindex);
	}
	if (best != NULL && unlikely(best->is_reuseport))
		return choose_sharer(u, flow, ifindex, best);
	return best;
}
