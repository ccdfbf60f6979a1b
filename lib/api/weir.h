/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Weir: TCP and UDP sockets over DPDK.
 * Model   A stack owns ports, addresses and workers (one lcore each). Sockets are int descriptors
 *         of their stack, numbered by the stack and apart from the kernel's. The calls have the
 *         meaning of their POSIX namesakes. Waiting for several: weir_wait.h.
 * Thread  Any thread may use any descriptor, several at once. Calls from a callback (on a worker)
 *         act at once and never wait; a stack that is stepped by hand is used by one thread alone,
 *         and its calls act at once, too.
 * Errors  Results are 0 or a count, or a negative errno: -EBADF not an open descriptor, -ENOTSOCK,
 *         -EINVAL, -EFAULT (NULL where an object is needed), and what each call names.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "weir_async.h"
#include "weir_conf.h"
#include "weir_event.h"
#include "weir_mmsg.h"
#include "weir_net.h"
#include "weir_tcp_ao.h"
#include "weir_wait.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weir_clock;

/**
 * Option of level SOL_SOCKET, of UDP and raw sockets: the name of the port (its section of the
 * configuration) that datagrams leave by, broadcasts above all; "": as the routes say.
 */
#define SO_SENDDATAIF 0x5745

/* Stacks */

/**
 * All that the usual program needs: read the configuration file, start EAL, make the stack and run
 * its workers. What is wrong is said in one line on stderr.
 * @return 0 and *st; negative errno
 */
int weir_init(const char *conf_file, struct weir_stack **st);

/** The end of weir_init: stop, free, clean up EAL. */
void weir_fini(struct weir_stack *st);

/**
 * Start EAL as the configuration says (once per process). @return 0 or negative errno
 * @param program  argv[0] for messages
 */
int weir_eal_init(const struct weir_conf *conf, const char *program, char *err, size_t err_len);

/**
 * Make a stack: ports opened, pools made, nothing running yet. EAL must be initialised.
 * @param clock  time of the stack; NULL: the TSC. Must outlive the stack
 * @param err    one line saying what is wrong
 */
int weir_stack_new(const struct weir_conf *conf, const struct weir_clock *clock,
	struct weir_stack **st, char *err, size_t err_len);

/** Run every worker on an lcore of its own. @return 0; -EBUSY when EAL has too few free lcores */
int weir_stack_start(struct weir_stack *st);

/** One turn of every worker in the calling thread. @return packets and events handled */
unsigned int weir_stack_step(struct weir_stack *st);

/**
 * Run one worker in the calling thread until weir_stack_stop(), which may come before: then it ends
 * at once. For programs with own threads.
 */
int weir_stack_run(struct weir_stack *st, unsigned int worker);

/** Stop the workers; connections stay as they are. Calls that wait return -EAGAIN. Idempotent. */
void weir_stack_stop(struct weir_stack *st);

/** Stop, drop every connection without a word, free all. Descriptors become invalid. */
void weir_stack_free(struct weir_stack *st);

/** When the next timer of any worker is due, stack clock; UINT64_MAX without (stepped stacks). */
uint64_t weir_stack_next_us(const struct weir_stack *st);

/** Time as the stack sees it, microseconds. */
uint64_t weir_stack_now_us(const struct weir_stack *st);

/** States of a TCP connection that weir_account counts. */
#define WEIR_ACCOUNT_STATES 11

/** Packets of one direction: in = ended + held, or one was lost track of. */
struct weir_account_packets {
	uint64_t in;    /* received from ports, other workers and by loopback; or made to be sent */
	uint64_t ended; /* used, or dropped under a name: the sum of these counters */
	uint64_t held;  /* fragments that wait for the rest; packets that wait for a neighbour's
			 * address or for room in a port */
	bool is_balanced; /* on every worker for itself */
};

/** What a stack holds and where its packets went. */
struct weir_account {
	uint32_t sockets;     /* in existence: with a descriptor, in an accept queue, or closed and
			       * still delivering what was sent */
	uint32_t descriptors; /* open */
	uint32_t lent; /* packets that the application has got as mbufs, kept, and not given back */
	uint64_t connections; /* TCP connections in any state */
	uint64_t in_state[WEIR_ACCOUNT_STATES]; /* by state: CLOSED (over, but still held by its
		* socket), LISTEN (always 0), SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1,
		* FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT */
	unsigned int n_pools; /* one per worker */
	struct {
		uint32_t size;
		uint32_t in_use; /* mbufs out of the pool, those that a port holds for receiving
				  * or has not yet sent included; of a pool in motion, about */
	} pools[WEIR_CONF_WORKERS_MAX];
	struct weir_account_packets rx;
	struct weir_account_packets tx;
	bool is_balanced; /* rx and tx are */
};

/**
 * Close the books: what a program prints at its end, and tests check. Each worker is asked between
 * two of its turns, one after the other, so the sums are of slightly different moments; is_balanced
 * is exact nevertheless, being judged worker by worker. Waits for the workers of a running stack.
 * @return 0 and *out; -EWOULDBLOCK in a callback: in the midst of a turn nothing balances
 */
int weir_stack_account(struct weir_stack *st, struct weir_account *out);

/* Sockets */

/**
 * @param domain  AF_INET or AF_INET6 (which also serves IPv4 unless IPV6_V6ONLY)
 * @param type    SOCK_STREAM, SOCK_DGRAM or SOCK_RAW, with SOCK_NONBLOCK if wanted
 * @param protocol  0 but for SOCK_RAW, which needs one, and receives from here on
 * @return descriptor; -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EMFILE, -ENFILE (pool
 *         exhausted)
 */
int weir_socket(struct weir_stack *st, int domain, int type, int protocol);

/** @return 0; -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL when bound already */
int weir_bind(struct weir_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * Again on a listener: a new backlog. At most 4096; a negative one is the most.
 * @return 0; -EOPNOTSUPP on UDP, -EADDRINUSE, -EINVAL when connected
 */
int weir_listen(struct weir_stack *st, int fd, int backlog);

/** @param flags  SOCK_NONBLOCK for the new one. @return descriptor; -EAGAIN, -EINVAL, -EMFILE */
int weir_accept(
	struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len, int flags);

/**
 * The first call after a non-blocking attempt has ended tells how: 0, or an error after which the
 * socket can try again. AF_UNSPEC takes a connection (by a reset), an attempt or a listener apart.
 * @return 0; -EINPROGRESS, -EALREADY, -EISCONN (of a listener, too), -ECONNREFUSED, -ECONNABORTED
 *         (SO_ERROR was read before), -ETIMEDOUT, -ENETUNREACH ...
 */
int weir_connect(struct weir_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * There are no signals: -EPIPE is all that tells of a stream that takes no more. An address is
 * passed over by streams. When mbufs are low a call that may not wait returns -ENOBUFS, and POLLOUT
 * and WEIR_EV_WRITE come when there are some again. Control messages are passed over.
 * @param flags  MSG_DONTWAIT, MSG_NOSIGNAL (always so), MSG_MORE, MSG_EOR, MSG_OOB, MSG_ZEROCOPY
 *               (copied all the same, see SO_ZEROCOPY), MSG_FASTOPEN (connects, with data on the
 *               SYN if the peer gave a cookie; -EINPROGRESS: without); others have no effect
 * @return bytes taken; -EAGAIN, -EPIPE, -EDESTADDRREQ, -EMSGSIZE ...
 */
ssize_t weir_send(struct weir_stack *st, int fd, const void *buf, size_t len, int flags);
ssize_t weir_sendto(struct weir_stack *st, int fd, const void *buf, size_t len, int flags,
	const struct sockaddr *addr, socklen_t addr_len);
ssize_t weir_sendmsg(struct weir_stack *st, int fd, const struct msghdr *msg, int flags);

/**
 * Send m's data without a copy. Taken: m belongs to Weir until the peer has it, and must not be
 * changed. Refused (negative): still the caller's.
 * @param addr  where to, on an unconnected datagram socket; streams pass it over
 */
int weir_send_mbuf(struct weir_stack *st, int fd, struct rte_mbuf *m, const struct sockaddr *addr,
	socklen_t addr_len);

/** An empty mbuf of a worker's pool, to be filled for weir_send_mbuf(); NULL: pool dry. */
struct rte_mbuf *weir_mbuf_alloc(struct weir_stack *st, int fd);

/**
 * Take what was received as the packet itself, without a copy: the next packet of a stream, of any
 * length, or the next datagram. It is the caller's, see weir_recv_mbuf_fn. An urgent byte of a
 * stream is in line.
 * @param m      out: the packet; NULL at the end of a stream
 * @param from   out, unless NULL
 * @param flags  MSG_DONTWAIT
 * @return bytes in it; 0 with *m NULL: the end; -EINVAL: it has callbacks; -ENOBUFS: applications
 *         hold too many; else as weir_recv()
 */
ssize_t weir_recv_mbuf(struct weir_stack *st, int fd, struct rte_mbuf **m, struct weir_from *from,
	int flags);

/**
 * Free an mbuf that a callback or weir_recv_mbuf() gave, or weir_mbuf_alloc(): any thread, also
 * when its socket is closed; before its stack is freed. NULL: nothing. Not rte_pktmbuf_free(), by
 * which what was received would count as held for ever.
 */
void weir_mbuf_free(struct rte_mbuf *m);

/**
 * @param flags  MSG_DONTWAIT, MSG_PEEK (does not wait for all that MSG_WAITALL asks for),
 *               MSG_WAITALL, MSG_TRUNC (throws a stream's data away), MSG_OOB, MSG_ERRQUEUE
 *               (notices of MSG_ZEROCOPY; of datagrams what IP_RECVERR asked for; -EAGAIN without
 *               one); others have no effect
 * @return bytes; 0 at the end; -ENOTCONN, -EAGAIN, an error told once ...
 */
ssize_t weir_recv(struct weir_stack *st, int fd, void *buf, size_t len, int flags);
ssize_t weir_recvfrom(struct weir_stack *st, int fd, void *buf, size_t len, int flags,
	struct sockaddr *addr, socklen_t *addr_len);
ssize_t weir_recvmsg(struct weir_stack *st, int fd, struct msghdr *msg, int flags);

/**
 * Of an attempt to connect: ends it. SHUT_RD of a listener: it stops listening. After SHUT_RD what
 * has come, or comes, can still be read.
 * @param how  SHUT_RD, SHUT_WR, SHUT_RDWR
 * @return 0; -ENOTCONN; -EWOULDBLOCK for a listener of several workers in a callback
 */
int weir_shutdown(struct weir_stack *st, int fd, int how);

/** The descriptor is free at once; what was sent is still delivered. @return 0 */
int weir_close(struct weir_stack *st, int fd);

/** Options: doc/options.md has the table. @return 0; -ENOPROTOOPT for all that is not there */
int weir_getsockopt(
	struct weir_stack *st, int fd, int level, int name, void *value, socklen_t *len);
int weir_setsockopt(
	struct weir_stack *st, int fd, int level, int name, const void *value, socklen_t len);

int weir_getsockname(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len);
int weir_getpeername(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * FIONREAD (SIOCINQ), SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, FIONBIO as tcp(7), udp(7) and socket(7)
 * have them. @return 0; -ENOTTY for all others; -EWOULDBLOCK for SIOCOUTQ on another worker
 */
int weir_ioctl(struct weir_stack *st, int fd, unsigned long request, int *value);

/** F_GETFL and F_SETFL, which know O_NONBLOCK. @return the flags or 0; -EINVAL */
int weir_fcntl(struct weir_stack *st, int fd, int cmd, int arg);

/** O_NONBLOCK of a descriptor. */
int weir_set_nonblock(struct weir_stack *st, int fd, bool on);

/* Callbacks (see weir_event.h) */

/**
 * Set before listen or connect (TCP), before or after bind (UDP). NULL: none any more. In a
 * callback on the socket's worker they can be exchanged for others at any time: those of a TCP
 * connection; of all other sockets where the stack has one worker.
 * @return 0; -EINVAL unless exactly one of recv and recv_mbuf is set; -EISCONN when callbacks may
 *         be running: once connected or listening (TCP), once bound with callbacks (UDP)
 */
int weir_set_callbacks(struct weir_stack *st, int fd, const struct weir_callbacks *cb);

/** Change the arg of one socket; with callbacks on its worker, else (weir_async.h) anywhere. */
int weir_set_arg(struct weir_stack *st, int fd, void *arg);

/**
 * Keep back what arrives on a connection with callbacks, so that its peer has to slow down, or let
 * it come again: data, and the end of the data behind it. On its worker (in a callback). Of a
 * packet that is being handed over in pieces, the rest still comes. A reset is told at once.
 * @return 0; -EOPNOTSUPP unless TCP with callbacks, -EWOULDBLOCK on another thread
 */
int weir_set_receiving(struct weir_stack *st, int fd, bool on);

#ifdef __cplusplus
}
#endif

#endif
