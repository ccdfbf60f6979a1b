/* SPDX-License-Identifier: BSD-3-Clause */
/* The books of a stack: what it holds, and whether every packet is accounted for. */
#include <errno.h>

#include <rte_ring.h>

#include "stack_priv.h"

static_assert((int)WEIR_ACCOUNT_STATES == (int)WEIR_TCP_STATES, "one count for each state");

/* What one worker adds, from between two of its turns. */
struct part {
	uint64_t in_state[WEIR_ACCOUNT_STATES];
	struct weir_account_packets rx;
	struct weir_account_packets tx;
};

static uint64_t
sum(const uint64_t *counters, unsigned int n)
{
	uint64_t s = 0;

	for (unsigned int i = 0; i < n; i++)
		s += counters[i];
	return s;
}

/* Packets made that wait for the port's room or for a neighbour. */
static uint64_t
tx_held(const struct weir_iface *ifc)
{
	uint64_t held = ifc->txq_tail - ifc->txq_head;

	for (unsigned int i = 0; i < WEIR_NEIGHS_MAX; i++)
		if (ifc->neighs[i].state != WEIR_NEIGH_FREE)
			held += ifc->neighs[i].waiting.n;
	return held;
}

static bool
is_balanced(const struct weir_account_packets *p)
{
	return p->in == p->ended + p->held;
}

static int
read_part(struct weir_worker *w, void *arg)
{
	struct part *p = arg;

	memcpy(p->in_state, w->tcp.n_state, sizeof(p->in_state));
	p->rx.in = w->core.rx_frames;
	p->rx.ended = sum(w->core.fates, WEIR_FATE_MAX);
	p->rx.held = weir_ip_frags_held(&w->ip);
	p->rx.is_balanced = is_balanced(&p->rx);
	p->tx.in = w->core.tx_made;
	p->tx.ended = sum(w->core.tx_fates, WEIR_TX_MAX);
	p->tx.held = 0;
	for (unsigned int i = 0; i < w->n_ifaces; i++)
		p->tx.held += tx_held(&w->ifaces[i]);
	p->tx.is_balanced = is_balanced(&p->tx);
	return 0;
}

/* Each worker balances by itself: sums could hide a loss of one behind a surplus of another. */
static void
add_packets(struct weir_account_packets *to, const struct weir_account_packets *p)
{
	to->in += p->in;
	to->ended += p->ended;
	to->held += p->held;
	to->is_balanced &= p->is_balanced;
}

static void
add_part(struct weir_account *a, const struct part *p)
{
	for (unsigned int i = 0; i < WEIR_ACCOUNT_STATES; i++) {
		a->in_state[i] += p->in_state[i];
		a->connections += p->in_state[i];
	}
	add_packets(&a->rx, &p->rx);
	add_packets(&a->tx, &p->tx);
}

static void
read_pools(const struct weir_stack *st, struct weir_account *a)
{
	a->sockets = __atomic_load_n(&st->socks.used, __ATOMIC_ACQUIRE);
	a->descriptors = st->socks.capacity - rte_ring_count(st->socks.free_fds);
	a->lent = (uint32_t)RTE_MAX(weir_peek(st->socks.n_lent), 0);
	a->n_pools = st->n_workers;
	for (unsigned int i = 0; i < st->n_workers; i++) {
		a->pools[i].size = st->pools[i]->size;
		a->pools[i].in_use = rte_mempool_in_use_count(st->pools[i]);
	}
}

int
weir_stack_account(struct weir_stack *st, struct weir_account *out)
{
	struct weir_account a = {.rx.is_balanced = true, .tx.is_balanced = true};

	if (st == NULL || out == NULL)
		return -EFAULT;
	if (weir_worker_self() != NULL)
		return -EWOULDBLOCK;
	for (unsigned int i = 0; i < st->n_workers; i++) {
		struct part part;
		const int rc = weir_on_worker(st, i, read_part, &part);

		if (rc != 0)
			return rc;
		add_part(&a, &part);
	}
	read_pools(st, &a);
	a.is_balanced = a.rx.is_balanced && a.tx.is_balanced;
	*out = a;
	return 0;
}
