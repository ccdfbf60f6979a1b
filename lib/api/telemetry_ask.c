/* SPDX-License-Identifier: BSD-3-Clause */
/* A question to a worker with a limit of time. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "telemetry_priv.h"

#define LOOK_US 100

/* Of two owners, the asking thread and the posted call; the last one frees it. */
struct ask {
	uint32_t refs;	  /* atomic */
	uint32_t is_done; /* atomic; worker: set last, pairs with wait_for() */
	int result;
	int (*fn)(struct weir_worker *w, void *arg);
	char arg[] __attribute__((aligned(16)));
};

static void
unref(struct ask *a)
{
	if (__atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(a);
}

static int
run(struct weir_worker *w, void *arg)
{
	struct ask *a = arg;

	a->result = a->fn(w, a->arg);
	__atomic_store_n(&a->is_done, 1, __ATOMIC_RELEASE);
	unref(a);
	return 0;
}

static bool
wait_for(const struct ask *a, uint64_t limit_us)
{
	const uint64_t deadline = weir_real_us() + limit_us;

	while (!__atomic_load_n(&a->is_done, __ATOMIC_ACQUIRE)) {
		if (weir_real_us() >= deadline)
			return false;
		usleep(LOOK_US);
	}
	return true;
}

static int
ask_running(struct weir_worker *w, struct ask *a, void *arg, size_t len, uint64_t limit_us)
{
	const int rc = weir_worker_post(w, run, a);

	if (rc != 0) {
		unref(a); /* the call's */
		return rc;
	}
	if (!wait_for(a, limit_us))
		return -ETIMEDOUT;
	memcpy(arg, a->arg, len);
	return a->result;
}

int
tel_ask(struct weir_stack *st, unsigned int index, int (*fn)(struct weir_worker *, void *),
	void *arg, size_t len, uint64_t limit_us)
{
	struct ask *a;
	int rc;

	if (!weir_stack_is_running(st))
		return fn(st->workers[index], arg);
	a = malloc(sizeof(*a) + len);
	if (a == NULL)
		return -ENOMEM;
	*a = (struct ask){.refs = 2, .fn = fn};
	memcpy(a->arg, arg, len);
	rc = ask_running(st->workers[index], a, arg, len, limit_us);
	unref(a);
	return rc;
}
