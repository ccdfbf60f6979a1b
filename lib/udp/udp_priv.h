/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UDP_PRIV_H
#define UDP_PRIV_H

#include "weir_udp.h"

/**
 * The first binding from pcb on, along its bucket, that takes packets of flow, or NULL.
 * @param flow     as the local side sees it
 * @param ifindex  interface that the packet came in by
 */
struct weir_pcb *udp_next_match(
	struct weir_pcb *pcb, const struct weir_flow *flow, uint8_t ifindex);

/** The first binding in the bucket of a local port, or NULL. */
struct weir_pcb *udp_first(const struct weir_udp *u, struct weir_be16 lport);

/** The binding that fits flow best, the latest of equals, or NULL. */
struct weir_pcb *udp_best_match(
	const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex);

static inline bool
udp_is_connected(const struct weir_pcb *pcb)
{
	return pcb->rport.raw != 0;
}

#endif
