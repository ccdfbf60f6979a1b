/* SPDX-License-Identifier: BSD-3-Clause */
/* A stack talks to itself by its own addresses, 127.0.0.0/8 and ::1; one worker and several. */
#include "pair.h"

#include <arpa/inet.h>

#define REPORTS_US 5000000 /* the reports of our own groups have left by then */
#define BULK	   (2u << 20)

static struct pair p;

/* Address text and port as a sockaddr. */
static socklen_t
name(const char *text, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static int
bound(const char *text, uint16_t port, int type)
{
	struct sockaddr_storage ss;
	const socklen_t len = name(text, port, &ss);
	const int fd = weir_socket(p.a, ss.ss_family, type | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(weir_bind(p.a, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static int
connect_to(int fd, const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = name(text, port, &ss);

	return weir_connect(p.a, fd, (struct sockaddr *)&ss, len);
}

static int
listening(const char *text, uint16_t port)
{
	const int fd = bound(text, port, SOCK_STREAM);

	CU_ASSERT_EQUAL_FATAL(weir_listen(p.a, fd, 8), 0);
	return fd;
}

static int
accept_one(int listener)
{
	int fd = -EAGAIN;

	for (unsigned int i = 0; i < 1000 && fd == -EAGAIN; i++) {
		pair_step(&p);
		fd = weir_accept(p.a, listener, NULL, NULL, SOCK_NONBLOCK);
	}
	CU_ASSERT_FATAL(fd >= 0);
	return fd;
}

/* Bytes i, i + 1, ... that the receiver can check. */
static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 11));
}

static void
push_through(int from, int to, size_t total)
{
	static uint8_t buf[65536];
	size_t sent = 0, got = 0;
	bool is_right = true;

	for (unsigned int turns = 0; got < total && turns < 200000; turns++) {
		const size_t n = RTE_MIN(sizeof(buf), total - sent);
		ssize_t rc;

		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(sent + i);
		rc = n > 0 ? weir_send(p.a, from, buf, n, 0) : 0;
		sent += rc > 0 ? (size_t)rc : 0;
		pair_step(&p);
		rc = weir_recv(p.a, to, buf, sizeof(buf), 0);
		for (ssize_t i = 0; i < rc; i++)
			is_right &= buf[i] == byte_at(got + (size_t)i);
		got += rc > 0 ? (size_t)rc : 0;
	}
	CU_ASSERT_EQUAL(got, total);
	CU_ASSERT(is_right);
}

static uint64_t
tx_fate(enum weir_tx_fate fate)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < p.a->n_workers; i++)
		sum += p.a->workers[i]->core.tx_fates[fate];
	return sum;
}

static void
stream_through(const char *text, unsigned int workers)
{
	int listener, client, server;
	uint64_t left;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = workers});
	pair_pass(&p, REPORTS_US);
	left = tx_fate(WEIR_TX_sent);
	listener = listening(text, 80);
	client = weir_socket(
		p.a, strchr(text, ':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(connect_to(client, text, 80), -EINPROGRESS);
	server = accept_one(listener);
	push_through(client, server, BULK);
	push_through(server, client, BULK);
	weir_close(p.a, client);
	weir_close(p.a, server);
	weir_close(p.a, listener);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(tx_fate(WEIR_TX_sent), left);
	CU_ASSERT_EQUAL(tx_fate(WEIR_TX_drop_port_full), 0);
	CU_ASSERT(tx_fate(WEIR_TX_looped) > 0);
	pair_close(&p);
}

static void
streams_through_own_addresses(void)
{
	static const char *const own[] = {"10.0.0.1", "127.0.0.1", "127.1.2.3", "fd00::1", "::1"};

	for (size_t i = 0; i < RTE_DIM(own); i++) {
		stream_through(own[i], 1);
		stream_through(own[i], 3);
	}
}

static void
segments_are_as_long_as_a_packet_can_be(void)
{
	struct weir_sock *s;
	int listener, client, server;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	listener = listening("127.0.0.1", 80);
	client = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(connect_to(client, "127.0.0.1", 80), -EINPROGRESS);
	server = accept_one(listener);
	s = weir_fd_get(&p.a->socks, client);
	CU_ASSERT_EQUAL(s->tcp.conn->dst.mtu, 65535);
	CU_ASSERT(s->tcp.conn->mss > 65000);
	weir_sock_unref(s);
	weir_close(p.a, client);
	weir_close(p.a, server);
	weir_close(p.a, listener);
	pair_pass(&p, 100000);
	pair_close(&p);
}

static void
datagrams_through(const char *text, unsigned int workers)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	static char big[60000];
	int a, b;

	pair_open(&p, &(struct pair_conf){.seed = 3, .workers = workers});
	a = bound(text, 5000, SOCK_DGRAM);
	b = bound(text, 5001, SOCK_DGRAM);
	CU_ASSERT_EQUAL(connect_to(a, text, 5001), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, a, "x", 1, 0), 1);
	CU_ASSERT_EQUAL(weir_send(p.a, a, big, sizeof(big), 0), sizeof(big));
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(
		weir_recvfrom(p.a, b, big, sizeof(big), 0, (struct sockaddr *)&from, &from_len), 1);
	CU_ASSERT_EQUAL(ntohs(((struct sockaddr_in *)&from)->sin_port), 5000);
	CU_ASSERT_EQUAL(weir_recv(p.a, b, big, sizeof(big), 0), sizeof(big));
	CU_ASSERT_EQUAL(weir_sendto(p.a, b, "y", 1, 0, (struct sockaddr *)&from, from_len), 1);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_recv(p.a, a, big, sizeof(big), 0), 1);
	weir_close(p.a, a);
	weir_close(p.a, b);
	pair_close(&p);
}

static void
datagrams_through_own_addresses(void)
{
	static const char *const own[] = {"10.0.0.1", "127.0.0.1", "fd00::1", "::1"};

	for (size_t i = 0; i < RTE_DIM(own); i++) {
		datagrams_through(own[i], 1);
		datagrams_through(own[i], 4);
	}
}

/* More than a turn takes: they wait, in order. */
static void
burst_of_datagrams_is_not_lost(void)
{
	unsigned int got = 0;
	uint32_t n = 0;
	int a, b;

	pair_open(&p, &(struct pair_conf){.seed = 4});
	a = bound("127.0.0.1", 5000, SOCK_DGRAM);
	b = bound("127.0.0.1", 5001, SOCK_DGRAM);
	CU_ASSERT_EQUAL(connect_to(a, "127.0.0.1", 5001), 0);
	for (uint32_t i = 0; i < 80; i++)
		CU_ASSERT_EQUAL(weir_send(p.a, a, &i, sizeof(i), 0), sizeof(i));
	pair_pass(&p, 1000);
	while (weir_recv(p.a, b, &n, sizeof(n), 0) > 0)
		CU_ASSERT_EQUAL(n, got++);
	CU_ASSERT_EQUAL(got, 80);
	weir_close(p.a, a);
	weir_close(p.a, b);
	pair_close(&p);
}

static void
nobody_listens(unsigned int workers)
{
	int tcp, udp;

	pair_open(&p, &(struct pair_conf){.seed = 5, .workers = workers});
	tcp = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	udp = weir_socket(p.a, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(connect_to(tcp, "127.0.0.1", 81), -EINPROGRESS);
	CU_ASSERT_EQUAL(connect_to(udp, "::1", 81), 0);
	for (unsigned int i = 0; i < 100; i++) { /* each is told: the limit is for the network */
		CU_ASSERT_EQUAL(weir_send(p.a, udp, "x", 1, 0), 1);
		pair_pass(&p, 100);
		CU_ASSERT_EQUAL(weir_send(p.a, udp, "x", 1, 0), -ECONNREFUSED);
	}
	CU_ASSERT_EQUAL(connect_to(tcp, "127.0.0.1", 81), -ECONNREFUSED);
	weir_close(p.a, tcp);
	weir_close(p.a, udp);
	pair_close(&p);
}

static void
ports_without_a_listener_refuse(void)
{
	nobody_listens(1);
	nobody_listens(4);
}

/* A socket connects to its own address and port: simultaneous open with itself, as on Linux. */
static void
connect_to_itself(unsigned int workers)
{
	char buf[8];
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 6, .workers = workers});
	fd = bound("127.0.0.1", 4000, SOCK_STREAM);
	CU_ASSERT_EQUAL(connect_to(fd, "127.0.0.1", 4000), -EINPROGRESS);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(connect_to(fd, "127.0.0.1", 4000), 0);
	CU_ASSERT_EQUAL(connect_to(fd, "127.0.0.1", 4000), -EISCONN);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "self", 4, 0), 4);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fd, buf, sizeof(buf), 0), 4);
	CU_ASSERT(memcmp(buf, "self", 4) == 0);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fd, SHUT_WR), 0);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fd, buf, sizeof(buf), 0), 0);
	weir_close(p.a, fd);
	pair_pass(&p, 100000);
	pair_close(&p);
}

static void
socket_connected_to_itself_hears_itself(void)
{
	connect_to_itself(1);
	connect_to_itself(3);
}

static void
two_that_connect_to_each_other(unsigned int workers)
{
	char buf[8];
	int a, b;

	pair_open(&p, &(struct pair_conf){.seed = 7, .workers = workers});
	a = bound("10.0.0.1", 4000, SOCK_STREAM);
	b = bound("10.0.0.1", 4001, SOCK_STREAM);
	CU_ASSERT_EQUAL(connect_to(a, "10.0.0.1", 4001), -EINPROGRESS);
	CU_ASSERT_EQUAL(connect_to(b, "10.0.0.1", 4000), -EINPROGRESS);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(connect_to(a, "10.0.0.1", 4001), 0);
	CU_ASSERT_EQUAL(connect_to(b, "10.0.0.1", 4000), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, a, "ab", 2, 0), 2);
	CU_ASSERT_EQUAL(weir_send(p.a, b, "bcd", 3, 0), 3);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_recv(p.a, a, buf, sizeof(buf), 0), 3);
	CU_ASSERT_EQUAL(weir_recv(p.a, b, buf, sizeof(buf), 0), 2);
	weir_close(p.a, a);
	weir_close(p.a, b);
	pair_pass(&p, 100000);
	pair_close(&p);
}

static void
simultaneous_open_through_the_loop(void)
{
	two_that_connect_to_each_other(1);
	two_that_connect_to_each_other(3);
}

/* What only this host can be reached by does not go out. */
static void
loopback_sources_do_not_leave(void)
{
	struct sockaddr_storage to;
	const socklen_t len = name("10.0.0.2", 81, &to);
	uint64_t sent;
	int tcp, udp;

	pair_open(&p, &(struct pair_conf){.seed = 8});
	pair_pass(&p, REPORTS_US);
	sent = tx_fate(WEIR_TX_sent);
	tcp = bound("127.0.0.1", 4000, SOCK_STREAM);
	udp = bound("127.0.0.1", 4000, SOCK_DGRAM);
	CU_ASSERT_EQUAL(connect_to(tcp, "10.0.0.2", 81), -EINVAL);
	CU_ASSERT_EQUAL(weir_sendto(p.a, udp, "x", 1, 0, (struct sockaddr *)&to, len), -EINVAL);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(tx_fate(WEIR_TX_sent), sent);
	weir_close(p.a, tcp);
	weir_close(p.a, udp);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(streams_through_own_addresses),
		UNIT(segments_are_as_long_as_a_packet_can_be),
		UNIT(datagrams_through_own_addresses),
		UNIT(burst_of_datagrams_is_not_lost),
		UNIT(ports_without_a_listener_refuse),
		UNIT(socket_connected_to_itself_hears_itself),
		UNIT(simultaneous_open_through_the_loop),
		UNIT(loopback_sources_do_not_leave),
		{0},
	};

	return unit_main("api_loopback", tests, true);
}
