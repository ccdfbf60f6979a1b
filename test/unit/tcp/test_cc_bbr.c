/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_path.h"
#include "cc_bbr.h"
#include "unit.h"

#define MSS CC_PATH_MSS
#define S   UINT64_C(1000000)
#define MS  UINT64_C(1000)

static struct cc_path p;

/* 10 Mbyte/s, 40 ms: 400 packets under way; the buffer holds twice that. */
static const struct cc_path_conf plain = {
	.cc = "bbr", .rate_Bps = 10000000, .rtt_us = 40000, .buffer = 800000};

static const struct bbr *
model(void)
{
	return weir_tcp_cc_priv(&p.conn);
}

static void
startup_finds_the_bandwidth_and_drains_its_queue(void)
{
	cc_path_open(&p, &plain);
	CU_ASSERT_EQUAL(model()->state, BBR_STARTUP);
	while (model()->state == BBR_STARTUP && p.now_us < 1002 * S)
		cc_path_run(&p, 10 * MS);
	CU_ASSERT(p.now_us < 1001 * S);
	CU_ASSERT_DOUBLE_EQUAL(bbr_max_bw(model()) * 16.0, 10e6, 0.5e6);
	while (model()->state == BBR_DRAIN && p.now_us < 1003 * S)
		cc_path_run(&p, 10 * MS);
	CU_ASSERT(bbr_is_probing_bw(model()));
	CU_ASSERT(p.flight <= 420 * MSS);
	CU_ASSERT_EQUAL(model()->min_rtt_us / 1000, 40);
}

static void
bottleneck_is_busy_and_its_queue_short(void)
{
	cc_path_open(&p, &plain);
	cc_path_run(&p, 3 * S);
	p.queue_sum = 0;
	p.queue_n = 0;
	CU_ASSERT(cc_path_use(&p, 30 * S) >= 93);
	CU_ASSERT(p.queue_sum / p.queue_n < 40000); /* a tenth of what is under way */
	CU_ASSERT_EQUAL(p.drops, 0);
}

/* 5.3.3: down, cruise, refill, up, over and over; a few seconds each time. */
static void
phases_follow_each_other(void)
{
	unsigned int seen[BBR_PROBE_RTT + 1] = {0};
	uint8_t last;

	cc_path_open(&p, &plain);
	cc_path_run(&p, 2 * S);
	last = model()->state;
	for (unsigned int i = 0; i < 20000; i++) {
		cc_path_run(&p, MS);
		if (model()->state == last)
			continue;
		if (model()->state == BBR_UP)
			CU_ASSERT_EQUAL(last, BBR_REFILL);
		if (model()->state == BBR_REFILL)
			CU_ASSERT(last == BBR_CRUISE || last == BBR_DOWN);
		last = model()->state;
		seen[last]++;
	}
	CU_ASSERT(seen[BBR_UP] >= 5 && seen[BBR_UP] <= 20);
	CU_ASSERT(seen[BBR_CRUISE] >= 5);
	CU_ASSERT(seen[BBR_DOWN] >= 5);
	CU_ASSERT(seen[BBR_PROBE_RTT] >= 1 && seen[BBR_PROBE_RTT] <= 5);
}

/* 5.3.4: at half of what is under way, for 200 ms. */
static void
round_trip_is_probed_with_less_under_way(void)
{
	cc_path_open(&p, &plain);
	cc_path_run(&p, 2 * S);
	p.conf.rtt_us = 60000; /* the path became longer: the least round trip is not seen again */
	while (model()->state != BBR_PROBE_RTT && p.now_us < 1020 * S)
		cc_path_run(&p, MS);
	CU_ASSERT_EQUAL(model()->state, BBR_PROBE_RTT);
	cc_path_run(&p, 150 * MS);
	CU_ASSERT(p.flight <= 320 * MSS);
	cc_path_run(&p, 300 * MS);
	CU_ASSERT(model()->state != BBR_PROBE_RTT);
	cc_path_run(&p, 10 * S);
	CU_ASSERT_EQUAL(model()->min_rtt_us / 1000, 60);
}

static void
more_bandwidth_is_found(void)
{
	cc_path_open(&p, &plain);
	cc_path_run(&p, 5 * S);
	p.conf.rate_Bps = 20000000;
	cc_path_run(&p, 15 * S);
	CU_ASSERT(cc_path_use(&p, 10 * S) >= 90);
}

static void
less_bandwidth_is_accepted(void)
{
	cc_path_open(&p, &plain);
	cc_path_run(&p, 5 * S);
	p.conf.rate_Bps = 5000000;
	cc_path_run(&p, 15 * S);
	p.queue_sum = 0;
	p.queue_n = 0;
	CU_ASSERT(cc_path_use(&p, 10 * S) >= 90);
	CU_ASSERT(p.queue_sum / p.queue_n < 60000);
}

/* Where one packet in two hundred is lost for no reason, Reno and CUBIC starve. */
static void
chance_losses_do_not_slow_it_down(void)
{
	struct cc_path_conf conf = plain;

	conf.lose_one_in = 200;
	cc_path_open(&p, &conf);
	cc_path_run(&p, 5 * S);
	CU_ASSERT(cc_path_use(&p, 20 * S) >= 75);
	conf.cc = "cubic";
	cc_path_open(&p, &conf);
	cc_path_run(&p, 5 * S);
	CU_ASSERT(cc_path_use(&p, 20 * S) < 50);
}

/* 5.5.10.2: a probe that loses more than 2 % sets a bound. */
static void
shallow_buffer_bounds_what_is_under_way(void)
{
	struct cc_path_conf conf = plain;
	uint32_t drops;

	conf.buffer = 40000;
	cc_path_open(&p, &conf);
	cc_path_run(&p, 5 * S);
	CU_ASSERT(model()->inflight_hi != BBR_INF);
	drops = p.drops;
	CU_ASSERT(cc_path_use(&p, 20 * S) >= 80);
	CU_ASSERT(p.drops - drops < 200000 * 2 / 100);
}

static void
acks_of_super_segments_do_not_slow_it_down(void)
{
	struct cc_path_conf conf = plain;

	conf.burst = 40;
	cc_path_open(&p, &conf);
	cc_path_run(&p, 3 * S);
	CU_ASSERT(cc_path_use(&p, 20 * S) >= 92);
	CU_ASSERT_EQUAL(p.drops, 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(startup_finds_the_bandwidth_and_drains_its_queue),
		UNIT(bottleneck_is_busy_and_its_queue_short),
		UNIT(phases_follow_each_other),
		UNIT(round_trip_is_probed_with_less_under_way),
		UNIT(more_bandwidth_is_found),
		UNIT(less_bandwidth_is_accepted),
		UNIT(chance_losses_do_not_slow_it_down),
		UNIT(shallow_buffer_bounds_what_is_under_way),
		UNIT(acks_of_super_segments_do_not_slow_it_down),
		{NULL, NULL},
	};

	return unit_main("cc_bbr", tests, false);
}
