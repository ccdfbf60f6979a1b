/* SPDX-License-Identifier: BSD-3-Clause */
/* Applications that live in callbacks: they take what comes when it comes, and send from there. */
#include "sim.h"

#include "weir.h"

static void
send_perhaps(struct sim_app *a)
{
	if (!a->is_done && a->is_open && sim_chance(a->sim, 30))
		sim_app_send(a->sim, a->flow, a);
}

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct sim_app *a = arg;

	sim_app_got(a->sim, a->flow, a, buf, len);
	if (sim_chance(a->sim, 10)) {
		a->is_held = true;
		if (weir_set_receiving(st, fd, false) != 0)
			sim_break(a->sim, "flow %u: cannot be held", a->flow->port);
	}
	send_perhaps(a);
}

static void
on_recv_mbuf(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct sim_app *a = arg;

	for (const struct rte_mbuf *part = m; part != NULL; part = part->next)
		sim_app_got(
			a->sim, a->flow, a, rte_pktmbuf_mtod(part, const void *), part->data_len);
	if (a->n_kept < RTE_DIM(a->kept) && sim_chance(a->sim, 30))
		a->kept[a->n_kept++] = m;
	else
		weir_mbuf_free(m);
	send_perhaps(a);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct sim_app *a = arg;

	if (a->is_done || (ev == WEIR_EV_ACCEPT && a->is_open)) {
		weir_close(st, fd); /* a connection too late, or of a SYN that came twice */
		return;
	}
	switch (ev) {
	case WEIR_EV_ACCEPT:
		a->fd = fd;
		a->is_open = true;
		break;
	case WEIR_EV_CONNECT:
		a->is_open = error == 0;
		if (error != 0)
			sim_app_fail(a->sim, a->flow, a, error);
		break;
	case WEIR_EV_WRITE:
		sim_app_send(a->sim, a->flow, a);
		break;
	case WEIR_EV_PEERCLOSE:
		sim_app_end(a->sim, a->flow, a);
		break;
	case WEIR_EV_CLOSE:
		if (error != 0)
			sim_app_fail(a->sim, a->flow, a, error);
		break;
	default:
		break;
	}
}

void
sim_inside_open(struct sim_app *a, struct weir_stack *st, int fd)
{
	const struct weir_callbacks cb = {
		.recv = a->takes_mbufs ? NULL : on_recv,
		.recv_mbuf = a->takes_mbufs ? on_recv_mbuf : NULL,
		.event = on_event,
		.arg = a,
	};

	if (weir_set_callbacks(st, fd, &cb) != 0)
		sim_break(a->sim, "flow %u: no callbacks", a->flow->port);
}

void
sim_inside_release(struct sim_app *a, struct weir_stack *st)
{
	while (a->n_kept > 0)
		weir_mbuf_free(a->kept[--a->n_kept]);
	if (a->is_held && a->fd >= 0)
		weir_set_receiving(st, a->fd, true);
	a->is_held = false;
}
