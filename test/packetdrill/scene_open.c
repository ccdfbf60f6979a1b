/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections begin. */
#include "scene.h"

#include <errno.h>

static void
passive_open(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, scene_poll(s, fd), POLLOUT);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
}

static void
active_open(struct scene *s)
{
	const int fd = scene_connected(s);
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);

	EQUAL(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), 0); /* how it ended */
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EISCONN);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
}

static int
begin_connect(struct scene *s)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);

	s->rport = PORT;
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EINPROGRESS);
	s->now_us = scene_time(s);
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EALREADY);
	return fd;
}

static void
syn_is_sent_again(struct scene *s)
{
	const int fd = begin_connect(s);

	OUT(s, .flags = "S");
	OUT(s, .flags = "S", .at_ms = 1000);
	OUT(s, .flags = "S", .at_ms = 2000);
	OUT(s, .flags = "S", .at_ms = 4000);
	IN(s, .flags = "S.", .ack = 1, MSS_1460);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
}

static void
connect_gives_up(struct scene *s)
{
	const int fd = begin_connect(s);

	OUT(s, .flags = "S");
	OUT(s, .flags = "S", .at_ms = 1000);
	OUT(s, .flags = "S", .at_ms = 2000);
	EQUAL(s, scene_poll(s, fd), 0);
	scene_wait(s, 4010);
	CHECK(s, scene_poll(s, fd) & POLLERR);
	EQUAL(s, scene_error(s, fd), ETIMEDOUT);
}

static void
synack_is_sent_again(struct scene *s)
{
	const int lfd = scene_listen(s);

	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	OUT(s, .flags = "S.", .ack = 1, .at_ms = 1000);
	OUT(s, .flags = "S.", .ack = 1, .at_ms = 2000);
	EQUAL(s, scene_poll(s, lfd), 0);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, scene_poll(s, lfd), POLLIN);
}

static void
nobody_listens(struct scene *s)
{
	s->lport = PORT;
	s->rport = PEER_PORT;
	s->iss = 0;
	IN(s, .flags = "S");
	OUT(s, .flags = "R.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 77);
	OUT(s, .flags = "R", .seq = 77);
	IN(s, .flags = "R", .seq = 1);
	QUIET(s);
}

static void
refused(struct scene *s)
{
	const int fd = begin_connect(s);

	OUT(s, .flags = "S");
	IN(s, .flags = "R.", .ack = 1);
	CHECK(s, scene_poll(s, fd) & POLLERR);
	EQUAL(s, scene_error(s, fd), ECONNREFUSED);
	EQUAL(s, scene_error(s, fd), 0);
	QUIET(s);
}

static void
simultaneous_open(struct scene *s)
{
	const int fd = begin_connect(s);

	OUT(s, .flags = "S");
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = "S.", .seq = 0, .ack = 1, MSS_1460);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
	EQUAL(s, s->t.write(s->t.context, fd, "", 1), 1);
	s->now_us = scene_time(s);
}

/* The order of options that scripts are written for. */
static void
syn_options(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "S", .win = 65535, .n_opts = 12,
		.opts = s->kind == IPV6 ? "\x02\x04\x05\xa0\x01\x01\x04\x02\x01\x03\x03\x08"
					: "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x08");
}

static void
no_scale(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "S", .win = 20000, .n_opts = 8,
		.opts = s->kind == IPV6 ? "\x02\x04\x05\xa0\x01\x01\x04\x02"
					: "\x02\x04\x05\xb4\x01\x01\x04\x02");
}

static void
small_mtu(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "S", .opts = "\x02\x04\x03\xc0\x01\x01\x04\x02\x01\x03\x03\x08",
		.n_opts = 12);
}

const struct scene_entry scenes_open[] = {
	SCENE(passive_open),
	{"through_a_gateway", passive_open, "local=192.168.0.1/16;remote=192.0.2.1", true},
	SCENE(active_open),
	SCENE(syn_is_sent_again),
	SCENE(connect_gives_up, "syn_retries=2"),
	SCENE(synack_is_sent_again),
	SCENE(nobody_listens),
	SCENE(refused),
	SCENE(simultaneous_open),
	SCENE(syn_options),
	SCENE(no_scale, "ws=off;window=20000"),
	SCENE(small_mtu, "local=192.168.0.1;remote=192.0.2.1;mtu=1000", true),
	{NULL},
};
