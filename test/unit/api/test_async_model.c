/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asynchronous sockets against a model of the rules in weir_async.h: applications on two stacks do
 * what a seed says, messages are taken sooner or later, few or many at once, the link comes and
 * goes. Each message must be allowed by what the application saw and did before (check_msg), and
 * whenever the network is at rest none may be missing (check_none_lost). Worlds in all:
 * WEIR_ASYNC_WORLDS, or 60.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "pair.h"
#include "weir_queue.h"
#include "weir_rand.h"

#define N_SOCKS 24
#define N_ACTS	600 /* of a world */
#define PORT	80
#define NO_PORT 81 /* nobody is there */

enum role { FREE, CLIENT, CHILD, LISTENER, DATAGRAM };

/* What the application knows of a socket. */
struct known {
	enum role role;
	unsigned int side; /* whose: stack and queues */
	int fd;
	uint32_t generation;
	bool is_connecting; /* connect has returned -EINPROGRESS; CONNECT is to come */
	bool is_up;	    /* CONNECT came without an error, or accepted */
	bool read_told;	    /* and no receive, or accept, has said -EAGAIN since */
	bool write_asked;   /* a send could not take all; no WRITE since */
	bool peer_closed, keepalive_down, is_over; /* told */
	bool is_closed;				   /* by us */
};

struct world {
	struct pair p;
	struct weir_stack *st[2];
	struct weir_queue *q[2][2];
	struct known known[N_SOCKS];
	struct weir_rand rand;
	bool is_up; /* the link */
	uint64_t seed;
	unsigned int act;
	unsigned int n_told[WEIR_ASYN_KINDS];
};

static unsigned int
roll(struct world *w, unsigned int n)
{
	return weir_rand_below(&w->rand, n);
}

static void
expect(const struct world *w, bool is_right, const struct known *k, const char *what)
{
	if (is_right)
		return;
	printf("seed %lu, act %u, side %u, fd %d: %s\n", (unsigned long)w->seed, w->act, k->side,
		k->fd, what);
	CU_FAIL("a rule is broken");
}

/* ---- the model ---- */

/* As after weir_socket(): what was told is of the past. */
static void
begin(struct known *k)
{
	*k = (struct known){
		.role = k->role, .side = k->side, .fd = k->fd, .generation = k->generation};
}

static void
check_read(struct world *w, struct known *k)
{
	char byte;

	expect(w, !k->read_told, k, "READ or ACCEPT twice");
	k->read_told = true;
	if (k->role != LISTENER)
		expect(w, weir_recv(w->st[k->side], k->fd, &byte, 1, MSG_PEEK) != -EAGAIN, k,
			"READ, but there is nothing");
}

static void
check_connect(struct world *w, struct known *k, int error)
{
	expect(w, k->is_connecting, k, "CONNECT without connect, or twice");
	k->is_connecting = false;
	k->is_up = error == 0;
}

static void
check_write(struct world *w, struct known *k)
{
	expect(w, k->is_up || k->role == DATAGRAM, k, "WRITE before CONNECT");
	expect(w, k->write_asked, k, "WRITE that nobody asked for");
	k->write_asked = false;
}

static void
check_close(struct world *w, struct known *k)
{
	expect(w, k->is_closed || !k->is_connecting, k, "CLOSE before CONNECT");
	k->is_over = true;
	if (k->is_closed)
		k->role = FREE;
}

static void
check_msg(struct world *w, const struct weir_msg *m)
{
	struct known *k = m->arg;

	w->n_told[m->event]++;
	expect(w, k->role != FREE && k->fd == m->fd && k->generation == m->generation, k,
		"a message of a socket that is gone");
	expect(w, !k->is_over, k, "a message behind CLOSE");
	expect(w, !k->is_closed || m->event == WEIR_ASYN_CLOSE, k, "closed, and more than CLOSE");
	expect(w, !k->keepalive_down || m->event == WEIR_ASYN_CLOSE, k, "KEEPALIVEDOWN, no CLOSE");
	expect(w, weir_msg_is_current(w->q[k->side][0], m) != k->is_closed, k, "current or not");
	switch (m->event) {
	case WEIR_ASYN_CONNECT:
		check_connect(w, k, m->error);
		break;
	case WEIR_ASYN_ACCEPT:
	case WEIR_ASYN_READ:
		expect(w, (m->event == WEIR_ASYN_ACCEPT) == (k->role == LISTENER), k, "kind");
		check_read(w, k);
		break;
	case WEIR_ASYN_WRITE:
		check_write(w, k);
		break;
	case WEIR_ASYN_PEERCLOSE:
		expect(w, k->is_up && !k->peer_closed, k, "PEERCLOSE twice, or not connected");
		k->peer_closed = true;
		break;
	case WEIR_ASYN_KEEPALIVEDOWN:
		expect(w, k->is_up && m->error == ETIMEDOUT, k, "KEEPALIVEDOWN");
		k->keepalive_down = true;
		break;
	case WEIR_ASYN_CLOSE:
		check_close(w, k);
		break;
	}
}

/* All messages have been taken: what the socket is now must have been told. */
static void
check_none_lost(struct world *w, const struct known *k)
{
	struct weir_sock *s = weir_fd_get(&w->st[k->side]->socks, k->fd);
	const uint32_t flags = s == NULL ? 0 : weir_sock_flags(s);

	expect(w, !k->is_closed, k, "no CLOSE after close");
	if (s == NULL)
		return;
	if (k->role == LISTENER)
		expect(w, s->n_accept == 0 || k->read_told, k, "ACCEPT lost");
	else if (weir_sock_has_data(s) || (k->role == DATAGRAM && s->error != 0))
		expect(w, k->read_told, k, "READ lost");
	if (k->is_up && !k->is_over && k->write_asked && !(flags & WEIR_SOCK_TX_SHUT))
		expect(w, !(weir_sock_poll(s) & POLLOUT), k, "WRITE lost");
	if (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_OVER))
		expect(w, !k->is_connecting, k, "CONNECT lost");
	expect(w, !(flags & WEIR_SOCK_RX_FIN) || k->peer_closed, k, "PEERCLOSE lost");
	expect(w, !(flags & WEIR_SOCK_OVER) || k->is_over, k, "CLOSE lost");
	weir_sock_unref(s);
}

/* ---- the world ---- */

static unsigned int
take(struct world *w, struct weir_queue *q, unsigned int n)
{
	struct weir_msg m[16];
	const unsigned int taken = weir_queue_get(q, m, n);

	for (unsigned int i = 0; i < taken; i++)
		check_msg(w, &m[i]);
	return taken;
}

static void
take_all(struct world *w)
{
	for (unsigned int i = 0; i < 4; i++)
		while (take(w, w->q[i / 2][i % 2], 16) > 0) {
		}
}

static void
pass(struct world *w, uint64_t us)
{
	pair_pass(&w->p, us);
}

static void
settle(struct world *w)
{
	pass(w, 20000);
	take_all(w);
	for (unsigned int i = 0; i < N_SOCKS; i++)
		if (w->known[i].role != FREE)
			check_none_lost(w, &w->known[i]);
}

static struct known *
find_role(struct world *w, enum role role, unsigned int side)
{
	const unsigned int first = roll(w, N_SOCKS);

	for (unsigned int i = 0; i < N_SOCKS; i++) {
		struct known *k = &w->known[(first + i) % N_SOCKS];

		if (k->role == role && (role == FREE || (k->side == side && !k->is_closed)))
			return k;
	}
	return NULL;
}

/* Any of ours that is open, but the listeners; NULL: there is none just here. */
static struct known *
pick(struct world *w)
{
	struct known *k = &w->known[roll(w, N_SOCKS)];

	return k->role == FREE || k->role == LISTENER || k->is_closed ? NULL : k;
}

static void
note(struct world *w, struct known *k, enum role role, unsigned int side, int fd)
{
	const int small = 10000; /* buffers that fill up */
	struct weir_sock *s = weir_fd_get(&w->st[side]->socks, fd);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	weir_setsockopt(w->st[side], fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	weir_setsockopt(w->st[side], fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	*k = (struct known){.role = role, .side = side, .fd = fd, .generation = s->generation};
	weir_sock_unref(s);
}

static struct known *
new_socket(struct world *w, enum role role, unsigned int side)
{
	struct known *k = find_role(w, FREE, 0);
	int fd;

	if (k == NULL)
		return NULL;
	fd = weir_socket(w->st[side], AF_INET, role == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM, 0);
	note(w, k, role, side, fd);
	CU_ASSERT_EQUAL(weir_set_async(w->st[side], fd, w->q[side][roll(w, 2)], k), 0);
	return k;
}

static int
call_addr(struct world *w, const struct known *k,
	int (*fn)(struct weir_stack *, int, const struct sockaddr *, socklen_t), unsigned int side,
	uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr("ab"[side], AF_INET, port, &ss);

	return fn(w->st[k->side], k->fd, (struct sockaddr *)&ss, len);
}

/* ---- what applications do ---- */

static void
connect_stream(struct world *w, struct known *k)
{
	const int rc = call_addr(w, k, weir_connect, !k->side, roll(w, 4) == 0 ? NO_PORT : PORT);

	if (rc == 0 || rc == -EALREADY || rc == -EISCONN)
		return;
	begin(k); /* a new attempt, or the end of the one before has been told by this call */
	k->is_connecting = rc == -EINPROGRESS;
}

static void
act_connect(struct world *w)
{
	struct known *k = roll(w, 3) == 0 ? find_role(w, CLIENT, roll(w, 2)) : NULL;

	if (k == NULL)
		k = new_socket(w, CLIENT, roll(w, 2));
	if (k != NULL)
		connect_stream(w, k);
}

static void
act_datagram(struct world *w)
{
	struct known *k = new_socket(w, DATAGRAM, roll(w, 2));

	if (k == NULL)
		return;
	call_addr(w, k, weir_bind, k->side, (uint16_t)(5000 + roll(w, 8)));
	call_addr(w, k, weir_connect, !k->side, (uint16_t)(5000 + roll(w, 8)));
}

static void
act_accept(struct world *w)
{
	struct known *l = find_role(w, LISTENER, roll(w, 2));

	while (l != NULL) {
		struct known *k = find_role(w, FREE, 0);
		int fd;

		if (k == NULL)
			return;
		fd = weir_accept(w->st[l->side], l->fd, NULL, NULL, 0);
		if (fd < 0) {
			expect(w, fd == -EAGAIN, l, "accept");
			l->read_told = false;
			return;
		}
		note(w, k, CHILD, l->side, fd);
		k->is_up = true;
		weir_set_arg(w->st[l->side], fd, k);
		if (roll(w, 2))
			return;
	}
}

/* Has the handshake been done, whether we know it or not? */
static bool
is_connected(struct world *w, const struct known *k)
{
	struct weir_sock *s = weir_fd_get(&w->st[k->side]->socks, k->fd);
	const uint32_t flags = weir_sock_flags(s);

	weir_sock_unref(s);
	return k->role == DATAGRAM || (flags & WEIR_SOCK_CONNECTED);
}

static void
act_send(struct world *w, struct known *k)
{
	static const char data[100000];
	const size_t len = roll(w, 4) == 0 ? sizeof(data) : roll(w, 1400);
	const ssize_t n = weir_send(w->st[k->side], k->fd, data, len, 0);

	if (n == -EAGAIN || n == -ENOBUFS || (n > 0 && (size_t)n < len))
		k->write_asked = is_connected(w, k);
}

static void
act_recv(struct world *w, struct known *k)
{
	static char data[200000];
	unsigned int n = 1 + roll(w, 3) * 20;
	ssize_t rc = 1;

	while (rc > 0 && n-- > 0) {
		rc = weir_recv(w->st[k->side], k->fd, data, 1 + roll(w, sizeof(data)), 0);
		if (rc == -EAGAIN)
			k->read_told = false;
	}
}

static void
act_close(struct world *w, struct known *k)
{
	const struct linger at_once = {1, 0};

	if (roll(w, 2))
		weir_setsockopt(
			w->st[k->side], k->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	CU_ASSERT_EQUAL(weir_close(w->st[k->side], k->fd), 0);
	k->is_closed = true;
	if (k->is_over)
		k->role = FREE; /* its CLOSE has come */
}

static void
act_disconnect(struct world *w, struct known *k)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (k->role == CLIENT && weir_connect(w->st[k->side], k->fd, &none, sizeof(none)) == 0)
		begin(k);
}

static void
act_keepalive(struct world *w, struct known *k)
{
	static const int names[] = {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT};
	const int one = 1;

	for (unsigned int i = 0; i < RTE_DIM(names); i++)
		weir_setsockopt(w->st[k->side], k->fd, IPPROTO_TCP, names[i], &one, sizeof(one));
	weir_setsockopt(w->st[k->side], k->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static void
act_link(struct world *w)
{
	w->is_up = !w->is_up || roll(w, 4) != 0;
	for (unsigned int end = 0; end < 2; end++)
		weir_cable_set(w->p.cable, end,
			&(struct weir_impair){.loss_ppm = w->is_up ? 20000 : 1000000});
	if (roll(w, 4) == 0)
		pass(w, 1000000 + roll(w, 4000000));
}

static void
act_on_socket(struct world *w, unsigned int what)
{
	struct known *k = pick(w);

	if (k == NULL)
		return;
	if (what < 30)
		act_send(w, k);
	else if (what < 60)
		act_recv(w, k);
	else if (what < 66)
		weir_shutdown(w->st[k->side], k->fd, SHUT_WR);
	else if (what < 74)
		act_close(w, k);
	else if (what < 76)
		act_disconnect(w, k);
	else
		act_keepalive(w, k);
}

static void
act(struct world *w)
{
	const unsigned int what = roll(w, 200);

	if (what < 10)
		act_connect(w);
	else if (what < 14)
		act_datagram(w);
	else if (what < 24)
		act_accept(w);
	else if (what < 26)
		act_link(w);
	else if (what < 30)
		settle(w);
	else if (what < 70)
		take(w, w->q[roll(w, 2)][roll(w, 2)], 1 + roll(w, 4));
	else if (what < 120)
		for (unsigned int i = roll(w, 10); i > 0; i--)
			pair_step(&w->p);
	else
		act_on_socket(w, what - 120);
}

static void
open_world(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->is_up = true;
	weir_rand_seed(&w->rand, seed);
	pair_open(&w->p, &(struct pair_conf){.seed = seed, .workers = 1 + seed % 2});
	w->st[0] = w->p.a;
	w->st[1] = w->p.b;
	for (unsigned int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(weir_queue_new(w->st[i / 2], &w->q[i / 2][i % 2]), 0);
	for (unsigned int side = 0; side < 2; side++) {
		struct known *k = new_socket(w, LISTENER, side);

		CU_ASSERT_EQUAL(call_addr(w, k, weir_bind, side, PORT), 0);
		CU_ASSERT_EQUAL(weir_listen(w->st[side], k->fd, 4), 0);
	}
}

static void
close_world(struct world *w)
{
	for (unsigned int i = 0; i < N_SOCKS; i++)
		if (w->known[i].role != FREE && !w->known[i].is_closed)
			act_close(w, &w->known[i]);
	weir_cable_set(w->p.cable, 0, &(struct weir_impair){0});
	weir_cable_set(w->p.cable, 1, &(struct weir_impair){0});
	settle(w);
	for (unsigned int i = 0; i < N_SOCKS; i++)
		expect(w, w->known[i].role == FREE, &w->known[i], "no CLOSE at the end");
	for (unsigned int i = 0; i < 4; i++)
		weir_queue_free(w->q[i / 2][i % 2]);
	pass(w, 300000000);
	pair_close(&w->p);
}

static void
messages_keep_to_the_rules_whatever_happens(void)
{
	const char *text = getenv("WEIR_ASYNC_WORLDS");
	const uint64_t worlds = text == NULL ? 60 : strtoull(text, NULL, 10);
	unsigned int n_told[WEIR_ASYN_KINDS] = {0};
	struct world w;

	for (uint64_t seed = 1; seed <= worlds; seed++) {
		open_world(&w, seed);
		for (w.act = 0; w.act < N_ACTS; w.act++)
			act(&w);
		close_world(&w);
		for (unsigned int i = 0; i < WEIR_ASYN_KINDS; i++)
			n_told[i] += w.n_told[i];
	}
	for (unsigned int i = 0; i < WEIR_ASYN_KINDS; i++) {
		printf("%u ", n_told[i]);
		CU_ASSERT(n_told[i] > 0);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(messages_keep_to_the_rules_whatever_happens),
		{0},
	};

	return unit_main("api_async_model", tests, true);
}
