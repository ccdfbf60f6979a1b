/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <errno.h>

static struct rig r;

/* RTT 100 ms in the handshake. */
static void
open_with_rtt(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_advance(&r, 100 * RIG_MS);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .opts = WEIR_TCP_OPT_MSS,
		.mss = RIG_MSS);
	rig_forget(&r);
}

/* RFC 6298 2.2 */
static void
first_sample_sets_the_time_out(void)
{
	open_with_rtt();
	CU_ASSERT_EQUAL(r.conn->srtt_us, 100000);
	CU_ASSERT_EQUAL(r.conn->rttvar_us, 50000);
	CU_ASSERT_EQUAL(r.conn->rto_us, 300000);
	rig_close(&r);
}

/* RFC 6298 2.3, and never less variance than the minimum. */
static void
later_samples_smooth(void)
{
	open_with_rtt();
	for (uint32_t i = 0; i < 50; i++) {
		rig_write(&r, 10);
		rig_forget(&r);
		rig_advance(&r, 20 * RIG_MS);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11 + 10 * i);
	}
	CU_ASSERT(r.conn->srtt_us > 19500 && r.conn->srtt_us < 20700);
	CU_ASSERT(r.conn->rto_us > 219500 && r.conn->rto_us < 220800);
	rig_close(&r);
}

/* RFC 6298 5.4 to 5.6 */
static void
time_out_sends_again_and_backs_off(void)
{
	open_with_rtt();
	rig_write(&r, 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 1000);
	for (uint64_t rto = 300 * RIG_MS, i = 0; i < 4; i++, rto *= 2) {
		CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + rto);
		rig_advance(&r, rto);
		rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 1000);
	}
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 1000);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	/* Karn: no sample of what was sent twice, the back-off stays until there is one */
	CU_ASSERT_EQUAL(r.conn->srtt_us, 100000);
	CU_ASSERT_EQUAL(r.conn->rto_us, 16 * 300000);
	rig_write(&r, 10);
	rig_advance(&r, 100 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1011);
	CU_ASSERT(r.conn->rto_us < 310000);
	rig_forget(&r);
	rig_close(&r);
}

static void
timestamps_give_samples_of_what_was_sent_twice(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true});
	rig_write(&r, 100);
	rig_advance(&r, 201 * RIG_MS);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	rig_advance(&r, 29 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101,
		.ts_ecr = (uint32_t)(r.now_us / 1000) + r.conn->ts_offset - 29);
	CU_ASSERT(r.conn->srtt_us > 3600 && r.conn->srtt_us < 3700); /* 1/8 of 29 ms */
	rig_close(&r);
}

/* RFC 3522: the echo is of the first transmission, only its ACK was late: a long round trip. */
static void
echo_of_the_first_transmission_is_a_sample_and_undoes_the_time_out(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true});
	rig_write(&r, 100);
	rig_advance(&r, 201 * RIG_MS);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	CU_ASSERT(r.conn->rto_us > 400000);
	rig_advance(&r, 29 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101,
		.ts_ecr = (uint32_t)(r.now_us / 1000) + r.conn->ts_offset - 230);
	CU_ASSERT(r.conn->srtt_us > 28000 && r.conn->srtt_us < 29500); /* 1/8 of 230 ms */
	CU_ASSERT(r.conn->rto_us < 400000);
	CU_ASSERT(r.conn->cc.cwnd >= 9880);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS); /* without SACK until more is acknowledged */
	rig_close(&r);
}

static void
connection_times_out(void)
{
	open_with_rtt();
	rig_write(&r, 100);
	rig_advance(&r, 1500 * RIG_S);
	CU_ASSERT_EQUAL(rig_forget(&r), 16);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	CU_ASSERT_EQUAL(r.tcp.stats.timeouts, 1);
	rig_close(&r);
}

static void
user_timeout(struct weir_tcp_conf *conf)
{
	conf->opts.user_timeout_ms = 3000;
}

static void
user_timeout_ends_it_at_its_time(void)
{
	uint64_t start_us;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = user_timeout});
	rig_write(&r, 100);
	start_us = r.now_us;
	while (r.conn->state != WEIR_TCP_CLOSED && r.now_us < start_us + 10 * RIG_S)
		rig_advance(&r, 10 * RIG_MS);
	CU_ASSERT_EQUAL(r.now_us - start_us, 3 * RIG_S);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 5681 3.1: after a time-out all of it again, in slow start. */
static void
time_out_goes_back_in_slow_start(void)
{
	open_with_rtt();
	rig_write(&r, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 5);
	rig_advance(&r, 300 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	rig_advance(&r, 600 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000); /* the same loss: counted once */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001); /* the rest had arrived */
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	rig_write(&r, 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 5001, .ack = 1, .len = 1000);
	rig_close(&r);
}

/* RFC 3042, then RFC 5681 3.2 and RFC 6582 3.2. */
static void
fast_retransmit_and_recovery(void)
{
	open_with_rtt();
	rig_write_parts(&r, 20000, 20000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_forget(&r), 10); /* 1..10000 */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 11001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000); /* limited transmit does not count */
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 9000);	    /* 8 in flight, and the repetition */
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 1);
	/* RFC 9937: every second one lets one out */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 12001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 4001); /* partial: 4001 was lost, too */
	rig_sent_nothing(&r);				   /* as much as ssthresh is in flight */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 4001);
	rig_sent(&r, .flags = ACK, .seq = 4001, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 12001); /* all that was sent before */
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);  /* until more is: RFC 6582 3.2 */
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 13001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_close(&r);
}

/* Karn: what was sent twice says nothing of the round-trip time. */
static void
fast_retransmit_spoils_the_sample(void)
{
	open_with_rtt();
	rig_write(&r, 5000);
	for (unsigned int i = 0; i < 4; i++) /* the first after the handshake tells of a window */
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_forget(&r), 6);
	rig_advance(&r, 20 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	CU_ASSERT_EQUAL(r.conn->srtt_us, 100000);
	rig_close(&r);
}

/* RFC 6582 3.2, step 2: dupacks of what was sent before a time-out mean nothing. */
static void
no_fast_retransmit_for_what_was_sent_before_a_time_out(void)
{
	open_with_rtt();
	rig_write(&r, 5000);
	rig_advance(&r, 300 * RIG_MS);
	rig_forget(&r);
	for (unsigned int i = 0; i < 4; i++)
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 0);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 5681 2: these are no duplicate ACKs. */
static void
what_is_no_duplicate_ack(void)
{
	open_with_rtt();
	rig_write(&r, 5000);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 1, .wnd = 60000);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 1, .wnd = 61000);
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 0);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 5001, .wnd = 61000);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 5001, .wnd = 61000); /* nothing in flight */
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 0);
	rig_forget(&r);
	rig_read(&r);
	rig_close(&r);
}

static void
slow_start_doubles_then_grows_by_a_segment(void)
{
	uint32_t ack = 1;

	open_with_rtt();
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	r.conn->cc.ssthresh = 20000;
	rig_write_parts(&r, 100000, 100000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = ack);
	for (unsigned int i = 0; i < 10; i++)
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = ack += 1000);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 20000);
	CU_ASSERT_EQUAL(rig_forget(&r), 30);
	for (unsigned int i = 0; i < 20; i++)
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = ack += 1000);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 21000);
	rig_forget(&r);
	rig_close(&r);
}

static void
window_that_is_not_used_does_not_grow(void)
{
	open_with_rtt();
	for (uint32_t i = 0; i < 20; i++) {
		rig_write(&r, 1000);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001 + 1000 * i);
	}
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 5681 4.1 */
static void
idle_connection_starts_anew(void)
{
	open_with_rtt();
	r.conn->cc.cwnd = 50000;
	rig_advance(&r, 290 * RIG_MS);
	rig_write(&r, 15000);
	CU_ASSERT_EQUAL(rig_forget(&r), 15);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 15001);
	rig_advance(&r, RIG_S);
	rig_write(&r, 15000);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	rig_close(&r);
}

/* RFC 6298 5.3: progress starts the timer again. */
static void
timer_restarts_with_each_new_ack(void)
{
	open_with_rtt();
	rig_write(&r, 3000);
	rig_forget(&r);
	rig_advance(&r, 250 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + r.conn->rto_us);
	rig_advance(&r, 250 * RIG_MS);
	rig_sent_nothing(&r);
	rig_close(&r);
}

static void
fin_lost_with_the_last_segment_is_sent_again(void)
{
	open_with_rtt();
	rig_write_parts(&r, 500, 500);
	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_sent(&r, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .len = 500);
	rig_advance(&r, 300 * RIG_MS);
	rig_sent(&r, .flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .len = 500);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 501); /* all but the FIN */
	rig_sent_nothing(&r);
	rig_advance(&r, 600 * RIG_MS);
	rig_sent(&r, .flags = FIN | ACK, .seq = 501, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 502);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_FIN_WAIT_2);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(first_sample_sets_the_time_out),
		UNIT(later_samples_smooth),
		UNIT(time_out_sends_again_and_backs_off),
		UNIT(timestamps_give_samples_of_what_was_sent_twice),
		UNIT(echo_of_the_first_transmission_is_a_sample_and_undoes_the_time_out),
		UNIT(connection_times_out),
		UNIT(user_timeout_ends_it_at_its_time),
		UNIT(time_out_goes_back_in_slow_start),
		UNIT(fast_retransmit_and_recovery),
		UNIT(fast_retransmit_spoils_the_sample),
		UNIT(no_fast_retransmit_for_what_was_sent_before_a_time_out),
		UNIT(what_is_no_duplicate_ack),
		UNIT(slow_start_doubles_then_grows_by_a_segment),
		UNIT(window_that_is_not_used_does_not_grow),
		UNIT(idle_connection_starts_anew),
		UNIT(timer_restarts_with_each_new_ack),
		UNIT(fin_lost_with_the_last_segment_is_sent_again),
		{NULL, NULL},
	};

	return unit_main("tcp_rexmit", tests, true);
}
