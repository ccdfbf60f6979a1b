/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts what comes by each connection to TCP port 9, and says so at its end: edge-triggered epoll.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

struct client {
	int fd;
	uint64_t bytes;
};

/* The set hands back the pointer with each event; NULL is the listener. */
static void
watch(struct weir_stack *st, int epoll, int fd, struct client *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = c};

	weir_epoll_ctl(st, epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* An edge is told once: all that are there have to be accepted now. */
static void
accept_clients(struct weir_stack *st, int epoll, int listener)
{
	struct client *c;
	int fd;

	while ((fd = weir_accept(st, listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		c = calloc(1, sizeof(*c));
		if (c == NULL) {
			weir_close(st, fd);
			continue;
		}
		c->fd = fd;
		watch(st, epoll, fd, c);
	}
}

static void
finish(struct weir_stack *st, struct client *c)
{
	char text[32];
	const int len = snprintf(text, sizeof(text), "%llu bytes\n", (unsigned long long)c->bytes);

	weir_send(st, c->fd, text, (size_t)len, 0);
	weir_close(st, c->fd); /* what was sent is still delivered */
	free(c);
}

/* And all that is there has to be read, up to EAGAIN or the end. */
static void
count(struct weir_stack *st, struct client *c)
{
	char buf[16384];
	ssize_t n;

	while ((n = weir_recv(st, c->fd, buf, sizeof(buf), 0)) > 0)
		c->bytes += (uint64_t)n;
	if (n != -EAGAIN)
		finish(st, c);
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct epoll_event ev[64];
	struct weir_stack *st;
	int epoll, listener;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	epoll = weir_epoll_create(st, 0);
	listener = weir_socket(st, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (weir_bind(st, listener, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
		weir_listen(st, listener, 128) != 0)
		return 1;
	watch(st, epoll, listener, NULL);
	puts("epoll_edge: ready");
	fflush(stdout);
	for (;;) {
		const int n = weir_epoll_wait(st, epoll, ev, 64, -1);

		for (int i = 0; i < n; i++)
			if (ev[i].data.ptr == NULL)
				accept_clients(st, epoll, listener);
			else
				count(st, ev[i].data.ptr);
	}
}
