/* SPDX-License-Identifier: BSD-3-Clause */
/* A member of 239.1.2.3 and ff15::123, port 7000: prints what comes, and answers the sender. */
#include <stdio.h>
#include <weir.h>

static int
join4(struct weir_stack *st, int fd)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7000)};
	const struct ip_mreqn r = {.imr_multiaddr.s_addr = htonl(0xef010203), .imr_ifindex = 1};
	const int rc = weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));

	return rc != 0 ? rc : weir_setsockopt(st, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r));
}

static int
join6(struct weir_stack *st, int fd)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(7000)};
	const struct ipv6_mreq r = {
		.ipv6mr_multiaddr.s6_addr = {0xff, 0x15, [14] = 0x01, 0x23}, .ipv6mr_interface = 1};
	const int on = 1;
	int rc = weir_setsockopt(st, fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));

	if (rc == 0)
		rc = weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));
	if (rc != 0)
		return rc;
	return weir_setsockopt(st, fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &r, sizeof(r));
}

/* One datagram: shown, and answered to who sent it, from the port's own address. */
static void
answer(struct weir_stack *st, int fd)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	char text[1500];
	const ssize_t n =
		weir_recvfrom(st, fd, text, sizeof(text), 0, (struct sockaddr *)&from, &from_len);

	if (n < 0)
		return;
	printf("got %.*s\n", (int)n, text);
	fflush(stdout);
	weir_sendto(st, fd, "heard\n", 6, 0, (struct sockaddr *)&from, from_len);
}

int
main(int argc, char **argv)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct weir_stack *st;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	fds[0].fd = weir_socket(st, AF_INET, SOCK_DGRAM, 0);
	fds[1].fd = weir_socket(st, AF_INET6, SOCK_DGRAM, 0);
	if (join4(st, fds[0].fd) != 0 || join6(st, fds[1].fd) != 0)
		return 1;
	puts("multicast: ready");
	fflush(stdout);
	while (weir_poll(st, fds, 2, -1) > 0)
		for (unsigned int i = 0; i < 2; i++)
			if (fds[i].revents != 0)
				answer(st, fds[i].fd);
	weir_fini(st);
	return 0;
}
