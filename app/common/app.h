/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the programs share: start and stop, listening, the connections of each worker.
 * Model   The main thread starts the stack, waits for SIGINT or SIGTERM, stops it. Everything
 *         else happens in callbacks on the workers.
 */
#ifndef APP_H
#define APP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_config.h>

#include <weir.h>

/** A program's connection begins with this; it is linked into its worker's list. */
struct app_conn {
	LIST_ENTRY(app_conn) link;
};

LIST_HEAD(app_conns, app_conn);

/** The connections of every worker: each list is touched by its lcore alone while workers run. */
struct app_lists {
	struct app_conns of[RTE_MAX_LCORE];
};

/** The list of the worker whose callback this is. */
struct app_conns *app_conns_here(struct app_lists *lists);

/** Free what is left when the workers have stopped. @param end  frees one, which is linked */
void app_conns_end(struct app_lists *lists, void (*end)(struct app_conn *conn));

/** A running program. */
struct app {
	const char *name;
	struct weir_stack *st;
	uint32_t mbufs; /* in use before there were any sockets: those that the ports hold */
};

/**
 * weir_init() for a program that ends by a signal: SIGINT and SIGTERM stay pending, in all threads,
 * until app_wait().
 */
int app_init(struct app *app, const char *name, const char *conf_file);

/** Say that the program is ready, and wait for SIGINT or SIGTERM. */
void app_wait(const struct app *app);

/** Say in one line what is still held, all sockets being closed; then weir_fini(). */
void app_fini(const struct app *app);

/**
 * A socket for both IP versions on a port, listening if it is a SOCK_STREAM.
 * @param cb  may be NULL
 * @return descriptor, or a negative errno, said on stderr
 */
int app_open(struct weir_stack *st, int type, uint16_t port, const struct weir_callbacks *cb);

/** A whole number from min to max, or a negative errno, said on stderr. */
long app_number(const char *what, const char *text, long min, long max);

#endif
