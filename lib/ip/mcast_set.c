/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of memberships: one socket's, which never change. */
#include "weir_mcast.h"

#include "weir_mem.h"

struct weir_mc_set *
weir_mc_copy(const struct weir_mc_set *set)
{
	const uint32_t n = set == NULL ? 0 : set->n;
	struct weir_mc_set *copy = weir_mem_alloc(
		"weir_mc_set", sizeof(*copy) + (n + 1) * sizeof(copy->joins[0]), SOCKET_ID_ANY);

	if (copy == NULL)
		return NULL;
	copy->refs = 1;
	copy->n = n;
	if (n > 0)
		memcpy(copy->joins, set->joins, n * sizeof(copy->joins[0]));
	return copy;
}

void
weir_mc_ref(struct weir_mc_set *set)
{
	if (set != NULL)
		__atomic_fetch_add(&set->refs, 1, __ATOMIC_RELAXED);
}

void
weir_mc_unref(struct weir_mc_set *set)
{
	if (set != NULL && __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL) == 0)
		weir_mem_free(set);
}

const struct weir_mc_join *
weir_mc_find(const struct weir_mc_set *set, const struct weir_addr *group, uint8_t ifindex)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++)
		if (set->joins[i].ifindex == ifindex && weir_addr_eq(&set->joins[i].group, group))
			return &set->joins[i];
	return NULL;
}

bool
weir_mc_allows(const struct weir_pcb *pcb, const struct weir_flow *flow, uint8_t ifindex)
{
	const struct weir_mc_join *j = weir_mc_find(pcb->mc, &flow->laddr, ifindex);

	if (j == NULL)
		return !(weir_addr_is_v4(&flow->laddr) ? pcb->is_mc_strict4 : pcb->is_mc_strict6);
	for (uint32_t i = 0; i < j->n_sources; i++)
		if (weir_addr_eq(&j->sources[i], &flow->raddr))
			return !j->is_exclude;
	return j->is_exclude;
}
