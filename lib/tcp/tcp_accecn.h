/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What tcp_accecn.c and tcp_accecn_ack.c share: the wire's side of accurate ECN (RFC 9768).
 */
#ifndef TCP_ACCECN_H
#define TCP_ACCECN_H

#include "tcp_loss_priv.h"

#define WEIR_TCP_ACE_INIT 5u /* so that a path that clears the field is noticed: 3.2.1 */
#define WEIR_TCP_ACE_MASK 7u
#define WEIR_TCP_ACCECN_BYTES 0xffffffu

/** What the option of a segment says, if there is one. */
struct weir_tcp_accecn_opt {
	uint8_t kind; /* 0: none */
	unsigned int n;
	uint32_t value[WEIR_TCP_ACCECN_FIELDS];
};

struct weir_tcp_accecn_opt weir_tcp_accecn_read(const struct weir_tcp_rx *rx);

/** The first option of the peer shows whether options can be believed: 3.2.3.2.4. */
void weir_tcp_accecn_see(struct weir_tcp_accecn *a, const struct weir_tcp_accecn_opt *o);

/** The counter at place i: 174 has ECT(1), CE, ECT(0), 172 the other way round. */
static inline unsigned int
weir_tcp_accecn_field(uint8_t kind, unsigned int i)
{
	static const uint8_t order[] = {
		WEIR_IP_ECN_ECT1 - 1, WEIR_IP_ECN_CE - 1, WEIR_IP_ECN_ECT0 - 1};

	return order[kind == WEIR_TCP_KIND_ACCECN1 ? i : WEIR_TCP_ACCECN_FIELDS - 1 - i];
}

/** Where it begins, so that a path that clears it is noticed: 3.2.3. */
static inline uint32_t
weir_tcp_accecn_first(unsigned int field)
{
	return field + 1 == WEIR_IP_ECN_CE ? 0 : 1;
}

static inline struct weir_tcp_accecn *
weir_tcp_accecn_of(struct weir_tcp_conn *c)
{
	return &c->act->accecn;
}

#endif
