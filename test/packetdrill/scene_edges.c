/* SPDX-License-Identifier: BSD-3-Clause */
/* What is at the edge of the rules, and Linux does in its own way. */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/errqueue.h>
#include <linux/sockios.h>

#define TS_LEN	   12
#define SYN_TS_LEN 16
#define TCP_OPTS   20
#define TCP_CM_INQ TCP_INQ

/* Newer than some headers. */
#define RTO_MAX_MS    44
#define RTO_MIN_US    45
#define DELACK_MAX_US 46

static char room[200000];

static void
write_all(struct scene *s, int fd, size_t len)
{
	EQUAL(s, s->t.write(s->t.context, fd, room, len), (long long)len);
	s->now_us = scene_time(s);
}

static long
read_some(struct scene *s, int fd, size_t len)
{
	const long n = s->t.recv(s->t.context, fd, room, len, MSG_DONTWAIT);

	s->now_us = scene_time(s);
	return n;
}

static int
get_int(struct scene *s, int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	EQUAL(s, s->t.getsockopt(s->t.context, fd, level, name, &v, &len), 0);
	return v;
}

static int
count_by(struct scene *s, int fd, unsigned long request)
{
	int n = -1;

	EQUAL(s, s->t.ioctl(s->t.context, fd, request, &n), 0);
	return n;
}

static void
put32(char *to, uint32_t v)
{
	const char b[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};

	memcpy(to, b, sizeof(b));
}

static uint32_t
get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Timestamps */

static const char *
ts(uint32_t val, uint32_t ecr)
{
	static char opts[TS_LEN];

	memcpy(opts, "\x01\x01\x08\x0a", 4);
	put32(opts + 4, val);
	put32(opts + 8, ecr);
	return opts;
}

/* Those of the latest segment, whose options are they alone. */
static uint32_t
out_val(const struct scene *s)
{
	return get32(s->packet + (s->kind == IPV6 ? 40 : 20) + TCP_OPTS + 4);
}

static uint32_t
out_ecr(const struct scene *s)
{
	return get32(s->packet + (s->kind == IPV6 ? 40 : 20) + TCP_OPTS + 8);
}

#define TS(val, ecr) .opts = ts(val, ecr), .n_opts = TS_LEN

/* *val is what our SYN,ACK said. */
static int
accepted_ts(struct scene *s, uint32_t *val)
{
	char opts[SYN_TS_LEN] = "\x02\x04\x05\xb4";
	const int lfd = scene_listen(s);
	int fd;

	memcpy(opts + 4, ts(1000, 0), TS_LEN);
	IN(s, .flags = "S", .opts = opts, .n_opts = SYN_TS_LEN);
	OUT(s, .flags = "S.", .ack = 1);
	*val = get32(s->packet + (s->kind == IPV6 ? 40 : 20) + TCP_OPTS + 4 + 4);
	IN(s, .flags = ".", .seq = 1, .ack = 1, TS(1001, *val));
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	CHECK(s, fd >= 0);
	return fd;
}

/* RFC 7323 4.3: what is not acceptable leaves the timestamp to echo as it was. */
static void
bad_ack_is_not_echoed(struct scene *s)
{
	uint32_t val;

	accepted_ts(s, &val);
	IN(s, .flags = ".", .seq = 1, .ack = 2000, .len = 10, TS(3000, val));
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, out_ecr(s), 1001);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, TS(1002, val), .at_ms = 10);
	OUT(s, .flags = ".", .seq = 1, .ack = 101);
	EQUAL(s, out_ecr(s), 1002);
}

static void
fin_tells_the_time(struct scene *s)
{
	uint32_t val;
	const int fd = accepted_ts(s, &val);

	scene_wait(s, 300);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	CHECK(s, out_val(s) - val >= 299 && out_val(s) - val <= 302);
	EQUAL(s, out_ecr(s), 1001);
}

static void
reset_tells_the_time(struct scene *s)
{
	uint32_t val;
	const int fd = accepted_ts(s, &val);

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, TS(1010, val));
	OUT(s, .flags = ".", .seq = 1, .ack = 101);
	scene_wait(s, 300);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "R.", .seq = 1, .ack = 101);
	CHECK(s, out_val(s) - val >= 299 && out_val(s) - val <= 302);
}

/* RFC 7323 5.5: on an idle connection of 24 days any timestamp is new. */
static void
old_segment_is_dropped(struct scene *s)
{
	uint32_t val;
	const int fd = accepted_ts(s, &val);

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, TS(900, val));
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, out_ecr(s), 1001);
	FAILS(s, read_some(s, fd, 100), EAGAIN);
}

/* Windows */

/* A FIN takes no room: it is taken however full the buffer. */
static void
fin_fits_a_closed_window(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	uint32_t seq = 1;

	for (unsigned int i = 0; i < 40 && scene_poll(s, fd) >= 0; i++, seq += 1000) {
		uint8_t protocol;
		size_t len;
		const uint8_t *tcp;

		IN(s, .flags = "P.", .seq = seq, .ack = 1, .len = 1000);
		tcp = scene_out_ip(s, &protocol, &len);
		if (len >= 20 && tcp[14] == 0 && tcp[15] == 0)
			break;
	}
	seq += 1000;
	IN(s, .flags = "F.", .seq = seq, .ack = 1);
	OUT(s, .flags = ".", .seq = 1, .ack = seq + 1);
	while (read_some(s, fd, sizeof(room)) > 0)
		continue;
	EQUAL(s, read_some(s, fd, 10), 0);
}

/* A segment without ACK, SYN or RST says nothing. */
static void
segment_without_flags(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	IN(s, .flags = "", .seq = 1, .len = 100);
	IN(s, .flags = "P", .seq = 1, .len = 100);
	IN(s, .flags = "F", .seq = 1);
	QUIET(s);
	FAILS(s, read_some(s, fd, 100), EAGAIN);
}

/* Counting what waits */

static int
inq(struct scene *s, int fd, size_t len)
{
	char control[64];
	struct iovec iov = {room, len};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	const struct cmsghdr *c;
	int v = -1;

	if (s->t.recvmsg(s->t.context, fd, &msg, 0) < 0)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_TCP && c->cmsg_type == TCP_CM_INQ)
		memcpy(&v, CMSG_DATA(c), sizeof(v));
	return v;
}

static void
what_waits_is_counted(struct scene *s)
{
	const int fd = scene_connected(s);

	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_INQ, 1), 0);
	FAILS(s, scene_sockopt(s, fd, SOL_TCP, TCP_INQ, 2), EINVAL);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10000);
	OUT(s, .flags = ".", .seq = 1, .ack = 10001);
	EQUAL(s, inq(s, fd, 1000), 9000);
	EQUAL(s, count_by(s, fd, SIOCINQ), 9000);
	EQUAL(s, inq(s, fd, 8000), 1000);
	IN(s, .flags = "F.", .seq = 10001, .ack = 1);
	OUT(s, .flags = ".", .seq = 1, .ack = 10002);
	EQUAL(s, count_by(s, fd, SIOCINQ), 1000);
	EQUAL(s, inq(s, fd, 500), 501); /* as Linux: the end counts */
	EQUAL(s, inq(s, fd, 500), 1);
	EQUAL(s, count_by(s, fd, SIOCINQ), 0);
}

static void
what_goes_out_is_counted(struct scene *s)
{
	int lfd, n;
	const int fd = scene_accepted(s, &lfd);
	const uint32_t mss = scene_mss(s);

	EQUAL(s, count_by(s, scene_socket(s, SOCK_STREAM), SIOCOUTQ), 0);
	write_all(s, fd, 12 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10 * mss);
	EQUAL(s, count_by(s, fd, SIOCOUTQ), 12 * (int)mss);
	EQUAL(s, count_by(s, fd, SIOCOUTQNSD), 2 * (int)mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + 10 * mss, .at_ms = 10);
	EQUAL(s, count_by(s, fd, SIOCOUTQ), 2 * (int)mss);
	EQUAL(s, count_by(s, fd, SIOCOUTQNSD), 0);
	EQUAL(s, s->t.shutdown(s->t.context, fd, SHUT_WR), 0);
	EQUAL(s, count_by(s, fd, SIOCOUTQ), 2 * (int)mss + 1); /* a FIN counts, as on Linux */
	FAILS(s, s->t.ioctl(s->t.context, lfd, SIOCOUTQ, &n), EINVAL);
	FAILS(s, s->t.ioctl(s->t.context, lfd, SIOCINQ, &n), EINVAL);
}

/* tcp(7) TCP_NOTSENT_LOWAT: writable while less than that waits to be sent. */
static void
little_waits_to_be_sent(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s);

	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_NOTSENT_LOWAT, 4 * (int)mss), 0);
	EQUAL(s, get_int(s, fd, SOL_TCP, TCP_NOTSENT_LOWAT), 4 * (int)mss);
	write_all(s, fd, 10 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10 * mss);
	EQUAL(s, scene_poll(s, fd) & POLLOUT, POLLOUT);
	write_all(s, fd, mss);
	EQUAL(s, scene_poll(s, fd) & POLLOUT, POLLOUT);
	write_all(s, fd, 3 * mss);
	EQUAL(s, scene_poll(s, fd) & POLLOUT, 0);
	scene_set_nonblock(s, fd, true);
	FAILS(s, s->t.write(s->t.context, fd, room, 1), EAGAIN);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + 10 * mss, .at_ms = 10);
	EQUAL(s, scene_poll(s, fd) & POLLOUT, POLLOUT);
}

/* Records */

/* MSG_EOR: neither what follows nor what is sent again shares a segment with it. */
static void
records_stay_apart(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	void *const c = s->t.context;
	const uint32_t mss = scene_mss(s);

	write_all(s, fd, 10 * mss); /* the window is full: what comes now is queued */
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10 * mss);
	EQUAL(s, s->t.send(c, fd, room, 400, MSG_EOR), 400);
	EQUAL(s, s->t.send(c, fd, room, 400, 0), 400);
	EQUAL(s, s->t.send(c, fd, room, 300, MSG_EOR), 300);
	EQUAL(s, s->t.send(c, fd, room, 200, 0), 200);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + 10 * mss, .at_ms = 10);
	OUT(s, .flags = "P.", .seq = 1 + 10 * mss, .ack = 1, .len = 400);
	OUT(s, .flags = "P.", .seq = 401 + 10 * mss, .ack = 1, .len = 700);
	OUT(s, .flags = "P.", .seq = 1 + 10 * mss, .ack = 1, .len = 400, .at_ms = 200);
	IN(s, .flags = ".", .seq = 1, .ack = 1101 + 10 * mss, .at_ms = 10);
	OUT(s, .flags = "P.", .seq = 1101 + 10 * mss, .ack = 1, .len = 200); /* Nagle's rule */
}

/* RFC 5482, tcp(7): what is not acknowledged for so long ends the connection. */
static void
user_timeout_ends_it(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_USER_TIMEOUT, 1000), 0);
	EQUAL(s, get_int(s, fd, SOL_TCP, TCP_USER_TIMEOUT), 1000);
	write_all(s, fd, 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, .at_ms = 200);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, .at_ms = 400);
	scene_wait(s, 420);
	EQUAL(s, scene_error(s, fd), ETIMEDOUT);
	QUIET(s);
}

/* Probes that are answered do not last for ever, either: the window stays closed. */
static void
user_timeout_ends_probes(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const long long start = s->now_us;

	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_USER_TIMEOUT, 1500), 0);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .win = SHUT);
	write_all(s, fd, 100);
	for (unsigned int after_ms = 200; after_ms <= 800; after_ms *= 2) {
		OUT(s, .flags = ".", .seq = 0, .ack = 1, .at_ms = after_ms);
		IN(s, .flags = ".", .seq = 1, .ack = 1, .win = SHUT);
	}
	scene_wait(s, 400);
	EQUAL(s, scene_error(s, fd), ETIMEDOUT);
	CHECK(s, s->now_us - start < 2500 * MS);
}

/* Zero copy */

static int
notice(struct scene *s, int fd, struct sock_extended_err *e)
{
	char control[128];
	struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof(control)};

	if (s->t.recvmsg(s->t.context, fd, &msg, MSG_ERRQUEUE) < 0)
		return -1;
	memcpy(e, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(*e));
	return 0;
}

/* The notice of sends first to last. */
static void
noticed(struct scene *s, int line, int fd, uint32_t first, uint32_t last)
{
	struct sock_extended_err e = {0};

	scene_check(s, line, notice(s, fd, &e) == 0, "a notice");
	scene_check(s, line, e.ee_origin == SO_EE_ORIGIN_ZEROCOPY && e.ee_errno == 0, "what it is");
	scene_equal(s, line, e.ee_code, SO_EE_CODE_ZEROCOPY_COPIED, "ee_code");
	scene_equal(s, line, e.ee_info, first, "ee_info");
	scene_equal(s, line, e.ee_data, last, "ee_data");
}

#define NOTICE(s, fd, first, last) noticed(s, __LINE__, fd, first, last)

static void
zero_copies_are_told(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	void *const c = s->t.context;
	struct sock_extended_err e;

	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
	EQUAL(s, s->t.send(c, fd, room, 4000, MSG_ZEROCOPY), 4000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 4000);
	FAILS(s, notice(s, fd, &e), EAGAIN);
	IN(s, .flags = ".", .seq = 1, .ack = 4001, .at_ms = 10);
	EQUAL(s, scene_poll(s, fd), POLLOUT | POLLERR);
	NOTICE(s, fd, 0, 0);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
	EQUAL(s, s->t.send(c, fd, room, 1, MSG_ZEROCOPY), 1);
	OUT(s, .flags = "P.", .seq = 4001, .ack = 1, .len = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 4002, .at_ms = 10);
	EQUAL(s, s->t.send(c, fd, room, 1, MSG_ZEROCOPY), 1);
	OUT(s, .flags = "P.", .seq = 4002, .ack = 1, .len = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 4003, .at_ms = 10);
	NOTICE(s, fd, 1, 2);
	FAILS(s, notice(s, fd, &e), EAGAIN);
}

/* A send that fails is none; the first that is taken has the number 0. */
static void
zero_copy_before_it_is_open(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);
	struct sockaddr_storage ss;
	const socklen_t n = scene_remote(s, &ss);
	struct sock_extended_err e;

	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
	FAILS(s, s->t.send(s->t.context, fd, room, 100, MSG_ZEROCOPY), EPIPE);
	FAILS(s, notice(s, fd, &e), EAGAIN);
	s->rport = PORT;
	EQUAL(s,
		s->t.sendto(s->t.context, fd, room, 500, MSG_FASTOPEN | MSG_ZEROCOPY,
			(struct sockaddr *)&ss, n),
		500);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S", .len = 500);
	IN(s, .flags = "S.", .ack = 501, MSS_1460, .at_ms = 10);
	OUT(s, .flags = ".", .seq = 501, .ack = 1);
	NOTICE(s, fd, 0, 0);
	EQUAL(s, s->t.send(s->t.context, fd, room, 100, MSG_ZEROCOPY), 100);
	OUT(s, .flags = "P.", .seq = 501, .ack = 1, .len = 100);
	IN(s, .flags = ".", .seq = 1, .ack = 601, .at_ms = 10);
	NOTICE(s, fd, 1, 1);
}

/* Of what was taken; the rest is another send. */
static void
part_of_a_zero_copy_is_told(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	struct sock_extended_err e;
	uint32_t acked = 0;
	long n;

	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_SNDBUF, 8192), 0);
	n = s->t.send(s->t.context, fd, room, sizeof(room), MSG_ZEROCOPY | MSG_DONTWAIT);
	CHECK(s, n > 0 && n < (long)sizeof(room));
	FAILS(s, notice(s, fd, &e), EAGAIN);
	while (acked < (uint32_t)n) {
		uint8_t protocol;
		size_t len;

		scene_out_ip(s, &protocol, &len);
		if (len <= 20)
			break;
		acked += (uint32_t)len - 20;
		IN(s, .flags = ".", .seq = 1, .ack = 1 + acked);
	}
	EQUAL(s, acked, n);
	NOTICE(s, fd, 0, 0);
	FAILS(s, notice(s, fd, &e), EAGAIN);
}

/* SACK */

/* After a round trip. */
static void
sack(struct scene *s, uint32_t ack, const uint32_t (*blocks)[2], unsigned int n)
{
	char opts[4 + 8 * 4] = {1, 1, 5, (char)(2 + 8 * n)};

	for (unsigned int i = 0; i < n; i++) {
		put32(opts + 4 + 8 * i, s->iss + blocks[i][0]);
		put32(opts + 8 + 8 * i, s->iss + blocks[i][1]);
	}
	IN(s, .flags = ".", .seq = 1, .ack = ack, .win = 32000, .opts = opts,
		.n_opts = (uint8_t)(4 + 8 * n), .at_ms = 20);
}

static int
accepted_sack(struct scene *s)
{
	const int lfd = scene_listen(s);

	IN(s, .flags = "S", .opts = "\x02\x04\x05\xb4\x01\x01\x04\x02", .n_opts = 8);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .win = 32000, .at_ms = 20);
	return s->t.accept(s->t.context, lfd, NULL, NULL);
}

/* Blocks that grow and join: what lies between is not taken for received. */
static void
sack_blocks_join(struct scene *s)
{
	const int fd = accepted_sack(s);
	const uint32_t mss = scene_mss(s);
#define AT(n) (1 + (n)*mss)
	const uint32_t one[][2] = {{AT(2), AT(6)}};
	const uint32_t two[][2] = {{AT(8), AT(9)}, {AT(2), AT(6)}};

	write_all(s, fd, 10 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10 * mss);
	sack(s, 1, one, 1);
	OUT(s, .flags = ".", .seq = AT(0), .ack = 1, .len = mss);
	OUT(s, .flags = "P.", .seq = AT(1), .ack = 1, .len = mss);
	sack(s, 1, two, 2);
	OUT(s, .flags = "P.", .seq = AT(6), .ack = 1, .len = 2 * mss);
	IN(s, .flags = ".", .seq = 1, .ack = AT(10), .win = 32000);
	QUIET(s);
#undef AT
}

/* RFC 2018 8: who takes back what it had SACKed gets all of it again. */
static void
receiver_takes_back(struct scene *s)
{
	const int fd = accepted_sack(s);
	const uint32_t mss = scene_mss(s);
	const uint32_t one[][2] = {{1 + mss, 1 + 3 * mss}};

	write_all(s, fd, 3 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 3 * mss);
	sack(s, 1, one, 1);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = mss, .at_ms = 7);
	/* The head is acknowledged, what was SACKed behind it is not. */
	IN(s, .flags = ".", .seq = 1, .ack = 1 + mss, .win = 32000, .at_ms = 20);
	OUT(s, .flags = ".", .seq = 1 + mss, .ack = 1, .len = mss, .at_ms = 10);
}

/* RFC 3042: the first two duplicates let a new segment out each. */
static void
limited_transmit(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s);

	write_all(s, fd, 14 * mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10 * mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .at_ms = 20);
	OUT(s, .flags = ".", .seq = 1 + 10 * mss, .ack = 1, .len = mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .at_ms = 5);
	OUT(s, .flags = ".", .seq = 1 + 11 * mss, .ack = 1, .len = mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = mss);
}

/* Ends */

/* Closed before it is open: the answer meets nobody. */
static void
close_in_syn_sent(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);
	struct sockaddr_storage ss;
	const socklen_t n = scene_remote(s, &ss);

	s->rport = PORT;
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, n), EINPROGRESS);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S");
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	IN(s, .flags = "S.", .ack = 1, MSS_1460);
	OUT(s, .flags = "R", .seq = 1);
}

/* SHUT_RD alone is no news for the peer: its data comes, and can be read. */
static void
reading_is_shut(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, s->t.shutdown(s->t.context, fd, SHUT_RD), 0);
	EQUAL(s, read_some(s, fd, 10), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1001);
	EQUAL(s, read_some(s, fd, 2000), 1000);
	IN(s, .flags = "F.", .seq = 1001, .ack = 1);
	OUT(s, .flags = ".", .seq = 1, .ack = 1002);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1002);
}

/* Both ways: data that comes then is answered by a reset. */
static void
both_ways_are_shut(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	EQUAL(s, s->t.shutdown(s->t.context, fd, SHUT_RDWR), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	FAILS(s, s->t.write(s->t.context, fd, room, 10), EPIPE);
	IN(s, .flags = ".", .seq = 1, .ack = 2);
	IN(s, .flags = "P.", .seq = 1, .ack = 2, .len = 1000);
	OUT(s, .flags = "R", .seq = 2);
}

/* Nagle */

/* tcp(7): a cork holds what is short of a segment, for 200 ms; TCP_NODELAY lets it out. */
static void
cork_holds(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s);

	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_CORK, 1), 0);
	write_all(s, fd, 40);
	QUIET(s);
	write_all(s, fd, mss);
	OUT(s, .flags = ".", .seq = 1, .ack = 1, .len = mss);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + mss, .at_ms = 10);
	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_NODELAY, 1), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "P.", .seq = 1 + mss, .ack = 1, .len = 40);
	EQUAL(s, s->t.send(s->t.context, fd, room, 100, MSG_MORE), 100);
	write_all(s, fd, 60);
	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_CORK, 0), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "P.", .seq = 41 + mss, .ack = 1, .len = 160);
}

/* RFC 6298 5.7: no round trip is known after a SYN,ACK that was repeated. */
static void
timeout_after_a_repeated_synack(struct scene *s)
{
	const int lfd = scene_listen(s);
	int fd;

	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	OUT(s, .flags = "S.", .ack = 1, .at_ms = 1000);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .at_ms = 50);
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	write_all(s, fd, 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, .at_ms = 3000);
}

/* Times of one's own */

static void
time_out_has_a_minimum(struct scene *s)
{
	const int lfd = scene_listen(s);
	const uint32_t mss = scene_mss(s);
	int fd;

	FAILS(s, scene_sockopt(s, lfd, SOL_TCP, RTO_MIN_US, 200001), EINVAL);
	FAILS(s, scene_sockopt(s, lfd, SOL_TCP, RTO_MIN_US, 1000), EINVAL);
	EQUAL(s, get_int(s, lfd, SOL_TCP, RTO_MIN_US), 200000);
	EQUAL(s, scene_sockopt(s, lfd, SOL_TCP, RTO_MIN_US, 5000), 0);
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .at_ms = 20);
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	EQUAL(s, get_int(s, fd, SOL_TCP, RTO_MIN_US), 5000);
	write_all(s, fd, mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = mss);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = mss, .at_ms = 60); /* 3 round trips */
	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_QUICKACK, 0), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10);
	OUT(s, .flags = ".", .seq = 1 + mss, .ack = 11, .at_ms = 4); /* earlier than that */
}

static void
time_out_has_a_maximum(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	unsigned int after_ms = 200;

	FAILS(s, scene_sockopt(s, fd, SOL_TCP, RTO_MAX_MS, 999), EINVAL);
	FAILS(s, scene_sockopt(s, fd, SOL_TCP, RTO_MAX_MS, 120001), EINVAL);
	EQUAL(s, get_int(s, fd, SOL_TCP, RTO_MAX_MS), 120000);
	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, RTO_MAX_MS, 1000), 0);
	write_all(s, fd, 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	for (unsigned int i = 0; i < 5; i++) {
		OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, .at_ms = after_ms);
		after_ms = after_ms < 500 ? 2 * after_ms : 1000;
	}
}

static void
ack_waits_for_no_longer(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);

	FAILS(s, scene_sockopt(s, fd, SOL_TCP, DELACK_MAX_US, 0), EINVAL);
	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, DELACK_MAX_US, 9500), 0);
	EQUAL(s, get_int(s, fd, SOL_TCP, DELACK_MAX_US), 10000);
	EQUAL(s, scene_sockopt(s, fd, SOL_TCP, TCP_QUICKACK, 0), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10);
	OUT(s, .flags = ".", .seq = 1, .ack = 11, .at_ms = 10);
}

static void
nothing_is_sent_of_nothing(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	struct msghdr msg = {0};

	EQUAL(s, s->t.sendmsg(s->t.context, fd, &msg, 0), 0);
	msg.msg_iov = &(struct iovec){NULL, 0};
	msg.msg_iovlen = 1;
	EQUAL(s, s->t.sendmsg(s->t.context, fd, &msg, MSG_EOR), 0);
	QUIET(s);
}

const struct scene_entry scenes_edges[] = {
	SCENE(bad_ack_is_not_echoed, "ts=on"),
	SCENE(fin_tells_the_time, "ts=on"),
	SCENE(reset_tells_the_time, "ts=on"),
	SCENE(old_segment_is_dropped, "ts=on"),
	SCENE(fin_fits_a_closed_window, "window=8000;ws=off"),
	SCENE(segment_without_flags),
	SCENE(what_waits_is_counted),
	SCENE(what_goes_out_is_counted),
	SCENE(little_waits_to_be_sent),
	SCENE(records_stay_apart),
	SCENE(user_timeout_ends_it),
	SCENE(user_timeout_ends_probes),
	SCENE(zero_copies_are_told),
	SCENE(part_of_a_zero_copy_is_told),
	SCENE(zero_copy_before_it_is_open, "fastopen=5"),
	SCENE(sack_blocks_join),
	SCENE(receiver_takes_back, "tcp_early_retrans=0"),
	SCENE(limited_transmit),
	SCENE(close_in_syn_sent),
	SCENE(reading_is_shut),
	SCENE(both_ways_are_shut),
	SCENE(cork_holds),
	SCENE(timeout_after_a_repeated_synack),
	SCENE(time_out_has_a_minimum),
	SCENE(time_out_has_a_maximum),
	SCENE(ack_waits_for_no_longer),
	SCENE(nothing_is_sent_of_nothing),
	{NULL},
};
