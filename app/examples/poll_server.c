/* SPDX-License-Identifier: BSD-3-Clause */
/* A chat on TCP port 7000: what one says goes to all the others. Ends in order by a signal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <weir.h>

enum { LISTENER, SIGNALS, FIRST_CLIENT, FDS = 66 };

struct chat {
	struct weir_stack *st;
	nfds_t n;
	struct pollfd fds[FDS];
};

static void
add(struct chat *c, int fd)
{
	c->fds[c->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* The signals are held back in all threads, and read from a descriptor of the kernel. */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, 0);
}

static void
accept_client(struct chat *c)
{
	const int fd = weir_accept(c->st, c->fds[LISTENER].fd, NULL, NULL, SOCK_NONBLOCK);

	if (fd >= 0 && c->n < FDS)
		add(c, fd);
	else if (fd >= 0)
		weir_close(c->st, fd);
}

/* @return whether the client stays. Others who do not read miss what there is no room for. */
static bool
pass_on(struct chat *c, nfds_t from)
{
	char buf[4096];
	const ssize_t n = weir_recv(c->st, c->fds[from].fd, buf, sizeof(buf), 0);

	for (nfds_t i = FIRST_CLIENT; i < c->n && n > 0; i++)
		if (i != from)
			weir_send(c->st, c->fds[i].fd, buf, (size_t)n, 0);
	return n > 0 || n == -EAGAIN;
}

/* From the last to the first, as the last one takes the place of one that leaves. */
static void
serve(struct chat *c)
{
	for (nfds_t i = c->n; i-- > FIRST_CLIENT;)
		if (c->fds[i].revents != 0 && !pass_on(c, i)) {
			weir_close(c->st, c->fds[i].fd);
			c->fds[i] = c->fds[--c->n];
		}
	if (c->fds[LISTENER].revents != 0)
		accept_client(c);
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7000)};
	const int signals = open_signals();
	static struct chat c;

	if (argc != 2 || weir_init(argv[1], &c.st) != 0)
		return 1;
	add(&c, weir_socket(c.st, AF_INET, SOCK_STREAM, 0));
	add(&c, WEIR_KFD(signals));
	if (weir_bind(c.st, c.fds[LISTENER].fd, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
		weir_listen(c.st, c.fds[LISTENER].fd, 128) != 0)
		return 1;
	puts("poll_server: ready");
	fflush(stdout);
	while (c.fds[SIGNALS].revents == 0 && weir_poll(c.st, c.fds, c.n, -1) > 0)
		serve(&c);
	printf("%u clients at the end\n", (unsigned int)(c.n - FIRST_CLIENT));
	weir_fini(c.st);
	return 0;
}
