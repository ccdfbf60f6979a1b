/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: sock_fastopen -> tcp_fo_client -> tcp_output; tcp_syn_sent -> tcp_fo_client. TCP Fast Open,
 * the connecting side (RFC 7413 4.1, 4.2.1), as Linux does it.
 */
#include "tcp_priv.h"

#define OPTIONS_MAX 40 /* a SYN with data leaves room for all that boxes on the path may add */
#define LOSSES_MAX  2  /* time-outs before Fast Open is thought to be dropped on the way */
#define PAUSE_SHIFT 6  /* a pause doubles as often as that */

/* Pauses: something on the path swallows SYNs with data, or what follows them (RFC 7413 7.1) */

static bool
is_paused(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_fo_cache *cache = t->conf.fo_cache;

	if (__atomic_load_n(&cache->pauses, __ATOMIC_RELAXED) == 0)
		return false;
	if (t->core->now_us < __atomic_load_n(&cache->pause_until_us, __ATOMIC_RELAXED))
		return true;
	c->fo |= WEIR_TCP_TFO_TRIAL;
	return false;
}

static void
pause_all(struct weir_tcp *t)
{
	struct weir_tcp_fo_cache *cache = t->conf.fo_cache;
	uint32_t n;

	t->stats.fastopen_blackholes++;
	if (t->conf.fastopen_pause_us == 0)
		return;
	n = __atomic_fetch_add(&cache->pauses, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&cache->pause_until_us,
		t->core->now_us + (t->conf.fastopen_pause_us << RTE_MIN(n, PAUSE_SHIFT)),
		__ATOMIC_RELAXED);
}

void
weir_tcp_fastopen_timed_out(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_given_up)
{
	const uint16_t used = WEIR_TCP_TFO_OPTION | WEIR_TCP_TFO_DATA | WEIR_TCP_TFO_ACKED;

	if (!c->is_active || !(c->fo & used))
		return;
	if (c->retries == LOSSES_MAX || (c->retries < LOSSES_MAX && is_given_up)) {
		t->stats.fastopen_active_failed++;
		pause_all(t);
	}
}

/* A FIN and nothing before it: the data that should have come was swallowed. */
static bool
is_only_fin(const struct weir_tcp_conn *c)
{
	return c->rcv.nxt == c->irs + 1 && c->has_fin_seq && c->ooo.n == 0;
}

void
weir_tcp_fastopen_over(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!c->is_active || !(c->fo & WEIR_TCP_TFO_OPTION))
		return;
	if (is_only_fin(c))
		pause_all(t);
	else if ((c->fo & WEIR_TCP_TFO_TRIAL) && weir_seq_gt(c->rcv.nxt, c->irs + 1))
		__atomic_store_n(&t->conf.fo_cache->pauses, 0, __ATOMIC_RELAXED);
}

/* Opening */

/*
 * What the SYN is to carry: *peer's cookie (len 0: asks for one), with has_option.
 * @return whether data may go with it
 */
static bool
look_up(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_fo_peer *peer,
	bool *has_option)
{
	weir_tcp_fo_cache_get(t->conf.fo_cache, t->core->secret, &c->flow, peer);
	if (peer->fo.len == 0)
		peer->fo.is_exp = peer->try_exp == 1;
	*has_option = false;
	if (is_paused(t, c))
		return false;
	if ((t->conf.fastopen & WEIR_TCP_FASTOPEN_CLIENT_NO_COOKIE) || c->opts.is_fo_no_cookie)
		return true;
	*has_option = true;
	if (peer->fo.len > 0)
		return true;
	c->fo |= WEIR_TCP_TFO_NO_COOKIE << WEIR_TCP_TFO_FAIL_SHIFT;
	return false;
}

/* The peer's segment size as it was last time, less what options may take. */
static uint32_t
room(const struct weir_tcp_conn *c, const struct weir_tcp_fo_peer *peer)
{
	uint16_t mss = weir_tcp_local_mss(c);

	if (peer->mss != 0)
		mss = RTE_MIN(mss, peer->mss);
	return mss > OPTIONS_MAX ? mss - OPTIONS_MAX : 0;
}

uint32_t
weir_tcp_fastopen_begin(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_fo_peer peer;
	bool has_option;

	c->fo |= WEIR_TCP_TFO_WANTED;
	return look_up(t, c, &peer, &has_option) ? room(c, &peer) : 0;
}

void
weir_tcp_fastopen_expect(struct weir_tcp_conn *c)
{
	c->fo |= WEIR_TCP_TFO_MORE;
}

bool
weir_tcp_fastopen_defer(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_fo_peer peer;
	bool has_option;

	c->fo |= WEIR_TCP_TFO_WANTED;
	if (!look_up(t, c, &peer, &has_option))
		return false;
	c->fo |= WEIR_TCP_TFO_DEFERRED;
	if (c->is_out) {
		TAILQ_REMOVE(&t->out, c, out);
		c->is_out = false;
	}
	return true;
}

void
weir_tcp_fastopen_go(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->fo &= (uint16_t)~WEIR_TCP_TFO_DEFERRED;
	weir_tcp_want_output(t, c);
}

uint32_t
weir_tcp_fastopen_syn(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	const uint32_t queued = c->snd.end - c->iss - 1;
	struct weir_tcp_fo_peer peer;
	bool has_option;
	const bool may_carry = look_up(t, c, &peer, &has_option);

	if (c->has_auth && has_option)
		return 0; /* no room for a cookie beside a signature */
	t->fo_syn = peer.fo;
	h->fo = &t->fo_syn;
	if (has_option) {
		h->opts |= WEIR_TCP_OPT_FASTOPEN;
		c->fo |= WEIR_TCP_TFO_OPTION | (peer.fo.is_exp ? WEIR_TCP_TFO_EXP : 0);
	}
	return may_carry ? RTE_MIN(queued, room(c, &peer)) : 0;
}

/* The answer */

static void
remember(struct weir_tcp *t, const struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	const bool has_option = rx->seg.opts & WEIR_TCP_OPT_FASTOPEN;
	const bool is_again = c->retries > 0;
	struct weir_tcp_fo_peer peer;
	struct weir_tcp_fo fo = {0};

	weir_tcp_fo_cache_get(t->conf.fo_cache, t->core->secret, &c->flow, &peer);
	peer.mss = c->snd.peer_mss;
	if (has_option && (c->fo & WEIR_TCP_TFO_OPTION))
		weir_tcp_fastopen_read(rx, &fo);
	if (fo.len > 0)
		peer.fo = fo;
	else if ((c->fo & WEIR_TCP_TFO_OPTION) && !has_option && !is_again &&
		 !(c->fo & WEIR_TCP_TFO_DATA) && peer.fo.len == 0)
		peer.try_exp = RTE_MAX(peer.try_exp, c->fo & WEIR_TCP_TFO_EXP ? 2 : 1);
	weir_tcp_fo_cache_set(t->conf.fo_cache, t->core->secret, &peer);
}

/* What the SYN carried was not taken, or not all of it. */
static void
note_unacked(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const unsigned int why = c->retries > 0 ? WEIR_TCP_TFO_SYN_AGAIN : WEIR_TCP_TFO_NOT_ACKED;

	c->fo |= (uint16_t)(why << WEIR_TCP_TFO_FAIL_SHIFT);
	c->fo &= (uint16_t)~WEIR_TCP_TFO_MORE;
	t->stats.fastopen_active_failed++;
	t->stats.rexmit_segs++;
	c->rexmits++;
}

void
weir_tcp_fastopen_answer(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx)
{
	if (!(c->fo & (WEIR_TCP_TFO_OPTION | WEIR_TCP_TFO_DATA)))
		return;
	remember(t, c, rx);
	if (!(c->fo & WEIR_TCP_TFO_DATA) || !(rx->seg.flags & WEIR_TCP_ACK))
		return;
	if (rx->seg.ack != c->snd.max) {
		note_unacked(t, c);
		return;
	}
	c->fo |= WEIR_TCP_TFO_ACKED;
	t->stats.fastopen_active++;
}
