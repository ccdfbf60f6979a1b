/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Where the body of an answer comes from: nothing, a text, a file, or a pattern of any length.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Byte i of the pattern is byte i % SOURCE_PERIOD of source_pattern_new(): a prime, so that no
 *  power of two that gets lost goes unnoticed. */
#define SOURCE_PERIOD 65521

struct source {
	enum source_kind { SOURCE_NONE, SOURCE_TEXT, SOURCE_FILE, SOURCE_PATTERN } kind;
	int fd;           /* SOURCE_FILE; closed by source_end() */
	const char *text; /* SOURCE_TEXT, SOURCE_PATTERN: not owned */
	uint64_t at;      /* bytes taken so far */
	uint64_t len;
};

/** The pattern, once, with some bytes more so that chunk_max can be taken at any place. malloc. */
char *source_pattern_new(size_t chunk_max);

/**
 * The bytes at s->at.
 * @param room  room[max], for sources that have to be read
 * @param part  out: part[result], valid until room is used again
 * @return      bytes, 0 at the end, negative errno; -EIO: the file has become shorter
 */
ssize_t source_peek(const struct source *s, char *room, size_t max, const char **part);

void source_end(struct source *s);

#endif
