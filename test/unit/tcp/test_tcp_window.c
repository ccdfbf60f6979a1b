/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <errno.h>

#include "tcp_priv.h"

static struct rig r;

static void
sender_keeps_to_the_window(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.wnd = 2500});
	rig_write(&r, 5000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 2001, .ack = 1, .len = 500); /* as Linux */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 2500);
	rig_sent(&r, .flags = ACK, .seq = 2501, .ack = 1, .len = 1000);
	rig_sent_nothing(&r); /* one small segment is under way, another would be silly */
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 3501, .wnd = 4000);
	rig_sent(&r, .flags = ACK, .seq = 3501, .ack = 1, .len = 1000);
	rig_sent(&r, .flags = PSH | ACK, .seq = 4501, .ack = 1, .len = 500);
	rig_close(&r);
}

/* RFC 9293 3.8.6.2.1 (3): half of the largest window is enough when nothing is under way. */
static void
small_windows_are_used(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.wnd = 600});
	rig_write(&r, 2000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 300);
	rig_sent(&r, .flags = ACK, .seq = 301, .ack = 1, .len = 300);
	rig_sent_nothing(&r);
	rig_close(&r);
}

/* RFC 9293 3.8.6.1: probes with back-off, for ever as long as they are answered. */
static void
closed_window_is_probed_for_ever(void)
{
	uint64_t wait = 200 * RIG_MS;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	rig_write(&r, 100);
	rig_sent_nothing(&r);
	for (unsigned int i = 0; i < 40; i++) {
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us - 1);
		rig_sent_nothing(&r);
		rig_advance(&r, 1);
		rig_sent(&r, .flags = ACK, .seq = 0, .ack = 1);
		wait = RTE_MIN(2 * (wait + 1), 120 * RIG_S);
		CU_ASSERT(rig_next_timer_us(&r) - r.now_us >= RTE_MIN(wait - 100 * RIG_MS, wait));
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	}
	CU_ASSERT_EQUAL(r.tcp.stats.zero_window_probes, 40);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 100);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101);
	CU_ASSERT_EQUAL(rig_next_timer_us(&r), WEIR_WHEEL_NEVER);
	rig_close(&r);
}

static void
unanswered_probes_end_the_connection(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	rig_write(&r, 100);
	rig_advance(&r, 2000 * RIG_S);
	CU_ASSERT_EQUAL(r.conn->error, ETIMEDOUT);
	CU_ASSERT_EQUAL(rig_forget(&r), 15);
	rig_close(&r);
}

/* Less than half of the largest window is offered, and stays: the persist timer sends it. */
static void
silly_window_is_used_in_the_end(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 50);
	rig_write(&r, 100);
	rig_sent_nothing(&r);
	rig_advance(&r, 201 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 50);
	rig_close(&r);
}

static void
fin_waits_for_the_window(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_write(&r, 0);
	rig_sent_nothing(&r);
	rig_advance(&r, 201 * RIG_MS);
	rig_sent(&r, .flags = ACK, .seq = 0, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1);
	rig_sent(&r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	rig_close(&r);
}

/* RFC 9293 3.8.6: a window that shrinks is strange, but no reason to end. */
static void
shrunken_window_is_survived(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 3000);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	for (unsigned int i = 0; i < 30; i++) {
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
		CU_ASSERT_EQUAL(rig_forget(&r), 1);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = RIG_WND_0);
	}
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 5000);
	CU_ASSERT(rig_forget(&r) > 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 3001, .wnd = 5000);
	CU_ASSERT_EQUAL(r.conn->sndq.charge, 0);
	rig_forget(&r);
	rig_close(&r);
}

/* RFC 9293 3.10.7.4: a window from an older segment is no news. */
static void
old_window_is_ignored(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .wnd = 3000);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 3000);
	rig_recv(&r, .flags = ACK, .seq = 21, .ack = 1, .len = 10, .wnd = 2000);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 2000);
	rig_recv(&r, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .wnd = 9000);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 2000);
	rig_forget(&r);
	rig_read(&r);
	rig_close(&r);
}

static void
buffer_of_64k(struct weir_tcp_conf *conf)
{
	conf->opts.rcvbuf = 65536;
}

/* Receiver: the window closes as the buffer fills, and opens in large steps. */
static void
window_closes_and_opens(void)
{
	uint32_t seq = 1;
	uint32_t last = 0;

	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = buffer_of_64k});
	CU_ASSERT_EQUAL(r.conn->rcv.adv - r.conn->rcv.nxt, 32768);
	while (r.conn->rcv.adv != r.conn->rcv.nxt && seq < 200000) {
		const uint32_t room = r.conn->rcv.adv - r.conn->rcv.nxt;

		rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1,
			.len = (uint16_t)RTE_MIN(room, 1400u));
		CU_ASSERT(weir_seq_geq(r.conn->rcv.adv, last)); /* never shrunk */
		last = r.conn->rcv.adv;
		seq = r.conn->rcv.nxt - r.irs;
	}
	CU_ASSERT(seq > 32768 && seq < 65536);
	CU_ASSERT(r.conn->rcv.held <= 65536 + 3000);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = seq, .ack = 1, .len = 1); /* a window probe */
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = seq, .wnd = RIG_WND_0);
	CU_ASSERT(rig_read(&r) > 32768);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = seq, .wnd = 32768); /* window update */
	rig_close(&r);
}

static void
small_reads_do_not_open_the_window(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.tune = buffer_of_64k});
	weir_tcp_hold(&r.tcp, r.conn, 65536);
	r.conn->rcv.adv = r.conn->rcv.nxt;
	weir_tcp_credit(&r.tcp, r.conn, 500);
	rig_write(&r, 0);
	rig_sent_nothing(&r);
	weir_tcp_credit(&r.tcp, r.conn, 5000);
	rig_write(&r, 0);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 2750);
	rig_close(&r);
}

static void
peers_ack_counts_while_our_window_is_closed(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write(&r, 100);
	rig_forget(&r);
	r.conn->rcv.adv = r.conn->rcv.nxt;
	weir_tcp_hold(&r.tcp, r.conn, r.conn->opts.rcvbuf);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 101, .len = 20);
	CU_ASSERT_EQUAL(r.conn->snd.una, r.iss + 101);
	rig_sent(&r, .flags = ACK, .seq = 101, .ack = 1, .wnd = RIG_WND_0);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	rig_close(&r);
}

/* RFC 7323 2 */
static void
window_scale_is_applied_both_ways(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_wscale = true});
	CU_ASSERT_EQUAL(r.conn->snd.wscale, 7);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, RIG_WND); /* of a SYN: as it stands */
	CU_ASSERT_EQUAL(r.conn->rcv.wscale, 4);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .wnd = 512);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 512 * 128);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 11, .wnd = 524288 / 16); /* rounded up */
	rig_close(&r);
}

static void
scale_without_offer_is_not_used(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .wscale = 7,
		.opts = WEIR_TCP_OPT_WSCALE | WEIR_TCP_OPT_TS, .wnd = 1000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	CU_ASSERT_EQUAL(r.conn->snd.wscale, 0);
	CU_ASSERT(!r.conn->has_ts);
	rig_close(&r);
}

/* RFC 7323 2.3: a larger shift counts as 14. */
static void
largest_scale_is_14(void)
{
	rig_open_as(&r, WEIR_TCP_SYN_SENT, &(struct rig_setup){.use_wscale = true});
	rig_recv(&r, .flags = SYN | ACK, .seq = 0, .ack = 1, .wscale = 15,
		.opts = WEIR_TCP_OPT_WSCALE);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->snd.wscale, 14);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .wnd = 2, .len = 1);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 2 << 14);
	rig_forget(&r);
	CU_ASSERT_EQUAL(rig_read(&r), 1);
	rig_close(&r);
}

/* RFC 7323 2.2, RFC 9293 3.7.1 (MUST-65): what belongs on a SYN is neither sent nor taken later. */
static void
options_of_a_syn_mean_nothing_later(void)
{
	rig_open_as(&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.use_wscale = true});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .wnd = 100, .wscale = 2,
		.mss = 300, .opts = WEIR_TCP_OPT_WSCALE | WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_SACK_OK);
	rig_forget(&r);
	CU_ASSERT_EQUAL(r.conn->snd.wscale, 7);
	CU_ASSERT_EQUAL(r.conn->mss, RIG_MSS);
	CU_ASSERT(!r.conn->has_sack);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	rig_write(&r, 10);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 11, .len = 10);
	CU_ASSERT_EQUAL(r.conn->snd.wnd, 100 << 7);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(sender_keeps_to_the_window),
		UNIT(small_windows_are_used),
		UNIT(closed_window_is_probed_for_ever),
		UNIT(unanswered_probes_end_the_connection),
		UNIT(silly_window_is_used_in_the_end),
		UNIT(fin_waits_for_the_window),
		UNIT(shrunken_window_is_survived),
		UNIT(old_window_is_ignored),
		UNIT(window_closes_and_opens),
		UNIT(small_reads_do_not_open_the_window),
		UNIT(peers_ack_counts_while_our_window_is_closed),
		UNIT(window_scale_is_applied_both_ways),
		UNIT(scale_without_offer_is_not_used),
		UNIT(largest_scale_is_14),
		UNIT(options_of_a_syn_mean_nothing_later),
		{NULL, NULL},
	};

	return unit_main("tcp_window", tests, true);
}
