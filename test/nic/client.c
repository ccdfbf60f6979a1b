/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opens connections from the guest: nic_client CONF PORT COUNT ADDRESS...
 * COUNT to each address, to an echo server; each sends some bytes and wants them back. Then they
 * stay open until a signal, so that the workers can be looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "app.h"

#define SIZE	  4000 /* several segments, both ways */
#define TIMEOUT_S 5

struct client {
	struct app app;
	uint16_t port;
	int *fds;
	int n_fds;
};

/* @return the length, 0: not an address */
static socklen_t
read_address(const char *text, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	in->sin_port = htons(port); /* at the same place in both */
	if (ss->ss_family == AF_INET)
		return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? sizeof(*in) : 0;
	return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 ? sizeof(*in6) : 0;
}

static int
set_timeouts(struct weir_stack *st, int fd)
{
	const struct timeval tv = {.tv_sec = TIMEOUT_S};
	const int rc = weir_setsockopt(st, fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));

	return rc != 0 ? rc : weir_setsockopt(st, fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* @return 0 when what was sent has come back */
static int
echo(struct weir_stack *st, int fd)
{
	char out[SIZE], in[SIZE];
	ssize_t n;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + (size_t)fd);
	n = weir_send(st, fd, out, sizeof(out), 0);
	if (n == (ssize_t)sizeof(out))
		n = weir_recv(st, fd, in, sizeof(in), MSG_WAITALL);
	if (n < 0)
		return (int)n;
	return n == (ssize_t)sizeof(in) && memcmp(in, out, sizeof(in)) == 0 ? 0 : -EIO;
}

static int
talk(struct client *c, const struct sockaddr_storage *to, socklen_t len)
{
	struct weir_stack *st = c->app.st;
	const int fd = weir_socket(st, to->ss_family, SOCK_STREAM, 0);
	int rc;

	if (fd < 0)
		return fd;
	c->fds[c->n_fds++] = fd;
	rc = set_timeouts(st, fd);
	if (rc == 0)
		rc = weir_connect(st, fd, (const struct sockaddr *)to, len);
	return rc == 0 ? echo(st, fd) : rc;
}

/* Ends with the first that fails: where none gets through, each would wait for its timeout. */
static void
talk_to(struct client *c, const char *address, int count)
{
	struct sockaddr_storage to;
	const socklen_t len = read_address(address, c->port, &to);
	int rc = len == 0 ? -EINVAL : 0;
	int n = 0;

	while (rc == 0 && n < count) {
		rc = talk(c, &to, len);
		n += rc == 0;
	}
	printf("%s: %d of %d answered%s%s\n", address, n, count, rc == 0 ? "" : ": ",
		rc == 0 ? "" : strerror(-rc));
}

int
main(int argc, char **argv)
{
	struct client c = {0};
	int count;

	if (argc < 5 || app_init(&c.app, "nic_client", argv[1]) != 0)
		return 2;
	c.port = (uint16_t)app_number("PORT", argv[2], 1, UINT16_MAX);
	count = (int)app_number("COUNT", argv[3], 1, 1000);
	c.fds = calloc((size_t)count * (size_t)argc, sizeof(*c.fds));
	for (int i = 4; i < argc && c.fds != NULL; i++)
		talk_to(&c, argv[i], count);
	app_wait(&c.app);
	while (c.n_fds > 0)
		weir_close(c.app.st, c.fds[--c.n_fds]);
	free(c.fds);
	app_fini(&c.app);
	return 0;
}
