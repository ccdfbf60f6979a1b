/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 4821: a path's MTU searched for by sending. */
#include "rig.h"

#include <errno.h>

#define RTT  (100 * RIG_MS)
#define BASE 1000

static struct rig r;

static void
always(struct weir_tcp_conf *conf)
{
	conf->mtu_probing = WEIR_TCP_MTU_ALWAYS;
	conf->base_mss = BASE;
}

static void
in_black_holes(struct weir_tcp_conf *conf)
{
	conf->mtu_probing = WEIR_TCP_MTU_BLACK_HOLE;
	conf->base_mss = 500;
}

/* Segments of BASE for now; 1400 may pass. A first flight has made room for 20 of them. */
static void
open_searching(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true, .tune = always, .mss = 1400});
	CU_ASSERT_EQUAL(r.conn->mss, BASE);
	rig_write(&r, 10 * BASE);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1 + 10 * BASE);
	rig_sent_nothing(&r);
}

/* A probe halfway up, then what tells of its loss. */
static void
send_probe(void)
{
	rig_write(&r, 10000);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = 1200, .is_unpushed = true);
	rig_sent(&r, .flags = ACK, .seq = 11201, .ack = 1, .len = BASE);
	CU_ASSERT_EQUAL(rig_forget(&r), 8);
	CU_ASSERT_EQUAL(r.tcp.stats.mtu_probes, 1);
	rig_advance(&r, RTT);
}

static void
probe_that_arrives_is_the_new_size(void)
{
	open_searching();
	send_probe();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 20001);
	CU_ASSERT_EQUAL(r.conn->mss, 1200);
	rig_write(&r, 10000);
	rig_sent(&r, .flags = ACK, .seq = 20001, .ack = 1, .len = 1300, .is_unpushed = true);
	rig_forget(&r);
	rig_close(&r);
}

static void
probe_that_is_lost_is_no_congestion(void)
{
	open_searching();
	send_probe();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001, .sack = {{11201, 14201}});
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = BASE, .is_unpushed = true);
	rig_sent(&r, .flags = ACK, .seq = 11001, .ack = 1, .len = 200);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.tcp.stats.mtu_probes_lost, 1);
	CU_ASSERT(r.conn->cc.cwnd >= 19 * BASE);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 20001);
	CU_ASSERT_EQUAL(r.conn->mss, BASE);
	rig_write(&r, 10000); /* below what was lost */
	rig_sent(&r, .flags = ACK, .seq = 20001, .ack = 1, .len = 1099, .is_unpushed = true);
	rig_forget(&r);
	rig_close(&r);
}

static void
probe_that_goes_again_says_nothing(void)
{
	open_searching();
	send_probe();
	while (r.tcp.stats.rto_fired == 0)
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 20001);
	CU_ASSERT_EQUAL(r.conn->mss, BASE);
	CU_ASSERT_EQUAL(r.tcp.stats.mtu_probes_lost, 0);
	rig_forget(&r);
	rig_close(&r);
}

static void
search_ends_where_icmp_says(void)
{
	open_searching();
	send_probe();
	rig_icmp(&r, 10001, EMSGSIZE, false, 1100);
	CU_ASSERT_EQUAL(r.conn->mss, BASE);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = BASE, .is_unpushed = true);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 20001);
	rig_write(&r, 10000);
	rig_sent(&r, .flags = ACK, .seq = 20001, .ack = 1, .len = 1030, .is_unpushed = true);
	rig_forget(&r);
	rig_close(&r);
}

static void
nothing_is_sent_in_a_small_window(void)
{
	open_searching();
	r.conn->cc.cwnd = 10 * BASE;
	rig_write(&r, 10000);
	rig_sent(&r, .flags = ACK, .seq = 10001, .ack = 1, .len = BASE, .is_unpushed = true);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 4821 7.7: the fourth time-out in a row, and each after it, halves what is sent. */
static void
black_hole_makes_segments_small(void)
{
	static const uint16_t sizes[] = {1000, 1000, 1000, 500, 250};

	rig_open_rtt(&r, RTT, &(struct rig_setup){.tune = in_black_holes, .mss = 1000});
	CU_ASSERT_EQUAL(r.conn->mss, 1000);
	rig_write(&r, 1000);
	rig_forget(&r);
	for (unsigned int i = 0; i < RTE_DIM(sizes); i++) {
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
		CU_ASSERT_EQUAL(r.tcp.stats.rto_fired, i + 1);
		CU_ASSERT_EQUAL(r.conn->mss, sizes[i]);
		rig_forget(&r);
	}
	CU_ASSERT_EQUAL(r.tcp.stats.mtu_black_holes, 2);
	rig_close(&r);
}

static void
without_it_segments_stay_as_large(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.mss = 1000});
	rig_write(&r, 1000);
	rig_forget(&r);
	for (unsigned int i = 0; i < 6; i++)
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
	CU_ASSERT_EQUAL(r.conn->mss, 1000);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(probe_that_arrives_is_the_new_size),
		UNIT(probe_that_is_lost_is_no_congestion),
		UNIT(probe_that_goes_again_says_nothing),
		UNIT(search_ends_where_icmp_says),
		UNIT(nothing_is_sent_in_a_small_window),
		UNIT(black_hole_makes_segments_small),
		UNIT(without_it_segments_stay_as_large),
		{NULL, NULL},
	};

	return unit_main("tcp_mtu_probe", tests, true);
}
