/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include "tcp_priv.h"

#define ECT0 WEIR_IP_ECN_ECT0
#define CE   WEIR_IP_ECN_CE

static struct rig r;

static void
ecn_off(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_NO;
}

static void
use_dctcp(struct weir_tcp_conf *conf)
{
	conf->opts.cc = (uint8_t)weir_tcp_cc_find("dctcp");
}

static void
ask(struct weir_tcp_conf *conf)
{
	conf->ecn = WEIR_TCP_ECN_YES;
}

static void
open_ecn(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ecn = true});
	CU_ASSERT(r.conn->has_ecn);
	r.conn->rcv.quick_acks = 0;
}

/* An open whose SYN is still to be seen. */
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

/* RFC 3168 6.1.1 */
static void
syn_asks_for_it(void)
{
	open_syn_sent(ask);
	rig_sent(&r, .flags = SYN | ECE | CWR, .seq = 0, .is_not_ect = true);
	rig_recv(&r, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .opts = WEIR_TCP_OPT_MSS,
		.mss = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .is_not_ect = true);
	CU_ASSERT(r.conn->has_ecn);
	rig_close(&r);
}

static void
passive_side_does_not_ask(void)
{
	open_syn_sent(NULL);
	rig_sent(&r, .flags = SYN, .seq = 0);
	rig_recv(&r, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1); /* out of the blue */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT(!r.conn->has_ecn);
	rig_close(&r);
}

/* RFC 3168 6.1.1: both flags mirrored is what a broken peer does. */
static void
answers_without_ece_alone_decline(void)
{
	static const uint8_t answers[] = {0, CWR, ECE | CWR};

	for (unsigned int i = 0; i < RTE_DIM(answers); i++) {
		open_syn_sent(ask);
		rig_forget(&r);
		rig_recv(&r, .flags = SYN | ACK | answers[i], .seq = 0, .ack = 1);
		rig_forget(&r);
		CU_ASSERT(!r.conn->has_ecn);
		rig_write(&r, 10);
		rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 10, .is_not_ect = true);
		rig_close(&r);
	}
}

/* RFC 3168 6.1.1.1 */
static void
syn_sent_again_does_not_ask(void)
{
	open_syn_sent(ask);
	rig_sent(&r, .flags = SYN | ECE | CWR, .seq = 0);
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN, .seq = 0);
	rig_close(&r);
}

static void
open_listener(void (*tune)(struct weir_tcp_conf *conf), uint8_t flags, uint8_t tos, uint8_t want)
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = tune, .is_passive = true});
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	r.conn = NULL;
	rig_recv(&r, .flags = SYN | flags, .seq = 0, .tos = tos);
	CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	r.iss = weir_tcp_find_req(&r.tcp, &r.flow)->iss;
	rig_sent(&r, .flags = SYN | ACK | want, .seq = 0, .ack = 1, .is_not_ect = tune != use_dctcp,
		.tos = tune == use_dctcp ? ECT0 : 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->has_ecn, want != 0);
	rig_close(&r);
}

static void
listener_agrees_when_asked(void)
{
	open_listener(NULL, ECE | CWR, 0, ECE);
	open_listener(NULL, 0, 0, 0);
	open_listener(NULL, ECE, 0, 0);
	open_listener(NULL, ECE | CWR, ECT0, 0); /* a marked SYN is not of RFC 3168 */
	open_listener(ecn_off, ECE | CWR, 0, 0);
	open_listener(use_dctcp, ECE | CWR, ECT0, ECE);
}

/* RFC 3168 6.1.2, 6.1.4, 6.1.5 */
static void
only_new_data_is_marked_capable(void)
{
	open_ecn();
	rig_write(&r, 500);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 500, .tos = ECT0);
	rig_advance(&r, RIG_S);
	while (rig_pending(&r) > 0) /* probes and repetitions, however many */
		rig_sent(
			&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 500, .is_not_ect = true);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 501, .len = 10);
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = ACK, .seq = 501, .ack = 11, .is_not_ect = true);
	rig_read(&r);
	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_sent(&r, .flags = FIN | ACK, .seq = 501, .ack = 11, .is_not_ect = true);
	rig_close(&r);
}

static void
ipv6_carries_it_in_the_traffic_class(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ecn = true, .is_v6 = true});
	r.conn->opts.tos = 0xb8 | CE; /* the application has no say in its ECN field */
	rig_write(&r, 500);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 500, .tos = 0xb8 | ECT0);
	rig_close(&r);
}

/* RFC 3168 6.1.3 */
static void
mark_is_echoed_until_cwr(void)
{
	open_ecn();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tos = CE);
	rig_sent(&r, .flags = ACK | ECE, .seq = 1, .ack = 101); /* at once */
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1, .len = 1000, .tos = ECT0);
	rig_sent(&r, .flags = ACK | ECE, .seq = 1, .ack = 1101);
	rig_write(&r, 10);
	rig_sent(&r, .flags = ACK | PSH | ECE, .seq = 1, .ack = 1101, .len = 10);
	rig_recv(&r, .flags = ACK | CWR, .seq = 1101, .ack = 11, .len = 1000, .tos = ECT0);
	rig_sent(&r, .flags = ACK, .seq = 11, .ack = 2101);
	rig_recv(&r, .flags = ACK | CWR, .seq = 2101, .ack = 11, .len = 1000, .tos = CE);
	rig_sent(&r, .flags = ACK | ECE, .seq = 11, .ack = 3101); /* the next mark */
	CU_ASSERT_EQUAL(r.tcp.stats.rx_ce, 2);
	rig_read(&r);
	rig_close(&r);
}

/* RFC 3168 6.1.2: once each window, and the peer is told on the first new data. */
static void
echo_reduces_the_window_once_a_round_trip(void)
{
	uint32_t ssthresh;

	open_ecn();
	rig_write(&r, 20000);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	rig_recv(&r, .flags = ACK | ECE, .seq = 1, .ack = 1001);
	ssthresh = r.conn->cc.ssthresh;
	CU_ASSERT(ssthresh >= 4 * RIG_MSS && ssthresh <= 5 * RIG_MSS);
	rig_forget(&r);
	for (uint32_t ack = 2001; ack <= 10001; ack += 1000)
		rig_recv(&r, .flags = ACK | ECE, .seq = 1, .ack = ack);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, ssthresh);
	CU_ASSERT(r.conn->cc.cwnd <= ssthresh + RIG_MSS);
	CU_ASSERT_EQUAL(r.tcp.stats.rexmit_segs, 0);
	rig_forget(&r);
	rig_close(&r);
}

static void
first_new_data_after_a_reduction_says_so(void)
{
	open_ecn();
	rig_write(&r, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 5);
	rig_recv(&r, .flags = ACK | ECE, .seq = 1, .ack = 5001);
	rig_sent_nothing(&r);
	rig_write(&r, 2000);
	rig_sent(&r, .flags = ACK | CWR, .seq = 5001, .ack = 1, .len = 1000, .tos = ECT0);
	rig_sent(&r, .flags = PSH | ACK, .seq = 6001, .ack = 1, .len = 1000, .tos = ECT0);
	rig_close(&r);
}

/* A port that cuts up packets may copy CWR to all parts. */
static void
cwr_travels_alone(void)
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ecn = true, .use_tso = true});
	rig_write(&r, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_recv(&r, .flags = ACK | ECE, .seq = 1, .ack = 5001);
	rig_write(&r, 4000);
	rig_sent(&r, .flags = ACK | CWR, .seq = 5001, .ack = 1, .len = 1000, .tos = ECT0);
	rig_forget(&r);
	rig_close(&r);
}

static void
echo_on_a_connection_without_ecn_means_nothing(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 5000);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK | ECE, .seq = 1, .ack = 5001);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, UINT32_MAX);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001, .len = 1000, .tos = CE);
	rig_sent(&r, .flags = ACK, .seq = 5001, .ack = 1001);
	rig_read(&r);
	rig_close(&r);
}

/* RFC 8257 3.2 */
static void
dctcp_echoes_each_change_of_marking(void)
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ecn = true, .tune = use_dctcp});
	r.conn->rcv.quick_acks = 0;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tos = ECT0);
	rig_sent_nothing(&r); /* delayed */
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1, .len = 100, .tos = CE);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 101, .tos = ECT0); /* for what was not marked */
	rig_sent(&r, .flags = ACK | ECE, .seq = 1, .ack = 201, .tos = ECT0);
	rig_recv(&r, .flags = ACK, .seq = 201, .ack = 1, .len = 100, .tos = CE);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 301, .ack = 1, .len = 100, .tos = ECT0);
	rig_sent(&r, .flags = ACK | ECE, .seq = 1, .ack = 301);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 401);
	rig_read(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(syn_asks_for_it),
		UNIT(passive_side_does_not_ask),
		UNIT(answers_without_ece_alone_decline),
		UNIT(syn_sent_again_does_not_ask),
		UNIT(listener_agrees_when_asked),
		UNIT(only_new_data_is_marked_capable),
		UNIT(ipv6_carries_it_in_the_traffic_class),
		UNIT(mark_is_echoed_until_cwr),
		UNIT(echo_reduces_the_window_once_a_round_trip),
		UNIT(first_new_data_after_a_reduction_says_so),
		UNIT(cwr_travels_alone),
		UNIT(echo_on_a_connection_without_ecn_means_nothing),
		UNIT(dctcp_echoes_each_change_of_marking),
		{NULL, NULL},
	};

	return unit_main("tcp_ecn", tests, true);
}
