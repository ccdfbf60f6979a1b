/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends a line by TCP and prints what the server says until it ends: tcp_client CONF IP PORT LINE
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

/* @return 0 or the error that ended it */
static int
talk(struct weir_stack *st, const struct sockaddr_in *to, const char *line)
{
	const int fd = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	char buf[1024];
	ssize_t n = weir_connect(st, fd, (const struct sockaddr *)to, sizeof(*to));

	if (n == 0)
		n = weir_send(st, fd, line, strlen(line), 0);
	if (n > 0)
		weir_shutdown(st, fd, SHUT_WR); /* we have said all; the answer can still come */
	while (n > 0 && (n = weir_recv(st, fd, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	weir_close(st, fd);
	return (int)n;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct weir_stack *st;
	int rc;

	if (argc != 5 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
		weir_init(argv[1], &st) != 0)
		return 1;
	to.sin_port = htons((uint16_t)atoi(argv[3]));
	puts("tcp_client: ready");
	fflush(stdout);
	rc = talk(st, &to, argv[4]);
	if (rc != 0)
		fprintf(stderr, "tcp_client: %s\n", strerror(-rc));
	weir_fini(st);
	return rc != 0;
}
