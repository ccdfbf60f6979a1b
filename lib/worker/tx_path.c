/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_flush -> ip_output -> eth_output -> port */
#include "weir_worker.h"

void
weir_tx_path(struct weir_worker *w)
{
	weir_tcp_flush(&w->tcp);
	for (unsigned int i = 0; i < w->n_ifaces; i++)
		weir_eth_flush(&w->ifaces[i]);
	if (w->core.n_workers > 1)
		weir_mbox_handover(w);
	weir_core_flush(&w->core);
}
