/* SPDX-License-Identifier: BSD-3-Clause */
/* Link-local addresses and the interfaces that go with them; sockets bound to an interface. */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>

#include "pair.h"

#define PORT 5000

static struct pair p;

static int
sock(struct weir_stack *st, int type)
{
	const int fd = weir_socket(st, AF_INET6, type | SOCK_NONBLOCK, type == SOCK_RAW ? 200 : 0);

	CU_ASSERT_FATAL(fd >= 0);
	return fd;
}

static int
bind_to(struct weir_stack *st, int fd, const struct sockaddr_in6 *in6)
{
	return weir_bind(st, fd, (const struct sockaddr *)in6, sizeof(*in6));
}

static int
connect_to(struct weir_stack *st, int fd, const struct sockaddr_in6 *in6)
{
	return weir_connect(st, fd, (const struct sockaddr *)in6, sizeof(*in6));
}

/* The port that fd is bound to, as a number: 1 is p0; 0: none. */
static unsigned int
device_of(struct weir_stack *st, int fd)
{
	char name[32];
	socklen_t len = sizeof(name);

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	return len == 0 ? 0 : (unsigned int)(name[1] - '0') + 1;
}

static int
bind_to_device(struct weir_stack *st, int fd, const char *name)
{
	return weir_setsockopt(st, fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
}

/* The scope of fd's own, or its peer's, address. */
static unsigned int
scope_of(struct weir_stack *st, int fd, bool is_peer)
{
	struct sockaddr_in6 in6 = {0};
	socklen_t len = sizeof(in6);

	CU_ASSERT_EQUAL((is_peer ? weir_getpeername : weir_getsockname)(
				st, fd, (struct sockaddr *)&in6, &len),
		0);
	return in6.sin6_scope_id;
}

static void
an_address_without_its_link_is_refused(int type)
{
	struct sockaddr_in6 own, peer;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1, .has_second = true, .workers = 2});
	pair_link_addr(&p, 'a', 1, type == SOCK_RAW ? 0 : PORT, &own);
	pair_link_addr(&p, 'b', 1, PORT, &peer);
	own.sin6_scope_id = peer.sin6_scope_id = 0;
	fd = sock(p.a, type);
	CU_ASSERT_EQUAL(bind_to(p.a, fd, &own), -EINVAL);
	CU_ASSERT_EQUAL(connect_to(p.a, fd, &peer), -EINVAL);
	CU_ASSERT_EQUAL(weir_bind(p.a, fd, (struct sockaddr *)&own,
				offsetof(struct sockaddr_in6, sin6_scope_id)),
		-EINVAL);
	own.sin6_scope_id = 77;
	CU_ASSERT_EQUAL(bind_to(p.a, fd, &own), -ENODEV);
	own.sin6_scope_id = 1; /* it is of the other link */
	CU_ASSERT_EQUAL(bind_to(p.a, fd, &own), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(device_of(p.a, fd), 0);
	own.sin6_scope_id = 2;
	CU_ASSERT_EQUAL(bind_to(p.a, fd, &own), 0);
	CU_ASSERT_EQUAL(device_of(p.a, fd), 2);
	CU_ASSERT_EQUAL(scope_of(p.a, fd, false), 2);
	peer.sin6_scope_id = 1;
	CU_ASSERT_EQUAL(connect_to(p.a, fd, &peer), -EINVAL); /* it is bound to the other one */
	weir_close(p.a, fd);
	pair_close(&p);
}

static void
link_local_addresses_need_an_interface(void)
{
	an_address_without_its_link_is_refused(SOCK_STREAM);
	an_address_without_its_link_is_refused(SOCK_DGRAM);
	an_address_without_its_link_is_refused(SOCK_RAW);
}

static void
a_socket_bound_to_a_device_needs_no_scope(void)
{
	struct sockaddr_in6 own, peer;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 2, .has_second = true});
	pair_link_addr(&p, 'a', 1, PORT, &own);
	pair_link_addr(&p, 'b', 1, PORT, &peer);
	own.sin6_scope_id = peer.sin6_scope_id = 0;
	fd = sock(p.a, SOCK_DGRAM);
	CU_ASSERT_EQUAL(bind_to_device(p.a, fd, "p1"), 0);
	CU_ASSERT_EQUAL(bind_to(p.a, fd, &own), 0);
	CU_ASSERT_EQUAL(connect_to(p.a, fd, &peer), 0);
	CU_ASSERT_EQUAL(scope_of(p.a, fd, true), 2);
	weir_close(p.a, fd);
	pair_close(&p);
}

struct wait {
	struct weir_stack *st;
	int fd;
	struct sockaddr_in6 from;
	int got;
};

static bool
has_accepted(void *arg)
{
	struct wait *w = arg;
	socklen_t len = sizeof(w->from);

	w->got = weir_accept(w->st, w->fd, (struct sockaddr *)&w->from, &len, SOCK_NONBLOCK);
	return w->got >= 0;
}

static bool
has_received(void *arg)
{
	struct wait *w = arg;
	socklen_t len = sizeof(w->from);
	char buf[16];

	w->got = (int)weir_recvfrom(
		w->st, w->fd, buf, sizeof(buf), 0, (struct sockaddr *)&w->from, &len);
	return w->got != -EAGAIN;
}

static void
says_hello(struct weir_stack *from, int fd, struct weir_stack *to, int peer)
{
	struct wait w = {.st = to, .fd = peer};

	CU_ASSERT_EQUAL(weir_send(from, fd, "hello", 5, 0), 5);
	CU_ASSERT(pair_until(&p, has_received, &w, 10000));
	CU_ASSERT_EQUAL(w.got, 5);
}

/* A listener of each interface at the same port: the peer's scope says which one is reached. */
static void
connections_go_by_the_link_of_their_peer(void)
{
	int listener[2], fd[2], child[2];
	struct sockaddr_in6 in6;

	pair_open(&p, &(struct pair_conf){.seed = 3, .has_second = true, .workers = 2});
	for (unsigned int i = 0; i < 2; i++) {
		listener[i] = sock(p.b, SOCK_STREAM);
		CU_ASSERT_EQUAL(bind_to_device(p.b, listener[i], i == 0 ? "p0" : "p1"), 0);
		in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
		CU_ASSERT_EQUAL(bind_to(p.b, listener[i], &in6), 0);
		CU_ASSERT_EQUAL(weir_listen(p.b, listener[i], 4), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct wait w = {.st = p.b, .fd = listener[i]};

		fd[i] = sock(p.a, SOCK_STREAM);
		pair_link_addr(&p, 'b', i, PORT, &in6);
		CU_ASSERT_EQUAL(connect_to(p.a, fd[i], &in6), -EINPROGRESS);
		CU_ASSERT(pair_until(&p, has_accepted, &w, 10000));
		child[i] = w.got;
		CU_ASSERT_EQUAL(w.from.sin6_scope_id, i + 1);
		CU_ASSERT_EQUAL(scope_of(p.a, fd[i], false), i + 1);
		CU_ASSERT_EQUAL(scope_of(p.a, fd[i], true), i + 1);
		CU_ASSERT_EQUAL(scope_of(p.b, child[i], false), i + 1);
		CU_ASSERT_EQUAL(scope_of(p.b, child[i], true), i + 1);
		says_hello(p.a, fd[i], p.b, child[i]);
		says_hello(p.b, child[i], p.a, fd[i]);
	}
	for (unsigned int i = 0; i < 2; i++) {
		weir_close(p.a, fd[i]);
		weir_close(p.b, child[i]);
		weir_close(p.b, listener[i]);
	}
	pair_pass(&p, 100000);
	pair_close(&p);
}

/* To an address of the whole network a bound listener answers by its interface alone. */
static void
a_listener_of_one_interface_is_deaf_on_others(void)
{
	int listener = 0, fd;
	struct sockaddr_storage ss;
	struct wait w;
	socklen_t len;

	pair_open(&p, &(struct pair_conf){.seed = 4, .has_second = true});
	listener = weir_socket(p.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(bind_to_device(p.b, listener, "p1"), 0);
	len = pair_addr('b', AF_INET, PORT, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.b, listener, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, listener, 4), 0);
	w = (struct wait){.st = p.b, .fd = listener};
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -ECONNREFUSED);
	CU_ASSERT_EQUAL(bind_to_device(p.b, listener, ""), 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	CU_ASSERT(pair_until(&p, has_accepted, &w, 10000));
	weir_close(p.a, fd);
	weir_close(p.b, w.got);
	weir_close(p.b, listener);
	pair_pass(&p, 100000);
	pair_close(&p);
}

static void
datagrams_go_by_the_link_of_their_peer(int type)
{
	const uint16_t port = type == SOCK_RAW ? 0 : PORT;
	struct sockaddr_in6 own, peer;
	int fa[2], fb[2];

	pair_open(&p, &(struct pair_conf){.seed = 5, .has_second = true, .workers = 2});
	for (unsigned int i = 0; i < 2; i++) {
		fa[i] = sock(p.a, type);
		fb[i] = sock(p.b, type);
		pair_link_addr(&p, 'b', i, port, &own);
		CU_ASSERT_EQUAL(bind_to(p.b, fb[i], &own), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct wait w = {.st = p.b, .fd = fb[i]};

		pair_link_addr(&p, 'b', i, port, &peer);
		CU_ASSERT_EQUAL(connect_to(p.a, fa[i], &peer), 0);
		CU_ASSERT_EQUAL(scope_of(p.a, fa[i], false), i + 1);
		CU_ASSERT_EQUAL(scope_of(p.a, fa[i], true), i + 1);
		CU_ASSERT_EQUAL(weir_send(p.a, fa[i], "hello", 5, 0), 5);
		CU_ASSERT(pair_until(&p, has_received, &w, 10000));
		CU_ASSERT_EQUAL(w.got, 5);
		CU_ASSERT_EQUAL(w.from.sin6_scope_id, i + 1);
		pair_link_addr(&p, 'a', i, port, &own);
		CU_ASSERT_EQUAL(memcmp(&w.from.sin6_addr, &own.sin6_addr, 16), 0);
		CU_ASSERT_EQUAL(weir_sendto(p.b, fb[i], "there", 5, 0, (struct sockaddr *)&w.from,
					sizeof(w.from)),
			5);
		w = (struct wait){.st = p.a, .fd = fa[i]};
		CU_ASSERT(pair_until(&p, has_received, &w, 10000));
		CU_ASSERT_EQUAL(w.got, 5);
	}
	for (unsigned int i = 0; i < 2; i++) {
		const struct sockaddr_in6 none = {.sin6_family = AF_UNSPEC};

		CU_ASSERT_EQUAL(connect_to(p.a, fa[i], &none), 0);
		CU_ASSERT_EQUAL(device_of(p.a, fa[i]), 0);
		weir_close(p.a, fa[i]);
		weir_close(p.b, fb[i]);
	}
	pair_close(&p);
}

static void
datagrams_and_raw_packets_have_scopes(void)
{
	datagrams_go_by_the_link_of_their_peer(SOCK_DGRAM);
	datagrams_go_by_the_link_of_their_peer(SOCK_RAW);
}

/* A group of the link is another on each link, too. */
static void
groups_of_a_link_need_it_as_well(void)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(PORT),
		.sin6_addr.s6_addr = {0xff, 2, [15] = 0x77}};
	const int fd = (pair_open(&p, &(struct pair_conf){.seed = 6, .has_second = true}),
		sock(p.a, SOCK_DGRAM));
	int v = 2;

	CU_ASSERT_EQUAL(bind_to(p.a, fd, &in6), -EINVAL);
	CU_ASSERT_EQUAL(connect_to(p.a, fd, &in6), -EINVAL);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &v, sizeof(v)), 0);
	CU_ASSERT_EQUAL(connect_to(p.a, fd, &in6), 0);
	CU_ASSERT_EQUAL(device_of(p.a, fd), 2);
	CU_ASSERT_EQUAL(scope_of(p.a, fd, true), 2);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* The same port twice, each of its own interface. */
static void
who_is_bound_to_another_interface_is_no_rival(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int fd[3];

	pair_open(&p, &(struct pair_conf){.seed = 7, .has_second = true});
	for (unsigned int i = 0; i < 3; i++)
		fd[i] = sock(p.a, SOCK_DGRAM);
	CU_ASSERT_EQUAL(bind_to_device(p.a, fd[0], "p0"), 0);
	CU_ASSERT_EQUAL(bind_to_device(p.a, fd[1], "p1"), 0);
	CU_ASSERT_EQUAL(bind_to(p.a, fd[0], &any), 0);
	CU_ASSERT_EQUAL(bind_to(p.a, fd[1], &any), 0);
	CU_ASSERT_EQUAL(bind_to(p.a, fd[2], &any), -EADDRINUSE);
	for (unsigned int i = 0; i < 3; i++)
		weir_close(p.a, fd[i]);
	pair_close(&p);
}

/* The error queue names the peer and who complained with their link. */
static void
errors_say_by_which_link_they_came(void)
{
	struct {
		struct sock_extended_err e;
		struct sockaddr_in6 offender;
	} told = {{0}, {0}};
	union {
		char room[256];
		struct cmsghdr align;
	} control;
	struct sockaddr_in6 peer, from;
	char buf[16];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fd, on = 1;

	pair_open(&p, &(struct pair_conf){.seed = 8, .has_second = true});
	fd = sock(p.a, SOCK_DGRAM);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)), 0);
	pair_link_addr(&p, 'b', 1, PORT, &peer);
	CU_ASSERT_EQUAL(
		weir_sendto(p.a, fd, "hello", 5, 0, (struct sockaddr *)&peer, sizeof(peer)), 5);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL_FATAL(weir_recvmsg(p.a, fd, &msg, MSG_ERRQUEUE), 5);
	memcpy(&told, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(told));
	CU_ASSERT_EQUAL(told.e.ee_errno, ECONNREFUSED);
	CU_ASSERT_EQUAL(from.sin6_scope_id, 2);
	CU_ASSERT_EQUAL(told.offender.sin6_scope_id, 2);
	CU_ASSERT_EQUAL(memcmp(&told.offender.sin6_addr, &peer.sin6_addr, 16), 0);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* Own link-local addresses: what is sent to them stays on the host, on their interface. */
static void
own_addresses_are_reached_without_leaving(void)
{
	struct sockaddr_in6 own;
	struct wait w;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 9, .has_second = true, .workers = 2});
	fd = sock(p.a, SOCK_DGRAM);
	pair_link_addr(&p, 'a', 1, PORT, &own);
	CU_ASSERT_EQUAL(bind_to(p.a, fd, &own), 0);
	CU_ASSERT_EQUAL(connect_to(p.a, fd, &own), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "me", 2, 0), 2);
	w = (struct wait){.st = p.a, .fd = fd};
	CU_ASSERT(pair_until(&p, has_received, &w, 10000));
	CU_ASSERT_EQUAL(w.got, 2);
	CU_ASSERT_EQUAL(w.from.sin6_scope_id, 2);
	weir_close(p.a, fd);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(link_local_addresses_need_an_interface),
		UNIT(a_socket_bound_to_a_device_needs_no_scope),
		UNIT(connections_go_by_the_link_of_their_peer),
		UNIT(a_listener_of_one_interface_is_deaf_on_others),
		UNIT(datagrams_and_raw_packets_have_scopes),
		UNIT(groups_of_a_link_need_it_as_well),
		UNIT(who_is_bound_to_another_interface_is_no_rival),
		UNIT(errors_say_by_which_link_they_came),
		UNIT(own_addresses_are_reached_without_leaving),
		{0},
	};

	return unit_main("api_scope", tests, true);
}
