/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Ports on any DPDK poll-mode driver.
 * Model   The device is named as DPDK names it: a vdev ("net_tap0") or a PCI address. Opening
 *         configures and starts it, because several drivers tell only then what they really do
 *         (RSS key, redirection table, interrupts); frames received before start() wait in its
 *         descriptors. Offloads are used where the device reports them, less conf->caps_off and
 *         what is known not to work (offload.c).
 * Owner   A device has one owner (rte_eth_dev_owner_set): a second open fails with -EBUSY. close()
 *         closes the ethdev, so that its buffers go back to their pools; a later open probes
 *         the device again.
 * Thread  As weir_port.h says; every control call before start or from the control thread.
 */
#ifndef WEIR_ETHDEV_H
#define WEIR_ETHDEV_H

#include "weir_port.h"

extern const struct weir_driver weir_ethdev_driver; /* "ethdev" */

#endif
