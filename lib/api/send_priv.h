/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files of the sending calls share: where bytes come from, and what to do when there is no
 * room for them.
 */
#ifndef SEND_PRIV_H
#define SEND_PRIV_H

#include <linux/net_tstamp.h>

#include "stack_priv.h"

/** Where the next bytes of an iovec come from. */
struct weir_source {
	const struct iovec *iov;
	size_t n_iov;
	size_t off;  /* into iov[0] */
	size_t left; /* bytes in all */
	bool is_bad; /* some part of more than no bytes is at NULL */
	uint32_t stamps; /* of a stream: SOF_TIMESTAMPING_* */
};

/** @return 0; -EINVAL: lengths that no memory has */
int weir_source_init(struct weir_source *src, const struct iovec *iov, size_t n_iov);

/** Append the next bytes to m, max of them at most. */
void weir_source_fill(struct rte_mbuf *m, struct weir_source *src, uint32_t max);

/** A chain that holds all of src; NULL: pool dry. */
struct rte_mbuf *weir_source_gather(struct rte_mempool *pool, struct weir_source *src);

static inline struct rte_mempool *
weir_send_pool(const struct weir_stack *st, const struct weir_sock *s)
{
	return st->pools[weir_sock_home(s)];
}

/** Bytes of payload that one mbuf takes. */
static inline uint32_t
weir_payload_max(const struct rte_mempool *pool)
{
	return (uint32_t)rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool) -
	       RTE_PKTMBUF_HEADROOM;
}

#define WEIR_SEND_SMALL 1024 /* bytes that weir_send_here() takes */

/**
 * send_here.c: 1 to WEIR_SEND_SMALL bytes for the stream fd, from a callback on the worker that has
 * its connection. @return false: nothing was done, it is not that simple
 */
bool weir_send_here(
	struct weir_stack *st, int fd, const void *buf, uint32_t len, int flags);

/** The pool is low: who asked is told when it is not any more. */
void weir_note_starved(struct weir_stack *st, struct weir_sock *s);

/** A send could not take all: WEIR_EV_WRITE or WEIR_ASYN_WRITE is to come when there is room. */
void weir_want_write(struct weir_sock *s);

/** Nothing could be taken just now: note it for the event, or wait. */
int weir_wait_writable(struct weir_stack *st, struct weir_sock *s, int flags, uint64_t deadline);

/** send_datagram.c: one datagram, of a UDP or raw socket. */
ssize_t weir_send_datagram(struct weir_stack *st, struct weir_sock *s, struct weir_source *src,
	const struct msghdr *msg, int flags);

/** The same with m as it is: taken when the result is 0. */
int weir_send_datagram_mbuf(struct weir_stack *st, struct weir_sock *s, struct rte_mbuf *m,
	const struct sockaddr *sa, socklen_t sa_len);

/** What of SO_TIMESTAMPING asks for stamps of what is sent; a control message has nothing else. */
#define WEIR_STAMPS_SENT                                                   \
	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE |     \
		SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK)

/**
 * send_cmsg.c: control messages of a stream.
 * @param stamps  SOF_TIMESTAMPING_*: as the socket has it; out: as msg says
 * @return 0; -EINVAL
 */
int weir_send_stream_cmsgs(const struct msghdr *msg, uint32_t *stamps);

/** send_cmsg.c: what msg's control messages ask for goes to p. @return 0 or a negative errno */
int weir_send_cmsgs(struct weir_stack *st, const struct weir_sock *s, const struct msghdr *msg,
	struct weir_pkt *p);

#endif
