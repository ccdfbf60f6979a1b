/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections begin with data (RFC 7413). The knobs let SYNs carry it without a cookie, or not. */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static char room[4096];

static long
open_with(struct scene *s, int fd, size_t len)
{
	struct sockaddr_storage ss;
	const socklen_t n = scene_remote(s, &ss);

	s->rport = PORT;
	return s->t.sendto(s->t.context, fd, room, len, MSG_FASTOPEN, (struct sockaddr *)&ss, n);
}

static long
call_open(struct blocking *b)
{
	return open_with(b->s, b->fd, b->len);
}

static uint32_t
syn_room(const struct scene *s)
{
	return (s->kind == IPV6 ? 1440 : 1460) - 40;
}

static void
cookie_is_asked_for(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);

	FAILS(s, open_with(s, fd, 1000), EINPROGRESS);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S");
	IN(s, .flags = "S.", .ack = 1, .opts = "\x02\x04\x05\xb4\x22\x06\x01\x02\x03\x04\x01\x01",
		.n_opts = 12);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
}

static void
syn_carries_data(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);

	EQUAL(s, open_with(s, fd, 1000), 1000);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S", .len = 1000);
	EQUAL(s, scene_poll(s, fd), 0);
	IN(s, .flags = "S.", .ack = 1001, MSS_1460);
	OUT(s, .flags = ".", .seq = 1001, .ack = 1);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
}

static void
blocking_call_sends_the_rest_with_the_ack(struct scene *s)
{
	struct blocking b = {.s = s,
		.call = call_open,
		.fd = scene_socket(s, SOCK_STREAM),
		.len = syn_room(s) + 500};

	scene_start(&b);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S", .len = syn_room(s));
	IN(s, .flags = "S.", .ack = 1 + syn_room(s), .win = 30000, MSS_1460);
	OUT(s, .flags = "P.", .seq = 1 + syn_room(s), .ack = 1, .len = 500);
	ENDED(&b, (long)syn_room(s) + 500, s->now_us);
}

static void
connect_waits_for_data(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM);
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);

	s->rport = PORT;
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), 0);
	EQUAL(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), 0);
	QUIET(s);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
	scene_set_nonblock(s, fd, true);
	EQUAL(s, s->t.write(s->t.context, fd, room, 100), 100);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S", .len = 100);
}

const struct scene_entry scenes_fastopen[] = {
	SCENE(cookie_is_asked_for),
	SCENE(syn_carries_data, "fastopen=5"),
	SCENE(blocking_call_sends_the_rest_with_the_ack, "fastopen=5"),
	SCENE(connect_waits_for_data, "fastopen=5"),
	{NULL},
};
