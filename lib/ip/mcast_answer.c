/* SPDX-License-Identifier: BSD-3-Clause */
/* Queries of routers and their answers; changes that routers are told of unasked. */
#include "mcast_priv.h"

#define CHANGE_MAX_US 1000000  /* RFC 3376 8.11, RFC 3810 9.11 */
#define CHANGE_OLD_US 10000000 /* RFC 2236 8.10 */

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
	g->answer_at_us = RTE_MIN(g->answer_at_us, within(ip, q->max_us));
	g->is_asked_all = g->is_asked_all || q->n_sources == 0;
	for (uint32_t i = 0; i < q->n_sources; i++) {
		struct mc_source *s = mcast_get_source(g, &q->sources[i]);

		if (s != NULL)
			s->is_asked = true;
		else
			g->is_asked_all = true; /* more than can be noted: tell all */
	}
}

static void
forget_asked(struct mc_group *g)
{
	g->answer_at_us = WEIR_WHEEL_NEVER;
	g->is_asked_all = false;
	for (uint32_t i = 0; i < g->n_sources; i++)
		g->sources[i].is_asked = false;
}

uint64_t
mcast_code(uint8_t code)
{
	return code < 128 ? code : ((uint64_t)(code & 15) | 16) << ((code >> 4 & 7) + 3);
}

bool
mcast_read_sources(struct mc_query *q, const uint8_t *msg, uint32_t len)
{
	const uint32_t size = q->is_v4 ? 4 : 16;

	if (len < 4)
		return false;
	q->robustness = msg[0] & 7;
	q->interval_us = mcast_code(msg[1]) * 1000000;
	q->n_sources = (uint32_t)msg[2] << 8 | msg[3];
	if (len < 4 + q->n_sources * size)
		return q->n_sources > GROUP_SOURCES_MAX; /* asked for more than we would read */
	q->n_sources = RTE_MIN(q->n_sources, (uint32_t)GROUP_SOURCES_MAX);
	for (uint32_t i = 0; i < q->n_sources; i++)
		q->sources[i] = mcast_addr_at(msg + 4 + i * size, q->is_v4);
	return true;
}

void
mcast_take_query(struct weir_ip *ip, const struct mc_query *q)
{
	struct mc_link *l = mcast_link(ip, q->ifindex, q->is_v4);
	struct mc_group *g;

	/* RFC 3376 4.1.6, 4.1.7, RFC 3810 5.1.8, 5.1.9: of what is not said, the defaults */
	l->robustness = q->robustness != 0 ? q->robustness : MC_ROBUSTNESS;
	l->interval_us = q->interval_us != 0 ? q->interval_us : MC_QUERY_US;
	if (weir_addr_is_any(&q->group) && !is_old(ip, l, q->is_v4)) {
		l->answer_at_us = RTE_MIN(l->answer_at_us, within(ip, q->max_us));
		mcast_arm(ip);
		return;
	}
	LIST_FOREACH (g, &ip->mcast->groups, link) {
		if (g->ifindex != q->ifindex || weir_addr_is_v4(&g->addr) != q->is_v4 ||
			!mcast_is_told(&g->addr) || mcast_is_done(g))
			continue;
		if (weir_addr_is_any(&q->group) || weir_addr_eq(&g->addr, &q->group))
			ask_group(ip, g, q);
	}
	mcast_arm(ip);
}

void
mcast_hear_report(struct weir_ip *ip, const struct weir_addr *group, uint8_t ifindex)
{
	struct mc_group *g = mcast_find(ip, group, ifindex);

	if (g == NULL || !is_old(ip, mcast_link(ip, ifindex, weir_addr_is_v4(group)),
				 weir_addr_is_v4(group)))
		return;
	forget_asked(g);
	g->is_reporter = false;
	mcast_arm(ip);
}

/* Reports */

static bool
is_new_allowed(const struct mc_group *g, const struct mc_source *s)
{
	return s->left > 0 && mcast_is_listed(g, s) != mcast_is_exclude(g);
}

static bool
is_new_blocked(const struct mc_group *g, const struct mc_source *s)
{
	return s->left > 0 && mcast_is_listed(g, s) == mcast_is_exclude(g);
}

/* Of the sources asked about, those that are wanted. */
static bool
is_asked_and_wanted(const struct mc_group *g, const struct mc_source *s)
{
	return s->is_asked && mcast_is_listed(g, s) != mcast_is_exclude(g);
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
		mcast_report_add(r, g, mcast_is_exclude(g) ? MC_TO_EX : MC_TO_IN, mcast_is_listed);
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

	if (mcast_is_in_use(g) || g->is_reporter)
		(is_v4 ? igmp_send_old : mld_send_old)(ip, g, !mcast_is_in_use(g));
	g->is_reporter = mcast_is_in_use(g);
	if (is_answer)
		return;
	g->mode_left = mcast_is_in_use(g) ? g->mode_left - (g->mode_left > 0) : 0;
	for (uint32_t i = 0; i < g->n_sources; i++)
		g->sources[i].left = 0;
}

static void
report_current(struct mc_report *r, const struct mc_group *g)
{
	if (mcast_is_exclude(g))
		mcast_report_add(r, g, MC_IS_EX, mcast_is_listed);
	else if (g->n_include > 0)
		mcast_report_add(r, g, MC_IS_IN, mcast_is_listed);
}

void
mcast_tell(struct weir_ip *ip, struct mc_group *g, bool is_v4)
{
	struct mc_report r = {.ip = ip, .ifc = &ip->ifaces[g->ifindex], .is_v4 = is_v4};
	const bool old = is_old(ip, mcast_link(ip, g->ifindex, is_v4), is_v4);

	if (old) {
		report_old(ip, g, false);
	} else {
		report_changes(&r, g);
		mcast_report_send(&r);
		g->is_reporter = mcast_is_in_use(g);
	}
	g->change_at_us = mcast_has_news(g) ? within(ip, old ? CHANGE_OLD_US : CHANGE_MAX_US)
					    : WEIR_WHEEL_NEVER;
}

void
mcast_answer(struct weir_ip *ip, struct mc_group *g, bool is_v4)
{
	struct mc_report r = {.ip = ip, .ifc = &ip->ifaces[g->ifindex], .is_v4 = is_v4};

	if (is_old(ip, mcast_link(ip, g->ifindex, is_v4), is_v4))
		report_old(ip, g, true);
	else if (g->is_asked_all)
		report_current(&r, g);
	else if (has_any(g, is_asked_and_wanted))
		mcast_report_add(&r, g, MC_IS_IN, is_asked_and_wanted);
	mcast_report_send(&r);
	forget_asked(g);
}

/* RFC 3376 5.2: all groups in as few messages as hold them. */
void
mcast_answer_all(struct weir_ip *ip, uint8_t ifindex, bool is_v4)
{
	struct mc_report r = {.ip = ip, .ifc = &ip->ifaces[ifindex], .is_v4 = is_v4};
	const struct mc_group *g;

	mcast_link(ip, ifindex, is_v4)->answer_at_us = WEIR_WHEEL_NEVER;
	LIST_FOREACH (g, &ip->mcast->groups, link)
		if (g->ifindex == ifindex && weir_addr_is_v4(&g->addr) == is_v4 &&
			mcast_is_told(&g->addr))
			report_current(&r, g);
	mcast_report_send(&r);
}
