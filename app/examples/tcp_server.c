/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP echo on port 7 with calls that wait: a thread for each connection. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir.h>

struct client {
	struct weir_stack *st;
	int fd;
};

static void *
serve(void *arg)
{
	struct client *c = arg;
	char buf[16384];
	ssize_t n;

	while ((n = weir_recv(c->st, c->fd, buf, sizeof(buf), 0)) > 0)
		if (weir_send(c->st, c->fd, buf, (size_t)n, 0) != n)
			break;
	weir_close(c->st, c->fd); /* 0: the client has ended it; negative: it is lost */
	free(c);
	return NULL;
}

/* The listening socket goes on listening; this is the client's own. */
static void
begin(struct weir_stack *st, int fd)
{
	struct client *c = malloc(sizeof(*c));
	pthread_t thread;

	if (c != NULL) {
		*c = (struct client){st, fd};
		if (pthread_create(&thread, NULL, serve, c) == 0) {
			pthread_detach(thread);
			return;
		}
		free(c);
	}
	weir_close(st, fd);
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7)};
	struct weir_stack *st;
	int listener, fd;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	listener = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	if (weir_bind(st, listener, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
		weir_listen(st, listener, 128) != 0)
		return 1;
	puts("tcp_server: ready");
	fflush(stdout);
	while ((fd = weir_accept(st, listener, NULL, NULL, 0)) >= 0)
		begin(st, fd);
	return 1;
}
