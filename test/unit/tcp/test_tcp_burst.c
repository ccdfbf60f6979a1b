/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include "tcp_output_priv.h"

#define RTT (100 * RIG_MS)

static struct rig r;

static void
open_far(const struct rig_setup *setup)
{
	rig_open_rtt(&r, RTT, setup);
}

static void
sent(uint32_t seq, uint16_t len, bool has_push)
{
	rig_sent(&r, .flags = ACK | (has_push ? PSH : 0), .seq = seq, .ack = 1, .len = len,
		.is_unpushed = !has_push);
}

/* As Linux: the port, or we, cut it up, but it is one burst. */
static void
last_segment_of_a_burst_is_pushed(void)
{
	open_far(&(struct rig_setup){.use_sack = true});
	rig_write(&r, 12000);
	for (uint32_t i = 0; i < 10; i++)
		sent(1 + i * 1000, 1000, i % 2 == 1);
	rig_sent_nothing(&r);
	rig_close(&r);
}

static void
lone_segment_is_pushed_at_the_end_alone(void)
{
	open_far(&(struct rig_setup){.use_sack = true});
	r.conn->cc.cwnd = 1000;
	rig_write(&r, 2000);
	sent(1, 1000, false);
	rig_advance(&r, RTT);
	r.conn->cc.ssthresh = 1000;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	sent(1001, 1000, true);
	rig_close(&r);
}

/* On a short path a burst is all that half of the congestion window allows. */
static void
short_path_takes_larger_bursts(void)
{
	open_far(&(struct rig_setup){.use_sack = true, .use_tso = true});
	r.conn->act->min_rtt_us = 300;
	rig_write(&r, 12000);
	sent(1, 5000, true);
	sent(5001, 5000, true);
	rig_sent_nothing(&r);
	rig_close(&r);
}

/* A millisecond at the pace of 1.2 windows a round trip, and 64 KiB halved each 512 us. */
static void
burst_follows_rate_and_distance(void)
{
	open_far(&(struct rig_setup){.use_sack = true, .use_tso = true});
	r.conn->act->min_rtt_us = 2100;
	CU_ASSERT_EQUAL(weir_tcp_burst_segs(r.conn, 1000), 4);
	r.conn->act->min_rtt_us = 100000;
	CU_ASSERT_EQUAL(weir_tcp_burst_segs(r.conn, 1000), 2);
	r.conn->cc.cwnd = 1000000;
	r.conn->cc.ssthresh = 1000000;
	CU_ASSERT_EQUAL(weir_tcp_burst_segs(r.conn, 1000), 11);
	rig_close(&r);
}

/* A lone segment that is repeated is not pushed, though it once ended a burst. */
static void
lone_repetition_is_not_pushed(void)
{
	open_far(&(struct rig_setup){.use_sack = true});
	rig_write(&r, 6000);
	rig_forget(&r);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 2001}, {3001, 6001}});
	sent(1, 1000, false);
	sent(2001, 1000, false);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 6001);
	rig_close(&r);
	open_far(&(struct rig_setup){.use_sack = true});
	rig_write(&r, 6000);
	rig_forget(&r);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .sack = {{2001, 6001}});
	sent(1001, 1000, false);
	rig_close(&r);
}

/* Two ACKs at once, a segment each: it is better to send both with the second. */
static void
burst_waits_for_the_next_ack_at_hand(void)
{
	open_far(&(struct rig_setup){.use_sack = true});
	r.conn->cc.ssthresh = 10000;
	rig_write(&r, 30000);
	rig_forget(&r);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	sent(10001, 1000, false);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	rig_sent_nothing(&r);
	CU_ASSERT(r.conn->is_cwnd_limited);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 3001);
	sent(11001, 1000, false);
	sent(12001, 1000, true);
	rig_close(&r);
}

/* Linux: what the peer's window cuts off goes along, unless Nagle holds it back. */
static void
window_ends_a_burst_with_a_small_segment(void)
{
	open_far(&(struct rig_setup){.use_sack = true, .wnd = 3500});
	rig_write(&r, 9000);
	sent(1, 1000, false);
	sent(1001, 1000, true);
	sent(2001, 1000, false);
	sent(3001, 500, true);
	rig_sent_nothing(&r);
	rig_close(&r);
}

static void
port_cuts_up_bursts_of_a_long_path(void)
{
	open_far(&(struct rig_setup){.use_sack = true, .use_tso = true});
	rig_write(&r, 3000);
	sent(1, 2000, true);
	sent(2001, 1000, true);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(last_segment_of_a_burst_is_pushed),
		UNIT(lone_segment_is_pushed_at_the_end_alone),
		UNIT(short_path_takes_larger_bursts),
		UNIT(burst_follows_rate_and_distance),
		UNIT(lone_repetition_is_not_pushed),
		UNIT(burst_waits_for_the_next_ack_at_hand),
		UNIT(window_ends_a_burst_with_a_small_segment),
		UNIT(port_cuts_up_bursts_of_a_long_path),
		{NULL, NULL},
	};

	return unit_main("tcp_burst", tests, true);
}
