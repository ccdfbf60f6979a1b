/* SPDX-License-Identifier: BSD-3-Clause */
/* Connecting, disconnecting and shutting down: results, errors and poll masks as on Linux. */
#include "pair.h"

#define OVER (POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLOUT | POLLWRNORM)
#define ALL  (OVER | POLLPRI)

static short
mask(struct weir_stack *st, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = ALL};

	weir_poll(st, &pfd, 1, 0);
	return pfd.revents;
}

static int
error_of(struct weir_stack *st, int fd)
{
	socklen_t len = sizeof(int);
	int error = -1;

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

static int
to_b(struct pair *p, int fd, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);

	return weir_connect(p->a, fd, (struct sockaddr *)&ss, len);
}

static int
to_nobody(struct pair *p, int fd)
{
	const struct sockaddr sa = {.sa_family = AF_UNSPEC};

	return weir_connect(p->a, fd, &sa, sizeof(sa));
}

static int
listening(struct pair *p, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);
	const int l = weir_socket(p->b, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(weir_bind(p->b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p->b, l, 8), 0);
	return l;
}

static void
the_call_after_success_says_0_once(void)
{
	struct pair p;
	int l, fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	l = listening(&p, 80);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(mask(p.a, fd), POLLOUT | POLLWRNORM | POLLHUP);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), -EINPROGRESS);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), -EALREADY);
	CU_ASSERT_EQUAL(mask(p.a, fd), 0);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.a, fd), POLLOUT | POLLWRNORM);
	CU_ASSERT_EQUAL(weir_listen(p.a, fd, 1), -EINVAL);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), 0);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), -EISCONN);
	CU_ASSERT_EQUAL(weir_connect(p.b, l, NULL, 0), -EFAULT);
	weir_close(p.a, fd);
	weir_close(p.b, l);
	pair_close(&p);
}

static void
a_refused_socket_can_try_again(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(to_b(&p, fd, 81), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.a, fd), OVER | POLLERR);
	CU_ASSERT_EQUAL(weir_getpeername(p.a, fd, (struct sockaddr *)&ss, &len), -ENOTCONN);
	CU_ASSERT_EQUAL(to_b(&p, fd, 81), -ECONNREFUSED);
	CU_ASSERT_EQUAL(error_of(p.a, fd), 0);
	CU_ASSERT_EQUAL(mask(p.a, fd), POLLOUT | POLLWRNORM | POLLHUP);
	CU_ASSERT_EQUAL(to_b(&p, fd, 81), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(error_of(p.a, fd), ECONNREFUSED);
	CU_ASSERT_EQUAL(to_b(&p, fd, 81), -ECONNABORTED); /* the error was read already */
	weir_close(p.a, fd);
	pair_close(&p);
}

static void
disconnecting_resets_and_frees_the_socket(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "unread", 6, 0), 6);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(to_nobody(&p, fa), 0);
	CU_ASSERT_EQUAL(mask(p.a, fa), POLLOUT | POLLWRNORM | POLLHUP | POLLERR);
	CU_ASSERT_EQUAL(error_of(p.a, fa), ECONNRESET);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), -ENOTCONN);
	CU_ASSERT_EQUAL(weir_getpeername(p.a, fa, (struct sockaddr *)&ss, &len), -ENOTCONN);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.b, fb), OVER | POLLERR);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "x", 1, 0), -ECONNRESET);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "x", 1, 0), -EPIPE);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 8, 0), 0);
	weir_close(p.b, fb);
	fb = listening(&p, 80);
	CU_ASSERT_EQUAL(to_b(&p, fa, 80), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(to_b(&p, fa, 80), 0);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), -EAGAIN);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
shutdown_of_an_attempt_ends_it(void)
{
	struct pair p;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 4});
	for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
		fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
		CU_ASSERT_EQUAL(to_b(&p, fd, 81), -EINPROGRESS);
		CU_ASSERT_EQUAL(weir_shutdown(p.a, fd, how), 0);
		CU_ASSERT_EQUAL(mask(p.a, fd), POLLOUT | POLLWRNORM | POLLHUP | POLLERR);
		CU_ASSERT_EQUAL(error_of(p.a, fd), ECONNRESET);
		CU_ASSERT_EQUAL(weir_shutdown(p.a, fd, how), -ENOTCONN);
		weir_close(p.a, fd);
	}
	pair_close(&p);
}

static void
shutdown_of_a_listener_stops_it(void)
{
	struct pair p;
	int l, fd;

	pair_open(&p, &(struct pair_conf){.seed = 5, .workers = 2});
	l = listening(&p, 80);
	CU_ASSERT_EQUAL(weir_shutdown(p.b, l, SHUT_WR), 0);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.b, l), POLLIN | POLLRDNORM);
	CU_ASSERT_EQUAL(weir_shutdown(p.b, l, SHUT_RD), 0); /* what nobody accepted is reset */
	CU_ASSERT_EQUAL(weir_accept(p.b, l, NULL, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(mask(p.b, l), POLLOUT | POLLWRNORM | POLLHUP);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), -ECONNRESET);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0); /* it has kept its port */
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(to_b(&p, fd, 80), 0);
	weir_close(p.b, l);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* SHUT_RD is about what read() says at the end; data that comes all the same can be read. */
static void
data_after_shut_rd_can_be_read(void)
{
	struct pair p;
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 6});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fa, SHUT_RD), 0);
	CU_ASSERT_EQUAL(mask(p.a, fa), POLLIN | POLLRDNORM | POLLRDHUP | POLLOUT | POLLWRNORM);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), 0);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "late", 4, 0), 4);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), 4);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), 0);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fa, SHUT_WR), 0);
	CU_ASSERT_EQUAL(mask(p.a, fa), OVER);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "lost", 4, 0), 4); /* both ways shut: reset */
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(error_of(p.b, fb), EPIPE);
	CU_ASSERT_EQUAL(error_of(p.a, fa), ECONNRESET);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* The error of an attempt that nobody has read is no matter of the listener it becomes. */
static void
a_listener_polls_no_error_of_its_past(void)
{
	struct pair p;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 9});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(to_b(&p, fd, 81), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.a, fd) & POLLERR, POLLERR);
	CU_ASSERT_EQUAL(to_nobody(&p, fd), 0);
	CU_ASSERT_EQUAL(weir_listen(p.a, fd, 8), 0);
	CU_ASSERT_EQUAL(mask(p.a, fd), 0);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* The end that was read comes before the error that followed it. */
static void
a_reset_after_the_fin_leaves_the_end(void)
{
	struct pair p;
	const struct linger hard = {.l_onoff = 1};
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 7});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_shutdown(p.b, fb, SHUT_WR), 0);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.a, fa), POLLIN | POLLRDNORM | POLLRDHUP | POLLOUT | POLLWRNORM);
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, fb, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	weir_close(p.b, fb);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.a, fa), OVER | POLLERR);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), 0);
	CU_ASSERT_EQUAL(error_of(p.a, fa), EPIPE);
	CU_ASSERT_EQUAL(to_b(&p, fa, 80), -ECONNABORTED); /* its success was never asked for */
	weir_close(p.a, fa);
	pair_close(&p);
}

static void
reading_nothing_waits_for_something(void)
{
	struct pair p;
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 8});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 0, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "0123456789", 10, 0), 10);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 0, 0), 0);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, NULL, 4, 0), -EFAULT);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, NULL, 4, MSG_TRUNC), 4); /* thrown away */
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, NULL, 100, MSG_TRUNC | MSG_PEEK), 6);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, 0), 6);
	CU_ASSERT(memcmp(buf, "456789", 6) == 0);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, MSG_OOB), -EINVAL);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, 8, MSG_ERRQUEUE), -EAGAIN);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(the_call_after_success_says_0_once),
		UNIT(a_refused_socket_can_try_again),
		UNIT(disconnecting_resets_and_frees_the_socket),
		UNIT(shutdown_of_an_attempt_ends_it),
		UNIT(shutdown_of_a_listener_stops_it),
		UNIT(data_after_shut_rd_can_be_read),
		UNIT(a_listener_polls_no_error_of_its_past),
		UNIT(a_reset_after_the_fin_leaves_the_end),
		UNIT(reading_nothing_waits_for_something),
		{0},
	};

	return unit_main("api_connect", tests, true);
}
