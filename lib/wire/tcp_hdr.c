/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip_input -> tcp_hdr -> tcp_input; tcp_output -> tcp_hdr -> ip_output */
#include "weir_tcp_hdr.h"

enum { /* option kinds */
	KIND_EOL,
	KIND_NOP,
	KIND_MSS,
	KIND_WSCALE,
	KIND_SACK_OK,
	KIND_SACK,
	KIND_TS = 8,
	KIND_MD5 = WEIR_TCP_KIND_MD5,
	KIND_AO = WEIR_TCP_KIND_AO,
	KIND_FASTOPEN = 34,
	KIND_EXP = 254,
};

#define FASTOPEN_MAGIC 0xf989 /* of KIND_EXP */

static uint16_t
get16(const uint8_t *p)
{
	struct weir_be16 v;

	memcpy(&v, p, sizeof(v));
	return weir_host16(v);
}

static uint32_t
get32(const uint8_t *p)
{
	struct weir_be32 v;

	memcpy(&v, p, sizeof(v));
	return weir_host32(v);
}

static void
take_ts(const uint8_t *p, struct weir_tcp_seg *seg)
{
	seg->ts_val = get32(p);
	seg->ts_ecr = get32(p + 4);
	seg->opts |= WEIR_TCP_OPT_TS;
}

/* head bytes stand before the cookie. RFC 7413 4.1.1: none, or an even number from 4 to 16. */
static void
take_fastopen(uint8_t head, uint8_t len, uint8_t off, struct weir_tcp_seg *seg)
{
	const uint8_t n = (uint8_t)(len - head);

	if (!(seg->flags & WEIR_TCP_SYN) ||
		(n != 0 && (n < 4 || n > WEIR_TCP_FO_COOKIE_MAX || n % 2 != 0)))
		return;
	seg->fo_off = (uint8_t)(off + head);
	seg->fo_len = head == 2 ? n : n | WEIR_TCP_FO_EXP;
	seg->opts |= WEIR_TCP_OPT_FASTOPEN;
}

/* RFC 5925 2.2: of two signatures none counts. */
static void
take_auth(uint8_t off, struct weir_tcp_seg *seg)
{
	seg->auth_off = (seg->opts & WEIR_TCP_OPT_AUTH) ? 0 : (uint8_t)(off + 2);
	seg->opts |= WEIR_TCP_OPT_AUTH;
}

/* One option of len bytes, kind and length included; off is where it stands in the header. */
static void
take_option(const uint8_t *p, uint8_t len, uint8_t off, struct weir_tcp_seg *seg)
{
	switch (p[0]) {
	case KIND_MSS:
		if (len != 4 || get16(p + 2) == 0)
			return;
		seg->mss = get16(p + 2);
		seg->opts |= WEIR_TCP_OPT_MSS;
		return;
	case KIND_WSCALE:
		if (len != 3)
			return;
		seg->wscale = p[2] > WEIR_TCP_WSCALE_MAX ? WEIR_TCP_WSCALE_MAX : p[2];
		seg->opts |= WEIR_TCP_OPT_WSCALE;
		return;
	case KIND_SACK_OK:
		if (len == 2)
			seg->opts |= WEIR_TCP_OPT_SACK_OK;
		return;
	case KIND_TS:
		if (len == 10)
			take_ts(p + 2, seg);
		return;
	case KIND_SACK:
		if (len < 10 || (len - 2) % 8 != 0)
			return;
		seg->n_sack = (uint8_t)((len - 2) / 8);
		seg->sack_off = (uint8_t)(off + 2);
		seg->opts |= WEIR_TCP_OPT_SACK;
		return;
	case KIND_MD5:
		if (len == 18)
			take_auth(off, seg);
		return;
	case KIND_AO:
		if (len >= 4)
			take_auth(off, seg);
		return;
	case KIND_FASTOPEN:
		take_fastopen(2, len, off, seg);
		return;
	case KIND_EXP:
		if (len >= 4 && get16(p + 2) == FASTOPEN_MAGIC)
			take_fastopen(4, len, off, seg);
		return;
	default:
		return;
	}
}

static void
parse_options(const uint8_t *hdr, uint8_t hlen, struct weir_tcp_seg *seg)
{
	uint8_t off = WEIR_TCP_HLEN;

	while (off < hlen && hdr[off] != KIND_EOL) {
		uint8_t len = 1;

		if (hdr[off] != KIND_NOP) {
			if (off + 1 >= hlen)
				return;
			len = hdr[off + 1];
			if (len < 2 || len > hlen - off)
				return;
			take_option(hdr + off, len, off, seg);
		}
		off = (uint8_t)(off + len);
	}
}

const uint8_t *
weir_tcp_find_option(const uint8_t *hdr, uint8_t kind)
{
	const unsigned int hlen = (hdr[offsetof(struct weir_tcp_hdr, off)] >> 4) * 4u;
	unsigned int off = WEIR_TCP_HLEN;

	while (off + 1 < hlen && hdr[off] != KIND_EOL) {
		if (hdr[off] == KIND_NOP) {
			off++;
			continue;
		}
		if (hdr[off + 1] < 2 || hdr[off + 1] > hlen - off)
			return NULL;
		if (hdr[off] == kind)
			return hdr + off;
		off += hdr[off + 1];
	}
	return NULL;
}

unsigned int
weir_tcp_parse(const uint8_t *hdr, uint16_t len, struct weir_tcp_seg *seg)
{
	struct weir_tcp_hdr h;
	uint32_t word;
	uint8_t hlen;

	if (len < WEIR_TCP_HLEN)
		return 0;
	memcpy(&h, hdr, sizeof(h));
	hlen = (uint8_t)((h.off >> 4) * 4);
	if (hlen < WEIR_TCP_HLEN || hlen > len)
		return 0;
	*seg = (struct weir_tcp_seg){
		.seq = weir_host32(h.seq),
		.ack = weir_host32(h.ack),
		.wnd = weir_host16(h.wnd),
		.urg = weir_host16(h.urg),
		.len = (uint16_t)(len - hlen),
		.flags = h.flags,
	};
	if (hlen == WEIR_TCP_HLEN)
		return hlen;
	memcpy(&word, hdr + WEIR_TCP_HLEN, sizeof(word));
	if (hlen == WEIR_TCP_HLEN + WEIR_TCP_OPT_TS_LEN && word == WEIR_TCP_TS_ALIGNED)
		take_ts(hdr + WEIR_TCP_HLEN + 4, seg);
	else
		parse_options(hdr, hlen, seg);
	return hlen;
}

struct weir_tcp_sack
weir_tcp_sack_at(const uint8_t *hdr, const struct weir_tcp_seg *seg, unsigned int i)
{
	const uint8_t *p = hdr + seg->sack_off + 8 * i;

	return (struct weir_tcp_sack){get32(p), get32(p + 4)};
}

static uint8_t *
put32(uint8_t *p, uint32_t v)
{
	const struct weir_be32 be = weir_be32(v);

	memcpy(p, &be, sizeof(be));
	return p + sizeof(be);
}

/* Two bytes of padding, or "SACK permitted", stand before the timestamps. */
static uint8_t *
put_ts(uint8_t *p, const struct weir_tcp_hdr_info *h)
{
	const bool sack_ok = h->opts & WEIR_TCP_OPT_SACK_OK;

	*p++ = sack_ok ? KIND_SACK_OK : KIND_NOP;
	*p++ = sack_ok ? 2 : KIND_NOP;
	*p++ = KIND_TS;
	*p++ = 10;
	return put32(put32(p, h->ts_val), h->ts_ecr);
}

static uint8_t *
put_sack(uint8_t *p, const struct weir_tcp_hdr_info *h)
{
	*p++ = KIND_NOP;
	*p++ = KIND_NOP;
	*p++ = KIND_SACK;
	*p++ = (uint8_t)(2 + 8 * h->n_sack);
	for (unsigned int i = 0; i < h->n_sack; i++)
		p = put32(put32(p, h->sack[i].start), h->sack[i].end);
	return p;
}

static unsigned int
fastopen_len(const struct weir_tcp_fo *fo)
{
	return (fo->is_exp ? 4u : 2u) + fo->len;
}

static void
put_fastopen(uint8_t *p, const struct weir_tcp_fo *fo)
{
	const unsigned int len = fastopen_len(fo);

	*p++ = fo->is_exp ? KIND_EXP : KIND_FASTOPEN;
	*p++ = (uint8_t)len;
	if (fo->is_exp) {
		*p++ = FASTOPEN_MAGIC >> 8;
		*p++ = FASTOPEN_MAGIC & 0xff;
	}
	memcpy(p, fo->cookie, fo->len);
	for (unsigned int i = len; i % 4 != 0; i++)
		p[fo->len + i - len] = KIND_NOP;
}

static uint8_t *
put_auth(uint8_t *p, const struct weir_tcp_auth_opt *a)
{
	const uint16_t len = weir_tcp_auth_opt_len(a->mac_len);

	memset(p, KIND_NOP, len);
	if (a->mac_len == 0) {
		put32(p, KIND_NOP << 24 | KIND_NOP << 16 | KIND_MD5 << 8 | 18);
		memset(p + WEIR_TCP_OPT_AUTH_OFF, 0, 16);
		return p + len;
	}
	p[0] = KIND_AO;
	p[1] = (uint8_t)(WEIR_TCP_OPT_AUTH_OFF + a->mac_len);
	p[2] = a->key_id;
	p[3] = a->rnext_id;
	memset(p + WEIR_TCP_OPT_AUTH_OFF, 0, a->mac_len);
	return p + len;
}

static unsigned int
accecn_len(const struct weir_tcp_hdr_info *h)
{
	return RTE_ALIGN_CEIL(2 + 3u * h->n_ecn, 4u);
}

static uint8_t *
put_accecn(uint8_t *p, const struct weir_tcp_hdr_info *h)
{
	uint8_t *f = p + 2;

	memset(p, KIND_NOP, accecn_len(h));
	p[0] = WEIR_TCP_KIND_ACCECN1;
	p[1] = (uint8_t)(2 + 3 * h->n_ecn);
	for (unsigned int i = 0; i < h->n_ecn; i++) {
		*f++ = (uint8_t)(h->ecn_bytes[i] >> 16);
		*f++ = (uint8_t)(h->ecn_bytes[i] >> 8);
		*f++ = (uint8_t)h->ecn_bytes[i];
	}
	return p + accecn_len(h);
}

static void
put_options(uint8_t *p, const struct weir_tcp_hdr_info *h)
{
	if (h->opts & WEIR_TCP_OPT_AUTH)
		p = put_auth(p, h->auth);
	if (h->opts & WEIR_TCP_OPT_MSS)
		p = put32(p, KIND_MSS << 24 | 4 << 16 | (uint32_t)h->mss);
	if (h->opts & WEIR_TCP_OPT_TS)
		p = put_ts(p, h);
	else if (h->opts & WEIR_TCP_OPT_SACK_OK)
		p = put32(p, KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK_OK << 8 | 2);
	if (h->opts & WEIR_TCP_OPT_ACCECN)
		p = put_accecn(p, h);
	if (h->opts & WEIR_TCP_OPT_WSCALE)
		p = put32(p, KIND_NOP << 24 | KIND_WSCALE << 16 | 3 << 8 | (uint32_t)h->wscale);
	if (h->opts & WEIR_TCP_OPT_SACK)
		p = put_sack(p, h);
	if (h->opts & WEIR_TCP_OPT_FASTOPEN)
		put_fastopen(p, h->fo);
}

unsigned int
weir_tcp_build_len_any(const struct weir_tcp_hdr_info *h)
{
	unsigned int len = WEIR_TCP_HLEN;

	if (h->opts & WEIR_TCP_OPT_AUTH)
		len += weir_tcp_auth_opt_len(h->auth->mac_len);
	if (h->opts & WEIR_TCP_OPT_MSS)
		len += 4;
	if (h->opts & WEIR_TCP_OPT_TS)
		len += WEIR_TCP_OPT_TS_LEN;
	else if (h->opts & WEIR_TCP_OPT_SACK_OK)
		len += 4;
	if (h->opts & WEIR_TCP_OPT_WSCALE)
		len += 4;
	if (h->opts & WEIR_TCP_OPT_ACCECN)
		len += accecn_len(h);
	if (h->opts & WEIR_TCP_OPT_SACK)
		len += 4 + 8u * h->n_sack;
	if (h->opts & WEIR_TCP_OPT_FASTOPEN)
		len += RTE_ALIGN_CEIL(fastopen_len(h->fo), 4u);
	WEIR_ASSERT(len <= WEIR_TCP_HLEN_MAX);
	return len;
}

unsigned int
weir_tcp_build(uint8_t *hdr, const struct weir_tcp_hdr_info *h)
{
	const unsigned int len = weir_tcp_build_len(h);

	if (likely((h->opts & ~WEIR_TCP_OPT_TS) == 0))
		return weir_tcp_build_plain(hdr, h);
	weir_tcp_put_fixed(hdr, h, len);
	put_options(hdr + WEIR_TCP_HLEN, h);
	return len;
}
