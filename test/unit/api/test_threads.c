/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Application threads that share descriptors: some send, some receive, some wait, some close, on
 * stacks whose workers run in threads of their own, polling or asleep. What is sent before a close
 * is received once, nobody waits for ever, and nothing is left behind. Seconds in all:
 * WEIR_THREADS_S, or 4. Built with -Db_sanitize=thread it also proves the absence of races, see
 * CONTRIBUTING.md.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"
#include "weir_rand.h"

#define THREADS_MAX 16
#define CHUNK	    4096
#define HANG_S	    120 /* beyond the time asked for: something waits for ever */

/* What the threads of a test share. */
struct scene {
	struct pair p;
	pthread_t worker[8];
	unsigned int n_workers;
	pthread_t thread[THREADS_MAX];
	unsigned int n_threads;
	uint64_t until_us;
	/* atomic, from here on */
	uint32_t n_started; /* threads and workers; gives each a number */
	uint32_t must_stop;
	uint32_t errors;
	uint64_t sent, got;
	uint64_t done; /* connections, calls: whatever is to have happened at all */
	int fd[4];
};

static uint64_t
microseconds(void)
{
	const char *text = getenv("WEIR_THREADS_S");

	return (text == NULL ? 3 : strtoull(text, NULL, 10)) * 1000000;
}

static bool
must_stop(const struct scene *s)
{
	return __atomic_load_n(&s->must_stop, __ATOMIC_ACQUIRE) || weir_real_us() >= s->until_us;
}

static int
fd_of(const struct scene *s, unsigned int i)
{
	return __atomic_load_n(&s->fd[i], __ATOMIC_ACQUIRE);
}

static void
set_fd(struct scene *s, unsigned int i, int fd)
{
	__atomic_store_n(&s->fd[i], fd, __ATOMIC_RELEASE);
}

static void
count(uint64_t *counter, ssize_t n)
{
	__atomic_fetch_add(counter, (uint64_t)n, __ATOMIC_RELAXED);
}

static void
blame(struct scene *s, bool is_error)
{
	if (is_error)
		__atomic_fetch_add(&s->errors, 1, __ATOMIC_RELAXED);
}

/* Even numbers run a's workers, odd ones b's. */
static void *
run_worker(void *arg)
{
	struct scene *s = arg;
	const uint32_t i = __atomic_fetch_add(&s->n_started, 1, __ATOMIC_RELAXED);

	weir_stack_run(i % 2 ? s->p.b : s->p.a, i / 2);
	return NULL;
}

static void
scene_open(struct scene *s, uint64_t share_percent, bool polls)
{
	memset(s, 0, sizeof(*s));
	pair_open(&s->p,
		&(struct pair_conf){.seed = 1, .workers = 2, .use_tsc = true, .polls = polls});
	for (; s->n_workers < 2 * s->p.a->n_workers; s->n_workers++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&s->worker[s->n_workers], NULL, run_worker, s), 0);
	/* Each has its number: those of the threads to come begin behind. */
	while (__atomic_load_n(&s->n_started, __ATOMIC_RELAXED) < s->n_workers ||
		!weir_stack_is_running(s->p.a) || !weir_stack_is_running(s->p.b))
		usleep(100);
	s->until_us = weir_real_us() + microseconds() * share_percent / 100;
}

static void
start(struct scene *s, void *(*fn)(void *))
{
	CU_ASSERT_FATAL(s->n_threads < THREADS_MAX);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&s->thread[s->n_threads], NULL, fn, s), 0);
	s->n_threads++;
}

/* Wait for the threads started last, until n are left. */
static void
join_to(struct scene *s, unsigned int n)
{
	while (s->n_threads > n)
		pthread_join(s->thread[--s->n_threads], NULL);
}

static bool
all_gone(const struct pair *p)
{
	return __atomic_load_n(&p->a->socks.used, __ATOMIC_ACQUIRE) == 0 &&
	       __atomic_load_n(&p->b->socks.used, __ATOMIC_ACQUIRE) == 0;
}

static void
stop_workers(struct scene *s)
{
	weir_stack_stop(s->p.a);
	weir_stack_stop(s->p.b);
	while (s->n_workers > 0)
		pthread_join(s->worker[--s->n_workers], NULL);
}

/* Every descriptor has been closed: the workers let go of every socket, and every mbuf is back. */
static void
scene_close(struct scene *s)
{
	for (unsigned int i = 0; i < 10000 && !all_gone(&s->p); i++)
		usleep(1000);
	CU_ASSERT(all_gone(&s->p));
	CU_ASSERT_EQUAL(s->errors, 0);
	stop_workers(s);
	pair_close(&s->p);
}

static void
set_time(struct weir_stack *st, int fd, int name, long us)
{
	const struct timeval tv = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};

	weir_setsockopt(st, fd, SOL_SOCKET, name, &tv, sizeof(tv));
}

static int
open_at(struct weir_stack *st, char who, int type, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, AF_INET, port, &ss);
	const int fd = weir_socket(st, AF_INET, type, 0);

	if (fd >= 0 && weir_bind(st, fd, (struct sockaddr *)&ss, len) == 0)
		return fd;
	if (fd >= 0)
		weir_close(st, fd);
	return -1;
}

static int
open_listener(struct scene *s, uint16_t port)
{
	const int fd = open_at(s->p.b, 'b', SOCK_STREAM, port);

	if (fd < 0 || weir_listen(s->p.b, fd, 8) == 0)
		return fd;
	weir_close(s->p.b, fd);
	return -1;
}

static int
connect_to(struct weir_stack *st, int fd, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);

	return weir_connect(st, fd, (struct sockaddr *)&ss, len);
}

/* fd[0] of a and fd[1] of b: the ends of one connection. */
static void
open_connection(struct scene *s, uint16_t port)
{
	const int l = open_listener(s, port);
	const int fd = weir_socket(s->p.a, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(l >= 0);
	CU_ASSERT_EQUAL_FATAL(connect_to(s->p.a, fd, port), 0);
	set_fd(s, 0, fd);
	set_fd(s, 1, weir_accept(s->p.b, l, NULL, NULL, 0));
	CU_ASSERT_FATAL(fd_of(s, 1) >= 0);
	CU_ASSERT_EQUAL(weir_close(s->p.b, l), 0);
}

/* ---- one connection, used by many ---- */

static void *
send_stream(void *arg)
{
	static const char buf[CHUNK];
	struct scene *s = arg;

	while (!must_stop(s)) {
		const ssize_t n = weir_send(s->p.a, fd_of(s, 0), buf, sizeof(buf), 0);

		if (n > 0) {
			count(&s->sent, n);
		} else if (n != -ENOBUFS) {
			blame(s, n != -EPIPE);
			break;
		}
	}
	return NULL;
}

static void *
recv_stream(void *arg)
{
	struct scene *s = arg;
	char buf[CHUNK];
	ssize_t n;

	while ((n = weir_recv(s->p.b, fd_of(s, 1), buf, sizeof(buf), 0)) > 0)
		count(&s->got, n);
	blame(s, n < 0);
	return NULL;
}

/* Ask and change what others are using. */
static void *
fiddle(void *arg)
{
	struct scene *s = arg;
	struct sockaddr_storage ss;
	const struct linger off = {0};

	for (int i = 0; !must_stop(s); i++) {
		const int on = i % 2, size = 65536 + i % 3 * 4096;
		socklen_t len = sizeof(ss);

		weir_setsockopt(s->p.a, fd_of(s, 0), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		weir_setsockopt(s->p.a, fd_of(s, 0), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		weir_setsockopt(s->p.b, fd_of(s, 1), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		weir_setsockopt(s->p.b, fd_of(s, 1), SOL_SOCKET, SO_LINGER, &off, sizeof(off));
		weir_getsockname(s->p.a, fd_of(s, 0), (struct sockaddr *)&ss, &len);
		usleep(200);
	}
	return NULL;
}

/* Receivers first: they are joined last. */
static void
start_stream(struct scene *s, uint16_t port)
{
	open_connection(s, port);
	s->must_stop = 0;
	s->sent = s->got = 0;
	start(s, recv_stream);
	start(s, recv_stream);
	start(s, send_stream);
	start(s, send_stream);
	start(s, fiddle);
}

static void
close_both(struct scene *s)
{
	CU_ASSERT_EQUAL(weir_close(s->p.a, fd_of(s, 0)), 0);
	CU_ASSERT_EQUAL(weir_close(s->p.b, fd_of(s, 1)), 0);
}

static void
stop(struct scene *s)
{
	__atomic_store_n(&s->must_stop, 1, __ATOMIC_RELEASE);
}

/* Senders stop, their side is closed: the receivers see all that was sent, then the end. */
static void
stream_then_close(struct scene *s)
{
	start_stream(s, 1000);
	usleep(30000); /* the load's length, not a wait for a condition */
	stop(s);
	join_to(s, 2);
	CU_ASSERT_EQUAL(weir_close(s->p.a, fd_of(s, 0)), 0);
	join_to(s, 0);
	CU_ASSERT_EQUAL(weir_close(s->p.b, fd_of(s, 1)), 0);
	CU_ASSERT(s->sent > 0);
	CU_ASSERT_EQUAL(s->sent, s->got);
}

/* The end comes beside senders that are at work: what they were told was taken arrives. */
static void
stream_with_shutdown(struct scene *s)
{
	start_stream(s, 1001);
	usleep(5000);
	CU_ASSERT_EQUAL(weir_shutdown(s->p.a, fd_of(s, 0), SHUT_WR), 0);
	stop(s);
	join_to(s, 0);
	CU_ASSERT_EQUAL(s->sent, s->got);
	close_both(s);
}

/* Closed under everybody: they end, with whatever error, and nothing hangs. */
static void
stream_with_close(struct scene *s)
{
	start_stream(s, 1002);
	usleep(2000);
	weir_close(s->p.a, fd_of(s, 0));
	usleep(1000);
	weir_close(s->p.b, fd_of(s, 1));
	stop(s);
	join_to(s, 0);
	s->errors = 0;
}

static void
streams(bool polls, uint64_t share_percent)
{
	static struct scene s;

	scene_open(&s, share_percent, polls);
	const uint64_t until = s.until_us;

	do {
		s.until_us = UINT64_MAX;
		stream_then_close(&s);
		stream_with_shutdown(&s);
		stream_with_close(&s);
	} while (weir_real_us() < until);
	scene_close(&s);
}

static void
many_threads_use_one_connection_polling_workers(void)
{
	streams(true, 25);
}

static void
many_threads_use_one_connection_sleeping_workers(void)
{
	streams(false, 20);
}

/* ---- datagrams ---- */

#define UDP_PORT 2000

/* From ports of its own, so that both of b's workers get some. */
static void *
send_datagrams(void *arg)
{
	struct scene *s = arg;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, UDP_PORT, &ss);
	char buf[600] = "";

	for (unsigned int i = 0; !must_stop(s); i++) {
		const int fd = weir_socket(s->p.a, AF_INET, SOCK_DGRAM, 0);

		for (unsigned int k = 0; k < 20 && fd >= 0; k++)
			weir_sendto(s->p.a, fd, buf, 100 + i % 500, 0, (struct sockaddr *)&ss, len);
		weir_close(s->p.a, fd);
		usleep(50);
	}
	return NULL;
}

/* Takes from whatever socket stands there just now, waiting a little. */
static void *
recv_datagrams(void *arg)
{
	struct scene *s = arg;
	char buf[600];

	while (!must_stop(s)) {
		const ssize_t n = weir_recv(s->p.b, fd_of(s, 0), buf, sizeof(buf), 0);

		count(&s->got, n > 0);
		blame(s, n < 0 && n != -EAGAIN && n != -EBADF);
		if (n == -EBADF)
			usleep(100);
	}
	return NULL;
}

static void *
poll_datagrams(void *arg)
{
	struct scene *s = arg;
	char buf[600];

	while (!must_stop(s)) {
		struct pollfd pfd[2] = {{fd_of(s, 0), POLLIN, 0}, {fd_of(s, 1), POLLIN, 0}};

		if (weir_poll(s->p.b, pfd, 2, 5) <= 0)
			continue;
		for (unsigned int i = 0; i < 2; i++)
			if ((pfd[i].revents & POLLIN) &&
				weir_recv(s->p.b, pfd[i].fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
				count(&s->got, 1);
	}
	return NULL;
}

/* Opens and closes the bound socket under its readers while datagrams come in on both workers. */
static void
datagrams_come_while_sockets_close(void)
{
	static struct scene s;

	scene_open(&s, 15, false);
	set_fd(&s, 0, -1);
	set_fd(&s, 1, -1);
	start(&s, send_datagrams);
	start(&s, send_datagrams);
	start(&s, recv_datagrams);
	start(&s, recv_datagrams);
	start(&s, poll_datagrams);
	while (!must_stop(&s)) {
		const int fd = open_at(s.p.b, 'b', SOCK_DGRAM, UDP_PORT);

		CU_ASSERT(fd >= 0);
		set_time(s.p.b, fd, SO_RCVTIMEO, 2000);
		set_fd(&s, 0, fd);
		set_fd(&s, 1, fd);
		usleep(3000);
		CU_ASSERT_EQUAL(weir_close(s.p.b, fd), 0);
	}
	join_to(&s, 0);
	CU_ASSERT(s.got > 0);
	scene_close(&s);
}

/* ---- storms of connections ---- */

#define STORM_PORT 3000

static void
talk(struct scene *s, int fd, bool is_hasty)
{
	char buf[64] = "hello";

	if (weir_send(s->p.a, fd, buf, sizeof(buf), 0) < 0 || is_hasty)
		return;
	if (weir_recv(s->p.a, fd, buf, sizeof(buf), 0) > 0)
		count(&s->done, 1);
}

/* The listener comes and goes: refused, reset, timed out are all right, waiting for ever is not. */
static void *
storm(void *arg)
{
	struct scene *s = arg;

	for (unsigned int i = 0; !must_stop(s); i++) {
		const int fd = weir_socket(s->p.a, AF_INET, SOCK_STREAM, 0);

		set_time(s->p.a, fd, SO_SNDTIMEO, 20000);
		set_time(s->p.a, fd, SO_RCVTIMEO, 20000);
		if (connect_to(s->p.a, fd, STORM_PORT) == 0)
			talk(s, fd, i % 4 == 0);
		blame(s, weir_close(s->p.a, fd) != 0);
	}
	return NULL;
}

static void
answer(struct scene *s, int fd)
{
	char buf[64];
	ssize_t n;

	set_time(s->p.b, fd, SO_RCVTIMEO, 20000);
	n = weir_recv(s->p.b, fd, buf, sizeof(buf), 0);
	if (n > 0)
		weir_send(s->p.b, fd, buf, (size_t)n, 0);
	blame(s, weir_close(s->p.b, fd) != 0);
}

static void *
accept_storm(void *arg)
{
	struct scene *s = arg;

	while (!must_stop(s)) {
		const int fd = weir_accept(s->p.b, fd_of(s, 0), NULL, NULL, 0);

		if (fd >= 0)
			answer(s, fd);
		else
			usleep(100);
	}
	return NULL;
}

static void
connections_come_while_listeners_close(void)
{
	static struct scene s;

	scene_open(&s, 15, false);
	set_fd(&s, 0, -1);
	for (unsigned int i = 0; i < 3; i++) {
		start(&s, storm);
		start(&s, accept_storm);
	}
	while (!must_stop(&s)) {
		const int fd = open_listener(&s, STORM_PORT);

		CU_ASSERT(fd >= 0);
		set_time(s.p.b, fd, SO_RCVTIMEO, 20000);
		set_fd(&s, 0, fd);
		usleep(10000);
		CU_ASSERT_EQUAL(weir_close(s.p.b, fd), 0);
	}
	join_to(&s, 0);
	CU_ASSERT(s.done > 0);
	scene_close(&s);
}

/* ---- control calls on one descriptor ---- */

static void
control(struct weir_stack *st, int fd, uint32_t what)
{
	struct sockaddr_storage ss;
	socklen_t len = pair_addr('b', AF_INET, 4000, &ss);
	const int on = 1;
	char byte = 0;

	switch (what) {
	case 0:
		pair_addr('a', AF_INET, 0, &ss);
		weir_bind(st, fd, (struct sockaddr *)&ss, len);
		break;
	case 1:
		weir_listen(st, fd, 4);
		break;
	case 2:
		weir_connect(st, fd, (struct sockaddr *)&ss, len);
		break;
	case 3:
		weir_setsockopt(st, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		weir_getsockname(st, fd, (struct sockaddr *)&ss, &len);
		break;
	case 4:
		weir_accept(st, fd, NULL, NULL, 0);
		break;
	case 5:
		weir_sendto(st, fd, &byte, 1, MSG_DONTWAIT, (struct sockaddr *)&ss, len);
		break;
	default:
		weir_shutdown(st, fd, SHUT_RDWR);
		weir_close(st, fd);
	}
}

/* Any call at any time, on a descriptor that another thread may be closing, or may have reused. */
static void *
control_at_random(void *arg)
{
	struct scene *s = arg;
	struct weir_rand r;

	weir_rand_seed(&r, __atomic_fetch_add(&s->n_started, 1, __ATOMIC_RELAXED));
	while (!must_stop(s)) {
		control(s->p.a, fd_of(s, weir_rand_below(&r, 4)), weir_rand_below(&r, 7));
		count(&s->done, 1);
	}
	return NULL;
}

/* Each of the four descriptors is opened anew, again and again, TCP and UDP in turn. */
static void *
reopen(void *arg)
{
	struct scene *s = arg;

	for (unsigned int i = 0; !must_stop(s); i++) {
		const int type = (i / 4) % 2 ? SOCK_STREAM : SOCK_DGRAM;

		weir_close(s->p.a, fd_of(s, i % 4));
		set_fd(s, i % 4, weir_socket(s->p.a, AF_INET, type | SOCK_NONBLOCK, 0));
		usleep(100);
	}
	return NULL;
}

static void
control_calls_and_closes_race(void)
{
	static struct scene s;

	scene_open(&s, 15, false);
	for (unsigned int i = 0; i < 4; i++)
		set_fd(&s, i, -1);
	start(&s, reopen);
	for (unsigned int i = 0; i < 6; i++)
		start(&s, control_at_random);
	join_to(&s, 0);
	for (uint32_t fd = 0; fd < s.p.a->socks.capacity; fd++)
		weir_close(s.p.a, (int)fd);
	CU_ASSERT(s.done > 0);
	scene_close(&s);
}

/* ---- waiting ---- */

/* Nothing ever comes: the time-out ends it, not before its time. */
static void *
wait_in_vain(void *arg)
{
	struct scene *s = arg;
	char byte;

	while (!must_stop(s)) {
		const uint64_t before = weir_real_us();
		const ssize_t n = weir_recv(s->p.b, fd_of(s, 1), &byte, 1, 0);

		blame(s, n != -EAGAIN || weir_real_us() - before < 9000);
		count(&s->done, 1);
	}
	return NULL;
}

/* One byte there and back: a lost wake-up of a worker or a thread shows as a time-out. */
static void *
ping_pong(void *arg)
{
	struct scene *s = arg;
	char byte = 0;

	while (!must_stop(s)) {
		blame(s, weir_send(s->p.a, fd_of(s, 2), &byte, 1, 0) != 1);
		blame(s, weir_recv(s->p.b, fd_of(s, 3), &byte, 1, 0) != 1);
		blame(s, weir_send(s->p.b, fd_of(s, 3), &byte, 1, 0) != 1);
		blame(s, weir_recv(s->p.a, fd_of(s, 2), &byte, 1, 0) != 1);
		count(&s->got, 1);
		usleep((useconds_t)(s->got % 7 * 60)); /* workers fall asleep at 100 us */
	}
	return NULL;
}

static void
time_outs_expire_and_sleepers_wake(void)
{
	static struct scene s;

	scene_open(&s, 10, false);
	open_connection(&s, 5000);
	set_fd(&s, 2, fd_of(&s, 0));
	set_fd(&s, 3, fd_of(&s, 1));
	open_connection(&s, 5001);
	set_time(s.p.b, fd_of(&s, 1), SO_RCVTIMEO, 10000);
	set_time(s.p.a, fd_of(&s, 2), SO_RCVTIMEO, 10000000);
	set_time(s.p.b, fd_of(&s, 3), SO_RCVTIMEO, 10000000);
	start(&s, wait_in_vain);
	start(&s, wait_in_vain);
	start(&s, ping_pong);
	join_to(&s, 0);
	CU_ASSERT(s.done > 0);
	CU_ASSERT(s.got > 0);
	close_both(&s);
	CU_ASSERT_EQUAL(weir_close(s.p.a, fd_of(&s, 2)), 0);
	CU_ASSERT_EQUAL(weir_close(s.p.b, fd_of(&s, 3)), 0);
	scene_close(&s);
}

static void *
recv_for_ever(void *arg)
{
	struct scene *s = arg;
	char byte;

	blame(s, weir_recv(s->p.b, fd_of(s, 1), &byte, 1, 0) != -EAGAIN);
	return NULL;
}

static void *
poll_for_ever(void *arg)
{
	struct scene *s = arg;
	struct pollfd pfd = {fd_of(s, 1), POLLIN, 0};

	blame(s, weir_poll(s->p.b, &pfd, 1, -1) != 0);
	return NULL;
}

/* Control calls need a worker's answer. */
static void *
listen_for_ever(void *arg)
{
	struct scene *s = arg;

	while (!must_stop(s)) {
		const int fd = open_listener(s, 6001);

		blame(s, fd < 0 || weir_close(s->p.b, fd) != 0);
	}
	return NULL;
}

static void
stopping_ends_all_waiting(void)
{
	static struct scene s;

	scene_open(&s, 1000, false);
	open_connection(&s, 6000);
	start(&s, recv_for_ever);
	start(&s, poll_for_ever);
	start(&s, listen_for_ever);
	usleep(10000);
	weir_stack_stop(s.p.b);
	stop(&s);
	join_to(&s, 0);
	CU_ASSERT_EQUAL(s.errors, 0);
	stop_workers(&s);
	pair_close(&s.p);
}

/* ---- a listener that its own callback closes ---- */

#define ONCE_PORT 7000

static void
ignore(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
}

/* arg is the scene: its fd[0] is the listener. */
static void
accept_once(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct scene *s = arg;

	if (ev == WEIR_EV_ACCEPT)
		weir_close(st, fd_of(s, 0)); /* -EBADF from the second on */
	else if (ev == WEIR_EV_PEERCLOSE || ev == WEIR_EV_CLOSE)
		weir_close(st, fd);
}

static int
open_once(struct scene *s)
{
	const struct weir_callbacks cb = {.recv = ignore, .event = accept_once, .arg = s};
	const int fd = open_at(s->p.b, 'b', SOCK_STREAM, ONCE_PORT);

	if (fd < 0)
		return fd;
	CU_ASSERT_EQUAL(weir_set_callbacks(s->p.b, fd, &cb), 0);
	set_fd(s, 0, fd);
	return weir_listen(s->p.b, fd, 8) == 0 ? fd : -1;
}

/* @return whether it came about */
static bool
connect_once(struct scene *s)
{
	const int fd = weir_socket(s->p.a, AF_INET, SOCK_STREAM, 0);
	const int rc = connect_to(s->p.a, fd, ONCE_PORT);

	CU_ASSERT_EQUAL(weir_close(s->p.a, fd), 0);
	return rc == 0;
}

static void
a_listener_closed_in_its_callback_leaves_every_worker(void)
{
	static struct scene s;
	unsigned int tries = 0;

	scene_open(&s, 1000, false);
	for (unsigned int round = 0; round < 5; round++) {
		while (open_once(&s) < 0 && tries++ < 10000)
			usleep(100); /* the port is on its way round the workers */
		CU_ASSERT(connect_once(&s));
		for (unsigned int in_a_row = 0; in_a_row < 8 && tries++ < 10000;)
			in_a_row = connect_once(&s) ? 0 : in_a_row + 1;
	}
	CU_ASSERT(tries < 10000);
	scene_close(&s);
}

/* ---- sends of threads on sockets of callbacks ---- */

#define ROOM_PORT 7100

static uint32_t writables; /* events of the one sender's socket; atomic */

static void
hear(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	if (ev == WEIR_EV_WRITE)
		__atomic_fetch_add(&writables, 1, __ATOMIC_RELEASE);
	else if (ev == WEIR_EV_PEERCLOSE || ev == WEIR_EV_CLOSE)
		weir_close(st, fd);
}

/* @return whether *counter went on from `from` before patience ended */
static bool
comes_after(const uint32_t *counter, uint32_t from)
{
	const uint64_t until_us = weir_real_us() + 10000000;

	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) == from) {
		if (weir_real_us() > until_us)
			return false;
		sched_yield();
	}
	return true;
}

/* Send without waiting; whenever there is no room, the event says when there is. */
static void
send_by_events(struct scene *s, int fd, unsigned int rounds)
{
	static const char data[1000];
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, ROOM_PORT, &ss);

	while (rounds > 0) {
		const uint32_t before = __atomic_load_n(&writables, __ATOMIC_ACQUIRE);
		const ssize_t n = weir_sendto(
			s->p.a, fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&ss, len);

		CU_ASSERT_FATAL(n > 0 || n == -EAGAIN);
		if (n > 0)
			continue;
		rounds--;
		CU_ASSERT_FATAL(comes_after(&writables, before));
	}
}

static void
a_send_without_room_is_told_of_room(int type)
{
	const struct weir_callbacks cb = {.recv = ignore, .event = hear};
	const int sndbuf = 8192;
	static struct scene s;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, ROOM_PORT, &ss);
	int fd, sink;

	scene_open(&s, 1000, false);
	sink = weir_socket(s.p.b, AF_INET, type, 0);
	fd = weir_socket(s.p.a, AF_INET, type, 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(s.p.b, sink, &cb), 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(s.p.a, fd, &cb), 0);
	weir_setsockopt(s.p.a, fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	CU_ASSERT_EQUAL_FATAL(weir_bind(s.p.b, sink, (struct sockaddr *)&ss, len), 0);
	if (type == SOCK_STREAM) {
		CU_ASSERT_EQUAL_FATAL(weir_listen(s.p.b, sink, 8), 0);
		CU_ASSERT_EQUAL_FATAL(weir_connect(s.p.a, fd, (struct sockaddr *)&ss, len), 0);
	}
	send_by_events(&s, fd, 2000);
	CU_ASSERT_EQUAL(weir_close(s.p.a, fd), 0);
	CU_ASSERT_EQUAL(weir_close(s.p.b, sink), 0);
	scene_close(&s);
}

static void
threads_that_send_by_events_miss_none(void)
{
	a_send_without_room_is_told_of_room(SOCK_STREAM);
	a_send_without_room_is_told_of_room(SOCK_DGRAM);
}

/* ---- what threads can be caught at only by chance, step by step ---- */

/* A sender has claimed memory when another thread shuts down: the FIN goes behind its data. */
static void
a_shutdown_waits_for_a_send_under_way(void)
{
	struct rte_mbuf *m;
	struct weir_sock *s;
	struct pair p;
	char buf[8];
	int a, b;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	pair_connect(&p, AF_INET, 80, &a, &b);
	s = weir_fd_get(&p.a->socks, a);
	m = weir_mbuf_alloc(p.a, a);
	memcpy(rte_pktmbuf_append(m, 4), "last", 4);
	CU_ASSERT(weir_sock_reserve(s, weir_mbuf_truesize(m)));
	CU_ASSERT_EQUAL(weir_shutdown(p.a, a, SHUT_WR), 0);
	CU_ASSERT(!weir_sock_reserve(s, 1)); /* one that comes later is refused */
	for (unsigned int i = 0; i < 100; i++)
		pair_step(&p);
	CU_ASSERT_EQUAL(weir_recv(p.b, b, buf, sizeof(buf), 0), -EAGAIN);
	weir_mpsc_push(&s->txq, &weir_pkt(m)->qn);
	weir_sock_ring(s, WEIR_DOOR_SEND);
	weir_sock_unref(s);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_recv(p.b, b, buf, sizeof(buf), 0), 4);
	CU_ASSERT_EQUAL(weir_recv(p.b, b, buf, sizeof(buf), 0), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, a), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, b), 0);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

/* A sender saw no room, and said so only when the last of what it waited for was acknowledged. */
static void
a_wish_that_comes_late_is_told_of_room(void)
{
	const struct weir_callbacks cb = {.recv = ignore, .event = hear};
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	struct weir_sock *s;
	struct pair p;
	int fd, l;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	l = weir_socket(p.b, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.b, l, &cb), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 1), 0);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.a, fd, &cb), 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 1000);
	s = weir_fd_get(&p.a->socks, fd);
	writables = 0;
	weir_poke(s->is_write_wanted, true);
	pair_pass(&p, 1000000);
	CU_ASSERT_EQUAL(writables, 0);
	weir_sock_ring(s, WEIR_DOOR_WRITE);
	weir_sock_unref(s);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(writables, 1);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, l), 0);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

/* Another thread is in the midst of listen: its end is the socket's. */
static void
a_close_is_done_by_the_call_under_way(void)
{
	struct weir_sock *s;
	struct pair p;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	s = weir_fd_get(&p.a->socks, fd);
	CU_ASSERT_EQUAL(weir_ctl_enter(s), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), -EBADF);
	CU_ASSERT_EQUAL(weir_bind_sock(p.a, s, &s->flow.laddr, weir_be16(80)), 0);
	CU_ASSERT_PTR_NOT_NULL(s->bind);
	weir_ctl_leave(p.a, s);
	CU_ASSERT_PTR_NULL(s->bind);
	CU_ASSERT_EQUAL(weir_ctl_enter(s), -EBADF);
	weir_sock_unref(s);
	pair_step(&p);
	CU_ASSERT_EQUAL(p.a->socks.used, 0);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(many_threads_use_one_connection_polling_workers),
		UNIT(many_threads_use_one_connection_sleeping_workers),
		UNIT(datagrams_come_while_sockets_close),
		UNIT(connections_come_while_listeners_close),
		UNIT(control_calls_and_closes_race),
		UNIT(time_outs_expire_and_sleepers_wake),
		UNIT(stopping_ends_all_waiting),
		UNIT(a_listener_closed_in_its_callback_leaves_every_worker),
		UNIT(threads_that_send_by_events_miss_none),
		UNIT(a_shutdown_waits_for_a_send_under_way),
		UNIT(a_wish_that_comes_late_is_told_of_room),
		UNIT(a_close_is_done_by_the_call_under_way),
		{0},
	};

	alarm((unsigned int)(microseconds() / 1000000) + HANG_S);
	return unit_main("api_threads", tests, true);
}
