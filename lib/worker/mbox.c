/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes to a worker from other threads: calls, and packets of flows that live here. */
#include <sched.h>
#include <unistd.h>

#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "weir_worker.h"

#define CALLS_PER_TURN 32
#define SPINS          2000 /* before a caller begins to sleep */

unsigned int
weir_mbox_run(struct weir_worker *w)
{
	struct weir_call *call;
	unsigned int n = 0;

	while (n < CALLS_PER_TURN && rte_ring_dequeue(w->calls, (void **)&call) == 0) {
		call->result = call->fn(w, call->arg);
		if (call->is_posted)
			rte_free(call);
		else
			__atomic_store_n(&call->is_done, 1, __ATOMIC_RELEASE);
		n++;
	}
	w->stats.calls += n;
	return n;
}

static void
wait_a_little(unsigned int i)
{
	if (i < SPINS)
		rte_pause();
	else
		usleep(50);
}

int
weir_worker_call(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), void *arg)
{
	struct weir_call call = {.fn = fn, .arg = arg};

	for (unsigned int i = 0; rte_ring_enqueue(w->calls, &call) != 0; i++)
		wait_a_little(i);
	weir_sock_wake_worker(&w->sock);
	for (unsigned int i = 0; !__atomic_load_n(&call.is_done, __ATOMIC_ACQUIRE); i++)
		wait_a_little(i);
	return call.result;
}

int
weir_worker_post(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), void *arg)
{
	struct weir_call *call = rte_zmalloc("weir_call", sizeof(*call), 0);

	if (call == NULL)
		return -ENOMEM;
	call->fn = fn;
	call->arg = arg;
	call->is_posted = true;
	if (rte_ring_enqueue(w->calls, call) != 0) {
		rte_free(call);
		return -ENOBUFS;
	}
	weir_sock_wake_worker(&w->sock);
	return 0;
}

void
weir_mbox_handover(struct weir_worker *w)
{
	for (uint16_t i = 0; i < w->core.n_workers; i++) {
		struct weir_vec *v = &w->core.handover[i];
		unsigned int taken;

		if (v->n == 0)
			continue;
		taken = rte_ring_enqueue_burst(w->peers[i]->inbound, (void **)v->m, v->n, NULL);
		/* They were counted as handed over, so each moves from that fate to the drop. */
		w->core.fates[WEIR_FATE_handed_over] -= v->n - taken;
		for (unsigned int k = taken; k < v->n; k++)
			weir_end(&w->core, v->m[k], WEIR_FATE_drop_handover_full);
		v->n = 0;
		weir_sock_wake_worker(&w->peers[i]->sock);
	}
}
