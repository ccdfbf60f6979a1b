/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP sockets between two stacks: what an application sees, step by step. */
#include "pair.h"

static ssize_t
recv_all(struct pair *p, struct weir_stack *st, int fd, char *buf, size_t len)
{
	size_t n = 0;

	for (unsigned int i = 0; i < 20000 && n < len; i++) {
		const ssize_t rc = weir_recv(st, fd, buf + n, len - n, 0);

		if (rc == 0)
			break;
		if (rc > 0)
			n += (size_t)rc;
		else
			pair_step(p);
	}
	return (ssize_t)n;
}

static void
data_arrives_on(int domain)
{
	struct pair p;
	int fa, fb;
	char buf[64];

	pair_open(&p, &(struct pair_conf){.seed = 1});
	pair_connect(&p, domain, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "hello", 5, 0), 5);
	CU_ASSERT_EQUAL(recv_all(&p, p.b, fb, buf, 5), 5);
	CU_ASSERT(memcmp(buf, "hello", 5) == 0);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "world", 5, 0), 5);
	CU_ASSERT_EQUAL(recv_all(&p, p.a, fa, buf, 5), 5);
	CU_ASSERT(memcmp(buf, "world", 5) == 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(recv_all(&p, p.b, fb, buf, 1), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

static void
data_arrives_both_ways_over_ip4(void)
{
	data_arrives_on(AF_INET);
}

static void
data_arrives_both_ways_over_ip6(void)
{
	data_arrives_on(AF_INET6);
}

/* What could not be given at once, for too many others had data under way, is not overtaken. */
static void
sends_stay_in_their_order_when_some_have_to_wait(void)
{
	struct pair p;
	int fa, fb;
	char buf[32] = "";
	uint32_t all;

	pair_open(&p, &(struct pair_conf){.seed = 12});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	all = p.a->workers[0]->tcp.work_max;
	p.a->workers[0]->tcp.work_max = 0;
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "first ", 6, 0), 6);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN);
	p.a->workers[0]->tcp.work_max = all;
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "second", 6, 0), 6);
	CU_ASSERT_EQUAL(recv_all(&p, p.b, fb, buf, 12), 12);
	CU_ASSERT_STRING_EQUAL(buf, "first second");
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

static void
half_close_lets_the_other_side_go_on(void)
{
	struct pair p;
	int fa, fb;
	char buf[16];

	pair_open(&p, &(struct pair_conf){.seed = 2});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "ask", 3, 0), 3);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fa, SHUT_WR), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), -EPIPE);
	CU_ASSERT_EQUAL(recv_all(&p, p.b, fb, buf, sizeof(buf)), 3);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), 0);
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "answer", 6, 0), 6);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	CU_ASSERT_EQUAL(recv_all(&p, p.a, fa, buf, sizeof(buf)), 6);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	pair_close(&p);
}

static bool
is_refused(void *arg)
{
	struct pair *p = arg;
	struct pollfd pfd = {.fd = 0, .events = POLLOUT};

	return weir_poll(p->a, &pfd, 1, 0) == 1;
}

static void
connect_to_a_closed_port_is_refused(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 9, &ss);
	int fd, error;
	socklen_t elen = sizeof(error);

	pair_open(&p, &(struct pair_conf){.seed = 3});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(fd, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EALREADY);
	CU_ASSERT(pair_until(&p, is_refused, &p, 1000));
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, SOL_SOCKET, SO_ERROR, &error, &elen), 0);
	CU_ASSERT_EQUAL(error, ECONNREFUSED);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	pair_close(&p);
}

/* RFC 5461 4: no answer to ARP or neighbour solicitations is known after three seconds. */
static void
connect_to_a_silent_neighbour_fails_soon(int domain)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('z', domain, 9, &ss);
	int fd, error;
	socklen_t elen = sizeof(error);

	pair_open(&p, &(struct pair_conf){.seed = 3});
	fd = weir_socket(p.a, domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 2900000);
	CU_ASSERT(!is_refused(&p));
	pair_pass(&p, 200000);
	CU_ASSERT(is_refused(&p));
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, SOL_SOCKET, SO_ERROR, &error, &elen), 0);
	CU_ASSERT_EQUAL(error, EHOSTUNREACH);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	pair_close(&p);
}

static void
connect_to_a_silent_neighbour_fails_soon_over_both(void)
{
	connect_to_a_silent_neighbour_fails_soon(AF_INET);
	connect_to_a_silent_neighbour_fails_soon(AF_INET6);
}

static void
connections_survive_a_link_that_goes_and_comes(void)
{
	struct pair p;
	char buf[8];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 11});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	weir_cable_link(p.cable, false);
	pair_pass(&p, 2000000);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "late", 4, 0), 4);
	pair_pass(&p, 5000000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), 0), -EAGAIN);
	weir_cable_link(p.cable, true);
	CU_ASSERT_EQUAL(recv_all(&p, p.b, fb, buf, 4), 4);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

static void
closing_with_unread_data_resets(void)
{
	struct pair p;
	int fa, fb;
	char buf[16];

	pair_open(&p, &(struct pair_conf){.seed = 4});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "unread", 6, 0), 6);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), -ECONNRESET);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, buf, sizeof(buf), 0), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), -EPIPE);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	pair_close(&p);
}

static void
peek_leaves_the_data_and_waitall_is_no_hang(void)
{
	struct pair p;
	int fa, fb;
	char buf[16];

	pair_open(&p, &(struct pair_conf){.seed = 5});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "abc", 3, 0), 3);
	pair_pass(&p, 1000);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "def", 3, 0), 3);
	pair_pass(&p, 50000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), MSG_PEEK), 6);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 4, MSG_PEEK), 4);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, sizeof(buf), MSG_WAITALL), 6);
	CU_ASSERT(memcmp(buf, "abcdef", 6) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
a_full_send_buffer_says_eagain_and_recovers(void)
{
	static char big[65536], buf[65536];
	struct pair p;
	int fa, fb;
	size_t sent = 0, got = 0;
	ssize_t n;

	pair_open(&p, &(struct pair_conf){.seed = 6});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	for (unsigned int i = 0; i < 2000; i++) { /* until both buffers are full */
		n = weir_send(p.a, fa, big, sizeof(big), 0);
		if (n > 0)
			sent += (size_t)n;
		else
			CU_ASSERT_EQUAL(n, -EAGAIN);
		pair_step(&p);
	}
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, sizeof(big), 0), -EAGAIN);
	for (unsigned int i = 0; i < 200000 && got < sent; i++) {
		n = weir_recv(p.b, fb, buf, sizeof(buf), 0);
		if (n > 0)
			got += (size_t)n;
		else
			pair_step(&p);
	}
	CU_ASSERT_EQUAL(got, sent);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 1000, 0), 1000);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* Callbacks: an echo server in buffer mode, one in MBUF mode. */

struct counts {
	unsigned int accepts, peercloses, closes;
	size_t bytes;
};

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct counts *c = arg;

	c->accepts += ev == WEIR_EV_ACCEPT;
	c->peercloses += ev == WEIR_EV_PEERCLOSE;
	c->closes += ev == WEIR_EV_CLOSE;
	if (ev == WEIR_EV_PEERCLOSE)
		CU_ASSERT_EQUAL(weir_close(st, fd), 0);
}

static void
echo_buf(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct counts *c = arg;

	CU_ASSERT_PTR_NOT_NULL(from);
	c->bytes += len;
	CU_ASSERT_EQUAL(weir_send(st, fd, buf, len, 0), (ssize_t)len);
}

static void
echo_mbuf(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	struct counts *c = arg;

	c->bytes += m->pkt_len;
	CU_ASSERT_EQUAL(weir_send_mbuf(st, fd, m, NULL, 0), 0);
}

static void
echo_with(const struct weir_callbacks *cb, struct counts *c, unsigned int workers)
{
	static char out[100000], in[100000];
	struct pair p;
	struct sockaddr_storage ss;
	socklen_t len = pair_addr('b', AF_INET, 7, &ss);
	size_t sent = 0, got = 0;
	int l, fd;

	pair_open(&p, &(struct pair_conf){.seed = 7, .workers = workers});
	l = weir_socket(p.b, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.b, l, cb), 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	for (unsigned int i = 0; i < 100000 && got < sizeof(in); i++) {
		ssize_t n = sent < sizeof(out) ? weir_send(p.a, fd, out + sent,
							 RTE_MIN(sizeof(out) - sent, 9000ul), 0)
					       : 0;

		sent += n > 0 ? (size_t)n : 0;
		n = weir_recv(p.a, fd, in + got, sizeof(in) - got, 0);
		got += n > 0 ? (size_t)n : 0;
		pair_step(&p);
	}
	CU_ASSERT_EQUAL(got, sizeof(in));
	CU_ASSERT(memcmp(in, out, sizeof(in)) == 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(c->bytes, sizeof(out));
	CU_ASSERT_EQUAL(p.b->socks.used, 1); /* the listener alone */
	CU_ASSERT_EQUAL(weir_close(p.b, l), 0);
	pair_close(&p);
}

static void
buffer_callbacks_echo(void)
{
	for (unsigned int workers = 1; workers <= 4; workers *= 2) {
		struct counts c = {0};
		const struct weir_callbacks cb = {.recv = echo_buf, .event = on_event, .arg = &c};

		echo_with(&cb, &c, workers);
		CU_ASSERT_EQUAL(c.accepts, 1);
		CU_ASSERT_EQUAL(c.peercloses, 1);
		CU_ASSERT_EQUAL(c.closes, 0); /* closed by its own callback before */
	}
}

static void
mbuf_callbacks_echo_without_a_copy(void)
{
	struct counts c = {0};
	const struct weir_callbacks cb = {.recv_mbuf = echo_mbuf, .arg = &c};

	echo_with(&cb, &c, 1); /* without an event callback: closed by itself */
}

static void
closing_a_listener_resets_what_nobody_accepted(void)
{
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 80, &ss);
	char buf[4];
	int l, fd;

	pair_open(&p, &(struct pair_conf){.seed = 8, .workers = 2});
	l = weir_socket(p.b, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fd, buf, 4, 0), -EAGAIN);
	CU_ASSERT_EQUAL(weir_close(p.b, l), 0);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fd, buf, 4, 0), -ECONNRESET);
	CU_ASSERT_EQUAL(p.b->socks.used, 0);
	weir_close(p.a, fd);
	pair_close(&p);
}

struct held {
	int fd;
	size_t bytes;
	bool is_closed;
};

static void
held_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct held *h = arg;

	if (ev == WEIR_EV_ACCEPT) {
		h->fd = fd;
		CU_ASSERT_EQUAL(weir_set_receiving(st, fd, false), 0);
	}
	h->is_closed |= ev == WEIR_EV_PEERCLOSE;
	if (ev == WEIR_EV_PEERCLOSE)
		weir_close(st, fd);
}

static void
held_recv(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	struct held *h = arg;

	CU_ASSERT_FALSE(h->is_closed);
	h->bytes += len;
	CU_ASSERT_EQUAL(weir_set_receiving(st, fd, false), 0); /* one packet at a time */
}

static void
data_held_by_callbacks_slows_the_peer_and_comes_before_its_end(void)
{
	static char big[65536];
	struct held h = {.fd = -1};
	const struct weir_callbacks cb = {.recv = held_recv, .event = held_event, .arg = &h};
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 7, &ss);
	size_t sent = 0, sent_before;
	int l, fd;

	pair_open(&p, &(struct pair_conf){.seed = 9});
	l = weir_socket(p.b, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_set_receiving(p.b, l, false), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.b, l, &cb), 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 10000);
	do {
		sent_before = sent;
		for (unsigned int i = 0; i < 1000; i++) {
			const ssize_t n = weir_send(p.a, fd, big, sizeof(big), 0);

			sent += n > 0 ? (size_t)n : 0;
			pair_step(&p);
		}
	} while (sent != sent_before); /* until nobody takes any more */
	CU_ASSERT_EQUAL(h.bytes, 0);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fd, SHUT_WR), 0);
	pair_pass(&p, 10000);
	for (unsigned int i = 0; i < 100000 && !h.is_closed; i++) {
		weir_set_receiving(p.b, h.fd, true);
		pair_step(&p);
	}
	CU_ASSERT(h.is_closed);
	CU_ASSERT_EQUAL(h.bytes, sent);
	weir_close(p.a, fd);
	weir_close(p.b, l);
	pair_close(&p);
}

/* A callback that opens another connection where only one may work: its own is not put to sleep. */
struct opener {
	int fd, other;
	bool is_closed;
};

static void
opener_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	struct opener *o = arg;

	if (ev == WEIR_EV_ACCEPT) {
		o->fd = fd;
		CU_ASSERT_EQUAL(weir_set_receiving(st, fd, false), 0);
	}
	o->is_closed |= ev == WEIR_EV_PEERCLOSE;
}

static void
opener_recv(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg)
{
	struct opener *o = arg;

	o->other = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	weir_connect(st, o->other, &from->addr.sa, from->addr_len);
}

static void
no_event_is_lost_when_a_callback_takes_the_last_connection(void)
{
	struct opener o = {.fd = -1, .other = -1};
	const struct weir_callbacks cb = {.recv = opener_recv, .event = opener_event, .arg = &o};
	struct pair p;
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, 7, &ss);
	int l, fd;

	pair_open(&p, &(struct pair_conf){.seed = 13});
	l = weir_socket(p.b, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.b, l, &cb), 0);
	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0);
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "x", 1, 0), 1);
	CU_ASSERT_EQUAL(weir_shutdown(p.a, fd, SHUT_WR), 0);
	pair_pass(&p, 500000);
	p.b->workers[0]->tcp.work_max = 1;
	CU_ASSERT_EQUAL(weir_set_receiving(p.b, o.fd, true), 0);
	pair_pass(&p, 10000);
	CU_ASSERT(o.other >= 0);
	CU_ASSERT(o.is_closed);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, o.fd), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, o.other), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, l), 0);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(data_arrives_both_ways_over_ip4),
		UNIT(data_arrives_both_ways_over_ip6),
		UNIT(sends_stay_in_their_order_when_some_have_to_wait),
		UNIT(half_close_lets_the_other_side_go_on),
		UNIT(connect_to_a_closed_port_is_refused),
		UNIT(connect_to_a_silent_neighbour_fails_soon_over_both),
		UNIT(connections_survive_a_link_that_goes_and_comes),
		UNIT(closing_with_unread_data_resets),
		UNIT(peek_leaves_the_data_and_waitall_is_no_hang),
		UNIT(a_full_send_buffer_says_eagain_and_recovers),
		UNIT(buffer_callbacks_echo),
		UNIT(mbuf_callbacks_echo_without_a_copy),
		UNIT(closing_a_listener_resets_what_nobody_accepted),
		UNIT(data_held_by_callbacks_slows_the_peer_and_comes_before_its_end),
		UNIT(no_event_is_lost_when_a_callback_takes_the_last_connection),
		{0},
	};

	return unit_main("api_tcp", tests, true);
}
