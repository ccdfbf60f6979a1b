/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, naming, opening and closing sockets. */
#include <errno.h>

#include "stack_priv.h"
#include "weir_mem.h"

static int
kind_of(int type, int protocol)
{
	if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
		return WEIR_SOCK_TCP;
	if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
		return WEIR_SOCK_UDP;
	return -EPROTONOSUPPORT;
}

int
weir_socket(struct weir_stack *st, int domain, int type, int protocol)
{
	const int kind = kind_of(type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
	const struct weir_worker *self = weir_worker_self();
	struct weir_sock *s;
	int fd;

	if (st == NULL)
		return -EFAULT;
	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (kind < 0)
		return kind;
	s = weir_sock_new(&st->socks, kind, domain);
	if (s == NULL)
		return -ENFILE;
	s->is_nonblock = (type & SOCK_NONBLOCK) != 0;
	if (self != NULL && self->sock.socks == &st->socks)
		s->home = self->index; /* made in a callback: its calls are to act at once */
	fd = weir_fd_open(&st->socks, s);
	weir_sock_unref(s); /* the descriptor has its own, or there is none */
	return fd;
}

/* Address checks and what needs the descriptor's socket: the frame of most calls below. */

static int
is_local(struct weir_worker *w, void *arg)
{
	return weir_ip_is_local(&w->ip, arg, NULL) ? 0 : -EADDRNOTAVAIL;
}

static int
udp_bind_on(struct weir_worker *w, void *arg)
{
	return weir_sock_udp_bind(&w->sock, arg);
}

static int
enter_udp(struct weir_stack *st, struct weir_sock *s)
{
	if (s->pcbs == NULL)
		s->pcbs = weir_mem_alloc(
			"weir_pcbs", sizeof(s->pcbs[0]) * st->n_workers, SOCKET_ID_ANY);
	return s->pcbs == NULL ? -ENOBUFS : weir_on_all(st, udp_bind_on, s);
}

int
weir_bind_sock(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *laddr,
	struct weir_be16 port)
{
	struct weir_flow flow = s->flow;
	int rc;

	if (s->bind != NULL)
		return -EINVAL; /* half bound: some worker had no room for it */
	rc = weir_bind_add(&st->socks, s, laddr, &port);
	if (rc != 0)
		return rc;
	flow.laddr = *laddr;
	flow.lport = port;
	weir_sock_set_flow(s, &flow);
	rc = s->kind == WEIR_SOCK_UDP ? enter_udp(st, s) : 0;
	if (rc == 0)
		weir_sock_set(s, WEIR_SOCK_BOUND);
	return rc;
}

int
weir_bind_auto(struct weir_stack *st, struct weir_sock *s)
{
	int rc;

	if (weir_sock_flags(s) & WEIR_SOCK_BOUND)
		return 0;
	rc = weir_ctl_enter(s);
	if (rc != 0)
		return rc;
	if (!(weir_sock_flags(s) & WEIR_SOCK_BOUND))
		rc = weir_bind_sock(st, s, &s->flow.laddr, weir_be16(0));
	weir_ctl_leave(st, s);
	return rc;
}

static int
bind_sock(struct weir_stack *st, struct weir_sock *s, struct weir_addr addr, struct weir_be16 port)
{
	int rc;

	if (weir_sock_flags(s) & (WEIR_SOCK_BOUND | WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING))
		return -EINVAL;
	if (weir_peek(s->is_v6only) && weir_addr_is_v4(&addr))
		return -EINVAL;
	if (!weir_addr_is_any(&addr)) {
		rc = weir_on_worker(st, weir_sock_home(s), is_local, &addr);
		if (rc != 0)
			return rc;
	}
	return weir_bind_sock(st, s, &addr, port);
}

static int
check_and_bind(struct weir_stack *st, struct weir_sock *s, const struct sockaddr *sa, socklen_t len)
{
	struct weir_addr addr;
	struct weir_be16 port;
	int rc = weir_sock_addr_in(s->domain, sa, len, &addr, &port);

	if (rc == 0)
		rc = weir_ctl_enter(s);
	if (rc != 0)
		return rc;
	rc = bind_sock(st, s, addr, port);
	weir_ctl_leave(st, s);
	return rc;
}

int
weir_bind(struct weir_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = check_and_bind(st, s, addr, len);
	weir_sock_unref(s);
	return rc;
}

static int
listen_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_listen(&w->sock, arg);
}

static int
become_listener(struct weir_stack *st, struct weir_sock *s)
{
	int rc;

	s->listeners = weir_mem_alloc(
		"weir_listeners", sizeof(s->listeners[0]) * st->n_workers, SOCKET_ID_ANY);
	if (s->listeners == NULL)
		return -ENOBUFS;
	rc = weir_bind_listen(&st->socks, s);
	if (rc != 0) {
		weir_mem_free(s->listeners);
		s->listeners = NULL;
	}
	return rc;
}

static int
listen_sock(struct weir_stack *st, struct weir_sock *s, int backlog)
{
	const uint32_t flags = weir_sock_flags(s);
	int rc = 0;

	if (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_OVER))
		return -EINVAL;
	weir_poke(s->backlog, (uint32_t)RTE_MAX(backlog, 0));
	if (!(flags & WEIR_SOCK_BOUND))
		rc = weir_bind_sock(st, s, &s->flow.laddr, weir_be16(0));
	if (rc == 0 && !(flags & WEIR_SOCK_LISTENING))
		rc = become_listener(st, s);
	return rc == 0 ? weir_on_all(st, listen_on, s) : rc;
}

int
weir_listen(struct weir_stack *st, int fd, int backlog)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = s->kind == WEIR_SOCK_TCP ? weir_ctl_enter(s) : -EOPNOTSUPP;
	if (rc == 0) {
		rc = listen_sock(st, s, backlog);
		weir_ctl_leave(st, s);
	}
	weir_sock_unref(s);
	return rc;
}

void
weir_addr_copy_out(int domain, const struct weir_addr *addr, struct weir_be16 port,
	struct sockaddr *to, socklen_t *len)
{
	struct sockaddr_in6 in6;
	const socklen_t real = weir_sock_addr_out(domain, addr, port, 0, &in6);

	memcpy(to, &in6, RTE_MIN(real, *len));
	*len = real;
}

static bool
may_accept(const struct weir_sock *s)
{
	return __atomic_load_n(&s->n_accept, __ATOMIC_ACQUIRE) != 0;
}

static struct weir_sock *
pop_child(struct weir_sock *s)
{
	struct weir_qnode *n;

	weir_lock(&s->recv_lock);
	n = may_accept(s) ? weir_mpsc_pop(&s->acceptq) : NULL;
	if (n != NULL)
		__atomic_fetch_sub(&s->n_accept, 1, __ATOMIC_RELAXED);
	weir_unlock(&s->recv_lock);
	return n == NULL ? NULL : RTE_PTR_SUB(n, offsetof(struct weir_sock, accept_node));
}

/* No descriptor for it: back into the queue, so that the peer does not suffer. */
static void
push_child_back(struct weir_sock *s, struct weir_sock *child)
{
	weir_mpsc_push(&s->acceptq, &child->accept_node);
	__atomic_fetch_add(&s->n_accept, 1, __ATOMIC_RELEASE);
	weir_sock_notify(s); /* for a thread that has found the queue empty meanwhile */
}

static int
accept_sock(struct weir_stack *st, struct weir_sock *s, struct sockaddr *addr, socklen_t *len,
	int flags)
{
	const uint64_t deadline = weir_deadline_us(weir_peek(s->rcvtimeo_ms));
	struct weir_sock *child;
	int fd, rc;

	if (s->kind != WEIR_SOCK_TCP)
		return -EOPNOTSUPP;
	if (!(weir_sock_flags(s) & WEIR_SOCK_LISTENING))
		return -EINVAL;
	while ((child = pop_child(s)) == NULL) {
		if (weir_is_nonblock(st, s, 0))
			return -EAGAIN;
		rc = weir_wait(st, s, may_accept, deadline);
		if (rc != 0)
			return rc;
	}
	child->is_nonblock = (flags & SOCK_NONBLOCK) != 0;
	fd = weir_fd_open(&st->socks, child);
	if (fd < 0) {
		push_child_back(s, child);
		return fd;
	}
	if (addr != NULL)
		weir_addr_copy_out(child->domain, &child->flow.raddr, child->flow.rport, addr, len);
	weir_sock_unref(child); /* the queue's */
	return fd;
}

int
weir_accept(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	if (addr != NULL && len == NULL)
		rc = -EFAULT;
	else if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		rc = -EINVAL;
	else
		rc = accept_sock(st, s, addr, len, flags);
	weir_sock_unref(s);
	return rc;
}

/* connect */

static int
tcp_connect_on(struct weir_worker *w, void *arg)
{
	return weir_sock_tcp_connect(&w->sock, arg);
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
	struct weir_addr src; /* out */
};

static int
route_on(struct weir_worker *w, void *arg)
{
	struct route_query *q = arg;
	struct weir_dst dst;
	const int rc = weir_ip_route(&w->ip, &q->dst, -1, &dst);

	if (rc == 0)
		q->src = dst.src;
	return rc;
}

/* With a bound port only one worker gets the return traffic. */
static int
choose_home(struct weir_stack *st, const struct weir_sock *s, struct weir_flow flow)
{
	struct route_query q = {.dst = flow.raddr};
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

static int
wait_connected(struct weir_stack *st, struct weir_sock *s, int if_nonblock)
{
	int rc;

	if (weir_is_nonblock(st, s, 0))
		return if_nonblock;
	rc = weir_wait(st, s, is_connect_done, weir_deadline_us(weir_peek(s->sndtimeo_ms)));
	if (rc != 0)
		return rc == -EAGAIN ? -EINPROGRESS : rc;
	if (weir_sock_flags(s) & WEIR_SOCK_CONNECTED)
		return 0;
	rc = weir_take_error(s);
	return rc == 0 ? -ECONNABORTED : -rc;
}

/* Under way at once, or why not; -EALREADY: it is. */
static int
start_tcp(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr,
	struct weir_be16 port)
{
	const uint32_t flags = weir_sock_flags(s);
	struct weir_flow flow = s->flow;
	int home, rc;

	if (flags & WEIR_SOCK_LISTENING)
		return -EOPNOTSUPP;
	if (flags & WEIR_SOCK_CONNECTED)
		return -EISCONN;
	if (flags & WEIR_SOCK_CONNECTING)
		return -EALREADY;
	rc = weir_take_error(s); /* of an earlier attempt, not yet read */
	if (rc != 0)
		return -rc;
	if (port.raw == 0 || weir_addr_is_any(addr))
		return -ECONNREFUSED;
	if (weir_addr_is_multicast(addr) || weir_addr_is_broadcast(addr))
		return -ENETUNREACH;
	flow.raddr = *addr;
	flow.rport = port;
	weir_sock_set_flow(s, &flow);
	home = choose_home(st, s, flow);
	if (home < 0)
		return home;
	rc = move_home(st, s, (uint16_t)home);
	return rc != 0 ? rc : weir_on_worker(st, (unsigned int)home, tcp_connect_on, s);
}

static int
connect_tcp(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr,
	struct weir_be16 port)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	rc = start_tcp(st, s, addr, port);
	weir_ctl_leave(st, s);
	if (rc == 0)
		return wait_connected(st, s, -EINPROGRESS);
	return rc == -EALREADY ? wait_connected(st, s, -EALREADY) : rc;
}

static int
connect_udp(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr,
	struct weir_be16 port)
{
	struct route_query q = {.dst = *addr};
	struct weir_flow flow = s->flow;
	int rc = weir_on_worker(st, s->home, route_on, &q);

	if (rc != 0)
		return rc;
	flow.raddr = *addr;
	flow.rport = port;
	if (weir_addr_is_any(&flow.laddr))
		flow.laddr = q.src;
	weir_sock_set_flow(s, &flow);
	if (weir_sock_flags(s) & WEIR_SOCK_BOUND) {
		weir_bind_narrow(&st->socks, s, &flow.laddr);
		rc = enter_udp(st, s);
	} else {
		rc = weir_bind_sock(st, s, &flow.laddr, weir_be16(0));
	}
	if (rc == 0)
		weir_sock_set(s, WEIR_SOCK_CONNECTED);
	return rc;
}

/* connect() to AF_UNSPEC: no peer any more. */
static int
disconnect_udp(struct weir_stack *st, struct weir_sock *s)
{
	struct weir_flow flow = s->flow;

	memset(&flow.raddr, 0, sizeof(flow.raddr));
	if (s->domain == AF_INET)
		flow.raddr = weir_addr_v4(weir_be32(INADDR_ANY));
	flow.rport = weir_be16(0);
	weir_sock_clear(s, WEIR_SOCK_CONNECTED);
	weir_sock_set_flow(s, &flow);
	return weir_sock_flags(s) & WEIR_SOCK_BOUND ? enter_udp(st, s) : 0;
}

/* A UDP socket's peer: NULL for none any more. */
static int
change_peer(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr,
	struct weir_be16 port)
{
	int rc = weir_ctl_enter(s);

	if (rc != 0)
		return rc;
	rc = addr != NULL ? connect_udp(st, s, addr, port) : disconnect_udp(st, s);
	weir_ctl_leave(st, s);
	return rc;
}

static int
connect_sock(struct weir_stack *st, struct weir_sock *s, const struct sockaddr *sa, socklen_t len)
{
	struct weir_addr addr;
	struct weir_be16 port;
	int rc;

	if (sa != NULL && len >= sizeof(sa->sa_family) && sa->sa_family == AF_UNSPEC)
		return s->kind == WEIR_SOCK_UDP ? change_peer(st, s, NULL, weir_be16(0))
						: -EOPNOTSUPP;
	rc = weir_sock_addr_in(s->domain, sa, len, &addr, &port);
	if (rc != 0)
		return rc;
	if (weir_peek(s->is_v6only) && weir_addr_is_v4(&addr))
		return -ENETUNREACH;
	return s->kind == WEIR_SOCK_TCP ? connect_tcp(st, s, &addr, port)
					: change_peer(st, s, &addr, port);
}

int
weir_connect(struct weir_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = connect_sock(st, s, addr, len);
	weir_sock_unref(s);
	return rc;
}

/* Ask the home worker: directly when we are on it. */
static void
ask(struct weir_stack *st, struct weir_sock *s, uint32_t bits)
{
	struct weir_sock_worker *ws = weir_here(st, s);

	if (ws != NULL)
		weir_sock_serve(ws, s, bits);
	else
		weir_sock_ring(s, bits);
}

static int
shutdown_sock(struct weir_stack *st, struct weir_sock *s, int how)
{
	const bool rd = how == SHUT_RD || how == SHUT_RDWR;
	const bool wr = how == SHUT_WR || how == SHUT_RDWR;

	if (!rd && !wr)
		return -EINVAL;
	if (!(weir_sock_flags(s) & WEIR_SOCK_CONNECTED))
		return -ENOTCONN;
	weir_sock_set(s, (rd ? WEIR_SOCK_RX_SHUT : 0) | (wr ? WEIR_SOCK_TX_SHUT : 0));
	if (wr && s->kind == WEIR_SOCK_TCP)
		ask(st, s, WEIR_DOOR_SHUT_WR);
	weir_sock_notify(s);
	return 0;
}

int
weir_shutdown(struct weir_stack *st, int fd, int how)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = shutdown_sock(st, s, how);
	weir_sock_unref(s);
	return rc;
}

static bool
is_all_acked(const struct weir_sock *s)
{
	return weir_sock_tx_room(s) >= (int64_t)weir_peek(s->opts.sndbuf) ||
	       (weir_sock_flags(s) & WEIR_SOCK_OVER);
}

/* SO_LINGER: wait until the peer has acknowledged everything, or the time is over. */
static void
linger(struct weir_stack *st, struct weir_sock *s)
{
	const uint64_t deadline = weir_real_us() + weir_peek(s->linger_s) * UINT64_C(1000000);

	while (weir_wait(st, s, is_all_acked, deadline) == -EINTR) {
	}
}

void
weir_close_sock(struct weir_stack *st, struct weir_sock *s)
{
	if (s->pcbs != NULL) /* or listeners: it stands in the workers' tables */
		weir_leave_all(st, s);
	else
		weir_bind_del(&st->socks, s);
	ask(st, s, WEIR_DOOR_CLOSE);
	weir_sock_notify(s); /* threads that wait for it learn that it is closed */
	weir_sock_unref(s);
}

int
weir_close(struct weir_stack *st, int fd)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc = 0;

	if (s == NULL)
		return -EBADF;
	if (weir_peek(s->is_linger) && weir_peek(s->linger_s) != 0 && weir_may_wait(st)) {
		shutdown_sock(st, s, SHUT_WR);
		linger(st, s);
	}
	if (weir_fd_close(&st->socks, fd, s))
		weir_ctl_close(st, s);
	else
		rc = -EBADF; /* another thread was quicker */
	weir_sock_unref(s);
	return rc;
}

static int
name_of(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len, bool is_peer)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	struct weir_flow flow;
	int rc = 0;

	if (s == NULL)
		return -EBADF;
	weir_sock_flow(s, &flow);
	if (addr == NULL || len == NULL)
		rc = -EFAULT;
	else if (is_peer && !(weir_sock_flags(s) & WEIR_SOCK_CONNECTED))
		rc = -ENOTCONN;
	else if (is_peer)
		weir_addr_copy_out(s->domain, &flow.raddr, flow.rport, addr, len);
	else
		weir_addr_copy_out(s->domain, &flow.laddr, flow.lport, addr, len);
	weir_sock_unref(s);
	return rc;
}

int
weir_getsockname(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	return name_of(st, fd, addr, len, false);
}

int
weir_getpeername(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	return name_of(st, fd, addr, len, true);
}

int
weir_set_nonblock(struct weir_stack *st, int fd, bool on)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);

	if (s == NULL)
		return -EBADF;
	weir_poke(s->is_nonblock, on);
	weir_sock_unref(s);
	return 0;
}

/* Events may come: workers read the callbacks. */
static bool
is_in_use(const struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);

	if (s->kind == WEIR_SOCK_UDP)
		return (flags & WEIR_SOCK_BOUND) && (flags & WEIR_SOCK_CALLBACKS);
	return (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING | WEIR_SOCK_LISTENING)) != 0;
}

static int
set_callbacks(struct weir_sock *s, const struct weir_callbacks *cb)
{
	if (is_in_use(s))
		return -EISCONN;
	if (cb == NULL) {
		weir_sock_clear(s, WEIR_SOCK_CALLBACKS);
		return 0;
	}
	if ((cb->recv == NULL) == (cb->recv_mbuf == NULL))
		return -EINVAL;
	s->cb = *cb;
	weir_sock_set(s, WEIR_SOCK_CALLBACKS);
	return 0;
}

int
weir_set_callbacks(struct weir_stack *st, int fd, const struct weir_callbacks *cb)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = weir_ctl_enter(s);
	if (rc == 0) {
		rc = set_callbacks(s, cb);
		weir_ctl_leave(st, s);
	}
	weir_sock_unref(s);
	return rc;
}

int
weir_set_arg(struct weir_stack *st, int fd, void *arg)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);

	if (s == NULL)
		return -EBADF;
	weir_poke(s->cb.arg, arg);
	weir_sock_unref(s);
	return 0;
}

static int
set_receiving(struct weir_stack *st, struct weir_sock *s, bool on)
{
	struct weir_sock_worker *ws = weir_here(st, s);

	if (s->kind != WEIR_SOCK_TCP || !(weir_sock_flags(s) & WEIR_SOCK_CALLBACKS))
		return -EOPNOTSUPP;
	if (ws == NULL)
		return -EWOULDBLOCK;
	weir_sock_tcp_receiving(ws, s, on);
	return 0;
}

int
weir_set_receiving(struct weir_stack *st, int fd, bool on)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return -EBADF;
	rc = set_receiving(st, s, on);
	weir_sock_unref(s);
	return rc;
}
