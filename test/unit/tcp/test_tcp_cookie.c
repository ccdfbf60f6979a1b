/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies: a handshake of which the stack keeps nothing. */
#include "rig.h"

#include "tcp_priv.h"

static struct rig r;

static void
never(struct weir_tcp_conf *conf)
{
	conf->syn_cookies = WEIR_TCP_COOKIES_NO;
}

/* The header of the oldest segment sent. */
static struct weir_tcp_seg
take_seg(void)
{
	struct rte_mbuf *m = rig_take(&r);
	const uint16_t ip = r.setup.is_v6 ? 40 : 20;
	struct weir_tcp_seg seg = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	weir_tcp_parse(
		rte_pktmbuf_mtod_offset(m, const uint8_t *, ip), (uint16_t)(m->pkt_len - ip), &seg);
	rte_pktmbuf_free(m);
	return seg;
}

static struct weir_tcp_seg syn_ack;

/* A stack with a listener that sends cookies, and the answer to one SYN in syn_ack. */
static void
open_cookie(const struct rig_setup *setup, uint8_t opts, uint16_t mss)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, setup);
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	r.conn = NULL;
	r.tcp.conf.syn_cookies = WEIR_TCP_COOKIES_ALWAYS;
	rig_recv(&r, .flags = SYN, .seq = 0, .opts = opts, .mss = mss, .wscale = 5);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
	syn_ack = take_seg();
	CU_ASSERT_EQUAL(syn_ack.flags, SYN | ACK);
	CU_ASSERT_EQUAL(syn_ack.ack, r.irs + 1);
	r.iss = syn_ack.seq;
}

static const struct rig_setup plain = {.is_passive = true};
static const struct rig_setup modern = {.is_passive = true, .use_ts = true, .use_wscale = true};

static void
ack_with_the_cookie_makes_the_connection(void)
{
	static const uint16_t mss[][2] = {
		{536, 536}, {900, 536}, {1460, 1460}, {1400, 1380}, {0, 536}};

	for (unsigned int i = 0; i < RTE_DIM(mss); i++) {
		open_cookie(&plain, mss[i][0] != 0 ? WEIR_TCP_OPT_MSS : 0, mss[i][0]);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
		CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
		CU_ASSERT_EQUAL(r.conn->mss, mss[i][1]);
		CU_ASSERT_EQUAL(r.tcp.stats.cookies_sent, 1);
		CU_ASSERT_EQUAL(r.tcp.stats.cookies_received, 1);
		rig_write(&r, 5);
		rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 5);
		rig_close(&r);
	}
}

static void
timestamp_brings_the_options_back(void)
{
	open_cookie(&modern, WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_TS | WEIR_TCP_OPT_WSCALE, 1460);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .opts = WEIR_TCP_OPT_TS,
		.ts_ecr = syn_ack.ts_val);
	CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	CU_ASSERT(r.conn->has_ts);
	CU_ASSERT(r.conn->has_wscale);
	CU_ASSERT_EQUAL(r.conn->snd.wscale, 5);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 100 << 5);
	CU_ASSERT_EQUAL(r.conn->ts_recent, r.ts_val);
	rig_close(&r);
}

static void
timestamp_says_that_there_was_no_scale(void)
{
	open_cookie(&modern, WEIR_TCP_OPT_TS, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .opts = WEIR_TCP_OPT_TS,
		.ts_ecr = syn_ack.ts_val);
	CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	CU_ASSERT(!r.conn->has_wscale);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 100);
	rig_close(&r);
}

/* Never of the future, and of the last moments. */
static void
timestamp_is_hardly_off(void)
{
	for (unsigned int i = 0; i < 100; i++) {
		uint32_t now;

		open_cookie(&modern, WEIR_TCP_OPT_TS, 0);
		rig_advance(&r, i * RIG_MS);
		rig_recv(&r, .flags = SYN, .seq = 0, .opts = WEIR_TCP_OPT_TS);
		now = (uint32_t)(r.now_us / 1000);
		syn_ack = take_seg();
		CU_ASSERT(now - (syn_ack.ts_val - weir_tcp_ts_offset(&r.tcp, &r.flow)) < 128);
		rig_close(&r);
	}
}

static void
forged_or_altered_cookie_is_reset(void)
{
	open_cookie(&plain, 0, 0);
	for (uint32_t bit = 3; bit < 32; bit++) {
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1u ^ (1u << bit));
		CU_ASSERT_EQUAL(rig_forget(&r), 1);
	}
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 1);
	rig_sent(&r, .flags = RST, .seq = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sport = 4000);
	rig_sent(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.cookies_failed, 31);
	rig_close(&r);
}

static void
cookie_is_good_for_a_minute_and_bad_after_two(void)
{
	open_cookie(&plain, 0, 0);
	rig_advance(&r, 120 * RIG_S);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = RST, .seq = 1);
	rig_close(&r);
	open_cookie(&plain, 0, 0);
	rig_advance(&r, 60 * RIG_S);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
cookie_is_of_one_flow_and_minute(void)
{
	struct weir_tcp_seg other;

	open_cookie(&plain, 0, 0);
	rig_recv(&r, .flags = SYN, .seq = 0, .sport = 4000);
	other = take_seg();
	CU_ASSERT_NOT_EQUAL(other.seq, syn_ack.seq);
	rig_advance(&r, 60 * RIG_S);
	rig_recv(&r, .flags = SYN, .seq = 0);
	other = take_seg();
	CU_ASSERT_NOT_EQUAL(other.seq, syn_ack.seq);
	rig_close(&r);
}

static void
full_syn_queue_sends_cookies(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	for (uint16_t i = 0; i < 200; i++)
		rig_recv(&r, .flags = SYN, .seq = 0, .sport = (uint16_t)(4000 + i));
	CU_ASSERT_EQUAL(rig_forget(&r), 200);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 64);
	CU_ASSERT_EQUAL(r.tcp.stats.cookies_sent, 200 - 63);
	rig_close(&r);
}

static void
full_accept_queue_sends_none(void)
{
	open_cookie(&plain, 0, 0);
	r.n_accept = 9;
	rig_recv(&r, .flags = SYN, .seq = 0);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_backlog], 2);
	rig_close(&r);
}

static void
switched_off_a_full_queue_drops(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.tune = never});
	for (uint16_t i = 0; i < 70; i++)
		rig_recv(&r, .flags = SYN, .seq = 0, .sport = (uint16_t)(4000 + i));
	CU_ASSERT_EQUAL(rig_forget(&r), 63);
	CU_ASSERT_EQUAL(r.tcp.stats.cookies_sent, 0);
	rig_close(&r);
}

static void
data_with_the_cookie_is_taken(void)
{
	open_cookie(&(struct rig_setup){.is_passive = true, .is_v6 = true}, 0, 0);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 30);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 31);
	CU_ASSERT_EQUAL(rig_read(&r), 30);
	CU_ASSERT_EQUAL(r.conn->mss, 1220);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(ack_with_the_cookie_makes_the_connection),
		UNIT(timestamp_brings_the_options_back),
		UNIT(timestamp_says_that_there_was_no_scale),
		UNIT(timestamp_is_hardly_off),
		UNIT(forged_or_altered_cookie_is_reset),
		UNIT(cookie_is_good_for_a_minute_and_bad_after_two),
		UNIT(cookie_is_of_one_flow_and_minute),
		UNIT(full_syn_queue_sends_cookies),
		UNIT(full_accept_queue_sends_none),
		UNIT(switched_off_a_full_queue_drops),
		UNIT(data_with_the_cookie_is_taken),
		{NULL, NULL},
	};

	return unit_main("tcp_cookie", tests, true);
}
