/* SPDX-License-Identifier: BSD-3-Clause */
/* weir_stack_account(): in equals ended plus held, whatever happened on the way. */
#include "pair.h"

#include <errno.h>

enum { ESTABLISHED = 4, TIME_WAIT = 10 }; /* places in weir_account.in_state */

static struct weir_account
account(struct weir_stack *st)
{
	struct weir_account a;

	CU_ASSERT_EQUAL_FATAL(weir_stack_account(st, &a), 0);
	CU_ASSERT(a.is_balanced);
	CU_ASSERT_EQUAL(a.rx.in, a.rx.ended + a.rx.held);
	CU_ASSERT_EQUAL(a.tx.in, a.tx.ended + a.tx.held);
	return a;
}

/* Send n bytes from a to b and read them there. */
static void
move_bytes(struct pair *p, int fd_a, int fd_b, size_t n)
{
	char buf[4096] = {0};
	size_t sent = 0, got = 0;

	for (unsigned int i = 0; i < 1000000 && got < n; i++) {
		ssize_t rc = sent < n
				     ? weir_send(p->a, fd_a, buf, RTE_MIN(sizeof(buf), n - sent), 0)
				     : 0;

		sent += rc > 0 ? (size_t)rc : 0;
		rc = weir_recv(p->b, fd_b, buf, sizeof(buf), 0);
		got += rc > 0 ? (size_t)rc : 0;
		pair_step(p);
	}
	CU_ASSERT_EQUAL(got, n);
}

static int
udp_socket(struct weir_stack *st, char who, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, AF_INET, port, &ss);
	const int fd = weir_socket(st, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(weir_bind(st, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void
send_dgram(struct pair *p, int fd, char who, uint16_t port, size_t n)
{
	static const char bytes[8000];
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, AF_INET, port, &ss);

	CU_ASSERT_EQUAL(
		weir_sendto(p->a, fd, bytes, n, 0, (struct sockaddr *)&ss, len), (ssize_t)n);
}

static void
expect_empty(struct weir_stack *st)
{
	const struct weir_account a = account(st);

	CU_ASSERT_EQUAL(a.sockets, 0);
	CU_ASSERT_EQUAL(a.descriptors, 0);
	CU_ASSERT_EQUAL(a.connections, 0);
	CU_ASSERT_EQUAL(a.rx.held, 0);
	CU_ASSERT_EQUAL(a.tx.held, 0);
	CU_ASSERT_EQUAL(a.n_pools, st->n_workers);
	for (unsigned int i = 0; i < a.n_pools; i++) {
		CU_ASSERT_EQUAL(a.pools[i].size, st->conf.mbufs);
		CU_ASSERT_EQUAL(a.pools[i].in_use, 0);
	}
}

static void
a_stack_that_did_nothing_balances(void)
{
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	pair_pass(&p, 10000000); /* router solicitations and announcements */
	expect_empty(p.a);
	expect_empty(p.b);
	pair_close(&p);
}

static void
sockets_and_connections_are_counted_by_state(void)
{
	struct pair p;
	struct weir_account a;
	int fa, fb, udp;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	udp = udp_socket(p.a, 'a', 1000);
	pair_connect(&p, AF_INET6, 80, &fa, &fb);
	a = account(p.a);
	CU_ASSERT_EQUAL(a.sockets, 2);
	CU_ASSERT_EQUAL(a.descriptors, 2);
	CU_ASSERT_EQUAL(a.connections, 1);
	CU_ASSERT_EQUAL(a.in_state[ESTABLISHED], 1);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 100000);
	a = account(p.a);
	CU_ASSERT_EQUAL(a.sockets, 1);
	CU_ASSERT_EQUAL(a.in_state[TIME_WAIT], 1);
	CU_ASSERT_EQUAL(weir_close(p.a, udp), 0);
	pair_pass(&p, 120000000);
	expect_empty(p.a);
	expect_empty(p.b);
	pair_close(&p);
}

static void
the_books_balance_over_a_bad_cable_with_workers(unsigned int workers)
{
	struct pair p;
	int fa, fb, udp_a, udp_b;
	const struct weir_impair bad = {.loss_ppm = 20000,
		.dup_ppm = 10000,
		.corrupt_ppm = 10000,
		.delay_us = 1000,
		.jitter_us = 500};

	pair_open(&p, &(struct pair_conf){.workers = workers, .impair = bad, .seed = 3 + workers});
	udp_a = udp_socket(p.a, 'a', 1000);
	udp_b = udp_socket(p.b, 'b', 1000);
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	for (unsigned int i = 0; i < 50; i++)
		send_dgram(
			&p, udp_a, 'b', (uint16_t)(1000 + i % 2), 100 * i); /* some have no port */
	move_bytes(&p, fa, fb, 300000);
	account(p.a);
	CU_ASSERT(account(p.b).rx.in > 300000 / 1500);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, udp_a), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, udp_b), 0);
	pair_pass(&p, 300000000);
	expect_empty(p.a);
	expect_empty(p.b);
	pair_close(&p);
}

static void
the_books_balance_over_a_bad_cable(void)
{
	the_books_balance_over_a_bad_cable_with_workers(1);
}

static void
the_books_balance_with_several_workers(void)
{
	the_books_balance_over_a_bad_cable_with_workers(2);
	the_books_balance_over_a_bad_cable_with_workers(4);
}

static void
a_packet_that_waits_for_a_neighbour_is_held(void)
{
	struct pair p;
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 7});
	fd = udp_socket(p.a, 'a', 1000);
	send_dgram(&p, fd, 'z', 1000, 10); /* nobody has this address */
	pair_step(&p);
	CU_ASSERT_EQUAL(account(p.a).tx.held, 1);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	pair_pass(&p, 60000000);
	expect_empty(p.a);
	pair_close(&p);
}

static void
fragments_that_wait_for_the_rest_are_held(void)
{
	struct pair p;
	int fd;

	pair_open(&p, &(struct pair_conf){.impair = {.loss_ppm = 300000}, .seed = 8});
	fd = udp_socket(p.a, 'a', 1000);
	for (unsigned int i = 0; i < 20; i++) {
		send_dgram(&p, fd, 'b', 1000, 4000);
		pair_pass(&p, 100000);
	}
	CU_ASSERT(account(p.b).rx.held > 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fd), 0);
	pair_pass(&p, 120000000); /* RFC 791 3.2: they are given up */
	expect_empty(p.b);
	pair_close(&p);
}

static void
a_packet_lost_track_of_is_noticed(void)
{
	struct pair p;
	struct weir_account a;

	pair_open(&p, &(struct pair_conf){.workers = 2, .seed = 9});
	p.a->workers[0]->core.rx_frames++;
	CU_ASSERT_EQUAL(weir_stack_account(p.a, &a), 0);
	CU_ASSERT_FALSE(a.rx.is_balanced);
	CU_ASSERT(a.tx.is_balanced);
	CU_ASSERT_FALSE(a.is_balanced);
	p.a->workers[1]->core.rx_frames--; /* the sums agree now, and still it is wrong */
	CU_ASSERT_EQUAL(weir_stack_account(p.a, &a), 0);
	CU_ASSERT_EQUAL(a.rx.in, a.rx.ended + a.rx.held);
	CU_ASSERT_FALSE(a.is_balanced);
	p.a->workers[0]->core.rx_frames--;
	p.a->workers[1]->core.rx_frames++;
	p.a->workers[1]->core.tx_made++;
	CU_ASSERT_EQUAL(weir_stack_account(p.a, &a), 0);
	CU_ASSERT(a.rx.is_balanced);
	CU_ASSERT_FALSE(a.tx.is_balanced);
	p.a->workers[1]->core.tx_made--;
	account(p.a);
	pair_close(&p);
}

static void
account_in_callback(struct weir_stack *st, int fd, const void *buf, size_t len,
	const struct weir_from *from, void *arg)
{
	struct weir_account a;

	*(int *)arg = weir_stack_account(st, &a);
}

static void
in_a_callback_the_books_are_open(void)
{
	const struct weir_callbacks cb = {.recv = account_in_callback, .arg = &(int){0}};
	int *const rc = cb.arg;
	struct pair p;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 10});
	fa = udp_socket(p.a, 'a', 1000);
	fb = udp_socket(p.b, 'b', 1000);
	CU_ASSERT_EQUAL(weir_set_callbacks(p.b, fb, &cb), 0);
	send_dgram(&p, fa, 'b', 1000, 1);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(*rc, -EWOULDBLOCK);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_close(&p);
}

static void
missing_arguments_are_refused(void)
{
	struct weir_account a;
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 11});
	CU_ASSERT_EQUAL(weir_stack_account(NULL, &a), -EFAULT);
	CU_ASSERT_EQUAL(weir_stack_account(p.a, NULL), -EFAULT);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_stack_that_did_nothing_balances),
		UNIT(sockets_and_connections_are_counted_by_state),
		UNIT(the_books_balance_over_a_bad_cable),
		UNIT(the_books_balance_with_several_workers),
		UNIT(a_packet_that_waits_for_a_neighbour_is_held),
		UNIT(fragments_that_wait_for_the_rest_are_held),
		UNIT(a_packet_lost_track_of_is_noticed),
		UNIT(in_a_callback_the_books_are_open),
		UNIT(missing_arguments_are_refused),
		{0},
	};

	return unit_main("account", tests, true);
}
