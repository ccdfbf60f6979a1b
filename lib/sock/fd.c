/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: numbers of a stack that name sockets. Any thread, no locks. */
#include "weir_sock.h"

#include <errno.h>

#include "weir_ring.h"

int
weir_fd_open(struct weir_socks *ss, struct weir_sock *s)
{
	uint32_t fd;

	if (weir_ring_take_elems(ss->free_fds, &fd, sizeof(fd), 1) == 0)
		return -EMFILE;
	weir_sock_ref(s);
	s->fd = (int)fd;
	s->generation = __atomic_add_fetch(&ss->generation, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&ss->fds[fd], s, __ATOMIC_RELEASE);
	return (int)fd;
}

struct weir_sock *
weir_fd_any(struct weir_socks *ss, int fd)
{
	struct weir_sock *s;

	if (fd < 0 || (uint32_t)fd >= ss->capacity)
		return NULL;
	for (;;) {
		s = __atomic_load_n(&ss->fds[fd], __ATOMIC_ACQUIRE);
		if (s == NULL)
			return NULL;
		if (!weir_sock_try_ref(s))
			continue; /* closed this moment */
		if (__atomic_load_n(&ss->fds[fd], __ATOMIC_ACQUIRE) == s)
			return s;
		weir_sock_unref(s); /* closed, and its memory used for another socket */
	}
}

struct weir_sock *
weir_fd_get(struct weir_socks *ss, int fd)
{
	struct weir_sock *s = weir_fd_any(ss, fd);

	if (likely(s == NULL || s->kind != WEIR_SOCK_OTHER))
		return s;
	weir_sock_unref(s);
	return NULL;
}

int
weir_fd_error(struct weir_socks *ss, int fd)
{
	struct weir_sock *s = weir_fd_any(ss, fd);

	if (s == NULL)
		return -EBADF;
	weir_sock_unref(s);
	return -ENOTSOCK;
}

/*
 * Does worker index hold a reference of s until the end of its turn? Memory of sockets is never
 * used for anything else, and only this worker gives a connection of its own to a socket or takes
 * it away, so what is seen here does not change under us. A UDP socket is bound once it stands in
 * every worker's table, and leaves them, each by its worker, after it was closed.
 */
static bool
is_held_by(const struct weir_sock *s, uint16_t index)
{
	const uint32_t bound = WEIR_SOCK_BOUND | WEIR_SOCK_FD_CLOSED;

	if (s->kind == WEIR_SOCK_TCP)
		return weir_sock_home(s) == index && weir_tcp_has_conn(&s->tcp);
	return s->kind == WEIR_SOCK_UDP && (weir_sock_flags(s) & bound) == WEIR_SOCK_BOUND;
}

struct weir_sock *
weir_fd_peek(struct weir_socks *ss, int fd, uint16_t index)
{
	struct weir_sock *s;

	if (fd < 0 || (uint32_t)fd >= ss->capacity)
		return NULL;
	s = __atomic_load_n(&ss->fds[fd], __ATOMIC_ACQUIRE);
	if (s == NULL || !is_held_by(s, index) ||
		__atomic_load_n(&ss->fds[fd], __ATOMIC_ACQUIRE) != s)
		return NULL;
	return s;
}

bool
weir_fd_close(struct weir_socks *ss, int fd, struct weir_sock *s)
{
	const uint32_t number = (uint32_t)fd;
	struct weir_sock *expected = s;

	if (!__atomic_compare_exchange_n(
		    &ss->fds[fd], &expected, NULL, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	weir_sock_set(s, WEIR_SOCK_FD_CLOSED);
	weir_watches_end(s);
	weir_ring_put_elems(ss->free_fds, &number, sizeof(number), 1);
	return true;
}
