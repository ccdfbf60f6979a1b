/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the fuzz targets stand on: one stack at a cable's end, the fuzzer at the other; a virtual
 * clock; applications that serve. Every input begins and ends with no connection and no packet.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "stack_priv.h"
#include "weir_cable.h"

#define FUZZ_APPS_MAX 8

/** The rest of an input. Reading past its end gives zeros. */
struct fuzz_in {
	const uint8_t *at;
	size_t left;
};

struct fuzz {
	struct weir_clock clock;
	struct weir_cable *cable;
	struct weir_stack *st;
	struct rte_mempool *pool; /* the peer's mbufs */
	int app[FUZZ_APPS_MAX]; /* sockets under the input's control; -1: none */
};

extern const uint8_t fuzz_peer_mac[6];

uint8_t fuzz_u8(struct fuzz_in *in);
uint16_t fuzz_u16(struct fuzz_in *in);

/** Up to n bytes. @return how many */
size_t fuzz_bytes(struct fuzz_in *in, void *to, size_t n);

/** The world; made at the first call. */
struct fuzz *fuzz_begin(void);

/** Close and abort all, let time pass; aborts the process when something is left. */
void fuzz_end(struct fuzz *f);

/** A frame from the peer: up to 2000 bytes. */
void fuzz_send(struct fuzz *f, const void *frame, size_t len);

/** Let the stack work, throw away what it sends, and let time pass. */
void fuzz_pass(struct fuzz *f, uint64_t us);

/** The i-th connection that is there (i modulo their number), or NULL. */
struct weir_tcp_conn *fuzz_conn(struct fuzz *f, unsigned int i);

#endif
