/* SPDX-License-Identifier: BSD-3-Clause */
/* Error queues, path MTUs, segments and checksums of datagrams. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/udp.h>

#include "pair.h"

#define PORT 5000

struct got {
	char data[4096];
	ssize_t n;
	int flags;
	struct sockaddr_storage from;
	bool has_err;
	struct sock_extended_err err;
	struct sockaddr_storage offender;
	int gso_size;
};

static void
take_cmsg(struct got *g, const struct cmsghdr *c)
{
	if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
		g->has_err = true;
		memcpy(&g->err, CMSG_DATA(c), sizeof(g->err));
		memcpy(&g->offender, CMSG_DATA(c) + sizeof(g->err),
			c->cmsg_len - CMSG_LEN(sizeof(g->err)));
	}
	if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
		memcpy(&g->gso_size, CMSG_DATA(c), sizeof(g->gso_size));
}

static ssize_t
get(struct weir_stack *st, int fd, int flags, struct got *g)
{
	char control[256];
	struct iovec iov = {g->data, sizeof(g->data)};
	struct msghdr msg = {.msg_name = &g->from,
		.msg_namelen = sizeof(g->from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	memset(g, 0, sizeof(*g));
	g->n = weir_recvmsg(st, fd, &msg, flags);
	g->flags = msg.msg_flags;
	for (struct cmsghdr *c = g->n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c != NULL;
		c = CMSG_NXTHDR(&msg, c))
		take_cmsg(g, c);
	return g->n;
}

static int
set(struct weir_stack *st, int fd, int level, int name, int v)
{
	return weir_setsockopt(st, fd, level, name, &v, sizeof(v));
}

static int
sock(struct weir_stack *st, char who, int domain, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, domain, port, &ss);
	const int fd = weir_socket(st, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(weir_bind(st, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void
connect_to_b(struct pair *p, int fd, int domain)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', domain, PORT, &ss);

	CU_ASSERT_EQUAL(weir_connect(p->a, fd, (struct sockaddr *)&ss, len), 0);
}

static short
poll_of(struct weir_stack *st, int fd)
{
	struct weir_sock *s = weir_fd_get(&st->socks, fd);
	const short ev = weir_sock_poll(s);

	weir_sock_unref(s);
	return ev;
}

static void
a_refused_datagram_comes_back(int domain, unsigned int workers)
{
	const bool is_v6 = domain == AF_INET6;
	struct sockaddr_storage to;
	const socklen_t len = pair_addr('b', domain, PORT, &to);
	struct pair p;
	struct got g;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = workers});
	fd = sock(p.a, 'a', domain, 6000);
	CU_ASSERT_EQUAL(set(p.a, fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
				is_v6 ? IPV6_RECVERR : IP_RECVERR, 1),
		0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "hello", 5, 0, (struct sockaddr *)&to, len), 5);
	pair_pass(&p, 5000);
	CU_ASSERT(poll_of(p.a, fd) & POLLERR);
	CU_ASSERT_EQUAL(get(p.a, fd, 0, &g), -ECONNREFUSED);
	CU_ASSERT(poll_of(p.a, fd) & POLLERR); /* the queue still has it */
	CU_ASSERT_EQUAL(get(p.a, fd, MSG_ERRQUEUE, &g), 5);
	CU_ASSERT_NSTRING_EQUAL(g.data, "hello", 5);
	CU_ASSERT(g.flags & MSG_ERRQUEUE);
	CU_ASSERT_EQUAL(((struct sockaddr_in *)&g.from)->sin_port, htons(PORT));
	CU_ASSERT_TRUE(g.has_err);
	CU_ASSERT_EQUAL(g.err.ee_errno, ECONNREFUSED);
	CU_ASSERT_EQUAL(g.err.ee_origin, is_v6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP);
	CU_ASSERT_EQUAL(g.err.ee_type, is_v6 ? 1 : 3);
	CU_ASSERT_EQUAL(g.err.ee_code, is_v6 ? 4 : 3);
	CU_ASSERT_EQUAL(g.offender.ss_family, domain);
	if (!is_v6)
		CU_ASSERT_EQUAL(((struct sockaddr_in *)&g.offender)->sin_addr.s_addr,
			inet_addr("10.0.0.2"));
	CU_ASSERT_EQUAL(get(p.a, fd, MSG_ERRQUEUE, &g), -EAGAIN);
	CU_ASSERT_EQUAL(poll_of(p.a, fd) & POLLERR, 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "again", 5, 0, (struct sockaddr *)&to, len), 5);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(p.a, fd, MSG_ERRQUEUE, &g), 5); /* takes the error with it */
	CU_ASSERT_EQUAL(get(p.a, fd, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "unread", 6, 0, (struct sockaddr *)&to, len), 6);
	pair_pass(&p, 5000);
	weir_close(p.a, fd);
	pair_close(&p);
}

static void
an_unconnected_socket_that_asks_gets_errors_with_the_datagram(void)
{
	a_refused_datagram_comes_back(AF_INET, 1);
	a_refused_datagram_comes_back(AF_INET, 3);
	a_refused_datagram_comes_back(AF_INET6, 1);
	a_refused_datagram_comes_back(AF_INET6, 3);
}

/* b says that the path to it is narrower, as a router of the path would. */
static void
tell_mtu(struct pair *p, uint16_t sport, uint16_t mtu)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.0.0.1")};
	uint8_t b[36] = {3, 4, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu, 0x45, 0, 4, 0, 0, 0,
		0x40, 0, 64, IPPROTO_UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, (uint8_t)(sport >> 8),
		(uint8_t)sport, PORT >> 8, PORT & 255, 3, 0xec, 0, 0};
	const int fd = weir_socket(p->b, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	uint32_t sum = 0;

	for (unsigned int i = 0; i < sizeof(b); i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	b[2] = (uint8_t)(sum >> 8);
	b[3] = (uint8_t)sum;
	CU_ASSERT_EQUAL(
		weir_sendto(p->b, fd, b, sizeof(b), 0, (const struct sockaddr *)&to, sizeof(to)),
		(ssize_t)sizeof(b));
	pair_pass(p, 5000);
	weir_close(p->b, fd);
}

static int
mtu_of(struct weir_stack *st, int fd)
{
	socklen_t len = sizeof(int);
	int mtu = -1;

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, IPPROTO_IP, IP_MTU, &mtu, &len), 0);
	return mtu;
}

/* What b gets of a datagram, the last one's IP header's "don't fragment"; -1: nothing. */
static int
df_seen(struct pair *p, int raw, struct got *g)
{
	int df = -1;

	pair_pass(p, 5000);
	while (get(p->b, raw, 0, g) > 0)
		df = (g->data[6] & 0x40) != 0;
	return df;
}

static void
a_path_mtu_is_learnt_and_kept_to_as_the_socket_asks(void)
{
	static char data[1400];

	for (unsigned int workers = 1; workers <= 3; workers += 2) {
		struct pair p;
		struct got g;
		int fa, fb, raw;

		pair_open(&p, &(struct pair_conf){.seed = 2, .workers = workers});
		fa = sock(p.a, 'a', AF_INET, 6000);
		fb = sock(p.b, 'b', AF_INET, PORT);
		raw = weir_socket(p.b, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_UDP);
		connect_to_b(&p, fa, AF_INET);
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 1400, 0), 1400);
		CU_ASSERT_EQUAL(df_seen(&p, raw, &g), 1);
		CU_ASSERT_EQUAL(mtu_of(p.a, fa), 1500);
		tell_mtu(&p, 6000, 700);
		CU_ASSERT_EQUAL(mtu_of(p.a, fa), 700);
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 1400, 0), -EMSGSIZE); /* told once */
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 1400, 0), 1400);
		CU_ASSERT_EQUAL(df_seen(&p, raw, &g), 0);
		CU_ASSERT_EQUAL(g.n, -EAGAIN);
		CU_ASSERT_EQUAL(p.a->workers[0]->ip.stats.frags_sent +
					(workers == 3 ? p.a->workers[1]->ip.stats.frags_sent +
								p.a->workers[2]->ip.stats.frags_sent
						      : 0),
			3);
		set(p.a, fa, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 100, 0), 100);
		CU_ASSERT_EQUAL(df_seen(&p, raw, &g), 0);
		set(p.a, fa, IPPROTO_IP, IP_RECVERR, 1);
		set(p.a, fa, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 1400, 0), -EMSGSIZE);
		CU_ASSERT_EQUAL(get(p.a, fa, MSG_ERRQUEUE, &g), 0);
		CU_ASSERT_EQUAL(g.err.ee_origin, SO_EE_ORIGIN_LOCAL);
		CU_ASSERT_EQUAL(g.err.ee_info, 700);
		set(p.a, fa, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 1400, 0), 1400);
		CU_ASSERT_EQUAL(df_seen(&p, raw, &g), 1);
		set(p.a, fa, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE);
		CU_ASSERT_EQUAL(weir_send(p.a, fa, data, 1400, 0), 1400);
		CU_ASSERT_EQUAL(df_seen(&p, raw, &g), 0);
		tell_mtu(&p, 6000, 600); /* not believed: the interface counts */
		set(p.a, fa, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT);
		CU_ASSERT_EQUAL(mtu_of(p.a, fa), 700);
		pair_pass(&p, UINT64_C(700000000)); /* RFC 1191 6.3 */
		CU_ASSERT_EQUAL(mtu_of(p.a, fa), 1500);
		weir_close(p.a, fa);
		weir_close(p.b, fb);
		weir_close(p.b, raw);
		pair_close(&p);
	}
}

static ssize_t
send_cut(struct weir_stack *st, int fd, size_t len, uint16_t size)
{
	static char data[65000];

	return pair_send_with(st, fd, data, len,
		&(struct pair_cmsg){IPPROTO_UDP, UDP_SEGMENT, sizeof(size), &size});
}

static void
one_send_makes_many_datagrams_and_one_receive_joins_them(void)
{
	struct pair p;
	struct got g;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	fa = sock(p.a, 'a', AF_INET6, 6000);
	fb = sock(p.b, 'b', AF_INET6, PORT);
	connect_to_b(&p, fa, AF_INET6);
	CU_ASSERT_EQUAL(send_cut(p.a, fa, 250, 100), 250);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(p.b, fb, 0, &g), 100);
	CU_ASSERT_EQUAL(g.gso_size, 0);
	CU_ASSERT_EQUAL(get(p.b, fb, 0, &g), 100);
	CU_ASSERT_EQUAL(get(p.b, fb, 0, &g), 50);
	CU_ASSERT_EQUAL(set(p.a, fa, IPPROTO_UDP, UDP_SEGMENT, 1000), 0);
	CU_ASSERT_EQUAL(set(p.b, fb, IPPROTO_UDP, UDP_GRO, 1), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, &g.data, 2500, 0), 2500);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, &g.data, 700, 0), 700);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(p.b, fb, 0, &g), 2500);
	CU_ASSERT_EQUAL(g.gso_size, 1000);
	CU_ASSERT_EQUAL(get(p.b, fb, 0, &g), 700);
	CU_ASSERT_EQUAL(g.gso_size, 0);
	CU_ASSERT_EQUAL(send_cut(p.a, fa, 6500, 100), -EINVAL);	 /* 65 of them */
	CU_ASSERT_EQUAL(send_cut(p.a, fa, 4000, 1453), -EINVAL); /* would need fragments */
	CU_ASSERT_EQUAL(set(p.a, fa, IPPROTO_UDP, UDP_SEGMENT, 65536), -EINVAL);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
checksums_can_be_left_out(void)
{
	struct pair p;
	struct got g;
	int fa, fb, a6, b6, raw;

	pair_open(&p, &(struct pair_conf){.seed = 4});
	fa = sock(p.a, 'a', AF_INET, 6000);
	fb = sock(p.b, 'b', AF_INET, PORT);
	raw = weir_socket(p.b, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_UDP);
	connect_to_b(&p, fa, AF_INET);
	CU_ASSERT_EQUAL(set(p.a, fa, SOL_SOCKET, SO_NO_CHECK, 1), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(p.b, raw, 0, &g), 29);
	CU_ASSERT(g.data[26] == 0 && g.data[27] == 0);
	CU_ASSERT_EQUAL(get(p.b, fb, 0, &g), 1);
	a6 = sock(p.a, 'a', AF_INET6, 6001);
	b6 = sock(p.b, 'b', AF_INET6, PORT);
	connect_to_b(&p, a6, AF_INET6);
	CU_ASSERT_EQUAL(set(p.a, a6, IPPROTO_UDP, UDP_NO_CHECK6_TX, 1), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, a6, "x", 1, 0), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(p.b, b6, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(p.b->workers[0]->core.fates[WEIR_FATE_drop_udp_cksum], 1);
	CU_ASSERT_EQUAL(set(p.b, b6, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, a6, "x", 1, 0), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(p.b, b6, 0, &g), 1);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	weir_close(p.a, a6);
	weir_close(p.b, b6);
	weir_close(p.b, raw);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(an_unconnected_socket_that_asks_gets_errors_with_the_datagram),
		UNIT(a_path_mtu_is_learnt_and_kept_to_as_the_socket_asks),
		UNIT(one_send_makes_many_datagrams_and_one_receive_joins_them),
		UNIT(checksums_can_be_left_out),
		{0},
	};

	return unit_main("api_udp_opts", tests, true);
}
