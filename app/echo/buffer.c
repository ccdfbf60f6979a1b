/* SPDX-License-Identifier: BSD-3-Clause */
/* Callbacks with a plain buffer. */
#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct conn {
	struct echo_conn base; /* first; n_kept: bytes */
	char *kept;
};

/* @return bytes the socket took */
static size_t
send_some(struct echo_conn *c, const char *data, size_t len)
{
	size_t sent = 0;
	ssize_t n = 0;

	while (sent < len && n >= 0) {
		n = weir_send(c->e->st, c->fd, data + sent, len - sent, 0);
		if (n > 0)
			sent += (size_t)n;
	}
	c->is_over |= n < 0 && n != -EAGAIN;
	c->n->bytes += sent;
	return sent;
}

static void
keep(struct conn *c, const char *data, size_t len)
{
	char *kept;

	if (len == 0)
		return;
	kept = realloc(c->kept, c->base.n_kept + len);
	if (kept == NULL) {
		c->base.is_over = true;
		return;
	}
	memcpy(kept + c->base.n_kept, data, len);
	c->kept = kept;
	c->base.n_kept += len;
}

static void
drop_kept(struct echo_conn *base)
{
	struct conn *c = (struct conn *)base;

	free(c->kept);
	c->kept = NULL;
	base->n_kept = 0;
}

static void
send_kept(struct echo_conn *base)
{
	struct conn *c = (struct conn *)base;
	const size_t sent = send_some(base, c->kept, base->n_kept);

	if (sent == base->n_kept) {
		drop_kept(base);
		return;
	}
	base->n_kept -= sent;
	memmove(c->kept, c->kept + sent, base->n_kept);
}

static const struct echo_conn_ops ops = {sizeof(struct conn), send_kept, drop_kept};

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct conn *c = arg;
	const size_t sent = c->base.n_kept == 0 ? send_some(&c->base, buf, len) : 0;

	keep(c, (const char *)buf + sent, len - sent);
	echo_conn_settle(&c->base);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	echo_conn_event(fd, ev, arg, &ops);
}

static void
on_datagram(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg)
{
	struct echo_counts *n = echo_counts_here(arg);

	n->datagrams++;
	if (weir_sendto(st, fd, buf, len, 0, &from->addr.sa, from->addr_len) < 0)
		n->lost++;
}

static int
start(struct echo *e, uint16_t port)
{
	const struct weir_callbacks stream = {.recv = on_recv, .event = on_event, .arg = e};
	const struct weir_callbacks datagram = {.recv = on_datagram, .arg = e};

	e->tcp = app_open(e->st, SOCK_STREAM, port, &stream);
	if (e->tcp < 0)
		return e->tcp;
	e->udp = app_open(e->st, SOCK_DGRAM, port, &datagram);
	return e->udp < 0 ? e->udp : 0;
}

const struct echo_style echo_buffer = {"buffer", start, NULL};
