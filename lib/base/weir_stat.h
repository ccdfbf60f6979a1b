/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Counters from lists. A module keeps its counters in a header of lines
 *     WEIR_STAT(rx_segs, "segs", "segments given to tcp_input")
 * and includes it with WEIR_STAT defined to yield the struct, the names, the help.
 * Counters are plain uint64_t of one worker, written by it alone and summed by the reader.
 */
#ifndef WEIR_STAT_H
#define WEIR_STAT_H

#include <stdint.h>

/** What telemetry shows of one counter. */
struct weir_stat_desc {
	const char *name;
	const char *unit;
	const char *help;
};

#define WEIR_STAT_FIELD(name, unit, help) uint64_t name;
#define WEIR_STAT_DESC(name, unit, help)  {#name, unit, help},

#endif
