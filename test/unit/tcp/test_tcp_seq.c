/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <errno.h>

static struct rig r;

/* A connection that answers all that is not acceptable, however often. */
static void
open_frank(enum weir_tcp_state state, const struct rig_setup *setup)
{
	rig_open_as(&r, state, setup);
	r.tcp.conf.invalid_ratelimit_us = 0;
}

/* RFC 9293 3.4, table 6; the window is 65535 bytes from 1 on. */
static void
segments_outside_the_window_are_acknowledged_and_dropped(void)
{
	const uint32_t edge = 65536;

	open_frank(WEIR_TCP_ESTABLISHED, &(struct rig_setup){0});
	CU_ASSERT_EQUAL(r.conn->rcv.adv - r.irs, edge);
	rig_recv(&r, .flags = ACK, .seq = edge, .ack = 1, .len = 1); /* right of it */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = edge + 1, .ack = 1);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = -9, .ack = 1, .len = 10); /* left of it, up to 0 */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 0, .ack = 1); /* as a keepalive probe */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_seq], 3);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_duplicate], 1);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	rig_close(&r);
}

static void
segments_across_the_edges_are_trimmed(void)
{
	const uint32_t edge = 65536;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = -9, .ack = 1, .len = 30);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 21);
	CU_ASSERT_EQUAL(rig_read(&r), 20);
	r.conn->rcv.adv = r.conn->rcv.nxt + 10; /* a small window */
	rig_recv(&r, .flags = ACK, .seq = 21, .ack = 1, .len = 30);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	CU_ASSERT(r.conn->rcv.nxt - r.irs < edge);
	rig_forget(&r);
	rig_close(&r);
}

static void
wrapping_sequence_numbers(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.iss = -1501u, .irs = -700u});
	CU_ASSERT_EQUAL(r.iss, -1501u);
	rig_write(&r, 3000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 2001, .ack = 1, .len = 1000);
	rig_recv(&r, .flags = ACK, .seq = 501, .ack = 1001, .len = 500); /* beyond a hole */
	rig_sent(&r, .flags = ACK, .seq = 3001, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001, .len = 500);
	rig_sent(&r, .flags = ACK, .seq = 3001, .ack = 1001);
	rig_recv(&r, .flags = ACK, .seq = 1001, .ack = 3001);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, 0);
	CU_ASSERT_EQUAL(rig_read(&r), 1000);
	rig_close(&r);
}

/* RFC 5961 3.2 */
static void
rst_resets_only_at_the_exact_place(void)
{
	open_frank(WEIR_TCP_ESTABLISHED, &(struct rig_setup){0});
	rig_recv(&r, .flags = RST, .seq = 2);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = RST, .seq = 65535);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_recv(&r, .flags = RST, .seq = 65536); /* outside: silence */
	rig_recv(&r, .flags = RST, .seq = 0);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.tcp.stats.challenge_acks, 2);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.conn->error, ECONNRESET);
	CU_ASSERT_EQUAL(r.events, WEIR_READY_CLOSE);
	CU_ASSERT_EQUAL(r.tcp.stats.rst_received, 1);
	rig_close(&r);
}

static void
rst_error_depends_on_the_state(void)
{
	static const struct {
		enum weir_tcp_state state;
		uint32_t seq;
		int error;
	} cases[] = {
		{WEIR_TCP_FIN_WAIT_1, 1, ECONNRESET},
		{WEIR_TCP_FIN_WAIT_2, 1, ECONNRESET},
		{WEIR_TCP_CLOSE_WAIT, 2, EPIPE},
		{WEIR_TCP_CLOSING, 2, ECONNRESET},
		{WEIR_TCP_LAST_ACK, 2, ECONNRESET},
	};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		rig_open(&r, cases[i].state);
		rig_recv(&r, .flags = RST | ACK, .seq = cases[i].seq, .ack = 1);
		CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
		CU_ASSERT_EQUAL(r.conn->error, cases[i].error);
		CU_ASSERT_EQUAL(r.events, WEIR_READY_CLOSE);
		rig_close(&r);
	}
}

/* RFC 5961 4.2: in every synchronized state, wherever it stands. */
static void
syn_is_challenged(void)
{
	static const enum weir_tcp_state states[] = {WEIR_TCP_ESTABLISHED, WEIR_TCP_FIN_WAIT_1,
		WEIR_TCP_FIN_WAIT_2, WEIR_TCP_CLOSE_WAIT, WEIR_TCP_CLOSING, WEIR_TCP_LAST_ACK};

	for (unsigned int i = 0; i < RTE_DIM(states); i++) {
		uint32_t seq, ack;

		open_frank(states[i], &(struct rig_setup){0});
		seq = r.conn->snd.nxt - r.iss;
		ack = r.conn->rcv.nxt - r.irs;
		rig_recv(&r, .flags = SYN, .seq = ack + 10);
		rig_sent(&r, .flags = ACK, .seq = seq, .ack = ack);
		rig_recv(&r, .flags = SYN | ACK, .seq = ack, .ack = seq);
		rig_sent(&r, .flags = ACK, .seq = seq, .ack = ack);
		rig_recv(&r, .flags = SYN, .seq = -100000);
		rig_sent(&r, .flags = ACK, .seq = seq, .ack = ack);
		CU_ASSERT_EQUAL(r.conn->state, states[i]);
		rig_close(&r);
	}
}

/* RFC 5961 7 */
static void
challenges_are_limited(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	for (unsigned int i = 0; i < 30; i++)
		rig_recv(&r, .flags = SYN, .seq = 5);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_advance(&r, 499 * RIG_MS);
	rig_recv(&r, .flags = ACK, .seq = -5, .ack = 1);
	rig_sent_nothing(&r);
	rig_advance(&r, RIG_MS);
	rig_recv(&r, .flags = SYN, .seq = 5);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	CU_ASSERT_EQUAL(r.tcp.stats.challenge_limited, 30);
	rig_close(&r);
}

/* RFC 5961 7: and of all connections together. */
static void
challenges_of_a_worker_are_limited(void)
{
	open_frank(WEIR_TCP_ESTABLISHED, &(struct rig_setup){0});
	r.tcp.conf.challenges_per_s = 7;
	for (unsigned int i = 0; i < 30; i++)
		rig_recv(&r, .flags = SYN, .seq = 5);
	CU_ASSERT_EQUAL(rig_forget(&r), 7);
	rig_advance(&r, RIG_S);
	rig_recv(&r, .flags = SYN, .seq = 5);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_close(&r);
}

static void
resets_of_a_worker_are_limited(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	r.tcp.conf.resets_per_s = 7;
	for (unsigned int i = 0; i < 30; i++)
		rig_recv(&r, .flags = SYN, .seq = 5, .sport = 4000);
	CU_ASSERT_EQUAL(rig_forget(&r), 7);
	CU_ASSERT_EQUAL(r.tcp.stats.rst_limited, 23);
	rig_advance(&r, RIG_S);
	rig_recv(&r, .flags = SYN, .seq = 5, .sport = 4000);
	CU_ASSERT_EQUAL(rig_forget(&r), 1);
	rig_close(&r);
}

/* RFC 9293 3.10.7.4, fifth; RFC 5961 5.2. */
static void
unacceptable_acks_are_answered_and_dropped(void)
{
	open_frank(WEIR_TCP_ESTABLISHED, &(struct rig_setup){.wnd = 1000});
	rig_write(&r, 100);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 102, .wnd = 1000, .len = 5); /* not sent yet */
	rig_sent(&r, .flags = ACK, .seq = 101, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = -1000, .wnd = 1000, .len = 5); /* too old */
	rig_sent(&r, .flags = ACK, .seq = 101, .ack = 1);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ack], 2);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	rig_recv(
		&r, .flags = ACK, .seq = 1, .ack = -999, .wnd = 1000, .len = 5); /* old, harmless */
	rig_sent(&r, .flags = ACK, .seq = 101, .ack = 6);
	CU_ASSERT_EQUAL(rig_read(&r), 5);
	rig_close(&r);
}

static void
segments_without_ack_are_dropped(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = PSH, .seq = 1, .len = 10);
	rig_recv(&r, .flags = FIN, .seq = 1);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_no_ack], 2);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_close(&r);
}

/* RFC 9293 3.10.7.1 */
static void
no_connection_is_answered_by_rst(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 500, .ack = 77, .len = 9, .dport = 9);
	rig_sent(&r, .flags = RST, .seq = 77);
	rig_recv(&r, .flags = SYN, .seq = 500, .len = 9, .dport = 9);
	rig_sent(&r, .flags = RST | ACK, .seq = -r.iss, .ack = 510);
	rig_recv(&r, .flags = FIN, .seq = 500, .len = 9, .dport = 9);
	rig_sent(&r, .flags = RST | ACK, .seq = -r.iss, .ack = 510);
	rig_recv(&r, .flags = RST, .seq = 500, .dport = 9);
	rig_recv(&r, .flags = RST | ACK, .seq = 500, .ack = 77, .dport = 9);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_no_conn], 5);
	CU_ASSERT_EQUAL(r.tcp.stats.rst_sent, 3);
	rig_close(&r);
}

static void
malformed_segments_are_dropped(void)
{
	static const uint8_t none[1];
	struct weir_vec v = {.n = 0};

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .is_bad_cksum = true);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10,
		.pkt_flags = WEIR_PKT_L4_CKSUM_BAD);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_cksum], 2);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .is_bad_cksum = true,
		.pkt_flags = WEIR_PKT_L4_CKSUM_OK);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 11);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 1, .pkt_flags = WEIR_PKT_BROADCAST);
	rig_recv(&r, .flags = SYN, .seq = 11, .dport = 9, .pkt_flags = WEIR_PKT_MULTICAST);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_flags], 2);
	for (uint16_t len = 0; len < WEIR_TCP_HLEN; len++) {
		rig_queue(&r, &v, .flags = ACK, .seq = 11, .ack = 1, .raw = none);
		weir_pkt(v.m[len])->l4_len = len;
	}
	rig_turn(&r, &v);
	rig_queue(
		&r, &v, .flags = ACK, .seq = 11, .ack = 1, .raw = none); /* offset beyond its end */
	rte_pktmbuf_mtod_offset(v.m[0], struct weir_tcp_hdr *, 20)->off = 6 << 4;
	rig_queue(&r, &v, .flags = ACK, .seq = 11, .ack = 1, .raw = none); /* offset too small */
	rte_pktmbuf_mtod_offset(v.m[1], struct weir_tcp_hdr *, 20)->off = 4 << 4;
	rig_turn(&r, &v);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_short], 22);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_close(&r);
}

/* RFC 9293 3.1, MUST-5 to MUST-7: whatever stands there, the segment is taken. */
static void
malformed_options_do_no_harm(void)
{
	static const struct {
		uint8_t bytes[12];
		uint8_t len;
	} cases[] = {
		{{2, 0, 0, 0}, 4},   /* length 0 */
		{{2, 1, 0, 0}, 4},   /* length 1 */
		{{2, 40, 5, 0}, 4},  /* beyond the header */
		{{1, 1, 1, 2}, 4},   /* kind without length */
		{{2, 3, 5, 1}, 4},   /* MSS of a wrong length */
		{{2, 4, 0, 0}, 4},   /* MSS 0 */
		{{3, 3, 200, 0}, 4}, /* scale 200 */
		{{8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 12},
		{{253, 4, 1, 2, 254, 2, 1, 0}, 8},	    /* unknown kinds */
		{{0, 9, 9, 9}, 4},			    /* bytes after the end of the list */
		{{5, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0}, 12}, /* half a SACK block */
	};
	uint32_t seq = 1;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	for (unsigned int i = 0; i < RTE_DIM(cases); i++, seq += 10) {
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 10, .raw = cases[i].bytes,
			.raw_len = cases[i].len);
		rig_sent(&r, .flags = ACK, .seq = 1, .ack = seq + 10);
	}
	for (unsigned int i = 0; i < RTE_DIM(cases); i++) { /* and on a SYN */
		rig_recv(&r, .flags = SYN, .seq = 0, .raw = cases[i].bytes, .raw_len = cases[i].len,
			.dport = 9);
		rig_forget(&r);
	}
	CU_ASSERT_EQUAL(rig_read(&r), 10 * RTE_DIM(cases));
	rig_close(&r);
}

static void
set_reserved_bits(struct weir_vec *v)
{
	rte_pktmbuf_mtod_offset(v->m[0], struct weir_tcp_hdr *, 20)->off |= 0x0f;
	rig_turn(&r, v);
}

/* RFC 9293 3.1: they are ignored in what comes, and 0 in what goes. */
static void
reserved_bits_are_ignored(void)
{
	struct weir_vec v = {.n = 0};
	struct rte_mbuf *m;

	rig_open(&r, WEIR_TCP_SYN_RECEIVED);
	rig_queue(&r, &v, .flags = ACK, .seq = 1, .ack = 1, .len = 10,
		.pkt_flags = WEIR_PKT_L4_CKSUM_OK);
	set_reserved_bits(&v);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	m = rig_take(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(rte_pktmbuf_mtod_offset(m, struct weir_tcp_hdr *, 20)->off & 0x0f, 0);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_close(&r);
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_queue(
		&r, &v, .flags = SYN | ACK, .seq = 0, .ack = 1, .pkt_flags = WEIR_PKT_L4_CKSUM_OK);
	set_reserved_bits(&v);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_close(&r);
}

/* Headers may lie anywhere in a chain. */
static void
segments_in_pieces(void)
{
	uint32_t seq = 1;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_ts = true});
	for (uint16_t cut = 1; cut < 20 + 32 + 20; cut++, seq += 20)
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 20, .split = cut);
	CU_ASSERT_EQUAL(rig_read(&r), seq - 1);
	rig_forget(&r);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(segments_outside_the_window_are_acknowledged_and_dropped),
		UNIT(segments_across_the_edges_are_trimmed),
		UNIT(wrapping_sequence_numbers),
		UNIT(rst_resets_only_at_the_exact_place),
		UNIT(rst_error_depends_on_the_state),
		UNIT(syn_is_challenged),
		UNIT(challenges_are_limited),
		UNIT(challenges_of_a_worker_are_limited),
		UNIT(resets_of_a_worker_are_limited),
		UNIT(unacceptable_acks_are_answered_and_dropped),
		UNIT(segments_without_ack_are_dropped),
		UNIT(no_connection_is_answered_by_rst),
		UNIT(malformed_segments_are_dropped),
		UNIT(malformed_options_do_no_harm),
		UNIT(reserved_bits_are_ignored),
		UNIT(segments_in_pieces),
		{NULL, NULL},
	};

	return unit_main("tcp_seq", tests, true);
}
