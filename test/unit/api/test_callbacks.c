/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive callbacks: what may be done inside, and packets that the application keeps. */
#include <errno.h>
#include <netinet/tcp.h>

#include "pair.h"

#define KEPT_MAX 2000

/* What the callbacks of b's sockets do, and have seen. */
struct scene {
	struct pair p;
	int fa, fb, listener;
	unsigned int n_recv, n_other;
	size_t bytes;
	bool is_keeping;
	struct rte_mbuf *kept[KEPT_MAX];
	unsigned int n_kept;
	int victim;	      /* closed by the callback; -1: none */
	int relay;	      /* where the packet goes; -1: nowhere */
	bool swaps;	      /* the callback sets others */
	unsigned int told[8]; /* events, by kind */
	int error;
	struct weir_from from;
};

static void act(struct scene *s, struct weir_stack *st, int fd);

static void
on_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct scene *s = arg;

	s->n_recv++;
	s->bytes += len;
	s->from = *from;
	act(s, st, fd);
}

static void
on_mbuf(struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct scene *s = arg;

	s->n_recv++;
	s->bytes += m->pkt_len;
	s->from = *from;
	CU_ASSERT(rte_pktmbuf_headroom(m) >= 64);
	if (s->relay >= 0 && weir_send_mbuf(st, s->relay, m, NULL, 0) == 0)
		return;
	if (s->is_keeping && s->n_kept < KEPT_MAX)
		s->kept[s->n_kept++] = m;
	else
		weir_mbuf_free(m);
	act(s, st, fd);
}

static void
on_other(struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct scene *s = arg;

	s->n_other++;
	weir_mbuf_free(m);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct scene *s = arg;

	s->told[ev]++;
	s->error = error;
	if (ev == WEIR_EV_ACCEPT)
		s->fb = fd;
	if (ev == WEIR_EV_CLOSE && weir_close(st, fd) == 0 && fd == s->fb)
		s->fb = -1;
}

static void
act(struct scene *s, struct weir_stack *st, int fd)
{
	const struct weir_callbacks other = {.recv_mbuf = on_other, .event = on_event, .arg = s};

	if (s->victim >= 0)
		CU_ASSERT_EQUAL(weir_close(st, s->victim), 0);
	s->victim = -1;
	if (s->swaps) {
		CU_ASSERT_EQUAL(weir_set_callbacks(st, fd, NULL), -EISCONN);
		CU_ASSERT_EQUAL(weir_set_callbacks(st, fd, &other), 0);
	}
}

static int
open_at(struct scene *s, int type, uint16_t port, const struct weir_callbacks *cb)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);
	const int fd = weir_socket(s->p.b, AF_INET, type, 0);

	CU_ASSERT_EQUAL(weir_bind(s->p.b, fd, (struct sockaddr *)&ss, len), 0);
	if (cb != NULL)
		CU_ASSERT_EQUAL(weir_set_callbacks(s->p.b, fd, cb), 0);
	return fd;
}

static int
connect_to(struct scene *s, int type, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);
	const int fd = weir_socket(s->p.a, AF_INET, type, 0);

	weir_connect(s->p.a, fd, (struct sockaddr *)&ss, len);
	pair_pass(&s->p, 2000);
	return fd;
}

static void
open_scene(struct scene *s, int type, bool use_mbufs)
{
	const struct weir_callbacks cb = {.recv = use_mbufs ? NULL : on_recv,
		.recv_mbuf = use_mbufs ? on_mbuf : NULL,
		.event = on_event,
		.arg = s};
	int fd;

	memset(s, 0, sizeof(*s));
	s->victim = s->relay = s->listener = -1;
	pair_open(&s->p, &(struct pair_conf){.seed = 1});
	fd = open_at(s, type, 80, &cb);
	if (type == SOCK_DGRAM)
		s->fb = fd;
	else
		CU_ASSERT_EQUAL(weir_listen(s->p.b, s->listener = fd, 8), 0);
	s->fa = connect_to(s, type, 80);
}

static uint32_t
lent(const struct scene *s)
{
	struct weir_account a;

	weir_stack_account(s->p.b, &a);
	return a.lent;
}

static void
close_scene(struct scene *s)
{
	weir_close(s->p.a, s->fa);
	pair_pass(&s->p, 5000);
	if (s->fb >= 0)
		weir_close(s->p.b, s->fb);
	if (s->listener >= 0)
		weir_close(s->p.b, s->listener);
	CU_ASSERT_EQUAL(lent(s), 0);
	pair_pass(&s->p, 300000000);
	pair_close(&s->p);
}

static size_t
send_all(struct scene *s, size_t len)
{
	static const char data[1400];
	size_t sent = 0;

	while (sent < len) {
		const ssize_t n = weir_send(
			s->p.a, s->fa, data, RTE_MIN(len - sent, sizeof(data)), MSG_DONTWAIT);

		if (n < 0)
			break;
		sent += (size_t)n;
		pair_step(&s->p);
	}
	pair_pass(&s->p, 100000);
	return sent;
}

/* In a thread that has nothing to do with the stack. */
static void *
free_kept(void *arg)
{
	struct scene *s = arg;

	while (s->n_kept > 0)
		weir_mbuf_free(s->kept[--s->n_kept]);
	return NULL;
}

static void
free_in_a_thread(struct scene *s)
{
	pthread_t thread;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, free_kept, s), 0);
	pthread_join(thread, NULL);
	pair_pass(&s->p, 1000000);
}

static void
kept_packets_close_the_window_until_they_are_back(void)
{
	struct scene s;
	size_t sent;

	open_scene(&s, SOCK_STREAM, true);
	s.is_keeping = true;
	sent = send_all(&s, 100 << 20); /* until the send buffer is full, too */
	CU_ASSERT(s.bytes < sent);
	CU_ASSERT_EQUAL(lent(&s), s.n_kept);
	CU_ASSERT(s.n_kept > 10 && s.n_kept < KEPT_MAX);
	CU_ASSERT_EQUAL(s.from.addr.in.sin_addr.s_addr, htonl(0x0a000001));
	CU_ASSERT(s.from.rx_us > 0);
	s.is_keeping = false;
	free_in_a_thread(&s);
	CU_ASSERT_EQUAL(lent(&s), 0);
	CU_ASSERT_EQUAL(s.bytes, sent);
	close_scene(&s);
}

static void
too_much_held_stalls_connections_and_drops_datagrams(void)
{
	struct scene s;
	size_t sent;

	open_scene(&s, SOCK_STREAM, true);
	s.p.b->socks.lent_max = 5;
	s.is_keeping = true;
	sent = send_all(&s, 20000);
	weir_shutdown(s.p.a, s.fa, SHUT_WR);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(s.n_kept, 5);
	CU_ASSERT_EQUAL(s.told[WEIR_EV_PEERCLOSE], 0); /* behind the data */
	s.is_keeping = false;
	free_in_a_thread(&s);
	CU_ASSERT_EQUAL(s.bytes, sent);
	CU_ASSERT_EQUAL(s.told[WEIR_EV_PEERCLOSE], 1);
	close_scene(&s);

	open_scene(&s, SOCK_DGRAM, true);
	s.p.b->socks.lent_max = 5;
	s.is_keeping = true;
	send_all(&s, 10 * 1400);
	CU_ASSERT_EQUAL(s.n_kept, 5);
	CU_ASSERT_EQUAL(s.p.b->workers[0]->core.fates[WEIR_FATE_drop_lent], 5);
	free_in_a_thread(&s);
	send_all(&s, 1400);
	CU_ASSERT_EQUAL(s.n_kept, 1);
	free_in_a_thread(&s);
	close_scene(&s);
}

static void
kept_packets_outlive_their_socket(void)
{
	struct scene s;

	open_scene(&s, SOCK_STREAM, true);
	s.is_keeping = true;
	send_all(&s, 5000);
	weir_close(s.p.b, s.fb);
	s.fb = -1;
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(lent(&s), s.n_kept);
	CU_ASSERT(s.n_kept > 0);
	free_in_a_thread(&s);
	close_scene(&s);
}

/* What came by TCP leaves by UDP, and the other way, as it is. */
static void
a_kept_packet_goes_out_through_any_socket(void)
{
	struct scene s;
	char buf[2000];
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('a', AF_INET, 99, &ss);
	int sink, source;

	open_scene(&s, SOCK_STREAM, true);
	sink = weir_socket(s.p.a, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_bind(s.p.a, sink, (struct sockaddr *)&ss, len), 0);
	source = weir_socket(s.p.b, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(weir_connect(s.p.b, source, (struct sockaddr *)&ss, len), 0);
	s.relay = source; /* at once */
	send_all(&s, 1000);
	CU_ASSERT_EQUAL(lent(&s), 0);
	CU_ASSERT_EQUAL(weir_recv(s.p.a, sink, buf, sizeof(buf), 0), 1000);
	s.relay = -1;
	s.is_keeping = true; /* later */
	send_all(&s, 500);
	CU_ASSERT_EQUAL_FATAL(s.n_kept, 1);
	CU_ASSERT_EQUAL(weir_send_mbuf(s.p.b, s.listener, s.kept[0], NULL, 0), -EPIPE);
	CU_ASSERT_EQUAL(lent(&s), 1); /* refused: still ours */
	CU_ASSERT_EQUAL(weir_send_mbuf(s.p.b, source, s.kept[0], NULL, 0), 0);
	CU_ASSERT_EQUAL(lent(&s), 0);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(weir_recv(s.p.a, sink, buf, sizeof(buf), 0), 500);
	weir_close(s.p.a, sink);
	weir_close(s.p.b, source);
	close_scene(&s);
}

static void
closing_the_socket_inside_is_the_end_of_its_callbacks(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	struct scene s;

	for (unsigned int i = 0; i < 4; i++) {
		open_scene(&s, types[i % 2], i / 2);
		s.victim = s.fb;
		s.fb = -1;
		for (unsigned int n = 0; n < 5; n++) /* in one burst */
			CU_ASSERT_EQUAL(weir_send(s.p.a, s.fa, "12345", 5, 0), 5);
		pair_pass(&s.p, 2000);
		CU_ASSERT_EQUAL(s.n_recv, 1);
		CU_ASSERT_EQUAL(s.told[WEIR_EV_CLOSE], 0);
		close_scene(&s);
	}
}

static void
closing_another_socket_of_the_worker_is_the_end_of_its_callbacks(void)
{
	struct scene s;
	int first_a, first_b;

	open_scene(&s, SOCK_STREAM, false);
	first_a = s.fa;
	first_b = s.fb;
	s.fa = connect_to(&s, SOCK_STREAM, 80);
	/* Both have data in the same turn; who comes first closes the other. */
	s.victim = s.fb;
	CU_ASSERT_EQUAL(weir_send(s.p.a, first_a, "1", 1, 0), 1);
	CU_ASSERT_EQUAL(weir_send(s.p.a, s.fa, "2", 1, 0), 1);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(s.n_recv, 1);
	weir_close(s.p.a, first_a);
	pair_pass(&s.p, 2000);
	s.fb = first_b;
	close_scene(&s);
}

static void
other_callbacks_set_inside_get_what_comes_next(void)
{
	struct scene s;

	open_scene(&s, SOCK_STREAM, false);
	s.swaps = true;
	send_all(&s, 10);
	CU_ASSERT_EQUAL(s.n_recv, 1);
	send_all(&s, 10);
	send_all(&s, 10);
	CU_ASSERT_EQUAL(s.n_recv, 1);
	CU_ASSERT_EQUAL(s.n_other, 2);
	close_scene(&s);
}

static void
block(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct scene *s = arg;
	struct pollfd pfd = {.fd = fd, .events = POLLPRI};
	struct sockaddr_storage ss;
	const socklen_t ss_len = pair_addr('a', AF_INET, 9, &ss);
	const int own = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	struct weir_account a;
	char byte;

	s->n_recv++;
	CU_ASSERT_EQUAL(weir_recv(st, fd, &byte, 1, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_connect(st, own, (struct sockaddr *)&ss, ss_len), -EINPROGRESS);
	CU_ASSERT_EQUAL(weir_recv(st, own, &byte, 1, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_send(st, own, "x", 1, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_accept(st, s->victim, NULL, NULL, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_poll(st, &pfd, 1, -1), 0);
	CU_ASSERT_EQUAL(weir_stack_account(st, &a), -EWOULDBLOCK);
	CU_ASSERT_EQUAL(weir_close(st, own), 0);
	CU_ASSERT_EQUAL(weir_send(st, fd, buf, len, 0), (ssize_t)len);
}

static void
what_would_wait_returns_inside_and_sending_works(void)
{
	struct scene s;
	const struct weir_callbacks cb = {.recv = block, .arg = &s};
	char buf[8];
	int fd, plain;

	open_scene(&s, SOCK_STREAM, false);
	plain = open_at(&s, SOCK_STREAM, 81, NULL);
	CU_ASSERT_EQUAL(weir_listen(s.p.b, plain, 1), 0);
	s.victim = plain;
	fd = open_at(&s, SOCK_STREAM, 82, &cb);
	CU_ASSERT_EQUAL(weir_listen(s.p.b, fd, 1), 0);
	weir_close(s.p.a, s.fa);
	s.fa = connect_to(&s, SOCK_STREAM, 82);
	CU_ASSERT_EQUAL(weir_send(s.p.a, s.fa, "echo", 4, 0), 4);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(s.n_recv, 1);
	CU_ASSERT_EQUAL(weir_recv(s.p.a, s.fa, buf, 8, MSG_DONTWAIT), 4);
	weir_close(s.p.b, fd);
	weir_close(s.p.b, plain);
	close_scene(&s);
}

static void
events_come_by_callback(void)
{
	struct scene s;
	const int on = 1;

	open_scene(&s, SOCK_STREAM, false);
	CU_ASSERT_EQUAL(s.told[WEIR_EV_ACCEPT], 1);
	weir_setsockopt(s.p.b, s.fb, IPPROTO_TCP, TCP_KEEPIDLE, &on, sizeof(on));
	weir_setsockopt(s.p.b, s.fb, IPPROTO_TCP, TCP_KEEPINTVL, &on, sizeof(on));
	weir_setsockopt(s.p.b, s.fb, IPPROTO_TCP, TCP_KEEPCNT, &on, sizeof(on));
	weir_setsockopt(s.p.b, s.fb, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	weir_shutdown(s.p.a, s.fa, SHUT_WR);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL(s.told[WEIR_EV_PEERCLOSE], 1);
	weir_cable_set(s.p.cable, 0, &(struct weir_impair){.loss_ppm = 1000000});
	pair_pass(&s.p, 5000000);
	CU_ASSERT_EQUAL(s.told[WEIR_EV_KEEPALIVEDOWN], 1);
	CU_ASSERT_EQUAL(s.told[WEIR_EV_CLOSE], 1);
	CU_ASSERT_EQUAL(s.error, ETIMEDOUT);
	weir_cable_set(s.p.cable, 0, &(struct weir_impair){0});
	close_scene(&s);
}

static void
packets_are_received_without_callbacks_or_copies(void)
{
	struct scene s;
	struct weir_from from;
	struct rte_mbuf *m, *kept;
	int fa, fb;

	open_scene(&s, SOCK_DGRAM, false);
	CU_ASSERT_EQUAL(weir_recv_mbuf(s.p.b, s.fb, &m, &from, 0), -EINVAL);
	pair_connect(&s.p, AF_INET, 81, &fa, &fb);
	CU_ASSERT_EQUAL(weir_recv_mbuf(s.p.b, fb, &m, &from, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_send(s.p.a, fa, "hello", 5, 0), 5);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL_FATAL(weir_recv_mbuf(s.p.b, fb, &kept, &from, 0), 5);
	CU_ASSERT(memcmp(rte_pktmbuf_mtod(kept, char *), "hello", 5) == 0);
	CU_ASSERT_EQUAL(from.addr.in.sin_addr.s_addr, htonl(0x0a000001));
	CU_ASSERT_EQUAL(lent(&s), 1);
	CU_ASSERT_EQUAL(weir_recv_mbuf(s.p.b, fb, &m, NULL, MSG_DONTWAIT), -EAGAIN);
	CU_ASSERT_EQUAL(weir_send(s.p.a, fa, "x", 1, 0), 1);
	weir_shutdown(s.p.a, fa, SHUT_WR);
	pair_pass(&s.p, 2000);
	s.p.b->socks.lent_max = 1;
	CU_ASSERT_EQUAL(weir_recv_mbuf(s.p.b, fb, &m, NULL, 0), -ENOBUFS);
	weir_mbuf_free(kept);
	CU_ASSERT_EQUAL_FATAL(weir_recv_mbuf(s.p.b, fb, &m, NULL, 0), 1);
	CU_ASSERT_EQUAL(weir_send_mbuf(s.p.b, fb, m, NULL, 0), 0);
	CU_ASSERT_EQUAL(weir_recv_mbuf(s.p.b, fb, &m, NULL, 0), 0);
	CU_ASSERT_PTR_NULL(m);
	pair_pass(&s.p, 2000);
	weir_close(s.p.a, fa);
	weir_close(s.p.b, fb);
	fb = open_at(&s, SOCK_DGRAM, 82, NULL);
	weir_close(s.p.a, s.fa);
	s.fa = connect_to(&s, SOCK_DGRAM, 82);
	weir_send(s.p.a, s.fa, "", 0, 0);
	pair_pass(&s.p, 2000);
	CU_ASSERT_EQUAL_FATAL(weir_recv_mbuf(s.p.b, fb, &m, &from, MSG_DONTWAIT), 0);
	CU_ASSERT_PTR_NOT_NULL(m);
	weir_mbuf_free(m);
	weir_close(s.p.b, fb);
	close_scene(&s);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(kept_packets_close_the_window_until_they_are_back),
		UNIT(too_much_held_stalls_connections_and_drops_datagrams),
		UNIT(kept_packets_outlive_their_socket),
		UNIT(a_kept_packet_goes_out_through_any_socket),
		UNIT(closing_the_socket_inside_is_the_end_of_its_callbacks),
		UNIT(closing_another_socket_of_the_worker_is_the_end_of_its_callbacks),
		UNIT(other_callbacks_set_inside_get_what_comes_next),
		UNIT(what_would_wait_returns_inside_and_sending_works),
		UNIT(events_come_by_callback),
		UNIT(packets_are_received_without_callbacks_or_copies),
		{0},
	};

	return unit_main("api_callbacks", tests, true);
}
