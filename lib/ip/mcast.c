/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of an interface: the filters of all sockets merged, changes told, queries answered. */
#include "mcast_priv.h"

#include <errno.h>

#include "weir_mem.h"
#include "weir_nd_hdr.h"

#define ROBUSTNESS    2		/* RFC 3376 8.1 */
#define QUERY_US      125000000 /* RFC 3376 8.2 */
#define CHANGE_MAX_US 1000000	/* RFC 3376 8.11, RFC 3810 9.11 */
#define CHANGE_OLD_US 10000000	/* RFC 2236 8.10 */

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
				.robustness = ROBUSTNESS,
				.interval_us = QUERY_US};
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

/* Filters: RFC 3376 3.2, RFC 3810 4.2 */

static bool
is_exclude(const struct mc_group *g)
{
	return g->n_exclude > 0 || g->is_own || g->is_wide;
}

/* Is the source in the list of the merged filter? */
static bool
is_listed(const struct mc_group *g, const struct mc_source *s)
{
	if (g->is_own || g->is_wide)
		return false;
	if (g->n_exclude > 0)
		return s->n_exclude == g->n_exclude && s->n_include == 0;
	return s->n_include > 0;
}

static struct mc_group *
find_group(const struct weir_ip *ip, const struct weir_addr *addr, uint8_t ifindex)
{
	struct mc_group *g;

	LIST_FOREACH (g, &ip->mcast->groups, link)
		if (g->ifindex == ifindex && weir_addr_eq(&g->addr, addr))
			return g;
	return NULL;
}

static struct mc_group *
get_group(struct weir_ip *ip, const struct weir_addr *addr, uint8_t ifindex)
{
	struct mc_group *g = find_group(ip, addr, ifindex);

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

static struct mc_source *
get_source(struct mc_group *g, const struct weir_addr *addr)
{
	for (uint32_t i = 0; i < g->n_sources; i++)
		if (weir_addr_eq(&g->sources[i].addr, addr))
			return &g->sources[i];
	if (g->n_sources == GROUP_SOURCES_MAX)
		return NULL;
	g->sources[g->n_sources] = (struct mc_source){.addr = *addr};
	return &g->sources[g->n_sources++];
}

/* A socket's membership comes (+1) or goes (-1). */
static void
count_join(struct mc_group *g, const struct weir_mc_join *j, int by)
{
	if (j->is_exclude)
		g->n_exclude = (uint16_t)(g->n_exclude + by);
	else
		g->n_include = (uint16_t)(g->n_include + by);
	for (uint32_t i = 0; i < j->n_sources; i++) {
		struct mc_source *s = get_source(g, &j->sources[i]);

		if (s == NULL)
			g->is_wide = true; /* until nobody is in the group */
		else if (j->is_exclude)
			s->n_exclude = (uint16_t)(s->n_exclude + by);
		else
			s->n_include = (uint16_t)(s->n_include + by);
	}
}

/* RFC 3376 6.1: 224.0.0.1 is never told; RFC 3810 6: nor are ff02::1 and what stays in the node. */
static bool
is_told(const struct weir_addr *group)
{
	static const struct weir_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};

	if (weir_addr_is_v4(group))
		return weir_host32(weir_addr_to_v4(group)) != 0xe0000001;
	return !weir_addr_eq(group, &all_nodes) && (group->b[1] & 15) > 1;
}

static bool
has_more_to_tell(const struct mc_group *g)
{
	if (g->mode_left > 0)
		return true;
	for (uint32_t i = 0; i < g->n_sources; i++)
		if (g->sources[i].left > 0)
			return true;
	return false;
}

/* RFC 3376 5.1: what differs from what was told last is to be told, as often as the link needs. */
static void
note_change(struct weir_ip *ip, struct mc_group *g)
{
	const struct mc_link *l = mcast_link(ip, g->ifindex, weir_addr_is_v4(&g->addr));

	if (g->n_include == 0 && g->n_exclude == 0)
		g->is_wide = false;
	if (g->was_exclude != is_exclude(g))
		g->mode_left = l->robustness;
	for (uint32_t i = 0; i < g->n_sources; i++) {
		struct mc_source *s = &g->sources[i];

		if (g->mode_left > 0)
			s->left = 0; /* the change of mode tells all */
		else if (s->was_listed != is_listed(g, s))
			s->left = l->robustness;
		s->was_listed = is_listed(g, s);
	}
	g->was_exclude = is_exclude(g);
	if (is_told(&g->addr) && has_more_to_tell(g))
		g->change_at_us = ip->core->now_us;
}

static bool
is_done(const struct mc_group *g)
{
	return g->n_include == 0 && g->n_exclude == 0 && !g->is_own &&
	       g->change_at_us == WEIR_WHEEL_NEVER;
}

/* Sources that nobody names and that are told, and the group when that is true of it. */
static void
forget_old(struct mc_group *g)
{
	for (uint32_t i = 0; i < g->n_sources;) {
		const struct mc_source *s = &g->sources[i];

		if (s->n_include == 0 && s->n_exclude == 0 && s->left == 0)
			g->sources[i] = g->sources[--g->n_sources];
		else
			i++;
	}
	if (is_done(g)) {
		LIST_REMOVE(g, link);
		weir_mem_free(g);
	}
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
		struct mc_group *g = get_group(ip, &set->joins[i].group, set->joins[i].ifindex);

		if (g != NULL)
			count_join(g, &set->joins[i], by);
	}
}

static void
tell_set(struct weir_ip *ip, const struct weir_mc_set *set)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		struct mc_group *g = find_group(ip, &set->joins[i].group, set->joins[i].ifindex);

		if (g == NULL)
			continue;
		note_change(ip, g);
		forget_old(g);
	}
}

/* Groups first, so that counting what goes cannot want for memory. */
static bool
make_groups(struct weir_ip *ip, const struct weir_mc_set *set)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++)
		if (get_group(ip, &set->joins[i].group, set->joins[i].ifindex) == NULL)
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
		g = get_group(ip, &sn, ifc->index);
		if (g == NULL || g->is_own)
			continue;
		g->is_own = true;
		note_change(ip, g);
	}
	for (g = LIST_FIRST(&ip->mcast->groups); g != NULL; g = next) {
		next = LIST_NEXT(g, link);
		if (!g->is_own || g->ifindex != ifc->index || has_solicited(ifc, &g->addr))
			continue;
		g->is_own = false;
		note_change(ip, g);
		forget_old(g);
	}
	mcast_arm(ip);
}

/* Queries */

static uint64_t
within(struct weir_ip *ip, uint64_t max_us)
{
	return ip->core->now_us + weir_rand_below(&ip->core->rand, (uint32_t)RTE_MAX(max_us, 1u));
}

static bool
is_old(const struct weir_ip *ip, const struct mc_link *l, bool is_v4)
{
	return is_v4 ? igmp_version(ip, l) < 3 : mld_version(ip, l) < 2;
}

/* RFC 3376 5.2, rules 3 to 5. */
static void
ask_group(struct weir_ip *ip, struct mc_group *g, const struct mc_query *q)
{
	const bool is_pending = g->answer_at_us != WEIR_WHEEL_NEVER;

	g->answer_at_us = RTE_MIN(g->answer_at_us, within(ip, q->max_us));
	if (q->n_sources == 0)
		g->is_asked_all = true;
	if (!is_pending)
		g->is_asked_all = q->n_sources == 0;
	for (uint32_t i = 0; i < q->n_sources; i++) {
		struct mc_source *s = get_source(g, &q->sources[i]);

		if (s != NULL)
			s->is_asked = true;
	}
}

void
mcast_take_query(struct weir_ip *ip, const struct mc_query *q)
{
	struct mc_link *l = mcast_link(ip, q->ifindex, q->is_v4);
	struct mc_group *g;

	if (q->robustness != 0)
		l->robustness = q->robustness;
	if (weir_addr_is_any(&q->group) && !is_old(ip, l, q->is_v4)) {
		l->answer_at_us = RTE_MIN(l->answer_at_us, within(ip, q->max_us));
		mcast_arm(ip);
		return;
	}
	LIST_FOREACH (g, &ip->mcast->groups, link) {
		if (g->ifindex != q->ifindex || weir_addr_is_v4(&g->addr) != q->is_v4 ||
			!is_told(&g->addr) || is_done(g))
			continue;
		if (weir_addr_is_any(&q->group) || weir_addr_eq(&g->addr, &q->group))
			ask_group(ip, g, q);
	}
	mcast_arm(ip);
}

void
mcast_hear_report(struct weir_ip *ip, const struct weir_addr *group, uint8_t ifindex)
{
	struct mc_group *g = find_group(ip, group, ifindex);

	if (g == NULL || !is_old(ip, mcast_link(ip, ifindex, weir_addr_is_v4(group)),
				 weir_addr_is_v4(group)))
		return;
	g->answer_at_us = WEIR_WHEEL_NEVER;
	g->is_reporter = false;
	mcast_arm(ip);
}

/* Reports */

static bool
is_in_use(const struct mc_group *g)
{
	return g->n_include > 0 || g->n_exclude > 0 || g->is_own;
}

static bool
is_new_allowed(const struct mc_group *g, const struct mc_source *s)
{
	return s->left > 0 && is_listed(g, s) != is_exclude(g);
}

static bool
is_new_blocked(const struct mc_group *g, const struct mc_source *s)
{
	return s->left > 0 && is_listed(g, s) == is_exclude(g);
}

/* Of the sources asked about, those that are wanted. */
static bool
is_asked_and_wanted(const struct mc_group *g, const struct mc_source *s)
{
	return s->is_asked && is_listed(g, s) != is_exclude(g);
}

static bool
has_any(const struct mc_group *g,
	bool (*listed)(const struct mc_group *g, const struct mc_source *s))
{
	for (uint32_t i = 0; i < g->n_sources; i++)
		if (listed(g, &g->sources[i]))
			return true;
	return false;
}

static void
report_changes(struct mc_report *r, struct mc_group *g)
{
	if (g->mode_left > 0) {
		mcast_report_add(r, g, is_exclude(g) ? MC_TO_EX : MC_TO_IN, is_listed);
		g->mode_left--;
		return;
	}
	if (has_any(g, is_new_allowed))
		mcast_report_add(r, g, MC_ALLOW, is_new_allowed);
	if (has_any(g, is_new_blocked))
		mcast_report_add(r, g, MC_BLOCK, is_new_blocked);
	for (uint32_t i = 0; i < g->n_sources; i++)
		g->sources[i].left -= g->sources[i].left > 0;
}

/* The old versions know no sources: a report, or the end of the group if ours was the last. */
static void
report_old(struct weir_ip *ip, struct mc_group *g, bool is_answer)
{
	const bool is_v4 = weir_addr_is_v4(&g->addr);

	if (is_in_use(g) || g->is_reporter)
		(is_v4 ? igmp_send_old : mld_send_old)(ip, g, !is_in_use(g));
	g->is_reporter = is_in_use(g);
	if (is_answer)
		return;
	g->mode_left = is_in_use(g) ? g->mode_left - (g->mode_left > 0) : 0;
	for (uint32_t i = 0; i < g->n_sources; i++)
		g->sources[i].left = 0;
}

static void
report_current(struct mc_report *r, const struct mc_group *g)
{
	if (is_exclude(g))
		mcast_report_add(r, g, MC_IS_EX, is_listed);
	else if (g->n_include > 0)
		mcast_report_add(r, g, MC_IS_IN, is_listed);
}

static void
tell_changes(struct weir_ip *ip, struct mc_group *g, bool is_v4)
{
	struct mc_report r = {.ip = ip, .ifc = &ip->ifaces[g->ifindex], .is_v4 = is_v4};
	const bool old = is_old(ip, mcast_link(ip, g->ifindex, is_v4), is_v4);

	if (old) {
		report_old(ip, g, false);
	} else {
		report_changes(&r, g);
		mcast_report_send(&r);
		g->is_reporter = is_in_use(g);
	}
	g->change_at_us = has_more_to_tell(g) ? within(ip, old ? CHANGE_OLD_US : CHANGE_MAX_US)
					      : WEIR_WHEEL_NEVER;
}

static void
answer(struct weir_ip *ip, struct mc_group *g, bool is_v4)
{
	struct mc_report r = {.ip = ip, .ifc = &ip->ifaces[g->ifindex], .is_v4 = is_v4};

	g->answer_at_us = WEIR_WHEEL_NEVER;
	if (is_old(ip, mcast_link(ip, g->ifindex, is_v4), is_v4))
		report_old(ip, g, true);
	else if (g->is_asked_all)
		report_current(&r, g);
	else if (has_any(g, is_asked_and_wanted) || is_exclude(g))
		mcast_report_add(&r, g, MC_IS_IN, is_asked_and_wanted);
	mcast_report_send(&r);
	g->is_asked_all = false;
	for (uint32_t i = 0; i < g->n_sources; i++)
		g->sources[i].is_asked = false;
}

/* RFC 3376 5.2: all groups in as few messages as hold them. */
static void
answer_general(struct weir_ip *ip, uint8_t ifindex, bool is_v4)
{
	struct mc_report r = {.ip = ip, .ifc = &ip->ifaces[ifindex], .is_v4 = is_v4};
	const struct mc_group *g;

	mcast_link(ip, ifindex, is_v4)->answer_at_us = WEIR_WHEEL_NEVER;
	LIST_FOREACH (g, &ip->mcast->groups, link)
		if (g->ifindex == ifindex && weir_addr_is_v4(&g->addr) == is_v4 &&
			is_told(&g->addr))
			report_current(&r, g);
	mcast_report_send(&r);
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
				answer_general(ip, i, v == 0);
	for (g = LIST_FIRST(&ip->mcast->groups); g != NULL; g = next) {
		const bool is_v4 = weir_addr_is_v4(&g->addr);

		next = LIST_NEXT(g, link);
		if (g->answer_at_us <= now_us)
			answer(ip, g, is_v4);
		if (g->change_at_us <= now_us)
			tell_changes(ip, g, is_v4);
		forget_old(g);
	}
	mcast_arm(ip);
}
