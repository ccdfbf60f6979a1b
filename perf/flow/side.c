/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server's and the client's application have in common. */
#include "perf.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_ADDR 0x0a500001 /* 10.80.0.1: see bed.c */
#define SERVER_PORT 7
#define MORE_PORTS  10000

int
perf_side_init(struct perf_side *s, const struct perf_opts *o, struct weir_stack *st)
{
	memset(s, 0, sizeof(*s));
	s->o = o;
	s->st = st;
	s->out = calloc(2, PERF_BULK_LEN);
	s->in = s->out == NULL ? NULL : s->out + PERF_BULK_LEN;
	s->flows = calloc(o->conns, sizeof(s->flows[0]));
	return s->out != NULL && s->flows != NULL ? 0 : -ENOMEM;
}

void
perf_side_stop(struct perf_side *s)
{
	if (s->st != NULL)
		weir_stack_stop(s->st);
	s->is_over = true;
}

void
perf_side_fini(struct perf_side *s)
{
	free(s->out);
	free(s->flows);
	s->out = NULL;
	s->flows = NULL;
}

struct sockaddr_in
perf_server_addr(unsigned int i)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(i == 0 ? SERVER_PORT : MORE_PORTS + i)),
		.sin_addr.s_addr = htonl(SERVER_ADDR)};
}

int
perf_socket(struct perf_side *s, const struct weir_callbacks *cb)
{
	const int type = s->o->workload->type;
	const int fd = weir_socket(s->st, AF_INET, type | SOCK_NONBLOCK, 0);
	const int on = 1;
	int rc = fd;

	if (fd < 0)
		return fd;
	if (type == SOCK_STREAM)
		rc = weir_setsockopt(s->st, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (rc >= 0)
		rc = weir_set_callbacks(s->st, fd, cb);
	if (rc >= 0)
		return fd;
	weir_close(s->st, fd);
	return rc;
}

void
perf_pump(struct perf_side *s, int fd)
{
	ssize_t n;

	if (s->is_over)
		return;
	do {
		n = weir_send(s->st, fd, s->out, PERF_BULK_LEN, 0);
	} while (n > 0);
	if (n != -EAGAIN)
		perf_add(&s->counts.errors, 1);
}

void
perf_take(struct perf_side *s, const void *data, size_t len)
{
	memcpy(s->in, data, len < PERF_BULK_LEN ? len : PERF_BULK_LEN);
	perf_add(&s->counts.units, len);
}
