/* SPDX-License-Identifier: BSD-3-Clause */
/* Pings an IPv4 address from a raw socket, until it answers: raw_ping CONF IP */
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <weir.h>

/* RFC 1071: all ones, as the sum of what it is part of has to be. */
static uint16_t
checksum(const uint16_t *words, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += words[i];
	return (uint16_t) ~((sum >> 16) + sum);
}

/* The socket sees the answers to everybody: the id says which are ours. An IP header is before. */
static bool
is_answer(const uint8_t *packet, ssize_t len, uint16_t id)
{
	const size_t hlen = (packet[0] & 15u) * 4;
	const struct icmphdr *h = (const struct icmphdr *)(packet + hlen);

	return len >= (ssize_t)(hlen + sizeof(*h)) && h->type == ICMP_ECHOREPLY &&
	       h->un.echo.id == id;
}

int
main(int argc, char **argv)
{
	const struct timeval second = {.tv_sec = 1};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct icmphdr echo = {.type = ICMP_ECHO, .un.echo.id = htons(77)};
	struct weir_stack *st;
	uint8_t packet[1500] = {0};
	ssize_t n = 0;
	int fd;

	if (argc != 3 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
		weir_init(argv[1], &st) != 0)
		return 1;
	fd = weir_socket(st, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	weir_setsockopt(st, fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	puts("raw_ping: ready");
	fflush(stdout);
	echo.checksum = checksum((const uint16_t *)&echo, sizeof(echo) / 2);
	do {
		weir_sendto(st, fd, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to));
		n = weir_recv(st, fd, packet, sizeof(packet), 0);
	} while (!is_answer(packet, n, echo.un.echo.id));
	printf("%zd bytes, TTL %u\n", n, packet[8]);
	weir_close(st, fd);
	weir_fini(st);
	return 0;
}
