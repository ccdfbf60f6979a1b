/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "weir_core.h"

int
unit_main(const char *suite, const struct unit_test *tests, bool needs_eal)
{
	char *eal[] = {(char *)(uintptr_t)suite, "--no-huge", "--no-pci", "--no-shconf",
		"--no-telemetry", "-m", "512", "--log-level=6", "--lcores=0@(0-1)", NULL};
	unsigned int failures;
	CU_pSuite s;

	if (needs_eal && rte_eal_init((int)(sizeof(eal) / sizeof(eal[0]) - 1), eal) < 0) {
		fprintf(stderr, "%s: rte_eal_init: %s\n", suite, rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	s = CU_add_suite(suite, NULL, NULL);
	for (; tests->name != NULL; tests++)
		CU_add_test(s, tests->name, tests->run);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	if (needs_eal)
		rte_eal_cleanup();
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct rte_mempool *
unit_pool(const char *name, unsigned int n)
{
	struct rte_mempool *p = rte_pktmbuf_pool_create(
		name, n, 0, WEIR_PKT_PRIV, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p;
}

struct rte_mbuf *
unit_split(struct rte_mempool *pool, struct rte_mbuf *m, uint16_t n)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(head);
	memcpy(rte_pktmbuf_append(head, n), rte_pktmbuf_mtod(m, char *), n);
	*weir_pkt(head) = *weir_pkt(m);
	rte_pktmbuf_adj(m, n);
	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_chain(head, m), 0);
	return head;
}

static uint64_t
sum(const uint64_t *v, unsigned int n)
{
	uint64_t s = 0;

	while (n-- > 0)
		s += v[n];
	return s;
}

void
unit_books_balance(const struct weir_core *core, uint64_t given)
{
	CU_ASSERT_EQUAL(sum(core->fates, WEIR_FATE_MAX), given);
	CU_ASSERT_EQUAL(sum(core->tx_fates, WEIR_TX_MAX), core->tx_made);
}

void
unit_pool_done(struct rte_mempool *pool)
{
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), pool->size);
	rte_mempool_free(pool);
}
