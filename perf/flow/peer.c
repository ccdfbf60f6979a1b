/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's process of a memif pair: it serves, then swaps, and shows its counts. It closes its
 * port before the client does: a memif whose peer goes away must not be polled meanwhile.
 */
#include "perf.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_launch.h>

#define SHOW_US 1000

static enum perf_phase
wanted(const struct perf_peer *p)
{
	return __atomic_load_n(&p->wanted, __ATOMIC_ACQUIRE);
}

static void
reach(struct perf_peer *p, enum perf_phase phase)
{
	__atomic_store_n(&p->reached, phase, __ATOMIC_RELEASE);
}

static int
serve(struct perf_peer *p, const struct perf_opts *o)
{
	struct weir_stack *st = perf_stack(o, true, false);
	struct perf_side side = {0};
	struct perf_counts now;
	int rc = st == NULL ? -EINVAL : perf_serve(&side, o, st); /* sets side.st */

	if (rc == 0)
		rc = weir_stack_start(st);
	if (rc == 0)
		reach(p, PERF_FLOW);
	while (rc == 0 && wanted(p) == PERF_FLOW) {
		perf_counts_read(&side.counts, &now);
		perf_stack_counts(st, &now);
		perf_counts_read(&now, &p->counts);
		usleep(SHOW_US);
	}
	p->is_balanced = rc == 0 && perf_is_balanced(st);
	perf_side_stop(&side);
	perf_stacks_free(o, st, NULL);
	perf_side_fini(&side);
	return rc;
}

static int
swap(struct perf_peer *p, const struct perf_opts *o)
{
	struct perf_swap s;
	struct perf_counts now;
	int rc = perf_swap_open(&s, o, true, &p->profile);

	if (rc == 0)
		rc = rte_eal_remote_launch(perf_swap_loop, &s, 1);
	if (rc == 0)
		reach(p, PERF_CEILING);
	while (rc == 0 && wanted(p) == PERF_CEILING) {
		perf_counts_read(&s.counts, &now);
		now.tsc = rte_rdtsc();
		perf_counts_read(&now, &p->counts);
		usleep(SHOW_US);
	}
	__atomic_store_n(&s.must_stop, true, __ATOMIC_RELEASE);
	rte_eal_wait_lcore(1);
	perf_swap_free(&s);
	return rc;
}

static void
await(const struct perf_peer *p, enum perf_phase phase)
{
	while (wanted(p) < phase)
		usleep(SHOW_US);
}

static int
child(struct perf_peer *p, const struct perf_opts *o)
{
	int rc = perf_eal(o, true);

	await(p, PERF_FLOW);
	if (rc == 0)
		rc = serve(p, o);
	if (rc == 0)
		reach(p, PERF_QUIET);
	await(p, PERF_CEILING);
	if (rc == 0 && wanted(p) == PERF_CEILING)
		rc = swap(p, o);
	await(p, PERF_END);
	rte_eal_cleanup();
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct perf_peer *
perf_peer_fork(const struct perf_opts *o)
{
	struct perf_peer *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const pid_t parent = getpid();
	pid_t pid;

	if (p == MAP_FAILED)
		return NULL;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(getppid() == parent ? child(p, o) : EXIT_FAILURE);
	}
	p->pid = pid;
	return pid > 0 ? p : NULL;
}

/* The child is gone. */
static int
judge(struct perf_peer *p, enum perf_phase phase, int status)
{
	const bool is_good = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;

	if (WIFSIGNALED(status))
		fprintf(stderr, "the server's process: %s\n", strsignal(WTERMSIG(status)));
	p->is_gone = true;
	p->result = phase == PERF_END && is_good ? 0 : -EIO;
	return p->result;
}

int
perf_peer_enter(struct perf_peer *p, enum perf_phase phase)
{
	int status = 0;

	__atomic_store_n(&p->wanted, phase, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < PERF_WAIT_MS && !p->is_gone; i++) {
		if (waitpid(p->pid, &status, WNOHANG) == p->pid)
			return judge(p, phase, status);
		if (__atomic_load_n(&p->reached, __ATOMIC_ACQUIRE) == phase)
			return 0;
		usleep(1000);
	}
	if (p->is_gone)
		return p->result;
	fprintf(stderr, "the server's process does not go on\n");
	return -ETIMEDOUT;
}
