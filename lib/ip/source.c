/* SPDX-License-Identifier: BSD-3-Clause */
/* Source addresses: RFC 6724 5. Rule 1 is route.c's; no home (4) or temporary (7) addresses. */
#include "weir_ip.h"

#include "ip_priv.h"

/* RFC 6724 2.1: the default policy table's labels, longest prefix first. */
static unsigned int
label_of(const struct weir_addr *a)
{
	static const struct {
		struct weir_addr net;
		uint8_t len;
		uint8_t label;
	} policy[] = {
		{{.b = {[15] = 1}}, 128, 0},	     /* ::1 */
		{{.b = {[10] = 0xff, 0xff}}, 96, 4}, /* IPv4, mapped */
		{{.b = {0}}, 96, 3},		     /* IPv4-compatible */
		{{.b = {0x20, 0x01}}, 32, 5},	     /* Teredo */
		{{.b = {0x20, 0x02}}, 16, 2},	     /* 6to4 */
		{{.b = {0x3f, 0xfe}}, 16, 12},	     /* 6bone */
		{{.b = {0xfe, 0xc0}}, 10, 11},	     /* site-local */
		{{.b = {0xfc, 0x00}}, 7, 13},	     /* ULA */
	};

	for (unsigned int i = 0; i < RTE_DIM(policy); i++)
		if (weir_addr_in_prefix(a, &policy[i].net, policy[i].len))
			return policy[i].label;
	return 1;
}

static unsigned int
scope_of(const struct weir_addr *a)
{
	if (weir_addr_is_v4(a))
		return 14;
	if (weir_addr_is_multicast(a))
		return a->b[1] & 15;
	return weir_addr_is_link_local(a) || weir_addr_is_loopback(a) ? 2 : 14;
}

static unsigned int
common_bits(const struct weir_addr *a, const struct weir_addr *b)
{
	unsigned int i = 0;

	while (i < 16 && a->b[i] == b->b[i])
		i++;
	if (i == 16)
		return 128;
	return i * 8 + (unsigned int)__builtin_clz((unsigned int)(a->b[i] ^ b->b[i])) - 24;
}

/* What is to be reached, and by whom. */
struct goal {
	const struct weir_addr *dst;
	const struct weir_addr *next_hop;
	unsigned int label;
};

/* Rule 5.5: the address is of a prefix that the next hop itself advertises. */
static bool
is_of_next_hop(const struct weir_ifaddr *a, const struct goal *g)
{
	return a->is_auto && weir_addr_eq(&a->router, g->next_hop);
}

static unsigned int
matching_bits(const struct weir_ifaddr *a, const struct goal *g)
{
	return RTE_MIN(common_bits(&a->addr, g->dst), (unsigned int)a->prefix_len);
}

/* Is a a better source than b? */
static bool
is_better(const struct weir_ifaddr *a, const struct weir_ifaddr *b, const struct goal *g)
{
	const unsigned int sa = scope_of(&a->addr), sb = scope_of(&b->addr);

	if (sa != sb) /* rule 2 */
		return sa < sb ? sa >= scope_of(g->dst) : sb < scope_of(g->dst);
	if (a->state != b->state) /* rule 3 */
		return a->state == WEIR_IFADDR_PREFERRED;
	if (is_of_next_hop(a, g) != is_of_next_hop(b, g)) /* rule 5.5 */
		return is_of_next_hop(a, g);
	if ((label_of(&a->addr) == g->label) != (label_of(&b->addr) == g->label)) /* rule 6 */
		return label_of(&a->addr) == g->label;
	return matching_bits(a, g) > matching_bits(b, g); /* rule 8; else the older one stays */
}

static const struct weir_ifaddr *
best_of_iface(const struct weir_iface *ifc, const struct goal *g, bool is_other_iface)
{
	const struct weir_ifaddr *best = NULL;

	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_ifaddr *a = &ifc->addrs[i];

		if (!weir_ifaddr_is_usable(a) ||
			weir_addr_is_v4(&a->addr) != weir_addr_is_v4(g->dst))
			continue;
		if (is_other_iface && weir_addr_is_link_local(&a->addr))
			continue;
		if (best == NULL || is_better(a, best, g))
			best = a;
	}
	return best;
}

/* Rule 5, and for hosts with addresses elsewhere alone RFC 1122 3.3.4.2, the weak model. */
int
source_choose(const struct weir_ip *ip, const struct weir_iface *ifc, const struct weir_addr *dst,
	const struct weir_addr *next_hop, struct weir_addr *src)
{
	const struct goal g = {dst, next_hop, label_of(dst)};
	const struct weir_ifaddr *best = best_of_iface(ifc, &g, false);

	for (unsigned int i = 0; i < ip->n_ifaces && best == NULL; i++)
		best = best_of_iface(&ip->ifaces[i], &g, true);
	if (best == NULL)
		return -EADDRNOTAVAIL;
	*src = best->addr;
	return 0;
}
