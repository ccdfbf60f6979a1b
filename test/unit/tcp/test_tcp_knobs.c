/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways of finding losses that can be switched off, and what takes their place then. */
#include "rig.h"

static struct rig r;

#define RTT (100 * RIG_MS)

static void
no_probe(struct weir_tcp_conf *conf)
{
	conf->use_tlp = false;
}

static void
no_frto(struct weir_tcp_conf *conf)
{
	conf->use_frto = false;
}

static void
no_dsack(struct weir_tcp_conf *conf)
{
	conf->use_dsack = false;
}

static void
five_segments(struct weir_tcp_conf *conf)
{
	conf->reordering = 5;
}

static void
open_with(void (*tune)(struct weir_tcp_conf *conf), uint32_t n)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true, .tune = tune});
	rig_write(&r, n);
	rig_forget(&r);
}

static void
without_the_probe_the_time_out_is_first(void)
{
	open_with(no_probe, 5000);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + r.conn->rto_us);
	rig_advance(&r, r.conn->rto_us - 1);
	rig_sent_nothing(&r);
	rig_advance(&r, 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.tcp.stats.loss_probes, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.rto_fired, 1);
	rig_close(&r);
}

/* An ACK that advances after a time-out: what was lost follows, nothing new, and nothing is undone.
 */
static void
without_frto_lost_segments_follow_the_time_out(void)
{
	open_with(no_frto, 30000);
	while (r.tcp.stats.rto_fired == 0)
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	CU_ASSERT_EQUAL(rig_sent_text(&r, 1001), 1000);
	CU_ASSERT_EQUAL(rig_sent_text(&r, 2001), 1000);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	CU_ASSERT_EQUAL(r.tcp.stats.undone, 0);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	rig_forget(&r);
	rig_close(&r);
}

/* What came twice is still acknowledged at once, and holes are still told. */
static void
without_dsack_what_came_twice_is_only_acknowledged(void)
{
	open_with(no_dsack, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_advance(&r, 50 * RIG_MS);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL_FATAL(rig_pending(&r), 1);
	CU_ASSERT_EQUAL(r.tcp.stats.dsacks_sent, 0);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1001, .sack = {{2001, 3001}});
	rig_recv(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1001, .sack = {{2001, 3001}});
	CU_ASSERT_EQUAL(r.tcp.stats.dsacks_sent, 0);
	rig_recv(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(rig_read(&r), 3000);
	rig_forget(&r);
	rig_close(&r);
}

static void
as_many_sacked_segments_prove_a_loss_as_was_said(void)
{
	open_with(five_segments, 10000);
	rig_advance(&r, RTT);
	for (uint32_t end = 2001; end <= 5001; end += 1000)
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, end}});
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_DISORDER);
	CU_ASSERT_EQUAL(r.tcp.stats.rexmit_segs, 0);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 6001}});
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(without_the_probe_the_time_out_is_first),
		UNIT(without_frto_lost_segments_follow_the_time_out),
		UNIT(without_dsack_what_came_twice_is_only_acknowledged),
		UNIT(as_many_sacked_segments_prove_a_loss_as_was_said),
		{NULL, NULL},
	};

	return unit_main("tcp_knobs", tests, true);
}
