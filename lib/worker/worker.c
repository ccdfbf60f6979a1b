/* SPDX-License-Identifier: BSD-3-Clause */
/* One lcore, its data, its loop. */
#include "weir_worker.h"

#include <errno.h>
#include <stdio.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "weir_lock.h"
#include "weir_ring.h"
#include "weir_shared.h"

#define CALL_RING    256
#define INBOUND_RING 4096

#define CATCH_UP_US	1000 /* between two turns: the worker was held up */
#define CATCH_UP_BURSTS 32

/* Describes the thread, not a stack: which worker it is just now. */
static __thread struct weir_worker *self;

struct weir_worker *
weir_worker_self(void)
{
	return self;
}

static void
init_core(struct weir_worker *w, const struct weir_worker_conf *conf)
{
	struct weir_core *core = &w->core;

	core->now_us = weir_clock_now_us(conf->clock);
	weir_wheel_init(&w->wheel, core->now_us);
	core->wheel = &w->wheel;
	core->pool = conf->pool;
	core->worker = conf->index;
	core->n_workers = conf->n_workers;
	core->secret[0] = conf->secret[0];
	core->secret[1] = conf->secret[1];
	weir_rand_seed(&core->rand, conf->seed);
}

static struct rte_ring *
make_ring(const struct weir_worker_conf *conf, const char *what, unsigned int size)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%s", conf->name, what);
	return rte_ring_create(name, size, conf->numa_node, WEIR_RING_MPSC);
}

static int
init_ifaces(struct weir_worker *w, const struct weir_worker_conf *conf)
{
	int rc = 0;

	w->ifaces = rte_zmalloc_socket("weir_ifaces", sizeof(w->ifaces[0]) * (conf->n_ifaces + 1),
		RTE_CACHE_LINE_SIZE, conf->numa_node);
	if (w->ifaces == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < conf->n_ifaces && rc == 0; i++) {
		rc = weir_iface_init(&w->ifaces[i], &w->core, &conf->ifaces[i]);
		w->n_ifaces += rc == 0;
	}
	return rc;
}

static int
init_layers(struct weir_worker *w, const struct weir_worker_conf *conf)
{
	const struct weir_ip_conf ip = {
		.ifaces = w->ifaces,
		.n_ifaces = w->n_ifaces,
		.steer = conf->steer,
		.is_steering = conf->is_steering,
		.pmtu = conf->pmtu,
		.numa_node = conf->numa_node,
		.name = conf->name,
	};
	int rc = weir_ip_init(&w->ip, &w->core, &ip);

	if (rc == 0)
		rc = weir_udp_init(
			&w->udp, &w->core, &w->ip, conf->socks->capacity, conf->numa_node);
	weir_raw_init(&w->raw, &w->core, &w->ip);
	if (rc == 0)
		rc = weir_tcp_init(
			&w->tcp, &w->core, &w->ip, &w->ready, &conf->tcp, conf->numa_node);
	if (rc == 0)
		rc = weir_sock_worker_init(&w->sock, conf->socks, conf->index, &w->core, &w->ip,
			&w->udp, &w->raw, &w->tcp, &w->ready);
	return rc;
}

int
weir_worker_init(struct weir_worker *w, const struct weir_worker_conf *conf)
{
	int rc;

	w->index = conf->index;
	w->lcore = LCORE_ID_ANY;
	w->numa_node = conf->numa_node;
	w->clock = conf->clock;
	w->peers = conf->peers;
	w->idle = conf->idle;
	w->idle_poll_us = conf->idle_poll_us;
	w->epoll_fd = -1;
	w->sock.efd = -1;
	STAILQ_INIT(&w->ready);
	init_core(w, conf);
	w->calls = make_ring(conf, "calls", CALL_RING);
	w->inbound = make_ring(conf, "in", INBOUND_RING);
	rc = w->calls == NULL || w->inbound == NULL ? -rte_errno : init_ifaces(w, conf);
	if (rc == 0)
		rc = init_layers(w, conf);
	if (rc != 0)
		weir_worker_fini(w);
	return rc;
}

static void
free_inbound(struct weir_worker *w)
{
	struct rte_mbuf *m;

	while (w->inbound != NULL && weir_ring_take(w->inbound, (void **)&m, 1) == 1)
		rte_pktmbuf_free(m);
	weir_pktq_free(&w->core.loop);
}

/* Calls that came after the last turn: they hold references, and somebody may own their memory. */
static void
answer_late(struct weir_worker *w)
{
	while (w->calls != NULL && weir_mbox_run(w) != 0) {
	}
}

void
weir_worker_fini(struct weir_worker *w)
{
	answer_late(w);
	weir_idle_fini(w);
	if (w->sock.socks != NULL)
		weir_sock_worker_fini(&w->sock);
	weir_tcp_fini(&w->tcp);
	weir_udp_fini(&w->udp);
	weir_ip_fini(&w->ip);
	for (unsigned int i = 0; i < w->n_ifaces; i++)
		weir_iface_fini(&w->ifaces[i]);
	w->n_ifaces = 0;
	free_inbound(w);
	weir_core_flush(&w->core);
	rte_free(w->ifaces);
	rte_ring_free(w->calls);
	rte_ring_free(w->inbound);
	w->ifaces = NULL;
	w->calls = NULL;
	w->inbound = NULL;
}

static unsigned int
receive(struct weir_worker *w)
{
	unsigned int n = weir_rx_path_inner(w);

	for (unsigned int i = 0; i < w->n_ifaces; i++)
		if (w->ifaces[i].queue < w->ifaces[i].rx_queues)
			n += weir_rx_path(w, &w->ifaces[i]);
	return n;
}

/*
 * A worker that was held up finds timers due whose answers have been waiting in its queues all the
 * time: those first, or it would probe and send again what has arrived. Not for ever.
 */
static unsigned int
receive_what_waited(struct weir_worker *w, uint64_t late_us)
{
	unsigned int last = receive(w);
	unsigned int n = last;

	for (unsigned int i = 0; i < CATCH_UP_BURSTS && last >= WEIR_BURST_MAX; i++) {
		if (late_us < CATCH_UP_US || w->wheel.next_us > w->core.now_us)
			break;
		last = receive(w);
		n += last;
	}
	return n;
}

unsigned int
weir_worker_turn(struct weir_worker *w)
{
	struct weir_worker *const outer = self;
	const uint64_t start = rte_rdtsc();
	const uint64_t before_us = w->core.now_us;
	unsigned int n;

	self = w;
	w->core.now_us = weir_clock_now_us(w->clock);
	n = weir_mbox_run(w);
	n += weir_sock_doors(&w->sock);
	n += receive_what_waited(w, w->core.now_us - before_us);
	n += weir_timers_run(w);
	n += weir_sock_publish(&w->sock);
	weir_tx_path(w);
	self = outer;
	w->stats.turns++;
	if (n != 0) {
		w->stats.busy_turns++;
		w->stats.busy_tsc += rte_rdtsc() - start;
		w->idle_since_us = 0;
	}
	return n;
}

void
weir_worker_loop(struct weir_worker *w)
{
	weir_lock(&w->is_taken);
	while (!__atomic_load_n(&w->must_stop, __ATOMIC_ACQUIRE))
		if (weir_worker_turn(w) == 0)
			weir_idle(w);
	weir_poke(w->must_stop, 0);
	while (weir_mbox_run(w) != 0) {
		/* Callers wait for these; later ones see that nobody runs the worker. */
	}
	weir_unlock(&w->is_taken);
}

void
weir_worker_stop(struct weir_worker *w)
{
	__atomic_store_n(&w->must_stop, 1, __ATOMIC_RELEASE);
	weir_sock_wake_worker(&w->sock);
}
