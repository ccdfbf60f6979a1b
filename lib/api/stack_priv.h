/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a stack is made of, and how the calls of weir.h reach its workers.
 */
#ifndef WEIR_STACK_PRIV_H
#define WEIR_STACK_PRIV_H

#include <pthread.h>
#include <signal.h>

#include "weir.h"
#include "weir_worker.h"

struct weir_stack {
	struct weir_conf conf;
	char prefix[12]; /* of the names of DPDK objects */
	struct weir_clock tsc;
	const struct weir_clock *clock;
	unsigned int n_ports;
	struct weir_port *ports[WEIR_CONF_PORTS_MAX];
	unsigned int n_workers;
	struct weir_worker *workers[WEIR_WORKERS_MAX];
	struct rte_mempool *pools[WEIR_WORKERS_MAX]; /* mbufs of each worker */
	struct weir_steer steer;
	bool is_steering;
	struct weir_socks socks;
	struct weir_tcp_fo_cache *fo_cache;
	struct weir_pmtu *pmtu;
	uint64_t secret[2];
	uint32_t n_running; /* workers in a loop of their own; atomic */
	sigset_t noise; /* signals that waiting calls sleep through */
	pthread_mutex_t net_lock; /* one change of weir_net.h at a time */
	bool has_waiter_key;
	pthread_key_t waiter_key; /* a thread's weir_waiter of this stack */
	TAILQ_ENTRY(weir_stack) link; /* list of telemetry.c */
};

/** Does some thread run the workers? Else the caller is all there is, and acts directly. */
static inline bool
weir_stack_is_running(const struct weir_stack *st)
{
	return __atomic_load_n(&st->n_running, __ATOMIC_ACQUIRE) != 0;
}

/**
 * The socket layer of s's home worker if the caller may act on it directly: in a callback on that
 * worker, or on a stack that is stepped by hand outside of another worker's turn. Else NULL.
 */
struct weir_sock_worker *weir_here(struct weir_stack *st, const struct weir_sock *s);

/** Why fd gives no socket: -EBADF, -ENOTSOCK. */
static inline int
weir_no_sock(struct weir_stack *st, int fd)
{
	return st == NULL ? -EBADF : weir_fd_error(&st->socks, fd);
}

/** May the calling thread sleep until something happens in st? */
bool weir_may_wait(const struct weir_stack *st);

/** Run fn on one worker: directly where allowed, else by a call. -EWOULDBLOCK from workers. */
int weir_on_worker(struct weir_stack *st, unsigned int index,
	int (*fn)(struct weir_worker *, void *), void *arg);

/** Options of s, a listener, have changed: so do those of its connections to come. 0, or -errno. */
int weir_listener_changed(struct weir_stack *st, struct weir_sock *s);

/**
 * Run fn on every worker, arg a socket. From a worker's thread the others do it later, each with
 * a reference of its own. @return first error
 */
int weir_on_all(
	struct weir_stack *st, int (*fn)(struct weir_worker *, void *), struct weir_sock *s);

/** Take s, which is closed, out of every worker's tables, and give up its port. Any thread. */
void weir_leave_all(struct weir_stack *st, struct weir_sock *s);

/**
 * Begin a control call on s (weir_sock.ctl); waits while another one is under way.
 * @return 0; -EBADF: closed meanwhile; -EWOULDBLOCK on a worker
 */
int weir_ctl_enter(struct weir_sock *s);

/** End it; closes s if that came up meanwhile. */
void weir_ctl_leave(struct weir_stack *st, struct weir_sock *s);

/** s has lost its descriptor: close it, or leave that to the control call that is under way. */
void weir_ctl_close(struct weir_stack *st, struct weir_sock *s);

/** CLOCK_MONOTONIC, microseconds: time-outs of waiting threads, whatever the stack's clock. */
uint64_t weir_real_us(void);

/**
 * Sleep until done(s) or the deadline (weir_real_us(); UINT64_MAX: none).
 * @return 0; -EAGAIN at the deadline or when the stack stops; -EINTR; -EBADF when the descriptor
 *         is closed meanwhile
 */
int weir_wait(struct weir_stack *st, struct weir_sock *s, bool (*done)(const struct weir_sock *),
	uint64_t deadline_us);

/**
 * Realtime signals whose handler says that interrupted calls are to go on (SA_RESTART), which poll
 * would not do by itself. DPDK's tap driver has the kernel send one with each packet, to any
 * thread.
 */
void weir_find_noise(sigset_t *noise);

/** The deadline of a call with SO_RCVTIMEO or SO_SNDTIMEO ms (0: none). */
static inline uint64_t
weir_deadline_us(uint32_t timeout_ms)
{
	return timeout_ms == 0 ? UINT64_MAX : weir_real_us() + (uint64_t)timeout_ms * 1000;
}

/** Must a call with these flags on s return instead of waiting? */
static inline bool
weir_is_nonblock(const struct weir_stack *st, const struct weir_sock *s, int flags)
{
	return weir_peek(s->is_nonblock) || (flags & MSG_DONTWAIT) || !weir_may_wait(st);
}

/**
 * As weir_wait() for what is no socket: classes is the word that who makes done(arg) true gives to
 * weir_waiters_tell() afterwards.
 */
int weir_wait_for(struct weir_stack *st, uint64_t *classes, bool (*done)(void *), void *arg,
	uint64_t deadline_us);

/** child, which has just got its descriptor, tells the queue of its listener, if that has one. */
void weir_inherit_queue(
	struct weir_stack *st, struct weir_sock *child, struct weir_sock *listener);

/** A loan of m, which may be gone, has ended: by the callback that has just got it, or later. */
void weir_repay(struct weir_stack *st, const struct rte_mbuf *m, const struct weir_loan *loan);

/** Take the socket's pending error: a positive errno, or 0. */
static inline int
weir_take_error(struct weir_sock *s)
{
	if (likely(weir_peek(s->error) == 0))
		return 0; /* without the locked operation */
	return __atomic_exchange_n(&s->error, 0, __ATOMIC_ACQ_REL);
}

/**
 * Give s an address and port (0: a free one) and, UDP, enter it into every worker's table. By the
 * holder of ctl.
 */
int weir_bind_sock(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *laddr,
	struct weir_be16 port);

/** Is it 255.255.255.255, or the broadcast address of a configured network? */
bool weir_is_broadcast(const struct weir_stack *st, const struct weir_addr *addr);

/** Room for s, a UDP or raw socket, in every worker's table. Holder of ctl. 0 or -ENOBUFS */
int weir_make_pcbs(struct weir_stack *st, struct weir_sock *s);

/** Enter s, a UDP or raw socket, into every worker's table, or again with what has changed. */
int weir_enter_tables(struct weir_stack *st, struct weir_sock *s);

/** End a TCP socket's connection, attempt or listening: connect() to AF_UNSPEC. Holder of ctl. */
int weir_disconnect_tcp(struct weir_stack *st, struct weir_sock *s);

/** The same for shutdown(). @return -EISCONN: the peer has opened as well, it is no attempt */
int weir_shut_attempt(struct weir_stack *st, struct weir_sock *s);

/** An address as a call names it: scope.c. */
struct weir_name {
	struct weir_addr addr;
	struct weir_be16 port;
	int ifindex; /* by its scope; -1: it does not say */
};

/** @return 0; or as weir_sock_addr_in() */
int weir_name_in(
	const struct weir_sock *s, const struct sockaddr *sa, socklen_t len, struct weir_name *n);

/**
 * s is to be bound, or connected, to n: it is bound to its interface from here on if the address
 * needs one. Under the control of s.
 * @return 0; -EINVAL: it needs one, and there is none, or another; -ENODEV
 */
int weir_scope_bind(struct weir_stack *st, struct weir_sock *s, const struct weir_name *n);
int weir_scope_connect(struct weir_stack *st, struct weir_sock *s, const struct weir_name *n);

/** The same by hand; -1: to none. */
static inline void
weir_set_iface(struct weir_sock *s, int ifindex)
{
	weir_poke(s->opts.ifindex_plus1, (uint8_t)(ifindex + 1));
}

/**
 * Connect with data (MSG_FASTOPEN), or send what TCP_FASTOPEN_CONNECT put off.
 * @param peer  NULL: none was given
 * @return 0: under way, o->taken bytes on the SYN; -EALREADY, -EISCONN, ...
 */
int weir_connect_with(
	struct weir_stack *st, struct weir_sock_open *o, const struct weir_name *peer);

/** How the connect of s ends; waits if s waits. if_not_yet: -errno when it does not. */
int weir_connect_wait(struct weir_stack *st, struct weir_sock *s, int if_not_yet);

/** Bind s to a free port, unless it is bound. */
int weir_bind_auto(struct weir_stack *st, struct weir_sock *s);

/** All of close but the descriptor; takes the descriptor's reference. Called by weir_ctl_*(). */
void weir_close_sock(struct weir_stack *st, struct weir_sock *s);

/** Copy an address out as getsockname does: *len is room before, length after. */
void weir_addr_copy_out(int domain, const struct weir_addr *addr, struct weir_be16 port,
	int ifindex, struct sockaddr *to, socklen_t *len);

/** The interface that a datagram to addr leaves by without a word of its own; -1: the route's. */
int weir_sending_iface(const struct weir_sock *s, const struct weir_addr *addr);

/* telemetry.c: the stacks that weir-stat can ask about */

void weir_telemetry_add(struct weir_stack *st);
void weir_telemetry_del(struct weir_stack *st);

#endif
