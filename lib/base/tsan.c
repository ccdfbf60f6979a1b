/* SPDX-License-Identifier: BSD-3-Clause */
/* Nothing, but in builds with ThreadSanitizer: see weir_tsan.h. */
#include "weir_mem.h"

#ifdef WEIR_TSAN

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#define OPS_NAME "weir_tsan"

const char weir_tsan_heap = 0;

const char *
weir_tsan_pool_ops(void)
{
	return OPS_NAME;
}

/* The operations that do the work. */
static const struct rte_mempool_ops *
real(const struct rte_mempool *mp)
{
	return mp->pool_config;
}

static int
tsan_alloc(struct rte_mempool *mp)
{
	for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops; i++)
		if (strcmp(rte_mempool_ops_table.ops[i].name, WEIR_POOL_OPS_NAME) == 0)
			mp->pool_config = &rte_mempool_ops_table.ops[i];
	return mp->pool_config == NULL ? -ENOTSUP : real(mp)->alloc(mp);
}

static void
tsan_free(struct rte_mempool *mp)
{
	real(mp)->free(mp);
}

static bool
has_mbufs(const struct rte_mempool *mp)
{
	return mp->private_data_size >= sizeof(struct rte_pktmbuf_pool_private);
}

static int
tsan_enqueue(struct rte_mempool *mp, void *const *obj, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		/* The last owner of an mbuf reads that the others are gone without an acquire. */
		if (has_mbufs(mp))
			weir_tsan_take(&((const struct rte_mbuf *)obj[i])->refcnt);
		weir_tsan_give(obj[i]);
	}
	return real(mp)->enqueue(mp, obj, n);
}

static int
tsan_dequeue(struct rte_mempool *mp, void **obj, unsigned int n)
{
	const int rc = real(mp)->dequeue(mp, obj, n);

	for (unsigned int i = 0; rc == 0 && i < n; i++)
		weir_tsan_take(obj[i]);
	return rc;
}

static unsigned int
tsan_count(const struct rte_mempool *mp)
{
	return real(mp)->get_count(mp);
}

static const struct rte_mempool_ops tsan_ops = {
	.name = OPS_NAME,
	.alloc = tsan_alloc,
	.free = tsan_free,
	.enqueue = tsan_enqueue,
	.dequeue = tsan_dequeue,
	.get_count = tsan_count,
};

RTE_MEMPOOL_REGISTER_OPS(tsan_ops);

#endif
