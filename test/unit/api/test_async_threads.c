/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message queues and threads: servers that share a queue, clients with one each, workers in threads
 * of their own. Everything is driven by messages, so one that is lost shows as bytes that never
 * come. Seconds: WEIR_THREADS_S, or 2.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"
#include "weir_rand.h"

#define CLIENTS	 2
#define SERVERS	 2
#define SEND_LEN 300000 /* of each connection */
#define HANG_S	 60

struct scene {
	struct pair p;
	pthread_t worker[4], client[CLIENTS], server[SERVERS];
	struct weir_queue *served;
	int listener;
	uint64_t until_us;
	/* atomic */
	uint32_t n_started, must_stop, errors;
	uint64_t sent, got, opened, closed; /* bytes; b's sockets but the listener */
};

static void
add(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static void
blame(struct scene *s, bool is_error, const char *what)
{
	if (!is_error)
		return;
	printf("%s\n", what);
	__atomic_fetch_add(&s->errors, 1, __ATOMIC_RELAXED);
}

static void *
run_worker(void *arg)
{
	struct scene *s = arg;
	const uint32_t i = __atomic_fetch_add(&s->n_started, 1, __ATOMIC_RELAXED);

	weir_stack_run(i % 2 ? s->p.b : s->p.a, i / 2);
	return NULL;
}

/* ---- servers ---- */

static void
accept_all(struct scene *s)
{
	while (weir_accept(s->p.b, s->listener, NULL, NULL, 0) >= 0)
		add(&s->opened, 1);
}

/* @return whether it is at its end */
static bool
read_all(struct scene *s, int fd)
{
	char buf[8192];
	ssize_t n;

	while ((n = weir_recv(s->p.b, fd, buf, sizeof(buf), 0)) > 0)
		add(&s->got, (uint64_t)n);
	return n == 0;
}

static void
serve_msg(struct scene *s, const struct weir_msg *m)
{
	if (m->event == WEIR_ASYN_ACCEPT)
		accept_all(s);
	else if (m->event == WEIR_ASYN_READ)
		read_all(s, m->fd);
	else if (m->event == WEIR_ASYN_PEERCLOSE && read_all(s, m->fd))
		weir_shutdown(s->p.b, m->fd, SHUT_WR);
	if (m->event != WEIR_ASYN_CLOSE || m->fd == s->listener)
		return;
	blame(s, !weir_msg_is_current(s->served, m), "CLOSE of a socket that nobody closed");
	read_all(s, m->fd);
	blame(s, weir_close(s->p.b, m->fd) != 0, "closed twice");
	add(&s->closed, 1);
}

static void *
run_server(void *arg)
{
	struct scene *s = arg;
	struct weir_msg m[4];

	while (!__atomic_load_n(&s->must_stop, __ATOMIC_ACQUIRE)) {
		const int n = weir_queue_wait(s->served, m, RTE_DIM(m), 100);

		blame(s, n < 0, "wait");
		for (int i = 0; i < n; i++)
			serve_msg(s, &m[i]);
	}
	return NULL;
}

/* ---- clients ---- */

struct client {
	struct scene *s;
	struct weir_queue *q;
	struct weir_rand rand;
	int fd;
	size_t left; /* to be sent */
	bool is_over;
};

static void
send_some(struct client *c)
{
	static const char data[20000];

	while (c->left > 0) {
		const ssize_t n =
			weir_send(c->s->p.a, c->fd, data, RTE_MIN(c->left, sizeof(data)), 0);

		if (n < 0)
			return;
		add(&c->s->sent, (uint64_t)n);
		c->left -= (size_t)n;
	}
	weir_shutdown(c->s->p.a, c->fd, SHUT_WR);
}

/* The peer is done, or it is over, or we have enough: CLOSE is still to come, or has been. */
static void
client_msg(struct client *c, const struct weir_msg *m)
{
	blame(c->s, m->fd != c->fd || c->is_over, "a message of another socket");
	if (m->event == WEIR_ASYN_CONNECT)
		blame(c->s, m->error != 0, "not connected");
	if (m->event == WEIR_ASYN_CONNECT || m->event == WEIR_ASYN_WRITE)
		send_some(c);
	else if (m->event == WEIR_ASYN_PEERCLOSE)
		weir_close(c->s->p.a, c->fd);
	else
		blame(c->s, m->event != WEIR_ASYN_CLOSE, "what is this?");
	c->is_over = m->event == WEIR_ASYN_CLOSE;
	if (c->is_over && weir_msg_is_current(c->q, m))
		weir_close(c->s->p.a, c->fd);
}

static void
run_connection(struct client *c)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	const uint64_t hang_us = weir_real_us() + HANG_S * UINT64_C(1000000);
	struct weir_msg m;
	int rc;

	c->fd = weir_socket(c->s->p.a, AF_INET, SOCK_STREAM, 0);
	blame(c->s, c->fd < 0 || weir_set_async(c->s->p.a, c->fd, c->q, c) != 0, "socket");
	c->left = weir_rand_below(&c->rand, SEND_LEN);
	c->is_over = false;
	rc = weir_connect(c->s->p.a, c->fd, (struct sockaddr *)&ss, len);
	blame(c->s, rc != -EINPROGRESS && rc != 0, "connect");
	while (!c->is_over) {
		if (weir_queue_wait(c->q, &m, 1, 1000) == 1)
			client_msg(c, &m);
		if (weir_real_us() > hang_us) {
			blame(c->s, true, "a message was lost");
			weir_close(c->s->p.a, c->fd);
			return;
		}
	}
}

static void *
run_client(void *arg)
{
	struct client c = {.s = arg};

	weir_rand_seed(&c.rand, __atomic_fetch_add(&c.s->n_started, 1, __ATOMIC_RELAXED));
	blame(c.s, weir_queue_new(c.s->p.a, &c.q) != 0, "queue");
	while (weir_real_us() < c.s->until_us)
		run_connection(&c);
	weir_queue_free(c.q);
	return NULL;
}

/* ---- the test ---- */

static void
start(struct scene *s, pthread_t *threads, unsigned int n, void *(*fn)(void *))
{
	for (unsigned int i = 0; i < n; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, fn, s), 0);
}

static void
join(pthread_t *threads, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void
open_scene(struct scene *s)
{
	const char *text = getenv("WEIR_THREADS_S");
	struct sockaddr_storage ss;
	socklen_t len;

	memset(s, 0, sizeof(*s));
	pair_open(&s->p, &(struct pair_conf){.seed = 1, .workers = 2, .use_tsc = true});
	start(s, s->worker, RTE_DIM(s->worker), run_worker);
	while (__atomic_load_n(&s->p.a->n_running, __ATOMIC_ACQUIRE) < 2 ||
		__atomic_load_n(&s->p.b->n_running, __ATOMIC_ACQUIRE) < 2)
		usleep(100);
	s->until_us = weir_real_us() + (text == NULL ? 2 : strtoull(text, NULL, 10)) * 1000000;
	len = pair_addr('b', AF_INET, 80, &ss);
	CU_ASSERT_EQUAL_FATAL(weir_queue_new(s->p.b, &s->served), 0);
	s->listener = weir_socket(s->p.b, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_set_async(s->p.b, s->listener, s->served, NULL), 0);
	CU_ASSERT_EQUAL(weir_bind(s->p.b, s->listener, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(s->p.b, s->listener, 64), 0);
}

/* What is under way comes to its end: all bytes read, all sockets closed. */
static void
wait_for_rest(struct scene *s)
{
	for (unsigned int i = 0; i < HANG_S * 1000; i++) {
		const uint64_t opened = __atomic_load_n(&s->opened, __ATOMIC_RELAXED);

		if (__atomic_load_n(&s->got, __ATOMIC_RELAXED) == s->sent &&
			__atomic_load_n(&s->closed, __ATOMIC_RELAXED) == opened)
			return;
		usleep(1000);
	}
}

static void
stop_servers(struct scene *s)
{
	__atomic_store_n(&s->must_stop, 1, __ATOMIC_RELEASE);
	join(s->server, SERVERS);
}

static void
close_scene(struct scene *s)
{
	weir_close(s->p.b, s->listener);
	weir_queue_free(s->served);
	for (unsigned int i = 0;
		i < 10000 &&
		__atomic_load_n(&s->p.b->socks.used, __ATOMIC_ACQUIRE) +
				__atomic_load_n(&s->p.a->socks.used, __ATOMIC_ACQUIRE) !=
			0;
		i++)
		usleep(1000);
	CU_ASSERT_EQUAL(s->p.a->socks.used + s->p.b->socks.used, 0);
	weir_stack_stop(s->p.a);
	weir_stack_stop(s->p.b);
	join(s->worker, RTE_DIM(s->worker));
	pair_pass(&s->p, 1000);
	pair_close(&s->p);
}

static void
threads_that_share_a_queue_lose_no_message(void)
{
	struct scene s;

	open_scene(&s);
	start(&s, s.server, SERVERS, run_server);
	start(&s, s.client, CLIENTS, run_client);
	join(s.client, CLIENTS);
	wait_for_rest(&s);
	stop_servers(&s);
	CU_ASSERT_EQUAL(s.got, s.sent);
	CU_ASSERT_EQUAL(s.closed, s.opened);
	CU_ASSERT(s.opened > 0);
	CU_ASSERT_EQUAL(s.errors, 0);
	printf("%lu connections, %lu bytes\n", (unsigned long)s.opened, (unsigned long)s.got);
	close_scene(&s);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(threads_that_share_a_queue_lose_no_message),
		{0},
	};

	return unit_main("api_async_threads", tests, true);
}
