/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH "content-length:"

unsigned int
load_answer_echo(struct load_answer *a, size_t len, unsigned int size)
{
	unsigned int n;

	a->left += len; /* of an echo: what has come */
	n = (unsigned int)(a->left / size);
	a->left %= size;
	return n;
}

static int
status_line(struct load_answer *a)
{
	a->has_status = true;
	if (strncmp(a->line, "HTTP/1.", 7) != 0 || a->n_line < 12)
		return -EPROTO;
	return strncmp(a->line + 8, " 200", 4) == 0 && strchr(" ", a->line[12]) != NULL ? 0
											: -EPROTO;
}

static int
field(struct load_answer *a)
{
	const char *value = a->line + sizeof(LENGTH) - 1;
	char *end;

	if (strncasecmp(a->line, LENGTH, sizeof(LENGTH) - 1) != 0)
		return 0;
	value += strspn(value, " \t");
	if (*value < '0' || *value > '9')
		return -EPROTO;
	a->left = strtoull(value, &end, 10);
	a->has_length = true;
	return *end == '\0' || strchr(" \t", *end) != NULL ? 0 : -EPROTO;
}

/* A line of the head is complete. */
static int
take_line(struct load_answer *a)
{
	if (a->n_line > 0 && a->line[a->n_line - 1] == '\r')
		a->n_line--;
	a->line[a->n_line] = '\0';
	if (!a->has_status)
		return status_line(a);
	if (a->n_line > 0)
		return field(a);
	a->is_body = true;
	return a->has_length ? 0 : -EPROTO;
}

/* @return bytes of the head among these; -EPROTO */
static ssize_t
take_head(struct load_answer *a, const char *at, size_t len)
{
	const char *end = memchr(at, '\n', len);
	const size_t used = end == NULL ? len : (size_t)(end - at);
	const size_t room = LOAD_LINE_MAX - a->n_line;
	int rc;

	memcpy(a->line + a->n_line, at, used < room ? used : room);
	a->n_line = (uint8_t)(a->n_line + (used < room ? used : room));
	if (end == NULL)
		return (ssize_t)used;
	rc = take_line(a);
	a->n_line = 0;
	return rc < 0 ? rc : (ssize_t)used + 1;
}

static size_t
take_body(struct load_answer *a, size_t len)
{
	const size_t used = len < a->left ? len : (size_t)a->left;

	a->left -= used;
	return used;
}

int
load_answer_http(struct load_answer *a, const char *at, size_t len)
{
	int n = 0;

	while (len > 0) {
		const ssize_t used =
			a->is_body ? (ssize_t)take_body(a, len) : take_head(a, at, len);

		if (used < 0)
			return (int)used;
		at += used;
		len -= (size_t)used;
		if (!a->is_body || a->left > 0)
			continue;
		memset(a, 0, sizeof(*a));
		n++;
	}
	return n;
}
