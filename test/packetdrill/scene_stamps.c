/* SPDX-License-Identifier: BSD-3-Clause */
/* When data came, went and was acknowledged; the SYN that opened a connection. */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#define SENT (SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK)
#define TOLD (SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID)

static char room[70000];

/* What recvmsg() told beside the data. */
struct told {
	ssize_t n;
	int flags;
	long long at_us; /* of SCM_TIMESTAMPING; -1: there was none */
	long long ns_us; /* of SO_TIMESTAMPNS; -1: there was none */
	bool has_err;
	struct sock_extended_err err;
};

static long long
as_us(const struct timespec *ts)
{
	return (long long)ts->tv_sec * 1000000 + ts->tv_nsec / 1000;
}

static void
take_cmsg(const struct scene *s, struct told *t, const struct cmsghdr *c)
{
	const bool is_v6 = s->kind != IPV4;
	struct scm_timestamping all;
	struct timespec ts;

	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
		memcpy(&all, CMSG_DATA(c), sizeof(all));
		t->at_us = as_us(&all.ts[0]);
	} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		t->ns_us = as_us(&ts);
	} else if (c->cmsg_level == (is_v6 ? IPPROTO_IPV6 : IPPROTO_IP) &&
		   c->cmsg_type == (is_v6 ? IPV6_RECVERR : IP_RECVERR)) {
		memcpy(&t->err, CMSG_DATA(c), sizeof(t->err));
		t->has_err = true;
	}
}

static struct told
tell(struct scene *s, int fd, size_t len, int flags)
{
	char control[256];
	struct iovec iov = {room, len};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct told t = {.at_us = -1, .ns_us = -1};

	t.n = s->t.recvmsg(s->t.context, fd, &msg, flags);
	t.flags = msg.msg_flags;
	for (struct cmsghdr *c = t.n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c != NULL;
		c = CMSG_NXTHDR(&msg, c))
		take_cmsg(s, &t, c);
	return t;
}

static bool
is_near(long long at, long long wanted)
{
	return llabs(at - wanted) < TOLERANCE_US;
}

/* The next of the error queue. */
static void
stamped(struct scene *s, int line, int fd, uint32_t what, uint32_t key, long long at_us)
{
	const struct told t = tell(s, fd, 0, MSG_ERRQUEUE);

	scene_check(s, line, t.n == 0 && t.has_err, "an entry");
	scene_check(s, line, t.flags & MSG_ERRQUEUE, "MSG_ERRQUEUE");
	scene_check(s, line,
		t.err.ee_errno == ENOMSG && t.err.ee_origin == SO_EE_ORIGIN_TIMESTAMPING &&
			t.err.ee_type == 0 && t.err.ee_code == 0,
		"what it is");
	scene_equal(s, line, t.err.ee_info, what, "ee_info");
	scene_equal(s, line, t.err.ee_data, key, "ee_data");
	scene_check(s, line, is_near(t.at_us, at_us), "when");
}

#define STAMPED(s, fd, what, key, at_us) stamped(s, __LINE__, fd, what, key, at_us)
#define NO_STAMP(s, fd)                                           \
	do {                                                      \
		FAILS(s, tell(s, fd, 0, MSG_ERRQUEUE).n, EAGAIN); \
		EQUAL(s, scene_poll(s, fd) & POLLERR, 0);         \
	} while (0)

static void
write_all(struct scene *s, int fd, size_t len)
{
	EQUAL(s, s->t.write(s->t.context, fd, room, len), (long long)len);
	s->now_us = scene_time(s);
}

static int
ask(struct scene *s, int fd, int flags)
{
	return scene_sockopt(s, fd, SOL_SOCKET, SO_TIMESTAMPING, flags);
}

/* timestamping.rst 1.3, 2.1: by the byte that the call ended with. */
static void
sends_are_stamped(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	long long sent_us;

	EQUAL(s, ask(s, fd, SENT | TOLD), 0);
	write_all(s, fd, 1000);
	sent_us = s->now_us;
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	EQUAL(s, scene_poll(s, fd) & POLLERR, POLLERR);
	EQUAL(s, tell(s, fd, 0, MSG_ERRQUEUE).flags, MSG_ERRQUEUE | MSG_TRUNC);
	STAMPED(s, fd, SCM_TSTAMP_SND, 999, sent_us);
	NO_STAMP(s, fd);
	IN(s, .flags = ".", .seq = 1, .ack = 1001, .at_ms = 30);
	STAMPED(s, fd, SCM_TSTAMP_ACK, 999, sent_us + 30 * MS);
	NO_STAMP(s, fd);
	write_all(s, fd, 500);
	OUT(s, .flags = "P.", .seq = 1001, .ack = 1, .len = 500);
	STAMPED(s, fd, SCM_TSTAMP_SCHED, 1499, s->now_us);
	STAMPED(s, fd, SCM_TSTAMP_SND, 1499, s->now_us);
	EQUAL(s, ask(s, fd, 0), 0);
	IN(s, .flags = ".", .seq = 1, .ack = 1501);
	EQUAL(s, tell(s, fd, 0, MSG_ERRQUEUE).n, 0); /* it was asked for when it was sent */
	NO_STAMP(s, fd);
}

/* Only the last byte's, once all is acknowledged; a repetition is stamped, too. */
static void
long_sends_are_stamped_at_their_end(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const uint32_t mss = scene_mss(s), len = 3 * mss;
	long long sent_us;

	EQUAL(s, ask(s, fd, SENT | TOLD | SOF_TIMESTAMPING_OPT_TSONLY), 0);
	write_all(s, fd, len);
	sent_us = s->now_us;
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = len);
	EQUAL(s, tell(s, fd, 0, MSG_ERRQUEUE).flags, MSG_ERRQUEUE);
	STAMPED(s, fd, SCM_TSTAMP_SND, len - 1, sent_us);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + 2 * mss, .at_ms = 10);
	NO_STAMP(s, fd);
	OUT(s, .flags = "P.", .seq = 1 + 2 * mss, .ack = 1, .len = mss, .at_ms = 200);
	STAMPED(s, fd, SCM_TSTAMP_SCHED, len - 1, s->now_us);
	STAMPED(s, fd, SCM_TSTAMP_SND, len - 1, s->now_us);
	IN(s, .flags = ".", .seq = 1, .ack = 1 + len, .at_ms = 10);
	STAMPED(s, fd, SCM_TSTAMP_ACK, len - 1, s->now_us);
	NO_STAMP(s, fd);
}

static long
send_with(struct scene *s, int fd, size_t len, int type, const void *value, size_t size)
{
	char control[64] = {0};
	struct iovec iov = {room, len};
	const struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = type, .cmsg_len = CMSG_LEN(size)};
	memcpy(CMSG_DATA(c), value, size);
	return s->t.sendmsg(s->t.context, fd, &msg, 0);
}

/* timestamping.rst 1.3.4 */
static void
one_send_is_stamped(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	uint32_t which = SOF_TIMESTAMPING_TX_ACK;

	EQUAL(s, ask(s, fd, TOLD), 0);
	write_all(s, fd, 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	IN(s, .flags = ".", .seq = 1, .ack = 101, .at_ms = 10);
	NO_STAMP(s, fd);
	EQUAL(s, send_with(s, fd, 100, SO_TIMESTAMPING, &which, sizeof(which)), 100);
	OUT(s, .flags = "P.", .seq = 101, .ack = 1, .len = 100);
	IN(s, .flags = ".", .seq = 1, .ack = 201, .at_ms = 10);
	STAMPED(s, fd, SCM_TSTAMP_ACK, 199, s->now_us);
	NO_STAMP(s, fd);
	which = SOF_TIMESTAMPING_SOFTWARE;
	FAILS(s, send_with(s, fd, 100, SO_TIMESTAMPING, &which, sizeof(which)), EINVAL);
	FAILS(s, send_with(s, fd, 100, SO_TIMESTAMPING, &which, 2), EINVAL);
	FAILS(s, send_with(s, fd, 100, SO_KEEPALIVE, &which, sizeof(which)), EINVAL);
}

/* From what is not acknowledged on, or from what is not sent yet. */
static void
stamps_count_from_here(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const int from_end = 1 << 16;

	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	write_all(s, fd, 100);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	EQUAL(s, ask(s, fd, SOF_TIMESTAMPING_TX_SOFTWARE | TOLD), 0);
	write_all(s, fd, 10);
	OUT(s, .flags = "P.", .seq = 101, .ack = 1, .len = 10);
	STAMPED(s, fd, SCM_TSTAMP_SND, 109, s->now_us);
	EQUAL(s, ask(s, fd, 0), 0);
	EQUAL(s, ask(s, fd, SOF_TIMESTAMPING_TX_SOFTWARE | TOLD | from_end), 0);
	write_all(s, fd, 20);
	OUT(s, .flags = "P.", .seq = 111, .ack = 1, .len = 20);
	STAMPED(s, fd, SCM_TSTAMP_SND, 19, s->now_us);
	NO_STAMP(s, fd);
}

static void
stamps_are_checked(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM), lfd = scene_listen(s);
	int flags[2] = {0, 0};
	socklen_t len = sizeof(flags);

	FAILS(s, ask(s, fd, 1 << 30), EINVAL);
	FAILS(s, ask(s, fd, 1 << 16), EINVAL);
	FAILS(s, ask(s, fd, SENT | TOLD), EINVAL); /* nothing to count from */
	FAILS(s, ask(s, lfd, SENT | TOLD), EINVAL);
	EQUAL(s, ask(s, fd, SENT), 0);
	EQUAL(s, s->t.getsockopt(s->t.context, fd, SOL_SOCKET, SO_TIMESTAMPING, flags, &len), 0);
	EQUAL(s, flags[0], SENT);
}

/* Of several segments the last one's. */
static void
received_data_is_stamped(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	struct told t;

	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
	EQUAL(s, ask(s, fd, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1001);
	IN(s, .flags = "P.", .seq = 1001, .ack = 1, .len = 1000, .at_ms = 50);
	OUT(s, .flags = ".", .seq = 1, .ack = 2001);
	t = tell(s, fd, 1500, 0);
	EQUAL(s, t.n, 1500);
	CHECK(s, is_near(t.at_us, s->now_us) && is_near(t.ns_us, s->now_us));
	EQUAL(s, ask(s, fd, SOF_TIMESTAMPING_SOFTWARE), 0);
	t = tell(s, fd, 1500, 0);
	EQUAL(s, t.n, 500);
	EQUAL(s, t.at_us, -1);
	CHECK(s, is_near(t.ns_us, s->now_us));
}

/* Numbered one by one; the data comes back if it may. */
static void
datagrams_are_stamped(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_DGRAM);
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	uint32_t which = 0;
	uint8_t protocol;
	struct told t;
	size_t n;

	EQUAL(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), 0);
	EQUAL(s, ask(s, fd, SENT | TOLD), 0);
	write_all(s, fd, 100);
	scene_out_ip(s, &protocol, &n);
	EQUAL(s, n, 108);
	EQUAL(s, scene_poll(s, fd) & POLLERR, POLLERR);
	t = tell(s, fd, sizeof(room), MSG_ERRQUEUE);
	EQUAL(s, t.n, 100);
	EQUAL(s, t.err.ee_info, SCM_TSTAMP_SCHED);
	STAMPED(s, fd, SCM_TSTAMP_SND, 0, s->now_us);
	NO_STAMP(s, fd);
	EQUAL(s, send_with(s, fd, 100, SO_TIMESTAMPING, &which, sizeof(which)), 100);
	scene_out_ip(s, &protocol, &n);
	NO_STAMP(s, fd);
	EQUAL(s, ask(s, fd, SOF_TIMESTAMPING_TX_SOFTWARE | TOLD | SOF_TIMESTAMPING_OPT_TSONLY), 0);
	write_all(s, fd, 0);
	scene_out_ip(s, &protocol, &n);
	EQUAL(s, tell(s, fd, 0, MSG_ERRQUEUE).err.ee_data, 1);
	write_all(s, fd, 10);
	scene_out_ip(s, &protocol, &n);
	STAMPED(s, fd, SCM_TSTAMP_SND, 2, s->now_us);
	NO_STAMP(s, fd);
}

/* SYNs */

static int
saved(struct scene *s, int fd, socklen_t *len)
{
	return s->t.getsockopt(s->t.context, fd, IPPROTO_TCP, TCP_SAVED_SYN, room, len);
}

static void
syn_is_saved(struct scene *s, int how, unsigned int mac_len)
{
	const socklen_t all = (s->kind == IPV6 ? 40 : 20) + 24 + mac_len;
	const int lfd = scene_listen(s);
	const char *ip = room + mac_len;
	socklen_t len = all - 1;
	int fd;

	FAILS(s, scene_sockopt(s, lfd, IPPROTO_TCP, TCP_SAVE_SYN, 3), EINVAL);
	EQUAL(s, scene_sockopt(s, lfd, IPPROTO_TCP, TCP_SAVE_SYN, how), 0);
	IN(s, .flags = "S", MSS_1460, .len = 10);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .at_ms = 10);
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	FAILS(s, saved(s, fd, &len), EINVAL);
	EQUAL(s, len, all);
	len = sizeof(room);
	EQUAL(s, saved(s, fd, &len), 0);
	EQUAL(s, len, all);
	EQUAL(s, ip[0], s->kind == IPV6 ? 0x60 : 0x45);
	EQUAL(s, memcmp(room + all - 4, "\x02\x04\x05\xb4", 4), 0);
	if (mac_len > 0)
		EQUAL(s, memcmp(ip - 2, s->kind == IPV6 ? "\x86\xdd" : "\x08\x00", 2), 0);
	EQUAL(s, saved(s, fd, &len), 0);
	EQUAL(s, len, 0);
	len = sizeof(room);
	EQUAL(s, saved(s, lfd, &len), 0);
	EQUAL(s, len, 0);
}

static void
syn_is_saved_from_ip_on(struct scene *s)
{
	syn_is_saved(s, 1, 0);
}

static void
syn_is_saved_from_mac_on(struct scene *s)
{
	syn_is_saved(s, 2, 14);
}

/* One that nobody reads goes with its socket, half open or not. */
static void
saved_syns_are_freed(struct scene *s)
{
	const int lfd = scene_listen(s);
	int fd;

	EQUAL(s, scene_sockopt(s, lfd, IPPROTO_TCP, TCP_SAVE_SYN, 1), 0);
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	s->rport++;
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	EQUAL(s, s->t.close(s->t.context, lfd), 0);
	QUIET(s);
}

const struct scene_entry scenes_stamps[] = {
	SCENE(sends_are_stamped),
	SCENE(long_sends_are_stamped_at_their_end, "tcp_early_retrans=0"),
	SCENE(one_send_is_stamped),
	SCENE(stamps_count_from_here),
	SCENE(stamps_are_checked),
	SCENE(received_data_is_stamped),
	SCENE(datagrams_are_stamped),
	SCENE(syn_is_saved_from_ip_on),
	SCENE(syn_is_saved_from_mac_on),
	SCENE(saved_syns_are_freed),
	{NULL},
};
