/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What weir-check looks at: can this machine run that configuration?
 * Model   Each check_*() prints findings, one line each: a level, what it is about, what is wrong
 *         and what to do. Only files below root are read, so that a test can show another machine.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "weir_conf.h"
#include "weir_sys.h"

#define CHECK_CPUS_MAX 1024

enum check_level {
	CHECK_OK,
	CHECK_NOTE,  /* it will run, but differently than one might think */
	CHECK_FAULT, /* it will not run */
};

struct check {
	const struct weir_conf *conf;
	const char *root; /* "": this machine */
	FILE *out;
	unsigned int n_faults;
};

void check_say(struct check *c, enum check_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** May this process do what needs a capability (CAP_NET_ADMIN, ...)? */
bool check_has_capability(const struct check *c, unsigned int capability);

/** Will EAL use hugepages for this configuration here? */
bool check_uses_hugepages(const struct check *c);

void check_memory(struct check *c);
void check_cpus(struct check *c);
void check_pci(struct check *c);
void check_vdevs(struct check *c);
void check_ports(struct check *c); /* that [eal] provides their devices */

/* ---- DPDK's drivers, as their plugin files describe them ---- */

#define CHECK_DRIVER_MAX 128

struct check_driver {
	char name[CHECK_DRIVER_MAX]; /* "net_e1000_em" */
	char kmod[CHECK_DRIVER_MAX]; /* kernel drivers it works with; empty: any */
};

/** The driver for a virtual device: "net_tap0" -> net_tap. @return 0, -ENOENT, or why the plugins
 *  can't be read */
int check_find_vdev_driver(const struct check *c, const char *device, struct check_driver *found);

/** The driver for a PCI device by its numbers. @return as above */
int check_find_pci_driver(const struct check *c, unsigned int vendor, unsigned int device,
	struct check_driver *found);

#endif
