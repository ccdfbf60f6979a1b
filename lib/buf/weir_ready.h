/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the transports tell the socket layer: a list of connections and bindings that something
 * happened to, each at most once, with the events as bits.
 * Thread  One per worker.
 */
#ifndef WEIR_READY_H
#define WEIR_READY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "weir_pktq.h"

enum weir_ready_event {
	WEIR_READY_READ = 1 << 0,      /* data in the item's rx queue */
	WEIR_READY_WRITE = 1 << 1,     /* send memory was freed */
	WEIR_READY_CONNECT = 1 << 2,   /* active open succeeded */
	WEIR_READY_ACCEPT = 1 << 3,    /* passive open succeeded: a new connection of a listener */
	WEIR_READY_PEERCLOSE = 1 << 4, /* the peer's FIN was taken in order */
	WEIR_READY_CLOSE = 1 << 5,     /* over: closed, reset, refused, timed out; see error */
	WEIR_READY_KEEPALIVEDOWN = 1 << 6,
	WEIR_READY_URGENT = 1 << 8, /* the peer marked a byte as urgent */
	WEIR_READY_ERROR = 1 << 7, /* a soft or asynchronous error (ICMP) for SO_ERROR */
	WEIR_READY_NOTE = 1 << 9, /* packets that tell something, see tcp_notes.c */
};

enum weir_ready_kind { WEIR_READY_TCP, WEIR_READY_UDP, WEIR_READY_RAW };

/* Embedded in connections and bindings. */
struct weir_ready_item {
	STAILQ_ENTRY(weir_ready_item) link;
	uint16_t events; /* enum weir_ready_event */
	uint8_t kind;    /* enum weir_ready_kind */
	bool is_queued;
	uint32_t n_in; /* the owner's count of what came in, in what would be padding */
};

STAILQ_HEAD(weir_ready, weir_ready_item);

/** Note events for item; it is queued if it is not yet. */
static inline void
weir_ready_add(struct weir_ready *r, struct weir_ready_item *item, unsigned int events)
{
	item->events |= (uint16_t)events;
	if (!item->is_queued) {
		item->is_queued = true;
		STAILQ_INSERT_TAIL(r, item, link);
	}
}

/** The next item, no longer queued (its events stay for the caller to take), or NULL. */
static inline struct weir_ready_item *
weir_ready_pop(struct weir_ready *r)
{
	struct weir_ready_item *item = STAILQ_FIRST(r);

	if (item != NULL) {
		STAILQ_REMOVE_HEAD(r, link);
		item->is_queued = false;
	}
	return item;
}

/** Take item off the list, if it is there, before its object goes. */
static inline void
weir_ready_del(struct weir_ready *r, struct weir_ready_item *item)
{
	if (item->is_queued) {
		STAILQ_REMOVE(r, item, weir_ready_item, link);
		item->is_queued = false;
	}
	item->events = 0;
}

#endif
