/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What rte_telemetry shows of stacks: commands /weir/..., asked by weir-stat or dpdk-telemetry.py.
 * Model   A command is "/weir/NAME", "/weir/NAME,STACK" or "/weir/NAME,STACK,ARGUMENT"; the stack
 *         may be left out (or empty) where the process has just one. Most answers are a dict; rows
 *         are dicts in a dict, under the names "0", "1", ... (DPDK's arrays hold no dicts). What
 *         was asked wrongly is answered by {"error": "why"}.
 * Paging  An answer is 16 KB of JSON at most. A list that is longer comes in pages: "next" in the
 *         answer is the ARGUMENT that asks for the next page; without it, the page was the last.
 * Thread  Callbacks run on DPDK's telemetry threads, with the list of stacks locked: a stack stays
 *         until they are through. They read counters as they stand, and all else by tel_ask().
 */
#ifndef TELEMETRY_PRIV_H
#define TELEMETRY_PRIV_H

#include <rte_telemetry.h>

#include "stack_priv.h"

#define TEL_ASK_US     1000000 /* how long a worker has for an answer */
#define TEL_SOCKS_MAX  32      /* rows of a page: what fits 16 KB at their longest */
#define TEL_PORTS_MAX  6
#define TEL_ROWS_MAX   32
#define TEL_SCAN_MAX   1024 /* connection slots that a worker looks at in one turn */
#define TEL_END        UINT64_MAX
#define TEL_PART_SHIFT 32 /* of "part << 32 | index": part 1 + n is worker n */

/** A command on its way: what was asked, and the dict that answers it. */
struct tel_req {
	struct weir_stack *st;
	const char *arg; /* "" without */
	uint64_t from;   /* arg as a number, 0 without: where the page begins */
	struct rte_tel_data *d;
};

/** Answers of the files, each to one command. @return 0, or negative errno: the answer is null */
int tel_ports(struct tel_req *r);
int tel_workers(struct tel_req *r);
int tel_pools(struct tel_req *r);
int tel_sockets(struct tel_req *r);
int tel_trace(struct tel_req *r);
int tel_counters(struct tel_req *r);
int tel_addrs(struct tel_req *r);
int tel_routes(struct tel_req *r);
int tel_neighs(struct tel_req *r);
int tel_way(struct tel_req *r);
int tel_net(struct tel_req *r);
int tel_counter_help(struct rte_tel_data *d, const char *layer);

/* telemetry_ask.c */

/**
 * Let worker index run fn(w, arg), arg being a copy of arg[len] that is copied back, and wait for
 * it no longer than limit_us. The worker may come back to it any time later, or never: the copy is
 * freed by whoever is last. A stack that nobody runs is read by the calling thread, at once, maybe
 * while another thread steps it: so fn must keep to memory that lives as long as the stack (no
 * lists), and what it reads may be torn.
 * @return what fn returned; -ETIMEDOUT, -ENOBUFS (the worker's ring is full), -ENOMEM
 */
int tel_ask(struct weir_stack *st, unsigned int index, int (*fn)(struct weir_worker *, void *),
	void *arg, size_t len, uint64_t limit_us);

/* telemetry_ports.c */

/** The addresses of a port, as worker 0 has them: every worker's copy is the same. */
struct tel_addrs {
	unsigned int port;
	unsigned int n;
	uint64_t now_us; /* its clock */
	struct weir_ifaddr addr[WEIR_IFADDRS_MAX];
};

/** @return as tel_ask() */
int tel_ask_addrs(struct weir_stack *st, unsigned int port, struct tel_addrs *a);

/* telemetry_socks.c: one socket or connection, as ss shows it */

struct tel_sock {
	int fd;        /* -1 without */
	int worker;    /* -1: in the table of every one, or of none */
	uint8_t kind;  /* enum weir_sock_kind */
	uint8_t state; /* enum weir_tcp_state; of UDP ESTABLISHED when connected, else CLOSED */
	struct weir_flow flow;
	uint64_t recv_q; /* memory of what was not read yet; of a listener, connections to accept */
	uint64_t lent;	 /* packets that the application has got and not given back */
	uint64_t send_q; /* bytes not acknowledged yet; of UDP memory; of a listener, its backlog */
	bool has_conn;   /* the rest is filled in */
	uint64_t id;	 /* for tel_trace() */
	uint8_t retries;
	uint16_t mss;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t srtt_us;
	uint32_t rttvar_us;
	uint32_t rto_us;
	uint32_t rexmits;
	uint32_t snd_wnd;
	const char *cc;
};

/** A page of them: in part 0 descriptors without a connection, in part 1 + n worker n's
 *  connections. */
struct tel_socks {
	uint64_t at; /* in: where to begin, part << 32 | index in it; out: next, or TEL_END */
	unsigned int n;
	struct tel_sock sock[TEL_SOCKS_MAX];
};

/** Fill a page; TEL_SCAN_MAX slots at most, so it may hold little. @return as tel_ask() */
int tel_socks_page(struct weir_stack *st, struct tel_socks *page, uint64_t limit_us);

void tel_put_end(struct rte_tel_data *d, const char *name, const struct weir_addr *addr,
	struct weir_be16 port);

/* telemetry_data.c: values into an answer; what does not fit is left out */

void tel_u64(struct rte_tel_data *d, const char *name, uint64_t value);
void tel_int(struct rte_tel_data *d, const char *name, int value);
void tel_text(struct rte_tel_data *d, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** A dict or an array of strings to be filled and then put into d by tel_put(). NULL: no memory */
struct rte_tel_data *tel_dict(void);
struct rte_tel_data *tel_strings(void);

/** sub goes into d under name, or under the number row. Takes sub; NULL is left out. */
void tel_put(struct rte_tel_data *d, const char *name, struct rte_tel_data *sub);
void tel_put_row(struct rte_tel_data *d, unsigned int row, struct rte_tel_data *sub);

#endif
