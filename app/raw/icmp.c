/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>

#include "raw.h"

/* Types of ICMPv4 (RFC 792); its headers do not go with those of ICMPv6. */
enum { ECHO_REPLY = 0, UNREACHABLE = 3, ECHO_REQUEST = 8, TIME_EXCEEDED = 11, PARAMETER = 12 };

#define FILTER_OPT 1 /* ICMP_FILTER */

static int
set_filter(struct weir_stack *st, int fd, int domain)
{
	const uint32_t blocked =
		~(1u << ECHO_REPLY | 1u << UNREACHABLE | 1u << TIME_EXCEEDED | 1u << PARAMETER);
	struct icmp6_filter f;

	if (domain == AF_INET)
		return weir_setsockopt(st, fd, SOL_RAW, FILTER_OPT, &blocked, sizeof(blocked));
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	for (int type = ICMP6_DST_UNREACH; type <= ICMP6_PARAM_PROB; type++)
		ICMP6_FILTER_SETPASS(type, &f);
	return weir_setsockopt(st, fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f));
}

int
raw_icmp_open(struct weir_stack *st, int domain)
{
	const int proto = domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const int fd = weir_socket(st, domain, SOCK_RAW | SOCK_NONBLOCK, proto);
	const int on = 1;
	int rc = fd < 0 ? fd : set_filter(st, fd, domain);

	if (rc == 0 && domain == AF_INET6)
		rc = weir_setsockopt(st, fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
	if (rc == 0)
		return fd;
	fprintf(stderr, "raw socket: %s\n", strerror(-rc));
	if (fd >= 0)
		weir_close(st, fd);
	return rc;
}

/* RFC 1071 */
static uint16_t
checksum(const uint8_t *b, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void
put16(uint8_t *b, uint16_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static uint16_t
get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

/* The checksum of ICMPv6 is made by the stack (RFC 3542 3.1). */
ssize_t
raw_echo_send(struct weir_stack *st, int fd, const struct raw_host *to, uint8_t *buf, size_t len,
	uint16_t id, uint16_t seq)
{
	buf[0] = to->domain == AF_INET ? ECHO_REQUEST : ICMP6_ECHO_REQUEST;
	buf[1] = 0;
	put16(buf + 2, 0);
	put16(buf + 4, id);
	put16(buf + 6, seq);
	if (to->domain == AF_INET)
		put16(buf + 2, checksum(buf, len));
	return weir_sendto(st, fd, buf, len, 0, &to->addr.sa, to->len);
}

static enum raw_kind
kind_of(int domain, uint8_t type)
{
	const bool is4 = domain == AF_INET;

	if (type == (is4 ? ECHO_REPLY : ICMP6_ECHO_REPLY))
		return RAW_ECHO_REPLY;
	if (type == (is4 ? UNREACHABLE : ICMP6_DST_UNREACH))
		return RAW_UNREACHABLE;
	if (type == (is4 ? TIME_EXCEEDED : ICMP6_TIME_EXCEEDED))
		return RAW_TIME_EXCEEDED;
	if (is4 ? type == PARAMETER : type == ICMP6_PACKET_TOO_BIG || type == ICMP6_PARAM_PROB)
		return RAW_ERROR;
	return RAW_OTHER;
}

static void
name_host(struct raw_host *h)
{
	h->domain = h->addr.sa.sa_family;
	h->len = h->domain == AF_INET ? sizeof(h->addr.v4) : sizeof(h->addr.v6);
	inet_ntop(h->domain,
		h->domain == AF_INET ? (void *)&h->addr.v4.sin_addr : (void *)&h->addr.v6.sin6_addr,
		h->text, sizeof(h->text));
}

/* The IP header of the packet told of. @return its length; 0: not whole */
static size_t
read_quoted_ip(struct raw_icmp *m, int domain, const uint8_t *b, size_t len)
{
	struct ip ip;
	struct ip6_hdr ip6;

	memset(&m->about, 0, sizeof(m->about));
	m->about.addr.sa.sa_family = (sa_family_t)domain;
	if (len < (domain == AF_INET ? sizeof(ip) : sizeof(ip6)))
		return 0;
	if (domain == AF_INET) {
		memcpy(&ip, b, sizeof(ip));
		m->proto = ip.ip_p;
		m->about.addr.v4.sin_addr = ip.ip_dst;
	} else {
		memcpy(&ip6, b, sizeof(ip6));
		m->proto = ip6.ip6_nxt;
		m->about.addr.v6.sin6_addr = ip6.ip6_dst;
	}
	name_host(&m->about);
	return domain == AF_INET ? ip.ip_hl * 4u : sizeof(ip6);
}

/* @return whether what the error tells of can be known */
static bool
read_quoted(struct raw_icmp *m, int domain, const uint8_t *b, size_t len)
{
	const size_t hlen = read_quoted_ip(m, domain, b, len);

	if (hlen == 0 || hlen + 8 > len)
		return false;
	m->port = get16(b + hlen + 2);
	m->id = get16(b + hlen + 4);
	m->seq = get16(b + hlen + 6);
	return true;
}

static enum raw_kind
parse(struct raw_icmp *m, int domain, const uint8_t *b, size_t len)
{
	enum raw_kind kind;

	if (len < RAW_ICMP_HLEN || (domain == AF_INET && checksum(b, len) != 0))
		return RAW_OTHER;
	kind = kind_of(domain, b[0]);
	m->type = b[0];
	m->code = b[1];
	m->id = get16(b + 4);
	m->seq = get16(b + 6);
	m->proto = 0;
	m->data = b + RAW_ICMP_HLEN;
	m->len = len - RAW_ICMP_HLEN;
	if (kind > RAW_ECHO_REPLY && !read_quoted(m, domain, m->data, m->len))
		return RAW_OTHER;
	return kind;
}

static int
hop_limit(struct msghdr *msg)
{
	int ttl = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	return ttl;
}

/* From the error queue. Errors that ICMP told are there as well; their messages come as others. */
static enum raw_kind
take_refusal(struct weir_stack *st, int fd, struct raw_icmp *m)
{
	union {
		char room[256];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_control = &control, .msg_controllen = sizeof(control)};
	struct sock_extended_err e = {0};
	const ssize_t n = weir_recvmsg(st, fd, &msg, MSG_ERRQUEUE);

	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c != NULL;
		c = CMSG_NXTHDR(&msg, c))
		memcpy(&e, CMSG_DATA(c), sizeof(e));
	m->mtu = e.ee_info;
	return e.ee_origin == SO_EE_ORIGIN_LOCAL ? RAW_TOO_LONG : RAW_OTHER;
}

enum raw_kind
raw_icmp_take(struct weir_stack *st, int fd, int domain, uint8_t *buf, struct raw_icmp *m)
{
	struct iovec iov = {buf, RAW_LEN_MAX};
	char control[256];
	struct msghdr msg = {.msg_name = &m->from.addr,
		.msg_namelen = sizeof(m->from.addr),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	const ssize_t n = weir_recvmsg(st, fd, &msg, 0);
	size_t hlen = 0;

	if (n < 0)
		return take_refusal(st, fd, m);
	if (n == 0 || (domain == AF_INET && n < (ssize_t)sizeof(struct ip)))
		return RAW_OTHER;
	name_host(&m->from);
	m->ttl = domain == AF_INET ? buf[8] : hop_limit(&msg);
	if (domain == AF_INET) /* the header comes first */
		hlen = (buf[0] & 15u) * 4;
	return hlen > (size_t)n ? RAW_OTHER : parse(m, domain, buf + hlen, (size_t)n - hlen);
}

const char *
raw_icmp_text(int domain, const struct raw_icmp *m)
{
	static const char *const v4[] = {"Destination Net Unreachable",
		"Destination Host Unreachable", "Destination Protocol Unreachable",
		"Destination Port Unreachable", "Fragmentation needed"};
	static const char *const v6[] = {"No route", "Administratively prohibited",
		"Beyond scope of source address", "Address unreachable", "Port unreachable"};
	const enum raw_kind kind = kind_of(domain, m->type);

	if (kind == RAW_TIME_EXCEEDED)
		return m->code == 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
	if (kind == RAW_UNREACHABLE && m->code < 5)
		return domain == AF_INET ? v4[m->code] : v6[m->code];
	if (kind == RAW_UNREACHABLE)
		return "Destination unreachable";
	return domain == AF_INET6 && m->type == ICMP6_PACKET_TOO_BIG ? "Packet too big"
								     : "Parameter problem";
}
