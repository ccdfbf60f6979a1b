/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig r;

static void
open_with_ts(enum weir_tcp_state state)
{
	rig_open_as(&r, state, &(struct rig_setup){.use_ts = true});
}

/* RFC 7323 3.2: on every segment once agreed. */
static void
every_segment_has_timestamps(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_write(&r, 10);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 10, .opts = WEIR_TCP_OPT_TS,
		.ts_ecr = 5000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11, .len = 5, .ts_val = 5007);
	rig_sent(&r, .flags = ACK, .seq = 11, .ack = 6, .opts = WEIR_TCP_OPT_TS, .ts_ecr = 5007);
	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_write_parts(&r, 0, 1);
	rig_read(&r);
	rig_sent(&r, .flags = FIN | ACK, .seq = 11, .ack = 6, .opts = WEIR_TCP_OPT_TS,
		.ts_ecr = 5007);
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_sent(&r, .flags = RST | ACK, .seq = 12, .ack = 6, .opts = WEIR_TCP_OPT_TS,
		.ts_ecr = 5007);
	rig_close(&r);
}

static uint32_t
sent_ts(void)
{
	struct weir_tcp_seg seg = {0};
	struct rte_mbuf *m = rig_take(&r);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	weir_tcp_parse(
		rte_pktmbuf_mtod_offset(m, const uint8_t *, 20), (uint16_t)(m->pkt_len - 20), &seg);
	rte_pktmbuf_free(m);
	return seg.ts_val;
}

static void
clock_ticks_in_milliseconds(void)
{
	uint32_t before;

	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_write(&r, 10);
	before = sent_ts();
	rig_advance(&r, 150 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11, .len = 1);
	CU_ASSERT_EQUAL(sent_ts() - before, 150);
	rig_read(&r);
	rig_close(&r);
}

/* RFC 7323 5.3: R1. */
static void
old_timestamp_is_dropped_and_acknowledged(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 4999);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .ts_ecr = 5000);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_paws], 1);
	CU_ASSERT_EQUAL(r.rx.n, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10,
		.ts_val = 5000); /* equal is fine */
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_forget(&r);
	rig_close(&r);
}

static void
rst_is_not_subject_to_paws(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = RST, .seq = 1, .ts_val = 100);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	rig_close(&r);
}

/* RFC 7323 5.5 */
static void
timestamp_of_24_days_ago_says_nothing(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_advance(&r, UINT64_C(25) * 86400 * RIG_S);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 4000);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 7323 4.3: the echo is of the segment that spans the last ACK sent. */
static void
echo_is_of_the_earliest_unacknowledged_segment(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	r.conn->rcv.quick_acks = 0;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 5001);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .ts_val = 5002);
	rig_advance(&r, 40 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 21, .ts_ecr = 5001);
	rig_recv(&r, .flags = ACK, .seq = 31, .ack = 1, .len = 10, .ts_val = 5003); /* a hole */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 21, .ts_ecr = 5001);
	rig_recv(&r, .flags = ACK, .seq = 21, .ack = 1, .len = 10, .ts_val = 5002); /* fills it */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 41, .ts_ecr = 5002);
	rig_read(&r);
	rig_close(&r);
}

/* RFC 7323 5.3 R3: not from what is not acceptable. */
static void
timestamp_of_an_unacceptable_segment_is_not_taken(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = -100, .ack = 1, .len = 10, .ts_val = 9000);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->ts_recent, 5000);
	rig_recv(&r, .flags = SYN, .seq = 1, .ts_val = 9000);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->ts_recent, 5000);
	rig_close(&r);
}

static void
strict(struct weir_tcp_conf *conf)
{
	conf->is_ts_strict = true;
}

static void
missing_timestamps_are_tolerated_or_not(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .no_ts = true);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_forget(&r);
	rig_close(&r);
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true, .tune = strict});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .no_ts = true);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	rig_sent_nothing(&r);
	rig_close(&r);
}

static void
timestamps_wrap(void)
{
	open_with_ts(WEIR_TCP_ESTABLISHED);
	r.conn->ts_recent = UINT32_MAX - 1;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 3);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	CU_ASSERT_EQUAL(r.conn->ts_recent, 3);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(every_segment_has_timestamps),
		UNIT(clock_ticks_in_milliseconds),
		UNIT(old_timestamp_is_dropped_and_acknowledged),
		UNIT(rst_is_not_subject_to_paws),
		UNIT(timestamp_of_24_days_ago_says_nothing),
		UNIT(echo_is_of_the_earliest_unacknowledged_segment),
		UNIT(timestamp_of_an_unacceptable_segment_is_not_taken),
		UNIT(missing_timestamps_are_tolerated_or_not),
		UNIT(timestamps_wrap),
		{NULL, NULL},
	};

	return unit_main("tcp_ts", tests, true);
}
