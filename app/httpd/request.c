/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked for, and the answer's head. */
#include "conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char welcome[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Weir</title></head>\n"
	"<body><h1>Weir</h1>\n"
	"<p>This page came through a TCP stack in user space, over DPDK.</p>\n"
	"<ul>\n"
	"<li><code>GET /size/N</code>: N bytes (K, M, G) of a fixed pattern</li>\n"
	"<li><code>PUT /sink</code>: counts what it gets, tells its CRC32C, keeps nothing</li>\n"
	"<li><code>--root DIR</code>: files; <code>PUT</code> makes new ones</li>\n"
	"</ul></body></html>\n";

/* The answer's head */

/* Append n bytes, or as many as there is room for. */
static void
put(struct conn *c, const char *bytes, size_t n)
{
	n = RTE_MIN(n, sizeof(c->out) - c->out_len);
	memcpy(c->out + c->out_len, bytes, n);
	c->out_len += (uint16_t)n;
}

static void
put_text(struct conn *c, const char *text)
{
	put(c, text, strlen(text));
}

static void
put_number(struct conn *c, uint64_t n)
{
	char digits[20];
	char *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	put(c, first, (size_t)(digits + sizeof(digits) - first));
}

static void
put_field(struct conn *c, const char *name, const char *value)
{
	put_text(c, name);
	put_text(c, value);
	put_text(c, "\r\n");
}

/* RFC 9110 5.6.7; made anew once a second. */
static const char *
date(struct httpd_lane *lane)
{
	const time_t now = time(NULL);
	struct tm tm;

	if (now != lane->date_s) {
		lane->date_s = now;
		strftime(
			lane->date, sizeof(lane->date), "%a, %d %b %Y %T GMT", gmtime_r(&now, &tm));
	}
	return lane->date;
}

/* @param type  of the content, or NULL: no content, so no length either where that is forbidden */
static void
answer(struct conn *c, int status, const char *type, uint64_t length)
{
	put_text(c, "HTTP/1.1 ");
	put_number(c, (uint64_t)status);
	put_field(c, " ", http_reason(status));
	put_field(c, "Date: ", date(c->lane));
	put_text(c, "Server: weir-httpd\r\n");
	if (type != NULL)
		put_field(c, "Content-Type: ", type);
	if (status != 204) {
		put_text(c, "Content-Length: ");
		put_number(c, length);
		put_text(c, "\r\n");
	}
	if (status == 405)
		put_text(c, "Allow: GET, HEAD, PUT\r\n");
	put_field(c, "Connection: ", c->must_close ? "close" : "keep-alive");
	put_text(c, "\r\n");
	c->phase = CONN_ANSWER;
}

static void
answer_text(struct conn *c, int status, const char *text)
{
	answer(c, status, "text/plain", strlen(text));
	if (!c->is_head)
		put_text(c, text);
}

void
request_refuse(struct conn *c, int status)
{
	char text[64];

	c->lane->n.refused++;
	upload_cancel(&c->upload);
	if (c->body.state != HTTP_BODY_DONE || status == 400 || status == 411 || status == 431)
		c->must_close = true; /* where the next request starts is not known */
	c->must_linger = c->must_close;
	snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));
	answer_text(c, status, text);
}

static int
status_of(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return 404;
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return 403;
	case -EISDIR:
		return 409;
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return 507;
	default:
		return 500;
	}
}

/* GET and HEAD */

static void
answer_source(struct conn *c, const struct source *s, const char *type)
{
	answer(c, 200, type, s->len);
	c->source = *s;
	if (c->is_head)
		source_end(&c->source);
}

/* "64", "64K", "64M", "64G", up to HTTPD_BODY_MAX. */
static bool
parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMG";
	unsigned int digits = 0, shift = 0;
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9' && digits < 12; digits++)
		n = n * 10 + (uint64_t)(*text++ - '0');
	if (*text != '\0') {
		const char *unit = strchr(units, *text++);

		shift = unit == NULL ? 63 : 10 * (unsigned int)(unit - units + 1);
	}
	*size = n << shift;
	return digits > 0 && *text == '\0' && shift < 63 && n <= HTTPD_BODY_MAX >> shift;
}

static void
get_pattern(struct conn *c, const char *size)
{
	struct source s = {.kind = SOURCE_PATTERN, .text = c->h->pattern};

	if (parse_size(size, &s.len))
		answer_source(c, &s, "application/octet-stream");
	else
		request_refuse(c, 404);
}

static void
get_file(struct conn *c, const char *path)
{
	struct source s = {.kind = SOURCE_FILE};
	const bool is_dir = path[strlen(path) - 1] == '/';

	s.fd = c->h->root < 0 ? -ENOENT : root_open(c->h->root, path, &s.len);
	if (s.fd >= 0) {
		answer_source(c, &s, http_media_type(is_dir ? ".html" : path));
	} else if (strcmp(path, "/") == 0) {
		s = (struct source){SOURCE_TEXT, -1, welcome, 0, sizeof(welcome) - 1};
		answer_source(c, &s, http_media_type(".html"));
	} else {
		request_refuse(c, status_of(s.fd));
	}
}

static void
begin_get(struct conn *c, const char *path)
{
	if (c->body.state != HTTP_BODY_DONE)
		request_refuse(c, 400); /* content here has no meaning, RFC 9110 9.3.1 */
	else if (strncmp(path, "/size/", 6) == 0)
		get_pattern(c, path + 6);
	else
		get_file(c, path);
}

/* PUT */

static int
open_upload(struct conn *c, const struct http_req *req, const char *path)
{
	int rc;

	if (!req->is_chunked && !req->has_length)
		return 411;
	if (req->length > HTTPD_BODY_MAX)
		return 413;
	if (strcmp(path, "/sink") == 0) {
		upload_begin_sink(&c->upload);
		return 0;
	}
	if (c->h->root < 0)
		return 403;
	rc = upload_begin_file(&c->upload, c->h->root, path,
		__atomic_fetch_add(&c->h->n_puts, 1, __ATOMIC_RELAXED));
	return rc == 0 ? 0 : status_of(rc);
}

static void
begin_put(struct conn *c, const struct http_req *req, const char *path)
{
	const int status = open_upload(c, req, path);

	if (status != 0) {
		request_refuse(c, status);
	} else if (c->body.state == HTTP_BODY_DONE) {
		request_body_done(c);
	} else {
		c->phase = CONN_BODY;
		if (req->expects_continue)
			put_text(c, "HTTP/1.1 100 Continue\r\n\r\n");
	}
}

static void
answer_sink(struct conn *c)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " bytes, crc32c %08" PRIx32 "\n", c->upload.bytes,
		upload_crc(&c->upload));
	answer_text(c, 200, text);
}

void
request_body_done(struct conn *c)
{
	const enum upload_kind kind = c->upload.kind;
	const int rc = upload_commit(&c->upload);

	if (rc < 0)
		request_refuse(c, status_of(rc));
	else if (kind == UPLOAD_SINK)
		answer_sink(c);
	else
		answer(c, rc == 1 ? 201 : 204, NULL, 0);
}

void
request_begin(struct conn *c, const struct http_req *req)
{
	char path[ROOT_PATH_MAX];

	if (req->method == HTTP_OTHER)
		request_refuse(c, 501);
	else if (req->method == HTTP_KNOWN)
		request_refuse(c, 405);
	else if (req->target_len >= sizeof(path))
		request_refuse(c, 404);
	else if (!http_decode(req->target, req->target_len, path))
		request_refuse(c, 400);
	else if (req->method == HTTP_PUT)
		begin_put(c, req, path);
	else
		begin_get(c, path);
}
