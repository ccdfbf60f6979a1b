/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_input -> tcp_auth -> (the rest of tcp_input); tcp_segment, tcp_reply -> tcp_auth.
 * Signed segments (RFC 2385, RFC 5925): which key goes with a flow, what comes in without a right
 * signature ends here without an answer, what goes out gets its own.
 */
#include "tcp_priv.h"

#include <openssl/crypto.h>
#include <rte_malloc.h>

#include "weir_mbuf.h"

/* TIME_WAIT: a copy of the key for each record; the array is made when first needed. */

static bool
has_wait_keys(struct weir_tcp *t)
{
	if (t->wait_keys == NULL)
		t->wait_keys = rte_zmalloc("tcp_wait_keys",
			t->waits.capacity * sizeof(*t->wait_keys), RTE_CACHE_LINE_SIZE);
	return t->wait_keys != NULL;
}

void
weir_tcp_auth_wait(struct weir_tcp *t, const struct weir_tcp_wait *w, struct weir_tcp_conn *c)
{
	if (c->act->keys == NULL || !has_wait_keys(t))
		return;
	t->wait_keys[weir_slab_index(&t->waits, w)] =
		c->act->keys; /* c is over: its set moves on */
	c->act->keys = NULL;
}

void
weir_tcp_auth_wait_over(struct weir_tcp *t, const struct weir_tcp_wait *w)
{
	struct weir_tcp_keys **set = &t->wait_keys[weir_slab_index(&t->waits, w)];

	t->n_auth -= *set != NULL;
	weir_tcp_keys_free(*set);
	*set = NULL;
}

static struct weir_tcp_keys *
set_of_ref(const struct weir_tcp *t, const struct weir_pkt *p, uint32_t ref)
{
	const struct weir_tcp_listener *l;

	if (ref == WEIR_TCP_REF_NONE) {
		l = weir_tcp_find_listener(t, &p->flow, p->ifindex);
		return l != NULL ? l->keys : NULL;
	}
	if (weir_tcp_ref_is_conn(ref))
		return weir_tcp_conn_at(t, ref)->act->keys;
	if (weir_tcp_ref_is_req(ref))
		return weir_tcp_req_at(t, ref)->listener->keys;
	if (weir_tcp_ref_is_parked(ref))
		return NULL; /* with keys, nobody sleeps */
	return t->wait_keys != NULL ? t->wait_keys[ref & WEIR_TCP_REF_INDEX] : NULL;
}

static bool
has_ao(const struct weir_tcp_keys *set, const struct weir_addr *peer)
{
	return weir_tcp_ao_find(set, peer, WEIR_TCP_ANY_ID, WEIR_TCP_ANY_ID) != NULL;
}

/* Room in the header */

uint16_t
weir_tcp_auth_len(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_keys *set = c->act->keys;
	uint16_t len = 0;

	for (uint32_t i = 0; i < set->n; i++)
		if (set->keys[i].kind != WEIR_TCP_KEY_MD5)
			len = RTE_MAX(len, weir_tcp_auth_opt_len(set->keys[i].mac_len));
	return len != 0 ? len : WEIR_TCP_OPT_MD5_LEN;
}

unsigned int
weir_tcp_auth_sack_blocks(const struct weir_tcp_conn *c, unsigned int n)
{
	const unsigned int used = weir_tcp_auth_len(c) + (c->has_ts ? WEIR_TCP_OPT_TS_LEN : 0u) + 4;

	return RTE_MIN(n, (WEIR_TCP_HLEN_MAX - WEIR_TCP_HLEN - used) / 8);
}

bool
weir_tcp_auth_is_md5(const struct weir_tcp_conn *c)
{
	return c->has_auth && weir_tcp_md5_find(c->act->keys, &c->flow.raddr) != NULL;
}

/* What goes out. A worker builds one segment at a time: t->signer is its signer's. */

static bool
fill(struct weir_tcp *t, const struct weir_tcp_signer *by, uint8_t rnext_id,
	struct weir_tcp_hdr_info *h)
{
	t->signer = *by;
	if (by->key == NULL)
		return true;
	if (by->key->kind != WEIR_TCP_KEY_MD5)
		t->signer.opt =
			(struct weir_tcp_auth_opt){by->key->mac_len, by->key->send_id, rnext_id};
	h->auth = &t->signer.opt;
	h->opts |= WEIR_TCP_OPT_AUTH;
	return true;
}

/* By the keys of a connection, or of what is left of it. */
static bool
fill_by(struct weir_tcp *t, const struct weir_tcp_keys *set, const struct weir_flow *flow,
	struct weir_tcp_signer *by, struct weir_tcp_hdr_info *h)
{
	const struct weir_tcp_key *next = NULL;

	by->key = weir_tcp_md5_find(set, &flow->raddr);
	if (by->key == NULL) {
		by->key = weir_tcp_ao_current(set, &flow->raddr);
		next = weir_tcp_ao_rnext(set, &flow->raddr);
	}
	return fill(t, by, next != NULL ? next->recv_id : 0, h);
}

bool
weir_tcp_auth_fill_conn(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h)
{
	struct weir_tcp_keys *set = c->act->keys;
	struct weir_tcp_signer by = {.iss = c->iss, .irs = c->irs};

	if (set != NULL && c->state != WEIR_TCP_SYN_SENT && has_ao(set, &c->flow.raddr)) {
		weir_tcp_ao_settle(t, c);
		weir_tcp_sne_follow(&set->ao.out, c->snd.una);
		by.settled = set;
	}
	return fill_by(t, set, &c->flow, &by, h);
}

/* RFC 5925 7.3: by the key that the SYN asked for; without one there is no answer. */
bool
weir_tcp_auth_fill_req(
	struct weir_tcp *t, const struct weir_tcp_req *req, struct weir_tcp_hdr_info *h)
{
	const struct weir_tcp_keys *set = req->listener->keys;
	const struct weir_addr *peer = &req->flow.raddr;
	struct weir_tcp_signer by = {.iss = req->iss, .irs = req->irs};

	if (!has_ao(set, peer))
		return fill_by(t, set, &req->flow, &by, h);
	by.key = weir_tcp_ao_find(set, peer, req->ao_rnext_id, WEIR_TCP_ANY_ID);
	return by.key != NULL && fill(t, &by, req->ao_key_id, h);
}

bool
weir_tcp_auth_fill(struct weir_tcp *t, const struct weir_pkt *p, struct weir_tcp_hdr_info *h)
{
	const struct weir_flow *flow = &p->flow;
	const uint32_t ref = weir_tcp_lookup(t, flow, weir_tcp_hash(t, flow));
	struct weir_tcp_signer by = {0};

	if (ref == WEIR_TCP_REF_NONE) {
		const struct weir_tcp_keys *set = set_of_ref(t, p, ref);

		/* The numbers that traffic keys are made of are those of a connection. */
		return !has_ao(set, &flow->raddr) && fill_by(t, set, flow, &by, h);
	}
	if (weir_tcp_ref_is_conn(ref))
		return weir_tcp_auth_fill_conn(t, weir_tcp_conn_at(t, ref), h);
	if (weir_tcp_ref_is_req(ref))
		return weir_tcp_auth_fill_req(t, weir_tcp_req_at(t, ref), h);
	by.settled = set_of_ref(t, p, ref);
	return fill_by(t, by.settled, flow, &by, h);
}

void
weir_tcp_auth_sign(struct weir_tcp *t, struct rte_mbuf *m, const struct weir_ip_hdr_info *ip,
	const struct weir_tcp_hdr_info *h)
{
	const void *const at = (const char *)h->auth - offsetof(struct weir_tcp_signer, opt);
	const struct weir_tcp_signer *by = at;
	const struct weir_tcp_hdr *hdr = rte_pktmbuf_mtod(m, const struct weir_tcp_hdr *);
	struct weir_tcp_signed s = {
		.src = ip->src, .dst = ip->dst, .hdr = hdr, .m = m, .len = m->pkt_len};
	uint8_t *to = rte_pktmbuf_mtod_offset(m, uint8_t *, WEIR_TCP_HLEN + WEIR_TCP_OPT_AUTH_OFF);

	if (h->auth->mac_len != 0)
		t->stats.ao_signed += weir_tcp_ao_sign(t, &s, by, to);
	else
		t->stats.md5_signed += weir_tcp_md5_sum(t, &s, by->key, to);
}

/* What comes in */

/* The option: its kind, and its length; 0: there is none, or two. */
static uint8_t
option_of(const struct weir_tcp_rx *rx, uint8_t *len)
{
	uint8_t head[2] = {0, 0};

	if (rx->seg.auth_off != 0)
		weir_mbuf_read(rx->m, weir_pkt(rx->m)->l4_off + rx->seg.auth_off - 2u, 2, head);
	*len = head[1];
	return head[0];
}

static bool
is_md5_right(struct weir_tcp *t, const struct weir_tcp_rx *rx, const struct weir_tcp_key *key)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	uint8_t got[WEIR_TCP_MD5_LEN], want[WEIR_TCP_MD5_LEN];
	struct weir_tcp_hdr hdr;
	const struct weir_tcp_signed s = {.src = &p->flow.raddr,
		.dst = &p->flow.laddr,
		.hdr = &hdr,
		.m = rx->m,
		.off = p->l4_off,
		.len = p->l4_len};

	weir_mbuf_read(rx->m, p->l4_off, sizeof(hdr), &hdr);
	weir_mbuf_read(rx->m, p->l4_off + (uint32_t)rx->seg.auth_off, sizeof(got), got);
	return weir_tcp_md5_sum(t, &s, key, want) && CRYPTO_memcmp(got, want, sizeof(got)) == 0;
}

/* The initial sequence numbers that the segment's MAC is made with. */
static struct weir_tcp_signer
signer_of(struct weir_tcp *t, const struct weir_tcp_rx *rx, uint32_t ref)
{
	const struct weir_tcp_seg *seg = &rx->seg;
	struct weir_tcp_conn *c;

	if (ref == WEIR_TCP_REF_NONE) /* of a listener: the first segment, or the second one */
		return (struct weir_tcp_signer){
			.iss = seg->ack - 1, .irs = seg->seq - !(seg->flags & WEIR_TCP_SYN)};
	if (weir_tcp_ref_is_req(ref))
		return (struct weir_tcp_signer){
			.iss = weir_tcp_req_at(t, ref)->iss, .irs = weir_tcp_req_at(t, ref)->irs};
	if (weir_tcp_ref_is_wait(ref))
		return (struct weir_tcp_signer){.settled = t->wait_keys[ref & WEIR_TCP_REF_INDEX]};
	c = weir_tcp_conn_at(t, ref);
	if (c->state == WEIR_TCP_SYN_SENT)
		return (struct weir_tcp_signer){.iss = c->iss, .irs = seg->seq};
	weir_tcp_ao_settle(t, c);
	weir_tcp_sne_follow(&c->act->keys->ao.in, c->rcv.nxt);
	return (struct weir_tcp_signer){.settled = c->act->keys};
}

static enum weir_fate
check_ao(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t ref, struct weir_tcp_keys *set)
{
	struct weir_tcp_signer by = signer_of(t, rx, ref);
	uint8_t len;

	if (option_of(rx, &len) != WEIR_TCP_KIND_AO)
		len = 0;
	return weir_tcp_ao_check(t, rx, set, &by, len);
}

static enum weir_fate
check_md5(struct weir_tcp *t, struct weir_tcp_rx *rx, const struct weir_tcp_key *key)
{
	uint8_t len;

	if (option_of(rx, &len) != WEIR_TCP_KIND_MD5)
		return WEIR_FATE_drop_tcp_md5_missing;
	return is_md5_right(t, rx, key) ? WEIR_FATE_tcp_taken : WEIR_FATE_drop_tcp_md5_wrong;
}

/* There is no key for the peer. */
static enum weir_fate
check_none(struct weir_tcp_rx *rx, struct weir_tcp_keys *set)
{
	uint8_t len;

	if (rx->seg.opts & WEIR_TCP_OPT_AUTH)
		return option_of(rx, &len) == WEIR_TCP_KIND_AO ? WEIR_FATE_drop_tcp_ao_unexpected
							       : WEIR_FATE_drop_tcp_md5_unexpected;
	if (set == NULL || !set->ao.is_required)
		return WEIR_FATE_tcp_taken;
	set->ao.missing++;
	return WEIR_FATE_drop_tcp_ao_missing;
}

enum weir_tcp_verdict
weir_tcp_auth_input(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t ref)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	const struct weir_flow *flow = &p->flow;
	struct weir_tcp_keys *set = set_of_ref(t, p, ref);
	const struct weir_tcp_key *md5 = weir_tcp_md5_find(set, &flow->raddr);
	enum weir_fate fate;

	if (md5 != NULL)
		fate = check_md5(t, rx, md5);
	else if (has_ao(set, &flow->raddr))
		fate = check_ao(t, rx, ref, set);
	else
		fate = check_none(rx, set);
	if (fate != WEIR_FATE_tcp_taken)
		return weir_tcp_done(rx, fate);
	rx->seg.opts &= (uint8_t)~WEIR_TCP_OPT_AUTH; /* the rest need not know */
	return SEG_GOES_ON;
}
