/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files of the receiving calls share: where bytes and control messages go.
 */
#ifndef RECV_PRIV_H
#define RECV_PRIV_H

#include <linux/net_tstamp.h>

#include "stack_priv.h"

/** Where received bytes go. */
struct weir_sink {
	const struct iovec *iov;
	size_t n_iov;
	size_t off; /* into iov[0] */
	size_t left;
	bool is_discard; /* bytes are only counted (MSG_TRUNC of a stream) */
	bool is_bad;	 /* some part of more than no bytes is at NULL */
};

/** @return 0; -EINVAL: lengths that no memory has */
int weir_sink_init(struct weir_sink *to, const struct iovec *iov, size_t n_iov);

/** As much of m as fits, from its byte off on, at most max. @return bytes */
size_t weir_sink_put(struct weir_sink *to, const struct rte_mbuf *m, size_t off, size_t max);

/** Control messages being written into a msghdr's buffer. */
struct weir_cmsgs {
	struct msghdr *msg;
	size_t used;
};

/** One message; one that does not fit is cut, and MSG_CTRUNC set, as Linux does it. */
void weir_cmsg_put(struct weir_cmsgs *c, int level, int type, const void *data, size_t len);

/** What of SO_TIMESTAMPING it takes to be told: of what was received, and of all. */
#define WEIR_STAMPS_RECEIVED (SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE)
#define WEIR_STAMPS_ALL	     SOF_TIMESTAMPING_SOFTWARE

/** What was asked for by SO_TIMESTAMP and SO_TIMESTAMPING (stamps: all that it takes): a time. */
void weir_cmsg_put_time(struct weir_cmsgs *c, const struct weir_stack *st,
	const struct weir_sock *s, uint64_t at_us, uint32_t stamps);

/** What else was asked for about a datagram. */
void weir_cmsg_put_datagram(
	struct weir_cmsgs *c, const struct weir_sock *s, const struct weir_pkt *p);

/** A receive call with these flags ends with -EAGAIN: an asynchronous socket tells READ again. */
void weir_found_nothing(struct weir_sock *s, int flags);

/** The first opened packet has been read. Under recv_lock. */
void weir_rx_drop_first(struct weir_sock *s);

/** SO_PEEK_OFF: n bytes were peeked at, or read. Under recv_lock. */
void weir_peek_off_move(struct weir_sock *s, size_t n, bool is_peek);

ssize_t weir_recv_stream(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to,
	struct weir_cmsgs *c, int flags);
/** recv_note.c: the next entry of the error queue. */
ssize_t weir_recv_note(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to,
	struct weir_cmsgs *c);

/** RFC 3542 11.3: an empty message with the path's MTU; -EAGAIN: there is none. */
ssize_t weir_recv_path_mtu(struct weir_sock *s, struct weir_cmsgs *c);

ssize_t weir_recv_datagram(struct weir_stack *st, struct weir_sock *s, struct weir_sink *to,
	struct weir_cmsgs *c, int flags);

#endif
