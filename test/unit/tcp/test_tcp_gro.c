/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments of a burst that follow one another are one. */
#include "rig.h"

#include "tcp_priv.h"

static struct rig r;

static uint64_t
merged(void)
{
	return r.core.fates[WEIR_FATE_tcp_merged];
}

static void
segments_in_order_become_one(void)
{
	struct weir_vec v = {0};
	uint64_t taken;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	taken = r.core.fates[WEIR_FATE_tcp_taken];
	for (uint32_t i = 0; i < 5; i++)
		rig_queue(&r, &v, .flags = ACK | (i == 4 ? PSH : 0), .seq = 1 + i * 1000, .ack = 1,
			.len = 1000);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(merged(), 4);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_tcp_taken], taken + 1);
	CU_ASSERT_EQUAL(r.conn->rcv.mss, 1000); /* of one segment, not of the chain */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 5001);
	CU_ASSERT_EQUAL(rig_read(&r), 5000); /* the pattern, checked byte by byte */
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 9293 3.8.6.3, RFC 5681 4.2: two full segments are acknowledged at once, also as one. */
static void
two_full_segments_are_acknowledged_at_once(void)
{
	struct weir_vec v = {0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->rcv.quick_acks = 0;
	r.conn->rcv.mss = 1000;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	rig_advance(&r, 50 * RIG_MS);
	rig_forget(&r);
	rig_queue(&r, &v, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_queue(&r, &v, .flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(merged(), 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 3001);
	CU_ASSERT_EQUAL(rig_read(&r), 3000);
	rig_forget(&r);
	rig_close(&r);
}

/* A hole, another ACK, another window, a flag, an option, a larger segment: each stands alone. */
static void
what_differs_stays_apart(void)
{
	struct weir_vec v = {0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 100);
	rig_forget(&r);
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
	rig_queue(&r, &v, .flags = ACK, .seq = 501, .ack = 101, .len = 500);
	rig_queue(&r, &v, .flags = ACK, .seq = 1001, .ack = 101, .len = 500, .wnd = 40000);
	rig_queue(&r, &v, .flags = ACK, .seq = 1501, .ack = 101, .len = 600, .wnd = 40000);
	rig_queue(&r, &v, .flags = ACK, .seq = 2601, .ack = 101, .len = 500, .wnd = 40000);
	rig_queue(&r, &v, .flags = ACK, .seq = 3101, .ack = 101, .len = 500, .wnd = 40000,
		.opts = WEIR_TCP_OPT_MSS, .mss = 900);
	rig_queue(&r, &v, .flags = ACK, .seq = 2101, .ack = 101, .len = 500, .wnd = 40000);
	rig_queue(&r, &v, .flags = ACK | FIN, .seq = 3601, .ack = 101, .len = 500, .wnd = 40000);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(merged(), 0);
	CU_ASSERT_EQUAL(r.conn->rcv.nxt, r.irs + 4102); /* all of it, and the FIN */
	CU_ASSERT_EQUAL(r.conn->snd.una, r.iss + 101);
	CU_ASSERT_EQUAL(rig_read(&r), 4100);
	rig_forget(&r);
	rig_close(&r);
}

/* A codepoint of ECN, a timestamp and a FIN count for the segments that have them alone. */
static void
codepoints_timestamps_and_fins_stay_apart(void)
{
	struct weir_vec v = {0};

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true, .use_ecn = true});
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 900);
	rig_queue(&r, &v, .flags = ACK, .seq = 901, .ack = 1, .len = 900, .tos = WEIR_IP_ECN_ECT0);
	rig_queue(&r, &v, .flags = ACK, .seq = 1801, .ack = 1, .len = 900, .tos = WEIR_IP_ECN_ECT0,
		.ts_val = r.ts_val + 5);
	rig_queue(&r, &v, .flags = ACK | FIN, .seq = 2701, .ack = 1, .len = 900,
		.tos = WEIR_IP_ECN_ECT0, .ts_val = r.ts_val + 5);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(merged(), 0);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_CLOSE_WAIT);
	CU_ASSERT_EQUAL(rig_read(&r), 3600);
	rig_forget(&r);
	rig_close(&r);
}

/* What came before the second half of a run is processed before it. */
static void
ack_between_two_segments_parts_them(void)
{
	struct weir_vec v = {0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 900);
	rig_queue(&r, &v, .flags = ACK, .seq = 901, .ack = 1);
	rig_queue(&r, &v, .flags = ACK, .seq = 901, .ack = 1, .len = 900);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(merged(), 0);
	CU_ASSERT_EQUAL(rig_read(&r), 1800);
	rig_forget(&r);
	rig_close(&r);
}

/* Ahead of their turn, too; and what overlaps is cut as a whole. */
static void
run_out_of_order_is_one_block(void)
{
	struct weir_vec v = {0};

	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_sack = true, .use_ts = true});
	for (uint32_t i = 0; i < 3; i++)
		rig_queue(&r, &v, .flags = ACK, .seq = 1001 + i * 1000, .ack = 1, .len = 1000);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(merged(), 2);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 4001}});
	rig_forget(&r);
	for (uint32_t i = 0; i < 5; i++)
		rig_queue(&r, &v, .flags = ACK, .seq = 1 + i * 1000, .ack = 1, .len = 1000);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(r.conn->rcv.nxt, r.irs + 5001);
	CU_ASSERT_EQUAL(rig_read(&r), 5000);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(segments_in_order_become_one),
		UNIT(two_full_segments_are_acknowledged_at_once),
		UNIT(what_differs_stays_apart),
		UNIT(codepoints_timestamps_and_fins_stay_apart),
		UNIT(ack_between_two_segments_parts_them),
		UNIT(run_out_of_order_is_one_block),
		{NULL, NULL},
	};

	return unit_main("tcp_gro", tests, true);
}
