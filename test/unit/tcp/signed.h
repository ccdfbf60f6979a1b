/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A rig in which keys come before the connection: what the tests of MD5 and TCP-AO share.
 */
#ifndef SIGNED_H
#define SIGNED_H

#include "rig.h"

struct weir_tcp_keys;

/** A rig without a connection; it listens where setup is passive. */
void signed_open(struct rig *r, const struct rig_setup *setup);

/** Our SYN is on its way, under the keys of set, which goes. */
void signed_connect(struct rig *r, struct weir_tcp_keys *set);

/** The listener goes by the keys of set, which goes. */
void signed_listen(struct rig *r, struct weir_tcp_keys *set);

void signed_shutdown(struct rig *r);
void signed_abort(struct rig *r);

/** Time passes until nobody has keys any more. */
void signed_wait_is_over(struct rig *r);

#endif
