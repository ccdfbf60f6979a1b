/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The latest events of connections: what happened to one, when, and its numbers then.
 * Model   A ring of 16-byte events per connection, from a pool of [pools] traces rings of the
 *         worker. A connection takes one with its first event; when all are in use, one that had no
 *         event for long is taken from its owner, who begins anew. Only what is notable is an
 *         event: segments that the fast path takes are none, so they cost nothing.
 * Owner   The worker's weir_tcp. A connection holds a number, a ring says whose it is.
 * Thread  The worker's lcore alone; weir_tcp_trace_copy() as the connection itself.
 * Cost    An event is a cache line or two, no division, no branch on the fast path.
 */
#ifndef WEIR_TCP_TRACE_H
#define WEIR_TCP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_tcp;
struct weir_tcp_conn;

/* Numbers are relative: the peer's SYN is 0 in seq, ours in una, sent and so on. */
enum weir_tcp_event_kind {
#define WEIR_TCP_EVENT(kind, name, aux, a, b) WEIR_TCP_EVENT_##kind,
#include "weir_tcp_event_list.h"
#undef WEIR_TCP_EVENT
	WEIR_TCP_EVENTS
};

struct weir_tcp_event {
	uint32_t at_lo; /* 40 bits of the worker's clock, microseconds: 12 days */
	uint8_t at_hi;
	uint8_t kind; /* enum weir_tcp_event_kind */
	uint16_t aux;
	uint32_t a;
	uint32_t b;
};

_Static_assert(sizeof(struct weir_tcp_event) == 16, "a quarter of a cache line");

#define WEIR_TCP_TRACE_LEN  31 /* with their head 512 bytes */
#define WEIR_TCP_EVENT_TEXT 128

struct weir_tcp_trace {
	const void *owner; /* a connection, or what it is while it sleeps; NULL: nobody */
	uint32_t n;        /* events so far */
	bool is_recent; /* one came since the pool's hand passed */
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN];
};

_Static_assert(sizeof(struct weir_tcp_trace) == 512, "cache lines");

/** The pool. */
struct weir_tcp_traces {
	struct weir_tcp_trace *all;
	uint32_t n;
	uint32_t hand; /* where the search for one goes on */
};

/** @return 0 or -ENOMEM; no rings where n is 0 */
int weir_tcp_traces_init(struct weir_tcp_traces *p, uint32_t n, int numa_node);
void weir_tcp_traces_fini(struct weir_tcp_traces *p);

/** This happened to c, with what its line of weir_tcp_event_list.h says. */
void weir_tcp_trace(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_event_kind kind,
	uint32_t aux, uint32_t a, uint32_t b);

/** The same for what comes in rows: in place of the latest event, if that is of this kind; its aux
 *  counts them. */
void weir_tcp_trace_more(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_event_kind kind,
	uint32_t a, uint32_t b);

/** The ring that was number `trace` of `from`, if it still is, is `to`'s from now on. */
void weir_tcp_trace_move(struct weir_tcp *t, uint32_t trace, const void *from, const void *to);

/** c is freed. */
void weir_tcp_trace_free(struct weir_tcp *t, struct weir_tcp_conn *c);

/** c's latest events, the oldest first. @return how many */
unsigned int weir_tcp_trace_copy(const struct weir_tcp *t, const struct weir_tcp_conn *c,
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN]);

/** The same of ring number `trace`, if it still is owner's. */
unsigned int weir_tcp_trace_read(const struct weir_tcp *t, uint32_t trace, const void *owner,
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN]);

/** How long before now_us it was. */
uint64_t weir_tcp_event_age_us(const struct weir_tcp_event *e, uint64_t now_us);

/** "rto retries=1 una=1461 rto_us=400000" */
const char *weir_tcp_event_text(const struct weir_tcp_event *e, char text[WEIR_TCP_EVENT_TEXT]);

/** c was given up: its events to the log, for one connection a second at most. */
void weir_tcp_trace_log(struct weir_tcp *t, const struct weir_tcp_conn *c, int error);

#endif
