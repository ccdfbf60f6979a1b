/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Two stacks, a (10.0.0.1, fd00::1) and b (10.0.0.2, fd00::2), joined by a cable on one virtual
 * clock and stepped by hand: deterministic from the seed. A second cable, where asked for, joins
 * ports p1 of both (10.0.1.1, fd01::1; 10.0.1.2, fd01::2).
 */
#ifndef PAIR_H
#define PAIR_H

#include "stack_priv.h"
#include "unit.h"
#include "weir_cable.h"

struct pair {
	struct weir_clock clock;
	struct weir_cable *cable;
	struct weir_cable *second; /* or NULL */
	struct weir_stack *a;
	struct weir_stack *b;
	uint64_t idle_steps; /* steps in which nothing happened */
};

struct pair_conf {
	unsigned int workers; /* 0: 1 */
	uint32_t mbufs;       /* per worker; 0: 8192 */
	uint32_t caps_off;    /* of the cable */
	struct weir_impair impair; /* both directions */
	uint64_t seed;
	bool use_tsc; /* real time and threads instead of the virtual clock */
	bool polls;   /* idle = poll instead of sleep */
	uint32_t fastopen; /* of both; 0: as it is */
	uint32_t sockets; /* 0: 1024 */
	bool use_accecn; /* RFC 9768, of both */
	bool has_second; /* a second cable */
};

void pair_open(struct pair *p, const struct pair_conf *conf);

/** Both stacks one turn; when nothing happened, the clock moves to what comes next. */
void pair_step(struct pair *p);

/** Step until done(arg), at most max_steps. @return whether it was done */
bool pair_until(struct pair *p, bool (*done)(void *), void *arg, unsigned int max_steps);

/** Let virtual time pass. */
void pair_pass(struct pair *p, uint64_t us);

/** Free all; asserts that every mbuf and socket is accounted for. */
void pair_close(struct pair *p);

/** Address of a ('a') or b, v4 or v6. @return its length */
socklen_t pair_addr(char who, int domain, uint16_t port, struct sockaddr_storage *ss);

/** The link-local address of a ('a') or b on a cable (0, 1), whose interface is its scope. */
socklen_t pair_link_addr(const struct pair *p, char who, unsigned int cable, uint16_t port,
	struct sockaddr_in6 *in6);

/** A control message. */
struct pair_cmsg {
	int level;
	int type;
	size_t size;
	const void *value;
};

/** weir_sendmsg() of one piece, with one control message. */
ssize_t pair_send_with(struct weir_stack *st, int fd, void *data, size_t len,
	const struct pair_cmsg *cmsg);

/** A connection from a to b: listens on b, connects, accepts. Non-blocking. */
void pair_connect(struct pair *p, int domain, uint16_t port, int *fd_a, int *fd_b);

#endif
