/* SPDX-License-Identifier: BSD-3-Clause */
/* Pipes are the kernel's, and splice() copies: from a socket into one, and from one into a socket.
 */
#include "pd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PIPE_BYTES 65536 /* pipe(7) */

int
pd_pipe(void *ctx, int fds[2])
{
	struct pd *p = pd_enter(ctx);
	int rc = pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0 ? 0 : -errno;

	if (rc == 0)
		rc = pd_fd_add(p, fds[0]);
	if (rc == 0)
		rc = pd_fd_add(p, fds[1]);
	return (int)pd_leave(p, rc);
}

/* Bytes that wait in the pipe. */
static size_t
pipe_fill(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 ? (size_t)n : 0;
}

static ssize_t
fill_pipe(struct pd *p, int sock, int out, size_t len)
{
	char buf[PIPE_BYTES];
	const size_t room = PIPE_BYTES - RTE_MIN(pipe_fill(out), (size_t)PIPE_BYTES);
	struct iovec iov = {buf, RTE_MIN(len, room)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	const ssize_t n = room == 0 ? -EAGAIN : pd_receive(p, sock, &msg, 0);

	if (n <= 0)
		return n;
	return write(out, buf, (size_t)n) == n ? n : -EIO;
}

static ssize_t
drain_pipe(struct pd *p, int in, int sock, size_t len, int flags)
{
	char buf[PIPE_BYTES];
	const ssize_t n = read(in, buf, RTE_MIN(len, sizeof(buf)));
	struct iovec iov = {buf, (size_t)n};
	const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	return n > 0 ? pd_transmit(p, sock, &msg, flags) : n == 0 ? 0 : -errno;
}

static bool
is_sock(struct pd *p, int fd)
{
	return pd_fd_sock(p, fd) >= 0;
}

int
pd_splice(
	void *ctx, int in, loff_t *in_off, int out, loff_t *out_off, size_t len, unsigned int flags)
{
	struct pd *p = pd_enter(ctx);
	ssize_t n = -EINVAL; /* one of them must be a pipe */

	if (pd_fd_get(p, in) == NULL || pd_fd_get(p, out) == NULL)
		n = -EBADF;
	else if (is_sock(p, in) && !is_sock(p, out))
		n = fill_pipe(p, in, out, len);
	else if (!is_sock(p, in) && is_sock(p, out))
		n = drain_pipe(p, in, out, len, flags & SPLICE_F_MORE ? MSG_MORE : 0);
	return (int)pd_leave(p, n);
}
