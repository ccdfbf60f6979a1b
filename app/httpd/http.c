/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

#include <string.h>
#include <strings.h>

/* A part of a head; not ended by 0. */
struct text {
	const char *at;
	size_t len;
};

/* What is remembered from field to field. */
struct notes {
	int minor; /* 0: HTTP/1.0 */
	unsigned int hosts;
	bool says_close;
	bool says_keep;
};

static bool
is_text(struct text t, const char *word)
{
	return t.len == strlen(word) && strncasecmp(t.at, word, t.len) == 0;
}

/* tchar of RFC 9110 5.6.2 */
static bool
is_token(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		const char c = t.at[i];

		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			continue;
		if ((c >= '0' && c <= '9') || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL))
			continue;
		return false;
	}
	return t.len > 0;
}

static struct text
trim(struct text t)
{
	while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
		t.at++;
		t.len--;
	}
	while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* Cut t at the first c: returns what is before it, leaves in t what is behind it. */
static struct text
cut(struct text *t, char c)
{
	const char *end = memchr(t->at, c, t->len);
	struct text before = {t->at, end == NULL ? t->len : (size_t)(end - t->at)};
	const size_t used = before.len + (end != NULL);

	t->at += used;
	t->len -= used;
	return before;
}

/* The next line without its end: CR LF, or LF alone (RFC 9112 2.2 lets us). */
static struct text
next_line(struct text *head)
{
	struct text line = cut(head, '\n');

	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

size_t
http_head_len(const char *data, size_t len)
{
	struct text rest = {data, len};
	bool has_line = false;

	while (memchr(rest.at, '\n', rest.len) != NULL) {
		const bool is_empty = next_line(&rest).len == 0;

		if (is_empty && has_line)
			return len - rest.len;
		has_line |= !is_empty; /* empty lines before a request are passed over */
	}
	return 0;
}

static enum http_method
method_of(struct text t)
{
	static const char *const names[] = {
		"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (t.len == strlen(names[i]) && memcmp(t.at, names[i], t.len) == 0)
			return i < HTTP_KNOWN ? (enum http_method)i : HTTP_KNOWN;
	return HTTP_OTHER;
}

/* RFC 9112 3.2: origin form, absolute form (its host is as good as any), or "*". */
static int
set_target(struct text t, struct http_req *req)
{
	if (t.len > 7 && strncasecmp(t.at, "http://", 7) == 0) {
		const char *path = memchr(t.at + 7, '/', t.len - 7);
		const size_t skip = path == NULL ? t.len : (size_t)(path - t.at);

		t = path == NULL ? (struct text){"/", 1} : (struct text){path, t.len - skip};
	}
	t = cut(&t, '?');
	if (t.len == 0 || (t.at[0] != '/' && req->method < HTTP_KNOWN))
		return 400;
	req->target = t.at;
	req->target_len = t.len;
	return 0;
}

/* "HTTP/1.1": 0; *minor is 0 in HTTP/1.0, else 1. */
static int
parse_version(struct text t, int *minor)
{
	if (t.len != 8 || memcmp(t.at, "HTTP/", 5) != 0 || t.at[6] != '.' || t.at[5] < '0' ||
		t.at[5] > '9' || t.at[7] < '0' || t.at[7] > '9')
		return 400;
	*minor = t.at[7] != '0';
	return t.at[5] == '1' ? 0 : 505;
}

static int
parse_request_line(struct text line, struct http_req *req, int *minor)
{
	const struct text method = cut(&line, ' ');
	const struct text target = cut(&line, ' ');
	int status;

	if (!is_token(method))
		return 400;
	req->method = method_of(method);
	status = parse_version(line, minor);
	return status != 0 ? status : set_target(target, req);
}

/* RFC 9110 8.6: digits alone; said twice, the same. */
static int
set_length(struct text value, struct http_req *req)
{
	uint64_t n = 0;

	if (value.len == 0)
		return 400;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return 400;
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(value.at[i] - '0'), &n))
			return 400;
	}
	if (req->has_length && req->length != n)
		return 400;
	req->has_length = true;
	req->length = n;
	return 0;
}

static int
set_coding(struct text value, struct http_req *req)
{
	if (req->is_chunked)
		return 400; /* chunked twice */
	req->is_chunked = true;
	return is_text(value, "chunked") ? 0 : 501;
}

static int
set_connection(struct text value, struct notes *n)
{
	while (value.len > 0) {
		const struct text option = trim(cut(&value, ','));

		n->says_close |= is_text(option, "close");
		n->says_keep |= is_text(option, "keep-alive");
	}
	return 0;
}

static int
set_expect(struct text value, struct http_req *req)
{
	req->expects_continue = true;
	return is_text(value, "100-continue") ? 0 : 417;
}

static bool
is_field_value(struct text value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] == '\r' || value.at[i] == '\0')
			return false;
	return true;
}

static int
parse_field(struct text line, struct http_req *req, struct notes *n)
{
	const bool has_colon = memchr(line.at, ':', line.len) != NULL;
	const struct text name = cut(&line, ':');
	const struct text value = trim(line);

	if (!has_colon || !is_token(name) || !is_field_value(value))
		return 400; /* folded lines as well, RFC 9112 5.2 */
	if (is_text(name, "host"))
		n->hosts++;
	else if (is_text(name, "content-length"))
		return set_length(value, req);
	else if (is_text(name, "transfer-encoding"))
		return set_coding(value, req);
	else if (is_text(name, "connection"))
		return set_connection(value, n);
	else if (is_text(name, "expect"))
		return set_expect(value, req);
	return 0;
}

/* What only the whole head tells. */
static int
judge(struct http_req *req, const struct notes *n)
{
	req->keep_alive = !n->says_close && (n->minor > 0 || n->says_keep);
	if (n->minor == 0)
		req->expects_continue = false; /* RFC 9110 10.1.1 */
	if (n->hosts > 1 || (n->hosts == 0 && n->minor > 0))
		return 400; /* RFC 9112 3.2 */
	if (req->is_chunked && (req->has_length || n->minor == 0))
		return 400; /* RFC 9112 6.1: whoever sends this is up to something */
	return 0;
}

int
http_parse(const char *head, size_t len, struct http_req *req)
{
	struct text rest = {head, len};
	struct text line = {head, 0};
	struct notes notes = {0};
	int refusal;

	*req = (struct http_req){.method = HTTP_OTHER};
	while (line.len == 0)
		line = next_line(&rest);
	refusal = parse_request_line(line, req, &notes.minor);
	if (refusal != 0)
		return refusal;
	for (line = next_line(&rest); line.len > 0; line = next_line(&rest)) {
		const int status = parse_field(line, req, &notes);

		if (status == 400)
			return 400; /* malformed comes before not supported */
		if (refusal == 0)
			refusal = status;
	}
	return judge(req, &notes) != 0 ? 400 : refusal;
}

int
http_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
http_decode(const char *target, size_t len, char *path)
{
	for (size_t i = 0; i < len; i++) {
		*path = target[i];
		if (target[i] == '%') {
			const int high = len - i < 3 ? -1 : http_hex(target[i + 1]);
			const int low = high < 0 ? -1 : http_hex(target[i + 2]);

			if (low < 0)
				return false;
			*path = (char)(high << 4 | low);
			i += 2;
		}
		if (*path++ == '\0')
			return false;
	}
	*path = '\0';
	return true;
}

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *words;
	} table[] = {
		{200, "OK"},
		{201, "Created"},
		{204, "No Content"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{417, "Expectation Failed"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{505, "HTTP Version Not Supported"},
		{507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].words;
	return "Unknown";
}

const char *
http_media_type(const char *name)
{
	static const char *const table[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".txt", "text/plain; charset=utf-8"},
		{".md", "text/plain; charset=utf-8"},
		{".css", "text/css"},
		{".js", "text/javascript"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".gif", "image/gif"},
		{".pdf", "application/pdf"},
	};
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending != NULL && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcasecmp(ending, table[i][0]) == 0)
			return table[i][1];
	return "application/octet-stream";
}
