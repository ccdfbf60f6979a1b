/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections and UDP sockets: opened, given requests, heard, closed. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include <rte_cycles.h>

#include "load.h"

#define OPENING_MAX 256 /* at a time, fewer than servers' backlogs */

static bool
is_stream(const struct load *l)
{
	return l->o->protocol != LOAD_UDP;
}

static bool
is_short(const struct load *l)
{
	return l->o->close != LOAD_KEEP;
}

/* Into the queue of those with room, at its end. */
static void
settle(struct load_flow *f)
{
	struct load *l = f->l;
	const enum load_state wanted = is_short(l) ? LOAD_IDLE : LOAD_OPEN;

	if (f->is_ready || f->state != wanted || f->under_way == l->o->depth)
		return;
	f->is_ready = true;
	TAILQ_INSERT_TAIL(&l->ready, f, link);
}

static void
shut(struct load_flow *f, enum load_state state)
{
	if (f->is_ready)
		TAILQ_REMOVE(&f->l->ready, f, link);
	if (f->fd >= 0)
		weir_close(f->l->st, f->fd);
	f->l->n_open -= f->state == LOAD_OPEN && !is_short(f->l);
	f->l->under_way -= f->under_way;
	f->is_ready = false;
	f->fd = -1;
	f->state = (uint8_t)state;
	f->under_way = 0;
	f->owed = 0;
	memset(&f->answer, 0, sizeof(f->answer));
}

/* It failed, or ended though we did not ask for that. */
static void
fail(struct load_flow *f)
{
	f->l->stats.errors++;
	shut(f, LOAD_BROKEN);
}

/* ---- requests ---- */

static bool
is_due(const struct load *l)
{
	if (l->phase == LOAD_SET_UP)
		return l->under_way == 0; /* one after the other, to learn whether it works */
	return l->phase == LOAD_RUN && (l->interval == 0 || rte_rdtsc() >= l->next);
}

/* The next request is taken from those due: the time from which its latency counts. */
static uint64_t
take_due(struct load *l)
{
	const uint64_t due = l->next;

	if (l->phase == LOAD_SET_UP || l->interval == 0)
		return rte_rdtsc();
	l->next += l->interval;
	return due;
}

/* All that is owed, or as much as the socket takes. */
static void
send_stream(struct load_flow *f)
{
	struct load *l = f->l;
	const uint64_t all = (uint64_t)l->request_len * l->o->depth;
	ssize_t n = 1;

	while (f->owed > 0 && n > 0) {
		const uint64_t len = all - f->pos < f->owed ? all - f->pos : f->owed;

		n = weir_send(l->st, f->fd, l->requests + f->pos, len, 0);
		if (n <= 0)
			break;
		f->owed -= (uint64_t)n;
		f->pos = (uint32_t)((f->pos + (uint64_t)n) % l->request_len);
	}
	if (n < 0 && n != -EAGAIN)
		fail(f);
}

/* Its request carries the time that it was due: the answer brings it back. */
static void
send_datagram(struct load_flow *f, uint64_t due)
{
	struct load *l = f->l;

	memcpy(l->requests, &due, sizeof(due));
	weir_send(
		l->st, f->fd, l->requests, l->request_len, 0); /* refused: lost, see load_tick() */
}

static void
add_request(struct load_flow *f)
{
	struct load *l = f->l;
	const uint64_t due = take_due(l);

	if (f->under_way == 0)
		f->heard = rte_rdtsc();
	f->due[(f->first + f->under_way) % l->o->depth] = due;
	f->under_way++;
	l->under_way++;
	if (is_stream(l))
		f->owed += l->request_len;
	else
		send_datagram(f, due);
}

static void on_recv(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg);
static void on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg);

static int
open_socket(struct load_flow *f)
{
	const struct load *l = f->l;
	const struct weir_callbacks cb = {.recv = on_recv, .event = on_event, .arg = f};
	const int on = 1, type = is_stream(l) ? SOCK_STREAM : SOCK_DGRAM;
	int rc;

	f->fd = weir_socket(l->st, l->o->addr.ss_family, type | SOCK_NONBLOCK, 0);
	if (f->fd < 0)
		return f->fd;
	rc = weir_set_callbacks(l->st, f->fd, &cb);
	if (rc == 0 && is_stream(l))
		rc = weir_setsockopt(l->st, f->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (rc == 0)
		rc = weir_connect(
			l->st, f->fd, (const struct sockaddr *)&l->o->addr, l->o->addr_len);
	return rc;
}

static void
open_flow(struct load_flow *f)
{
	const int rc = open_socket(f);

	f->state = LOAD_OPENING;
	f->pos = 0;
	if (rc == 0)
		on_event(f->l->st, f->fd, WEIR_EV_CONNECT, 0, f);
	else if (rc != -EINPROGRESS)
		fail(f);
}

static void
ask(struct load_flow *f)
{
	struct load *l = f->l;

	TAILQ_REMOVE(&l->ready, f, link);
	f->is_ready = false;
	while (f->under_way < l->o->depth && is_due(l))
		add_request(f);
	if (f->state == LOAD_IDLE)
		open_flow(f);
	else
		send_stream(f);
	settle(f);
}

unsigned int
load_feed(struct load *l)
{
	unsigned int n = 0;

	while (!TAILQ_EMPTY(&l->ready) && is_due(l)) {
		ask(TAILQ_FIRST(&l->ready));
		n++;
	}
	return n;
}

/* ---- answers ---- */

static void
note_answer(struct load *l, uint64_t due, uint64_t now)
{
	const uint64_t ticks = now > due ? now - due : 0;

	l->n_answered++;
	l->stats.answers++;
	load_hist_add(&l->stats.latency, (uint64_t)((double)ticks * l->ns_per_tick));
}

/* @return answers that were completed by these bytes; negative errno */
static int
count_answers(struct load_flow *f, const void *buf, size_t len)
{
	const struct load_opts *o = f->l->o;

	if (o->protocol == LOAD_HTTP)
		return load_answer_http(&f->answer, buf, len);
	return (int)load_answer_echo(&f->answer, len, o->size);
}

static void
take_stream(struct load_flow *f, const void *buf, size_t len)
{
	struct load *l = f->l;
	const uint64_t now = rte_rdtsc();
	const int n = count_answers(f, buf, len);

	if (n < 0 || (uint32_t)n > f->under_way) {
		l->is_wrong = true;
		fail(f);
		return;
	}
	for (int i = 0; i < n; i++) {
		note_answer(l, f->due[f->first], now);
		f->first = (f->first + 1) % l->o->depth;
	}
	f->under_way -= (uint32_t)n;
	l->under_way -= (uint64_t)n;
	if (n > 0 && l->o->close == LOAD_CLIENT_CLOSES)
		shut(f, LOAD_IDLE);
	else if (n > 0 && l->o->close == LOAD_SERVER_CLOSES)
		f->state = LOAD_ENDING;
}

static void
take_datagram(struct load_flow *f, const void *buf, size_t len)
{
	uint64_t due;

	if (f->under_way == 0 || len != f->l->request_len)
		return; /* late: it was counted as lost */
	memcpy(&due, buf, sizeof(due));
	f->heard = rte_rdtsc();
	f->under_way--;
	f->l->under_way--;
	note_answer(f->l, due, f->heard);
}

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct load_flow *f = arg;

	if (f->l->phase == LOAD_OVER)
		return;
	if (is_stream(f->l))
		take_stream(f, buf, len);
	else
		take_datagram(f, buf, len);
	settle(f);
	load_feed(f->l);
}

static void
on_open(struct load_flow *f)
{
	f->state = LOAD_OPEN;
	if (!is_short(f->l))
		f->l->n_open++;
	send_stream(f); /* a short flow's request */
	settle(f);
	load_feed(f->l);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct load_flow *f = arg;
	const bool is_end = ev == WEIR_EV_CLOSE || ev == WEIR_EV_PEERCLOSE;

	if (f->l->phase == LOAD_OVER)
		return;
	if (ev == WEIR_EV_CONNECT && error == 0) {
		on_open(f);
	} else if (ev == WEIR_EV_WRITE) {
		send_stream(f);
	} else if (is_end && f->state == LOAD_ENDING) {
		shut(f, LOAD_IDLE);
		settle(f);
		load_feed(f->l);
	} else if (is_end || ev == WEIR_EV_CONNECT) {
		fail(f);
	}
}

/* ---- all flows ---- */

/* More may be opened: the first has shown that there is a way. */
static uint32_t
may_begin(const struct load *l)
{
	const bool works = is_stream(l) && !is_short(l) ? l->n_open > 0 : l->n_answered > 0;

	if (!works)
		return 1;
	return is_short(l) ? l->o->conns : l->n_open + OPENING_MAX;
}

void
load_open_more(struct load *l)
{
	while (l->n_begun < l->o->conns && l->n_begun < may_begin(l)) {
		struct load_flow *f = &l->flows[l->n_begun++];

		if (!is_short(l)) {
			open_flow(f);
			continue;
		}
		l->n_open++;
		settle(f);
	}
}

static bool
is_late(const struct load_flow *f)
{
	const uint64_t waited = rte_rdtsc() - f->heard;

	return f->state == LOAD_OPEN && f->under_way > 0 &&
	       waited > rte_get_tsc_hz() / 1000 * f->l->o->timeout_ms;
}

void
load_tick(struct load *l)
{
	for (uint32_t i = 0; i < l->n_begun; i++) {
		struct load_flow *f = &l->flows[i];

		if (f->state == LOAD_BROKEN) {
			f->state = LOAD_IDLE;
			if (!is_short(l))
				open_flow(f);
		} else if (!is_stream(l) && is_late(f)) {
			l->stats.lost += f->under_way;
			l->under_way -= f->under_way;
			f->under_way = 0;
		}
		settle(f);
	}
}

static void
note_unanswered(struct load *l, uint64_t due)
{
	const uint64_t end = l->stats.end;

	l->stats.unanswered++;
	if (end > due)
		load_hist_add(&l->stats.latency, (uint64_t)((double)(end - due) * l->ns_per_tick));
}

void
load_count_unanswered(struct load *l)
{
	for (uint32_t i = 0; i < l->n_begun && is_stream(l); i++) {
		const struct load_flow *f = &l->flows[i];

		for (uint32_t k = 0; k < f->under_way; k++)
			note_unanswered(l, f->due[(f->first + k) % l->o->depth]);
	}
	for (; l->interval != 0 && l->next < l->stats.end; l->next += l->interval)
		note_unanswered(l, l->next);
}

void
load_close_all(struct load *l)
{
	for (uint32_t i = 0; i < l->n_begun; i++)
		shut(&l->flows[i], LOAD_IDLE);
}
