/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_input -> tcp_auth -> (the rest of tcp_input); tcp_segment, tcp_reply -> tcp_auth.
 * Signed segments (RFC 2385): which key goes with a flow, what comes in without a right signature
 * ends here without an answer, what goes out gets its own.
 */
#include "tcp_priv.h"

#include <openssl/crypto.h>
#include <rte_malloc.h>

#include "weir_mbuf.h"

/* TIME_WAIT: a copy of the key for each record; the array is made when first needed. */

static bool
has_wait_keys(struct weir_tcp *t)
{
	if (t->wait_md5 == NULL)
		t->wait_md5 = rte_zmalloc("tcp_wait_md5", t->waits.capacity * sizeof(*t->wait_md5),
			RTE_CACHE_LINE_SIZE);
	return t->wait_md5 != NULL;
}

void
weir_tcp_auth_wait(struct weir_tcp *t, const struct weir_tcp_wait *w, struct weir_tcp_conn *c)
{
	if (c->act->md5 == NULL || !has_wait_keys(t))
		return;
	t->wait_md5[weir_slab_index(&t->waits, w)] = c->act->md5; /* c is over: its set moves on */
	c->act->md5 = NULL;
}

void
weir_tcp_auth_wait_over(struct weir_tcp *t, const struct weir_tcp_wait *w)
{
	struct weir_tcp_md5 **set = &t->wait_md5[weir_slab_index(&t->waits, w)];

	t->n_auth -= *set != NULL;
	weir_tcp_md5_free(*set);
	*set = NULL;
}

static const struct weir_tcp_md5 *
set_of_ref(const struct weir_tcp *t, const struct weir_flow *flow, uint32_t ref)
{
	const struct weir_tcp_listener *l;

	if (ref == WEIR_TCP_REF_NONE) {
		l = weir_tcp_find_listener(t, flow);
		return l != NULL ? l->md5 : NULL;
	}
	if (weir_tcp_ref_is_conn(ref)) {
		const struct weir_tcp_act *act = weir_tcp_conn_at(t, ref)->act;

		return act != NULL ? act->md5 : NULL; /* with keys, nobody is parked */
	}
	if (weir_tcp_ref_is_req(ref))
		return weir_tcp_req_at(t, ref)->listener->md5;
	return t->wait_md5 != NULL ? t->wait_md5[ref & WEIR_TCP_REF_INDEX] : NULL;
}

void
weir_tcp_auth_fill(
	const struct weir_tcp *t, const struct weir_flow *flow, struct weir_tcp_hdr_info *h)
{
	const uint32_t ref = weir_tcp_lookup(t, flow, weir_tcp_hash(t, flow));

	weir_tcp_auth_fill_from(set_of_ref(t, flow, ref), flow, h);
}

void
weir_tcp_auth_fill_from(
	const struct weir_tcp_md5 *set, const struct weir_flow *flow, struct weir_tcp_hdr_info *h)
{
	h->md5 = weir_tcp_md5_find(set, &flow->raddr);
	if (h->md5 != NULL)
		h->opts |= WEIR_TCP_OPT_MD5;
}

void
weir_tcp_auth_sign(struct weir_tcp *t, struct rte_mbuf *m, const struct weir_ip_hdr_info *ip,
	const struct weir_tcp_hdr_info *h)
{
	const struct weir_tcp_hdr *hdr = rte_pktmbuf_mtod(m, const struct weir_tcp_hdr *);
	const struct weir_tcp_md5_segment s = {
		.src = ip->src, .dst = ip->dst, .hdr = hdr, .m = m, .len = m->pkt_len};
	uint8_t *sum = rte_pktmbuf_mtod_offset(m, uint8_t *, WEIR_TCP_HLEN + WEIR_TCP_OPT_MD5_OFF);

	if (weir_tcp_md5_sum(t, &s, h->md5, sum))
		t->stats.md5_signed++;
}

static bool
is_right(struct weir_tcp *t, const struct weir_tcp_rx *rx, const struct weir_tcp_md5_key *key)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	uint8_t got[WEIR_TCP_MD5_LEN], want[WEIR_TCP_MD5_LEN];
	struct weir_tcp_hdr hdr;
	const struct weir_tcp_md5_segment s = {.src = &p->flow.raddr,
		.dst = &p->flow.laddr,
		.hdr = &hdr,
		.m = rx->m,
		.off = p->l4_off,
		.len = p->l4_len};

	weir_mbuf_read(rx->m, p->l4_off, sizeof(hdr), &hdr);
	weir_mbuf_read(rx->m, p->l4_off + (uint32_t)rx->seg.auth_off, sizeof(got), got);
	return weir_tcp_md5_sum(t, &s, key, want) && CRYPTO_memcmp(got, want, sizeof(got)) == 0;
}

enum weir_tcp_verdict
weir_tcp_auth_input(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t ref)
{
	const struct weir_flow *flow = &weir_pkt(rx->m)->flow;
	const bool is_signed = rx->seg.opts & WEIR_TCP_OPT_MD5;
	const struct weir_tcp_md5_key *key =
		weir_tcp_md5_find(set_of_ref(t, flow, ref), &flow->raddr);

	if (key == NULL && is_signed)
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_md5_unexpected);
	if (key != NULL && !is_signed)
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_md5_missing);
	if (key != NULL && !is_right(t, rx, key))
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_md5_wrong);
	rx->seg.opts &= (uint8_t)~WEIR_TCP_OPT_MD5; /* the rest need not know */
	return SEG_GOES_ON;
}
