/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_impair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

/* Field kinds; all but the rate are uint32_t. */
enum kind { KIND_PROBABILITY, KIND_BURST, KIND_NUMBER, KIND_TIME_US, KIND_RATE, KIND_BYTES };

static const char *const allowed[] = {
	[KIND_PROBABILITY] = "a probability: 0 to 1, or 0% to 100%",
	[KIND_BURST] = "ENTER:LEAVE or ENTER:LEAVE:LOSS, probabilities",
	[KIND_NUMBER] = "a number, 0 to 65535",
	[KIND_TIME_US] = "a time up to an hour: 10ms, 100us, 1s, or a number of microseconds",
	[KIND_RATE] = "bits a second: 64kbit, 100Mbit, 1.5Gbit, or a number",
	[KIND_BYTES] = "bytes: 64k, 1M, or a number, up to 1G",
};

struct unit {
	const char *name;
	double factor;
};

static const struct unit fractions[] = {{"", 1}, {"%", 0.01}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};
static const struct unit times[] = {{"", 1}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {NULL, 0}};
static const struct unit rates[] = {
	{"", 1}, {"bit", 1}, {"kbit", 1e3}, {"Mbit", 1e6}, {"Gbit", 1e9}, {NULL, 0}};
static const struct unit sizes[] = {
	{"", 1}, {"k", 1024}, {"M", 1048576}, {"G", 1073741824}, {NULL, 0}};

static const struct {
	const char *key;
	enum kind kind;
	size_t offset;
} fields[] = {
	{"loss", KIND_PROBABILITY, offsetof(struct weir_impair, loss_ppm)},
	{"dup", KIND_PROBABILITY, offsetof(struct weir_impair, dup_ppm)},
	{"corrupt", KIND_PROBABILITY, offsetof(struct weir_impair, corrupt_ppm)},
	{"corrupt_bits", KIND_NUMBER, offsetof(struct weir_impair, corrupt_bits)},
	{"reorder", KIND_PROBABILITY, offsetof(struct weir_impair, reorder_ppm)},
	{"reorder_pkts", KIND_NUMBER, offsetof(struct weir_impair, reorder_pkts)},
	{"reorder_time", KIND_TIME_US, offsetof(struct weir_impair, reorder_us)},
	{"delay", KIND_TIME_US, offsetof(struct weir_impair, delay_us)},
	{"delay_us", KIND_TIME_US, offsetof(struct weir_impair, delay_us)},
	{"jitter", KIND_TIME_US, offsetof(struct weir_impair, jitter_us)},
	{"jitter_us", KIND_TIME_US, offsetof(struct weir_impair, jitter_us)},
	{"queue", KIND_BYTES, offsetof(struct weir_impair, queue_bytes)},
	{"rate", KIND_RATE, offsetof(struct weir_impair, rate_bps)},
	{"burst", KIND_BURST, offsetof(struct weir_impair, burst_enter_ppm)},
};

/* A number with one of the units, up to max once multiplied. @return false when it is not */
static bool
parse_units(const char *text, const struct unit *units, double max, double *value)
{
	char *end;
	const double number = strtod(text, &end);

	if (end == text || !(number >= 0))
		return false;
	for (; units->name != NULL; units++) {
		if (strcmp(end, units->name) == 0) {
			*value = number * units->factor;
			return *value <= max;
		}
	}
	return false;
}

static bool
parse_u32(const char *text, const struct unit *units, double max, double scale, uint32_t *field)
{
	double value;

	if (!parse_units(text, units, max, &value))
		return false;
	*field = (uint32_t)(value * scale + 0.5);
	return true;
}

static bool
parse_probability(const char *text, uint32_t *ppm)
{
	return parse_u32(text, fractions, 1, WEIR_PPM, ppm);
}

static bool
parse_burst(struct weir_impair *im, const char *text)
{
	char copy[64];
	char *part[4] = {NULL};
	char *save = NULL;
	int n = 0;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	for (char *p = strtok_r(copy, ":", &save); p != NULL; p = strtok_r(NULL, ":", &save)) {
		if (n == 3)
			return false;
		part[n++] = p;
	}
	return n >= 2 && parse_probability(part[0], &im->burst_enter_ppm) &&
	       parse_probability(part[1], &im->burst_leave_ppm) &&
	       parse_probability(n == 3 ? part[2] : "1", &im->burst_loss_ppm);
}

static bool
parse_rate(const char *text, uint64_t *bps)
{
	double value;

	if (!parse_units(text, rates, 1e12, &value))
		return false;
	*bps = (uint64_t)(value + 0.5);
	return true;
}

static bool
parse_field(struct weir_impair *im, enum kind kind, void *field, const char *value)
{
	switch (kind) {
	case KIND_PROBABILITY:
		return parse_probability(value, field);
	case KIND_BURST:
		return parse_burst(im, value);
	case KIND_NUMBER:
		return parse_u32(value, plain, 65535, 1, field);
	case KIND_TIME_US:
		return parse_u32(value, times, 3600e6, 1, field);
	case KIND_RATE:
		return parse_rate(value, field);
	case KIND_BYTES:
		return parse_u32(value, sizes, 1 << 30, 1, field);
	}
	return false;
}

int
weir_impair_parse(
	struct weir_impair *impair, const char *key, const char *value, char *err, size_t err_len)
{
	for (size_t i = 0; i < RTE_DIM(fields); i++) {
		struct weir_impair changed = *impair;

		if (strcmp(key, fields[i].key) != 0)
			continue;
		if (value == NULL || !parse_field(&changed, fields[i].kind,
					     (char *)&changed + fields[i].offset, value)) {
			snprintf(err, err_len, "%s = %s: allowed is %s", key,
				value == NULL ? "" : value, allowed[fields[i].kind]);
			return -EINVAL;
		}
		*impair = changed;
		return 0;
	}
	snprintf(err, err_len, "unknown key %s", key);
	return -ENOENT;
}
