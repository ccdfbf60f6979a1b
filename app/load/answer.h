/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Answers in a stream of bytes: where one ends.
 * Model   An echo's answer has the size of its request; an HTTP/1.x answer says its length in its
 *         head. Bytes come in any pieces; of a line of the head only the beginning is kept.
 */
#ifndef LOAD_ANSWER_H
#define LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_LINE_MAX 47

/** Zeroed: at the beginning of an answer. */
struct load_answer {
	uint64_t left; /* of the body, once is_body; before it, what the head says */
	bool has_status;
	bool has_length;
	bool is_body;
	uint8_t n_line;
	char line[LOAD_LINE_MAX + 1]; /* the beginning of the line that is not complete */
};

/** Echo: answers of size bytes each. @return those that end in these bytes */
unsigned int load_answer_echo(struct load_answer *a, size_t len, unsigned int size);

/**
 * HTTP: @return answers that end in these bytes; -EPROTO: not HTTP, not a 200, or of a length that
 * the head does not say
 */
int load_answer_http(struct load_answer *a, const char *at, size_t len);

#endif
