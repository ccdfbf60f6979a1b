/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Asynchronous sockets: messages in a queue say what has become possible.
 * Model   A socket is given a queue (weir_set_async()) and is non-blocking from then on. One queue
 *         serves any number of sockets. A message is made when it is taken: until then it is a bit
 *         in its socket, and the socket stands in the queue's lockless list at most once. So a
 *         queue has no size, cannot overflow, and neither loses nor doubles a message.
 * Rules   READ           data, a datagram or an ICMP error (UDP) can be received where nothing
 *                        could. After it no READ comes until a receive call returns -EAGAIN, which
 *                        also takes back one that nobody has taken yet. A receive call gives a
 *                        positive count, 0 when the peer has closed, -EAGAIN when there is nothing.
 *         WRITE          a send could not take everything, and room is back: a third of the send
 *                        buffer. Never before CONNECT; a send before CONNECT does not ask for it.
 *         CONNECT        weir_connect() has succeeded, or failed with `error`. Once for each
 *                        attempt that returned -EINPROGRESS. From then on sending is allowed.
 *         ACCEPT         a connection is ready on a listening socket. After it no ACCEPT comes
 *                        until weir_accept() returns -EAGAIN.
 *         PEERCLOSE      the peer's FIN was taken in order: it sends no more. Data before it can
 *                        still be read, and sending goes on. Once.
 *         KEEPALIVEDOWN  keepalive probes went unanswered; CLOSE follows.
 *         CLOSE          it is over: both sides closed (error 0), reset, given up, the connect
 *                        failed (error says why), or closed by weir_close() (error 0). Of every
 *                        asynchronous socket, always its last message, exactly once. What was
 *                        received before can still be read unless the socket was closed.
 *         Messages of one socket that wait together are taken in this order: CONNECT, ACCEPT,
 *         READ, WRITE, PEERCLOSE, KEEPALIVEDOWN, CLOSE.
 *         weir_close() takes back what waits of its socket, but for CLOSE; until that is taken,
 *         the socket's memory stays in use. weir_connect() on a
 *         socket whose attempt failed, or to AF_UNSPEC, begins anew: what waits is taken back, and
 *         another CLOSE comes at its end.
 *         A number of a descriptor is used again; a generation is not. Messages of a closed socket
 *         never seem to be the new one's: weir_msg_is_current() tells.
 *         Accepted sockets inherit queue and arg.
 * Thread  Any thread may do anything, in callbacks, too. Messages of one socket that several
 *         threads take at once have no order but that of their taking.
 */
#ifndef WEIR_ASYNC_H
#define WEIR_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_queue;
struct weir_stack;

/** In the order in which they are taken. */
enum weir_asyn {
	WEIR_ASYN_CONNECT,
	WEIR_ASYN_ACCEPT,
	WEIR_ASYN_READ,
	WEIR_ASYN_WRITE,
	WEIR_ASYN_PEERCLOSE,
	WEIR_ASYN_KEEPALIVEDOWN,
	WEIR_ASYN_CLOSE,
};

#define WEIR_ASYN_KINDS 7

#ifdef WEIR_ASYN_SHORT_NAMES
#define ASYN_CONNECT	   WEIR_ASYN_CONNECT
#define ASYN_ACCEPT	   WEIR_ASYN_ACCEPT
#define ASYN_READ	   WEIR_ASYN_READ
#define ASYN_WRITE	   WEIR_ASYN_WRITE
#define ASYN_PEERCLOSE	   WEIR_ASYN_PEERCLOSE
#define ASYN_KEEPALIVEDOWN WEIR_ASYN_KEEPALIVEDOWN
#define ASYN_CLOSE	   WEIR_ASYN_CLOSE
#endif

struct weir_msg {
	int fd;
	uint32_t generation; /* of fd: with it, no two sockets of a stack are the same */
	enum weir_asyn event;
	int error;	/* CONNECT, CLOSE, KEEPALIVEDOWN: a positive errno; else 0 */
	uint32_t bytes; /* READ: of the stream, or the first datagram. ACCEPT: connections. WRITE:
			 * of send memory free. As of when it was taken */
	void *arg;	/* of weir_set_async() or weir_set_arg(); of an accepted socket, its
			 * listener's until set */
};

/** An empty queue; free it before its stack. @return 0 and *q; -EFAULT, -ENOMEM, -EMFILE */
int weir_queue_new(struct weir_stack *st, struct weir_queue **q);

/** Its sockets stay as they are, and tell nothing any more. No thread may be at work with q. */
void weir_queue_free(struct weir_queue *q);

/** Take up to n messages, at once. @return messages, 0..n; fewer than n: there are no more */
unsigned int weir_queue_get(struct weir_queue *q, struct weir_msg *msgs, unsigned int n);

/**
 * Take up to n messages; sleep until there is one, if need be.
 * @param timeout_ms  negative: for ever
 * @return messages, 1..n; 0: the time is over, or the stack has stopped, or the caller may not wait
 *         (in a callback, on a stack stepped by hand); -EINTR, -EFAULT, -EINVAL (no n), -ENOBUFS
 */
int weir_queue_wait(struct weir_queue *q, struct weir_msg *msgs, unsigned int n, int timeout_ms);

/**
 * An eventfd of the kernel that is readable while messages wait: for poll(2), epoll(7) and their
 * namesakes here. Only a get or wait that finds no more makes it unreadable; do not read or close
 * it yourself. Asked for once, it stays in use, and costs a system call each time that a queue that
 * was found empty gets a message.
 */
int weir_queue_fd(struct weir_queue *q);

/** Is m.fd still the socket that m is about? */
bool weir_msg_is_current(struct weir_queue *q, const struct weir_msg *m);

/**
 * Make fd asynchronous: best before connect or listen; else what is possible already is told at
 * once. It is made non-blocking. A socket stays with its first queue; q NULL: no more messages.
 * @return 0; -EINVAL: it has callbacks, or q is of another stack; -EBUSY: it has another queue
 */
int weir_set_async(struct weir_stack *st, int fd, struct weir_queue *q, void *arg);

#ifdef __cplusplus
}
#endif

#endif
