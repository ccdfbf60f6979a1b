/* SPDX-License-Identifier: BSD-3-Clause */
/* Which socket has which address and port, per stack. Control path, any thread. */
#include "weir_sock.h"

#include <errno.h>

#include <rte_random.h>

#include "weir_mem.h"

static bool
takes_v6(const struct weir_bind *b)
{
	return !weir_addr_is_v4(&b->laddr);
}

static bool
takes_v4(const struct weir_bind *b)
{
	return !takes_v6(b) ||
	       (weir_addr_is_any(&b->laddr) && !weir_sock_has(b->sock, WEIR_SW_V6ONLY));
}

/* Bound to different interfaces? */
static bool
is_apart(const struct weir_bind *a, const struct weir_bind *b)
{
	const int ia = weir_sock_iface(a->sock), ib = weir_sock_iface(b->sock);

	return ia >= 0 && ib >= 0 && ia != ib;
}

/* Could one packet belong to both? */
static bool
overlap(const struct weir_bind *a, const struct weir_bind *b)
{
	if (is_apart(a, b) || (!(takes_v4(a) && takes_v4(b)) && !(takes_v6(a) && takes_v6(b))))
		return false;
	return weir_addr_is_any(&a->laddr) || weir_addr_is_any(&b->laddr) ||
	       weir_addr_eq(&a->laddr, &b->laddr);
}

static bool
is_listener(const struct weir_bind *b)
{
	return (weir_sock_flags(b->sock) & WEIR_SOCK_LISTENING) != 0;
}

/* SO_REUSEPORT on both: connections, or datagrams, are spread over them. */
static bool
shares_port(const struct weir_bind *a, const struct weir_bind *b)
{
	return weir_sock_has(a->sock, WEIR_SW_REUSEPORT) &&
	       weir_sock_has(b->sock, WEIR_SW_REUSEPORT);
}

/* As Linux: SO_REUSEADDR on both, and none of them listens (TCP). */
static bool
may_share(const struct weir_bind *a, const struct weir_bind *b)
{
	if (shares_port(a, b))
		return true;
	return weir_sock_has(a->sock, WEIR_SW_REUSEADDR) &&
	       weir_sock_has(b->sock, WEIR_SW_REUSEADDR) &&
	       (a->sock->kind == WEIR_SOCK_UDP || (!is_listener(a) && !is_listener(b)));
}

static bool
has_conflict(struct weir_socks *ss, const struct weir_bind *mine)
{
	const struct weir_bind *b;

	LIST_FOREACH (b, &ss->binds[mine->sock->kind][mine->port], link)
		if (overlap(b, mine) && !may_share(b, mine))
			return true;
	return false;
}

static int
choose_port(struct weir_socks *ss, struct weir_bind *b)
{
	const unsigned int range = (unsigned int)(ss->port_max - ss->port_min) + 1;
	const unsigned int start = (unsigned int)rte_rand_max(range);

	for (unsigned int i = 0; i < range; i++) {
		b->port = (uint16_t)(ss->port_min + (start + i) % range);
		if (LIST_EMPTY(&ss->binds[b->sock->kind][b->port]))
			return 0;
	}
	return -EADDRINUSE;
}

static int
add_locked(struct weir_socks *ss, struct weir_bind *b)
{
	if (b->port == 0) {
		const int rc = choose_port(ss, b);

		if (rc != 0)
			return rc;
	} else if (has_conflict(ss, b)) {
		return -EADDRINUSE;
	}
	LIST_INSERT_HEAD(&ss->binds[b->sock->kind][b->port], b, link);
	return 0;
}

int
weir_bind_add(struct weir_socks *ss, struct weir_sock *s, const struct weir_addr *laddr,
	struct weir_be16 *port)
{
	struct weir_bind *b = weir_mem_alloc("weir_bind", sizeof(*b), SOCKET_ID_ANY);
	int rc;

	if (b == NULL)
		return -ENOBUFS;
	b->sock = s;
	b->laddr = *laddr;
	b->port = weir_host16(*port);
	weir_lock(&ss->bind_lock);
	rc = add_locked(ss, b);
	weir_unlock(&ss->bind_lock);
	if (rc != 0) {
		weir_mem_free(b);
		return rc;
	}
	*port = weir_be16(b->port);
	s->bind = b;
	return 0;
}

void
weir_bind_del(struct weir_socks *ss, struct weir_sock *s)
{
	struct weir_bind *b = s->bind;

	if (b == NULL)
		return;
	weir_lock(&ss->bind_lock);
	LIST_REMOVE(b, link);
	weir_unlock(&ss->bind_lock);
	weir_mem_free(b);
	s->bind = NULL;
}

void
weir_bind_narrow(struct weir_socks *ss, struct weir_sock *s, const struct weir_addr *laddr)
{
	if (s->bind == NULL)
		return;
	weir_lock(&ss->bind_lock);
	s->bind->laddr = *laddr;
	weir_unlock(&ss->bind_lock);
}

static bool
has_listener(struct weir_socks *ss, const struct weir_bind *mine)
{
	const struct weir_bind *b;

	LIST_FOREACH (b, &ss->binds[mine->sock->kind][mine->port], link)
		if (b != mine && is_listener(b) && overlap(b, mine) && !shares_port(b, mine))
			return true;
	return false;
}

int
weir_bind_listen(struct weir_socks *ss, struct weir_sock *s)
{
	int rc = 0;

	weir_lock(&ss->bind_lock);
	if (has_listener(ss, s->bind))
		rc = -EADDRINUSE;
	else
		weir_sock_set(s, WEIR_SOCK_LISTENING);
	weir_unlock(&ss->bind_lock);
	return rc;
}
