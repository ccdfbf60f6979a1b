/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: rxq -> recv; what was taken is told to the home worker, so that the window opens */
#include <errno.h>
#include <limits.h>

#include "stack_priv.h"

#define RECV_FLAGS (MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | MSG_TRUNC | MSG_NOSIGNAL)

/* Where received bytes go. */
struct sink {
	const struct iovec *iov;
	size_t n_iov;
	size_t off; /* into iov[0] */
	size_t left;
};

static bool
sink_init(struct sink *to, const struct iovec *iov, size_t n_iov)
{
	*to = (struct sink){.iov = iov, .n_iov = n_iov};
	for (size_t i = 0; i < n_iov; i++) {
		if (iov[i].iov_base == NULL && iov[i].iov_len != 0)
			return false;
		if (iov[i].iov_len > SSIZE_MAX - to->left)
			return false;
		to->left += iov[i].iov_len;
	}
	return true;
}

static void
sink_write(struct sink *to, const char *from, size_t len)
{
	to->left -= len;
	while (len > 0) {
		const size_t part = RTE_MIN(len, to->iov->iov_len - to->off);

		if (part > 0) /* an empty part may be at NULL */
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

/* As much of m as fits, from its first byte. @return bytes */
static size_t
copy_out(struct sink *to, const struct rte_mbuf *m)
{
	size_t n = 0;

	for (; m != NULL && to->left > 0; m = m->next) {
		const size_t part = RTE_MIN((size_t)m->data_len, to->left);

		sink_write(to, rte_pktmbuf_mtod(m, const char *), part);
		n += part;
	}
	return n;
}

/* The packet after m of those opened, or one more from rxq; m NULL: the first. Under recv_lock. */
static struct rte_mbuf *
open_next(struct weir_sock *s, struct rte_mbuf *m)
{
	struct rte_mbuf *next = m == NULL ? weir_pktq_first(&s->rx_open) : weir_pktq_next(m);
	struct weir_qnode *n;

	if (next != NULL)
		return next;
	n = weir_mpsc_pop(&s->rxq);
	if (n == NULL)
		return NULL;
	next = weir_qnode_mbuf(n);
	weir_pkt(next)->u[0] = weir_mbuf_truesize(next);
	weir_pktq_add(&s->rx_open, next);
	return next;
}

/* The first opened packet has been read. */
static void
drop_first(struct weir_sock *s)
{
	struct rte_mbuf *m = weir_pktq_pop(&s->rx_open);

	__atomic_fetch_add(&s->rx_taken, weir_pkt(m)->u[0], __ATOMIC_RELEASE);
	rte_pktmbuf_free(m);
}

static size_t
peek_stream(struct weir_sock *s, struct sink *to)
{
	size_t n = 0;

	for (struct rte_mbuf *m = open_next(s, NULL); m != NULL && to->left > 0;
		m = open_next(s, m))
		n += copy_out(to, m);
	return n;
}

/* Take n bytes off the front. Segments that are read through stay, empty, until all is. */
static void
trim_front(struct rte_mbuf *m, size_t n)
{
	while (n > 0) {
		const uint16_t part = (uint16_t)RTE_MIN(n, (size_t)m->data_len);

		m->data_off = (uint16_t)(m->data_off + part);
		m->data_len = (uint16_t)(m->data_len - part);
		n -= part;
		m = m->next;
	}
}

static size_t
read_stream(struct weir_sock *s, struct sink *to)
{
	size_t n = 0;

	while (to->left > 0) {
		struct rte_mbuf *m = open_next(s, NULL);
		size_t part;

		if (m == NULL)
			break;
		part = copy_out(to, m);
		n += part;
		if (part == m->pkt_len) {
			drop_first(s);
		} else {
			trim_front(m, part);
			m->pkt_len -= (uint32_t)part;
		}
	}
	return n;
}

/* The home worker is told of room when it matters to the window: a quarter of the buffer. */
static void
tell_taken(struct weir_stack *st, struct weir_sock *s)
{
	struct weir_sock_worker *ws = weir_here(st, s);
	const uint64_t taken = __atomic_load_n(&s->rx_taken, __ATOMIC_RELAXED);

	if (ws != NULL) {
		weir_sock_serve(ws, s, WEIR_DOOR_CREDIT);
	} else if (taken - s->rx_told >= weir_peek(s->opts.rcvbuf) / 4) {
		s->rx_told = taken;
		weir_sock_ring(s, WEIR_DOOR_CREDIT);
	}
}

/*
 * What an empty queue means, by the flags as they were before it was looked at: an end or error
 * that came later may have data before it. 0: more may come; 1: the end; negative: an error, told
 * once.
 */
static int
stream_end(struct weir_sock *s, uint32_t flags)
{
	const int error = flags & WEIR_SOCK_OVER ? weir_take_error(s) : 0;

	if (error != 0)
		return -error;
	if (flags & (WEIR_SOCK_RX_EOF | WEIR_SOCK_RX_SHUT))
		return 1;
	return flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING) ? 0 : -ENOTCONN;
}

static bool
is_readable(const struct weir_sock *s)
{
	return (weir_sock_poll(s) & (POLLIN | POLLERR | POLLHUP)) != 0;
}

/* One attempt. @return bytes > 0; 0 at the end; -EAGAIN: nothing now; other errors */
static ssize_t
try_stream(struct weir_stack *st, struct weir_sock *s, struct sink *to, int flags)
{
	const uint32_t before = weir_sock_flags(s);
	size_t n;
	int rc;

	weir_lock(&s->recv_lock);
	n = flags & MSG_PEEK ? peek_stream(s, to) : read_stream(s, to);
	if (n > 0 && !(flags & MSG_PEEK))
		tell_taken(st, s);
	weir_unlock(&s->recv_lock);
	if (n > 0)
		return (ssize_t)n;
	rc = stream_end(s, before);
	return rc == 1 ? 0 : rc == 0 ? -EAGAIN : rc;
}

static ssize_t
recv_stream(struct weir_stack *st, struct weir_sock *s, struct sink *to, int flags)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->rcvtimeo_ms));
	const bool is_all = (flags & MSG_WAITALL) && !(flags & MSG_PEEK);
	ssize_t done = 0;

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return -ENOTCONN;
	while (to->left > 0) {
		ssize_t n = try_stream(st, s, to, flags);

		if (n > 0) {
			done += n;
			if (!is_all)
				break;
			continue;
		}
		if (n == -EAGAIN && is_readable(s))
			continue; /* came meanwhile */
		if (n == -EAGAIN && !weir_is_nonblock(st, s, flags)) {
			n = weir_wait(st, s, is_readable, deadline);
			if (n == 0)
				continue;
		}
		return done > 0 ? done : n;
	}
	return done;
}

/* Datagrams */

static ssize_t
take_datagram(
	struct weir_sock *s, struct rte_mbuf *m, struct sink *to, struct msghdr *msg, int flags)
{
	const struct weir_pkt *p = weir_pkt(m);
	const size_t len = m->pkt_len;
	const size_t n = copy_out(to, m);

	msg->msg_flags = n < len ? MSG_TRUNC : 0;
	if (msg->msg_name != NULL)
		weir_addr_copy_out(
			s->domain, &p->flow.raddr, p->flow.rport, msg->msg_name, &msg->msg_namelen);
	if (!(flags & MSG_PEEK))
		drop_first(s);
	return (ssize_t)(flags & MSG_TRUNC ? len : n);
}

static ssize_t
try_datagram(struct weir_sock *s, struct sink *to, struct msghdr *msg, int flags)
{
	struct rte_mbuf *m;
	ssize_t rc;

	weir_lock(&s->recv_lock);
	m = open_next(s, NULL);
	rc = m == NULL ? -EAGAIN : take_datagram(s, m, to, msg, flags);
	weir_unlock(&s->recv_lock);
	if (rc != -EAGAIN)
		return rc;
	rc = weir_take_error(s);
	if (rc != 0)
		return -rc;
	return weir_sock_flags(s) & WEIR_SOCK_RX_SHUT ? 0 : -EAGAIN;
}

static ssize_t
recv_datagram(
	struct weir_stack *st, struct weir_sock *s, struct sink *to, struct msghdr *msg, int flags)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->rcvtimeo_ms));
	ssize_t n;

	while ((n = try_datagram(s, to, msg, flags)) == -EAGAIN) {
		int rc;

		if (weir_is_nonblock(st, s, flags))
			return -EAGAIN;
		rc = weir_wait(st, s, is_readable, deadline);
		if (rc != 0)
			return rc;
	}
	return n;
}

static ssize_t
recv_iov(struct weir_stack *st, int fd, struct msghdr *msg, int flags)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	struct sink to;
	ssize_t rc;

	if (s == NULL)
		return -EBADF;
	msg->msg_flags = 0;
	if (flags & ~RECV_FLAGS)
		rc = -EOPNOTSUPP;
	else if (!sink_init(&to, msg->msg_iov, msg->msg_iovlen))
		rc = -EFAULT;
	else if (weir_sock_flags(s) & WEIR_SOCK_CALLBACKS)
		rc = -EINVAL; /* its data goes to the callback */
	else if (s->kind == WEIR_SOCK_UDP)
		rc = recv_datagram(st, s, &to, msg, flags);
	else if (flags & MSG_TRUNC)
		rc = -EOPNOTSUPP; /* discarding stream data */
	else
		rc = recv_stream(st, s, &to, flags);
	if (rc >= 0 && s->kind == WEIR_SOCK_TCP)
		msg->msg_namelen = 0;
	weir_sock_unref(s);
	return rc;
}

ssize_t
weir_recvmsg(struct weir_stack *st, int fd, struct msghdr *msg, int flags)
{
	ssize_t rc;

	if (msg == NULL || (msg->msg_iov == NULL && msg->msg_iovlen != 0))
		return -EFAULT;
	if (msg->msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	rc = recv_iov(st, fd, msg, flags);
	if (rc >= 0)
		msg->msg_controllen = 0; /* no control messages */
	return rc;
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
	rc = recv_iov(st, fd, &msg, flags);
	if (rc >= 0 && addr_len != NULL)
		*addr_len = msg.msg_namelen;
	return rc;
}

ssize_t
weir_recv(struct weir_stack *st, int fd, void *buf, size_t len, int flags)
{
	return weir_recvfrom(st, fd, buf, len, flags, NULL, NULL);
}
