/* SPDX-License-Identifier: BSD-3-Clause */
/* What each knob of --so_flags does, where no other scene shows it. */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define MSS	"\x02\x04\x05\xb4"
#define MSS6	"\x02\x04\x05\xa0"
#define SACK_OK "\x04\x02"
#define TS	"\x08\x0a\0\0\0\x64\0\0\0\0"
#define NOP	"\x01"
#define WSCALE	"\x03\x03"

static char zeros[65536];

static void
write_all(struct scene *s, int fd, size_t len)
{
	EQUAL(s, s->t.write(s->t.context, fd, zeros, len), (long long)len);
	s->now_us = scene_time(s);
}

/* The answer to a SYN that offers all there is has these options behind its MSS. */
static void
answers(struct scene *s, const char *opts, uint8_t n_opts)
{
	static const char all[] = MSS SACK_OK TS NOP WSCALE "\x07";
	char wanted[40];

	memcpy(wanted, s->kind == IPV6 ? MSS6 : MSS, 4);
	memcpy(wanted + 4, opts, n_opts);
	scene_listen(s);
	IN(s, .flags = "S", .opts = all, .n_opts = sizeof(all) - 1);
	OUT(s, .flags = "S.", .ack = 1, .opts = wanted, .n_opts = (uint8_t)(4 + n_opts));
}

static void
answer_has_all(struct scene *s)
{
	answers(s, NOP NOP SACK_OK NOP WSCALE "\x08", 8);
}

static void
answer_without_sack(struct scene *s)
{
	answers(s, NOP WSCALE "\x08", 4);
}

static void
answer_without_scale(struct scene *s)
{
	answers(s, NOP NOP SACK_OK, 4);
}

static void
answer_with_another_scale(struct scene *s)
{
	answers(s, NOP NOP SACK_OK NOP WSCALE "\x05", 8);
}

static void
answer_with_the_mss_alone(struct scene *s)
{
	answers(s, "", 0);
}

/* What was not offered is not answered. */
static void
nothing_asked(struct scene *s)
{
	scene_listen(s);
	IN(s, .flags = "S");
	OUT(s, .flags = "S.", .ack = 1, .opts = s->kind == IPV6 ? MSS6 : MSS, .n_opts = 4);
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
	return fd;
}

/* RFC 3168 6.1.1 */
static void
ecn_is_asked_for(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "SEW");
}

static void
ecn_is_not_asked_for(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "S");
}

static void
ecn_is_agreed_to(struct scene *s)
{
	scene_listen(s);
	IN(s, .flags = "SEW", MSS_1460);
	OUT(s, .flags = "S.E", .ack = 1);
}

static void
ecn_is_declined(struct scene *s)
{
	scene_listen(s);
	IN(s, .flags = "SEW", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
}

static void
knob_rto_initial(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "S");
	OUT(s, .flags = "S", .at_ms = 3000);
	OUT(s, .flags = "S", .at_ms = 6000);
}

static void
knob_rto_max(struct scene *s)
{
	begin_connect(s);
	OUT(s, .flags = "S");
	OUT(s, .flags = "S", .at_ms = 1000);
	for (unsigned int i = 0; i < 3; i++)
		OUT(s, .flags = "S", .at_ms = 2000);
}

static void
knob_synack_retries(struct scene *s)
{
	scene_listen(s);
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	OUT(s, .flags = "S.", .ack = 1, .at_ms = 1000);
	scene_wait(s, 2010);
	QUIET(s);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	OUT(s, .flags = "R", .seq = 1);
}

/* RFC 9293 3.8.6.3 */
static void
knob_delack(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_QUICKACK, 0), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = ".", .seq = 1, .ack = 101, .at_ms = 150);
}

/* RFC 9293 3.7.1: what is offered, and what is sent. */
static void
knob_mtu(struct scene *s)
{
	const uint32_t mss = 1300 - (s->kind == IPV6 ? 60 : 40);
	const int fd = scene_accepted(s, NULL);

	write_all(s, fd, 2000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = mss);
	OUT(s, .flags = "P.", .seq = 1 + mss, .ack = 1, .len = 2000 - mss);
}

static void
is_congestion(struct scene *s, const char *wanted)
{
	const int fd = scene_accepted(s, NULL);
	char name[16] = "";
	socklen_t len = sizeof(name);

	EQUAL(s, s->t.getsockopt(s->t.context, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	CHECK(s, strcmp(name, wanted) == 0);
}

static void
cubic_is_the_default(struct scene *s)
{
	is_congestion(s, "cubic");
}

static void
knob_cc(struct scene *s)
{
	is_congestion(s, "reno");
}

/* The congestion window has doubled to 20 segments; then nothing is sent for long. @return seq */
static uint32_t
idle(struct scene *s, int fd)
{
	const uint32_t n = 10 * scene_mss(s);

	write_all(s, fd, n);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = n);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + n, .win = 65000, .at_ms = 20);
	scene_wait(s, 30000);
	return 1 + n;
}

/* RFC 5681 4.1 */
static void
idle_starts_anew(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s), at = idle(s, fd);

	write_all(s, fd, 20 * mss);
	OUT(s, .flags = "P.", .seq = at, .ack = 1, .len = 10 * mss); /* the end of a burst */
	QUIET(s);
}

static void
idle_changes_nothing(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s), at = idle(s, fd);

	write_all(s, fd, 20 * mss);
	OUT(s, .flags = "P.", .seq = at, .ack = 1, .len = 20 * mss);
}

const struct scene_entry scenes_knobs[] = {
	SCENE(answer_has_all),
	SCENE(answer_without_sack, "sack=off"),
	SCENE(answer_without_scale, "ws=off"),
	SCENE(answer_with_another_scale, "wscale=5"),
	SCENE(answer_with_the_mss_alone, "sack=off;ws=off"),
	SCENE(nothing_asked),
	SCENE(ecn_is_asked_for, "ecn=on"),
	SCENE(ecn_is_not_asked_for, "ecn=off"),
	SCENE(ecn_is_agreed_to, "ecn=on"),
	SCENE(ecn_is_declined, "ecn=off"),
	SCENE(knob_rto_initial, "rto_initial=3s"),
	SCENE(knob_rto_max, "rto_max=2s"),
	SCENE(knob_synack_retries, "synack_retries=1"),
	SCENE(knob_delack, "delack=150ms"),
	SCENE(knob_mtu, "mtu=1300"),
	SCENE(cubic_is_the_default),
	SCENE(knob_cc, "cc=reno"),
	SCENE(idle_starts_anew),
	SCENE(idle_changes_nothing, "idle_restart=off"),
	{NULL},
};
