/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of level IPPROTO_TCP. */
#include <netinet/tcp.h>

#include "opt_priv.h"
#include "weir_tcp_ao.h"

#define MSS_MIN		88 /* as Linux */
#define MSS_DEFAULT	536
#define WINDOW_MIN	1152
#define LINGER2_MAX	120 /* seconds */
#define SYN_TIMEOUT_MAX 120
#define MS_MIN		2 /* of TCP_RTO_MIN_US and TCP_DELACK_MAX_US */
#define MS_MAX		200
#define RTO_MAX_MIN	1000 /* milliseconds */
#define RTO_MAX_MAX	120000

/* Newer than some headers. */
#define OPT_RTO_MAX_MS	  44
#define OPT_RTO_MIN_US	  45
#define OPT_DELACK_MAX_US 46

WEIR_OPT_INT(keep_idle, keep_idle_s, uint32_t, 1, 32767)
WEIR_OPT_INT(keep_intvl, keep_intvl_s, uint16_t, 1, 32767)
WEIR_OPT_INT(keep_cnt, keep_cnt, uint8_t, 1, 127)
WEIR_OPT_INT(user_timeout, user_timeout_ms, uint32_t, 0, INT32_MAX)
WEIR_OPT_BOOL(nodelay, is_nodelay)
WEIR_OPT_BOOL(cork, is_cork)

static int
mss_on(struct weir_worker *w, void *arg)
{
	struct weir_sock *s = arg;

	if (!weir_sock_rouse(&w->sock, s))
		return -ENOBUFS;
	return s->tcp.conn == NULL ? 0 : s->tcp.conn->mss;
}

/* Of a connection what its segments hold, else what was set. */
WEIR_OPT_GET(maxseg)
{
	const uint32_t flags = weir_sock_flags(s);
	const int maxseg = weir_peek(s->opts.maxseg);
	int mss = 0;

	if ((flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING)) && !(flags & WEIR_SOCK_OVER))
		mss = weir_on_worker(st, weir_sock_home(s), mss_on, s);
	if (mss < 0)
		return mss;
	return weir_opt_put(value, mss != 0 ? mss : maxseg != 0 ? maxseg : MSS_DEFAULT);
}

static int
quickack_on(struct weir_worker *w, void *arg)
{
	struct weir_sock *s = arg;

	if (!weir_sock_rouse(&w->sock, s))
		return -ENOBUFS;
	return s->tcp.conn == NULL || !s->tcp.conn->is_interactive;
}

/* Whether ACKs go at once: of a connection what its conversation has come to. */
WEIR_OPT_GET(quickack)
{
	const enum weir_tcp_quickack how = weir_peek(s->opts.quickack) & 3;
	int on = how == WEIR_TCP_QUICK_UNSET || how == WEIR_TCP_QUICK_ON;

	if (weir_sock_flags(s) & WEIR_SOCK_CONNECTED)
		on = weir_on_worker(st, weir_sock_home(s), quickack_on, s);
	return on < 0 ? on : weir_opt_put(value, on);
}

WEIR_OPT_SET(quickack)
{
	const int v = weir_opt_int(value);
	const enum weir_tcp_quickack how = v == 0  ? WEIR_TCP_QUICK_OFF
					   : v & 1 ? WEIR_TCP_QUICK_ON
						   : WEIR_TCP_QUICK_ONCE;

	weir_poke(s->opts.quickack, (uint8_t)((weir_peek(s->opts.quickack) / 4 + 1) * 4 + how));
	return weir_opt_changed(st, s);
}

WEIR_OPT_SET(maxseg)
{
	const int v = weir_opt_int(value);

	if (v != 0 && !weir_opt_is_in(v, MSS_MIN, INT16_MAX))
		return -EINVAL;
	weir_poke(s->opts.maxseg, (uint16_t)v);
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(syncnt)
{
	const int n = weir_peek(s->opts.syn_retries);

	return weir_opt_put(value, n != 0 ? n : (int)st->conf.tcp.syn_retries);
}

WEIR_OPT_SET(syncnt)
{
	if (!weir_opt_is_in(weir_opt_int(value), 1, 127))
		return -EINVAL;
	weir_poke(s->opts.syn_retries, (uint8_t)weir_opt_int(value));
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(linger2)
{
	const int seconds = weir_peek(s->opts.linger2_s);

	return weir_opt_put(
		value, seconds != 0 ? seconds : (int)(st->conf.tcp.fin_wait_2_ms / 1000));
}

WEIR_OPT_SET(linger2)
{
	const int v = weir_opt_int(value);

	weir_poke(s->opts.linger2_s, (int16_t)RTE_MIN(RTE_MAX(v, -1), LINGER2_MAX));
	return weir_opt_changed(st, s);
}

/* Seconds that so many time-outs of a SYN,ACK take. */
static int
seconds_of(unsigned int timeouts)
{
	int timeout = 1, all = 0;

	for (; timeouts > 0; timeouts--) {
		all += timeout;
		timeout = RTE_MIN(2 * timeout, SYN_TIMEOUT_MAX);
	}
	return all;
}

WEIR_OPT_GET(defer_accept)
{
	return weir_opt_put(value, seconds_of(weir_peek(s->opts.defer_accept)));
}

WEIR_OPT_SET(defer_accept)
{
	unsigned int timeouts = 0;

	while (timeouts < UINT8_MAX && seconds_of(timeouts) < weir_opt_int(value))
		timeouts++;
	weir_poke(s->opts.defer_accept, (uint8_t)timeouts);
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(window_clamp)
{
	return weir_opt_put(value, (int)weir_peek(s->opts.window_clamp));
}

WEIR_OPT_SET(window_clamp)
{
	const int v = weir_opt_int(value);
	const uint32_t in_use = WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_LISTENING;

	if (v < 0 || (v == 0 && (weir_sock_flags(s) & in_use)))
		return -EINVAL;
	weir_poke(s->opts.window_clamp, v == 0 ? 0 : (uint32_t)RTE_MAX(v, WINDOW_MIN));
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(notsent_lowat)
{
	return weir_opt_put(value, (int)weir_peek(s->opts.notsent_lowat));
}

/* An unsigned number; 0: none. */
WEIR_OPT_SET(notsent_lowat)
{
	weir_poke(s->opts.notsent_lowat, (uint32_t)weir_opt_int(value));
	return weir_opt_changed(st, s);
}

/* Milliseconds as Linux counts them, rounded up; *ms is to be from 2 to 200. */
static int
set_ms(struct weir_stack *st, struct weir_sock *s, uint8_t *to, const void *value)
{
	const int64_t ms = ((int64_t)weir_opt_int(value) + 999) / 1000;

	if (ms < MS_MIN || ms > MS_MAX)
		return -EINVAL;
	weir_poke(*to, (uint8_t)ms);
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(rto_min)
{
	const int ms = weir_peek(s->opts.rto_min_ms);

	return weir_opt_put(value, 1000 * (ms != 0 ? ms : (int)st->conf.tcp.rto_min_ms));
}

WEIR_OPT_SET(rto_min)
{
	return set_ms(st, s, &s->opts.rto_min_ms, value);
}

WEIR_OPT_GET(delack_max)
{
	const int ms = weir_peek(s->opts.delack_max_ms);

	return weir_opt_put(value, 1000 * (ms != 0 ? ms : (int)st->conf.tcp.delayed_ack_ms));
}

WEIR_OPT_SET(delack_max)
{
	return set_ms(st, s, &s->opts.delack_max_ms, value);
}

WEIR_OPT_GET(rto_max)
{
	const uint32_t ms = weir_peek(s->opts.rto_max_ms);

	return weir_opt_put(value, (int)(ms != 0 ? ms : st->conf.tcp.rto_max_ms));
}

WEIR_OPT_SET(rto_max)
{
	if (!weir_opt_is_in(weir_opt_int(value), RTO_MAX_MIN, RTO_MAX_MAX))
		return -EINVAL;
	weir_poke(s->opts.rto_max_ms, (uint32_t)weir_opt_int(value));
	return weir_opt_changed(st, s);
}

WEIR_OPT_SET(inq)
{
	if (!weir_opt_is_in(weir_opt_int(value), 0, 1))
		return -EINVAL;
	return weir_opt_set_switch(st, s, o, value);
}

WEIR_OPT_GET(congestion)
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
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(fastopen)
{
	return weir_opt_put(value, weir_peek(s->opts.fastopen));
}

/* How many connections may be open by their SYN alone (RFC 7413). */
WEIR_OPT_SET(fastopen)
{
	const uint32_t connect = WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING;

	if (weir_opt_int(value) < 0 || (weir_sock_flags(s) & connect))
		return -EINVAL;
	weir_poke(s->opts.fastopen, (uint16_t)RTE_MIN(weir_opt_int(value), UINT16_MAX));
	return weir_opt_changed(st, s);
}

WEIR_OPT_GET(fastopen_connect)
{
	return weir_opt_put(value, weir_peek(s->opts.is_fo_connect));
}

WEIR_OPT_SET(fastopen_connect)
{
	const uint32_t in_use = WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_LISTENING;

	if (!weir_opt_is_in(weir_opt_int(value), 0, 1))
		return -EINVAL;
	if (!(st->conf.tcp.fastopen & WEIR_TCP_FASTOPEN_CLIENT))
		return -EOPNOTSUPP;
	if (weir_sock_flags(s) & in_use)
		return -EINVAL;
	weir_poke(s->opts.is_fo_connect, weir_opt_int(value) != 0);
	return 0;
}

WEIR_OPT_GET(fastopen_no_cookie)
{
	return weir_opt_put(value, weir_peek(s->opts.is_fo_no_cookie));
}

WEIR_OPT_SET(fastopen_no_cookie)
{
	const uint32_t in_use = WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING;

	if (!weir_opt_is_in(weir_opt_int(value), 0, 1) || (weir_sock_flags(s) & in_use))
		return -EINVAL;
	weir_poke(s->opts.is_fo_no_cookie, weir_opt_int(value) != 0);
	return weir_opt_changed(st, s);
}

const struct weir_opt weir_opts_tcp[] = {
	{WEIR_TCP_AO_ADD_KEY, WEIR_OPT_TCP, sizeof(struct weir_tcp_ao_add), NULL, weir_opt_add_ao,
		0, NULL},
	{WEIR_TCP_AO_DEL_KEY, WEIR_OPT_TCP, sizeof(struct weir_tcp_ao_del), NULL, weir_opt_del_ao,
		0, NULL},
	{WEIR_TCP_AO_INFO, WEIR_OPT_TCP, sizeof(struct weir_tcp_ao_info), weir_opt_get_ao_info,
		weir_opt_set_ao_info, 0, NULL},
	{TCP_CC_INFO, WEIR_OPT_TCP, WEIR_TCP_CC_INFO_MAX, weir_opt_get_cc_info, NULL, 0, NULL},
	{TCP_CONGESTION, WEIR_OPT_TCP, WEIR_TCP_CC_NAME_LEN, get_congestion, NULL, 0,
		set_congestion},
	WEIR_OPT_ROW(TCP_CORK, WEIR_OPT_TCP, get_cork, set_cork),
	WEIR_OPT_ROW(TCP_DEFER_ACCEPT, WEIR_OPT_TCP, get_defer_accept, set_defer_accept),
	WEIR_OPT_ROW(TCP_FASTOPEN, WEIR_OPT_TCP, get_fastopen, set_fastopen),
	WEIR_OPT_ROW(
		TCP_FASTOPEN_CONNECT, WEIR_OPT_TCP, get_fastopen_connect, set_fastopen_connect),
	WEIR_OPT_ROW(TCP_FASTOPEN_NO_COOKIE, WEIR_OPT_TCP, get_fastopen_no_cookie,
		set_fastopen_no_cookie),
	{TCP_INFO, WEIR_OPT_TCP, WEIR_OPT_INFO_LEN, weir_opt_get_info, NULL, 0, NULL},
	{TCP_INQ, WEIR_OPT_TCP, sizeof(int), weir_opt_get_switch, set_inq, WEIR_SW_INQ, NULL},
	WEIR_OPT_ROW(TCP_KEEPCNT, WEIR_OPT_TCP, get_keep_cnt, set_keep_cnt),
	WEIR_OPT_ROW(TCP_KEEPIDLE, WEIR_OPT_TCP, get_keep_idle, set_keep_idle),
	WEIR_OPT_ROW(TCP_KEEPINTVL, WEIR_OPT_TCP, get_keep_intvl, set_keep_intvl),
	WEIR_OPT_ROW(TCP_LINGER2, WEIR_OPT_TCP, get_linger2, set_linger2),
	WEIR_OPT_ROW(TCP_MAXSEG, WEIR_OPT_TCP, get_maxseg, set_maxseg),
	{TCP_MD5SIG, WEIR_OPT_TCP, sizeof(struct tcp_md5sig), NULL, weir_opt_set_md5, 0, NULL},
	{TCP_MD5SIG_EXT, WEIR_OPT_TCP, sizeof(struct tcp_md5sig), NULL, weir_opt_set_md5, 0, NULL},
	WEIR_OPT_ROW(TCP_NODELAY, WEIR_OPT_TCP, get_nodelay, set_nodelay),
	WEIR_OPT_ROW(TCP_NOTSENT_LOWAT, WEIR_OPT_TCP, get_notsent_lowat, set_notsent_lowat),
	WEIR_OPT_ROW(TCP_QUICKACK, WEIR_OPT_TCP, get_quickack, set_quickack),
	WEIR_OPT_ROW(OPT_RTO_MAX_MS, WEIR_OPT_TCP, get_rto_max, set_rto_max),
	WEIR_OPT_ROW(OPT_RTO_MIN_US, WEIR_OPT_TCP, get_rto_min, set_rto_min),
	WEIR_OPT_ROW(OPT_DELACK_MAX_US, WEIR_OPT_TCP, get_delack_max, set_delack_max),
	WEIR_OPT_ROW(TCP_SYNCNT, WEIR_OPT_TCP, get_syncnt, set_syncnt),
	WEIR_OPT_ROW(TCP_USER_TIMEOUT, WEIR_OPT_TCP, get_user_timeout, set_user_timeout),
	WEIR_OPT_ROW(TCP_WINDOW_CLAMP, WEIR_OPT_TCP, get_window_clamp, set_window_clamp),
	{0},
};
