/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The echo service, TCP and UDP, in three styles: one for each way to use Weir.
 * Model   buffer.c   callbacks that get bytes; what the socket does not take is copied and kept
 *         mbuf.c     callbacks that get packets and send the same packets back, without a copy
 *         threads.c  blocking calls in threads of the application's own
 *         conn.c     what the connections of the callback styles have in common
 */
#ifndef ECHO_H
#define ECHO_H

#include "app.h"

struct echo_counts {
	uint64_t connections;
	uint64_t bytes; /* echoed over TCP */
	uint64_t datagrams;
	uint64_t lost; /* datagrams that could not be sent back */
};

struct echo {
	struct weir_stack *st;
	const struct echo_style *style;
	unsigned int n_threads;
	int tcp; /* descriptors */
	int udp;
	struct app_lists conns;
	struct echo_counts counts[RTE_MAX_LCORE]; /* callbacks: by lcore; threads: by thread */
	struct echo_thread *threads;
	uint32_t must_stop; /* atomic: threads look at it */
};

struct echo_style {
	const char *name;
	/* Open the sockets and begin. @return 0 or a negative errno, said on stderr */
	int (*start)(struct echo *e, uint16_t port);
	/* End what start has begun, all but the sockets. The workers still run */
	void (*stop)(struct echo *e);
};

extern const struct echo_style echo_buffer, echo_mbuf, echo_threads;

/** @return 0 or a negative errno, said on stderr */
int echo_start(struct echo *e, struct weir_stack *st, const struct echo_style *style,
	unsigned int n_threads, uint16_t port);

/** Close and free everything. Stops the workers. */
void echo_stop(struct echo *e);

void echo_print_counts(const struct echo *e);

/* Connections in callback style */

/** A connection; the style's own data follows it. */
struct echo_conn {
	struct app_conn app; /* first */
	const struct echo_conn_ops *ops;
	struct echo *e;
	struct echo_counts *n;
	int fd;
	bool has_peer_closed; /* so do we, when all is sent */
	bool is_over;
	bool is_held; /* what comes in waits with TCP */
	size_t n_kept; /* what the socket has not taken yet, in the style's unit */
};

struct echo_conn_ops {
	size_t size; /* of a connection */
	void (*send_kept)(struct echo_conn *c);
	void (*drop_kept)(struct echo_conn *c);
};

/** All events of a connection; the arg of WEIR_EV_ACCEPT is the struct echo. */
void echo_conn_event(int fd, enum weir_event ev, void *arg, const struct echo_conn_ops *ops);

/** The end of every callback: c may be gone after it. */
void echo_conn_settle(struct echo_conn *c);

/** The counts of the worker that a callback runs on. */
struct echo_counts *echo_counts_here(struct echo *e);

#endif
