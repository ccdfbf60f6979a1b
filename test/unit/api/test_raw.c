/* SPDX-License-Identifier: BSD-3-Clause */
/* Raw sockets between two stacks. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include "pair.h"
#include "weir_cksum.h"

#define PROTO 253 /* for experiments (RFC 3692) */

static int
raw_socket(struct weir_stack *st, int domain, int protocol)
{
	const int fd = weir_socket(st, domain, SOCK_RAW | SOCK_NONBLOCK, protocol);

	CU_ASSERT_FATAL(fd >= 0);
	return fd;
}

static ssize_t
send_to(struct weir_stack *st, int fd, char who, int domain, const void *data, size_t len)
{
	struct sockaddr_storage to;
	const socklen_t to_len = pair_addr(who, domain, 0, &to);

	return weir_sendto(st, fd, data, len, 0, (struct sockaddr *)&to, to_len);
}

static uint64_t
fate(const struct weir_stack *st, enum weir_fate f)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < st->n_workers; i++)
		sum += st->workers[i]->core.fates[f];
	return sum;
}

static void
set_int(struct weir_stack *st, int fd, int level, int name, int v, int rc)
{
	CU_ASSERT_EQUAL(weir_setsockopt(st, fd, level, name, &v, sizeof(v)), rc);
}

static void
any_protocol_goes_both_ways(int domain, unsigned int workers)
{
	const size_t hlen = domain == AF_INET ? sizeof(struct ip) : 0;
	struct sockaddr_storage from, want;
	socklen_t from_len = sizeof(from);
	struct pair p;
	char buf[200];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = workers});
	fa = raw_socket(p.a, domain, PROTO);
	fb = raw_socket(p.b, domain, PROTO);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', domain, "hello", 5), 5);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(
		weir_recvfrom(p.b, fb, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len),
		(ssize_t)hlen + 5);
	CU_ASSERT(memcmp(buf + hlen, "hello", 5) == 0);
	CU_ASSERT_EQUAL(from_len, pair_addr('a', domain, 0, &want));
	CU_ASSERT(memcmp(&from, &want, from_len) == 0);
	if (domain == AF_INET) {
		CU_ASSERT_EQUAL(((struct ip *)buf)->ip_p, PROTO);
		CU_ASSERT_EQUAL(ntohs(((struct ip *)buf)->ip_len), 25);
	}
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_sendto(p.b, fb, "back", 4, 0, (struct sockaddr *)&from, from_len), 4);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), (ssize_t)hlen + 4);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
any_protocol_over_ip4(void)
{
	any_protocol_goes_both_ways(AF_INET, 1);
	any_protocol_goes_both_ways(AF_INET, 3);
}

static void
any_protocol_over_ip6(void)
{
	any_protocol_goes_both_ways(AF_INET6, 1);
	any_protocol_goes_both_ways(AF_INET6, 3);
}

static void
every_socket_that_matches_gets_a_copy(void)
{
	struct sockaddr_storage ss;
	struct pair p;
	char buf[100];
	int fa, fb[4];

	pair_open(&p, &(struct pair_conf){.seed = 2, .workers = 2});
	fa = raw_socket(p.a, AF_INET, PROTO);
	fb[0] = raw_socket(p.b, AF_INET, PROTO);
	fb[1] = raw_socket(p.b, AF_INET, PROTO); /* bound to the address */
	fb[2] = raw_socket(p.b, AF_INET, PROTO); /* connected to somebody else */
	fb[3] = raw_socket(p.b, AF_INET, PROTO + 1);
	CU_ASSERT_EQUAL(
		weir_bind(p.b, fb[1], (struct sockaddr *)&ss, pair_addr('b', AF_INET, 0, &ss)), 0);
	pair_addr('b', AF_INET, 0, &ss);
	((struct sockaddr_in *)&ss)->sin_addr.s_addr = inet_addr("10.0.0.9");
	CU_ASSERT_EQUAL(
		weir_connect(p.b, fb[2], (struct sockaddr *)&ss, sizeof(struct sockaddr_in)), 0);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET, "x", 1), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb[0], buf, sizeof(buf), 0), 21);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb[1], buf, sizeof(buf), 0), 21);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb[2], buf, sizeof(buf), 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb[3], buf, sizeof(buf), 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb[0], buf, sizeof(buf), 0), -EAGAIN);
	CU_ASSERT_EQUAL(fate(p.b, WEIR_FATE_raw_taken), 1);
	for (unsigned int i = 0; i < 4; i++)
		weir_close(p.b, fb[i]);
	weir_close(p.a, fa);
	pair_close(&p);
}

static void
a_protocol_without_a_socket_is_unreachable(void)
{
	struct sockaddr_storage ss;
	struct pair p;
	int fa;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	fa = raw_socket(p.a, AF_INET, PROTO);
	CU_ASSERT_EQUAL(
		weir_connect(p.a, fa, (struct sockaddr *)&ss, pair_addr('b', AF_INET, 0, &ss)), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(fate(p.b, WEIR_FATE_drop_ip_proto), 1);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), -ENOPROTOOPT);
	weir_close(p.a, fa);
	pair_close(&p);
}

/* An echo request with this id. */
static size_t
make_echo(char *buf, uint16_t id, size_t data)
{
	struct icmphdr h = {.type = ICMP_ECHO, .un.echo.id = id};
	uint32_t sum = 0;

	memset(buf, 0, sizeof(h) + data);
	memcpy(buf, &h, sizeof(h));
	for (size_t i = 0; i < sizeof(h); i += 2)
		sum += *(uint16_t *)(buf + i);
	h.checksum = (uint16_t)~weir_cksum_fold(sum);
	memcpy(buf, &h, sizeof(h));
	return sizeof(h) + data;
}

/* The peer's stack answers by itself, and a raw socket there sees the request all the same. */
static void
ping_is_answered_beside_raw_sockets(void)
{
	struct pair p;
	char buf[200];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 4, .workers = 2});
	fa = raw_socket(p.a, AF_INET, IPPROTO_ICMP);
	fb = raw_socket(p.b, AF_INET, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET, buf, make_echo(buf, 77, 32)), 40);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), 60);
	CU_ASSERT_EQUAL(((struct icmphdr *)(buf + 20))->type, ICMP_ECHO);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 60);
	CU_ASSERT_EQUAL(((struct icmphdr *)(buf + 20))->type, ICMP_ECHOREPLY);
	CU_ASSERT_EQUAL(((struct icmphdr *)(buf + 20))->un.echo.id, 77);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
icmp_filter_keeps_types_out(void)
{
	const uint32_t block_echo = 1u << ICMP_ECHO;
	struct pair p;
	uint32_t got = 0;
	socklen_t len = sizeof(got);
	char buf[200];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 5});
	fa = raw_socket(p.a, AF_INET, IPPROTO_ICMP);
	fb = raw_socket(p.b, AF_INET, IPPROTO_ICMP);
	set_int(p.b, fb, SOL_RAW, 1, (int)block_echo, 0);
	CU_ASSERT_EQUAL(weir_getsockopt(p.b, fb, SOL_RAW, 1, &got, &len), 0);
	CU_ASSERT_EQUAL(got, block_echo);
	send_to(p.a, fa, 'b', AF_INET, buf, make_echo(buf, 1, 0));
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 28);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	fb = raw_socket(p.b, AF_INET, PROTO);
	set_int(p.b, fb, SOL_RAW, 1, 1, -EOPNOTSUPP);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* RFC 3542 3.1, 3.2: the checksum of ICMPv6 is made by the stack; types are filtered. */
static void
icmp6_has_its_checksum_made_and_its_types_filtered(void)
{
	struct icmp6_hdr echo = {.icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_id = 5};
	struct icmp6_filter only_replies;
	struct icmp6_hdr got;
	struct pair p;
	int fa;

	pair_open(&p, &(struct pair_conf){.seed = 6, .workers = 2});
	fa = raw_socket(p.a, AF_INET6, IPPROTO_ICMPV6);
	ICMP6_FILTER_SETBLOCKALL(&only_replies);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only_replies);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, IPPROTO_ICMPV6, ICMP6_FILTER, &only_replies,
				sizeof(only_replies)),
		0);
	set_int(p.a, fa, IPPROTO_IPV6, IPV6_CHECKSUM, 4, -EINVAL);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET6, &echo, sizeof(echo)), sizeof(echo));
	pair_pass(&p, 50000); /* neighbour discovery first, which is not seen here */
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, &got, sizeof(got), 0), sizeof(got));
	CU_ASSERT_EQUAL(got.icmp6_type, ICMP6_ECHO_REPLY);
	CU_ASSERT_EQUAL(got.icmp6_id, 5);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, &got, sizeof(got), 0), -EAGAIN);
	weir_close(p.a, fa);
	pair_close(&p);
}

static void
ip6_checksum_is_made_and_checked_where_asked(void)
{
	char data[8] = "abcdefg", buf[100];
	struct pair p;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 7});
	fa = raw_socket(p.a, AF_INET6, PROTO);
	fb = raw_socket(p.b, AF_INET6, PROTO);
	set_int(p.a, fa, IPPROTO_IPV6, IPV6_CHECKSUM, 3, -EINVAL);
	set_int(p.b, fb, IPPROTO_IPV6, IPV6_CHECKSUM, 4, 0);
	send_to(p.a, fa, 'b', AF_INET6, data, sizeof(data));
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN); /* a wrong one */
	set_int(p.a, fa, IPPROTO_IPV6, IPV6_CHECKSUM, 4, 0);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET6, data, 5), -EINVAL); /* no room for it */
	send_to(p.a, fa, 'b', AF_INET6, data, sizeof(data));
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), sizeof(data));
	CU_ASSERT(memcmp(buf, "abcd", 4) == 0 && memcmp(buf + 6, data + 6, 2) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
own_header_is_sent_as_it_is_and_completed(void)
{
	struct {
		struct ip ip;
		char data[4];
	} pkt = {.ip = {.ip_v = 4, .ip_hl = 5, .ip_ttl = 9, .ip_p = PROTO, .ip_tos = 0x40},
		.data = "yes"};
	struct pair p;
	struct ip *got;
	char buf[2000];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 8});
	fa = raw_socket(p.a, AF_INET, IPPROTO_RAW);
	fb = raw_socket(p.b, AF_INET, PROTO);
	pkt.ip.ip_dst.s_addr = inet_addr("10.0.0.2");
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET, &pkt, sizeof(pkt)), sizeof(pkt));
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), sizeof(pkt));
	got = (struct ip *)buf;
	CU_ASSERT_EQUAL(got->ip_ttl, 9);
	CU_ASSERT_EQUAL(got->ip_tos, 0x40);
	CU_ASSERT_EQUAL(got->ip_src.s_addr, inet_addr("10.0.0.1"));
	CU_ASSERT_EQUAL(ntohs(got->ip_len), sizeof(pkt));
	CU_ASSERT_NOT_EQUAL(got->ip_id, 0);
	CU_ASSERT(memcmp(buf + 20, "yes", 4) == 0);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET, &pkt, 19), -EINVAL);
	pkt.ip.ip_hl = 7;
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET, &pkt, sizeof(pkt)), -EINVAL);
	memset(buf, 0, sizeof(buf));
	buf[0] = 0x45;
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', AF_INET, buf, 1501), -EMSGSIZE);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* What comes in fragments is seen whole, with one header that says so. */
static void
fragments_are_seen_as_one(int domain)
{
	const size_t hlen = domain == AF_INET ? 20 : 0;
	static char data[60000], buf[65536];
	struct pair p;
	int fa, fb, f2;

	pair_open(&p, &(struct pair_conf){.seed = 9, .workers = 2});
	fa = raw_socket(p.a, domain, PROTO);
	fb = raw_socket(p.b, domain, PROTO);
	f2 = raw_socket(p.b, domain, PROTO);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 % 251);
	CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', domain, data, sizeof(data)), sizeof(data));
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), (ssize_t)(sizeof(data) + hlen));
	CU_ASSERT(memcmp(buf + hlen, data, sizeof(data)) == 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, f2, buf, sizeof(buf), 0), (ssize_t)(sizeof(data) + hlen));
	CU_ASSERT(memcmp(buf + hlen, data, sizeof(data)) == 0);
	if (domain == AF_INET) {
		CU_ASSERT_EQUAL(ntohs(((struct ip *)buf)->ip_len), sizeof(data) + 20);
		CU_ASSERT_EQUAL(((struct ip *)buf)->ip_off, 0);
		CU_ASSERT_EQUAL(send_to(p.a, fa, 'b', domain, buf, 65516), -EMSGSIZE);
	}
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	weir_close(p.b, f2);
	pair_close(&p);
}

static void
fragments_are_seen_as_one_packet(void)
{
	fragments_are_seen_as_one(AF_INET);
	fragments_are_seen_as_one(AF_INET6);
}

/* UDP and TCP go on as ever; a raw socket of their protocol sees each packet once. */
static void
transports_go_on_beside_raw_sockets(void)
{
	struct sockaddr_storage to;
	const socklen_t len = pair_addr('b', AF_INET, 5000, &to);
	struct pair p;
	char buf[100];
	int fa, fb, raw, raw_tcp, ca, cb;

	pair_open(&p, &(struct pair_conf){.seed = 10, .workers = 3});
	raw = raw_socket(p.b, AF_INET, IPPROTO_UDP);
	raw_tcp = raw_socket(p.b, AF_INET, IPPROTO_TCP);
	fb = weir_socket(p.b, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, fb, (struct sockaddr *)&to, len), 0);
	fa = weir_socket(p.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "u", 1, 0, (struct sockaddr *)&to, len), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), 1);
	CU_ASSERT_EQUAL(weir_recv(p.b, raw, buf, sizeof(buf), 0), 29);
	CU_ASSERT_EQUAL(weir_recv(p.b, raw, buf, sizeof(buf), 0), -EAGAIN);
	pair_connect(&p, AF_INET, 80, &ca, &cb);
	CU_ASSERT(weir_recv(p.b, raw_tcp, buf, sizeof(buf), 0) >= 40); /* SYN, ACK */
	CU_ASSERT(weir_recv(p.b, raw_tcp, buf, sizeof(buf), 0) >= 40);
	CU_ASSERT_EQUAL(weir_recv(p.b, raw_tcp, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(p.a, ca);
	weir_close(p.b, cb);
	pair_pass(&p, 100000);
	weir_close(p.b, raw);
	weir_close(p.b, raw_tcp);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
calls_refuse_what_linux_refuses(void)
{
	struct sockaddr_storage ss;
	struct pair p;
	socklen_t len = sizeof(ss);
	int v, fd;

	pair_open(&p, &(struct pair_conf){.seed = 11});
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_INET, SOCK_RAW, 0), -EPROTONOSUPPORT);
	CU_ASSERT_EQUAL(weir_socket(p.a, AF_INET, SOCK_RAW, 300), -EINVAL);
	fd = raw_socket(p.a, AF_INET, PROTO);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "x", 1, 0), -EDESTADDRREQ);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "x", 1, MSG_OOB, NULL, 0), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(weir_listen(p.a, fd, 1), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(weir_accept(p.a, fd, NULL, NULL, 0), -EOPNOTSUPP);
	pair_addr('b', AF_INET, 0, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, (struct sockaddr *)&ss, sizeof(struct sockaddr_in)),
		-EADDRNOTAVAIL);
	len = pair_addr('b', AF_INET6, 0, &ss);
	CU_ASSERT_EQUAL(
		weir_sendto(p.a, fd, "x", 1, 0, (struct sockaddr *)&ss, len), -EAFNOSUPPORT);
	((struct sockaddr_in *)&ss)->sin_family = AF_INET;
	((struct sockaddr_in *)&ss)->sin_addr.s_addr = INADDR_BROADCAST;
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "x", 1, 0, (struct sockaddr *)&ss, len), -EACCES);
	((struct sockaddr_in *)&ss)->sin_addr.s_addr = inet_addr("10.0.0.255");
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "x", 1, 0, (struct sockaddr *)&ss, len), -EACCES);
	len = sizeof(v);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, SOL_SOCKET, SO_TYPE, &v, &len), 0);
	CU_ASSERT_EQUAL(v, SOCK_RAW);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, SOL_SOCKET, SO_PROTOCOL, &v, &len), 0);
	CU_ASSERT_EQUAL(v, PROTO);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, IPPROTO_IP, IP_HDRINCL, &v, &len), 0);
	CU_ASSERT_EQUAL(v, 0);
	weir_close(p.a, fd);
	fd = raw_socket(p.a, AF_INET6, PROTO);
	len = pair_addr('b', AF_INET6, PROTO + 1, &ss);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "x", 1, 0, (struct sockaddr *)&ss, len), -EINVAL);
	weir_close(p.a, fd);
	fd = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_IP, IP_HDRINCL, &v, sizeof(v)), -ENOPROTOOPT);
	weir_close(p.a, fd);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(any_protocol_over_ip4),
		UNIT(any_protocol_over_ip6),
		UNIT(every_socket_that_matches_gets_a_copy),
		UNIT(a_protocol_without_a_socket_is_unreachable),
		UNIT(ping_is_answered_beside_raw_sockets),
		UNIT(icmp_filter_keeps_types_out),
		UNIT(icmp6_has_its_checksum_made_and_its_types_filtered),
		UNIT(ip6_checksum_is_made_and_checked_where_asked),
		UNIT(own_header_is_sent_as_it_is_and_completed),
		UNIT(fragments_are_seen_as_one_packet),
		UNIT(transports_go_on_beside_raw_sockets),
		UNIT(calls_refuse_what_linux_refuses),
		{0},
	};

	return unit_main("api_raw", tests, true);
}
