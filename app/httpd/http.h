/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * HTTP/1.1 requests as values: bytes in, values out, no input or output (RFC 9110, RFC 9112).
 * Model   http_head_len() finds the end of a head, http_parse() reads it, http_body_next() takes
 *         the body apart as it comes, in pieces of any size.
 * Owner   A request points into the head it was read from, or to constants.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_PUT,
	HTTP_KNOWN, /* a method of RFC 9110 that this server does not do */
	HTTP_OTHER,
};

struct http_req {
	enum http_method method;
	const char *target; /* as sent, without scheme, host and query; starts with '/' or is "*" */
	size_t target_len;
	bool keep_alive;
	bool expects_continue;
	bool is_chunked;
	bool has_length;
	uint64_t length; /* of the body, unless it is chunked */
};

/** @return bytes of the head that data begins with, its empty line included; 0: not complete */
size_t http_head_len(const char *data, size_t len);

/**
 * @param head  head[len], a complete one
 * @return      0, or the status to refuse it with: 400, 417, 501, 505
 */
int http_parse(const char *head, size_t len, struct http_req *req);

/** Where in its body a request is. */
struct http_body {
	enum http_body_state {
		HTTP_BODY_DATA,       /* left bytes, then it ends (or the chunk does) */
		HTTP_BODY_SIZE,       /* in the digits of a chunk's size */
		HTTP_BODY_EXTENSION,  /* behind them, up to the end of the line */
		HTTP_BODY_SIZE_LF,    /* the line feed of that line */
		HTTP_BODY_DATA_CR,    /* the line end behind a chunk's data */
		HTTP_BODY_DATA_LF,
		HTTP_BODY_TRAILER,    /* at the start of a line behind the last chunk */
		HTTP_BODY_FIELD,      /* in such a line */
		HTTP_BODY_LAST_LF,    /* the line feed of the empty line */
		HTTP_BODY_DONE,
	} state;
	bool is_chunked;
	uint8_t n_digits;
	uint16_t n_line; /* bytes of extensions and trailers so far: bounded */
	uint64_t left;
};

void http_body_init(struct http_body *b, const struct http_req *req);

/**
 * Take the next piece.
 * @param part      out: the bytes of the body in it, part[*part_len]; may be none
 * @return          bytes of data[len] used, more than 0 unless len is 0 or b is done; -1: malformed
 */
ptrdiff_t http_body_next(struct http_body *b, const char *data, size_t len, const char **part,
	size_t *part_len);

/**
 * Undo percent encoding.
 * @param path  out: path[len + 1], ends with 0
 * @return      false: malformed, or it contains a 0 byte
 */
bool http_decode(const char *target, size_t len, char *path);

/** The value of a hexadecimal digit, or -1. */
int http_hex(char c);

/** The words of a status: "Not Found". */
const char *http_reason(int status);

/** Media type by the name's ending. */
const char *http_media_type(const char *name);

#endif
