/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: rxq -> recv; what was taken is told to the home worker, so that the window opens */
#include <errno.h>
#include <limits.h>

#include "recv_priv.h"
#include "weir_queue.h"

int
weir_sink_init(struct weir_sink *to, const struct iovec *iov, size_t n_iov)
{
	*to = (struct weir_sink){.iov = iov, .n_iov = n_iov};
	for (size_t i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > SSIZE_MAX - to->left)
			return -EINVAL;
		to->is_bad |= iov[i].iov_base == NULL && iov[i].iov_len != 0;
		to->left += iov[i].iov_len;
	}
	return 0;
}

static void
sink_write(struct weir_sink *to, const char *from, size_t len)
{
	to->left -= len;
	while (len > 0) {
		const size_t part = RTE_MIN(len, to->iov->iov_len - to->off);

		if (part > 0 && !to->is_discard) /* an empty part may be at NULL */
			memcpy((char *)to->iov->iov_base + to->off, from, part);
		from += part;
		len -= part;
		to->off += part;
		if (to->off == to->iov->iov_len) {
			to->iov++;
			to->n_iov--;
			to->off = 0;
		}
	}
}

size_t
weir_sink_put(struct weir_sink *to, const struct rte_mbuf *m, size_t off, size_t max)
{
	size_t n = 0;

	for (; m != NULL && to->left > 0 && n < max; m = m->next) {
		const size_t skip = RTE_MIN(off, (size_t)m->data_len);
		const size_t part = RTE_MIN(RTE_MIN(m->data_len - skip, to->left), max - n);

		off -= skip;
		sink_write(to, rte_pktmbuf_mtod_offset(m, const char *, skip), part);
		n += part;
	}
	return n;
}

void
weir_rx_drop_first(struct weir_sock *s)
{
	struct rte_mbuf *m = weir_pktq_pop(&s->rx_open);

	__atomic_fetch_add(&s->rx_taken, weir_pkt(m)->u[0], __ATOMIC_RELEASE);
	rte_pktmbuf_free(m);
}

void
weir_peek_off_move(struct weir_sock *s, size_t n, bool is_peek)
{
	const int32_t off = weir_peek(s->peek_off);

	if (off < 0)
		return;
	if (is_peek)
		weir_poke(s->peek_off, (int32_t)RTE_MIN(off + n, (size_t)INT32_MAX));
	else
		weir_poke(s->peek_off, off - (int32_t)RTE_MIN(n, (size_t)off));
}

void
weir_found_nothing(struct weir_sock *s, int flags)
{
	if (weir_peek(s->queue) != NULL && !(flags & (MSG_OOB | MSG_ERRQUEUE)))
		weir_msgs_rearm(s, WEIR_ASYN_READ);
}

static ssize_t
recv_on(struct weir_stack *st, struct weir_sock *s, struct weir_cmsgs *c, int flags)
{
	struct weir_sink to;
	const int rc = weir_sink_init(&to, c->msg->msg_iov, c->msg->msg_iovlen);

	if (rc != 0)
		return rc;
	if (weir_sock_flags(s) & WEIR_SOCK_CALLBACKS)
		return -EINVAL; /* its data goes to the callback */
	if (weir_sock_is_dgram(s))
		return weir_recv_datagram(st, s, &to, c, flags);
	return weir_recv_stream(st, s, &to, c, flags);
}

static ssize_t
recv_msg(struct weir_stack *st, int fd, struct msghdr *msg, int flags)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	struct weir_cmsgs c = {.msg = msg};
	ssize_t rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	msg->msg_flags = flags & MSG_CMSG_CLOEXEC;
	rc = recv_on(st, s, &c, flags);
	if (rc >= 0 && s->kind == WEIR_SOCK_TCP)
		msg->msg_namelen = 0;
	if (rc >= 0)
		msg->msg_controllen = c.used;
	if (rc == -EAGAIN)
		weir_found_nothing(s, flags);
	weir_sock_unref(s);
	return rc;
}

ssize_t
weir_recvmsg(struct weir_stack *st, int fd, struct msghdr *msg, int flags)
{
	if (msg == NULL || (msg->msg_iov == NULL && msg->msg_iovlen != 0))
		return -EFAULT;
	if (msg->msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	return recv_msg(st, fd, msg, flags);
}

ssize_t
weir_recvfrom(struct weir_stack *st, int fd, void *buf, size_t len, int flags,
	struct sockaddr *addr, socklen_t *addr_len)
{
	struct iovec iov = {buf, len};
	struct msghdr msg = {
		.msg_name = addr,
		.msg_namelen = addr_len == NULL ? 0 : *addr_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t rc;

	if (addr != NULL && addr_len == NULL)
		return -EFAULT;
	rc = recv_msg(st, fd, &msg, flags);
	if (rc >= 0 && addr_len != NULL)
		*addr_len = msg.msg_namelen;
	return rc;
}

ssize_t
weir_recv(struct weir_stack *st, int fd, void *buf, size_t len, int flags)
{
	return weir_recvfrom(st, fd, buf, len, flags, NULL, NULL);
}
