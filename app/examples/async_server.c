/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP echo on port 7, driven by messages: one thread, one queue, any number of connections. */
#include <stdio.h>
#include <weir.h>

#define LEFT_MAX 65536 /* of each connection: what could not be sent yet */

/* Send back what comes, until there is no more, or no room: WRITE calls again then. */
static void
echo(struct weir_stack *st, int fd)
{
	char buf[LEFT_MAX];
	ssize_t n, sent;

	while ((n = weir_recv(st, fd, buf, sizeof(buf), MSG_PEEK)) > 0) {
		sent = weir_send(st, fd, buf, (size_t)n, 0);
		if (sent <= 0)
			return;
		weir_recv(st, fd, buf, (size_t)sent, 0); /* that much is done */
	}
	if (n == 0)
		weir_shutdown(st, fd, SHUT_WR); /* all of it has gone back */
}

static void
serve(struct weir_stack *st, struct weir_queue *q, const struct weir_msg *m)
{
	if (m->event == WEIR_ASYN_ACCEPT) {
		while (weir_accept(st, m->fd, NULL, NULL, 0) >= 0) {
		}
	} else if (m->event == WEIR_ASYN_CLOSE) {
		if (weir_msg_is_current(q, m))
			weir_close(st, m->fd);
	} else {
		echo(st, m->fd); /* READ, WRITE, PEERCLOSE */
	}
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7)};
	struct weir_queue *q;
	struct weir_stack *st;
	struct weir_msg m;
	int fd;

	if (argc != 2 || weir_init(argv[1], &st) != 0 || weir_queue_new(st, &q) != 0)
		return 1;
	fd = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	weir_set_async(st, fd, q, NULL); /* accepted sockets inherit it */
	if (weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
		weir_listen(st, fd, 128) != 0)
		return 1;
	puts("async_server: ready");
	fflush(stdout);
	while (weir_queue_wait(q, &m, 1, -1) == 1)
		serve(st, q, &m);
	return 0;
}
