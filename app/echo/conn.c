/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_lcore.h>

struct echo_counts *
echo_counts_here(struct echo *e)
{
	return &e->counts[rte_lcore_id()];
}

static void
end_conn(struct app_conn *app)
{
	struct echo_conn *c = (struct echo_conn *)app;

	weir_close(c->e->st, c->fd);
	LIST_REMOVE(app, link);
	c->ops->drop_kept(c);
	free(c);
}

void
echo_conn_settle(struct echo_conn *c)
{
	const bool is_held = c->n_kept > 0;

	if (c->is_over || (c->has_peer_closed && !is_held)) {
		end_conn(&c->app);
		return;
	}
	if (is_held != c->is_held) /* who does not read what comes back must not send on */
		weir_set_receiving(c->e->st, c->fd, !is_held);
	c->is_held = is_held;
}

static void
accept_conn(struct echo *e, int fd, const struct echo_conn_ops *ops)
{
	struct echo_conn *c = calloc(1, ops->size);

	if (c == NULL) {
		weir_close(e->st, fd);
		return;
	}
	c->ops = ops;
	c->e = e;
	c->n = echo_counts_here(e);
	c->n->connections++;
	c->fd = fd;
	LIST_INSERT_HEAD(app_conns_here(&e->conns), &c->app, link);
	weir_set_arg(e->st, fd, c);
}

void
echo_conn_event(int fd, enum weir_event ev, void *arg, const struct echo_conn_ops *ops)
{
	struct echo_conn *c = arg;

	if (ev == WEIR_EV_ACCEPT) {
		accept_conn(arg, fd, ops);
		return;
	}
	if (ev == WEIR_EV_WRITE)
		ops->send_kept(c);
	c->has_peer_closed |= ev == WEIR_EV_PEERCLOSE;
	c->is_over |= ev == WEIR_EV_CLOSE;
	echo_conn_settle(c);
}

static void
close_fd(struct weir_stack *st, int fd)
{
	if (fd >= 0)
		weir_close(st, fd);
}

int
echo_start(struct echo *e, struct weir_stack *st, const struct echo_style *style,
	unsigned int n_threads, uint16_t port)
{
	e->st = st;
	e->style = style;
	e->n_threads = n_threads;
	e->tcp = e->udp = -1;
	return style->start(e, port);
}

void
echo_stop(struct echo *e)
{
	if (e->style->stop != NULL)
		e->style->stop(e);
	weir_stack_stop(e->st);
	app_conns_end(&e->conns, end_conn);
	close_fd(e->st, e->tcp);
	close_fd(e->st, e->udp);
}

void
echo_print_counts(const struct echo *e)
{
	struct echo_counts n = {0};

	for (unsigned int i = 0; i < RTE_MAX_LCORE; i++) {
		n.connections += e->counts[i].connections;
		n.bytes += e->counts[i].bytes;
		n.datagrams += e->counts[i].datagrams;
		n.lost += e->counts[i].lost;
	}
	printf("weir-echo: %" PRIu64 " connections, %" PRIu64 " bytes, %" PRIu64
	       " datagrams (%" PRIu64 " not sent back)\n",
		n.connections, n.bytes, n.datagrams, n.lost);
}
