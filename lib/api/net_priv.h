/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files behind weir_net.h share.
 */
#ifndef NET_PRIV_H
#define NET_PRIV_H

#include "stack_priv.h"
#include "weir_net.h"

/** @return the index of a port, or -ENODEV */
int net_port_index(const struct weir_stack *st, const char *name);

#endif
