/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous sockets: which message comes when, one rule of weir_async.h after the other. */
#define WEIR_ASYN_SHORT_NAMES
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "pair.h"

static_assert(ASYN_READ == WEIR_ASYN_READ && ASYN_CLOSE == WEIR_ASYN_CLOSE, "short names");

/* a's sockets tell qa, b's qb; a connection between them. */
struct scene {
	struct pair p;
	struct weir_queue *qa, *qb;
	struct weir_msg m; /* the last message that came */
	int fa, fb;
	int listener; /* on b; -1 without */
};

static void
open_stacks(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	pair_open(&s->p, &(struct pair_conf){.seed = 1});
	CU_ASSERT_EQUAL_FATAL(weir_queue_new(s->p.a, &s->qa), 0);
	CU_ASSERT_EQUAL_FATAL(weir_queue_new(s->p.b, &s->qb), 0);
	s->fa = s->fb = s->listener = -1;
}

static void
close_stacks(struct scene *s)
{
	weir_queue_free(s->qa);
	weir_queue_free(s->qb);
	pair_pass(&s->p, 2000);
	pair_close(&s->p);
}

static bool
take(struct scene *s, struct weir_queue *q)
{
	s->m = (struct weir_msg){.fd = -1, .error = -1};
	return weir_queue_get(q, &s->m, 1) == 1;
}

static bool
is_msg(const struct scene *s, int fd, enum weir_asyn event, int error)
{
	return s->m.fd == fd && s->m.event == event && s->m.error == error;
}

#define NEXT(s, q, fd, event, error)                            \
	do {                                                    \
		CU_ASSERT(take((s), (q)));                      \
		CU_ASSERT(is_msg((s), (fd), (event), (error))); \
	} while (0)
#define NO_MORE(s, q) CU_ASSERT(!take((s), (q)))

static int
socket_on(struct weir_stack *st, int type, struct weir_queue *q, void *arg)
{
	const int fd = weir_socket(st, AF_INET, type, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(weir_set_async(st, fd, q, arg), 0);
	return fd;
}

static int
bind_to(struct weir_stack *st, int fd, char who, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, AF_INET, port, &ss);

	return weir_bind(st, fd, (struct sockaddr *)&ss, len);
}

static int
connect_to(struct weir_stack *st, int fd, char who, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, AF_INET, port, &ss);

	return weir_connect(st, fd, (struct sockaddr *)&ss, len);
}

/* Connected, accepted; the messages of it have been taken. */
static void
open_connection(struct scene *s)
{
	open_stacks(s);
	s->listener = socket_on(s->p.b, SOCK_STREAM, s->qb, s);
	CU_ASSERT_EQUAL_FATAL(bind_to(s->p.b, s->listener, 'b', 80), 0);
	CU_ASSERT_EQUAL_FATAL(weir_listen(s->p.b, s->listener, 8), 0);
	s->fa = socket_on(s->p.a, SOCK_STREAM, s->qa, s);
	CU_ASSERT_EQUAL(connect_to(s->p.a, s->fa, 'b', 80), -EINPROGRESS);
	NO_MORE(s, s->qa);
	pair_pass(&s->p, 2000);
	NEXT(s, s->qa, s->fa, ASYN_CONNECT, 0);
	NO_MORE(s, s->qa);
	NEXT(s, s->qb, s->listener, ASYN_ACCEPT, 0);
	CU_ASSERT_EQUAL(s->m.bytes, 1);
	CU_ASSERT_PTR_EQUAL(s->m.arg, s);
	s->fb = weir_accept(s->p.b, s->listener, NULL, NULL, 0);
	CU_ASSERT_FATAL(s->fb >= 0);
	NO_MORE(s, s->qb);
}

static void
close_connection(struct scene *s)
{
	weir_close(s->p.a, s->fa);
	weir_close(s->p.b, s->fb);
	weir_close(s->p.b, s->listener);
	pair_pass(&s->p, 2000000);
	close_stacks(s);
}

static ssize_t
send_a(struct scene *s, const char *text)
{
	const ssize_t n = weir_send(s->p.a, s->fa, text, strlen(text), 0);

	pair_pass(&s->p, 2000);
	return n;
}

static void
read_comes_once_until_a_receive_finds_nothing(void)
{
	struct scene s;
	char buf[8];

	open_connection(&s);
	CU_ASSERT_EQUAL(send_a(&s, "hello"), 5);
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	CU_ASSERT_EQUAL(s.m.bytes, 5);
	CU_ASSERT_PTR_EQUAL(s.m.arg, &s); /* its listener's */
	send_a(&s, "more");
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 8);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 1);
	send_a(&s, "x");
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 1);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -EAGAIN);
	NO_MORE(&s, s.qb);
	send_a(&s, "y");
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	NO_MORE(&s, s.qb);
	close_connection(&s);
}

static void
a_read_nobody_has_taken_goes_with_its_data(void)
{
	struct scene s;
	char buf[8];

	open_connection(&s);
	send_a(&s, "hello");
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 5);
	NO_MORE(&s, s.qb); /* there is nothing to be read */
	send_a(&s, "again");
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 5);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -EAGAIN);
	send_a(&s, "three");
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 5);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -EAGAIN); /* takes the READ back */
	NO_MORE(&s, s.qb);
	send_a(&s, "4");
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	close_connection(&s);
}

static void
read_waits_for_rcvlowat(void)
{
	struct scene s;
	const int lowat = 8;

	open_connection(&s);
	weir_setsockopt(s.p.b, s.fb, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
	send_a(&s, "seven77");
	NO_MORE(&s, s.qb);
	send_a(&s, "8");
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	CU_ASSERT_EQUAL(s.m.bytes, 8);
	close_connection(&s);
}

static void
datagrams_and_their_errors_are_read(void)
{
	struct scene s;
	char buf[8];

	open_stacks(&s);
	s.fa = socket_on(s.p.a, SOCK_DGRAM, s.qa, NULL);
	s.fb = socket_on(s.p.b, SOCK_DGRAM, s.qb, &s);
	CU_ASSERT_EQUAL(bind_to(s.p.b, s.fb, 'b', 53), 0);
	CU_ASSERT_EQUAL(connect_to(s.p.a, s.fa, 'b', 53), 0);
	send_a(&s, "one");
	send_a(&s, "");
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	CU_ASSERT_EQUAL(s.m.bytes, 3);
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 3);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 0);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -EAGAIN);
	weir_close(s.p.b, s.fb);
	NEXT(&s, s.qb, s.fb, ASYN_CLOSE, 0);
	send_a(&s, "nobody");
	NEXT(&s, s.qa, s.fa, ASYN_READ, 0);
	CU_ASSERT_EQUAL(weir_recv(s.p.a, s.fa, buf, 8, 0), -ECONNREFUSED);
	CU_ASSERT_EQUAL(weir_recv(s.p.a, s.fa, buf, 8, 0), -EAGAIN);
	NO_MORE(&s, s.qa);
	weir_close(s.p.a, s.fa);
	close_stacks(&s);
}

/* Until both buffers are full: what the receiver's takes leaves room that is told, too. */
static void
fill(struct scene *s)
{
	static const char buf[20000];

	do {
		while (weir_send(s->p.a, s->fa, buf, sizeof(buf), 0) > 0) {
		}
		pair_pass(&s->p, 100000);
	} while (take(s, s->qa) && is_msg(s, s->fa, ASYN_WRITE, 0));
}

static void
drain(struct scene *s)
{
	char buf[20000];

	for (unsigned int i = 0; i < 2000; i++) {
		while (weir_recv(s->p.b, s->fb, buf, sizeof(buf), 0) > 0) {
		}
		pair_step(&s->p);
	}
}

static void
write_comes_when_a_full_buffer_has_room(void)
{
	struct scene s;

	open_connection(&s);
	fill(&s);
	NO_MORE(&s, s.qa);
	drain(&s);
	NEXT(&s, s.qa, s.fa, ASYN_WRITE, 0);
	CU_ASSERT(s.m.bytes > 0);
	NO_MORE(&s, s.qa);
	CU_ASSERT_EQUAL(send_a(&s, "taken"), 5);
	drain(&s);
	NO_MORE(&s, s.qa); /* all was taken: nothing to tell */
	fill(&s);
	drain(&s);
	NEXT(&s, s.qa, s.fa, ASYN_WRITE, 0);
	close_connection(&s);
}

static void
a_send_before_connect_asks_for_no_write(void)
{
	struct scene s;

	open_connection(&s);
	weir_close(s.p.a, s.fa);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, 0);
	s.fa = socket_on(s.p.a, SOCK_STREAM, s.qa, NULL);
	connect_to(s.p.a, s.fa, 'b', 80);
	CU_ASSERT_EQUAL(weir_send(s.p.a, s.fa, "early", 5, 0), -EAGAIN);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qa, s.fa, ASYN_CONNECT, 0);
	NO_MORE(&s, s.qa);
	close_connection(&s);
}

static void
a_refused_connect_tells_why_and_the_next_begins_anew(void)
{
	struct scene s;

	open_connection(&s);
	weir_close(s.p.a, s.fa);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, 0);
	s.fa = socket_on(s.p.a, SOCK_STREAM, s.qa, NULL);
	CU_ASSERT_EQUAL(connect_to(s.p.a, s.fa, 'b', 81), -EINPROGRESS);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qa, s.fa, ASYN_CONNECT, ECONNREFUSED);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, ECONNREFUSED);
	NO_MORE(&s, s.qa);
	CU_ASSERT_EQUAL(connect_to(s.p.a, s.fa, 'b', 80), -ECONNREFUSED); /* of the attempt */
	CU_ASSERT_EQUAL(connect_to(s.p.a, s.fa, 'b', 80), -EINPROGRESS);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qa, s.fa, ASYN_CONNECT, 0);
	weir_close(s.p.a, s.fa);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, 0);
	NO_MORE(&s, s.qa);
	close_connection(&s);
}

static void
accept_comes_once_until_accept_finds_nothing(void)
{
	struct scene s;
	int fd[3], child[3];

	open_connection(&s);
	for (unsigned int i = 0; i < 3; i++) {
		fd[i] = socket_on(s.p.a, SOCK_STREAM, s.qa, NULL);
		connect_to(s.p.a, fd[i], 'b', 80);
		pair_pass(&s.p, 2000);
		NEXT(&s, s.qa, fd[i], ASYN_CONNECT, 0);
		NO_MORE(&s, s.qb); /* the first accept did not say EAGAIN */
	}
	for (unsigned int i = 0; i < 2; i++)
		child[i] = weir_accept(s.p.b, s.listener, NULL, NULL, 0);
	NO_MORE(&s, s.qb);
	child[2] = weir_accept(s.p.b, s.listener, NULL, NULL, 0);
	CU_ASSERT(child[2] >= 0);
	CU_ASSERT_EQUAL(weir_accept(s.p.b, s.listener, NULL, NULL, 0), -EAGAIN);
	NO_MORE(&s, s.qb);
	weir_close(s.p.a, fd[0]);
	fd[0] = socket_on(s.p.a, SOCK_STREAM, s.qa, NULL);
	connect_to(s.p.a, fd[0], 'b', 80);
	weir_close(s.p.b, child[0]);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qb, child[0], ASYN_CLOSE, 0);
	NEXT(&s, s.qb, s.listener, ASYN_ACCEPT, 0);
	NO_MORE(&s, s.qb);
	for (unsigned int i = 0; i < 3; i++)
		weir_close(s.p.a, fd[i]);
	weir_close(s.p.b, child[1]);
	weir_close(s.p.b, child[2]);
	close_connection(&s);
}

static void
what_came_before_accept_is_told_after_it(void)
{
	struct scene s;
	char buf[8];

	open_connection(&s);
	weir_close(s.p.b, s.fb);
	NEXT(&s, s.qb, s.fb, ASYN_CLOSE, 0);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qa, s.fa, ASYN_PEERCLOSE, 0);
	weir_close(s.p.a, s.fa);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, 0);
	CU_ASSERT_EQUAL(weir_accept(s.p.b, s.listener, NULL, NULL, 0), -EAGAIN);
	s.fa = socket_on(s.p.a, SOCK_STREAM, s.qa, NULL);
	connect_to(s.p.a, s.fa, 'b', 80);
	pair_pass(&s.p, 2000);
	send_a(&s, "early");
	weir_shutdown(s.p.a, s.fa, SHUT_WR);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qb, s.listener, ASYN_ACCEPT, 0);
	s.fb = weir_accept(s.p.b, s.listener, NULL, NULL, 0);
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	NEXT(&s, s.qb, s.fb, ASYN_PEERCLOSE, 0);
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 5);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 0);
	close_connection(&s);
}

static void
peerclose_leaves_the_other_direction_and_close_is_last(void)
{
	struct scene s;
	char buf[8];

	open_connection(&s);
	send_a(&s, "last");
	weir_shutdown(s.p.a, s.fa, SHUT_WR);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	NEXT(&s, s.qb, s.fb, ASYN_PEERCLOSE, 0);
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 4);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 0);
	CU_ASSERT_EQUAL(weir_send(s.p.b, s.fb, "answer", 6, 0), 6);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qa, s.fa, ASYN_READ, 0);
	CU_ASSERT_EQUAL(weir_recv(s.p.a, s.fa, buf, 8, 0), 6);
	weir_shutdown(s.p.b, s.fb, SHUT_WR);
	pair_pass(&s.p, 300000000);
	NEXT(&s, s.qb, s.fb, ASYN_CLOSE, 0);
	NEXT(&s, s.qa, s.fa, ASYN_PEERCLOSE, 0);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, 0);
	weir_close(s.p.a, s.fa);
	weir_close(s.p.b, s.fb);
	NO_MORE(&s, s.qa); /* CLOSE was told */
	NO_MORE(&s, s.qb);
	close_connection(&s);
}

static void
a_reset_is_told_by_close_alone(void)
{
	struct scene s;
	const struct linger at_once = {1, 0};
	char buf[8];

	open_connection(&s);
	send_a(&s, "data");
	weir_setsockopt(s.p.a, s.fa, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	weir_close(s.p.a, s.fa);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, 0);
	pair_pass(&s.p, 2000);
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	NEXT(&s, s.qb, s.fb, ASYN_CLOSE, ECONNRESET);
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 4);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -ECONNRESET);
	NO_MORE(&s, s.qb);
	close_connection(&s);
}

static void
keepalivedown_comes_before_its_close(void)
{
	struct scene s;
	const int on = 1;

	open_connection(&s);
	weir_setsockopt(s.p.a, s.fa, IPPROTO_TCP, TCP_KEEPIDLE, &on, sizeof(on));
	weir_setsockopt(s.p.a, s.fa, IPPROTO_TCP, TCP_KEEPINTVL, &on, sizeof(on));
	weir_setsockopt(s.p.a, s.fa, IPPROTO_TCP, TCP_KEEPCNT, &on, sizeof(on));
	weir_setsockopt(s.p.a, s.fa, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	weir_cable_set(s.p.cable, 0, &(struct weir_impair){.loss_ppm = 1000000});
	pair_pass(&s.p, 10000000);
	NEXT(&s, s.qa, s.fa, ASYN_KEEPALIVEDOWN, ETIMEDOUT);
	NEXT(&s, s.qa, s.fa, ASYN_CLOSE, ETIMEDOUT);
	NO_MORE(&s, s.qa);
	weir_cable_set(s.p.cable, 0, &(struct weir_impair){0});
	close_connection(&s);
}

static void
close_takes_back_all_but_close_and_the_number_is_new(void)
{
	struct scene s;
	struct weir_msg old;
	int fd;

	open_connection(&s);
	send_a(&s, "hello");
	weir_shutdown(s.p.a, s.fa, SHUT_WR);
	pair_pass(&s.p, 2000); /* READ and PEERCLOSE are under way */
	fd = s.fb;
	weir_close(s.p.b, s.fb);
	/* Descriptors are used again in turn: until this one is. */
	while ((s.fb = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0)) != fd)
		weir_close(s.p.b, s.fb);
	CU_ASSERT_EQUAL(weir_set_async(s.p.b, s.fb, s.qb, &fd), 0);
	NEXT(&s, s.qb, fd, ASYN_CLOSE, 0);
	old = s.m;
	CU_ASSERT_PTR_EQUAL(old.arg, &s);
	CU_ASSERT(!weir_msg_is_current(s.qb, &old));
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(bind_to(s.p.b, s.fb, 'b', 53), 0);
	weir_close(s.p.a, s.fa);
	s.fa = weir_socket(s.p.a, AF_INET, SOCK_DGRAM, 0);
	connect_to(s.p.a, s.fa, 'b', 53);
	send_a(&s, "new");
	NEXT(&s, s.qb, fd, ASYN_READ, 0);
	CU_ASSERT(s.m.generation != old.generation);
	CU_ASSERT(weir_msg_is_current(s.qb, &s.m));
	close_connection(&s);
}

/* One socket's messages come in their order however few are taken at once. */
static void
bursts_give_the_same_messages(void)
{
	struct scene s;
	struct weir_msg m[8];

	open_connection(&s);
	send_a(&s, "x");
	weir_close(s.p.a, s.fa);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(weir_send(s.p.b, s.fb, "to nobody", 9, 0), 9);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(weir_queue_get(s.qb, m, 0), 0);
	CU_ASSERT_EQUAL(weir_queue_get(s.qb, m, 2), 2);
	CU_ASSERT_EQUAL(m[0].event, ASYN_READ);
	CU_ASSERT_EQUAL(m[1].event, ASYN_PEERCLOSE);
	CU_ASSERT_EQUAL(weir_queue_wait(s.qb, m, 8, -1), 1); /* never waits when stepped */
	CU_ASSERT_EQUAL(m[0].event, ASYN_CLOSE);
	CU_ASSERT_EQUAL(m[0].error, EPIPE);
	CU_ASSERT_EQUAL(weir_queue_wait(s.qb, m, 8, -1), 0);
	close_connection(&s);
}

static bool
is_fd_readable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) == 1;
}

static void
the_eventfd_is_readable_while_messages_wait(void)
{
	struct scene s;
	int efd;
	char buf[8];

	open_connection(&s);
	send_a(&s, "hello");
	efd = weir_queue_fd(s.qb); /* something waits already */
	CU_ASSERT(efd >= 0 && weir_queue_fd(s.qb) == efd);
	CU_ASSERT(is_fd_readable(efd));
	NEXT(&s, s.qb, s.fb, ASYN_READ, 0);
	NO_MORE(&s, s.qb);
	CU_ASSERT(!is_fd_readable(efd));
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 5);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -EAGAIN);
	CU_ASSERT(!is_fd_readable(efd));
	send_a(&s, "again");
	CU_ASSERT(is_fd_readable(efd));
	weir_close(s.p.b, s.fb);
	NEXT(&s, s.qb, s.fb, ASYN_CLOSE, 0);
	CU_ASSERT(is_fd_readable(efd)); /* nobody has seen that it is the last */
	NO_MORE(&s, s.qb);
	CU_ASSERT(!is_fd_readable(efd));
	close_connection(&s);
}

static void
a_socket_may_become_asynchronous_late_and_cease_to_be(void)
{
	const struct weir_callbacks cb = {.recv = (weir_recv_fn)(uintptr_t)1};
	struct scene s;
	struct weir_queue *other;
	int fa, fb;

	open_stacks(&s);
	pair_connect(&s.p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(s.p.a, fa, "early", 5, 0), 5);
	weir_close(s.p.a, fa);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(weir_set_async(s.p.b, fb, s.qa, NULL), -EINVAL); /* of another stack */
	CU_ASSERT_EQUAL(weir_set_async(s.p.b, fb, s.qb, NULL), 0);
	NEXT(&s, s.qb, fb, ASYN_READ, 0);
	CU_ASSERT_EQUAL(weir_set_async(s.p.b, fb, NULL, NULL), 0);
	NO_MORE(&s, s.qb);
	CU_ASSERT_EQUAL(weir_queue_new(s.p.b, &other), 0);
	CU_ASSERT_EQUAL(weir_set_async(s.p.b, fb, other, NULL), -EBUSY);
	weir_queue_free(other);
	CU_ASSERT_EQUAL(weir_set_async(s.p.b, fb, s.qb, NULL), 0);
	NEXT(&s, s.qb, fb, ASYN_READ, 0);
	NEXT(&s, s.qb, fb, ASYN_PEERCLOSE, 0);
	weir_set_async(s.p.b, fb, NULL, NULL);
	weir_close(s.p.b, fb);
	NO_MORE(&s, s.qb);
	fa = weir_socket(s.p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(s.p.a, fa, &cb), 0);
	CU_ASSERT_EQUAL(weir_set_async(s.p.a, fa, s.qa, NULL), -EINVAL);
	CU_ASSERT_EQUAL(weir_set_callbacks(s.p.a, fa, NULL), 0);
	CU_ASSERT_EQUAL(weir_set_async(s.p.a, fa, s.qa, NULL), 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(s.p.a, fa, &cb), -EINVAL);
	CU_ASSERT_EQUAL(weir_set_async(s.p.a, 1000, s.qa, NULL), -EBADF);
	weir_close(s.p.a, fa);
	close_stacks(&s);
}

static void
a_queue_may_go_before_its_sockets(void)
{
	struct scene s;
	char buf[8];

	open_connection(&s);
	send_a(&s, "hello");
	weir_queue_free(s.qb); /* with a READ in it */
	s.qb = NULL;
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 5);
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), -EAGAIN);
	send_a(&s, "more");
	CU_ASSERT_EQUAL(weir_recv(s.p.b, s.fb, buf, 8, 0), 4);
	close_connection(&s);
}

static void
one_queue_serves_a_thousand_sockets(void)
{
	struct scene s;
	struct weir_msg m[100];
	int fd[1000];
	unsigned int n, got = 0;

	open_stacks(&s);
	s.fa = weir_socket(s.p.a, AF_INET, SOCK_DGRAM, 0);
	for (unsigned int i = 0; i < 1000; i++) {
		struct sockaddr_storage to;
		const socklen_t len = pair_addr('b', AF_INET, (uint16_t)(1000 + i), &to);

		fd[i] = socket_on(s.p.b, SOCK_DGRAM, s.qb, &fd[i]);
		CU_ASSERT_EQUAL(bind_to(s.p.b, fd[i], 'b', (uint16_t)(1000 + i)), 0);
		weir_sendto(s.p.a, s.fa, "x", 1, 0, (struct sockaddr *)&to, len);
		pair_step(&s.p);
	}
	pair_pass(&s.p, 2000);
	while ((n = weir_queue_get(s.qb, m, 100)) > 0)
		for (unsigned int i = 0; i < n; i++, got++) {
			CU_ASSERT_EQUAL(m[i].event, ASYN_READ);
			CU_ASSERT_EQUAL(m[i].fd, fd[got]); /* in the order of their datagrams */
			CU_ASSERT_PTR_EQUAL(m[i].arg, &fd[got]);
		}
	CU_ASSERT_EQUAL(got, 1000);
	for (unsigned int i = 0; i < 1000; i++)
		weir_close(s.p.b, fd[i]);
	weir_close(s.p.a, s.fa);
	close_stacks(&s);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(read_comes_once_until_a_receive_finds_nothing),
		UNIT(a_read_nobody_has_taken_goes_with_its_data),
		UNIT(read_waits_for_rcvlowat),
		UNIT(datagrams_and_their_errors_are_read),
		UNIT(write_comes_when_a_full_buffer_has_room),
		UNIT(a_send_before_connect_asks_for_no_write),
		UNIT(a_refused_connect_tells_why_and_the_next_begins_anew),
		UNIT(accept_comes_once_until_accept_finds_nothing),
		UNIT(what_came_before_accept_is_told_after_it),
		UNIT(peerclose_leaves_the_other_direction_and_close_is_last),
		UNIT(a_reset_is_told_by_close_alone),
		UNIT(keepalivedown_comes_before_its_close),
		UNIT(close_takes_back_all_but_close_and_the_number_is_new),
		UNIT(bursts_give_the_same_messages),
		UNIT(the_eventfd_is_readable_while_messages_wait),
		UNIT(a_socket_may_become_asynchronous_late_and_cease_to_be),
		UNIT(a_queue_may_go_before_its_sockets),
		UNIT(one_queue_serves_a_thousand_sockets),
		{0},
	};

	return unit_main("api_async", tests, true);
}
