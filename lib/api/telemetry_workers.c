/* SPDX-License-Identifier: BSD-3-Clause */
/* /weir/workers and /weir/pools. */
#include <errno.h>

#include <rte_cycles.h>
#include <rte_ring.h>

#include "telemetry_priv.h"

static struct rte_tel_data *
worker_data(const struct weir_worker *w)
{
	struct rte_tel_data *d = tel_dict();

	if (d == NULL)
		return NULL;
	tel_u64(d, "worker", w->index);
	tel_int(d, "lcore", w->lcore == LCORE_ID_ANY ? -1 : (int)w->lcore);
	tel_int(d, "numa_node", w->numa_node);
	tel_int(d, "sleeping", __atomic_load_n(&w->sock.is_sleeping, __ATOMIC_RELAXED) != 0);
	tel_u64(d, "turns", w->stats.turns);
	tel_u64(d, "busy_turns", w->stats.busy_turns);
	tel_u64(d, "sleeps", w->stats.sleeps);
	tel_u64(d, "calls", w->stats.calls);
	tel_u64(d, "busy_tsc", w->stats.busy_tsc);
	tel_u64(d, "tsc",
		rte_rdtsc()); /* now: busy since an earlier answer = ratio of differences */
	tel_u64(d, "rx_frames", w->core.rx_frames);
	tel_u64(d, "tx_made", w->core.tx_made);
	tel_u64(d, "connections", weir_tcp_n_conns(&w->tcp));
	return d;
}

int
tel_workers(struct tel_req *r)
{
	struct rte_tel_data *rows = tel_dict();
	const struct weir_stack *st = r->st;
	const uint64_t n = st->n_workers;
	const uint64_t first = RTE_MIN(r->from, n);
	const uint64_t end = RTE_MIN(first + TEL_ROWS_MAX, n);

	if (rows == NULL)
		return -ENOMEM;
	for (uint64_t i = first; i < end; i++)
		tel_put_row(rows, (unsigned int)i, worker_data(st->workers[i]));
	tel_put(r->d, "workers", rows);
	tel_int(r->d, "running", weir_stack_is_running(st));
	if (end < n)
		tel_u64(r->d, "next", end);
	return 0;
}

/* ---- pools ---- */

static void
put_pool(struct rte_tel_data *rows, unsigned int row, const char *name, uint64_t size,
	uint64_t in_use)
{
	struct rte_tel_data *d = tel_dict();

	if (d == NULL)
		return;
	tel_text(d, "name", "%s", name);
	tel_u64(d, "size", size);
	tel_u64(d, "in_use", in_use);
	tel_u64(d, "free", size - RTE_MIN(in_use, size));
	tel_put_row(rows, row, d);
}

/* The stack's three, then two of each worker. */
#define POOLS_OF_STACK	3
#define POOLS_OF_WORKER 2

static void
put_pool_of_stack(struct rte_tel_data *rows, unsigned int row, const struct weir_socks *ss)
{
	if (row == 0)
		put_pool(rows, row, "sockets", ss->capacity,
			__atomic_load_n(&ss->used, __ATOMIC_RELAXED));
	else if (row == 1)
		put_pool(rows, row, "lent mbufs", ss->lent_max,
			(uint64_t)RTE_MAX(weir_peek(ss->n_lent), 0));
	else
		put_pool(rows, row, "descriptors", ss->capacity,
			ss->capacity - rte_ring_count(ss->free_fds));
}

static void
put_pool_of_worker(struct rte_tel_data *rows, unsigned int row, const struct weir_stack *st)
{
	const unsigned int i = (row - POOLS_OF_STACK) / POOLS_OF_WORKER;
	const struct weir_tcp *tcp = &st->workers[i]->tcp;
	const struct rte_mempool *mbufs = st->pools[i];
	char name[32];

	if ((row - POOLS_OF_STACK) % POOLS_OF_WORKER == 0) {
		snprintf(name, sizeof(name), "mbufs %u", i);
		put_pool(rows, row, name, mbufs->size, rte_mempool_in_use_count(mbufs));
	} else {
		snprintf(name, sizeof(name), "connections %u", i);
		put_pool(rows, row, name, tcp->conf.max_conns, weir_tcp_n_conns(tcp));
	}
}

int
tel_pools(struct tel_req *r)
{
	struct rte_tel_data *rows = tel_dict();
	const struct weir_stack *st = r->st;
	const uint64_t n = POOLS_OF_STACK + POOLS_OF_WORKER * (uint64_t)st->n_workers;
	const uint64_t first = RTE_MIN(r->from, n);
	const uint64_t end = RTE_MIN(first + TEL_ROWS_MAX, n);

	if (rows == NULL)
		return -ENOMEM;
	for (uint64_t i = first; i < end; i++) {
		if (i < POOLS_OF_STACK)
			put_pool_of_stack(rows, (unsigned int)i, &st->socks);
		else
			put_pool_of_worker(rows, (unsigned int)i, st);
	}
	tel_put(r->d, "pools", rows);
	if (end < n)
		tel_u64(r->d, "next", end);
	return 0;
}
