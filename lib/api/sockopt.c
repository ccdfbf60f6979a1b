/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Socket options: one table, one row each. What is not in it does not exist (ENOPROTOOPT); what is
 * in it has its effect.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/time.h>

#include "stack_priv.h"

#define BUF_MIN 4608 /* as Linux: no socket is starved altogether */
#define BUF_MAX (256u << 20)

enum opt_kind { OPT_ANY, OPT_TCP_ONLY };

/* Getters and setters see the value as Linux passes it: most are an int. */
struct opt {
	int level;
	int name;
	enum opt_kind kind;
	uint16_t size; /* of the value; longest one of those with set_text */
	int (*get)(struct weir_stack *st, struct weir_sock *s, void *value);
	int (*set)(struct weir_stack *st, struct weir_sock *s, const void *value);
	int (*set_text)(struct weir_stack *st, struct weir_sock *s, const char *text);
	bool has_shorter; /* the next row is the same option for those with less room */
};

static int
as_int(const void *value)
{
	int v;

	memcpy(&v, value, sizeof(v));
	return v;
}

static int
put_int(void *value, int v)
{
	memcpy(value, &v, sizeof(v));
	return 0;
}

/* The connection, if there is one, is to go by the changed options. */
static int
changed(struct weir_stack *st, struct weir_sock *s)
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

static bool
in_range(int v, int min, int max)
{
	return v >= min && v <= max;
}

/* An int option that is a field of opts. */
#define INT_OPT(fn, field, type, min, max)                                                 \
	static int get_##fn(struct weir_stack *st, struct weir_sock *s, void *value)       \
	{                                                                                  \
		return put_int(value, (int)weir_peek(s->opts.field));                      \
	}                                                                                  \
	static int set_##fn(struct weir_stack *st, struct weir_sock *s, const void *value) \
	{                                                                                  \
		if (!in_range(as_int(value), min, max))                                    \
			return -EINVAL;                                                    \
		weir_poke(s->opts.field, (type)as_int(value));                             \
		return changed(st, s);                                                     \
	}

/* Switches: any value but 0 is on. */
#define BOOL_OPT(fn, field)                                                                \
	static int get_##fn(struct weir_stack *st, struct weir_sock *s, void *value)       \
	{                                                                                  \
		return put_int(value, weir_peek(s->field));                                \
	}                                                                                  \
	static int set_##fn(struct weir_stack *st, struct weir_sock *s, const void *value) \
	{                                                                                  \
		weir_poke(s->field, as_int(value) != 0);                                   \
		return changed(st, s);                                                     \
	}

INT_OPT(tos, tos, uint8_t, 0, 255)
INT_OPT(keep_idle, keep_idle_s, uint32_t, 1, 32767)
INT_OPT(keep_intvl, keep_intvl_s, uint16_t, 1, 32767)
INT_OPT(keep_cnt, keep_cnt, uint8_t, 1, 127)
INT_OPT(user_timeout, user_timeout_ms, uint32_t, 0, INT32_MAX)
BOOL_OPT(nodelay, opts.is_nodelay)
BOOL_OPT(cork, opts.is_cork)
BOOL_OPT(quickack, opts.is_quickack)
BOOL_OPT(keepalive, opts.is_keepalive)

static int
get_reuseaddr(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, weir_sock_has(s, WEIR_SW_REUSEADDR));
}

static int
set_reuseaddr(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	weir_sock_switch(s, WEIR_SW_REUSEADDR, as_int(value) != 0);
	return 0;
}

static int
get_maxseg(struct weir_stack *st, struct weir_sock *s, void *value)
{
	const int maxseg = weir_peek(s->opts.maxseg);

	return put_int(value, maxseg != 0 ? maxseg : 536);
}

static int
set_maxseg(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	if (as_int(value) != 0 && !in_range(as_int(value), 88, 32767))
		return -EINVAL;
	weir_poke(s->opts.maxseg, (uint16_t)as_int(value));
	return changed(st, s);
}

static int
get_fastopen(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, weir_peek(s->opts.fastopen));
}

/* How many connections may be open by their SYN alone (RFC 7413). */
static int
set_fastopen(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	const uint32_t connect = WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING;

	if (as_int(value) < 0 || (weir_sock_flags(s) & connect))
		return -EINVAL;
	weir_poke(s->opts.fastopen, (uint16_t)RTE_MIN(as_int(value), UINT16_MAX));
	return changed(st, s);
}

static int
get_ttl(struct weir_stack *st, struct weir_sock *s, void *value)
{
	const int ttl = weir_peek(s->opts.ttl);

	return put_int(value, ttl != 0 ? ttl : 64);
}

/* -1 restores the default (ip(7), ipv6(7)). */
static int
set_ttl(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	const int v = as_int(value);

	if (v != -1 && !in_range(v, 1, 255))
		return -EINVAL;
	weir_poke(s->opts.ttl, v == -1 ? 0 : (uint8_t)v);
	return changed(st, s);
}

/* Twice what was asked for, as Linux: what counts is memory, of which payload is a part. */
static uint32_t
buf_size(const void *value)
{
	const uint64_t twice = 2 * (uint64_t)RTE_MAX(as_int(value), 0);

	return (uint32_t)RTE_MIN(RTE_MAX(twice, (uint64_t)BUF_MIN), (uint64_t)BUF_MAX);
}

static int
get_sndbuf(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, (int)weir_peek(s->opts.sndbuf));
}

static int
set_sndbuf(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	weir_poke(s->opts.sndbuf, buf_size(value));
	return changed(st, s);
}

static int
get_rcvbuf(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, (int)weir_peek(s->opts.rcvbuf));
}

static int
set_rcvbuf(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	weir_poke(s->opts.rcvbuf, buf_size(value));
	return changed(st, s);
}

static int
get_error(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, weir_take_error(s));
}

static int
get_type(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, s->kind == WEIR_SOCK_TCP ? SOCK_STREAM : SOCK_DGRAM);
}

static int
get_domain(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, s->domain);
}

static int
get_protocol(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, s->kind == WEIR_SOCK_TCP ? IPPROTO_TCP : IPPROTO_UDP);
}

static int
get_acceptconn(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, (weir_sock_flags(s) & WEIR_SOCK_LISTENING) != 0);
}

static int
get_linger(struct weir_stack *st, struct weir_sock *s, void *value)
{
	const struct linger l = {
		.l_onoff = weir_peek(s->is_linger), .l_linger = weir_peek(s->linger_s)};

	memcpy(value, &l, sizeof(l));
	return 0;
}

static int
set_linger(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	struct linger l;

	memcpy(&l, value, sizeof(l));
	weir_poke(s->linger_s, (uint16_t)RTE_MIN(RTE_MAX(l.l_linger, 0), UINT16_MAX));
	weir_poke(s->is_linger, l.l_onoff != 0);
	return 0;
}

static int
get_timeout(void *value, uint32_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	memcpy(value, &tv, sizeof(tv));
	return 0;
}

static int
set_timeout(const void *value, uint32_t *ms)
{
	struct timeval tv;

	memcpy(&tv, value, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0 || tv.tv_sec > UINT32_MAX / 1000 - 1)
		weir_poke(*ms, 0); /* as good as for ever */
	else
		weir_poke(*ms, (uint32_t)tv.tv_sec * 1000 + (uint32_t)((tv.tv_usec + 999) / 1000));
	return 0;
}

static int
get_rcvtimeo(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return get_timeout(value, weir_peek(s->rcvtimeo_ms));
}

static int
set_rcvtimeo(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	return set_timeout(value, &s->rcvtimeo_ms);
}

static int
get_sndtimeo(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return get_timeout(value, weir_peek(s->sndtimeo_ms));
}

static int
set_sndtimeo(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	return set_timeout(value, &s->sndtimeo_ms);
}

static int
get_v6only(struct weir_stack *st, struct weir_sock *s, void *value)
{
	return put_int(value, weir_sock_has(s, WEIR_SW_V6ONLY));
}

static int
set_v6only(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	if (s->domain != AF_INET6 || (weir_sock_flags(s) & WEIR_SOCK_BOUND))
		return -EINVAL;
	weir_sock_switch(s, WEIR_SW_V6ONLY, as_int(value) != 0);
	return 0;
}

static int
get_congestion(struct weir_stack *st, struct weir_sock *s, void *value)
{
	strncpy(value, weir_tcp_cc_at(weir_peek(s->opts.cc))->name, WEIR_TCP_CC_NAME_LEN);
	return 0;
}

static int
set_congestion(struct weir_stack *st, struct weir_sock *s, const char *name)
{
	const int i = weir_tcp_cc_find(name);

	if (i < 0)
		return -ENOENT;
	weir_poke(s->opts.cc, (uint8_t)i);
	return changed(st, s);
}

static int
get_max_rate(struct weir_stack *st, struct weir_sock *s, void *value)
{
	const uint64_t max = weir_peek(s->opts.max_pacing_bps);
	const uint64_t v = max != 0 ? max : UINT64_MAX;

	memcpy(value, &v, sizeof(v));
	return 0;
}

static int
set_max_rate(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	uint64_t v;

	memcpy(&v, value, sizeof(v));
	weir_poke(s->opts.max_pacing_bps, v == UINT64_MAX ? 0 : RTE_MAX(v, UINT64_C(1)));
	return changed(st, s);
}

/* The same in 32 bits: all of them set is no limit. */
static int
get_max_rate32(struct weir_stack *st, struct weir_sock *s, void *value)
{
	uint64_t v;

	get_max_rate(st, s, &v);
	return put_int(value, (int)(uint32_t)RTE_MIN(v, (uint64_t)UINT32_MAX));
}

static int
set_max_rate32(struct weir_stack *st, struct weir_sock *s, const void *value)
{
	const uint32_t v32 = (uint32_t)as_int(value);
	const uint64_t v = v32 == UINT32_MAX ? UINT64_MAX : v32;

	return set_max_rate(st, s, &v);
}

static const struct opt table[] = {
	{SOL_SOCKET, SO_ACCEPTCONN, OPT_ANY, sizeof(int), get_acceptconn, NULL},
	{SOL_SOCKET, SO_DOMAIN, OPT_ANY, sizeof(int), get_domain, NULL},
	{SOL_SOCKET, SO_ERROR, OPT_ANY, sizeof(int), get_error, NULL},
	{SOL_SOCKET, SO_KEEPALIVE, OPT_ANY, sizeof(int), get_keepalive, set_keepalive},
	{SOL_SOCKET, SO_LINGER, OPT_ANY, sizeof(struct linger), get_linger, set_linger},
	{SOL_SOCKET, SO_MAX_PACING_RATE, OPT_TCP_ONLY, sizeof(uint64_t), get_max_rate, set_max_rate,
		.has_shorter = true},
	{SOL_SOCKET, SO_MAX_PACING_RATE, OPT_TCP_ONLY, sizeof(uint32_t), get_max_rate32,
		set_max_rate32},
	{SOL_SOCKET, SO_PROTOCOL, OPT_ANY, sizeof(int), get_protocol, NULL},
	{SOL_SOCKET, SO_RCVBUF, OPT_ANY, sizeof(int), get_rcvbuf, set_rcvbuf},
	{SOL_SOCKET, SO_RCVTIMEO, OPT_ANY, sizeof(struct timeval), get_rcvtimeo, set_rcvtimeo},
	{SOL_SOCKET, SO_REUSEADDR, OPT_ANY, sizeof(int), get_reuseaddr, set_reuseaddr},
	{SOL_SOCKET, SO_SNDBUF, OPT_ANY, sizeof(int), get_sndbuf, set_sndbuf},
	{SOL_SOCKET, SO_SNDTIMEO, OPT_ANY, sizeof(struct timeval), get_sndtimeo, set_sndtimeo},
	{SOL_SOCKET, SO_TYPE, OPT_ANY, sizeof(int), get_type, NULL},
	{IPPROTO_IP, IP_TOS, OPT_ANY, sizeof(int), get_tos, set_tos},
	{IPPROTO_IP, IP_TTL, OPT_ANY, sizeof(int), get_ttl, set_ttl},
	{IPPROTO_IPV6, IPV6_TCLASS, OPT_ANY, sizeof(int), get_tos, set_tos},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, OPT_ANY, sizeof(int), get_ttl, set_ttl},
	{IPPROTO_IPV6, IPV6_V6ONLY, OPT_ANY, sizeof(int), get_v6only, set_v6only},
	{IPPROTO_TCP, TCP_CONGESTION, OPT_TCP_ONLY, WEIR_TCP_CC_NAME_LEN, get_congestion, NULL,
		set_congestion},
	{IPPROTO_TCP, TCP_CORK, OPT_TCP_ONLY, sizeof(int), get_cork, set_cork},
	{IPPROTO_TCP, TCP_FASTOPEN, OPT_TCP_ONLY, sizeof(int), get_fastopen, set_fastopen},
	{IPPROTO_TCP, TCP_KEEPCNT, OPT_TCP_ONLY, sizeof(int), get_keep_cnt, set_keep_cnt},
	{IPPROTO_TCP, TCP_KEEPIDLE, OPT_TCP_ONLY, sizeof(int), get_keep_idle, set_keep_idle},
	{IPPROTO_TCP, TCP_KEEPINTVL, OPT_TCP_ONLY, sizeof(int), get_keep_intvl, set_keep_intvl},
	{IPPROTO_TCP, TCP_MAXSEG, OPT_TCP_ONLY, sizeof(int), get_maxseg, set_maxseg},
	{IPPROTO_TCP, TCP_NODELAY, OPT_TCP_ONLY, sizeof(int), get_nodelay, set_nodelay},
	{IPPROTO_TCP, TCP_QUICKACK, OPT_TCP_ONLY, sizeof(int), get_quickack, set_quickack},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, OPT_TCP_ONLY, sizeof(int), get_user_timeout,
		set_user_timeout},
};

static const struct opt *
find(const struct weir_sock *s, int level, int name, socklen_t len)
{
	for (size_t i = 0; i < RTE_DIM(table); i++) {
		const struct opt *o = &table[i];

		if (o->level != level || o->name != name)
			continue;
		if (o->kind == OPT_TCP_ONLY && s->kind != WEIR_SOCK_TCP)
			return NULL;
		if (level == IPPROTO_IPV6 && s->domain != AF_INET6)
			return NULL;
		return o->has_shorter && len < o->size ? o + 1 : o;
	}
	return NULL;
}

/* A shorter buffer than the value gets its beginning, as Linux does it. */
static int
get_opt(struct weir_stack *st, struct weir_sock *s, int level, int name, void *value,
	socklen_t *len)
{
	const struct opt *o = find(s, level, name, *len);
	char room[64];
	int rc;

	if (o == NULL)
		return -ENOPROTOOPT;
	if ((int)*len < 0)
		return -EINVAL;
	rc = o->get(st, s, room);
	if (rc != 0)
		return rc;
	*len = RTE_MIN(*len, (socklen_t)o->size);
	memcpy(value, room, *len);
	return 0;
}

int
weir_getsockopt(struct weir_stack *st, int fd, int level, int name, void *value, socklen_t *len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = value == NULL || len == NULL ? -EFAULT : get_opt(st, s, level, name, value, len);
	weir_sock_unref(s);
	return rc;
}

/* Text needs no final zero, and what is too long is cut, as Linux does it. */
static int
set_text(struct weir_stack *st, struct weir_sock *s, const struct opt *o, const char *value,
	socklen_t len)
{
	char text[64] = "";

	if ((int)len < 1)
		return -EINVAL;
	memcpy(text, value, RTE_MIN(len, o->size - 1u));
	return o->set_text(st, s, text);
}

static int
set_opt(struct weir_stack *st, struct weir_sock *s, int level, int name, const void *value,
	socklen_t len)
{
	const struct opt *o = find(s, level, name, len);

	if (o == NULL || (o->set == NULL && o->set_text == NULL))
		return -ENOPROTOOPT;
	if (value == NULL)
		return -EFAULT;
	if (o->set_text != NULL)
		return set_text(st, s, o, value, len);
	return len < o->size ? -EINVAL : o->set(st, s, value);
}

int
weir_setsockopt(
	struct weir_stack *st, int fd, int level, int name, const void *value, socklen_t len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = set_opt(st, s, level, name, value, len);
	weir_sock_unref(s);
	return rc;
}
