/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of TCP MD5 signatures (RFC 2385), as Linux's TCP_MD5SIG and TCP_MD5SIG_EXT. */
#include <netinet/tcp.h>

#include "opt_priv.h"

#define FLAG_IFINDEX 2 /* TCP_MD5SIG_FLAG_IFINDEX, which glibc does not name */
#define V4_IN_V6     96

/* @return 0 or -errno */
static int
read_addr(const struct weir_sock *s, const struct tcp_md5sig *sig, struct weir_tcp_key *key)
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
read_prefix(const struct weir_opt *o, const struct tcp_md5sig *sig, struct weir_tcp_key *key)
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
	struct weir_tcp_key *key)
{
	struct tcp_md5sig sig;
	int rc;

	memcpy(&sig, value, sizeof(sig));
	*key = (struct weir_tcp_key){0};
	rc = read_addr(s, &sig, key);
	if (rc == 0)
		rc = read_prefix(o, &sig, key);
	if (rc == 0 && sig.tcpm_keylen > WEIR_TCP_KEY_MAX)
		rc = -EINVAL;
	if (rc != 0)
		return rc;
	key->len = (uint8_t)sig.tcpm_keylen;
	memcpy(key->key, sig.tcpm_key, key->len);
	return 0;
}

int
weir_opt_set_md5(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value)
{
	struct weir_tcp_key key;
	const struct weir_tcp_keys_update u = {WEIR_TCP_KEYS_UPDATE, .key = &key};
	int rc = weir_tcp_keys_check(WEIR_TCP_KEY_MD5);

	if (rc == 0)
		rc = read_key(s, o, value, &key);
	return rc == 0 ? weir_opt_change_keys(st, s, &u) : rc;
}
