/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of level SOL_SOCKET. */
#include <sys/time.h>

#include "opt_priv.h"

#define SNDBUF_MIN 4608 /* as Linux: no socket is starved altogether */
#define RCVBUF_MIN 2304
#define BUF_MAX	   (256u << 20)
#define PRIO_MAX   6 /* without privileges */

WEIR_OPT_BOOL(keepalive, is_keepalive)

/* Twice what was asked for, as Linux: what counts is memory, of which payload is a part. */
static uint32_t
buf_size(const void *value, uint32_t min)
{
	const uint64_t twice = 2 * (uint64_t)RTE_MAX(weir_opt_int(value), 0);

	return (uint32_t)RTE_MIN(RTE_MAX(twice, (uint64_t)min), (uint64_t)BUF_MAX);
}

WEIR_OPT_GET(sndbuf)
{
	return weir_opt_put(value, (int)weir_peek(s->opts.sndbuf));
}

WEIR_OPT_SET(sndbuf)
{
	weir_poke(s->opts.is_sndbuf_fixed, true); /* before the size: no growth overwrites it */
	weir_poke(s->opts.sndbuf, buf_size(value, SNDBUF_MIN));
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(rcvbuf)
{
	return weir_opt_put(value, (int)weir_peek(s->opts.rcvbuf));
}

WEIR_OPT_SET(rcvbuf)
{
	weir_poke(s->opts.is_rcvbuf_fixed, true);
	weir_poke(s->opts.rcvbuf, buf_size(value, RCVBUF_MIN));
	return weir_opt_changed(st, s);
}

static int
soft_error_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_soft_error(&w->sock, arg);
}

/* What an ICMP message said that did not end the connection: told here alone, as on Linux. */
static int
take_soft_error(struct weir_stack *st, struct weir_sock *s)
{
	if (likely(!(weir_sock_flags(s) & WEIR_SOCK_SOFT_ERROR)))
		return 0;
	weir_sock_clear(s, WEIR_SOCK_SOFT_ERROR);
	return RTE_MAX(weir_on_worker(st, weir_sock_home(s), soft_error_on, s), 0);
}

WEIR_OPT_GET(error)
{
	const int error = weir_take_error(s);

	return weir_opt_put(value, error != 0 ? error : take_soft_error(st, s));
}

WEIR_OPT_GET(type)
{
	static const int type_of[] = {[WEIR_SOCK_TCP] = SOCK_STREAM,
		[WEIR_SOCK_UDP] = SOCK_DGRAM,
		[WEIR_SOCK_RAW] = SOCK_RAW};

	return weir_opt_put(value, type_of[s->kind]);
}

WEIR_OPT_GET(domain)
{
	return weir_opt_put(value, s->domain);
}

WEIR_OPT_GET(protocol)
{
	if (s->kind == WEIR_SOCK_RAW)
		return weir_opt_put(value, s->dgram->raw.proto);
	return weir_opt_put(value, s->kind == WEIR_SOCK_TCP ? IPPROTO_TCP : IPPROTO_UDP);
}

WEIR_OPT_GET(acceptconn)
{
	return weir_opt_put(value, (weir_sock_flags(s) & WEIR_SOCK_LISTENING) != 0);
}

WEIR_OPT_GET(sndlowat)
{
	return weir_opt_put(value, 1);
}

/* The lcore of the worker that has the connection, or sends the datagrams. */
WEIR_OPT_GET(incoming_cpu)
{
	return weir_opt_put(value, weir_sock_home(s));
}

WEIR_OPT_GET(rcvlowat)
{
	return weir_opt_put(value, (int)weir_peek(s->rcvlowat));
}

/* No more than a window holds, or nothing would ever be readable. */
WEIR_OPT_SET(rcvlowat)
{
	const int v = weir_opt_int(value);
	const uint32_t wanted = v < 0 ? INT32_MAX : (uint32_t)v;
	const uint32_t max = s->kind == WEIR_SOCK_TCP ? weir_peek(s->opts.rcvbuf) / 2 : INT32_MAX;

	weir_poke(s->rcvlowat, RTE_MAX(RTE_MIN(wanted, max), 1u));
	if (s->kind == WEIR_SOCK_TCP && (weir_sock_poll(s) & POLLIN))
		weir_sock_notify_of(s, WEIR_NEWS_IN); /* it may be readable only now */
	return 0;
}

WEIR_OPT_GET(peek_off)
{
	return weir_opt_put(value, weir_peek(s->peek_off));
}

WEIR_OPT_SET(peek_off)
{
	if (weir_opt_int(value) < -1)
		return -EINVAL;
	weir_poke(s->peek_off, weir_opt_int(value));
	return 0;
}

WEIR_OPT_GET(priority)
{
	return weir_opt_put(value, (int)weir_peek(s->priority));
}

WEIR_OPT_SET(priority)
{
	if (!weir_opt_is_in(weir_opt_int(value), 0, PRIO_MAX))
		return -EPERM;
	weir_poke(s->priority, (uint32_t)weir_opt_int(value));
	return 0;
}

WEIR_OPT_GET(linger)
{
	const struct linger l = {
		.l_onoff = weir_peek(s->is_linger), .l_linger = weir_peek(s->linger_s)};

	memcpy(value, &l, sizeof(l));
	return 0;
}

WEIR_OPT_SET(linger)
{
	struct linger l;

	memcpy(&l, value, sizeof(l));
	weir_poke(s->linger_s, (uint16_t)RTE_MIN(RTE_MAX(l.l_linger, 0), UINT16_MAX));
	weir_poke(s->is_linger, l.l_onoff != 0);
	return 0;
}

/* One of the two kinds of time stamps at most. */
WEIR_OPT_SET(timestamp)
{
	weir_sock_switch(s, WEIR_SW_TIMESTAMP | WEIR_SW_TIMESTAMPNS, false);
	return weir_opt_set_switch(st, s, o, value);
}

WEIR_OPT_SET(zerocopy)
{
	if (!weir_opt_is_in(weir_opt_int(value), 0, 1))
		return -EINVAL;
	return weir_opt_set_switch(st, s, o, value);
}

WEIR_OPT_GET(max_rate)
{
	const uint64_t max = weir_peek(s->opts.max_pacing_bps);
	const uint64_t v = max != 0 ? max : UINT64_MAX;

	memcpy(value, &v, sizeof(v));
	return 0;
}

WEIR_OPT_SET(max_rate)
{
	uint64_t v;

	memcpy(&v, value, sizeof(v));
	weir_poke(s->opts.max_pacing_bps, v == UINT64_MAX ? 0 : RTE_MAX(v, UINT64_C(1)));
	return weir_opt_changed(st, s);
}

/* The same in 32 bits: all of them set is no limit. */
WEIR_OPT_GET(max_rate32)
{
	uint64_t v;

	get_max_rate(st, s, o, &v);
	return weir_opt_put(value, (int)(uint32_t)RTE_MIN(v, (uint64_t)UINT32_MAX));
}

WEIR_OPT_SET(max_rate32)
{
	const uint32_t v32 = (uint32_t)weir_opt_int(value);
	const uint64_t v = v32 == UINT32_MAX ? UINT64_MAX : v32;

	return set_max_rate(st, s, o, &v);
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

WEIR_OPT_GET(rcvtimeo)
{
	return get_timeout(value, weir_peek(s->rcvtimeo_ms));
}

WEIR_OPT_SET(rcvtimeo)
{
	return set_timeout(value, &s->rcvtimeo_ms);
}

WEIR_OPT_GET(sndtimeo)
{
	return get_timeout(value, weir_peek(s->sndtimeo_ms));
}

WEIR_OPT_SET(sndtimeo)
{
	return set_timeout(value, &s->sndtimeo_ms);
}

#define TIME_OF(name, get, set)                                               \
	{                                                                     \
		name, WEIR_OPT_ANY, sizeof(struct timeval), get, set, 0, NULL \
	}

/* SO_SNDBUFFORCE, SO_RCVBUFFORCE: nobody is privileged here, so they are the plain ones. */
const struct weir_opt weir_opts_socket[] = {
	WEIR_OPT_ROW(SO_ACCEPTCONN, WEIR_OPT_ANY, get_acceptconn, NULL),
	{SO_BINDTODEVICE, WEIR_OPT_ANY, WEIR_OPT_IFACE_LEN, weir_opt_get_bound_iface, NULL, 0,
		weir_opt_set_bound_iface},
	WEIR_OPT_SWITCH(SO_BROADCAST, WEIR_OPT_ANY, WEIR_SW_BROADCAST),
	WEIR_OPT_ROW(SO_DOMAIN, WEIR_OPT_ANY, get_domain, NULL),
	WEIR_OPT_ROW(SO_ERROR, WEIR_OPT_ANY, get_error, NULL),
	WEIR_OPT_ROW(SO_INCOMING_CPU, WEIR_OPT_ANY, get_incoming_cpu, NULL),
	WEIR_OPT_ROW(SO_KEEPALIVE, WEIR_OPT_ANY, get_keepalive, set_keepalive),
	{SO_LINGER, WEIR_OPT_ANY, sizeof(struct linger), get_linger, set_linger, 0, NULL},
	{SO_MAX_PACING_RATE, WEIR_OPT_TCP, sizeof(uint64_t), get_max_rate, set_max_rate,
		.has_shorter = true},
	{SO_MAX_PACING_RATE, WEIR_OPT_TCP, sizeof(uint32_t), get_max_rate32, set_max_rate32},
	{SO_MEMINFO, WEIR_OPT_ANY, WEIR_OPT_MEMINFO_LEN, weir_opt_get_meminfo, NULL, 0, NULL},
	WEIR_OPT_SWITCH(SO_OOBINLINE, WEIR_OPT_ANY, WEIR_SW_OOBINLINE),
	WEIR_OPT_ROW(SO_PEEK_OFF, WEIR_OPT_ANY, get_peek_off, set_peek_off),
	WEIR_OPT_ROW(SO_PRIORITY, WEIR_OPT_ANY, get_priority, set_priority),
	WEIR_OPT_ROW(SO_PROTOCOL, WEIR_OPT_ANY, get_protocol, NULL),
	WEIR_OPT_ROW(SO_RCVBUF, WEIR_OPT_ANY, get_rcvbuf, set_rcvbuf),
	WEIR_OPT_ROW(SO_RCVBUFFORCE, WEIR_OPT_ANY, NULL, set_rcvbuf),
	WEIR_OPT_ROW(SO_RCVLOWAT, WEIR_OPT_ANY, get_rcvlowat, set_rcvlowat),
	TIME_OF(SO_RCVTIMEO, get_rcvtimeo, set_rcvtimeo),
	WEIR_OPT_SWITCH(SO_REUSEADDR, WEIR_OPT_ANY, WEIR_SW_REUSEADDR),
	WEIR_OPT_SWITCH(SO_REUSEPORT, WEIR_OPT_ANY, WEIR_SW_REUSEPORT),
	{SO_SENDDATAIF, WEIR_OPT_DGRAM, WEIR_OPT_IFACE_LEN, weir_opt_get_send_iface, NULL, 0,
		weir_opt_set_send_iface},
	WEIR_OPT_ROW(SO_SNDBUF, WEIR_OPT_ANY, get_sndbuf, set_sndbuf),
	WEIR_OPT_ROW(SO_SNDBUFFORCE, WEIR_OPT_ANY, NULL, set_sndbuf),
	WEIR_OPT_ROW(SO_SNDLOWAT, WEIR_OPT_ANY, get_sndlowat, NULL),
	TIME_OF(SO_SNDTIMEO, get_sndtimeo, set_sndtimeo),
	{SO_TIMESTAMP, WEIR_OPT_ANY, sizeof(int), weir_opt_get_switch, set_timestamp,
		WEIR_SW_TIMESTAMP, NULL},
	{SO_TIMESTAMPNS, WEIR_OPT_ANY, sizeof(int), weir_opt_get_switch, set_timestamp,
		WEIR_SW_TIMESTAMPNS, NULL},
	WEIR_OPT_ROW(SO_TYPE, WEIR_OPT_ANY, get_type, NULL),
	{SO_ZEROCOPY, WEIR_OPT_TCP, sizeof(int), weir_opt_get_switch, set_zerocopy,
		WEIR_SW_ZEROCOPY, NULL},
	{0},
};
