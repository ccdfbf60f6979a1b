/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What arrives in a state, and what must follow: shared by the tests that go through all of it.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include "rig.h"

#define TEXT 5
#define FAR  1000
#define KINDS 10

struct arrival {
	uint8_t flags;
	uint32_t seq; /* both relative, as in the rig */
	uint32_t ack;
	uint16_t len;
};

/* What answers it. */
struct answer {
	uint8_t flags; /* 0: nothing does */
	bool is_free;  /* the RFCs leave open whether it is sent */
	uint32_t seq;
	uint32_t ack;
	uint32_t wnd;
	bool has_wnd;
};

struct outcome {
	enum weir_tcp_state state;
	int error;
	uint32_t n_read; /* bytes that the application gets */
	struct answer answer;
};


extern const uint8_t kinds[KINDS];

/** Sequence numbers that a takes. */
uint32_t space(const struct arrival *a);

/** RFC 9293 table 6; an empty segment at the right edge is one of a peer that filled the window. */
bool is_acceptable(const struct arrival *a, uint32_t nxt, uint32_t wnd);

/** 3.5.2: an ACK is answered at its number, all else as received; a RST never. */
struct answer reset_for(const struct rig *r, const struct arrival *a);

/** A connection in this state, on a stack that is small: many are made. */
void open_small(struct rig *r, enum weir_tcp_state state);

void arrive(struct rig *r, const struct arrival *a);

/** After a arrived: the state, at most one answer, the error and what can be read are as wanted. */
void check(struct rig *r, const struct arrival *a, enum weir_tcp_state before,
	const struct outcome *want);

#endif
