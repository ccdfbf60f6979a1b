/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Application threads that share descriptors: some send, some receive, some close, on stacks whose
 * workers run in threads of their own. Every byte that was sent before a close is received once.
 * Seconds: WEIR_THREADS_S, or 3. Built with -Db_sanitize=thread it also proves the absence of races.
 */
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

#define SENDERS   2
#define RECEIVERS 2
#define CHUNK     4096

struct run_args {
	struct weir_stack *st;
	unsigned int worker;
};

static void *
run_worker(void *arg)
{
	struct run_args *r = arg;

	weir_stack_run(r->st, r->worker);
	return NULL;
}

/* The workers of both stacks, each in a thread. */
struct workers {
	pthread_t thread[8];
	struct run_args args[8];
	unsigned int n;
};

static void
workers_start(struct workers *w, struct pair *p)
{
	w->n = 0;
	for (unsigned int i = 0; i < 2 * p->a->n_workers; i++, w->n++) {
		w->args[i] = (struct run_args){i % 2 ? p->b : p->a, i / 2};
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&w->thread[i], NULL, run_worker, &w->args[i]), 0);
	}
	while (__atomic_load_n(&p->a->n_running, __ATOMIC_ACQUIRE) < p->a->n_workers ||
		__atomic_load_n(&p->b->n_running, __ATOMIC_ACQUIRE) < p->b->n_workers)
		usleep(100);
}

static void
workers_stop(struct workers *w, struct pair *p)
{
	weir_stack_stop(p->a);
	weir_stack_stop(p->b);
	for (unsigned int i = 0; i < w->n; i++)
		pthread_join(w->thread[i], NULL);
}

/* One connection used by four threads of ours; a fifth closes it. */
struct shared {
	struct weir_stack *from, *to;
	int from_fd, to_fd;
	uint64_t sent, got; /* atomic */
	uint32_t must_stop; /* atomic */
	uint32_t errors;    /* atomic */
};

static void *
send_loop(void *arg)
{
	struct shared *s = arg;
	static const char buf[CHUNK];

	while (!__atomic_load_n(&s->must_stop, __ATOMIC_ACQUIRE)) {
		const ssize_t n = weir_send(s->from, s->from_fd, buf, sizeof(buf), 0);

		if (n > 0)
			__atomic_fetch_add(&s->sent, (uint64_t)n, __ATOMIC_RELAXED);
		else if (n != -ENOBUFS) {
			__atomic_fetch_add(&s->errors, 1, __ATOMIC_RELAXED);
			break;
		}
	}
	return NULL;
}

static void *
recv_loop(void *arg)
{
	struct shared *s = arg;
	char buf[CHUNK];
	ssize_t n;

	while ((n = weir_recv(s->to, s->to_fd, buf, sizeof(buf), 0)) > 0)
		__atomic_fetch_add(&s->got, (uint64_t)n, __ATOMIC_RELAXED);
	if (n < 0)
		__atomic_fetch_add(&s->errors, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void
open_shared(struct pair *p, uint16_t port, struct shared *s)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);
	const int l = weir_socket(p->b, AF_INET, SOCK_STREAM, 0);

	*s = (struct shared){.from = p->a, .to = p->b};
	CU_ASSERT_EQUAL_FATAL(weir_bind(p->b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL_FATAL(weir_listen(p->b, l, 8), 0);
	s->from_fd = weir_socket(p->a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(weir_connect(p->a, s->from_fd, (struct sockaddr *)&ss, len), 0);
	s->to_fd = weir_accept(p->b, l, NULL, NULL, 0);
	CU_ASSERT_FATAL(s->to_fd >= 0);
	CU_ASSERT_EQUAL(weir_close(p->b, l), 0);
}

/* Two threads send, two receive, on one connection, for us microseconds; then the senders' side
 * is closed and the receivers see all that was sent, then the end. */
static void
one_round(struct pair *p, uint16_t port, unsigned int us)
{
	pthread_t send[SENDERS], recv[RECEIVERS];
	struct shared s;

	open_shared(p, port, &s);
	for (unsigned int i = 0; i < SENDERS; i++)
		pthread_create(&send[i], NULL, send_loop, &s);
	for (unsigned int i = 0; i < RECEIVERS; i++)
		pthread_create(&recv[i], NULL, recv_loop, &s);
	usleep(us); /* the load's length, not a wait for a condition */
	__atomic_store_n(&s.must_stop, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < SENDERS; i++)
		pthread_join(send[i], NULL);
	CU_ASSERT_EQUAL(weir_close(p->a, s.from_fd), 0);
	for (unsigned int i = 0; i < RECEIVERS; i++)
		pthread_join(recv[i], NULL);
	CU_ASSERT_EQUAL(weir_close(p->b, s.to_fd), 0);
	CU_ASSERT_EQUAL(s.errors, 0);
	CU_ASSERT_EQUAL(s.sent, s.got);
	CU_ASSERT(s.sent > 0);
}

/* A close while others send and receive: they end with an error or at the end, and nothing hangs. */
static void *
close_soon(void *arg)
{
	struct shared *s = arg;

	usleep(2000);
	weir_close(s->from, s->from_fd);
	usleep(2000);
	weir_close(s->to, s->to_fd);
	return NULL;
}

static void
racing_close(struct pair *p, uint16_t port)
{
	pthread_t t[SENDERS + RECEIVERS + 1];
	struct shared s;
	unsigned int n = 0;

	open_shared(p, port, &s);
	for (unsigned int i = 0; i < SENDERS; i++)
		pthread_create(&t[n++], NULL, send_loop, &s);
	for (unsigned int i = 0; i < RECEIVERS; i++)
		pthread_create(&t[n++], NULL, recv_loop, &s);
	pthread_create(&t[n++], NULL, close_soon, &s);
	while (n > 0)
		pthread_join(t[--n], NULL);
}

static uint64_t
seconds(void)
{
	const char *text = getenv("WEIR_THREADS_S");

	return text == NULL ? 3 : strtoull(text, NULL, 10);
}

struct side {
	struct pair *p;
	uint16_t port;
	uint64_t until_us;
};

/* Two of these at once: eight threads that use descriptors, and those that close. */
static void *
rounds(void *arg)
{
	struct side *side = arg;

	do {
		one_round(side->p, side->port, 50000);
		racing_close(side->p, (uint16_t)(side->port + 1));
	} while (weir_real_us() < side->until_us);
	return NULL;
}

static bool
all_gone(const struct pair *p)
{
	return __atomic_load_n(&p->a->socks.used, __ATOMIC_ACQUIRE) == 0 &&
	       __atomic_load_n(&p->b->socks.used, __ATOMIC_ACQUIRE) == 0;
}

static void
threads_share_descriptors(void)
{
	const uint64_t until = weir_real_us() + seconds() * 1000000;
	struct side side[2];
	struct workers w;
	pthread_t other;
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = 2, .use_tsc = true});
	side[0] = (struct side){&p, 1000, until};
	side[1] = (struct side){&p, 2000, until};
	workers_start(&w, &p);
	pthread_create(&other, NULL, rounds, &side[1]);
	rounds(&side[0]);
	pthread_join(other, NULL);
	for (unsigned int i = 0; i < 10000 && !all_gone(&p); i++)
		usleep(1000);
	CU_ASSERT(all_gone(&p));
	workers_stop(&w, &p);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(threads_share_descriptors),
		{0},
	};

	return unit_main("api_threads", tests, true);
}
