/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits to be told beside data, and is not asked for: saved SYNs, time stamps. */
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>

#include "pair.h"

#define PORT 80
#define STAMPS                                                                                \
	(SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK | \
		SOF_TIMESTAMPING_SOFTWARE)

static int
set(struct weir_stack *st, int fd, int level, int name, int v)
{
	return weir_setsockopt(st, fd, level, name, &v, sizeof(v));
}

static int
listener(struct weir_stack *st)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, PORT, &ss);
	const int fd = weir_socket(st, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(weir_bind(st, fd, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(st, fd, 8), 0);
	return fd;
}

static int
connect_to_b(struct pair *p)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, PORT, &ss);
	const int fd = weir_socket(p->a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	weir_connect(p->a, fd, (struct sockaddr *)&ss, len);
	pair_pass(p, 5000);
	return fd;
}

static socklen_t
saved(struct weir_stack *st, int fd)
{
	char syn[200];
	socklen_t len = sizeof(syn);

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len), 0);
	return len;
}

/* pair_close() misses none of their mbufs. */
static void
syns_that_nobody_reads_are_freed(void)
{
	struct pair p;
	int lfd, fa, fb, more;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = 2});
	lfd = listener(p.b);
	CU_ASSERT_EQUAL(set(p.b, lfd, IPPROTO_TCP, TCP_SAVE_SYN, 2), 0);
	fa = connect_to_b(&p);
	fb = weir_accept(p.b, lfd, NULL, NULL, 0);
	CU_ASSERT_EQUAL(saved(p.b, fb), 14 + 20 + 40);
	CU_ASSERT_EQUAL(saved(p.b, fb), 0);
	weir_close(p.b, fb);
	weir_close(p.a, fa);
	fa = connect_to_b(&p);
	more = connect_to_b(&p);
	fb = weir_accept(p.b, lfd, NULL, NULL, 0);
	pair_pass(&p, 5000000); /* it sleeps, and keeps its SYN */
	weir_close(p.b, fb);
	weir_close(p.b, lfd); /* one is not accepted */
	weir_close(p.a, fa);
	weir_close(p.a, more);
	pair_close(&p);
}

/* They are as many as an error queue takes; who is inside callbacks gets them as well. */
static void
stamps_that_nobody_reads_are_freed(void)
{
	struct pair p;
	int lfd, fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	lfd = listener(p.b);
	CU_ASSERT_EQUAL(set(p.b, lfd, SOL_SOCKET, SO_TIMESTAMPING, STAMPS), 0);
	fa = connect_to_b(&p);
	fb = weir_accept(p.b, lfd, NULL, NULL, 0);
	for (unsigned int i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(weir_send(p.b, fb, "data", 4, 0), 4);
		pair_pass(&p, 1000);
	}
	weir_send(p.b, fb, "more", 4, 0);
	pair_step(&p);
	weir_close(p.b, fb);
	weir_close(p.b, lfd);
	weir_close(p.a, fa);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(syns_that_nobody_reads_are_freed),
		UNIT(stamps_that_nobody_reads_are_freed),
		{0},
	};

	return unit_main("api_stamps", tests, true);
}
