/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Socket calls. Those of a stack that is stepped by hand return at once, with EAGAIN where they
 * would wait. Waiting is done here, unless the descriptor or the call says not to.
 */
#include "pd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "weir_tcp.h"

ssize_t
pd_leave(struct pd *p, ssize_t rc)
{
	pd_step(p);
	pthread_mutex_unlock(&p->lock);
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

/* Waiting */

static bool
is_polled(struct pd *p, struct pd_waiter *w)
{
	return weir_poll(p->st, w->fds, w->n, 0) != 0;
}

/* When SO_RCVTIMEO or SO_SNDTIMEO ends a wait that begins now. */
static uint64_t
deadline(struct pd *p, int sock, int option)
{
	struct timeval tv = {0};
	socklen_t len = sizeof(tv);

	if (weir_getsockopt(p->st, sock, SOL_SOCKET, option, &tv, &len) != 0 ||
		(tv.tv_sec == 0 && tv.tv_usec == 0))
		return PD_NEVER;
	return pd_now(p) + (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
}

/* Until fd is ready for events. @return 0; -EAGAIN at once if it must not wait, or at the end */
static int
wait_for(struct pd *p, int fd, short events, int flags, uint64_t deadline_us)
{
	const struct pd_file *f = pd_fd_get(p, fd);
	struct pollfd pfd = {.events = events};
	struct pd_waiter w = {
		.is_ready = is_polled, .fds = &pfd, .n = 1, .deadline_us = deadline_us};

	if (f == NULL)
		return -EBADF;
	if (f->is_nonblock || (flags & MSG_DONTWAIT))
		return -EAGAIN;
	pfd.fd = f->sock;
	return pd_wait(p, &w);
}

/* Opening and closing */

static int
pd_socket(void *ctx, int domain, int type, int protocol)
{
	struct pd *p = pd_enter(ctx);
	int rc = weir_socket(p->st, domain, type, protocol);
	int fd = rc < 0 ? rc : pd_fd_open(p, rc);

	if (rc >= 0 && fd < 0)
		weir_close(p->st, rc);
	if (fd >= 0)
		p->files[fd].is_nonblock = (type & SOCK_NONBLOCK) != 0;
	return (int)pd_leave(p, fd);
}

static int
pd_bind(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, weir_bind(p->st, pd_fd_sock(p, fd), addr, len));
}

static int
pd_listen(void *ctx, int fd, int backlog)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, weir_listen(p->st, pd_fd_sock(p, fd), backlog));
}

static int
accept_one(struct pd *p, int fd, struct sockaddr *addr, socklen_t *len)
{
	const uint64_t end_us = deadline(p, pd_fd_sock(p, fd), SO_RCVTIMEO);
	int sock, rc = 0;

	while ((sock = weir_accept(p->st, pd_fd_sock(p, fd), addr, len, 0)) == -EAGAIN && rc == 0)
		rc = wait_for(p, fd, POLLIN, 0, end_us);
	if (sock < 0)
		return rc != 0 ? rc : sock;
	rc = pd_fd_open(p, sock);
	if (rc < 0)
		weir_close(p->st, sock);
	return rc;
}

static int
pd_accept(void *ctx, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, accept_one(p, fd, addr, len));
}

/* The second call says how the attempt ended. */
static int
connect_sock(struct pd *p, int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct pd_file *f = pd_fd_get(p, fd);
	const int sock = pd_fd_sock(p, fd);
	const int first = weir_connect(p->st, sock, addr, len);
	int rc;

	if ((first != -EINPROGRESS && first != -EALREADY) || f == NULL || f->is_nonblock)
		return first;
	rc = wait_for(p, fd, POLLOUT, 0, deadline(p, sock, SO_SNDTIMEO));
	if (rc != 0)
		return rc == -EAGAIN ? first : rc;
	return weir_connect(p->st, pd_fd_sock(p, fd), addr, len);
}

static int
pd_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, connect_sock(p, fd, addr, len));
}

static int
pd_shutdown(void *ctx, int fd, int how)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, weir_shutdown(p->st, pd_fd_sock(p, fd), how));
}

/* Has the peer acknowledged everything, our FIN included? */
static bool
is_all_acked(struct pd *p, struct pd_waiter *w)
{
	const struct weir_tcp_conn *c = w->sock->tcp.conn; /* one that sleeps has sent all */

	return c == NULL || c->state == WEIR_TCP_CLOSED || c->state == WEIR_TCP_FIN_WAIT_2 ||
	       c->state == WEIR_TCP_TIME_WAIT;
}

/* SO_LINGER with a time: close() waits until the peer has it all. */
static void
linger(struct pd *p, int fd)
{
	struct weir_sock *s = weir_fd_get(&p->st->socks, pd_fd_sock(p, fd));
	struct pd_waiter w = {.is_ready = is_all_acked, .sock = s};

	if (s == NULL)
		return;
	if (s->is_linger && s->linger_s != 0 && !p->files[fd].is_nonblock &&
		s->kind == WEIR_SOCK_TCP && (weir_sock_flags(s) & WEIR_SOCK_CONNECTED)) {
		weir_shutdown(p->st, pd_fd_sock(p, fd), SHUT_WR);
		w.deadline_us = pd_now(p) + s->linger_s * UINT64_C(1000000);
		pd_wait(p, &w);
	}
	weir_sock_unref(s);
}

static int
pd_close(void *ctx, int fd)
{
	struct pd *p = pd_enter(ctx);

	if (pd_fd_get(p, fd) == NULL)
		return (int)pd_leave(p, -EBADF);
	linger(p, fd);
	if (pd_fd_get(p, fd) != NULL) /* another thread may have been quicker */
		pd_fd_close(p, fd);
	return (int)pd_leave(p, 0);
}

/* Receiving */

/* A message whose parts have moved on by n bytes. Room for the parts is the caller's. */
static void
skip(struct msghdr *to, const struct msghdr *from, struct iovec *iov, size_t n)
{
	*to = *from;
	to->msg_iov = iov;
	to->msg_iovlen = 0;
	for (size_t i = 0; i < from->msg_iovlen; i++) {
		struct iovec part = from->msg_iov[i];
		const size_t gone = RTE_MIN(n, part.iov_len);

		n -= gone;
		part.iov_len -= gone;
		if (part.iov_base != NULL)
			part.iov_base = (char *)part.iov_base + gone;
		iov[to->msg_iovlen++] = part;
	}
}

static size_t
length(const struct msghdr *msg)
{
	size_t n = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		n += msg->msg_iov[i].iov_len;
	return n;
}

static bool
is_stream(struct pd *p, int sock)
{
	int type = 0;
	socklen_t len = sizeof(type);

	weir_getsockopt(p->st, sock, SOL_SOCKET, SO_TYPE, &type, &len);
	return type == SOCK_STREAM;
}

/* What the parts of a message may be. */
static int
check(const struct msghdr *msg)
{
	if (msg == NULL || (msg->msg_iov == NULL && msg->msg_iovlen != 0))
		return -EFAULT;
	return msg->msg_iovlen > IOV_MAX ? -EMSGSIZE : 0;
}

ssize_t
pd_receive(struct pd *p, int fd, struct msghdr *msg, int flags)
{
	const int sock = pd_fd_sock(p, fd);
	const uint64_t end_us = deadline(p, sock, SO_RCVTIMEO);
	const bool is_all =
		(flags & MSG_WAITALL) && !(flags & (MSG_PEEK | MSG_DONTWAIT)) && is_stream(p, sock);
	struct iovec iov[IOV_MAX];
	struct msghdr rest;
	size_t done = 0;
	ssize_t n;
	int rc = check(msg);

	while (rc == 0) {
		skip(&rest, msg, iov, done);
		n = weir_recvmsg(p->st, pd_fd_sock(p, fd), &rest, flags);
		if (n >= 0) {
			done += (size_t)n;
			msg->msg_flags = rest.msg_flags;
			msg->msg_namelen = rest.msg_namelen;
			msg->msg_controllen = rest.msg_controllen;
			if (!is_all || n == 0 || done >= length(msg))
				return (ssize_t)done;
			continue;
		}
		if (n == -EAGAIN && !(flags & (MSG_ERRQUEUE | MSG_OOB))) /* these never wait */
			rc = wait_for(p, fd, POLLIN, flags, end_us);
		else
			rc = (int)n;
	}
	return done > 0 ? (ssize_t)done : rc;
}

static ssize_t
pd_recvmsg(void *ctx, int fd, struct msghdr *msg, int flags)
{
	struct pd *p = pd_enter(ctx);

	return pd_leave(p, pd_receive(p, fd, msg, flags));
}

static ssize_t
pd_recvfrom(void *ctx, int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
	socklen_t *addr_len)
{
	struct pd *p = pd_enter(ctx);
	struct iovec iov = {buf, len};
	struct msghdr msg = {
		.msg_name = addr,
		.msg_namelen = addr_len != NULL ? *addr_len : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	const ssize_t rc =
		addr != NULL && addr_len == NULL ? -EFAULT : pd_receive(p, fd, &msg, flags);

	if (rc >= 0 && addr_len != NULL)
		*addr_len = msg.msg_namelen;
	return pd_leave(p, rc);
}

static ssize_t
pd_recv(void *ctx, int fd, void *buf, size_t len, int flags)
{
	return pd_recvfrom(ctx, fd, buf, len, flags, NULL, NULL);
}

static ssize_t
pd_read(void *ctx, int fd, void *buf, size_t len)
{
	return pd_recvfrom(ctx, fd, buf, len, 0, NULL, NULL);
}

/* The kernel says so of a wrong number of parts; of messages it says EMSGSIZE. */
static bool
is_count(int n)
{
	return n >= 0 && n <= IOV_MAX;
}

static ssize_t
pd_readv(void *ctx, int fd, const struct iovec *iov, int n)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)RTE_MAX(n, 0)};
	struct pd *p = pd_enter(ctx);

	return pd_leave(p, is_count(n) ? pd_receive(p, fd, &msg, 0) : -EINVAL);
}

/* Sending */

ssize_t
pd_transmit(struct pd *p, int fd, const struct msghdr *msg, int flags)
{
	const uint64_t end_us = deadline(p, pd_fd_sock(p, fd), SO_SNDTIMEO);
	const struct pd_file *f = pd_fd_get(p, fd);
	struct iovec iov[IOV_MAX];
	struct msghdr rest;
	size_t done = 0;
	ssize_t n;
	int rc = check(msg);

	if (f != NULL && f->is_nonblock)
		flags |= MSG_DONTWAIT;
	while (rc == 0) {
		skip(&rest, msg, iov, done);
		n = weir_sendmsg(p->st, pd_fd_sock(p, fd), &rest, flags);
		if (n >= 0)
			done += (size_t)n;
		if (n >= 0 && !(flags & MSG_FASTOPEN) &&
			(done >= length(msg) || !is_stream(p, pd_fd_sock(p, fd))))
			return (ssize_t)done;
		rc = n >= 0 || n == -EAGAIN || n == -EINPROGRESS
			     ? wait_for(p, fd, POLLOUT, flags, end_us)
			     : (int)n;
		if (n == -EINPROGRESS && rc == -EAGAIN)
			rc = -EINPROGRESS;
		if (n >= 0 && (flags & MSG_FASTOPEN) && done >= length(msg))
			return (ssize_t)done; /* now that the connection is open */
		flags &= ~MSG_FASTOPEN;
	}
	return done > 0 ? (ssize_t)done : rc;
}

static ssize_t
pd_sendmsg(void *ctx, int fd, const struct msghdr *msg, int flags)
{
	struct pd *p = pd_enter(ctx);

	return pd_leave(p, pd_transmit(p, fd, msg, flags));
}

static ssize_t
pd_sendto(void *ctx, int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
	socklen_t addr_len)
{
	struct iovec iov = {(void *)(uintptr_t)buf, len};
	const struct msghdr msg = {
		.msg_name = (struct sockaddr *)(uintptr_t)addr,
		.msg_namelen = addr_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	return pd_sendmsg(ctx, fd, &msg, flags);
}

static ssize_t
pd_send(void *ctx, int fd, const void *buf, size_t len, int flags)
{
	return pd_sendto(ctx, fd, buf, len, flags, NULL, 0);
}

static ssize_t
pd_write(void *ctx, int fd, const void *buf, size_t len)
{
	return pd_sendto(ctx, fd, buf, len, 0, NULL, 0);
}

static ssize_t
pd_writev(void *ctx, int fd, const struct iovec *iov, int n)
{
	const struct msghdr msg = {
		.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)RTE_MAX(n, 0)};
	struct pd *p = pd_enter(ctx);

	return pd_leave(p, is_count(n) ? pd_transmit(p, fd, &msg, 0) : -EINVAL);
}

/* Flags and options */

static int
set_flags(struct pd_file *f, int flags)
{
	f->is_nonblock = (flags & O_NONBLOCK) != 0;
	return 0;
}

static int
pd_fcntl(void *ctx, int fd, int cmd, ...)
{
	struct pd *p = pd_enter(ctx);
	struct pd_file *f = pd_fd_get(p, fd);
	va_list ap;
	int rc = -EINVAL;

	va_start(ap, cmd);
	if (f == NULL)
		rc = -EBADF;
	else if (cmd == F_GETFL)
		rc = O_RDWR | (f->is_nonblock ? O_NONBLOCK : 0);
	else if (cmd == F_SETFL)
		rc = set_flags(f, va_arg(ap, int));
	else if (cmd == F_GETFD)
		rc = FD_CLOEXEC;
	else if (cmd == F_SETFD)
		rc = 0;
	va_end(ap);
	return (int)pd_leave(p, rc);
}

static int
control(struct pd *p, int fd, unsigned long request, int *value)
{
	struct pd_file *f = pd_fd_get(p, fd);

	if (f == NULL)
		return -EBADF;
	if (request == FIONBIO && value != NULL)
		return set_flags(f, *value != 0 ? O_NONBLOCK : 0);
	return f->sock < 0 ? -ENOTTY : weir_ioctl(p->st, f->sock, request, value);
}

static int
pd_ioctl(void *ctx, int fd, unsigned long request, ...)
{
	struct pd *p = pd_enter(ctx);
	va_list ap;
	int rc;

	va_start(ap, request);
	rc = control(p, fd, request, va_arg(ap, int *));
	va_end(ap);
	return (int)pd_leave(p, rc);
}

static int
pd_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *len)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, weir_getsockopt(p->st, pd_fd_sock(p, fd), level, name, value, len));
}

static int
pd_setsockopt(void *ctx, int fd, int level, int name, const void *value, socklen_t len)
{
	struct pd *p = pd_enter(ctx);

	return (int)pd_leave(p, weir_setsockopt(p->st, pd_fd_sock(p, fd), level, name, value, len));
}

void
pd_calls(struct pd_table *t)
{
	t->socket = pd_socket;
	t->bind = pd_bind;
	t->listen = pd_listen;
	t->accept = pd_accept;
	t->connect = pd_connect;
	t->read = pd_read;
	t->readv = pd_readv;
	t->recv = pd_recv;
	t->recvfrom = pd_recvfrom;
	t->recvmsg = pd_recvmsg;
	t->write = pd_write;
	t->writev = pd_writev;
	t->send = pd_send;
	t->sendto = pd_sendto;
	t->sendmsg = pd_sendmsg;
	t->fcntl = pd_fcntl;
	t->ioctl = pd_ioctl;
	t->close = pd_close;
	t->shutdown = pd_shutdown;
	t->getsockopt = pd_getsockopt;
	t->setsockopt = pd_setsockopt;
	t->pipe = pd_pipe;
	t->splice = pd_splice;
}
