/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, naming, opening and closing sockets. */
#include <errno.h>

#include "stack_priv.h"
#include "weir_mem.h"
#include "weir_queue.h"

#define SOCK_TYPE_MASK 0xf /* of the type; flags lie above, as on Linux */
#define SOCK_TYPES     11
#define IPPROTO_LIMIT  263 /* one beyond the last protocol that Linux knows by number */
#define BACKLOG_MAX    4096

/* What Linux says of types and protocols that it does not have, in its order. */
static int
kind_of(int type, int protocol)
{
	if (type < 0 || type >= SOCK_TYPES || protocol < 0 || protocol >= IPPROTO_LIMIT)
		return -EINVAL;
	if (type == SOCK_STREAM)
		return protocol == 0 || protocol == IPPROTO_TCP ? WEIR_SOCK_TCP : -EPROTONOSUPPORT;
	if (type == SOCK_DGRAM)
		return protocol == 0 || protocol == IPPROTO_UDP ? WEIR_SOCK_UDP : -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		return protocol == 0 || protocol > UINT8_MAX ? -EPROTONOSUPPORT : WEIR_SOCK_RAW;
	return -ESOCKTNOSUPPORT;
}

static int
enter_on(struct weir_worker *w, void *arg)
{
	return weir_sock_dgram_enter(&w->sock, arg);
}

int
weir_make_pcbs(struct weir_stack *st, struct weir_sock *s)
{
	if (s->pcbs == NULL)
		s->pcbs = weir_mem_alloc(
			"weir_pcbs", sizeof(s->pcbs[0]) * st->n_workers, SOCKET_ID_ANY);
	return s->pcbs == NULL ? -ENOBUFS : 0;
}

int
weir_enter_tables(struct weir_stack *st, struct weir_sock *s)
{
	const int rc = weir_make_pcbs(st, s);

	return rc != 0 ? rc : weir_on_all(st, enter_on, s);
}

/* A raw socket receives from the beginning. RFC 3542 3.1: ICMPv6 has its checksum made. */
static int
open_raw(struct weir_stack *st, struct weir_sock *s, uint8_t protocol)
{
	s->dgram->raw.proto = protocol;
	s->dgram->raw.is_hdrincl = protocol == IPPROTO_RAW;
	if (s->domain == AF_INET6 && protocol == IPPROTO_ICMPV6)
		s->dgram->raw.cksum_off = 2;
	s->flow.lport = weir_be16(protocol); /* as getsockname() shows it on Linux */
	return weir_enter_tables(st, s);
}

int
weir_socket(struct weir_stack *st, int domain, int type, int protocol)
{
	const int kind = kind_of(type & SOCK_TYPE_MASK, protocol);
	const struct weir_worker *self = weir_worker_self();
	struct weir_sock *s;
	int fd;

	if (st == NULL)
		return -EFAULT;
	if (type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
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
	fd = kind == WEIR_SOCK_RAW ? open_raw(st, s, (uint8_t)protocol) : 0;
	if (fd == 0)
		fd = weir_fd_open(&st->socks, s);
	if (fd < 0 && s->pcbs != NULL)
		weir_leave_all(st, s);
	weir_sock_unref(s); /* the descriptor has its own, or there is none */
	return fd;
}

/* Address checks and what needs the descriptor's socket: the frame of most calls below. */

struct local_query {
	const struct weir_addr *addr;
	int ifindex;
};

static int
is_local(struct weir_worker *w, void *arg)
{
	const struct local_query *q = arg;

	return weir_ip_is_local_on(&w->ip, q->addr, q->ifindex, NULL) ? 0 : -EADDRNOTAVAIL;
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
	rc = s->kind == WEIR_SOCK_UDP ? weir_enter_tables(st, s) : 0;
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

/* Addresses that a socket may be bound to: own ones; of datagrams groups and broadcasts, too. */
static int
check_local(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr)
{
	struct local_query q = {addr, weir_sock_iface(s)};

	if (weir_addr_is_any(addr) || weir_sock_has(s, WEIR_SW_FREEBIND))
		return 0;
	if (weir_sock_is_dgram(s) && (weir_addr_is_multicast(addr) || weir_is_broadcast(st, addr)))
		return 0;
	return weir_on_worker(st, weir_sock_home(s), is_local, &q);
}

/* A raw socket has an address at most; it may be bound again. */
static int
bind_raw(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr)
{
	struct weir_flow flow = s->flow;

	if (s->domain == AF_INET6 && weir_addr_is_v4(addr))
		return -EADDRNOTAVAIL;
	if (weir_sock_flags(s) & WEIR_SOCK_CONNECTED)
		return -EINVAL;
	flow.laddr = *addr;
	weir_sock_set_flow(s, &flow);
	return weir_enter_tables(st, s);
}

static bool
is_taken(const struct weir_sock *s)
{
	const uint32_t flags = WEIR_SOCK_BOUND | WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECTING;

	return s->kind != WEIR_SOCK_RAW && (weir_sock_flags(s) & flags) != 0;
}

static int
bind_to(struct weir_stack *st, struct weir_sock *s, const struct weir_addr *addr,
	struct weir_be16 port)
{
	const int rc = check_local(st, s, addr);

	if (rc != 0)
		return rc;
	if (s->kind == WEIR_SOCK_RAW)
		return bind_raw(st, s, addr);
	return is_taken(s) ? -EINVAL : weir_bind_sock(st, s, addr, port);
}

static int
bind_sock(struct weir_stack *st, struct weir_sock *s, const struct weir_name *n)
{
	const int before = weir_sock_iface(s);
	int rc;

	if (weir_sock_has(s, WEIR_SW_V6ONLY) && weir_addr_is_v4(&n->addr))
		return -EINVAL;
	if (s->domain == AF_INET6 && is_taken(s))
		return -EINVAL; /* Linux: of IPv4 the address is looked at before */
	if (s->kind == WEIR_SOCK_TCP && weir_addr_is_multicast(&n->addr))
		return s->domain == AF_INET6 ? -EINVAL : -EADDRNOTAVAIL;
	rc = weir_scope_bind(st, s, n);
	if (rc != 0)
		return rc;
	rc = bind_to(st, s, &n->addr, n->port);
	if (rc != 0)
		weir_set_iface(s, before);
	return rc;
}

static int
check_and_bind(struct weir_stack *st, struct weir_sock *s, const struct sockaddr *sa, socklen_t len)
{
	struct weir_name n;
	int rc = weir_name_in(s, sa, len, &n);

	if (rc == 0)
		rc = weir_ctl_enter(s);
	if (rc != 0)
		return rc;
	rc = bind_sock(st, s, &n);
	weir_ctl_leave(st, s);
	return rc;
}

int
weir_bind(struct weir_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
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

	if (flags & (WEIR_SOCK_CONNECTED | WEIR_SOCK_CONNECT_DUE))
		return -EINVAL;
	weir_poke(s->backlog, RTE_MIN((uint32_t)backlog, (uint32_t)BACKLOG_MAX));
	if (!(flags & WEIR_SOCK_BOUND))
		rc = weir_bind_sock(st, s, &s->flow.laddr, weir_be16(0));
	if (rc == 0 && !(flags & WEIR_SOCK_LISTENING))
		rc = become_listener(st, s);
	return rc == 0 ? weir_on_all(st, listen_on, s) : rc;
}

int
weir_listener_changed(struct weir_stack *st, struct weir_sock *s)
{
	int rc = weir_ctl_enter(s);

	if (rc == 0) {
		if (weir_sock_flags(s) & WEIR_SOCK_LISTENING) /* or another thread has ended that */
			rc = weir_on_all(st, listen_on, s);
		weir_ctl_leave(st, s);
	}
	return rc;
}

int
weir_listen(struct weir_stack *st, int fd, int backlog)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = s->kind == WEIR_SOCK_TCP ? weir_ctl_enter(s) : -EOPNOTSUPP;
	if (rc == 0) {
		rc = listen_sock(st, s, backlog);
		weir_ctl_leave(st, s);
	}
	weir_sock_unref(s);
	return rc;
}

void
weir_addr_copy_out(int domain, const struct weir_addr *addr, struct weir_be16 port, int ifindex,
	struct sockaddr *to, socklen_t *len)
{
	struct sockaddr_in6 in6;
	const socklen_t real = weir_sock_addr_out(domain, addr, port, ifindex, &in6);

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
	weir_sock_notify_of(s, WEIR_NEWS_IN); /* for who has found the queue empty meanwhile */
	weir_sock_post(s, WEIR_ASYN_ACCEPT, 0);
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
		weir_addr_copy_out(child->domain, &child->flow.raddr, child->flow.rport,
			weir_sock_iface(child), addr, len);
	weir_inherit_queue(st, child, s);
	weir_sock_unref(child); /* the queue's */
	return fd;
}

int
weir_accept(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	if (addr != NULL && len == NULL)
		rc = -EFAULT;
	else if (addr != NULL && (int)*len < 0)
		rc = -EINVAL;
	else if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		rc = -EINVAL;
	else
		rc = accept_sock(st, s, addr, len, flags);
	if (rc == -EAGAIN && weir_peek(s->queue) != NULL)
		weir_msgs_rearm(s, WEIR_ASYN_ACCEPT);
	weir_sock_unref(s);
	return rc;
}

static bool
has_peer(const struct weir_sock *s)
{
	return (weir_sock_flags(s) & (WEIR_SOCK_CONNECTED | WEIR_SOCK_OVER)) == WEIR_SOCK_CONNECTED;
}

static void
put_name(const struct weir_sock *s, struct sockaddr *addr, socklen_t *len, bool is_peer)
{
	struct weir_flow flow;

	weir_sock_flow(s, &flow);
	weir_addr_copy_out(s->domain, is_peer ? &flow.raddr : &flow.laddr,
		is_peer ? flow.rport : flow.lport, weir_sock_iface(s), addr, len);
}

static int
name_of(struct weir_stack *st, int fd, struct sockaddr *addr, socklen_t *len, bool is_peer)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc = 0;

	if (s == NULL)
		return weir_no_sock(st, fd);
	if (is_peer && !has_peer(s))
		rc = -ENOTCONN;
	else if (addr == NULL || len == NULL)
		rc = -EFAULT;
	else if ((int)*len < 0)
		rc = -EINVAL;
	else
		put_name(s, addr, len, is_peer);
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
		return weir_no_sock(st, fd);
	weir_poke(s->is_nonblock, on);
	weir_sock_unref(s);
	return 0;
}
