/* SPDX-License-Identifier: BSD-3-Clause */
/* Echo on TCP port 7, UDP port 7 and IP protocol 253, which is for trying: one select for all. */
#include <stdio.h>
#include <string.h>
#include <weir.h>

#define FDS 4096 /* as many as a bitmap is made for */

struct server {
	struct weir_stack *st;
	int tcp;
	int udp;
	int raw;
	unsigned char watched[WEIR_FD_BYTES(FDS)];
};

static int
open_at(struct server *s, int type, int protocol, uint16_t port)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int fd = weir_socket(s->st, AF_INET, type, protocol);

	if (fd < 0 || weir_bind(s->st, fd, (const struct sockaddr *)&any, sizeof(any)) != 0)
		return -1;
	weir_fd_set(fd, s->watched);
	return fd;
}

static void
accept_client(struct server *s)
{
	const int fd = weir_accept(s->st, s->tcp, NULL, NULL, 0);

	if (fd >= 0 && fd < FDS)
		weir_fd_set(fd, s->watched);
	else if (fd >= 0)
		weir_close(s->st, fd);
}

/* The send waits for room; a server whose clients may be slow sends what poll allows. */
static void
answer_client(struct server *s, int fd)
{
	char buf[4096];
	const ssize_t n = weir_recv(s->st, fd, buf, sizeof(buf), 0);

	if (n > 0 && weir_send(s->st, fd, buf, (size_t)n, 0) == n)
		return;
	weir_fd_clr(fd, s->watched);
	weir_close(s->st, fd);
}

/* Of a raw socket the IP header comes first. */
static void
answer_datagram(struct server *s, int fd)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	char buf[65536];
	const ssize_t n =
		weir_recvfrom(s->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);
	const ssize_t hlen = fd == s->raw ? (buf[0] & 15) * 4 : 0;

	if (n >= hlen)
		weir_sendto(s->st, fd, buf + hlen, (size_t)(n - hlen), 0,
			(const struct sockaddr *)&from, from_len);
}

static void
serve(struct server *s, int fd)
{
	if (fd == s->tcp)
		accept_client(s);
	else if (fd == s->udp || fd == s->raw)
		answer_datagram(s, fd);
	else
		answer_client(s, fd);
}

int
main(int argc, char **argv)
{
	static struct server s;
	unsigned char ready[sizeof(s.watched)];

	if (argc != 2 || weir_init(argv[1], &s.st) != 0)
		return 1;
	s.tcp = open_at(&s, SOCK_STREAM, 0, 7);
	s.udp = open_at(&s, SOCK_DGRAM, 0, 7);
	s.raw = open_at(&s, SOCK_RAW, 253, 0);
	if (s.tcp < 0 || s.udp < 0 || s.raw < 0 || weir_listen(s.st, s.tcp, 128) != 0)
		return 1;
	puts("select_server: ready");
	fflush(stdout);
	for (;;) {
		struct timeval timeout = {.tv_sec = 10}; /* becomes what is left of it */

		memcpy(ready, s.watched, sizeof(ready));
		if (weir_select(s.st, FDS, ready, NULL, NULL, &timeout) == 0)
			puts("nothing for ten seconds");
		for (int fd = 0; fd < FDS; fd++)
			if (weir_fd_isset(fd, ready))
				serve(&s, fd);
	}
}
