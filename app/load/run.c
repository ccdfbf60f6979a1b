/* SPDX-License-Identifier: BSD-3-Clause */
/* The measurement's course: set up, warm up, measure, end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "load.h"

#define SET_UP_S 60
#define DRAIN_S	 0.2
#define TICK_MS	 100
#define CUT_US	 200 /* a turn that took longer was interrupted by another program */
#define GET_MAX	 2048

static uint64_t
ticks(double seconds)
{
	return (uint64_t)(seconds * (double)rte_get_tsc_hz());
}

static int
make_requests(struct load *l)
{
	const struct load_opts *o = l->o;
	char get[GET_MAX];
	int n = (int)o->size;

	if (o->protocol == LOAD_HTTP)
		n = snprintf(get, sizeof(get), "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", o->path,
			o->target, o->close == LOAD_SERVER_CLOSES ? "Connection: close\r\n" : "");
	if (n >= GET_MAX && o->protocol == LOAD_HTTP)
		return -ENAMETOOLONG;
	l->request_len = (uint32_t)n;
	l->requests = calloc(o->depth, l->request_len);
	if (l->requests == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < o->depth && o->protocol == LOAD_HTTP; i++)
		memcpy(l->requests + (size_t)i * l->request_len, get, l->request_len);
	return 0;
}

static int
make_flows(struct load *l)
{
	const struct load_opts *o = l->o;

	l->flows = calloc(o->conns, sizeof(l->flows[0]));
	l->dues = calloc((size_t)o->conns * o->depth, sizeof(l->dues[0]));
	if (l->flows == NULL || l->dues == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < o->conns; i++) {
		l->flows[i].l = l;
		l->flows[i].fd = -1;
		l->flows[i].due = l->dues + (size_t)i * o->depth;
	}
	return 0;
}

static void
clear_stats(struct load *l)
{
	memset(&l->stats, 0, sizeof(l->stats));
	load_hist_clear(&l->stats.latency);
	l->stats.start = rte_rdtsc();
}

/* Ctrl-C was pressed: SIGINT and SIGTERM stay pending (main.c). */
static bool
is_asked_to_end(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM);
}

/* One turn of the stack, and what is due. @return when it ended */
static uint64_t
turn(struct load *l, uint64_t start)
{
	const unsigned int n = weir_stack_step(l->st) + load_feed(l);
	const uint64_t now = rte_rdtsc();

	if (n > 0 && now - start < rte_get_tsc_hz() / 1000000 * CUT_US)
		l->stats.busy += now - start;
	return now;
}

/* @return 0; -ETIMEDOUT: the time is over; -EINTR */
static int
turn_until(struct load *l, uint64_t end, bool (*is_done)(const struct load *l))
{
	const uint64_t tick = ticks(TICK_MS / 1000.0);
	uint64_t now = rte_rdtsc(), next = now + tick;

	while (now < end) {
		now = turn(l, now);
		if (is_done != NULL) {
			load_open_more(l);
			if (is_done(l))
				return 0;
		}
		if (now < next)
			continue;
		load_tick(l);
		if (is_asked_to_end())
			return -EINTR;
		next = now + tick;
	}
	return -ETIMEDOUT;
}

static bool
is_set_up(const struct load *l)
{
	return l->is_wrong || (l->n_open == l->o->conns && l->n_answered > 0);
}

static int
set_up(struct load *l)
{
	const int rc = turn_until(l, rte_rdtsc() + ticks(SET_UP_S), is_set_up);

	if (rc == 0 && l->is_wrong) {
		fprintf(stderr, "weir-load: the server's answer is not the one expected\n");
		return -EPROTO;
	}
	if (rc == -ETIMEDOUT)
		fprintf(stderr, "weir-load: %u of %u connections, %s in %d s\n", l->n_open,
			l->o->conns, l->n_answered > 0 ? "answers" : "no answer", SET_UP_S);
	return rc;
}

static int
measure(struct load *l)
{
	const struct load_opts *o = l->o;
	int rc;

	l->interval = o->rate > 0 ? (uint64_t)((double)rte_get_tsc_hz() / o->rate) : 0;
	l->next = rte_rdtsc();
	l->phase = LOAD_RUN;
	rc = turn_until(l, rte_rdtsc() + ticks(o->warmup_s), NULL);
	if (rc == -EINTR)
		return rc;
	clear_stats(l);
	turn_until(l, l->stats.start + ticks(o->run_s), NULL);
	l->stats.end = rte_rdtsc();
	load_count_unanswered(l);
	return 0;
}

static int
run(struct load *l)
{
	int rc = set_up(l);

	if (rc == 0)
		rc = measure(l);
	l->phase = LOAD_OVER;
	load_close_all(l);
	turn_until(l, rte_rdtsc() + ticks(DRAIN_S), NULL);
	return rc;
}

int
load_run(struct load *l, const struct load_opts *o, struct weir_stack *st)
{
	int rc;

	memset(l, 0, sizeof(*l));
	l->o = o;
	l->st = st;
	l->ns_per_tick = 1e9 / (double)rte_get_tsc_hz();
	TAILQ_INIT(&l->ready);
	clear_stats(l);
	rc = make_requests(l);
	if (rc == 0)
		rc = make_flows(l);
	if (rc == 0)
		rc = run(l);
	else
		fprintf(stderr, "weir-load: %s\n", strerror(-rc));
	free(l->requests);
	free(l->dues);
	free(l->flows);
	return rc;
}
