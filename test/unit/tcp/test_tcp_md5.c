/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP MD5 signatures (RFC 2385). The peer's are made here, from the bytes as they stand. */
#include <errno.h>

#include <openssl/evp.h>

#include "signed.h"

#include "tcp_priv.h"
#include "weir_cksum.h"

static struct rig r;

static const struct weir_tcp_key secret = {.prefix = 128, .len = 6, .key = "secret"};

static struct weir_tcp_key
key_for(const char *addr, uint8_t prefix, const char *text)
{
	struct weir_tcp_key k = {.prefix = prefix, .len = (uint8_t)strlen(text)};

	CU_ASSERT_EQUAL(weir_addr_parse(addr, &k.addr), 0);
	memcpy(k.key, text, k.len);
	return k;
}

/* The signature of a segment of len bytes, which lie in one piece. */
static void
digest(const uint8_t *seg, uint16_t len, const struct weir_addr *src, const struct weir_addr *dst,
	const struct weir_tcp_key *key, uint8_t sum[16])
{
	const uint16_t hlen = (uint16_t)(seg[12] >> 4) * 4;
	uint8_t text[4096];
	size_t n = 0;

	if (weir_addr_is_v4(src)) {
		memcpy(text, src->b + 12, 4);
		memcpy(text + 4, dst->b + 12, 4);
		memcpy(text + 8, (uint8_t[]){0, 6, (uint8_t)(len >> 8), (uint8_t)len}, 4);
		n = 12;
	} else {
		memcpy(text, src->b, 16);
		memcpy(text + 16, dst->b, 16);
		memcpy(text + 32, (uint8_t[]){0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, 6},
			8);
		n = 40;
	}
	memcpy(text + n, seg, 20);
	text[n + 16] = 0;
	text[n + 17] = 0;
	memcpy(text + n + 20, seg + hlen, (size_t)(len - hlen));
	n += 20u + len - hlen;
	memcpy(text + n, key->key, key->len);
	CU_ASSERT_EQUAL(EVP_Digest(text, n + key->len, sum, NULL, EVP_md5(), NULL), 1);
}

static uint16_t
ip_hlen(void)
{
	return r.setup.is_v6 ? 40 : 20;
}

/* A segment of the peer, signed by key, the MSS behind the signature of a SYN. */
static void
recv_signed(const struct weir_tcp_key *key, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len)
{
	static const uint8_t raw[24] = {1, 1, 19, 18, [20] = 2, 4, 0x03, 0xe8};
	struct weir_vec v = {.n = 0};
	struct weir_tcp_hdr *hdr;
	struct rte_mbuf *m;
	uint16_t seg_len;

	rig_queue(&r, &v, .flags = flags, .seq = seq, .ack = ack, .len = len, .raw = raw,
		.raw_len = flags & SYN ? 24 : 20);
	m = v.m[0];
	hdr = rte_pktmbuf_mtod_offset(m, struct weir_tcp_hdr *, ip_hlen());
	seg_len = (uint16_t)(m->pkt_len - ip_hlen());
	digest((uint8_t *)hdr, seg_len, &r.flow.raddr, &r.flow.laddr, key, (uint8_t *)hdr + 24);
	hdr->cksum = 0;
	hdr->cksum =
		weir_cksum_l4(m, ip_hlen(), seg_len, &r.flow.raddr, &r.flow.laddr, IPPROTO_TCP);
	rig_turn(&r, &v);
}

/* The oldest segment sent is this one, and signed by secret. @return its options */
static uint8_t
sent_signed(uint8_t flags, uint32_t seq, uint16_t len)
{
	struct rte_mbuf *m = rig_take(&r);
	struct weir_tcp_seg seg;
	uint8_t text[4096], sum[16];
	uint16_t seg_len;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	seg_len = (uint16_t)(m->pkt_len - ip_hlen());
	memcpy(text, rte_pktmbuf_read(m, ip_hlen(), seg_len, text), seg_len);
	weir_tcp_parse(text, seg_len, &seg);
	CU_ASSERT_EQUAL(seg.flags, flags);
	CU_ASSERT_EQUAL(seg.seq, r.iss + seq);
	CU_ASSERT_EQUAL(seg.len, len);
	CU_ASSERT(seg.opts & WEIR_TCP_OPT_AUTH);
	CU_ASSERT_EQUAL(seg.auth_off, 24); /* the first option */
	digest(text, seg_len, &r.flow.laddr, &r.flow.raddr, &secret, sum);
	CU_ASSERT_EQUAL(memcmp(sum, text + 24, 16), 0);
	rte_pktmbuf_free(m);
	return seg.opts;
}

static uint64_t
dropped(enum weir_fate fate)
{
	return r.core.fates[fate];
}

static void
begin_connect(const struct rig_setup *setup)
{
	struct weir_tcp_key k = secret;
	struct weir_tcp_keys *set = NULL;

	signed_open(&r, setup);
	k.addr = r.flow.raddr;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &k), 0);
	signed_connect(&r, set);
}

static void
open_connection(const struct rig_setup *setup)
{
	begin_connect(setup);
	sent_signed(SYN, 0, 0);
	recv_signed(&secret, SYN | ACK, 0, 1, 0);
	sent_signed(ACK, 1, 0);
	CU_ASSERT_EQUAL_FATAL(r.conn->state, WEIR_TCP_ESTABLISHED);
}

static int
change(const struct weir_tcp_key *key)
{
	const struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE, .key = key};

	return weir_tcp_keys_update_conn(&r.tcp, r.conn, &u);
}

static void
everything_is_signed(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		open_connection(&(struct rig_setup){.is_v6 = i, .use_sack = true});
		CU_ASSERT_EQUAL(r.conn->mss, 1000 - 20);
		rig_write(&r, 1200);
		sent_signed(ACK, 1, 980);
		sent_signed(ACK | PSH, 981, 220);
		recv_signed(&secret, ACK, 1, 1201, 100);
		CU_ASSERT_EQUAL(rig_read(&r), 100);
		sent_signed(ACK, 1201, 0);
		signed_abort(&r);
		sent_signed(RST | ACK, 1201, 0);
		CU_ASSERT_EQUAL(r.tcp.n_auth, 0);
		rig_close(&r);
	}
}

static void
syn_has_no_timestamps(void)
{
	begin_connect(&(struct rig_setup){.use_ts = true, .use_sack = true, .use_wscale = true});
	CU_ASSERT_EQUAL(sent_signed(SYN, 0, 0),
		WEIR_TCP_OPT_AUTH | WEIR_TCP_OPT_MSS | WEIR_TCP_OPT_SACK_OK | WEIR_TCP_OPT_WSCALE);
	rig_close(&r);
}

/* Its place is taken: a signed SYN neither asks for a cookie nor carries data. */
static void
syn_does_without_fast_open(void)
{
	struct weir_tcp_key k = secret;

	signed_open(&r, &(struct rig_setup){.use_sack = true, .use_wscale = true});
	weir_tcp_connect(&r.tcp, &r.flow, &r.tcp.conf.opts, &r.end, &r.conn);
	k.addr = r.flow.raddr;
	CU_ASSERT_EQUAL(change(&k), 0);
	CU_ASSERT_EQUAL(weir_tcp_fastopen_begin(&r.tcp, r.conn), 0);
	rig_turn(&r, &(struct weir_vec){.n = 0});
	CU_ASSERT(!(sent_signed(SYN, 0, 0) & WEIR_TCP_OPT_FASTOPEN));
	rig_close(&r);
}

static void
what_is_not_rightly_signed_ends_without_an_answer(void)
{
	const struct weir_tcp_key other = {.len = 6, .key = "Secret"};

	open_connection(&(struct rig_setup){0});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	CU_ASSERT_EQUAL(dropped(WEIR_FATE_drop_tcp_md5_missing), 1);
	recv_signed(&other, ACK, 1, 1, 10);
	CU_ASSERT_EQUAL(dropped(WEIR_FATE_drop_tcp_md5_wrong), 1);
	rig_recv(&r, .flags = RST, .seq = 1);
	rig_recv(&r, .flags = SYN, .seq = 500);
	CU_ASSERT_EQUAL(dropped(WEIR_FATE_drop_tcp_md5_missing), 3);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	rig_sent_nothing(&r);
	recv_signed(&secret, RST, 1, 0, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	rig_close(&r);
}

static void
signature_without_a_key_is_unexpected(void)
{
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	recv_signed(&secret, ACK, 1, 1, 10);
	CU_ASSERT_EQUAL(dropped(WEIR_FATE_drop_tcp_md5_unexpected), 1);
	CU_ASSERT_EQUAL(rig_read(&r), 0);
	rig_close(&r);
}

static void
listen_with(const char *addr, uint8_t prefix, const struct rig_setup *setup)
{
	struct weir_tcp_key k = key_for(addr, prefix, "secret");
	struct weir_tcp_keys *set = NULL;

	signed_open(&r, setup);
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &k), 0);
	signed_listen(&r, set);
}

static void
listener_serves_those_with_a_key(void)
{
	listen_with("192.0.2.0", 96 + 24, &(struct rig_setup){.is_passive = true});
	rig_recv(&r, .flags = SYN, .seq = 0);
	CU_ASSERT_EQUAL(dropped(WEIR_FATE_drop_tcp_md5_missing), 1);
	rig_sent_nothing(&r);
	recv_signed(&secret, SYN, 0, 0, 0);
	sent_signed(SYN | ACK, 0, 0);
	rig_advance(&r, RIG_S);
	sent_signed(SYN | ACK, 0, 0);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1);
	CU_ASSERT_EQUAL(r.n_accept, 0);
	recv_signed(&secret, ACK, 1, 1, 0);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	CU_ASSERT_EQUAL(r.conn->mss, 1000 - 20);
	rig_write(&r, 10);
	sent_signed(ACK | PSH, 1, 10);
	weir_tcp_unlisten(&r.tcp, &r.listener); /* the connection keeps its key */
	recv_signed(&secret, ACK, 1, 11, 0);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 0);
	rig_close(&r);
}

static void
listener_resets_under_the_same_key(void)
{
	listen_with("192.0.2.2", 128, &(struct rig_setup){.is_passive = true});
	recv_signed(&secret, ACK, 1, 77, 0);
	sent_signed(RST, 77, 0);
	weir_tcp_unlisten(&r.tcp, &r.listener);
	rig_close(&r);
}

static void
time_wait_answers_under_its_key(void)
{
	open_connection(&(struct rig_setup){0});
	signed_shutdown(&r);
	sent_signed(FIN | ACK, 1, 0);
	recv_signed(&secret, FIN | ACK, 1, 2, 0);
	sent_signed(ACK, 2, 0);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	recv_signed(&secret, FIN | ACK, 1, 2, 0);
	sent_signed(ACK, 2, 0);
	rig_recv(&r, .flags = FIN | ACK, .seq = 1, .ack = 2);
	CU_ASSERT_EQUAL(dropped(WEIR_FATE_drop_tcp_md5_missing), 1);
	rig_sent_nothing(&r);
	signed_wait_is_over(&r);
	rig_close(&r);
}

static void
two_sack_blocks_fit_beside_a_signature(void)
{
	open_connection(&(struct rig_setup){.use_sack = true});
	r.conn->has_sack = true;
	for (unsigned int i = 1; i < 4; i++) {
		recv_signed(&secret, ACK, 1 + 200 * i, 1, 100);
		CU_ASSERT(sent_signed(ACK, 1, 0) & WEIR_TCP_OPT_SACK);
	}
	CU_ASSERT_EQUAL(weir_tcp_sack_blocks(r.conn), 2);
	rig_close(&r);
}

static void
key_can_go_while_connected(void)
{
	struct weir_tcp_key none = {.prefix = 128};

	open_connection(&(struct rig_setup){0});
	none.addr = r.flow.raddr;
	CU_ASSERT_EQUAL(change(&none), 0);
	CU_ASSERT_EQUAL(change(&none), -ENOENT);
	CU_ASSERT_EQUAL(r.conn->mss, 1000);
	rig_write(&r, 10);
	rig_sent(&r, .flags = PSH | ACK, .seq = 1, .ack = 1, .len = 10);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 11);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 0);
	rig_close(&r);
}

static void
longest_prefix_counts(void)
{
	const struct weir_tcp_key a = key_for("10.0.0.0", 96 + 8, "a");
	const struct weir_tcp_key b = key_for("10.1.0.0", 96 + 16, "b");
	struct weir_tcp_key c = key_for("10.0.0.0", 96 + 8, "c");
	const struct weir_addr x = key_for("10.1.2.3", 0, "").addr;
	const struct weir_addr y = key_for("10.2.2.3", 0, "").addr;
	struct weir_tcp_keys *set = NULL;

	CU_ASSERT_PTR_NULL(weir_tcp_md5_find(set, &x));
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &b), 0);
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &a), 0);
	CU_ASSERT_EQUAL(weir_tcp_md5_find(set, &x)->key[0], 'b');
	CU_ASSERT_EQUAL(weir_tcp_md5_find(set, &y)->key[0], 'a');
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &c), 0);
	CU_ASSERT_EQUAL(set->n, 2);
	CU_ASSERT_EQUAL(weir_tcp_md5_find(set, &y)->key[0], 'c');
	c.len = 0;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &c), 0);
	CU_ASSERT_PTR_NULL(weir_tcp_md5_find(set, &y));
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &c), -ENOENT);
	c = b;
	c.len = 0;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &c), 0);
	CU_ASSERT_PTR_NULL(set);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(everything_is_signed),
		UNIT(syn_has_no_timestamps),
		UNIT(syn_does_without_fast_open),
		UNIT(what_is_not_rightly_signed_ends_without_an_answer),
		UNIT(signature_without_a_key_is_unexpected),
		UNIT(listener_serves_those_with_a_key),
		UNIT(listener_resets_under_the_same_key),
		UNIT(time_wait_answers_under_its_key),
		UNIT(two_sack_blocks_fit_beside_a_signature),
		UNIT(key_can_go_while_connected),
		UNIT(longest_prefix_counts),
		{NULL, NULL},
	};

	return unit_main("tcp_md5", tests, true);
}
