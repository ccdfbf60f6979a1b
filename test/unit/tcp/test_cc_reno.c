/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_path.h"
#include "unit.h"

#define MSS CC_PATH_MSS
#define S   UINT64_C(1000000)

static struct cc_path p;

static void
open_at(uint32_t segs, uint32_t ssthresh)
{
	cc_path_open(&p, &(struct cc_path_conf){.cc = "reno",
				 .rtt_us = 100000,
				 .cwnd = segs * MSS,
				 .ssthresh = ssthresh * MSS});
}

/* RFC 5681 3.1 with RFC 3465: by what was acknowledged. */
static void
slow_start_grows_by_what_is_acknowledged(void)
{
	open_at(10, 100);
	cc_path_ack(&p, 4 * MSS, 100000);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 14 * MSS);
	cc_path_ack(&p, 300, 100000);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 14 * MSS + 300);
}

/* RFC 5681 3.1: a segment each window. */
static void
avoidance_grows_by_a_segment_each_window(void)
{
	open_at(10, 10);
	for (unsigned int i = 0; i < 10; i++)
		cc_path_ack(&p, MSS, 100000);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 11 * MSS);
	cc_path_ack(&p, 11 * MSS, 100000); /* one ACK for all */
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 12 * MSS);
}

static void
slow_start_ends_at_its_threshold_within_an_ack(void)
{
	open_at(10, 12);
	cc_path_ack(&p, 8 * MSS, 100000);
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 12 * MSS);
	cc_path_ack(&p, 6 * MSS, 100000); /* 6 were left over */
	CU_ASSERT_EQUAL(p.conn.cc.cwnd, 13 * MSS);
}

/* RFC 5681 equation (4), of cwnd as Linux does */
static void
loss_halves_the_window(void)
{
	open_at(20, 20);
	cc_path_lose(&p);
	CU_ASSERT_EQUAL(p.conn.cc.ssthresh, 10 * MSS);
	p.conn.cc.cwnd = 3 * MSS;
	cc_path_lose(&p);
	CU_ASSERT_EQUAL(p.conn.cc.ssthresh, 2 * MSS);
}

static void
bottleneck_stays_busy_with_a_buffer_of_a_bandwidth_delay_product(void)
{
	cc_path_open(
		&p, &(struct cc_path_conf){
			    .cc = "reno", .rate_Bps = 5000000, .rtt_us = 20000, .buffer = 100000});
	cc_path_run(&p, 5 * S);
	CU_ASSERT(cc_path_use(&p, 20 * S) >= 97);
	CU_ASSERT(p.events >= 3);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(slow_start_grows_by_what_is_acknowledged),
		UNIT(avoidance_grows_by_a_segment_each_window),
		UNIT(slow_start_ends_at_its_threshold_within_an_ack),
		UNIT(loss_halves_the_window),
		UNIT(bottleneck_stays_busy_with_a_buffer_of_a_bandwidth_delay_product),
		{NULL, NULL},
	};

	return unit_main("cc_reno", tests, false);
}
