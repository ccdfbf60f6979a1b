/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP_INFO beyond the header at hand: what Linux has of accurate ECN (RFC 9768), and where. */
#include <netinet/tcp.h>

#include "pair.h"

/* Of Linux's struct tcp_info since 6.18. */
enum offset {
	AT_RECEIVED_CE = 248,
	AT_DELIVERED_E1 = 252, /* bytes that the peer told of: ECT(1), ECT(0), CE */
	AT_DELIVERED_E0 = 256,
	AT_DELIVERED_CE = 260,
	AT_RECEIVED_E1 = 264, /* bytes that came */
	AT_RECEIVED_E0 = 268,
	AT_RECEIVED_BYTES_CE = 272,
	AT_ECN = 276, /* mode, 2 bits; option seen, 2; what failed, 4 */
	INFO_LEN = 280
};

static struct pair p;
static int fa, fb;

static uint32_t
field(struct weir_stack *st, int fd, enum offset at)
{
	uint8_t info[INFO_LEN];
	socklen_t len = sizeof(info);
	uint32_t v;

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, IPPROTO_TCP, TCP_INFO, info, &len), 0);
	CU_ASSERT_EQUAL(len, INFO_LEN);
	memcpy(&v, info + at, sizeof(v));
	return v;
}

static void
open_as(bool use_accecn)
{
	pair_open(&p, &(struct pair_conf){.seed = 5, .use_accecn = use_accecn});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "0123456789", 10, 0), 10);
	pair_pass(&p, 100000);
}

static void
finish(void)
{
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
accurate_ecn_is_told(void)
{
	open_as(true);
	CU_ASSERT_EQUAL(
		field(p.a, fa, AT_ECN), WEIR_TCP_ECN_MODE_ACCURATE | WEIR_TCP_ACCECN_COUNTERS << 2);
	CU_ASSERT_EQUAL(field(p.b, fb, AT_ECN) & 3, WEIR_TCP_ECN_MODE_ACCURATE);
	CU_ASSERT_EQUAL(field(p.b, fb, AT_RECEIVED_E0), 10);
	CU_ASSERT_EQUAL(field(p.b, fb, AT_RECEIVED_E1), 0);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_DELIVERED_E0), 10);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_DELIVERED_CE), 0);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_RECEIVED_CE), 0);
	finish();
}

/* Each number stands in its place. */
static void
every_counter_has_its_place(void)
{
	static const struct weir_tcp_accecn want = {.received_ce = 3,
		.delivered = {11, 12, 13},
		.received = {21, 22, 23},
		.mode = WEIR_TCP_ECN_MODE_ACCURATE,
		.seen = WEIR_TCP_ACCECN_BROKEN,
		.fail = WEIR_TCP_ACCECN_OPT_SENT};
	struct weir_tcp_conn *c;

	open_as(true);
	c = weir_slab_at(&p.a->workers[0]->tcp.conns, 0);
	c->act->accecn = want;
	CU_ASSERT_EQUAL(field(p.a, fa, AT_RECEIVED_CE), 3);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_DELIVERED_E1), 11);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_DELIVERED_E0), 12);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_DELIVERED_CE), 13);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_RECEIVED_E1), 21);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_RECEIVED_E0), 22);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_RECEIVED_BYTES_CE), 23);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_ECN), 2 | 3 << 2 | 4 << 4);
	finish();
}

static void
without_ecn_the_mode_is_none(void)
{
	open_as(false);
	CU_ASSERT_EQUAL(field(p.a, fa, AT_ECN), 0);
	CU_ASSERT_EQUAL(field(p.b, fb, AT_RECEIVED_E0), 0);
	finish();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(accurate_ecn_is_told),
		UNIT(every_counter_has_its_place),
		UNIT(without_ecn_the_mode_is_none),
		{NULL, NULL},
	};

	return unit_main("api_info", tests, true);
}
