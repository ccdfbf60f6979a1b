/* SPDX-License-Identifier: BSD-3-Clause */
#include "neighbors.h"

const char *
ospf_state_name(enum ospf_state state)
{
	static const char *const names[] = {"Down", "Init", "2-Way"};

	return names[state];
}

/* RFC 2328 8.2 and 10.5: what both ends must have alike. @return what differs, NULL: nothing */
static const char *
difference(const struct ospf_hello *us, const struct ospf_hello *h)
{
	if (h->area != us->area)
		return "another area";
	if (h->mask != us->mask)
		return "another network mask";
	if (h->hello_s != us->hello_s)
		return "another HelloInterval";
	if (h->dead_s != us->dead_s)
		return "another RouterDeadInterval";
	return (h->options ^ us->options) & OSPF_OPTION_E ? "another kind of area" : NULL;
}

static struct ospf_neighbor *
find_or_add(struct ospf_neighbors *ns, uint32_t router_id)
{
	for (uint32_t i = 0; i < ns->n; i++)
		if (ns->of[i].router_id == router_id)
			return &ns->of[i];
	if (ns->n == OSPF_NEIGHBORS_MAX)
		return NULL;
	ns->of[ns->n] = (struct ospf_neighbor){.router_id = router_id};
	return &ns->of[ns->n++];
}

static bool
lists(const struct ospf_hello *h, uint32_t router_id)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->neighbors[i] == router_id)
			return true;
	return false;
}

const struct ospf_neighbor *
ospf_neighbors_hear(struct ospf_neighbors *ns, const struct ospf_hello *h, uint32_t from,
	uint64_t now_us, const char **why)
{
	struct ospf_neighbor *n;

	*why = NULL;
	if (h->router_id == ns->us.router_id)
		return NULL;
	*why = difference(&ns->us, h);
	if (*why != NULL)
		return NULL;
	n = find_or_add(ns, h->router_id);
	if (n == NULL) {
		*why = "too many neighbours";
		return NULL;
	}
	n->addr = from;
	n->heard_us = now_us;
	n->state = lists(h, ns->us.router_id) ? OSPF_TWO_WAY : OSPF_INIT;
	return n;
}

bool
ospf_neighbors_expire(struct ospf_neighbors *ns, uint64_t now_us, struct ospf_neighbor *gone)
{
	const uint64_t dead_us = (uint64_t)ns->us.dead_s * 1000000;

	for (uint32_t i = 0; i < ns->n; i++)
		if (now_us - ns->of[i].heard_us >= dead_us) {
			*gone = ns->of[i];
			gone->state = OSPF_DOWN;
			ns->of[i] = ns->of[--ns->n];
			return true;
		}
	return false;
}

void
ospf_neighbors_list(struct ospf_neighbors *ns)
{
	ns->us.n = ns->n;
	for (uint32_t i = 0; i < ns->n; i++)
		ns->us.neighbors[i] = ns->of[i].router_id;
}

uint32_t
ospf_neighbors_two_way(const struct ospf_neighbors *ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ns->n; i++)
		n += ns->of[i].state == OSPF_TWO_WAY;
	return n;
}
