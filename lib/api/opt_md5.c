/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of TCP MD5 signatures (RFC 2385), as Linux's TCP_MD5SIG and TCP_MD5SIG_EXT. */
#include <netinet/tcp.h>

#include "opt_priv.h"

#define FLAG_IFINDEX 2 /* TCP_MD5SIG_FLAG_IFINDEX, which glibc does not name */
#define V4_IN_V6     96

/* @return 0 or -errno */
static int
read_addr(const struct weir_sock *s, const struct tcp_md5sig *sig, struct weir_tcp_md5_key *key)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&sig->tcpm_addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&sig->tcpm_addr;

	if (sig->tcpm_addr.ss_family != s->domain)
		return -EINVAL;
	key->addr = s->domain == AF_INET
			    ? weir_addr_v4((struct weir_be32){.raw = v4->sin_addr.s_addr})
			    : weir_addr_v6(v6->sin6_addr.s6_addr);
	return 0;
}

static int
read_prefix(const struct weir_opt *o, const struct tcp_md5sig *sig, struct weir_tcp_md5_key *key)
{
	const bool is_v4 = weir_addr_is_v4(&key->addr);

	key->prefix = 128;
	if (o->name != TCP_MD5SIG_EXT)
		return 0;
	if (sig->tcpm_flags & FLAG_IFINDEX)
		return -EINVAL; /* there are no devices that keys could be bound to */
	if (!(sig->tcpm_flags & TCP_MD5SIG_FLAG_PREFIX))
		return 0;
	if (sig->tcpm_prefixlen > (is_v4 ? 32 : 128))
		return -EINVAL;
	key->prefix = (uint8_t)(sig->tcpm_prefixlen + (is_v4 ? V4_IN_V6 : 0));
	return 0;
}

static int
read_key(const struct weir_sock *s, const struct weir_opt *o, const void *value,
	struct weir_tcp_md5_key *key)
{
	struct tcp_md5sig sig;
	int rc;

	memcpy(&sig, value, sizeof(sig));
	*key = (struct weir_tcp_md5_key){0};
	rc = read_addr(s, &sig, key);
	if (rc == 0)
		rc = read_prefix(o, &sig, key);
	if (rc == 0 && sig.tcpm_keylen > WEIR_TCP_MD5_KEY_MAX)
		rc = -EINVAL;
	if (rc != 0)
		return rc;
	key->len = (uint8_t)sig.tcpm_keylen;
	memcpy(key->key, sig.tcpm_key, key->len);
	return 0;
}

struct change {
	struct weir_sock *s;
	struct weir_tcp_md5_key key;
};

static int
change_on(struct weir_worker *w, void *arg)
{
	const struct change *c = arg;

	return weir_sock_tcp_md5(&w->sock, c->s, &c->key);
}

static int
listen_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_listen(&w->sock, arg);
}

/* Under the control of c->s. A listener's workers each take a copy of its keys. */
static int
change(struct weir_stack *st, struct change *c)
{
	const uint32_t flags = weir_sock_flags(c->s);
	int rc;

	if (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING))
		return weir_on_worker(st, weir_sock_home(c->s), change_on, c);
	if ((flags & WEIR_SOCK_LISTENING) && weir_worker_self() != NULL &&
		weir_stack_is_running(st) && st->n_workers > 1)
		return -EWOULDBLOCK; /* other workers could not be waited for */
	rc = weir_tcp_md5_change(&c->s->md5, &c->key);
	return rc == 0 && (flags & WEIR_SOCK_LISTENING) ? weir_on_all(st, listen_on, c->s) : rc;
}

int
weir_opt_set_md5(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct change c = {.s = s};
	int rc = weir_tcp_md5_check();

	if (rc == 0)
		rc = read_key(s, o, value, &c.key);
	if (rc == 0)
		rc = weir_ctl_enter(s);
	if (rc != 0)
		return rc;
	rc = change(st, &c);
	weir_ctl_leave(st, s);
	return rc;
}
