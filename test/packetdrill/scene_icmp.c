/* SPDX-License-Identifier: BSD-3-Clause */
/* What routers and hosts say about segments (RFC 9293 3.9.2.2, RFC 5927), and who learns of it. */
#include "scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define QUOTED 8 /* bytes of a segment that a message quotes at least */

static char room[4096];

/* One message in the words of both versions. */
struct message {
	uint8_t type4, code4;
	uint8_t type6, code6;
	int error4, error6; /* 0: it means nothing */
	bool is_hard;
};

static const struct message messages[] = {
	{3, 0, 1, 0, ENETUNREACH, ENETUNREACH, false},
	{3, 1, 1, 3, EHOSTUNREACH, EHOSTUNREACH, false},
	{3, 5, 1, 2, EOPNOTSUPP, EHOSTUNREACH, false},
	{11, 0, 3, 0, EHOSTUNREACH, EHOSTUNREACH, false},
	{11, 1, 3, 1, EHOSTUNREACH, EHOSTUNREACH, false}, {12, 0, 4, 0, EPROTO, EPROTO, false},
	{12, 1, 4, 1, EPROTO, EPROTO, false}, {3, 13, 1, 1, EHOSTUNREACH, EACCES, true},
	{3, 2, 1, 5, ENOPROTOOPT, EACCES, true}, {3, 3, 1, 4, ECONNREFUSED, ECONNREFUSED, true},
	{4, 0, 200, 0, 0, 0, false}, /* source quench (RFC 6633); there is none of IPv6 */
};

#define N_MESSAGES (sizeof(messages) / sizeof(messages[0]))

static void
put16(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static void
put32(uint8_t *to, uint32_t v)
{
	put16(to, v >> 16);
	put16(to + 2, v);
}

/* The IP header of a segment of ours with len bytes of text. @return its length */
static size_t
quote_ip(const struct scene *s, uint8_t *ip, uint32_t len)
{
	if (s->kind == IPV6) {
		ip[0] = 0x60;
		put16(ip + 4, 20 + len);
		ip[6] = IPPROTO_TCP;
		ip[7] = 60;
		inet_pton(AF_INET6, "fd3d:a0b:17d6::1", ip + 8);
		inet_pton(AF_INET6, "2001:db8::1", ip + 24);
		return 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, 40 + len);
	ip[6] = 0x40;
	ip[8] = 60;
	ip[9] = IPPROTO_TCP;
	inet_pton(AF_INET, "192.168.0.1", ip + 12);
	inet_pton(AF_INET, "192.0.2.1", ip + 16);
	return 20;
}

static void
message_in(struct scene *s, const struct message *m, uint32_t mtu, uint32_t seq, uint32_t len)
{
	uint8_t icmp[8 + 40 + QUOTED] = {m->type4, m->code4};
	size_t hlen;

	if (s->kind == IPV6) {
		icmp[0] = m->type6;
		icmp[1] = m->code6;
	}
	put32(icmp + 4, mtu);
	hlen = 8 + quote_ip(s, icmp + 8, len);
	put16(icmp + hlen, s->lport);
	put16(icmp + hlen + 2, s->rport);
	put32(icmp + hlen + 4, s->iss + seq);
	scene_in_ip(s, s->kind == IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp, hlen + QUOTED);
}

static int
error_of(const struct scene *s, const struct message *m)
{
	return s->kind == IPV6 ? m->error6 : m->error4;
}

static int
call(struct scene *s)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);

	s->rport = PORT;
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EINPROGRESS);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S");
	return fd;
}

/* RFC 5461 4: an attempt to connect is ended by soft errors, too. */
static void
told_in_syn_sent(struct scene *s)
{
	for (unsigned int i = 0; i < N_MESSAGES; i++) {
		const int error = error_of(s, &messages[i]), fd = call(s);

		message_in(s, &messages[i], 0, 1, 0); /* quotes what was not sent */
		message_in(s, &messages[i], 0, -1U, 0);
		EQUAL(s, scene_poll(s, fd), 0);
		EQUAL(s, scene_error(s, fd), 0);
		message_in(s, &messages[i], 0, 0, 0);
		EQUAL(s, scene_poll(s, fd),
			error == 0 ? 0 : POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
		EQUAL(s, scene_error(s, fd), error);
		EQUAL(s, scene_error(s, fd), 0);
		EQUAL(s, s->t.close(s->t.context, fd), 0);
		QUIET(s);
	}
}

/* Only hard ones end what is half open; accept() never tells of it. */
static void
told_in_syn_received(struct scene *s)
{
	const int lfd = scene_listen(s);

	scene_set_nonblock(s, lfd, true);
	for (unsigned int i = 0; i < N_MESSAGES; i++) {
		s->rport = (uint16_t)(PEER_PORT + i);
		IN(s, .flags = "S", MSS_1460);
		OUT(s, .flags = "S.", .ack = 1);
		message_in(s, &messages[i], 0, 1, 0);
		message_in(s, &messages[i], 0, 0, 0);
		EQUAL(s, scene_poll(s, lfd), 0);
		IN(s, .flags = ".", .seq = 1, .ack = 1);
		if (messages[i].is_hard) {
			OUT(s, .flags = "R", .seq = 1);
			FAILS(s, s->t.accept(s->t.context, lfd, NULL, NULL), EAGAIN);
		} else {
			CHECK(s, s->t.accept(s->t.context, lfd, NULL, NULL) >= 0);
		}
		QUIET(s);
		EQUAL(s, scene_error(s, lfd), 0);
	}
}

/* No message ends it. SO_ERROR says once what was told, until the path works again. */
static void
told_in_established(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	uint32_t at = 1;

	scene_set_nonblock(s, fd, true);
	for (unsigned int i = 0; i < N_MESSAGES; i++, at += 100) {
		const int error = error_of(s, &messages[i]);

		EQUAL(s, s->t.write(s->t.context, fd, room, 100), 100);
		s->now_us = scene_time(s);
		OUT(s, .flags = "P.", .seq = at, .ack = 1, .len = 100);
		message_in(s, &messages[i], 0, at + 100, 100); /* not under way: before, behind */
		message_in(s, &messages[i], 0, at - 1, 100);
		EQUAL(s, scene_error(s, fd), 0);
		message_in(s, &messages[i], 0, at, 100);
		EQUAL(s, scene_poll(s, fd), POLLOUT);
		FAILS(s, s->t.read(s->t.context, fd, room, 1), EAGAIN);
		EQUAL(s, scene_error(s, fd), error);
		EQUAL(s, scene_error(s, fd), 0);
		message_in(s, &messages[i], 0, at + 99, 100);
		IN(s, .flags = ".", .seq = 1, .ack = at + 100);
		EQUAL(s, scene_error(s, fd), 0);
		QUIET(s);
	}
}

/* A peer that is never heard again: the latest message says why. */
static void
told_before_giving_up(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, s->t.write(s->t.context, fd, room, 10), 10);
	s->now_us = scene_time(s);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10);
	message_in(s, &messages[1], 0, 1, 10);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10, .at_ms = 200);
	scene_wait(s, 410);
	FAILS(s, s->t.read(s->t.context, fd, room, 1), EHOSTUNREACH);
	EQUAL(s, s->t.read(s->t.context, fd, room, 1), 0);
}

/* RFC 1191, RFC 8201: smaller segments at once, and from then on; the application hears nothing. */
static void
too_big(struct scene *s)
{
	static const struct message m = {3, 4, 2, 0, 0, 0};
	const uint32_t mtu = s->kind == IPV6 ? 1280 : 1000;
	const uint32_t mss = mtu - (s->kind == IPV6 ? 60 : 40), old = scene_mss(s);
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, s->t.write(s->t.context, fd, room, old), old);
	s->now_us = scene_time(s);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = old);
	message_in(s, &m, mtu, 1 + old, old); /* not under way */
	QUIET(s);
	message_in(s, &m, mtu, 1, old);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = mss);
	OUT(s, .flags = "P.", .seq = 1 + mss, .ack = 1, .len = old - mss);
	EQUAL(s, scene_error(s, fd), 0);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + old);
	EQUAL(s, s->t.write(s->t.context, fd, room, old), old);
	s->now_us = scene_time(s);
	OUT(s, .flags = ".", .seq = 1 + old, .ack = 1, .len = mss);
}

const struct scene_entry scenes_icmp[] = {
	SCENE(told_in_syn_sent),
	SCENE(told_in_syn_received),
	SCENE(told_in_established),
	SCENE(told_before_giving_up, "data_retries=1"),
	SCENE(too_big),
	{NULL},
};
