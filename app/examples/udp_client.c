/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends a text by UDP until it is answered, and prints the answer: udp_client CONF IP PORT TEXT */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

/* Datagrams may be lost: ask again, and give up some time. @return 0: answered */
static int
ask(struct weir_stack *st, int fd, const char *text)
{
	char buf[65536];
	ssize_t n = -1;

	for (int i = 0; i < 60 && n < 0; i++) {
		weir_send(st, fd, text, strlen(text), 0);
		n = weir_recv(st, fd, buf, sizeof(buf), 0); /* an error: nobody is there yet */
	}
	if (n >= 0)
		printf("%.*s\n", (int)n, buf);
	return n >= 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const struct timeval second = {.tv_sec = 1};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct weir_stack *st;
	int fd, status;

	if (argc != 5 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
		weir_init(argv[1], &st) != 0)
		return 1;
	to.sin_port = htons((uint16_t)atoi(argv[3]));
	fd = weir_socket(st, AF_INET, SOCK_DGRAM, 0);
	weir_setsockopt(st, fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	weir_connect(st, fd, (const struct sockaddr *)&to, sizeof(to)); /* only its answers */
	puts("udp_client: ready");
	fflush(stdout);
	status = ask(st, fd, argv[4]);
	weir_close(st, fd);
	weir_fini(st);
	return status;
}
