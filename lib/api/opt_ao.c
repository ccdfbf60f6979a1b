/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of TCP-AO (RFC 5925), as Linux's TCP_AO_ADD_KEY, TCP_AO_DEL_KEY and TCP_AO_INFO. */
#include "opt_priv.h"
#include "weir_tcp_ao.h"

#define MAC_LEN	    12 /* RFC 5926 */
#define MAC_LEN_MAX 16 /* what a SYN with MSS, timestamps and window scale leaves */
#define V4_IN_V6    96

/* What names a key in both structs. @return 0 or -EINVAL */
static int
read_peer(const struct weir_sock *s, const struct sockaddr_storage *addr, uint8_t prefix,
	struct weir_tcp_key *key)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;
	const bool is_v4 = addr->ss_family == AF_INET;

	if (!is_v4 && (addr->ss_family != AF_INET6 || s->domain != AF_INET6))
		return -EINVAL;
	if (prefix > (is_v4 ? 32 : 128))
		return -EINVAL;
	key->addr = is_v4 ? weir_addr_v4((struct weir_be32){.raw = v4->sin_addr.s_addr})
			  : weir_addr_v6(v6->sin6_addr.s6_addr);
	key->prefix = (uint8_t)(prefix + (is_v4 ? V4_IN_V6 : 0));
	return 0;
}

/* @return 0, -ENOENT or -EOPNOTSUPP */
static int
read_algorithm(const char *name, struct weir_tcp_key *key)
{
	if (strcmp(name, "hmac(sha1)") == 0)
		key->kind = WEIR_TCP_KEY_AO_SHA1;
	else if (strcmp(name, "cmac(aes128)") == 0 || strcmp(name, "cmac(aes)") == 0)
		key->kind = WEIR_TCP_KEY_AO_AES128;
	else
		return -ENOENT;
	return weir_tcp_keys_check((enum weir_tcp_key_kind)key->kind);
}

static int
read_add(const struct weir_sock *s, const struct weir_tcp_ao_add *add, struct weir_tcp_key *key)
{
	const uint8_t known = WEIR_TCP_AO_KEYF_EXCLUDE_OPT;
	int rc;

	*key = (struct weir_tcp_key){.send_id = add->sndid,
		.recv_id = add->rcvid,
		.mac_len = add->maclen != 0 ? add->maclen : MAC_LEN,
		.len = add->keylen,
		.is_without_opts = add->keyflags & WEIR_TCP_AO_KEYF_EXCLUDE_OPT};
	if (add->reserved != 0 || add->reserved2 != 0 || (add->keyflags & ~known) ||
		add->ifindex != 0 || add->keylen == 0 || add->keylen > WEIR_TCP_AO_KEY_MAX ||
		memchr(add->alg_name, 0, sizeof(add->alg_name)) == NULL)
		return -EINVAL;
	rc = read_peer(s, &add->addr, add->prefix, key);
	if (rc == 0)
		rc = read_algorithm(add->alg_name, key);
	if (rc == 0 && key->mac_len > MAC_LEN_MAX)
		rc = -EMSGSIZE;
	memcpy(key->key, add->key, add->keylen);
	return rc;
}

/* May a listener say which key is in use? Each of its connections has its own. */
static bool
may_choose(const struct weir_sock *s, bool chooses)
{
	return !chooses || !(weir_sock_flags(s) & WEIR_SOCK_LISTENING);
}

static void
choose(struct weir_tcp_keys_update *u, int current, int rnext)
{
	u->current = current;
	u->rnext = rnext;
}

int
weir_opt_add_ao(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE};
	struct weir_tcp_ao_add add;
	struct weir_tcp_key key;
	int rc;

	(void)o;
	memcpy(&add, value, sizeof(add));
	rc = read_add(s, &add, &key);
	if (rc == 0 && !may_choose(s, add.set_current || add.set_rnext))
		rc = -EINVAL;
	if (rc != 0)
		return rc;
	u.key = &key;
	choose(&u, add.set_current ? add.sndid : -1, add.set_rnext ? add.rcvid : -1);
	return weir_opt_change_keys(st, s, &u);
}

int
weir_opt_del_ao(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE};
	struct weir_tcp_ao_del del;
	struct weir_tcp_key key = {.kind = WEIR_TCP_KEY_AO_SHA1};
	int rc;

	(void)o;
	memcpy(&del, value, sizeof(del));
	if (del.reserved != 0 || del.reserved2 != 0 || del.keyflags != 0 || del.ifindex != 0 ||
		!may_choose(s, del.set_current || del.set_rnext))
		return -EINVAL;
	key.send_id = del.sndid;
	key.recv_id = del.rcvid;
	rc = read_peer(s, &del.addr, del.prefix, &key);
	if (rc != 0)
		return rc;
	u.key = &key;
	choose(&u, del.set_current ? del.current_key : -1, del.set_rnext ? del.rnext : -1);
	return weir_opt_change_keys(st, s, &u);
}

int
weir_opt_set_ao_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct weir_tcp_ao_info i;
	struct weir_tcp_ao counters;
	struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE};

	(void)o;
	memcpy(&i, value, sizeof(i));
	if (i.reserved != 0 || i.reserved2 != 0 || !may_choose(s, i.set_current || i.set_rnext))
		return -EINVAL;
	counters = (struct weir_tcp_ao){.good = i.pkt_good,
		.bad = i.pkt_bad,
		.no_key = i.pkt_key_not_found,
		.missing = i.pkt_ao_required,
		.icmps = i.pkt_dropped_icmp};
	choose(&u, i.set_current ? i.current_key : -1, i.set_rnext ? i.rnext : -1);
	u.is_required = i.ao_required;
	u.takes_icmp = i.accept_icmps;
	u.counters = i.set_counters ? &counters : NULL;
	return weir_opt_change_keys(st, s, &u);
}

/* Reading: where the keys are. */

struct look {
	struct weir_sock *s;
	struct weir_tcp_ao_info *i;
};

static int
look_at(const struct weir_tcp_keys *set, const struct weir_addr *peer, struct weir_tcp_ao_info *i)
{
	const struct weir_tcp_key *current = weir_tcp_ao_current(set, peer);
	const struct weir_tcp_key *rnext = weir_tcp_ao_rnext(set, peer);

	if (set == NULL)
		return -ENOENT;
	*i = (struct weir_tcp_ao_info){.ao_required = set->ao.is_required,
		.accept_icmps = set->ao.takes_icmp,
		.set_current = current != NULL,
		.set_rnext = rnext != NULL,
		.current_key = current != NULL ? current->send_id : 0,
		.rnext = rnext != NULL ? rnext->recv_id : 0,
		.pkt_good = set->ao.good,
		.pkt_bad = set->ao.bad,
		.pkt_key_not_found = set->ao.no_key,
		.pkt_ao_required = set->ao.missing,
		.pkt_dropped_icmp = set->ao.icmps};
	return 0;
}

static int
look_on(struct weir_worker *w, void *arg)
{
	const struct look *l = arg;
	const struct weir_tcp_conn *c = l->s->tcp.conn;

	(void)w;
	if (c == NULL) /* with keys, nobody sleeps */
		return -ENOENT;
	return look_at(c->act->keys, &c->flow.raddr, l->i);
}

int
weir_opt_get_ao_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
{
	struct weir_tcp_ao_info i;
	struct look l = {.s = s, .i = &i};
	int rc = weir_ctl_enter(s);

	(void)o;
	if (rc != 0)
		return rc;
	if (weir_sock_flags(s) & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING))
		rc = weir_on_worker(st, weir_sock_home(s), look_on, &l);
	else
		rc = look_at(s->keys, &s->flow.raddr, &i);
	weir_ctl_leave(st, s);
	if (rc != 0)
		return rc;
	memcpy(value, &i, sizeof(i));
	return 0;
}
