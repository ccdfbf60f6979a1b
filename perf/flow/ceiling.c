/* SPDX-License-Identifier: BSD-3-Clause */
/* The same packets without a stack: a generator and a MAC swapper on the same ports. */
#include "perf.h"

#include <string.h>

#include <rte_common.h>
#include <rte_launch.h>

#define UNDER_WAY_MAX 256 /* packets in one direction: fewer than any port's queue holds */

struct ceiling {
	const struct perf_opts *o;
	struct perf_peer *peer;
	struct perf_swap server;
	struct perf_swap client;
};

static void
turn_both(void *arg)
{
	struct ceiling *c = arg;
	uint64_t start;

	perf_swap_generate(&c->client);
	start = rte_rdtsc();
	perf_swap_turn(&c->server);
	perf_step(&c->server.counts, start);
}

static void
turn_client(void *arg)
{
	struct ceiling *c = arg;

	perf_swap_generate(&c->client);
}

static void
push(void *arg)
{
	struct ceiling *c = arg;

	perf_swap_push(&c->client);
}

static void
look(void *arg, struct perf_counts *client, struct perf_counts *server)
{
	struct ceiling *c = arg;

	perf_counts_read(&c->client.counts, client);
	perf_counts_read(c->peer != NULL ? &c->peer->counts : &c->server.counts, server);
}

/* The workload's packets as the swapper can exchange them. */
static struct perf_profile
adapt(const struct perf_profile *from)
{
	struct perf_profile p = *from;
	const double answers = p.tx_per_op / p.rx_per_op;

	if (answers > 0.98 && answers < 1.02) /* a stray ACK must not stop a ping-pong */
		p.tx_per_op = p.rx_per_op = (p.rx_per_op + p.tx_per_op) / 2;
	p.rx_len = RTE_MAX(p.rx_len, 64u);
	p.tx_len = RTE_MAX(p.tx_len, 64u);
	p.window = RTE_MIN(p.window, (uint32_t)UNDER_WAY_MAX);
	if (answers > 1)
		p.window = RTE_MAX((uint32_t)RTE_MIN(p.window, UNDER_WAY_MAX / answers), 1u);
	return p;
}

static int
open_server(struct ceiling *c, const struct perf_profile *p)
{
	int rc;

	if (c->peer != NULL) {
		c->peer->profile = *p;
		return perf_peer_enter(c->peer, PERF_CEILING);
	}
	rc = perf_swap_open(&c->server, c->o, true, p);
	if (rc == 0 && c->o->is_two_cores)
		rc = rte_eal_remote_launch(perf_swap_loop, &c->server, 1);
	return rc;
}

static int
measure(struct ceiling *c, const struct perf_profile *p, struct perf_result *res)
{
	const struct perf_run run = {
		.turn = c->o->is_two_cores ? turn_client : turn_both,
		.push = push,
		.read = look,
		.arg = c,
		.units_per_op = p->rx_per_op + p->tx_per_op,
		.is_stepped = !c->o->is_two_cores,
	};
	const int rc = perf_link_wait(c->client.port);

	return rc == 0 ? perf_measure(&run, c->o, res) : rc;
}

static void
close_all(struct ceiling *c)
{
	if (c->peer == NULL && c->o->is_two_cores) {
		__atomic_store_n(&c->server.must_stop, true, __ATOMIC_RELEASE);
		rte_eal_wait_lcore(1);
	}
	if (c->peer != NULL)
		perf_peer_enter(c->peer, PERF_END);
	perf_swap_close(&c->server);
	if (c->client.port != NULL)
		perf_link_wait_down(c->o, c->client.port);
	perf_swap_close(&c->client);
	perf_swap_free(&c->server);
	perf_swap_free(&c->client);
}

int
perf_ceiling_run(const struct perf_opts *o, struct perf_peer *peer,
	const struct perf_profile *profile, struct perf_result *res)
{
	const struct perf_profile p = adapt(profile);
	struct ceiling c = {.o = o, .peer = peer};
	int rc = open_server(&c, &p);

	if (rc == 0)
		rc = perf_swap_open(&c.client, o, false, &p);
	if (rc == 0)
		rc = measure(&c, &p, res);
	close_all(&c);
	return rc;
}
