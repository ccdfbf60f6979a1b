/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What packetdrill and a stack agree on: how a library is asked for its calls, and the calls.
 * Model   The tool loads a library, calls its packetdrill_interface_init() once and then makes all
 *         socket calls of a script through the table, which also carries its packets and its time.
 * Thread  Two threads of the tool use the table: one does packets, time and calls that return at
 *         once, the other calls that are expected to block.
 * Errors  As libc: -1 and errno.
 */
#ifndef PD_TABLE_H
#define PD_TABLE_H

#include <assert.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

/** 33 words; context is handed to each function as its first argument. */
struct pd_table {
	void *context;
	void (*free)(void *);
	int (*socket)(void *, int domain, int type, int protocol);
	int (*bind)(void *, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *, int fd, int backlog);
	int (*accept)(void *, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *, int fd, void *buf, size_t len);
	ssize_t (*readv)(void *, int fd, const struct iovec *iov, int n);
	ssize_t (*recv)(void *, int fd, void *buf, size_t len, int flags);
	ssize_t (*recvfrom)(void *, int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
		socklen_t *addr_len);
	ssize_t (*recvmsg)(void *, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *, int fd, const void *buf, size_t len);
	ssize_t (*writev)(void *, int fd, const struct iovec *iov, int n);
	ssize_t (*send)(void *, int fd, const void *buf, size_t len, int flags);
	ssize_t (*sendto)(void *, int fd, const void *buf, size_t len, int flags,
		const struct sockaddr *addr, socklen_t addr_len);
	ssize_t (*sendmsg)(void *, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *, int fd, int cmd, ...);
	int (*ioctl)(void *, int fd, unsigned long request, ...);
	int (*close)(void *, int fd);
	int (*shutdown)(void *, int fd, int how);
	int (*getsockopt)(void *, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(void *, int fd, int level, int name, const void *value, socklen_t len);
	int (*poll)(void *, struct pollfd *fds, nfds_t n, int timeout_ms);
	/** A packet comes in, from its IP header on. */
	int (*netdev_send)(void *, const void *packet, size_t len);
	/** The next packet sent, and when. *len: room, then bytes; 0: none came in time. */
	int (*netdev_receive)(void *, void *packet, size_t *len, long long *time_us);
	int (*usleep)(void *, useconds_t us);
	int (*gettimeofday)(void *, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *, int size);
	int (*epoll_ctl)(void *, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(
		void *, int epfd, struct epoll_event *events, int max_events, int timeout_ms);
	int (*pipe)(void *, int fds[2]);
	int (*splice)(void *, int in, loff_t *in_off, int out, loff_t *out_off, size_t len,
		unsigned int flags);
};

static_assert(sizeof(struct pd_table) == 33 * sizeof(void *), "the tool knows these words");

/** Type of packetdrill_interface_init(). flags: NULL without --so_flags. On failure it exits. */
typedef void pd_init_fn(const char *flags, struct pd_table *table);

/** What the tool finds in the library that it loads. */
pd_init_fn packetdrill_interface_init;

/** The same, in the library with the stack. */
pd_init_fn weir_packetdrill_init;

#endif
