/* SPDX-License-Identifier: BSD-3-Clause */
/* Connecting sockets and taking them apart again. */
#include <errno.h>

#include "stack_priv.h"
#include "weir_mem.h"

/* TCP_FASTOPEN_CONNECT: the SYN may wait for data. */
static int
tcp_connect_on(struct weir_worker *w, void *arg)
{
	struct weir_sock *s = arg;
	const int rc = weir_sock_tcp_connect(&w->sock, s);

	if (rc == 0 && weir_peek(s->opts.is_fo_connect) &&
		weir_tcp_fastopen_defer(&w->tcp, s->tcp.conn))
		weir_sock_set(s, WEIR_SOCK_DEFERRED);
	return rc;
}

static int
tcp_open_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_open(&w->sock, arg);
}

struct move {
	struct weir_sock *s;
	uint16_t home;
};

/* On the worker that was home, so that it is not at work for s just now. */
static int
move_on(struct weir_worker *w, void *arg)
{
	const struct move *m = arg;

	weir_poke(m->s->home, m->home);
	return 0;
}

static int
move_home(struct weir_stack *st, struct weir_sock *s, uint16_t home)
{
	struct move m = {s, home};

	return s->home == home ? 0 : weir_on_worker(st, s->home, move_on, &m);
}

struct route_query {
	struct weir_addr dst;
	int ifindex;
	struct weir_addr src; /* out */
};

static int
route_on(struct weir_worker *w, void *arg)
{
	struct route_query *q = arg;
	struct weir_dst dst;
	const int rc = weir_ip_route(&w->ip, &q->dst, q->ifindex, &dst);

	if (rc == 0)
		q->src = dst.src;
	return rc;
}

/* With a bound port only one worker gets the return traffic. */
static int
choose_home(struct weir_stack *st, const struct weir_sock *s, struct weir_flow flow)
{
	struct route_query q = {.dst = flow.raddr, .ifindex = weir_sock_iface(s)};
	int rc;

	if (st->n_workers == 1 || flow.lport.raw == 0)
		return s->home;
	if (weir_addr_is_any(&flow.laddr)) {
		rc = weir_on_worker(st, s->home, route_on, &q);
		if (rc != 0)
			return rc;
		flow.laddr = q.src;
	}
	return weir_steer_worker(&st->steer, &flow);
}

static bool
is_connect_done(const struct weir_sock *s)
{
	return !(weir_sock_flags(s) & WEIR_SOCK_CONNECTING);
}

/* As bound by hand, or not at all: what connect chose is given up. */
static void
reset_flow(struct weir_sock *s)
{
	const bool is_v4 = s->domain == AF_INET;
	struct weir_flow flow = {0};

	flow.laddr = is_v4 ? weir_addr_v4(weir_be32(INADDR_ANY)) : flow.laddr;
	flow.raddr = flow.laddr;
	if (s->bind != NULL) {
		flow.laddr = s->bind->laddr;
		flow.lport = weir_be16(s->bind->port);
	}
	weir_sock_set_flow(s, &flow);
}

static int
tcp_disconnect_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_disconnect(&w->sock, arg);
}

static int
tcp_shut_attempt_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_shut_attempt(&w->sock, arg);
}

static int
unlisten_on(struct weir_worker *w, void *arg)
{
	weir_sock_leave_one(&w->sock, arg);
	return 0;
}

/* A listener becomes a plain socket again, which keeps its port. */
static int
stop_listening(struct weir_stack *st, struct weir_sock *s)
{
	int rc;

	if (weir_worker_self() != NULL && weir_stack_is_running(st) && st->n_workers > 1)
		return -EWOULDBLOCK; /* other workers could not be waited for */
	rc = weir_on_all(st, unlisten_on, s);
	if (rc != 0)
		return rc;
	weir_sock_clear(s, WEIR_SOCK_LISTENING | WEIR_SOCK_RX_SHUT | WEIR_SOCK_TX_SHUT);
	weir_mem_free(s->listeners);
	s->listeners = NULL;
	weir_lock(&s->recv_lock);
	weir_sock_abort_unaccepted(s);
	__atomic_store_n(&s->n_accept, 0, __ATOMIC_RELAXED);
	weir_unlock(&s->recv_lock);
	weir_sock_notify(s);
	return 0;
}

static int
disconnect_by(struct weir_stack *st, struct weir_sock *s, int (*fn)(struct weir_worker *, void *))
{
	int rc;

	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return stop_listening(st, s);
	rc = weir_on_worker(st, weir_sock_home(s), fn, s);
	if (rc != 0)
		return rc;
	weir_sock_purge(s);
	reset_flow(s);
	return 0;
}

int
weir_disconnect_tcp(struct weir_stack *st, struct weir_sock *s)
{
	return disconnect_by(st, s, tcp_disconnect_on);
}

int
weir_shut_attempt(struct weir_stack *st, struct weir_sock *s)
{
	return disconnect_by(st, s, tcp_shut_attempt_on);
}

/*
 * How the connect under way ended, for the first call that asks: 0, or a negative errno after which
 * the socket can be used to connect again.
 */
static int
finish_connect(struct weir_stack *st, struct weir_sock *s)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	if (!(weir_sock_flags(s) & WEIR_SOCK_CONNECT_DUE)) {
		rc = -EISCONN; /* another thread has fetched it */
	} else if (weir_sock_flags(s) & WEIR_SOCK_OVER) {
		rc = weir_take_error(s);
		rc = rc == 0 ? -ECONNABORTED : -rc;
		weir_disconnect_tcp(st, s);
	} else {
		weir_sock_clear(s, WEIR_SOCK_CONNECT_DUE);
	}
	weir_ctl_leave(st, s);
	return rc;
}

static int
wait_connected(struct weir_stack *st, struct weir_sock *s, int if_not_yet)
{
	int rc;

	if (!is_connect_done(s)) {
		if (weir_is_nonblock(st, s, 0))
			return if_not_yet;
		rc = weir_wait(st, s, is_connect_done, weir_deadline_us(weir_peek(s->sndtimeo_ms)));
		if (rc != 0)
			return rc == -EAGAIN ? if_not_yet : rc;
	}
	return finish_connect(st, s);
}

/* o: with data on the SYN; NULL: without */
static int
start_on_home(struct weir_stack *st, struct weir_sock *s, const struct weir_flow *flow,
	struct weir_sock_open *o)
{
	const int home = choose_home(st, s, *flow);
	int rc;

	if (home < 0)
		return home;
	rc = move_home(st, s, (uint16_t)home);
	if (rc == 0 && o != NULL)
		rc = weir_on_worker(st, (unsigned int)home, tcp_open_on, o);
	else if (rc == 0)
		rc = weir_on_worker(st, (unsigned int)home, tcp_connect_on, s);
	return rc;
}

/* Under way at once, or why not; -EALREADY: a connect has begun before. */
static int
start_tcp(struct weir_stack *st, struct weir_sock *s, const struct weir_name *peer,
	struct weir_sock_open *o)
{
	const uint32_t flags = weir_sock_flags(s);
	const int before = weir_sock_iface(s);
	struct weir_flow flow;
	int rc;

	if (flags & WEIR_SOCK_CONNECT_DUE)
		return -EALREADY;
	if (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_LISTENING))
		return -EISCONN;
	if (peer->port.raw == 0 || weir_addr_is_any(&peer->addr))
		return -ECONNREFUSED;
	if (weir_addr_is_multicast(&peer->addr) || weir_addr_is_broadcast(&peer->addr))
		return -ENETUNREACH;
	rc = weir_scope_connect(st, s, peer);
	if (rc != 0)
		return rc;
	__atomic_store_n(&s->error, 0, __ATOMIC_RELAXED); /* of an attempt before */
	reset_flow(s);
	flow = s->flow;
	flow.raddr = peer->addr;
	flow.rport = peer->port;
	weir_sock_set_flow(s, &flow);
	rc = start_on_home(st, s, &flow, o);
	if (rc != 0) {
		reset_flow(s);
		weir_set_iface(s, before);
	}
	return rc;
}

/* Before the address is looked at: a socket that is in use says so. */
static int
check_free(const struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);

	if (s->kind != WEIR_SOCK_TCP || (flags & WEIR_SOCK_CONNECT_DUE))
		return 0;
	return flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_LISTENING) ? -EISCONN : 0;
}

static int
connect_tcp(struct weir_stack *st, struct weir_sock *s, const struct weir_name *peer)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	if (weir_sock_flags(s) & WEIR_SOCK_DEFERRED)
		rc = -EISCONN;
	else
		rc = start_tcp(st, s, peer, NULL);
	weir_ctl_leave(st, s);
	if (rc == 0 && (weir_sock_flags(s) & WEIR_SOCK_DEFERRED))
		return 0; /* the first write connects */
	if (rc == 0)
		return wait_connected(st, s, -EINPROGRESS);
	return rc == -EALREADY ? wait_connected(st, s, -EALREADY) : rc;
}

/* Under the control of s. */
static int
open_tcp(struct weir_stack *st, struct weir_sock_open *o, const struct weir_name *peer)
{
	if (weir_sock_flags(o->s) & WEIR_SOCK_DEFERRED)
		return weir_on_worker(st, weir_sock_home(o->s), tcp_open_on, o);
	return peer == NULL ? -EINVAL : start_tcp(st, o->s, peer, o);
}

int
weir_connect_with(struct weir_stack *st, struct weir_sock_open *o, const struct weir_name *peer)
{
	int rc = weir_ctl_enter(o->s);

	if (rc != 0)
		return rc;
	rc = open_tcp(st, o, peer);
	weir_ctl_leave(st, o->s);
	return rc;
}

int
weir_connect_wait(struct weir_stack *st, struct weir_sock *s, int if_not_yet)
{
	return wait_connected(st, s, if_not_yet);
}

static int
connect_datagram(struct weir_stack *st, struct weir_sock *s, const struct weir_name *peer)
{
	struct route_query q = {.dst = peer->addr, .ifindex = weir_sending_iface(s, &peer->addr)};
	struct weir_flow flow = s->flow;
	int rc = weir_on_worker(st, s->home, route_on, &q);

	if (rc != 0)
		return rc;
	flow.raddr = peer->addr;
	flow.rport = peer->port;
	if (weir_addr_is_any(&flow.laddr) || weir_addr_is_multicast(&flow.laddr))
		flow.laddr = q.src;
	weir_sock_set_flow(s, &flow);
	if (s->kind == WEIR_SOCK_RAW) {
		rc = weir_enter_tables(st, s);
	} else if (weir_sock_flags(s) & WEIR_SOCK_BOUND) {
		weir_bind_narrow(&st->socks, s, &flow.laddr);
		rc = weir_enter_tables(st, s);
	} else {
		rc = weir_bind_sock(st, s, &flow.laddr, weir_be16(0));
	}
	if (rc == 0)
		weir_sock_set(s, WEIR_SOCK_CONNECTED);
	return rc;
}

/* connect() to AF_UNSPEC: no peer any more. */
static int
disconnect_datagram(struct weir_stack *st, struct weir_sock *s)
{
	struct weir_flow flow = s->flow;

	memset(&flow.raddr, 0, sizeof(flow.raddr));
	if (s->domain == AF_INET)
		flow.raddr = weir_addr_v4(weir_be32(INADDR_ANY));
	flow.rport = weir_be16(0);
	weir_sock_clear(s, WEIR_SOCK_CONNECTED);
	weir_set_iface(s, -1); /* as Linux, however it came to be bound to one */
	weir_sock_set_flow(s, &flow);
	return (weir_sock_flags(s) & WEIR_SOCK_BOUND) || s->kind == WEIR_SOCK_RAW
		       ? weir_enter_tables(st, s)
		       : 0;
}

static int
disconnect(struct weir_stack *st, struct weir_sock *s)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	rc = weir_sock_is_dgram(s) ? disconnect_datagram(st, s) : weir_disconnect_tcp(st, s);
	weir_ctl_leave(st, s);
	return rc;
}

static int
change_peer(struct weir_stack *st, struct weir_sock *s, const struct weir_name *peer)
{
	int rc = weir_ctl_enter(s);
	int before;

	if (rc != 0)
		return rc;
	before = weir_sock_iface(s);
	rc = weir_scope_connect(st, s, peer);
	if (rc == 0)
		rc = connect_datagram(st, s, peer);
	if (rc != 0)
		weir_set_iface(s, before);
	weir_ctl_leave(st, s);
	return rc;
}

static int
connect_sock(struct weir_stack *st, struct weir_sock *s, const struct sockaddr *sa, socklen_t len)
{
	struct weir_name peer;
	int rc;

	if (sa == NULL)
		return -EFAULT;
	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	if (sa->sa_family == AF_UNSPEC)
		return disconnect(st, s);
	rc = check_free(s);
	if (rc == 0)
		rc = weir_name_in(s, sa, len, &peer);
	if (rc != 0)
		return rc;
	if (weir_sock_has(s, WEIR_SW_V6ONLY) && weir_addr_is_v4(&peer.addr))
		return -ENETUNREACH;
	return s->kind == WEIR_SOCK_TCP ? connect_tcp(st, s, &peer) : change_peer(st, s, &peer);
}

int
weir_connect(struct weir_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = connect_sock(st, s, addr, len);
	weir_sock_unref(s);
	return rc;
}
