/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Keys that segments are signed with, by peer: TCP MD5 (RFC 2385) and TCP-AO (RFC 5925).
 * Model   A set of keys hangs off a socket, its listeners (one for each worker) and its connection;
 *         each has a copy of its own. A key is for all addresses of a prefix. Of MD5 keys the
 *         longest prefix that fits counts; those of TCP-AO are told apart by their identifiers, and
 *         a peer has one kind or the other. Who has no keys has no set (NULL).
 * Owner   The pointer's owner frees the set by weir_tcp_keys_free().
 */
#ifndef WEIR_TCP_KEYS_H
#define WEIR_TCP_KEYS_H

#include <stdint.h>

#include "weir_addr.h"

struct weir_tcp;
struct weir_tcp_conn;
struct weir_tcp_listener;

#define WEIR_TCP_KEY_MAX     80
#define WEIR_TCP_KEYS_MAX    4096 /* of a set */
#define WEIR_TCP_MD5_LEN     16
#define WEIR_TCP_TRAFFIC_MAX 20 /* bytes of a traffic key, of a whole MAC */
#define WEIR_TCP_ANY_ID	     (-1)

enum weir_tcp_key_kind { WEIR_TCP_KEY_MD5, WEIR_TCP_KEY_AO_SHA1, WEIR_TCP_KEY_AO_AES128 };

/* RFC 5925 3.1: a master key tuple is one of the AO kinds. */
struct weir_tcp_key {
	struct weir_addr addr;
	uint8_t prefix; /* bits of addr that count, of 128 */
	uint8_t len;	/* 0: in a change, the key goes */
	uint8_t key[WEIR_TCP_KEY_MAX];
	uint8_t kind;	 /* enum weir_tcp_key_kind */
	uint8_t send_id; /* AO: KeyID of what is sent, of what is received */
	uint8_t recv_id;
	uint8_t mac_len;      /* AO: bytes of the MAC in the option */
	bool is_without_opts; /* AO: other options are not signed */
	uint8_t traffic_in[WEIR_TCP_TRAFFIC_MAX]; /* where weir_tcp_ao.is_settled */
	uint8_t traffic_out[WEIR_TCP_TRAFFIC_MAX];
};

/* RFC 5925 6.2: how often a sequence number wrapped, as of seq. */
struct weir_tcp_sne {
	uint32_t seq;
	uint32_t wraps;
};

/* What TCP-AO keeps with a set; the rest than the first two lines is a connection's. */
struct weir_tcp_ao {
	bool is_required; /* peers without a key are not heard */
	bool takes_icmp;  /* errors count as without keys (RFC 5925 7.8 has them ignored) */
	bool is_settled;  /* both ISNs are known, traffic keys made */
	bool has_sne;	  /* in and out are set */
	int16_t current;  /* send_id in use, WEIR_TCP_ANY_ID: the first */
	int16_t rnext;	  /* recv_id that the peer is to use */
	struct weir_tcp_sne in;
	struct weir_tcp_sne out;
	uint64_t good;
	uint64_t bad;
	uint64_t no_key;
	uint64_t missing;
	uint64_t icmps;
};

struct weir_tcp_keys {
	uint32_t n;
	struct weir_tcp_ao ao;
	struct weir_tcp_key keys[];
};

/** A change of a set; what is WEIR_TCP_ANY_ID stays as it is. */
struct weir_tcp_keys_update {
	const struct weir_tcp_key *key; /* NULL: none; see weir_tcp_keys_change() */
	int current;			/* of weir_tcp_ao */
	int rnext;
	int is_required;
	int takes_icmp;
	const struct weir_tcp_ao *counters; /* NULL: they stay */
};

#define WEIR_TCP_KEYS_UPDATE                                                                     \
	.current = WEIR_TCP_ANY_ID, .rnext = WEIR_TCP_ANY_ID, .is_required = WEIR_TCP_ANY_ID,     \
	.takes_icmp = WEIR_TCP_ANY_ID

/**
 * Add, replace (MD5) or, by len 0, take away a key.
 * @return 0; -ENOENT, -ENOMEM, -E2BIG; -EEXIST (AO: an identifier is in use), -EKEYREJECTED (the
 *         peer has keys of the other kind)
 */
int weir_tcp_keys_change(struct weir_tcp_keys **set, const struct weir_tcp_key *key);

/** As above, and what else is in u. @return also -EBUSY (AO: the key to go is in use) */
int weir_tcp_keys_update(struct weir_tcp_keys **set, const struct weir_tcp_keys_update *u);

/** The MD5 key for a peer, or NULL; set may be NULL. */
const struct weir_tcp_key *weir_tcp_md5_find(
	const struct weir_tcp_keys *set, const struct weir_addr *peer);

/** The first AO key for a peer with these identifiers, or WEIR_TCP_ANY_ID. NULL: none */
const struct weir_tcp_key *weir_tcp_ao_find(
	const struct weir_tcp_keys *set, const struct weir_addr *peer, int send_id, int recv_id);

/** The key in use for what goes to peer, and the one it is to use. NULL: none; set may be */
const struct weir_tcp_key *weir_tcp_ao_current(
	const struct weir_tcp_keys *set, const struct weir_addr *peer);
const struct weir_tcp_key *weir_tcp_ao_rnext(
	const struct weir_tcp_keys *set, const struct weir_addr *peer);

void weir_tcp_keys_free(struct weir_tcp_keys *set);

/** Can this machine's libcrypto make such signatures? @return 0 or -EOPNOTSUPP */
int weir_tcp_keys_check(enum weir_tcp_key_kind kind);

/* On the worker */

/** Change the keys of c. As above; -EINVAL: c began without TCP-AO. */
int weir_tcp_keys_update_conn(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_keys_update *u);

/** c, just made, goes by the keys that its peer has in set. @return 0 or -ENOMEM */
int weir_tcp_keys_adopt(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_keys *set);

/** l goes by a copy of set from now on; NULL: by none. @return 0 or -ENOMEM */
int weir_tcp_keys_listen(
	struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_keys *set);

#endif
