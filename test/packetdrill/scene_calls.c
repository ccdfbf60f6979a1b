/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls themselves: results, errors, waiting; time; datagrams. */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static char room[100000];

/* Results and errors */

static void
wrong_descriptors(struct scene *s)
{
	const int kernel = open("/dev/null", O_RDONLY);
	void *const c = s->t.context;
	struct iovec iov = {room, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct epoll_event event = {0};
	struct sockaddr_storage ss;
	const int fds[] = {-1, 999, kernel};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		const int fd = fds[i];
		socklen_t len = scene_local(s, &ss);
		struct sockaddr *sa = (struct sockaddr *)&ss;
		int v = 0;

		FAILS(s, s->t.bind(c, fd, sa, len), EBADF);
		FAILS(s, s->t.listen(c, fd, 1), EBADF);
		FAILS(s, s->t.accept(c, fd, NULL, NULL), EBADF);
		FAILS(s, s->t.connect(c, fd, sa, len), EBADF);
		FAILS(s, s->t.read(c, fd, room, 1), EBADF);
		FAILS(s, s->t.readv(c, fd, &iov, 1), EBADF);
		FAILS(s, s->t.recv(c, fd, room, 1, 0), EBADF);
		FAILS(s, s->t.recvfrom(c, fd, room, 1, 0, NULL, NULL), EBADF);
		FAILS(s, s->t.recvmsg(c, fd, &msg, 0), EBADF);
		FAILS(s, s->t.write(c, fd, room, 1), EBADF);
		FAILS(s, s->t.writev(c, fd, &iov, 1), EBADF);
		FAILS(s, s->t.send(c, fd, room, 1, 0), EBADF);
		FAILS(s, s->t.sendto(c, fd, room, 1, 0, NULL, 0), EBADF);
		FAILS(s, s->t.sendmsg(c, fd, &msg, 0), EBADF);
		FAILS(s, s->t.fcntl(c, fd, F_GETFL), EBADF);
		FAILS(s, s->t.ioctl(c, fd, FIONREAD, &v), EBADF);
		FAILS(s, s->t.shutdown(c, fd, SHUT_WR), EBADF);
		FAILS(s, s->t.getsockopt(c, fd, SOL_SOCKET, SO_ERROR, &v, &len), EBADF);
		FAILS(s, scene_sockopt(s, fd, SOL_SOCKET, SO_KEEPALIVE, 1), EBADF);
		FAILS(s, s->t.epoll_ctl(c, fd, EPOLL_CTL_ADD, fd, &event), EBADF);
		FAILS(s, s->t.epoll_wait(c, fd, &event, 1, 0), EBADF);
		FAILS(s, s->t.close(c, fd), EBADF);
		EQUAL(s, scene_poll(s, fd), fd < 0 ? 0 : POLLNVAL);
	}
	close(kernel);
}

static void
not_offered(struct scene *s)
{
	FAILS(s, s->t.splice(s->t.context, 0, NULL, 1, NULL, 1, 0), EBADF);
	FAILS(s, s->t.socket(s->t.context, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(s, s->t.epoll_create(s->t.context, 0), EINVAL);
}

/* splice() through a pipe: what came in goes out. */
static void
spliced(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	int pipe[2] = {-1, -1};
	loff_t none = 0;

	EQUAL(s, s->t.pipe(s->t.context, pipe), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1000);
	OUT(s, .flags = ".", .seq = 1, .ack = 1001);
	EQUAL(s, s->t.splice(s->t.context, fd, &none, pipe[1], &none, 99999, SPLICE_F_MOVE), 1000);
	EQUAL(s, s->t.splice(s->t.context, pipe[0], &none, fd, &none, 99999, SPLICE_F_MOVE), 1000);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1001, .len = 1000);
	FAILS(s, s->t.splice(s->t.context, pipe[0], &none, fd, &none, 1, 0), EAGAIN);
	FAILS(s, s->t.splice(s->t.context, fd, &none, fd, &none, 1, 0), EINVAL);
	EQUAL(s, s->t.close(s->t.context, pipe[0]), 0);
	EQUAL(s, s->t.close(s->t.context, pipe[1]), 0);
}

static void
wrong_memory(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	void *const c = s->t.context;

	FAILS(s, s->t.write(c, fd, NULL, 10), EFAULT);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 10);
	FAILS(s, s->t.read(c, fd, NULL, 10), EFAULT);
	FAILS(s, s->t.writev(c, fd, NULL, 1), EFAULT);
	FAILS(s, s->t.sendmsg(c, fd, NULL, 0), EFAULT);
	FAILS(s, s->t.recvmsg(c, fd, NULL, 0), EFAULT);
	FAILS(s, s->t.readv(c, fd, NULL, -1), EINVAL);
	FAILS(s, s->t.ioctl(c, fd, FIONREAD, NULL), EFAULT);
	FAILS(s, s->t.poll(c, NULL, 1, 0), EFAULT);
	EQUAL(s, s->t.write(c, fd, NULL, 0), 0);
}

static void
flags_and_options(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM);
	void *const c = s->t.context;
	int v = 1, queued = -1;
	socklen_t len = sizeof(v);

	EQUAL(s, s->t.fcntl(c, fd, F_GETFL), O_RDWR);
	EQUAL(s, s->t.fcntl(c, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	EQUAL(s, s->t.fcntl(c, fd, F_GETFL), O_RDWR | O_NONBLOCK);
	EQUAL(s, s->t.ioctl(c, fd, FIONBIO, &queued) + v, 1);
	FAILS(s, s->t.fcntl(c, fd, F_GETLK), EINVAL);
	FAILS(s, s->t.ioctl(c, fd, TCGETS, &v), ENOTTY);
	EQUAL(s, s->t.getsockopt(c, fd, SOL_SOCKET, SO_TYPE, &v, &len), 0);
	EQUAL(s, v, SOCK_STREAM);
	EQUAL(s, scene_sockopt(s, fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	EQUAL(s, s->t.getsockopt(c, fd, IPPROTO_TCP, TCP_NODELAY, &v, &len), 0);
	EQUAL(s, v, 1);
	FAILS(s, scene_sockopt(s, fd, IPPROTO_TCP, 999, 1), ENOPROTOOPT);
	EQUAL(s, s->t.ioctl(c, fd, SIOCOUTQ, &queued), 0);
	EQUAL(s, queued, 0);
	FAILS(s, s->t.write(c, fd, room, 1), EPIPE);
}

static void
many_parts(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	void *const c = s->t.context;
	struct iovec iov[] = {{room, 0}, {room, 100}, {NULL, 0}, {room + 100, 200}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 4, .msg_flags = -1};
	int queued;

	EQUAL(s, s->t.writev(c, fd, iov, 4), 300);
	s->now_us = scene_time(s);
	OUT(s, .flags = "P.", .seq = 1, .ack = 1, .len = 300);
	EQUAL(s, s->t.ioctl(c, fd, SIOCOUTQ, &queued), 0);
	EQUAL(s, queued, 300);
	EQUAL(s, s->t.ioctl(c, fd, SIOCOUTQNSD, &queued), 0);
	EQUAL(s, queued, 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 301, .len = 500);
	EQUAL(s, s->t.ioctl(c, fd, SIOCOUTQ, &queued), 0);
	EQUAL(s, queued, 0);
	EQUAL(s, s->t.recv(c, fd, room, 50, MSG_PEEK), 50);
	EQUAL(s, s->t.readv(c, fd, iov, 4), 300);
	EQUAL(s, s->t.recvmsg(c, fd, &msg, 0), 200);
	EQUAL(s, msg.msg_flags, 0);
	EQUAL(s, msg.msg_controllen, 0);
	FAILS(s, s->t.recv(c, fd, room, 50, MSG_DONTWAIT), EAGAIN);
	IN(s, .flags = "F.", .seq = 501, .ack = 301);
	EQUAL(s, s->t.ioctl(c, fd, FIONREAD, &queued), 0);
	EQUAL(s, queued, 0); /* a FIN is no byte */
}

/* At the end of a script the tool closes what was left open, and dies if the kernel refuses. */
static void
descriptors_are_the_kernels(struct scene *s)
{
	const int a = scene_socket(s, SOCK_STREAM), b = s->t.epoll_create(s->t.context, 1);
	const int c = scene_accepted(s, NULL);

	CHECK(s, a >= 0 && b >= 0 && c >= 0 && a != b && b != c);
	EQUAL(s, close(a), 0);
	EQUAL(s, close(b), 0);
	EQUAL(s, close(c), 0);
	EQUAL(s, scene_socket(s, SOCK_STREAM), a); /* the kernel's lowest, free again */
	IN(s, .flags = "R.", .seq = 1, .ack = 1);
}

/* Waiting */

static long
call_accept(struct blocking *b)
{
	return b->s->t.accept(b->s->t.context, b->fd, NULL, NULL);
}

static long
call_connect(struct blocking *b)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(b->s, &ss);

	return b->s->t.connect(b->s->t.context, b->fd, (struct sockaddr *)&ss, len);
}

static long
call_read(struct blocking *b)
{
	return b->s->t.read(b->s->t.context, b->fd, room, b->len);
}

static long
call_read_all(struct blocking *b)
{
	return b->s->t.recv(b->s->t.context, b->fd, room, b->len, MSG_WAITALL);
}

static long
call_write(struct blocking *b)
{
	return b->s->t.write(b->s->t.context, b->fd, room, b->len);
}

static long
call_close(struct blocking *b)
{
	return b->s->t.close(b->s->t.context, b->fd);
}

static long
call_poll(struct blocking *b)
{
	struct pollfd pfd = {.fd = b->fd, .events = POLLIN};

	return b->s->t.poll(b->s->t.context, &pfd, 1, (int)b->len);
}

static long
call_epoll(struct blocking *b)
{
	return b->s->t.epoll_wait(b->s->t.context, b->fd, b->arg, 1, (int)b->len);
}

static void
blocking_accept(struct scene *s)
{
	struct blocking b = {s, call_accept, scene_listen(s)};
	long long at;

	scene_start(&b);
	scene_wait(s, 100);
	IN(s, .flags = "S");
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1, .at_ms = 50);
	at = s->now_us;
	scene_wait(s, 500);
	CHECK(s, b.result > 0);
	ENDED(&b, b.result, at);
}

static void
blocking_connect(struct scene *s)
{
	struct blocking b = {s, call_connect, scene_socket(s, SOCK_STREAM)};
	long long at;

	s->rport = PORT;
	scene_start(&b);
	OUT(s, .flags = "S");
	IN(s, .flags = "S.", .ack = 1, .at_ms = 300);
	at = s->now_us;
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	ENDED(&b, 0, at);
}

static void
blocking_connect_refused(struct scene *s)
{
	struct blocking b = {s, call_connect, scene_socket(s, SOCK_STREAM)};

	s->rport = PORT;
	scene_start(&b);
	OUT(s, .flags = "S");
	IN(s, .flags = "R.", .ack = 1, .at_ms = 300);
	ENDED(&b, -1, s->now_us);
	EQUAL(s, b.error, ECONNREFUSED);
}

static void
blocking_read(struct scene *s)
{
	struct blocking b = {s, call_read, scene_accepted(s, NULL), .len = 1000};

	for (unsigned int i = 0; i < 20; i++) {
		long long at;

		scene_start(&b);
		scene_wait(s, 10);
		IN(s, .flags = "P.", .seq = 1 + i * 100, .ack = 1, .len = 100);
		at = s->now_us;
		scene_wait(s, 1000); /* far beyond: the call must not be late */
		ENDED(&b, 100, at);
	}
	scene_start(&b);
	IN(s, .flags = "F.", .seq = 2001, .ack = 1, .at_ms = 20);
	ENDED(&b, 0, s->now_us);
}

static void
blocking_read_all(struct scene *s)
{
	struct blocking b = {s, call_read_all, scene_accepted(s, NULL), .len = 1000};

	scene_start(&b);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 600, .at_ms = 10);
	scene_wait(s, 100);
	EQUAL(s, __atomic_load_n(&b.is_done, __ATOMIC_ACQUIRE), 0);
	IN(s, .flags = "P.", .seq = 601, .ack = 1, .len = 600);
	ENDED(&b, 1000, s->now_us);
}

static void
blocking_write(struct scene *s)
{
	struct blocking b = {s, call_write, scene_accepted(s, NULL), .len = 60000};
	uint32_t acked = 1;

	EQUAL(s, scene_sockopt(s, b.fd, SOL_SOCKET, SO_SNDBUF, 4096), 0);
	scene_start(&b);
	scene_wait(s, 1);
	EQUAL(s, __atomic_load_n(&b.is_done, __ATOMIC_ACQUIRE), 0);
	while (acked < 60001) {
		uint8_t protocol;
		size_t len;

		scene_out_ip(s, &protocol, &len);
		if (len == 0)
			break;
		acked += (uint32_t)len - 20;
		IN(s, .flags = ".", .seq = 1, .ack = acked);
	}
	EQUAL(s, acked, 60001);
	pthread_join(b.thread, NULL);
	EQUAL(s, b.result, 60000);
}

static void
receive_timeout(struct scene *s)
{
	struct blocking b = {s, call_read, scene_accepted(s, NULL), .len = 1000};
	const struct timeval tv = {.tv_usec = 250000};
	long long at;

	EQUAL(s, s->t.setsockopt(s->t.context, b.fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	scene_start(&b);
	at = s->now_us + 250 * MS;
	scene_wait(s, 1000);
	ENDED(&b, -1, at);
	EQUAL(s, b.error, EAGAIN);
}

static void
close_lingers(struct scene *s)
{
	const struct linger l = {.l_onoff = 1, .l_linger = 2};
	struct blocking b = {s, call_close, scene_accepted(s, NULL)};
	long long at;

	EQUAL(s, s->t.setsockopt(s->t.context, b.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	scene_start(&b);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 2, .at_ms = 150);
	at = s->now_us;
	scene_wait(s, 500);
	ENDED(&b, 0, at);
}

static void
close_ends_a_read(struct scene *s)
{
	struct blocking b = {s, call_read, scene_accepted(s, NULL), .len = 1000};

	scene_start(&b);
	scene_wait(s, 10);
	EQUAL(s, s->t.close(s->t.context, b.fd), 0);
	ENDED(&b, -1, s->now_us);
	EQUAL(s, b.error, EBADF);
}

static void
blocking_poll(struct scene *s)
{
	struct blocking b = {s, call_poll, scene_accepted(s, NULL), .len = 300};
	long long at;

	scene_start(&b);
	at = s->now_us + 300 * MS;
	scene_wait(s, 1000);
	ENDED(&b, 0, at);
	scene_start(&b);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 1, .at_ms = 100);
	at = s->now_us;
	scene_wait(s, 1000);
	ENDED(&b, 1, at);
}

/* A call on the main thread that would block: there time passes until it can go on. */
static void
main_thread_waits(struct scene *s)
{
	const int fd = scene_socket(s, SOCK_STREAM);
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	const long long start = scene_time(s);

	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), ETIMEDOUT);
	CHECK(s, scene_time(s) - start > 3000 * MS && scene_time(s) - start < 20000 * MS);
	s->t.poll(s->t.context, &pfd, 1, 0);
	FAILS(s, s->t.accept(s->t.context, scene_listen(s), NULL, NULL), EDEADLK);
}

/* epoll */

static int
watch(struct scene *s, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};
	const int epfd = s->t.epoll_create(s->t.context, 1);

	EQUAL(s, s->t.epoll_ctl(s->t.context, epfd, EPOLL_CTL_ADD, fd, &event), 0);
	FAILS(s, s->t.epoll_ctl(s->t.context, epfd, EPOLL_CTL_ADD, fd, &event), EEXIST);
	return epfd;
}

static int
reported(struct scene *s, int epfd)
{
	struct epoll_event event = {0};
	const int n = s->t.epoll_wait(s->t.context, epfd, &event, 1, 0);

	return n < 1 ? n : (int)event.events;
}

static void
epoll_level(struct scene *s)
{
	const int fd = scene_accepted(s, NULL), epfd = watch(s, fd, EPOLLIN);
	struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

	EQUAL(s, reported(s, epfd), 0);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	EQUAL(s, reported(s, epfd), EPOLLIN);
	EQUAL(s, reported(s, epfd), EPOLLIN);
	EQUAL(s, s->t.read(s->t.context, fd, room, 100), 100);
	EQUAL(s, reported(s, epfd), 0);
	EQUAL(s, s->t.epoll_ctl(s->t.context, epfd, EPOLL_CTL_MOD, fd, &event), 0);
	EQUAL(s, reported(s, epfd), EPOLLOUT);
	EQUAL(s, s->t.epoll_ctl(s->t.context, epfd, EPOLL_CTL_DEL, fd, NULL), 0);
	EQUAL(s, reported(s, epfd), 0);
	FAILS(s, s->t.epoll_ctl(s->t.context, epfd, EPOLL_CTL_DEL, fd, NULL), ENOENT);
	EQUAL(s, s->t.close(s->t.context, epfd), 0);
}

static void
epoll_edge(struct scene *s)
{
	const int fd = scene_accepted(s, NULL), epfd = watch(s, fd, EPOLLIN | EPOLLET);

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	EQUAL(s, reported(s, epfd), EPOLLIN);
	EQUAL(s, reported(s, epfd), 0);
	IN(s, .flags = "P.", .seq = 101, .ack = 1, .len = 100);
	EQUAL(s, reported(s, epfd), EPOLLIN);
	EQUAL(s, s->t.read(s->t.context, fd, room, 50), 50);
	EQUAL(s, reported(s, epfd), 0);
}

static void
epoll_once(struct scene *s)
{
	const int fd = scene_accepted(s, NULL), epfd = watch(s, fd, EPOLLIN | EPOLLONESHOT);
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};

	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100);
	EQUAL(s, reported(s, epfd), EPOLLIN);
	IN(s, .flags = "P.", .seq = 101, .ack = 1, .len = 100);
	EQUAL(s, reported(s, epfd), 0);
	EQUAL(s, s->t.epoll_ctl(s->t.context, epfd, EPOLL_CTL_MOD, fd, &event), 0);
	EQUAL(s, reported(s, epfd), EPOLLIN);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	EQUAL(s, reported(s, epfd), 0);
}

static void
blocking_epoll(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	struct epoll_event event = {0};
	struct blocking b = {s, call_epoll, watch(s, fd, EPOLLIN), &event, .len = 5000};
	long long at;

	scene_start(&b);
	IN(s, .flags = "P.", .seq = 1, .ack = 1, .len = 100, .at_ms = 700);
	at = s->now_us;
	scene_wait(s, 700);
	ENDED(&b, 1, at);
	EQUAL(s, event.events, EPOLLIN);
	EQUAL(s, event.data.fd, fd);
}

/* Time */

static void
half_a_minute_passes_at_once(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const long long start = scene_time(s);
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	scene_wait(s, 30000);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK(s, scene_time(s) - start >= 30000 * MS);
	CHECK(s,
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 <
			300);
	EQUAL(s, scene_poll(s, fd), POLLOUT);
}

/* A packet keeps the time at which it left, however late it is fetched. */
static void
packets_are_stamped(struct scene *s)
{
	const int fd = scene_accepted(s, NULL);
	const long long start = scene_time(s);
	uint8_t protocol;
	size_t len;

	EQUAL(s, s->t.write(s->t.context, fd, room, 10), 10);
	scene_wait(s, 650);
	scene_out_ip(s, &protocol, &len);
	CHECK(s, s->now_us - start < 1 * MS);
	scene_out_ip(s, &protocol, &len);
	CHECK(s, s->now_us - start >= 200 * MS && s->now_us - start < 204 * MS);
	scene_out_ip(s, &protocol, &len);
	CHECK(s, s->now_us - start >= 600 * MS && s->now_us - start < 604 * MS);
}

static void
a_missing_packet_does_not_hang(struct scene *s)
{
	const long long start = scene_time(s);
	uint8_t protocol;
	size_t len;

	scene_out_ip(s, &protocol, &len);
	EQUAL(s, len, 0);
	CHECK(s, scene_time(s) - start >= 7000 * MS);
}

/* Datagrams */

static void
datagrams(struct scene *s)
{
	uint8_t in[8 + 100] = {PEER_PORT >> 8, PEER_PORT & 255, PORT >> 8, PORT & 255, 0, 108};
	const int fd = scene_socket(s, SOCK_DGRAM);
	struct sockaddr_storage ss;
	socklen_t len = scene_local(s, &ss);
	const uint8_t *udp;
	uint8_t protocol;
	size_t n;

	EQUAL(s, s->t.bind(s->t.context, fd, (struct sockaddr *)&ss, len), 0);
	scene_in_ip(s, 17, in, sizeof(in));
	s->rport = PEER_PORT;
	len = sizeof(ss);
	EQUAL(s, s->t.recvfrom(s->t.context, fd, room, 500, 0, (struct sockaddr *)&ss, &len), 100);
	CHECK(s, scene_is_peer(s, &ss, len));
	EQUAL(s, s->t.sendto(s->t.context, fd, room, 300, 0, (struct sockaddr *)&ss, len), 300);
	udp = scene_out_ip(s, &protocol, &n);
	EQUAL(s, protocol, 17);
	EQUAL(s, n, 308);
	CHECK(s, memcmp(udp, in + 2, 2) == 0 && memcmp(udp + 2, in, 2) == 0);
	QUIET(s);
}

static void
port_unreachable(struct scene *s)
{
	uint8_t in[8] = {PEER_PORT >> 8, PEER_PORT & 255, PORT >> 8, PORT & 255, 0, 8};
	const uint8_t *icmp;
	uint8_t protocol;
	size_t n;

	scene_in_ip(s, 17, in, sizeof(in));
	icmp = scene_out_ip(s, &protocol, &n);
	EQUAL(s, protocol, s->kind == IPV6 ? 58 : 1);
	EQUAL(s, icmp[0], s->kind == IPV6 ? 1 : 3);
	EQUAL(s, icmp[1], s->kind == IPV6 ? 4 : 3);
}

const struct scene_entry scenes_calls[] = {
	SCENE(wrong_descriptors),
	SCENE(not_offered),
	SCENE(spliced),
	SCENE(wrong_memory),
	SCENE(flags_and_options),
	SCENE(many_parts),
	SCENE(descriptors_are_the_kernels),
	SCENE(blocking_accept),
	SCENE(blocking_connect),
	SCENE(blocking_connect_refused),
	SCENE(blocking_read),
	SCENE(blocking_read_all),
	SCENE(blocking_write),
	SCENE(receive_timeout),
	SCENE(close_lingers),
	SCENE(close_ends_a_read),
	SCENE(blocking_poll),
	SCENE(main_thread_waits, "syn_retries=2"),
	SCENE(epoll_level),
	SCENE(epoll_edge),
	SCENE(epoll_once),
	SCENE(blocking_epoll),
	SCENE(half_a_minute_passes_at_once),
	SCENE(packets_are_stamped),
	SCENE(a_missing_packet_does_not_hang, "timeout=7s"),
	SCENE(datagrams),
	SCENE(port_unreachable),
	{NULL},
};
