/* SPDX-License-Identifier: BSD-3-Clause */
/* What libcrypto does for signatures: MD5 of a segment (RFC 2385 2), MACs (RFC 5926). */
#include "tcp_priv.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <rte_malloc.h>

/* Made once for a worker, with its first key. */

static EVP_MD_CTX *
new_md5(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1)
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

static EVP_MAC_CTX *
new_mac(const char *name, const char *param, char *algorithm)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(param, algorithm, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac); /* the context has a reference of its own */
	if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

static EVP_MAC_CTX *
new_mac_of(enum weir_tcp_key_kind kind)
{
	char sha1[] = "SHA1", aes[] = "AES-128-CBC";

	return kind == WEIR_TCP_KEY_AO_SHA1 ? new_mac("HMAC", OSSL_MAC_PARAM_DIGEST, sha1)
					    : new_mac("CMAC", OSSL_MAC_PARAM_CIPHER, aes);
}

void
weir_tcp_crypto_open(struct weir_tcp *t)
{
	if (t->md5_ctx == NULL)
		t->md5_ctx = new_md5();
	for (unsigned int i = 0; i < RTE_DIM(t->mac_ctx); i++)
		if (t->mac_ctx[i] == NULL)
			t->mac_ctx[i] = new_mac_of(WEIR_TCP_KEY_AO_SHA1 + i);
}

void
weir_tcp_crypto_close(struct weir_tcp *t)
{
	EVP_MD_CTX_free(t->md5_ctx);
	for (unsigned int i = 0; i < RTE_DIM(t->mac_ctx); i++)
		EVP_MAC_CTX_free(t->mac_ctx[i]);
	rte_free(t->wait_keys);
}

int
weir_tcp_keys_check(enum weir_tcp_key_kind kind)
{
	EVP_MD_CTX *md = kind == WEIR_TCP_KEY_MD5 ? new_md5() : NULL;
	EVP_MAC_CTX *mac = kind == WEIR_TCP_KEY_MD5 ? NULL : new_mac_of(kind);
	const int rc = md != NULL || mac != NULL ? 0 : -EOPNOTSUPP;

	EVP_MD_CTX_free(md);
	EVP_MAC_CTX_free(mac);
	return rc;
}

/* Both kinds begin with the same bytes. */

typedef int add_fn(void *ctx, const void *bytes, size_t n);

static int
add_to_md5(void *ctx, const void *bytes, size_t n)
{
	return EVP_DigestUpdate(ctx, bytes, n);
}

static int
add_to_mac(void *ctx, const void *bytes, size_t n)
{
	return EVP_MAC_update(ctx, bytes, n);
}

static void
add_pseudo_header(add_fn *add, void *ctx, const struct weir_tcp_signed *s)
{
	const bool is_v4 = weir_addr_is_v4(s->src);
	const size_t skip = is_v4 ? 12 : 0;
	const struct weir_be32 len32 = weir_be32(s->len);
	const struct weir_be32 proto32 = weir_be32(IPPROTO_TCP);
	const uint8_t v4[4] = {0, IPPROTO_TCP, (uint8_t)(s->len >> 8), (uint8_t)s->len};

	add(ctx, s->src->b + skip, 16 - skip);
	add(ctx, s->dst->b + skip, 16 - skip);
	if (is_v4) {
		add(ctx, v4, sizeof(v4));
		return;
	}
	add(ctx, &len32, sizeof(len32));
	add(ctx, &proto32, sizeof(proto32));
}

static void
add_header(add_fn *add, void *ctx, const struct weir_tcp_signed *s)
{
	struct weir_tcp_hdr hdr = *s->hdr;

	hdr.cksum = 0;
	add(ctx, &hdr, sizeof(hdr));
}

/* What follows the header. */
static void
add_text(add_fn *add, void *ctx, const struct weir_tcp_signed *s)
{
	const uint32_t hlen = (uint32_t)(s->hdr->off >> 4) * 4;
	uint32_t off = s->off + hlen, len = s->len - hlen;

	for (const struct rte_mbuf *m = s->m; m != NULL && len > 0; m = m->next) {
		const uint32_t skip = RTE_MIN(off, (uint32_t)m->data_len);
		const uint32_t part = RTE_MIN(m->data_len - skip, len);

		add(ctx, rte_pktmbuf_mtod_offset(m, const uint8_t *, skip), part);
		off -= skip;
		len -= part;
	}
}

/* RFC 2385 2: pseudo-header, header without options and checksum, text, key. */
bool
weir_tcp_md5_sum(struct weir_tcp *t, const struct weir_tcp_signed *s,
	const struct weir_tcp_key *key, uint8_t sum[WEIR_TCP_MD5_LEN])
{
	EVP_MD_CTX *ctx = t->md5_ctx;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, NULL, NULL) != 1)
		return false;
	add_pseudo_header(add_to_md5, ctx, s);
	add_header(add_to_md5, ctx, s);
	add_text(add_to_md5, ctx, s);
	EVP_DigestUpdate(ctx, key->key, key->len);
	return EVP_DigestFinal_ex(ctx, sum, NULL) == 1;
}

bool
weir_tcp_mac(struct weir_tcp *t, enum weir_tcp_key_kind kind, const uint8_t *key, size_t key_len,
	const void *bytes, size_t n, uint8_t mac[WEIR_TCP_TRAFFIC_MAX])
{
	EVP_MAC_CTX *ctx = t->mac_ctx[kind - WEIR_TCP_KEY_AO_SHA1];
	size_t len;

	return ctx != NULL && EVP_MAC_init(ctx, key, key_len, NULL) == 1 &&
	       EVP_MAC_update(ctx, bytes, n) == 1 &&
	       EVP_MAC_final(ctx, mac, &len, WEIR_TCP_TRAFFIC_MAX) == 1;
}

/* RFC 5925 5.1: SNE, pseudo-header, header and options with the MAC as 0, text. */
bool
weir_tcp_ao_sum(struct weir_tcp *t, const struct weir_tcp_signed *s, const struct weir_tcp_key *key,
	const uint8_t *traffic, uint32_t sne, uint8_t mac[WEIR_TCP_TRAFFIC_MAX])
{
	EVP_MAC_CTX *ctx = t->mac_ctx[key->kind - WEIR_TCP_KEY_AO_SHA1];
	const struct weir_be32 high = weir_be32(sne);
	size_t len;

	if (ctx == NULL || EVP_MAC_init(ctx, traffic, weir_tcp_traffic_len(key), NULL) != 1)
		return false;
	add_to_mac(ctx, &high, sizeof(high));
	add_pseudo_header(add_to_mac, ctx, s);
	add_header(add_to_mac, ctx, s);
	add_to_mac(ctx, s->opts, s->opts_len);
	add_text(add_to_mac, ctx, s);
	return EVP_MAC_final(ctx, mac, &len, WEIR_TCP_TRAFFIC_MAX) == 1;
}
