/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of keys, and the signature of a segment (RFC 2385 2). */
#include "tcp_priv.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "weir_mem.h"

/* Sets */

static size_t
set_size(uint32_t n)
{
	return sizeof(struct weir_tcp_md5) + n * sizeof(struct weir_tcp_md5_key);
}

void
weir_tcp_md5_free(struct weir_tcp_md5 *set)
{
	if (set != NULL)
		OPENSSL_cleanse(set, set_size(set->n));
	weir_mem_free(set);
}

/* A new set in place of *set: its keys but for number skip, and one more. */
static int
rebuild(struct weir_tcp_md5 **set, uint32_t skip, const struct weir_tcp_md5_key *more)
{
	const struct weir_tcp_md5 *old = *set;
	const uint32_t n_old = old != NULL ? old->n : 0;
	struct weir_tcp_md5 *now = weir_mem_alloc("tcp_md5", set_size(n_old + 1), SOCKET_ID_ANY);

	if (now == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_old; i++)
		if (i != skip)
			now->keys[now->n++] = old->keys[i];
	if (more != NULL)
		now->keys[now->n++] = *more;
	weir_tcp_md5_free(*set);
	*set = now;
	if (now->n > 0)
		return 0;
	weir_tcp_md5_free(now);
	*set = NULL;
	return 0;
}

static uint32_t
index_of(const struct weir_tcp_md5 *set, const struct weir_tcp_md5_key *key)
{
	uint32_t i = 0;

	while (set != NULL && i < set->n &&
		!(set->keys[i].prefix == key->prefix &&
			weir_addr_in_prefix(&set->keys[i].addr, &key->addr, key->prefix)))
		i++;
	return set != NULL && i < set->n ? i : UINT32_MAX;
}

int
weir_tcp_md5_change(struct weir_tcp_md5 **set, const struct weir_tcp_md5_key *key)
{
	const uint32_t i = index_of(*set, key);

	if (key->len == 0)
		return i == UINT32_MAX ? -ENOENT : rebuild(set, i, NULL);
	if (i != UINT32_MAX) {
		(*set)->keys[i] = *key;
		return 0;
	}
	if (*set != NULL && (*set)->n >= WEIR_TCP_MD5_KEYS_MAX)
		return -E2BIG;
	return rebuild(set, UINT32_MAX, key);
}

const struct weir_tcp_md5_key *
weir_tcp_md5_find(const struct weir_tcp_md5 *set, const struct weir_addr *peer)
{
	const struct weir_tcp_md5_key *best = NULL;

	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		const struct weir_tcp_md5_key *k = &set->keys[i];

		if (weir_addr_in_prefix(peer, &k->addr, k->prefix) &&
			(best == NULL || k->prefix > best->prefix))
			best = k;
	}
	return best;
}

/* What is made once for a worker, with its first key. */

static EVP_MD_CTX *
new_ctx(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1)
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

int
weir_tcp_md5_check(void)
{
	EVP_MD_CTX *ctx = new_ctx();

	EVP_MD_CTX_free(ctx);
	return ctx != NULL ? 0 : -EOPNOTSUPP;
}

/* Who holds sets: they are counted, so that others pay nothing. */

static void
put_set(struct weir_tcp *t, struct weir_tcp_md5 **slot, struct weir_tcp_md5 *set)
{
	if (set != NULL && t->md5_ctx == NULL)
		t->md5_ctx = new_ctx();
	t->n_auth += (set != NULL) - (*slot != NULL);
	*slot = set;
}

static int
copy(struct weir_tcp_md5 **to, const struct weir_tcp_md5 *set)
{
	*to = NULL;
	if (set == NULL)
		return 0;
	*to = weir_mem_alloc("tcp_md5", set_size(set->n), SOCKET_ID_ANY);
	if (*to == NULL)
		return -ENOMEM;
	memcpy(*to, set, set_size(set->n));
	return 0;
}

static void
update_conn(struct weir_tcp_conn *c)
{
	c->has_auth = weir_tcp_md5_find(c->act->md5, &c->flow.raddr) != NULL;
	if (c->dst.ifc != NULL)
		weir_tcp_update_mss(c);
}

int
weir_tcp_md5_change_conn(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_md5_key *key)
{
	struct weir_tcp_md5 *set;
	int rc;

	if (!weir_tcp_wake(t, c))
		return -ENOMEM;
	set = c->act->md5;
	rc = weir_tcp_md5_change(&set, key);
	put_set(t, &c->act->md5, set);
	if (rc == 0)
		update_conn(c);
	return rc;
}

int
weir_tcp_md5_adopt(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_md5 *set)
{
	const struct weir_tcp_md5_key *k = weir_tcp_md5_find(set, &c->flow.raddr);

	return k == NULL ? 0 : weir_tcp_md5_change_conn(t, c, k);
}

void
weir_tcp_md5_conn_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	weir_tcp_md5_free(c->act->md5);
	put_set(t, &c->act->md5, NULL);
}

int
weir_tcp_md5_listen(struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_md5 *set)
{
	struct weir_tcp_md5 *mine, *old = l->md5;
	const int rc = copy(&mine, set);

	if (rc != 0)
		return rc;
	put_set(t, &l->md5, mine);
	weir_tcp_md5_free(old);
	return 0;
}

/* The signature */

static void
add_pseudo_header(
	EVP_MD_CTX *ctx, const struct weir_addr *src, const struct weir_addr *dst, uint32_t len)
{
	const bool is_v4 = weir_addr_is_v4(src);
	const size_t skip = is_v4 ? 12 : 0;
	const struct weir_be32 len32 = weir_be32(len);
	const struct weir_be32 proto32 = weir_be32(IPPROTO_TCP);
	const uint8_t v4[4] = {0, IPPROTO_TCP, (uint8_t)(len >> 8), (uint8_t)len};

	EVP_DigestUpdate(ctx, src->b + skip, 16 - skip);
	EVP_DigestUpdate(ctx, dst->b + skip, 16 - skip);
	if (is_v4) {
		EVP_DigestUpdate(ctx, v4, sizeof(v4));
		return;
	}
	EVP_DigestUpdate(ctx, &len32, sizeof(len32));
	EVP_DigestUpdate(ctx, &proto32, sizeof(proto32));
}

/* len bytes of m's chain from off on. */
static void
add_bytes(EVP_MD_CTX *ctx, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	for (; m != NULL && len > 0; m = m->next) {
		const uint32_t skip = RTE_MIN(off, (uint32_t)m->data_len);
		const uint32_t part = RTE_MIN(m->data_len - skip, len);

		EVP_DigestUpdate(ctx, rte_pktmbuf_mtod_offset(m, const uint8_t *, skip), part);
		off -= skip;
		len -= part;
	}
}

/* RFC 2385 2: pseudo-header, header without options and checksum, text, key. */
bool
weir_tcp_md5_sum(struct weir_tcp *t, const struct weir_tcp_md5_segment *s,
	const struct weir_tcp_md5_key *key, uint8_t sum[WEIR_TCP_MD5_LEN])
{
	EVP_MD_CTX *ctx = t->md5_ctx;
	struct weir_tcp_hdr hdr = *s->hdr;
	const uint32_t hlen = (uint32_t)(hdr.off >> 4) * 4;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, NULL, NULL) != 1)
		return false;
	hdr.cksum = 0;
	add_pseudo_header(ctx, s->src, s->dst, s->len);
	EVP_DigestUpdate(ctx, &hdr, sizeof(hdr));
	add_bytes(ctx, s->m, s->off + hlen, s->len - hlen);
	EVP_DigestUpdate(ctx, key->key, key->len);
	return EVP_DigestFinal_ex(ctx, sum, NULL) == 1;
}

void
weir_tcp_md5_fini(struct weir_tcp *t)
{
	EVP_MD_CTX_free(t->md5_ctx);
	rte_free(t->wait_md5);
}
