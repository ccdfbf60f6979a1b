/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock, and who may do what before it moves. */
#include "pd.h"

#include <errno.h>
#include <time.h>

#define START_US     UINT64_C(1000000000000000) /* the same in each run: so are all packets */
#define STEPS_MAX    100000
#define SETTLE_MS    2000 /* of real time: a loaded machine may keep that thread waiting */
#define DRIVE_MAX_US (UINT64_C(24) * 3600 * 1000000) /* beyond it, nothing ends a wait */

/* Describes the thread: it came out of a wait, and has not looked at the clock since. */
static __thread uint64_t owes_look;

static uint64_t
clock_now_us(const struct weir_clock *clock)
{
	return pd_now((const struct pd *)clock);
}

void
pd_clock_init(struct pd *p)
{
	p->clock = (struct weir_clock){.now_us = clock_now_us};
	p->now_us = START_US;
	p->generation = 1;
}

uint64_t
pd_now(const struct pd *p)
{
	return __atomic_load_n(&p->now_us, __ATOMIC_RELAXED);
}

/* Forward only: each look of another thread moves it, too. */
static void
set_clock(struct pd *p, uint64_t to_us)
{
	uint64_t now = pd_now(p);

	while (now < to_us && !__atomic_compare_exchange_n(&p->now_us, &now, to_us, true,
				      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
	}
}

/* Waits */

static void
end_waits(struct pd *p)
{
	struct pd_waiter *w, *next;

	for (w = TAILQ_FIRST(&p->waiting); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (w->deadline_us > pd_now(p) && !w->is_ready(p, w))
			continue;
		TAILQ_REMOVE(&p->waiting, w, link);
		w->is_over = true;
		p->n_leaving++;
		pthread_cond_broadcast(&p->cond);
	}
}

static uint64_t
first_deadline(const struct pd *p)
{
	const struct pd_waiter *w;
	uint64_t first = PD_NEVER;

	TAILQ_FOREACH (w, &p->waiting, link)
		first = RTE_MIN(first, w->deadline_us);
	return first;
}

/* The thread has looked at the clock, or waits again. */
static void
pay_look(struct pd *p)
{
	if (owes_look == p->generation && p->n_leaving > 0 && --p->n_leaving == 0)
		pthread_cond_broadcast(&p->cond);
	owes_look = 0;
}

/*
 * The tool notes when a blocking call ended by a look at the clock, after the call. Until then time
 * must stand, or the call would seem to end late; but not for ever, if nobody looks.
 */
static void
settle(struct pd *p)
{
	struct timespec until;

	if (p->n_leaving == 0)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += SETTLE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (p->n_leaving > 0 && pthread_cond_timedwait(&p->cond, &p->lock, &until) == 0) {
	}
	if (p->n_leaving > 0)
		p->generation++;
	p->n_leaving = 0;
}

void
pd_step(struct pd *p)
{
	unsigned int n = 1;

	for (unsigned int i = 0; i < STEPS_MAX && n != 0; i++) {
		n = weir_stack_step(p->st);
		n += pd_wire_collect(p);
	}
	end_waits(p);
}

bool
pd_pass(struct pd *p, uint64_t until_us, bool (*is_enough)(struct pd *, void *), void *arg)
{
	for (;;) {
		uint64_t next;

		pd_step(p);
		settle(p);
		if (is_enough != NULL && is_enough(p, arg))
			return true;
		next = RTE_MIN(weir_stack_next_us(p->st), first_deadline(p));
		if (next >= until_us || pd_now(p) >= until_us)
			break;
		set_clock(p, RTE_MAX(next, pd_now(p) + 1));
	}
	set_clock(p, until_us);
	pd_step(p);
	settle(p);
	return is_enough != NULL && is_enough(p, arg);
}

static bool
is_waiter_ready(struct pd *p, void *arg)
{
	struct pd_waiter *w = arg;

	return w->is_ready(p, w);
}

/* Nobody else steps the stack: time passes until the call can go on. */
static int
drive(struct pd *p, struct pd_waiter *w)
{
	const uint64_t end = pd_now(p) + DRIVE_MAX_US;

	if (weir_stack_next_us(p->st) == PD_NEVER && w->deadline_us == PD_NEVER)
		return w->is_ready(p, w) ? 0 : -EDEADLK;
	if (pd_pass(p, RTE_MIN(w->deadline_us, end), is_waiter_ready, w))
		return 0;
	return w->deadline_us <= end ? -EAGAIN : -EDEADLK;
}

/* Until somebody who steps the stack says so. */
static void
sleep_on(struct pd *p, struct pd_waiter *w)
{
	pay_look(p);
	w->is_over = false;
	TAILQ_INSERT_TAIL(&p->waiting, w, link);
	while (!w->is_over)
		pthread_cond_wait(&p->cond, &p->lock);
	owes_look = p->generation;
}

int
pd_wait(struct pd *p, struct pd_waiter *w)
{
	pd_step(p);
	while (!w->is_ready(p, w)) {
		if (w->deadline_us <= pd_now(p))
			return -EAGAIN;
		if (pthread_equal(pthread_self(), p->main))
			return drive(p, w);
		sleep_on(p, w);
	}
	return 0;
}

/* Entries */

int
pd_usleep(void *ctx, useconds_t us)
{
	struct pd *p = pd_enter(ctx);

	pd_pass(p, pd_now(p) + us, NULL, NULL);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int
pd_gettimeofday(void *ctx, struct timeval *tv, struct timezone *tz)
{
	struct pd *p = ctx;
	const uint64_t now = __atomic_add_fetch(&p->now_us, 1, __ATOMIC_RELAXED);

	tv->tv_sec = (time_t)(now / 1000000);
	tv->tv_usec = (suseconds_t)(now % 1000000);
	if (owes_look != 0) {
		pthread_mutex_lock(&p->lock);
		pay_look(p);
		pthread_mutex_unlock(&p->lock);
	}
	return 0;
}
