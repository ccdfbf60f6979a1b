/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME_WAIT: a record of its own answers what is late. */
#include "rig.h"

#include <errno.h>

static struct rig r;

static void
open_wait(const struct rig_setup *setup)
{
	rig_open_as(&r, WEIR_TCP_TIME_WAIT, setup);
	weir_tcp_release(&r.tcp, r.conn);
	r.conn = NULL;
}

static void
connection_and_its_memory_go_at_once(void)
{
	open_wait(&(struct rig_setup){0});
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 1);
	CU_ASSERT_EQUAL(r.tcp.n_state[WEIR_TCP_TIME_WAIT], 1);
	rig_advance(&r, 61 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 0);
	CU_ASSERT_EQUAL(r.tcp.n_state[WEIR_TCP_TIME_WAIT], 0);
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 2);
	rig_sent(&r, .flags = RST, .seq = 2);
	rig_close(&r);
}

static void
late_fin_is_answered_each_time(void)
{
	open_wait(&(struct rig_setup){.use_ts = true});
	for (unsigned int i = 0; i < 3; i++) {
		rig_advance(&r, 50 * RIG_S);
		rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2, .opts = WEIR_TCP_OPT_TS);
		rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2, .opts = WEIR_TCP_OPT_TS,
			.ts_ecr = 5000);
	}
	rig_close(&r);
}

static void
late_data_is_answered_and_dropped(void)
{
	open_wait(&(struct rig_setup){0});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_seq], 2);
	rig_close(&r);
}

/* Two that answer each other's ACKs would never stop. */
static void
empty_segments_are_answered_twice_a_second_at_most(void)
{
	open_wait(&(struct rig_setup){0});
	for (unsigned int i = 0; i < 10; i++)
		rig_recv(&r, .flags = ACK, .seq = 1000, .ack = 2);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_advance(&r, 500 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1000, .ack = 2);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_close(&r);
}

/* The ACK of simultaneous close, again: nothing to say. */
static void
expected_ack_is_taken_in_silence(void)
{
	open_wait(&(struct rig_setup){0});
	rig_advance(&r, 20 * RIG_S);
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 2);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 60 * RIG_S);
	rig_close(&r);
}

/* RFC 7323 5.3 */
static void
old_timestamp_is_answered_and_dropped(void)
{
	open_wait(&(struct rig_setup){.use_ts = true});
	rig_recv(&r, .flags = SYN, .seq = 9000, .opts = WEIR_TCP_OPT_TS, .ts_val = r.ts_val - 1);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2, .ts_ecr = 5000);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_paws], 1);
	rig_close(&r);
}

static void
rst_may_end(struct weir_tcp_conf *conf)
{
	conf->use_rfc1337 = false;
}

/* RFC 1337 is a choice; the exact sequence number is none. */
static void
rst_ends_it_where_rfc1337_is_off(void)
{
	open_wait(&(struct rig_setup){.tune = rst_may_end});
	rig_recv(&r, .flags = RST, .seq = 3);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 1);
	rig_recv(&r, .flags = RST, .seq = 2);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 0);
	rig_sent_nothing(&r);
	rig_close(&r);
}

/* Without a listener there is nobody to open a new one for. */
static void
new_syn_without_a_listener_is_answered_as_an_old_one(void)
{
	open_wait(&(struct rig_setup){0});
	rig_recv(&r, .flags = SYN, .seq = 1000);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	rig_close(&r);
}

static void
few_waits(struct weir_tcp_conf *conf)
{
	conf->max_waits = 1;
}

static void
turn(void)
{
	struct weir_vec none = {.n = 0};

	rig_turn(&r, &none);
}

/* Close a connection from another port of the peer, as far as TIME_WAIT. */
static void
another_to_time_wait(uint16_t port)
{
	struct weir_flow flow = r.flow;
	struct weir_tcp_conn *c;

	flow.rport = weir_be16(port);
	CU_ASSERT_EQUAL_FATAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), 0);
	turn();
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = c->iss - r.iss + 1, .sport = port);
	weir_tcp_shutdown(&r.tcp, c);
	turn();
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = c->iss - r.iss + 1, .sport = port);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = c->iss - r.iss + 2, .sport = port);
	CU_ASSERT_PTR_NOT_NULL(weir_tcp_find_wait(&r.tcp, &flow));
	rig_forget(&r);
}

static void
full_pool_forgets_the_oldest(void)
{
	open_wait(&(struct rig_setup){.tune = few_waits});
	another_to_time_wait(4000);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.tcp.stats.time_wait_overflow, 1);
	rig_close(&r);
}

/* Records from the middle of the list may go or start again: the others end in their order. */
static void
each_ends_in_its_time(void)
{
	open_wait(&(struct rig_setup){0});
	for (uint16_t i = 0; i < 5; i++) {
		rig_advance(&r, 5 * RIG_S);
		another_to_time_wait((uint16_t)(4000 + i));
	}
	rig_advance(&r, 2 * RIG_S);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2); /* the first starts again, at 27 s */
	rig_forget(&r);
	for (uint32_t left = 6; left > 1; left--) {
		CU_ASSERT_EQUAL(r.tcp.waits.used, left);
		rig_advance(&r, left == 6 ? 38 * RIG_S : 5 * RIG_S);
	}
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	rig_advance(&r, 2 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 0);
	rig_close(&r);
}

static void
reuse(struct weir_tcp_conf *conf)
{
	conf->use_tw_reuse = true;
}

/* RFC 6191 from the other side: timestamps tell the new connection from the old one. */
static void
connect_takes_the_place_after_a_second(void)
{
	struct weir_tcp_conn *c;

	open_wait(&(struct rig_setup){.tune = reuse, .use_ts = true});
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, NULL, &c), -EADDRINUSE);
	rig_advance(&r, 1001 * RIG_MS);
	CU_ASSERT_EQUAL_FATAL(weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, NULL, &c), 0);
	CU_ASSERT_EQUAL(c->iss - r.iss, 2 + 65537);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 0);
	rig_close(&r);
}

static void
connect_does_not_without_timestamps_or_the_knob(void)
{
	struct weir_tcp_conn *c;

	open_wait(&(struct rig_setup){.tune = reuse});
	rig_advance(&r, 5 * RIG_S);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, NULL, &c), -EADDRINUSE);
	rig_close(&r);
	open_wait(&(struct rig_setup){.use_ts = true});
	rig_advance(&r, 5 * RIG_S);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, NULL, &c), -EADDRINUSE);
	rig_close(&r);
}

static void
no_wait(struct weir_tcp_conf *conf)
{
	conf->time_wait_us = 0;
}

static void
time_of_zero_skips_it(void)
{
	rig_open_as(&r, WEIR_TCP_FIN_WAIT_2, &(struct rig_setup){.tune = no_wait});
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_CLOSED);
	CU_ASSERT(r.events & WEIR_READY_CLOSE);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(connection_and_its_memory_go_at_once),
		UNIT(late_fin_is_answered_each_time),
		UNIT(late_data_is_answered_and_dropped),
		UNIT(empty_segments_are_answered_twice_a_second_at_most),
		UNIT(expected_ack_is_taken_in_silence),
		UNIT(old_timestamp_is_answered_and_dropped),
		UNIT(rst_ends_it_where_rfc1337_is_off),
		UNIT(new_syn_without_a_listener_is_answered_as_an_old_one),
		UNIT(full_pool_forgets_the_oldest),
		UNIT(each_ends_in_its_time),
		UNIT(connect_takes_the_place_after_a_second),
		UNIT(connect_does_not_without_timestamps_or_the_knob),
		UNIT(time_of_zero_skips_it),
		{NULL, NULL},
	};

	return unit_main("tcp_wait", tests, true);
}
