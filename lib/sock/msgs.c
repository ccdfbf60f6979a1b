/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sock_publish -> sock_tcp_event, sock_dgram_event -> msgs_post -> a queue of the application
 */
#include "weir_queue.h"

#define WAITS(kind) (1u << (kind))
#define MAY(kind)   (1u << (8 + (kind)))
#define WAITS_ALL   (WAITS(WEIR_ASYN_KINDS) - 1)
#define MAY_ALL	    (WAITS_ALL << 8)
#define IS_QUEUED   (1u << 16)

static_assert(WEIR_ASYN_KINDS <= 8, "the bits do not meet");

/* A function of the word: what it is to become. */
typedef uint32_t (*change_fn)(uint32_t word, enum weir_asyn kind);

/* Change the word, and queue the socket if it has messages and is not in the queue yet. */
static void
change(struct weir_sock *s, change_fn fn, enum weir_asyn kind)
{
	uint32_t old = weir_peek(s->msgs), new;

	do {
		new = fn(old, kind);
		if (new &WAITS_ALL)
			new |= IS_QUEUED;
	} while (!__atomic_compare_exchange_n(
		&s->msgs, &old, new, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	if (new & ~old & IS_QUEUED)
		weir_queue_add(s->queue, s);
}

static bool
is_readable(const struct weir_sock *s)
{
	if (s->kind == WEIR_SOCK_TCP)
		return weir_sock_is_readable(s);
	return weir_sock_has_data(s) || __atomic_load_n(&s->error, __ATOMIC_ACQUIRE) != 0;
}

static bool
is_writable(const struct weir_sock *s)
{
	const uint32_t never = WEIR_SOCK_STARVED | WEIR_SOCK_CONNECTING | WEIR_SOCK_TX_SHUT;

	return weir_sock_has_room(s) && !(weir_sock_flags(s) & never);
}

/* Is what a message of this kind says true? */
static bool
is_so(const struct weir_sock *s, enum weir_asyn kind)
{
	if (kind == WEIR_ASYN_READ)
		return is_readable(s);
	if (kind == WEIR_ASYN_WRITE)
		return is_writable(s);
	if (kind == WEIR_ASYN_ACCEPT)
		return __atomic_load_n(&s->n_accept, __ATOMIC_ACQUIRE) != 0;
	return true;
}

static uint32_t
posted(uint32_t word, enum weir_asyn kind)
{
	const uint32_t takes = kind == WEIR_ASYN_CLOSE ? MAY_ALL : MAY(kind);

	return word & MAY(kind) ? (word & ~takes) | WAITS(kind) : word;
}

void
weir_msgs_post(struct weir_sock *s, enum weir_asyn kind, int error)
{
	if (!is_so(s, kind))
		return;
	/* The change of the word is what shows the error to who takes the message. */
	if (kind == WEIR_ASYN_CONNECT)
		weir_poke(s->connect_error, error);
	else if (kind == WEIR_ASYN_CLOSE && (weir_peek(s->msgs) & MAY(kind)))
		weir_poke(s->close_error, error);
	change(s, posted, kind);
}

/* What waits is taken back; behind CLOSE nothing comes. */
static uint32_t
rearmed(uint32_t word, enum weir_asyn kind)
{
	word &= ~WAITS(kind);
	return word & MAY(WEIR_ASYN_CLOSE) ? word | MAY(kind) : word;
}

void
weir_msgs_rearm(struct weir_sock *s, enum weir_asyn kind)
{
	change(s, rearmed, kind);
	weir_msgs_post(s, kind, 0);
}

static uint32_t
begun(uint32_t word, enum weir_asyn kind)
{
	return (word & IS_QUEUED) | (MAY_ALL & ~MAY(WEIR_ASYN_WRITE));
}

void
weir_msgs_begin(struct weir_sock *s)
{
	weir_poke(s->close_error, 0);
	change(s, begun, 0);
}

static uint32_t
off(uint32_t word, enum weir_asyn kind)
{
	return word & IS_QUEUED;
}

void
weir_msgs_off(struct weir_sock *s)
{
	change(s, off, 0);
}

bool
weir_msgs_are_on(const struct weir_sock *s)
{
	return (weir_peek(s->msgs) & MAY(WEIR_ASYN_CLOSE)) != 0;
}

static uint32_t
ended(uint32_t word, enum weir_asyn kind)
{
	return posted(word, WEIR_ASYN_CLOSE) & (IS_QUEUED | WAITS(WEIR_ASYN_CLOSE));
}

void
weir_msgs_end(struct weir_sock *s)
{
	change(s, ended, 0);
}

/* Workers have changed s without posting: what they would have told. */
static void
post_what_is(struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);

	if ((flags & WEIR_SOCK_CONNECTED) && (flags & WEIR_SOCK_CONNECT_DUE))
		weir_msgs_post(s, WEIR_ASYN_CONNECT, 0);
	if (flags & WEIR_SOCK_LISTENING)
		weir_msgs_post(s, WEIR_ASYN_ACCEPT, 0);
	else
		weir_msgs_post(s, WEIR_ASYN_READ, 0);
	if (flags & WEIR_SOCK_RX_FIN)
		weir_msgs_post(s, WEIR_ASYN_PEERCLOSE, 0);
	if (flags & WEIR_SOCK_OVER)
		weir_msgs_post(s, WEIR_ASYN_CLOSE, __atomic_load_n(&s->error, __ATOMIC_RELAXED));
}

void
weir_msgs_attach(struct weir_sock *s, struct weir_queue *q)
{
	if (weir_peek(s->queue) == NULL) {
		__atomic_fetch_add(&q->refs, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&s->queue, q, __ATOMIC_RELEASE);
	}
	weir_msgs_begin(s);
	/* As in weir_sock_notify(): who changes s from here on sees the queue. */
	weir_watched_sync(&s->watched);
	post_what_is(s);
}

static uint32_t
bytes_of(struct weir_sock *s, enum weir_asyn kind)
{
	int64_t room;

	if (kind == WEIR_ASYN_READ)
		return s->kind == WEIR_SOCK_TCP ? weir_sock_readable(s) : weir_sock_first_len(s);
	if (kind == WEIR_ASYN_ACCEPT)
		return __atomic_load_n(&s->n_accept, __ATOMIC_RELAXED);
	if (kind != WEIR_ASYN_WRITE)
		return 0;
	room = weir_sock_tx_room(s);
	return room < 0 ? 0 : (uint32_t)RTE_MIN(room, (int64_t)UINT32_MAX);
}

static int
error_of(const struct weir_sock *s, enum weir_asyn kind)
{
	if (kind == WEIR_ASYN_CONNECT)
		return weir_peek(s->connect_error);
	if (kind == WEIR_ASYN_CLOSE)
		return weir_peek(s->close_error);
	return kind == WEIR_ASYN_KEEPALIVEDOWN ? ETIMEDOUT : 0;
}

/* Take the first kind that waits out of the word, or the socket out of the queue. -1: the latter */
static int
take_first(struct weir_sock *s)
{
	uint32_t old = __atomic_load_n(&s->msgs, __ATOMIC_ACQUIRE), new;
	int kind;

	do {
		kind = old & WAITS_ALL ? __builtin_ctz(old) : -1;
		new = kind < 0 ? old & ~IS_QUEUED : old & ~WAITS(kind);
	} while (!__atomic_compare_exchange_n(
		&s->msgs, &old, new, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return kind;
}

bool
weir_msgs_take(struct weir_sock *s, struct weir_msg *m)
{
	int kind;

	while ((kind = take_first(s)) >= 0) {
		if (!is_so(s, (enum weir_asyn)kind)) { /* not any more */
			weir_msgs_rearm(s, (enum weir_asyn)kind);
			continue;
		}
		*m = (struct weir_msg){
			.fd = s->fd,
			.generation = s->generation,
			.event = (enum weir_asyn)kind,
			.error = error_of(s, (enum weir_asyn)kind),
			.bytes = bytes_of(s, (enum weir_asyn)kind),
			.arg = weir_peek(s->cb.arg),
		};
		return true;
	}
	return false;
}
