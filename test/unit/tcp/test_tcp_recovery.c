/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

static struct rig r;

#define RTT   (100 * RIG_MS)
#define SLACK (2 * RIG_MS)
#define MTU   1500

/* cwnd is 10 segments, n bytes are there to be sent, and a round trip is over. */
static void
open_with(uint32_t n)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true});
	rig_write(&r, n);
	rig_forget(&r);
	rig_advance(&r, RTT);
}

static void
open_without_sack(uint32_t n)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){0});
	rig_write(&r, n);
	rig_forget(&r);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1); /* of a window, so that no other is */
}

static void
recv_sack(uint32_t ack, uint32_t start, uint32_t end)
{
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = ack, .sack = {{start, end}});
}

static void
recv_ack(uint32_t ack)
{
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = ack);
}

static void
sent(uint32_t seq)
{
	rig_sent(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
}

/* RFC 3042 2 */
static void
two_duplicates_let_new_data_out(void)
{
	open_without_sack(20000);
	recv_ack(1);
	sent(10001);
	rig_advance(&r, 2 * RIG_MS); /* at once, it would wait for company */
	recv_ack(1);
	sent(11001);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 10000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_DISORDER);
	rig_close(&r);
}

static void
so_do_two_sacked_segments(void)
{
	open_with(20000);
	recv_sack(1, 1001, 2001);
	sent(10001);
	rig_advance(&r, 2 * RIG_MS);
	recv_sack(1, 1001, 3001);
	sent(11001);
	rig_close(&r);
}

/* RFC 3042 2: the peer's window stands above that. */
static void
limited_transmit_keeps_to_the_window(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true, .wnd = 10000});
	rig_write(&r, 20000);
	CU_ASSERT_EQUAL(rig_forget(&r), 10);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10000, .sack = {{1001, 2001}});
	rig_sent_nothing(&r);
	rig_close(&r);
}

/* RFC 9937 5: half of what arrives goes out, so that halving takes a round trip. */
static void
window_is_reduced_in_proportion(void)
{
	static const bool is_one_sent[] = {false, true, false, true, false, false};

	open_with(20000);
	recv_sack(1, 1001, 2001);
	rig_advance(&r, 2 * RIG_MS);
	recv_sack(1, 1001, 3001);
	CU_ASSERT_EQUAL(rig_forget(&r), 2); /* 12 are under way */
	recv_sack(1, 1001, 4001);
	sent(1);
	for (uint32_t i = 0; i < RTE_DIM(is_one_sent); i++) {
		recv_sack(1, 1001, 5001 + 1000 * i);
		CU_ASSERT_EQUAL(rig_forget(&r), is_one_sent[i]);
	}
	CU_ASSERT_EQUAL(r.conn->act->prr_delivered, 7);
	CU_ASSERT_EQUAL(r.conn->act->prr_out, 3);
	recv_ack(12001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 3); /* two were under way */
	rig_close(&r);
}

/* RFC 9937 5: as much as arrived, and one more with each good ACK: the slow start bound. */
static void
many_losses_are_mended_as_in_slow_start(void)
{
	open_with(10000);
	recv_sack(1, 7001, 10001);
	sent(1);
	sent(1001);
	sent(2001);
	rig_sent_nothing(&r);
	rig_advance(&r, RTT);
	recv_sack(1001, 7001, 10001);
	sent(3001);
	sent(4001);
	rig_sent_nothing(&r);
	recv_ack(10001);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 6000); /* that ACK is good for a segment more */
	rig_close(&r);
}

/* RFC 6675 5, RFC 5681 3.2 */
static void
losses_of_one_window_reduce_it_once(void)
{
	open_with(10000);
	recv_sack(1, 1001, 4001);
	sent(1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{6001, 10001}, {1001, 4001}});
	sent(4001);
	sent(5001);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	rig_advance(&r, RTT);
	recv_ack(10001);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 1);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 5000);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_write(&r, 5000);
	CU_ASSERT_EQUAL(rig_forget(&r), 5);
	rig_advance(&r, RTT);
	recv_sack(10001, 11001, 14001); /* the next window's */
	sent(10001);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 2);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 2000);
	rig_close(&r);
}

/* RFC 6675 5: not before all that was sent before is acknowledged. */
static void
recovery_lasts_until_its_last_segment_is_acknowledged(void)
{
	open_with(20000);
	recv_sack(1, 1001, 4001);
	rig_forget(&r);
	recv_sack(1001, 2001, 8001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	recv_ack(9001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	recv_ack(10001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 6582 3.2, step 3: one hole each round trip. */
static void
partial_ack_without_sack_sends_the_next_hole(void)
{
	open_without_sack(10000);
	for (unsigned int i = 0; i < 3; i++)
		recv_ack(1);
	sent(1);
	rig_advance(&r, RTT);
	recv_ack(6001);
	sent(6001);
	rig_advance(&r, RTT);
	recv_ack(8001);
	sent(8001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_RECOVERY);
	CU_ASSERT_EQUAL(r.tcp.stats.fast_rexmit, 1);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	recv_ack(10001);
	rig_close(&r);
}

/* RFC 6298 5.4 to 5.6, behind the loss probe. */
static void
time_out_takes_all_for_lost_and_sends_one(void)
{
	open_with(10000);
	rig_advance(&r, RTT + SLACK);
	CU_ASSERT_EQUAL(rig_forget(&r), 1); /* the probe */
	rig_advance(&r, r.conn->rto_us);
	sent(1);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->act->lost_segs, 10);
	CU_ASSERT_EQUAL(r.conn->cc.cwnd, 1000);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	rig_advance(&r, RTT);
	recv_ack(1001);
	sent(1001);
	sent(2001);
	rig_sent_nothing(&r);
	rig_advance(&r, RTT);
	recv_ack(3001);
	for (uint32_t i = 0; i < 4; i++)
		sent(3001 + 1000 * i);
	rig_sent_nothing(&r);
	recv_ack(10001);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_OPEN);
	rig_close(&r);
}

static void
time_out_doubles_each_time_and_the_window_is_halved_once(void)
{
	uint64_t rto_us;

	open_with(10000);
	rig_advance(&r, RTT + SLACK);
	rig_forget(&r);
	rto_us = r.conn->rto_us;
	for (unsigned int i = 0; i < 5; i++, rto_us *= 2) {
		CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + rto_us);
		rig_advance(&r, rto_us);
		sent(1);
		rig_sent_nothing(&r);
		CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000);
	}
	CU_ASSERT_EQUAL(r.conn->retries, 5);
	recv_ack(10001);
	CU_ASSERT_EQUAL(r.conn->retries, 0);
	rig_close(&r);
}

/* RFC 6298 5.3: the timer starts anew when something is acknowledged; RFC 6675 5.1: in fast
 * recovery it stands behind the first hole. */
static void
time_out_ends_fast_recovery_when_the_repetition_is_lost(void)
{
	open_with(10000);
	recv_sack(1, 1001, 10001);
	sent(1);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), r.now_us + r.conn->rto_us);
	rig_advance(&r, r.conn->rto_us);
	sent(1);
	CU_ASSERT_EQUAL(r.conn->ca, WEIR_TCP_CA_LOSS);
	CU_ASSERT_EQUAL(r.conn->cc.ssthresh, 5000); /* the same loss */
	CU_ASSERT_EQUAL(r.conn->act->sacked_segs, 9);
	rig_close(&r);
}

/* A FIN is sent again as the data before it is. */
static void
fin_is_sent_again_in_fast_recovery(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true});
	rig_write_parts(&r, 4500, 4500);
	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_write(&r, 0);
	CU_ASSERT_EQUAL(rig_forget(&r), 5);
	rig_advance(&r, 2 * RTT + SLACK);
	rig_sent(&r, .flags = FIN | PSH | ACK, .seq = 4001, .ack = 1, .len = 500);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 4502);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_FIN_WAIT_2);
	rig_close(&r);
}

/* No packet is larger than the MTU. @return how many there were */
static unsigned int
check_sizes(uint32_t *largest)
{
	unsigned int n = 0;
	struct rte_mbuf *m;

	while ((m = rig_take(&r)) != NULL) {
		CU_ASSERT(m->pkt_len <= MTU);
		*largest = RTE_MAX(*largest, m->pkt_len);
		rte_pktmbuf_free(m);
		n++;
	}
	return n;
}

/* We have holes, too: the blocks for the peer take room from the text, new and repeated. */
static void
blocks_leave_no_segment_larger_than_the_mtu(void)
{
	uint32_t largest = 0;

	rig_open_rtt(&r, RTT,
		&(struct rig_setup){
			.use_sack = true, .use_ts = true, .mss = 1460, .use_tso = true});
	CU_ASSERT_EQUAL(r.conn->mss, 1448);
	rig_write(&r, 6 * 1448); /* without blocks */
	rig_forget(&r);
	for (uint32_t i = 1; i <= 4; i++)
		rig_recv(&r, .flags = ACK, .seq = 2000 * i + 1, .ack = 1, .len = 1000);
	check_sizes(&largest);
	rig_write(&r, 20000);
	CU_ASSERT(check_sizes(&largest) >= 4);
	rig_advance(&r, RTT);
	recv_sack(1, 1 + 2 * 1448, 1 + 6 * 1448);
	CU_ASSERT(check_sizes(&largest) >= 1);
	rig_advance(&r, 10 * RIG_S); /* probes and time-outs */
	CU_ASSERT(check_sizes(&largest) >= 3);
	recv_ack(1 + 3 * 1448);
	check_sizes(&largest);
	CU_ASSERT(largest > MTU - 8);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(two_duplicates_let_new_data_out),
		UNIT(so_do_two_sacked_segments),
		UNIT(limited_transmit_keeps_to_the_window),
		UNIT(window_is_reduced_in_proportion),
		UNIT(many_losses_are_mended_as_in_slow_start),
		UNIT(losses_of_one_window_reduce_it_once),
		UNIT(recovery_lasts_until_its_last_segment_is_acknowledged),
		UNIT(partial_ack_without_sack_sends_the_next_hole),
		UNIT(time_out_takes_all_for_lost_and_sends_one),
		UNIT(time_out_doubles_each_time_and_the_window_is_halved_once),
		UNIT(time_out_ends_fast_recovery_when_the_repetition_is_lost),
		UNIT(fin_is_sent_again_in_fast_recovery),
		UNIT(blocks_leave_no_segment_larger_than_the_mtu),
		{NULL, NULL},
	};

	return unit_main("tcp_recovery", tests, true);
}
