/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * weir-load: requests to a server, and how long their answers take.
 * Model   One thread steps a stack and gives requests to flows (connections, or UDP sockets) that
 *         have room. In a closed loop a request is due as soon as a flow has room; in an open loop
 *         at its time, whatever the server does: it waits here if no flow has room, and its
 *         latency counts from the time it was due, not from when it was sent.
 * Thread  All of it is one thread's.
 */
#ifndef LOAD_H
#define LOAD_H

#include <sys/queue.h>

#include <weir.h>

#include "answer.h"
#include "hist.h"

#define LOAD_SETS_MAX 16

enum load_protocol {
	LOAD_ECHO, /* TCP; the answer is as long as the request */
	LOAD_HTTP, /* GET */
	LOAD_UDP,  /* echo */
};

enum load_close {
	LOAD_KEEP,
	LOAD_CLIENT_CLOSES, /* a connection for each request */
	LOAD_SERVER_CLOSES, /* the same; HTTP only, which can ask for it */
};

struct load_opts {
	const char *conf;
	const char *target; /* as it was given */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	enum load_protocol protocol;
	enum load_close close;
	unsigned int conns;
	unsigned int depth; /* requests under way on each */
	unsigned int size;  /* bytes of an echo's request */
	const char *path;
	double rate;  /* requests/s due; 0: closed loop */
	double warmup_s;
	double run_s;
	unsigned int timeout_ms; /* after which a datagram is lost */
	bool as_json;
	const char *histogram; /* file, or NULL */
	unsigned int n_sets;
	const char *sets[LOAD_SETS_MAX]; /* "section.key=value" */
};

enum load_state {
	LOAD_IDLE,    /* no socket; will be opened for a request, if flows are short */
	LOAD_OPENING,
	LOAD_OPEN,
	LOAD_ENDING,  /* answered; the server is to close */
	LOAD_BROKEN,  /* no socket; opened again after a while */
};

/** A connection or a UDP socket. */
struct load_flow {
	struct load *l;
	TAILQ_ENTRY(load_flow) link;
	bool is_ready; /* linked */
	uint8_t state; /* enum load_state */
	int fd;
	uint32_t under_way;
	uint32_t first;	 /* of due[], the oldest under way; TCP */
	uint32_t pos;	 /* TCP: in the request that is being sent */
	uint64_t owed;	 /* TCP: bytes that the socket has not taken yet */
	uint64_t heard;	 /* TSC: something came, or nothing was under way */
	uint64_t *due;	 /* due[depth], TSC */
	struct load_answer answer;
};

struct load_stats {
	uint64_t answers;
	uint64_t errors;     /* connections that failed or ended unasked, answers not understood */
	uint64_t lost;	     /* datagrams without an answer */
	uint64_t unanswered; /* at the end: sent or only due */
	uint64_t busy;	     /* cycles of turns that had something to do */
	uint64_t start;	     /* TSC of the measurement */
	uint64_t end;
	struct load_hist latency; /* ns */
};

enum load_phase { LOAD_SET_UP, LOAD_RUN, LOAD_OVER };

struct load {
	const struct load_opts *o;
	struct weir_stack *st;
	struct load_flow *flows; /* flows[o->conns] */
	uint64_t *dues;		 /* what the flows' due points into */
	TAILQ_HEAD(load_ready, load_flow) ready; /* those with room for a request */
	char *requests; /* o->depth of them */
	uint32_t request_len;
	enum load_phase phase;
	uint32_t n_begun; /* flows that were opened, the first ones */
	uint32_t n_open;  /* of them ready for requests once, at least */
	uint64_t under_way;
	uint64_t n_answered; /* ever */
	bool is_wrong;	     /* an answer was not understood */
	uint64_t interval;  /* TSC between requests; 0: closed loop */
	uint64_t next;	    /* TSC: when the next one is due */
	double ns_per_tick;
	struct load_stats stats;
};

/* flow.c */

/** Open more flows, until all are: the first alone, so that the neighbour is known. */
void load_open_more(struct load *l);

/** Give due requests to flows that have room. @return how many */
unsigned int load_feed(struct load *l);

/** Ten times a second: open broken flows again, count lost datagrams. */
void load_tick(struct load *l);

/** Count what was not answered until stats.end, with the time that it has waited. */
void load_count_unanswered(struct load *l);

void load_close_all(struct load *l);

/* run.c */

/** Set up, warm up, measure; stats are filled. @return 0 or negative errno, said on stderr */
int load_run(struct load *l, const struct load_opts *o, struct weir_stack *st);

/* report.c */

void load_report(const struct load *l);

/** @return 0; -EIO, said on stderr */
int load_write_histogram(const struct load *l, const char *path);

#endif
