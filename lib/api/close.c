/* SPDX-License-Identifier: BSD-3-Clause */
/* Shutting down and closing. */
#include <errno.h>

#include "stack_priv.h"
#include "weir_queue.h"

/* Ask the home worker: directly when we are on it. */
static void
ask(struct weir_stack *st, struct weir_sock *s, uint32_t bits)
{
	struct weir_sock_worker *ws = weir_here(st, s);

	if (ws != NULL)
		weir_sock_serve(ws, s, bits);
	else
		weir_sock_ring(s, bits);
}

/* An attempt to connect, or a listener that is not to listen any more. @return -EISCONN: neither */
static int
shutdown_by_disconnect(struct weir_stack *st, struct weir_sock *s)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	rc = weir_shut_attempt(st, s);
	weir_ctl_leave(st, s);
	return rc;
}

/* The flags stand even where there was nothing to shut down: who waits for s learns of them. */
static int
shutdown_sock(struct weir_stack *st, struct weir_sock *s, int how)
{
	const bool rd = how == SHUT_RD || how == SHUT_RDWR;
	const bool wr = how == SHUT_WR || how == SHUT_RDWR;
	const uint32_t flags = weir_sock_flags(s);
	int rc;

	if (!rd && !wr)
		return -EINVAL;
	if (flags & WEIR_SOCK_LISTENING)
		return rd ? shutdown_by_disconnect(st, s) : 0;
	if ((flags & WEIR_SOCK_CONNECTING) && (rc = shutdown_by_disconnect(st, s)) != -EISCONN)
		return rc;
	weir_sock_set(s, (rd ? WEIR_SOCK_RX_SHUT : 0) | (wr ? WEIR_SOCK_TX_SHUT : 0));
	if (s->kind == WEIR_SOCK_TCP)
		ask(st, s, (rd ? WEIR_DOOR_SHUT_RD : 0) | (wr ? WEIR_DOOR_SHUT_WR : 0));
	weir_sock_notify(s);
	if ((flags & WEIR_SOCK_OVER) || !(flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING)))
		return -ENOTCONN;
	if (flags & WEIR_SOCK_CONNECTED)
		weir_sock_clear(s, WEIR_SOCK_CONNECT_DUE);
	return 0;
}

int
weir_shutdown(struct weir_stack *st, int fd, int how)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = shutdown_sock(st, s, how);
	weir_sock_unref(s);
	return rc;
}

static bool
is_all_acked(const struct weir_sock *s)
{
	return weir_sock_tx_room(s) >= (int64_t)weir_peek(s->opts.sndbuf) ||
	       (weir_sock_flags(s) & WEIR_SOCK_OVER);
}

/* SO_LINGER: wait until the peer has acknowledged everything, or the time is over. */
static void
linger(struct weir_stack *st, struct weir_sock *s)
{
	const uint64_t deadline = weir_real_us() + weir_peek(s->linger_s) * UINT64_C(1000000);

	while (weir_wait(st, s, is_all_acked, deadline) == -EINTR) {
	}
}

void
weir_close_sock(struct weir_stack *st, struct weir_sock *s)
{
	if (s->pcbs != NULL) /* or listeners: it stands in the workers' tables */
		weir_leave_all(st, s);
	else
		weir_bind_del(&st->socks, s);
	if (s->queue != NULL)
		weir_msgs_end(s);
	if (s->kind != WEIR_SOCK_OTHER)
		ask(st, s, WEIR_DOOR_CLOSE);
	weir_sock_notify(s); /* threads that wait for it learn that it is closed */
	weir_sock_unref(s);
}

int
weir_close(struct weir_stack *st, int fd)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_any(&st->socks, fd);
	int rc = 0;

	if (s == NULL)
		return -EBADF;
	if (weir_peek(s->is_linger) && weir_peek(s->linger_s) != 0 && weir_may_wait(st)) {
		shutdown_sock(st, s, SHUT_WR);
		linger(st, s);
	}
	if (weir_fd_close(&st->socks, fd, s))
		weir_ctl_close(st, s);
	else
		rc = -EBADF; /* another thread was quicker */
	weir_sock_unref(s);
	return rc;
}
