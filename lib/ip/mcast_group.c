/* SPDX-License-Identifier: BSD-3-Clause */
/* A group on an interface: the filters of all its sockets merged (RFC 3376 3.2, RFC 3810 4.2). */
#include "mcast_priv.h"

#include "weir_mem.h"

bool
mcast_is_exclude(const struct mc_group *g)
{
	return g->n_exclude > 0 || g->is_own || g->is_wide;
}

bool
mcast_is_listed(const struct mc_group *g, const struct mc_source *s)
{
	if (g->is_own || g->is_wide)
		return false;
	if (g->n_exclude > 0)
		return s->n_exclude == g->n_exclude && s->n_include == 0;
	return s->n_include > 0;
}

struct mc_group *
mcast_find(const struct weir_ip *ip, const struct weir_addr *addr, uint8_t ifindex)
{
	struct mc_group *g;

	LIST_FOREACH (g, &ip->mcast->groups, link)
		if (g->ifindex == ifindex && weir_addr_eq(&g->addr, addr))
			return g;
	return NULL;
}

struct mc_group *
mcast_get(struct weir_ip *ip, const struct weir_addr *addr, uint8_t ifindex)
{
	struct mc_group *g = mcast_find(ip, addr, ifindex);

	if (g != NULL)
		return g;
	g = weir_mem_alloc("weir_mc_group", sizeof(*g), SOCKET_ID_ANY);
	if (g == NULL)
		return NULL;
	g->addr = *addr;
	g->ifindex = ifindex;
	g->change_at_us = g->answer_at_us = WEIR_WHEEL_NEVER;
	LIST_INSERT_HEAD(&ip->mcast->groups, g, link);
	return g;
}

struct mc_source *
mcast_get_source(struct mc_group *g, const struct weir_addr *addr)
{
	for (uint32_t i = 0; i < g->n_sources; i++)
		if (weir_addr_eq(&g->sources[i].addr, addr))
			return &g->sources[i];
	if (g->n_sources == GROUP_SOURCES_MAX)
		return NULL;
	g->sources[g->n_sources] = (struct mc_source){.addr = *addr};
	return &g->sources[g->n_sources++];
}

void
mcast_count(struct mc_group *g, const struct weir_mc_join *j, int by)
{
	if (j->is_exclude)
		g->n_exclude = (uint16_t)(g->n_exclude + by);
	else
		g->n_include = (uint16_t)(g->n_include + by);
	for (uint32_t i = 0; i < j->n_sources; i++) {
		struct mc_source *s = mcast_get_source(g, &j->sources[i]);

		if (s == NULL)
			g->is_wide = true; /* until nobody is in the group */
		else if (j->is_exclude)
			s->n_exclude = (uint16_t)(s->n_exclude + by);
		else
			s->n_include = (uint16_t)(s->n_include + by);
	}
}

/* RFC 3376 6.1: 224.0.0.1 is never told; RFC 3810 6: nor are ff02::1 and what stays in the node. */
bool
mcast_is_told(const struct weir_addr *group)
{
	static const struct weir_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};

	if (weir_addr_is_v4(group))
		return weir_host32(weir_addr_to_v4(group)) != 0xe0000001;
	return !weir_addr_eq(group, &all_nodes) && (group->b[1] & 15) > 1;
}

bool
mcast_has_news(const struct mc_group *g)
{
	if (g->mode_left > 0)
		return true;
	for (uint32_t i = 0; i < g->n_sources; i++)
		if (g->sources[i].left > 0)
			return true;
	return false;
}

void
mcast_note_change(struct weir_ip *ip, struct mc_group *g)
{
	const struct mc_link *l = mcast_link(ip, g->ifindex, weir_addr_is_v4(&g->addr));

	if (g->n_include == 0 && g->n_exclude == 0)
		g->is_wide = false;
	if (g->was_exclude != mcast_is_exclude(g))
		g->mode_left = l->robustness;
	for (uint32_t i = 0; i < g->n_sources; i++) {
		struct mc_source *s = &g->sources[i];

		if (g->mode_left > 0)
			s->left = 0; /* the change of mode tells all */
		else if (s->was_listed != mcast_is_listed(g, s))
			s->left = l->robustness;
		s->was_listed = mcast_is_listed(g, s);
	}
	g->was_exclude = mcast_is_exclude(g);
	if (mcast_is_told(&g->addr) && mcast_has_news(g))
		g->change_at_us = ip->core->now_us;
}

bool
mcast_is_in_use(const struct mc_group *g)
{
	return g->n_include > 0 || g->n_exclude > 0 || g->is_own;
}

bool
mcast_is_done(const struct mc_group *g)
{
	return !mcast_is_in_use(g) && g->change_at_us == WEIR_WHEEL_NEVER;
}

void
mcast_forget(struct mc_group *g)
{
	for (uint32_t i = 0; i < g->n_sources;) {
		const struct mc_source *s = &g->sources[i];

		if (s->n_include == 0 && s->n_exclude == 0 && s->left == 0 && !s->is_asked)
			g->sources[i] = g->sources[--g->n_sources];
		else
			i++;
	}
	if (mcast_is_done(g)) {
		LIST_REMOVE(g, link);
		weir_mem_free(g);
	}
}
