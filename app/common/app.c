/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#define BACKLOG	 1024
#define CLOSE_MS 1000

struct app_conns *
app_conns_here(struct app_lists *lists)
{
	return &lists->of[rte_lcore_id()];
}

void
app_conns_end(struct app_lists *lists, void (*end)(struct app_conn *conn))
{
	for (unsigned int i = 0; i < RTE_MAX_LCORE; i++)
		while (!LIST_EMPTY(&lists->of[i]))
			end(LIST_FIRST(&lists->of[i]));
}

static void
end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* But for packets that wait to be sent, or for their other fragments: those are accounted for. */
static uint32_t
mbufs_in_use(const struct weir_account *a)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < a->n_pools; i++)
		n += a->pools[i].in_use;
	return n - (uint32_t)(a->rx.held + a->tx.held);
}

int
app_init(struct app *app, const char *name, const char *conf_file)
{
	struct weir_account account;
	sigset_t set;
	int rc;

	end_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads made from here on inherit it */
	rc = weir_init(conf_file, &app->st);
	if (rc != 0)
		return rc;
	app->name = name;
	weir_stack_account(app->st, &account);
	app->mbufs = mbufs_in_use(&account);
	return 0;
}

void
app_wait(const struct app *app)
{
	sigset_t set;
	int sig;

	printf("%s: ready\n", app->name);
	fflush(stdout);
	end_signals(&set);
	sigwait(&set, &sig);
}

/* A worker lets go of what was closed in one of its next turns. */
static void
account_closed(const struct app *app, struct weir_account *a)
{
	for (int ms = 0; ms < CLOSE_MS; ms++) {
		weir_stack_account(app->st, a);
		if (a->sockets == 0)
			return;
		usleep(1000);
	}
}

void
app_fini(const struct app *app)
{
	struct weir_account a;

	account_closed(app, &a);
	printf("%s: at the end %u sockets, %u mbufs more than at the start, packets %s\n",
		app->name, a.sockets, mbufs_in_use(&a) - app->mbufs,
		a.is_balanced ? "all accounted for" : "NOT all accounted for");
	weir_fini(app->st);
}

static int
set_option(struct weir_stack *st, int fd, int level, int name)
{
	const int on = 1;

	return weir_setsockopt(st, fd, level, name, &on, sizeof(on));
}

/* Dead peers are found, small answers leave at once; accepted sockets inherit both. */
static int
set_stream_options(struct weir_stack *st, int fd)
{
	const int rc = set_option(st, fd, SOL_SOCKET, SO_KEEPALIVE);

	return rc != 0 ? rc : set_option(st, fd, IPPROTO_TCP, TCP_NODELAY);
}

static int
set_up(struct weir_stack *st, int fd, int type, uint16_t port, const struct weir_callbacks *cb)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int rc = type == SOCK_STREAM ? set_stream_options(st, fd) : 0;

	if (rc == 0 && cb != NULL)
		rc = weir_set_callbacks(st, fd, cb);
	if (rc == 0)
		rc = weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));
	if (rc == 0 && type == SOCK_STREAM)
		rc = weir_listen(st, fd, BACKLOG);
	return rc;
}

int
app_open(struct weir_stack *st, int type, uint16_t port, const struct weir_callbacks *cb)
{
	const int fd = weir_socket(st, AF_INET6, type, 0);
	const int rc = fd < 0 ? fd : set_up(st, fd, type, port, cb);

	if (rc == 0)
		return fd;
	fprintf(stderr, "port %u: %s\n", port, strerror(-rc));
	if (fd >= 0)
		weir_close(st, fd);
	return rc;
}

long
app_number(const char *what, const char *text, long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && n >= min && n <= max)
		return n;
	fprintf(stderr, "%s = %s: allowed: %ld to %ld\n", what, text, min, max);
	return -EINVAL;
}
