/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that sleep: when, what they keep, and when there is no room to wake up. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

static struct rig r;

/* All of a connection that a sleep must not change: its links are of no meaning while it is idle.
 */
static struct weir_tcp_conn
essence(const struct weir_tcp_conn *c)
{
	struct weir_tcp_conn e = *c;

	memset(&e.ready.link, 0, sizeof(e.ready.link));
	memset(&e.out, 0, sizeof(e.out));
	memset(&e.sndq.q, 0, sizeof(e.sndq.q));
	memset(&e.rcv.rx, 0, sizeof(e.rcv.rx));
	memset(&e.ooo, 0, sizeof(e.ooo));
	memset(&e.timer, 0, sizeof(e.timer));
	e.sndq.cursor = NULL;
	e.sndq.cursor_seq = 0;
	e.act->cursor = NULL;
	e.act->oldest = e.act->newest = e.act->tail = 0;
	e.act->n_hints = 0;
	memset(e.act->hints, 0, sizeof(e.act->hints));
	if (e.act->n_sacks == 0 && !e.act->has_dsack)
		memset(e.act->sacks, 0, sizeof(e.act->sacks));
	memset(&e.act->queue, 0, sizeof(e.act->queue));
	return e;
}

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
	r.may_sleep = true;
}

/* Time passes and the worker has turns. */
static void
rest(uint64_t us)
{
	rig_advance(&r, us);
	rig_turn(&r, &(struct weir_vec){.n = 0});
}

static bool
is_asleep(void)
{
	return r.conn == NULL && r.end.parked != 0;
}

/* Bytes of the sleeper's room that have a value. */
static unsigned int
bytes_used(void)
{
	const uint8_t *p = weir_slab_at(&r.tcp.parked, r.end.parked - 1);
	unsigned int len = WEIR_TCP_PARKED;

	while (len > 0 && p[len - 1] == 0)
		len--;
	return len + (unsigned int)(r.tcp.rests.used * sizeof(struct weir_tcp_rest));
}

static void
idle_connection_sleeps_and_loses_nothing(void)
{
	struct weir_tcp_conn before, after;

	open_all_options();
	for (uint32_t i = 1; i < 20; i++)
		exchange(i * 200);
	before = essence(r.conn);
	rest(1100 * RIG_MS);
	CU_ASSERT_FATAL(is_asleep());
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.tcp.parked.used, 1);
	CU_ASSERT_EQUAL(r.tcp.naps.used, 0);
	printf("[%u bytes] ", bytes_used());
	CU_ASSERT_PTR_NOT_NULL_FATAL(weir_tcp_conn_of(&r.tcp, &r.end));
	after = essence(r.conn);
	CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof(before)), 0);
	CU_ASSERT_EQUAL(r.tcp.parked.used, 0);
	exchange(500);
	rig_close(&r);
}

/* Losses leave more behind than an easy life does. */
static void
one_that_has_suffered_sleeps_too(void)
{
	struct weir_tcp_conn before, after;

	open_all_options();
	exchange(5000);
	rig_write(&r, 10 * 1460);
	rig_advance(&r, 10 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 5001,
		.sack = {{5001 + 2 * 1448, 5001 + 5 * 1448}, {5001 + 7 * 1448, 5001 + 8 * 1448}});
	rig_advance(&r, 10 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = r.write_pos);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1560, .ack = r.write_pos, .len = 100);
	rig_recv(&r, .flags = PSH | ACK, .seq = 101, .ack = r.write_pos, .len = 1459);
	rig_read(&r);
	rest(50 * RIG_MS);
	rig_forget(&r);
	before = essence(r.conn);
	rest(1500 * RIG_MS);
	CU_ASSERT_FATAL(is_asleep());
	printf("[%u bytes] ", bytes_used());
	weir_tcp_conn_of(&r.tcp, &r.end);
	after = essence(r.conn);
	CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof(before)), 0);
	exchange(500);
	rig_close(&r);
}

/* Every algorithm keeps something of its own. */
static void
whatever_its_congestion_control(void)
{
	for (unsigned int i = 0; weir_tcp_cc_at(i) != NULL; i++) {
		struct weir_tcp_conn before, after;

		open_all_options();
		r.conn->opts.cc = (uint8_t)i;
		weir_tcp_opts_changed(&r.tcp, r.conn);
		for (uint32_t n = 1; n < 30; n++)
			exchange(n * 1000);
		before = essence(r.conn);
		rest(1500 * RIG_MS);
		CU_ASSERT_FATAL(is_asleep());
		printf("[%s: %u bytes] ", weir_tcp_cc_at(i)->name, bytes_used());
		weir_tcp_conn_of(&r.tcp, &r.end);
		after = essence(r.conn);
		CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof(before)), 0);
		CU_ASSERT_EQUAL(r.tcp.rests.used, 0);
		rig_close(&r);
	}
}

static void
request_or_write_wakes_it(void)
{
	open_all_options();
	exchange(100);
	rest(1500 * RIG_MS);
	CU_ASSERT(is_asleep());
	rig_recv(&r, .flags = PSH | ACK, .seq = 101, .ack = 101, .len = 100);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.conn);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rest(1500 * RIG_MS);
	rig_forget(&r);
	CU_ASSERT(is_asleep());
	CU_ASSERT_PTR_NOT_NULL(weir_tcp_conn_of(&r.tcp, &r.end));
	rig_write(&r, 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 101, .ack = 201, .len = 100);
	rig_recv(&r, .flags = ACK, .seq = 201, .ack = 201);
	rig_close(&r);
}

static void
ping_pong_stays_awake(void)
{
	open_all_options();
	for (unsigned int i = 0; i < 10; i++) {
		exchange(100);
		rest(900 * RIG_MS);
		CU_ASSERT_PTR_NOT_NULL_FATAL(r.conn);
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
		CU_ASSERT_PTR_NOT_NULL_FATAL(r.conn);
	}
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101);
	rig_close(&r);
}

/* Data that nobody has fetched stays in the connection. */
static void
unfetched_data_keeps_it_awake(void)
{
	struct weir_tcp_conn *c;

	open_all_options();
	c = r.conn;
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	weir_pktq_add(&c->rcv.rx, weir_pktq_pop(&r.rx));
	rest(1500 * RIG_MS);
	CU_ASSERT_PTR_EQUAL(r.conn, c);
	weir_pktq_add(&r.rx, weir_pktq_pop(&c->rcv.rx));
	rig_read(&r);
	rig_forget(&r);
	rig_close(&r);
}

static void
keepalive_probes_from_its_sleep(void)
{
	open_all_options();
	r.conn->opts.is_keepalive = true;
	r.conn->opts.keep_idle_s = 10;
	r.conn->opts.keep_intvl_s = 10;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	exchange(100);
	rest(2 * RIG_S);
	CU_ASSERT(is_asleep());
	CU_ASSERT_EQUAL(r.tcp.naps.used, 1);
	rig_sent_nothing(&r);
	rest(9 * RIG_S);
	rig_sent(&r, .flags = ACK, .seq = 100, .ack = 101);
	CU_ASSERT_PTR_NOT_NULL(r.conn);
	CU_ASSERT_EQUAL(r.tcp.naps.used, 0);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 101);
	rest(2 * RIG_S);
	CU_ASSERT(is_asleep());
	rest(9 * RIG_S);
	CU_ASSERT(rig_forget(&r) > 0);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 101);
	rig_close(&r);
	CU_ASSERT_EQUAL(r.tcp.naps.used, 0);
}

/* All connections at work are somebody else's. */
static void *
sleep_and_take_all(void)
{
	void *c;

	rest(1500 * RIG_MS);
	CU_ASSERT(is_asleep());
	c = weir_slab_get(&r.tcp.conns);
	r.tcp.conns.capacity = r.tcp.conns.fresh;
	return c;
}

static void
segment_without_room_is_dropped_and_comes_again(void)
{
	void *other;

	open_all_options();
	other = sleep_and_take_all();
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_no_memory], 1);
	CU_ASSERT(r.tcp.stats.no_conn > 0);
	CU_ASSERT(is_asleep());
	CU_ASSERT_PTR_NULL(weir_tcp_conn_of(&r.tcp, &r.end));
	weir_slab_put(&r.tcp.conns, other);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rig_forget(&r);
	rig_close(&r);
}

/* Else two hosts whose senders wait for each other's sleepers would wait for ever. */
static void
senders_leave_room_for_what_peers_send(void)
{
	void *other;

	open_all_options();
	other = sleep_and_take_all();
	r.tcp.work_max = 1;
	r.tcp.conns.capacity = 2;
	CU_ASSERT_PTR_NULL(weir_tcp_conn_of(&r.tcp, &r.end));
	CU_ASSERT_FALSE(weir_tcp_may_work(&r.tcp, &r.end));
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	CU_ASSERT_FALSE(is_asleep());
	CU_ASSERT_FALSE(weir_tcp_may_work(&r.tcp, &r.end)); /* it may not answer yet */
	weir_slab_put(&r.tcp.conns, other);
	CU_ASSERT(weir_tcp_may_work(&r.tcp, &r.end));
	rig_forget(&r);
	rig_close(&r);
}

/* What has a gap before it is sent again by a peer that lives. */
static void
short_of_room_data_behind_a_gap_is_given_up(void)
{
	struct weir_tcp_conn *c;
	struct weir_flow flow;

	open_all_options();
	rig_recv(&r, .flags = PSH | ACK, .seq = 101, .ack = 1, .len = 100);
	rest(RIG_MS);
	flow = r.flow;
	flow.lport = weir_be16(4001);
	r.tcp.work_max = 1;
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), 0);
	CU_ASSERT(is_asleep());
	weir_tcp_abort(&r.tcp, c);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rig_recv(&r, .flags = PSH | ACK, .seq = 101, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rig_forget(&r);
	rig_close(&r);
}

static void
timer_without_room_comes_again(void)
{
	void *other;

	open_all_options();
	r.conn->opts.is_keepalive = true;
	r.conn->opts.keep_idle_s = 5;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	other = sleep_and_take_all();
	rest(5 * RIG_S);
	rig_sent_nothing(&r);
	CU_ASSERT(is_asleep());
	weir_slab_put(&r.tcp.conns, other);
	rest(20 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 0, .ack = 1);
	rig_close(&r);
}

static void
sleepers_count_as_connections(void)
{
	struct weir_flow flow;
	struct weir_tcp_conn *c;

	open_all_options();
	rest(1500 * RIG_MS);
	CU_ASSERT(is_asleep());
	CU_ASSERT_EQUAL(weir_tcp_n_conns(&r.tcp), 1);
	CU_ASSERT_EQUAL(r.tcp.n_state[WEIR_TCP_ESTABLISHED], 1);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, NULL, &c), -EADDRINUSE);
	r.tcp.conf.max_conns = 1;
	flow = r.flow;
	flow.lport = weir_be16(4001);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), -ENOBUFS);
	weir_tcp_conn_of(&r.tcp, &r.end);
	rig_close(&r);
}

static void
short_of_room_idle_ones_are_put_to_sleep_early(void)
{
	struct weir_tcp_conn *c;
	struct weir_flow flow;

	open_all_options();
	exchange(100);
	rest(RIG_MS);
	r.tcp.conns.capacity = r.tcp.conns.fresh;
	CU_ASSERT_PTR_NOT_NULL(r.conn);
	flow = r.flow;
	flow.lport = weir_be16(4001);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), 0);
	CU_ASSERT(is_asleep());
	weir_tcp_abort(&r.tcp, c);
	rig_recv(&r, .flags = PSH | ACK, .seq = 101, .ack = 101, .len = 100);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rig_forget(&r);
	rig_close(&r);
}

static void
who_is_worked_on_stays_awake(void)
{
	struct weir_tcp_busy busy;
	struct weir_tcp_conn *c;
	struct weir_flow flow;

	open_all_options();
	rest(RIG_MS);
	r.tcp.work_max = 1;
	flow = r.flow;
	flow.lport = weir_be16(4001);
	weir_tcp_busy_begin(&r.tcp, &busy, r.conn);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), -ENOBUFS);
	weir_tcp_busy_end(&r.tcp, &busy);
	CU_ASSERT_FALSE(is_asleep());
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &c), 0);
	CU_ASSERT(is_asleep());
	weir_tcp_abort(&r.tcp, c);
	rig_forget(&r);
	rig_close(&r);
}

static void
events_of_a_sleeper_are_kept(void)
{
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN];
	struct weir_tcp_conn room;
	const struct weir_tcp_conn *c;
	unsigned int n;
	uint32_t id;

	open_all_options();
	n = weir_tcp_trace_copy(&r.tcp, r.conn, events);
	CU_ASSERT(n > 0);
	rest(1500 * RIG_MS);
	CU_ASSERT(is_asleep());
	id = weir_tcp_id_from(&r.tcp, 0);
	while (id < WEIR_TCP_ID_PARKED) {
		CU_ASSERT_PTR_NULL(weir_tcp_by_id(&r.tcp, id, &room));
		id = weir_tcp_id_from(&r.tcp, id + 1);
	}
	CU_ASSERT_EQUAL_FATAL(id, WEIR_TCP_ID_PARKED);
	c = weir_tcp_by_id(&r.tcp, id, &room);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(c->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(weir_tcp_events_by_id(&r.tcp, id, c, events), n);
	CU_ASSERT_EQUAL(weir_tcp_id_from(&r.tcp, id + 1), WEIR_TCP_ID_END);
	weir_tcp_conn_of(&r.tcp, &r.end);
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&r.tcp, r.conn, events), n);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(idle_connection_sleeps_and_loses_nothing),
		UNIT(one_that_has_suffered_sleeps_too),
		UNIT(whatever_its_congestion_control),
		UNIT(request_or_write_wakes_it),
		UNIT(ping_pong_stays_awake),
		UNIT(what_is_under_way_keeps_it_awake),
		UNIT(unfetched_data_keeps_it_awake),
		UNIT(keepalive_probes_from_its_sleep),
		UNIT(segment_without_room_is_dropped_and_comes_again),
		UNIT(senders_leave_room_for_what_peers_send),
		UNIT(short_of_room_data_behind_a_gap_is_given_up),
		UNIT(timer_without_room_comes_again),
		UNIT(sleepers_count_as_connections),
		UNIT(short_of_room_idle_ones_are_put_to_sleep_early),
		UNIT(who_is_worked_on_stays_awake),
		UNIT(events_of_a_sleeper_are_kept),
		{NULL, NULL},
	};

	return unit_main("tcp_park", tests, true);
}
