/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies as they come, RFC 9112 6 and 7: of a known length, or in chunks. */
#include "http.h"

#define LINE_MAX_BYTES 4096 /* extensions and trailers in one body */

void
http_body_init(struct http_body *b, const struct http_req *req)
{
	*b = (struct http_body){.is_chunked = req->is_chunked, .left = req->length};
	if (b->is_chunked)
		b->state = HTTP_BODY_SIZE;
	else if (b->left == 0)
		b->state = HTTP_BODY_DONE;
}

static ptrdiff_t
take_data(struct http_body *b, const char *data, size_t len, const char **part, size_t *part_len)
{
	const size_t n = len < b->left ? len : (size_t)b->left;

	*part = data;
	*part_len = n;
	b->left -= n;
	if (b->left == 0)
		b->state = b->is_chunked ? HTTP_BODY_DATA_CR : HTTP_BODY_DONE;
	return (ptrdiff_t)n;
}

/* The size line is over. */
static enum http_body_state
after_size(const struct http_body *b)
{
	return b->left == 0 ? HTTP_BODY_TRAILER : HTTP_BODY_DATA;
}

static bool
size_byte(struct http_body *b, char c)
{
	const int digit = http_hex(c);

	if (digit >= 0) {
		b->left = b->left << 4 | (unsigned int)digit;
		return ++b->n_digits <= 15;
	}
	if (b->n_digits == 0)
		return false;
	b->n_digits = 0;
	if (c == ';' || c == ' ' || c == '\t')
		b->state = HTTP_BODY_EXTENSION;
	else if (c == '\r')
		b->state = HTTP_BODY_SIZE_LF;
	else
		return false;
	return true;
}

static bool
expect(struct http_body *b, char c, char wanted, enum http_body_state next)
{
	b->state = next;
	return c == wanted;
}

/* One byte outside of the data. @return false: malformed */
static bool
frame_byte(struct http_body *b, char c)
{
	switch (b->state) {
	case HTTP_BODY_SIZE:
		return size_byte(b, c);
	case HTTP_BODY_EXTENSION:
		if (c == '\r')
			b->state = HTTP_BODY_SIZE_LF;
		return c != '\n' && ++b->n_line < LINE_MAX_BYTES;
	case HTTP_BODY_SIZE_LF:
		return expect(b, c, '\n', after_size(b));
	case HTTP_BODY_DATA_CR:
		return expect(b, c, '\r', HTTP_BODY_DATA_LF);
	case HTTP_BODY_DATA_LF:
		return expect(b, c, '\n', HTTP_BODY_SIZE);
	case HTTP_BODY_TRAILER:
		b->state = c == '\r' ? HTTP_BODY_LAST_LF : HTTP_BODY_FIELD;
		return c != '\n' && ++b->n_line < LINE_MAX_BYTES;
	case HTTP_BODY_FIELD:
		if (c == '\n')
			b->state = HTTP_BODY_TRAILER;
		return ++b->n_line < LINE_MAX_BYTES;
	case HTTP_BODY_LAST_LF:
		return expect(b, c, '\n', HTTP_BODY_DONE);
	default:
		return false;
	}
}

ptrdiff_t
http_body_next(
	struct http_body *b, const char *data, size_t len, const char **part, size_t *part_len)
{
	size_t used = 0;

	*part = data;
	*part_len = 0;
	while (used < len && b->state != HTTP_BODY_DONE && b->state != HTTP_BODY_DATA)
		if (!frame_byte(b, data[used++]))
			return -1;
	if (used == 0 && len > 0 && b->state == HTTP_BODY_DATA)
		return take_data(b, data, len, part, part_len);
	return (ptrdiff_t)used;
}
