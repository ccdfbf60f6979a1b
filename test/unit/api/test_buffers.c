/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers that grow: a long fat path is filled where the application lets them, and not where it
 * chose a size. And a worker that was held up: it reads what waits before its timers fire.
 */
#include "pair.h"

#define RTT_MS	100
#define CHUNK	65536
#define SECOND	UINT64_C(1000000)
#define RUN_US	(5 * SECOND)
#define LAST_US (1 * SECOND)
#define SMALL                                                                              \
	100000 /* chosen by the application; twice that is memory, half of which is window \
		*/

static struct pair p;
static int from, to;
static uint8_t chunk[CHUNK];

static const struct pair_conf long_fat = {
	.mbufs = 40000,
	.impair = {.delay_us = RTT_MS * 1000 / 2,
		.rate_bps = UINT64_C(1000000000),
		.queue_bytes = 8 << 20},
};

static uint64_t
read_all(void)
{
	uint64_t got = 0;
	ssize_t n;

	while ((n = weir_recv(p.b, to, chunk, sizeof(chunk), 0)) > 0)
		got += (uint64_t)n;
	CU_ASSERT(n == -EAGAIN || n == 0);
	return got;
}

/* Send as fast as it goes. @return Mbit/s of the last second */
static uint64_t
goodput_mbps(void)
{
	const uint64_t start_us = weir_clock_now_us(&p.clock);
	uint64_t now_us = start_us, last = 0;

	while (now_us - start_us < RUN_US) {
		while (weir_send(p.a, from, chunk, sizeof(chunk), 0) == sizeof(chunk))
			;
		now_us = weir_clock_now_us(&p.clock);
		if (now_us - start_us >= RUN_US - LAST_US)
			last += read_all();
		else
			read_all();
		pair_step(&p);
	}
	return last * 8 / LAST_US;
}

static void
finish(void)
{
	weir_close(p.a, from);
	for (unsigned int i = 0; i < 100; i++) {
		pair_pass(&p, RTT_MS * 1000 / 4);
		read_all();
	}
	weir_close(p.b, to);
	pair_pass(&p, 200 * SECOND);
	pair_close(&p);
}

static int
option(struct weir_stack *st, int fd, int name)
{
	int v = 0;
	socklen_t len = sizeof(v);

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, SOL_SOCKET, name, &v, &len), 0);
	return v;
}

static void
long_fat_path_is_filled_by_buffers_that_grow(void)
{
	uint64_t mbps;

	pair_open(&p, &long_fat);
	pair_connect(&p, AF_INET, 80, &from, &to);
	mbps = goodput_mbps();
	printf("[%llu Mbit/s at %d ms] ", (unsigned long long)mbps, RTT_MS);
	CU_ASSERT(mbps >= 150); /* 21 by the buffers of the start */
	CU_ASSERT(option(p.b, to, SO_RCVBUF) > 4 << 20);
	CU_ASSERT(option(p.a, from, SO_SNDBUF) > 1 << 20);
	finish();
}

static void
size_that_was_chosen_stays(void)
{
	const int size = SMALL;
	uint64_t mbps;

	pair_open(&p, &long_fat);
	pair_connect(&p, AF_INET, 80, &from, &to);
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, to, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	mbps = goodput_mbps();
	printf("[%llu Mbit/s] ", (unsigned long long)mbps);
	CU_ASSERT(mbps <= 25);
	CU_ASSERT_EQUAL(option(p.b, to, SO_RCVBUF), 2 * SMALL);
	finish();
}

/* Nobody reads: what was announced at the start is all that comes. */
static void
buffer_does_not_grow_for_who_does_not_read(void)
{
	pair_open(&p, &long_fat);
	pair_connect(&p, AF_INET, 80, &from, &to);
	for (unsigned int i = 0; i < 400; i++) {
		while (weir_send(p.a, from, chunk, sizeof(chunk), 0) == sizeof(chunk))
			;
		pair_pass(&p, 10000);
	}
	CU_ASSERT_EQUAL(option(p.b, to, SO_RCVBUF), 512 << 10);
	CU_ASSERT(read_all() <= 512 << 10);
	finish();
}

/* All of a worker's pool can hold what its connections are promised: they grow within an eighth. */
static void
growth_is_bounded_by_the_pool(void)
{
	const struct pair_conf conf = {.mbufs = 8192, .impair = long_fat.impair};

	pair_open(&p, &conf);
	pair_connect(&p, AF_INET, 80, &from, &to);
	goodput_mbps();
	CU_ASSERT((uint64_t)option(p.b, to, SO_RCVBUF) <= p.b->workers[0]->tcp.held_max / 4);
	CU_ASSERT(option(p.b, to, SO_RCVBUF) > 1 << 20);
	finish();
}

#define CONNS 96 /* more than two bursts */

/* RFC 8985 7.2 means silence of the path, not of our own core. */
static void
answers_that_waited_for_a_late_worker_come_before_its_timers(void)
{
	const struct pair_conf conf = {.impair = {.delay_us = 1000}};
	int a[CONNS], b[CONNS];
	uint8_t buf[64] = {0};

	pair_open(&p, &conf);
	for (unsigned int i = 0; i < CONNS; i++)
		pair_connect(&p, AF_INET, (uint16_t)(100 + i), &a[i], &b[i]);
	pair_pass(&p, SECOND);
	for (unsigned int i = 0; i < CONNS; i++)
		CU_ASSERT_EQUAL(weir_send(p.a, a[i], buf, sizeof(buf), 0), sizeof(buf));
	weir_stack_step(p.a);
	for (unsigned int i = 0; i < 20; i++) { /* b answers; a's core is elsewhere */
		weir_clock_advance(&p.clock, 500);
		weir_stack_step(p.b);
		for (unsigned int k = 0; k < CONNS; k++)
			if (weir_recv(p.b, b[k], buf, sizeof(buf), 0) > 0)
				weir_send(p.b, b[k], buf, sizeof(buf), 0);
	}
	weir_clock_advance(&p.clock, 2 * SECOND);
	weir_stack_step(p.a);
	pair_pass(&p, SECOND / 100);
	CU_ASSERT_EQUAL(p.a->workers[0]->tcp.stats.loss_probes, 0);
	CU_ASSERT_EQUAL(p.a->workers[0]->tcp.stats.rexmit_segs, 0);
	CU_ASSERT_EQUAL(p.a->workers[0]->tcp.stats.rto_fired, 0);
	for (unsigned int i = 0; i < CONNS; i++) {
		weir_close(p.a, a[i]);
		weir_close(p.b, b[i]);
	}
	pair_pass(&p, 200 * SECOND);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(long_fat_path_is_filled_by_buffers_that_grow),
		UNIT(size_that_was_chosen_stays),
		UNIT(buffer_does_not_grow_for_who_does_not_read),
		UNIT(growth_is_bounded_by_the_pool),
		UNIT(answers_that_waited_for_a_late_worker_come_before_its_timers),
		{0},
	};

	return unit_main("api_buffers", tests, true);
}
