/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A speaker of OSPF Hellos on one port: its raw socket and its timer.
 */
#ifndef APP_OSPF_SPEAKER_H
#define APP_OSPF_SPEAKER_H

#include "../raw/raw.h"
#include "neighbors.h"

struct ospf_opts {
	const char *port; /* NULL: the first with an IPv4 address */
	uint32_t router_id; /* 0: that address */
	uint32_t area;
	uint16_t hello_s;
	uint32_t dead_s;
	uint8_t priority;
	uint32_t n_wanted; /* end when so many neighbours and we list each other; 0: by a signal */
};

/** @return neighbours in state 2-Way at the end, or a negative errno, said on stderr */
int ospf_speak(struct weir_stack *st, const struct ospf_opts *o);

#endif
