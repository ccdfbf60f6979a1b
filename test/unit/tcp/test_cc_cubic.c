/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_path.h"
#include "unit.h"

#define MSS CC_PATH_MSS
#define S   UINT64_C(1000000)

static struct cc_path p;

static void
open_at(uint32_t segs, uint32_t rtt_us)
{
	cc_path_open(&p, &(struct cc_path_conf){.cc = "cubic",
				 .rtt_us = rtt_us,
				 .cwnd = segs * MSS,
				 .ssthresh = segs * MSS});
}

/* ACKs for burst segments each, a window of them in each round trip. */
static void
grow_for(uint64_t us, uint32_t burst)
{
	double now_us = (double)p.now_us;
	const double end_us = now_us + (double)us;

	while (now_us < end_us) {
		now_us += (double)p.conf.rtt_us * burst * MSS / p.conn.cc.cwnd;
		p.now_us = (uint64_t)now_us;
		p.core.now_us = p.now_us;
		cc_path_ack(&p, burst * MSS, p.conf.rtt_us);
	}
}

static double
segs(void)
{
	return (double)p.conn.cc.cwnd / MSS;
}

/* RFC 9438 4.2, figure 1 */
static double
closed_form(double t, double k, double w_max)
{
	return 0.4 * (t - k) * (t - k) * (t - k) + w_max;
}

/* RFC 9438 4.3, ten round trips a second, from 70 segments */
static double
reno_estimate(double t)
{
	const double reached = 30 / (10 * 9.0 / 17);

	return t < reached ? 70 + t * 10 * 9 / 17 : 100 + (t - reached) * 10;
}

static void
check_curve(uint32_t burst, double tolerance)
{
	const double k = 4.2172; /* cube root of (100 - 70) / 0.4 */

	open_at(100, 100000);
	cc_path_lose(&p);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 70 * MSS);
	for (unsigned int t = 1; t <= 9; t++) {
		grow_for(S, burst);
		CU_ASSERT_DOUBLE_EQUAL(
			segs(), RTE_MAX(closed_form(t, k, 100), reno_estimate(t)), tolerance);
	}
}

static void
window_follows_the_closed_form(void)
{
	check_curve(1, 1.5);
}

/* One ACK for what went as one packet to the port. */
static void
window_follows_the_closed_form_with_acks_of_super_segments(void)
{
	check_curve(10, 2);
}

static void
two_thirds_of_the_reduction_come_back_before_the_flat_part(void)
{
	open_at(100, 100000);
	cc_path_lose(&p);
	grow_for(2 * S, 1);
	CU_ASSERT(segs() > 90 && segs() < 100); /* concave */
	grow_for(2 * S, 1);
	CU_ASSERT_DOUBLE_EQUAL(segs(), 100, 0.5); /* flat */
	grow_for(4 * S, 1);
	CU_ASSERT(segs() > 115); /* convex */
}

/* RFC 9438 4.3: 9/17 of a segment each round trip up to the former window, then a whole one. */
static void
short_round_trips_grow_as_reno_would(void)
{
	open_at(20, 10000);
	cc_path_lose(&p);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 14 * MSS);
	grow_for(S / 10, 1); /* ten round trips */
	CU_ASSERT_DOUBLE_EQUAL(segs(), 14 + 10 * 9.0 / 17, 1.01);
	grow_for(S / 5, 1);
	CU_ASSERT(segs() > 20 && segs() < 14 + 30);
}

/* RFC 9438 4.7 */
static void
who_lost_again_below_the_former_maximum_makes_room(void)
{
	open_at(100, 200000);
	cc_path_lose(&p); /* W_max 100, cwnd 70 */
	cc_path_lose(&p); /* W_max 70 * 0.85 = 59.5, cwnd 49 */
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 49 * MSS);
	grow_for(S * 297 / 100, 1); /* K: cube root of 10.5 / 0.4 */
	CU_ASSERT_DOUBLE_EQUAL(segs(), 59.5, 1.5);
}

/* RFC 9438 4.6: never below two segments. */
static void
window_has_a_least_size(void)
{
	open_at(2, 100000);
	cc_path_lose(&p);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 2 * MSS);
}

/* RFC 9438 4.8 */
static void
curve_is_flat_at_first_after_a_timeout(void)
{
	const struct weir_tcp_cc_ops *ops;

	open_at(100, 100000);
	ops = p.conn.cc.ops;
	p.conn.cc.ssthresh = ops->ssthresh(&p.tcp, &p.conn);
	p.conn.cc.cwnd = MSS;
	ops->event(&p.tcp, &p.conn, WEIR_TCP_CC_TIMEOUT);
	while (p.conn.cc.cwnd < p.conn.cc.ssthresh)
		grow_for(100000, 1);
	CU_ASSERT_DOUBLE_EQUAL(segs(), 70, 1);
	grow_for(S, 1); /* K = 0: 0.4 segments in a second; the Reno estimate is above it */
	CU_ASSERT(segs() < 70 + 11 * 9.0 / 17 + 1);
}

/* RFC 9438 4.9 */
static void
undoing_restores_the_curve(void)
{
	uint32_t cwnd;

	open_at(100, 100000);
	cc_path_lose(&p);
	grow_for(3 * S, 1);
	cwnd = p.conn.cc.cwnd;
	cc_path_lose(&p);
	p.conn.cc.cwnd = cwnd;
	p.conn.cc.ops->undo(&p.tcp, &p.conn);
	grow_for(3 * S, 1);
	CU_ASSERT_DOUBLE_EQUAL(segs(), closed_form(6, 4.2172, 100), 2);
}

/* RFC 9438 5.8: a window that was not in use says nothing about the path. */
static void
time_without_use_does_not_count(void)
{
	open_at(100, 100000);
	cc_path_lose(&p);
	grow_for(2 * S, 1);
	p.now_us += 60 * S;
	p.core.now_us = p.now_us;
	grow_for(S, 1);
	CU_ASSERT_DOUBLE_EQUAL(segs(), closed_form(3, 4.2172, 100), 1.5);
}

/* Round trips of slow start: cwnd doubles until they get longer. */
static void
slow_start_round(uint32_t rtt_us, uint32_t burst)
{
	const uint32_t n = RTE_MAX(p.conn.cc.cwnd / MSS / burst, 1u);

	for (uint32_t i = 0; i < n; i++)
		cc_path_ack(&p, burst * MSS, rtt_us);
	p.now_us += rtt_us;
	p.core.now_us = p.now_us;
}

static void
open_new(void)
{
	cc_path_open(&p, &(struct cc_path_conf){.cc = "cubic", .rtt_us = 40000});
}

static void
longer_round_trips_end_slow_start(uint32_t burst)
{
	uint32_t before, fast, slow;

	open_new();
	for (unsigned int i = 0; i < 4; i++)
		slow_start_round(40000, burst);
	before = p.conn.cc.cwnd;
	CU_ASSERT(before >= 100 * MSS); /* doubled all the time */
	slow_start_round(46000, burst); /* an eighth is 5 ms */
	fast = p.conn.cc.cwnd - before;
	CU_ASSERT(fast < before); /* already conservative within the round */
	before = p.conn.cc.cwnd;
	slow_start_round(46000, burst);
	slow = p.conn.cc.cwnd - before;
	CU_ASSERT_DOUBLE_EQUAL((double)slow, before / 4.0, before / 20.0);
	CU_ASSERT_EQUAL(p.conn.cc.ssthresh, UINT32_MAX);
	for (unsigned int i = 0; i < 5; i++)
		slow_start_round(46000, burst);
	CU_ASSERT(p.conn.cc.ssthresh <= p.conn.cc.cwnd); /* five rounds: it is over */
}

/* RFC 9406 4.2 */
static void
longer_round_trips_lead_out_of_slow_start(void)
{
	longer_round_trips_end_slow_start(1);
}

static void
longer_round_trips_lead_out_of_slow_start_with_acks_of_super_segments(void)
{
	longer_round_trips_end_slow_start(8);
}

static void
slow_start_resumes_where_round_trips_were_long_by_chance(void)
{
	uint32_t before;

	open_new();
	for (unsigned int i = 0; i < 4; i++)
		slow_start_round(40000, 1);
	slow_start_round(46000, 1);
	slow_start_round(40000, 1);
	before = p.conn.cc.cwnd;
	slow_start_round(40000, 1);
	CU_ASSERT(p.conn.cc.cwnd >= 2 * before - MSS);
	CU_ASSERT_EQUAL(p.conn.cc.ssthresh, UINT32_MAX);
}

/* 10 Mbyte/s, 40 ms, a buffer of one bandwidth-delay product. */
static void
bottleneck_stays_busy(void)
{
	cc_path_open(&p,
		&(struct cc_path_conf){
			.cc = "cubic", .rate_Bps = 10000000, .rtt_us = 40000, .buffer = 400000});
	cc_path_run(&p, 5 * S);
	CU_ASSERT(cc_path_use(&p, 30 * S) >= 97);
	CU_ASSERT(p.events >= 3); /* it did find the end */
}

static unsigned int
drops_of_slow_start(const char *cc, uint32_t buffer)
{
	cc_path_open(
		&p, &(struct cc_path_conf){
			    .cc = cc, .rate_Bps = 10000000, .rtt_us = 40000, .buffer = buffer});
	while (p.conn.cc.ssthresh == UINT32_MAX)
		cc_path_run(&p, 10000);
	cc_path_run(&p, S / 2);
	return p.drops;
}

static void
slow_start_ends_with_less_loss_than_it_would(void)
{
	const unsigned int blind = drops_of_slow_start("reno", 1600000);

	CU_ASSERT(drops_of_slow_start("cubic", 1600000) < blind / 2);
	CU_ASSERT_EQUAL(drops_of_slow_start("cubic", 0), 0);
	CU_ASSERT(p.conn.cc.cwnd >= 400 * MSS);
}

static void
bottleneck_stays_busy_with_a_shallow_buffer(void)
{
	cc_path_open(&p,
		&(struct cc_path_conf){
			.cc = "cubic", .rate_Bps = 10000000, .rtt_us = 40000, .buffer = 100000});
	cc_path_run(&p, 5 * S);
	CU_ASSERT(cc_path_use(&p, 30 * S) >= 88);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(window_follows_the_closed_form),
		UNIT(window_follows_the_closed_form_with_acks_of_super_segments),
		UNIT(two_thirds_of_the_reduction_come_back_before_the_flat_part),
		UNIT(short_round_trips_grow_as_reno_would),
		UNIT(who_lost_again_below_the_former_maximum_makes_room),
		UNIT(window_has_a_least_size),
		UNIT(curve_is_flat_at_first_after_a_timeout),
		UNIT(undoing_restores_the_curve),
		UNIT(time_without_use_does_not_count),
		UNIT(longer_round_trips_lead_out_of_slow_start),
		UNIT(longer_round_trips_lead_out_of_slow_start_with_acks_of_super_segments),
		UNIT(slow_start_resumes_where_round_trips_were_long_by_chance),
		UNIT(bottleneck_stays_busy),
		UNIT(bottleneck_stays_busy_with_a_shallow_buffer),
		UNIT(slow_start_ends_with_less_loss_than_it_would),
		{NULL, NULL},
	};

	return unit_main("cc_cubic", tests, false);
}
