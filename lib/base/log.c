/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_log.h"

#include <rte_common.h>

#define LOG_NAME "weir"

RTE_INIT(register_log_type)
{
	rte_log_register_type_and_pick_level(LOG_NAME, RTE_LOG_NOTICE);
}

/* Looked up by name each time: log lines are rare, and nothing mutable is global. */
int
weir_log_type(void)
{
	return rte_log_register(LOG_NAME);
}
