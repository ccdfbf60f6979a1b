/* SPDX-License-Identifier: BSD-3-Clause */
/* Callbacks of a connection: bytes in, through the phases, bytes out. */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>

/* Output */

/* What goes next: the rest of out, and a piece of the source. @return bytes or negative errno */
static ssize_t
gather(struct conn *c, struct iovec iov[2])
{
	const char *part;
	const ssize_t n = source_peek(&c->source, c->lane->io, sizeof(c->lane->io), &part);

	if (n < 0)
		return n;
	iov[0] = (struct iovec){c->out + c->out_at, c->out_len - c->out_at};
	iov[1] = (struct iovec){(void *)(uintptr_t)part, (size_t)n};
	return (ssize_t)iov[0].iov_len + n;
}

static void
advance(struct conn *c, size_t sent)
{
	const size_t of_out = RTE_MIN(sent, (size_t)(c->out_len - c->out_at));

	c->lane->n.bytes_out += sent;
	c->out_at += (uint16_t)of_out;
	c->source.at += sent - of_out;
	if (c->out_at == c->out_len)
		c->out_at = c->out_len = 0;
}

/* Give the socket what it takes. @return true: everything; false: there is a WEIR_EV_WRITE to come,
 * or the connection is over */
static bool
push(struct conn *c)
{
	struct iovec iov[2];
	const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	while ((n = gather(c, iov)) > 0) {
		n = weir_sendmsg(c->h->st, c->fd, &msg, 0);
		if (n < 0)
			break;
		advance(c, (size_t)n);
	}
	if (n < 0 && n != -EAGAIN)
		c->phase = CONN_OVER;
	return n == 0;
}

/* Phases: each takes what it can of data[len] and says how much */

static size_t
take_head(struct conn *c, const char *data, size_t len)
{
	const size_t head_len = http_head_len(data, RTE_MIN(len, (size_t)HTTPD_HEAD_MAX));
	struct http_req req;
	int status;

	if (head_len == 0) {
		if (len < HTTPD_HEAD_MAX)
			return 0;
		request_refuse(c, 431);
		return len;
	}
	c->lane->n.requests++;
	status = http_parse(data, head_len, &req);
	c->must_close = !req.keep_alive;
	c->is_head = req.method == HTTP_HEAD;
	http_body_init(&c->body, &req);
	if (status != 0)
		request_refuse(c, status);
	else
		request_begin(c, &req);
	return head_len;
}

static size_t
take_body(struct conn *c, const char *data, size_t len)
{
	const char *part;
	size_t part_len;
	const ptrdiff_t used = http_body_next(&c->body, data, len, &part, &part_len);

	if (used < 0) {
		request_refuse(c, 400);
		return len;
	}
	upload_take(&c->upload, part, part_len);
	if (c->upload.bytes > HTTPD_BODY_MAX)
		request_refuse(c, 413);
	else if (c->body.state == HTTP_BODY_DONE)
		request_body_done(c);
	return (size_t)used;
}

static size_t
take_lingering(struct conn *c, size_t len)
{
	c->lingered += len;
	if (c->lingered > HTTPD_LINGER_MAX)
		c->phase = CONN_OVER;
	return len;
}

static void
after_answer(struct conn *c)
{
	source_end(&c->source);
	if (!c->must_close) {
		c->phase = CONN_HEAD;
	} else if (c->must_linger) {
		weir_shutdown(c->h->st, c->fd, SHUT_WR);
		c->phase = CONN_LINGER;
	} else {
		c->phase = CONN_OVER;
	}
}

static size_t
take(struct conn *c, const char *data, size_t len)
{
	switch (c->phase) {
	case CONN_HEAD:
		return take_head(c, data, len);
	case CONN_BODY:
		return take_body(c, data, len);
	case CONN_LINGER:
		return take_lingering(c, len);
	case CONN_OVER:
		return len;
	default:
		return 0;
	}
}

/* Send what waits to be sent. */
static void
flush(struct conn *c)
{
	if (c->phase != CONN_ANSWER && c->out_len == 0)
		return;
	if (push(c) && c->phase == CONN_ANSWER)
		after_answer(c);
}

/* Go on as far as data[len] and the socket's room allow. @return bytes of data used */
static size_t
run(struct conn *c, const char *data, size_t len)
{
	size_t used = 0, n;

	do {
		flush(c);
		n = take(c, data + used, len - used);
		used += n;
	} while (n > 0);
	return used;
}

/* Input kept for later */

static void
keep(struct conn *c, const char *data, size_t len)
{
	char *kept;

	if (len == 0)
		return;
	kept = c->kept_len + len > HTTPD_KEEP_MAX ? NULL : realloc(c->kept, c->kept_len + len);
	if (kept == NULL) {
		c->phase = CONN_OVER;
		return;
	}
	memcpy(kept + c->kept_len, data, len);
	c->kept = kept;
	c->kept_len += len;
}

static void
run_kept(struct conn *c)
{
	const size_t used = run(c, c->kept != NULL ? c->kept : "", c->kept_len);

	c->kept_len -= used;
	if (c->kept_len > 0) {
		memmove(c->kept, c->kept + used, c->kept_len);
		return;
	}
	free(c->kept);
	c->kept = NULL;
}

/* Life */

void
httpd_conn_end(struct app_conn *app)
{
	struct conn *c = (struct conn *)app;

	c->lane->n.ended++;
	weir_close(c->h->st, c->fd);
	LIST_REMOVE(app, link);
	source_end(&c->source);
	upload_cancel(&c->upload);
	free(c->kept);
	free(c);
}

/* While an answer waits for room, the client's next requests wait with TCP. */
static void
hold_input(struct conn *c)
{
	const bool is_held = c->phase == CONN_ANSWER;

	if (is_held != c->is_held)
		weir_set_receiving(c->h->st, c->fd, !is_held);
	c->is_held = is_held;
}

/* The end of every callback: c may be gone after it. */
static void
settle(struct conn *c)
{
	hold_input(c);
	if (c->phase != CONN_OVER && !(c->has_peer_closed && c->phase != CONN_ANSWER))
		return;
	if (c->source.kind != SOURCE_NONE || c->upload.kind != UPLOAD_NONE || c->out_len > 0 ||
		c->kept_len > 0)
		c->lane->n.aborted++;
	httpd_conn_end(&c->app);
}

static void
accept_conn(struct httpd *h, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		weir_close(h->st, fd);
		return;
	}
	c->h = h;
	c->lane = &h->lanes[rte_lcore_id()];
	c->lane->n.connections++;
	c->fd = fd;
	LIST_INSERT_HEAD(app_conns_here(&h->conns), &c->app, link);
	weir_set_arg(h->st, fd, c);
}

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct conn *c = arg;
	size_t used;

	c->lane->n.bytes_in += len;
	if (c->kept_len == 0) {
		used = run(c, buf, len);
		keep(c, (const char *)buf + used, len - used);
	} else {
		keep(c, buf, len);
		run_kept(c);
	}
	settle(c);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct conn *c = arg;

	switch (ev) {
	case WEIR_EV_ACCEPT:
		accept_conn(arg, fd);
		return;
	case WEIR_EV_WRITE:
		run_kept(c);
		break;
	case WEIR_EV_PEERCLOSE:
		c->has_peer_closed = true;
		break;
	case WEIR_EV_CLOSE:
		c->phase = CONN_OVER;
		break;
	default:
		break;
	}
	settle(c);
}

const struct weir_callbacks httpd_callbacks = {.recv = on_recv, .event = on_event};
