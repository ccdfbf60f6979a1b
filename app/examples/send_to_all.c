/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends a text to a group or by broadcast until somebody answers: send_to_all CONF PORT ADDRESS
 * TEXT PORT is a port's name in the configuration, ADDRESS a group or 255.255.255.255; to port
 * 7000. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <weir.h>

/* Whom it goes to, and by which port of the stack */
static int
set_options(struct weir_stack *st, int fd, const char *port)
{
	const struct timeval second = {.tv_sec = 1};
	const struct ip_mreqn first = {.imr_ifindex = 1}; /* ports are numbered from 1 */
	const int on = 1;
	int rc = weir_setsockopt(st, fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));

	if (rc == 0) /* without it, a broadcast is refused */
		rc = weir_setsockopt(st, fd, SOL_SOCKET, SO_SENDDATAIF, port, strlen(port));
	if (rc == 0) /* for groups, by number or address */
		rc = weir_setsockopt(st, fd, IPPROTO_IP, IP_MULTICAST_IF, &first, sizeof(first));
	if (rc == 0)
		rc = weir_setsockopt(st, fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	return rc;
}

static int
ask(struct weir_stack *st, int fd, const struct sockaddr_in *to, const char *text)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	char buf[1500], name[INET_ADDRSTRLEN];
	ssize_t n = -1;

	for (int i = 0; i < 60 && n < 0; i++) {
		weir_sendto(
			st, fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to));
		n = weir_recvfrom(st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);
	}
	if (n < 0)
		return 1;
	inet_ntop(AF_INET, &from.sin_addr, name, sizeof(name));
	printf("%s says %.*s\n", name, (int)n, buf);
	return 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7000)};
	struct weir_stack *st;
	int fd, status = 1;

	if (argc != 5 || inet_pton(AF_INET, argv[3], &to.sin_addr) != 1 ||
		weir_init(argv[1], &st) != 0)
		return 1;
	fd = weir_socket(st, AF_INET, SOCK_DGRAM, 0);
	puts("send_to_all: ready");
	fflush(stdout);
	if (set_options(st, fd, argv[2]) == 0)
		status = ask(st, fd, &to, argv[4]);
	weir_close(st, fd);
	weir_fini(st);
	return status;
}
