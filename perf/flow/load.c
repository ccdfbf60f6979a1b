/* SPDX-License-Identifier: BSD-3-Clause */
/* The client: a closed loop of requests on every flow, or bulk data. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int open_flow(struct perf_flow *f);

/* n new requests at once: they share segments, but not datagrams. */
static void
ask(struct perf_flow *f, unsigned int n)
{
	struct perf_side *s = f->side;
	const unsigned int sends = s->o->workload->type == SOCK_STREAM ? 1 : n;
	const size_t len = (size_t)s->o->size * n / sends;

	for (unsigned int i = 0; i < sends; i++)
		if (weir_send(s->st, f->fd, s->out, len, 0) != (ssize_t)len)
			perf_add(&s->counts.errors, 1);
}

static void
reopen(struct perf_flow *f)
{
	weir_close(f->side->st, f->fd);
	if (open_flow(f) < 0)
		perf_add(&f->side->counts.errors, 1);
}

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct perf_flow *f = arg;
	const uint32_t size = f->side->o->size;
	uint32_t n;

	if (f->side->is_over)
		return;
	f->got += (uint32_t)len;
	n = f->got / size;
	f->got -= n * size;
	if (n == 0)
		return;
	perf_add(&f->side->counts.units, n);
	if (f->side->o->workload->shape == PERF_SHORT)
		reopen(f);
	else
		ask(f, n);
}

static void
on_recv_bulk(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg)
{
	struct perf_flow *f = arg;

	perf_take(f->side, buf, len);
}

static void
start(struct perf_flow *f)
{
	const struct perf_opts *o = f->side->o;

	if (o->workload->shape != PERF_BULK)
		ask(f, o->depth);
	else if (o->workload->is_upload)
		perf_pump(f->side, f->fd);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct perf_flow *f = arg;

	if (f->side->is_over)
		return;
	if (ev == WEIR_EV_CLOSE || ev == WEIR_EV_PEERCLOSE) { /* we did not ask for that */
		perf_add(&f->side->counts.errors, 1);
		reopen(f);
	} else if (ev == WEIR_EV_CONNECT && error == 0) {
		start(f);
	} else if (ev == WEIR_EV_WRITE && f->side->o->workload->is_upload) {
		perf_pump(f->side, f->fd);
	}
}

static int
open_flow(struct perf_flow *f)
{
	struct perf_side *s = f->side;
	const unsigned int to = (unsigned int)(f - s->flows) % s->o->listeners;
	const struct sockaddr_in addr = perf_server_addr(to);
	const bool is_bulk = s->o->workload->shape == PERF_BULK;
	const struct weir_callbacks cb = {
		.recv = is_bulk ? on_recv_bulk : on_recv, .event = on_event, .arg = f};
	int rc;

	f->got = 0;
	f->fd = perf_socket(s, &cb);
	if (f->fd < 0)
		return f->fd;
	rc = weir_connect(s->st, f->fd, (const struct sockaddr *)&addr, sizeof(addr));
	if (rc == 0) /* UDP needs no handshake */
		start(f);
	return rc == -EINPROGRESS ? 0 : rc;
}

int
perf_load(struct perf_side *s, const struct perf_opts *o, struct weir_stack *st)
{
	int rc = perf_side_init(s, o, st);

	for (unsigned int i = 0; i < o->conns && rc == 0; i++) {
		s->flows[i].side = s;
		rc = open_flow(&s->flows[i]);
	}
	if (rc != 0)
		fprintf(stderr, "client: %s\n", strerror(-rc));
	return rc;
}

void
perf_load_push(struct perf_side *s)
{
	if (s->o->workload->type != SOCK_DGRAM)
		return; /* TCP sends again by itself */
	for (unsigned int i = 0; i < s->o->conns; i++)
		ask(&s->flows[i], s->o->depth);
	perf_add(&s->counts.lost, (uint64_t)s->o->conns * s->o->depth);
}
