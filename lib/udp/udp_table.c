/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_priv.h"

#include "weir_mcast.h"
#include "weir_mem.h"

#define FLOWS_MIN 1024u
#define FLOWS_MAX (1u << 20)

int
weir_udp_init(struct weir_udp *u, struct weir_core *core, struct weir_ip *ip, uint32_t sockets,
	int numa_node)
{
	const uint32_t n_flows = rte_align32pow2(RTE_MIN(RTE_MAX(sockets, FLOWS_MIN), FLOWS_MAX));

	*u = (struct weir_udp){.core = core, .ip = ip, .flows_mask = n_flows - 1};
	u->ports = weir_mem_alloc("weir_udp", WEIR_UDP_PORTS * sizeof(u->ports[0]), numa_node);
	u->flows = weir_mem_alloc("weir_udp", n_flows * sizeof(u->flows[0]), numa_node);
	if (u->ports != NULL && u->flows != NULL)
		return 0;
	weir_udp_fini(u);
	return -ENOMEM;
}

void
weir_udp_fini(struct weir_udp *u)
{
	weir_mem_free(u->ports);
	weir_mem_free(u->flows);
	u->ports = u->flows = NULL;
}

static struct weir_pcbs *
pcbs_of_port(const struct weir_udp *u, struct weir_be16 lport)
{
	return &u->ports[weir_host16(lport)];
}

/* Without the local address: a binding may have none. */
static struct weir_pcbs *
pcbs_of_flow(const struct weir_udp *u, const struct weir_addr *raddr, struct weir_be16 lport,
	struct weir_be16 rport)
{
	const uint64_t ports = (uint64_t)lport.raw << 16 | rport.raw;
	const uint64_t hash = weir_mix64(raddr->q[0] ^ ports ^ u->core->secret[0],
		raddr->q[1] ^ u->core->secret[1] ^ UINT64_C(0x9e3779b97f4a7c15));

	return &u->flows[hash & u->flows_mask];
}

void
weir_udp_bind(struct weir_udp *u, struct weir_pcb *pcb)
{
	struct weir_pcbs *list = pcbs_of_port(u, pcb->lport);

	if (udp_is_connected(pcb)) {
		list = pcbs_of_flow(u, &pcb->raddr, pcb->lport, pcb->rport);
		u->n_connected++;
	}
	LIST_INSERT_HEAD(list, pcb, link);
}

void
weir_udp_unbind(struct weir_udp *u, struct weir_pcb *pcb)
{
	u->n_connected -= udp_is_connected(pcb);
	LIST_REMOVE(pcb, link);
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

/* The first of those from pcb on in its list that takes packets of flow. */
static struct weir_pcb *
match_from(struct weir_pcb *pcb, const struct weir_flow *flow, uint8_t ifindex)
{
	while (pcb != NULL && !takes(pcb, flow, ifindex))
		pcb = LIST_NEXT(pcb, link);
	return pcb;
}

static struct weir_pcb *
first_of_port(const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex)
{
	return match_from(LIST_FIRST(pcbs_of_port(u, flow->lport)), flow, ifindex);
}

struct weir_pcb *
udp_first_match(const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex)
{
	struct weir_pcb *pcb = NULL;

	if (u->n_connected != 0)
		pcb = match_from(
			LIST_FIRST(pcbs_of_flow(u, &flow->raddr, flow->lport, flow->rport)), flow,
			ifindex);
	return pcb != NULL ? pcb : first_of_port(u, flow, ifindex);
}

struct weir_pcb *
udp_next_match(const struct weir_udp *u, struct weir_pcb *pcb, const struct weir_flow *flow,
	uint8_t ifindex)
{
	struct weir_pcb *next = match_from(LIST_NEXT(pcb, link), flow, ifindex);

	return next == NULL && udp_is_connected(pcb) ? first_of_port(u, flow, ifindex) : next;
}

/* Connected before bound to the address before bound to the interface before any. */
static unsigned int
closeness(const struct weir_pcb *pcb)
{
	return (udp_is_connected(pcb) ? 4u : 0u) | (weir_addr_is_any(&pcb->laddr) ? 0u : 2u) |
	       (pcb->ifindex_plus1 != 0 ? 1u : 0u);
}

/* Of those from first on that fit as well as best, sharing a port, the one whose turn it is. */
static struct weir_pcb *
choose_sharer(const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex,
	struct weir_pcb *const first, struct weir_pcb *best)
{
	const unsigned int rank = closeness(best);
	struct weir_pcb *pcb;
	unsigned int n = 0;

	for (pcb = first; pcb != NULL; pcb = match_from(LIST_NEXT(pcb, link), flow, ifindex))
		n += pcb->is_reuseport && closeness(pcb) == rank;
	n = weir_flow_hash(flow, u->core->secret) % n;
	for (pcb = first; pcb != NULL; pcb = match_from(LIST_NEXT(pcb, link), flow, ifindex))
		if (pcb->is_reuseport && closeness(pcb) == rank && n-- == 0)
			return pcb;
	return best;
}

struct weir_pcb *
udp_best_match(const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex)
{
	/* If it is connected, so are the others of its list, and fit better than the port's. */
	struct weir_pcb *const first = udp_first_match(u, flow, ifindex);
	struct weir_pcb *best = first;
	struct weir_pcb *pcb;

	if (first == NULL)
		return NULL;
	for (pcb = first; (pcb = match_from(LIST_NEXT(pcb, link), flow, ifindex)) != NULL;) {
		if (closeness(pcb) > closeness(best))
			best = pcb;
	}
	if (unlikely(best->is_reuseport))
		return choose_sharer(u, flow, ifindex, first, best);
	return best;
}
