/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include "tcp_priv.h"

static struct rig r;

/* Past the first ten segments, which go at once; 1000-byte segments. */
static void
open_past_start(bool use_tso, uint64_t max_bps)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_tso = use_tso});
	rig_write(&r, 10000);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001);
	rig_forget(&r);
	r.conn->opts.max_pacing_bps = max_bps;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_forget(&r);
}

static void
rate_is_kept_to_the_segment(void)
{
	open_past_start(false, 1000000); /* a segment each millisecond */
	rig_write(&r, 8000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	for (unsigned int i = 1; i < 8; i++) {
		rig_advance(&r, 990);
		rig_sent_nothing(&r);
		rig_advance(&r, 10);
		CU_ASSERT_EQUAL(rig_forget(&r), 1);
	}
	rig_close(&r);
}

/* What is late is made up for: the mean is right. */
static void
mean_rate_is_right_at_high_rates(void)
{
	uint32_t sent = 0, before = 0, us = 0;

	open_past_start(true, 50000000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .wnd = 65535);
	r.conn->cc.cwnd = 60000;
	r.conn->snd.wnd = 60000;
	rig_write(&r, 50000);
	while (us < 2000 && sent < 50000) {
		uint32_t len;

		while ((len = rig_sent_text(&r, 10001 + sent)) > 0) {
			before = sent;
			sent += len;
		}
		if (sent < 50000)
			rig_advance(&r, 1);
		us++;
	}
	CU_ASSERT_EQUAL(sent, 50000);
	CU_ASSERT(before >= 10000 && us >= before / 50 && us <= before / 50 + 64);
	rig_close(&r);
}

/* About a millisecond's worth, never less than two segments. */
static void
bursts_are_a_millisecond_long(void)
{
	open_past_start(true, 5120000);
	rig_write(&r, 20000);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = 5000);
	rig_sent_nothing(&r);
	rig_advance(&r, RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 15001, .ack = 1, .len = 5000);
	rig_forget(&r);
	rig_close(&r);
	open_past_start(true, 500000);
	rig_write(&r, 20000);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = 2000);
	rig_sent_nothing(&r);
	rig_advance(&r, 4 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 12001, .ack = 1, .len = 2000);
	rig_forget(&r);
	rig_close(&r);
}

static void
pace(struct weir_tcp_conf *conf)
{
	conf->use_pacing = true;
}

/* Ten segments at once, paced or not; then twice the window in a round trip. */
static void
initial_window_goes_at_once(void)
{
	unsigned int n = 0;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = pace});
	r.conn->srtt_us = 100 * RIG_MS;
	rig_write(&r, 60000);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	rig_advance(&r, 100 * RIG_MS);
	r.conn->rexmit_at = 0;
	rig_forget(&r);
	r.conn->srtt_us = 100 * RIG_MS;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001);
	r.conn->srtt_us = 100 * RIG_MS;
	n = rig_forget(&r);
	CU_ASSERT(n <= 2);
	rig_advance(&r, 20 * RIG_MS); /* a fifth of a round trip: two fifths of 20 segments */
	n += rig_forget(&r);
	CU_ASSERT(n >= 7 && n <= 10);
	rig_close(&r);
}

static void
limit_can_be_lifted(void)
{
	open_past_start(false, 1000000);
	rig_write(&r, 8000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	r.conn->opts.max_pacing_bps = 0;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	rig_write(&r, 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 7);
	rig_close(&r);
}

/* Time in which nothing was sent gives no right to a burst. */
static void
idle_time_is_not_saved_up(void)
{
	open_past_start(false, 1000000);
	rig_write(&r, 1000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11001);
	rig_advance(&r, 100 * RIG_MS);
	rig_write(&r, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_close(&r);
}

/* ACKs and FINs wait for no rate. */
static void
acks_are_not_paced(void)
{
	open_past_start(false, 1000);
	rig_write(&r, 2000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .len = 10);
	rig_advance(&r, 40 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 11001, .ack = 11);
	rig_read(&r);
	rig_close(&r);
}

static void
unpaced_connections_have_no_timer(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 60000);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	CU_ASSERT_EQUAL(r.conn->pace_at, 0);
	CU_ASSERT_EQUAL(r.conn->cc.depart_ns, 0);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(rate_is_kept_to_the_segment),
		UNIT(mean_rate_is_right_at_high_rates),
		UNIT(bursts_are_a_millisecond_long),
		UNIT(initial_window_goes_at_once),
		UNIT(limit_can_be_lifted),
		UNIT(idle_time_is_not_saved_up),
		UNIT(acks_are_not_paced),
		UNIT(unpaced_connections_have_no_timer),
		{NULL, NULL},
	};

	return unit_main("tcp_pace", tests, true);
}
