/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_flush -> tcp_park; tcp_input, tcp_park's timer, sock_tcp -> tcp_park. A connection that
 * is idle sleeps: it is packed (tcp_pack.c) into a weir_tcp_parked, and its weir_tcp_conn is free
 * for others. Packing loses nothing, so that nobody can tell from what a connection does whether it
 * has slept. Those that are awake stand in a queue and are looked at once in a PERIOD, so that
 * connections that sleep cost no time and those that work next to none.
 * Where few may be awake, work_max of them may have data of ours under way. The few others are for
 * what peers send: it is taken and acknowledged even when all who send wait for their peers, who
 * may be waiting for the same on their side.
 */
#include "tcp_priv.h"

#include <string.h>

#define PERIOD_TICKS 1000  /* of 1024 us: that long nothing came or went */
#define STEPS	     16	   /* connections looked at in a turn */
#define STEPS_WANT   64	   /* for one that can't wake or open otherwise */
#define RETRY_US     10000 /* a timer's connection could not wake: once more */

static uint32_t
ticks_of(const struct weir_tcp *t)
{
	return (uint32_t)(t->core->now_us >> 10);
}

/* The queue of those that are awake. */

static struct weir_tcp_conn *
awake_at(const struct weir_tcp *t, uint32_t ref)
{
	return ref == 0 ? NULL : weir_tcp_conn_at(t, ref - 1);
}

static void
enqueue(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_conn *last = awake_at(t, t->awake_last);
	const uint32_t ref = weir_slab_index(&t->conns, c) + 1;

	c->act->queue.since = ticks_of(t);
	c->act->queue.next = 0;
	c->act->queue.prev = t->awake_last;
	t->awake_last = ref;
	if (last != NULL) {
		last->act->queue.next = ref;
		return;
	}
	t->awake_first = ref;
	t->awake_due = c->act->queue.since + PERIOD_TICKS;
}

static void
dequeue(struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	struct weir_tcp_conn *next = awake_at(t, c->act->queue.next);
	struct weir_tcp_conn *prev = awake_at(t, c->act->queue.prev);

	if (next != NULL)
		next->act->queue.prev = c->act->queue.prev;
	else
		t->awake_last = c->act->queue.prev;
	if (prev != NULL)
		prev->act->queue.next = c->act->queue.next;
	else
		t->awake_first = c->act->queue.next;
}

/* To sleep */

static bool
has_owner(const struct weir_tcp_conn *c)
{
	return c->end != NULL && c->listener == NULL;
}

/* Something of ours is under way or waits for it. */
static bool
is_sending(const struct weir_tcp_conn *c)
{
	return weir_tcp_is_in_flight(c) || weir_tcp_has_unsent(c) || c->sndq.q.first != NULL;
}

/* Nothing is under way, nothing waits, and no timer runs but keepalive's. */
static bool
is_idle(const struct weir_tcp_conn *c)
{
	return c->state >= WEIR_TCP_ESTABLISHED && has_owner(c) && !is_sending(c) &&
	       c->rcv.rx.first == NULL && c->act->head == 0 && c->act->keys == NULL &&
	       c->act->notes == NULL && !c->is_out && !c->ready.is_queued && !c->has_ooo &&
	       c->rexmit_at == 0 && c->delack_at == 0 && c->pace_at == 0 && c->end_at == 0;
}

static bool
is_busy(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const struct weir_tcp_busy *b = t->busy;

	while (b != NULL && b->c != c)
		b = b->below;
	return b != NULL;
}

/* At least for this turn: who works on a connection just now may go on with it. */
static bool
is_quiet_for(const struct weir_tcp_conn *c, uint64_t now_us, uint64_t us)
{
	return now_us - RTE_MAX(c->heard_us, c->sent_us) >= us;
}

/* A timer for p that fires when c's would have. @return false: there is no room */
static bool
set_nap(struct weir_tcp *t, const struct weir_tcp_conn *c, struct weir_tcp_parked *p)
{
	const uint64_t next_us = weir_tcp_next_us(c);
	struct weir_tcp_nap *nap;

	if (next_us == WEIR_WHEEL_NEVER)
		return true;
	nap = weir_slab_get(&t->naps);
	if (nap == NULL)
		return false;
	weir_wheel_entry_init(&nap->timer, WEIR_TIMER_TCP_NAP);
	nap->parked = weir_slab_index(&t->parked, p);
	weir_wheel_arm(t->core->wheel, &nap->timer, next_us);
	p->nap = weir_slab_index(&t->naps, nap) + 1;
	return true;
}

static void
end_nap(struct weir_tcp *t, const struct weir_tcp_parked *p)
{
	struct weir_tcp_nap *nap;

	if (p->nap == 0)
		return;
	nap = weir_slab_at(&t->naps, p->nap - 1);
	weir_wheel_cancel(t->core->wheel, &nap->timer);
	weir_slab_put_at(&t->naps, nap, p->nap - 1);
}

/* c into p, and into a rest if need be. @return false: there is no room */
static bool
fill(struct weir_tcp *t, const struct weir_tcp_conn *c, struct weir_tcp_parked *p)
{
	uint8_t packed[WEIR_TCP_PACKED_MAX];
	const size_t len = weir_tcp_pack(t, c, packed);
	struct weir_tcp_rest *rest;

	p->rest = 0;
	memcpy(p->packed, packed, sizeof(p->packed));
	if (len <= sizeof(p->packed))
		return len != 0;
	rest = weir_slab_get(&t->rests);
	if (rest == NULL)
		return false;
	memcpy(rest->packed, packed + sizeof(p->packed), sizeof(rest->packed));
	p->rest = weir_slab_index(&t->rests, rest) + 1;
	return true;
}

static void
free_parked(struct weir_tcp *t, struct weir_tcp_parked *p)
{
	end_nap(t, p);
	if (p->rest != 0)
		weir_slab_put_at(&t->rests, weir_slab_at(&t->rests, p->rest - 1), p->rest - 1);
	p->end = NULL;
	weir_slab_put(&t->parked, p);
}

/* c, in no queue any more, becomes p. */
static void
move_in(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_parked *p)
{
	const uint32_t index = weir_slab_index(&t->parked, p);

	weir_table_move(&t->table, weir_tcp_hash(t, &c->flow), weir_slab_index(&t->conns, c),
		WEIR_TCP_REF_PARKED | index);
	weir_tcp_trace_move(t, c->trace, c, p);
	p->end = c->end;
	p->end->parked = index + 1;
	p->end->conn = NULL;
	weir_wheel_cancel(t->core->wheel, &c->timer);
	c->is_live = false;
	weir_slab_put(&t->conns, c);
}

/* c, in no queue, is to sleep. */
static bool
park(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_parked *p = weir_slab_get(&t->parked);

	if (p == NULL)
		return false;
	p->flow = c->flow;
	p->nap = 0;
	if (!fill(t, c, p) || !set_nap(t, c, p)) {
		free_parked(t, p);
		return false;
	}
	move_in(t, c, p);
	return true;
}

/* The first of the queue: it sleeps, or its turn comes again. */
static bool
look_at_first(struct weir_tcp *t, uint64_t quiet_us)
{
	struct weir_tcp_conn *c = awake_at(t, t->awake_first);

	dequeue(t, c);
	if (is_idle(c) && is_quiet_for(c, t->core->now_us, quiet_us) && !is_busy(t, c) &&
		park(t, c))
		return true;
	enqueue(t, c);
	return false;
}

void
weir_tcp_park_due(struct weir_tcp *t)
{
	for (unsigned int i = 0; i < STEPS && t->awake_first != 0; i++) {
		const uint32_t due = awake_at(t, t->awake_first)->act->queue.since + PERIOD_TICKS;

		if ((int32_t)(ticks_of(t) - due) < 0) {
			t->awake_due = due;
			return;
		}
		look_at_first(t, (uint64_t)PERIOD_TICKS << 10);
	}
}

/* To wake */

/* Fewer than max are to be awake: those go to sleep who do not need to be just now. */
static bool
make_room(struct weir_tcp *t, uint32_t max)
{
	for (unsigned int i = 0; i < STEPS_WANT && t->conns.used >= max && t->awake_first != 0;
		i++) {
		struct weir_tcp_conn *c = awake_at(t, t->awake_first);

		if (c->has_ooo && !is_sending(c) && !is_busy(t, c))
			weir_tcp_reass_free(t, c); /* its peer is gone, or has it still */
		look_at_first(t, 1);
	}
	if (t->conns.used < max)
		return true;
	t->stats.no_conn++;
	return false;
}

static struct weir_tcp_conn *
get(struct weir_tcp *t, uint32_t max)
{
	struct weir_tcp_conn *c;

	if (!make_room(t, RTE_MIN(max, t->conns.capacity)))
		return NULL;
	c = weir_slab_get(&t->conns);
	enqueue(t, c);
	return c;
}

struct weir_tcp_conn *
weir_tcp_conn_get(struct weir_tcp *t)
{
	return get(t, t->work_max);
}

void
weir_tcp_conn_put(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	dequeue(t, c);
	c->is_live = false;
	weir_slab_put(&t->conns, c);
}

/* p becomes c. */
static void
move_out(struct weir_tcp *t, struct weir_tcp_parked *p, struct weir_tcp_conn *c)
{
	weir_table_move(&t->table, weir_tcp_hash(t, &c->flow),
		WEIR_TCP_REF_PARKED | weir_slab_index(&t->parked, p),
		weir_slab_index(&t->conns, c));
	weir_tcp_trace_move(t, c->trace, p, c);
	c->end = p->end;
	c->end->conn = c;
	c->end->parked = 0;
	free_parked(t, p);
}

static struct weir_tcp_conn *
wake(struct weir_tcp *t, struct weir_tcp_parked *p, uint32_t max)
{
	struct weir_tcp_conn *c = get(t, max);

	if (c == NULL)
		return NULL;
	weir_tcp_unpack(t, p, c);
	move_out(t, p, c);
	weir_tcp_route(t, c);
	weir_tcp_timer_resume(t, c);
	return c;
}

struct weir_tcp_conn *
weir_tcp_wake(struct weir_tcp *t, uint32_t ref)
{
	return wake(t, weir_tcp_parked_at(t, ref), UINT32_MAX);
}

struct weir_tcp_conn *
weir_tcp_conn_of(struct weir_tcp *t, const struct weir_tcp_end *e)
{
	return e->parked != 0 ? wake(t, weir_slab_at(&t->parked, e->parked - 1), t->work_max)
			      : e->conn;
}

bool
weir_tcp_begin_work(struct weir_tcp *t, const struct weir_tcp_end *e)
{
	const struct weir_tcp_conn *c = e->conn;

	if (e->parked == 0 && c != NULL && !is_sending(c) && !make_room(t, t->work_max + 1))
		return false;
	/* It may have made room itself. */
	return e->parked == 0 || weir_tcp_conn_of(t, e) != NULL;
}

void
weir_tcp_nap_timer(struct weir_tcp *t, struct weir_tcp_nap *nap)
{
	struct weir_tcp_conn *c = wake(t, weir_slab_at(&t->parked, nap->parked), UINT32_MAX);

	if (c != NULL)
		weir_tcp_timer(t, c);
	else
		weir_wheel_arm(t->core->wheel, &nap->timer, t->core->now_us + RETRY_US);
}

static void
drop(struct weir_tcp *t, struct weir_tcp_parked *p)
{
	struct weir_tcp_conn c;

	weir_tcp_parked_read(t, p, &c);
	t->n_state[c.state]--;
	weir_table_del(&t->table, weir_tcp_hash(t, &p->flow),
		WEIR_TCP_REF_PARKED | weir_slab_index(&t->parked, p));
	free_parked(t, p);
}

void
weir_tcp_park_fini(struct weir_tcp *t)
{
	for (uint32_t i = 0; i < t->parked.fresh; i++) {
		struct weir_tcp_parked *p = weir_slab_at(&t->parked, i);

		if (p->end != NULL)
			drop(t, p);
	}
}

/* To be looked at */

uint32_t
weir_tcp_id_from(const struct weir_tcp *t, uint32_t id)
{
	if (id < WEIR_TCP_ID_PARKED && id >= t->conns.fresh)
		id = WEIR_TCP_ID_PARKED;
	return id < WEIR_TCP_ID_PARKED || id - WEIR_TCP_ID_PARKED < t->parked.fresh
		       ? id
		       : WEIR_TCP_ID_END;
}

static void *
object_of(const struct weir_tcp *t, uint32_t id)
{
	return id < WEIR_TCP_ID_PARKED ? weir_slab_at(&t->conns, id)
				       : weir_slab_at(&t->parked, id - WEIR_TCP_ID_PARKED);
}

const struct weir_tcp_conn *
weir_tcp_by_id(const struct weir_tcp *t, uint32_t id, struct weir_tcp_conn *room)
{
	const struct weir_tcp_conn *c = object_of(t, id);
	const struct weir_tcp_parked *p = object_of(t, id);

	if (id < WEIR_TCP_ID_PARKED)
		return c->is_live ? c : NULL;
	if (p->end == NULL)
		return NULL;
	weir_tcp_parked_read(t, p, room);
	return room;
}

unsigned int
weir_tcp_events_by_id(const struct weir_tcp *t, uint32_t id, const struct weir_tcp_conn *c,
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN])
{
	return weir_tcp_trace_read(t, c->trace, object_of(t, id), events);
}
