/* SPDX-License-Identifier: BSD-3-Clause */
#include "hist.h"

#include <inttypes.h>
#include <string.h>

#define SUB (1u << LOAD_HIST_SUB_BITS)

static unsigned int
bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < 2 * SUB)
		return (unsigned int)value;
	shift = 63 - (unsigned int)__builtin_clzll(value) - LOAD_HIST_SUB_BITS;
	return shift * SUB + (unsigned int)(value >> shift);
}

static uint64_t
upper_end(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * SUB)
		return bucket;
	shift = bucket / SUB - 1;
	return ((uint64_t)(bucket % SUB + SUB + 1) << shift) - 1;
}

void
load_hist_clear(struct load_hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

void
load_hist_add(struct load_hist *h, uint64_t value)
{
	if (value > LOAD_HIST_MAX)
		value = LOAD_HIST_MAX;
	h->n++;
	h->sum += (double)value;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count[bucket_of(value)]++;
}

uint64_t
load_hist_at(const struct load_hist *h, double percent)
{
	const double rank = (double)h->n * percent / 100;
	uint64_t seen = 0;

	if (h->n == 0)
		return 0;
	for (unsigned int i = 0; i < LOAD_HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen > 0 && (double)seen >= rank)
			return upper_end(i) < h->max ? upper_end(i) : h->max;
	}
	return h->max;
}

void
load_hist_print(const struct load_hist *h, FILE *out, double unit)
{
	uint64_t seen = 0;

	for (unsigned int i = 0; i < LOAD_HIST_BUCKETS; i++) {
		if (h->count[i] == 0)
			continue;
		seen += h->count[i];
		fprintf(out, "%12.3f %14.12f %10" PRIu64, (double)upper_end(i) / unit,
			(double)seen / (double)h->n, seen);
		if (seen < h->n)
			fprintf(out, " %14.2f", (double)h->n / (double)(h->n - seen));
		fputc('\n', out);
	}
}
