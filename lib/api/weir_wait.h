/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Waiting for several descriptors: poll, select, epoll.
 * Model   The calls have the meaning of their namesakes of Linux: results, revents, order, what is
 *         told once and what again. What they wait for are descriptors of one stack (sockets, epoll
 *         sets, whatever has one) and, with them, descriptors of the kernel (a pipe, a timerfd, a
 *         kernel socket): those are written WEIR_KFD(fd), since a stack numbers its own from 0.
 *         weir_select_both() has sets of their own for them. A call sleeps once, for both.
 * Signals No signal is held back but those that a driver sends to itself with each packet (realtime
 *         signals with SA_RESTART that were set up before the stack was made). A signal ends each
 *         call here with -EINTR. A mask given to weir_ppoll(), weir_pselect(), weir_epoll_pwait()
 *         is in force while the call sleeps, set and taken back in one step with that.
 * Thread  Any thread, with any descriptor. In a callback, and on a stack that is stepped by hand,
 *         nothing sleeps: what is not ready at once is not waited for.
 */
#ifndef WEIR_WAIT_H
#define WEIR_WAIT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_stack;

#define WEIR_KFD_BIT 0x40000000

/** The number by which weir_poll(), weir_epoll_ctl() know the kernel's descriptor fd. */
#define WEIR_KFD(fd) ((fd) < 0 ? (fd) : (fd) | WEIR_KFD_BIT)

/* poll */

/**
 * A negative fd is passed over; one that is not open gives POLLNVAL.
 * @param timeout_ms  0: look and return; negative: no limit
 * @return descriptors with events; 0: none in time, or the stack has stopped; -EFAULT, -EINTR,
 *         -ENOMEM, -ENOBUFS (more than 1024 threads wait)
 */
int weir_poll(struct weir_stack *st, struct pollfd *fds, nfds_t n, int timeout_ms);

/** @param timeout  NULL: no limit; stays as it is. @param mask  NULL: the thread's own */
int weir_ppoll(struct weir_stack *st, struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	const sigset_t *mask);

/* select: a bitmap has as many bits as the call says, FD_SETSIZE or not */

static inline void
weir_fd_set(int fd, void *bitmap)
{
	((unsigned char *)bitmap)[fd / 8] |= (unsigned char)(1 << fd % 8);
}

static inline void
weir_fd_clr(int fd, void *bitmap)
{
	((unsigned char *)bitmap)[fd / 8] &= (unsigned char)~(1 << fd % 8);
}

static inline bool
weir_fd_isset(int fd, const void *bitmap)
{
	return (((const unsigned char *)bitmap)[fd / 8] >> fd % 8 & 1) != 0;
}

/** Bytes of a bitmap for descriptors below n: whole words, all of which a call may write. */
#define WEIR_FD_BYTES(n) (((size_t)(n) + 63) / 64 * 8)

/**
 * @param n        bits in each bitmap (fd_set, or WEIR_FD_BYTES(n) bytes), of which NULL has none;
 *                 those beyond what a stack can have are not looked at
 * @param timeout  NULL: no limit; becomes what is left of it
 * @return bits set, the bitmaps changed; 0, all cleared: none in time; the bitmaps as they were:
 *         -EBADF some bit is of no open descriptor, -EINVAL, -EINTR, -ENOMEM, -ENOBUFS
 */
int weir_select(struct weir_stack *st, int n, void *readable, void *writable, void *except,
	struct timeval *timeout);

/** @param timeout  stays as it is */
int weir_pselect(struct weir_stack *st, int n, void *readable, void *writable, void *except,
	const struct timespec *timeout, const sigset_t *mask);

/** Bitmaps for descriptors below n. */
struct weir_fd_sets {
	int n;
	void *readable;
	void *writable;
	void *except;
};

/** The same with descriptors of the kernel in bitmaps of their own. NULL: none */
int weir_select_both(struct weir_stack *st, const struct weir_fd_sets *own,
	const struct weir_fd_sets *kernel, const struct timespec *timeout, const sigset_t *mask);

/* epoll: O(ready), whatever else is watched */

/** @param flags  EPOLL_CLOEXEC or 0. @return a descriptor; -EINVAL, -EMFILE, -ENFILE */
int weir_epoll_create(struct weir_stack *st, int flags);

/**
 * EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLRDHUP are there; EPOLLWAKEUP has no effect. Sets may
 * be watched by sets, five in a chain. What is closed is watched no more.
 * @param op  EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL
 * @return 0; -EBADF, -EEXIST, -ENOENT, -EINVAL (epfd is no set; epfd itself; what EPOLLEXCLUSIVE
 *         may not), -ELOOP, -EPERM (a kernel descriptor without poll), -ENOMEM; -EWOULDBLOCK in a
 *         callback while another thread is at the set, or for a set in a set
 */
int weir_epoll_ctl(
	struct weir_stack *st, int epfd, int op, int fd, struct epoll_event *event);

/** @return events, at most max; 0 as weir_poll(); -EBADF, -EINVAL, -EFAULT, -EINTR, -ENOBUFS */
int weir_epoll_wait(
	struct weir_stack *st, int epfd, struct epoll_event *events, int max, int timeout_ms);
int weir_epoll_pwait(struct weir_stack *st, int epfd, struct epoll_event *events, int max,
	int timeout_ms, const sigset_t *mask);
int weir_epoll_pwait2(struct weir_stack *st, int epfd, struct epoll_event *events, int max,
	const struct timespec *timeout, const sigset_t *mask);

/**
 * A descriptor of the kernel that is readable (POLLIN) when weir_epoll_wait() may have something:
 * for programs whose loop is in the kernel's poll, or in a library. It stays so until
 * weir_epoll_wait() has found nothing left. Only to be watched; it is the set's, and ends with it.
 * @return it, the same each time; -EBADF, -EINVAL, -EMFILE, -EWOULDBLOCK as weir_epoll_ctl()
 */
int weir_epoll_fd(struct weir_stack *st, int epfd);

#ifdef __cplusplus
}
#endif

#endif
