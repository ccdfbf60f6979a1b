/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP-AO (RFC 5925): against the vectors of RFC 9235, and a peer whose MACs are made here. */
#include <errno.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "signed.h"

#include "tcp_priv.h"
#include "weir_cksum.h"

static struct rig r;

static const struct weir_tcp_key secret = {.prefix = 128,
	.len = 6,
	.key = "secret",
	.kind = WEIR_TCP_KEY_AO_SHA1,
	.send_id = 61,
	.recv_id = 84,
	.mac_len = 12};

/* RFC 9235: segments as they stand there, from the IPv4 header on. */

static const uint8_t sha1_syn[] = {0x45, 0xe0, 0x00, 0x4c, 0xdd, 0x0f, 0x40, 0x00, 0xff, 0x06, 0xbf,
	0x6b, 0x0a, 0x0b, 0x0c, 0x0d, 0xac, 0x1b, 0x1c, 0x1d, 0xe9, 0xd7, 0x00, 0xb3, 0xfb, 0xfb,
	0xab, 0x5a, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x02, 0xff, 0xff, 0xca, 0xc4, 0x00, 0x00, 0x02,
	0x04, 0x05, 0xb4, 0x01, 0x03, 0x03, 0x08, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x15, 0x5a, 0xb7,
	0x00, 0x00, 0x00, 0x00, 0x1d, 0x10, 0x3d, 0x54, 0x2e, 0xe4, 0x37, 0xc6, 0xf8, 0xed, 0xe6,
	0xd7, 0xc4, 0xd6, 0x02, 0xe7};
static const uint8_t sha1_traffic[] = {0x6d, 0x63, 0xef, 0x1b, 0x02, 0xfe, 0x15, 0x09, 0xd4, 0xb1,
	0x40, 0x27, 0x07, 0xfd, 0x7b, 0x04, 0x16, 0xab, 0xb7, 0x4f};
static const uint8_t aes_syn[] = {0x45, 0xe0, 0x00, 0x4c, 0x7b, 0x9f, 0x40, 0x00, 0xff, 0x06, 0x20,
	0xdc, 0x0a, 0x0b, 0x0c, 0x0d, 0xac, 0x1b, 0x1c, 0x1d, 0xc4, 0xfa, 0x00, 0xb3, 0x78, 0x7a,
	0x1d, 0xdf, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x02, 0xff, 0xff, 0x5a, 0x0f, 0x00, 0x00, 0x02,
	0x04, 0x05, 0xb4, 0x01, 0x03, 0x03, 0x08, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x01, 0x7e, 0xd0,
	0x00, 0x00, 0x00, 0x00, 0x1d, 0x10, 0x3d, 0x54, 0xe4, 0x77, 0xe9, 0x9c, 0x80, 0x40, 0x76,
	0x54, 0x98, 0xe5, 0x50, 0x91};
static const uint8_t aes_traffic[] = {0xf5, 0xb8, 0xb3, 0xd5, 0xf3, 0x4f, 0xdb, 0xb6, 0xeb, 0x8d,
	0x4a, 0xb9, 0x66, 0x0e, 0x60, 0xe3};

static struct weir_addr
addr4(const uint8_t *bytes)
{
	struct weir_be32 be;

	memcpy(&be, bytes, 4);
	return weir_addr_v4(be);
}

/* The MAC stands at the end of the header. */
static void
vector(const uint8_t *packet, enum weir_tcp_key_kind kind, const uint8_t *traffic)
{
	const struct weir_tcp_key key = {
		.kind = kind, .key = "testvector", .len = 10, .mac_len = 12};
	const struct weir_addr src = addr4(packet + 12), dst = addr4(packet + 16);
	const struct weir_tcp_hdr *hdr = (const struct weir_tcp_hdr *)(packet + 20);
	const struct weir_tcp_ao_ends x = {
		&src, &dst, hdr->sport, hdr->dport, weir_host32(hdr->seq), 0};
	struct rte_mbuf *m = rte_pktmbuf_alloc(r.input);
	struct weir_tcp_signed s = {.src = &src, .dst = &dst, .hdr = hdr, .m = m, .len = 56};
	struct weir_tcp_signer by = {.key = &key, .iss = weir_host32(hdr->seq)};
	uint8_t made[WEIR_TCP_TRAFFIC_MAX], opts[36];

	memcpy(rte_pktmbuf_append(m, 56), packet + 20, 56);
	CU_ASSERT(weir_tcp_ao_derive(&r.tcp, &key, &x, made));
	CU_ASSERT_EQUAL(memcmp(made, traffic, weir_tcp_traffic_len(&key)), 0);
	memcpy(opts, packet + 40, 36);
	memset(opts + 24, 0, 12);
	s.opts = opts;
	s.opts_len = 36;
	CU_ASSERT(weir_tcp_ao_sum(&r.tcp, &s, by.key, made, 0, made));
	CU_ASSERT_EQUAL(memcmp(made, packet + 64, 12), 0);
	rte_pktmbuf_free(m);
}

static void
vectors_of_rfc_9235(void)
{
	rig_open(&r, WEIR_TCP_SYN_SENT);
	weir_tcp_crypto_open(&r.tcp);
	vector(sha1_syn, WEIR_TCP_KEY_AO_SHA1, sha1_traffic);
	vector(aes_syn, WEIR_TCP_KEY_AO_AES128, aes_traffic);
	rig_close(&r);
}

/* The peer: HMAC-SHA-1 by itself. */

struct half {
	const struct weir_addr *src, *dst;
	uint16_t sport, dport;
	uint32_t src_isn, dst_isn;
};

static size_t
add32(uint8_t *p, uint32_t v)
{
	memcpy(p, (uint8_t[]){v >> 24, v >> 16, v >> 8, v}, 4);
	return 4;
}

static size_t
add_addrs(uint8_t *p, const struct half *h)
{
	const size_t skip = weir_addr_is_v4(h->src) ? 12 : 0;

	memcpy(p, h->src->b + skip, 16 - skip);
	memcpy(p + 16 - skip, h->dst->b + skip, 16 - skip);
	return 2 * (16 - skip);
}

/* MAC of the segment of len bytes at seg, whose option stands first. */
static void
mac_of(const uint8_t *seg, uint16_t len, const struct half *h, const char *master, uint32_t sne,
	uint8_t mac[20])
{
	uint8_t text[2048], traffic[20];
	size_t n = 0;

	text[n++] = 1;
	memcpy(text + n, "TCP-AO", 6);
	n += 6;
	n += add_addrs(text + n, h);
	n += add32(text + n, (uint32_t)h->sport << 16 | h->dport);
	n += add32(text + n, h->src_isn);
	n += add32(text + n, (seg[13] & (SYN | ACK)) == SYN ? 0 : h->dst_isn);
	memcpy(text + n, (uint8_t[]){0, 160}, 2);
	HMAC(EVP_sha1(), master, (int)strlen(master), text, n + 2, traffic, NULL);
	n = add32(text, sne);
	n += add_addrs(text + n, h);
	if (weir_addr_is_v4(h->src)) {
		n += add32(text + n, 6u << 16 | len);
	} else {
		n += add32(text + n, len);
		n += add32(text + n, 6);
	}
	memcpy(text + n, seg, len);
	memset(text + n + 16, 0, 2);
	memset(text + n + 24, 0, 12);
	HMAC(EVP_sha1(), traffic, 20, text, n + len, mac, NULL);
}

static uint16_t
ip_hlen(void)
{
	return r.setup.is_v6 ? 40 : 20;
}

struct sign {
	const char *master;	  /* NULL: "secret" */
	uint8_t key_id, rnext_id; /* 0: 84, 61 */
	uint32_t sne;
};

static struct half
peer_half(void)
{
	return (struct half){&r.flow.raddr, &r.flow.laddr, RIG_PEER, RIG_PORT, r.irs, r.iss};
}

static void
recv_as(const struct sign *by, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len)
{
	uint8_t raw[20] = {29, 16, by->key_id != 0 ? by->key_id : 84,
		by->rnext_id != 0 ? by->rnext_id : 61, [16] = 2, 4, 0x03, 0xe8};
	const struct half h = peer_half();
	struct weir_vec v = {.n = 0};
	uint8_t mac[20], *seg;
	struct rte_mbuf *m;
	uint16_t n;

	rig_queue(&r, &v, .flags = flags, .seq = seq, .ack = ack, .len = len, .raw = raw,
		.raw_len = flags & SYN ? 20 : 16);
	m = v.m[0];
	seg = rte_pktmbuf_mtod_offset(m, uint8_t *, ip_hlen());
	n = (uint16_t)(m->pkt_len - ip_hlen());
	mac_of(seg, n, &h, by->master != NULL ? by->master : "secret", by->sne, mac);
	memcpy(seg + 24, mac, 12);
	weir_pkt(m)->flags |= WEIR_PKT_L4_CKSUM_OK;
	rig_turn(&r, &v);
}

#define recv_signed(...) recv_as(&(struct sign){0}, __VA_ARGS__)

/* The oldest segment sent is this one, signed under key_id. */
static void
sent_by(const char *master, uint8_t key_id, uint8_t flags, uint32_t seq, uint16_t len)
{
	const struct half h = {&r.flow.laddr, &r.flow.raddr, RIG_PORT, RIG_PEER, r.iss, r.irs};
	struct rte_mbuf *m = rig_take(&r);
	uint8_t text[2048], mac[20];
	struct weir_tcp_seg seg;
	uint16_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	n = (uint16_t)(m->pkt_len - ip_hlen());
	memcpy(text, rte_pktmbuf_read(m, ip_hlen(), n, text), n);
	weir_tcp_parse(text, n, &seg);
	CU_ASSERT_EQUAL(seg.flags, flags);
	CU_ASSERT_EQUAL(seg.seq, r.iss + seq);
	CU_ASSERT_EQUAL(seg.len, len);
	CU_ASSERT_EQUAL(text[20], 29);
	CU_ASSERT_EQUAL(text[22], key_id);
	mac_of(text, n, &h, master, seg.seq < r.iss, mac);
	CU_ASSERT_EQUAL(memcmp(mac, text + 24, 12), 0);
	rte_pktmbuf_free(m);
}

static void
sent_signed(uint8_t flags, uint32_t seq, uint16_t len)
{
	sent_by("secret", 61, flags, seq, len);
}

/* A rig without a connection, and the key of its peer. */
static struct weir_tcp_keys *
open_rig(const struct rig_setup *setup)
{
	struct weir_tcp_keys *set = NULL;
	struct weir_tcp_key k = secret;

	signed_open(&r, setup);
	k.addr = r.flow.raddr;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &k), 0);
	return set;
}

static void
open_connection(const struct rig_setup *setup)
{
	signed_connect(&r, open_rig(setup));
	sent_signed(SYN, 0, 0);
	recv_signed(SYN | ACK, 0, 1, 0);
	sent_signed(ACK, 1, 0);
	CU_ASSERT_EQUAL_FATAL(r.conn->state, WEIR_TCP_ESTABLISHED);
}

static void
everything_is_signed(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		open_connection(&(struct rig_setup){.is_v6 = i});
		CU_ASSERT_EQUAL(r.conn->mss, 1000 - 16);
		rig_write(&r, 1200);
		sent_signed(ACK, 1, 984);
		sent_signed(ACK | PSH, 985, 216);
		recv_signed(ACK, 1, 1201, 100);
		CU_ASSERT_EQUAL(rig_read(&r), 100);
		sent_signed(ACK, 1201, 0);
		CU_ASSERT_EQUAL(r.conn->act->keys->ao.good, 2);
		signed_abort(&r);
		sent_signed(RST | ACK, 1201, 0);
		CU_ASSERT_EQUAL(r.tcp.n_auth, 0);
		rig_close(&r);
	}
}

static void
what_is_not_rightly_signed_ends_without_an_answer(void)
{
	open_connection(&(struct rig_setup){0});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
	rig_recv(&r, .flags = RST, .seq = 1);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_missing], 2);
	recv_as(&(struct sign){.master = "Secret"}, ACK, 1, 1, 10);
	recv_as(&(struct sign){.sne = 1}, ACK, 1, 1, 10);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_wrong], 2);
	recv_as(&(struct sign){.key_id = 61}, ACK, 1, 1, 10);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_no_key], 1);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.conn->act->keys->ao.missing, 2);
	CU_ASSERT_EQUAL(r.conn->act->keys->ao.bad, 2);
	CU_ASSERT_EQUAL(r.conn->act->keys->ao.no_key, 1);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_ESTABLISHED);
	recv_signed(RST, 1, 0, 0);
	CU_ASSERT_EQUAL(r.conn->state, WEIR_TCP_CLOSED);
	rig_close(&r);
}

/* RFC 5925 2.2: nor one of each kind. */
static void
two_signatures_are_none(void)
{
	static const uint8_t raw[36] = {29, 16, 84, 61, [16] = 1, 1, 19, 18};

	open_connection(&(struct rig_setup){0});
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .raw = raw, .raw_len = 36);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_missing], 1);
	rig_close(&r);
	rig_open(&r, WEIR_TCP_ESTABLISHED);
	recv_signed(ACK, 1, 1, 10);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_unexpected], 1);
	rig_close(&r);
}

static void
listener_serves_those_with_a_key(void)
{
	signed_listen(&r, open_rig(&(struct rig_setup){.is_passive = true}));
	rig_recv(&r, .flags = SYN, .seq = 0);
	rig_sent_nothing(&r);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_missing], 1);
	recv_signed(SYN, 0, 0, 0);
	sent_signed(SYN | ACK, 0, 0);
	rig_advance(&r, RIG_S);
	sent_signed(SYN | ACK, 0, 0);
	recv_signed(ACK, 1, 1, 0);
	CU_ASSERT_EQUAL(r.n_accept, 1);
	CU_ASSERT_EQUAL(r.conn->mss, 1000 - 16);
	rig_write(&r, 10);
	sent_signed(ACK | PSH, 1, 10);
	weir_tcp_unlisten(&r.tcp, &r.listener); /* the connection keeps its keys */
	recv_signed(ACK, 1, 11, 0);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 0);
	rig_close(&r);
}

/* What a RST would be signed with is not known. */
static void
listener_does_not_reset(void)
{
	signed_listen(&r, open_rig(&(struct rig_setup){.is_passive = true}));
	recv_signed(ACK, 1, 1, 0);
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_no_conn], 1);
	rig_sent_nothing(&r);
	weir_tcp_unlisten(&r.tcp, &r.listener);
	rig_close(&r);
}

static void
time_wait_answers_under_its_key(void)
{
	open_connection(&(struct rig_setup){0});
	signed_shutdown(&r);
	sent_signed(FIN | ACK, 1, 0);
	recv_signed(ACK, 1, 2, 0);
	recv_signed(FIN | ACK, 1, 2, 10);
	sent_signed(ACK, 2, 0);
	CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
	CU_ASSERT_EQUAL(rig_read(&r), 10);
	recv_signed(FIN | ACK, 1, 2, 0);
	sent_signed(ACK, 2, 0);
	recv_signed(SYN, 5, 0, 0); /* whose number makes its own traffic key */
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_wrong], 1);
	r.irs += 5;
	recv_signed(SYN, 0, 0, 0);
	r.irs -= 5;
	CU_ASSERT_EQUAL(r.core.fates[WEIR_FATE_drop_tcp_ao_wrong], 1);
	sent_signed(ACK, 2, 0);
	signed_wait_is_over(&r);
	rig_close(&r);
}

/* RFC 5925 6.2: an extension counts how often sequence numbers wrap. */
static void
sequence_numbers_are_extended(void)
{
	const struct weir_tcp_sne at = {.seq = 100, .wraps = 3};
	struct weir_tcp_sne follow = {.seq = -100u, .wraps = 0};

	CU_ASSERT_EQUAL(weir_tcp_sne_of(&at, 200), 3);
	CU_ASSERT_EQUAL(weir_tcp_sne_of(&at, -50u), 2);
	weir_tcp_sne_follow(&follow, 50);
	CU_ASSERT_EQUAL(follow.wraps, 1);
	weir_tcp_sne_follow(&follow, 20); /* no news */
	CU_ASSERT_EQUAL(follow.seq, 50);
	CU_ASSERT_EQUAL(weir_tcp_sne_of(&follow, -10u), 0);

	open_connection(&(struct rig_setup){.irs = -50u});
	recv_signed(ACK, 1, 1, 100);
	sent_signed(ACK, 1, 0);
	recv_as(&(struct sign){.sne = 1}, ACK, 101, 1, 100);
	sent_signed(ACK, 1, 0);
	recv_signed(ACK, 1, 1, 100); /* again: from before the wrap */
	sent_signed(ACK, 1, 0);
	CU_ASSERT_EQUAL(rig_read(&r), 200);
	CU_ASSERT_EQUAL(r.conn->act->keys->ao.bad, 0);
	rig_close(&r);
}

static int
update(const struct weir_tcp_keys_update *u)
{
	return weir_tcp_keys_update_conn(&r.tcp, r.conn, u);
}

/* RFC 5925 7.5: each side asks by its RNextKeyID for the key that the other one is to use. */
static void
keys_change_while_connected(void)
{
	struct weir_tcp_key next = secret;
	struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE, .key = &next};

	open_connection(&(struct rig_setup){0});
	next.addr = r.flow.raddr;
	CU_ASSERT_EQUAL(update(&u), -EEXIST);
	next.send_id = 7;
	next.recv_id = 8;
	memcpy(next.key, "sesame", 6);
	CU_ASSERT_EQUAL(update(&u), 0);
	rig_write(&r, 10);
	sent_signed(ACK | PSH, 1, 10);
	recv_as(&(struct sign){.rnext_id = 7}, ACK, 1, 11, 0);
	rig_write(&r, 10);
	sent_by("sesame", 7, ACK | PSH, 11, 10);
	recv_as(&(struct sign){.master = "sesame", .key_id = 8, .rnext_id = 7}, ACK, 1, 21, 0);
	CU_ASSERT_EQUAL(r.conn->act->out_segs, 0);
	next.len = 0;
	CU_ASSERT_EQUAL(update(&u), -EBUSY);
	u.current = 61;
	CU_ASSERT_EQUAL(update(&u), 0);
	CU_ASSERT_EQUAL(update(&u), -ENOENT);
	rig_write(&r, 10);
	sent_signed(ACK | PSH, 21, 10);
	rig_close(&r);
}

/* RFC 5925 7.8 */
static void
icmp_errors_are_not_heard(void)
{
	const struct weir_tcp_keys_update hear = {
		.current = -1, .rnext = -1, .is_required = -1, .takes_icmp = 1};

	open_connection(&(struct rig_setup){0});
	rig_write(&r, 984);
	sent_signed(ACK | PSH, 1, 984);
	rig_icmp(&r, 1, ECONNREFUSED, true, 0);
	rig_icmp(&r, 1, EMSGSIZE, false, 600);
	CU_ASSERT_EQUAL(r.conn->soft_error, 0);
	CU_ASSERT_EQUAL(r.conn->mss, 984);
	CU_ASSERT_EQUAL(r.conn->act->keys->ao.icmps, 2);
	CU_ASSERT_EQUAL(update(&hear), 0);
	rig_icmp(&r, 1, ECONNREFUSED, true, 0);
	CU_ASSERT_EQUAL(r.conn->soft_error, ECONNREFUSED);
	rig_close(&r);
}

static void
a_peer_has_keys_of_one_kind(void)
{
	struct weir_tcp_keys *set = NULL;
	struct weir_tcp_key md5 = {.prefix = 128, .len = 1, .key = "x"}, ao = secret;

	weir_addr_parse("10.0.0.1", &md5.addr);
	ao.addr = md5.addr;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &md5), 0);
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &ao), -EKEYREJECTED);
	md5.len = 0;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &md5), 0);
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &ao), 0);
	md5.len = 1;
	CU_ASSERT_EQUAL(weir_tcp_keys_change(&set, &md5), -EKEYREJECTED);
	weir_tcp_keys_free(set);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(vectors_of_rfc_9235),
		UNIT(everything_is_signed),
		UNIT(what_is_not_rightly_signed_ends_without_an_answer),
		UNIT(two_signatures_are_none),
		UNIT(listener_serves_those_with_a_key),
		UNIT(listener_does_not_reset),
		UNIT(time_wait_answers_under_its_key),
		UNIT(sequence_numbers_are_extended),
		UNIT(keys_change_while_connected),
		UNIT(icmp_errors_are_not_heard),
		UNIT(a_peer_has_keys_of_one_kind),
		{NULL, NULL},
	};

	return unit_main("tcp_ao", tests, true);
}
