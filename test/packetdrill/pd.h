/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The adapter: a stack with one worker, stepped by hand on a clock of its own, behind pd_table.h.
 * Model   A cable leads out of the stack; the adapter holds its other end: packets come in and go
 *         out there, with an Ethernet header put on and taken off. Nothing moves by itself: each
 *         entry lets the stack do what there is to do (pd_step), and time passes only in usleep,
 *         in netdev_receive, and by a microsecond with each look at the clock.
 * Files   pd_start knobs, EAL, stack; pd_knobs the text of --so_flags; pd_time clock and waiting;
 *         pd_wire packets; pd_fd descriptors; pd_call socket calls; pd_poll poll and epoll;
 *         pd_splice pipes.
 * Thread  Everything happens under lock; a call that blocks sleeps on cond and so lets go of it.
 *         gettimeofday takes no lock.
 */
#ifndef PD_H
#define PD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "pd_table.h"
#include "stack_priv.h"
#include "weir_cable.h"

#define PD_NEVER UINT64_MAX

struct pd;

/* A call that waits. */
struct pd_waiter {
	bool (*is_ready)(struct pd *p, struct pd_waiter *w);
	uint64_t deadline_us;
	struct pollfd *fds; /* for is_ready: descriptors of the stack */
	nfds_t n;
	struct weir_sock *sock;
	bool is_over;
	TAILQ_ENTRY(pd_waiter) link;
};

/* A packet on its way out. */
struct pd_out {
	STAILQ_ENTRY(pd_out) link;
	uint64_t left_us;
	size_t len;
	uint8_t data[];
};

/* A descriptor as the tool sees it: a number that the kernel keeps for us. */
struct pd_file {
	bool is_open;
	bool is_nonblock;
	int sock; /* the stack's; -1: none */
};

/* What --so_flags says beside the configuration. */
struct pd_knobs {
	struct weir_conf conf;
	char eal[1024];
	uint64_t patience_us; /* netdev_receive: how long a packet may be missing */
};

struct pd {
	struct weir_clock clock; /* first: the stack's clock is part of this */
	uint64_t now_us;         /* atomic; microseconds since the epoch, in its own way */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	pthread_t main;
	struct pd_knobs knobs;
	struct weir_stack *st;
	struct weir_cable *cable;
	struct weir_port *wire;      /* our end */
	struct rte_mempool *pool;    /* of packets that come in */
	STAILQ_HEAD(, pd_out) out;   /* packets that left, oldest first */
	TAILQ_HEAD(, pd_waiter) waiting;
	unsigned int n_leaving;      /* threads that go on after a wait, see pd_time.c */
	uint64_t generation;         /* of n_leaving */
	struct pd_file *files;       /* by the kernel's number */
	int n_files;
};

/* pd_knobs.c */

/** Read TEXT of --so_flags over the defaults. @return 0, or -1 with a line in err */
int pd_knobs_read(struct pd_knobs *k, const char *text, char *err, size_t err_len);

/* pd_sysctl.c */

/**
 * Is name one of Linux's, "net.ipv4.tcp_sack" or "tcp_sack"? Then out is what to set in its place:
 * knobs as in --so_flags, or "" where Weir has nothing that it would change.
 */
bool pd_sysctl(const char *name, const char *value, char *out, size_t len);

/* pd_time.c */

void pd_clock_init(struct pd *p);
uint64_t pd_now(const struct pd *p);

/** Let the stack do all that can be done at this moment, collect what it sends, end waits. */
void pd_step(struct pd *p);

/**
 * Let time pass until until_us, each timer and each deadline at its moment, or until is_enough.
 * @param arg  of is_enough, which may be NULL
 * @return     whether it was enough
 */
bool pd_pass(struct pd *p, uint64_t until_us, bool (*is_enough)(struct pd *, void *), void *arg);

/**
 * Wait for w: the tool's other thread sleeps while the main thread steps the stack; the main thread
 * lets time pass. @return 0; -EAGAIN at the deadline; -EDEADLK: nothing could end it
 */
int pd_wait(struct pd *p, struct pd_waiter *w);

int pd_usleep(void *ctx, useconds_t us);
int pd_gettimeofday(void *ctx, struct timeval *tv, struct timezone *tz);

/* pd_wire.c */

/** Take what the stack has sent. @return packets */
unsigned int pd_wire_collect(struct pd *p);
void pd_wire_drop(struct pd *p);

int pd_netdev_send(void *ctx, const void *packet, size_t len);
int pd_netdev_receive(void *ctx, void *packet, size_t *len, long long *time_us);

/* pd_fd.c */

/** A descriptor for one of the stack. @return it, or negative errno */
int pd_fd_open(struct pd *p, int sock);

/** The open descriptor fd, or NULL. */
struct pd_file *pd_fd_get(struct pd *p, int fd);

/** The stack's descriptor of fd, or -1, which is no descriptor there, either. */
int pd_fd_sock(struct pd *p, int fd);

/** A descriptor of the kernel that is not of the stack. @return 0, -ENOMEM */
int pd_fd_add(struct pd *p, int fd);

/** Forget fd and close the kernel's. */
void pd_fd_close(struct pd *p, int fd);

/** Forget all. The tool has closed the kernel's descriptors by itself. */
void pd_fd_fini(struct pd *p);

/* pd_call.c */

/** recvmsg() of fd, waiting as it may: with MSG_WAITALL until all has come, else until something
 * has. @return bytes; negative errno */
ssize_t pd_receive(struct pd *p, int fd, struct msghdr *msg, int flags);

/** sendmsg() of fd: a stream takes all, unless it must not wait; a datagram goes or does not.
 * @return bytes; negative errno */
ssize_t pd_transmit(struct pd *p, int fd, const struct msghdr *msg, int flags);

/* pd_splice.c */

int pd_pipe(void *ctx, int fds[2]);
int pd_splice(void *ctx, int in, loff_t *in_off, int out, loff_t *out_off, size_t len,
	unsigned int flags);

/* pd_call.c, pd_poll.c */

/** Fill in the socket calls. */
void pd_calls(struct pd_table *t);
void pd_polls(struct pd_table *t);

static inline struct pd *
pd_enter(void *ctx)
{
	struct pd *p = ctx;

	pthread_mutex_lock(&p->lock);
	return p;
}

/** The end of a call: what it led to happens now. @return rc, or -1 and errno */
ssize_t pd_leave(struct pd *p, ssize_t rc);

#endif
