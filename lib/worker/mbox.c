/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes to a worker from other threads: calls, and packets of flows that live here. */
#include <sched.h>
#include <unistd.h>

#include <rte_pause.h>

#include "weir_lock.h"
#include "weir_mem.h"
#include "weir_ring.h"
#include "weir_worker.h"

#define CALLS_PER_TURN 32
#define SPINS	       2000 /* before a caller begins to sleep */

unsigned int
weir_mbox_run(struct weir_worker *w)
{
	struct weir_call *call;
	unsigned int n = 0;

	while (n < CALLS_PER_TURN && weir_ring_take(w->calls, (void **)&call, 1) == 1) {
		call->result = call->fn(w, call->arg);
		if (call->is_posted)
			weir_mem_free(call);
		else
			__atomic_store_n(&call->is_done, 1, __ATOMIC_RELEASE);
		n++;
	}
	w->stats.calls += n;
	return n;
}

/* Nobody may run w, because it has stopped or has not begun: then the waiting thread itself does.
 */
static void
wait_for(struct weir_worker *w, unsigned int i)
{
	if (i < SPINS) {
		rte_pause();
		return;
	}
	if (!weir_trylock(&w->is_taken)) {
		usleep(50);
		return;
	}
	weir_mbox_run(w);
	weir_unlock(&w->is_taken);
}

int
weir_worker_call(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), void *arg)
{
	struct weir_call call = {.fn = fn, .arg = arg};
	void *const entry = &call;

	for (unsigned int i = 0; weir_ring_put(w->calls, &entry, 1) == 0; i++)
		wait_for(w, i);
	weir_sock_wake_worker(&w->sock);
	for (unsigned int i = 0; !__atomic_load_n(&call.is_done, __ATOMIC_ACQUIRE); i++)
		wait_for(w, i);
	return call.result;
}

int
weir_worker_post(struct weir_worker *w, int (*fn)(struct weir_worker *, void *), void *arg)
{
	struct weir_call *call = weir_mem_alloc("weir_call", sizeof(*call), SOCKET_ID_ANY);

	if (call == NULL)
		return -ENOMEM;
	call->fn = fn;
	call->arg = arg;
	call->is_posted = true;
	if (weir_ring_put(w->calls, (void **)&call, 1) == 0) {
		weir_mem_free(call);
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
		taken = weir_ring_put(w->peers[i]->inbound, (void **)v->m, v->n);
		/* They were counted as handed over, so each moves from that fate to the drop. */
		w->core.fates[WEIR_FATE_handed_over] -= v->n - taken;
		for (unsigned int k = taken; k < v->n; k++)
			weir_end(&w->core, v->m[k], WEIR_FATE_drop_handover_full);
		v->n = 0;
		weir_sock_wake_worker(&w->peers[i]->sock);
	}
}
