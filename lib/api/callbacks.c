/* SPDX-License-Identifier: BSD-3-Clause */
/* Callbacks of sockets: setting them, holding them back. */
#include <errno.h>

#include "stack_priv.h"

/* Events may come: workers read the callbacks. */
static bool
is_in_use(const struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);

	if (weir_sock_is_dgram(s))
		return (flags & WEIR_SOCK_BOUND) && (flags & WEIR_SOCK_CALLBACKS);
	return (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_LISTENING)) != 0;
}

/* In a callback on the one worker that reads them: they may be exchanged, but not taken away. */
static bool
may_exchange(struct weir_stack *st, const struct weir_sock *s, const struct weir_callbacks *cb)
{
	return cb != NULL && weir_worker_self() != NULL && weir_here(st, s) != NULL &&
	       (weir_sock_flags(s) & WEIR_SOCK_CALLBACKS) &&
	       (st->n_workers == 1 ||
		       (s->kind == WEIR_SOCK_TCP && !(weir_sock_flags(s) & WEIR_SOCK_LISTENING)));
}

static int
set_callbacks(struct weir_stack *st, struct weir_sock *s, const struct weir_callbacks *cb)
{
	if (is_in_use(s) && !may_exchange(st, s, cb))
		return -EISCONN;
	if (cb == NULL) {
		weir_sock_clear(s, WEIR_SOCK_CALLBACKS);
		return 0;
	}
	if ((cb->recv == NULL) == (cb->recv_mbuf == NULL))
		return -EINVAL;
	if (s->queue != NULL)
		return -EINVAL; /* asynchronous for life */
	s->cb = *cb;
	weir_sock_set(s, WEIR_SOCK_CALLBACKS);
	return 0;
}

int
weir_set_callbacks(struct weir_stack *st, int fd, const struct weir_callbacks *cb)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = weir_ctl_enter(s);
	if (rc == 0) {
		rc = set_callbacks(st, s, cb);
		weir_ctl_leave(st, s);
	}
	weir_sock_unref(s);
	return rc;
}

int
weir_set_arg(struct weir_stack *st, int fd, void *arg)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);

	if (s == NULL)
		return weir_no_sock(st, fd);
	weir_poke(s->cb.arg, arg);
	weir_sock_unref(s);
	return 0;
}

static int
set_receiving(struct weir_stack *st, struct weir_sock *s, bool on)
{
	struct weir_sock_worker *ws = weir_here(st, s);

	if (s->kind != WEIR_SOCK_TCP || !(weir_sock_flags(s) & WEIR_SOCK_CALLBACKS))
		return -EOPNOTSUPP;
	if (ws == NULL)
		return -EWOULDBLOCK;
	weir_sock_tcp_receiving(ws, s, on);
	return 0;
}

int
weir_set_receiving(struct weir_stack *st, int fd, bool on)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = set_receiving(st, s, on);
	weir_sock_unref(s);
	return rc;
}
