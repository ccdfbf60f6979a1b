/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Keys of TCP MD5 signatures (RFC 2385), by peer.
 * Model   A set of keys hangs off a socket, its listeners (one for each worker) and its connection;
 *         each has a copy of its own. A key is for all addresses of a prefix, the longest one that
 *         fits counts. Who has no keys has no set (NULL).
 * Owner   The pointer's owner frees the set by weir_tcp_md5_free().
 */
#ifndef WEIR_TCP_MD5_H
#define WEIR_TCP_MD5_H

#include <stdint.h>

#include "weir_addr.h"

struct weir_tcp;
struct weir_tcp_conn;
struct weir_tcp_listener;

#define WEIR_TCP_MD5_KEY_MAX  80
#define WEIR_TCP_MD5_KEYS_MAX 4096 /* of a set */
#define WEIR_TCP_MD5_LEN      16

struct weir_tcp_md5_key {
	struct weir_addr addr;
	uint8_t prefix; /* bits of addr that count, of 128 */
	uint8_t len;	/* 0: in a change, the key goes */
	uint8_t key[WEIR_TCP_MD5_KEY_MAX];
};

struct weir_tcp_md5 {
	uint32_t n;
	struct weir_tcp_md5_key keys[];
};

/** Add, replace or (len 0) take away a key. @return 0, -ENOENT, -ENOMEM, -E2BIG */
int weir_tcp_md5_change(struct weir_tcp_md5 **set, const struct weir_tcp_md5_key *key);

/** The key for a peer, or NULL; set may be NULL. */
const struct weir_tcp_md5_key *weir_tcp_md5_find(
	const struct weir_tcp_md5 *set, const struct weir_addr *peer);

void weir_tcp_md5_free(struct weir_tcp_md5 *set);

/** Is there MD5 in this machine's libcrypto? @return 0 or -EOPNOTSUPP */
int weir_tcp_md5_check(void);

/* On the worker */

/** Change a key of c. As above. */
int weir_tcp_md5_change_conn(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_md5_key *key);

/** c, just made, goes by the key that its peer has in set. @return 0 or -ENOMEM */
int weir_tcp_md5_adopt(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_md5 *set);

/** l goes by a copy of set from now on; NULL: by none. @return 0 or -ENOMEM */
int weir_tcp_md5_listen(struct weir_tcp *t, struct weir_tcp_listener *l,
	const struct weir_tcp_md5 *set);

#endif
