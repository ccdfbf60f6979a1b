/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_priv.h"

void
weir_telemetry_add(struct weir_stack *st)
{
}

void
weir_telemetry_del(struct weir_stack *st)
{
}
