/* SPDX-License-Identifier: BSD-3-Clause */
/* Half-open connections of a listener: a small record until the final ACK. */
#include "rig.h"

#include <errno.h>

static struct rig r;

/* The final ACK alone makes a connection, with all that the SYN and it said. */
static void
connection_is_made_by_the_final_ack(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED,
		&(struct rig_setup){.use_ts = true, .use_wscale = true, .wnd = 5000, .mss = 900});
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 1);
	rig_advance(&r, 70 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 100);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
	CU_ASSERT_EQUAL_FATAL(r.tcp.conns.used, 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.conn->mss, 900 - WEIR_TCP_OPT_TS_LEN);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 100 << 7);
	CU_ASSERT_EQUAL(r.conn->snd.wscale, 7);
	CU_ASSERT_EQUAL(r.conn->srtt_us, 70000);
	CU_ASSERT(r.conn->has_ts);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10 * r.conn->mss);
	rig_sent_nothing(&r);
	rig_close(&r);
}

static void
syn_ack_repeats_what_was_agreed(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.use_ts = true});
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .ts_ecr = 5000,
		.opts = WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_TS);
	rig_close(&r);
}

/* Karn (RFC 6298 3), and the initial window after losses (RFC 6928 2). */
static void
repeated_syn_ack_is_not_timed(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_advance(&r, 3 * RIG_S);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->srtt_us, 0);
	CU_ASSERT_EQUAL(r.conn->rto_us, 3000000);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, r.conn->mss);
	rig_close(&r);
}

static void
repeated_syn_is_answered_twice_a_second_at_most(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	for (unsigned int i = 0; i < 10; i++)
		rig_recv(&r, .flags = SYN, .seq = 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_advance(&r, 500 * RIG_MS);
	rig_recv(&r, .flags = SYN, .seq = 0);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + RIG_S); /* starts anew */
	rig_close(&r);
}

/* RFC 9293 3.10.7.4, first. */
static void
segment_outside_the_window_is_answered_and_dropped(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = ACK, .seq = 70000, .ack = 1, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 70000, .ack = 1, .len = 10);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = RST, .seq = 70000);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_seq], 3);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_close(&r);
}

static void
old_timestamp_is_dropped(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.use_ts = true});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .ts_val = r.ts_val - 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_paws], 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .ts_val = r.ts_val + 5);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.conn->ts_recent, r.ts_val + 5);
	rig_close(&r);
}

/* RFC 9293 3.10.7.4, fourth: back to LISTEN. */
static void
another_syn_in_the_window_ends_it(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = SYN, .seq = 100);
	rig_sent(&r, .flags = RST | ACK, .seq = -r.iss, .ack = 101);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
	CU_ASSERT_EQUAL(r.listener.n_syn, 0);
	rig_close(&r);
}

static void
segment_without_ack_is_dropped(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = FIN, .seq = 1);
	rig_recv(&r, .flags = PSH, .seq = 1, .len = 5);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_no_ack], 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_close(&r);
}

static void
fin_with_the_final_ack_is_taken(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 20);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 22);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_CLOSE_WAIT);
	CU_ASSERT_EQUAL(rig_read(&r), 20);
	rig_close(&r);
}

/* As Linux: the final ACK is dropped, and asked for again by another SYN,ACK. */
static void
full_accept_queue_leaves_it_half_open(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	r.n_accept = 9;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	r.n_accept = 0;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
few_connections(struct weir_tcp_conf *conf)
{
	conf->max_conns = 16;
}

static void
full_connection_pool_leaves_it_half_open(void)
{
	struct weir_tcp_conn *c[16];
	struct weir_flow flow;

	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.tune = few_connections});
	flow = r.flow;
	flow.lport = weir_be16(0);
	for (unsigned int i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(
			weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c[i]), 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_forget(&r);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_no_memory], 1);
	weir_tcp_abort(&r.tcp, c[0]);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
deferred(struct weir_tcp_conf *conf)
{
	conf->opts.defer_accept = 2;
}

static void
deferred_accept_waits_for_data(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.tune = deferred});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_advance(&r, 900 * RIG_MS);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 7);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 8);
	CU_ASSERT_EQUAL(rig_read(&r), 7);
	rig_close(&r);
}

/* When the time is over, a SYN,ACK asks for the bare ACK again, and then it counts. */
static void
deferred_accept_gives_in(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.tune = deferred});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_advance(&r, 2999 * RIG_MS);
	rig_sent_nothing(&r);
	rig_advance(&r, RIG_MS);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
icmp_error_must_quote_the_syn_ack(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_icmp(&r, 1, ECONNREFUSED, true, 0);
	rig_icmp(&r, 0, EHOSTUNREACH, false, 0);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_icmp(&r, 0, ECONNREFUSED, true, 0);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.open_failed, 1);
	rig_close(&r);
}

static void
ipv6_is_alike(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.is_v6 = true, .use_ts = true});
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1440);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(connection_is_made_by_the_final_ack),
		UNIT(syn_ack_repeats_what_was_agreed),
		UNIT(repeated_syn_ack_is_not_timed),
		UNIT(repeated_syn_is_answered_twice_a_second_at_most),
		UNIT(segment_outside_the_window_is_answered_and_dropped),
		UNIT(old_timestamp_is_dropped),
		UNIT(another_syn_in_the_window_ends_it),
		UNIT(segment_without_ack_is_dropped),
		UNIT(fin_with_the_final_ack_is_taken),
		UNIT(full_accept_queue_leaves_it_half_open),
		UNIT(full_connection_pool_leaves_it_half_open),
		UNIT(deferred_accept_waits_for_data),
		UNIT(deferred_accept_gives_in),
		UNIT(icmp_error_must_quote_the_syn_ack),
		UNIT(ipv6_is_alike),
		{NULL, NULL},
	};

	return unit_main("tcp_req", tests, true);
}
