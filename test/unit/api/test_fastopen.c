/* SPDX-License-Identifier: BSD-3-Clause */
/* MSG_FASTOPEN and TCP_FASTOPEN_CONNECT between two stacks: results and errors as on Linux. */
#include <netinet/tcp.h>

#include "pair.h"

static struct pair p;
static int listener;

static void
set(struct weir_stack *st, int fd, int name, int value, int want)
{
	CU_ASSERT_EQUAL(weir_setsockopt(st, fd, IPPROTO_TCP, name, &value, sizeof(value)), want);
}

static void
begin(void)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);

	pair_open(&p, &(struct pair_conf){.seed = 1, .fastopen = 3});
	listener = weir_socket(p.b, AF_INET, SOCK_STREAM, 0);
	set(p.b, listener, TCP_FASTOPEN, 5, 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, listener, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, listener, 8), 0);
}

static void
end(void)
{
	weir_close(p.b, listener);
	pair_close(&p);
}

static ssize_t
open_with(int fd, const char *data)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);

	return weir_sendto(p.a, fd, data, strlen(data), MSG_FASTOPEN, (struct sockaddr *)&ss, len);
}

static int
connect_to(int fd)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);

	return weir_connect(p.a, fd, (struct sockaddr *)&ss, len);
}

static void
accept_and_read(const char *want)
{
	char got[64] = "";
	const int fd = weir_accept(p.b, listener, NULL, NULL, SOCK_NONBLOCK);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, fd, got, sizeof(got), 0),
		want[0] == '\0' ? -EAGAIN : (ssize_t)strlen(want));
	CU_ASSERT_STRING_EQUAL(got, want);
	weir_close(p.b, fd);
}

static void
learn(void)
{
	const int fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(open_with(fd, "lost"), -EINPROGRESS); /* a cookie is asked for */
	CU_ASSERT_EQUAL(open_with(fd, "again"), -EALREADY);
	pair_pass(&p, 10000);
	accept_and_read("");
	weir_close(p.a, fd);
	pair_pass(&p, 10000);
}

static uint8_t
info_options(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_options;
}

static void
data_goes_with_the_syn_once_a_cookie_is_known(void)
{
	int fd;

	begin();
	learn();
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(open_with(fd, "hello"), 5);
	CU_ASSERT_EQUAL(open_with(fd, "again"), -EALREADY);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "more", 4, 0), -EAGAIN);
	pair_pass(&p, 10000);
	accept_and_read("hello");
	CU_ASSERT(info_options(fd) & TCPI_OPT_SYN_DATA);
	weir_close(p.a, fd);
	end();
}

static void
connected_socket_refuses(void)
{
	int a, b;

	begin();
	pair_connect(&p, AF_INET, 81, &a, &b);
	CU_ASSERT_EQUAL(connect_to(a), 0);
	CU_ASSERT_EQUAL(open_with(a, "x"), -EISCONN);
	weir_close(p.a, a);
	weir_close(p.b, b);
	end();
}

static void
what_cannot_be_is_said(void)
{
	const struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	int fd;

	begin();
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "x", 1, MSG_FASTOPEN, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(
		weir_sendto(p.a, fd, "x", 1, MSG_FASTOPEN, &unspec, sizeof(unspec)), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(open_with(listener + 100, "x"), -EBADF);
	set(p.a, fd, TCP_FASTOPEN_CONNECT, 2, -EINVAL);
	set(p.a, fd, TCP_FASTOPEN_NO_COOKIE, -1, -EINVAL);
	weir_close(p.a, fd);
	p.a->conf.tcp.fastopen = 2;
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(open_with(fd, "x"), -EOPNOTSUPP);
	set(p.a, fd, TCP_FASTOPEN_CONNECT, 1, -EOPNOTSUPP);
	weir_close(p.a, fd);
	end();
}

static short
mask(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT};

	weir_poll(p.a, &pfd, 1, 0);
	return pfd.revents;
}

static void
deferred_connect_is_made_by_the_first_write(void)
{
	int fd;

	begin();
	learn();
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	set(p.a, fd, TCP_FASTOPEN_CONNECT, 1, 0);
	CU_ASSERT_EQUAL(connect_to(fd), 0);
	CU_ASSERT_EQUAL(connect_to(fd), -EISCONN);
	CU_ASSERT_EQUAL(mask(fd), POLLOUT);
	pair_pass(&p, 3000000);
	CU_ASSERT_EQUAL(weir_accept(p.b, listener, NULL, NULL, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "late", 4, 0), 4);
	pair_pass(&p, 10000);
	accept_and_read("late");
	weir_close(p.a, fd);
	end();
}

/* Without a cookie, connect asks for one; and who never writes leaves no trace. */
static void
deferred_connect_without_a_cookie_is_a_connect(void)
{
	int fd;

	begin();
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	set(p.a, fd, TCP_FASTOPEN_CONNECT, 1, 0);
	CU_ASSERT_EQUAL(connect_to(fd), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(fd), POLLOUT);
	weir_close(p.a, fd);
	pair_pass(&p, 10000);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	set(p.a, fd, TCP_FASTOPEN_CONNECT, 1, 0);
	CU_ASSERT_EQUAL(connect_to(fd), 0);
	weir_close(p.a, fd);
	end();
}

static void
refused_data_is_an_error_of_the_socket(void)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 99, &ss);
	char byte;
	int fd;

	begin();
	learn();
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&ss, len), 1);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fd, &byte, 1, 0), -ECONNREFUSED);
	weir_close(p.a, fd);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(data_goes_with_the_syn_once_a_cookie_is_known),
		UNIT(connected_socket_refuses),
		UNIT(what_cannot_be_is_said),
		UNIT(deferred_connect_is_made_by_the_first_write),
		UNIT(deferred_connect_without_a_cookie_is_a_connect),
		UNIT(refused_data_is_an_error_of_the_socket),
		{NULL, NULL},
	};

	return unit_main("fastopen", tests, true);
}
