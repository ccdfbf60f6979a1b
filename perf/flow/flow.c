/* SPDX-License-Identifier: BSD-3-Clause */
/* A workload between two stacks. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwip.h"
#include "stack_priv.h"

struct flow {
	const struct perf_opts *o;
	struct perf_peer *peer; /* the server is in another process; or */
	struct perf_lwip *lwip; /* the server is lwIP; or */
	struct perf_side server;
	struct perf_side client;
	struct perf_counts steps; /* cycles, cut: of the server's, one core */
};

static void
turn_both(void *arg)
{
	struct flow *f = arg;
	unsigned int n = 1;
	uint64_t start;

	perf_flood(f->o, f->client.st);
	weir_stack_step(f->client.st);
	start = rte_rdtsc();
	if (f->lwip != NULL)
		perf_lwip_turn(f->lwip);
	else
		n = weir_stack_step(f->server.st);
	if (n > 0 || f->o->impair == NULL) /* else it waits for what was lost */
		perf_step(&f->steps, start);
}

static void
turn_client(void *arg)
{
	struct flow *f = arg;

	perf_flood(f->o, f->client.st);
	weir_stack_step(f->client.st);
}

static void
push(void *arg)
{
	struct flow *f = arg;

	perf_load_push(&f->client);
}

static void
look(void *arg, struct perf_counts *client, struct perf_counts *server)
{
	struct flow *f = arg;

	perf_counts_read(&f->client.counts, client);
	perf_stack_counts(f->client.st, client);
	if (f->peer != NULL) {
		perf_counts_read(&f->peer->counts, server);
		return;
	}
	if (f->lwip != NULL) {
		perf_lwip_counts(f->lwip, server);
	} else {
		perf_counts_read(&f->server.counts, server);
		perf_stack_counts(f->server.st, server);
	}
	if (f->o->is_two_cores)
		return;
	server->cycles = f->steps.cycles;
	server->cut = f->steps.cut;
}

static int
open_server(struct flow *f)
{
	struct weir_stack *st;
	int rc;

	if (f->peer != NULL)
		return perf_peer_enter(f->peer, PERF_FLOW);
	if (f->o->server == PERF_LWIP) {
		f->lwip = perf_lwip_open(f->o);
		return f->lwip == NULL ? -ENOTSUP : 0;
	}
	st = perf_stack(f->o, true, false);
	if (st == NULL)
		return -EINVAL;
	f->server.st = st;
	rc = perf_serve(&f->server, f->o, st);
	if (rc == 0 && f->o->is_two_cores)
		rc = weir_stack_start(st);
	return rc;
}

static void
turn(struct flow *f)
{
	if (f->o->is_two_cores)
		turn_client(f);
	else
		turn_both(f);
}

/*
 * Learn the server's MAC address before all flows want it at once: only a few packets can wait
 * for it. Nobody listens at the port of this datagram.
 */
static int
greet(struct flow *f)
{
	struct weir_stack *st = f->client.st;
	const uint64_t end = weir_stack_now_us(st) + PERF_WAIT_MS * 1000;
	struct sockaddr_in addr = perf_server_addr(0);
	const int fd = weir_socket(st, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct perf_counts c = {0};

	if (fd < 0)
		return fd;
	addr.sin_port = htons(9);
	weir_sendto(st, fd, "", 1, 0, (const struct sockaddr *)&addr, sizeof(addr));
	while (c.rx_packets == 0 && weir_stack_now_us(st) < end) {
		turn(f);
		perf_stack_counts(st, &c);
	}
	weir_close(st, fd);
	return c.rx_packets != 0 ? 0 : -EHOSTUNREACH;
}

static int
open_client(struct flow *f)
{
	struct weir_stack *st = perf_stack(f->o, false, false);
	int rc;

	if (st == NULL)
		return -EINVAL;
	f->client.st = st;
	rc = perf_link_wait(st->ports[0]);
	if (rc == 0)
		rc = greet(f);
	if (rc == 0)
		rc = perf_impair(f->o);
	return rc == 0 ? perf_load(&f->client, f->o, st) : rc;
}

static int
measure(struct flow *f, struct perf_result *res)
{
	const struct perf_opts *o = f->o;
	const struct perf_run run = {
		.turn = o->is_two_cores ? turn_client : turn_both,
		.push = push,
		.read = look,
		.arg = f,
		.units_per_op = o->workload->shape == PERF_BULK ? PERF_SEGMENT : 1,
		.is_stepped = !o->is_two_cores,
	};
	const int rc = perf_measure(&run, o, res);

	res->profile.window = o->workload->shape == PERF_BULK ? 64 : o->conns * o->depth;
	res->is_balanced = perf_is_balanced(f->client.st) &&
			   (f->server.st == NULL || perf_is_balanced(f->server.st));
	return rc;
}

int
perf_flow_run(const struct perf_opts *o, struct perf_peer *peer, struct perf_result *res)
{
	struct flow f = {.o = o, .peer = peer};
	int rc = open_server(&f);

	if (rc == 0)
		rc = open_client(&f);
	if (rc == 0)
		rc = measure(&f, res);
	if (peer != NULL)
		rc = perf_peer_enter(peer, PERF_QUIET) != 0 && rc == 0 ? -EIO : rc;
	perf_side_stop(&f.server);
	perf_side_stop(&f.client);
	perf_lwip_close(f.lwip);
	perf_stacks_free(o, f.server.st, f.client.st);
	perf_side_fini(&f.server);
	perf_side_fini(&f.client);
	return rc;
}
