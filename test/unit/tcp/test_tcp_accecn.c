/* SPDX-License-Identifier: BSD-3-Clause */
/* Accurate ECN (RFC 9768). The peer is the test, so what it tells need not be true. */
#include "rig.h"

#include "tcp_priv.h"

#define ECT0 WEIR_IP_ECN_ECT0
#define ECT1 WEIR_IP_ECN_ECT1
#define CE   WEIR_IP_ECN_CE
#define MSS  988 /* of segments with the option */

static struct rig r;

static void
accurate(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_ACCURATE;
}

static void
accepting(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_ACCURATE_ACCEPT;
}

static void
passive(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_ACCURATE_PASSIVE;
}

static void
sparing(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_ACCURATE;
	conf->ecn_option = WEIR_TCP_ECN_OPTION_NEEDED;
	conf->ecn_beacon = 0;
}

static void
without_option(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_ACCURATE;
	conf->ecn_option = WEIR_TCP_ECN_OPTION_NO;
}

static struct weir_tcp_accecn *
acc(void)
{
	return &r.conn->act->accecn;
}

/* An option, kind 174: ECT(1), CE, ECT(0). */
static const uint8_t *
option(uint32_t e1, uint32_t ce, uint32_t e0)
{
	static uint8_t o[12];
	const uint32_t v[] = {e1, ce, e0};

	o[0] = WEIR_TCP_KIND_ACCECN1;
	o[1] = 11;
	for (unsigned int i = 0; i < 3; i++) {
		o[2 + 3 * i] = (uint8_t)(v[i] >> 16);
		o[3 + 3 * i] = (uint8_t)(v[i] >> 8);
		o[4 + 3 * i] = (uint8_t)v[i];
	}
	o[11] = 1;
	return o;
}

/* The oldest segment sent has this option; n counters, -1: it has none. */
static void
sent_option(int n, uint32_t e1, uint32_t ce, uint32_t e0)
{
	const uint32_t want[] = {e1, ce, e0};
	struct rte_mbuf *m = rig_take(&r);
	const uint8_t *hdr, *o;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	hdr = rte_pktmbuf_mtod_offset(m, const uint8_t *, 20);
	o = weir_tcp_find_option(hdr, WEIR_TCP_KIND_ACCECN1);
	CU_ASSERT_EQUAL(o == NULL ? -1 : (o[1] - 2) / 3, n);
	for (int i = 0; o != NULL && i < n; i++)
		CU_ASSERT_EQUAL(
			(uint32_t)o[2 + 3 * i] << 16 | (uint32_t)o[3 + 3 * i] << 8 | o[4 + 3 * i],
			want[i]);
	rte_pktmbuf_free(m);
}

static void
rig_sent_ace(uint8_t ace, uint32_t seq, uint32_t ack, uint16_t len)
{
	rig_sent(&r, .flags = (uint8_t)(ACK | (ace & 3) << 6), .is_ae = ace >> 2, .seq = seq,
		.ack = ack, .len = len, .tos = ECT0);
}

/* An ACK with this ACE; its option may be NULL. */
static void
recv_ace(uint8_t ace, uint32_t ack, const uint8_t *opt)
{
	rig_recv(&r, .flags = (uint8_t)(ACK | (ace & 3) << 6), .is_ae = ace >> 2, .seq = 1,
		.ack = ack, .raw = opt, .raw_len = opt == NULL ? 0 : 12);
}

static void
open_syn_sent(void (*tune)(struct weir_tcp_conf *conf))
{
	rig_open_as(&r, WEIR_TCP_SYN_SENT, &(struct rig_setup){.tune = tune});
	weir_tcp_abort(&r.tcp, r.conn);
	CU_ASSERT_EQUAL_FATAL(
		weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, &r.end, &r.conn), 0);
	r.iss = r.conn->iss;
	weir_tcp_flush(&r.tcp);
	weir_eth_flush(&r.ifc);
}

/* A connection of ours whose SYN,ACK had no mark; with the peer's option or without. */
static void
open_as(void (*tune)(struct weir_tcp_conf *conf), bool has_option)
{
	static uint8_t opts[16] = {2, 4, 3, 232};

	memcpy(opts + 4, option(1, 0, 1), 12);
	open_syn_sent(tune);
	rig_sent(&r, .flags = SYN | ECE | CWR, .is_ae = true, .seq = 0, .is_not_ect = true);
	rig_recv(&r, .flags = SYN | ACK | CWR, .seq = 0, .ack = 1, .raw = opts,
		.raw_len = has_option ? 16 : 4);
	CU_ASSERT(r.conn->has_ecn && weir_tcp_is_accecn(r.conn));
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	r.conn->rcv.quick_acks = 0;
}

/* 3.1.1: the three flags ask; the answer and the last ACK tell how the other's SYN arrived. */
static void
syn_asks_and_answers_are_reflected(void)
{
	static const struct {
		uint8_t tos, ace;
	} cases[] = {{0, 2}, {ECT1, 3}, {ECT0, 4}, {CE, 6}};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		open_syn_sent(accurate);
		rig_sent(&r, .flags = SYN | ECE | CWR, .is_ae = true, .seq = 0, .is_not_ect = true);
		rig_recv(&r, .flags = SYN | ACK | CWR, .seq = 0, .ack = 1, .tos = cases[i].tos);
		rig_sent_ace(cases[i].ace, 1, 1, 0);
		CU_ASSERT_EQUAL(acc()->received_ce, cases[i].tos == CE);
		rig_write(&r, 10);
		rig_sent_ace(cases[i].tos == CE ? 6 : 5, 1, 1, 10);
		rig_close(&r);
	}
}

/* 3.1.1, table 2 */
static void
answers_choose_the_kind(void)
{
	static const struct {
		uint8_t ace;
		enum weir_tcp_ecn_mode mode;
	} cases[] = {{0, WEIR_TCP_ECN_MODE_NONE}, {1, WEIR_TCP_ECN_MODE_CLASSIC},
		{5, WEIR_TCP_ECN_MODE_CLASSIC}, {7, WEIR_TCP_ECN_MODE_NONE},
		{2, WEIR_TCP_ECN_MODE_ACCURATE}, {3, WEIR_TCP_ECN_MODE_ACCURATE},
		{4, WEIR_TCP_ECN_MODE_ACCURATE}, {6, WEIR_TCP_ECN_MODE_ACCURATE}};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		const uint8_t ace = cases[i].ace;

		open_syn_sent(accurate);
		rig_forget(&r);
		rig_recv(&r, .flags = (uint8_t)(SYN | ACK | (ace & 3) << 6), .is_ae = ace >> 2,
			.seq = 0, .ack = 1);
		CU_ASSERT_EQUAL(acc()->mode, cases[i].mode);
		CU_ASSERT_EQUAL(r.conn->has_ecn, cases[i].mode != WEIR_TCP_ECN_MODE_NONE);
		rig_forget(&r);
		rig_close(&r);
	}
}

static void
syn_sent_again_does_not_ask(void)
{
	open_syn_sent(accurate);
	rig_forget(&r);
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN, .seq = 0, .is_not_ect = true);
	rig_close(&r);
}

/* 3.1.1, RFC 9293 3.5: both SYNs cross. The peer's says which kind it knows; each SYN,ACK tells how
 * the other's SYN arrived, and marks are counted from the handshake on as in any connection. */
static void
crossed_syns_agree_on_the_kind(void)
{
	static const struct {
		uint8_t flags, is_ae, answer;
		enum weir_tcp_ecn_mode mode;
	} cases[] = {{ECE | CWR, true, CWR, WEIR_TCP_ECN_MODE_ACCURATE},
		{ECE | CWR, false, ECE, WEIR_TCP_ECN_MODE_CLASSIC},
		{0, false, 0, WEIR_TCP_ECN_MODE_NONE}};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		const bool is_accurate = cases[i].mode == WEIR_TCP_ECN_MODE_ACCURATE;

		open_syn_sent(accurate);
		rig_forget(&r);
		rig_recv(&r, .flags = SYN | cases[i].flags, .is_ae = cases[i].is_ae, .seq = 0);
		CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
		rig_sent(&r, .flags = SYN | ACK | cases[i].answer, .seq = 0, .ack = 1,
			.is_not_ect = true);
		rig_recv(&r, .flags = SYN | ACK | cases[i].answer, .seq = 0, .ack = 1);
		CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
		CU_ASSERT_EQUAL(r.conn->has_ecn, cases[i].mode != WEIR_TCP_ECN_MODE_NONE);
		CU_ASSERT_EQUAL(weir_tcp_is_accecn(r.conn), is_accurate);
		CU_ASSERT_EQUAL(acc()->fail, 0);
		CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 0);
		rig_forget(&r);
		rig_write(&r, 10);
		if (is_accurate)
			rig_sent_ace(5, 1, 1, 10);
		rig_forget(&r);
		rig_close(&r);
	}
}

/* Linux's tcp_ecn 4 and 5 */
static void
accepting_alone_asks_for_the_old_kind_or_none(void)
{
	open_syn_sent(accepting);
	rig_sent(&r, .flags = SYN | ECE | CWR, .seq = 0);
	rig_recv(&r, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT(r.conn->has_ecn && !weir_tcp_is_accecn(r.conn));
	rig_close(&r);
	open_syn_sent(passive);
	rig_sent(&r, .flags = SYN, .seq = 0);
	rig_close(&r);
}

static void
listen_as(void (*tune)(struct weir_tcp_conf *conf), uint8_t flags, bool is_ae, uint8_t tos)
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = tune, .is_passive = true});
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	r.conn = NULL;
	rig_recv(&r, .flags = SYN | flags, .is_ae = is_ae, .seq = 0, .tos = tos);
	CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	r.iss = weir_tcp_find_req(&r.tcp, &r.flow)->iss;
}

static void
listener_reflects_and_accepts(void)
{
	static const struct {
		uint8_t tos, ace;
	} cases[] = {{0, 2}, {ECT1, 3}, {ECT0, 4}, {CE, 6}};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		const uint8_t ace = cases[i].ace;

		listen_as(i % 2 ? accurate : passive, ECE | CWR, true, cases[i].tos);
		rig_sent(&r, .flags = (uint8_t)(SYN | ACK | (ace & 3) << 6), .is_ae = ace >> 2,
			.seq = 0, .ack = 1, .is_not_ect = true);
		rig_recv(&r, .flags = ACK | CWR, .seq = 1, .ack = 1); /* arrived as it went */
		CU_ASSERT_FATAL(r.conn != NULL);
		CU_ASSERT(r.conn->has_ecn && weir_tcp_is_accecn(r.conn));
		CU_ASSERT_EQUAL(acc()->fail, 0);
		CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 0);
		rig_close(&r);
	}
}

/* 3.1.1: who asks in the old way is answered in the old way. */
static void
listener_falls_back(void)
{
	listen_as(accurate, ECE | CWR, false, 0);
	rig_sent(&r, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT(r.conn->has_ecn && !weir_tcp_is_accecn(r.conn));
	rig_close(&r);
	listen_as(accurate, 0, false, 0);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT(!r.conn->has_ecn);
	rig_close(&r);
}

/* 3.1.2: values that mean nothing yet ask for what the listener knows. */
static void
flags_to_come_ask_for_it(void)
{
	static const uint8_t aces[] = {1, 2, 4, 5, 6, 7};

	for (unsigned int i = 0; i < RTE_DIM(aces); i++) {
		listen_as(accurate, (uint8_t)((aces[i] & 3) << 6), aces[i] >> 2, 0);
		rig_sent(&r, .flags = SYN | ACK | CWR, .seq = 0, .ack = 1);
		rig_close(&r);
	}
}

/* 5.2: of the handshake nothing was kept, but the last ACK shows which kind it was. */
static void
cookie_brings_it_back(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct weir_tcp_seg syn_ack;
		struct rte_mbuf *m;

		rig_open_as(&r, WEIR_TCP_ESTABLISHED,
			&(struct rig_setup){.tune = accurate, .is_passive = true, .use_ts = true});
		weir_tcp_abort(&r.tcp, r.conn);
		weir_eth_flush(&r.ifc);
		rig_forget(&r);
		r.conn = NULL;
		r.tcp.conf.syn_cookies = WEIR_TCP_COOKIES_ALWAYS;
		rig_recv(&r, .flags = SYN | ECE | CWR, .is_ae = i == 0, .seq = 0,
			.opts = WEIR_TCP_OPT_TS);
		m = rig_take(&r);
		weir_tcp_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, 20),
			(uint16_t)(m->pkt_len - 20), &syn_ack);
		rte_pktmbuf_free(m);
		CU_ASSERT_EQUAL(syn_ack.flags, SYN | ACK | (i == 0 ? CWR : ECE));
		r.iss = syn_ack.seq;
		rig_recv(&r, .flags = (uint8_t)(ACK | (i == 0 ? CWR : 0)), .seq = 1, .ack = 1,
			.opts = WEIR_TCP_OPT_TS, .ts_ecr = syn_ack.ts_val);
		CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
		CU_ASSERT(r.conn->has_ecn);
		CU_ASSERT_EQUAL(weir_tcp_is_accecn(r.conn), i == 0);
		rig_close(&r);
	}
}

/* 3.1.1: the flag AE means nothing to who knows the old kind alone. */
static void
old_listener_sees_the_old_question(void)
{
	listen_as(NULL, ECE | CWR, true, 0);
	rig_sent(&r, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT(r.conn->has_ecn && !weir_tcp_is_accecn(r.conn));
	rig_close(&r);
}

/* 3.2.3.1: our SYN,ACK offers the option with counters that have not begun; a repetition does not.
 */
static void
syn_ack_has_the_option_once(void)
{
	listen_as(accurate, ECE | CWR, true, 0);
	sent_option(3, 1, 0, 1);
	rig_advance(&r, RIG_S);
	sent_option(-1, 0, 0, 0);
	rig_recv(&r, .flags = ACK | CWR, .seq = 1, .ack = 1);
	rig_close(&r);
}

/* 3.2.2.3, 3.2.2.4: the last ACK tells that the path spoils the field: we send no ECT any more. */
static void
spoilt_handshake_ends_ect(void)
{
	static const struct {
		uint8_t flags;
		bool is_ae;
	} cases[] = {{0, false}, {0, true}, {ECE | CWR, false}}; /* cleared; Not-ECT made ECT */

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		listen_as(accurate, ECE | CWR, true, 0);
		rig_forget(&r);
		rig_recv(&r, .flags = ACK | cases[i].flags, .is_ae = cases[i].is_ae, .seq = 1,
			.ack = 1);
		CU_ASSERT_EQUAL(acc()->fail, WEIR_TCP_ACCECN_ACE_RECEIVED);
		rig_write(&r, 10);
		rig_sent(&r, .flags = ACK | ECE, .is_ae = true, .seq = 1, .ack = 1, .len = 10,
			.is_not_ect = true);
		rig_close(&r);
	}
}

/* 3.2.1: packets marked are counted, empty ones as well, modulo 8 from 5 on. */
static void
marks_are_counted(void)
{
	open_as(without_option, false);
	for (uint32_t i = 0; i < 20; i++) {
		rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = 1 + 100 * i, .ack = 1,
			.len = 100, .tos = CE);
		rig_read(&r);
		rig_forget(&r);
		CU_ASSERT_EQUAL(acc()->received_ce, i + 1);
		rig_write(&r, 10);
		rig_sent_ace((i + 1 + 5) & 7, 1 + 10 * i, 101 + 100 * i, 10);
		rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = 101 + 100 * i,
			.ack = 11 + 10 * i);
	}
	rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = 2001, .ack = 201, .tos = CE);
	CU_ASSERT_EQUAL(acc()->received_ce, 21);
	CU_ASSERT_EQUAL(acc()->received[CE - 1], 2000);
	CU_ASSERT_EQUAL(r.tcp.stats.rx_ce, 21);
	rig_forget(&r);
	rig_close(&r);
}

/* 3.2.2.5.1 */
static void
change_of_marking_is_acknowledged_at_once(void)
{
	open_as(without_option, false);
	rig_recv(
		&r, .flags = ACK | ECE, .is_ae = true, .seq = 1, .ack = 1, .len = 100, .tos = ECT0);
	rig_sent_ace(5, 1, 101, 0);
	rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = 101, .ack = 1, .len = 100,
		.tos = ECT0);
	rig_sent_nothing(&r);
	rig_recv(
		&r, .flags = ACK | ECE, .is_ae = true, .seq = 201, .ack = 1, .len = 100, .tos = CE);
	rig_sent_ace(6, 1, 301, 0);
	rig_recv(
		&r, .flags = ACK | ECE, .is_ae = true, .seq = 301, .ack = 1, .len = 100, .tos = CE);
	rig_sent_nothing(&r);
	rig_recv(
		&r, .flags = ACK | ECE, .is_ae = true, .seq = 401, .ack = 1, .len = 100, .tos = CE);
	rig_sent_ace(0, 1, 501, 0); /* two marks */
	rig_read(&r);
	rig_forget(&r);
	rig_close(&r);
}

/* 3.2.3: bytes by codepoint, on every segment once the peer has shown its option. */
static void
option_counts_bytes(void)
{
	open_as(accurate, true);
	rig_recv(
		&r, .flags = ACK | ECE, .is_ae = true, .seq = 1, .ack = 1, .len = 100, .tos = ECT0);
	sent_option(3, 1, 0, 101);
	rig_recv(
		&r, .flags = ACK | ECE, .is_ae = true, .seq = 101, .ack = 1, .len = 200, .tos = CE);
	sent_option(3, 1, 200, 101);
	rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = 301, .ack = 1, .len = 300,
		.tos = ECT1);
	sent_option(3, 301, 200, 101);
	rig_read(&r);
	rig_forget(&r);
	rig_write(&r, 3000);
	rig_sent_ace(6, 1, 601, MSS);
	rig_forget(&r);
	rig_close(&r);
}

static void
option_stays_away_where_it_may(void)
{
	open_as(without_option, true);
	rig_write(&r, 10);
	sent_option(-1, 0, 0, 0);
	rig_close(&r);
	open_as(accurate, false); /* the peer showed none */
	rig_write(&r, 10);
	sent_option(-1, 0, 0, 0);
	rig_close(&r);
}

/* Ten bytes, acknowledged; do they have the option, with so many bytes marked? */
static void
write_ten(bool has_option, uint32_t ce)
{
	rig_write(&r, 10);
	sent_option(has_option ? 3 : -1, 1, ce, 1);
	rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = r.read_pos, .ack = r.write_pos);
}

/* Linux's tcp_ecn_option 1: twice after a change, then no more. */
static void
sparing_option_follows_changes(void)
{
	open_as(sparing, true);
	write_ten(true, 0); /* the second of the handshake */
	write_ten(false, 0);
	rig_recv(&r, .flags = ACK | ECE, .is_ae = true, .seq = 1, .ack = 21, .len = 100, .tos = CE);
	sent_option(3, 1, 100, 1);
	rig_read(&r);
	rig_forget(&r);
	write_ten(true, 100);
	write_ten(true, 100); /* back to Not-ECT */
	write_ten(true, 100);
	write_ten(false, 100);
	rig_close(&r);
}

/* 3.2.2.5.2: an ACK that moves tells of marks; the window shrinks once a round trip. */
static void
marks_shrink_the_window_once(void)
{
	uint32_t cwnd;

	open_as(without_option, false);
	cwnd = r.conn->cc.cwnd;
	rig_write(&r, 8000);
	rig_forget(&r);
	recv_ace(5, 1001, NULL);
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 0);
	CU_ASSERT(r.conn->cc.cwnd >= cwnd);
	recv_ace(0, 4001, NULL); /* three marked */
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 3);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_CWR);
	cwnd = r.conn->cc.ssthresh;
	recv_ace(1, 5001, NULL);
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 4);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, cwnd);
	CU_ASSERT_EQUAL(r.tcp.stats.rx_ece, 2);
	rig_forget(&r);
	rig_close(&r);
}

/* A duplicate that says nothing new says nothing of marks. */
static void
old_ack_tells_nothing(void)
{
	open_as(without_option, false);
	rig_write(&r, 3000);
	rig_forget(&r);
	recv_ace(0, 1, NULL);
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 0);
	recv_ace(5, 3001, NULL);
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 0);
	rig_close(&r);
}

/* More packets in one ACK than three bits count: as many marks as there may be, or as the option
 * shows. */
static void
large_ack_is_taken_for_the_worst(void)
{
	open_as(without_option, false);
	rig_write(&r, 10000);
	rig_forget(&r);
	recv_ace(6, 10001, NULL); /* 1, or 9 of 10 */
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 9);
	rig_close(&r);
}

static void
option_tells_the_truth_of_a_large_ack(void)
{
	open_as(accurate, true);
	rig_write(&r, 8 * MSS);
	rig_forget(&r);
	recv_ace(5, 1 + MSS, option(1, 0, 1 + MSS));
	CU_ASSERT_EQUAL(acc()->guess, ECT0);
	rig_write(&r, 3 * MSS);
	rig_forget(&r);
	recv_ace(6, 1 + 10 * MSS, option(1, MSS, 1 + 9 * MSS));
	CU_ASSERT_EQUAL(r.conn->act->delivered_ce, 1);
	CU_ASSERT_EQUAL(acc()->delivered[CE - 1], MSS);
	CU_ASSERT_EQUAL(acc()->delivered[ECT0 - 1], 9 * MSS);
	rig_forget(&r);
	rig_close(&r);
}

/* 3.2.3.2.4: a counter that must begin at 1 and shows 0 was cleared: options are not believed. */
static void
cleared_option_is_not_believed(void)
{
	open_as(accurate, false);
	rig_write(&r, 1000);
	rig_forget(&r);
	recv_ace(5, 1001, option(0, 0, 0));
	CU_ASSERT_EQUAL(acc()->seen, WEIR_TCP_ACCECN_BROKEN);
	CU_ASSERT_EQUAL(acc()->fail, WEIR_TCP_ACCECN_OPT_RECEIVED);
	CU_ASSERT_EQUAL(acc()->delivered[ECT0 - 1], 0);
	rig_forget(&r);
	rig_close(&r);
}

/* 3.1.5: resets carry nothing of it; what is repeated and what is empty is ECT as well. */
static void
all_but_resets_are_capable(void)
{
	open_as(without_option, false);
	rig_write(&r, 100);
	rig_sent_ace(5, 1, 1, 100);
	rig_advance(&r, RIG_S);
	CU_ASSERT(rig_pending(&r) > 0);
	while (rig_pending(&r) > 0)
		rig_sent_ace(5, 1, 1, 100);
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	r.conn = NULL;
	rig_sent(&r, .flags = RST | ACK, .seq = 101, .ack = 1, .is_not_ect = true);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(syn_asks_and_answers_are_reflected),
		UNIT(answers_choose_the_kind),
		UNIT(syn_sent_again_does_not_ask),
		UNIT(crossed_syns_agree_on_the_kind),
		UNIT(accepting_alone_asks_for_the_old_kind_or_none),
		UNIT(listener_reflects_and_accepts),
		UNIT(listener_falls_back),
		UNIT(flags_to_come_ask_for_it),
		UNIT(cookie_brings_it_back),
		UNIT(old_listener_sees_the_old_question),
		UNIT(syn_ack_has_the_option_once),
		UNIT(spoilt_handshake_ends_ect),
		UNIT(marks_are_counted),
		UNIT(change_of_marking_is_acknowledged_at_once),
		UNIT(option_counts_bytes),
		UNIT(option_stays_away_where_it_may),
		UNIT(sparing_option_follows_changes),
		UNIT(marks_shrink_the_window_once),
		UNIT(old_ack_tells_nothing),
		UNIT(large_ack_is_taken_for_the_worst),
		UNIT(option_tells_the_truth_of_a_large_ack),
		UNIT(cleared_option_is_not_believed),
		UNIT(all_but_resets_are_capable),
		{NULL, NULL},
	};

	return unit_main("tcp_accecn", tests, true);
}
