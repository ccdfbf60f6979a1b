/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * lwIP as the server, for comparison: Debian's library, raw API, on a port of the bed.
 * Model   Received mbufs are lwIP's pbufs without a copy (custom pbufs); what it sends is copied
 *         into mbufs, since it keeps its own for sending again. One turn: a burst in, timers, a
 *         burst out. Built where liblwip-dev is; else no_lwip.c says that it is not.
 */
#ifndef PERF_LWIP_H
#define PERF_LWIP_H

#include "perf.h"

struct perf_lwip;

/** One in a process: lwIP's state is global. @return NULL: said on stderr */
struct perf_lwip *perf_lwip_open(const struct perf_opts *o);

/** May be NULL. */
void perf_lwip_close(struct perf_lwip *s);

void perf_lwip_turn(struct perf_lwip *s);

/** Its port's packets, and what its application has done. */
void perf_lwip_counts(struct perf_lwip *s, struct perf_counts *counts);

/* lwip_app.c */

/** What the application needs to know. */
struct perf_lwip_app {
	const struct perf_opts *o;
	struct perf_counts *counts;
	char *bytes; /* PERF_BULK_LEN, to send and to copy to */
};

/** Listen, or bind. @return 0 or -ENOMEM */
int perf_lwip_serve(struct perf_lwip_app *app);

#endif
