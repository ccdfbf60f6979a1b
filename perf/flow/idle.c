/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker with nothing to do: what it costs, and how long it takes to be there again. */
#include "perf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stack_priv.h"

#define ASLEEP_US 2000 /* between two datagrams: longer than a worker polls before it sleeps */

struct idle {
	const struct perf_opts *o;
	struct weir_stack *server;
	struct weir_stack *client;
	uint64_t woken_tsc; /* when the callback ran; 0: not yet; worker: w, main: rw; atomic */
	int fd;
};

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct idle *d = arg;

	__atomic_store_n(&d->woken_tsc, rte_rdtsc(), __ATOMIC_RELEASE);
}

static int
open_server(struct idle *d)
{
	const struct sockaddr_in addr = perf_server_addr(0);
	const struct weir_callbacks cb = {.recv = on_recv, .arg = d};
	int fd, rc;

	d->server = perf_stack(d->o, true, true);
	if (d->server == NULL)
		return -EINVAL;
	fd = weir_socket(d->server, AF_INET, SOCK_DGRAM, 0);
	rc = fd < 0 ? fd : weir_set_callbacks(d->server, fd, &cb);
	if (rc == 0)
		rc = weir_bind(d->server, fd, (const struct sockaddr *)&addr, sizeof(addr));
	return rc == 0 ? weir_stack_start(d->server) : rc;
}

static int
open_client(struct idle *d)
{
	const struct sockaddr_in addr = perf_server_addr(0);

	d->client = perf_stack(d->o, false, false);
	if (d->client == NULL)
		return -EINVAL;
	d->fd = weir_socket(d->client, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return d->fd < 0 ? d->fd
			 : weir_connect(
				   d->client, d->fd, (const struct sockaddr *)&addr, sizeof(addr));
}

/* CPU time of the worker's thread, in microseconds. */
static int
cpu_time(struct weir_worker *w, void *arg)
{
	uint64_t *us = arg;
	struct rusage ru;

	if (getrusage(RUSAGE_THREAD, &ru) != 0)
		return -errno;
	*us = (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	      (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	return 0;
}

/* @return share of a CPU that the worker uses, or a negative errno */
static double
cpu_share(struct idle *d, unsigned int ms)
{
	uint64_t before = 0, after = 0;
	int rc = weir_worker_call(d->server->workers[0], cpu_time, &before);

	usleep(ms * 1000);
	if (rc == 0)
		rc = weir_worker_call(d->server->workers[0], cpu_time, &after);
	return rc == 0 ? (double)(after - before) / (ms * 1000.0) : rc;
}

static uint64_t
sleeps(const struct idle *d)
{
	return __atomic_load_n(&d->server->workers[0]->stats.sleeps, __ATOMIC_RELAXED);
}

/* One datagram to a sleeping worker. @return microseconds until its callback runs; < 0: lost */
static double
wake_once(struct idle *d)
{
	const char byte = 1;
	const uint64_t hz = rte_get_tsc_hz();
	uint64_t start, woken = 0;

	usleep(ASLEEP_US);
	__atomic_store_n(&d->woken_tsc, 0, __ATOMIC_RELEASE);
	start = rte_rdtsc();
	weir_send(d->client, d->fd, &byte, sizeof(byte), 0);
	while (woken == 0 && rte_rdtsc() - start < hz) {
		weir_stack_step(d->client);
		woken = __atomic_load_n(&d->woken_tsc, __ATOMIC_ACQUIRE);
	}
	return woken == 0 ? -1 : (double)(woken - start) * 1e6 / (double)hz;
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* us[n] sorted. @return 0; -ETIMEDOUT when datagrams get lost */
static int
wake(struct idle *d, double *us, unsigned int n)
{
	wake_once(d); /* neighbours and caches */
	for (unsigned int i = 0; i < n; i++) {
		us[i] = wake_once(d);
		if (us[i] < 0) {
			fprintf(stderr, "a sleeping worker was not woken within a second\n");
			return -ETIMEDOUT;
		}
	}
	qsort(us, n, sizeof(us[0]), by_value);
	return 0;
}

static int
measure(struct idle *d)
{
	const struct perf_opts *o = d->o;
	const unsigned int n = o->slices * 20;
	const double share = cpu_share(d, o->slices * o->slice_ms);
	const uint64_t sleeps_before = sleeps(d);
	double *us = calloc(n, sizeof(us[0]));
	int rc = us == NULL ? -ENOMEM : wake(d, us, n);

	if (rc == 0)
		printf("{\"workload\": \"idle\", \"ports\": \"cable\", \"cores\": 2, "
		       "\"cpu_share\": %.5f, \"wake_us_median\": %.2f, \"wake_us_p99\": %.2f, "
		       "\"wakes\": %u, \"sleeps\": %" PRIu64 "}\n",
			share, us[n / 2], us[n * 99 / 100], n, sleeps(d) - sleeps_before);
	free(us);
	return rc;
}

int
perf_idle_run(const struct perf_opts *o)
{
	struct idle d = {.o = o};
	int rc = open_server(&d);

	if (rc == 0)
		rc = open_client(&d);
	if (rc == 0)
		rc = measure(&d);
	weir_stack_stop(d.server); /* the client's was never started */
	perf_stacks_free(o, d.server, d.client);
	return rc;
}
