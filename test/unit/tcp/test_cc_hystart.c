/* SPDX-License-Identifier: BSD-3-Clause */
/* [tcp] hystart = linux | no; HyStart++ is in test_cc_cubic.c. */
#include "cc_path.h"
#include "unit.h"

#define MSS	CC_PATH_MSS
#define S	UINT64_C(1000000)
#define RTT_US	50000
#define SAMPLES 8 /* of a round, that only find the shortest */

static struct cc_path p;

static void
open_as(enum weir_tcp_hystart way, const struct cc_path_conf *conf)
{
	cc_path_open(&p, conf);
	p.tcp.conf.hystart = way;
}

static bool
is_over(void)
{
	return p.conn.cc.ssthresh != UINT32_MAX;
}

/* n ACKs of a segment each, gap_us apart. */
static void
ack(unsigned int n, uint32_t rtt_us, uint32_t gap_us)
{
	while (n-- > 0) {
		p.core.now_us = p.now_us += gap_us;
		cc_path_ack(&p, MSS, rtt_us);
	}
}

/* What is under way is acknowledged, as a round of its own, except for the last `left` segments. */
static void
round_of(uint32_t rtt_us, uint32_t gap_us, unsigned int left)
{
	ack((p.conn.snd.max - p.conn.snd.una) / MSS + 1 - left, rtt_us, gap_us);
}

static void
open_with(uint32_t segs)
{
	open_as(WEIR_TCP_HYSTART_LINUX,
		&(struct cc_path_conf){.cc = "cubic", .rtt_us = RTT_US, .cwnd = segs * MSS});
}

static void
acks_without_a_gap_for_half_of_the_round_trip_end_it(void)
{
	open_with(40);
	ack(1, RTT_US, RTT_US); /* begins a round */
	ack(25, RTT_US, 1000);
	CU_ASSERT(!is_over());
	ack(1, RTT_US, 1000); /* 25 ms, and the half millisecond a burst may take */
	CU_ASSERT_EQUAL(p.conn.cc.ssthresh, 66 * MSS);
}

static void
acks_with_gaps_do_not(void)
{
	open_with(20);
	ack(100, RTT_US, 2001);
	CU_ASSERT(!is_over());
}

static void
paced_senders_have_twice_the_time(void)
{
	open_with(60);
	p.conn.is_paced = true;
	ack(1, RTT_US, RTT_US);
	ack(51, RTT_US, 1000);
	CU_ASSERT(!is_over());
	ack(1, RTT_US, 1000);
	CU_ASSERT(is_over());
}

static void
a_round_of_longer_round_trips_ends_it(void)
{
	open_with(20);
	ack(1, RTT_US, RTT_US);
	round_of(RTT_US, 2001, 1);
	ack(1, RTT_US + 6251, 2001); /* the next begins */
	ack(SAMPLES - 1, RTT_US + 6251, 2001);
	CU_ASSERT(!is_over());
	ack(1, RTT_US + 6251, 2001);
	CU_ASSERT(is_over());
	CU_ASSERT(p.conn.cc.cwnd - p.conn.cc.ssthresh < MSS);
}

static void
a_little_longer_does_not(void)
{
	open_with(20);
	ack(1, RTT_US, RTT_US);
	round_of(RTT_US, 2001, 1);
	ack(3 * SAMPLES, RTT_US + 6250, 2001);
	CU_ASSERT(!is_over());
}

static void
one_short_round_trip_speaks_for_its_round(void)
{
	open_with(20);
	ack(1, RTT_US, RTT_US);
	round_of(RTT_US, 2001, 1);
	ack(SAMPLES - 1, 2 * RTT_US, 2001);
	ack(1, RTT_US, 2001);
	ack(SAMPLES, 2 * RTT_US, 2001);
	CU_ASSERT(!is_over());
}

static void
small_windows_are_left_alone(void)
{
	open_with(8);
	ack(1, 2000, 2000);
	ack(7, 2000, 500); /* as long as a round trip */
	CU_ASSERT(!is_over());
	ack(10, 2000, 500);
	CU_ASSERT(is_over());
}

static void
a_path_is_left_about_when_it_is_full(void)
{
	open_as(WEIR_TCP_HYSTART_LINUX,
		&(struct cc_path_conf){.cc = "cubic", .rate_Bps = 12500000, .rtt_us = 20000});
	cc_path_run(&p, S);
	CU_ASSERT(is_over());
	CU_ASSERT(p.conn.cc.ssthresh > 125 * MSS && p.conn.cc.ssthresh < 500 * MSS);
}

static void
the_window_grows_by_a_twentieth_until_a_loss_tells_more(void)
{
	open_as(WEIR_TCP_HYSTART_LINUX,
		&(struct cc_path_conf){
			.cc = "cubic", .rtt_us = RTT_US, .cwnd = 100 * MSS, .ssthresh = 100 * MSS});
	ack(100, RTT_US, 500);
	CU_ASSERT(p.conn.cc.cwnd >= 104 * MSS && p.conn.cc.cwnd <= 106 * MSS);
	cc_path_lose(&p);
	ack(73, RTT_US, 500);
	CU_ASSERT(p.conn.cc.cwnd <= 75 * MSS);
}

static void
without_it_only_losses_end_slow_start(void)
{
	open_as(WEIR_TCP_HYSTART_NO,
		&(struct cc_path_conf){.cc = "cubic", .rate_Bps = 12500000, .rtt_us = 20000});
	cc_path_run(&p, S);
	CU_ASSERT(!is_over());
	CU_ASSERT(p.conn.cc.cwnd > 5000 * MSS);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(acks_without_a_gap_for_half_of_the_round_trip_end_it),
		UNIT(acks_with_gaps_do_not),
		UNIT(paced_senders_have_twice_the_time),
		UNIT(a_round_of_longer_round_trips_ends_it),
		UNIT(a_little_longer_does_not),
		UNIT(one_short_round_trip_speaks_for_its_round),
		UNIT(small_windows_are_left_alone),
		UNIT(a_path_is_left_about_when_it_is_full),
		UNIT(the_window_grows_by_a_twentieth_until_a_loss_tells_more),
		UNIT(without_it_only_losses_end_slow_start),
		{NULL, NULL},
	};

	return unit_main("cc_hystart", tests, false);
}
