/* SPDX-License-Identifier: BSD-3-Clause */
/* Data both ways, lost, late, too much. */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static char zeros[70000];
static char room[70000];

static void
write_all(struct scene *s, int fd, size_t len)
{
	EQUAL(s, s->t.write(s->t.context, fd, zeros, len), (long long)len);
	s->now_us = scene_time(s);
}

static void
data_out(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	write_all(s, fd, 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	IN(s, .flags = ".", .seq = 1, .ack = 1001, .at_ms = 30);
	write_all(s, fd, 500);
	OUT(s, .flags = "P.", .seq = 1001, .ack = 1, .len = 500);
	IN(s, .flags = ".", .seq = 1, .ack = 1501);
	QUIET(s);
}

static void
data_in(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	int n = 0;

	scene_set_nonblock(s, fd, true);
	FAILS(s, s->t.read(s->t.context, fd, room, sizeof(room)), EAGAIN);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1001);
	EQUAL(s, s->t.ioctl(s->t.context, fd, FIONREAD, &n), 0);
	EQUAL(s, n, 1000);
	EQUAL(s, s->t.read(s->t.context, fd, room, 400), 400);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 600);
	FAILS(s, s->t.read(s->t.context, fd, room, sizeof(room)), EAGAIN);
}

static void
drain(struct scene *s)
{
	uint8_t protocol;
	size_t len;

	do
		scene_out_ip(s, &protocol, &len);
	while (len != 0);
	s->now_us = scene_time(s);
}

/* The first segments are acknowledged at once; those of a conversation wait for company. */
static void
ack_is_delayed(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s);
	uint32_t seq = 1, own = 1;

	for (unsigned int i = 0; i < 20; i++, seq += mss, own += 10) {
		IN(s, .flags = "P.", .seq = seq, .ack = own, .len = mss);
		EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), mss);
		write_all(s, fd, 10);
		drain(s);
	}
	IN(s, .flags = ".", .seq = seq, .ack = own);
	drain(s);
	IN(s, .flags = "P.", .seq = seq, .ack = own, .len = 100);
	OUT(s, .flags = ".", .seq = own, .ack = seq + 100, .at_ms = 40);
	IN(s, .flags = "P.", .seq = seq + 100, .ack = own, .len = mss);
	IN(s, .flags = "P.", .seq = seq + 100 + mss, .ack = own, .len = mss);
	OUT(s, .flags = ".", .seq = own, .ack = seq + 100 + 2 * mss);
}

static void
ack_is_not_delayed(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	for (unsigned int i = 0; i < 20; i++) {
		IN(s, .flags = "P.", .seq = 1 + i * 100, .ack = 1, .len = 100);
		OUT(s, .flags = ".", .seq = 1, .ack = 101 + i * 100);
	}
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 2000);
}

/* RFC 6298: first after the estimate's time-out, then twice as late each time. */
static void
lost_data_is_sent_again(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	write_all(s, fd, 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000, .at_ms = 200);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000, .at_ms = 400);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000, .at_ms = 800);
	IN(s, .flags = ".", .seq = 1, .ack = 1001);
	QUIET(s);
}

static void
knob_rto_min(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	write_all(s, fd, 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000, .at_ms = 500);
}

/* RFC 6928, RFC 5681 3.2 */
static void
third_duplicate_ack(struct scene *s)
{
	const int fd = scene_connected(s);
	const uint32_t mss = scene_mss(s);

	write_all(s, fd, 10 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10 * mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + mss, .at_ms = 20);
	for (unsigned int i = 0; i < 3; i++)
		IN(s, .flags = ".", .seq = 1, .ack = 1 + mss);
	OUT(s, .flags = ".", .seq = 1 + mss, .ack = 1, .len = mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + 10 * mss, .at_ms = 20);
	QUIET(s);
}

static void
knob_iw(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s);

	write_all(s, fd, 3 * mss);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = mss);
	OUT(s, .flags = ".", .seq = 1 + mss, .ack = 1, .len = mss);
	QUIET(s);
}

static int
set_ip(struct scene *s, int fd, int ttl, int tos)
{
	const bool is_v6 = s->kind == IPV6;
	const int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;

	return scene_sockopt(s, fd, level, is_v6 ? IPV6_UNICAST_HOPS : IP_TTL, ttl) == 0 &&
	       scene_sockopt(s, fd, level, is_v6 ? IPV6_TCLASS : IP_TOS, tos) == 0;
}

/* The latest packet had these in its IP header. */
static void
check_ip(struct scene *s, int ttl, int tos)
{
	const uint8_t *ip = s->packet;

	EQUAL(s, s->kind == IPV6 ? ip[7] : ip[8], ttl);
	EQUAL(s, s->kind == IPV6 ? (ip[0] << 4 | ip[1] >> 4) & 0xff : ip[1], tos);
}

/* RFC 9293 3.9.1.9 and 3.7.1: from the SYN on; changed, from the next segment on. */
static void
options_of_a_caller_show(struct scene *s)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);

	EQUAL(s, set_ip(s, fd, 7, 0x10), 1);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_MAXSEG, 600), 0);
	s->rport = PORT;
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EINPROGRESS);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S", .opts = "\x02\x04\x02\x58\x01\x01\x04\x02\x01\x03\x03\x08",
		.n_opts = 12);
	check_ip(s, 7, 0x10);
	IN(s, .flags = "S.", .ack = 1, MSS_1460);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	check_ip(s, 7, 0x10);
	EQUAL(s, set_ip(s, fd, 9, 0x20), 1);
	write_all(s, fd, 600);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 600);
	check_ip(s, 9, 0x20);
}

static void
options_of_a_listener_are_its_childrens(struct scene *s)
{
	const int lfd = scene_listen(s);
	int fd;

	EQUAL(s, set_ip(s, lfd, 7, 0x10), 1);
	EQUAL(s, scene_sockopt(s, lfd, IPPROTO_TCP, TCP_MAXSEG, 600), 0);
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1, .opts = "\x02\x04\x02\x58", .n_opts = 4);
	check_ip(s, 7, 0x10);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	write_all(s, fd, 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = 600);
	check_ip(s, 7, 0x10);
	OUT(s, .flags = "P.", .seq = 601, .ack = 1, .len = 400);
}

/* Nothing comes out for a call that has nothing to say. */
static void
options_are_silent(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_CORK, 1), 0);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_QUICKACK, 1), 0);
	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	QUIET(s);
}

/* tcp(7): TCP_QUICKACK off, the ACK waits; on, what waits goes, and the first segments at once. */
static void
quickack_off_and_on(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_QUICKACK, 0), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 101, .at_ms = 40);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_QUICKACK, 0), 0);
	IN(s, .flags = "P.", .seq = 101, .ack = 1, .len = 100);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_QUICKACK, 1), 0);
	OUT(s, .flags = ".", .seq = 1, .ack = 201);
	IN(s, .flags = "P.", .seq = 201, .ack = 1, .len = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 301);
}

/* What is answered within the time of a delayed ACK makes a conversation: the next ACK waits. */
static void
answers_carry_acks(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 101);
	EQUAL(s, s->t.write(s->t.context, fd, room, 200), 200);
	OUT(s, .flags = "P.", .seq = 1, .ack = 101, .len = 200);
	IN(s, .flags = "P.", .seq = 101, .ack = 201, .len = 100);
	OUT(s, .flags = ".", .seq = 201, .ack = 201, .at_ms = 40);
}

static void
out_of_order(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "P.", .seq = 1001, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 2001);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 2000);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 2001);
}

/* Larger than the MTU, as scripts have it. */
static void
oversize(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 4000);
	OUT(s, .flags = ".", .seq = 1, .ack = 4001);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 4000);
	IN(s, .flags = "P.", .seq = 4001, .ack = 1, .len = 65000);
	OUT(s, .flags = ".", .seq = 1, .ack = 69001);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)), 65000);
}

static void
wrong_checksum(struct scene *s)
{
	scene_accepted(s, NULL);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, .is_bad = true);
	QUIET(s);
}

/* RFC 9293 3.8.6.1: probes, each after twice the time, until the window opens. */
static void
zero_window(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	write_all(s, fd, 500);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 500);
	IN(s, .flags = ".", .seq = 1, .ack = 501, .win = SHUT);
	write_all(s, fd, 400);
	OUT(s, .flags = ".", .seq = 500, .ack = 1, .at_ms = 200);
	IN(s, .flags = ".", .seq = 1, .ack = 501, .win = SHUT);
	OUT(s, .flags = ".", .seq = 500, .ack = 1, .at_ms = 400);
	IN(s, .flags = ".", .seq = 1, .ack = 501, .win = 20000, .at_ms = 100);
	OUT(s, .flags = "P.", .seq = 501, .ack = 1, .len = 400);
}

/* What is not read closes the window; reading it opens it, and the peer is told. */
static void
window_update(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	uint8_t protocol;
	size_t len;

	for (uint32_t i = 0; i < 12; i++)
		IN(s, .flags = "P.", .seq = 1 + i * 1000, .ack = 1, .len = 1000);
	drain(s);
	EQUAL(s, s->t.read(s->t.context, fd, room, sizeof(room)) > 0, true);
	scene_out_ip(s, &protocol, &len);
	CHECK(s, len != 0);
}

static void
timestamps(struct scene *s)
{
	static const char syn[] = "\x02\x04\x05\xb4\x01\x01\x08\x0a\0\0\0\x64\0\0\0\0";
	uint8_t protocol;
	const uint8_t *tcp;
	size_t len;

	scene_listen(s);
	IN(s, .flags = "S", .opts = syn, .n_opts = 16);
	tcp = scene_out_ip(s, &protocol, &len);
	CHECK(s, len >= 36);
	CHECK(s, memcmp(tcp + 24, "\x01\x01\x08\x0a", 4) == 0 ||
			 memcmp(tcp + 24, "\x04\x02\x08\x0a", 4) == 0);
	CHECK(s, memcmp(tcp + 32, "\0\0\0\x64", 4) == 0); /* echoed */
}

const struct scene_entry scenes_data[] = {
	SCENE(data_out),
	SCENE(data_in),
	SCENE(ack_is_delayed),
	SCENE(ack_is_not_delayed, "delack=off"),
	SCENE(lost_data_is_sent_again),
	SCENE(knob_rto_min, "rto_min=500ms"),
	SCENE(third_duplicate_ack),
	SCENE(knob_iw, "iw=2"),
	SCENE(options_of_a_caller_show),
	SCENE(options_of_a_listener_are_its_childrens),
	SCENE(options_are_silent),
	SCENE(quickack_off_and_on),
	SCENE(answers_carry_acks),
	SCENE(out_of_order),
	SCENE(oversize),
	SCENE(wrong_checksum),
	SCENE(zero_window),
	SCENE(window_update, "window=12000"),
	SCENE(timestamps, "ts=on"),
	{NULL},
};
