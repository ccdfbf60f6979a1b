/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Leave slow start before anything is lost, by [tcp] hystart: HyStart++ (RFC 9406) or Linux's way.
 * Model   A round ends when what was sent last at its beginning is acknowledged.
 *         HyStart++: a round whose shortest round trip is longer than that of the one before goes
 *         on in conservative slow start; five such rounds end slow start; a shorter round trip
 *         again resumes it.
 *         Linux ("HyStart", Ha and Rhee 2011): slow start is over once a round's ACKs have come
 *         without a gap for half of the shortest round trip ever (the path is full), or a round's
 *         round trips are longer than that.
 */
#ifndef CC_HYSTART_H
#define CC_HYSTART_H

#include "weir_tcp_cc.h"

struct weir_hystart {
	uint32_t round_end;   /* snd.max when the round began */
	uint32_t last_rtt_us; /* shortest of the round before; UINT32_MAX: none */
	uint32_t rtt_us;      /* shortest of this round; likewise */
	uint32_t base_rtt_us; /* what sent us into conservative slow start; Linux: shortest ever */
	uint64_t begun_us;    /* Linux: the round */
	uint64_t train_us;    /* Linux: the last ACK that came without a gap */
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

/**
 * Linux's way: an ACK, before cwnd grows by it; when the path is full, c->cc.ssthresh becomes cwnd.
 * Round trips soon after a congestion event are not to come here.
 */
void weir_hystart_watch(
	struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s);

#endif
