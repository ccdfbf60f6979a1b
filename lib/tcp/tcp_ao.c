/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP-AO (RFC 5925): traffic keys, sequence number extensions, and which key goes with a segment.
 * The traffic keys of a connection are made once, when both initial sequence numbers are known; a
 * SYN, and what has no connection yet, has its own made on the spot.
 */
#include "tcp_priv.h"

#include <openssl/crypto.h>

#include "weir_mbuf.h"

#define LABEL	 "TCP-AO"
#define OPT_HEAD 4 /* kind, length, KeyID, RNextKeyID */

/* Traffic keys */

size_t
weir_tcp_traffic_len(const struct weir_tcp_key *key)
{
	return key->kind == WEIR_TCP_KEY_AO_SHA1 ? 20 : 16;
}

static uint8_t *
put(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

/* RFC 5925 5.2, RFC 5926 3.1.1: counter, label, context, length in bits. @return bytes */
static size_t
kdf_input(const struct weir_tcp_key *key, const struct weir_tcp_ao_ends *x, uint8_t *text)
{
	const size_t skip = weir_addr_is_v4(x->src) ? 12 : 0;
	const struct weir_be32 isns[2] = {weir_be32(x->src_isn), weir_be32(x->dst_isn)};
	const struct weir_be16 bits = weir_be16((uint16_t)(8 * weir_tcp_traffic_len(key)));
	uint8_t *p = text;

	*p++ = 1;
	p = put(p, LABEL, strlen(LABEL));
	p = put(p, x->src->b + skip, 16 - skip);
	p = put(p, x->dst->b + skip, 16 - skip);
	p = put(p, &x->sport, sizeof(x->sport));
	p = put(p, &x->dport, sizeof(x->dport));
	p = put(p, isns, sizeof(isns));
	p = put(p, &bits, sizeof(bits));
	return (size_t)(p - text);
}

bool
weir_tcp_ao_derive(struct weir_tcp *t, const struct weir_tcp_key *key,
	const struct weir_tcp_ao_ends *x, uint8_t traffic[WEIR_TCP_TRAFFIC_MAX])
{
	static const uint8_t zero[16];
	uint8_t text[64], folded[WEIR_TCP_TRAFFIC_MAX];
	const size_t n = kdf_input(key, x, text);

	if (key->kind == WEIR_TCP_KEY_AO_SHA1 || key->len == sizeof(zero))
		return weir_tcp_mac(t, key->kind, key->key, key->len, text, n, traffic);
	/* RFC 5926 3.1.1.2: a master key of another length than AES wants */
	return weir_tcp_mac(t, key->kind, zero, sizeof(zero), key->key, key->len, folded) &&
	       weir_tcp_mac(t, key->kind, folded, sizeof(zero), text, n, traffic);
}

static void
settle_key(struct weir_tcp *t, const struct weir_tcp_conn *c, struct weir_tcp_key *key)
{
	const struct weir_flow *f = &c->flow;
	const struct weir_tcp_ao_ends out = {
		&f->laddr, &f->raddr, f->lport, f->rport, c->iss, c->irs};
	const struct weir_tcp_ao_ends in = {
		&f->raddr, &f->laddr, f->rport, f->lport, c->irs, c->iss};

	if (key->kind == WEIR_TCP_KEY_MD5)
		return;
	weir_tcp_ao_derive(t, key, &out, key->traffic_out);
	weir_tcp_ao_derive(t, key, &in, key->traffic_in);
}

void
weir_tcp_ao_settle(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_keys *set = c->act->keys;

	if (set->ao.is_settled)
		return;
	for (uint32_t i = 0; i < set->n; i++)
		settle_key(t, c, &set->keys[i]);
	set->ao.is_settled = true;
	if (set->ao.has_sne)
		return;
	set->ao.in = (struct weir_tcp_sne){c->irs, 0};
	set->ao.out = (struct weir_tcp_sne){c->iss, 0};
	set->ao.has_sne = true;
}

/* RFC 5925 6.2: sequence number extensions */

uint32_t
weir_tcp_sne_of(const struct weir_tcp_sne *at, uint32_t seq)
{
	if (weir_seq_lt(seq, at->seq))
		return at->wraps - (seq > at->seq);
	return at->wraps + (seq < at->seq);
}

void
weir_tcp_sne_follow(struct weir_tcp_sne *at, uint32_t seq)
{
	if (!weir_seq_gt(seq, at->seq))
		return;
	at->wraps = weir_tcp_sne_of(at, seq);
	at->seq = seq;
}

/* Which keys go with what c sends */

static const struct weir_tcp_key *
chosen(const struct weir_tcp_keys *set, const struct weir_addr *peer, int send_id, int recv_id)
{
	const struct weir_tcp_key *k = weir_tcp_ao_find(set, peer, send_id, recv_id);

	return k != NULL ? k : weir_tcp_ao_find(set, peer, WEIR_TCP_ANY_ID, WEIR_TCP_ANY_ID);
}

const struct weir_tcp_key *
weir_tcp_ao_current(const struct weir_tcp_keys *set, const struct weir_addr *peer)
{
	return set == NULL ? NULL : chosen(set, peer, set->ao.current, WEIR_TCP_ANY_ID);
}

const struct weir_tcp_key *
weir_tcp_ao_rnext(const struct weir_tcp_keys *set, const struct weir_addr *peer)
{
	return set == NULL ? NULL : chosen(set, peer, WEIR_TCP_ANY_ID, set->ao.rnext);
}

/* RFC 5925 7.5, 2 i: the peer wants another key to be used, and there is one. */
static void
follow_peer(struct weir_tcp_keys *set, const struct weir_addr *peer, uint8_t wanted)
{
	const struct weir_tcp_key *k = weir_tcp_ao_find(set, peer, wanted, WEIR_TCP_ANY_ID);

	if (k != NULL)
		set->ao.current = k->send_id;
}

/* MACs */

/* The options that are signed, with the MAC, which is at mac_off, as 0. @return bytes */
static uint32_t
signed_options(const struct weir_tcp_key *key, uint8_t *opts, uint32_t len, uint32_t mac_off)
{
	memset(opts + mac_off, 0, key->mac_len);
	if (!key->is_without_opts)
		return len;
	memmove(opts, opts + mac_off - OPT_HEAD, (size_t)OPT_HEAD + key->mac_len);
	return OPT_HEAD + (uint32_t)key->mac_len;
}

/* The whole MAC of s. A SYN says itself where it begins, and the answer's number is not known yet.
 */
static bool
sum(struct weir_tcp *t, struct weir_tcp_signed *s, const struct weir_tcp_keys *settled, bool is_in,
	const struct weir_tcp_key *key, uint32_t src_isn, uint32_t dst_isn,
	uint8_t mac[WEIR_TCP_TRAFFIC_MAX])
{
	const bool is_first = (s->hdr->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK)) == WEIR_TCP_SYN;
	const uint32_t seq = weir_host32(s->hdr->seq);
	const struct weir_tcp_sne at = {is_first ? seq : src_isn, 0};
	const struct weir_tcp_ao_ends x = {
		s->src, s->dst, s->hdr->sport, s->hdr->dport, at.seq, is_first ? 0 : dst_isn};
	uint8_t made[WEIR_TCP_TRAFFIC_MAX];

	if (settled != NULL && !is_first)
		return weir_tcp_ao_sum(t, s, key, is_in ? key->traffic_in : key->traffic_out,
			weir_tcp_sne_of(is_in ? &settled->ao.in : &settled->ao.out, seq), mac);
	return weir_tcp_ao_derive(t, key, &x, made) &&
	       weir_tcp_ao_sum(t, s, key, made, weir_tcp_sne_of(&at, seq), mac);
}

bool
weir_tcp_ao_sign(struct weir_tcp *t, struct weir_tcp_signed *s, const struct weir_tcp_signer *by,
	uint8_t *to)
{
	uint8_t opts[WEIR_TCP_HLEN_MAX - WEIR_TCP_HLEN], mac[WEIR_TCP_TRAFFIC_MAX];
	const uint32_t len = (uint32_t)(s->hdr->off >> 4) * 4 - WEIR_TCP_HLEN;

	memcpy(opts, s->hdr + 1, len);
	s->opts = opts;
	s->opts_len = signed_options(by->key, opts, len, WEIR_TCP_OPT_AUTH_OFF);
	if (!sum(t, s, by->settled, false, by->key, by->iss, by->irs, mac))
		return false;
	memcpy(to, mac, by->key->mac_len);
	return true;
}

static bool
is_right(struct weir_tcp *t, const struct weir_tcp_rx *rx, const struct weir_tcp_signer *by)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	uint8_t head[WEIR_TCP_HLEN_MAX], want[WEIR_TCP_TRAFFIC_MAX], got[WEIR_TCP_TRAFFIC_MAX];
	const uint32_t hlen = (uint32_t)(p->l4_len - rx->seg.len);
	const uint32_t mac_at = (uint32_t)rx->seg.auth_off + 2;
	struct weir_tcp_hdr hdr;
	struct weir_tcp_signed s = {.src = &p->flow.raddr,
		.dst = &p->flow.laddr,
		.hdr = &hdr,
		.m = rx->m,
		.off = p->l4_off,
		.len = p->l4_len,
		.opts = head + WEIR_TCP_HLEN};

	weir_mbuf_read(rx->m, p->l4_off, hlen, head);
	memcpy(&hdr, head, sizeof(hdr));
	memcpy(got, head + mac_at, by->key->mac_len);
	s.opts_len = signed_options(
		by->key, head + WEIR_TCP_HLEN, hlen - WEIR_TCP_HLEN, mac_at - WEIR_TCP_HLEN);
	return sum(t, &s, by->settled, true, by->key, by->irs, by->iss, want) &&
	       CRYPTO_memcmp(got, want, by->key->mac_len) == 0;
}

void
weir_tcp_ao_ids(const struct weir_tcp_rx *rx, uint8_t *key_id, uint8_t *rnext_id)
{
	uint8_t ids[2];

	weir_mbuf_read(rx->m, weir_pkt(rx->m)->l4_off + (uint32_t)rx->seg.auth_off, 2, ids);
	*key_id = ids[0];
	*rnext_id = ids[1];
}

enum weir_fate
weir_tcp_ao_check(struct weir_tcp *t, const struct weir_tcp_rx *rx, struct weir_tcp_keys *set,
	struct weir_tcp_signer *by, uint8_t len)
{
	const struct weir_addr *peer = &weir_pkt(rx->m)->flow.raddr;
	uint8_t key_id, rnext_id;

	if (len == 0) {
		set->ao.missing++;
		return WEIR_FATE_drop_tcp_ao_missing;
	}
	weir_tcp_ao_ids(rx, &key_id, &rnext_id);
	by->key = weir_tcp_ao_find(set, peer, WEIR_TCP_ANY_ID, key_id);
	if (by->key == NULL || len != OPT_HEAD + by->key->mac_len) {
		set->ao.no_key++;
		return WEIR_FATE_drop_tcp_ao_no_key;
	}
	if (!is_right(t, rx, by)) {
		set->ao.bad++;
		return WEIR_FATE_drop_tcp_ao_wrong;
	}
	set->ao.good++;
	if (by->settled != NULL)
		follow_peer(set, peer, rnext_id);
	return WEIR_FATE_tcp_taken;
}
