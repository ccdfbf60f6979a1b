/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Which NUMA node a CPU, an lcore or a PCI device is on. SOCKET_ID_ANY where the machine does not
 * say or has no nodes. root: as in weir_sys.h.
 */
#ifndef WEIR_NUMA_H
#define WEIR_NUMA_H

int weir_numa_of_cpu(const char *root, int cpu);

/** Of the CPUs an lcore may run on; SOCKET_ID_ANY where they lie on several nodes. */
int weir_numa_of_lcore(unsigned int lcore_id);

/** @param device  "0000:01:00.0"; what follows a comma is ignored */
int weir_numa_of_pci(const char *root, const char *device);

#endif
