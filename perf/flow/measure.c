/* SPDX-License-Identifier: BSD-3-Clause */
/* Slices of time, and the median of what they show. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS	   16 /* between two looks at the clock */
#define PUSH_MS	   100
#define SLICES_MAX 1000

/* Both ends at one moment, or nearly. */
struct sample {
	uint64_t tsc;
	struct perf_counts client;
	struct perf_counts server;
};

static uint64_t
units(const struct sample *s)
{
	return s->client.units + s->server.units;
}

static void
look(const struct perf_run *run, struct sample *s)
{
	s->tsc = rte_rdtsc();
	run->read(run->arg, &s->client, &s->server);
}

static uint64_t
tsc_of_ms(unsigned int ms)
{
	return rte_get_tsc_hz() / 1000 * ms;
}

/* Turn for some time. Where nothing happens, packets have been lost: push. */
static void
turn_for(const struct perf_run *run, unsigned int ms)
{
	const uint64_t end = rte_rdtsc() + tsc_of_ms(ms);
	uint64_t push = rte_rdtsc() + tsc_of_ms(PUSH_MS);
	struct sample before, now;

	look(run, &before);
	while (rte_rdtsc() < end) {
		for (unsigned int i = 0; i < TURNS; i++)
			run->turn(run->arg);
		if (rte_rdtsc() < push)
			continue;
		look(run, &now);
		if (units(&now) == units(&before))
			run->push(run->arg);
		before = now;
		push = rte_rdtsc() + tsc_of_ms(PUSH_MS);
	}
}

/* Until the first operations are done, and some time more. */
static int
warm_up(const struct perf_run *run, const struct perf_opts *o)
{
	struct sample s;

	for (unsigned int ms = 0; ms < PERF_WAIT_MS; ms += PUSH_MS + 1) {
		turn_for(run, o->warmup_ms);
		look(run, &s);
		if (units(&s) != 0)
			return 0;
		turn_for(run, PUSH_MS + 1);
	}
	fprintf(stderr, "nothing moves\n");
	return -ETIMEDOUT;
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(v[0]), by_value);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void
profile(const struct sample *a, const struct sample *b, double ops, struct perf_profile *p)
{
	const uint64_t rx = b->server.rx_packets - a->server.rx_packets;
	const uint64_t tx = b->server.tx_packets - a->server.tx_packets;

	p->rx_per_op = (double)rx / ops;
	p->tx_per_op = (double)tx / ops;
	if (rx != 0)
		p->rx_len = (uint32_t)((b->server.rx_bytes - a->server.rx_bytes) / rx);
	if (tx != 0)
		p->tx_len = (uint32_t)((b->server.tx_bytes - a->server.tx_bytes) / tx);
}

static void
conclude(const struct perf_run *run, const struct sample *a, const struct sample *b,
	struct perf_result *res)
{
	const double ops = (double)(units(b) - units(a)) / run->units_per_op;

	res->ops = (uint64_t)ops;
	res->errors = b->client.errors + b->server.errors;
	res->lost = b->client.lost - a->client.lost;
	res->rexmits =
		b->client.rexmits - a->client.rexmits + b->server.rexmits - a->server.rexmits;
	res->cut = b->server.cut - a->server.cut;
	profile(a, b, RTE_MAX(ops, 1.0), &res->profile);
	if (run->is_stepped && res->cycles_per_op > 0)
		res->ops_per_s = (double)rte_get_tsc_hz() / res->cycles_per_op;
}

/* More slices than asked for, when ops_min says so. */
static bool
is_enough(
	const struct perf_run *run, const struct perf_opts *o, unsigned int slices, uint64_t units)
{
	return slices >= SLICES_MAX ||
	       (slices >= o->slices && (double)units >= (double)o->ops_min * run->units_per_op);
}

int
perf_measure(const struct perf_run *run, const struct perf_opts *o, struct perf_result *res)
{
	double cycles[SLICES_MAX], per_s[SLICES_MAX];
	struct sample first, a, b;
	unsigned int n = 0;
	int rc = warm_up(run, o);

	memset(res, 0, sizeof(*res));
	if (rc != 0)
		return rc;
	look(run, &first);
	b = first;
	for (unsigned int i = 0; !is_enough(run, o, i, units(&b) - units(&first)); i++) {
		a = b;
		turn_for(run, o->slice_ms);
		look(run, &b);
		const double ops = (double)(units(&b) - units(&a)) / run->units_per_op;

		if (ops == 0)
			continue;
		cycles[n] = (double)(b.server.cycles - a.server.cycles) / ops;
		per_s[n] = ops * (double)rte_get_tsc_hz() / (double)(b.tsc - a.tsc);
		n++;
	}
	if (n == 0)
		return -ETIMEDOUT;
	res->cycles_per_op = median(cycles, n);
	res->ops_per_s = median(per_s, n);
	conclude(run, &first, &b, res);
	return res->ops >= o->ops_min ? 0 : -ETIMEDOUT;
}
