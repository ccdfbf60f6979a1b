/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a connection with accurate ECN (RFC 9768) counts. It lies in weir_tcp_act; has_ecn of the
 * connection says that either kind of ECN is in use, `mode` which.
 */
#ifndef WEIR_TCP_ACCECN_H
#define WEIR_TCP_ACCECN_H

#include <stdbool.h>
#include <stdint.h>

/** As TCP_INFO's tcpi_ecn_mode. */
enum weir_tcp_ecn_mode {
	WEIR_TCP_ECN_MODE_NONE,
	WEIR_TCP_ECN_MODE_CLASSIC, /* RFC 3168 */
	WEIR_TCP_ECN_MODE_ACCURATE,
	WEIR_TCP_ECN_MODE_ASKED /* our SYN asked for accurate ECN */
};

/** As TCP_INFO's tcpi_accecn_opt_seen. */
enum weir_tcp_accecn_seen {
	WEIR_TCP_ACCECN_NOT_SEEN,
	WEIR_TCP_ACCECN_EMPTY,
	WEIR_TCP_ACCECN_COUNTERS,
	WEIR_TCP_ACCECN_BROKEN
};

/** As TCP_INFO's tcpi_accecn_fail_mode: what something on the path has spoiled. */
enum weir_tcp_accecn_fail {
	WEIR_TCP_ACCECN_ACE_SENT = 1 << 0,
	WEIR_TCP_ACCECN_ACE_RECEIVED = 1 << 1, /* the peer sees us without ECN */
	WEIR_TCP_ACCECN_OPT_SENT = 1 << 2,
	WEIR_TCP_ACCECN_OPT_RECEIVED = 1 << 3
};

/* Byte counters have the index of their codepoint less 1: ECT(1), ECT(0), CE. */
#define WEIR_TCP_ACCECN_FIELDS 3

struct weir_tcp_accecn {
	uint32_t received_ce;			     /* packets marked CE, empty ones, too */
	uint32_t received[WEIR_TCP_ACCECN_FIELDS];   /* bytes of text by codepoint */
	uint32_t delivered[WEIR_TCP_ACCECN_FIELDS]; /* of ours, as the peer's option tells */
	uint32_t opt_us; /* when our option went last; low bits of the clock */
	uint8_t mode : 2;
	uint8_t seen : 2;     /* the peer's option */
	uint8_t fail : 4;     /* enum weir_tcp_accecn_fail */
	uint8_t demand : 2;   /* segments that shall have the option */
	uint8_t min_fields : 2; /* that the next option must have */
	uint8_t peer_ect : 2; /* codepoint of the peer's SYN or SYN,ACK */
	uint8_t last_ect : 2; /* and of its latest segment */
	uint8_t guess : 2;    /* codepoint that arrives now, as options tell; 0: not known */
	uint8_t pending : 3;  /* marks not yet told by an ACK */
	uint8_t is_reflecting : 1; /* the next ACK without text tells peer_ect */
	uint8_t use : 2;      /* enum weir_tcp_ecn_option, of the stack */
};

#endif
