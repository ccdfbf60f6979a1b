/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig r;

#define RTT (100 * RIG_MS)

/* With timestamps segments have 1000 bytes as well. */
static const struct rig_setup plain = {0};
static const struct rig_setup sack = {.use_sack = true};
static const struct rig_setup sack_and_ts = {.use_sack = true, .use_ts = true, .mss = 1012};

/* cwnd is 10 segments; n bytes are there to be sent. @return our clock then */
static uint32_t
open_with(const struct rig_setup *setup, uint32_t n)
{
	rig_open_rtt(&r, RTT, setup);
	CU_ASSERT_EQUAL(r.conn->mss, 1000);
	rig_write(&r, n);
	rig_forget(&r);
	return (uint32_t)(r.now_us / 1000) + r.conn->ts_offset;
}

static void
recv_ack(uint32_t ack)
{
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = ack);
}

/* So far that the time-out has fired once. */
static void
pass_time_out(void)
{
	while (r.tcp.stats.rto_fired == 0)
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 1000);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	rig_forget(&r);
}

/* The first segment is lost, it seems, and sent again. */
static void
enter_recovery(void)
{
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 6001}});
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
}

static void
check_undone(void)
{
	CU_ASSERT_EQUAL(r.tcp.stats.undone, 1);
	CU_ASSERT(r.conn->cc.cwnd >= 10000);
	CU_ASSERT(r.conn->cc.ssthresh >= 10000);
	CU_ASSERT_EQUAL(r.conn->act->lost_segs, 0);
}

static void
check_not_undone(void)
{
	CU_ASSERT_EQUAL(r.tcp.stats.undone, 0);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
}

/* F-RTO: only the ACKs were late. RFC 5682 3.1, step 2 b and 3 b. */
static void
check_frto(void)
{
	pass_time_out();
	recv_ack(1001);
	CU_ASSERT(rig_sent_text(&r, r.conn->snd.max - r.iss - 2000) == 1000); /* new data */
	CU_ASSERT(rig_forget(&r) == 1);
	CU_ASSERT_EQUAL(r.tcp.stats.undone, 0);
	recv_ack(2001);
	check_undone();
	rig_forget(&r);
	rig_close(&r);
}

static void
late_acks_after_a_time_out_undo_it(void)
{
	open_with(&sack, 30000);
	check_frto();
}

static void
late_acks_after_a_time_out_undo_it_without_sack(void)
{
	open_with(&plain, 30000);
	check_frto();
}

/* RFC 5682 3.1, step 3 a */
static void
duplicate_after_the_new_data_shows_that_it_was_a_loss(void)
{
	open_with(&plain, 30000);
	pass_time_out();
	recv_ack(1001);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	recv_ack(1001);
	CU_ASSERT_FALSE(r.conn->act->is_frto);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	rig_forget(&r);
	recv_ack(2001); /* of the repetition */
	check_not_undone();
	rig_forget(&r);
	rig_close(&r);
}

static void
sacked_new_data_shows_that_it_was_a_loss(void)
{
	uint32_t max;

	open_with(&sack, 30000);
	pass_time_out();
	recv_ack(1001);
	max = r.conn->snd.max - r.iss;
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .sack = {{max - 2000, max - 1000}});
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	check_not_undone();
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 5682 3.1, step 2: nothing new to send, so the lost segments follow. */
static void
without_new_data_lost_segments_follow(void)
{
	open_with(&plain, 10000);
	pass_time_out();
	recv_ack(1001);
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.tcp.stats.undone, 0);
	rig_close(&r);
}

/* RFC 3522 3.2, RFC 4015 3: the first ACK says it already. */
static void
echo_of_the_first_transmission_undoes_a_time_out(void)
{
	const uint32_t ts = open_with(&sack_and_ts, 10000);

	pass_time_out();
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .ts_ecr = ts);
	check_undone();
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_EQUAL(r.tcp.stats.rexmit_segs, 2); /* with the probe */
	rig_forget(&r);
	rig_close(&r);
}

static void
echo_of_the_repetition_undoes_no_time_out(void)
{
	open_with(&sack_and_ts, 10000);
	pass_time_out();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	check_not_undone();
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	rig_forget(&r);
	rig_close(&r);
}

static void
echo_of_the_first_transmission_undoes_fast_recovery(void)
{
	const uint32_t ts = open_with(&sack_and_ts, 10000);

	enter_recovery();
	rig_advance(&r, 50 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .ts_ecr = ts);
	check_undone();
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_close(&r);
}

/* The first hole was none: this path reorders. */
static void
echo_in_a_partial_ack_undoes_fast_recovery(void)
{
	const uint32_t ts = open_with(&sack_and_ts, 10000);

	enter_recovery();
	rig_advance(&r, 50 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 6001, .ts_ecr = ts);
	check_undone();
	CU_ASSERT_EQUAL(r.conn->act->reordering, 6);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_forget(&r);
	rig_close(&r);
}

static void
echo_of_the_repetition_undoes_no_fast_recovery(void)
{
	open_with(&sack_and_ts, 10000);
	enter_recovery();
	rig_advance(&r, RTT);
	recv_ack(10001);
	check_not_undone();
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 6000); /* and grew by that ACK */
	rig_close(&r);
}

/* RFC 2883 5, RFC 3708 2: all that was sent again came twice. */
static void
dsack_undoes_fast_recovery(void)
{
	open_with(&sack, 10000);
	enter_recovery();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .sack = {{1, 1001}});
	check_undone();
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_close(&r);
}

static void
dsack_undoes_it_when_recovery_is_over_too(void)
{
	open_with(&sack, 10000);
	enter_recovery();
	recv_ack(10001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 6000); /* and grew by that ACK */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .sack = {{1, 1001}});
	check_undone();
	rig_close(&r);
}

static void
each_repetition_must_have_been_needless(void)
{
	open_with(&sack, 10000);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{2001, 10001}});
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .sack = {{1, 1001}});
	check_not_undone();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .sack = {{1001, 2001}});
	check_undone();
	rig_close(&r);
}

/* RFC 3708 3: the network doubles packets; nothing was sent again. */
static void
dsack_of_what_was_sent_once_undoes_nothing(void)
{
	open_with(&sack, 10000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001, .sack = {{1, 1001}});
	CU_ASSERT_EQUAL(r.tcp.stats.dsacks_received, 1);
	CU_ASSERT_EQUAL(r.tcp.stats.undone, 0);
	CU_ASSERT_EQUAL(r.conn->act->reo_steps, 1);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_forget(&r);
	rig_close(&r);
}

static void
dsack_undoes_a_time_out(void)
{
	open_with(&sack, 1000);
	rig_advance(&r, r.conn->rto_us); /* the probe */
	rig_advance(&r, r.conn->rto_us);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	recv_ack(1001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .sack = {{1, 1001}}); /* the probe's */
	check_not_undone();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .sack = {{1, 1001}});
	check_undone();
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(late_acks_after_a_time_out_undo_it),
		UNIT(late_acks_after_a_time_out_undo_it_without_sack),
		UNIT(duplicate_after_the_new_data_shows_that_it_was_a_loss),
		UNIT(sacked_new_data_shows_that_it_was_a_loss),
		UNIT(without_new_data_lost_segments_follow),
		UNIT(echo_of_the_first_transmission_undoes_a_time_out),
		UNIT(echo_of_the_repetition_undoes_no_time_out),
		UNIT(echo_of_the_first_transmission_undoes_fast_recovery),
		UNIT(echo_in_a_partial_ack_undoes_fast_recovery),
		UNIT(echo_of_the_repetition_undoes_no_fast_recovery),
		UNIT(dsack_undoes_fast_recovery),
		UNIT(dsack_undoes_it_when_recovery_is_over_too),
		UNIT(each_repetition_must_have_been_needless),
		UNIT(dsack_of_what_was_sent_once_undoes_nothing),
		UNIT(dsack_undoes_a_time_out),
		{NULL, NULL},
	};

	return unit_main("tcp_undo", tests, true);
}
