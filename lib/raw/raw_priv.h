/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RAW_PRIV_H
#define RAW_PRIV_H

#include "weir_raw.h"

/** The first socket from pcb on, along its list, that m (addresses in its weir_pkt) is for. */
struct weir_pcb *raw_next_match(struct weir_pcb *pcb, const struct weir_pkt *p);

/** May the socket see m? Its ICMP filter, and the checksum that it wants checked. */
bool raw_is_wanted(const struct weir_pcb *pcb, const struct rte_mbuf *m, const struct weir_pkt *p);

#endif
