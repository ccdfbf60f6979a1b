/* SPDX-License-Identifier: BSD-3-Clause */
/* A socket's keys for signed segments: changed where they are in use. */
#include "opt_priv.h"

struct change {
	struct weir_sock *s;
	const struct weir_tcp_keys_update *u;
};

static int
change_on(struct weir_worker *w, void *arg)
{
	const struct change *c = arg;

	return weir_sock_tcp_key(&w->sock, c->s, c->u);
}

static int
listen_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_listen(&w->sock, arg);
}

/* Under the control of c->s. A listener's workers each take a copy of its keys. */
static int
change(struct weir_stack *st, struct change *c)
{
	const uint32_t flags = weir_sock_flags(c->s);
	int rc;

	if (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING))
		return weir_on_worker(st, weir_sock_home(c->s), change_on, c);
	if ((flags & WEIR_SOCK_LISTENING) && weir_worker_self() != NULL &&
		weir_stack_is_running(st) && st->n_workers > 1)
		return -EWOULDBLOCK; /* other workers could not be waited for */
	rc = weir_tcp_keys_update(&c->s->keys, c->u);
	return rc == 0 && (flags & WEIR_SOCK_LISTENING) ? weir_on_all(st, listen_on, c->s) : rc;
}

int
weir_opt_change_keys(
	struct weir_stack *st, struct weir_sock *s, const struct weir_tcp_keys_update *u)
{
	struct change c = {.s = s, .u = u};
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	rc = change(st, &c);
	weir_ctl_leave(st, s);
	return rc;
}
