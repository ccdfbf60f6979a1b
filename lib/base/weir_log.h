/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Log lines for operators and changes of configuration, never per packet (that is what counters
 * are for). One DPDK log type, `weir`; --log-level=weir:debug shows everything.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <rte_log.h>

/** The id of log type `weir`, registered when the library is loaded. */
int weir_log_type(void);

/** WEIR_LOG(NOTICE, "port %s: link up", name): one line; the newline is added here. */
#define WEIR_LOG(level, ...)                                                                       \
	rte_log(RTE_LOG_##level, (uint32_t)weir_log_type(),                                        \
		RTE_FMT("weir: " RTE_FMT_HEAD(__VA_ARGS__, ) "\n", RTE_FMT_TAIL(__VA_ARGS__, )))

#endif
