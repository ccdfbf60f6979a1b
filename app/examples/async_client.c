/* SPDX-License-Identifier: BSD-3-Clause */
/* A TCP client by messages: sends a line, prints the answer: async_client CONF IP PORT LINE */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

/* @return whether this was the last message of the socket */
static bool
handle(struct weir_stack *st, const struct weir_msg *m, const char *line)
{
	char buf[1024];
	ssize_t n;

	switch (m->event) {
	case WEIR_ASYN_CONNECT: /* it is the first; from here on we may send */
		if (m->error == 0 && weir_send(st, m->fd, line, strlen(line), 0) > 0)
			weir_shutdown(st, m->fd, SHUT_WR);
		break;
	case WEIR_ASYN_READ: /* until weir_recv() says that there is nothing now */
		while ((n = weir_recv(st, m->fd, buf, sizeof(buf), 0)) > 0)
			fwrite(buf, 1, (size_t)n, stdout);
		break;
	case WEIR_ASYN_PEERCLOSE: /* CLOSE follows weir_close(), as it follows any other end */
		weir_close(st, m->fd);
		break;
	case WEIR_ASYN_CLOSE:
		if (m->error != 0)
			fprintf(stderr, "%s\n", strerror(m->error));
		return true;
	default:
		break;
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct weir_queue *q;
	struct weir_stack *st;
	struct weir_msg m = {0};
	int fd;

	if (argc != 5 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 1;
	to.sin_port = htons((uint16_t)atoi(argv[3]));
	if (weir_init(argv[1], &st) != 0 || weir_queue_new(st, &q) != 0)
		return 1;
	fd = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	weir_set_async(st, fd, q, NULL);
	puts("async_client: ready");
	fflush(stdout);
	weir_connect(st, fd, (const struct sockaddr *)&to, sizeof(to)); /* -EINPROGRESS */
	while (weir_queue_wait(q, &m, 1, -1) == 1 && !handle(st, &m, argv[4])) {
	}
	weir_queue_free(q);
	weir_fini(st);
	return m.error != 0;
}
