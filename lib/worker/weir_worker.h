/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A worker: one lcore, its queue pair of every port, its tables, timers and counters, its loop.
 * Model   weir_worker_turn() reads the clock, answers calls and doors, takes a burst from every
 *         port through the receive path, runs due timers, tells the sockets, and sends.
 * Thread  All fields belong to the worker's lcore, but for the rings and counters read by others.
 */
#ifndef WEIR_WORKER_H
#define WEIR_WORKER_H

#include "weir_clock.h"
#include "weir_sock.h"

struct rte_ring;
struct weir_worker;

/** What rx_path.c passes from stage to stage; empty between turns. */
struct weir_rx_vecs {
	struct weir_vec frame;
	struct weir_vec arp;
	struct weir_vec ip4;
	struct weir_vec ip6;
	struct weir_vec udp;
	struct weir_vec tcp;
	struct weir_vec raw;
};

struct weir_worker_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_worker_stats.h"
#undef WEIR_STAT
};

/** A function that another thread asks a worker to run between two turns. */
struct weir_call {
	int (*fn)(struct weir_worker *w, void *arg);
	void *arg;
	int result;
	uint32_t is_done; /* atomic; set last: the caller's memory is not touched after */
	bool is_posted;   /* nobody waits: the worker frees it (rte_malloc) */
};

struct weir_worker {
	struct weir_core core;
	struct weir_wheel wheel;
	struct weir_rx_vecs rx;
	struct weir_ready ready;
	unsigned int n_ifaces;
	struct weir_iface *ifaces; /* ifaces[n_ifaces] */
	struct weir_ip ip;
	struct weir_udp udp;
	struct weir_raw raw;
	struct weir_tcp tcp;
	struct weir_sock_worker sock;
	const struct weir_clock *clock;
	struct rte_ring *calls;   /* struct weir_call *; many producers */
	struct rte_ring *inbound; /* mbufs handed over by other workers; many producers */
	struct weir_worker **peers; /* peers[core.n_workers], this one included */
	uint16_t index;
	unsigned int lcore; /* LCORE_ID_ANY: not on an lcore */
	int numa_node;
	enum weir_idle_mode { WEIR_WORKER_POLL, WEIR_WORKER_SLEEP } idle;
	uint32_t idle_poll_us;
	uint64_t idle_since_us; /* 0: busy */
	int epoll_fd;
	bool has_rx_wakeup; /* every port can wake us; else sleeps are short */
	uint32_t must_stop; /* atomic; cleared when the loop has ended */
	uint32_t is_taken;  /* lock: a thread runs the worker */
	struct weir_worker_stats stats;
};

struct weir_worker_conf {
	const char *name; /* unique in the process: names of rings and ribs */
	uint16_t index;
	uint16_t n_workers;
	struct weir_worker **peers;
	int numa_node;
	const struct weir_clock *clock;
	struct rte_mempool *pool;
	uint64_t seed; /* of this worker */
	struct weir_pmtu *pmtu; /* of the stack */
	const uint64_t *secret;
	struct weir_iface_conf *ifaces; /* ifaces[n_ifaces] */
	unsigned int n_ifaces;
	const struct weir_steer *steer;
	bool is_steering;
	struct weir_tcp_conf tcp;
	struct weir_socks *socks;
	enum weir_idle_mode idle;
	uint32_t idle_poll_us;
};

/** Set up w (zeroed memory on its NUMA node). @return 0 or negative errno, nothing left behind */
int weir_worker_init(struct weir_worker *w, const struct weir_worker_conf *conf);

/** Drop all connections and packets, free everything. Sockets must be closed before. */
void weir_worker_fini(struct weir_worker *w);

/** One turn. @return packets, calls, events and timers handled; 0: there was nothing to do */
unsigned int weir_worker_turn(struct weir_worker *w);

/**
 * Turn until weir_worker_stop(), sleeping in between as configured. A stop that came before ends it
 * at once.
 */
void weir_worker_loop(struct weir_worker *w);
void weir_worker_stop(struct weir_worker *w);

/** The worker whose turn the calling thread is in, or NULL. */
struct weir_worker *weir_worker_self(void);

/* rx_path.c */

/** One turn of the receive path of one port. @return frames taken */
unsigned int weir_rx_path(struct weir_worker *w, struct weir_iface *ifc);

/** The same for packets handed over by other workers or looped back. @return packets taken */
unsigned int weir_rx_path_inner(struct weir_worker *w);

/* tx_path.c */

/** Send what this turn has produced. */
void weir_tx_path(struct weir_worker *w);

/* timers.c */

/** Run the timers that are due. @return how many */
unsigned int weir_timers_run(struct weir_worker *w);

/* mbox.c */

/** Run the calls that other threads have left. @return how many */
unsigned int weir_mbox_run(struct weir_worker *w);

/** Pass core->handover on to the rings of the other workers. */
void weir_mbox_handover(struct weir_worker *w);

/**
 * Let w run fn(w, arg) and wait for its result; while no thread runs w, the calling one does. Not
 * for worker threads: they must not wait.
 */
int weir_worker_call(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), void *arg);

/** The same without waiting; fn owns arg. @return 0, -ENOBUFS, -ENOMEM */
int weir_worker_post(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), void *arg);

/* idle.c */

int weir_idle_init(struct weir_worker *w);
void weir_idle_fini(struct weir_worker *w);

/** A turn had nothing to do: sleep if that has been so for idle_poll_us. */
void weir_idle(struct weir_worker *w);

#endif
