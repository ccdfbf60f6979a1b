/* SPDX-License-Identifier: BSD-3-Clause */
/* IP_MSFILTER and MCAST_MSFILTER: mode and sources of a membership at once (RFC 3678 4.2, 5.2). */
#include <string.h>

#include "opt_priv.h"

struct filter {
	struct weir_addr group;
	int ifindex; /* -1: not named; less: there is none of that name */
	uint32_t mode;
	uint32_t n;
	struct weir_addr sources[WEIR_MC_SOURCES_MAX];
};

static bool
is_leave(const struct filter *f)
{
	return f->mode == MCAST_INCLUDE && f->n == 0;
}

/* To let in nobody is to leave the group. */
static int
edit(struct weir_mc_set *set, const void *arg)
{
	const struct filter *f = arg;
	struct weir_mc_join *j = weir_mc_join_of(set, &f->group, f->ifindex);

	if (j == NULL)
		return is_leave(f) ? -EADDRNOTAVAIL : -EINVAL;
	if (is_leave(f)) {
		weir_mc_remove_join(set, j);
		return 0;
	}
	j->is_exclude = f->mode == MCAST_EXCLUDE;
	j->n_sources = (uint16_t)f->n;
	memcpy(j->sources, f->sources, f->n * sizeof(j->sources[0]));
	return 0;
}

static int
check_group(const struct filter *f, bool is_v4)
{
	if (!weir_addr_is_multicast(&f->group) || weir_addr_is_v4(&f->group) != is_v4)
		return -EINVAL;
	return f->ifindex < -1 ? f->ifindex : 0;
}

static int
set_filter(struct weir_stack *st, struct weir_sock *s, const struct filter *f, bool is_v4)
{
	const int rc = check_group(f, is_v4);

	if (f->mode != MCAST_INCLUDE && f->mode != MCAST_EXCLUDE)
		return -EINVAL;
	return rc != 0 ? rc : weir_mc_edit_set(st, s, edit, f);
}

/* What the socket has of the group named in f. */
static int
get_filter(struct weir_sock *s, struct filter *f, bool is_v4)
{
	const struct weir_mc_join *j = NULL;
	const int rc = check_group(f, is_v4);

	if (rc != 0)
		return rc;
	weir_lock(&s->dgram->mc_lock);
	if (s->dgram->mc != NULL)
		j = weir_mc_join_of(s->dgram->mc, &f->group, f->ifindex);
	if (j != NULL) {
		f->mode = j->is_exclude ? MCAST_EXCLUDE : MCAST_INCLUDE;
		f->n = j->n_sources;
		memcpy(f->sources, j->sources, f->n * sizeof(f->sources[0]));
	}
	weir_unlock(&s->dgram->mc_lock);
	return j != NULL ? 0 : -EADDRNOTAVAIL;
}

/* How many sources the caller has room for: what he says, and what his buffer has. */
static uint32_t
room_for(uint32_t said, size_t bytes, size_t size)
{
	return (uint32_t)RTE_MIN((size_t)said, bytes / size);
}

/* Of IPv4: the interface by its address */

static struct weir_addr
addr4(struct in_addr a)
{
	return weir_addr_v4((struct weir_be32){a.s_addr});
}

static void
read_head4(const struct weir_stack *st, const struct ip_msfilter *m, struct filter *f)
{
	const struct weir_addr iface = addr4(m->imsf_interface);

	f->group = addr4(m->imsf_multiaddr);
	f->ifindex = weir_opt_iface_by_addr(st, &iface);
	f->mode = m->imsf_fmode;
	f->n = m->imsf_numsrc;
}

int
weir_opt_set_msfilter(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
	const void *value, socklen_t len)
{
	struct ip_msfilter m = {0};
	struct filter f;

	memcpy(&m, value, IP_MSFILTER_SIZE(0));
	read_head4(st, &m, &f);
	if (f.n > WEIR_MC_SOURCES_MAX)
		return -ENOBUFS;
	if (IP_MSFILTER_SIZE(f.n) > len)
		return -EINVAL;
	for (uint32_t i = 0; i < f.n; i++) {
		struct in_addr a;

		memcpy(&a, (const char *)value + IP_MSFILTER_SIZE(i), sizeof(a));
		f.sources[i] = addr4(a);
	}
	return set_filter(st, s, &f, true);
}

int
weir_opt_get_msfilter(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
	void *value, socklen_t len)
{
	struct ip_msfilter m = {0};
	struct filter f;
	uint32_t n;
	int rc;

	memcpy(&m, value, IP_MSFILTER_SIZE(0));
	read_head4(st, &m, &f);
	rc = get_filter(s, &f, true);
	if (rc != 0)
		return rc;
	n = RTE_MIN(
		f.n, room_for(m.imsf_numsrc, len - IP_MSFILTER_SIZE(0), sizeof(struct in_addr)));
	m.imsf_fmode = f.mode;
	m.imsf_numsrc = f.n;
	memcpy(value, &m, IP_MSFILTER_SIZE(0));
	for (uint32_t i = 0; i < n; i++) {
		const struct in_addr a = {weir_addr_to_v4(&f.sources[i]).raw};

		memcpy((char *)value + IP_MSFILTER_SIZE(i), &a, sizeof(a));
	}
	return (int)IP_MSFILTER_SIZE(n);
}

/* Of both versions: the interface by its number */

static int
read_head(const struct weir_stack *st, const struct group_filter *g, struct filter *f)
{
	f->ifindex = weir_opt_iface_by_index(st, g->gf_interface);
	f->mode = g->gf_fmode;
	f->n = g->gf_numsrc;
	return weir_opt_read_addr(&g->gf_group, &f->group);
}

int
weir_opt_set_group_filter(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
	const void *value, socklen_t len)
{
	struct group_filter g;
	struct filter f;
	bool is_v4;

	memcpy(&g, value, GROUP_FILTER_SIZE(0));
	if (read_head(st, &g, &f) != 0)
		return -EINVAL;
	if (f.n > WEIR_MC_SOURCES_MAX)
		return -ENOBUFS;
	if (GROUP_FILTER_SIZE(f.n) > len)
		return -EINVAL;
	is_v4 = g.gf_group.ss_family == AF_INET;
	for (uint32_t i = 0; i < f.n; i++) {
		struct sockaddr_storage ss;

		memcpy(&ss, (const char *)value + GROUP_FILTER_SIZE(i), sizeof(ss));
		if (weir_opt_read_addr(&ss, &f.sources[i]) != 0 ||
			weir_addr_is_v4(&f.sources[i]) != is_v4)
			return -EINVAL;
	}
	return set_filter(st, s, &f, is_v4);
}

static void
write_source(void *at, const struct weir_addr *a)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

	ss.ss_family = weir_addr_is_v4(a) ? AF_INET : AF_INET6;
	if (weir_addr_is_v4(a))
		in->sin_addr.s_addr = weir_addr_to_v4(a).raw;
	else
		memcpy(&in6->sin6_addr, a->b, sizeof(in6->sin6_addr));
	memcpy(at, &ss, sizeof(ss));
}

int
weir_opt_get_group_filter(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
	void *value, socklen_t len)
{
	struct group_filter g;
	struct filter f;
	uint32_t n;
	int rc;

	memcpy(&g, value, GROUP_FILTER_SIZE(0));
	rc = read_head(st, &g, &f);
	if (rc == 0)
		rc = get_filter(s, &f, g.gf_group.ss_family == AF_INET);
	if (rc != 0)
		return rc;
	n = RTE_MIN(f.n,
		room_for(g.gf_numsrc, len - GROUP_FILTER_SIZE(0), sizeof(struct sockaddr_storage)));
	g.gf_fmode = f.mode;
	g.gf_numsrc = f.n;
	memcpy(value, &g, GROUP_FILTER_SIZE(0));
	for (uint32_t i = 0; i < n; i++)
		write_source((char *)value + GROUP_FILTER_SIZE(i), &f.sources[i]);
	return (int)GROUP_FILTER_SIZE(n);
}
