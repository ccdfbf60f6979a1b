/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include "weir_rand.h"

static struct rig r;

static void
in_order_data_is_handed_up(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_READ);
	CU_ASSERT_EQUAL(r.rx.n, 1);
	CU_ASSERT_EQUAL(weir_pktq_first(&r.rx)->pkt_len, 1000);
	CU_ASSERT_EQUAL(r.conn->rcv.held, weir_mbuf_truesize(weir_pktq_first(&r.rx)));
	CU_ASSERT_EQUAL(rig_read(&r), 1000);
	CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_tcp_taken], r.given);
	rig_forget(&r);
	rig_close(&r);
}

static void
data_on_either_side_of_a_hole(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 301, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 201);
	CU_ASSERT_EQUAL(rig_read(&r), 200);
	rig_recv(&r, .flags = ACK, .seq = 201, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 401);
	CU_ASSERT_EQUAL(rig_read(&r), 200);
	CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.ooo_segs, 2);
	rig_close(&r);
}

static void
overlaps_of_every_kind(void)
{
	/* first what waits at 101..200, then what comes, then what is waiting of 1..300 */
	static const struct {
		uint32_t seq;
		uint16_t len;
		uint32_t read;
	} cases[] = {
		{101, 100, 200}, /* the same */
		{121, 50, 200},	 /* inside */
		{51, 100, 200},	 /* left */
		{151, 100, 250}, /* right */
		{51, 200, 250},	 /* around */
		{201, 50, 250},	 /* touching right */
		{91, 10, 200},	 /* touching left */
	};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		rig_open(&r, WEIR_TCP_ESTABLISHED);
		rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
		rig_recv(&r, .flags = ACK, .seq = cases[i].seq, .ack = 1, .len = cases[i].len);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
		CU_ASSERT_EQUAL(rig_read(&r), cases[i].read);
		CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
		CU_ASSERT_EQUAL(rig_forget(&r), 3);
		rig_close(&r);
	}
}

static void
duplicates_are_acknowledged_at_once(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->rcv.quick_acks = 0;
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 101);
	rig_recv(&r, .flags = ACK, .seq = 51, .ack = 1, .len = 100); /* half of it is new */
	CU_ASSERT_EQUAL(rig_read(&r), 150);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_duplicate], 1);
	rig_close(&r);
}

/* Any order, any overlap, any duplication: the stream is what was sent. */
static void
random_arrival_gives_the_stream(void)
{
	enum { TOTAL = 20000, STEP = 100 };
	struct weir_rand rand;

	weir_rand_seed(&rand, 7);
	for (unsigned int run = 0; run < 20; run++) {
		uint32_t got = 0;

		rig_open_as(&r, WEIR_TCP_ESTABLISHED,
			&(struct rig_setup){.irs = (uint32_t)weir_rand_u64(&rand)});
		for (unsigned int i = 0; i < 5000 && got < TOTAL; i++) {
			const uint32_t at = weir_rand_below(&rand, TOTAL / STEP) * STEP +
					    (i % 2 != 0 ? weir_rand_below(&rand, STEP) : 0);
			const uint32_t len = RTE_MIN(1 + weir_rand_below(&rand, 900), TOTAL - at);

			rig_recv(&r, .flags = ACK, .seq = 1 + at, .ack = 1, .len = (uint16_t)len,
				.split = (uint16_t)weir_rand_below(&rand, 40 + len));
			if (weir_rand_below(&rand, 4) == 0)
				got += rig_read(&r);
			rig_forget(&r);
		}
		got += rig_read(&r);
		CU_ASSERT_EQUAL(got, TOTAL);
		CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
		rig_forget(&r);
		rig_close(&r);
	}
}

static void
few_out_of_order(struct weir_tcp_conf *conf)
{
	conf->ooo_max = 4;
}

static void
out_of_order_queue_is_bounded(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = few_out_of_order});
	for (uint32_t seq = 101; seq < 1101; seq += 200)
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 100);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_rcvbuf], 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 800); /* the hole is always taken */
	CU_ASSERT_EQUAL(rig_read(&r), 800);
	CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
	rig_forget(&r);
	rig_close(&r);
}

static void
small_buffer(struct weir_tcp_conf *conf)
{
	conf->opts.rcvbuf = 20000;
}

/* One-byte segments can't take more memory than twice the buffer. */
static void
memory_of_small_segments_is_bounded(void)
{
	uint32_t seq = 1;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = small_buffer});
	for (; seq < 200; seq++)
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 1);
	CU_ASSERT(r.conn->rcv.held <= 2 * 20000 + 2 * 2500);
	CU_ASSERT(r.core.fates[WEIR_FATE_drop_tcp_rcvbuf] > 100);
	rig_forget(&r);
	CU_ASSERT(rig_read(&r) > 10);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
	rig_close(&r);
}

/* What is out of order gives way to what is in order. */
static void
full_memory_lets_the_hole_be_filled(void)
{
	uint32_t seq = 11;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = small_buffer});
	for (; r.core.fates[WEIR_FATE_drop_tcp_rcvbuf] == 0 && seq < 2000; seq += 2)
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 1);
	CU_ASSERT(r.conn->rcv.held > 2 * 20000);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
	rig_forget(&r);
	rig_close(&r);
}

/* All connections together hold half of the pool at most. */
static void
memory_of_all_connections_is_bounded(void)
{
	uint32_t seq = 1;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.mbufs = 255});
	for (unsigned int i = 0; i < 300; i++, seq += 1000)
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 1000);
	CU_ASSERT_EQUAL(r.tcp.held, r.conn->rcv.held);
	CU_ASSERT(r.tcp.held > r.tcp.held_max - 3000);
	CU_ASSERT(r.tcp.held <= r.tcp.held_max + 3000);
	CU_ASSERT(rig_forget(&r) > 100);
	CU_ASSERT(rig_read(&r) > 100000);
	CU_ASSERT_EQUAL(r.tcp.held, 0);
	rig_forget(&r);
	rig_close(&r);
}

static void
small_segments_of_a_burst_share_a_buffer(void)
{
	struct weir_vec v = {.n = 0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	for (uint32_t i = 0; i < 30; i++)
		rig_queue(&r, &v, .flags = ACK, .seq = 1 + 50 * i, .ack = 1, .len = 50);
	rig_turn(&r, &v);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1501); /* one ACK for the burst */
	CU_ASSERT_EQUAL(r.rx.n, 1);
	CU_ASSERT_EQUAL(rig_read(&r), 1500);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_tcp_taken], r.given);
	rig_close(&r);
}

static void
fin_out_of_order_then_data(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = FIN | ACK, .seq = 301, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1, .len = 200);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 302);
	CU_ASSERT_EQUAL(rig_read(&r), 300);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSE_WAIT);
	rig_close(&r);
}

static void
shut_reader_swallows_data(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.conn->is_rcv_shut = true;
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 201);
	CU_ASSERT_EQUAL(r.rx.n, 0);
	CU_ASSERT_EQUAL(r.conn->rcv.held, 0);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_closed], 1);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(in_order_data_is_handed_up),
		UNIT(data_on_either_side_of_a_hole),
		UNIT(overlaps_of_every_kind),
		UNIT(duplicates_are_acknowledged_at_once),
		UNIT(random_arrival_gives_the_stream),
		UNIT(out_of_order_queue_is_bounded),
		UNIT(memory_of_small_segments_is_bounded),
		UNIT(full_memory_lets_the_hole_be_filled),
		UNIT(memory_of_all_connections_is_bounded),
		UNIT(small_segments_of_a_burst_share_a_buffer),
		UNIT(fin_out_of_order_then_data),
		UNIT(shut_reader_swallows_data),
		{NULL, NULL},
	};

	return unit_main("tcp_reass", tests, true);
}
