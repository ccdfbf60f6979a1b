/* SPDX-License-Identifier: BSD-3-Clause */
/* ioctl and fcntl of sockets. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "stack_priv.h"

/* Bytes to read: of a stream up to the urgent byte, of datagrams the first one's. */
static int
readable(struct weir_sock *s, int *value)
{
	const uint64_t urgent = weir_peek(s->urgent);
	const uint32_t ahead = weir_urgent_at(urgent) - weir_peek(s->rx_read);
	const uint32_t unread = weir_sock_unread(s);

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return -EINVAL;
	if (weir_sock_is_dgram(s))
		*value = (int)weir_sock_first_len(s);
	else if (urgent == 0 || weir_sock_has(s, WEIR_SW_OOBINLINE) || ahead >= unread)
		*value = (int)unread;
	else
		*value = (int)ahead;
	return 0;
}

static int
is_at_mark(struct weir_sock *s, int *value)
{
	const uint64_t urgent = weir_peek(s->urgent);

	if (s->kind != WEIR_SOCK_TCP)
		return -ENOTTY;
	*value = urgent != 0 && weir_urgent_at(urgent) == weir_peek(s->rx_read);
	return 0;
}

struct queue_query {
	struct weir_sock *s;
	bool is_unacked; /* else: not sent */
	uint32_t bytes;
};

static int
queue_on(struct weir_worker *w, void *arg)
{
	struct queue_query *q = arg;
	const struct weir_tcp_conn *c = q->s->tcp.conn; /* one that sleeps has sent all */

	if (c != NULL && c->state >= WEIR_TCP_ESTABLISHED)
		q->bytes =
			c->snd.end + c->is_fin_queued - (q->is_unacked ? c->snd.una : c->snd.max);
	return 0;
}

/* What is queued to be sent, in the worker's sequence space. */
static int
unsent(struct weir_stack *st, struct weir_sock *s, bool is_unacked, int *value)
{
	struct queue_query q = {.s = s, .is_unacked = is_unacked};
	int rc;

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return -EINVAL;
	if (weir_sock_is_dgram(s)) {
		*value = (int)((int64_t)weir_peek(s->opts.sndbuf) - weir_sock_tx_room(s));
		return is_unacked ? 0 : -ENOTTY;
	}
	rc = weir_on_worker(st, weir_sock_home(s), queue_on, &q);
	*value = (int)q.bytes;
	return rc;
}

static int
control(struct weir_stack *st, struct weir_sock *s, unsigned long request, int *value)
{
	if (request != FIONREAD && request != SIOCOUTQ && request != SIOCOUTQNSD &&
		request != FIONBIO && request != SIOCATMARK)
		return -ENOTTY;
	if (s->kind == WEIR_SOCK_OTHER && request != FIONBIO)
		return -ENOTTY;
	if (value == NULL)
		return -EFAULT;
	switch (request) {
	case FIONREAD:
		return readable(s, value);
	case SIOCATMARK:
		return is_at_mark(s, value);
	case FIONBIO:
		weir_poke(s->is_nonblock, *value != 0);
		return 0;
	default:
		return unsent(st, s, request == SIOCOUTQ, value);
	}
}

int
weir_ioctl(struct weir_stack *st, int fd, unsigned long request, int *value)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_any(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = control(st, s, request, value);
	weir_sock_unref(s);
	return rc;
}

int
weir_fcntl(struct weir_stack *st, int fd, int cmd, int arg)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_any(&st->socks, fd);
	int rc = -EINVAL;

	if (s == NULL)
		return -EBADF;
	if (cmd == F_GETFL) {
		rc = O_RDWR | (weir_peek(s->is_nonblock) ? O_NONBLOCK : 0);
	} else if (cmd == F_SETFL) {
		weir_poke(s->is_nonblock, (arg & O_NONBLOCK) != 0);
		rc = 0;
	}
	weir_sock_unref(s);
	return rc;
}
