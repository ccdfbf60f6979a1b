/* SPDX-License-Identifier: BSD-3-Clause */
/* How a calling thread sleeps until a socket, a kernel descriptor or a signal wakes it. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "sleep_priv.h"

uint64_t
weir_real_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int
weir_deadline_of(const struct timespec *timeout, uint64_t *deadline_us)
{
	*deadline_us = UINT64_MAX;
	if (timeout == NULL)
		return 0;
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
		return -EINVAL;
	*deadline_us = 0;
	if (timeout->tv_sec == 0 && timeout->tv_nsec == 0)
		return 0;
	*deadline_us = weir_real_us();
	if ((uint64_t)timeout->tv_sec >= (UINT64_MAX - *deadline_us) / 1000000 - 1)
		*deadline_us = UINT64_MAX;
	else
		*deadline_us += (uint64_t)timeout->tv_sec * 1000000 +
				((uint64_t)timeout->tv_nsec + 999) / 1000;
	return 0;
}

/* The calling thread's waiter, made on first use, given back when the thread ends. */
static struct weir_waiter *
own_waiter(struct weir_stack *st)
{
	struct weir_waiter *w = pthread_getspecific(st->waiter_key);

	if (w != NULL)
		return w;
	w = weir_waiter_open(&st->socks.waiters);
	if (w != NULL)
		pthread_setspecific(st->waiter_key, w);
	return w;
}

void
weir_find_noise(sigset_t *noise)
{
	struct sigaction sa;

	sigemptyset(noise);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		if (sigaction(sig, NULL, &sa) == 0 && (sa.sa_flags & SA_RESTART) &&
			sa.sa_handler != SIG_DFL && sa.sa_handler != SIG_IGN)
			sigaddset(noise, sig);
}

/* The signals that are not to disturb the sleep: those of the call or the thread, and noise. */
static void
sleep_mask(const struct weir_stack *st, const sigset_t *wanted, sigset_t *mask)
{
	sigset_t own;

	if (wanted == NULL) {
		pthread_sigmask(SIG_BLOCK, NULL, &own);
		wanted = &own;
	}
	sigorset(mask, wanted, &st->noise);
}

static struct timespec
until(uint64_t deadline_us)
{
	const uint64_t now = deadline_us == 0 ? 0 : weir_real_us();
	const uint64_t left = deadline_us > now ? deadline_us - now : 0;

	return (struct timespec){
		.tv_sec = (time_t)(left / 1000000), .tv_nsec = (long)(left % 1000000) * 1000};
}

int
weir_doze(const struct weir_stack *st, struct weir_nap *nap)
{
	const struct timespec left = until(nap->deadline_us);
	sigset_t mask;
	uint64_t count;
	int rc;

	sleep_mask(st, nap->mask, &mask);
	nap->fds[0] = (struct pollfd){.fd = nap->waiter->efd, .events = POLLIN};
	rc = ppoll(nap->fds, nap->n, nap->deadline_us == UINT64_MAX ? NULL : &left, &mask);
	if (rc == 0)
		return -EAGAIN;
	if (rc < 0)
		return errno == ENOMEM ? -ENOMEM : -EINTR;
	if (nap->fds[0].revents != 0 && read(nap->waiter->efd, &count, sizeof(count)) < 0)
		return 0; /* EAGAIN: somebody's wake-up of an earlier sleep, drained already */
	return 0;
}

bool
weir_nap_enter(struct weir_stack *st, struct weir_nap *nap)
{
	if (nap->waiter == NULL)
		nap->waiter = own_waiter(st);
	if (nap->waiter != NULL)
		weir_waiter_enter(nap->waiter);
	return nap->waiter != NULL;
}

/* From here on who changes what the word is of finds us asleep. Before the last look at that. */
static void
nap_for_classes(struct weir_nap *nap, uint64_t *classes)
{
	__atomic_fetch_or(
		classes, UINT64_C(1) << (nap->waiter->id % WEIR_WAIT_CLASSES), __ATOMIC_ACQ_REL);
}

void
weir_nap_for(struct weir_nap *nap, struct weir_sock *s)
{
	nap_for_classes(nap, &s->watched.waiters);
}

void
weir_nap_leave(struct weir_nap *nap)
{
	if (nap->waiter != NULL)
		weir_waiter_leave(nap->waiter);
}

/* A call that does not sleep is still ended by a signal that its mask lets through. */
int
weir_nap_signal(const struct weir_stack *st, const sigset_t *wanted)
{
	const struct timespec none = {0};
	sigset_t mask;

	if (wanted == NULL)
		return 0;
	sleep_mask(st, wanted, &mask);
	return ppoll(NULL, 0, &none, &mask) < 0 ? -EINTR : 0;
}

int
weir_wait(struct weir_stack *st, struct weir_sock *s, bool (*done)(const struct weir_sock *),
	uint64_t deadline_us)
{
	struct pollfd fd;
	struct weir_nap nap = {.deadline_us = deadline_us, .fds = &fd, .n = 1};
	int rc = 0;

	while (rc == 0) {
		if (!weir_nap_enter(st, &nap))
			return -ENOBUFS;
		weir_nap_for(&nap, s);
		if (done(s))
			break;
		if (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)
			rc = -EBADF;
		else if (!weir_stack_is_running(st))
			rc = -EAGAIN; /* stopped: nothing will happen any more */
		else
			rc = weir_doze(st, &nap);
	}
	weir_nap_leave(&nap);
	return rc;
}

int
weir_wait_for(struct weir_stack *st, uint64_t *classes, bool (*done)(void *), void *arg,
	uint64_t deadline_us)
{
	struct pollfd fd;
	struct weir_nap nap = {.deadline_us = deadline_us, .fds = &fd, .n = 1};
	int rc = 0;

	while (rc == 0) {
		if (!weir_nap_enter(st, &nap))
			return -ENOBUFS;
		nap_for_classes(&nap, classes);
		if (done(arg))
			break;
		rc = weir_stack_is_running(st) ? weir_doze(st, &nap) : -EAGAIN;
	}
	weir_nap_leave(&nap);
	return rc;
}
