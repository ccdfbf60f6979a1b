/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UDP_PRIV_H
#define UDP_PRIV_H

#include "weir_udp.h"

/**
 * The bindings that take packets of flow, one after the other, those that are connected first.
 * NULL: no more.
 * @param flow     as the local side sees it
 * @param ifindex  interface that the packet came in by
 */
struct weir_pcb *udp_first_match(
	const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex);
struct weir_pcb *udp_next_match(const struct weir_udp *u, struct weir_pcb *pcb,
	const struct weir_flow *flow, uint8_t ifindex);

/** The binding that fits flow best, the latest of equals, or NULL. */
struct weir_pcb *udp_best_match(
	const struct weir_udp *u, const struct weir_flow *flow, uint8_t ifindex);

static inline bool
udp_is_connected(const struct weir_pcb *pcb)
{
	return pcb->rport.raw != 0;
}

#endif
