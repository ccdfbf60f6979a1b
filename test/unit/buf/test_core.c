/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_core.h"

#include <stdlib.h>

#include <rte_common.h>

#include "unit.h"
#include "weir_ready.h"

static struct rte_mempool *pool;
static struct weir_core *core;

static void
open_core(void)
{
	pool = unit_pool("core", 511);
	core = calloc(1, sizeof(*core));
	CU_ASSERT_PTR_NOT_NULL_FATAL(core);
	core->pool = pool;
}

static void
close_core(void)
{
	weir_core_flush(core);
	CU_ASSERT_EQUAL(core->dead.n, 0);
	unit_pool_done(pool);
	free(core);
}

static void
every_fate_has_name_unit_and_help(void)
{
	for (unsigned int i = 0; i < WEIR_FATE_MAX; i++)
		CU_ASSERT(weir_fate_desc[i].name != NULL && weir_fate_desc[i].unit != NULL &&
			  weir_fate_desc[i].help != NULL);
	for (unsigned int i = 0; i < WEIR_TX_MAX; i++)
		CU_ASSERT_PTR_NOT_NULL(weir_tx_fate_desc[i].name);
	CU_ASSERT_STRING_EQUAL(weir_fate_desc[WEIR_FATE_drop_udp_full].name, "drop_udp_full");
}

static void
ended_packets_are_counted_and_freed_even_beyond_the_vector(void)
{
	open_core();
	for (unsigned int i = 0; i < 2 * WEIR_VEC_MAX + 1; i++)
		weir_end(core, weir_core_alloc(core), WEIR_FATE_drop_eth_type);
	CU_ASSERT_EQUAL(core->fates[WEIR_FATE_drop_eth_type], 2 * WEIR_VEC_MAX + 1);
	weir_tx_end(core, weir_core_alloc(core), WEIR_TX_drop_no_route);
	CU_ASSERT_EQUAL(core->tx_fates[WEIR_TX_drop_no_route], 1);
	close_core();
}

static void
a_dry_pool_is_counted(void)
{
	struct rte_mbuf *held[511];

	open_core();
	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_alloc_bulk(pool, held, RTE_DIM(held)), 0);
	CU_ASSERT_PTR_NULL(weir_core_alloc(core));
	CU_ASSERT_EQUAL(core->mbuf_fail, 1);
	rte_pktmbuf_free_bulk(held, RTE_DIM(held));
	close_core();
}

static void
what_does_not_fit_for_another_worker_is_dropped(void)
{
	open_core();
	for (unsigned int i = 0; i < WEIR_VEC_MAX + 3; i++) {
		struct rte_mbuf *m = weir_core_alloc(core);

		weir_pkt(m)->flags = 0;
		weir_core_handover(core, m, 2);
	}
	CU_ASSERT_EQUAL(core->handover[2].n, WEIR_VEC_MAX);
	CU_ASSERT_EQUAL(core->fates[WEIR_FATE_handed_over], WEIR_VEC_MAX);
	CU_ASSERT_EQUAL(core->fates[WEIR_FATE_drop_handover_full], 3);
	CU_ASSERT_TRUE(weir_pkt(core->handover[2].m[0])->flags & WEIR_PKT_STEERED);
	rte_pktmbuf_free_bulk(core->handover[2].m, core->handover[2].n);
	close_core();
}

static void
packet_and_mbuf_find_each_other(void)
{
	struct rte_mbuf *m;

	open_core();
	m = weir_core_alloc(core);
	CU_ASSERT_PTR_EQUAL(weir_pkt_mbuf(weir_pkt(m)), m);
	CU_ASSERT_PTR_EQUAL(weir_qnode_mbuf(&weir_pkt(m)->qn), m);
	CU_ASSERT_EQUAL(weir_mbuf_truesize(m), sizeof(*m) + WEIR_PKT_PRIV + m->buf_len);
	rte_pktmbuf_free(m);
	close_core();
}

static void
an_item_is_ready_once_with_all_its_events(void)
{
	struct weir_ready ready = STAILQ_HEAD_INITIALIZER(ready);
	struct weir_ready_item a = {0}, b = {0}, c = {0};

	weir_ready_add(&ready, &a, WEIR_READY_READ);
	weir_ready_add(&ready, &b, WEIR_READY_READ);
	weir_ready_add(&ready, &c, WEIR_READY_READ);
	weir_ready_add(&ready, &a, WEIR_READY_WRITE);
	weir_ready_del(&ready, &b);
	CU_ASSERT_PTR_EQUAL(weir_ready_pop(&ready), &a);
	CU_ASSERT_EQUAL(a.events, WEIR_READY_READ | WEIR_READY_WRITE);
	CU_ASSERT_PTR_EQUAL(weir_ready_pop(&ready), &c);
	CU_ASSERT_PTR_NULL(weir_ready_pop(&ready));
}

static void
a_packet_list_keeps_order(void)
{
	struct weir_pktq q = {0};
	struct rte_mbuf *m[3];

	open_core();
	for (unsigned int i = 0; i < 3; i++) {
		m[i] = weir_core_alloc(core);
		weir_pktq_add(&q, m[i]);
	}
	CU_ASSERT_PTR_EQUAL(weir_pktq_first(&q), m[0]);
	CU_ASSERT_PTR_EQUAL(weir_pktq_next(m[0]), m[1]);
	CU_ASSERT_PTR_NULL(weir_pktq_next(m[2]));
	CU_ASSERT_PTR_EQUAL(weir_pktq_pop(&q), m[0]);
	CU_ASSERT_EQUAL(q.n, 2);
	rte_pktmbuf_free(m[0]);
	weir_pktq_free(&q);
	CU_ASSERT_PTR_NULL(weir_pktq_pop(&q));
	close_core();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(every_fate_has_name_unit_and_help),
		UNIT(ended_packets_are_counted_and_freed_even_beyond_the_vector),
		UNIT(a_dry_pool_is_counted),
		UNIT(what_does_not_fit_for_another_worker_is_dropped),
		UNIT(packet_and_mbuf_find_each_other),
		UNIT(an_item_is_ready_once_with_all_its_events),
		UNIT(a_packet_list_keeps_order),
		{NULL},
	};

	return unit_main("buf/core", tests, true);
}
