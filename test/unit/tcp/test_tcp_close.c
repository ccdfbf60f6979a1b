/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <errno.h>

static struct rig r;

static void
shut(void)
{
	struct weir_vec none = {.n = 0};

	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_turn(&r, &none);
}

static void
close_socket(void)
{
	struct weir_vec none = {.n = 0};

	weir_tcp_close(&r.tcp, r.conn);
	rig_turn(&r, &none);
}

/* RFC 9293 3.6, figure 12: both roles. */
static void
active_close(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	shut();
	rig_sent(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_FIN_WAIT_1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_FIN_WAIT_2);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_PEERCLOSE | WEIR_READY_CLOSE);
	weir_tcp_release(&r.tcp, r.conn);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	rig_advance(&r, 60 * RIG_S - 1);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 1);
	rig_advance(&r, 1);
	CU_ASSERT_EQUAL(r.tcp.waits.used, 0);
	rig_close(&r);
}

static void
passive_close(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSE_WAIT);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_PEERCLOSE);
	shut();
	rig_sent(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_LAST_ACK);
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, 0);
	CU_ASSERT(r.events & WEIR_READY_CLOSE);
	weir_tcp_release(&r.tcp, r.conn);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	rig_close(&r);
}

/* RFC 9293 3.6, figure 13. */
static void
simultaneous_close(void)
{
	rig_open(&r, WEIR_TCP_FIN_WAIT_1);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSING);
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	rig_close(&r);
}

static void
fin_with_ack_of_ours_goes_straight_to_time_wait(void)
{
	rig_open(&r, WEIR_TCP_FIN_WAIT_1);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	rig_close(&r);
}

/* RFC 9293 3.10.7.4, eighth: FIN takes FIN_WAIT_2 to TIME_WAIT and is acknowledged. */
static void
fin_in_fin_wait_2_enters_time_wait(void)
{
	rig_open(&r, WEIR_TCP_FIN_WAIT_2);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 60 * RIG_S);
	rig_close(&r);
}

static void
half_closed_connection_still_receives(void)
{
	rig_open(&r, WEIR_TCP_FIN_WAIT_2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2, .len = 500);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 501);
	rig_recv(&r, .flags = FIN | ACK, .seq = 501, .ack = 2, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 512);
	CU_ASSERT_EQUAL(rig_read(&r), 510);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	rig_close(&r);
}

static void
half_closed_by_the_peer_still_sends(void)
{
	rig_open(&r, WEIR_TCP_CLOSE_WAIT);
	rig_write(&r, 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 2, .len = 100);
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 101);
	shut();
	rig_sent(&r, .flags = FIN | ACK, .seq = 101, .ack = 2);
	rig_close(&r);
}

static void
fin_follows_queued_data(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write_parts(&r, 1500, 1500);
	shut();
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = FIN | PSH | ACK, .seq = 1001, .ack = 1, .len = 500);
	CU_ASSERT_EQUAL(weir_tcp_send(&r.tcp, r.conn, NULL), -EPIPE);
	rig_close(&r);
}

static void
fin_is_sent_again(void)
{
	rig_open(&r, WEIR_TCP_FIN_WAIT_1);
	rig_advance(&r, 199 * RIG_MS);
	rig_sent_nothing(&r);
	rig_advance(&r, 2 * RIG_MS);
	rig_sent(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_FIN_WAIT_2);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	rig_close(&r);
}

static void
fin_of_the_peer_is_acknowledged_again(void)
{
	rig_open(&r, WEIR_TCP_CLOSE_WAIT);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSE_WAIT);
	rig_close(&r);
}

static void
fin_ahead_of_data_waits_for_it(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = FIN | ACK, .seq = 201, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 200);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 302);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSE_WAIT);
	CU_ASSERT_EQUAL(rig_read(&r), 300);
	rig_close(&r);
}

static void
data_after_the_fin_is_not_taken(void)
{
	rig_open(&r, WEIR_TCP_CLOSE_WAIT);
	rig_recv(&r, .flags = ACK, .seq = 2, .ack = 1, .len = 10);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 1); /* what came before is acknowledged */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2);
	rig_close(&r);
}

/* RFC 9293 3.6.1: nobody will read it. */
static void
data_after_close_is_reset(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	close_socket();
	rig_sent(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2, .len = 10);
	rig_sent(&r, .flags = RST, .seq = 2);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_closed], 1);
	CU_ASSERT_EQUAL(r.events, 0);
	rig_close(&r);
}

static void
closed_socket_ends_quietly(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	close_socket();
	rig_forget(&r);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	rig_advance(&r, 61 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.events, 0);
	rig_close(&r);
}

static void
fin_wait_2_of_a_closed_socket_ends(void)
{
	rig_open(&r, WEIR_TCP_FIN_WAIT_2);
	rig_advance(&r, 1000 * RIG_S);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_FIN_WAIT_2); /* as long as somebody listens */
	close_socket();
	rig_advance(&r, 60 * RIG_S - 1);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 1);
	rig_advance(&r, 1);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	rig_close(&r);
}

static void
orphan_gives_up_early(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	close_socket();
	rig_advance(&r, 400 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 1 + 8);
	rig_close(&r);
}

/* Who answers lives, and is given time: until probes are as rare as they get, as on Linux. */
static void
orphan_waits_for_a_window_that_stays_closed(void)
{
	uint64_t start_us;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	rig_write(&r, 100);
	close_socket();
	start_us = r.core.now_us;
	for (unsigned int i = 0; i < 6000 && r.tcp.conns.used == 1; i++) {
		rig_advance(&r, 100 * RIG_MS);
		if (rig_forget(&r) > 0 && r.tcp.conns.used == 1)
			rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	}
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT(r.tcp.stats.zero_window_probes > 8);
	CU_ASSERT(r.core.now_us - start_us > 120 * RIG_S);
	rig_close(&r);
}

static void
too_many_orphans_are_reset(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.tcp.conf.max_orphans = 0;
	close_socket();
	rig_sent(&r, .flags = RST | ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.tcp.n_orphans, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.orphans_reset, 1);
	rig_close(&r);
}

static void
orphans_are_counted_while_they_live(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	close_socket();
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.tcp.n_orphans, 1);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.tcp.n_orphans, 0);
	rig_close(&r);
}

static void
close_in_syn_sent_is_silent(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	close_socket();
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	rig_close(&r);
}

static void
shutdown_in_syn_sent_ends_the_attempt(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	shut();
	CU_ASSERT_EQUAL(r.conn->error, ECONNRESET);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CLOSE);
	rig_close(&r);
}

static void
close_with_unread_data_resets(void)
{
	struct weir_vec v = {.n = 0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	r.given++;
	weir_tcp_input(&r.tcp, &v);
	close_socket(); /* before the socket layer took it */
	rig_sent(&r, .flags = RST | ACK, .seq = 1, .ack = 11);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	rig_close(&r);
}

static void
abort_resets_in_states_that_the_peer_believes_in(void)
{
	static const struct {
		enum weir_tcp_state state;
		bool is_reset;
		uint32_t seq, ack;
	} cases[] = {
		{WEIR_TCP_SYN_SENT, false, 0, 0},
		{WEIR_TCP_ESTABLISHED, true, 1, 1},
		{WEIR_TCP_FIN_WAIT_1, true, 2, 1},
		{WEIR_TCP_FIN_WAIT_2, true, 2, 1},
		{WEIR_TCP_CLOSE_WAIT, true, 1, 2},
		{WEIR_TCP_CLOSING, false, 0, 0},
		{WEIR_TCP_LAST_ACK, false, 0, 0},
		{WEIR_TCP_TIME_WAIT, false, 0, 0},
	};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		rig_open(&r, cases[i].state);
		weir_tcp_abort(&r.tcp, r.conn);
		CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
		weir_eth_flush(&r.ifc);
		if (cases[i].is_reset)
			rig_sent(&r, .flags = RST | ACK, .seq = cases[i].seq, .ack = cases[i].ack);
		rig_close(&r);
	}
}

static void
retransmitted_fin_restarts_time_wait(void)
{
	rig_open(&r, WEIR_TCP_TIME_WAIT);
	rig_advance(&r, 30 * RIG_S);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 60 * RIG_S);
	rig_close(&r);
}

/* RFC 1337 */
static void
rst_does_not_end_time_wait(void)
{
	rig_open(&r, WEIR_TCP_TIME_WAIT);
	rig_recv(&r, .flags = RST, .seq = 2);
	rig_recv(&r, .flags = RST | ACK, .seq = 2, .ack = 2);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	rig_close(&r);
}

/* RFC 9293 3.10.7.4, RFC 6191: a SYN beyond the old connection opens a new one. */
static void
new_syn_takes_the_place_of_time_wait(void)
{
	uint32_t old_end;

	rig_open_as(&r, WEIR_TCP_TIME_WAIT, &(struct rig_setup){.is_passive = true});
	old_end = r.conn->snd.max;
	weir_tcp_release(&r.tcp, r.conn);
	r.conn = NULL;
	rig_recv(&r, .flags = SYN, .seq = 1); /* not beyond: an ACK as usual */
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	rig_recv(&r, .flags = SYN, .seq = 1000);
	CU_ASSERT_EQUAL_FATAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	r.iss = weir_tcp_find_req(&r.tcp, &r.flow)->iss;
	CU_ASSERT(weir_seq_gt(r.iss, old_end));
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1001);
	rig_close(&r);
}

static void
syn_with_later_timestamp_takes_the_place_of_time_wait(void)
{
	rig_open_as(
		&r, WEIR_TCP_TIME_WAIT, &(struct rig_setup){.is_passive = true, .use_ts = true});
	weir_tcp_release(&r.tcp, r.conn);
	rig_recv(&r, .flags = SYN, .seq = -5000, .ts_val = r.ts_val - 1);
	rig_sent(&r, .flags = ACK, .seq = 2, .ack = 2);
	rig_recv(&r, .flags = SYN, .seq = -5000, .ts_val = r.ts_val + 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(active_close),
		UNIT(passive_close),
		UNIT(simultaneous_close),
		UNIT(fin_with_ack_of_ours_goes_straight_to_time_wait),
		UNIT(fin_in_fin_wait_2_enters_time_wait),
		UNIT(half_closed_connection_still_receives),
		UNIT(half_closed_by_the_peer_still_sends),
		UNIT(fin_follows_queued_data),
		UNIT(fin_is_sent_again),
		UNIT(fin_of_the_peer_is_acknowledged_again),
		UNIT(fin_ahead_of_data_waits_for_it),
		UNIT(data_after_the_fin_is_not_taken),
		UNIT(data_after_close_is_reset),
		UNIT(closed_socket_ends_quietly),
		UNIT(fin_wait_2_of_a_closed_socket_ends),
		UNIT(orphan_gives_up_early),
		UNIT(orphan_waits_for_a_window_that_stays_closed),
		UNIT(too_many_orphans_are_reset),
		UNIT(orphans_are_counted_while_they_live),
		UNIT(close_in_syn_sent_is_silent),
		UNIT(shutdown_in_syn_sent_ends_the_attempt),
		UNIT(close_with_unread_data_resets),
		UNIT(abort_resets_in_states_that_the_peer_believes_in),
		UNIT(retransmitted_fin_restarts_time_wait),
		UNIT(rst_does_not_end_time_wait),
		UNIT(new_syn_takes_the_place_of_time_wait),
		UNIT(syn_with_later_timestamp_takes_the_place_of_time_wait),
		{NULL, NULL},
	};

	return unit_main("tcp_close", tests, true);
}
