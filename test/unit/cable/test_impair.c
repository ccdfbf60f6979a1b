/* SPDX-License-Identifier: BSD-3-Clause */
#include "cable_rig.h"

#define N 3000

struct line_rig {
	struct rte_mempool *pool;
	struct weir_line *line;
	uint64_t now_us;
	struct weir_line_stats s;
	unsigned int n;
	uint16_t got[2 * N + 1]; /* numbers of the frames as they came out */
	uint64_t when_us[2 * N + 1];
};

static void
line_open(struct line_rig *r, const struct weir_impair *impair, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	r->pool = unit_pool("line", RIG_MBUFS);
	r->now_us = 1000000;
	CU_ASSERT_EQUAL_FATAL(weir_line_new(impair, seed, 4000, SOCKET_ID_ANY, &r->line), 0);
}

static void
line_pull(struct line_rig *r)
{
	struct rte_mbuf *m;

	while (weir_line_pull(r->line, r->now_us, &m, 1) == 1) {
		r->got[r->n] = udp_sport(m);
		r->when_us[r->n++] = r->now_us;
		rte_pktmbuf_free(m);
	}
}

/* Push frames first..first+n-1, one every gap_us, pulling what is due. */
static void
line_push(struct line_rig *r, unsigned int first, unsigned int n, uint32_t payload, uint64_t gap_us)
{
	for (unsigned int i = first; i < first + n; i++) {
		weir_line_push(r->line, udp_frame(r->pool, (uint16_t)i, payload), r->now_us);
		r->now_us += gap_us;
		line_pull(r);
	}
}

/* Let time pass until the line is empty; each pull at the time the line names. */
static void
line_wait(struct line_rig *r)
{
	uint64_t next;

	while ((next = weir_line_next_us(r->line)) != UINT64_MAX) {
		r->now_us = RTE_MAX(r->now_us, next);
		line_pull(r);
	}
}

static void
line_close(struct line_rig *r)
{
	weir_line_stats(r->line, &r->s);
	CU_ASSERT_EQUAL(r->s.pushed + r->s.duplicated,
		r->s.pulled + r->s.lost + r->s.dropped_full + r->s.held);
	weir_line_free(r->line);
	unit_pool_done(r->pool);
}

static void
a_clean_line_passes_all_at_once(void)
{
	static struct line_rig r;
	const struct weir_impair none = {0};

	CU_ASSERT_TRUE(weir_impair_is_clean(&none));
	line_open(&r, &none, 1);
	line_push(&r, 0, 100, 10, 0);
	CU_ASSERT_EQUAL(r.n, 100);
	for (unsigned int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(r.got[i], i);
	line_close(&r);
}

static void
loss_is_near_its_probability(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.loss_ppm = 100000};

	line_open(&r, &im, 1);
	line_push(&r, 0, N, 10, 1);
	line_close(&r);
	CU_ASSERT_TRUE(r.s.lost > N / 10 - 60 && r.s.lost < N / 10 + 60);
	CU_ASSERT_EQUAL(r.n, N - r.s.lost);
}

static void
certain_loss_loses_all(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.loss_ppm = WEIR_PPM};

	line_open(&r, &im, 1);
	line_push(&r, 0, 50, 10, 1);
	line_close(&r);
	CU_ASSERT_EQUAL(r.s.lost, 50);
}

/* Mean run of losses 1/leave = 5, fraction lost enter/(enter+leave) = 1/11. */
static void
losses_come_in_bursts(void)
{
	static struct line_rig r;
	const struct weir_impair im = {
		.burst_enter_ppm = 20000, .burst_leave_ppm = 200000, .burst_loss_ppm = WEIR_PPM};
	unsigned int runs = 0;

	line_open(&r, &im, 5);
	line_push(&r, 0, N, 10, 1);
	line_close(&r);
	for (unsigned int i = 1; i < r.n; i++)
		runs += r.got[i] != r.got[i - 1] + 1;
	CU_ASSERT_TRUE(r.s.lost > N / 22 && r.s.lost < N / 6);
	CU_ASSERT_TRUE(runs > 0);
	CU_ASSERT_TRUE(r.s.lost / runs >= 3 && r.s.lost / runs <= 8);
}

static void
duplicates_follow_their_frame(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.dup_ppm = 200000};
	unsigned int twins = 0;

	line_open(&r, &im, 1);
	line_push(&r, 0, N, 10, 1);
	line_close(&r);
	CU_ASSERT_TRUE(r.s.duplicated > N / 5 - 90 && r.s.duplicated < N / 5 + 90);
	for (unsigned int i = 1; i < r.n; i++)
		twins += r.got[i] == r.got[i - 1];
	CU_ASSERT_EQUAL(twins, r.s.duplicated);
	CU_ASSERT_EQUAL(r.s.reordered, 0);
}

static void
a_reordered_frame_lets_others_pass(void)
{
	static struct line_rig r;
	struct weir_impair im = {.reorder_ppm = WEIR_PPM, .reorder_pkts = 3, .reorder_us = 100};
	static const uint16_t expected[] = {1, 2, 3, 0, 4};

	line_open(&r, &im, 1);
	line_push(&r, 0, 1, 10, 1);
	im.reorder_ppm = 0;
	weir_line_set(r.line, &im);
	line_push(&r, 1, 4, 10, 1);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, 5);
	CU_ASSERT_EQUAL(memcmp(r.got, expected, sizeof(expected)), 0);
	CU_ASSERT_EQUAL(r.s.reordered, 1);
}

static void
a_reordered_frame_does_not_wait_for_ever(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.reorder_ppm = WEIR_PPM, .reorder_us = 100};

	line_open(&r, &im, 1);
	line_push(&r, 0, 1, 10, 0);
	CU_ASSERT_EQUAL(weir_line_next_us(r.line), r.now_us + 100);
	line_wait(&r);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, 1);
}

static void
reordering_is_near_its_probability(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.reorder_ppm = 50000};

	line_open(&r, &im, 9);
	line_push(&r, 0, N, 10, 1);
	line_wait(&r);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, N);
	CU_ASSERT_TRUE(r.s.reordered > N / 20 - 50 && r.s.reordered < N / 20 + 50);
}

static void
corruption_flips_the_bits_asked_for_in_a_copy(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.corrupt_ppm = WEIR_PPM, .corrupt_bits = 1};
	struct rte_mbuf *sent;
	struct rte_mbuf *m;

	line_open(&r, &im, 1);
	for (int i = 0; i < 100; i++) {
		unsigned int flipped = 0;

		sent = udp_frame(r.pool, 1, 50);
		weir_line_push(r.line, rte_pktmbuf_clone(sent, r.pool), r.now_us);
		CU_ASSERT_EQUAL_FATAL(weir_line_pull(r.line, r.now_us, &m, 1), 1);
		for (uint32_t b = 0; b < m->pkt_len; b++)
			flipped += (unsigned int)__builtin_popcount(
				(unsigned int)(rte_pktmbuf_mtod(m, uint8_t *)[b] ^
					       rte_pktmbuf_mtod(sent, uint8_t *)[b]));
		CU_ASSERT_EQUAL(flipped, 1);
		CU_ASSERT_TRUE(cksums_ok(sent));
		rte_pktmbuf_free(m);
		rte_pktmbuf_free(sent);
	}
	line_close(&r);
	CU_ASSERT_EQUAL(r.s.corrupted, 100);
}

static void
without_mbufs_frames_pass_intact(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.corrupt_ppm = WEIR_PPM, .dup_ppm = WEIR_PPM};
	struct rte_mempool *one = unit_pool("one", 1);
	struct rte_mbuf *m = udp_frame(one, 1, 10);

	line_open(&r, &im, 1);
	weir_line_push(r.line, m, r.now_us);
	line_pull(&r);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, 1);
	CU_ASSERT_EQUAL(r.s.copy_failed, 2);
	unit_pool_done(one);
}

static void
delay_is_exact(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.delay_us = 12345};

	line_open(&r, &im, 1);
	line_push(&r, 0, 100, 10, 7);
	line_wait(&r);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, 100);
	for (unsigned int i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(r.got[i], i);
		CU_ASSERT_EQUAL(r.when_us[i], 1000000 + i * 7 + 12345);
	}
}

static void
jitter_stays_in_its_range(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.delay_us = 1000, .jitter_us = 300};
	uint64_t least = UINT64_MAX;
	uint64_t most = 0;

	line_open(&r, &im, 1);
	for (unsigned int i = 0; i < 1000; i++) {
		const uint64_t sent = r.now_us;

		line_push(&r, i, 1, 10, 0);
		line_wait(&r);
		least = RTE_MIN(least, r.now_us - sent);
		most = RTE_MAX(most, r.now_us - sent);
	}
	line_close(&r);
	CU_ASSERT_TRUE(least >= 700 && least < 710);
	CU_ASSERT_TRUE(most <= 1300 && most > 1290);
}

/* 1000-byte frames at 8 Mbit/s: one a millisecond. */
static void
rate_is_exact(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.rate_bps = 8000000, .queue_bytes = 1000000};

	line_open(&r, &im, 1);
	line_push(&r, 0, 100, 1000 - UDP_HDRS, 0);
	line_wait(&r);
	line_close(&r);
	for (unsigned int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(r.when_us[i], 1000000 + (i + 1) * 1000);
}

/* 3 Mbit/s is no whole number of ns a bit: what is cut off must not add up. */
static void
rate_does_not_drift(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.rate_bps = 3000000, .queue_bytes = 10000000};

	line_open(&r, &im, 1);
	line_push(&r, 0, N, 100 - UDP_HDRS, 0);
	line_wait(&r);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, N);
	CU_ASSERT_EQUAL(r.when_us[N - 1], 1000000 + (uint64_t)N * 800 / 3);
}

static void
the_rate_queue_is_bounded(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.rate_bps = 8000000, .queue_bytes = 10000};

	line_open(&r, &im, 1);
	line_push(&r, 0, 50, 1000 - UDP_HDRS, 0);
	line_wait(&r);
	line_close(&r);
	CU_ASSERT_EQUAL(r.n, 10);
	CU_ASSERT_EQUAL(r.s.dropped_full, 40);
}

static void
a_full_line_drops(void)
{
	static struct line_rig r;
	const struct weir_impair im = {.delay_us = 1000};
	struct weir_line *small;
	struct weir_line_stats s;

	line_open(&r, &im, 1);
	CU_ASSERT_EQUAL_FATAL(weir_line_new(&im, 1, 5, SOCKET_ID_ANY, &small), 0);
	for (uint16_t i = 0; i < 8; i++)
		weir_line_push(small, udp_frame(r.pool, i, 10), r.now_us);
	weir_line_stats(small, &s);
	CU_ASSERT_EQUAL(s.dropped_full, 3);
	CU_ASSERT_EQUAL(s.held, 5);
	weir_line_free(small); /* with what it holds */
	line_close(&r);
}

static void
the_seed_decides(void)
{
	static struct line_rig r[3];
	const struct weir_impair im = {.loss_ppm = 50000,
		.burst_enter_ppm = 1000,
		.burst_leave_ppm = 100000,
		.burst_loss_ppm = 500000,
		.dup_ppm = 50000,
		.reorder_ppm = 50000,
		.delay_us = 100,
		.jitter_us = 60,
		.rate_bps = 100000000};
	static const uint64_t seeds[3] = {7, 7, 8};

	for (int i = 0; i < 3; i++) {
		line_open(&r[i], &im, seeds[i]);
		line_push(&r[i], 0, N, 10, 3);
		line_wait(&r[i]);
		line_close(&r[i]);
	}
	CU_ASSERT_EQUAL(r[0].n, r[1].n);
	CU_ASSERT_EQUAL(memcmp(r[0].got, r[1].got, sizeof(r[0].got)), 0);
	CU_ASSERT_EQUAL(memcmp(r[0].when_us, r[1].when_us, sizeof(r[0].when_us)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(r[0].got, r[2].got, sizeof(r[0].got)), 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_clean_line_passes_all_at_once),
		UNIT(loss_is_near_its_probability),
		UNIT(certain_loss_loses_all),
		UNIT(losses_come_in_bursts),
		UNIT(duplicates_follow_their_frame),
		UNIT(a_reordered_frame_lets_others_pass),
		UNIT(a_reordered_frame_does_not_wait_for_ever),
		UNIT(reordering_is_near_its_probability),
		UNIT(corruption_flips_the_bits_asked_for_in_a_copy),
		UNIT(without_mbufs_frames_pass_intact),
		UNIT(delay_is_exact),
		UNIT(jitter_stays_in_its_range),
		UNIT(rate_is_exact),
		UNIT(rate_does_not_drift),
		UNIT(the_rate_queue_is_bounded),
		UNIT(a_full_line_drops),
		UNIT(the_seed_decides),
		{0},
	};

	return unit_main("impair", tests, true);
}
