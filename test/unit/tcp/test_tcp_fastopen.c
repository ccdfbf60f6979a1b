/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413) of a listener. */
#include "rig.h"

#include "tcp_priv.h"

static struct rig r;

/* 192.0.2.2 to 192.0.2.1 with the key below: SipHash-2-4 as Linux uses it. */
static struct weir_tcp_fo cookie;

static void
served(struct weir_tcp_conf *conf)
{
	conf->fastopen = WEIR_TCP_FASTOPEN_SERVER;
	conf->opts.fastopen = 5;
}

static void
without_cookie(struct weir_tcp_conf *conf)
{
	served(conf);
	conf->fastopen |= WEIR_TCP_FASTOPEN_NO_COOKIE;
}

static void
implied(struct weir_tcp_conf *conf)
{
	conf->fastopen = WEIR_TCP_FASTOPEN_SERVER | WEIR_TCP_FASTOPEN_ALL_LISTENERS;
}

/* The Fast Open option of the oldest segment sent. @return false: it has none */
static bool
take_option(uint8_t flags, struct weir_tcp_fo *fo)
{
	struct rte_mbuf *m = rig_take(&r);
	const uint8_t *hdr;
	struct weir_tcp_seg seg;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	hdr = rte_pktmbuf_mtod_offset(m, const uint8_t *, 20);
	weir_tcp_parse(hdr, (uint16_t)(m->pkt_len - 20), &seg);
	CU_ASSERT_EQUAL(seg.flags, flags);
	*fo = (struct weir_tcp_fo){
		.len = seg.fo_len & WEIR_TCP_FO_LEN, .is_exp = seg.fo_len & WEIR_TCP_FO_EXP};
	memcpy(fo->cookie, hdr + seg.fo_off, fo->len);
	rte_pktmbuf_free(m);
	return seg.opts & WEIR_TCP_OPT_FASTOPEN;
}

static uint8_t
option(uint8_t *raw, const struct weir_tcp_fo *fo)
{
	const uint8_t head = fo->is_exp ? 4 : 2;

	memset(raw, 1, 40);
	raw[0] = fo->is_exp ? 254 : 34;
	raw[1] = (uint8_t)(head + fo->len);
	if (fo->is_exp) {
		raw[2] = 0xf9;
		raw[3] = 0x89;
	}
	memcpy(raw + head, fo->cookie, fo->len);
	return (uint8_t)RTE_ALIGN_CEIL(head + fo->len, 4);
}

/* A SYN with this option and len bytes of text. */
static void
recv_syn(const struct weir_tcp_fo *fo, uint16_t len)
{
	uint8_t raw[40];
	const uint8_t raw_len = option(raw, fo);

	r.conn = NULL;
	r.write_pos = 1;
	rig_recv(&r, .flags = SYN, .seq = 0, .raw = raw, .raw_len = raw_len, .len = len);
}

/* A listener, and our cookie. */
static void
open_listener(void (*tune)(struct weir_tcp_conf *conf))
{
	rig_open_as(
		&r, WEIR_TCP_ESTABLISHED, &(struct rig_setup){.is_passive = true, .tune = tune});
	weir_tcp_abort(&r.tcp, r.conn);
	weir_eth_flush(&r.ifc);
	rig_forget(&r);
	r.n_accept = 0;
	r.iss = weir_tcp_isn(&r.tcp, &r.flow);
}

static void
open_with_cookie(void)
{
	open_listener(served);
	recv_syn(&(struct weir_tcp_fo){0}, 0);
	CU_ASSERT(take_option(SYN | ACK, &cookie));
	CU_ASSERT_EQUAL_FATAL(cookie.len, 8);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.tcp.reqs.used, 0);
}

/* Text on a SYN of the rig stands from seq on: the pattern of the stream begins at 1. */
static void
syn_with_a_cookie_is_accepted_with_its_text(void)
{
	open_with_cookie();
	recv_syn(&cookie, 0);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_SYN_RECEIVED);
	CU_ASSERT_EQUAL(r.tcp.n_fastopen, 1);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	rig_write(&r, 20); /* goes before the final ACK */
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 20);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.tcp.stats.dup_acks, 0);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 1);
	CU_ASSERT_EQUAL(r.tcp.n_fastopen, 0);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	rig_close(&r);
}

/* Lost with the SYN,ACK, it goes again when the handshake is over. */
static void
early_text_and_its_ack(void)
{
	open_with_cookie();
	recv_syn(&cookie, 100);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 101);
	rig_write(&r, 3000);
	rig_sent(&r, .flags = ACK, .seq = 1, .ack = 101, .len = 536);
	rig_forget(&r);
	rig_advance(&r, RIG_S);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 101);
	rig_sent_nothing(&r);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1 + 2 * 536);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(r.conn->snd.una, r.conn->iss + 1 + 2 * 536);
	rig_advance(&r, 3 * RIG_S);
	rig_sent(&r, .flags = ACK, .seq = 1 + 2 * 536, .ack = 101, .len = 536);
	rig_forget(&r);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 3001);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 0);
	rig_close(&r);
}

static void
early_fin_goes_behind_the_text(void)
{
	open_with_cookie();
	recv_syn(&cookie, 0);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	rig_write(&r, 20);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 20);
	weir_tcp_shutdown(&r.tcp, r.conn);
	rig_turn(&r, &(struct weir_vec){.n = 0});
	rig_sent(&r, .flags = FIN | ACK, .seq = 21, .ack = 1);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 22);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_FIN_WAIT_2);
	rig_close(&r);
}

static void
text_on_the_syn_is_acknowledged_by_the_syn_ack(void)
{
	open_with_cookie();
	recv_syn(&cookie, 100);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 101);
	CU_ASSERT_EQUAL(r.rx.n, 1);
	rig_recv(&r, .flags = ACK, .seq = 101, .ack = 1);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_ESTABLISHED);
	rig_sent_nothing(&r);
	rig_close(&r);
}

static void
wrong_cookie_gets_the_right_one_and_a_usual_handshake(void)
{
	struct weir_tcp_fo fo;

	open_with_cookie();
	fo = cookie;
	fo.cookie[3] ^= 1;
	recv_syn(&fo, 100);
	CU_ASSERT(take_option(SYN | ACK, &fo));
	CU_ASSERT_EQUAL(memcmp(&fo, &cookie, sizeof(fo)), 0);
	CU_ASSERT_EQUAL(r.n_accept, 0);
	CU_ASSERT_EQUAL(r.tcp.stats.fastopen_failed, 1);
	rig_close(&r);
}

static void
experimental_option_is_answered_alike(void)
{
	struct weir_tcp_fo fo;

	open_listener(served);
	recv_syn(&(struct weir_tcp_fo){.is_exp = true}, 0);
	CU_ASSERT(take_option(SYN | ACK, &fo));
	CU_ASSERT(fo.is_exp);
	rig_recv(&r, .flags = RST, .seq = 1);
	recv_syn(&fo, 0);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	rig_forget(&r);
	rig_close(&r);
}

/* 192.0.2.1 to 192.168.0.1: what Linux makes of the same key. */
static void
configured_key_makes_the_cookies_of_linux(void)
{
	static const uint8_t key[16] = {0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2, 0xc3, 0xc3,
		0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4};
	static const uint8_t want[8] = {0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb};
	struct weir_vec v = {.n = 0};
	struct weir_tcp_fo fo;
	struct weir_tcp_rx rx;

	open_listener(implied);
	r.tcp.conf.has_fastopen_key = true;
	memcpy(r.tcp.conf.fastopen_key, key, sizeof(key));
	rig_queue(&r, &v, .flags = SYN, .seq = 0);
	weir_addr_parse("192.0.2.1", &weir_pkt(v.m[0])->flow.raddr);
	weir_addr_parse("192.168.0.1", &weir_pkt(v.m[0])->flow.laddr);
	rx = (struct weir_tcp_rx){.m = v.m[0], .seg = {.opts = WEIR_TCP_OPT_FASTOPEN}};
	CU_ASSERT_EQUAL(weir_tcp_fastopen_check(&r.tcp, &r.listener, &rx, &fo), WEIR_TCP_FO_GIVE);
	CU_ASSERT_EQUAL(memcmp(fo.cookie, want, sizeof(want)), 0);
	rte_pktmbuf_free(v.m[0]);
	rig_close(&r);
}

static void
drawn_key_changes_and_the_one_before_is_good(void)
{
	open_with_cookie();
	rig_advance(&r, 3600 * RIG_S);
	r.iss = weir_tcp_isn(&r.tcp, &r.flow);
	recv_syn(&cookie, 0);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	rig_forget(&r);
	rig_close(&r);
	open_with_cookie();
	rig_advance(&r, 7200 * RIG_S);
	recv_syn(&cookie, 0);
	CU_ASSERT_EQUAL(r.n_accept, 0);
	rig_forget(&r);
	rig_close(&r);
}

static void
no_cookie_is_needed_where_that_is_configured(void)
{
	open_listener(without_cookie);
	r.conn = NULL;
	rig_recv(&r, .flags = SYN, .seq = 0, .len = 10);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 11);
	rig_close(&r);
}

static void
listener_without_the_option_ignores_it(void)
{
	struct weir_tcp_fo fo;

	open_listener(NULL);
	recv_syn(&(struct weir_tcp_fo){0}, 0);
	CU_ASSERT(!take_option(SYN | ACK, &fo));
	rig_close(&r);
}

static void
full_queue_falls_back_to_the_handshake(void)
{
	open_with_cookie();
	r.listener.opts.fastopen = 1;
	r.tcp.n_fastopen = 1;
	recv_syn(&cookie, 50);
	rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
	CU_ASSERT_EQUAL(r.n_accept, 0);
	r.tcp.n_fastopen = 0;
	rig_close(&r);
}

static void
syn_ack_is_sent_again_then_given_up(void)
{
	open_with_cookie();
	recv_syn(&cookie, 0);
	for (unsigned int i = 0; i < 6; i++) {
		rig_sent(&r, .flags = SYN | ACK, .seq = 0, .ack = 1);
		rig_advance(&r, RIG_S << i);
	}
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.tcp.n_fastopen, 0);
	rig_close(&r);
}

static void
reset_ends_what_was_accepted(void)
{
	open_with_cookie();
	recv_syn(&cookie, 0);
	rig_forget(&r);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	CU_ASSERT_EQUAL(r.tcp.n_fastopen, 0);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(syn_with_a_cookie_is_accepted_with_its_text),
		UNIT(early_text_and_its_ack),
		UNIT(early_fin_goes_behind_the_text),
		UNIT(text_on_the_syn_is_acknowledged_by_the_syn_ack),
		UNIT(wrong_cookie_gets_the_right_one_and_a_usual_handshake),
		UNIT(experimental_option_is_answered_alike),
		UNIT(configured_key_makes_the_cookies_of_linux),
		UNIT(drawn_key_changes_and_the_one_before_is_good),
		UNIT(no_cookie_is_needed_where_that_is_configured),
		UNIT(listener_without_the_option_ignores_it),
		UNIT(full_queue_falls_back_to_the_handshake),
		UNIT(syn_ack_is_sent_again_then_given_up),
		UNIT(reset_ends_what_was_accepted),
		{NULL, NULL},
	};

	return unit_main("tcp_fastopen", tests, true);
}
