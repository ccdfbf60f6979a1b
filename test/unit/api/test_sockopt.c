/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket options: lengths, limits, errors and effects as on Linux. */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "pair.h"

#ifndef TCP_CM_INQ
#define TCP_CM_INQ TCP_INQ
#endif

static int
set_int(struct weir_stack *st, int fd, int level, int name, int v)
{
	return weir_setsockopt(st, fd, level, name, &v, sizeof(v));
}

static int
get_int(struct weir_stack *st, int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = INT32_MIN;
	const int rc = weir_getsockopt(st, fd, level, name, &v, &len);

	CU_ASSERT(rc != 0 || len == sizeof(v));
	return rc != 0 ? rc : v;
}

struct row {
	int level, name;
	int first; /* what a new socket says */
	int set, got;
	int bad, error; /* what it refuses; error 0: nothing */
};

static void
check_rows(struct weir_stack *st, int domain, int type, const struct row *rows, unsigned int n)
{
	const int fd = weir_socket(st, domain, type, 0);

	for (unsigned int i = 0; i < n; i++) {
		const struct row *r = &rows[i];

		CU_ASSERT_EQUAL(get_int(st, fd, r->level, r->name), r->first);
		if (r->error != 0)
			CU_ASSERT_EQUAL(set_int(st, fd, r->level, r->name, r->bad), -r->error);
		CU_ASSERT_EQUAL(get_int(st, fd, r->level, r->name), r->first);
		CU_ASSERT_EQUAL(set_int(st, fd, r->level, r->name, r->set), 0);
		CU_ASSERT_EQUAL(get_int(st, fd, r->level, r->name), r->got);
	}
	CU_ASSERT_EQUAL(weir_close(st, fd), 0);
}

static void
values_have_linuxs_limits(void)
{
	static const struct row tcp[] = {
		{SOL_SOCKET, SO_REUSEADDR, 0, 7, 1, 0, 0},
		{SOL_SOCKET, SO_REUSEPORT, 0, 1, 1, 0, 0},
		{SOL_SOCKET, SO_BROADCAST, 0, 1, 1, 0, 0},
		{SOL_SOCKET, SO_OOBINLINE, 0, 1, 1, 0, 0},
		{SOL_SOCKET, SO_KEEPALIVE, 0, 1, 1, 0, 0},
		{SOL_SOCKET, SO_RCVLOWAT, 1, 0, 1, 0, 0},
		{SOL_SOCKET, SO_PRIORITY, 0, 6, 6, 7, EPERM},
		{SOL_SOCKET, SO_PEEK_OFF, -1, 5, 5, -2, EINVAL},
		{SOL_SOCKET, SO_ZEROCOPY, 0, 1, 1, 2, EINVAL},
		{IPPROTO_IP, IP_TTL, 64, 255, 255, 256, EINVAL},
		{IPPROTO_IP, IP_TOS, 0, 0x13, 0x10, 0, 0},
		{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT, IP_PMTUDISC_DO, IP_PMTUDISC_DO, 6,
			EINVAL},
		{IPPROTO_IP, IP_FREEBIND, 0, 1, 1, 0, 0},
		{IPPROTO_TCP, TCP_NODELAY, 0, 9, 1, 0, 0},
		{IPPROTO_TCP, TCP_CORK, 0, 1, 1, 0, 0},
		{IPPROTO_TCP, TCP_MAXSEG, 536, 1000, 1000, 87, EINVAL},
		{IPPROTO_TCP, TCP_KEEPIDLE, 7200, 32767, 32767, 32768, EINVAL},
		{IPPROTO_TCP, TCP_KEEPINTVL, 75, 1, 1, 0, EINVAL},
		{IPPROTO_TCP, TCP_KEEPCNT, 9, 127, 127, 128, EINVAL},
		{IPPROTO_TCP, TCP_SYNCNT, 6, 1, 1, 128, EINVAL},
		{IPPROTO_TCP, TCP_LINGER2, 60, 10000, 120, 0, 0},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 5000, 5000, -1, EINVAL},
		{IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, 10, 1152, -1, EINVAL},
		{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0, 4096, 4096, 0, 0},
		{IPPROTO_TCP, TCP_INQ, 0, 1, 1, 2, EINVAL},
	};
	static const struct row udp6[] = {
		{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, 3, 3, 256, EINVAL},
		{IPPROTO_IPV6, IPV6_TCLASS, 0, 255, 255, 256, EINVAL},
		{IPPROTO_IPV6, IPV6_V6ONLY, 0, 1, 1, 0, 0},
		{IPPROTO_IPV6, IPV6_RECVPKTINFO, 0, 1, 1, 0, 0},
		{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 0, 1, 1, 0, 0},
		{SOL_SOCKET, SO_TIMESTAMP, 0, 1, 1, 0, 0},
	};
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	check_rows(p.a, AF_INET, SOCK_STREAM, tcp, RTE_DIM(tcp));
	check_rows(p.a, AF_INET6, SOCK_DGRAM, udp6, RTE_DIM(udp6));
	pair_close(&p);
}

static void
lengths_are_linuxs(void)
{
	const int unknown[] = {SO_PASSCRED, SO_ATTACH_FILTER, SO_TYPE, 9999};
	struct pair p;
	socklen_t len;
	uint8_t bytes[8] = {33, 0, 0, 0, 0xee};
	int fd[2], v = 1;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	fd[0] = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	fd[1] = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd[0], IPPROTO_IP, IP_TTL, bytes, 1), 0);
	CU_ASSERT_EQUAL(get_int(p.a, fd[0], IPPROTO_IP, IP_TTL), 33);
	bytes[0] = 0;
	len = 1;
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd[0], IPPROTO_IP, IP_TTL, bytes, &len), 0);
	CU_ASSERT(len == 1 && bytes[0] == 33);
	len = 2;
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd[0], SOL_SOCKET, SO_TYPE, bytes, &len), 0);
	CU_ASSERT(len == 2 && bytes[0] == SOCK_STREAM);
	len = (socklen_t)-1;
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd[0], SOL_SOCKET, SO_TYPE, bytes, &len), -EINVAL);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd[0], IPPROTO_TCP, TCP_NODELAY, &v, (socklen_t)-4), -EINVAL);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd[0], SOL_SOCKET, SO_LINGER, &v, 4), -EINVAL);
	for (unsigned int i = 0; i < RTE_DIM(unknown); i++)
		CU_ASSERT_EQUAL(set_int(p.a, fd[0], SOL_SOCKET, unknown[i], 1), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(set_int(p.a, fd[0], 12345, 1, 1), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(get_int(p.a, fd[1], IPPROTO_TCP, TCP_NODELAY), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(get_int(p.a, fd[1], IPPROTO_IPV6, IPV6_TCLASS), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(get_int(p.a, fd[0], IPPROTO_IP, IP_MTU), -ENOTCONN);
	CU_ASSERT_EQUAL(get_int(p.a, fd[0], SOL_SOCKET, SO_SNDLOWAT), 1);
	weir_close(p.a, fd[0]);
	weir_close(p.a, fd[1]);
	pair_close(&p);
}

static void
tcp_info_tells_of_the_connection(void)
{
	struct pair p;
	struct tcp_info i;
	socklen_t len = sizeof(i);
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "0123456789", 10, 0), 10);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fa, IPPROTO_TCP, TCP_INFO, &i, &len), 0);
	CU_ASSERT_EQUAL(len, sizeof(i));
	CU_ASSERT_EQUAL(i.tcpi_state, 1);
	CU_ASSERT_EQUAL(i.tcpi_bytes_acked, 11);
	CU_ASSERT_EQUAL(i.tcpi_unacked, 0);
	CU_ASSERT_EQUAL(i.tcpi_pmtu, 1500);
	CU_ASSERT_EQUAL(i.tcpi_advmss, 1460);
	CU_ASSERT(i.tcpi_snd_cwnd >= 10);
	CU_ASSERT(i.tcpi_last_data_sent >= 99);
	CU_ASSERT(i.tcpi_options & TCPI_OPT_WSCALE);
	CU_ASSERT_EQUAL(get_int(p.a, fa, IPPROTO_IP, IP_MTU), 1500);
	CU_ASSERT_EQUAL(get_int(p.a, fa, IPPROTO_TCP, TCP_MAXSEG), (int)i.tcpi_snd_mss);
	len = 1;
	CU_ASSERT_EQUAL(weir_getsockopt(p.b, fb, IPPROTO_TCP, TCP_INFO, &i, &len), 0);
	CU_ASSERT_EQUAL(len, 1);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
counts_go_with_what_was_sent(void)
{
	struct pair p;
	struct tcp_info i, k;
	uint32_t mem[9];
	char buf[16];
	socklen_t len = sizeof(i);
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 4});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "0123456789", 10, 0), 10);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fa, IPPROTO_TCP, TCP_INFO, &i, &len), 0);
	CU_ASSERT_EQUAL(weir_getsockopt(p.b, fb, IPPROTO_TCP, TCP_INFO, &k, &len), 0);
	CU_ASSERT_EQUAL(i.tcpi_bytes_sent, 10);
	CU_ASSERT_EQUAL(i.tcpi_data_segs_out, 1);
	CU_ASSERT_EQUAL(i.tcpi_data_segs_in, 0);
	CU_ASSERT_EQUAL(i.tcpi_segs_out, 3);
	CU_ASSERT_EQUAL(i.tcpi_delivered, 2);
	CU_ASSERT(i.tcpi_min_rtt > 0 && i.tcpi_min_rtt < 100000);
	CU_ASSERT(i.tcpi_busy_time > 0 && i.tcpi_busy_time < 100000);
	CU_ASSERT(i.tcpi_delivery_rate > 0);
	CU_ASSERT_EQUAL(k.tcpi_bytes_received, 10);
	CU_ASSERT_EQUAL(k.tcpi_data_segs_in, 1);
	CU_ASSERT_EQUAL(k.tcpi_segs_in, 3);
	CU_ASSERT_EQUAL(k.tcpi_busy_time, 0);
	len = sizeof(mem);
	CU_ASSERT_EQUAL(weir_getsockopt(p.b, fb, SOL_SOCKET, SO_MEMINFO, mem, &len), 0);
	CU_ASSERT(mem[0] > 10 && mem[0] < mem[1]);
	len = sizeof(buf);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fa, IPPROTO_TCP, TCP_CC_INFO, buf, &len), 0);
	CU_ASSERT_EQUAL(len, 0); /* cubic tells nothing */
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
deferred_accept_is_rounded_to_time_outs(void)
{
	static const int seconds[][2] = {{0, 0}, {1, 1}, {2, 3}, {3, 3}, {4, 7}, {100, 127}};
	struct pair p;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 5});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	for (unsigned int i = 0; i < RTE_DIM(seconds); i++) {
		CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT,
					&seconds[i][0], sizeof(int)),
			0);
		CU_ASSERT_EQUAL(get_int(p.a, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), seconds[i][1]);
	}
	weir_close(p.a, fd);
	pair_close(&p);
}

static short
mask(struct weir_stack *st, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT};

	weir_poll(st, &pfd, 1, 0);
	return pfd.revents;
}

static void
rcvlowat_and_peek_off(void)
{
	struct pair p;
	char buf[16];
	int fa, fb, n;

	pair_open(&p, &(struct pair_conf){.seed = 4});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(set_int(p.b, fb, SOL_SOCKET, SO_RCVLOWAT, 6), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "01234", 5, 0), 5);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(mask(p.b, fb), POLLOUT);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "56789", 5, 0), 5);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(mask(p.b, fb), POLLOUT | POLLIN);
	CU_ASSERT_EQUAL(weir_ioctl(p.b, fb, FIONREAD, &n), 0);
	CU_ASSERT_EQUAL(n, 10);
	CU_ASSERT_EQUAL(set_int(p.b, fb, SOL_SOCKET, SO_PEEK_OFF, 2), 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 3, MSG_PEEK), 3);
	CU_ASSERT(memcmp(buf, "234", 3) == 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 3, MSG_PEEK), 3);
	CU_ASSERT(memcmp(buf, "567", 3) == 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 4, 0), 4);
	CU_ASSERT_EQUAL(get_int(p.b, fb, SOL_SOCKET, SO_PEEK_OFF), 4);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, MSG_PEEK), 2);
	CU_ASSERT(memcmp(buf, "89", 2) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
inq_and_time_come_with_the_data(void)
{
	struct pair p;
	char buf[4], control[128];
	struct iovec iov = {buf, 4};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct timeval tv;
	int fa, fb, inq;

	pair_open(&p, &(struct pair_conf){.seed = 5});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(set_int(p.b, fb, IPPROTO_TCP, TCP_INQ, 1), 0);
	CU_ASSERT_EQUAL(set_int(p.b, fb, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "0123456", 7, 0), 7);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fa, SHUT_WR), 0);
	pair_pass(&p, 1000);
	msg.msg_controllen = sizeof(control);
	CU_ASSERT_EQUAL(weir_recvmsg(p.b, fb, &msg, 0), 4);
	CU_ASSERT_EQUAL(msg.msg_controllen, CMSG_SPACE(sizeof(tv)) + CMSG_SPACE(sizeof(inq)));
	CU_ASSERT(c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMP);
	memcpy(&tv, CMSG_DATA(c), sizeof(tv));
	CU_ASSERT((uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec <= p.clock.start);
	c = CMSG_NXTHDR(&msg, c);
	CU_ASSERT(c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_CM_INQ);
	memcpy(&inq, CMSG_DATA(c), sizeof(inq));
	CU_ASSERT_EQUAL(inq, 3 + 1); /* the end is one more to be read */
	msg.msg_controllen = 4;
	CU_ASSERT_EQUAL(weir_recvmsg(p.b, fb, &msg, 0), 3);
	CU_ASSERT_EQUAL(msg.msg_flags, MSG_CTRUNC);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
datagrams_say_how_they_came(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 53, &ss);
	char buf[4], control[128];
	struct iovec iov = {buf, 4};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct in_pktinfo info;
	int ua, ub, n;

	pair_open(&p, &(struct pair_conf){.seed = 6});
	ua = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	ub = weir_socket(p.b, AF_INET, SOCK_DGRAM, 0);
	((struct sockaddr_in *)&ss)->sin_addr.s_addr = INADDR_ANY;
	CU_ASSERT_EQUAL(weir_bind(p.b, ub, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(set_int(p.b, ub, IPPROTO_IP, IP_PKTINFO, 1), 0);
	CU_ASSERT_EQUAL(set_int(p.b, ub, IPPROTO_IP, IP_RECVTTL, 1), 0);
	CU_ASSERT_EQUAL(set_int(p.a, ua, IPPROTO_IP, IP_TTL, 9), 0);
	pair_addr('b', AF_INET, 53, &ss);
	CU_ASSERT_EQUAL(weir_sendto(p.a, ua, "abcdef", 6, 0, (struct sockaddr *)&ss, len), 6);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_ioctl(p.b, ub, FIONREAD, &n), 0);
	CU_ASSERT_EQUAL(n, 6);
	msg.msg_controllen = sizeof(control);
	CU_ASSERT_EQUAL(weir_recvmsg(p.b, ub, &msg, 0), 4);
	CU_ASSERT_EQUAL(msg.msg_flags, MSG_TRUNC);
	CU_ASSERT(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO);
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	CU_ASSERT_EQUAL(info.ipi_addr.s_addr, htonl(0x0a000002));
	CU_ASSERT_EQUAL(info.ipi_ifindex, 1);
	c = CMSG_NXTHDR(&msg, c);
	CU_ASSERT(c != NULL && c->cmsg_type == IP_TTL && *(int *)CMSG_DATA(c) == 9);
	weir_close(p.a, ua);
	weir_close(p.b, ub);
	pair_close(&p);
}

static int
reuser(struct pair *p, int type)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	const int fd = weir_socket(p->b, AF_INET, type, 0);

	CU_ASSERT_EQUAL(set_int(p->b, fd, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	CU_ASSERT_EQUAL(weir_bind(p->b, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void
reuseport_spreads_connections_and_datagrams(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	int l[3], u[3], fd[48], n[3] = {0}, m[3] = {0}, got;
	char buf[4];

	pair_open(&p, &(struct pair_conf){.seed = 7, .workers = 2});
	for (unsigned int i = 0; i < 3; i++) {
		l[i] = reuser(&p, SOCK_STREAM);
		u[i] = reuser(&p, SOCK_DGRAM);
		CU_ASSERT_EQUAL(weir_listen(p.b, l[i], 64), 0);
	}
	got = weir_socket(p.b, AF_INET, SOCK_STREAM, 0); /* one that does not share */
	CU_ASSERT_EQUAL(weir_bind(p.b, got, (struct sockaddr *)&ss, len), -EADDRINUSE);
	weir_close(p.b, got);
	for (unsigned int i = 0; i < 48; i++) {
		fd[i] = weir_socket(p.a, AF_INET, i < 24 ? SOCK_STREAM : SOCK_DGRAM, 0);
		weir_connect(p.a, fd[i], (struct sockaddr *)&ss, len);
		if (i >= 24)
			CU_ASSERT_EQUAL(weir_send(p.a, fd[i], "x", 1, 0), 1);
	}
	pair_pass(&p, 10000);
	for (unsigned int i = 0; i < 3; i++) {
		for (; (got = weir_accept(p.b, l[i], NULL, NULL, 0)) >= 0; n[i]++)
			weir_close(p.b, got);
		while (weir_recv(p.b, u[i], buf, 1, 0) == 1)
			m[i]++;
		CU_ASSERT(n[i] > 0 && m[i] > 0);
		weir_close(p.b, l[i]);
		weir_close(p.b, u[i]);
	}
	CU_ASSERT_EQUAL(n[0] + n[1] + n[2], 24);
	CU_ASSERT_EQUAL(m[0] + m[1] + m[2], 24);
	for (unsigned int i = 0; i < 48; i++)
		weir_close(p.a, fd[i]);
	pair_close(&p);
}

/* The application comes back when mbufs do: poll does not say POLLOUT before. */
static void
a_low_pool_is_told_when_it_recovers(void)
{
	static struct rte_mbuf *hoard[16384];
	struct pair p;
	unsigned int n = 0;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 8});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	while (n < RTE_DIM(hoard) && (hoard[n] = rte_pktmbuf_alloc(p.a->pools[0])) != NULL)
		n++;
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), -ENOBUFS);
	CU_ASSERT_EQUAL(mask(p.a, fa), 0);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(mask(p.a, fa), 0);
	while (n > 0)
		rte_pktmbuf_free(hoard[--n]);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(mask(p.a, fa), POLLOUT);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(values_have_linuxs_limits),
		UNIT(lengths_are_linuxs),
		UNIT(tcp_info_tells_of_the_connection),
		UNIT(counts_go_with_what_was_sent),
		UNIT(deferred_accept_is_rounded_to_time_outs),
		UNIT(rcvlowat_and_peek_off),
		UNIT(inq_and_time_come_with_the_data),
		UNIT(datagrams_say_how_they_came),
		UNIT(reuseport_spreads_connections_and_datagrams),
		UNIT(a_low_pool_is_told_when_it_recovers),
		{0},
	};

	return unit_main("api_sockopt", tests, true);
}
