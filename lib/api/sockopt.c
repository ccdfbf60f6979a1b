/* SPDX-License-Identifier: BSD-3-Clause */
/* getsockopt and setsockopt: which option, and how long its value is. The tables are opt_*.c. */
#include "opt_priv.h"

int
weir_opt_changed(struct weir_stack *st, struct weir_sock *s)
{
	struct weir_sock_worker *ws = weir_here(st, s);

	if (s->kind != WEIR_SOCK_TCP)
		return 0;
	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return weir_listener_changed(st, s);
	if (ws != NULL)
		weir_sock_serve(ws, s, WEIR_DOOR_OPTS);
	else
		weir_sock_ring(s, WEIR_DOOR_OPTS);
	return 0;
}

int
weir_opt_get_switch(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	return weir_opt_put(value, weir_sock_has(s, o->bit));
}

int
weir_opt_set_switch(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	weir_sock_switch(s, o->bit, weir_opt_int(value) != 0);
	return 0;
}

const struct weir_opt_level weir_opt_levels[] = {
	{SOL_SOCKET, weir_opts_socket},
	{IPPROTO_IP, weir_opts_ip4},
	{IPPROTO_IP, weir_opts_mcast4},
	{IPPROTO_IP, weir_opts_raw4},
	{IPPROTO_IPV6, weir_opts_ip6},
	{IPPROTO_IPV6, weir_opts_mcast6},
	{IPPROTO_IPV6, weir_opts_raw6},
	{IPPROTO_TCP, weir_opts_tcp},
	{IPPROTO_TCP, weir_opts_syn},
	{IPPROTO_UDP, weir_opts_udp},
	{SOL_SOCKET, weir_opts_no_check},
	{SOL_SOCKET, weir_opts_stamps},
	{IPPROTO_IP, weir_opts_err4},
	{IPPROTO_IP, weir_opts_path4},
	{IPPROTO_IPV6, weir_opts_err6},
	{IPPROTO_IPV6, weir_opts_path6},
	{SOL_RAW, weir_opts_raw},
	{IPPROTO_ICMPV6, weir_opts_icmp6},
	{0, NULL},
};

static bool
is_for(const struct weir_opt *o, const struct weir_sock *s)
{
	switch (o->kind) {
	case WEIR_OPT_TCP:
		return s->kind == WEIR_SOCK_TCP;
	case WEIR_OPT_DGRAM:
		return weir_sock_is_dgram(s);
	case WEIR_OPT_UDP:
		return s->kind == WEIR_SOCK_UDP;
	case WEIR_OPT_RAW:
		return s->kind == WEIR_SOCK_RAW;
	default:
		return true;
	}
}

static const struct weir_opt *
find_in(const struct weir_opt *o, const struct weir_sock *s, int name, socklen_t len)
{
	for (; o->size != 0; o++) {
		if (o->name != name)
			continue;
		while (o->has_shorter && len < o->size)
			o++;
		return is_for(o, s) ? o : NULL;
	}
	return NULL;
}

static const struct weir_opt *
find(const struct weir_sock *s, int level, int name, socklen_t len)
{
	const struct weir_opt *o = NULL;

	if (level == IPPROTO_IPV6 && s->domain != AF_INET6)
		return NULL;
	for (const struct weir_opt_level *l = weir_opt_levels; l->table != NULL && o == NULL; l++)
		if (l->level == level)
			o = find_in(l->table, s, name, len);
	return o;
}

/* IPv4 options may be read into a byte, if the value fits one. */
static bool
is_byte_wanted(int level, const struct weir_opt *o, const void *value, socklen_t len)
{
	return level == IPPROTO_IP && o->size == sizeof(int) && len > 0 && len < sizeof(int) &&
	       weir_opt_is_in(weir_opt_int(value), 0, UINT8_MAX);
}

/* Of levels that an IPv4 socket does not have, Linux says something else when it is asked. */
static int
no_option(const struct weir_sock *s, int level)
{
	const bool has_level = level == SOL_SOCKET || level == IPPROTO_IP ||
			       (level == IPPROTO_TCP && s->kind == WEIR_SOCK_TCP) ||
			       (level == IPPROTO_UDP && s->kind == WEIR_SOCK_UDP) ||
			       s->kind == WEIR_SOCK_RAW;

	return has_level || s->domain != AF_INET ? -ENOPROTOOPT : -EOPNOTSUPP;
}

static int
get_long(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value,
	socklen_t *len)
{
	const int rc = *len < o->size ? -EINVAL : o->get_long(st, s, o, value, *len);

	if (rc < 0)
		return rc;
	*len = (socklen_t)rc;
	return 0;
}

/* A shorter buffer than the value gets its beginning, as Linux does it. */
static int
get_opt(struct weir_stack *st, struct weir_sock *s, int level, int name, void *value,
	socklen_t *len)
{
	const struct weir_opt *o = find(s, level, name, *len);
	char room[WEIR_OPT_MAX];
	socklen_t size;
	int rc;

	if (o == NULL || !weir_opt_can_get(o))
		return no_option(s, level);
	if ((int)*len < 0)
		return -EINVAL;
	if (o->get_own != NULL)
		return o->get_own(s, value, len);
	if (o->get_long != NULL)
		return get_long(st, s, o, value, len);
	rc = o->get(st, s, o, room);
	if (rc < 0)
		return rc;
	size = rc > 0 ? (socklen_t)rc - 1 : o->size;
	if (is_byte_wanted(level, o, room, *len)) {
		*(uint8_t *)value = (uint8_t)weir_opt_int(room);
		*len = 1;
		return 0;
	}
	*len = RTE_MIN(*len, size);
	memcpy(value, room, *len);
	return 0;
}

int
weir_getsockopt(struct weir_stack *st, int fd, int level, int name, void *value, socklen_t *len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = value == NULL || len == NULL ? -EFAULT : get_opt(st, s, level, name, value, len);
	weir_sock_unref(s);
	return rc;
}

/* Text needs no final zero, and what is too long is cut, as Linux does it; a name may be none. */
static int
set_text(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const char *value,
	socklen_t len)
{
	char text[64] = "";

	if (len < 1 && o->kind == WEIR_OPT_TCP)
		return -EINVAL;
	memcpy(text, value, RTE_MIN(len, o->size - 1u));
	return o->set_text(st, s, text);
}

/* IPv4 options may be a byte; all others must have their size at least. */
static int
set_short(struct weir_stack *st, struct weir_sock *s, int level, const struct weir_opt *o,
	const uint8_t *value, socklen_t len)
{
	const int v = len > 0 ? *value : 0;

	if (level != IPPROTO_IP || o->size != sizeof(int))
		return -EINVAL;
	return o->set(st, s, o, &v);
}

static int
set_opt(struct weir_stack *st, struct weir_sock *s, int level, int name, const void *value,
	socklen_t len)
{
	const struct weir_opt *o = find(s, level, name, len);

	if ((int)len < 0)
		return -EINVAL;
	if (o == NULL || !weir_opt_can_set(o))
		return -ENOPROTOOPT;
	if (value == NULL)
		return -EFAULT;
	if (o->set_text != NULL)
		return set_text(st, s, o, value, len);
	if (len < o->size)
		return set_short(st, s, level, o, value, len);
	if (o->set_long != NULL)
		return o->set_long(st, s, o, value, len);
	return o->set(st, s, o, value);
}

int
weir_setsockopt(
	struct weir_stack *st, int fd, int level, int name, const void *value, socklen_t len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = set_opt(st, s, level, name, value, len);
	weir_sock_unref(s);
	return rc;
}
