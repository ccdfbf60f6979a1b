/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_reass -> tcp_sack -> tcp_output. The receiver's blocks: RFC 2018 4, RFC 2883 4. */
#include "tcp_priv.h"

/* sacks[0] is the DSACK, when there is one; the others follow, most recent first. */
#define DSACK  0
#define RECENT 1

static void
remove_at(struct weir_tcp_act *act, unsigned int i)
{
	struct weir_tcp_sack *b = act->sacks + RECENT;

	act->n_sacks--;
	memmove(&b[i], &b[i + 1], (act->n_sacks - i) * sizeof(b[0]));
}

static bool
touches(const struct weir_tcp_sack *a, const struct weir_tcp_sack *b)
{
	return weir_seq_leq(a->start, b->end) && weir_seq_leq(b->start, a->end);
}

/* Others that b now reaches become one with it. */
static void
absorb(struct weir_tcp_act *act, struct weir_tcp_sack *b)
{
	unsigned int i = 0;

	while (i < act->n_sacks) {
		const struct weir_tcp_sack *other = &act->sacks[RECENT + i];

		if (!touches(b, other)) {
			i++;
			continue;
		}
		b->start = weir_seq_min(b->start, other->start);
		b->end = weir_seq_max(b->end, other->end);
		remove_at(act, i);
		i = 0;
	}
}

void
weir_tcp_sack_add(struct weir_tcp_conn *c, uint32_t start, uint32_t end)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sack b = {start, end};

	if (!c->has_sack)
		return;
	absorb(act, &b);
	if (act->n_sacks == WEIR_TCP_SACKS)
		act->n_sacks--; /* the oldest has been told often enough */
	memmove(&act->sacks[RECENT + 1], &act->sacks[RECENT], act->n_sacks * sizeof(act->sacks[0]));
	act->sacks[RECENT] = b;
	act->n_sacks++;
}

void
weir_tcp_sack_trim(struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	unsigned int i = 0;

	while (i < act->n_sacks) {
		if (weir_seq_leq(act->sacks[RECENT + i].start, c->rcv.nxt))
			remove_at(act, i);
		else
			i++;
	}
}

void
weir_tcp_sack_clear(struct weir_tcp_conn *c)
{
	c->act->n_sacks = 0;
}

void
weir_tcp_dsack(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t start, uint32_t end)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sack b = {start, end};

	if (!c->has_sack || !t->conf.use_dsack)
		return;
	if (act->has_dsack && touches(&b, &act->sacks[DSACK])) {
		b.start = weir_seq_min(b.start, act->sacks[DSACK].start);
		b.end = weir_seq_max(b.end, act->sacks[DSACK].end);
	}
	t->stats.dsacks_sent += !act->has_dsack;
	act->has_dsack = true;
	act->sacks[DSACK] = b;
}

const struct weir_tcp_sack *
weir_tcp_sack_first(const struct weir_tcp_conn *c)
{
	return &c->act->sacks[c->act->has_dsack ? DSACK : RECENT];
}
