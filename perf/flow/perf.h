/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * weir-perf: what a request, a connection, a segment or a datagram costs.
 * Model   A bed holds two ends that exchange packets: two stacks, or, for the ceiling, a generator
 *         and a MAC swapper on the same ports. The client's end is always stepped by the main
 *         thread. The server's end is stepped by it in turn (one core: only the server's steps are
 *         timed), or runs on an lcore of its own (two cores), in this process over the cable, in a
 *         child process over memif.
 *         The measurement reads both ends' counts at the borders of slices of time, and gives the
 *         median slice: a slice that another program has disturbed does not count.
 * Thread  Counts of an end are written by the thread that runs it, read by the main thread.
 */
#ifndef PERF_H
#define PERF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>

#include "weir.h"
#include "weir_port.h"

#define PERF_SETS_MAX 16
#define PERF_BULK_LEN 65536 /* bytes given to one weir_send() of a bulk flow */
#define PERF_SEGMENT  1460  /* bytes of a bulk flow that are an operation */
#define PERF_WAIT_MS  10000 /* nothing takes longer */

enum perf_ports {
	PERF_CABLE, /* in one process; mbufs pass by pointer */
	PERF_MEMIF, /* shared memory; the driver copies */
};

enum perf_shape {
	PERF_ECHO,  /* the server sends back what it gets */
	PERF_SHORT, /* the same, with a connection for each request; the client closes */
	PERF_BULK,
	PERF_IDLE, /* not a flow: see idle.c */
	PERF_CROWD, /* see crowd.c */
};

/** What serves. */
enum perf_server {
	PERF_WEIR,
	PERF_LWIP, /* see lwip.h: over memif, one core */
};

/** What comes from strangers beside the client's packets: 16 for each of its turns. */
enum perf_flood {
	PERF_NO_FLOOD,
	PERF_SYN_FLOOD, /* from random hosts to the server's port */
	PERF_ACK_FLOOD, /* the same, of no connection */
	PERF_UDP_FLOOD, /* to a closed port */
};

struct perf_workload {
	const char *name;
	enum perf_shape shape;
	int type;         /* SOCK_STREAM, SOCK_DGRAM */
	bool is_upload;   /* bulk: the client sends */
	bool is_download; /* bulk: the server sends */
	const char *what; /* one operation */
};

struct perf_opts {
	const struct perf_workload *workload;
	enum perf_ports ports;
	enum perf_server server;
	bool is_two_cores;
	enum perf_flood flood;
	bool use_mbuf; /* the server's callback takes and sends mbufs */
	bool has_ceiling;
	const char *impair; /* of the cable, both ways, as weir_cable.h has it; NULL: none */
	unsigned int listeners; /* sockets of the server; the client's flows spread over them */
	unsigned int conns; /* connections or sockets at a time */
	unsigned int depth; /* requests under way on each */
	unsigned int size;  /* bytes of a request and of its answer */
	unsigned int slice_ms;
	unsigned int slices;
	unsigned int warmup_ms;
	uint64_t ops_min; /* fewer, and the run has failed */
	int server_cpu;
	int client_cpu;
	const char *hugepages;
	unsigned int n_sets;
	const char *sets[PERF_SETS_MAX]; /* "section.key=value", of both stacks */
};

/** What an end of the bed has done so far. */
struct perf_counts {
	uint64_t tsc; /* when this was read */
	uint64_t units; /* operations, or bytes of bulk flows, that were completed here */
	uint64_t cycles; /* spent */
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t errors; /* connections that failed, datagrams that could not be sent */
	uint64_t lost;   /* requests sent again for want of an answer */
	uint64_t rexmits; /* segments that TCP has sent again */
	uint64_t cut;     /* steps left out of cycles: see perf_step() */
};

/** Packets that the server exchanges for one operation. */
struct perf_profile {
	double rx_per_op;
	double tx_per_op;
	uint32_t rx_len; /* mean, without CRC */
	uint32_t tx_len;
	uint32_t window; /* packets towards the server at a time */
};

struct perf_result {
	double ops_per_s;
	double cycles_per_op;
	struct perf_profile profile;
	uint64_t ops;
	uint64_t errors;
	uint64_t lost;
	uint64_t rexmits; /* of both ends */
	uint64_t cut;
	bool is_balanced; /* every packet accounted for */
};

static inline void
perf_add(uint64_t *count, uint64_t n)
{
	__atomic_store_n(count, *count + n, __ATOMIC_RELAXED);
}

/**
 * A step of the server that began at start is over. One of 200 us or more was interrupted by
 * another program: what that took is not the server's, so the step is left out, and counted.
 */
static inline void
perf_step(struct perf_counts *c, uint64_t start)
{
	const uint64_t cycles = rte_rdtsc() - start;

	if (likely(cycles < rte_get_tsc_hz() / 5000))
		c->cycles += cycles;
	else
		c->cut++;
}

/** A copy of counts that another thread writes; each field is whole. */
static inline void
perf_counts_read(const struct perf_counts *from, struct perf_counts *to)
{
	const uint64_t *in = (const uint64_t *)from;
	uint64_t *out = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*out); i++)
		__atomic_store_n(&out[i], __atomic_load_n(&in[i], __ATOMIC_RELAXED),
			__ATOMIC_RELAXED);
}

/* main.c */

extern const struct perf_workload perf_workloads[]; /* ended by name NULL */

/* side.c: what server and client have in common */

struct perf_side;

/** One connection or UDP socket of the client. */
struct perf_flow {
	struct perf_side *side;
	int fd;
	uint32_t got; /* bytes of an answer that is not complete */
};

struct perf_side {
	const struct perf_opts *o;
	struct weir_stack *st;
	struct perf_counts counts; /* units, errors, lost */
	struct perf_flow *flows;   /* client: flows[o->conns] */
	bool is_over;              /* callbacks send nothing any more */
	char *out;                 /* PERF_BULK_LEN bytes to send */
	char *in;                  /* as many: received data is copied here */
};

/** Room for the side's bytes. @return 0 or -ENOMEM */
int perf_side_init(struct perf_side *s, const struct perf_opts *o, struct weir_stack *st);

/** Stop the stack, and sending: before perf_stacks_free(). */
void perf_side_stop(struct perf_side *s);

/** Free it, when the stack is gone. */
void perf_side_fini(struct perf_side *s);

/** A socket with callbacks, TCP without Nagle. @return descriptor or negative errno */
int perf_socket(struct perf_side *s, const struct weir_callbacks *cb);

/** Send as much of a bulk flow as fits. */
void perf_pump(struct perf_side *s, int fd);

/** The application's copy of received data. */
void perf_take(struct perf_side *s, const void *data, size_t len);

/** The address and port of a socket of the server, 0 on. */
struct sockaddr_in perf_server_addr(unsigned int i);

/* serve.c */

/** Listen, or bind. @return 0 or negative errno, said on stderr */
int perf_serve(struct perf_side *s, const struct perf_opts *o, struct weir_stack *st);

/* load.c */

/** Open all flows. As above. */
int perf_load(struct perf_side *s, const struct perf_opts *o, struct weir_stack *st);

/** Called ten times a second: nothing came back since, so datagrams were lost. Send new ones. */
void perf_load_push(struct perf_side *s);

/* flood.c */

/** @return 0; -EINVAL, said on stderr */
int perf_flood_named(const char *name, enum perf_flood *flood);

/** One turn's part of the flood, by the client's port: they leave in the client's next turn. */
void perf_flood(const struct perf_opts *o, struct weir_stack *client);

/* swap.c */

struct perf_swap {
	struct weir_port *port;
	struct rte_mempool *pool;
	struct perf_profile profile;
	struct perf_counts counts; /* units: packets received and sent */
	double credit;  /* swapper: answers owed; generator: packets under way */
	bool must_stop; /* atomic */
};

/** Open one end of the bed's ports without a stack. As perf_serve(). */
int perf_swap_open(struct perf_swap *s, const struct perf_opts *o, bool is_server,
	const struct perf_profile *profile);

/** Both ends of a cable must be closed before either is freed. */
void perf_swap_close(struct perf_swap *s);
void perf_swap_free(struct perf_swap *s);

/** Send back what came, as many of the profile's size as the workload's server sends. */
unsigned int perf_swap_turn(struct perf_swap *s);

/** Keep the window full. */
void perf_swap_generate(struct perf_swap *s);

/** Nothing came back since the last call: forget what is under way. */
void perf_swap_push(struct perf_swap *s);

/** perf_swap_turn() until must_stop; cycles of turns that found something count. For an lcore. */
int perf_swap_loop(void *swap);

/* bed.c: EAL, configurations, stacks */

/** Start EAL for this process: of a memif pair is_server tells which one. */
int perf_eal(const struct perf_opts *o, bool is_server);

struct weir_stack *perf_stack(const struct perf_opts *o, bool is_server, bool may_sleep);

/**
 * The port of an end as its stack opens it. One on a memif cannot be opened twice: the ceiling has
 * its own.
 */
int perf_port_open(const struct perf_opts *o, bool is_server, bool is_ceiling,
	struct rte_mempool *pool, struct weir_port **port);

/** Its packet counts. */
void perf_port_counts(struct weir_port *port, struct perf_counts *counts);

/** Let the cable, whose ends are open, do what o->impair says. @return 0 or negative errno */
int perf_impair(const struct perf_opts *o);

/** Wait until the link is up. */
int perf_link_wait(struct weir_port *port);

/**
 * The other end was closed: wait until the driver has taken notice. A memif must not be closed
 * while the interrupt thread still disconnects it.
 */
void perf_link_wait_down(const struct perf_opts *o, struct weir_port *port);

/** Free stopped stacks that may hold packets of each other; either may be NULL. */
void perf_stacks_free(
	const struct perf_opts *o, struct weir_stack *server, struct weir_stack *client);

/** Packet counts of the stack's port, and cycles of its worker's busy turns. */
void perf_stack_counts(struct weir_stack *st, struct perf_counts *counts);

bool perf_is_balanced(struct weir_stack *st);

/* peer.c: the server's process of a memif pair on two cores */

enum perf_phase {
	PERF_START,
	PERF_FLOW,
	PERF_QUIET, /* its port is closed, so that the client may close its own */
	PERF_CEILING,
	PERF_END,
};

/** What the two processes share. */
struct perf_peer {
	pid_t pid;
	uint32_t wanted;  /* enum perf_phase; client: w, server: r; atomic */
	uint32_t reached; /* client: r, server: w; atomic */
	struct perf_profile profile; /* client: w, before it wants PERF_CEILING */
	struct perf_counts counts;   /* server: w */
	bool is_balanced;            /* server: w, before it leaves PERF_FLOW */
	bool is_gone; /* client's: the process has ended, with this result */
	int result;
};

/** Fork the server's process, before perf_eal(). @return its handle; NULL: it can't be done */
struct perf_peer *perf_peer_fork(const struct perf_opts *o);

/**
 * Let it enter a phase, and wait until it has; again PERF_END: the same result.
 * @return 0 or negative errno, said on stderr
 */
int perf_peer_enter(struct perf_peer *p, enum perf_phase phase);

/* measure.c */

/** What is measured: both ends, as the main thread sees them. */
struct perf_run {
	void (*turn)(void *arg);
	void (*push)(void *arg); /* ten times a second, when nothing happened since */
	void (*read)(void *arg, struct perf_counts *client, struct perf_counts *server);
	void *arg;
	double units_per_op;
	bool is_stepped; /* operations per second by the server's cycles, not by the clock */
};

/** @return 0; -ETIMEDOUT when nothing moves, or ops_min is not reached */
int perf_measure(const struct perf_run *run, const struct perf_opts *o, struct perf_result *res);

/* flow.c */

/** A workload between two stacks. */
int perf_flow_run(const struct perf_opts *o, struct perf_peer *peer, struct perf_result *res);

/* ceiling.c */

/** MAC swapping of the same number and size of packets on the same ports. */
int perf_ceiling_run(const struct perf_opts *o, struct perf_peer *peer,
	const struct perf_profile *profile, struct perf_result *res);

/* idle.c */

/** CPU use and wake-up latency of a worker that sleeps. Prints its result itself. */
int perf_idle_run(const struct perf_opts *o);

/* crowd.c */

/** Memory of idle connections, and what a request to any of them costs. As above. */
int perf_crowd_run(const struct perf_opts *o);

#endif
