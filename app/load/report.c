/* SPDX-License-Identifier: BSD-3-Clause */
/* What was measured, as text or as a line of JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "load.h"

#define SATURATED 0.9 /* busier than that, the client itself may be what is slow */

static const double percents[] = {50, 90, 99, 99.9, 99.99};

/* Figures of a measurement. */
struct figures {
	double seconds;
	double per_s;
	double busy;	/* part of the client's time that it had something to do */
	double ceiling; /* answers/s of the client, did it do nothing else */
};

static struct figures
figures_of(const struct load_stats *s)
{
	const double all = (double)(s->end - s->start);
	struct figures f = {.seconds = all / (double)rte_get_tsc_hz()};

	f.per_s = (double)s->answers / f.seconds;
	f.busy = (double)s->busy / all;
	f.ceiling = f.busy > 0 ? f.per_s / f.busy : 0;
	return f;
}

static const char *
protocol_name(const struct load_opts *o)
{
	static const char *const names[] = {"echo", "http", "udp"};

	return names[o->protocol];
}

static const char *
close_name(const struct load_opts *o)
{
	static const char *const names[] = {"keep", "client", "server"};

	return names[o->close];
}

static double
us_at(const struct load_stats *s, double percent)
{
	return (double)load_hist_at(&s->latency, percent) / 1e3;
}

static double
mean_us(const struct load_stats *s)
{
	return s->latency.n == 0 ? 0 : s->latency.sum / (double)s->latency.n / 1e3;
}

static void
print_text(const struct load *l, const struct figures *f)
{
	const struct load_stats *s = &l->stats;

	printf("weir-load: %s, %s, %u connections, %u in flight on each, close: %s, %.1f s, ",
		l->o->target, protocol_name(l->o), l->o->conns, l->o->depth, close_name(l->o),
		f->seconds);
	if (l->o->rate > 0)
		printf("open loop, %.1f/s due\n", l->o->rate);
	else
		printf("closed loop\n");
	printf("answers      %" PRIu64 ", %.1f/s; %" PRIu64 " errors, %" PRIu64 " lost, %" PRIu64
	       " unanswered at the end\n",
		s->answers, f->per_s, s->errors, s->lost, s->unanswered);
	printf("latency, us  mean %.1f", mean_us(s));
	for (size_t i = 0; i < RTE_DIM(percents); i++)
		printf("  p%g %.1f", percents[i], us_at(s, percents[i]));
	printf("  max %.1f\n", us_at(s, 100));
	printf("client       %.0f %% busy: it could do %.0f/s%s\n", f->busy * 100, f->ceiling,
		f->busy > SATURATED ? ": THE CLIENT IS WHAT SATURATES" : "");
}

static void
print_json(const struct load *l, const struct figures *f)
{
	const struct load_stats *s = &l->stats;

	printf("{\"protocol\": \"%s\", \"close\": \"%s\", \"conns\": %u, \"depth\": %u, "
	       "\"size\": %u, \"rate\": %.1f, \"seconds\": %.3f, ",
		protocol_name(l->o), close_name(l->o), l->o->conns, l->o->depth, l->o->size,
		l->o->rate, f->seconds);
	printf("\"answers\": %" PRIu64 ", \"ops_per_s\": %.1f, \"errors\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"unanswered\": %" PRIu64
	       ", \"latency_us\": {\"mean\": %.3f",
		s->answers, f->per_s, s->errors, s->lost, s->unanswered, mean_us(s));
	for (size_t i = 0; i < RTE_DIM(percents); i++)
		printf(", \"p%g\": %.3f", percents[i], us_at(s, percents[i]));
	printf(", \"max\": %.3f}, \"client_busy\": %.4f, \"client_ceiling_per_s\": %.1f}\n",
		us_at(s, 100), f->busy, f->ceiling);
}

void
load_report(const struct load *l)
{
	const struct figures f = figures_of(&l->stats);

	if (l->o->as_json)
		print_json(l, &f);
	else
		print_text(l, &f);
}

int
load_write_histogram(const struct load *l, const char *path)
{
	FILE *out = fopen(path, "w");
	int rc = 0;

	if (out != NULL) {
		fprintf(out, "#%11s %14s %10s %14s\n", "us", "part", "answers", "1/(1-part)");
		load_hist_print(&l->stats.latency, out, 1e3);
		rc = ferror(out);
		rc |= fclose(out);
	}
	if (out != NULL && rc == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -EIO;
}
