/* SPDX-License-Identifier: BSD-3-Clause */
/* Applications: what they send is known byte for byte, when and how much at once is chance. */
#include <netinet/tcp.h>

#include "sim.h"

#include "weir.h"

#include <stdio.h>

#define CHUNK_MAX   65536
#define SIZE_MAX_   300000
#define PATIENCE_US (300 * SIM_S)

static uint8_t
pattern(const struct sim_flow *f, enum sim_end end, uint64_t i)
{
	return (uint8_t)(i * 131 + (i >> 8) * 31 + f->port + end);
}

static struct weir_stack *
stack_of(const struct sim *s, const struct sim_app *a)
{
	return s->stack[a->stack].st;
}

static enum sim_end
end_of(const struct sim_flow *f, const struct sim_app *a)
{
	return a == &f->app[SIM_CLIENT] ? SIM_CLIENT : SIM_SERVER;
}

static struct sim_app *
peer_of(struct sim_flow *f, const struct sim_app *a)
{
	return &f->app[end_of(f, a) == SIM_CLIENT ? SIM_SERVER : SIM_CLIENT];
}

/* Set-up */

static void
make_app(struct sim *s, struct sim_flow *f, struct sim_app *a, unsigned int stack)
{
	*a = (struct sim_app){
		.stack = stack,
		.fd = -1,
		.size = sim_chance(s, 20) ? 0 : sim_skewed(s, 1, SIZE_MAX_),
		.pause_us = sim_skewed(s, 300, 30000),
		.chunk = sim_skewed(s, 1, CHUNK_MAX),
		.aborts = sim_chance(s, 4),
		.leaves_early = sim_chance(s, 4),
		.has_callbacks = sim_chance(s, 40),
		.takes_mbufs = sim_chance(s, 50),
		.opens_fast = sim_chance(s, 20),
		.sim = s,
		.flow = f,
	};
}

/* Nobody shall take so long that the other side, having closed, may give up (orphan limits). */
static void
limit_time(struct sim_flow *f)
{
	const uint64_t size = RTE_MAX(f->app[0].size, f->app[1].size);

	for (unsigned int e = 0; e < 2; e++)
		f->app[e].chunk = RTE_MAX(f->app[e].chunk, (uint32_t)(size / 300));
}

static void
listen_for(struct sim *s, struct sim_flow *f)
{
	struct weir_stack *st = stack_of(s, &f->app[SIM_SERVER]);
	const int fast = 4;
	struct sockaddr_storage ss;
	const socklen_t len =
		sim_addr(s, f->cable, f->app[SIM_SERVER].stack, f->domain, f->port, &ss);

	f->listener = weir_socket(st, f->domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
	weir_setsockopt(st, f->listener, IPPROTO_TCP, TCP_FASTOPEN, &fast, sizeof(fast));
	if (f->app[SIM_SERVER].has_callbacks)
		sim_inside_open(&f->app[SIM_SERVER], st, f->listener);
	if (f->listener < 0 || weir_bind(st, f->listener, (struct sockaddr *)&ss, len) != 0 ||
		weir_listen(st, f->listener, 4) != 0)
		sim_break(s, "flow %u: no listener", f->port);
}

void
sim_flows_open(struct sim *s)
{
	s->n_flows = 1 + weir_rand_below(&s->rand, SIM_FLOWS_MAX);
	for (unsigned int i = 0; i < s->n_flows; i++) {
		struct sim_flow *f = &s->flow[i];
		const struct sim_cable *c;
		const unsigned int turn = sim_chance(s, 50);

		memset(f, 0, sizeof(*f));
		f->cable = weir_rand_below(&s->rand, s->n_cables);
		c = &s->cable[f->cable];
		f->domain = sim_chance(s, 50) ? AF_INET : AF_INET6;
		f->port = (uint16_t)(1000 + i);
		f->start_us = sim_now(s) + weir_rand_below(&s->rand, 2000000);
		make_app(s, f, &f->app[SIM_CLIENT], c->stack[turn]);
		make_app(s, f, &f->app[SIM_SERVER], c->stack[!turn]);
		limit_time(f);
		f->may_fail = f->app[0].aborts || f->app[1].aborts || f->app[0].leaves_early ||
			      f->app[1].leaves_early;
		listen_for(s, f);
	}
}

/* Random options, as far as they may be changed at any time. */
static void
set_options(struct sim *s, const struct sim_app *a)
{
	struct weir_stack *st = stack_of(s, a);
	const int on = 1;
	const int size = (int)sim_skewed(s, 30000, 200000);

	if (sim_chance(s, 30))
		weir_setsockopt(st, a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (sim_chance(s, 20))
		weir_setsockopt(st, a->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (sim_chance(s, 20))
		weir_setsockopt(st, a->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (sim_chance(s, 10))
		weir_setsockopt(st, a->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	if (sim_chance(s, 20))
		weir_setsockopt(st, a->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* The end */

static void
finish(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	sim_tell(s, "flow %u %s: closes; sent %lu got %lu error %d", f->port,
		end_of(f, a) == SIM_CLIENT ? "client" : "server", a->sent, a->got, a->error);
	if (a->fd >= 0)
		weir_close(stack_of(s, a), a->fd);
	a->fd = -1;
	a->is_done = true;
	sim_inside_release(a, stack_of(s, a));
}

void
sim_app_fail(struct sim *s, struct sim_flow *f, struct sim_app *a, int error)
{
	a->error = error;
	/* Three questions to the neighbour in a row may be lost; too many may be at work. */
	f->may_fail |= (error == EHOSTUNREACH || error == ENOBUFS) && !a->is_open;
	if (!f->may_fail)
		sim_break(s, "flow %u: error %d though nothing happened to it", f->port, error);
	finish(s, f, a);
}

static void
abort_flow(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	const struct linger now = {.l_onoff = 1};

	weir_setsockopt(stack_of(s, a), a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	finish(s, f, a);
}

/* Acts */

/* How much a sends next; 0: it has sent all. */
static size_t
next_len(struct sim *s, const struct sim_app *a)
{
	return RTE_MIN(a->size - a->sent, (uint64_t)weir_rand_below(&s->rand, a->chunk) + 1);
}

static void
fill(const struct sim_flow *f, const struct sim_app *a, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = pattern(f, end_of(f, a), a->sent + i);
}

/* With its first data, if it may go so soon. */
static int
connect_fast(struct sim *s, struct sim_flow *f, struct sim_app *a,
	const struct sockaddr_storage *ss, socklen_t ss_len)
{
	static uint8_t buf[CHUNK_MAX];
	const size_t len = next_len(s, a);
	ssize_t n;

	fill(f, a, buf, len);
	n = weir_sendto(
		stack_of(s, a), a->fd, buf, len, MSG_FASTOPEN, (const struct sockaddr *)ss, ss_len);
	if (n > 0)
		a->sent += (uint64_t)n;
	return n < 0 ? (int)n : 0;
}

static void
try_connect(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	struct weir_stack *st = stack_of(s, a);
	struct sockaddr_storage ss;
	const socklen_t len =
		sim_addr(s, f->cable, f->app[SIM_SERVER].stack, f->domain, f->port, &ss);
	int error = 0, rc;
	socklen_t elen = sizeof(error);
	struct pollfd p = {.events = POLLOUT};

	if (a->fd < 0) {
		a->fd = weir_socket(st, f->domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
		set_options(s, a);
		if (a->has_callbacks)
			sim_inside_open(a, st, a->fd);
		rc = a->opens_fast ? connect_fast(s, f, a, &ss, len)
				   : weir_connect(st, a->fd, (struct sockaddr *)&ss, len);
		if (rc != -EINPROGRESS && rc != 0)
			sim_app_fail(s, f, a, -rc);
		return;
	}
	p.fd = a->fd;
	if (a->has_callbacks || weir_poll(st, &p, 1, 0) == 0)
		return;
	weir_getsockopt(st, a->fd, SOL_SOCKET, SO_ERROR, &error, &elen);
	if (error != 0)
		sim_app_fail(s, f, a, error);
	else
		a->is_open = true;
}

static void
try_accept(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	const int fd = a->has_callbacks ? -EAGAIN
					: weir_accept(stack_of(s, a), f->listener, NULL, NULL,
						  SOCK_NONBLOCK);

	if (fd == -EAGAIN) {
		if (f->app[SIM_CLIENT].is_done)
			finish(s, f, a); /* nobody will come */
		return;
	}
	if (fd < 0) {
		sim_app_fail(s, f, a, -fd);
		return;
	}
	a->fd = fd;
	a->is_open = true;
	set_options(s, a);
}

/* What a sends next, at most len bytes, in an mbuf. */
static ssize_t
send_mbuf(struct sim *s, struct sim_flow *f, struct sim_app *a, size_t len)
{
	struct rte_mbuf *m = weir_mbuf_alloc(stack_of(s, a), a->fd);
	int rc;

	if (m == NULL)
		return -ENOBUFS;
	len = RTE_MIN(len, (size_t)rte_pktmbuf_tailroom(m));
	fill(f, a, (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len), len);
	rc = weir_send_mbuf(stack_of(s, a), a->fd, m, NULL, 0);
	if (rc < 0)
		weir_mbuf_free(m);
	return rc < 0 ? rc : (ssize_t)len;
}

void
sim_app_send(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	static uint8_t buf[CHUNK_MAX]; /* one thread */
	const size_t len = next_len(s, a);
	ssize_t n;

	if (len == 0) {
		if (!a->has_shut && weir_shutdown(stack_of(s, a), a->fd, SHUT_WR) == 0)
			a->has_shut = true;
		return;
	}
	if (a->takes_mbufs && sim_chance(s, 50)) {
		n = send_mbuf(s, f, a, len);
	} else {
		fill(f, a, buf, len);
		n = weir_send(stack_of(s, a), a->fd, buf, len, sim_chance(s, 10) ? MSG_MORE : 0);
	}
	if (n > 0)
		a->sent += (uint64_t)n;
	else if (n != -EAGAIN && n != -ENOBUFS)
		sim_app_fail(s, f, a, (int)-n);
}

void
sim_app_got(struct sim *s, struct sim_flow *f, struct sim_app *a, const uint8_t *buf, size_t n)
{
	const struct sim_app *peer = peer_of(f, a);

	for (size_t i = 0; i < n; i++) {
		if (buf[i] != pattern(f, end_of(f, peer), a->got + i)) {
			sim_break(s, "flow %u: byte %lu is wrong", f->port, a->got + i);
			return;
		}
	}
	if (a->got + n > peer->sent)
		sim_break(s, "flow %u: more bytes than were sent", f->port);
	a->got += n;
}

void
sim_app_end(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	a->has_eof = true;
	if (!f->may_fail && a->got != peer_of(f, a)->size)
		sim_break(s, "flow %u: the end after %lu of %lu bytes", f->port, a->got,
			peer_of(f, a)->size);
}

static void
try_recv(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	static uint8_t buf[CHUNK_MAX];
	const ssize_t n = weir_recv(
		stack_of(s, a), a->fd, buf, (size_t)weir_rand_below(&s->rand, a->chunk) + 1, 0);

	if (n > 0)
		sim_app_got(s, f, a, buf, (size_t)n);
	else if (n == 0)
		sim_app_end(s, f, a);
	else if (n != -EAGAIN)
		sim_app_fail(s, f, a, (int)-n);
}

/* Who has nothing to do looks less and less often. */
static void
rest(struct sim *s, struct sim_app *a, bool is_idle)
{
	a->idle_us = is_idle ? RTE_MIN(2 * a->idle_us + 100, (uint32_t)SIM_S) : 0;
	a->next_us = sim_now(s) + 1 + a->idle_us + weir_rand_below(&s->rand, a->pause_us);
}

/* Connected: one act. */
static void
go_on(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	/* The other's reset was lost, and nothing of ours is under way: nobody will tell us. */
	if (peer_of(f, a)->is_done && f->may_fail && sim_now(s) > s->calm_us + PATIENCE_US) {
		abort_flow(s, f, a);
		return;
	}
	if (a->aborts && sim_chance(s, 2)) {
		abort_flow(s, f, a);
		return;
	}
	sim_inside_release(a, stack_of(s, a));
	sim_app_send(s, f, a);
	if (!a->is_done && !a->has_eof && !a->has_callbacks)
		try_recv(s, f, a);
	if (!a->is_done && (a->has_shut && (a->has_eof || a->leaves_early)))
		finish(s, f, a);
}

static void
act(struct sim *s, struct sim_flow *f, struct sim_app *a)
{
	if (a->is_open)
		go_on(s, f, a);
	else if (end_of(f, a) == SIM_CLIENT)
		try_connect(s, f, a);
	else
		try_accept(s, f, a);
	rest(s, a, a->sent + a->got == a->before);
	a->before = a->sent + a->got;
}

static bool
is_waiting(const struct sim *s, const struct sim_flow *f, const struct sim_app *a)
{
	return !a->is_done && (end_of(f, a) == SIM_SERVER || sim_now(s) >= f->start_us);
}

void
sim_flows_act(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_flows; i++) {
		struct sim_flow *f = &s->flow[i];

		for (unsigned int e = 0; e < 2; e++) {
			if (is_waiting(s, f, &f->app[e]) && f->app[e].next_us <= sim_now(s))
				act(s, f, &f->app[e]);
		}
		if (f->listener >= 0 && f->app[0].is_done && f->app[1].is_done) {
			weir_close(stack_of(s, &f->app[SIM_SERVER]), f->listener);
			f->listener = -1;
		}
	}
}

uint64_t
sim_flows_next_us(const struct sim *s)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < s->n_flows; i++) {
		const struct sim_flow *f = &s->flow[i];

		for (unsigned int e = 0; e < 2; e++) {
			const uint64_t at = e == SIM_CLIENT
						    ? RTE_MAX(f->start_us, f->app[e].next_us)
						    : f->app[e].next_us;

			if (!f->app[e].is_done)
				next = RTE_MIN(next, at);
		}
	}
	return next;
}

bool
sim_flows_done(const struct sim *s)
{
	for (unsigned int i = 0; i < s->n_flows; i++) {
		if (s->flow[i].listener >= 0) /* closed behind both */
			return false;
	}
	return true;
}

void
sim_flows_end(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_flows; i++) {
		const struct sim_flow *f = &s->flow[i];

		for (unsigned int e = 0; e < 2; e++) {
			const struct sim_app *a = &f->app[e], *peer = &f->app[!e];

			if (!f->may_fail && (a->sent != a->size || a->got != peer->size))
				sim_break(s, "flow %u: end %u sent %lu of %lu, got %lu of %lu",
					f->port, e, a->sent, a->size, a->got, peer->size);
		}
	}
}

void
sim_flows_print(const struct sim *s)
{
	for (unsigned int i = 0; i < 2 * s->n_flows; i++) {
		const struct sim_flow *f = &s->flow[i / 2];
		const struct sim_app *a = &f->app[i % 2];

		if (a->is_done)
			continue;
		printf("flow %u %s: sent %lu of %lu, got %lu of %lu%s%s%s\n", f->port,
			i % 2 == SIM_CLIENT ? "client" : "server", a->sent, a->size, a->got,
			f->app[!(i % 2)].size, a->is_open ? ", open" : "",
			a->has_shut ? ", shut" : "", a->has_eof ? ", end of file" : "");
	}
}
