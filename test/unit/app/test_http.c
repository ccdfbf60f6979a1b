/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-httpd's reading of requests. Data lies in memory of its exact size: a sanitizer sees a byte
 * read too far. */
#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define HOST "Host: a\r\n"

static char *
exactly(const char *text, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);

	memcpy(copy, text, len);
	return copy;
}

/* The target is only kept where target_keep says. */
static int
parse_into(const char *text, struct http_req *req, char *target_keep)
{
	const size_t len = strlen(text);
	char *copy = exactly(text, len);
	int status;

	CU_ASSERT_EQUAL(http_head_len(copy, len), len);
	status = http_parse(copy, len, req);
	if (status == 0 && target_keep != NULL)
		memcpy(target_keep, req->target, req->target_len);
	req->target = target_keep;
	free(copy);
	return status;
}

static int
parse(const char *text, struct http_req *req)
{
	return parse_into(text, req, NULL);
}

static int
status_of(const char *text)
{
	struct http_req req;

	return parse(text, &req);
}

static bool
target_is(const struct http_req *req, const char *target)
{
	return req->target_len == strlen(target) &&
	       memcmp(req->target, target, req->target_len) == 0;
}

static void
a_head_is_complete_with_its_empty_line(void)
{
	static const char head[] = "\r\nGET / HTTP/1.1\r\n" HOST "\r\n";
	const size_t len = strlen(head);

	for (size_t n = 0; n < len; n++) {
		char *copy = exactly(head, n);

		CU_ASSERT_EQUAL(http_head_len(copy, n), 0);
		free(copy);
	}
	CU_ASSERT_EQUAL(http_head_len(head, len), len);
	CU_ASSERT_EQUAL(http_head_len("GET / HTTP/1.1\n\nmore", 20), 16);
}

static void
a_request_is_read(void)
{
	struct http_req req;
	char target[64];

	CU_ASSERT_EQUAL(parse_into("PUT /a/b?c HTTP/1.1\r\n" HOST
				   "content-LENGTH:\t 12 \r\nExpect: 100-continue\r\n\r\n",
				&req, target),
		0);
	CU_ASSERT_EQUAL(req.method, HTTP_PUT);
	CU_ASSERT(target_is(&req, "/a/b"));
	CU_ASSERT(req.keep_alive && req.has_length && req.expects_continue && !req.is_chunked);
	CU_ASSERT_EQUAL(req.length, 12);
}

static void
a_target_may_name_the_host(void)
{
	struct http_req req;
	char target[64];

	CU_ASSERT_EQUAL(parse_into("GET http://b:80/x HTTP/1.1\r\n" HOST "\r\n", &req, target), 0);
	CU_ASSERT(target_is(&req, "/x"));
	CU_ASSERT_EQUAL(parse_into("GET http://b HTTP/1.1\r\n" HOST "\r\n", &req, target), 0);
	CU_ASSERT(target_is(&req, "/"));
}

static void
connections_are_kept_by_version_and_word(void)
{
	static const struct {
		const char *version, *fields;
		bool keep_alive;
	} table[] = {
		{"1.1", "", true},
		{"1.1", "Connection: close\r\n", false},
		{"1.1", "Connection: keep-alive, Close\r\n", false},
		{"1.1", "Connection: close\r\nConnection: keep-alive\r\n", false},
		{"1.0", "", false},
		{"1.0", "Connection: foo, keep-alive\r\n", true},
		{"1.0", "Connection: keep-alive, close\r\n", false},
	};
	struct http_req req;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), "GET / HTTP/%s\r\n" HOST "%s\r\n", table[i].version,
			table[i].fields);
		CU_ASSERT_EQUAL(parse(text, &req), 0);
		CU_ASSERT_EQUAL(req.keep_alive, table[i].keep_alive);
	}
}

static void
wrong_requests_are_refused_with_the_fitting_status(void)
{
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET x HTTP/1.1\r\n" HOST "\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("G T / HTTP/1.1\r\n" HOST "\r\n"), 400);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/2.0\r\n" HOST "\r\n"), 505);
	CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n" HOST "Expect: x\r\n\r\n"), 417);
	CU_ASSERT_EQUAL(status_of("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\n\r\n"), 501);
	CU_ASSERT_EQUAL(
		status_of("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\nno colon\r\n\r\n"),
		400);
	CU_ASSERT_EQUAL(status_of("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

static void
a_length_is_digits_said_once_or_the_same_twice(void)
{
#define PUT_WITH(fields) "PUT / HTTP/1.1\r\n" HOST fields "\r\n"
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: 18446744073709551615\r\n")), 0);
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: 18446744073709551616\r\n")), 400);
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: \r\n")), 400);
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: +1\r\n")), 400);
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: 1 2\r\n")), 400);
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: 1\r\nContent-Length: 1\r\n")), 0);
	CU_ASSERT_EQUAL(status_of(PUT_WITH("Content-Length: 1\r\nContent-Length: 2\r\n")), 400);
	CU_ASSERT_EQUAL(
		status_of(PUT_WITH("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 400);
}

/* Take a body in pieces of step bytes. @return bytes used, or -1; its content in out */
static ptrdiff_t
take(const struct http_req *req, const char *text, size_t step, char *out)
{
	const size_t len = strlen(text);
	struct http_body b;
	size_t at = 0;

	http_body_init(&b, req);
	*out = '\0';
	while (b.state != HTTP_BODY_DONE && at < len) {
		const size_t n = step < len - at ? step : len - at;
		char *copy = exactly(text + at, n);
		const char *part;
		size_t part_len;
		const ptrdiff_t used = http_body_next(&b, copy, n, &part, &part_len);

		if (used > 0)
			strncat(out, part, part_len);
		free(copy);
		if (used < 0)
			return -1;
		CU_ASSERT(used > 0);
		at += (size_t)used;
	}
	return b.state == HTTP_BODY_DONE ? (ptrdiff_t)at : -2;
}

static void
bodies_come_in_pieces_of_any_size(void)
{
	static const char text[] = "3;a=b\r\nabc\r\n0a  \r\n0123456789\r\n00\r\nT: x\r\n\r\nGET";
	const struct http_req chunked = {.is_chunked = true};
	const struct http_req plain = {.has_length = true, .length = 5};
	char out[64];

	for (size_t step = 1; step <= sizeof(text); step++) {
		CU_ASSERT_EQUAL(take(&chunked, text, step, out), (ptrdiff_t)strlen(text) - 3);
		CU_ASSERT_STRING_EQUAL(out, "abc0123456789");
		CU_ASSERT_EQUAL(take(&plain, "hello there", step, out), 5);
		CU_ASSERT_STRING_EQUAL(out, "hello");
	}
}

static void
malformed_chunks_are_noticed(void)
{
	static const char *const table[] = {"x\r\n", "\r\n", "1\n", "1\rx", "1\r\nab", "1\r\na\rx",
		"1;\n", "0\r\n\n", "0\r\n\rx", "1000000000000000\r\n", "-1\r\n"};
	const struct http_req chunked = {.is_chunked = true};
	char out[64];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CU_ASSERT_EQUAL(take(&chunked, table[i], 2, out), -1);
}

static void
endless_trailers_are_cut_off(void)
{
	const struct http_req chunked = {.is_chunked = true};
	char text[6000] = "0\r\n", out[64];

	while (strlen(text) < sizeof(text) - 8)
		strcat(text, "A: b\r\n");
	CU_ASSERT_EQUAL(take(&chunked, text, 100, out), -1);
}

static bool
decodes(const char *target, const char *path)
{
	const size_t len = strlen(target);
	char *copy = exactly(target, len);
	char *out = malloc(len + 1);
	const bool is_right = http_decode(copy, len, out);
	const bool is_same = is_right && path != NULL && strcmp(out, path) == 0;

	free(copy);
	free(out);
	return path == NULL ? !is_right : is_same;
}

static void
percent_encoding_is_undone(void)
{
	CU_ASSERT(decodes("/a%20b%2Fc%2f", "/a b/c/"));
	CU_ASSERT(decodes("", ""));
	CU_ASSERT(decodes("%", NULL));
	CU_ASSERT(decodes("/%4", NULL));
	CU_ASSERT(decodes("/%g0", NULL));
	CU_ASSERT(decodes("/%0g", NULL));
	CU_ASSERT(decodes("/%00", NULL));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_head_is_complete_with_its_empty_line),
		UNIT(a_request_is_read),
		UNIT(a_target_may_name_the_host),
		UNIT(connections_are_kept_by_version_and_word),
		UNIT(wrong_requests_are_refused_with_the_fitting_status),
		UNIT(a_length_is_digits_said_once_or_the_same_twice),
		UNIT(bodies_come_in_pieces_of_any_size),
		UNIT(malformed_chunks_are_noticed),
		UNIT(endless_trailers_are_cut_off),
		UNIT(percent_encoding_is_undone),
		{0},
	};

	return unit_main("app_http", tests, false);
}
