/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets between two stacks. */
#include "pair.h"

static int
udp_socket(struct weir_stack *st, char who, int domain, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, domain, port, &ss);
	const int fd = weir_socket(st, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(weir_bind(st, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void
datagrams_keep_their_boundaries_and_sender(int domain, unsigned int workers)
{
	struct pair p;
	struct sockaddr_storage to, from;
	const socklen_t to_len = pair_addr('b', domain, 5000, &to);
	socklen_t from_len = sizeof(from), own_len = sizeof(from);
	struct sockaddr_storage own;
	char buf[16];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = workers});
	fb = udp_socket(p.b, 'b', domain, 5000);
	fa = weir_socket(p.a, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "one", 3, 0, (struct sockaddr *)&to, to_len), 3);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "", 0, 0, (struct sockaddr *)&to, to_len), 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "three", 5, 0, (struct sockaddr *)&to, to_len), 5);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(
		weir_recvfrom(p.b, fb, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len),
		3);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 2, MSG_TRUNC), 5);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 2, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_getsockname(p.a, fa, (struct sockaddr *)&own, &own_len), 0);
	CU_ASSERT_EQUAL(
		((struct sockaddr_in *)&own)->sin_port, ((struct sockaddr_in *)&from)->sin_port);
	CU_ASSERT_EQUAL(weir_sendto(p.b, fb, "back", 4, 0, (struct sockaddr *)&from, from_len), 4);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 4);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* shutdown() of a socket without a peer fails, and ends waiting all the same; data still comes. */
static void
datagrams_after_shut_rd_can_be_read(void)
{
	struct pair p;
	struct sockaddr_storage to;
	const socklen_t to_len = pair_addr('b', AF_INET, 5000, &to);
	char buf[16];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 9});
	fb = udp_socket(p.b, 'b', AF_INET, 5000);
	fa = weir_socket(p.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_shutdown(p.b, fb, SHUT_RDWR), -ENOTCONN);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "late", 4, 0, (struct sockaddr *)&to, to_len), 4);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), 4);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
datagrams_over_ip4(void)
{
	datagrams_keep_their_boundaries_and_sender(AF_INET, 1);
	datagrams_keep_their_boundaries_and_sender(AF_INET, 3);
}

static void
datagrams_over_ip6(void)
{
	datagrams_keep_their_boundaries_and_sender(AF_INET6, 1);
	datagrams_keep_their_boundaries_and_sender(AF_INET6, 3);
}

static void
a_connected_socket_learns_that_nobody_listens(void)
{
	struct pair p;
	struct sockaddr_storage to;
	const socklen_t len = pair_addr('b', AF_INET, 5001, &to);
	int fa;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	fa = weir_socket(p.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fa, (struct sockaddr *)&to, len), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), -ECONNREFUSED);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	weir_close(p.a, fa);
	pair_close(&p);
}

static void
a_connected_socket_hears_its_peer_alone(void)
{
	struct pair p;
	struct sockaddr_storage to;
	socklen_t len;
	char buf[8];
	int fa, fb, other;

	pair_open(&p, &(struct pair_conf){.seed = 3, .workers = 2});
	fa = udp_socket(p.a, 'a', AF_INET, 6000);
	other = udp_socket(p.b, 'b', AF_INET, 6001);
	fb = udp_socket(p.b, 'b', AF_INET, 6002);
	len = pair_addr('b', AF_INET, 6002, &to);
	CU_ASSERT_EQUAL(weir_connect(p.a, fa, (struct sockaddr *)&to, len), 0);
	len = pair_addr('a', AF_INET, 6000, &to);
	CU_ASSERT_EQUAL(weir_sendto(p.b, other, "no", 2, 0, (struct sockaddr *)&to, len), 2);
	CU_ASSERT_EQUAL(weir_sendto(p.b, fb, "yes", 3, 0, (struct sockaddr *)&to, len), 3);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 3);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	weir_close(p.b, other);
	pair_close(&p);
}

static void
a_slow_reader_loses_datagrams_not_memory(void)
{
	struct pair p;
	struct sockaddr_storage to;
	const socklen_t len = pair_addr('b', AF_INET, 5000, &to);
	unsigned int sent = 0, got = 0;
	char buf[100];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 4});
	fb = udp_socket(p.b, 'b', AF_INET, 5000);
	fa = weir_socket(p.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	for (unsigned int i = 0; i < 2000; i++) {
		sent += weir_sendto(p.a, fa, buf, sizeof(buf), 0, (struct sockaddr *)&to, len) > 0;
		pair_step(&p);
	}
	pair_pass(&p, 5000);
	while (weir_recv(p.b, fb, buf, sizeof(buf), 0) > 0)
		got++;
	CU_ASSERT_EQUAL(sent, 2000);
	CU_ASSERT(got > 0 && got < sent);
	CU_ASSERT_EQUAL(got + p.b->workers[0]->core.fates[WEIR_FATE_drop_udp_full], sent);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
echo_mbuf(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(from);
	CU_ASSERT_EQUAL(weir_send_mbuf(st, fd, m, &from->addr.sa, from->addr_len), 0);
	++*(unsigned int *)arg;
}

static void
mbuf_callback_sends_the_packet_back(void)
{
	struct pair p;
	struct sockaddr_storage to;
	const socklen_t len = pair_addr('b', AF_INET6, 7, &to);
	unsigned int calls = 0;
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 5});
	fb = udp_socket(p.b, 'b', AF_INET6, 7);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.b, fb,
				&(struct weir_callbacks){.recv_mbuf = echo_mbuf, .arg = &calls}),
		0);
	fa = weir_socket(p.a, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "ping", 4, 0, (struct sockaddr *)&to, len), 4);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(calls, 1);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 4);
	CU_ASSERT(memcmp(buf, "ping", 4) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(datagrams_over_ip4),
		UNIT(datagrams_over_ip6),
		UNIT(datagrams_after_shut_rd_can_be_read),
		UNIT(a_connected_socket_learns_that_nobody_listens),
		UNIT(a_connected_socket_hears_its_peer_alone),
		UNIT(a_slow_reader_loses_datagrams_not_memory),
		UNIT(mbuf_callback_sends_the_packet_back),
		{0},
	};

	return unit_main("api_udp", tests, true);
}
