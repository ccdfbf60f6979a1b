/* SPDX-License-Identifier: BSD-3-Clause */
/* What scripts for Linux set by sysctl, and what they ask of recovery then. */
#include "scene.h"

#define SACK_MSS .opts = "\x02\x04\x05\xb4\x04\x02", .n_opts = 6
#define SACK_LEN 12

static char zeros[20000];

/* An accepted connection of a peer that does SACK. */
static int
accepted(struct scene *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const int lfd = scene_listen(s);
	int fd;

	IN(s, .flags = "S", SACK_MSS);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .win = 32000, .at_ms = 20);
	fd = s->t.accept(s->t.context, lfd, (struct sockaddr *)&ss, &len);
	CHECK(s, fd >= 0);
	return fd;
}

static void
write_all(struct scene *s, int fd, size_t len)
{
	EQUAL(s, s->t.write(s->t.context, fd, zeros, len), (long long)len);
	s->now_us = scene_time(s);
}

static void
put32(char *to, uint32_t v)
{
	const char b[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};

	memcpy(to, b, sizeof(b));
}

/* An ACK with one block; sequence numbers are relative, as in a scene. */
static void
sack(struct scene *s, uint32_t ack, uint32_t start, uint32_t end)
{
	char opts[SACK_LEN] = "\x01\x01\x05\x0a";

	put32(opts + 4, s->iss + start);
	put32(opts + 8, s->iss + end);
	IN(s, .flags = ".", .seq = 1, .ack = ack, .win = 32000, .opts = opts, .n_opts = SACK_LEN);
}

/* Two round trips, and what a lone segment's ACK may be delayed. */
static void
tail_is_probed(struct scene *s)
{
	const int fd = accepted(s);

	write_all(s, fd, 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000, .at_ms = 220);
}

/* Only the time-out sends again. */
static void
tail_is_not_probed(struct scene *s)
{
	const int fd = accepted(s);

	write_all(s, fd, 2000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 2000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = scene_mss(s), .at_ms = 220);
}

/* Three segments SACKed are not enough; the third more is. */
static void
reordering_is_taken_for_granted(struct scene *s)
{
	const int fd = accepted(s);
	const uint32_t mss = scene_mss(s);

	write_all(s, fd, 8 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 8 * mss);
	sack(s, 1, 1 + mss, 1 + 4 * mss);
	QUIET(s);
}

/* Data that came before is acknowledged, and nothing said of it. */
static void
duplicate_is_not_told(struct scene *s)
{
	uint8_t protocol;
	size_t len;

	accepted(s);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 101);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	scene_out_ip(s, &protocol, &len);
	EQUAL(s, len, 20);
}

/* RFC 4821 7.7: the fourth time-out in a row sends a smaller segment. */
static void
black_hole(struct scene *s)
{
	const int fd = accepted(s);
	const uint32_t mss = scene_mss(s);
	unsigned int after_ms = 220;

	write_all(s, fd, mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = mss);
	for (unsigned int i = 0; i < 3; i++, after_ms *= 2)
		OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = mss, .at_ms = after_ms);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = 1024, .at_ms = after_ms);
	IN(s, .flags = ".", .seq = 1, .ack = 1025, .win = 32000, .at_ms = 20);
	OUT(s, .flags = "P.", .seq = 1025, .ack = 1, .len = mss - 1024);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + mss, .win = 32000, .at_ms = 20);
	write_all(s, fd, 1500);
	OUT(s, .flags = ".", .seq = 1 + mss, .ack = 1, .len = 1024);
}

const struct scene_entry scenes_linux[] = {
	SCENE(tail_is_probed),
	SCENE(tail_is_not_probed, "/proc/sys/net/ipv4/tcp_early_retrans=0"),
	SCENE(reordering_is_taken_for_granted, "net.ipv4.tcp_reordering=6"),
	SCENE(duplicate_is_not_told, "net.ipv4.tcp_dsack=0"),
	SCENE(black_hole, "net.ipv4.tcp_mtu_probing=1;net.ipv4.tcp_early_retrans=0"),
	{"sysctls_are_known", tail_is_probed,
		"net.ipv4.tcp_autocorking=1;tcp_wmem=4096 16384 4194304;net.ipv4.tcp_frto=2;"
		"net.ipv4.tcp_rmem='4096 131072 15728640';tcp_syncookies=1;tcp_orphan_retries=0;"
		"net.ipv4.ip_local_port_range=32768 60999;tcp_keepalive_time=7200;"
		"net.ipv4.tcp_fastopen=0x70403;tcp_fin_timeout=60;tcp_rto_min_us=200000;"
		"tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4;tcp_moderate_rcvbuf=1"},
	{NULL},
};
