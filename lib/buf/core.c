/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_core.h"

const struct weir_stat_desc weir_fate_desc[WEIR_FATE_MAX] = {
#define WEIR_FATE WEIR_STAT_DESC
#include "weir_fate_list.h"
#undef WEIR_FATE
};

const struct weir_stat_desc weir_tx_fate_desc[WEIR_TX_MAX] = {
#define WEIR_TX_FATE WEIR_STAT_DESC
#include "weir_tx_list.h"
#undef WEIR_TX_FATE
};

void
weir_core_flush(struct weir_core *core)
{
	if (core->dead.n == 0)
		return;
	rte_pktmbuf_free_bulk(core->dead.m, core->dead.n);
	core->dead.n = 0;
}

void
weir_core_handover(struct weir_core *core, struct rte_mbuf *m, uint16_t worker)
{
	struct weir_vec *v = &core->handover[worker];

	if (v->n == WEIR_VEC_MAX) {
		weir_end(core, m, WEIR_FATE_drop_handover_full);
		return;
	}
	weir_pkt(m)->flags |= WEIR_PKT_STEERED;
	core->fates[WEIR_FATE_handed_over]++;
	weir_vec_add(v, m);
}
