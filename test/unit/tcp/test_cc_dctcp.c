/* SPDX-License-Identifier: BSD-3-Clause */
#include "cc_path.h"
#include "unit.h"

#define MSS CC_PATH_MSS
#define S   UINT64_C(1000000)

static struct cc_path p;

static void
open_at(uint32_t segs)
{
	cc_path_open(&p,
		&(struct cc_path_conf){
			.cc = "dctcp", .rtt_us = 1000, .cwnd = segs * MSS, .ssthresh = segs * MSS});
	p.conn.snd.max = p.conn.snd.una + segs * MSS;
}

/* A window of data is acknowledged, marked bytes of it marked. */
static void
round_trip(uint32_t bytes, uint32_t marked)
{
	const struct weir_tcp_sample s = {
		.now_us = p.now_us, .newly_delivered = bytes, .ce = marked, .is_ece = marked > 0};

	p.conn.snd.una = p.conn.snd.max;
	p.conn.snd.max += bytes;
	p.conn.cc.ops->sampled(&p.tcp, &p.conn, &s);
}

/* The share of the window that a mark would take, in thousandths. */
static unsigned int
share(void)
{
	uint32_t ssthresh;

	p.conn.is_ecn_reducing = true;
	ssthresh = p.conn.cc.ops->ssthresh(&p.tcp, &p.conn);

	return (unsigned int)((p.conn.cc.cwnd - ssthresh) * UINT64_C(1000) / p.conn.cc.cwnd);
}

/* RFC 8257 4.2 */
static void
first_mark_halves_the_window(void)
{
	open_at(1000);
	CU_ASSERT_EQUAL(share(), 500);
}

/* RFC 8257 3.3: alpha moves by a sixteenth of the way each window. */
static void
alpha_follows_the_share_of_marked_bytes(void)
{
	open_at(1000);
	round_trip(1000 * MSS, 0);
	CU_ASSERT_EQUAL(share(), 468); /* 15/16, halved */
	for (unsigned int i = 0; i < 100; i++)
		round_trip(1000 * MSS, 250 * MSS);
	CU_ASSERT(share() >= 124 && share() <= 127); /* a quarter, halved */
	for (unsigned int i = 0; i < 300; i++)
		round_trip(1000 * MSS, 0);
	CU_ASSERT_EQUAL(share(), 0);
	for (unsigned int i = 0; i < 100; i++)
		round_trip(1000 * MSS, 1000 * MSS);
	CU_ASSERT(share() >= 498);
}

/* RFC 8257 3.5 */
static void
losses_halve_the_window_whatever_alpha_is(void)
{
	open_at(1000);
	for (unsigned int i = 0; i < 300; i++)
		round_trip(1000 * MSS, 0);
	CU_ASSERT_EQUAL(share(), 0);
	p.conn.is_ecn_reducing = false;
	CU_ASSERT_EQUAL(p.conn.cc.ops->ssthresh(&p.tcp, &p.conn), p.conn.cc.cwnd / 2);
}

/* 100 Mbyte/s, 1 ms, marks beyond 30 packets: busy, with a short queue, without a loss. */
static void
bottleneck_is_busy_and_its_queue_short(void)
{
	cc_path_open(&p, &(struct cc_path_conf){.cc = "dctcp",
				 .rate_Bps = 100000000,
				 .rtt_us = 1000,
				 .buffer = 1000000,
				 .mark = 30000});
	cc_path_run(&p, S);
	p.queue_max = 0;
	CU_ASSERT(cc_path_use(&p, 2 * S) >= 97);
	CU_ASSERT(p.queue_max < 90000);
	CU_ASSERT_EQUAL(p.drops, 0);
	CU_ASSERT(p.marks > 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(first_mark_halves_the_window),
		UNIT(alpha_follows_the_share_of_marked_bytes),
		UNIT(losses_halve_the_window_whatever_alpha_is),
		UNIT(bottleneck_is_busy_and_its_queue_short),
		{NULL, NULL},
	};

	return unit_main("cc_dctcp", tests, false);
}
