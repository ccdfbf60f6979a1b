/* SPDX-License-Identifier: BSD-3-Clause */
/* epoll sets: what is told, when, how often, in which order; nested, shared, closed, kernel's. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pair.h"

#define PORT 80

/* A connection: watched at b's end. */
struct scene {
	struct pair p;
	int ep;
	int a, b;
};

static void
scene_open(struct scene *s)
{
	pair_open(&s->p, &(struct pair_conf){.seed = 7});
	pair_connect(&s->p, AF_INET, PORT, &s->a, &s->b);
	s->ep = weir_epoll_create(s->p.b, EPOLL_CLOEXEC);
	CU_ASSERT_FATAL(s->ep >= 0);
}

static void
scene_close(struct scene *s)
{
	weir_close(s->p.a, s->a);
	weir_close(s->p.b, s->b);
	weir_close(s->p.b, s->ep);
	pair_pass(&s->p, 200000000);
	CU_ASSERT_EQUAL(s->p.b->socks.used, 0);
	pair_close(&s->p);
}

static int
ctl(struct scene *s, int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)fd};

	return weir_epoll_ctl(s->p.b, ep, op, fd, &e);
}

static int
add(struct scene *s, int fd, uint32_t events)
{
	return ctl(s, s->ep, EPOLL_CTL_ADD, fd, events);
}

static int
mod(struct scene *s, int fd, uint32_t events)
{
	return ctl(s, s->ep, EPOLL_CTL_MOD, fd, events);
}

/* The events of the only thing that is ready, which must be fd; 0: nothing is. */
static uint32_t
told_by(struct scene *s, int ep, int fd)
{
	struct epoll_event e[4] = {0};
	const int n = weir_epoll_wait(s->p.b, ep, e, 4, 0);

	CU_ASSERT(n == 0 || n == 1);
	if (n == 1)
		CU_ASSERT_EQUAL(e[0].data.u64, (uint64_t)fd);
	return e[0].events;
}

static uint32_t
told(struct scene *s, int fd)
{
	return told_by(s, s->ep, fd);
}

static void
send_byte(struct scene *s)
{
	CU_ASSERT_EQUAL(weir_send(s->p.a, s->a, "x", 1, 0), 1);
	pair_pass(&s->p, 1000);
}

static void
read_all(struct scene *s)
{
	char buf[64];

	while (weir_recv(s->p.b, s->b, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
	}
}

static void
level_is_told_as_long_as_it_lasts(void)
{
	struct scene s;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	read_all(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	scene_close(&s);
}

static void
edge_is_told_once_for_each_change(void)
{
	struct scene s;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN | EPOLLET), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	send_byte(&s); /* more to read, though what came first was not read */
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	read_all(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	CU_ASSERT_EQUAL(mod(&s, s.b, EPOLLOUT | EPOLLET), 0); /* what is there is new after it */
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLOUT);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	scene_close(&s);
}

/* A set that nobody has looked into since is news for the set above it all the same. */
static void
edges_of_a_set_in_a_set(void)
{
	struct scene s;
	int outer;

	scene_open(&s);
	outer = weir_epoll_create(s.p.b, 0);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	CU_ASSERT_EQUAL(ctl(&s, outer, EPOLL_CTL_ADD, s.ep, EPOLLIN | EPOLLET), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told_by(&s, outer, s.ep), EPOLLIN);
	CU_ASSERT_EQUAL(told_by(&s, outer, s.ep), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told_by(&s, outer, s.ep), EPOLLIN);
	weir_close(s.p.b, outer);
	scene_close(&s);
}

/* Only a stream becomes readable by it. */
static void
low_water_mark_is_no_edge_of_datagrams(void)
{
	const int one = 1;
	struct scene s;
	int u;

	scene_open(&s);
	u = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(add(&s, u, EPOLLIN | EPOLLOUT | EPOLLET), 0);
	CU_ASSERT_EQUAL(told(&s, u), EPOLLOUT);
	CU_ASSERT_EQUAL(weir_setsockopt(s.p.b, u, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one)), 0);
	CU_ASSERT_EQUAL(told(&s, u), 0);
	weir_close(s.p.b, u);
	scene_close(&s);
}

/* Acknowledgments free send memory all the time: an edge only for a writer who lacked it. */
static void
room_is_an_edge_for_who_lacked_it(void)
{
	static char buf[65536];
	struct scene s;
	ssize_t n;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLOUT | EPOLLET), 0);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLOUT);
	CU_ASSERT_EQUAL(weir_send(s.p.b, s.b, buf, 1000, 0), 1000);
	pair_pass(&s.p, 100000);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	while ((n = weir_send(s.p.b, s.b, buf, sizeof(buf), 0)) > 0) {
	}
	CU_ASSERT_EQUAL(n, -EAGAIN);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		while (weir_recv(s.p.a, s.a, buf, sizeof(buf), 0) > 0) {
		}
		pair_step(&s.p);
	}
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLOUT);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	scene_close(&s);
}

static void
oneshot_is_told_once_until_modified(void)
{
	struct scene s;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN | EPOLLONESHOT), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	CU_ASSERT_EQUAL(mod(&s, s.b, EPOLLIN | EPOLLONESHOT), 0);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	scene_close(&s);
}

static void
peer_s_end_is_rdhup(void)
{
	struct scene s;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLRDHUP | EPOLLET), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	weir_shutdown(s.p.a, s.a, SHUT_WR);
	pair_pass(&s.p, 1000);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLRDHUP);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	scene_close(&s);
}

/* HUP and ERR come unasked, with nothing wanted, too. */
static void
error_and_end_come_unasked(void)
{
	const struct linger reset = {.l_onoff = 1};
	struct scene s;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, 0), 0);
	weir_setsockopt(s.p.a, s.a, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	weir_close(s.p.a, s.a);
	pair_pass(&s.p, 1000);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLERR | EPOLLHUP);
	scene_close(&s);
}

static void
ctl_refuses_as_linux_does(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct scene s;

	scene_open(&s);
	CU_ASSERT_EQUAL(mod(&s, s.b, EPOLLIN), -ENOENT);
	CU_ASSERT_EQUAL(ctl(&s, s.ep, EPOLL_CTL_DEL, s.b, 0), -ENOENT);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), -EEXIST);
	CU_ASSERT_EQUAL(add(&s, 1000, EPOLLIN), -EBADF);
	CU_ASSERT_EQUAL(ctl(&s, 1000, EPOLL_CTL_ADD, s.b, EPOLLIN), -EBADF);
	CU_ASSERT_EQUAL(ctl(&s, s.b, EPOLL_CTL_ADD, s.ep, EPOLLIN), -EINVAL);
	CU_ASSERT_EQUAL(add(&s, s.ep, EPOLLIN), -EINVAL);
	CU_ASSERT_EQUAL(ctl(&s, s.ep, 17, s.b, EPOLLIN), -EINVAL);
	CU_ASSERT_EQUAL(weir_epoll_ctl(s.p.b, s.ep, EPOLL_CTL_ADD, s.b, NULL), -EFAULT);
	CU_ASSERT_EQUAL(ctl(&s, s.ep, EPOLL_CTL_DEL, s.b, 0), 0);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), -EINVAL);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN | EPOLLEXCLUSIVE), 0);
	CU_ASSERT_EQUAL(mod(&s, s.b, EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
	CU_ASSERT_EQUAL(mod(&s, s.b, EPOLLIN), -EINVAL);
	CU_ASSERT_EQUAL(weir_epoll_create(s.p.b, 1), -EINVAL);
	CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, s.ep, &e, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, s.ep, NULL, 1, 0), -EFAULT);
	CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, s.b, &e, 1, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, 1000, &e, 1, 0), -EBADF);
	CU_ASSERT_EQUAL(weir_send(s.p.b, s.ep, "x", 1, 0), -ENOTSOCK);
	CU_ASSERT_EQUAL(weir_listen(s.p.b, s.ep, 1), -ENOTSOCK);
	scene_close(&s);
}

/* A socket in three sets, one of which is closed, one of which forgets it. */
static void
one_socket_in_several_sets(void)
{
	struct scene s;
	int second, third;

	scene_open(&s);
	second = weir_epoll_create(s.p.b, 0);
	third = weir_epoll_create(s.p.b, 0);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	CU_ASSERT_EQUAL(ctl(&s, second, EPOLL_CTL_ADD, s.b, EPOLLIN | EPOLLET), 0);
	CU_ASSERT_EQUAL(ctl(&s, third, EPOLL_CTL_ADD, s.b, EPOLLIN), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	CU_ASSERT_EQUAL(told_by(&s, second, s.b), EPOLLIN);
	CU_ASSERT_EQUAL(weir_close(s.p.b, third), 0);
	CU_ASSERT_EQUAL(ctl(&s, second, EPOLL_CTL_DEL, s.b, 0), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told_by(&s, second, s.b), 0);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	weir_close(s.p.b, second);
	scene_close(&s);
}

/* Its watches go with it, whether they have been told or not; the number may come back. */
static void
closed_while_watched(void)
{
	struct scene s;
	int fd;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	CU_ASSERT_EQUAL(weir_close(s.p.b, s.b), 0);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	for (unsigned int i = 0; i < 3; i++) {
		fd = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0);
		CU_ASSERT_EQUAL(add(&s, fd, EPOLLOUT), 0);
		CU_ASSERT_EQUAL(told(&s, fd), EPOLLOUT);
		weir_close(s.p.b, fd);
	}
	fd = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(add(&s, fd, EPOLLOUT), 0);
	CU_ASSERT_EQUAL(weir_close(s.p.b, s.ep), 0);
	s.b = fd;
	scene_close(&s);
}

/* Watches are used again: adding and deleting for ever takes no more memory than once. */
static void
watches_are_used_again(void)
{
	struct scene s;
	unsigned int n = 0;
	struct weir_sock *sock;

	scene_open(&s);
	for (unsigned int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN | EPOLLOUT), 0);
		if (i % 3 == 0)
			CU_ASSERT_EQUAL(told(&s, s.b), EPOLLOUT);
		if (i % 2 == 0)
			weir_epoll_ctl(s.p.b, s.ep, EPOLL_CTL_DEL, s.b, NULL);
		else
			weir_close(s.p.b, s.ep), s.ep = weir_epoll_create(s.p.b, 0);
	}
	sock = weir_fd_get(&s.p.b->socks, s.b);
	for (struct weir_watch *w = sock->watched.watches; w != NULL; w = w->next)
		n++;
	weir_sock_unref(sock);
	CU_ASSERT(n <= 2);
	scene_close(&s);
}

static void
ready_ones_come_in_turn(void)
{
	struct epoll_event e[2];
	struct scene s;
	int fd[5];

	scene_open(&s);
	for (unsigned int i = 0; i < 5; i++) {
		fd[i] = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0);
		CU_ASSERT_EQUAL(add(&s, fd[i], EPOLLOUT), 0);
	}
	for (unsigned int i = 0; i < 20; i += 2) {
		CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, s.ep, e, 2, 0), 2);
		CU_ASSERT_EQUAL(e[0].data.u64, (uint64_t)fd[i % 5]);
		CU_ASSERT_EQUAL(e[1].data.u64, (uint64_t)fd[(i + 1) % 5]);
	}
	for (unsigned int i = 0; i < 5; i++)
		weir_close(s.p.b, fd[i]);
	scene_close(&s);
}

static void
sets_in_sets(void)
{
	struct scene s;
	int set[6];

	scene_open(&s);
	set[0] = s.ep;
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	for (unsigned int i = 1; i < 6; i++) {
		set[i] = weir_epoll_create(s.p.b, 0);
		CU_ASSERT_EQUAL(
			ctl(&s, set[i], EPOLL_CTL_ADD, set[i - 1], EPOLLIN), i < 5 ? 0 : -ELOOP);
	}
	CU_ASSERT_EQUAL(add(&s, set[3], EPOLLIN), -ELOOP);
	CU_ASSERT_EQUAL(told_by(&s, set[4], set[3]), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(told_by(&s, set[4], set[3]), EPOLLIN);
	CU_ASSERT_EQUAL(told_by(&s, set[4], set[3]), EPOLLIN);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	read_all(&s);
	CU_ASSERT_EQUAL(told_by(&s, set[4], set[3]), 0);
	weir_close(s.p.b, set[2]); /* from the midst of the chain */
	send_byte(&s);
	CU_ASSERT_EQUAL(told_by(&s, set[4], set[3]), 0);
	CU_ASSERT_EQUAL(told_by(&s, set[1], set[0]), EPOLLIN);
	for (unsigned int i = 1; i < 6; i++)
		if (i != 2)
			weir_close(s.p.b, set[i]);
	scene_close(&s);
}

static void
poll_of_a_set(void)
{
	struct scene s;
	struct pollfd p;

	scene_open(&s);
	p = (struct pollfd){.fd = s.ep, .events = POLLIN | POLLOUT};
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	CU_ASSERT_EQUAL(weir_poll(s.p.b, &p, 1, 0), 0);
	send_byte(&s);
	CU_ASSERT_EQUAL(weir_poll(s.p.b, &p, 1, 0), 1);
	CU_ASSERT_EQUAL(p.revents, POLLIN);
	read_all(&s);
	CU_ASSERT_EQUAL(weir_poll(s.p.b, &p, 1, 0), 0);
	scene_close(&s);
}

static bool
is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void
kernel_descriptors_in_a_set(void)
{
	const uint64_t one = 1;
	struct epoll_event e[4];
	struct scene s;
	int k, outer;
	struct pollfd p;

	scene_open(&s);
	k = eventfd(0, EFD_NONBLOCK);
	CU_ASSERT_EQUAL(add(&s, WEIR_KFD(k), EPOLLIN), 0);
	CU_ASSERT_EQUAL(add(&s, WEIR_KFD(k), EPOLLIN), -EEXIST);
	CU_ASSERT_EQUAL(add(&s, WEIR_KFD(9999), EPOLLIN), -EBADF);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	outer = weir_epoll_create(s.p.b, 0);
	CU_ASSERT_EQUAL(ctl(&s, outer, EPOLL_CTL_ADD, s.ep, EPOLLIN), 0);
	CU_ASSERT_EQUAL(told(&s, 0), 0);
	CU_ASSERT_EQUAL(write(k, &one, sizeof(one)), sizeof(one));
	CU_ASSERT_EQUAL(told(&s, WEIR_KFD(k)), EPOLLIN);
	CU_ASSERT_EQUAL(told_by(&s, outer, s.ep), EPOLLIN);
	p = (struct pollfd){.fd = s.ep, .events = POLLIN};
	CU_ASSERT_EQUAL(weir_poll(s.p.b, &p, 1, 0), 1);
	send_byte(&s);
	CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, s.ep, e, 4, 0), 2);
	for (unsigned int i = 0; i < 2; i++) /* with room for one: each has its turn */
		CU_ASSERT_EQUAL(weir_epoll_wait(s.p.b, s.ep, e + i, 1, 0), 1);
	CU_ASSERT_NOT_EQUAL(e[0].data.u64, e[1].data.u64);
	CU_ASSERT_EQUAL(ctl(&s, s.ep, EPOLL_CTL_DEL, WEIR_KFD(k), 0), 0);
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	close(k);
	weir_close(s.p.b, outer);
	scene_close(&s);
}

static void
set_as_a_kernel_descriptor(void)
{
	struct scene s;
	int k;

	scene_open(&s);
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	k = weir_epoll_fd(s.p.b, s.ep);
	CU_ASSERT_FATAL(k >= 0);
	CU_ASSERT_EQUAL(weir_epoll_fd(s.p.b, s.ep), k);
	CU_ASSERT_EQUAL(weir_epoll_fd(s.p.b, s.b), -EINVAL);
	CU_ASSERT_FALSE(is_readable(k));
	send_byte(&s);
	CU_ASSERT(is_readable(k));
	CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
	CU_ASSERT(is_readable(k)); /* a level: it may be there still */
	read_all(&s);
	CU_ASSERT_EQUAL(told(&s, s.b), 0);
	CU_ASSERT_FALSE(is_readable(k));
	send_byte(&s);
	CU_ASSERT(is_readable(k));
	scene_close(&s);
}

/* Of many sockets one is ready: the set looks at that one. */
static void
looks_at_what_is_ready(void)
{
	struct scene s;
	int fd[500];

	scene_open(&s);
	for (unsigned int i = 0; i < RTE_DIM(fd); i++) {
		fd[i] = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0);
		CU_ASSERT_EQUAL(add(&s, fd[i], EPOLLIN), 0);
	}
	CU_ASSERT_EQUAL(add(&s, s.b, EPOLLIN), 0);
	send_byte(&s);
	{
		struct weir_sock *set = weir_fd_any(&s.p.b->socks, s.ep);

		CU_ASSERT_EQUAL(told(&s, s.b), EPOLLIN);
		CU_ASSERT_EQUAL(weir_epoll_of(set)->n_ready, 1);
		weir_sock_unref(set);
	}
	for (unsigned int i = 0; i < RTE_DIM(fd); i++)
		weir_close(s.p.b, fd[i]);
	scene_close(&s);
}

static void
accept_queue_is_level(void)
{
	struct sockaddr_storage ss;
	socklen_t len;
	struct scene s;
	int l, c;

	scene_open(&s);
	l = weir_socket(s.p.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	len = pair_addr('b', AF_INET, PORT + 1, &ss);
	CU_ASSERT_EQUAL(weir_bind(s.p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(add(&s, l, EPOLLIN), 0);
	CU_ASSERT_EQUAL(told(&s, l), EPOLLHUP);
	CU_ASSERT_EQUAL(weir_listen(s.p.b, l, 4), 0);
	CU_ASSERT_EQUAL(told(&s, l), 0);
	c = weir_socket(s.p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	weir_connect(s.p.a, c, (struct sockaddr *)&ss, len);
	pair_pass(&s.p, 1000);
	CU_ASSERT_EQUAL(told(&s, l), EPOLLIN);
	CU_ASSERT_EQUAL(told(&s, l), EPOLLIN);
	weir_close(s.p.b, weir_accept(s.p.b, l, NULL, NULL, 0));
	CU_ASSERT_EQUAL(told(&s, l), 0);
	weir_close(s.p.b, l);
	weir_close(s.p.a, c);
	scene_close(&s);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(level_is_told_as_long_as_it_lasts),
		UNIT(edge_is_told_once_for_each_change),
		UNIT(room_is_an_edge_for_who_lacked_it),
		UNIT(oneshot_is_told_once_until_modified),
		UNIT(peer_s_end_is_rdhup),
		UNIT(error_and_end_come_unasked),
		UNIT(ctl_refuses_as_linux_does),
		UNIT(one_socket_in_several_sets),
		UNIT(closed_while_watched),
		UNIT(watches_are_used_again),
		UNIT(ready_ones_come_in_turn),
		UNIT(sets_in_sets),
		UNIT(edges_of_a_set_in_a_set),
		UNIT(low_water_mark_is_no_edge_of_datagrams),
		UNIT(poll_of_a_set),
		UNIT(kernel_descriptors_in_a_set),
		UNIT(set_as_a_kernel_descriptor),
		UNIT(looks_at_what_is_ready),
		UNIT(accept_queue_is_level),
		{0},
	};

	return unit_main("epoll", tests, true);
}
