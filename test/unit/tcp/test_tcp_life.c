/* SPDX-License-Identifier: BSD-3-Clause */
/* Keepalive, ICMP errors, want of mbufs and routes. */
#include "rig.h"

#include <errno.h>
#include <stdio.h>

static struct rig r;

static void
keepalive(struct weir_tcp_conf *conf)
{
	conf->opts.is_keepalive = true;
	conf->opts.keep_idle_s = 10;
	conf->opts.keep_intvl_s = 2;
	conf->opts.keep_cnt = 3;
}

/* RFC 9293 3.8.4 */
static void
idle_peer_is_probed_and_given_up(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = keepalive});
	rig_advance(&r, 10 * RIG_S - 1);
	rig_sent_nothing(&r);
	rig_advance(&r, 1);
	rig_sent(&r, .flags = ACK, .seq = 0, .ack = 1);
	for (unsigned int i = 0; i < 2; i++) {
		rig_advance(&r, 2 * RIG_S);
		rig_sent(&r, .flags = ACK, .seq = 0, .ack = 1);
	}
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_advance(&r, 2 * RIG_S);
	rig_sent(&r, .flags = RST | ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_KEEPALIVEDOWN | WEIR_READY_CLOSE);
	rig_close(&r);
}

static void
answer_starts_the_idle_time_again(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = keepalive});
	for (unsigned int i = 0; i < 10; i++) {
		rig_advance(&r, 10 * RIG_S);
		rig_sent(&r, .flags = ACK, .seq = 0, .ack = 1);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
		rig_advance(&r, 2 * RIG_S);
		rig_sent_nothing(&r);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	}
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
keepalive_can_be_switched_on_and_off(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	r.conn->opts.is_keepalive = true;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + 7200 * RIG_S);
	r.conn->opts.is_keepalive = false;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	rig_close(&r);
}

/* RFC 5927 5.2, RFC 1122 4.2.3.9 */
static void
hard_icmp_error_ends_only_an_attempt_to_connect(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_icmp(&r, 0, ECONNREFUSED, true, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, ECONNREFUSED);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CLOSE);
	rig_close(&r);

	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_icmp(&r, 0, ECONNREFUSED, true, 0);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
	rig_close(&r);

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 10);
	rig_forget(&r);
	rig_icmp(&r, 1, ECONNREFUSED, true, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
soft_icmp_error_says_why_it_timed_out(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 10);
	rig_icmp(&r, 1, EHOSTUNREACH, false, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_advance(&r, 2000 * RIG_S);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->error, EHOSTUNREACH);
	rig_close(&r);
}

static void
progress_forgets_a_soft_icmp_error(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 10);
	rig_icmp(&r, 1, EHOSTUNREACH, false, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11);
	rig_write(&r, 10);
	rig_advance(&r, 2000 * RIG_S);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	rig_close(&r);
}

/* RFC 5461 4 */
static void
soft_icmp_error_ends_an_active_open(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_icmp(&r, 0, EHOSTUNREACH, false, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, EHOSTUNREACH);
	rig_close(&r);
}

/* RFC 5927 4 */
static void
icmp_error_about_nothing_under_way_is_ignored(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_icmp(&r, 1, ECONNREFUSED, true, 0);
	rig_icmp(&r, -1, ECONNREFUSED, true, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_SYN_SENT);
	rig_close(&r);
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 1000);
	rig_forget(&r);
	rig_icmp(&r, 1001, EMSGSIZE, false, 600);
	CU_ASSERT_EQUAL(r.conn->mss, 1000);
	rig_close(&r);
}

/* RFC 1191 6.5 */
static void
too_big_lowers_the_segment_size_and_sends_again(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 1500);
	CU_ASSERT_EQUAL(rig_forget(&r), 2);
	rig_icmp(&r, 1, EMSGSIZE, false, 640);
	CU_ASSERT_EQUAL(r.conn->mss, 600);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 600);
	rig_sent(&r, .flags = ACK, .seq = 601, .ack = 1, .len = 600);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1201, .ack = 1, .len = 300);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	rig_icmp(&r, 1, EMSGSIZE, false, 1000); /* larger: not believed */
	CU_ASSERT_EQUAL(r.conn->mss, 600);
	rig_sent_nothing(&r);
	rig_icmp(&r, 1, EMSGSIZE, false, 60); /* absurd: bounded */
	CU_ASSERT_EQUAL(r.conn->mss, 216);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 1191 7.1: an old router does not tell. RFC 8201 4: never below 1280. */
static void
too_big_without_or_with_too_small_a_size(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mss = 1460});
	rig_write(&r, 1460);
	rig_icmp(&r, 1, EMSGSIZE, false, 0);
	CU_ASSERT_EQUAL(r.conn->mss, 1492 - 40);
	rig_forget(&r);
	rig_close(&r);
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mss = 1440, .is_v6 = true});
	rig_write(&r, 1440);
	rig_icmp(&r, 1, EMSGSIZE, false, 1000);
	CU_ASSERT_EQUAL(r.conn->mss, 1280 - 60);
	rig_forget(&r);
	rig_close(&r);
}

/* Take all mbufs of the stack's pool. */
static unsigned int
drain_pool(struct rte_mbuf **all, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && (all[n] = rte_pktmbuf_alloc(r.pool)) != NULL)
		n++;
	return n;
}

/* The pool runs dry: nothing is lost, and all goes on as soon as there are mbufs again. */
static void
dry_pool_puts_output_off(void)
{
	struct rte_mbuf *all[255];
	unsigned int n;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mbufs = 255});
	n = drain_pool(all, 255);
	CU_ASSERT_EQUAL(n, 255);
	rig_write(&r, 3000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	rig_sent_nothing(&r);
	CU_ASSERT(r.tcp.stats.no_mbuf > 0);
	CU_ASSERT(r.conn->is_out);
	rte_pktmbuf_free_bulk(all, n);
	rig_write(&r, 0);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 11, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 11, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 2001, .ack = 11, .len = 1000);
	CU_ASSERT(!r.conn->is_out);
	rig_read(&r);
	rig_close(&r);
}

/* Any number of mbufs: the queue, retransmission and the end of a connection hold together. */
static void
dry_pool_at_any_point(void)
{
	struct rte_mbuf *all[255];

	for (unsigned int left = 0; left < 8; left++) {
		unsigned int n;

		rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mbufs = 255});
		n = drain_pool(all, 255) - left;
		rte_pktmbuf_free_bulk(&all[n], left);
		rig_write(&r, 3000);
		weir_tcp_shutdown(&r.tcp, r.conn);
		rig_advance(&r, RIG_S);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
		rte_pktmbuf_free_bulk(all, n);
		rig_forget(&r);
		rig_advance(&r, 10 * RIG_S);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = r.conn->snd.max - r.iss);
		rig_advance(&r, 10 * RIG_S);
		rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 3002);
		CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
		rig_forget(&r);
		rig_close(&r);
	}
}

static void
dry_pool_in_the_handshake(void)
{
	struct rte_mbuf *all[255];
	unsigned int n;

	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.mbufs = 255});
	n = drain_pool(all, 255);
	rig_recv(&r, .flags = SYN, .seq = 0, .sport = 4000);
	rig_recv(&r, .flags = SYN, .seq = 0, .dport = 9); /* its RST is lost */
	rig_sent_nothing(&r);
	rte_pktmbuf_free_bulk(all, n);
	rig_advance(&r, RIG_S);
	CU_ASSERT_EQUAL(rig_forget(&r), 2); /* both SYN,ACKs */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
lost_route_is_as_lost_packets(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->flow.raddr = r.conn->flow.raddr;
	weir_iface_del_addr(&r.ifc, &r.flow.laddr);
	rig_write(&r, 10);
	CU_ASSERT(rig_next_timer_us(&r) != WEIR_WHEEL_NEVER);
	rig_forget(&r);
	weir_iface_add_addr(&r.ifc, &r.flow.laddr, 120, false);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	rig_advance(&r, 500 * RIG_MS);
	CU_ASSERT(rig_forget(&r) > 0);
	rig_close(&r);
}

static void
connection_size_is_known(void)
{
	printf("[connection: %zu bytes] ", sizeof(struct weir_tcp_conn));
	printf("[a record of what was sent: %zu] ", sizeof(struct weir_tcp_sent));
	printf("[table entry: %zu] ", sizeof(struct weir_table_slot));
	printf("[half open: %zu] ", sizeof(struct weir_tcp_req));
	printf("[TIME_WAIT: %zu] ", sizeof(struct weir_tcp_wait));
	CU_ASSERT(sizeof(struct weir_tcp_conn) <= 1216);
	printf("[connection that sleeps: %zu] ", sizeof(struct weir_tcp_parked));
	CU_ASSERT(sizeof(struct weir_tcp_parked) <= 240);
	CU_ASSERT(sizeof(struct weir_tcp_sent) <= 64);
	CU_ASSERT(sizeof(struct weir_tcp_req) <= 128);
	CU_ASSERT(sizeof(struct weir_tcp_wait) <= 64);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(idle_peer_is_probed_and_given_up),
		UNIT(answer_starts_the_idle_time_again),
		UNIT(keepalive_can_be_switched_on_and_off),
		UNIT(hard_icmp_error_ends_only_an_attempt_to_connect),
		UNIT(soft_icmp_error_says_why_it_timed_out),
		UNIT(progress_forgets_a_soft_icmp_error),
		UNIT(soft_icmp_error_ends_an_active_open),
		UNIT(icmp_error_about_nothing_under_way_is_ignored),
		UNIT(too_big_lowers_the_segment_size_and_sends_again),
		UNIT(too_big_without_or_with_too_small_a_size),
		UNIT(dry_pool_puts_output_off),
		UNIT(dry_pool_at_any_point),
		UNIT(dry_pool_in_the_handshake),
		UNIT(lost_route_is_as_lost_packets),
		UNIT(connection_size_is_known),
		{NULL, NULL},
	};

	return unit_main("tcp_life", tests, true);
}
