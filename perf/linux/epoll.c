/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's sockets as a server, for comparison: TCP and UDP echo on port 7, HTTP on port 80
 * with answers of GET /size/N. One thread, epoll, level-triggered; as fast as that can be made
 * simply.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS	 256
#define ROOM	 65536
#define BODY_MAX 16384
#define BACKLOG	 4096
#define GET	 "GET /size/"

enum kind { LISTEN_ECHO, LISTEN_HTTP, DATAGRAMS, ECHO, HTTP };

struct server {
	int epoll;
	char in[ROOM];
	char out[ROOM];
};

/* The kind of a socket is kept beside its descriptor, in the epoll's data. */
static int
watch(const struct server *s, int fd, enum kind kind)
{
	struct epoll_event ev = {
		.events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int
open_port(const struct server *s, int type, uint16_t port, enum kind kind)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) != 0)
		return -1;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)
		return -1;
	return watch(s, fd, kind);
}

static void
accept_all(const struct server *s, int listener, enum kind kind)
{
	const int on = 1;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (watch(s, fd, kind) != 0)
			close(fd);
	}
}

static void
echo_datagrams(struct server *s, int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, s->in, ROOM, 0, (struct sockaddr *)&from, &len)) >= 0) {
		sendto(fd, s->in, (size_t)n, 0, (const struct sockaddr *)&from, len);
		len = sizeof(from);
	}
}

/* Waits for room where there is none. */
static bool
send_all(int fd, const char *at, size_t len)
{
	while (len > 0) {
		const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		at += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
	return true;
}

/* Requests come whole, as weir-load sends them. @return length of the answer, 0: refused */
static size_t
answer(const char *request, char *out, size_t room)
{
	const size_t len = strtoul(request + sizeof(GET) - 1, NULL, 10) *
			   (strncmp(request, GET "4K", sizeof(GET) + 1) == 0 ? 1024 : 1);
	int n;

	if (strncmp(request, GET, sizeof(GET) - 1) != 0 || len > BODY_MAX)
		return 0;
	n = snprintf(out, room, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	if (n < 0 || (size_t)n + len > room)
		return 0;
	memset(out + n, 'x', len);
	return (size_t)n + len;
}

/* All requests of what was received, answered at once as far as there is room. */
static bool
serve_http(struct server *s, int fd)
{
	const bool is_last = strstr(s->in, "\r\nConnection: close") != NULL;
	const char *at = s->in, *end;
	size_t n = 0;

	while ((end = strstr(at, "\r\n\r\n")) != NULL) {
		const size_t len = answer(at, s->out + n, ROOM - n);

		if (len == 0 && (n == 0 || !send_all(fd, s->out, n)))
			return false;
		n = len == 0 ? 0 : n + len;
		at = len == 0 ? at : end + 4;
	}
	return send_all(fd, s->out, n) && !is_last;
}

static void
serve(struct server *s, int fd, enum kind kind)
{
	const ssize_t n = recv(fd, s->in, ROOM - 1, 0);
	bool is_good = n > 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (is_good) {
		s->in[n] = '\0';
		is_good = kind == ECHO ? send_all(fd, s->in, (size_t)n) : serve_http(s, fd);
	}
	if (!is_good)
		close(fd);
}

static void
handle(struct server *s, const struct epoll_event *ev)
{
	const int fd = (int)(uint32_t)ev->data.u64;
	const enum kind kind = (enum kind)(ev->data.u64 >> 32);

	if (kind == LISTEN_ECHO || kind == LISTEN_HTTP)
		accept_all(s, fd, kind == LISTEN_ECHO ? ECHO : HTTP);
	else if (kind == DATAGRAMS)
		echo_datagrams(s, fd);
	else
		serve(s, fd, kind);
}

int
main(void)
{
	struct server *s = calloc(1, sizeof(*s));
	struct epoll_event ev[EVENTS];

	if (s == NULL)
		return EXIT_FAILURE;
	s->epoll = epoll_create1(0);
	if (open_port(s, SOCK_STREAM, 7, LISTEN_ECHO) != 0 ||
		open_port(s, SOCK_STREAM, 80, LISTEN_HTTP) != 0 ||
		open_port(s, SOCK_DGRAM, 7, DATAGRAMS) != 0) {
		perror("port 7 or 80");
		return EXIT_FAILURE;
	}
	puts("weir-perf-linux: ready");
	fflush(stdout);
	for (;;) {
		const int n = epoll_wait(s->epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++)
			handle(s, &ev[i]);
	}
}
