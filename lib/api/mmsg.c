/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sendmmsg -> sendmsg, recvmmsg -> recvmsg, one by one */
#include "weir_mmsg.h"

#include <errno.h>

#include "stack_priv.h"

#define NS_PER_S  1000000000
#define US_PER_S  1000000
#define NS_PER_US 1000

int
weir_sendmmsg(struct weir_stack *st, int fd, struct mmsghdr *vec, unsigned int n, int flags)
{
	unsigned int done;

	n = RTE_MIN(n, (unsigned int)WEIR_MMSG_MAX);
	if (vec == NULL && n > 0)
		return -EFAULT;
	for (done = 0; done < n; done++) {
		const ssize_t rc = weir_sendmsg(st, fd, &vec[done].msg_hdr, flags);

		if (rc < 0)
			return done > 0 ? (int)done : (int)rc;
		vec[done].msg_len = (unsigned int)rc;
	}
	if (n > 0)
		return (int)n;
	return st == NULL || weir_fd_error(&st->socks, fd) == -EBADF ? -EBADF : 0;
}

/* What is left until the deadline goes back to the caller. @return is any? */
static bool
is_time_left(struct timespec *timeout, uint64_t deadline_us)
{
	const uint64_t now_us = weir_real_us();
	const uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;

	if (timeout == NULL)
		return true;
	timeout->tv_sec = (time_t)(left_us / US_PER_S);
	timeout->tv_nsec = (long)(left_us % US_PER_S * NS_PER_US);
	return left_us > 0;
}

/* @return 0 and *deadline_us; -EINVAL: no time */
static int
deadline_of(const struct timespec *timeout, uint64_t *deadline_us)
{
	*deadline_us = UINT64_MAX;
	if (timeout == NULL)
		return 0;
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= NS_PER_S)
		return -EINVAL;
	if (timeout->tv_sec < INT32_MAX)
		*deadline_us = weir_real_us() + (uint64_t)timeout->tv_sec * US_PER_S +
			       (uint64_t)timeout->tv_nsec / NS_PER_US;
	return 0;
}

/* An error behind messages waits for the next call. */
static void
keep_error(struct weir_stack *st, int fd, ssize_t rc)
{
	struct weir_sock *s = rc == -EAGAIN ? NULL : weir_fd_get(&st->socks, fd);

	if (s == NULL)
		return;
	__atomic_store_n(&s->error, (int)-rc, __ATOMIC_RELAXED);
	weir_sock_unref(s);
}

/* An error of the socket comes before what it has received. */
static int
first_error(struct weir_stack *st, int fd, int flags)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc = 0;

	if (s == NULL)
		return weir_no_sock(st, fd);
	if (!(flags & MSG_ERRQUEUE))
		rc = -weir_take_error(s);
	weir_sock_unref(s);
	return rc;
}

int
weir_recvmmsg(struct weir_stack *st, int fd, struct mmsghdr *vec, unsigned int n, int flags,
	struct timespec *timeout)
{
	unsigned int done = 0;
	uint64_t deadline_us;
	int rc = deadline_of(timeout, &deadline_us);

	if (rc == 0)
		rc = first_error(st, fd, flags);
	if (rc != 0)
		return rc;
	if (vec == NULL && n > 0)
		return -EFAULT;
	while (done < n) {
		const ssize_t got =
			weir_recvmsg(st, fd, &vec[done].msg_hdr, flags & ~MSG_WAITFORONE);

		if (got < 0) {
			if (done == 0)
				return (int)got;
			keep_error(st, fd, got);
			break;
		}
		vec[done].msg_len = (unsigned int)got;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (!is_time_left(timeout, deadline_us) ||
			(vec[done - 1].msg_hdr.msg_flags & MSG_OOB))
			break;
	}
	return (int)done;
}
