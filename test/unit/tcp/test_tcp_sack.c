/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig r;

#define RTT	(100 * RIG_MS)
#define OPTS	WEIR_TCP_OPT_SACK
#define OPTS_TS (WEIR_TCP_OPT_SACK | WEIR_TCP_OPT_TS)

static void
open_receiver(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_sack = true});
}

static void
open_receiver_with_ts(void)
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_sack = true, .use_ts = true});
}

/* n bytes are under way for a round trip of 100 ms. */
static void
open_sender(uint32_t n)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true});
	rig_write(&r, n);
	rig_forget(&r);
	rig_advance(&r, RTT);
}

static void
recv_text(uint32_t seq, uint16_t len)
{
	rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = len);
}

/* The receiver */

/* RFC 2018 4: what the latest segment belongs to, then the others, most recent first. */
static void
latest_block_comes_first(void)
{
	open_receiver();
	recv_text(2001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS, .sack = {{2001, 3001}});
	recv_text(6001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{6001, 7001}, {2001, 3001}});
	recv_text(4001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{4001, 5001}, {6001, 7001}, {2001, 3001}});
	recv_text(3001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{2001, 5001}, {6001, 7001}});
	rig_close(&r);
}

static void
four_blocks_fit(void)
{
	open_receiver();
	for (uint32_t i = 1; i <= 5; i++)
		recv_text(2000 * i + 1, 1000);
	CU_ASSERT_EQUAL(rig_pending(&r), 5);
	for (unsigned int i = 0; i < 4; i++)
		rte_pktmbuf_free(rig_take(&r));
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{10001, 11001}, {8001, 9001}, {6001, 7001}, {4001, 5001}});
	rig_close(&r);
}

/* RFC 2018 3 */
static void
three_blocks_fit_beside_timestamps(void)
{
	open_receiver_with_ts();
	for (uint32_t i = 1; i <= 5; i++) {
		rig_forget(&r);
		recv_text(2000 * i + 1, 1000);
	}
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS_TS,
		.sack = {{10001, 11001}, {8001, 9001}, {6001, 7001}});
	rig_close(&r);
}

static void
block_goes_away_when_its_hole_is_filled(void)
{
	open_receiver_with_ts();
	recv_text(2001, 1000);
	recv_text(4001, 1000);
	rig_forget(&r);
	recv_text(1, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1001, .opts = OPTS_TS,
		.sack = {{4001, 5001}, {2001, 3001}});
	recv_text(1001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 3001, .opts = OPTS_TS, .sack = {{4001, 5001}});
	recv_text(3001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 5001, .opts = WEIR_TCP_OPT_TS);
	CU_ASSERT_EQUAL(rig_read(&r), 5000);
	rig_close(&r);
}

static void
fin_that_waits_is_told(void)
{
	open_receiver();
	rig_recv(&r, .flags = FIN | ACK, .seq = 2001, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{2001, 2002}});
	rig_recv(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 2002}});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2002);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSE_WAIT);
	rig_read(&r);
	rig_close(&r);
}

static void
no_blocks_where_they_were_not_agreed_on(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true});
	recv_text(2001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = WEIR_TCP_OPT_TS);
	rig_close(&r);
}

/* RFC 2883 4 */
static void
old_segment_is_told_once(void)
{
	open_receiver_with_ts();
	recv_text(1, 1000);
	rig_advance(&r, 50 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1001, .opts = WEIR_TCP_OPT_TS);
	recv_text(1, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1001, .opts = OPTS_TS, .sack = {{1, 1001}});
	CU_ASSERT_EQUAL(r.tcp.stats.dsacks_sent, 1);
	recv_text(1001, 1000);
	rig_advance(&r, 50 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2001, .opts = WEIR_TCP_OPT_TS);
	CU_ASSERT_EQUAL(rig_read(&r), 2000);
	rig_close(&r);
}

/* RFC 2883 4.1: just the part that came twice. */
static void
old_part_of_a_segment_is_told(void)
{
	open_receiver();
	recv_text(1, 1000);
	rig_advance(&r, 50 * RIG_MS);
	rig_forget(&r);
	recv_text(501, 1000);
	rig_advance(&r, 50 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1501, .opts = OPTS, .sack = {{501, 1001}});
	CU_ASSERT_EQUAL(rig_read(&r), 1500);
	rig_close(&r);
}

/* RFC 2883 4: the first block lies within the second, which tells of all that is there. */
static void
duplicate_of_what_waits_is_told_before_its_block(void)
{
	open_receiver();
	recv_text(2001, 1000);
	recv_text(4001, 1000);
	recv_text(3001, 1000);
	rig_forget(&r);
	recv_text(3001, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{3001, 4001}, {2001, 5001}});
	rig_close(&r);
}

static void
partial_overlap_of_what_waits_is_told(void)
{
	open_receiver();
	recv_text(2001, 1000);
	recv_text(5001, 1000);
	rig_forget(&r);
	recv_text(2501, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{2501, 3001}, {2001, 3501}, {5001, 6001}});
	recv_text(4501, 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .opts = OPTS,
		.sack = {{5001, 5501}, {4501, 6001}, {2001, 3501}});
	rig_close(&r);
}

static void
segment_that_covers_a_hole_and_more(void)
{
	open_receiver();
	recv_text(1001, 1000);
	rig_forget(&r);
	recv_text(1, 1500);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2001, .opts = OPTS, .sack = {{1001, 1501}});
	CU_ASSERT_EQUAL(rig_read(&r), 2000);
	rig_close(&r);
}

/* The sender */

static void
only_holes_are_sent_again(void)
{
	open_sender(10000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{3001, 10001}, {1001, 2001}});
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 8);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_EQUAL(r.tcp.stats.rexmit_segs, 2);
	rig_close(&r);
}

/* What went as one chain is known by segments. */
static void
super_segment_is_cut_at_its_holes(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true, .use_tso = true});
	r.conn->act->min_rtt_us = 100; /* a short path: half of the window at once */
	rig_write(&r, 10000);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{3001, 5001}, {7001, 10001}});
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 5);
	CU_ASSERT_EQUAL(r.conn->act->lost_segs, 5);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 3000);
	rig_sent(&r, .flags = ACK, .seq = 5001, .ack = 1, .len = 2000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 10001);
	rig_close(&r);
}

/* RFC 2018 5: the sender knows better than a block that can't be true. */
static void
wrong_blocks_are_ignored(void)
{
	open_sender(5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1,
		.sack = {{4001, 9001}, {3001, 2001}, {2001, 2001}});
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 0);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_EQUAL(r.tcp.stats.bad_sacks, 3);
	rig_close(&r);
}

/* Less than a segment is no reason to cut it up: it is not known to have arrived. */
static void
part_of_a_segment_does_not_count(void)
{
	open_sender(5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1501, 3501}});
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 1); /* 2001 */
	CU_ASSERT_EQUAL(r.conn->act->fack, r.iss + 3001);
	rig_close(&r);
}

static void
old_ack_brings_blocks(void)
{
	open_sender(5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{2001, 4001}});
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 2);
	CU_ASSERT_EQUAL(r.conn->snd.una, r.iss + 1001);
	rig_close(&r);
}

static void
sacked_data_is_not_sent_again_after_a_time_out(void)
{
	open_sender(5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 2001}, {3001, 4001}});
	rig_advance(&r, 30 * RIG_MS); /* reordering would be over */
	rig_forget(&r);
	rig_advance(&r, r.conn->rto_us);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001, .sack = {{3001, 4001}});
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 4001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_close(&r);
}

/* RFC 2018 8: the peer has thrown away what it had SACKed. */
static void
reneging_is_found_by_a_short_time_out(void)
{
	open_sender(5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{2001, 5001}});
	rig_forget(&r);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + r.conn->srtt_us / 2);
	rig_advance(&r, RTT / 2);
	CU_ASSERT_EQUAL(r.tcp.stats.sack_reneged, 1);
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 0);
	CU_ASSERT_EQUAL(r.conn->act->lost_segs, 3);
	rig_sent(&r, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(latest_block_comes_first),
		UNIT(four_blocks_fit),
		UNIT(three_blocks_fit_beside_timestamps),
		UNIT(block_goes_away_when_its_hole_is_filled),
		UNIT(fin_that_waits_is_told),
		UNIT(no_blocks_where_they_were_not_agreed_on),
		UNIT(old_segment_is_told_once),
		UNIT(old_part_of_a_segment_is_told),
		UNIT(duplicate_of_what_waits_is_told_before_its_block),
		UNIT(partial_overlap_of_what_waits_is_told),
		UNIT(segment_that_covers_a_hole_and_more),
		UNIT(only_holes_are_sent_again),
		UNIT(super_segment_is_cut_at_its_holes),
		UNIT(wrong_blocks_are_ignored),
		UNIT(part_of_a_segment_does_not_count),
		UNIT(old_ack_brings_blocks),
		UNIT(sacked_data_is_not_sent_again_after_a_time_out),
		UNIT(reneging_is_found_by_a_short_time_out),
		{NULL, NULL},
	};

	return unit_main("tcp_sack", tests, true);
}
