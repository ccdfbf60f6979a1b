/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig r;

/* An established connection that is past its quick start. */
static void
open_calm(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->rcv.quick_acks = 0;
}

static void
first_segments_are_acknowledged_at_once(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	for (uint32_t i = 0; i < 16; i++) {
		rig_recv(&r, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .len = 10);
		rig_sent(&r, .flags = ACK, .seq = 1, .ack = 11 + 10 * i);
	}
	rig_recv(&r, .flags = ACK, .seq = 161, .ack = 1, .len = 10);
	rig_sent_nothing(&r);
	rig_read(&r);
	rig_close(&r);
}

/* RFC 9293 3.8.6.3 */
static void
ack_is_delayed_by_its_time(void)
{
	open_calm();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 40 * RIG_MS);
	rig_advance(&r, 40 * RIG_MS - 1);
	rig_sent_nothing(&r);
	rig_advance(&r, 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 101);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	rig_read(&r);
	rig_close(&r);
}

static void
every_second_full_segment_is_acknowledged(void)
{
	open_calm();
	for (uint32_t seq = 1; seq < 8001; seq += 2000) {
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
		rig_sent_nothing(&r);
		rig_recv(&r, .flags = ACK, .seq = seq + 1000, .ack = 1, .len = 1000);
		rig_sent(&r, .flags = ACK, .seq = 1, .ack = seq + 2000);
	}
	rig_read(&r);
	rig_close(&r);
}

static void
data_carries_the_ack(void)
{
	open_calm();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	rig_write(&r, 10);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 101, .len = 10);
	rig_advance(&r, 100 * RIG_MS);
	rig_sent_nothing(&r);
	rig_read(&r);
	rig_close(&r);
}

static void
hole_and_its_filling_are_acknowledged_at_once(void)
{
	open_calm();
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 1, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 31, .ack = 1, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 21);
	rig_recv(&r, .flags = ACK, .seq = 21, .ack = 1, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 41);
	rig_recv(&r, .flags = ACK, .seq = 41, .ack = 1, .len = 10);
	rig_sent_nothing(&r);
	rig_read(&r);
	rig_close(&r);
}

/* A partner in conversation gets its ACK with the answer. */
static void
answering_ends_the_quick_start(void)
{
	struct weir_vec v = {.n = 0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	r.given++;
	weir_tcp_input(&r.tcp, &v);
	rig_write(&r, 5); /* in the same turn */
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 11, .len = 5);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 6, .len = 10);
	rig_sent_nothing(&r);
	rig_write(&r, 5);
	rig_sent(&r, .flags = PSH | ACK, .seq = 6, .ack = 21, .len = 5);
	rig_read(&r);
	rig_close(&r);
}

static void
no_delay(struct weir_tcp_conf *conf)
{
	conf->delack_us = 0;
}

static void
delay_can_be_switched_off(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = no_delay});
	r.conn->rcv.quick_acks = 0;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2);
	rig_read(&r);
	rig_close(&r);
}

static void
quickack_acknowledges_at_once(void)
{
	open_calm();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	r.conn->opts.quickack = 4 + WEIR_TCP_QUICK_ON;
	weir_tcp_quickack_set(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 11);
	rig_read(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(first_segments_are_acknowledged_at_once),
		UNIT(ack_is_delayed_by_its_time),
		UNIT(every_second_full_segment_is_acknowledged),
		UNIT(data_carries_the_ack),
		UNIT(hole_and_its_filling_are_acknowledged_at_once),
		UNIT(answering_ends_the_quick_start),
		UNIT(delay_can_be_switched_off),
		UNIT(quickack_acknowledges_at_once),
		{NULL, NULL},
	};

	return unit_main("tcp_ack", tests, true);
}
