/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include "weir_rand.h"

static struct rig r;

static void
nagle_off(struct weir_tcp_conf *conf)
{
	conf->opts.is_nodelay = true;
}

/* RFC 9293 3.7.4; Minshall: only a small segment under way holds the next back. */
static void
nagle_holds_back_the_second_small_segment(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	rig_write(&r, 100);
	rig_write(&r, 100);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101);
	rig_sent(&r, .flags = PSH | ACK, .seq = 101, .ack = 1, .len = 200);
	rig_write(&r, 850); /* a full one goes, its rest waits */
	rig_sent_nothing(&r);
	rig_write(&r, 200);
	rig_sent(&r, .flags = ACK, .seq = 301, .ack = 1, .len = 1000);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1,
		.ack = 301); /* the small one is gone, a full one is not */
	rig_sent(&r, .flags = PSH | ACK, .seq = 1301, .ack = 1, .len = 50);
	rig_close(&r);
}

static void
nodelay_sends_at_once(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = nagle_off});
	for (uint32_t i = 0; i < 5; i++) {
		rig_write(&r, 100);
		rig_sent(&r, .flags = PSH | ACK, .seq = 1 + 100 * i, .ack = 1, .len = 100);
	}
	rig_close(&r);
}

static void
nodelay_set_later_sends_what_waits(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 100);
	rig_write(&r, 100);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	r.conn->opts.is_nodelay = true;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_sent(&r, .flags = PSH | ACK, .seq = 101, .ack = 1, .len = 100);
	rig_close(&r);
}

static void
cork_waits_for_full_segments(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = nagle_off});
	r.conn->opts.is_cork = true;
	rig_write(&r, 600);
	rig_sent_nothing(&r);
	rig_write(&r, 600);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001);
	rig_sent_nothing(&r);
	rig_advance(&r, 201 * RIG_MS); /* long enough */
	rig_sent(&r, .flags = PSH | ACK, .seq = 1001, .ack = 1, .len = 200);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1201);
	rig_write(&r, 10);
	r.conn->opts.is_cork = false;
	weir_tcp_opts_changed(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1201, .ack = 1, .len = 10);
	rig_close(&r);
}

static void
psh_ends_the_queued_data(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write_parts(&r, 2500, 500);
	rig_write(&r, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 2001, .ack = 1, .len = 500);
	rig_close(&r);
}

/* RFC 6928: ten segments; a jumbo MSS gets no more bytes than RFC 6928 2 says. */
static void
initial_window_is_ten_segments(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 30000);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	rig_close(&r);
}

/* RFC 9293 3.7.1 */
static void
segment_size_follows_peer_and_options(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true, .mss = 600});
	CU_ASSERT_EQUAL(r.conn->mss, 588);
	rig_close(&r);
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mss = 9000});
	CU_ASSERT_EQUAL(r.conn->mss, 1460);
	rig_close(&r);
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mss = 9000, .is_v6 = true});
	CU_ASSERT_EQUAL(r.conn->mss, 1440);
	rig_close(&r);
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1); /* does not say */
	CU_ASSERT_EQUAL(r.conn->mss, 536);
	rig_forget(&r);
	rig_close(&r);
	rig_open_as(&r, WEIR_TCP_SYN_SENT, &(struct rig_setup){.is_v6 = true});
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->mss, 1220);
	rig_forget(&r);
	rig_close(&r);
}

static void
maxseg(struct weir_tcp_conf *conf)
{
	conf->opts.maxseg = 700;
}

static void
maxseg_limits_both_ways(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_RECEIVED, &(struct rig_setup){.tune = maxseg});
	rig_recv(&r, .flags = SYN, .seq = 0, .opts = WEIR_TCP_OPT_MSS, .mss = RIG_MSS);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 700);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->mss, 700);
	rig_close(&r);
}

static void
open_clamped(enum weir_tcp_state state)
{
	rig_open(&r, state);
	r.ifc.mss = 700;
}

/* What a port is limited to is offered, and no more is believed. */
static void
mss_of_the_port_limits_both_ways(void)
{
	open_clamped(WEIR_TCP_SYN_RECEIVED);
	rig_recv(&r, .flags = SYN, .seq = 0, .opts = WEIR_TCP_OPT_MSS, .mss = RIG_MSS);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 700);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->mss, 700);
	rig_close(&r);
	open_clamped(WEIR_TCP_SYN_SENT);
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN, .seq = 0, .mss = 700);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .opts = WEIR_TCP_OPT_MSS, .mss = 600);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.conn->mss, 600);
	rig_close(&r);
}

static void
tiny_mss_of_the_peer_is_survived(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mss = 1, .use_ts = true});
	rig_write(&r, 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 8);
	rig_forget(&r);
	rig_close(&r);
}

/* Chains of odd pieces, packed small writes, partly acknowledged packets: the stream is whole. */
static void
stream_is_whole_however_it_was_written(void)
{
	struct weir_rand rand;

	weir_rand_seed(&rand, 3);
	for (unsigned int run = 0; run < 10; run++) {
		uint32_t sent = 1;

		rig_open_as(&r, WEIR_TCP_ESTABLISHED,
			&(struct rig_setup){
				.tune = nagle_off, .iss = (uint32_t)weir_rand_u64(&rand)});
		for (unsigned int i = 0; i < 200; i++) {
			uint32_t n = 1 + weir_rand_below(&rand, i % 3 == 0 ? 5000 : 300);

			rig_write_parts(&r, n, 1 + weir_rand_below(&rand, 4500));
			rig_write(&r, 0);
			while ((n = rig_sent_text(&r, sent)) != 0)
				sent += n;
			rig_recv(&r, .flags = ACK, .seq = 1, .ack = RTE_MAX(sent - sent % 7, 1u));
		}
		for (uint32_t n; sent < r.write_pos; sent += n) {
			rig_recv(&r, .flags = ACK, .seq = 1, .ack = sent);
			n = rig_sent_text(&r, sent);
			CU_ASSERT_NOT_EQUAL_FATAL(n, 0);
		}
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = sent);
		CU_ASSERT_EQUAL(r.write_pos, sent);
		CU_ASSERT_EQUAL(r.conn->sndq.charge, 0);
		CU_ASSERT(r.events & WEIR_READY_WRITE);
		rig_close(&r);
	}
}

/* The queue holds what is not acknowledged, and no more. */
static void
send_memory_is_freed_as_it_is_acknowledged(void)
{
	uint32_t whole;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 8000); /* a chain of four */
	whole = r.conn->sndq.charge;
	CU_ASSERT_EQUAL(weir_tcp_send_room(r.conn), (int64_t)r.conn->opts.sndbuf - whole);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, whole / 4 * 3);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_WRITE);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, whole / 4 * 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 8001);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, 0);
	rig_forget(&r);
	rig_close(&r);
}

static void
small_writes_share_a_buffer(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write_parts(&r, 1000, 100);
	CU_ASSERT_EQUAL(r.conn->sndq.q.n, 1);
	rig_write(&r, 0);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_close(&r);
}

/* One super-segment, checksum left to the port. */
static void
port_that_segments_gets_it_whole(void)
{
	struct rte_mbuf *m;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_tso = true});
	rig_write(&r, 9500);
	m = rig_take(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->pkt_len, 20 + 20 + 5000); /* half of the congestion window */
	CU_ASSERT_EQUAL(m->tso_segsz, 1000);
	CU_ASSERT((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0);
	CU_ASSERT(m->nb_segs <= 16);
	rte_pktmbuf_free(m);
	rig_sent(&r, .flags = PSH | ACK, .seq = 5001, .ack = 1, .len = 4500);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 9501);
	rig_write(&r, 700); /* a lone segment is none */
	m = rig_take(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0);
	CU_ASSERT_EQUAL(m->nb_segs, 2); /* by reference */
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
super_segment_keeps_to_the_ports_chain_length(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_tso = true});
	r.conn->cc.cwnd = 60000;
	rig_write_parts(&r, 20000, 400);
	rig_write(&r, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	for (uint32_t seq = 1, n; seq < 20001; seq += n) {
		n = rig_sent_text(&r, seq);
		CU_ASSERT_FATAL(n >= 15 * 400 || seq + n == 20001);
	}
	rig_close(&r);
}

/* A queue that fills up: the rest follows when there is room. */
static void
output_waits_for_room(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->cc.cwnd = 2000000;
	r.conn->snd.wnd = 2000000;
	r.port.tx_room = 10;
	rig_write_parts(&r, 1200000, 20000);
	for (unsigned int i = 0; i < 30; i++)
		rig_write(&r, 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	CU_ASSERT(weir_eth_room(&r.ifc) < 64);
	CU_ASSERT(r.conn->is_out);
	r.port.tx_room = UINT32_MAX;
	for (unsigned int i = 0; i < 30; i++)
		rig_write(&r, 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 1190);
	CU_ASSERT_EQUAL(r.conn->snd.nxt, r.conn->snd.end);
	CU_ASSERT(!r.conn->is_out);
	rig_close(&r);
}

/* No connection keeps the others waiting: 64 segments in a turn. */
static void
one_pass_sends_a_bounded_number(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->cc.cwnd = 200000;
	r.conn->snd.wnd = 200000;
	rig_write(&r, 100000);
	CU_ASSERT_EQUAL(rig_forget(&r), 64);
	rig_write(&r, 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 36);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(nagle_holds_back_the_second_small_segment),
		UNIT(nodelay_sends_at_once),
		UNIT(nodelay_set_later_sends_what_waits),
		UNIT(cork_waits_for_full_segments),
		UNIT(psh_ends_the_queued_data),
		UNIT(initial_window_is_ten_segments),
		UNIT(segment_size_follows_peer_and_options),
		UNIT(maxseg_limits_both_ways),
		UNIT(mss_of_the_port_limits_both_ways),
		UNIT(tiny_mss_of_the_peer_is_survived),
		UNIT(stream_is_whole_however_it_was_written),
		UNIT(send_memory_is_freed_as_it_is_acknowledged),
		UNIT(small_writes_share_a_buffer),
		UNIT(port_that_segments_gets_it_whole),
		UNIT(super_segment_keeps_to_the_ports_chain_length),
		UNIT(output_waits_for_room),
		UNIT(one_pass_sends_a_bounded_number),
		{NULL, NULL},
	};

	return unit_main("tcp_send", tests, true);
}
