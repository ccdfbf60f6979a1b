/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of keys: of sockets, listeners and connections. */
#include "tcp_priv.h"

#include <openssl/crypto.h>

#include "weir_mem.h"

static size_t
set_size(uint32_t n)
{
	return sizeof(struct weir_tcp_keys) + n * sizeof(struct weir_tcp_key);
}

void
weir_tcp_keys_free(struct weir_tcp_keys *set)
{
	if (set != NULL)
		OPENSSL_cleanse(set, set_size(set->n));
	weir_mem_free(set);
}

static bool
is_ao(const struct weir_tcp_key *key)
{
	return key->kind != WEIR_TCP_KEY_MD5;
}

static const struct weir_tcp_ao *
ao_of(const struct weir_tcp_keys *set)
{
	static const struct weir_tcp_ao none = {
		.current = WEIR_TCP_ANY_ID, .rnext = WEIR_TCP_ANY_ID};

	return set != NULL ? &set->ao : &none;
}

/* A new set in place of *set: its keys but for number skip, and one more. */
static int
rebuild(struct weir_tcp_keys **set, uint32_t skip, const struct weir_tcp_key *more)
{
	const struct weir_tcp_keys *old = *set;
	const uint32_t n_old = old != NULL ? old->n : 0;
	struct weir_tcp_keys *now = weir_mem_alloc("tcp_keys", set_size(n_old + 1), SOCKET_ID_ANY);

	if (now == NULL)
		return -ENOMEM;
	now->ao = *ao_of(old);
	now->ao.is_settled = false;
	for (uint32_t i = 0; i < n_old; i++)
		if (i != skip)
			now->keys[now->n++] = old->keys[i];
	if (more != NULL)
		now->keys[now->n++] = *more;
	weir_tcp_keys_free(*set);
	*set = now;
	return 0;
}

/* Without number i; an empty set says something only where keys are required. */
static int
take_away(struct weir_tcp_keys **set, uint32_t i)
{
	const int rc = rebuild(set, i, NULL);

	if (rc == 0 && (*set)->n == 0 && !(*set)->ao.is_required) {
		weir_tcp_keys_free(*set);
		*set = NULL;
	}
	return rc;
}

static bool
is_same(const struct weir_tcp_key *a, const struct weir_tcp_key *b)
{
	return is_ao(a) == is_ao(b) && a->prefix == b->prefix &&
	       weir_addr_in_prefix(&a->addr, &b->addr, a->prefix) &&
	       (!is_ao(a) || (a->send_id == b->send_id && a->recv_id == b->recv_id));
}

static uint32_t
index_of(const struct weir_tcp_keys *set, const struct weir_tcp_key *key)
{
	uint32_t i = 0;

	while (set != NULL && i < set->n && !is_same(&set->keys[i], key))
		i++;
	return set != NULL && i < set->n ? i : UINT32_MAX;
}

/* May key stand beside those in set? A peer has one kind of keys, an identifier names one key. */
static int
check_new(const struct weir_tcp_keys *set, const struct weir_tcp_key *key)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		const struct weir_tcp_key *k = &set->keys[i];

		if (!weir_addr_in_prefix(&k->addr, &key->addr, RTE_MIN(k->prefix, key->prefix)))
			continue;
		if (is_ao(k) != is_ao(key))
			return -EKEYREJECTED;
		if (is_ao(k) && (k->send_id == key->send_id || k->recv_id == key->recv_id))
			return -EEXIST;
	}
	return set != NULL && set->n >= WEIR_TCP_KEYS_MAX ? -E2BIG : 0;
}

int
weir_tcp_keys_change(struct weir_tcp_keys **set, const struct weir_tcp_key *key)
{
	const uint32_t i = index_of(*set, key);
	int rc;

	if (key->len == 0)
		return i == UINT32_MAX ? -ENOENT : take_away(set, i);
	if (i != UINT32_MAX && !is_ao(key)) {
		(*set)->keys[i] = *key;
		return 0;
	}
	rc = check_new(*set, key);
	return rc == 0 ? rebuild(set, UINT32_MAX, key) : rc;
}

static bool
has_id(const struct weir_tcp_keys *set, int send_id, int recv_id)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		const struct weir_tcp_key *k = &set->keys[i];

		if (is_ao(k) && (send_id == WEIR_TCP_ANY_ID || k->send_id == send_id) &&
			(recv_id == WEIR_TCP_ANY_ID || k->recv_id == recv_id))
			return true;
	}
	return false;
}

/* Identifiers must be those of keys in the set, or of the one that comes. */
static int
check_ids(const struct weir_tcp_keys *set, const struct weir_tcp_keys_update *u)
{
	const struct weir_tcp_key *more = u->key != NULL && u->key->len != 0 ? u->key : NULL;

	if (u->current != WEIR_TCP_ANY_ID && (more == NULL || more->send_id != u->current) &&
		!has_id(set, u->current, WEIR_TCP_ANY_ID))
		return -ENOENT;
	if (u->rnext != WEIR_TCP_ANY_ID && (more == NULL || more->recv_id != u->rnext) &&
		!has_id(set, WEIR_TCP_ANY_ID, u->rnext))
		return -ENOENT;
	return 0;
}

/* A key that a connection uses goes only when others take its place. */
static bool
is_in_use(const struct weir_tcp_keys *set, const struct weir_tcp_keys_update *u)
{
	const struct weir_tcp_ao *ao = ao_of(set);
	const int current = u->current != WEIR_TCP_ANY_ID ? u->current : ao->current;
	const int rnext = u->rnext != WEIR_TCP_ANY_ID ? u->rnext : ao->rnext;

	return u->key != NULL && u->key->len == 0 && is_ao(u->key) &&
	       (u->key->send_id == current || u->key->recv_id == rnext);
}

static void
set_counters(struct weir_tcp_ao *ao, const struct weir_tcp_ao *to)
{
	ao->good = to->good;
	ao->bad = to->bad;
	ao->no_key = to->no_key;
	ao->missing = to->missing;
	ao->icmps = to->icmps;
}

static void
apply(struct weir_tcp_ao *ao, const struct weir_tcp_keys_update *u)
{
	if (u->current != WEIR_TCP_ANY_ID)
		ao->current = (int16_t)u->current;
	if (u->rnext != WEIR_TCP_ANY_ID)
		ao->rnext = (int16_t)u->rnext;
	if (u->is_required != WEIR_TCP_ANY_ID)
		ao->is_required = u->is_required;
	if (u->takes_icmp != WEIR_TCP_ANY_ID)
		ao->takes_icmp = u->takes_icmp;
	if (u->counters != NULL)
		set_counters(ao, u->counters);
}

int
weir_tcp_keys_update(struct weir_tcp_keys **set, const struct weir_tcp_keys_update *u)
{
	struct weir_tcp_keys *all = *set;
	int rc = check_ids(all, u);

	if (rc == 0 && is_in_use(all, u))
		rc = -EBUSY;
	if (rc == 0 && u->key != NULL)
		rc = weir_tcp_keys_change(set, u->key);
	else if (rc == 0 && all == NULL && u->is_required == 1)
		rc = rebuild(set, UINT32_MAX, NULL);
	if (rc == 0 && *set != NULL)
		apply(&(*set)->ao, u);
	return rc;
}

const struct weir_tcp_key *
weir_tcp_md5_find(const struct weir_tcp_keys *set, const struct weir_addr *peer)
{
	const struct weir_tcp_key *best = NULL;

	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		const struct weir_tcp_key *k = &set->keys[i];

		if (!is_ao(k) && weir_addr_in_prefix(peer, &k->addr, k->prefix) &&
			(best == NULL || k->prefix > best->prefix))
			best = k;
	}
	return best;
}

const struct weir_tcp_key *
weir_tcp_ao_find(
	const struct weir_tcp_keys *set, const struct weir_addr *peer, int send_id, int recv_id)
{
	for (uint32_t i = 0; set != NULL && i < set->n; i++) {
		const struct weir_tcp_key *k = &set->keys[i];

		if (is_ao(k) && weir_addr_in_prefix(peer, &k->addr, k->prefix) &&
			(send_id == WEIR_TCP_ANY_ID || k->send_id == send_id) &&
			(recv_id == WEIR_TCP_ANY_ID || k->recv_id == recv_id))
			return k;
	}
	return NULL;
}

/* Who holds sets: they are counted, so that others pay nothing. */

static void
put_set(struct weir_tcp *t, struct weir_tcp_keys **slot, struct weir_tcp_keys *set)
{
	if (set != NULL)
		weir_tcp_crypto_open(t);
	t->n_auth += (set != NULL) - (*slot != NULL);
	*slot = set;
}

static int
copy(struct weir_tcp_keys **to, const struct weir_tcp_keys *set)
{
	*to = NULL;
	if (set == NULL)
		return 0;
	*to = weir_mem_alloc("tcp_keys", set_size(set->n), SOCKET_ID_ANY);
	if (*to == NULL)
		return -ENOMEM;
	memcpy(*to, set, set_size(set->n));
	return 0;
}

static void
update_conn(struct weir_tcp_conn *c)
{
	const struct weir_tcp_keys *set = c->act->keys;

	c->has_auth =
		weir_tcp_md5_find(set, &c->flow.raddr) != NULL ||
		weir_tcp_ao_find(set, &c->flow.raddr, WEIR_TCP_ANY_ID, WEIR_TCP_ANY_ID) != NULL;
	if (c->dst.ifc != NULL)
		weir_tcp_update_mss(c);
}

static int
change_conn(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_keys_update *u)
{
	struct weir_tcp_keys *set = c->act->keys;
	const int rc = weir_tcp_keys_update(&set, u);

	put_set(t, &c->act->keys, set);
	if (rc == 0)
		update_conn(c);
	return rc;
}

int
weir_tcp_keys_update_conn(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_keys_update *u)
{
	const bool is_for_ao = u->key == NULL || is_ao(u->key);

	if (is_for_ao && c->state != WEIR_TCP_SYN_SENT && !has_id(c->act->keys, -1, -1))
		return -EINVAL;
	return change_conn(t, c, u);
}

static bool
is_for_peer(
	const struct weir_tcp_key *k, const struct weir_tcp_key *md5, const struct weir_addr *peer)
{
	return k == md5 || (is_ao(k) && weir_addr_in_prefix(peer, &k->addr, k->prefix));
}

int
weir_tcp_keys_adopt(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_keys *set)
{
	const struct weir_tcp_key *md5 = weir_tcp_md5_find(set, &c->flow.raddr);
	const struct weir_tcp_ao *ao = ao_of(set);
	int rc = 0;

	for (uint32_t i = 0; set != NULL && i < set->n && rc == 0; i++) {
		const struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE, .key = &set->keys[i]};

		if (is_for_peer(u.key, md5, &c->flow.raddr))
			rc = change_conn(t, c, &u);
	}
	if (rc == 0 && c->act->keys != NULL)
		apply(&c->act->keys->ao, &(struct weir_tcp_keys_update){.current = ao->current,
						 .rnext = ao->rnext,
						 .is_required = ao->is_required,
						 .takes_icmp = ao->takes_icmp});
	return rc;
}

void
weir_tcp_keys_conn_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	weir_tcp_keys_free(c->act->keys);
	put_set(t, &c->act->keys, NULL);
}

int
weir_tcp_keys_listen(
	struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_keys *set)
{
	struct weir_tcp_keys *mine, *old = l->keys;
	const int rc = copy(&mine, set);

	if (rc != 0)
		return rc;
	put_set(t, &l->keys, mine);
	weir_tcp_keys_free(old);
	return 0;
}
