/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The kinds of values that conf_table.c can give a key.
 */
#ifndef CONF_KIND_H
#define CONF_KIND_H

#include "conf_priv.h"

extern const struct conf_kind conf_number;     /* uint16_t to uint64_t, min to max */
extern const struct conf_kind conf_number_or0; /* the same, or 0 */
extern const struct conf_kind conf_size;       /* bytes with K or M */
extern const struct conf_kind conf_bool;       /* yes, no */
extern const struct conf_kind conf_choice;     /* int-sized: index in words */
extern const struct conf_kind conf_word;       /* char[]: one of words */
extern const struct conf_kind conf_text;       /* char[]: anything; "none" is empty */
extern const struct conf_kind conf_name;       /* char[]: conf_is_name() */
extern const struct conf_kind conf_vdev;       /* char[][]: NAME,parameters */
extern const struct conf_kind conf_pci;        /* char[][]: list of PCI addresses */
extern const struct conf_kind conf_cpus;       /* int[]: list of CPUs, -1 behind its end */
extern const struct conf_kind conf_hugepages;  /* the two flags of struct weir_conf */
extern const struct conf_kind conf_ports;      /* tcp.port_min and port_max */
extern const struct conf_kind conf_addrs;      /* struct weir_conf_prefix[] */
extern const struct conf_kind conf_net;        /* struct weir_conf_prefix, no host bits */
extern const struct conf_kind conf_addr;       /* uint8_t[16] */
extern const struct conf_kind conf_mac;        /* uint8_t[6] */
extern const struct conf_kind conf_offloads;   /* uint32_t of enum weir_port_cap */

#endif
