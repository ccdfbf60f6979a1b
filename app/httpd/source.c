/* SPDX-License-Identifier: BSD-3-Clause */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_common.h>

char *
source_pattern_new(size_t chunk_max)
{
	char *pattern = malloc(SOURCE_PERIOD + chunk_max);
	uint32_t x = 1;

	for (size_t i = 0; pattern != NULL && i < SOURCE_PERIOD + chunk_max; i++) {
		if (i % SOURCE_PERIOD == 0)
			x = 1;
		x = x * 1664525 + 1013904223;
		pattern[i] = (char)(x >> 24);
	}
	return pattern;
}

static ssize_t
read_file(const struct source *s, char *room, size_t max)
{
	const ssize_t n = pread(s->fd, room, max, (off_t)s->at);

	if (n < 0)
		return -errno;
	return n == 0 ? -EIO : n;
}

ssize_t
source_peek(const struct source *s, char *room, size_t max, const char **part)
{
	const size_t n = (size_t)RTE_MIN((uint64_t)max, s->len - s->at);

	*part = room;
	if (n == 0)
		return 0;
	if (s->kind == SOURCE_FILE)
		return read_file(s, room, n);
	*part = s->text + (s->kind == SOURCE_PATTERN ? s->at % SOURCE_PERIOD : s->at);
	return (ssize_t)n;
}

void
source_end(struct source *s)
{
	if (s->kind == SOURCE_FILE)
		close(s->fd);
	*s = (struct source){0};
}
