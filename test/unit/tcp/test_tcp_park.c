/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that sleep: when, what they keep, and when there is no room to wake up. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define ACT_LEN offsetof(struct weir_tcp_act, queue)

static struct rig r;

/* A request and its answer of some size, after rtt_us. */
static void
exchange(uint32_t len)
{
	const uint32_t sent = r.write_pos, got = r.read_pos;

	rig_recv(&r, .flags = PSH | ACK, .seq = got, .ack = sent, .len = 100);
	rig_read(&r);
	rig_write(&r, len);
	rig_advance(&r, 10 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = got + 100, .ack = sent + len);
	rig_forget(&r);
}

static void
open_all_options(void)
{
	rig_open_rtt(&r, 10 * RIG_MS,
		&(struct rig_setup){.use_ts = true, .use_wscale = true, .use_sack = true});
}

/* Time passes and the worker has turns. */
static void
rest(uint64_t us)
{
	rig_advance(&r, us);
	rig_write(&r, 0);
}

static void
idle_connection_sleeps_and_loses_nothing(void)
{
	struct weir_tcp_act before;
	unsigned int len = 0;

	open_all_options();
	for (uint32_t i = 1; i < 20; i++)
		exchange(i * 200);
	memcpy(&before, r.conn->act, sizeof(before));
	rest(1100 * RIG_MS);
	CU_ASSERT_PTR_NULL(r.conn->act);
	CU_ASSERT_EQUAL(r.tcp.acts.used, 0);
	CU_ASSERT_EQUAL(r.tcp.parked.used, 1);
	for (const uint8_t *p = weir_slab_at(&r.tcp.parked, 0), *q = p; q < p + WEIR_TCP_PARKED;
		q++)
		if (*q != 0)
			len = (unsigned int)(q + 1 - p);
	printf("[%u bytes] ", len);
	CU_ASSERT(weir_tcp_wake(&r.tcp, r.conn));
	CU_ASSERT_EQUAL(memcmp(&before, r.conn->act, ACT_LEN), 0);
	CU_ASSERT_EQUAL(r.tcp.parked.used, 0);
	exchange(500);
	rig_close(&r);
}

static void
request_or_write_wakes_it(void)
{
	open_all_options();
	exchange(100);
	rest(1500 * RIG_MS);
	CU_ASSERT_PTR_NULL(r.conn->act);
	exchange(100);
	CU_ASSERT_PTR_NOT_NULL(r.conn->act);
	rest(1500 * RIG_MS);
	CU_ASSERT_PTR_NULL(r.conn->act);
	rig_write(&r, 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 201, .ack = 201, .len = 100);
	rig_recv(&r, .flags = ACK, .seq = 201, .ack = 301);
	rig_close(&r);
}

static void
ping_pong_stays_awake(void)
{
	const struct weir_tcp_act *act;

	open_all_options();
	act = r.conn->act;
	for (unsigned int i = 0; i < 10; i++) {
		exchange(100);
		rest(900 * RIG_MS);
		CU_ASSERT_PTR_EQUAL(r.conn->act, act);
	}
	rig_close(&r);
}

static void
what_is_under_way_keeps_it_awake(void)
{
	open_all_options();
	rig_write(&r, 100);
	rig_forget(&r);
	for (unsigned int i = 0; i < 5; i++) {
		rest(RIG_S);
		CU_ASSERT_PTR_NOT_NULL(r.conn->act);
	}
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101);
	rig_close(&r);
}

/* All acts are somebody else's. */
static void *
sleep_and_take_all(void)
{
	void *act;

	rest(1500 * RIG_MS);
	CU_ASSERT_PTR_NULL(r.conn->act);
	act = weir_slab_get(&r.tcp.acts);
	r.tcp.acts.capacity = r.tcp.acts.fresh;
	return act;
}

static void
segment_without_room_is_dropped_and_comes_again(void)
{
	void *act;

	open_all_options();
	act = sleep_and_take_all();
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_no_memory], 1);
	CU_ASSERT(r.tcp.stats.no_act > 0);
	weir_slab_put(&r.tcp.acts, act);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rig_forget(&r);
	rig_close(&r);
}

static void
output_without_room_waits(void)
{
	void *act;

	open_all_options();
	act = sleep_and_take_all();
	rig_write(&r, 100);
	rig_write(&r, 100);
	rig_sent_nothing(&r);
	weir_slab_put(&r.tcp.acts, act);
	rig_write(&r, 0);
	CU_ASSERT(rig_forget(&r) > 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 201);
	rig_close(&r);
}

static void
sleeper_with_output_can_be_reset(void)
{
	void *act;

	open_all_options();
	act = sleep_and_take_all();
	rig_write(&r, 100);
	weir_tcp_abort(&r.tcp, r.conn);
	r.conn = NULL;
	weir_slab_put(&r.tcp.acts, act);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.tcp.parked.used, 0);
	rig_close(&r);
}

static void
short_of_room_idle_ones_are_put_to_sleep_early(void)
{
	struct weir_tcp_conn *c;
	struct weir_flow flow;

	open_all_options();
	exchange(100);
	r.tcp.acts.capacity = r.tcp.acts.fresh;
	CU_ASSERT_PTR_NOT_NULL(r.conn->act);
	flow = r.flow;
	flow.lport = weir_be16(4001);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), 0);
	CU_ASSERT_PTR_NULL(r.conn->act);
	weir_tcp_abort(&r.tcp, c);
	exchange(100);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(idle_connection_sleeps_and_loses_nothing),
		UNIT(request_or_write_wakes_it),
		UNIT(ping_pong_stays_awake),
		UNIT(what_is_under_way_keeps_it_awake),
		UNIT(segment_without_room_is_dropped_and_comes_again),
		UNIT(output_without_room_waits),
		UNIT(sleeper_with_output_can_be_reset),
		UNIT(short_of_room_idle_ones_are_put_to_sleep_early),
		{NULL, NULL},
	};

	return unit_main("tcp_park", tests, true);
}
