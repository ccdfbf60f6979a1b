/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: numbers of a stack that name sockets. Any thread, no locks. */
#include "weir_sock.h"

#include <errno.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

int
weir_fd_open(struct weir_socks *ss, struct weir_sock *s)
{
	uint32_t fd;

	if (rte_ring_dequeue_elem(ss->free_fds, &fd, sizeof(fd)) != 0)
		return -EMFILE;
	weir_sock_ref(s);
	s->fd = (int)fd;
	__atomic_store_n(&ss->fds[fd], s, __ATOMIC_RELEASE);
	return (int)fd;
}

/* A reference, unless the last one is gone: socket memory is only ever used for sockets. */
static bool
try_ref(struct weir_sock *s)
{
	uint32_t refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED);

	do {
		if (refs == 0)
			return false;
	} while (!__atomic_compare_exchange_n(
		&s->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

struct weir_sock *
weir_fd_get(struct weir_socks *ss, int fd)
{
	struct weir_sock *s;

	if (fd < 0 || (uint32_t)fd >= ss->capacity)
		return NULL;
	for (;;) {
		s = __atomic_load_n(&ss->fds[fd], __ATOMIC_ACQUIRE);
		if (s == NULL)
			return NULL;
		if (!try_ref(s))
			continue; /* closed this moment */
		if (__atomic_load_n(&ss->fds[fd], __ATOMIC_ACQUIRE) == s)
			return s;
		weir_sock_unref(s); /* closed, and its memory used for another socket */
	}
}

struct weir_sock *
weir_fd_close(struct weir_socks *ss, int fd)
{
	struct weir_sock *s;
	uint32_t number = (uint32_t)fd;

	if (fd < 0 || number >= ss->capacity)
		return NULL;
	s = __atomic_exchange_n(&ss->fds[fd], NULL, __ATOMIC_ACQ_REL);
	if (s == NULL)
		return NULL;
	weir_sock_set(s, WEIR_SOCK_FD_CLOSED);
	rte_ring_enqueue_elem(ss->free_fds, &number, sizeof(number));
	return s;
}
