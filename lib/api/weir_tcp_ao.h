/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * TCP-AO (RFC 5925) as Linux 6.7 has it: options of the level IPPROTO_TCP and their values. Headers
 * of older systems lack them; the names here are Weir's own, numbers and layouts are Linux's.
 * Model   A master key tuple is for a peer or a prefix of peers and has two identifiers. Keys are
 *         given to a socket before connect or listen, and may be exchanged while connected.
 */
#ifndef WEIR_TCP_AO_H
#define WEIR_TCP_AO_H

#include <stdint.h>
#include <sys/socket.h>

#define WEIR_TCP_AO_ADD_KEY 38
#define WEIR_TCP_AO_DEL_KEY 39
#define WEIR_TCP_AO_INFO    40

#define WEIR_TCP_AO_KEY_MAX	     80
#define WEIR_TCP_AO_KEYF_IFINDEX     0x1 /* refused: there are no devices to bind keys to */
#define WEIR_TCP_AO_KEYF_EXCLUDE_OPT 0x2 /* other options are not signed */

/**
 * WEIR_TCP_AO_ADD_KEY. Errors: EEXIST an identifier is in use for this peer, ENOENT no such
 * algorithm, EKEYREJECTED the peer has TCP MD5 keys, EMSGSIZE maclen leaves no room for the options
 * of a SYN, EINVAL.
 */
struct weir_tcp_ao_add {
	struct sockaddr_storage addr; /* the peer */
	char alg_name[64];	      /* "hmac(sha1)", "cmac(aes128)" */
	int32_t ifindex;
	uint32_t set_current : 1; /* sign by it at once */
	uint32_t set_rnext : 1;	  /* ask the peer to sign by it */
	uint32_t reserved : 30;
	uint16_t reserved2;
	uint8_t prefix; /* bits of addr */
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t maclen; /* 0: 12 bytes (RFC 5926) */
	uint8_t keyflags;
	uint8_t keylen;
	uint8_t key[WEIR_TCP_AO_KEY_MAX];
} __attribute__((aligned(8)));

/** WEIR_TCP_AO_DEL_KEY. Errors: ENOENT, EBUSY a connection uses it, EINVAL. */
struct weir_tcp_ao_del {
	struct sockaddr_storage addr;
	int32_t ifindex;
	uint32_t set_current : 1; /* current_key takes its place */
	uint32_t set_rnext : 1;	  /* rnext does */
	uint32_t del_async : 1;
	uint32_t reserved : 29;
	uint16_t reserved2;
	uint8_t prefix;
	uint8_t sndid;
	uint8_t rcvid;
	uint8_t current_key; /* sndid */
	uint8_t rnext;	     /* rcvid */
	uint8_t keyflags;
} __attribute__((aligned(8)));

/** WEIR_TCP_AO_INFO, to set and get. Counters are those of a connection. */
struct weir_tcp_ao_info {
	uint32_t set_current : 1;
	uint32_t set_rnext : 1;
	uint32_t ao_required : 1; /* segments of peers without a key are dropped */
	uint32_t set_counters : 1;
	uint32_t accept_icmps : 1;
	uint32_t reserved : 27;
	uint16_t reserved2;
	uint8_t current_key;
	uint8_t rnext;
	uint64_t pkt_good;
	uint64_t pkt_bad;
	uint64_t pkt_key_not_found;
	uint64_t pkt_ao_required;
	uint64_t pkt_dropped_icmp;
} __attribute__((aligned(8)));

#endif
