/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413) of the side that connects. */
#include <errno.h>

#include "rig.h"

#include "tcp_priv.h"

static struct rig r;

/* What a peer gives: mss 940, a cookie of 8 bytes. */
static const uint8_t with_cookie[] = {2, 4, 0x03, 0xac, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};
static const uint8_t without_cookie[] = {2, 4, 0x03, 0xac};

static void
with_pauses(struct weir_tcp_conf *conf)
{
	conf->fastopen_pause_us = 60 * RIG_S;
}

static void
no_cookie_needed(struct weir_tcp_conf *conf)
{
	conf->fastopen |= WEIR_TCP_FASTOPEN_CLIENT_NO_COOKIE;
}

/* A rig whose first connection is gone. */
static void
open_rig(void (*tune)(struct weir_tcp_conf *conf))
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = tune});
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
}

/* Open with n bytes to send. @return how many the SYN may carry */
static uint32_t
open_with(uint32_t n, bool has_more)
{
	struct weir_vec none = {.n = 0};
	uint32_t room;

	r.events = 0;
	r.write_pos = 1;
	r.read_pos = 1;
	r.iss = weir_tcp_isn(&r.tcp, &r.flow);
	CU_ASSERT_EQUAL_FATAL(
		weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, &r.end, &r.conn), 0);
	room = weir_tcp_fastopen_begin(&r.tcp, r.conn);
	if (has_more)
		weir_tcp_fastopen_expect(r.conn);
	rig_write_parts(&r, RTE_MIN(n, room), n);
	rig_turn(&r, &none);
	return room;
}

/* The option of the SYN that went, which has len bytes of text. @return bytes of cookie; -1: none
 */
static int
syn_option(uint16_t len)
{
	struct rte_mbuf *m = rig_take(&r);
	struct weir_tcp_seg seg;
	int rc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	weir_tcp_parse(
		rte_pktmbuf_mtod_offset(m, const uint8_t *, 20), (uint16_t)(m->pkt_len - 20), &seg);
	CU_ASSERT_EQUAL(seg.flags, SYN);
	CU_ASSERT_EQUAL(seg.len, len);
	rc = !(seg.opts & WEIR_TCP_OPT_FASTOPEN) ? -1
	     : seg.fo_len & WEIR_TCP_FO_EXP	 ? 100 + (seg.fo_len & WEIR_TCP_FO_LEN)
						 : seg.fo_len;
	rte_pktmbuf_free(m);
	return rc;
}

static void
answer(const uint8_t *raw, uint8_t raw_len, uint32_t ack)
{
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = ack, .raw = raw, .raw_len = raw_len);
}

/* The cookie is known from here on. */
static void
learn(void (*tune)(struct weir_tcp_conf *conf))
{
	open_rig(tune);
	CU_ASSERT_EQUAL(open_with(500, false), 0);
	CU_ASSERT_EQUAL(syn_option(0), 0);
	answer(with_cookie, sizeof(with_cookie), 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
}

static void
first_syn_asks_for_a_cookie_and_the_next_carries_it_with_data(void)
{
	learn(NULL);
	CU_ASSERT_EQUAL(open_with(2000, false), 900); /* the peer's 940, less 40 for options */
	CU_ASSERT_EQUAL(syn_option(900), 8);
	answer(with_cookie, sizeof(with_cookie), 901);
	rig_sent(&r, .flags = ACK, .seq = 901, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, 0);
	CU_ASSERT(r.conn->fo & WEIR_TCP_TFO_ACKED);
	CU_ASSERT_EQUAL(r.tcp.stats.fastopen_active, 1);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CONNECT | WEIR_READY_WRITE);
	rig_write(&r, 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 901, .ack = 1, .len = 100);
	rig_close(&r);
}

static void
data_that_was_not_taken_is_sent_again_with_the_ack(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	answer(without_cookie, sizeof(without_cookie), 1);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 500);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(
		r.conn->fo >> WEIR_TCP_TFO_FAIL_SHIFT & 3, (unsigned int)WEIR_TCP_TFO_NOT_ACKED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 501);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 0);
	rig_close(&r);
}

static void
data_taken_in_part_goes_on_behind_it(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	answer(without_cookie, sizeof(without_cookie), 201);
	rig_sent(&r, .flags = PSH | ACK, .seq = 201, .ack = 1, .len = 300);
	rig_close(&r);
}

static void
answer_beyond_the_data_is_reset(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	answer(without_cookie, sizeof(without_cookie), 502);
	rig_sent(&r, .flags = RST, .seq = 502);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_SYN_SENT);
	rig_close(&r);
}

static void
syn_is_sent_again_without_option_and_data(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	rig_advance(&r, RIG_S);
	CU_ASSERT_EQUAL(syn_option(0), -1);
	answer(without_cookie, sizeof(without_cookie), 1);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 500);
	rig_close(&r);
}

static void
late_answer_to_the_first_syn_takes_the_data_all_the_same(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	rig_advance(&r, RIG_S);
	CU_ASSERT_EQUAL(syn_option(0), -1);
	answer(without_cookie, sizeof(without_cookie), 501);
	rig_sent(&r, .flags = ACK, .seq = 501, .ack = 1);
	rig_close(&r);
}

static void
waiting_writer_saves_the_ack_of_the_handshake(void)
{
	learn(NULL);
	open_with(500, true);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	answer(without_cookie, sizeof(without_cookie), 501);
	rig_sent_nothing(&r);
	rig_write(&r, 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 501, .ack = 1, .len = 100);
	rig_close(&r);
	learn(NULL);
	open_with(500, true);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	answer(without_cookie, sizeof(without_cookie), 501);
	rig_advance(&r, 40 * RIG_MS); /* but not for long */
	rig_sent(&r, .flags = ACK, .seq = 501, .ack = 1);
	rig_close(&r);
}

static void
text_of_the_syn_ack_is_taken(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 501, .len = 0, .raw = without_cookie,
		.raw_len = sizeof(without_cookie));
	rig_sent(&r, .flags = ACK, .seq = 501, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 501, .len = 50);
	CU_ASSERT_EQUAL(rig_read(&r), 50);
	rig_forget(&r);
	rig_close(&r);
}

/* A peer that gives none is asked by the experimental option, then by the other again. */
static void
peer_without_cookies_is_asked_the_other_way(void)
{
	open_rig(NULL);
	for (unsigned int i = 0; i < 3; i++) {
		open_with(100, false);
		CU_ASSERT_EQUAL(syn_option(0), i == 1 ? 100 : 0);
		answer(without_cookie, sizeof(without_cookie), 1);
		rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
		weir_tcp_abort(&r.tcp, r.conn);
		weir_eth_flush(&r.ifc);
		rig_forget(&r);
	}
	rig_close(&r);
}

static void
no_cookie_is_needed_where_that_is_configured(void)
{
	open_rig(no_cookie_needed);
	CU_ASSERT_EQUAL(open_with(100, false), 1420);
	CU_ASSERT_EQUAL(syn_option(100), -1);
	answer(without_cookie, sizeof(without_cookie), 101);
	rig_sent(&r, .flags = ACK, .seq = 101, .ack = 1);
	rig_close(&r);
}

static void
deferred_syn_waits_for_data(void)
{
	struct weir_vec none = {.n = 0};

	learn(NULL);
	r.iss = weir_tcp_isn(&r.tcp, &r.flow);
	r.write_pos = 1;
	weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, &r.end, &r.conn);
	CU_ASSERT(weir_tcp_fastopen_defer(&r.tcp, r.conn));
	weir_tcp_opts_changed(&r.tcp, r.conn);
	rig_turn(&r, &none);
	rig_sent_nothing(&r);
	weir_tcp_fastopen_go(&r.tcp, r.conn);
	CU_ASSERT_EQUAL(weir_tcp_fastopen_begin(&r.tcp, r.conn), 900);
	rig_write_parts(&r, 100, 100);
	rig_turn(&r, &none);
	CU_ASSERT_EQUAL(syn_option(100), 8);
	rig_close(&r);
}

/* Three time-outs in a row: for a minute nobody uses Fast Open, then two minutes. */
static void
time_outs_pause_fast_open_for_longer_each_time(void)
{
	learn(with_pauses);
	open_with(500, false);
	rig_advance(&r, 7 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.stats.fastopen_blackholes, 1);
	answer(without_cookie, sizeof(without_cookie), 1);
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	CU_ASSERT_EQUAL(open_with(500, false), 0);
	CU_ASSERT_EQUAL(syn_option(0), -1);
	weir_tcp_abort(&r.tcp, r.conn);
	rig_advance(&r, 61 * RIG_S);
	CU_ASSERT_EQUAL(open_with(500, false), 900); /* a trial */
	rig_forget(&r);
	rig_advance(&r, 7 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.stats.fastopen_blackholes, 2);
	weir_tcp_abort(&r.tcp, r.conn);
	rig_forget(&r);
	rig_advance(&r, 61 * RIG_S);
	CU_ASSERT_EQUAL(open_with(500, false), 0);
	weir_tcp_abort(&r.tcp, r.conn);
	rig_forget(&r);
	rig_close(&r);
}

static void
trial_that_brings_data_ends_the_pauses(void)
{
	learn(with_pauses);
	r.tcp.conf.fo_cache->pauses = 1;
	r.tcp.conf.fo_cache->pause_until_us = r.now_us + 1;
	rig_advance(&r, 10);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	answer(without_cookie, sizeof(without_cookie), 501);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 501, .len = 10);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	CU_ASSERT_EQUAL(r.tcp.conf.fo_cache->pauses, 1);
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.tcp.conf.fo_cache->pauses, 0);
	rig_close(&r);
}

static void
refused_open_frees_its_data(void)
{
	learn(NULL);
	open_with(500, false);
	CU_ASSERT_EQUAL(syn_option(500), 8);
	rig_recv(&r, .flags = RST | ACK, .seq = 0, .ack = 501);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, ECONNREFUSED);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, 0);
	rig_close(&r);
}

/* Two slots are one: the later peer takes the place. */
static void
cache_knows_who_a_cookie_is_for(void)
{
	struct weir_tcp_fo_peer peer;
	struct weir_flow other;

	learn(NULL);
	CU_ASSERT(weir_tcp_fo_cache_get(r.tcp.conf.fo_cache, r.core.secret, &r.flow, &peer));
	CU_ASSERT_EQUAL(peer.fo.len, 8);
	CU_ASSERT_EQUAL(peer.mss, 940);
	other = r.flow;
	other.raddr.b[15]++;
	CU_ASSERT(!weir_tcp_fo_cache_get(r.tcp.conf.fo_cache, r.core.secret, &other, &peer));
	CU_ASSERT_EQUAL(peer.fo.len, 0);
	for (unsigned int i = 0; i < 3 * WEIR_TCP_FO_PEERS; i++) {
		peer.raddr.w[3] = rte_cpu_to_be_32(i);
		weir_tcp_fo_cache_set(r.tcp.conf.fo_cache, r.core.secret, &peer);
	}
	peer.fo.len = 4;
	peer.raddr = other.raddr;
	weir_tcp_fo_cache_set(r.tcp.conf.fo_cache, r.core.secret, &peer);
	CU_ASSERT(weir_tcp_fo_cache_get(r.tcp.conf.fo_cache, r.core.secret, &other, &peer));
	CU_ASSERT_EQUAL(peer.fo.len, 4);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(first_syn_asks_for_a_cookie_and_the_next_carries_it_with_data),
		UNIT(data_that_was_not_taken_is_sent_again_with_the_ack),
		UNIT(data_taken_in_part_goes_on_behind_it),
		UNIT(answer_beyond_the_data_is_reset),
		UNIT(syn_is_sent_again_without_option_and_data),
		UNIT(late_answer_to_the_first_syn_takes_the_data_all_the_same),
		UNIT(waiting_writer_saves_the_ack_of_the_handshake),
		UNIT(text_of_the_syn_ack_is_taken),
		UNIT(peer_without_cookies_is_asked_the_other_way),
		UNIT(no_cookie_is_needed_where_that_is_configured),
		UNIT(deferred_syn_waits_for_data),
		UNIT(time_outs_pause_fast_open_for_longer_each_time),
		UNIT(trial_that_brings_data_ends_the_pauses),
		UNIT(refused_open_frees_its_data),
		UNIT(cache_knows_who_a_cookie_is_for),
		{NULL, NULL},
	};

	return unit_main("tcp_fo_client", tests, true);
}
