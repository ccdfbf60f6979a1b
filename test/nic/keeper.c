/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes datagrams as mbufs and keeps them all, until none come: nic_keeper CONF PORT
 * Then it gives them back, and from there on each at once.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "app.h"

#define KEPT_MAX  65536
#define SILENCE_S 2

struct keeper {
	struct app app;
	struct rte_mbuf *kept[KEPT_MAX];
	unsigned int n;
	bool is_done; /* has given back */
};

static bool
is_ended(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGTERM) || sigismember(&set, SIGINT);
}

static void
give_back(struct keeper *k)
{
	if (k->n > 0) {
		printf("kept %u\n", k->n);
		fflush(stdout);
		k->is_done = true;
	}
	while (k->n > 0)
		weir_mbuf_free(k->kept[--k->n]);
}

static void
take_one(struct keeper *k, int fd)
{
	struct rte_mbuf *m;
	const ssize_t len = weir_recv_mbuf(k->app.st, fd, &m, NULL, 0);

	if (len < 0) /* -EAGAIN: silence */
		give_back(k);
	else if (k->is_done || k->n == KEPT_MAX)
		weir_mbuf_free(m);
	else
		k->kept[k->n++] = m;
}

int
main(int argc, char **argv)
{
	static struct keeper k;
	const struct timeval silence = {.tv_sec = SILENCE_S};
	int fd;

	if (argc != 3 || app_init(&k.app, "nic_keeper", argv[1]) != 0)
		return 2;
	fd = app_open(k.app.st, SOCK_DGRAM, (uint16_t)atoi(argv[2]), NULL);
	if (fd < 0 || weir_setsockopt(k.app.st, fd, SOL_SOCKET, SO_RCVTIMEO, &silence,
			      sizeof(silence)) != 0)
		return 2;
	puts("nic_keeper: ready");
	fflush(stdout);
	while (!is_ended())
		take_one(&k, fd);
	give_back(&k);
	weir_close(k.app.st, fd);
	app_fini(&k.app);
	return 0;
}
