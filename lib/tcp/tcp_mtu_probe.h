/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Packetization-layer path MTU discovery: RFC 4821, as Linux does it ([tcp] mtu_probing).
 * Model  A probe is one segment of new text, larger than the others. Acknowledged, its size is
 * used; lost, without any sign of congestion, sizes from it on are not tried; sent again for
 *        another reason, it says nothing.
 */
#ifndef TCP_MTU_PROBE_H
#define TCP_MTU_PROBE_H

#include "tcp_loss_priv.h"

enum weir_tcp_mtu_step {
	MTU_NONE,  /* send as usual */
	MTU_WAITS, /* send nothing until the next ACK: then a probe can go */
	MTU_GOES,
};

/** Search from [tcp] base_mss up to what the path seems to take. */
void weir_tcp_mtu_begin(const struct weir_tcp *t, struct weir_tcp_conn *c);

/** May a probe go now, and how much text is on it? For a connection with c->pmtu != 0. */
enum weir_tcp_mtu_step weir_tcp_mtu_next(
	const struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t *len);

/** It went. */
void weir_tcp_mtu_sent(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len);

/** s, in larger segments than are sent now, is acknowledged. */
void weir_tcp_mtu_acked(struct weir_tcp_conn *c, const struct weir_tcp_sent *s);

/** Something was found lost. @return whether it is the probe, which is sent again in pieces */
bool weir_tcp_mtu_lost(struct weir_tcp *t, struct weir_tcp_conn *c);

/** ICMP: more than this does not pass. */
void weir_tcp_mtu_told(struct weir_tcp *t, struct weir_tcp_conn *c, uint16_t mtu);

/** Nothing gets through, time-out after time-out: smaller segments might (RFC 4821 7.7). */
void weir_tcp_mtu_black_hole(struct weir_tcp *t, struct weir_tcp_conn *c);

#endif
