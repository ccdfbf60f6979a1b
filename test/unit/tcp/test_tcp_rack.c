/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig r;

#define RTT    (100 * RIG_MS)
#define SLACK  (2 * RIG_MS) /* that short timers wait on top */
#define WINDOW (RTT / 4)    /* for reordering */

/* n bytes are written; the round trip takes 100 ms. */
static void
open_with(uint32_t n)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true});
	rig_write(&r, n);
	rig_forget(&r);
}

/* The segments from 1001 on arrive, after a round trip. */
static void
recv_sack(uint32_t end)
{
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, end}});
}

/* RFC 8985 6.2, step 4: without reordering seen, as many as DupThresh. */
static void
third_sacked_segment_proves_a_loss(void)
{
	open_with(10000);
	rig_advance(&r, RTT);
	recv_sack(2001);
	recv_sack(3001);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_DISORDER);
	recv_sack(4001);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	CU_ASSERT_EQUAL(r.conn->act->lost_segs, 1);
	rig_close(&r);
}

/* Step 5: a quarter of the shortest round trip on top of the latest one. */
static void
one_sacked_segment_starts_the_reordering_timer(void)
{
	open_with(10000);
	rig_advance(&r, RTT);
	recv_sack(2001);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + WINDOW + SLACK);
	rig_advance(&r, WINDOW + SLACK - 1);
	rig_sent_nothing(&r);
	rig_advance(&r, 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	rig_close(&r);
}

static void
segment_that_is_late_within_the_window_is_not_sent_again(void)
{
	open_with(10000);
	rig_advance(&r, RTT);
	recv_sack(2001);
	rig_advance(&r, WINDOW);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	CU_ASSERT_EQUAL(r.conn->act->reord_seen, 1);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT(r.conn->cc.cwnd >= 10000);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 0);
	rig_close(&r);
}

/* Step 4: on a path that reorders, counting to three proves nothing. */
static void
after_reordering_three_sacked_segments_wait_as_well(void)
{
	open_with(10000);
	rig_advance(&r, RTT);
	recv_sack(2001);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001, .sack = {{3001, 7001}});
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_DISORDER);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + WINDOW + SLACK);
	rig_advance(&r, WINDOW + SLACK);
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_close(&r);
}

/* Step 4: it was sent again in vain, so the window was too narrow. */
static void
dsack_widens_the_window(void)
{
	open_with(20000);
	rig_advance(&r, RTT);
	recv_sack(2001);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001, .sack = {{3001, 7001}});
	rig_advance(&r, WINDOW + SLACK);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 7001);
	CU_ASSERT_EQUAL(r.conn->act->reo_steps, 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 8001, .sack = {{2001, 3001}});
	CU_ASSERT_EQUAL(r.conn->act->reo_steps, 2);
	rig_forget(&r);
	rig_close(&r);
}

/* What was sent after the repetition arrived, the repetition did not. */
static void
lost_repetition_is_found_by_what_was_sent_after_it(void)
{
	open_with(20000);
	rig_advance(&r, RTT);
	recv_sack(6001);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_forget(&r);
	recv_sack(10001);
	CU_ASSERT_EQUAL(rig_sent_text(&r, 10001), 1000);
	rig_forget(&r);
	rig_advance(&r, RTT);
	recv_sack(11001);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 1);
	rig_forget(&r);
	rig_close(&r);
}

/* Tail loss probes */

/* RFC 8985 7.2 and 7.3 */
static void
last_segment_is_sent_again_after_two_round_trips(void)
{
	open_with(5000);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 2 * RTT + SLACK);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_sent(&r, .flags = PSH | ACK, .seq = 4001, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.tcp.stats.loss_probes, 1);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_close(&r);
}

/* Its ACK may be delayed; never later than the time-out. */
static void
probe_of_a_lone_segment_waits_longer(void)
{
	rig_open_rtt(&r, 3 * RTT, &(struct rig_setup){.use_sack = true});
	rig_write(&r, 1000);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 6 * RTT + 200 * RIG_MS);
	rig_write(&r, 1000);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 6 * RTT + SLACK);
	rig_forget(&r);
	rig_close(&r);
	open_with(1000);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + r.conn->rto_us);
	rig_close(&r);
}

/* RFC 8985 7.3: even beyond cwnd. */
static void
probe_is_new_data_where_there_is_any(void)
{
	open_with(20000);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.tcp.stats.rexmit_segs, 0);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 11);
	rig_close(&r);
}

static void
time_out_follows_one_probe(void)
{
	open_with(5000);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_forget(&r);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + r.conn->rto_us);
	rig_advance(&r, r.conn->rto_us);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	CU_ASSERT_EQUAL(r.tcp.stats.loss_probes, 1);
	rig_close(&r);
}

/* RFC 8985 7.4.2: both arrived, so there is an ACK for each, or one that says so. */
static void
needless_probe_costs_nothing(void)
{
	open_with(5000);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	CU_ASSERT(r.conn->act->is_tlp);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001, .sack = {{4001, 5001}});
	CU_ASSERT_FALSE(r.conn->act->is_tlp);
	rig_write(&r, 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 6001);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	rig_forget(&r);
	rig_close(&r);
}

static void
dsack_on_a_later_ack_tells_of_the_probe(void)
{
	open_with(5000);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_forget(&r);
	rig_write(&r, 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 6001, .sack = {{4001, 5001}});
	CU_ASSERT_FALSE(r.conn->act->is_tlp);
	CU_ASSERT(r.conn->cc.cwnd >= 10000);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 8985 7.4.2: nobody says that it came twice, so the last segment was lost. */
static void
loss_that_the_probe_mended_reduces_the_window(void)
{
	open_with(5000);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	rig_write(&r, 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 6001);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 5000);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_FALSE(r.conn->act->is_tlp);
	rig_forget(&r);
	rig_close(&r);
}

/* The rest of the tail is lost, too: fast recovery instead of a time-out. */
static void
probe_that_is_sacked_shows_what_else_is_lost(void)
{
	open_with(5000);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_sent(&r, .flags = PSH | ACK, .seq = 4001, .ack = 1, .len = 1000);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001, .sack = {{4001, 5001}});
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 3001, .sack = {{4001, 5001}});
	rig_sent(&r, .flags = ACK, .seq = 3001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	CU_ASSERT_EQUAL(r.tcp.stats.rto_fired, 0);
	rig_close(&r);
}

static void
without_sack_there_is_no_probe(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){0});
	rig_write(&r, 5000);
	rig_forget(&r);
	rig_advance(&r, r.conn->rto_us);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.tcp.stats.loss_probes, 0);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(third_sacked_segment_proves_a_loss),
		UNIT(one_sacked_segment_starts_the_reordering_timer),
		UNIT(segment_that_is_late_within_the_window_is_not_sent_again),
		UNIT(after_reordering_three_sacked_segments_wait_as_well),
		UNIT(dsack_widens_the_window),
		UNIT(lost_repetition_is_found_by_what_was_sent_after_it),
		UNIT(last_segment_is_sent_again_after_two_round_trips),
		UNIT(probe_of_a_lone_segment_waits_longer),
		UNIT(probe_is_new_data_where_there_is_any),
		UNIT(time_out_follows_one_probe),
		UNIT(needless_probe_costs_nothing),
		UNIT(dsack_on_a_later_ack_tells_of_the_probe),
		UNIT(loss_that_the_probe_mended_reduces_the_window),
		UNIT(probe_that_is_sacked_shows_what_else_is_lost),
		UNIT(without_sack_there_is_no_probe),
		{NULL, NULL},
	};

	return unit_main("tcp_rack", tests, true);
}
