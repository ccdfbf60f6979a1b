/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls that are wrong: bad descriptors, NULL, wrong states. Errors as Linux gives them. */
#include <netinet/tcp.h>

#include "pair.h"

static void
bad_descriptors_are_ebadf(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	struct sockaddr *sa = (struct sockaddr *)&ss;
	const int bad[] = {-1, 5, 1023, 1024, INT32_MAX, INT32_MIN};
	char buf[4];
	int v = 0;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	for (unsigned int i = 0; i < RTE_DIM(bad); i++) {
		CU_ASSERT_EQUAL(weir_bind(p.a, bad[i], sa, len), -EBADF);
		CU_ASSERT_EQUAL(weir_listen(p.a, bad[i], 1), -EBADF);
		CU_ASSERT_EQUAL(weir_accept(p.a, bad[i], NULL, NULL, 0), -EBADF);
		CU_ASSERT_EQUAL(weir_connect(p.a, bad[i], sa, len), -EBADF);
		CU_ASSERT_EQUAL(weir_send(p.a, bad[i], buf, 1, 0), -EBADF);
		CU_ASSERT_EQUAL(weir_recv(p.a, bad[i], buf, 1, 0), -EBADF);
		CU_ASSERT_EQUAL(weir_shutdown(p.a, bad[i], SHUT_WR), -EBADF);
		CU_ASSERT_EQUAL(weir_close(p.a, bad[i]), -EBADF);
		CU_ASSERT_EQUAL(weir_getsockname(p.a, bad[i], sa, &len), -EBADF);
		CU_ASSERT_EQUAL(
			weir_setsockopt(p.a, bad[i], SOL_SOCKET, SO_KEEPALIVE, &v, 4), -EBADF);
		CU_ASSERT_EQUAL(weir_set_callbacks(p.a, bad[i], NULL), -EBADF);
		CU_ASSERT_EQUAL(weir_send_mbuf(p.a, bad[i], NULL, NULL, 0), -EBADF);
	}
	CU_ASSERT_EQUAL(weir_socket(NULL, AF_INET, SOCK_STREAM, 0), -EFAULT);
	pair_close(&p);
}

static void
null_where_an_object_is_needed_is_efault(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, NULL, 16), -EFAULT);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, NULL, 10, 0, (struct sockaddr *)&ss, len), -EFAULT);
	CU_ASSERT_EQUAL(weir_recv(p.a, fd, NULL, 10, 0), -EAGAIN); /* nothing to copy there */
	CU_ASSERT_EQUAL(weir_sendmsg(p.a, fd, NULL, 0), -EFAULT);
	CU_ASSERT_EQUAL(weir_recvmsg(p.a, fd, NULL, 0), -EFAULT);
	CU_ASSERT_EQUAL(weir_getsockname(p.a, fd, NULL, NULL), -EFAULT);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, SOL_SOCKET, SO_ERROR, NULL, NULL), -EFAULT);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, SOL_SOCKET, SO_RCVBUF, NULL, 4), -EFAULT);
	CU_ASSERT_EQUAL(weir_send_mbuf(p.a, fd, NULL, NULL, 0), -EFAULT);
	CU_ASSERT_EQUAL(weir_poll(p.a, NULL, 1, 0), -EFAULT);
	weir_close(p.a, fd);
	pair_close(&p);
}

static void
wrong_states_have_their_errors(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('a', AF_INET, 80, &ss);
	struct sockaddr *sa = (struct sockaddr *)&ss;
	struct pollfd pfd = {.events = POLLIN | POLLOUT};
	char buf[4];
	int tcp, udp, other;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	tcp = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	udp = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	other = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_accept(p.a, tcp, NULL, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_accept(p.a, udp, NULL, NULL, 0), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(weir_listen(p.a, udp, 1), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, tcp, SHUT_WR), -ENOTCONN);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, tcp, 7), -EINVAL);
	CU_ASSERT_EQUAL(weir_send(p.a, tcp, "x", 1, 0), -EPIPE);
	CU_ASSERT_EQUAL(weir_recv(p.a, tcp, buf, 1, 0), -ENOTCONN);
	CU_ASSERT_EQUAL(weir_send(p.a, udp, "x", 1, 0), -EDESTADDRREQ);
	pfd.fd = tcp;
	CU_ASSERT_EQUAL(weir_poll(p.a, &pfd, 1, 0), 1);
	CU_ASSERT_EQUAL(pfd.revents, POLLOUT | POLLHUP);
	CU_ASSERT_EQUAL(weir_bind(p.a, tcp, sa, len), 0);
	CU_ASSERT_EQUAL(weir_bind(p.a, tcp, sa, len), -EINVAL);
	CU_ASSERT_EQUAL(weir_bind(p.a, other, sa, len), -EADDRINUSE);
	CU_ASSERT_EQUAL(weir_bind(p.a, udp, sa, len), -EINVAL); /* the send has bound it */
	weir_close(p.a, udp);
	udp = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(weir_bind(p.a, udp, sa, len), 0); /* another protocol */
	CU_ASSERT_EQUAL(weir_listen(p.a, tcp, 1), 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, tcp, sa, len), -EISCONN);
	CU_ASSERT_EQUAL(weir_accept(p.a, tcp, NULL, NULL, 0), -EAGAIN);
	pair_addr('b', AF_INET, 80, &ss); /* not an address of a */
	CU_ASSERT_EQUAL(weir_bind(p.a, other, sa, len), -EADDRNOTAVAIL);
	weir_close(p.a, tcp);
	pair_addr('a', AF_INET, 80, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.a, other, sa, len), 0);
	weir_close(p.a, udp);
	weir_close(p.a, other);
	pair_close(&p);
}

static void
families_and_lengths_are_checked(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	socklen_t len = pair_addr('a', AF_INET6, 80, &ss);
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_UNIX, SOCK_STREAM, 0), -EAFNOSUPPORT);
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_INET, SOCK_RAW, 0), -EPROTONOSUPPORT);
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_INET, 99, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_INET, SOCK_STREAM, 263), -EINVAL);
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_INET, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, (struct sockaddr *)&ss, len), -EAFNOSUPPORT);
	len = pair_addr('a', AF_INET, 80, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, (struct sockaddr *)&ss, len - 1), -EINVAL);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, (struct sockaddr *)&ss, 1), -EINVAL);
	weir_close(p.a, fd);
	pair_close(&p);
}

static void
options_have_their_effect_or_do_not_exist(void)
{
	struct pair p;
	int tcp, udp, v = 1, got = 0;
	socklen_t len = sizeof(got);

	pair_open(&p, &(struct pair_conf){.seed = 1});
	tcp = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	udp = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, tcp, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)), 0);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, tcp, IPPROTO_TCP, TCP_NODELAY, &got, &len), 0);
	CU_ASSERT_EQUAL(got, 1);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, tcp, IPPROTO_TCP, TCP_NODELAY, &v, 3), -EINVAL);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, udp, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, tcp, IPPROTO_IPV6, IPV6_V6ONLY, &v, sizeof(v)), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, tcp, SOL_SOCKET, SO_BINDTODEVICE, &v, sizeof(v)), -ENODEV);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, tcp, SOL_SOCKET, SO_ERROR, &v, sizeof(v)), -ENOPROTOOPT);
	v = 100000;
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, tcp, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v)), 0);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, tcp, SOL_SOCKET, SO_RCVBUF, &got, &len), 0);
	CU_ASSERT_EQUAL(got, 200000);
	v = 256;
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, tcp, IPPROTO_IP, IP_TTL, &v, sizeof(v)), -EINVAL);
	weir_close(p.a, tcp);
	weir_close(p.a, udp);
	pair_close(&p);
}

static void
descriptors_run_out_and_come_back(void)
{
	struct pair p;
	int fds[40], n = 0, fd;

	pair_open(&p, &(struct pair_conf){.seed = 1, .sockets = 32});
	while (n < 40 && (fd = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0)) >= 0)
		fds[n++] = fd;
	CU_ASSERT(n >= 31 && n <= 32);
	CU_ASSERT(fd == -ENFILE || fd == -EMFILE);
	weir_close(p.a, fds[0]);
	fds[0] = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT(fds[0] >= 0);
	while (n > 0)
		CU_ASSERT_EQUAL(weir_close(p.a, fds[--n]), 0);
	CU_ASSERT_EQUAL(p.a->socks.used, 0);
	pair_close(&p);
}

/* The pool dry: ENOBUFS, counted, and all goes on once there are mbufs again. */
static void
a_dry_pool_is_survived(void)
{
	static struct rte_mbuf *hoard[16384];
	struct pair p;
	unsigned int n = 0;
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 9});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	while (n < RTE_DIM(hoard) && (hoard[n] = rte_pktmbuf_alloc(p.a->pools[0])) != NULL)
		n++;
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), -ENOBUFS);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "to a", 4, 0), 4);
	pair_pass(&p, 1000000);
	while (n > 0)
		rte_pktmbuf_free(hoard[--n]);
	pair_pass(&p, 3000000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 4);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	pair_pass(&p, 1000000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), 1);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_pass(&p, 100000);
	pair_close(&p);
}

/* Applications that queue all they can leave TCP the mbufs to send it with. */
static void
queued_sends_leave_mbufs_to_send_with(void)
{
	static char big[65536], buf[65536];
	enum { CONNS = 8 };
	int fa[CONNS], fb[CONNS], size = 4 << 20;
	size_t sent = 0, got = 0;
	struct pair p;
	ssize_t n;

	pair_open(&p, &(struct pair_conf){.seed = 10, .mbufs = 2048});
	for (unsigned int i = 0; i < CONNS; i++) {
		pair_connect(&p, AF_INET, (uint16_t)(80 + i), &fa[i], &fb[i]);
		CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa[i], SOL_SOCKET, SO_SNDBUF, &size, 4), 0);
	}
	for (unsigned int i = 0; i < CONNS; i++)
		while ((n = weir_send(p.a, fa[i], big, sizeof(big), 0)) > 0)
			sent += (size_t)n;
	CU_ASSERT_EQUAL(n, -ENOBUFS);
	CU_ASSERT(p.a->socks.send_no_mbuf > 0);
	for (unsigned int step = 0; step < 100000 && got < sent; step++) {
		for (unsigned int i = 0; i < CONNS; i++)
			if ((n = weir_recv(p.b, fb[i], buf, sizeof(buf), 0)) > 0)
				got += (size_t)n;
		pair_step(&p);
	}
	CU_ASSERT_EQUAL(got, sent);
	for (unsigned int i = 0; i < CONNS; i++) {
		weir_close(p.a, fa[i]);
		weir_close(p.b, fb[i]);
	}
	pair_pass(&p, 100000);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(bad_descriptors_are_ebadf),
		UNIT(null_where_an_object_is_needed_is_efault),
		UNIT(wrong_states_have_their_errors),
		UNIT(families_and_lengths_are_checked),
		UNIT(options_have_their_effect_or_do_not_exist),
		UNIT(descriptors_run_out_and_come_back),
		UNIT(a_dry_pool_is_survived),
		UNIT(queued_sends_leave_mbufs_to_send_with),
		{0},
	};

	return unit_main("api_calls", tests, true);
}
