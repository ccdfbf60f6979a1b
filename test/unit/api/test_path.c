/* SPDX-License-Identifier: BSD-3-Clause */
/* Path MTUs of UDP and raw sockets over IPv6, what sockets ask of them, and errors of raw sockets.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <time.h>

#include <linux/errqueue.h>

#include "pair.h"

#define PORT  5000
#define PROTO 200 /* of the raw sockets */

static struct pair p;
static int peer; /* of b, that nobody is refused */
static char data[4000];

struct got {
	ssize_t n;
	char bytes[256];
	bool has_err;
	struct sock_extended_err err;
	struct sockaddr_in6 offender;
	struct ip6_mtuinfo info;
	struct sockaddr_in6 from;
};

static void
take_cmsg(struct got *g, const struct cmsghdr *c)
{
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR) {
		g->has_err = true;
		memcpy(&g->err, CMSG_DATA(c), sizeof(g->err));
		memcpy(&g->offender, CMSG_DATA(c) + sizeof(g->err), sizeof(g->offender));
	}
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
		g->has_err = true;
		memcpy(&g->err, CMSG_DATA(c), sizeof(g->err));
	}
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PATHMTU)
		memcpy(&g->info, CMSG_DATA(c), sizeof(g->info));
}

static ssize_t
get(int fd, int flags, struct got *g)
{
	union {
		char room[256];
		struct cmsghdr align;
	} control;
	struct iovec iov = {g->bytes, sizeof(g->bytes)};
	struct msghdr msg = {.msg_name = &g->from,
		.msg_namelen = sizeof(g->from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memset(g, 0, sizeof(*g));
	g->n = weir_recvmsg(p.a, fd, &msg, flags);
	for (struct cmsghdr *c = g->n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c != NULL;
		c = CMSG_NXTHDR(&msg, c))
		take_cmsg(g, c);
	return g->n;
}

static int
set6(int fd, int name, int v)
{
	return weir_setsockopt(p.a, fd, IPPROTO_IPV6, name, &v, sizeof(v));
}

static int
get6(int fd, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);
	const int rc = weir_getsockopt(p.a, fd, IPPROTO_IPV6, name, &v, &len);

	return rc < 0 ? rc : v;
}

/* A pair; a socket of a, connected to b's. */
static int
open_pair(int type)
{
	const uint16_t port = type == SOCK_RAW ? 0 : PORT;
	const int proto = type == SOCK_RAW ? PROTO : 0;
	struct sockaddr_storage ss;
	socklen_t len = pair_addr('a', AF_INET6, port, &ss);
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET6, type | SOCK_NONBLOCK, proto);
	peer = weir_socket(p.b, AF_INET6, type | SOCK_NONBLOCK, proto);
	CU_ASSERT_FATAL(fd >= 0 && peer >= 0);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, (struct sockaddr *)&ss, len), 0);
	len = pair_addr('b', AF_INET6, port, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.b, peer, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void
close_pair(int fd)
{
	weir_close(p.a, fd);
	weir_close(p.b, peer);
	pair_close(&p);
}

static void
put16(uint8_t *b, unsigned int v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* b tells a about a packet of proto, as a router of the path would: RFC 4443 3. */
static void
complain(uint8_t type, uint8_t code, uint32_t rest, uint8_t proto)
{
	const int fd = weir_socket(p.b, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	struct sockaddr_storage a, b;
	const socklen_t len = pair_addr('a', AF_INET6, 0, &a);
	uint8_t m[64] = {type, code, 0, 0, [8] = 0x60, [14] = proto, 64};

	pair_addr('b', AF_INET6, 0, &b);
	put16(m + 4, rest >> 16);
	put16(m + 6, rest & 0xffff);
	put16(m + 12, 16);
	memcpy(m + 16, &((struct sockaddr_in6 *)&a)->sin6_addr, 16);
	memcpy(m + 32, &((struct sockaddr_in6 *)&b)->sin6_addr, 16);
	put16(m + 48, PORT);
	put16(m + 50, PORT);
	put16(m + 52, 16);
	memcpy(m + 56, "the data", 8);
	CU_ASSERT_EQUAL(weir_sendto(p.b, fd, m, sizeof(m), 0, (struct sockaddr *)&a, len),
		(ssize_t)sizeof(m));
	pair_pass(&p, 5000);
	weir_close(p.b, fd);
}

static uint8_t
proto_of(int type)
{
	return type == SOCK_RAW ? PROTO : IPPROTO_UDP;
}

/* What sending so many bytes comes to: the packets it made, or negative errno. */
static int
sends(int fd, size_t bytes)
{
	const struct weir_ip_stats *stats = &p.a->workers[0]->ip.stats;
	const uint64_t frags = stats->frags_sent;
	const ssize_t n = weir_send(p.a, fd, data, bytes, 0);

	pair_pass(&p, 5000);
	if (n < 0)
		return (int)n;
	return stats->frags_sent == frags ? 1 : (int)(stats->frags_sent - frags);
}

/* ipv6(7) and Linux, by mode: what comes of long datagrams before and after "packet too big". */
static const struct {
	int mode;
	int told_udp; /* the error that a connected socket is told of it */
	int told_raw;
	int mtu;    /* of the path, as known then */
	int sent14; /* 1400 bytes: packets, or the error */
	int sent16; /* 1600 bytes, more than the interface takes */
} modes[] = {
	{IPV6_PMTUDISC_DONT, -EAGAIN, -EAGAIN, 1300, 2, 2},
	{IPV6_PMTUDISC_WANT, -EMSGSIZE, -EAGAIN, 1300, 2, 2},
	{IPV6_PMTUDISC_DO, -EMSGSIZE, -EMSGSIZE, 1300, -EMSGSIZE, -EMSGSIZE},
	{IPV6_PMTUDISC_PROBE, -EMSGSIZE, -EAGAIN, 1300, 1, -EMSGSIZE},
	{IPV6_PMTUDISC_INTERFACE, -EAGAIN, -EAGAIN, 1500, 1, -EMSGSIZE},
	{IPV6_PMTUDISC_OMIT, -EAGAIN, -EAGAIN, 1500, 1, 2},
};

static void
keeps_to_its_mode(int type, unsigned int i)
{
	const int told = type == SOCK_RAW ? modes[i].told_raw : modes[i].told_udp;
	struct got g;
	int fd;

	fd = open_pair(type);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU_DISCOVER, modes[i].mode), 0);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU_DISCOVER), modes[i].mode);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU), 1500);
	CU_ASSERT_EQUAL(sends(fd, 1400), 1);
	complain(ICMP6_PACKET_TOO_BIG, 0, 1300, proto_of(type));
	CU_ASSERT_EQUAL(get(fd, 0, &g), told);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU), modes[i].mtu);
	CU_ASSERT_EQUAL(sends(fd, 1400), modes[i].sent14);
	CU_ASSERT_EQUAL(sends(fd, 1600), modes[i].sent16);
	CU_ASSERT_EQUAL(sends(fd, 1200), 1);
	close_pair(fd);
}

static void
each_mode_goes_by_the_path_as_it_says(void)
{
	for (unsigned int i = 0; i < RTE_DIM(modes); i++) {
		keeps_to_its_mode(SOCK_DGRAM, i);
		keeps_to_its_mode(SOCK_RAW, i);
	}
}

static void
each_version_has_a_mode_of_its_own(void)
{
	int fd, v = IP_PMTUDISC_DO;

	fd = open_pair(SOCK_DGRAM);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, IPPROTO_IP, IP_MTU_DISCOVER, &v, sizeof(v)), 0);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU_DISCOVER, 6), -EINVAL);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU_DISCOVER, -1), -EINVAL);
	close_pair(fd);
}

/* RFC 8201 4: a message that claims less than IPv6 allows; 5.3: what is known grows old. */
static void
no_path_is_narrower_than_ipv6_or_so_for_ever(void)
{
	struct got g;
	int fd;

	fd = open_pair(SOCK_DGRAM);
	complain(ICMP6_PACKET_TOO_BIG, 0, 68, IPPROTO_UDP);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EMSGSIZE);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU), 1280);
	complain(ICMP6_PACKET_TOO_BIG, 0, 1400, IPPROTO_UDP); /* wider: no news */
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU), 1280);
	pair_pass(&p, UINT64_C(700000000));
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU), 1500);
	close_pair(fd);
}

static void
fragments_are_as_short_as_asked(int type)
{
	int fd;

	fd = open_pair(type);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU, 1279), -EINVAL);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU, -1), -EINVAL);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU, 1280), 0);
	CU_ASSERT_EQUAL(get6(fd, IPV6_MTU), 1500); /* that of the path */
	CU_ASSERT_EQUAL(sends(fd, 1300), 2);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO), 0);
	CU_ASSERT_EQUAL(sends(fd, 1300), -EMSGSIZE);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU, 9000), 0); /* more than there is */
	CU_ASSERT_EQUAL(sends(fd, 1300), 1);
	CU_ASSERT_EQUAL(sends(fd, 1600), -EMSGSIZE);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU, 0), 0);
	CU_ASSERT_EQUAL(sends(fd, 1300), 1);
	close_pair(fd);
}

static void
fragments_have_a_length_of_choice(void)
{
	fragments_are_as_short_as_asked(SOCK_DGRAM);
	fragments_are_as_short_as_asked(SOCK_RAW);
}

static ssize_t
send_with_dontfrag(int fd, size_t len, int v)
{
	return pair_send_with(p.a, fd, data, len,
		&(struct pair_cmsg){IPPROTO_IPV6, IPV6_DONTFRAG, sizeof(v), &v});
}

/* RFC 3542 11.2, 11.3 */
static void
is_told_what_would_have_fitted(int type)
{
	struct sockaddr_storage b;
	struct got g;
	int fd;

	pair_addr('b', AF_INET6, 0, &b);
	fd = open_pair(type);
	CU_ASSERT_EQUAL(get6(fd, IPV6_DONTFRAG), 0);
	CU_ASSERT_EQUAL(get6(fd, IPV6_RECVPATHMTU), 0);
	CU_ASSERT_EQUAL(send_with_dontfrag(fd, 2000, 1), -EMSGSIZE);
	CU_ASSERT_EQUAL(send_with_dontfrag(fd, 2000, 2), -EINVAL);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(set6(fd, IPV6_DONTFRAG, 1), 0);
	CU_ASSERT_EQUAL(set6(fd, IPV6_RECVPATHMTU, 1), 0);
	CU_ASSERT_EQUAL(sends(fd, 1400), 1);
	CU_ASSERT_EQUAL(sends(fd, 1600), -EMSGSIZE);
	CU_ASSERT_EQUAL(sends(fd, 1601), -EMSGSIZE); /* the latest alone is told */
	CU_ASSERT_EQUAL(get(fd, 0, &g), 0);
	CU_ASSERT_EQUAL(g.info.ip6m_mtu, 1500);
	CU_ASSERT_EQUAL(g.info.ip6m_addr.sin6_family, AF_INET6);
	CU_ASSERT_EQUAL(
		memcmp(&g.info.ip6m_addr.sin6_addr, &((struct sockaddr_in6 *)&b)->sin6_addr, 16),
		0);
	CU_ASSERT_EQUAL(memcmp(&g.from, &g.info.ip6m_addr, sizeof(g.from)), 0);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(send_with_dontfrag(fd, 2000, 0), 2000);
	complain(ICMP6_PACKET_TOO_BIG, 0, 1300, proto_of(type));
	(void)get(fd, 0, &g); /* the error, if it is told */
	CU_ASSERT_EQUAL(sends(fd, 1400), -EMSGSIZE);
	CU_ASSERT_EQUAL(get(fd, 0, &g), 0);
	CU_ASSERT_EQUAL(g.info.ip6m_mtu, 1300);
	CU_ASSERT_EQUAL(sends(fd, 1400), -EMSGSIZE); /* not read: freed with the socket */
	close_pair(fd);
}

static void
who_forbids_fragments_learns_what_fits(void)
{
	is_told_what_would_have_fitted(SOCK_DGRAM);
	is_told_what_would_have_fitted(SOCK_RAW);
}

static void
the_path_mtu_can_be_asked_for(void)
{
	struct ip6_mtuinfo info;
	socklen_t len = sizeof(info);
	int fd, alone;

	fd = open_pair(SOCK_DGRAM);
	alone = weir_socket(p.a, AF_INET6, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(
		weir_getsockopt(p.a, alone, IPPROTO_IPV6, IPV6_PATHMTU, &info, &len), -ENOTCONN);
	weir_close(p.a, alone);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, IPPROTO_IPV6, IPV6_PATHMTU, &info, &len), 0);
	CU_ASSERT_EQUAL(len, sizeof(info));
	CU_ASSERT_EQUAL(info.ip6m_mtu, 1500);
	close_pair(fd);
}

/* What was too long for here, and what was too long on the way, in the error queue. */
static void
tells_of_width(int type)
{
	struct got g;
	int fd;

	fd = open_pair(type);
	CU_ASSERT_EQUAL(set6(fd, IPV6_RECVERR, 1), 0);
	CU_ASSERT_EQUAL(set6(fd, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO), 0);
	CU_ASSERT_EQUAL(sends(fd, 1600), -EMSGSIZE);
	CU_ASSERT_EQUAL(get(fd, MSG_ERRQUEUE, &g), 0);
	CU_ASSERT_TRUE(g.has_err);
	CU_ASSERT_EQUAL(g.err.ee_origin, SO_EE_ORIGIN_LOCAL);
	CU_ASSERT_EQUAL(g.err.ee_errno, EMSGSIZE);
	CU_ASSERT_EQUAL(g.err.ee_info, 1500);
	complain(ICMP6_PACKET_TOO_BIG, 0, 1300, proto_of(type));
	CU_ASSERT_EQUAL(get(fd, MSG_ERRQUEUE, &g), type == SOCK_RAW ? 16 : 8);
	CU_ASSERT(memcmp(g.bytes + g.n - 8, "the data", 8) == 0);
	CU_ASSERT_EQUAL(g.err.ee_origin, SO_EE_ORIGIN_ICMP6);
	CU_ASSERT_EQUAL(g.err.ee_type, ICMP6_PACKET_TOO_BIG);
	CU_ASSERT_EQUAL(g.err.ee_info, 1300);
	CU_ASSERT_EQUAL(g.offender.sin6_family, AF_INET6);
	close_pair(fd);
}

static void
the_error_queue_has_what_was_too_long(void)
{
	tells_of_width(SOCK_DGRAM);
	tells_of_width(SOCK_RAW);
}

/* raw(7): without asking only the connected are told, and of hard errors. */
static void
raw_sockets_hear_of_errors_as_they_ask(void)
{
	struct got g;
	int fd, alone, hdr, on = 1;

	fd = open_pair(SOCK_RAW);
	alone = weir_socket(p.a, AF_INET6, SOCK_RAW | SOCK_NONBLOCK, PROTO);
	hdr = weir_socket(p.a, AF_INET6, SOCK_RAW | SOCK_NONBLOCK, PROTO);
	CU_ASSERT_EQUAL(set6(hdr, IPV6_RECVERR, 1), 0);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, hdr, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)), 0);
	complain(ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, 0, PROTO);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EACCES);
	CU_ASSERT_EQUAL(get(alone, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(get(hdr, 0, &g), -EACCES);
	CU_ASSERT_EQUAL(get(hdr, MSG_ERRQUEUE, &g), 56); /* its own header, too */
	CU_ASSERT_EQUAL(g.bytes[0], 0x60);
	complain(ICMP6_TIME_EXCEEDED, 0, 0, PROTO); /* soft */
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(get(hdr, 0, &g), -EHOSTUNREACH);
	CU_ASSERT_EQUAL(get(hdr, MSG_ERRQUEUE, &g), 56);
	CU_ASSERT_EQUAL(g.err.ee_type, ICMP6_TIME_EXCEEDED);
	CU_ASSERT_EQUAL(set6(alone, IPV6_RECVERR, 1), 0);
	complain(ICMP6_PARAM_PROB, 0, 40, PROTO);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EPROTO);
	CU_ASSERT_EQUAL(get(alone, 0, &g), -EPROTO);
	CU_ASSERT_EQUAL(get(alone, MSG_ERRQUEUE, &g), 16);
	CU_ASSERT_EQUAL(g.err.ee_info, 40);
	weir_close(p.a, alone);
	weir_close(p.a, hdr);
	close_pair(fd);
}

/* IPv4: b has nobody for the protocol, and says so. */
static void
raw_sockets_hear_of_ipv4_errors_too(void)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 0, &ss);
	struct got g;
	int fd, on = 1;

	pair_open(&p, &(struct pair_conf){.seed = 9});
	fd = weir_socket(p.a, AF_INET, SOCK_RAW | SOCK_NONBLOCK, PROTO);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "hello", 5, 0, (struct sockaddr *)&ss, len), 5);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -EAGAIN);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
	CU_ASSERT_EQUAL(weir_sendto(p.a, fd, "hello", 5, 0, (struct sockaddr *)&ss, len), 5);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(get(fd, 0, &g), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(get(fd, MSG_ERRQUEUE, &g), 5);
	CU_ASSERT_NSTRING_EQUAL(g.bytes, "hello", 5);
	CU_ASSERT_EQUAL(g.err.ee_errno, ENOPROTOOPT);
	CU_ASSERT_EQUAL(g.err.ee_origin, SO_EE_ORIGIN_ICMP);
	weir_close(p.a, fd);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(each_mode_goes_by_the_path_as_it_says),
		UNIT(each_version_has_a_mode_of_its_own),
		UNIT(no_path_is_narrower_than_ipv6_or_so_for_ever),
		UNIT(fragments_have_a_length_of_choice),
		UNIT(who_forbids_fragments_learns_what_fits),
		UNIT(the_path_mtu_can_be_asked_for),
		UNIT(the_error_queue_has_what_was_too_long),
		UNIT(raw_sockets_hear_of_errors_as_they_ask),
		UNIT(raw_sockets_hear_of_ipv4_errors_too),
		{0},
	};

	return unit_main("api_path", tests, true);
}
