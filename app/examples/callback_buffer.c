/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP and UDP on port 7 by callbacks with a buffer: answers with the number of bytes it got. */
#include <stdio.h>
#include <unistd.h>
#include <weir.h>

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	char text[32];
	const int n = snprintf(text, sizeof(text), "%zu bytes\n", len);

	/* A stream passes the address over. What does not fit is not sent: see callback_mbuf.c */
	weir_sendto(st, fd, text, (size_t)n, 0, &from->addr.sa, from->addr_len);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	if (ev == WEIR_EV_PEERCLOSE || ev == WEIR_EV_CLOSE)
		weir_close(st, fd); /* what was sent is still delivered */
}

static int
open_at(struct weir_stack *st, int type, uint16_t port)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct weir_callbacks callbacks = {.recv = on_recv, .event = on_event};
	const int fd = weir_socket(st, AF_INET, type, 0);

	if (weir_set_callbacks(st, fd, &callbacks) != 0)
		return -1;
	return weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));
}

int
main(int argc, char **argv)
{
	struct weir_stack *st;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	/* Descriptors are numbered from 0: the stream has the first. */
	if (open_at(st, SOCK_STREAM, 7) != 0 || open_at(st, SOCK_DGRAM, 7) != 0 ||
		weir_listen(st, 0, 128) != 0)
		return 1;
	puts("callback_buffer: ready");
	fflush(stdout);
	for (;;)
		pause(); /* all else happens on the workers */
}
