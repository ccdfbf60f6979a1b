/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A histogram of times: every value is kept to within 1 %, from a nanosecond to half an hour.
 * Model   Buckets of equal width within a power of two, 128 of them: an array of counters, no
 *         allocation, a few cycles for a value.
 * Thread  One thread.
 */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H

#include <stdint.h>
#include <stdio.h>

#define LOAD_HIST_SUB_BITS 7
#define LOAD_HIST_MAX	   ((UINT64_C(1) << 41) - 1) /* larger values count as this one */
#define LOAD_HIST_BUCKETS  ((41 - LOAD_HIST_SUB_BITS + 1) << LOAD_HIST_SUB_BITS)

struct load_hist {
	uint64_t n;
	uint64_t min; /* with n > 0 */
	uint64_t max;
	double sum;
	uint64_t count[LOAD_HIST_BUCKETS];
};

void load_hist_clear(struct load_hist *h);

void load_hist_add(struct load_hist *h, uint64_t value);

/**
 * The value that so many percent of all values do not exceed: the upper end of its bucket, but not
 * beyond max. 0 without values.
 * @param percent  0 to 100
 */
uint64_t load_hist_at(const struct load_hist *h, double percent);

/** value, part of all, number, 1/(1 - part) of every bucket that is not empty; values by unit. */
void load_hist_print(const struct load_hist *h, FILE *out, double unit);

#endif
