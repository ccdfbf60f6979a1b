/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input, udp_input -> sock_publish -> callbacks, receive queues, waiters */
#include "weir_queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DOORS_MAX 256 /* sockets served in one turn */

int
weir_sock_worker_init(struct weir_sock_worker *ws, struct weir_socks *ss, uint16_t index,
	struct weir_core *core, struct weir_ip *ip, struct weir_udp *udp, struct weir_raw *raw,
	struct weir_tcp *tcp, struct weir_ready *ready)
{
	memset(ws, 0, sizeof(*ws));
	ws->core = core;
	ws->ip = ip;
	ws->udp = udp;
	ws->raw = raw;
	ws->tcp = tcp;
	ws->ready = ready;
	ws->socks = ss;
	ws->index = index;
	STAILQ_INIT(&ws->dying);
	STAILQ_INIT(&ws->starving);
	STAILQ_INIT(&ws->stalled);
	weir_mpsc_init(&ws->doors);
	weir_mpsc_init(&ws->leaving);
	ws->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ws->efd < 0)
		return -errno;
	ss->workers[index] = ws;
	return 0;
}

static void
drop_dying(struct weir_sock_worker *ws)
{
	struct weir_sock *s;

	while ((s = STAILQ_FIRST(&ws->dying)) != NULL) {
		STAILQ_REMOVE_HEAD(&ws->dying, dying);
		while (s->n_dying > 1) {
			s->n_dying--;
			weir_sock_unref(s);
		}
		s->n_dying = 0;
		weir_sock_unref(s);
	}
}

/* A send found the pool low (WEIR_SOCK_STARVED), or the door could not be answered: come again. */
static void
note_starved(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (s->is_starving)
		return;
	s->is_starving = true;
	weir_sock_ref(s);
	STAILQ_INSERT_TAIL(&ws->starving, s, starving);
}

void
weir_sock_put_off(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	if (__atomic_fetch_or(&s->door, bits, __ATOMIC_ACQ_REL) == 0)
		note_starved(ws, s); /* else it is at the door again */
}

static void
tell_fed_datagrams(struct weir_sock *s)
{
	weir_sock_notify_of(s, WEIR_NEWS_OUT);
	weir_sock_post(s, WEIR_ASYN_WRITE, 0);
}

static void
tell_room(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (!(weir_sock_flags(s) & WEIR_SOCK_STARVED))
		return;
	weir_sock_clear(s, WEIR_SOCK_STARVED);
	if (s->kind == WEIR_SOCK_TCP && weir_tcp_has_conn(&s->tcp))
		weir_sock_tcp_room(ws, s);
	else
		tell_fed_datagrams(s);
}

/* @return false: what it waits for is not there yet */
static bool
come_again(struct weir_sock_worker *ws, struct weir_sock *s)
{
	const uint32_t bits = __atomic_exchange_n(&s->door, 0, __ATOMIC_ACQ_REL);
	bool is_done;

	s->is_starving = false;
	if (bits != 0)
		weir_sock_serve(ws, s, bits);
	tell_room(ws, s);
	is_done = !s->is_starving;
	weir_sock_unref(s);
	return is_done;
}

/* The pool has recovered: all who were refused may try again. A hand's breadth above the line. */
static unsigned int
feed(struct weir_sock_worker *ws, bool is_end)
{
	STAILQ_HEAD(, weir_sock) list = STAILQ_HEAD_INITIALIZER(list);
	unsigned int told = 0;
	struct weir_sock *s;

	if (likely(STAILQ_EMPTY(&ws->starving)) ||
		(!is_end && !weir_sock_may_take(ws->core->pool, ws->core->pool->size / 16)))
		return 0;
	STAILQ_CONCAT(&list, &ws->starving); /* some may be refused again */
	while ((s = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, starving);
		told += come_again(ws, s);
	}
	return told;
}

void
weir_sock_worker_fini(struct weir_sock_worker *ws)
{
	struct weir_sock *s;

	while (weir_sock_doors(ws) != 0) {
	}
	feed(ws, true);
	while ((s = STAILQ_FIRST(&ws->starving)) != NULL) {
		STAILQ_REMOVE_HEAD(&ws->starving, starving);
		weir_sock_unref(s);
	}
	weir_lend_resume(ws, true);
	drop_dying(ws);
	if (ws->efd > 0)
		close(ws->efd);
	ws->efd = -1;
}

void
weir_sock_let_go(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (s->n_dying++ == 0)
		STAILQ_INSERT_TAIL(&ws->dying, s, dying);
}

void
weir_sock_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	if (unlikely(bits & WEIR_DOOR_STARVED))
		note_starved(ws, s);
	if (s->kind == WEIR_SOCK_TCP)
		weir_sock_tcp_serve(ws, s, bits);
	else
		weir_sock_dgram_serve(ws, s, bits);
}

void
weir_sock_leave_one(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (s->kind == WEIR_SOCK_TCP)
		weir_sock_tcp_unlisten(ws, s);
	else
		weir_sock_dgram_leave(ws, s);
}

static void
pass_to(struct weir_sock_worker *ws, struct weir_sock *s)
{
	weir_mpsc_push(&ws->leaving, &s->accept_node);
	weir_sock_wake_worker(ws);
}

void
weir_sock_leave(struct weir_socks *ss, struct weir_sock *s, uint16_t first)
{
	weir_sock_ref(s);
	s->n_to_leave = ss->n_workers;
	pass_to(ss->workers[first], s);
}

/* s is to leave this worker, then the next; the last one drops the reference of its way round. */
static void
leave_and_pass(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_socks *ss = ws->socks;

	weir_sock_leave_one(ws, s);
	if (--s->n_to_leave != 0) {
		pass_to(ss->workers[(ws->index + 1) % ss->n_workers], s);
		return;
	}
	weir_bind_del(ss, s);
	weir_sock_unref(s);
}

static unsigned int
serve_leaving(struct weir_sock_worker *ws)
{
	struct weir_qnode *n;
	unsigned int served = 0;

	for (; (n = weir_mpsc_pop(&ws->leaving)) != NULL; served++)
		leave_and_pass(ws, RTE_PTR_SUB(n, offsetof(struct weir_sock, accept_node)));
	return served;
}

unsigned int
weir_sock_doors(struct weir_sock_worker *ws)
{
	struct weir_qnode *n;
	unsigned int served = serve_leaving(ws);

	while (served < DOORS_MAX && (n = weir_mpsc_pop(&ws->doors)) != NULL) {
		struct weir_sock *s = RTE_PTR_SUB(n, offsetof(struct weir_sock, door_node));
		const uint32_t bits = __atomic_exchange_n(&s->door, 0, __ATOMIC_ACQ_REL);

		if (weir_sock_home(s) == ws->index)
			weir_sock_serve(ws, s, bits);
		else
			weir_sock_ring(s, bits); /* it has moved (connect) */
		weir_sock_unref(s);
		served++;
	}
	ws->stats.doors += served;
	return served;
}

static bool
is_empty(const struct weir_mpsc *q)
{
	return __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE) == &q->stub;
}

bool
weir_sock_is_quiet(struct weir_sock_worker *ws)
{
	return is_empty(&ws->doors) && is_empty(&ws->leaving) && STAILQ_EMPTY(ws->ready) &&
	       STAILQ_EMPTY(&ws->starving) && /* nothing wakes a worker when mbufs are freed */
	       STAILQ_EMPTY(&ws->stalled);
}

unsigned int
weir_sock_publish(struct weir_sock_worker *ws)
{
	struct weir_ready_item *item;
	unsigned int told = 0;

	while ((item = weir_ready_pop(ws->ready)) != NULL) {
		const uint16_t events = item->events;

		item->events = 0;
		if (item->kind == WEIR_READY_TCP)
			weir_sock_tcp_event(ws,
				RTE_PTR_SUB(item, offsetof(struct weir_tcp_conn, ready)), events);
		else
			weir_sock_dgram_event(
				ws, RTE_PTR_SUB(item, offsetof(struct weir_pcb, ready)), events);
		told++;
	}
	told += feed(ws, false) + weir_lend_resume(ws, false);
	drop_dying(ws);
	ws->stats.events += told;
	return told;
}

/* No event callback: the socket ends when its peer or its connection does. */
static void
close_by_itself(struct weir_sock_worker *ws, struct weir_sock *s)
{
	if (!weir_fd_close(s->socks, s->fd, s))
		return;
	weir_sock_serve(ws, s, WEIR_DOOR_CLOSE);
	weir_sock_unref(s); /* the descriptor's; the connection's lasts until the end of the turn */
}

void
weir_sock_tell(struct weir_sock_worker *ws, struct weir_sock *s, enum weir_event ev, int error)
{
	if (!(weir_sock_flags(s) & WEIR_SOCK_CALLBACKS) ||
		(weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED))
		return;
	ws->stats.callbacks++;
	if (s->cb.event != NULL)
		s->cb.event(s->socks->stack, s->fd, ev, error, weir_peek(s->cb.arg));
	else if (ev == WEIR_EV_PEERCLOSE || ev == WEIR_EV_CLOSE)
		close_by_itself(ws, s);
}
