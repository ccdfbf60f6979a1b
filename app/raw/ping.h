/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * weir-ping's work: requests, answers, what is counted of them.
 */
#ifndef APP_PING_H
#define APP_PING_H

#include "raw.h"

struct ping_opts {
	struct raw_host to;
	uint64_t count; /* 0: until a signal */
	uint64_t interval_us;
	uint64_t linger_us; /* wait for the last answers */
	unsigned int wait_up_s;
	size_t size; /* of the data */
	int ttl;     /* 0: the stack's */
	int mtu_discover; /* IP_PMTUDISC_..., -1: the stack's */
	bool is_flood;
	bool is_quiet;
};

struct ping_stats {
	uint64_t sent;
	uint64_t received;
	uint64_t duplicates;
	uint64_t corrupted;
	uint64_t errors;
	uint64_t rtts; /* in the following, in us: duplicates too */
	uint64_t min;
	uint64_t max;
	double sum;
	double sum2;
};

void ping_stats_add(struct ping_stats *s, uint64_t rtt_us);
void ping_stats_print(const struct ping_stats *s, const char *host, uint64_t took_us);

/** @return exit status: 0 answered, 1 not all or none, 2 another error */
int ping_run(struct weir_stack *st, const struct ping_opts *o);

#endif
