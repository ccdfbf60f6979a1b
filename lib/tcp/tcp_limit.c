/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_output -> tcp_limit. What data waits for, by the clock (TCP_INFO). */
#include "tcp_output_priv.h"

static void
change(struct weir_tcp_act *act, uint8_t limit, uint64_t from_us, uint64_t now_us)
{
	if (act->limit != WEIR_TCP_LIMIT_NONE && from_us > act->limit_since_us)
		act->limit_us[act->limit] += from_us - act->limit_since_us;
	act->limit_since_us = now_us;
	act->limit = limit;
}

void
weir_tcp_limit_change(const struct weir_tcp *t, struct weir_tcp_act *act, uint8_t limit)
{
	change(act, limit, t->core->now_us, t->core->now_us);
}

void
weir_tcp_limit_restart(const struct weir_tcp *t, struct weir_tcp_act *act)
{
	if (act->limit != WEIR_TCP_LIMIT_RWND)
		change(act, WEIR_TCP_LIMIT_BUSY, act->delivered_us, t->core->now_us);
}
