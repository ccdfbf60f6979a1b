/* SPDX-License-Identifier: BSD-3-Clause */
/* In the place of lwip.c where liblwip-dev was not found. */
#include <stdio.h>

#include "lwip.h"

struct perf_lwip *
perf_lwip_open(const struct perf_opts *o)
{
	fprintf(stderr, "built without lwIP: install liblwip-dev, configure again\n");
	return NULL;
}

void
perf_lwip_close(struct perf_lwip *s)
{
}

void
perf_lwip_turn(struct perf_lwip *s)
{
}

void
perf_lwip_counts(struct perf_lwip *s, struct perf_counts *counts)
{
}
