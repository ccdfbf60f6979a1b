/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocking calls: each thread accepts a connection, serves it to its end, accepts the next. */
#include "echo.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_BYTES 65536 /* also the largest datagram */

struct echo_thread {
	pthread_t id;
	struct echo *e;
	struct echo_counts *n;
	bool is_running;
	int fd; /* what it serves, -1: nothing; atomic */
	char room[ROOM_BYTES];
};

static bool
send_all(struct echo_thread *t, int fd, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		const ssize_t n = weir_send(t->e->st, fd, t->room + sent, len - sent, 0);

		if (n < 0)
			return false;
		sent += (size_t)n;
	}
	t->n->bytes += sent;
	return true;
}

static void
serve(struct echo_thread *t, int fd)
{
	ssize_t n;

	do
		n = weir_recv(t->e->st, fd, t->room, sizeof(t->room), 0);
	while (n > 0 && send_all(t, fd, (size_t)n));
}

static void *
run_stream(void *arg)
{
	struct echo_thread *t = arg;
	int fd;

	/* Ends when the listener is closed. */
	while ((fd = weir_accept(t->e->st, t->e->tcp, NULL, NULL, 0)) >= 0 || fd == -EMFILE) {
		if (fd < 0) {
			usleep(1000); /* until a descriptor is free */
			continue;
		}
		t->n->connections++;
		__atomic_store_n(&t->fd, fd, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&t->e->must_stop, __ATOMIC_SEQ_CST) == 0)
			serve(t, fd);
		__atomic_store_n(&t->fd, -1, __ATOMIC_SEQ_CST);
		weir_close(t->e->st, fd);
	}
	return NULL;
}

static void *
run_datagram(void *arg)
{
	struct echo_thread *t = arg;
	struct sockaddr_in6 from;
	socklen_t from_len = sizeof(from);
	ssize_t n;

	while (__atomic_load_n(&t->e->must_stop, __ATOMIC_SEQ_CST) == 0) {
		from_len = sizeof(from);
		n = weir_recvfrom(t->e->st, t->e->udp, t->room, sizeof(t->room), 0,
			(struct sockaddr *)&from, &from_len);
		if (n == -EBADF)
			break;
		if (n < 0)
			continue; /* an ICMP error about an earlier answer */
		t->n->datagrams++;
		n = weir_sendto(t->e->st, t->e->udp, t->room, (size_t)n, 0,
			(struct sockaddr *)&from, from_len);
		t->n->lost += n < 0;
	}
	return NULL;
}

static int
open_sockets(struct echo *e, uint16_t port)
{
	e->tcp = app_open(e->st, SOCK_STREAM, port, NULL);
	if (e->tcp < 0)
		return e->tcp;
	e->udp = app_open(e->st, SOCK_DGRAM, port, NULL);
	return e->udp < 0 ? e->udp : 0;
}

/* The first thread serves UDP, the others TCP. */
static int
start(struct echo *e, uint16_t port)
{
	int rc = open_sockets(e, port);

	if (rc != 0)
		return rc;
	e->threads = calloc(e->n_threads + 1, sizeof(*e->threads));
	if (e->threads == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i <= e->n_threads && rc == 0; i++) {
		struct echo_thread *t = &e->threads[i];

		t->e = e;
		t->n = &e->counts[i];
		t->fd = -1;
		rc = -pthread_create(&t->id, NULL, i == 0 ? run_datagram : run_stream, t);
		t->is_running = rc == 0;
	}
	if (rc != 0)
		fprintf(stderr, "threads: %s\n", strerror(-rc));
	return rc;
}

/* Wake every thread, whatever call it waits in. */
static void
stop(struct echo *e)
{
	__atomic_store_n(&e->must_stop, 1, __ATOMIC_SEQ_CST);
	weir_close(e->st, e->tcp);
	weir_close(e->st, e->udp);
	e->tcp = e->udp = -1;
	for (unsigned int i = 0; e->threads != NULL && i <= e->n_threads; i++) {
		struct echo_thread *t = &e->threads[i];
		const int fd = __atomic_load_n(&t->fd, __ATOMIC_SEQ_CST);

		if (!t->is_running)
			continue;
		if (fd >= 0)
			weir_shutdown(e->st, fd, SHUT_RDWR);
		pthread_join(t->id, NULL);
	}
	free(e->threads);
}

const struct echo_style echo_threads = {"threads", start, stop};
