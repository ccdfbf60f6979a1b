/* SPDX-License-Identifier: BSD-3-Clause */
/* The latest events of a connection: which there are, in what order, and whose they are. */
#include "rig.h"

#include <string.h>

static struct rig r;

static struct weir_tcp_event events[WEIR_TCP_TRACE_LEN];
static unsigned int n_events;

static void
one_ring(struct weir_tcp_conf *conf)
{
	conf->max_traces = 1;
}

static void
no_rings(struct weir_tcp_conf *conf)
{
	conf->max_traces = 0;
}

static void
few_retries(struct weir_tcp_conf *conf)
{
	conf->data_retries = 3;
}

static void
open_as(void (*tune)(struct weir_tcp_conf *conf))
{
	rig_open_rtt(&r, 10 * RIG_MS, &(struct rig_setup){.use_sack = true, .tune = tune});
}

static void
look(void)
{
	n_events = weir_tcp_trace_copy(&r.tcp, r.conn, events);
}

/* The event that is i-th from the end reads so. */
static void
has_event(unsigned int i, const char *want)
{
	char text[WEIR_TCP_EVENT_TEXT] = "";

	look();
	CU_ASSERT_FATAL(i < n_events);
	CU_ASSERT_STRING_EQUAL(weir_tcp_event_text(&events[n_events - 1 - i], text), want);
	if (strcmp(text, want) != 0)
		printf("[%s] ", text);
}

static void
opening_is_told(void)
{
	open_as(NULL);
	has_event(1, "state SYN_SENT una=0 rcv_nxt=0");
	has_event(0, "state ESTABLISHED una=1 rcv_nxt=1");
	CU_ASSERT_EQUAL(weir_tcp_event_age_us(&events[0], r.now_us), 10 * RIG_MS);
	CU_ASSERT_EQUAL(weir_tcp_event_age_us(&events[1], r.now_us), 0);
	rig_close(&r);
}

/* Nothing is noted for what goes as it should. */
static void
steady_traffic_leaves_no_events(void)
{
	open_as(NULL);
	look();
	for (unsigned int i = 0; i < 50; i++) {
		const uint32_t before = n_events;

		rig_write(&r, 100);
		rig_forget(&r);
		rig_recv(&r, .flags = PSH | ACK, .seq = r.read_pos, .ack = r.write_pos, .len = 10);
		rig_read(&r);
		look();
		CU_ASSERT_EQUAL(n_events, before);
	}
	rig_advance(&r, RIG_S);
	rig_forget(&r);
	rig_close(&r);
}

static void
loss_and_recovery_are_told(void)
{
	open_as(NULL);
	rig_write(&r, 5000);
	rig_forget(&r);
	rig_advance(&r, 10 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 2001}});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 3001}});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 4001}});
	rig_advance(&r, 10 * RIG_MS);
	rig_forget(&r);
	has_event(0, "retransmit segs=1 seq=1 len=1000");
	has_event(1, "recovery Recovery cwnd=10000 ssthresh=5000");
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	look();
	CU_ASSERT_EQUAL(events[n_events - 1].kind, WEIR_TCP_EVENT_RECOVERY);
	CU_ASSERT_EQUAL(events[n_events - 1].aux, WEIR_TCP_CA_OPEN);
	rig_close(&r);
}

/* Rows of the same are one event with their number. */
static void
rows_are_one_event(void)
{
	open_as(NULL);
	for (uint32_t i = 0; i < 40; i++)
		rig_recv(&r, .flags = ACK, .seq = 1001 + 100 * i, .ack = 1, .len = 100);
	rig_forget(&r);
	has_event(0, "out_of_order times=40 seq=4901 len=100");
	has_event(1, "state ESTABLISHED una=1 rcv_nxt=1");
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_read(&r);
	rig_forget(&r);
	rig_close(&r);
}

static void
drops_and_windows_are_told(void)
{
	open_as(NULL);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	has_event(0, "peer_window_closed una=1 queued=0");
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 2000);
	has_event(0, "peer_window_opened una=1 window=2000");
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 900001);
	rig_forget(&r);
	has_event(0, "drop drop_tcp_ack seq=1 len=0");
	rig_icmp(&r, 1, EHOSTUNREACH, false, 0);
	rig_write(&r, 10);
	rig_icmp(&r, 1, EHOSTUNREACH, false, 0);
	rig_write(&r, 0);
	has_event(0, "icmp_error No route to host seq=1 mtu=0");
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11);
	rig_close(&r);
}

/* What led to the end is there when it has come; it also goes to the log. */
static void
death_by_time_out_is_told(void)
{
	open_as(few_retries);
	rig_write(&r, 100);
	rig_forget(&r);
	rig_advance(&r, 100 * RIG_S);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	has_event(0, "end Connection timed out una=1 rcv_nxt=1");
	look();
	CU_ASSERT_EQUAL(events[n_events - 2].kind, WEIR_TCP_EVENT_STATE);
	CU_ASSERT_EQUAL(events[n_events - 3].kind, WEIR_TCP_EVENT_REXMIT);
	CU_ASSERT_EQUAL(events[n_events - 4].kind, WEIR_TCP_EVENT_RTO);
	CU_ASSERT_EQUAL(events[n_events - 4].aux, 2);
	CU_ASSERT_EQUAL(r.tcp.trace_logs.n, 1);
	rig_close(&r);
}

/* The ring goes round: the oldest events are the first to be forgotten. */
static void
only_the_latest_are_kept(void)
{
	open_as(NULL);
	for (uint32_t i = 0; i < 100; i++)
		weir_tcp_trace(&r.tcp, r.conn, WEIR_TCP_EVENT_RTO, i, 2 * i, 3 * i);
	look();
	CU_ASSERT_EQUAL(n_events, WEIR_TCP_TRACE_LEN);
	for (uint32_t i = 0; i < n_events; i++) {
		const uint32_t no = 100 - WEIR_TCP_TRACE_LEN + i;

		CU_ASSERT_EQUAL(events[i].aux, no);
		CU_ASSERT_EQUAL(events[i].a, 2 * no);
		CU_ASSERT_EQUAL(events[i].b, 3 * no);
	}
	rig_close(&r);
}

/* With fewer rings than connections, who had no event for long gives way, and begins anew. */
static void
ring_of_the_quiet_is_taken(void)
{
	struct weir_flow flow;
	struct weir_tcp_conn *other;

	open_as(one_ring);
	look();
	CU_ASSERT_NOT_EQUAL(n_events, 0);
	flow = r.flow;
	flow.lport = weir_be16(0);
	CU_ASSERT_EQUAL_FATAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, NULL, &other), 0);
	look();
	CU_ASSERT_EQUAL(n_events, 0);
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&r.tcp, other, events), 1);
	weir_tcp_trace(&r.tcp, r.conn, WEIR_TCP_EVENT_RTO, 1, 2, 3);
	has_event(0, "rto retries=1 una=2 rto_us=3");
	CU_ASSERT_EQUAL(n_events, 1);
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&r.tcp, other, events), 0);
	weir_tcp_abort(&r.tcp, other);
	rig_forget(&r);
	rig_close(&r);
}

/* The ring of one with a recent event stays its own as long as there is another. */
static void
ring_of_the_busy_stays(void)
{
	static struct weir_tcp_traces p;
	static struct weir_tcp t;
	static struct weir_core core;
	static struct weir_tcp_conn c[4];

	t.core = &core;
	CU_ASSERT_EQUAL_FATAL(weir_tcp_traces_init(&p, 3, 0), 0);
	t.traces = p;
	for (unsigned int i = 0; i < 3; i++)
		weir_tcp_trace(&t, &c[i], WEIR_TCP_EVENT_RTO, i, 0, 0);
	weir_tcp_trace_free(&t, &c[1]);
	weir_tcp_trace(&t, &c[3], WEIR_TCP_EVENT_RTO, 3, 0, 0); /* the one that was freed */
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&t, &c[0], events), 1);
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&t, &c[1], events), 0);
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&t, &c[2], events), 1);
	CU_ASSERT_EQUAL(weir_tcp_trace_copy(&t, &c[3], events), 1);
	CU_ASSERT_EQUAL(events[0].aux, 3);
	weir_tcp_traces_fini(&t.traces);
}

static void
works_without_rings(void)
{
	open_as(no_rings);
	weir_tcp_trace(&r.tcp, r.conn, WEIR_TCP_EVENT_RTO, 1, 2, 3);
	weir_tcp_trace_more(&r.tcp, r.conn, WEIR_TCP_EVENT_OOO, 2, 3);
	look();
	CU_ASSERT_EQUAL(n_events, 0);
	rig_close(&r);
}

/* 40 bits of microseconds: ages stay right when they wrap. */
static void
age_survives_the_wrap_of_the_clock(void)
{
	const uint64_t now_us = (UINT64_C(5) << 40) + 7;
	const struct weir_tcp_event e = {.at_lo = 0xfffffff0, .at_hi = 0xff};

	CU_ASSERT_EQUAL(weir_tcp_event_age_us(&e, now_us), 23);
}

/* Each kind has a name, and its text ends where it has to. */
static void
every_kind_reads(void)
{
	char text[WEIR_TCP_EVENT_TEXT];

	for (unsigned int i = 0; i < WEIR_TCP_EVENTS; i++) {
		const struct weir_tcp_event e = {
			.kind = (uint8_t)i, .aux = UINT16_MAX, .a = UINT32_MAX, .b = UINT32_MAX};

		CU_ASSERT_PTR_EQUAL(weir_tcp_event_text(&e, text), text);
		CU_ASSERT(strlen(text) > 2 && strlen(text) < 100);
	}
	CU_ASSERT_STRING_EQUAL(
		weir_tcp_event_text(&(struct weir_tcp_event){.kind = WEIR_TCP_EVENTS}, text), "?");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(opening_is_told),
		UNIT(steady_traffic_leaves_no_events),
		UNIT(loss_and_recovery_are_told),
		UNIT(rows_are_one_event),
		UNIT(drops_and_windows_are_told),
		UNIT(death_by_time_out_is_told),
		UNIT(only_the_latest_are_kept),
		UNIT(ring_of_the_quiet_is_taken),
		UNIT(ring_of_the_busy_stays),
		UNIT(works_without_rings),
		UNIT(age_survives_the_wrap_of_the_clock),
		UNIT(every_kind_reads),
		{NULL, NULL},
	};

	return unit_main("tcp_trace", tests, true);
}
