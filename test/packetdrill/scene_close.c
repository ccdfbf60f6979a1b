/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections end. */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static char room[4096];

static void
close_now(struct scene *s, int fd)
{
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	s->now_us = scene_time(s);
}

static void
we_close_first(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	close_now(s, fd);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 2, .at_ms = 10);
	IN(s, .flags = "F.", .seq = 1, .ack = 2, .at_ms = 10);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	IN(s, .flags = "F.", .seq = 1, .ack = 2, .at_ms = 1000); /* TIME_WAIT answers again */
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
}

static void
peer_closes_first(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "F.", .seq = 1, .ack = 1);
	OUT(s, .flags = ".", .seq = 1, .ack = 2);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 0);
	EQUAL(s, scene_poll(s, fd), POLLIN | POLLOUT | POLLRDHUP);
	close_now(s, fd);
	OUT(s, .flags = "F.", .seq = 1, .ack = 2);
	IN(s, .flags = ".", .seq = 2, .ack = 2);
	QUIET(s);
}

static void
both_close(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	close_now(s, fd);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	IN(s, .flags = "F.", .seq = 1, .ack = 1);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	IN(s, .flags = ".", .seq = 2, .ack = 2);
	QUIET(s);
}

static void
half_close(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, s->t.shutdown(s->t.context, fd, SHUT_WR), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	FAILS(s, s->t.write(s->t.context, fd, "", 1), EPIPE);
	IN(s, .flags = ".", .seq = 1, .ack = 2);
	IN(s, .flags = "P.", .seq = 1, .ack = 2, .len = 100);
	OUT(s, .flags = ".", .seq = 2, .ack = 101);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 100);
	IN(s, .flags = "F.", .seq = 101, .ack = 2);
	OUT(s, .flags = ".", .seq = 2, .ack = 102);
	close_now(s, fd);
	QUIET(s);
}

static void
fin_is_sent_again(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	close_now(s, fd);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1, .at_ms = 200);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1, .at_ms = 400);
	IN(s, .flags = "F.", .seq = 1, .ack = 2);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
}

static void
peer_resets(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "R", .seq = 1);
	CHECK(s, scene_poll(s, fd) & POLLERR);
	FAILS(s, s->t.read(s->t.context, fd, room, sizeof(room)), ECONNRESET);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 0);
	FAILS(s, s->t.write(s->t.context, fd, "", 1), EPIPE);
	QUIET(s);
}

/* RFC 5961 3: not at the exact place */
static void
reset_elsewhere_is_challenged(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "R", .seq = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	IN(s, .flags = "S", .seq = 50, .at_ms = 1000); /* twice a second at most */
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
}

/* RFC 2525 2.17 */
static void
unread_data_resets(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 101);
	close_now(s, fd);
	OUT(s, .flags = "R.", .seq = 1, .ack = 101);
}

static void
linger_0_resets(struct scene *s)
{
	const struct linger l = {.l_onoff = 1};
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, s->t.setsockopt(s->t.context, fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	close_now(s, fd);
	OUT(s, .flags = "R.", .seq = 1, .ack = 1);
}

static void
listener_closes(struct scene *s)
{
	const int lfd = scene_listen(s);

	IN(s, .flags = "S");
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	close_now(s, lfd);
	OUT(s, .flags = "R.", .seq = 1, .ack = 1);
}

/* 60 s each by default; both are knobs. */
static void
time_wait_ends(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	close_now(s, fd);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	IN(s, .flags = "F.", .seq = 1, .ack = 2);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	IN(s, .flags = "F.", .seq = 1, .ack = 2, .at_ms = 1900); /* and starts it anew */
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	IN(s, .flags = "F.", .seq = 1, .ack = 2, .at_ms = 1900);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	scene_wait(s, 2100);
	IN(s, .flags = ".", .seq = 2, .ack = 2);
	OUT(s, .flags = "R", .seq = 2);
}

static void
fin_wait_2_ends(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	close_now(s, fd);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 2);
	scene_wait(s, 3100);
	IN(s, .flags = "F.", .seq = 1, .ack = 2);
	OUT(s, .flags = "R", .seq = 2);
}

static void
keepalive(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_KEEPIDLE, 10), 0);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_KEEPINTVL, 5), 0);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_KEEPCNT, 2), 0);
	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	OUT(s, .flags = ".", .seq = 0, .ack = 1, .at_ms = 10000);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	OUT(s, .flags = ".", .seq = 0, .ack = 1, .at_ms = 10000);
	OUT(s, .flags = ".", .seq = 0, .ack = 1, .at_ms = 5000);
	OUT(s, .flags = "R.", .seq = 1, .ack = 1, .at_ms = 5000);
	EQUAL(s, scene_error(s, fd), ETIMEDOUT);
}

static void
data_gives_up(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	unsigned int at = 200;

	EQUAL(s, s->t.write(s->t.context, fd, room, 10), 10);
	s->now_us = scene_time(s);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10);
	for (unsigned int i = 0; i < 3; i++, at *= 2)
		OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10, .at_ms = at);
	scene_wait(s, at + 10);
	FAILS(s, s->t.read(s->t.context, fd, room, sizeof(room)), ETIMEDOUT);
}

const struct scene_entry scenes_close[] = {
	SCENE(we_close_first),
	SCENE(peer_closes_first),
	SCENE(both_close),
	SCENE(half_close),
	SCENE(fin_is_sent_again),
	SCENE(peer_resets),
	SCENE(reset_elsewhere_is_challenged),
	SCENE(unread_data_resets),
	SCENE(linger_0_resets),
	SCENE(listener_closes),
	SCENE(time_wait_ends, "time_wait=2s"),
	SCENE(fin_wait_2_ends, "fin_wait_2=3s"),
	SCENE(keepalive),
	SCENE(data_gives_up, "data_retries=3"),
	{NULL},
};
