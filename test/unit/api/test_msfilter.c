/* SPDX-License-Identifier: BSD-3-Clause */
/* IP_MSFILTER and MCAST_MSFILTER (RFC 3678): what is set is got, and lets in whom it should. */
#include <arpa/inet.h>
#include <errno.h>

#include "pair.h"

#define GROUP "239.1.2.3"
#define MAX   17

union filter4 {
	struct ip_msfilter f;
	uint8_t room[IP_MSFILTER_SIZE(MAX)];
};

union filter {
	struct group_filter f;
	uint8_t room[GROUP_FILTER_SIZE(MAX)];
};

static int
member(struct weir_stack *st, bool is_joined)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5000)};
	const struct ip_mreq r = {.imr_multiaddr.s_addr = inet_addr(GROUP)};
	const int fd = weir_socket(st, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	if (is_joined)
		CU_ASSERT_EQUAL(
			weir_setsockopt(st, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)), 0);
	return fd;
}

static int
set4(struct weir_stack *st, int fd, uint32_t mode, uint32_t n, const char *first)
{
	union filter4 u = {.f = {.imsf_multiaddr.s_addr = inet_addr(GROUP),
				   .imsf_fmode = mode,
				   .imsf_numsrc = n}};

	struct in_addr *const list = u.f.imsf_slist; /* longer than its declaration says */

	for (uint32_t i = 0; i < n && i < MAX; i++)
		list[i].s_addr = htonl(ntohl(inet_addr(first)) + i);
	return weir_setsockopt(
		st, fd, IPPROTO_IP, IP_MSFILTER, &u, IP_MSFILTER_SIZE(n < MAX ? n : MAX));
}

static int
get4(struct weir_stack *st, int fd, union filter4 *u, uint32_t n, socklen_t *len)
{
	u->f = (struct ip_msfilter){.imsf_multiaddr.s_addr = inet_addr(GROUP), .imsf_numsrc = n};
	return weir_getsockopt(st, fd, IPPROTO_IP, IP_MSFILTER, u, len);
}

/* @return how many of a's datagrams arrive */
static unsigned int
hears(struct pair *p, int fa, int fb)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(5000),
		.sin_addr.s_addr = inet_addr(GROUP)};
	unsigned int n = 0;
	char buf[8];

	CU_ASSERT_EQUAL(
		weir_sendto(p->a, fa, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
	pair_pass(p, 5000);
	while (weir_recv(p->b, fb, buf, sizeof(buf), 0) > 0)
		n++;
	return n;
}

static void
a_filter_lets_in_whom_it_names(void)
{
	struct pair p;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = 2});
	fa = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	fb = member(p.b, true);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(hears(&p, fa, fb), 1);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_EXCLUDE, 2, "10.0.0.1"), 0);
	CU_ASSERT_EQUAL(hears(&p, fa, fb), 0);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_INCLUDE, 2, "10.0.0.1"), 0);
	CU_ASSERT_EQUAL(hears(&p, fa, fb), 1);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_INCLUDE, 2, "10.0.0.8"), 0);
	CU_ASSERT_EQUAL(hears(&p, fa, fb), 0);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_EXCLUDE, 0, "0.0.0.0"), 0);
	CU_ASSERT_EQUAL(hears(&p, fa, fb), 1);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_INCLUDE, 0, "0.0.0.0"), 0); /* leaves */
	pair_pass(&p, 5000000);
	CU_ASSERT_EQUAL(hears(&p, fa, fb), 0);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_INCLUDE, 0, "0.0.0.0"), -EADDRNOTAVAIL);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
what_is_set_is_got_as_far_as_there_is_room(void)
{
	socklen_t len;
	union filter4 u;
	struct pair p;
	int fb;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	fb = member(p.b, true);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_INCLUDE, 3, "10.0.0.1"), 0);
	for (uint32_t room = 0; room < 5; room++) {
		len = sizeof(u);
		memset(&u, 0x5a, sizeof(u));
		CU_ASSERT_EQUAL(get4(p.b, fb, &u, room, &len), 0);
		CU_ASSERT_EQUAL(u.f.imsf_numsrc, 3);
		CU_ASSERT_EQUAL(u.f.imsf_fmode, MCAST_INCLUDE);
		CU_ASSERT_EQUAL(len, IP_MSFILTER_SIZE(room < 3 ? room : 3));
		for (uint32_t i = 0; i < room && i < 3; i++)
			CU_ASSERT_EQUAL((u.f.imsf_slist + i)->s_addr, htonl(0x0a000001 + i));
	}
	len = IP_MSFILTER_SIZE(2); /* he says that he has room for more than he gave */
	CU_ASSERT_EQUAL(get4(p.b, fb, &u, 5, &len), 0);
	CU_ASSERT_EQUAL(len, IP_MSFILTER_SIZE(2));
	len = IP_MSFILTER_SIZE(0) - 1;
	CU_ASSERT_EQUAL(get4(p.b, fb, &u, 5, &len), -EINVAL);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
what_cannot_be_is_refused(void)
{
	union filter4 u = {.f = {.imsf_multiaddr.s_addr = inet_addr("10.0.0.1")}};
	socklen_t len = sizeof(u);
	struct pair p;
	int fb;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	fb = member(p.b, false);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_EXCLUDE, 1, "10.0.0.1"), -EINVAL); /* no member */
	CU_ASSERT_EQUAL(get4(p.b, fb, &u, 5, &len), -EADDRNOTAVAIL);
	weir_close(p.b, fb);
	fb = member(p.b, true);
	CU_ASSERT_EQUAL(set4(p.b, fb, 2, 1, "10.0.0.1"), -EINVAL);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_EXCLUDE, 16, "10.0.0.1"), 0);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_EXCLUDE, 17, "10.0.0.1"), -ENOBUFS);
	CU_ASSERT_EQUAL(set4(p.b, fb, MCAST_EXCLUDE, UINT32_MAX, "10.0.0.1"), -ENOBUFS);
	u.f = (struct ip_msfilter){.imsf_multiaddr.s_addr = inet_addr("10.0.0.1")};
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, fb, IPPROTO_IP, IP_MSFILTER, &u, sizeof(u)), -EINVAL);
	u.f.imsf_multiaddr.s_addr = inet_addr(GROUP);
	u.f.imsf_interface.s_addr = inet_addr("10.9.9.9");
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, fb, IPPROTO_IP, IP_MSFILTER, &u, sizeof(u)), -ENODEV);
	u.f.imsf_interface.s_addr = 0;
	u.f.imsf_numsrc = 2;
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, fb, IPPROTO_IP, IP_MSFILTER, &u, IP_MSFILTER_SIZE(1)),
		-EINVAL);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
both_versions_have_the_one_of_any_family(void)
{
	struct sockaddr_in6 group = {.sin6_family = AF_INET6}, source = group;
	struct group_req join = {.gr_interface = 1};
	socklen_t len = sizeof(union filter);
	union filter u = {.f = {.gf_interface = 1, .gf_fmode = MCAST_EXCLUDE, .gf_numsrc = 1}};
	struct pair p;
	int fb;

	pair_open(&p, &(struct pair_conf){.seed = 4, .workers = 2});
	fb = weir_socket(p.b, AF_INET6, SOCK_DGRAM, 0);
	inet_pton(AF_INET6, "ff15::77", &group.sin6_addr);
	inet_pton(AF_INET6, "fd00::9", &source.sin6_addr);
	memcpy(&join.gr_group, &group, sizeof(group));
	memcpy(&u.f.gf_group, &group, sizeof(group));
	memcpy(&u.f.gf_slist[0], &source, sizeof(source));
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.b, fb, IPPROTO_IPV6, MCAST_JOIN_GROUP, &join, sizeof(join)), 0);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.b, fb, IPPROTO_IPV6, MCAST_MSFILTER, &u, GROUP_FILTER_SIZE(1)),
		0);
	memset(&u.f.gf_slist[0], 0, sizeof(u.f.gf_slist[0]));
	u.f.gf_fmode = MCAST_INCLUDE;
	CU_ASSERT_EQUAL(weir_getsockopt(p.b, fb, IPPROTO_IPV6, MCAST_MSFILTER, &u, &len), 0);
	CU_ASSERT_EQUAL(len, GROUP_FILTER_SIZE(1));
	CU_ASSERT_EQUAL(u.f.gf_fmode, MCAST_EXCLUDE);
	CU_ASSERT_EQUAL(u.f.gf_numsrc, 1);
	CU_ASSERT_EQUAL(memcmp(&u.f.gf_slist[0], &source, sizeof(source)), 0);
	u.f.gf_slist[0].ss_family = AF_INET; /* not of the group's family */
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.b, fb, IPPROTO_IPV6, MCAST_MSFILTER, &u, GROUP_FILTER_SIZE(1)),
		-EINVAL);
	u.f.gf_interface = 77;
	u.f.gf_numsrc = 0;
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.b, fb, IPPROTO_IPV6, MCAST_MSFILTER, &u, GROUP_FILTER_SIZE(0)),
		-ENODEV);
	weir_close(p.b, fb);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_filter_lets_in_whom_it_names),
		UNIT(what_is_set_is_got_as_far_as_there_is_room),
		UNIT(what_cannot_be_is_refused),
		UNIT(both_versions_have_the_one_of_any_family),
		{0},
	};

	return unit_main("api_msfilter", tests, true);
}
