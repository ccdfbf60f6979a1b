/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams both ways over a cable that loses, reorders, duplicates and corrupts: every byte arrives,
 * in order, once; and the same seed gives the same run. MiB each way: WEIR_LOSSY_MB, or 8.
 */
#include <stdlib.h>

#include "pair.h"

#define MIB	  (1024u * 1024)
#define FLOWS	  4 /* connections, so that every worker has work */
#define CHUNK	  16384
#define STEPS_MAX 2000000000u

/* One direction of one connection; the byte at offset i is pattern(seed, i). */
struct stream {
	struct weir_stack *from, *to;
	int from_fd, to_fd;
	uint64_t size, sent, got;
	uint32_t seed;
	bool is_bad;
};

static uint8_t
pattern(uint32_t seed, uint64_t i)
{
	return (uint8_t)((i * 131 + (i >> 8) * 31 + seed) & 0xff);
}

static void
send_some(struct stream *s)
{
	uint8_t buf[CHUNK];
	const size_t len = RTE_MIN((uint64_t)CHUNK, s->size - s->sent);
	ssize_t n;

	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++)
		buf[i] = pattern(s->seed, s->sent + i);
	n = weir_send(s->from, s->from_fd, buf, len, 0);
	if (n > 0)
		s->sent += (uint64_t)n;
	else
		s->is_bad |= n != -EAGAIN;
	if (s->sent == s->size)
		weir_shutdown(s->from, s->from_fd, SHUT_WR);
}

static void
recv_some(struct stream *s)
{
	uint8_t buf[CHUNK];
	const ssize_t n = weir_recv(s->to, s->to_fd, buf, sizeof(buf), 0);

	if (n == -EAGAIN)
		return;
	if (n == 0) {
		s->is_bad |= s->got != s->size;
		return;
	}
	if (n < 0) {
		s->is_bad = true;
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		s->is_bad |= buf[i] != pattern(s->seed, s->got + (uint64_t)i);
	s->got += (uint64_t)n;
}

static bool
is_writable(struct stream *s)
{
	struct pollfd p = {.fd = s->from_fd, .events = POLLOUT};

	return s->sent < s->size && weir_poll(s->from, &p, 1, 0) == 1;
}

static bool
run_all(struct pair *p, struct stream *s, unsigned int n)
{
	for (uint64_t step = 0; step < STEPS_MAX; step++) {
		bool is_done = true;

		for (unsigned int i = 0; i < n; i++) {
			if (is_writable(&s[i]))
				send_some(&s[i]);
			recv_some(&s[i]);
			if (s[i].is_bad)
				return false;
			is_done &= s[i].got == s[i].size;
		}
		if (is_done)
			return true;
		pair_step(p);
	}
	return false;
}

/* What a run looked like, to compare two of them. */
struct result {
	uint64_t end_us;
	struct weir_cable_stats cable[2];
	uint64_t rexmit;
};

static void
run(unsigned int workers, uint64_t mib, uint64_t seed, struct result *r)
{
	const struct pair_conf pc = {
		.workers = workers,
		.seed = seed,
		.impair = {.loss_ppm = 20000,
			.reorder_ppm = 10000,
			.reorder_pkts = 3,
			.dup_ppm = 10000,
			.corrupt_ppm = 10000},
	};
	struct stream s[2 * FLOWS];
	struct pair p;

	pair_open(&p, &pc);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct stream *ab = &s[2 * i], *ba = &s[2 * i + 1];

		*ab = (struct stream){.from = p.a, .to = p.b, .size = mib * MIB / FLOWS, .seed = i};
		*ba = (struct stream){
			.from = p.b, .to = p.a, .size = mib * MIB / FLOWS, .seed = ~i};
		pair_connect(&p, i % 2 ? AF_INET6 : AF_INET, (uint16_t)(80 + i), &ab->from_fd,
			&ab->to_fd);
		ba->from_fd = ab->to_fd;
		ba->to_fd = ab->from_fd;
	}
	CU_ASSERT(run_all(&p, s, 2 * FLOWS));
	memset(r, 0, sizeof(*r));
	r->end_us = weir_clock_now_us(&p.clock);
	for (unsigned int w = 0; w < p.a->n_workers; w++)
		r->rexmit += p.a->workers[w]->tcp.stats.rexmit_segs;
	weir_cable_stats(p.cable, 0, &r->cable[0]);
	weir_cable_stats(p.cable, 1, &r->cable[1]);
	for (unsigned int i = 0; i < 2 * FLOWS; i += 2) {
		weir_close(p.a, s[i].from_fd);
		weir_close(p.b, s[i].to_fd);
	}
	pair_pass(&p, 200000000); /* the last FINs, TIME_WAIT */
	CU_ASSERT_EQUAL(p.a->socks.used, 0);
	CU_ASSERT_EQUAL(p.b->socks.used, 0);
	pair_close(&p);
}

static uint64_t
mib_each_way(void)
{
	const char *text = getenv("WEIR_LOSSY_MB");

	return text == NULL ? 8 : strtoull(text, NULL, 10);
}

static void
bytes_survive(unsigned int workers)
{
	struct result r;

	run(workers, mib_each_way(), 42, &r);
	CU_ASSERT(r.cable[0].lost > 0 && r.cable[0].corrupted > 0);
	CU_ASSERT(r.cable[0].duplicated > 0 && r.cable[0].reordered > 0);
	CU_ASSERT(r.rexmit > 0);
}

static void
bytes_survive_with_one_worker(void)
{
	bytes_survive(1);
}

static void
bytes_survive_with_two_workers(void)
{
	bytes_survive(2);
}

static void
bytes_survive_with_four_workers(void)
{
	bytes_survive(4);
}

static void
the_same_seed_gives_the_same_run(void)
{
	struct result one, two, other;

	run(2, 1, 7, &one);
	run(2, 1, 7, &two);
	run(2, 1, 8, &other);
	CU_ASSERT(memcmp(&one, &two, sizeof(one)) == 0);
	CU_ASSERT(memcmp(&one, &other, sizeof(one)) != 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(the_same_seed_gives_the_same_run),
		UNIT(bytes_survive_with_one_worker),
		UNIT(bytes_survive_with_two_workers),
		UNIT(bytes_survive_with_four_workers),
		{0},
	};

	return unit_main("api_lossy", tests, true);
}
