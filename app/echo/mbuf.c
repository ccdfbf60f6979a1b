/* SPDX-License-Identifier: BSD-3-Clause */
/* Callbacks with the packet itself: what comes in goes out, without a copy. */
#include "echo.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#define KEEP_MAX 4 /* packets; after the first no more are let in */

struct conn {
	struct echo_conn base; /* first; n_kept: packets */
	unsigned int first;
	struct rte_mbuf *kept[KEEP_MAX]; /* a ring, the oldest at `first` */
};

/* @return false: refused, m is still ours */
static bool
send_one(struct echo_conn *c, struct rte_mbuf *m)
{
	const uint32_t len = m->pkt_len;
	const int rc = weir_send_mbuf(c->e->st, c->fd, m, NULL, 0);

	if (rc == 0)
		c->n->bytes += len;
	c->is_over |= rc < 0 && rc != -EAGAIN;
	return rc == 0;
}

static void
keep(struct conn *c, struct rte_mbuf *m)
{
	c->base.is_over |= c->base.n_kept == KEEP_MAX;
	if (c->base.is_over)
		weir_mbuf_free(m);
	else
		c->kept[(c->first + c->base.n_kept++) % KEEP_MAX] = m;
}

static struct rte_mbuf *
pop_kept(struct conn *c)
{
	struct rte_mbuf *m = c->kept[c->first];

	c->first = (c->first + 1) % KEEP_MAX;
	c->base.n_kept--;
	return m;
}

static void
send_kept(struct echo_conn *base)
{
	struct conn *c = (struct conn *)base;

	while (base->n_kept > 0 && send_one(base, c->kept[c->first]))
		pop_kept(c);
}

static void
drop_kept(struct echo_conn *base)
{
	while (base->n_kept > 0)
		weir_mbuf_free(pop_kept((struct conn *)base));
}

static const struct echo_conn_ops ops = {sizeof(struct conn), send_kept, drop_kept};

static void
on_recv(struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct conn *c = arg;

	if (c->base.n_kept > 0 || !send_one(&c->base, m))
		keep(c, m);
	echo_conn_settle(&c->base);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	echo_conn_event(fd, ev, arg, &ops);
}

static void
on_datagram(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct echo_counts *n = echo_counts_here(arg);

	n->datagrams++;
	if (weir_send_mbuf(st, fd, m, &from->addr.sa, from->addr_len) == 0)
		return;
	n->lost++;
	weir_mbuf_free(m);
}

static int
start(struct echo *e, uint16_t port)
{
	const struct weir_callbacks stream = {.recv_mbuf = on_recv, .event = on_event, .arg = e};
	const struct weir_callbacks datagram = {.recv_mbuf = on_datagram, .arg = e};

	e->tcp = app_open(e->st, SOCK_STREAM, port, &stream);
	if (e->tcp < 0)
		return e->tcp;
	e->udp = app_open(e->st, SOCK_DGRAM, port, &datagram);
	return e->udp < 0 ? e->udp : 0;
}

const struct echo_style echo_mbuf = {"mbuf", start, NULL};
