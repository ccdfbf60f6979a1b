/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Receive callbacks: what a worker tells an application, inside the pipeline.
 * Model   A socket with callbacks gives data to recv (a plain buffer) or recv_mbuf (the packet
 *         itself), and all else to event. Connections accepted by a listening socket inherit its
 *         callbacks; `arg` is per socket (weir_set_arg()).
 * Inside  All calls of weir.h may be used, and act at once. None waits: one that would have to
 *         returns -EAGAIN (-EINPROGRESS, -EWOULDBLOCK), whatever the socket's mode. What blocks by
 *         itself (sleep, a lock, a system call) stops the worker with all of its connections.
 *         Closing the socket: no callback of it follows, nor does the rest of the packet.
 *         Closing another one of the same worker: likewise, at once.
 *         Other callbacks (weir_set_callbacks()): from the next packet or event on; the rest of
 *         this packet, if it comes in pieces, still goes to the function that has the first one.
 *         Sending: through any socket; what does not fit is refused, and WEIR_EV_WRITE follows.
 * Keeping An mbuf that is not freed or sent before the callback returns is kept: it counts as lent,
 *         its memory stays charged to the socket's receive buffer (SO_RCVBUF), so that the window
 *         of a connection closes and datagrams are dropped (drop_lent) when much is kept. All
 *         sockets together may keep `[pools] lent_mbufs` packets: beyond it connections wait.
 * Thread  Callbacks run on the socket's worker. Any thread may free or send what was kept.
 */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_mbuf;
struct weir_stack;

enum weir_event {
	WEIR_EV_CONNECT,   /* connect succeeded, or failed with `error` */
	WEIR_EV_ACCEPT,    /* fd is a new connection; first event of that descriptor */
	WEIR_EV_WRITE,     /* an earlier send could not take everything; there is room now */
	WEIR_EV_PEERCLOSE, /* the peer will send no more */
	WEIR_EV_CLOSE,     /* the connection is over, with `error` or 0; last event, close the fd */
	WEIR_EV_KEEPALIVEDOWN, /* keepalive probes went unanswered; CLOSE follows */
	WEIR_EV_ERROR,     /* an asynchronous error (ICMP); the socket goes on */
};

/** Where a packet came from, and when. */
struct weir_from {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	socklen_t addr_len;
	unsigned int ifindex;
	uint64_t rx_us; /* stack clock */
};

/** @param from  the sender of a datagram, the peer of a connection; of TCP the packet's arrival */
typedef void (*weir_recv_fn)(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg);

/**
 * The packet itself, trimmed to its payload, headroom kept; maybe a chain. The callee owns m: it
 * frees it with weir_mbuf_free(), now or later and from any thread, or sends it, through any
 * socket, with weir_send_mbuf(). What others share must not be written (rte_mbuf_refcnt_read()).
 */
typedef void (*weir_recv_mbuf_fn)(struct weir_stack *st, int fd, struct rte_mbuf *m,
	const struct weir_from *from, void *arg);

typedef void (*weir_event_fn)(
	struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg);

struct weir_callbacks {
	weir_recv_fn recv;           /* buffer mode; or */
	weir_recv_mbuf_fn recv_mbuf; /* MBUF mode: exactly one of the two */
	/* NULL: the socket is closed by itself when its peer closes or the connection ends, after
	 * what was sent has been delivered. */
	weir_event_fn event;
	void *arg;
};

#ifdef __cplusplus
}
#endif

#endif
