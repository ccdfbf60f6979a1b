/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP echo on port 7, of both IP versions. */
#include <stdio.h>
#include <weir.h>

int
main(int argc, char **argv)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
	struct sockaddr_storage from;
	struct weir_stack *st;
	char buf[65536];
	int fd;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	fd = weir_socket(st, AF_INET6, SOCK_DGRAM, 0);
	if (weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)) != 0)
		return 1;
	puts("udp_server: ready");
	fflush(stdout);
	for (;;) { /* one receive takes one datagram, whole; one without data is one, too */
		socklen_t from_len = sizeof(from);
		const ssize_t n = weir_recvfrom(
			st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);

		if (n >= 0)
			weir_sendto(st, fd, buf, (size_t)n, 0, (struct sockaddr *)&from, from_len);
	}
}
