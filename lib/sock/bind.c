/* SPDX-License-Identifier: BSD-3-Clause */
/* Which socket has which address and port, per stack. Control path, any thread. */
#include "weir_sock.h"

#include <errno.h>

#include <rte_malloc.h>
#include <rte_random.h>

static bool
takes_v6(const struct weir_sock *s)
{
	return !weir_addr_is_v4(&s->flow.laddr);
}

static bool
takes_v4(const struct weir_sock *s)
{
	return !takes_v6(s) || (weir_addr_is_any(&s->flow.laddr) && !s->is_v6only);
}

/* Could one packet belong to both? */
static bool
overlap(const struct weir_sock *a, const struct weir_sock *b)
{
	if (!(takes_v4(a) && takes_v4(b)) && !(takes_v6(a) && takes_v6(b)))
		return false;
	return weir_addr_is_any(&a->flow.laddr) || weir_addr_is_any(&b->flow.laddr) ||
	       weir_addr_eq(&a->flow.laddr, &b->flow.laddr);
}

static bool
is_listener(const struct weir_sock *s)
{
	return (weir_sock_flags(s) & WEIR_SOCK_LISTENING) != 0;
}

/* As Linux: SO_REUSEADDR on both, and none of them listens (TCP). */
static bool
may_share(const struct weir_sock *a, const struct weir_sock *b)
{
	return a->is_reuseaddr && b->is_reuseaddr &&
	       (a->kind == WEIR_SOCK_UDP || (!is_listener(a) && !is_listener(b)));
}

static bool
has_conflict(struct weir_socks *ss, const struct weir_sock *s, uint16_t port)
{
	const struct weir_bind *b;

	LIST_FOREACH (b, &ss->binds[s->kind][port], link)
		if (b->sock != s && overlap(b->sock, s) && !may_share(b->sock, s))
			return true;
	return false;
}

static int
choose_port(struct weir_socks *ss, struct weir_sock *s)
{
	const unsigned int range = (unsigned int)(ss->port_max - ss->port_min) + 1;
	const unsigned int start = (unsigned int)rte_rand_max(range);

	for (unsigned int i = 0; i < range; i++) {
		const uint16_t port = (uint16_t)(ss->port_min + (start + i) % range);

		if (LIST_EMPTY(&ss->binds[s->kind][port])) {
			s->flow.lport = weir_be16(port);
			return 0;
		}
	}
	return -EADDRINUSE;
}

static int
add_locked(struct weir_socks *ss, struct weir_sock *s, struct weir_bind *b)
{
	uint16_t port = weir_host16(s->flow.lport);
	int rc;

	if (port == 0) {
		rc = choose_port(ss, s);
		if (rc != 0)
			return rc;
		port = weir_host16(s->flow.lport);
	} else if (has_conflict(ss, s, port)) {
		return -EADDRINUSE;
	}
	b->sock = s;
	LIST_INSERT_HEAD(&ss->binds[s->kind][port], b, link);
	weir_sock_set(s, WEIR_SOCK_BOUND);
	return 0;
}

int
weir_bind_add(struct weir_socks *ss, struct weir_sock *s)
{
	struct weir_bind *b = rte_zmalloc("weir_bind", sizeof(*b), 0);
	int rc;

	if (b == NULL)
		return -ENOBUFS;
	weir_lock(&ss->bind_lock);
	rc = add_locked(ss, s, b);
	weir_unlock(&ss->bind_lock);
	if (rc != 0)
		rte_free(b);
	return rc;
}

void
weir_bind_del(struct weir_socks *ss, struct weir_sock *s)
{
	struct weir_bind *b, *found = NULL;

	if (!(weir_sock_flags(s) & WEIR_SOCK_BOUND))
		return;
	weir_lock(&ss->bind_lock);
	LIST_FOREACH (b, &ss->binds[s->kind][weir_host16(s->flow.lport)], link)
		if (b->sock == s)
			found = b;
	if (found != NULL)
		LIST_REMOVE(found, link);
	weir_sock_clear(s, WEIR_SOCK_BOUND);
	weir_unlock(&ss->bind_lock);
	rte_free(found);
}

bool
weir_bind_has_listener(struct weir_socks *ss, const struct weir_sock *s)
{
	const struct weir_bind *b;
	bool has = false;

	weir_lock(&ss->bind_lock);
	LIST_FOREACH (b, &ss->binds[s->kind][weir_host16(s->flow.lport)], link)
		if (b->sock != s && is_listener(b->sock) && overlap(b->sock, s))
			has = true;
	weir_unlock(&ss->bind_lock);
	return has;
}
