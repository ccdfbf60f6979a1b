/* SPDX-License-Identifier: BSD-3-Clause */
/* /weir/trace: what happened to one connection lately. */
#include <errno.h>

#include "telemetry_priv.h"

struct trace {
	uint32_t at; /* the connection's number, see weir_tcp_by_id() */
	bool is_live;
	struct weir_flow flow;
	uint8_t state;
	uint64_t now_us;
	unsigned int n;
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN];
};

/* On the worker; or elsewhere, see tel_ask(): neither array ever moves. */
static int
read_trace(struct weir_worker *w, void *arg)
{
	struct trace *tr = arg;
	struct weir_tcp_conn room;
	const struct weir_tcp_conn *c;

	if (weir_tcp_id_from(&w->tcp, tr->at) != tr->at)
		return 0;
	c = weir_tcp_by_id(&w->tcp, tr->at, &room);
	if (c == NULL)
		return 0;
	tr->is_live = true;
	tr->flow = c->flow;
	tr->state = c->state;
	tr->now_us = w->core.now_us;
	tr->n = weir_tcp_events_by_id(&w->tcp, tr->at, c, tr->events);
	return 0;
}

static struct rte_tel_data *
event_data(const struct trace *tr, const struct weir_tcp_event *e)
{
	struct rte_tel_data *d = tel_dict();
	char text[WEIR_TCP_EVENT_TEXT];

	if (d == NULL)
		return NULL;
	tel_u64(d, "age_us", weir_tcp_event_age_us(e, tr->now_us));
	tel_text(d, "event", "%s", weir_tcp_event_text(e, text));
	return d;
}

static int
put_trace(struct rte_tel_data *d, const struct trace *tr)
{
	struct rte_tel_data *rows = tel_dict();

	if (rows == NULL)
		return -ENOMEM;
	tel_put_end(d, "local", &tr->flow.laddr, tr->flow.lport);
	tel_put_end(d, "peer", &tr->flow.raddr, tr->flow.rport);
	tel_text(d, "state", "%s", weir_tcp_state_name(tr->state));
	for (unsigned int i = 0; i < tr->n; i++)
		tel_put_row(rows, i, event_data(tr, &tr->events[i]));
	tel_put(d, "events", rows);
	return 0;
}

int
tel_trace(struct tel_req *r)
{
	const uint64_t worker = (r->from >> TEL_PART_SHIFT) - 1;
	struct trace tr = {.at = (uint32_t)r->from};
	int rc = 0;

	if (worker < r->st->n_workers)
		rc = tel_ask(r->st, (unsigned int)worker, read_trace, &tr, sizeof(tr), TEL_ASK_US);
	if (rc == 0 && tr.is_live)
		return put_trace(r->d, &tr);
	if (rc == 0)
		tel_text(r->d, "error", "no such connection");
	else
		tel_text(r->d, "error", "worker %u does not answer: %s", (unsigned int)worker,
			strerror(-rc));
	return 0;
}
