/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_listen -> tcp_fastopen -> tcp_req, sock_publish. TCP Fast Open, the listener's side
 * (RFC 7413): a SYN with a cookie that this stack gave to its sender opens a connection at once,
 * and the text on it is taken. The cookie is a SipHash of both addresses.
 */
#include "tcp_priv.h"

#include "weir_mbuf.h"

#define ROTATE_US (3600 * UINT64_C(1000000)) /* a key not configured; the one before stays good */

/* RFC 7413 5: configured, one key for all hosts behind an address; else drawn from the secret. */
static void
key_of(const struct weir_tcp *t, uint64_t period, uint64_t key[2])
{
	const uint64_t text[2][2] = {{0, period}, {1, period}};

	if (t->conf.has_fastopen_key) {
		memcpy(key, t->conf.fastopen_key, sizeof(t->conf.fastopen_key));
		return;
	}
	key[0] = weir_siphash(t->core->secret, text[0], sizeof(text[0]));
	key[1] = weir_siphash(t->core->secret, text[1], sizeof(text[1]));
}

static void
make_cookie(const struct weir_tcp *t, const struct weir_flow *flow, uint64_t period,
	struct weir_tcp_fo *fo)
{
	const size_t skip = weir_addr_is_v4(&flow->raddr) ? 12 : 0;
	const size_t len = 16 - skip;
	uint8_t addrs[32];
	uint64_t key[2], hash;

	memcpy(addrs, flow->raddr.b + skip, len);
	memcpy(addrs + len, flow->laddr.b + skip, len);
	key_of(t, period, key);
	hash = rte_cpu_to_le_64(weir_siphash(key, addrs, 2 * len));
	memcpy(fo->cookie, &hash, sizeof(hash));
	fo->len = sizeof(hash);
}

void
weir_tcp_fastopen_read(const struct weir_tcp_rx *rx, struct weir_tcp_fo *fo)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	*fo = (struct weir_tcp_fo){
		.len = seg->fo_len & WEIR_TCP_FO_LEN, .is_exp = seg->fo_len & WEIR_TCP_FO_EXP};
	weir_mbuf_read(rx->m, weir_pkt(rx->m)->l4_off + seg->fo_off, fo->len, fo->cookie);
}

/* *fo, the peer's, becomes the one to give. @return whether the peer's is good */
static bool
check_cookie(const struct weir_tcp *t, const struct weir_flow *flow, struct weir_tcp_fo *fo)
{
	const uint64_t period = t->core->now_us / ROTATE_US;
	struct weir_tcp_fo old = {.is_exp = fo->is_exp}, now = {.is_exp = fo->is_exp};
	const struct weir_tcp_fo got = *fo;

	make_cookie(t, flow, period, &now);
	*fo = now;
	if (got.len != now.len)
		return false;
	if (memcmp(got.cookie, now.cookie, now.len) == 0)
		return true;
	if (t->conf.has_fastopen_key)
		return false;
	make_cookie(t, flow, period - 1, &old);
	return memcmp(got.cookie, old.cookie, old.len) == 0;
}

static bool
is_served(const struct weir_tcp *t, const struct weir_tcp_listener *l)
{
	const bool is_implied = t->conf.fastopen & WEIR_TCP_FASTOPEN_ALL_LISTENERS;
	const uint32_t max = l->opts.fastopen != 0 ? l->opts.fastopen : is_implied ? l->backlog : 0;

	return (t->conf.fastopen & WEIR_TCP_FASTOPEN_SERVER) && t->n_fastopen < max;
}

enum weir_tcp_fo_act
weir_tcp_fastopen_check(struct weir_tcp *t, const struct weir_tcp_listener *l,
	const struct weir_tcp_rx *rx, struct weir_tcp_fo *fo)
{
	const bool has_option = rx->seg.opts & WEIR_TCP_OPT_FASTOPEN;

	if ((!has_option && rx->seg.len == 0) || !is_served(t, l))
		return WEIR_TCP_FO_NO;
	*fo = (struct weir_tcp_fo){0};
	if ((t->conf.fastopen & WEIR_TCP_FASTOPEN_NO_COOKIE) || l->opts.is_fo_no_cookie)
		return WEIR_TCP_FO_OPEN;
	if (!has_option)
		return WEIR_TCP_FO_NO;
	weir_tcp_fastopen_read(rx, fo);
	if (fo->len == 0) {
		t->stats.fastopen_cookie_reqs++;
		check_cookie(t, &weir_pkt(rx->m)->flow, fo);
		return WEIR_TCP_FO_GIVE;
	}
	if (check_cookie(t, &weir_pkt(rx->m)->flow, fo))
		return WEIR_TCP_FO_OPEN;
	t->stats.fastopen_failed++;
	return WEIR_TCP_FO_GIVE;
}

bool
weir_tcp_fastopen_take(
	struct weir_tcp *t, struct weir_tcp_listener *l, struct weir_tcp_rx *rx, uint32_t iss)
{
	struct weir_tcp_conn *c;
	struct weir_tcp_req req;

	weir_tcp_req_fill(t, &req, l, rx);
	req.iss = iss;
	c = weir_tcp_req_conn(t, &req);
	if (c == NULL)
		return false;
	if (unlikely(l->opts.save_syn != WEIR_TCP_SAVE_SYN_NO))
		weir_tcp_note_syn(t, c, rx);
	c->is_fastopen = true;
	c->is_timing = false;
	c->snd.nxt = c->iss;
	c->snd.max = c->iss;
	weir_tcp_begin_sending(t, c);
	t->n_fastopen++;
	t->stats.passive_opens++;
	t->stats.fastopen_passive++;
	weir_tcp_tell_accept(t, c);
	rx->fate = WEIR_FATE_tcp_taken;
	if (rx->seg.len > 0) {
		c->fo |= WEIR_TCP_TFO_ACKED;
		rx->seg.seq++;
		weir_tcp_take_in_order(t, c, rx);
	}
	weir_tcp_want_output(t, c);
	return true;
}
