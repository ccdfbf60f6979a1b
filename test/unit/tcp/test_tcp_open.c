/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <errno.h>

static struct rig r;

/* RFC 9293 3.5, figure 6. */
static void
syn_is_answered_and_the_connection_established(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .opts = WEIR_TCP_OPT_MSS, .mss = 900);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.conn->mss, 900);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CONNECT | WEIR_READY_WRITE);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	rig_close(&r);
}

static void
syn_offers_mss_timestamps_and_scale(void)
{
	static const uint8_t want[] = {2, 4, 0x05, 0xb4, 1, 1, 8, 10};
	struct rte_mbuf *m;
	const uint8_t *opts;

	rig_open_as(&r, WEIR_TCP_SYN_SENT, &(struct rig_setup){.use_ts = true, .use_wscale = true});
	rig_advance(&r, RIG_S);
	m = rig_take(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	opts = rte_pktmbuf_mtod_offset(m, const uint8_t *, 20 + WEIR_TCP_HLEN);
	CU_ASSERT_EQUAL(m->pkt_len, 20 + WEIR_TCP_HLEN + 20);
	CU_ASSERT_EQUAL(memcmp(opts, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(opts[16], 1); /* nop, window scale 3: 512 KiB announced in 16 bits */
	CU_ASSERT_EQUAL(opts[17], 3);
	CU_ASSERT_EQUAL(opts[18], 3);
	CU_ASSERT_EQUAL(opts[19], 4);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
syn_is_sent_again_with_back_off_then_given_up(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	for (unsigned int i = 0; i < 6; i++) {
		rig_advance(&r, (RIG_S << i) - 1);
		rig_sent_nothing(&r);
		rig_advance(&r, 1);
		rig_sent(&r, .flags = SYN, .seq = 0, .opts = WEIR_TCP_OPT_MSS);
	}
	rig_advance(&r, 64 * RIG_S);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CLOSE);
	rig_close(&r);
}

static void
refused_by_rst(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = RST | ACK, .seq = 0, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, ECONNREFUSED);
	rig_close(&r);
}

/* RFC 9293 3.10.7.3: an RST must acknowledge our SYN. */
static void
rst_without_our_ack_is_ignored_in_syn_sent(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = RST, .seq = 0);
	rig_recv(&r, .flags = RST | ACK, .seq = 0, .ack = 2);
	rig_recv(&r, .flags = RST | ACK, .seq = 0, .ack = 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_SYN_SENT);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ack], 2);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_no_ack], 1);
	rig_close(&r);
}

/* RFC 9293 3.5.2, figure 8: an old connection's ACK is reset, ours goes on. */
static void
wrong_ack_in_syn_sent_is_reset(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = ACK, .seq = 300, .ack = 100);
	rig_sent(&r, .flags = RST, .seq = 100);
	rig_recv(&r, .flags = SYN | ACK, .seq = 300, .ack = 0);
	rig_sent(&r, .flags = RST, .seq = 0);
	rig_recv(&r, .flags = ACK, .seq = 300, .ack = 1); /* ours, but no SYN: dropped */
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_SYN_SENT);
	rig_close(&r);
}

/* RFC 9293 3.5, figure 7. */
static void
simultaneous_open(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = SYN, .seq = 0, .opts = WEIR_TCP_OPT_MSS, .mss = 700);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .opts = WEIR_TCP_OPT_MSS);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CONNECT | WEIR_READY_WRITE);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_write(&r, 5);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 5);
	rig_close(&r);
}

static void
simultaneous_open_refused(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = SYN, .seq = 0);
	rig_forget(&r);
	rig_recv(&r, .flags = RST | ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->error, ECONNREFUSED);
	rig_close(&r);
}

static void
passive_open(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	CU_ASSERT_EQUAL(r.listener.n_syn, 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_ACCEPT);
	CU_ASSERT_EQUAL(r.listener.n_syn, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.accepted, 1);
	rig_close(&r);
}

static void
passive_open_of_ipv6(void)
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.is_passive = true, .is_v6 = true});
	rig_write(&r, 1500);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1001, .ack = 1, .len = 500);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1501, .len = 10);
	rig_sent(&r, .flags = ACK, .seq = 1501, .ack = 11);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_close(&r);
}

/* The third segment of the handshake is lost, data brings its ACK. */
static void
data_completes_the_handshake(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 101);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_ACCEPT | WEIR_READY_READ);
	CU_ASSERT_EQUAL(rig_read(&r), 100);
	rig_close(&r);
}

static void
syn_ack_is_sent_again_then_forgotten(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	for (unsigned int i = 0; i < 5; i++) {
		rig_advance(&r, RIG_S << i);
		rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	}
	rig_advance(&r, 32 * RIG_S);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.listener.n_syn, 0);
	rig_close(&r);
}

static void
repeated_syn_is_answered_again(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = SYN, .seq = 0, .opts = WEIR_TCP_OPT_MSS, .mss = RIG_MSS);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

/* RFC 9293 3.10.7.4: an ACK of what was not sent resets; the connection waits on. */
static void
wrong_ack_in_syn_received_is_reset(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2);
	rig_sent(&r, .flags = RST, .seq = 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 0);
	rig_sent(&r, .flags = RST, .seq = 0);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_close(&r);
}

static void
rst_in_syn_received_forgets_the_peer(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = RST, .seq = 2); /* in the window, not exact: challenged */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.events, 0);
	rig_close(&r);
}

/* RFC 9293 3.10.7.2 */
static void
listener_answers_ack_by_rst_and_ignores_rst(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = RST, .seq = 0, .sport = 4000);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = FIN, .seq = 0, .sport = 4000);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = SYN | FIN, .seq = 0, .sport = 4000); /* opens nothing, as on Linux */
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 77, .sport = 4000);
	rig_sent(&r, .flags = RST, .seq = 77);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 1);
	rig_close(&r);
}

/* Text and FIN on a SYN are left to be sent again. */
static void
data_on_syn_is_not_acknowledged(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = SYN, .seq = 500, .sport = 4000, .len = 10);
	rig_sent(&r, .flags = SYN | ACK,
		.seq = r.tcp.listeners != NULL ? weir_tcp_find_req(&r.tcp,
							 &(struct weir_flow){.laddr = r.flow.laddr,
								 .raddr = r.flow.raddr,
								 .lport = r.flow.lport,
								 .rport = weir_be16(4000)})
								 ->iss -
							 r.iss
					       : 0,
		.ack = 501);
	rig_close(&r);
}

static void
backlog_limits_the_accept_queue(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	r.n_accept = 9; /* more than the backlog of 8 */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = SYN, .seq = 0, .sport = 4000);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.tcp.stats.listen_overflow, 2);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_backlog], 2);
	r.n_accept = 8;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

static void
closed_listener_forgets_what_is_half_open(void)
{
	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	weir_tcp_unlisten(&r.tcp, &r.listener);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = RST, .seq = 1);
	rig_recv(&r, .flags = SYN, .seq = 0);
	rig_sent(&r, .flags = RST | ACK, .seq = -r.iss, .ack = 1);
	rig_close(&r);
}

/* Established in this very turn: the socket layer has not seen it yet. */
static void
closed_listener_resets_what_just_became_established(void)
{
	struct weir_vec v = {.n = 0};

	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	r.given++;
	weir_tcp_input(&r.tcp, &v);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	weir_tcp_unlisten(&r.tcp, &r.listener);
	CU_ASSERT_EQUAL(r.tcp.conns.used, 0);
	rig_turn(&r, &v);
	rig_sent(&r, .flags = RST | ACK, .seq = 1, .ack = 11);
	rig_close(&r);
}

/* A burst of final ACKs can't push more connections in than the backlog allows. */
static void
backlog_counts_what_just_became_established(void)
{
	struct weir_vec v = {.n = 0};

	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	r.listener.backlog = 2;
	for (uint16_t i = 0; i < 6; i++) {
		struct weir_flow flow = r.flow;
		const struct weir_tcp_req *c;

		rig_recv(&r, .flags = SYN, .seq = 0, .sport = (uint16_t)(4000 + i));
		flow.rport = weir_be16((uint16_t)(4000 + i));
		c = weir_tcp_find_req(&r.tcp, &flow);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = c->iss - r.iss + 1,
			.sport = (uint16_t)(4000 + i));
	}
	rig_forget(&r);
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(r.tcp.stats.accepted, 3); /* one more than the backlog, as Linux */
	CU_ASSERT_EQUAL(r.tcp.stats.listen_overflow, 3);
	rig_close(&r);
}

static void
connect_picks_a_free_port_in_the_range(void)
{
	struct weir_flow flow;
	struct weir_tcp_conn *c[20];

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	flow = r.flow;
	flow.lport = weir_be16(0);
	memset(&flow.laddr, 0, sizeof(flow.laddr));
	for (unsigned int i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL_FATAL(
			weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c[i]), 0);
		CU_ASSERT(weir_host16(c[i]->flow.lport) >= 32768);
		CU_ASSERT(weir_host16(c[i]->flow.lport) <= 60999);
		CU_ASSERT(weir_addr_eq(&c[i]->flow.laddr, &r.flow.laddr));
		for (unsigned int k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(c[i]->flow.lport.raw, c[k]->flow.lport.raw);
	}
	rig_close(&r);
}

static void
one_port(struct weir_tcp_conf *conf)
{
	conf->port_min = 40000;
	conf->port_max = 40000;
}

static void
connect_says_why_it_fails(void)
{
	struct weir_tcp_conn *c;
	struct weir_flow flow;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = one_port});
	flow = r.flow;
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c), -EADDRINUSE);
	flow.lport = weir_be16(0);
	CU_ASSERT_EQUAL(weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c), 0);
	CU_ASSERT_EQUAL(
		weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c), -EADDRNOTAVAIL);
	weir_addr_parse("203.0.113.1", &flow.raddr);
	CU_ASSERT_EQUAL(
		weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c), -ENETUNREACH);
	weir_addr_parse("224.0.0.1", &flow.raddr);
	CU_ASSERT_EQUAL(
		weir_tcp_connect(&r.tcp, &flow, &r.tcp.conf.opts, &r.end, &c), -ENETUNREACH);
	rig_close(&r);
}

static void
data_queued_before_the_handshake_follows_it(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_write(&r, 1200);
	weir_tcp_opts_changed(&r.tcp, r.conn);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .opts = WEIR_TCP_OPT_MSS, .mss = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1001, .ack = 1, .len = 200);
	rig_close(&r);
}

/* RFC 5681 3.1: what came with the SYN, ACK is taken, too. */
static void
data_and_fin_on_syn_ack_are_taken(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = SYN | FIN | ACK, .seq = 0, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSE_WAIT);
	CU_ASSERT(r.events & WEIR_READY_PEERCLOSE);
	rig_close(&r);
}

static void
no_cookies(struct weir_tcp_conf *conf)
{
	conf->syn_cookies = WEIR_TCP_COOKIES_NO;
}

static void
full_pool_drops_the_syn(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.tune = no_cookies});
	for (uint16_t i = 0; i < 70; i++)
		rig_recv(&r, .flags = SYN, .seq = 0, .sport = (uint16_t)(4000 + i));
	CU_ASSERT_EQUAL(rig_forget(&r), 63); /* and one of the rig */
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_backlog], 7);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(syn_is_answered_and_the_connection_established),
		UNIT(syn_offers_mss_timestamps_and_scale),
		UNIT(syn_is_sent_again_with_back_off_then_given_up),
		UNIT(refused_by_rst),
		UNIT(rst_without_our_ack_is_ignored_in_syn_sent),
		UNIT(wrong_ack_in_syn_sent_is_reset),
		UNIT(simultaneous_open),
		UNIT(simultaneous_open_refused),
		UNIT(passive_open),
		UNIT(passive_open_of_ipv6),
		UNIT(data_completes_the_handshake),
		UNIT(syn_ack_is_sent_again_then_forgotten),
		UNIT(repeated_syn_is_answered_again),
		UNIT(wrong_ack_in_syn_received_is_reset),
		UNIT(rst_in_syn_received_forgets_the_peer),
		UNIT(listener_answers_ack_by_rst_and_ignores_rst),
		UNIT(data_on_syn_is_not_acknowledged),
		UNIT(backlog_limits_the_accept_queue),
		UNIT(closed_listener_forgets_what_is_half_open),
		UNIT(closed_listener_resets_what_just_became_established),
		UNIT(backlog_counts_what_just_became_established),
		UNIT(connect_picks_a_free_port_in_the_range),
		UNIT(connect_says_why_it_fails),
		UNIT(data_queued_before_the_handshake_follows_it),
		UNIT(data_and_fin_on_syn_ack_are_taken),
		UNIT(full_pool_drops_the_syn),
		{NULL, NULL},
	};

	return unit_main("tcp_open", tests, true);
}
