/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * HyStart++ (RFC 9406): leave slow start when round trips get longer, before anything is lost.
 * Model   A round ends when what was sent last at its beginning is acknowledged. A round whose
 *         shortest round trip is longer than that of the one before goes on in conservative slow
 *         start; five such rounds end slow start; a shorter round trip again resumes it.
 */
#ifndef CC_HYSTART_H
#define CC_HYSTART_H

#include "weir_tcp_cc.h"

struct weir_hystart {
	uint32_t round_end;   /* snd.max when the round began */
	uint32_t last_rtt_us; /* shortest of the round before; UINT32_MAX: none */
	uint32_t rtt_us;      /* shortest of this round; likewise */
	uint32_t base_rtt_us; /* what sent us into conservative slow start */
	uint8_t samples;      /* of this round */
	uint8_t rounds;	      /* in conservative slow start */
	bool is_begun;
	bool is_conservative;
};

/** Forget all: the next ACK begins a round. */
void weir_hystart_reset(struct weir_hystart *h);

/**
 * An ACK in slow start.
 * @return bytes for cwnd to grow; c->cc.ssthresh is cwnd when slow start is over
 */
uint32_t weir_hystart_acked(
	struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s);

#endif
