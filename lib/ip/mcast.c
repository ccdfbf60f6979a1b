/* SPDX-License-Identifier: BSD-3-Clause */
/* Memberships of sockets and of a port's own addresses, and when something is to be told of them.
 */
#include "mcast_priv.h"

#include <errno.h>

#include "weir_mem.h"
#include "weir_nd_hdr.h"

/* Set-up */

int
mcast_init(struct weir_ip *ip, int numa_node)
{
	ip->mcast = weir_mem_alloc("weir_mcast", sizeof(*ip->mcast), numa_node);
	if (ip->mcast == NULL)
		return -ENOMEM;
	weir_wheel_entry_init(&ip->mcast->timer, WEIR_TIMER_MCAST);
	for (unsigned int i = 0; i < WEIR_IFACES_MAX; i++)
		for (unsigned int v = 0; v < 2; v++)
			ip->mcast->links[i][v] = (struct mc_link){.answer_at_us = WEIR_WHEEL_NEVER,
				.robustness = MC_ROBUSTNESS,
				.interval_us = MC_QUERY_US};
	return 0;
}

void
mcast_fini(struct weir_ip *ip)
{
	struct mc_group *g;

	if (ip->mcast == NULL)
		return;
	weir_wheel_cancel(ip->core->wheel, &ip->mcast->timer);
	while ((g = LIST_FIRST(&ip->mcast->groups)) != NULL) {
		LIST_REMOVE(g, link);
		weir_mem_free(g);
	}
	weir_mem_free(ip->mcast);
	ip->mcast = NULL;
}

/* Memberships of sockets */

static int
join_ifaces(struct weir_ip *ip, const struct weir_mc_set *to, const struct weir_mc_set *from)
{
	for (uint32_t i = 0; to != NULL && i < to->n; i++) {
		const struct weir_mc_join *j = &to->joins[i];
		int rc;

		if (weir_mc_find(from, &j->group, j->ifindex) != NULL)
			continue;
		rc = weir_ip_join(ip, &j->group, j->ifindex);
		if (rc == 0)
			continue;
		while (i-- > 0)
			if (weir_mc_find(from, &to->joins[i].group, to->joins[i].ifindex) == NULL)
				weir_ip_leave(ip, &to->joins[i].group, to->joins[i].ifindex);
		return rc;
	}
	return 0;
}

static void
leave_ifaces(struct weir_ip *ip, const struct weir_mc_set *from, const struct weir_mc_set *to)
{
	for (uint32_t i = 0; from != NULL && i < from->n; i++) {
		const struct weir_mc_join *j = &from->joins[i];

		if (weir_mc_find(to, &j->group, j->ifindex) == NULL)
			weir_ip_leave(ip, &j->group, j->ifindex);
	}
}

static void
count_set(struct weir_ip *ip, const struct weir_mc_set *set, int by)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		struct mc_group *g = mcast_get(ip, &set->joins[i].group, set->joins[i].ifindex);

		if (g != NULL)
			mcast_count(g, &set->joins[i], by);
	}
}

static void
tell_set(struct weir_ip *ip, const struct weir_mc_set *set)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		struct mc_group *g = mcast_find(ip, &set->joins[i].group, set->joins[i].ifindex);

		if (g == NULL)
			continue;
		mcast_note_change(ip, g);
		mcast_forget(g);
	}
}

/* Groups first, so that counting what goes cannot want for memory. */
static bool
make_groups(struct weir_ip *ip, const struct weir_mc_set *set)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++)
		if (mcast_get(ip, &set->joins[i].group, set->joins[i].ifindex) == NULL)
			return false;
	return true;
}

int
weir_mcast_change(struct weir_ip *ip, const struct weir_mc_set *from, const struct weir_mc_set *to)
{
	int rc = join_ifaces(ip, to, from);

	if (rc != 0)
		return rc;
	if (ip->core->worker == 0 && !make_groups(ip, to)) {
		leave_ifaces(ip, to, from);
		return -ENOMEM;
	}
	leave_ifaces(ip, from, to);
	if (ip->core->worker != 0)
		return 0;
	count_set(ip, to, 1);
	count_set(ip, from, -1);
	tell_set(ip, from);
	tell_set(ip, to);
	mcast_arm(ip);
	return 0;
}

/* Solicited-node groups (RFC 4291 2.7.1) */

static bool
has_solicited(const struct weir_iface *ifc, const struct weir_addr *group)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_addr sn = weir_addr_solicited_node(&ifc->addrs[i].addr);

		if (!weir_addr_is_v4(&ifc->addrs[i].addr) && weir_addr_eq(&sn, group))
			return true;
	}
	return false;
}

void
weir_mcast_addrs(struct weir_ip *ip, struct weir_iface *ifc)
{
	struct mc_group *g, *next;

	if (ip->core->worker != 0 || !ifc->is_ipv6 || !ifc->is_started)
		return;
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const struct weir_addr sn = weir_addr_solicited_node(&ifc->addrs[i].addr);

		if (weir_addr_is_v4(&ifc->addrs[i].addr))
			continue;
		g = mcast_get(ip, &sn, ifc->index);
		if (g == NULL || g->is_own)
			continue;
		g->is_own = true;
		mcast_note_change(ip, g);
	}
	for (g = LIST_FIRST(&ip->mcast->groups); g != NULL; g = next) {
		next = LIST_NEXT(g, link);
		if (!g->is_own || g->ifindex != ifc->index || has_solicited(ifc, &g->addr))
			continue;
		g->is_own = false;
		mcast_note_change(ip, g);
		mcast_forget(g);
	}
	mcast_arm(ip);
}

/* Time */

void
mcast_arm(struct weir_ip *ip)
{
	uint64_t next_us = WEIR_WHEEL_NEVER;
	const struct mc_group *g;

	LIST_FOREACH (g, &ip->mcast->groups, link)
		next_us = RTE_MIN(next_us, RTE_MIN(g->change_at_us, g->answer_at_us));
	for (unsigned int i = 0; i < ip->n_ifaces; i++)
		next_us = RTE_MIN(next_us, RTE_MIN(ip->mcast->links[i][0].answer_at_us,
						   ip->mcast->links[i][1].answer_at_us));
	if (next_us == WEIR_WHEEL_NEVER)
		weir_wheel_cancel(ip->core->wheel, &ip->mcast->timer);
	else
		weir_wheel_arm(ip->core->wheel, &ip->mcast->timer, next_us);
}

void
weir_mcast_timer(struct weir_ip *ip)
{
	const uint64_t now_us = ip->core->now_us;
	struct mc_group *g, *next;

	for (uint8_t i = 0; i < ip->n_ifaces; i++)
		for (unsigned int v = 0; v < 2; v++)
			if (ip->mcast->links[i][v].answer_at_us <= now_us)
				mcast_answer_all(ip, i, v == 0);
	for (g = LIST_FIRST(&ip->mcast->groups); g != NULL; g = next) {
		const bool is_v4 = weir_addr_is_v4(&g->addr);

		next = LIST_NEXT(g, link);
		if (g->answer_at_us <= now_us)
			mcast_answer(ip, g, is_v4);
		if (g->change_at_us <= now_us)
			mcast_tell(ip, g, is_v4);
		mcast_forget(g);
	}
	mcast_arm(ip);
}
