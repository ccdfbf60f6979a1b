/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * TCP Fast Open of the side that connects (RFC 7413): what is known of peers, and opening with it.
 * Model   A cache of cookies, direct mapped: a peer may take the place of another, which costs
 *         that one a round trip. Where SYNs with data seem to vanish, none are sent for a time
 *         that doubles with each occurrence.
 * Thread  The cache is shared by the workers of a stack. Who finds an entry being written goes
 *         without it; nobody waits.
 */
#ifndef WEIR_TCP_FO_H
#define WEIR_TCP_FO_H

#include "weir_addr.h"
#include "weir_tcp_hdr.h"

struct weir_tcp;
struct weir_tcp_conn;
struct weir_flow;

#define WEIR_TCP_FO_PEERS 1024

/** What a peer gave. */
struct weir_tcp_fo_peer {
	struct weir_addr laddr;
	struct weir_addr raddr;
	struct weir_tcp_fo fo; /* len 0: no cookie yet */
	uint16_t mss;
	uint8_t try_exp; /* ask by the experimental option next: 1; it was no better: 2 */
};

struct weir_tcp_fo_cache {
	uint64_t pause_until_us; /* atomic: no SYN carries data until then */
	uint32_t pauses;	 /* atomic: in a row */
	struct weir_tcp_fo_slot {
		uint32_t version; /* atomic; odd while it is written */
		struct weir_tcp_fo_peer peer;
	} slots[WEIR_TCP_FO_PEERS];
};

/** struct weir_tcp_conn.fo */
enum weir_tcp_tfo {
	WEIR_TCP_TFO_WANTED = 1 << 0,	/* our SYN carries data, or asks for a cookie */
	WEIR_TCP_TFO_OPTION = 1 << 1,	/* it had the option */
	WEIR_TCP_TFO_DATA = 1 << 2,	/* it had data */
	WEIR_TCP_TFO_ACKED = 1 << 3,	/* which was taken: either side */
	WEIR_TCP_TFO_EXP = 1 << 4,	/* its option was the experimental one */
	WEIR_TCP_TFO_TRIAL = 1 << 5,	/* the first after a pause */
	WEIR_TCP_TFO_MORE = 1 << 6,	/* a writer waits with more: the ACK of the SYN,ACK, too */
	WEIR_TCP_TFO_DEFERRED = 1 << 7, /* the SYN waits for data (TCP_FASTOPEN_CONNECT) */
	WEIR_TCP_TFO_FAIL_SHIFT = 8,	/* two bits: why no data was taken, as in TCP_INFO */
};

/** Why data on the SYN came to nothing: numbers of Linux's tcpi_fastopen_client_fail. */
enum weir_tcp_tfo_fail {
	WEIR_TCP_TFO_NO_COOKIE = 1,
	WEIR_TCP_TFO_NOT_ACKED = 2,
	WEIR_TCP_TFO_SYN_AGAIN = 3,
};

/** An empty cache; NULL: no memory. */
struct weir_tcp_fo_cache *weir_tcp_fo_cache_new(int numa_node);
void weir_tcp_fo_cache_free(struct weir_tcp_fo_cache *cache);

/** @return whether the peer is known; *peer is zero if not */
bool weir_tcp_fo_cache_get(const struct weir_tcp_fo_cache *cache, const uint64_t secret[2],
	const struct weir_flow *flow, struct weir_tcp_fo_peer *peer);

/** peer->laddr and raddr say whose; best effort. */
void weir_tcp_fo_cache_set(struct weir_tcp_fo_cache *cache, const uint64_t secret[2],
	const struct weir_tcp_fo_peer *peer);

/**
 * c, in SYN_SENT with its SYN not sent, opens by Fast Open.
 * @return  bytes that may go with the SYN; 0: none, it asks for a cookie
 */
uint32_t weir_tcp_fastopen_begin(struct weir_tcp *t, struct weir_tcp_conn *c);

/** A writer waits to go on as soon as c is open. */
void weir_tcp_fastopen_expect(struct weir_tcp_conn *c);

/** TCP_FASTOPEN_CONNECT: c's SYN waits for data if data may go with it. @return whether it waits */
bool weir_tcp_fastopen_defer(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The SYN of c that waited may go. */
void weir_tcp_fastopen_go(struct weir_tcp *t, struct weir_tcp_conn *c);

#endif
