/* SPDX-License-Identifier: BSD-3-Clause */
/* Multicast and broadcast between two stacks. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>

#include "pair.h"

#define GROUP4 "239.1.2.3"

static int
dgram_socket(struct weir_stack *st, int domain, uint16_t port)
{
	const int fd = weir_socket(st, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0), one = 1;
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	CU_ASSERT_FATAL(fd >= 0);
	weir_setsockopt(st, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (port == 0)
		return fd;
	CU_ASSERT_EQUAL(domain == AF_INET ? weir_bind(st, fd, (struct sockaddr *)&in, sizeof(in))
					  : weir_bind(st, fd, (struct sockaddr *)&in6, sizeof(in6)),
		0);
	return fd;
}

static void
close_three(struct pair *p, int fa, int fb, int fc)
{
	weir_close(p->a, fa);
	weir_close(p->b, fb);
	weir_close(p->b, fc);
	pair_close(p);
}

static int
group4(struct weir_stack *st, int fd, int name)
{
	const struct ip_mreq r = {.imr_multiaddr.s_addr = inet_addr(GROUP4)};

	return weir_setsockopt(st, fd, IPPROTO_IP, name, &r, sizeof(r));
}

static int
source4(struct weir_stack *st, int fd, int name, const char *source)
{
	const struct ip_mreq_source r = {.imr_multiaddr.s_addr = inet_addr(GROUP4),
		.imr_sourceaddr.s_addr = inet_addr(source)};

	return weir_setsockopt(st, fd, IPPROTO_IP, name, &r, sizeof(r));
}

static void
send4(struct weir_stack *st, int fd, const char *to, uint16_t port, ssize_t rc)
{
	const struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(to)};

	CU_ASSERT_EQUAL(
		weir_sendto(st, fd, "x", 1, 0, (const struct sockaddr *)&in, sizeof(in)), rc);
}

/* Datagrams that wait, now read. */
static unsigned int
got(struct weir_stack *st, int fd)
{
	unsigned int n = 0;
	char buf[64];

	while (weir_recv(st, fd, buf, sizeof(buf), 0) >= 0)
		n++;
	return n;
}

static void
every_member_gets_a_datagram_once(void)
{
	for (unsigned int workers = 1; workers <= 3; workers += 2) {
		struct pair p;
		int fa, fb[3];

		pair_open(&p, &(struct pair_conf){.seed = 1, .workers = workers});
		for (unsigned int i = 0; i < 3; i++)
			fb[i] = dgram_socket(p.b, i == 2 ? AF_INET6 : AF_INET, 5000);
		CU_ASSERT_EQUAL(group4(p.b, fb[0], IP_ADD_MEMBERSHIP), 0);
		CU_ASSERT_EQUAL(group4(p.b, fb[1], IP_ADD_MEMBERSHIP), 0);
		CU_ASSERT_EQUAL(group4(p.b, fb[1], IP_ADD_MEMBERSHIP), -EADDRINUSE);
		fa = dgram_socket(p.a, AF_INET, 0);
		pair_pass(&p, 1000);
		send4(p.a, fa, GROUP4, 5000, 1);
		pair_pass(&p, 5000);
		CU_ASSERT_EQUAL(got(p.b, fb[0]), 1);
		CU_ASSERT_EQUAL(got(p.b, fb[1]), 1);
		CU_ASSERT_EQUAL(got(p.b, fb[2]), 1); /* IP_MULTICAST_ALL: no member, but bound */
		CU_ASSERT_EQUAL(group4(p.b, fb[0], IP_DROP_MEMBERSHIP), 0);
		CU_ASSERT_EQUAL(group4(p.b, fb[0], IP_DROP_MEMBERSHIP), -EADDRNOTAVAIL);
		weir_close(p.b, fb[1]);
		pair_pass(&p, 5000);
		send4(p.a, fa, GROUP4, 5000, 1);
		pair_pass(&p, 5000);
		CU_ASSERT_EQUAL(got(p.b, fb[0]), 0); /* the interface has left it */
		weir_close(p.a, fa);
		weir_close(p.b, fb[0]);
		weir_close(p.b, fb[2]);
		pair_close(&p);
	}
}

static void
sources_are_filtered_for_each_socket(void)
{
	struct pair p;
	int fa, fb[3];

	pair_open(&p, &(struct pair_conf){.seed = 2, .workers = 2});
	for (unsigned int i = 0; i < 3; i++)
		fb[i] = dgram_socket(p.b, AF_INET, 5000);
	CU_ASSERT_EQUAL(source4(p.b, fb[0], IP_ADD_SOURCE_MEMBERSHIP, "10.0.0.1"), 0);
	CU_ASSERT_EQUAL(source4(p.b, fb[1], IP_ADD_SOURCE_MEMBERSHIP, "10.0.0.9"), 0);
	CU_ASSERT_EQUAL(source4(p.b, fb[2], IP_BLOCK_SOURCE, "10.0.0.1"), -EINVAL);
	CU_ASSERT_EQUAL(group4(p.b, fb[2], IP_ADD_MEMBERSHIP), 0);
	CU_ASSERT_EQUAL(source4(p.b, fb[2], IP_BLOCK_SOURCE, "10.0.0.1"), 0);
	fa = dgram_socket(p.a, AF_INET, 0);
	pair_pass(&p, 1000);
	send4(p.a, fa, GROUP4, 5000, 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(got(p.b, fb[0]), 1);
	CU_ASSERT_EQUAL(got(p.b, fb[1]), 0);
	CU_ASSERT_EQUAL(got(p.b, fb[2]), 0);
	CU_ASSERT_EQUAL(source4(p.b, fb[2], IP_UNBLOCK_SOURCE, "10.0.0.1"), 0);
	send4(p.a, fa, GROUP4, 5000, 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(got(p.b, fb[2]), 1);
	weir_close(p.a, fa);
	for (unsigned int i = 0; i < 3; i++)
		weir_close(p.b, fb[i]);
	pair_close(&p);
}

static void
own_members_hear_it_unless_loop_is_off(void)
{
	const int off = 0;
	struct pair p;
	int fa, member;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	member = dgram_socket(p.a, AF_INET, 5000);
	CU_ASSERT_EQUAL(group4(p.a, member, IP_ADD_MEMBERSHIP), 0);
	fa = dgram_socket(p.a, AF_INET, 0);
	send4(p.a, fa, GROUP4, 5000, 1);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(got(p.a, member), 1);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, IPPROTO_IP, IP_MULTICAST_LOOP, &off, 1), 0);
	send4(p.a, fa, GROUP4, 5000, 1);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(got(p.a, member), 0);
	weir_close(p.a, fa);
	weir_close(p.a, member);
	pair_close(&p);
}

static void
groups_of_ip6(void)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(5000)};
	struct group_req g = {.gr_interface = 1};
	struct ipv6_mreq r = {.ipv6mr_interface = 1};
	struct pair p;
	int fa, fb, fc;

	pair_open(&p, &(struct pair_conf){.seed = 4, .workers = 2});
	inet_pton(AF_INET6, "ff15::77", &to.sin6_addr);
	r.ipv6mr_multiaddr = to.sin6_addr;
	memcpy(&g.gr_group, &to, sizeof(to));
	fb = dgram_socket(p.b, AF_INET6, 5000);
	fc = dgram_socket(p.b, AF_INET6, 5000);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.b, fb, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &r, sizeof(r)), 0);
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, fc, IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof(g)), 0);
	fa = dgram_socket(p.a, AF_INET6, 0);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fa, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(got(p.b, fb), 1);
	CU_ASSERT_EQUAL(got(p.b, fc), 1);
	close_three(&p, fa, fb, fc);
}

static void
broadcast_needs_to_be_asked_for(void)
{
	static const char *const all[] = {"255.255.255.255", "10.0.0.255"};
	const int one = 1;
	struct pair p;
	int fa, fb, fc;

	pair_open(&p, &(struct pair_conf){.seed = 5, .workers = 2});
	fb = dgram_socket(p.b, AF_INET, 5000);
	fc = dgram_socket(p.b, AF_INET, 5000);
	fa = dgram_socket(p.a, AF_INET, 0);
	for (unsigned int i = 0; i < 2; i++)
		send4(p.a, fa, all[i], 5000, -EACCES);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, SOL_SOCKET, SO_SENDDATAIF, "nobody", 6), -ENODEV);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, SOL_SOCKET, SO_SENDDATAIF, p.a->conf.ports[0].name,
				strlen(p.a->conf.ports[0].name)),
		0);
	for (unsigned int i = 0; i < 2; i++) {
		send4(p.a, fa, all[i], 5000, 1);
		pair_pass(&p, 5000);
		CU_ASSERT_EQUAL(got(p.b, fb), 1);
		CU_ASSERT_EQUAL(got(p.b, fc), 1);
	}
	close_three(&p, fa, fb, fc);
}

/* A router on b: a raw socket that takes IGMP, but not its own. */
static int
igmp_socket(const struct pair *p)
{
	const struct ip_mreq routers = {.imr_multiaddr.s_addr = inet_addr("224.0.0.22")};
	const int raw = weir_socket(p->b, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_IGMP);
	const int off = 0; /* or b would answer itself, and a keep silent for it */

	weir_setsockopt(p->b, raw, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off));
	CU_ASSERT_EQUAL(weir_setsockopt(p->b, raw, IPPROTO_IP, IP_ADD_MEMBERSHIP, &routers,
				sizeof(routers)),
		0);
	return raw;
}

/* The next report of a. @return its length without the IP header; 0: none */
static size_t
next_report(const struct pair *p, int raw, unsigned char buf[200])
{
	ssize_t n;

	while ((n = weir_recv(p->b, raw, buf, 200, 0)) > 0)
		if (((struct ip *)buf)->ip_src.s_addr == inet_addr("10.0.0.1"))
			return (size_t)n - 24;
	return 0;
}

static void
ask(const struct pair *p, int raw, const unsigned char *query, size_t len, const char *to)
{
	const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(to)};

	CU_ASSERT_EQUAL(
		weir_sendto(p->b, raw, query, len, 0, (const struct sockaddr *)&in, sizeof(in)),
		(ssize_t)len);
}

/* RFC 3376 4, 5.1: two reports of a join and of a leave, seen by a raw socket of the peer. */
static void
routers_are_told_of_groups(void)
{
	unsigned char buf[200];
	unsigned int n = 0;
	struct pair p;
	int fa, raw;

	pair_open(&p, &(struct pair_conf){.seed = 6, .workers = 2});
	raw = igmp_socket(&p);
	pair_pass(&p, 100000);
	got(p.b, raw);
	fa = dgram_socket(p.a, AF_INET, 0);
	CU_ASSERT_EQUAL(group4(p.a, fa, IP_ADD_MEMBERSHIP), 0);
	pair_pass(&p, 3000000);
	weir_close(p.a, fa);
	pair_pass(&p, 3000000);
	while (next_report(&p, raw, buf) > 0) {
		const unsigned char *igmp = buf + 24;
		const in_addr_t group = inet_addr(GROUP4);

		CU_ASSERT_EQUAL(buf[0], 0x46);
		CU_ASSERT_EQUAL(buf[8], 1);
		CU_ASSERT_EQUAL(buf[20], 0x94); /* router alert */
		CU_ASSERT_EQUAL(igmp[0], 0x22);
		CU_ASSERT_EQUAL(igmp[7], 1);
		CU_ASSERT_EQUAL(igmp[8], n < 2 ? 4 : 3); /* TO_EX, then TO_IN */
		CU_ASSERT(memcmp(igmp + 12, &group, 4) == 0);
		n++;
	}
	CU_ASSERT_EQUAL(n, 4);
	weir_close(p.b, raw);
	pair_close(&p);
}

/* RFC 3376 5.2, 7.2.1: a query is answered, in the words of the querier's version. */
static void
queries_are_answered(void)
{
	const unsigned char v3[] = {0x11, 10, 0xec, 0xf5, 0, 0, 0, 0, 2, 0, 0, 0}; /* within 1 s */
	const unsigned char v2[] = {0x11, 10, 0xee, 0xf5, 0, 0, 0, 0};
	unsigned char buf[200];
	struct pair p;
	int fa, raw;

	pair_open(&p, &(struct pair_conf){.seed = 7, .workers = 2});
	raw = igmp_socket(&p);
	CU_ASSERT_EQUAL(group4(p.b, raw, IP_ADD_MEMBERSHIP), 0);
	fa = dgram_socket(p.a, AF_INET, 0);
	CU_ASSERT_EQUAL(group4(p.a, fa, IP_ADD_MEMBERSHIP), 0);
	pair_pass(&p, 5000000);
	for (unsigned int round = 0; round < 2; round++) {
		unsigned int n = 0;

		got(p.b, raw);
		ask(&p, raw, round == 0 ? v3 : v2, round == 0 ? sizeof(v3) : sizeof(v2),
			"224.0.0.1");
		pair_pass(&p, 1500000);
		while (next_report(&p, raw, buf) > 0) {
			CU_ASSERT_EQUAL(buf[24], round == 0 ? 0x22 : 0x16);
			n++;
		}
		CU_ASSERT_EQUAL(n, 1);
	}
	CU_ASSERT_EQUAL(p.a->workers[0]->core.fates[WEIR_FATE_drop_igmp_bad], 0);
	weir_close(p.a, fa);
	weir_close(p.b, raw);
	pair_close(&p);
}

static void
ask_about(const struct pair *p, int raw, const char *source)
{
	unsigned char v3[16] = {0x11, 10, [8] = 2, [11] = 1};
	const in_addr_t group = inet_addr(GROUP4), s = inet_addr(source);
	uint32_t sum = 0;

	memcpy(v3 + 4, &group, sizeof(group));
	memcpy(v3 + 12, &s, sizeof(s));
	for (unsigned int i = 0; i < sizeof(v3); i += 2)
		sum += (uint32_t)v3[i] << 8 | v3[i + 1];
	sum = ~(sum + (sum >> 16)) & 0xffff;
	v3[2] = (unsigned char)(sum >> 8);
	v3[3] = (unsigned char)sum;
	ask(p, raw, v3, sizeof(v3), GROUP4);
}

/* RFC 3376 5.2: of the sources asked about those that are wanted; silence when none is. */
static void
sources_are_asked_about(void)
{
	const in_addr_t other = inet_addr("10.0.0.78");
	const struct ip_mreq second = {.imr_multiaddr.s_addr = inet_addr("239.9.9.9")};
	unsigned char buf[200];
	struct pair p;
	int fa, raw;

	pair_open(&p, &(struct pair_conf){.seed = 8});
	raw = igmp_socket(&p);
	CU_ASSERT_EQUAL(group4(p.b, raw, IP_ADD_MEMBERSHIP), 0);
	fa = dgram_socket(p.a, AF_INET, 0);
	CU_ASSERT_EQUAL(group4(p.a, fa, IP_ADD_MEMBERSHIP), 0);
	CU_ASSERT_EQUAL(source4(p.a, fa, IP_BLOCK_SOURCE, "10.0.0.77"), 0);
	pair_pass(&p, 5000000);
	got(p.b, raw);
	ask_about(&p, raw, "10.0.0.77");
	pair_pass(&p, 1500000);
	CU_ASSERT_EQUAL(next_report(&p, raw, buf), 0);
	ask_about(&p, raw, "10.0.0.78");
	pair_pass(&p, 10);
	/* another group's news do not make it forget the question */
	weir_setsockopt(p.a, fa, IPPROTO_IP, IP_ADD_MEMBERSHIP, &second, sizeof(second));
	pair_pass(&p, 1500000);
	do {
		CU_ASSERT_FATAL(next_report(&p, raw, buf) > 0);
	} while (buf[24 + 8] != 1); /* MODE_IS_INCLUDE */
	CU_ASSERT_EQUAL(buf[24 + 11], 1);
	CU_ASSERT(memcmp(buf + 24 + 16, &other, sizeof(other)) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, raw);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(every_member_gets_a_datagram_once),
		UNIT(sources_are_filtered_for_each_socket),
		UNIT(own_members_hear_it_unless_loop_is_off),
		UNIT(groups_of_ip6),
		UNIT(broadcast_needs_to_be_asked_for),
		UNIT(routers_are_told_of_groups),
		UNIT(queries_are_answered),
		UNIT(sources_are_asked_about),
		{0},
	};

	return unit_main("api_mcast", tests, true);
}
