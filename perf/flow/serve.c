/* SPDX-License-Identifier: BSD-3-Clause */
/* The server: it sends back what it gets, or takes part in bulk flows. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#define BACKLOG 65536

static void
on_recv_echo(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg)
{
	struct perf_side *s = arg;
	ssize_t n;

	if (s->is_over)
		return;
	if (from == NULL)
		n = weir_send(st, fd, buf, len, 0);
	else
		n = weir_sendto(st, fd, buf, len, 0, &from->addr.sa, from->addr_len);
	if (n != (ssize_t)len)
		perf_add(&s->counts.errors, 1);
}

static void
on_recv_mbuf_echo(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct perf_side *s = arg;

	if (!s->is_over && weir_send_mbuf(st, fd, m, &from->addr.sa, from->addr_len) >= 0)
		return;
	perf_add(&s->counts.errors, 1);
	weir_mbuf_free(m);
}

static void
on_recv_bulk(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg)
{
	perf_take(arg, buf, len);
}

static void
on_recv_mbuf_bulk(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct perf_side *s = arg;

	perf_add(&s->counts.units, m->pkt_len);
	weir_mbuf_free(m);
}

static void
on_event_bulk(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct perf_side *s = arg;

	if (ev == WEIR_EV_PEERCLOSE || ev == WEIR_EV_CLOSE)
		weir_close(st, fd);
	else if ((ev == WEIR_EV_ACCEPT || ev == WEIR_EV_WRITE) && s->o->workload->is_download)
		perf_pump(s, fd);
}

static struct weir_callbacks
callbacks(struct perf_side *s)
{
	if (s->o->workload->shape == PERF_BULK && s->o->use_mbuf)
		return (struct weir_callbacks){
			.recv_mbuf = on_recv_mbuf_bulk, .event = on_event_bulk, .arg = s};
	if (s->o->workload->shape == PERF_BULK)
		return (struct weir_callbacks){
			.recv = on_recv_bulk, .event = on_event_bulk, .arg = s};
	if (s->o->use_mbuf)
		return (struct weir_callbacks){.recv_mbuf = on_recv_mbuf_echo, .arg = s};
	return (struct weir_callbacks){.recv = on_recv_echo, .arg = s};
}

static int
open_socket(struct perf_side *s, unsigned int i)
{
	const struct sockaddr_in addr = perf_server_addr(i);
	const struct weir_callbacks cb = callbacks(s);
	const int fd = perf_socket(s, &cb);
	int rc;

	if (fd < 0)
		return fd;
	rc = weir_bind(s->st, fd, (const struct sockaddr *)&addr, sizeof(addr));
	if (rc == 0 && s->o->workload->type == SOCK_STREAM)
		rc = weir_listen(s->st, fd, BACKLOG);
	return rc;
}

int
perf_serve(struct perf_side *s, const struct perf_opts *o, struct weir_stack *st)
{
	int rc = perf_side_init(s, o, st);

	for (unsigned int i = 0; i < o->listeners && rc == 0; i++)
		rc = open_socket(s, i);
	if (rc != 0)
		fprintf(stderr, "server: %s\n", strerror(-rc));
	return rc;
}
