/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for every connection after every step, whatever happens. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNS_MAX 128

/* What was seen of a connection at the step before. */
struct sim_seen {
	uint32_t iss;
	uint32_t adv;
	uint32_t una;
	bool is_known;
};

static struct sim_seen *
seen_of(struct sim *s, unsigned int stack, unsigned int worker, uint32_t conn)
{
	return &s->seen[(stack * 4 + worker) * CONNS_MAX + conn];
}

void
sim_rules_open(struct sim *s)
{
	s->seen = calloc((size_t)SIM_STACKS_MAX * 4 * CONNS_MAX, sizeof(*s->seen));
	if (s->seen == NULL)
		exit(2);
}

void
sim_rules_close(struct sim *s)
{
	free(s->seen);
	s->seen = NULL;
}

/* RFC 9293 3.3.1: the order of the send variables; and what the queue holds is what is charged. */
static void
check_send(struct sim *s, const struct weir_tcp_conn *c)
{
	uint32_t charge = 0;

	if (!weir_seq_leq(c->snd.una, c->snd.nxt) || !weir_seq_leq(c->snd.nxt, c->snd.max))
		sim_break(s, "una %u nxt %u max %u", c->snd.una - c->iss, c->snd.nxt - c->iss,
			c->snd.max - c->iss);
	if (weir_seq_gt(c->snd.max, c->snd.end + c->is_fin_queued))
		sim_break(s, "sent beyond the end of the queue");
	for (struct rte_mbuf *m = weir_pktq_first(&c->sndq.q); m != NULL; m = weir_pktq_next(m))
		charge += weir_mbuf_truesize(m);
	if (charge != c->sndq.charge)
		sim_break(s, "send queue holds %u bytes, charged %u", charge, c->sndq.charge);
}

/* The window never shrinks (RFC 9293 3.8.6), acknowledgments never go back. */
static void
check_progress(struct sim *s, const struct weir_tcp_conn *c, struct sim_seen *seen)
{
	if (seen->is_known && seen->iss == c->iss) {
		if (weir_seq_lt(c->rcv.adv, seen->adv))
			sim_break(s, "window shrunk by %u", seen->adv - c->rcv.adv);
		if (weir_seq_lt(c->snd.una, seen->una))
			sim_break(s, "una went back");
	}
	*seen = (struct sim_seen){c->iss, c->rcv.adv, c->snd.una, true};
	if (weir_seq_gt(c->rcv.nxt, c->rcv.adv + 1)) /* a FIN may stand beyond a closed window */
		sim_break(s, "received %u beyond the window", c->rcv.nxt - c->rcv.adv);
}

/* What one side has as acknowledged the other has received, and it has sent that. */
static void
check_both(struct sim *s, const struct weir_tcp_conn *c)
{
	const struct weir_flow back = {.laddr = c->flow.raddr,
		.raddr = c->flow.laddr,
		.lport = c->flow.rport,
		.rport = c->flow.lport};

	for (unsigned int i = 0; i < s->n_stacks; i++) {
		struct weir_stack *st = s->stack[i].st;

		for (unsigned int w = 0; w < st->n_workers; w++) {
			const struct weir_tcp_conn *p = weir_tcp_find(&st->workers[w]->tcp, &back);

			if (p == NULL || p->state < WEIR_TCP_ESTABLISHED || p->irs != c->iss)
				continue;
			if (weir_seq_gt(c->snd.una, p->rcv.nxt) ||
				weir_seq_gt(p->rcv.nxt, c->snd.max))
				sim_break(s, "una %u, peer has %u, max %u", c->snd.una - c->iss,
					p->rcv.nxt - c->iss, c->snd.max - c->iss);
		}
	}
}

static void
check_conn(struct sim *s, const struct weir_tcp_conn *c, struct sim_seen *seen)
{
	if (!c->is_live || c->state < WEIR_TCP_ESTABLISHED || c->state == WEIR_TCP_TIME_WAIT) {
		seen->is_known = false;
		return;
	}
	check_send(s, c);
	check_progress(s, c, seen);
	check_both(s, c);
}

static void
print_conn(unsigned int stack, const struct weir_tcp_conn *c, bool is_asleep)
{
	printf("s%u port %u to %u %s: una +%u nxt +%u max +%u end +%u wnd %u, rcv +%u adv +%u, "
	       "held %u, "
	       "cwnd %u, retries %u, rexmit at %lu, delack at %lu, persist %u%s\n",
		stack, weir_host16(c->flow.lport), weir_host16(c->flow.rport),
		weir_tcp_state_name(c->state), c->snd.una - c->iss, c->snd.nxt - c->iss,
		c->snd.max - c->iss, c->snd.end - c->iss, c->snd.wnd, c->rcv.nxt - c->irs,
		c->rcv.adv - c->irs, c->rcv.held, c->cc.cwnd, c->retries, c->rexmit_at,
		c->delack_at, c->is_persist, is_asleep ? ", asleep" : "");
}

void
sim_rules_print(const struct sim *s)
{
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		const struct weir_stack *st = s->stack[i].st;

		for (unsigned int w = 0; w < st->n_workers; w++) {
			const struct weir_tcp *t = &st->workers[w]->tcp;
			struct weir_tcp_conn room;
			uint32_t id = weir_tcp_id_from(t, 0);

			for (; id != WEIR_TCP_ID_END; id = weir_tcp_id_from(t, id + 1)) {
				const struct weir_tcp_conn *c = weir_tcp_by_id(t, id, &room);

				if (c != NULL)
					print_conn(i, c, c == &room);
			}
		}
	}
}

void
sim_rules_check(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		struct weir_stack *st = s->stack[i].st;

		for (unsigned int w = 0; w < st->n_workers; w++) {
			struct weir_slab *conns = &st->workers[w]->tcp.conns;

			for (uint32_t k = 0; k < conns->fresh && k < CONNS_MAX; k++)
				check_conn(s, weir_slab_at(conns, k), seen_of(s, i, w, k));
		}
	}
}
