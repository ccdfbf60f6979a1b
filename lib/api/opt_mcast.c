/* SPDX-License-Identifier: BSD-3-Clause */
/* Multicast options of UDP and raw sockets, and those that name an interface: ip(7), ipv6(7). */
#include <string.h>

#include "opt_priv.h"

/* Interfaces by what applications call them */

int
weir_opt_iface_by_index(const struct weir_stack *st, uint32_t ifindex)
{
	return ifindex > st->n_ports ? -ENODEV : (int)ifindex - 1;
}

int
weir_opt_iface_by_addr(const struct weir_stack *st, const struct weir_addr *addr)
{
	for (unsigned int i = 0; i < st->n_ports; i++)
		for (unsigned int k = 0; k < st->conf.ports[i].n_addrs; k++)
			if (memcmp(st->conf.ports[i].addrs[k].addr, addr->b, 16) == 0)
				return (int)i;
	return weir_addr_is_any(addr) ? -1 : -ENODEV;
}

static int
iface_by_name(const struct weir_stack *st, const char *name)
{
	for (unsigned int i = 0; i < st->n_ports; i++)
		if (strcmp(st->conf.ports[i].name, name) == 0)
			return (int)i;
	return name[0] == '\0' ? -1 : -ENODEV;
}

static struct weir_addr
addr4(struct in_addr a)
{
	return weir_addr_v4((struct weir_be32){a.s_addr});
}

/* Memberships */

struct change {
	struct weir_addr group;
	struct weir_addr source; /* any: the group as a whole */
	int ifindex;		 /* -1: not named */
	bool is_add;
	bool is_exclude; /* the source is to be kept out */
	bool may_join;	 /* a source joins the group if need be */
};

static int
apply_on(struct weir_worker *w, void *arg)
{
	return weir_sock_mc_apply(&w->sock, arg);
}

static void
publish(struct weir_sock *s, struct weir_mc_set *set)
{
	struct weir_mc_set *old;

	weir_lock(&s->dgram->mc_lock);
	old = s->dgram->mc;
	s->dgram->mc = set;
	weir_unlock(&s->dgram->mc_lock);
	weir_mc_unref(old);
}

static int
apply(struct weir_stack *st, struct weir_sock *s)
{
	const int rc = weir_make_pcbs(st, s);

	return rc != 0 ? rc : weir_on_all(st, apply_on, s);
}

struct weir_mc_join *
weir_mc_join_of(struct weir_mc_set *set, const struct weir_addr *group, int ifindex)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (weir_addr_eq(&set->joins[i].group, group) &&
			(ifindex < 0 || set->joins[i].ifindex == ifindex))
			return &set->joins[i];
	return NULL;
}

void
weir_mc_remove_join(struct weir_mc_set *set, struct weir_mc_join *j)
{
	*j = set->joins[--set->n];
}

static int
change_group(struct weir_mc_set *set, const struct change *c)
{
	struct weir_mc_join *j = weir_mc_join_of(set, &c->group, c->ifindex);

	if (!c->is_add) {
		if (j == NULL)
			return -EADDRNOTAVAIL;
		weir_mc_remove_join(set, j);
		return 0;
	}
	if (j != NULL)
		return -EADDRINUSE;
	if (set->n == WEIR_MC_JOINS_MAX)
		return -ENOBUFS;
	set->joins[set->n++] = (struct weir_mc_join){
		.group = c->group, .ifindex = (uint8_t)RTE_MAX(c->ifindex, 0), .is_exclude = true};
	return 0;
}

static uint32_t
find_source(const struct weir_mc_join *j, const struct weir_addr *source)
{
	uint32_t i = 0;

	while (i < j->n_sources && !weir_addr_eq(&j->sources[i], source))
		i++;
	return i;
}

/* An empty filter changes its mode; one with sources cannot. The last source allowed is the end. */
static int
change_source(struct weir_mc_set *set, const struct change *c)
{
	struct weir_mc_join *j = weir_mc_join_of(set, &c->group, c->ifindex);
	uint32_t at;

	if (j == NULL && c->may_join && c->is_add) {
		const int rc = change_group(set, c);

		if (rc != 0)
			return rc;
		j = &set->joins[set->n - 1];
	}
	if (j == NULL)
		return c->is_add ? -EINVAL : -EADDRNOTAVAIL;
	if (j->is_exclude != c->is_exclude && (j->n_sources > 0 || !c->is_add))
		return -EINVAL;
	at = find_source(j, &c->source);
	if (c->is_add) {
		if (at < j->n_sources)
			return -EADDRNOTAVAIL;
		if (at == WEIR_MC_SOURCES_MAX)
			return -ENOBUFS;
		j->is_exclude = c->is_exclude;
		j->sources[j->n_sources++] = c->source;
		return 0;
	}
	if (at == j->n_sources)
		return -EADDRNOTAVAIL;
	j->sources[at] = j->sources[--j->n_sources];
	if (j->n_sources == 0 && !j->is_exclude)
		weir_mc_remove_join(set, j);
	return 0;
}

static int
change_any(struct weir_mc_set *set, const void *arg)
{
	const struct change *c = arg;

	return weir_addr_is_any(&c->source) ? change_group(set, c) : change_source(set, c);
}

/* The socket's next set; when a worker has no room for it, all go back to the one before. */
static int
change_locked(struct weir_stack *st, struct weir_sock *s, weir_mc_edit edit, const void *arg)
{
	struct weir_mc_set *before = s->dgram->mc;
	struct weir_mc_set *set = weir_mc_copy(before);
	int rc;

	if (set == NULL)
		return -ENOBUFS;
	rc = edit(set, arg);
	if (rc != 0) {
		weir_mc_unref(set);
		return rc;
	}
	weir_mc_ref(before);
	publish(s, set);
	rc = apply(st, s);
	if (rc != 0) {
		publish(s, before);
		apply(st, s);
		return rc == -ENOSPC || rc == -ENOMEM ? -ENOBUFS : rc;
	}
	weir_mc_unref(before);
	return 0;
}

int
weir_mc_edit_set(struct weir_stack *st, struct weir_sock *s, weir_mc_edit edit, const void *arg)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	rc = change_locked(st, s, edit, arg);
	weir_ctl_leave(st, s);
	return rc;
}

static int
change(struct weir_stack *st, struct weir_sock *s, const struct change *c, bool is_v4)
{
	if (c->ifindex < -1)
		return c->ifindex;
	if (!weir_addr_is_multicast(&c->group) || weir_addr_is_v4(&c->group) != is_v4)
		return -EINVAL;
	if (!weir_addr_is_any(&c->source) && weir_addr_is_v4(&c->source) != is_v4)
		return -EINVAL;
	return weir_mc_edit_set(st, s, change_any, c);
}

/* By IPv4 address of the interface, or by number */

static int
change_mreq(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct ip_mreqn r = {0};
	struct change c = {.is_add = o->name == IP_ADD_MEMBERSHIP};
	struct weir_addr addr;

	memcpy(&r, value, o->size);
	addr = addr4(r.imr_address);
	c.group = addr4(r.imr_multiaddr);
	c.ifindex = r.imr_ifindex != 0 ? weir_opt_iface_by_index(st, (uint32_t)r.imr_ifindex)
				       : weir_opt_iface_by_addr(st, &addr);
	return change(st, s, &c, true);
}

static int
change_mreq_source(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct ip_mreq_source r;
	struct change c = {0};
	struct weir_addr addr;

	memcpy(&r, value, sizeof(r));
	addr = addr4(r.imr_interface);
	c.group = addr4(r.imr_multiaddr);
	c.source = addr4(r.imr_sourceaddr);
	c.ifindex = weir_opt_iface_by_addr(st, &addr);
	c.is_add = o->name == IP_ADD_SOURCE_MEMBERSHIP || o->name == IP_BLOCK_SOURCE;
	c.is_exclude = o->name == IP_BLOCK_SOURCE || o->name == IP_UNBLOCK_SOURCE;
	c.may_join = o->name == IP_ADD_SOURCE_MEMBERSHIP;
	return weir_addr_is_any(&c.source) ? -EINVAL : change(st, s, &c, true);
}

static int
change_mreq6(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct ipv6_mreq r;
	struct change c = {.is_add = o->name == IPV6_ADD_MEMBERSHIP};

	memcpy(&r, value, sizeof(r));
	c.group = weir_addr_v6(r.ipv6mr_multiaddr.s6_addr);
	c.ifindex = weir_opt_iface_by_index(st, r.ipv6mr_interface);
	return change(st, s, &c, false);
}

/* Of both versions (RFC 3678) */

int
weir_opt_read_addr(const struct sockaddr_storage *ss, struct weir_addr *addr)
{
	struct weir_be16 port;

	if (ss->ss_family != AF_INET && ss->ss_family != AF_INET6)
		return -EADDRNOTAVAIL;
	return weir_sock_addr_in(
		ss->ss_family, (const struct sockaddr *)ss, sizeof(*ss), addr, &port);
}

static int
change_group_req(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct group_req r;
	struct change c = {.is_add = o->name == MCAST_JOIN_GROUP};

	memcpy(&r, value, sizeof(r));
	if (weir_opt_read_addr(&r.gr_group, &c.group) != 0)
		return -EINVAL;
	c.ifindex = weir_opt_iface_by_index(st, r.gr_interface);
	return change(st, s, &c, r.gr_group.ss_family == AF_INET);
}

static int
change_source_req(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct group_source_req r;
	struct change c = {
		.is_add = o->name == MCAST_JOIN_SOURCE_GROUP || o->name == MCAST_BLOCK_SOURCE,
		.is_exclude = o->name == MCAST_BLOCK_SOURCE || o->name == MCAST_UNBLOCK_SOURCE,
		.may_join = o->name == MCAST_JOIN_SOURCE_GROUP,
	};

	memcpy(&r, value, sizeof(r));
	if (weir_opt_read_addr(&r.gsr_group, &c.group) != 0 ||
		weir_opt_read_addr(&r.gsr_source, &c.source) != 0)
		return -EADDRNOTAVAIL;
	if (weir_addr_is_any(&c.source))
		return -EINVAL;
	c.ifindex = weir_opt_iface_by_index(st, r.gsr_interface);
	return change(st, s, &c, r.gsr_group.ss_family == AF_INET);
}

/* Sending */

static struct weir_mc_sending *
sending(struct weir_sock *s, const struct weir_opt *o)
{
	return &s->dgram->mc_send[o->bit]; /* 0: IPv4, 1: IPv6 */
}

WEIR_OPT_GET(mc_ttl)
{
	return weir_opt_put(value, weir_peek(sending(s, o)->ttl));
}

WEIR_OPT_SET(mc_ttl)
{
	const int v = weir_opt_int(value);

	if (!weir_opt_is_in(v, -1, UINT8_MAX))
		return -EINVAL;
	weir_poke(sending(s, o)->ttl, (uint8_t)(v < 0 ? 1 : v));
	return 0;
}

WEIR_OPT_GET(mc_loop)
{
	return weir_opt_put(value, !weir_peek(sending(s, o)->no_loop));
}

WEIR_OPT_SET(mc_loop)
{
	weir_poke(sending(s, o)->no_loop, weir_opt_int(value) == 0);
	return 0;
}

WEIR_OPT_GET(mc_all)
{
	return weir_opt_put(value, !weir_peek(s->dgram->is_mc_strict[o->bit]));
}

WEIR_OPT_SET(mc_all)
{
	if (!weir_opt_is_in(weir_opt_int(value), 0, 1))
		return -EINVAL;
	weir_poke(s->dgram->is_mc_strict[o->bit], weir_opt_int(value) == 0);
	return apply(st, s);
}

WEIR_OPT_GET(mc_if)
{
	const int i = weir_peek(s->dgram->mc_send[0].ifindex_plus1) - 1;
	struct weir_addr addr = weir_addr_v4(weir_be32(0));

	for (unsigned int k = 0; i >= 0 && k < st->conf.ports[i].n_addrs; k++)
		if (weir_addr_is_any(&addr)) {
			const struct weir_addr a = weir_addr_v6(st->conf.ports[i].addrs[k].addr);

			addr = weir_addr_is_v4(&a) ? a : addr;
		}
	return weir_opt_put(value, (int)weir_addr_to_v4(&addr).raw);
}

/* An address, or an ip_mreq or ip_mreqn whose group is passed over. */
WEIR_OPT_SET(mc_if)
{
	struct ip_mreqn r = {0};
	struct weir_addr addr;
	int i;

	if (o->size == sizeof(struct in_addr))
		memcpy(&r.imr_address, value, sizeof(r.imr_address));
	else
		memcpy(&r, value, o->size);
	addr = addr4(r.imr_address);
	i = r.imr_ifindex != 0 ? weir_opt_iface_by_index(st, (uint32_t)r.imr_ifindex)
			       : weir_opt_iface_by_addr(st, &addr);
	if (i < -1)
		return -EADDRNOTAVAIL;
	weir_poke(s->dgram->mc_send[0].ifindex_plus1, (uint8_t)(i + 1));
	return 0;
}

WEIR_OPT_GET(mc_if6)
{
	return weir_opt_put(value, weir_peek(s->dgram->mc_send[1].ifindex_plus1));
}

WEIR_OPT_SET(mc_if6)
{
	const int i = weir_opt_iface_by_index(st, (uint32_t)weir_opt_int(value));

	if (i < -1)
		return i;
	weir_poke(s->dgram->mc_send[1].ifindex_plus1, (uint8_t)(i + 1));
	return 0;
}

/* Interfaces by name, at level SOL_SOCKET */

static int
get_name(const struct weir_stack *st, uint8_t ifindex_plus1, void *value)
{
	memset(value, 0, WEIR_OPT_IFACE_LEN);
	if (ifindex_plus1 == 0)
		return 1; /* no bytes */
	strncpy(value, st->conf.ports[ifindex_plus1 - 1].name, WEIR_OPT_IFACE_LEN - 1);
	return (int)strlen(value) + 2;
}

int
weir_opt_get_send_iface(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	return get_name(st, weir_peek(s->dgram->send_ifindex_plus1), value);
}

int
weir_opt_set_send_iface(struct weir_stack *st, struct weir_sock *s, const char *name)
{
	const int i = iface_by_name(st, name);

	if (i < -1)
		return i;
	weir_poke(s->dgram->send_ifindex_plus1, (uint8_t)(i + 1));
	return 0;
}

int
weir_opt_get_bound_iface(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	return get_name(st, weir_peek(s->opts.ifindex_plus1), value);
}

int
weir_opt_set_bound_iface(struct weir_stack *st, struct weir_sock *s, const char *name)
{
	const int i = iface_by_name(st, name);
	int rc;

	if (i < -1)
		return i;
	rc = weir_ctl_enter(s);
	if (rc != 0)
		return rc;
	weir_poke(s->opts.ifindex_plus1, (uint8_t)(i + 1));
	if (s->kind == WEIR_SOCK_RAW ||
		(s->kind == WEIR_SOCK_UDP && (weir_sock_flags(s) & WEIR_SOCK_BOUND)))
		rc = weir_enter_tables(st, s);
	weir_ctl_leave(st, s);
	return rc == 0 ? weir_opt_changed(st, s) : rc;
}

#define SET_ROW(name, type, fn)                                       \
	{                                                             \
		name, WEIR_OPT_DGRAM, sizeof(type), NULL, fn, 0, NULL \
	}
#define SENDING(name, version, what)                                                     \
	{                                                                                \
		name, WEIR_OPT_DGRAM, sizeof(int), get_##what, set_##what, version, NULL \
	}
#define BOTH_VERSIONS                                                                          \
	SET_ROW(MCAST_JOIN_GROUP, struct group_req, change_group_req),                         \
		SET_ROW(MCAST_LEAVE_GROUP, struct group_req, change_group_req),                \
		SET_ROW(MCAST_JOIN_SOURCE_GROUP, struct group_source_req, change_source_req),  \
		SET_ROW(MCAST_LEAVE_SOURCE_GROUP, struct group_source_req, change_source_req), \
		SET_ROW(MCAST_BLOCK_SOURCE, struct group_source_req, change_source_req),       \
		SET_ROW(MCAST_UNBLOCK_SOURCE, struct group_source_req, change_source_req),     \
	{                                                                                      \
		MCAST_MSFILTER, WEIR_OPT_DGRAM, GROUP_FILTER_SIZE(0),                          \
			.get_long = weir_opt_get_group_filter,                                 \
			.set_long = weir_opt_set_group_filter                                  \
	}

const struct weir_opt weir_opts_mcast4[] = {
	{IP_ADD_MEMBERSHIP, WEIR_OPT_DGRAM, sizeof(struct ip_mreqn), NULL, change_mreq,
		.has_shorter = true},
	SET_ROW(IP_ADD_MEMBERSHIP, struct ip_mreq, change_mreq),
	SET_ROW(IP_ADD_SOURCE_MEMBERSHIP, struct ip_mreq_source, change_mreq_source),
	SET_ROW(IP_BLOCK_SOURCE, struct ip_mreq_source, change_mreq_source),
	{IP_DROP_MEMBERSHIP, WEIR_OPT_DGRAM, sizeof(struct ip_mreqn), NULL, change_mreq,
		.has_shorter = true},
	SET_ROW(IP_DROP_MEMBERSHIP, struct ip_mreq, change_mreq),
	SET_ROW(IP_DROP_SOURCE_MEMBERSHIP, struct ip_mreq_source, change_mreq_source),
	{IP_MSFILTER, WEIR_OPT_DGRAM, IP_MSFILTER_SIZE(0), .get_long = weir_opt_get_msfilter,
		.set_long = weir_opt_set_msfilter},
	SENDING(IP_MULTICAST_ALL, 0, mc_all),
	{IP_MULTICAST_IF, WEIR_OPT_DGRAM, sizeof(struct ip_mreqn), get_mc_if, set_mc_if,
		.has_shorter = true},
	{IP_MULTICAST_IF, WEIR_OPT_DGRAM, sizeof(struct ip_mreq), get_mc_if, set_mc_if,
		.has_shorter = true},
	{IP_MULTICAST_IF, WEIR_OPT_DGRAM, sizeof(struct in_addr), get_mc_if, set_mc_if, 0, NULL},
	SENDING(IP_MULTICAST_LOOP, 0, mc_loop),
	SENDING(IP_MULTICAST_TTL, 0, mc_ttl),
	SET_ROW(IP_UNBLOCK_SOURCE, struct ip_mreq_source, change_mreq_source),
	BOTH_VERSIONS,
	{0},
};

const struct weir_opt weir_opts_mcast6[] = {
	SET_ROW(IPV6_ADD_MEMBERSHIP, struct ipv6_mreq, change_mreq6),
	SET_ROW(IPV6_DROP_MEMBERSHIP, struct ipv6_mreq, change_mreq6),
	SENDING(IPV6_MULTICAST_ALL, 1, mc_all),
	SENDING(IPV6_MULTICAST_HOPS, 1, mc_ttl),
	{IPV6_MULTICAST_IF, WEIR_OPT_DGRAM, sizeof(int), get_mc_if6, set_mc_if6, 0, NULL},
	SENDING(IPV6_MULTICAST_LOOP, 1, mc_loop),
	BOTH_VERSIONS,
	{0},
};
