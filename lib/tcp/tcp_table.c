/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_priv.h"

#include <string.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

#define RESTS_MIN  4096u /* or for every eighth connection */
#define GUESTS_MIN 4u	 /* awake beyond max_active, or a sixteenth of it; see tcp_park.c */

/* What the starting point of the search for a port depends on: RFC 6056 3.3.3. No padding. */
struct port_key {
	struct weir_addr laddr;
	struct weir_addr raddr;
	uint64_t rport;
};

static int
init_slabs(struct weir_tcp *t, int numa_node)
{
	const uint32_t size = RTE_ALIGN(sizeof(struct weir_tcp_conn), RTE_CACHE_LINE_SIZE);
	const uint32_t max = t->conf.max_conns;
	const bool are_few = t->conf.max_active != 0 && t->conf.max_active < max;
	const uint32_t n_work = are_few ? t->conf.max_active : max;
	const uint32_t n_awake = n_work + (are_few ? RTE_MAX(n_work / 16, GUESTS_MIN) : 0);
	const uint32_t n_rests = RTE_MIN(max, RTE_MAX(max / 8, RESTS_MIN));

	t->work_max = n_work;
	if (weir_tcp_traces_init(&t->traces, t->conf.max_traces, numa_node) < 0 ||
		weir_slab_init(&t->conns, size, n_awake, numa_node) < 0 ||
		weir_slab_init(&t->reqs, sizeof(struct weir_tcp_req), t->conf.max_reqs, numa_node) <
			0 ||
		weir_slab_init(&t->waits, sizeof(struct weir_tcp_wait), t->conf.max_waits,
			numa_node) < 0 ||
		weir_slab_init(&t->parked, WEIR_TCP_PARKED, max, numa_node) < 0 ||
		weir_slab_init(&t->rests, sizeof(struct weir_tcp_rest), n_rests, numa_node) < 0 ||
		weir_slab_init(&t->naps, sizeof(struct weir_tcp_nap), max, numa_node) < 0 ||
		weir_slab_init(&t->sents, sizeof(struct weir_tcp_sent), 2 * t->core->pool->size,
			numa_node) < 0)
		return -ENOMEM;
	return 0;
}

static void
fini_slabs(struct weir_tcp *t)
{
	weir_slab_fini(&t->sents);
	weir_slab_fini(&t->naps);
	weir_slab_fini(&t->rests);
	weir_slab_fini(&t->parked);
	weir_slab_fini(&t->waits);
	weir_slab_fini(&t->reqs);
	weir_slab_fini(&t->conns);
	weir_tcp_traces_fini(&t->traces);
}

int
weir_tcp_table_init(struct weir_tcp *t, int numa_node)
{
	/* A connection stands beside its request for a moment. */
	const uint32_t capacity = t->conf.max_conns + t->conf.max_reqs + t->conf.max_waits;

	if (init_slabs(t, numa_node) < 0 || weir_table_init(&t->table, capacity, numa_node) < 0)
		goto no_table;
	t->listeners = rte_zmalloc_socket("tcp_listeners",
		WEIR_TCP_LISTEN_BUCKETS * sizeof(*t->listeners), RTE_CACHE_LINE_SIZE, numa_node);
	if (t->listeners == NULL)
		goto no_listeners;
	return 0;

no_listeners:
	weir_table_fini(&t->table);
no_table:
	fini_slabs(t);
	return -ENOMEM;
}

/* Without a word to peers or owners. */
static void
drop_conn(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->end = NULL;
	if (c->state == WEIR_TCP_CLOSED)
		weir_tcp_conn_free(t, c);
	else
		weir_tcp_finish(t, c, 0);
}

void
weir_tcp_table_fini(struct weir_tcp *t)
{
	weir_tcp_req_fini(t);
	weir_tcp_syns_fini(t);
	while (t->wait_first != WEIR_TCP_NO_WAIT)
		weir_tcp_wait_drop(t, weir_tcp_wait_at(t, t->wait_first));
	for (uint32_t i = 0; i < t->conns.fresh; i++) {
		struct weir_tcp_conn *c = weir_slab_at(&t->conns, i);

		if (c->is_live)
			drop_conn(t, c);
	}
	weir_tcp_park_fini(t);
	rte_free(t->listeners);
	weir_table_fini(&t->table);
	fini_slabs(t);
}

uint32_t
weir_tcp_hash(const struct weir_tcp *t, const struct weir_flow *flow)
{
	return weir_flow_hash(flow, t->core->secret);
}

/* The object of an entry: it begins with its flow. */
static inline void *
record_at(const struct weir_tcp *t, uint32_t ref)
{
	if (likely(weir_tcp_ref_is_conn(ref)))
		return weir_tcp_conn_at(t, ref);
	if (weir_tcp_ref_is_req(ref))
		return weir_tcp_req_at(t, ref);
	return weir_tcp_ref_is_wait(ref) ? (void *)weir_tcp_wait_at(t, ref)
					 : (void *)weir_tcp_parked_at(t, ref);
}

uint32_t
weir_tcp_lookup(const struct weir_tcp *t, const struct weir_flow *flow, uint32_t hash)
{
	struct weir_table_iter it = weir_table_begin(&t->table, hash);
	uint32_t ref;

	while (weir_table_next(&t->table, &it, hash, &ref)) {
		if (likely(weir_flow_eq(record_at(t, ref), flow)))
			return ref;
	}
	return WEIR_TCP_REF_NONE;
}

static uint32_t
find(const struct weir_tcp *t, const struct weir_flow *flow)
{
	return weir_tcp_lookup(t, flow, weir_tcp_hash(t, flow));
}

struct weir_tcp_conn *
weir_tcp_find(const struct weir_tcp *t, const struct weir_flow *flow)
{
	const uint32_t ref = find(t, flow);

	return weir_tcp_ref_is_conn(ref) ? weir_tcp_conn_at(t, ref) : NULL;
}

struct weir_tcp_req *
weir_tcp_find_req(const struct weir_tcp *t, const struct weir_flow *flow)
{
	const uint32_t ref = find(t, flow);

	return weir_tcp_ref_is_req(ref) ? weir_tcp_req_at(t, ref) : NULL;
}

struct weir_tcp_wait *
weir_tcp_find_wait(const struct weir_tcp *t, const struct weir_flow *flow)
{
	const uint32_t ref = find(t, flow);

	return weir_tcp_ref_is_wait(ref) ? weir_tcp_wait_at(t, ref) : NULL;
}

bool
weir_tcp_is_flow_free(const struct weir_tcp *t, const struct weir_flow *flow)
{
	const uint32_t ref = find(t, flow);

	return ref == WEIR_TCP_REF_NONE ||
	       (weir_tcp_ref_is_wait(ref) &&
		       weir_tcp_wait_is_reusable(t, weir_tcp_wait_at(t, ref)));
}

void
weir_tcp_prefetch_slot(const struct weir_tcp *t, uint32_t hash)
{
	rte_prefetch0(&t->table.slots[hash & t->table.mask]);
}

void
weir_tcp_prefetch_record(const struct weir_tcp *t, uint32_t hash)
{
	const struct weir_table_slot *s = &t->table.slots[hash & t->table.mask];
	const char *c;

	if (s->ref == 0)
		return;
	c = record_at(t, s->ref - 1);
	rte_prefetch0(c);
	rte_prefetch0(c + RTE_CACHE_LINE_MIN_SIZE);
	rte_prefetch0(c + 2 * RTE_CACHE_LINE_MIN_SIZE);
}

void
weir_tcp_prefetch_act(const struct weir_tcp *t, uint32_t hash)
{
	const struct weir_table_slot *s = &t->table.slots[hash & t->table.mask];
	const char *act;

	if (s->ref == 0 || !weir_tcp_ref_is_conn(s->ref - 1))
		return;
	act = (const char *)weir_tcp_conn_at(t, s->ref - 1)->act;
	rte_prefetch0(act);
	rte_prefetch0(act + RTE_CACHE_LINE_MIN_SIZE);
	rte_prefetch0(act + 2 * RTE_CACHE_LINE_MIN_SIZE);
}

struct weir_tcp_conn *
weir_tcp_conn_new(
	struct weir_tcp *t, const struct weir_flow *flow, const struct weir_tcp_opts *opts)
{
	struct weir_tcp_conn *c = NULL;

	if (weir_tcp_n_conns(t) < t->conf.max_conns)
		c = weir_tcp_conn_get(t);
	if (c == NULL)
		return NULL;
	memset(c, 0, offsetof(struct weir_tcp_conn, act[0].queue));
	c->act->reordering = t->conf.reordering;
	c->act->reo_steps = 1;
	c->flow = *flow;
	c->opts = *opts;
	c->is_live = true;
	c->ready.kind = WEIR_READY_TCP;
	weir_tcp_cc_choose(t, c);
	c->rto_us = t->conf.rto_initial_us;
	c->heard_us = t->core->now_us;
	c->sent_us = t->core->now_us;
	c->ts_offset = weir_tcp_ts_offset(t, flow);
	weir_wheel_entry_init(&c->timer, WEIR_TIMER_TCP);
	if (weir_table_add(&t->table, weir_tcp_hash(t, flow), weir_slab_index(&t->conns, c)) < 0) {
		weir_tcp_conn_put(t, c);
		return NULL;
	}
	t->n_state[WEIR_TCP_CLOSED]++;
	return c;
}

void
weir_tcp_conn_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	WEIR_ASSERT(c->state == WEIR_TCP_CLOSED && !weir_wheel_is_armed(&c->timer) && !c->is_out);
	weir_ready_del(t->ready, &c->ready);
	weir_pktq_free(&c->rcv.rx);
	weir_tcp_let_go(t, c, c->rcv.held); /* the rest is the socket layer's alone now */
	t->n_state[WEIR_TCP_CLOSED]--;
	if (unlikely(c->act->keys != NULL))
		weir_tcp_keys_conn_free(t, c);
	weir_tcp_notes_free(c);
	weir_tcp_trace_free(t, c);
	weir_tcp_conn_put(t, c);
}

/* Off every list that belongs to a living connection. */
static void
unlink_conn(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	weir_wheel_cancel(t->core->wheel, &c->timer);
	weir_table_del(&t->table, weir_tcp_hash(t, &c->flow), weir_slab_index(&t->conns, c));
	if (c->is_out) {
		TAILQ_REMOVE(&t->out, c, out);
		c->is_out = false;
	}
}

void
weir_tcp_discard(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	unlink_conn(t, c);
	weir_tcp_conn_free(t, c);
}

void
weir_tcp_finish(struct weir_tcp *t, struct weir_tcp_conn *c, int error)
{
	if (c->state == WEIR_TCP_SYN_SENT || c->state == WEIR_TCP_SYN_RECEIVED)
		t->stats.open_failed++;
	if (unlikely(c->fo != 0))
		weir_tcp_fastopen_over(t, c);
	unlink_conn(t, c);
	weir_tcp_sndq_free(c);
	weir_tcp_sent_free(t, c);
	weir_tcp_reass_free(t, c);
	weir_tcp_set_state(t, c, WEIR_TCP_CLOSED);
	t->n_orphans -= c->is_orphan;
	t->n_fastopen -= c->is_fastopen;
	c->is_fastopen = false;
	c->error = (int16_t)error;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_END, (uint32_t)error, weir_tcp_sent_pos(c, c->snd.una),
		weir_tcp_rcvd_pos(c, c->rcv.nxt));
	if (c->end == NULL)
		weir_tcp_conn_free(t, c);
	else
		weir_ready_add(t->ready, &c->ready, WEIR_READY_CLOSE);
}

static unsigned int
listen_bucket(struct weir_be16 port)
{
	return weir_host16(port) % WEIR_TCP_LISTEN_BUCKETS;
}

void
weir_tcp_listen(struct weir_tcp *t, struct weir_tcp_listener *l)
{
	LIST_INIT(&l->reqs);
	l->n_syn = 0;
	l->n_ready = 0;
	l->ready_turn = t->turn;
	LIST_INSERT_HEAD(&t->listeners[listen_bucket(l->lport)], l, link);
}

/* How well l's address fits: 0 not at all; its own before any; any of one family before ::. */
static int
address_score(const struct weir_tcp_listener *l, const struct weir_flow *flow)
{
	const bool is_v4 = weir_addr_is_v4(&flow->laddr);

	if (l->lport.raw != flow->lport.raw)
		return 0;
	if (!weir_addr_is_any(&l->laddr))
		return weir_addr_eq(&l->laddr, &flow->laddr) ? 3 : 0;
	if (l->is_v6)
		return !is_v4 ? 2 : !l->is_v6only;
	return is_v4 ? 2 : 0;
}

/* Of those whose address fits equally, who is bound to the interface comes first. */
static int
listener_score(
	const struct weir_tcp_listener *l, const struct weir_flow *flow, unsigned int ifindex)
{
	const int score = 2 * address_score(l, flow);

	if (likely(l->opts.ifindex_plus1 == 0) || score == 0)
		return score;
	return l->opts.ifindex_plus1 == ifindex + 1 ? score + 1 : 0;
}

/* The nth listener of this score. */
static struct weir_tcp_listener *
nth_listener(const struct weir_tcp *t, const struct weir_flow *flow, unsigned int ifindex,
	int score, unsigned int n)
{
	struct weir_tcp_listener *l;

	LIST_FOREACH (l, &t->listeners[listen_bucket(flow->lport)], link)
		if (listener_score(l, flow, ifindex) == score && n-- == 0)
			return l;
	return NULL;
}

/* Several that fit equally share a port (SO_REUSEPORT): each flow always finds the same. */
struct weir_tcp_listener *
weir_tcp_find_listener(const struct weir_tcp *t, const struct weir_flow *flow, unsigned int ifindex)
{
	struct weir_tcp_listener *best = NULL;
	struct weir_tcp_listener *l;
	unsigned int n_best = 0;
	int best_score = 0;

	LIST_FOREACH (l, &t->listeners[listen_bucket(flow->lport)], link) {
		const int score = listener_score(l, flow, ifindex);

		if (score > best_score) {
			best = l;
			best_score = score;
			n_best = 0;
		}
		n_best += score != 0 && score == best_score;
	}
	if (likely(n_best <= 1))
		return best;
	return nth_listener(
		t, flow, ifindex, best_score, weir_flow_hash(flow, t->core->secret) % n_best);
}

static bool
has_listener_on_port(const struct weir_tcp *t, struct weir_be16 port)
{
	const struct weir_tcp_listener *l;

	LIST_FOREACH (l, &t->listeners[listen_bucket(port)], link) {
		if (l->lport.raw == port.raw)
			return true;
	}
	return false;
}

/* Free, not listened on, and its return traffic comes to this worker. */
static bool
is_port_usable(struct weir_tcp *t, const struct weir_flow *flow)
{
	const struct weir_steer *steer = t->ip->steer;

	return (steer == NULL || weir_steer_worker(steer, flow) == t->core->worker) &&
	       weir_tcp_is_flow_free(t, flow) && !has_listener_on_port(t, flow->lport);
}

int
weir_tcp_choose_port(struct weir_tcp *t, struct weir_flow *flow)
{
	const struct port_key key = {flow->laddr, flow->raddr, flow->rport.raw};
	const uint32_t offset = (uint32_t)weir_siphash(t->core->secret, &key, sizeof(key));
	const uint32_t n = (uint32_t)t->conf.port_max - t->conf.port_min + 1;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = (offset + t->port_offset++) % n;

		flow->lport = weir_be16((uint16_t)(t->conf.port_min + at));
		if (is_port_usable(t, flow))
			return 0;
	}
	return -EADDRNOTAVAIL;
}
