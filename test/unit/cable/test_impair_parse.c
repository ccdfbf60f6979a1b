/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "unit.h"
#include "weir_impair.h"

static struct weir_impair
parse(const char *key, const char *value)
{
	struct weir_impair im = {0};
	char err[256];

	CU_ASSERT_EQUAL(weir_impair_parse(&im, key, value, err, sizeof(err)), 0);
	return im;
}

static void
probabilities_are_fractions_or_percent(void)
{
	CU_ASSERT_EQUAL(parse("loss", "0.01").loss_ppm, 10000);
	CU_ASSERT_EQUAL(parse("loss", "1%").loss_ppm, 10000);
	CU_ASSERT_EQUAL(parse("dup", "1").dup_ppm, WEIR_PPM);
	CU_ASSERT_EQUAL(parse("corrupt", "100%").corrupt_ppm, WEIR_PPM);
	CU_ASSERT_EQUAL(parse("reorder", "0").reorder_ppm, 0);
	CU_ASSERT_EQUAL(parse("loss", "0.0001%").loss_ppm, 1);
}

static void
times_have_units(void)
{
	CU_ASSERT_EQUAL(parse("delay", "10ms").delay_us, 10000);
	CU_ASSERT_EQUAL(parse("delay_us", "1000").delay_us, 1000);
	CU_ASSERT_EQUAL(parse("jitter", "1.5s").jitter_us, 1500000);
	CU_ASSERT_EQUAL(parse("reorder_time", "7us").reorder_us, 7);
}

static void
rates_and_sizes_have_units(void)
{
	CU_ASSERT_EQUAL(parse("rate", "100Mbit").rate_bps, 100000000);
	CU_ASSERT_EQUAL(parse("rate", "1.5Gbit").rate_bps, 1500000000);
	CU_ASSERT_EQUAL(parse("rate", "64kbit").rate_bps, 64000);
	CU_ASSERT_EQUAL(parse("rate", "9600").rate_bps, 9600);
	CU_ASSERT_EQUAL(parse("queue", "64k").queue_bytes, 65536);
	CU_ASSERT_EQUAL(parse("queue", "1M").queue_bytes, 1 << 20);
}

static void
bursts_have_two_or_three_probabilities(void)
{
	const struct weir_impair two = parse("burst", "1%:20%");
	const struct weir_impair three = parse("burst", "0.01:0.2:50%");

	CU_ASSERT_EQUAL(two.burst_enter_ppm, 10000);
	CU_ASSERT_EQUAL(two.burst_leave_ppm, 200000);
	CU_ASSERT_EQUAL(two.burst_loss_ppm, WEIR_PPM);
	CU_ASSERT_EQUAL(three.burst_loss_ppm, 500000);
}

static void
mistakes_change_nothing_and_say_what_is_allowed(void)
{
	static const char *const bad[][2] = {{"loss", "2"}, {"loss", "101%"}, {"loss", "-1%"},
		{"loss", ""}, {"loss", "x"}, {"loss", "1%%"}, {"loss", "nan"}, {"delay", "10m"},
		{"delay", "2000000s"}, {"rate", "1Tbit"}, {"rate", "inf"}, {"queue", "2G"},
		{"burst", "1%"}, {"burst", "1:1:1:1"}, {"burst", "1:x"}, {"corrupt_bits", "70000"},
		{"corrupt_bits", "1%"}, {"reorder_pkts", NULL}};
	const struct weir_impair before = {.loss_ppm = 5, .burst_enter_ppm = 6};
	char err[256];

	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		struct weir_impair im = before;

		err[0] = '\0';
		CU_ASSERT_EQUAL(
			weir_impair_parse(&im, bad[i][0], bad[i][1], err, sizeof(err)), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(err, "allowed is"));
		CU_ASSERT_EQUAL(memcmp(&im, &before, sizeof(im)), 0);
	}
}

static void
unknown_keys_are_named(void)
{
	struct weir_impair im = {0};
	char err[256];

	CU_ASSERT_EQUAL(weir_impair_parse(&im, "lose", "1", err, sizeof(err)), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "lose"));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(probabilities_are_fractions_or_percent),
		UNIT(times_have_units),
		UNIT(rates_and_sizes_have_units),
		UNIT(bursts_have_two_or_three_probabilities),
		UNIT(mistakes_change_nothing_and_say_what_is_allowed),
		UNIT(unknown_keys_are_named),
		{0},
	};

	return unit_main("impair_parse", tests, false);
}
