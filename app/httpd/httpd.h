/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The web server: HTTP/1.1 on receive callbacks, one answer at a time on each connection.
 * Model   Bytes received run through http.h; an answer is a head, then a body from a `source` that
 *         is read as fast as the socket takes it. While an answer waits for room, what the client
 *         sends meanwhile (pipelining) is kept, up to a limit.
 * Thread  All of a connection happens on its worker. Files are read and written there with plain
 *         system calls, which is fine for a demonstration: the page cache answers.
 */
#ifndef HTTPD_H
#define HTTPD_H

#include <time.h>

#include <rte_common.h>

#include "app.h"
#include "http.h"
#include "root.h"

#define HTTPD_HEAD_MAX 8192        /* of a request */
#define HTTPD_KEEP_MAX (128 * 1024) /* a packet's worth of requests behind one being answered */
#define HTTPD_IO_MAX   (64 * 1024) /* given to the socket at once */
#define HTTPD_BODY_MAX (UINT64_C(16) << 30)
#define HTTPD_LINGER_MAX (UINT64_C(64) << 20) /* read and dropped after a refusal */

struct httpd_counts {
	uint64_t connections;
	uint64_t ended;
	uint64_t requests;
	uint64_t refused; /* answered with 400 or more */
	uint64_t aborted; /* connections that ended within a request or an answer */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

/** What belongs to one worker. */
struct httpd_lane {
	struct httpd_counts n;
	time_t date_s; /* date[] is of this second */
	char date[32];
	char io[HTTPD_IO_MAX]; /* file data on its way into the socket */
};

struct httpd {
	struct weir_stack *st;
	int listener;
	int root; /* directory, or -1 */
	uint64_t n_puts; /* atomic: names of temporary files */
	char *pattern; /* see source.h */
	struct app_lists conns;
	struct httpd_lane lanes[RTE_MAX_LCORE];
};

/** @param root_dir  what to serve, or NULL. @return 0 or a negative errno, said on stderr */
int httpd_start(struct httpd *h, struct weir_stack *st, uint16_t port, const char *root_dir);

/** Close and free everything; the workers have stopped. */
void httpd_stop(struct httpd *h);

/** Say in one line what was done. */
void httpd_print_counts(const struct httpd *h);

/* conn.c */

extern const struct weir_callbacks httpd_callbacks; /* arg, to be filled in: the server */

/** Close and free a connection of the lists. */
void httpd_conn_end(struct app_conn *conn);

#endif
