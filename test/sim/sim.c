/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-sim: seeds to try, one after the other. */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_eal.h>

#define CALM_MAX_US (20 * SIM_S)
#define STUCK_US    (1200 * SIM_S) /* after the calm: ten times the longest time-out */
#define CHECK_EVERY 8		   /* steps */

static const char usage[] = "usage: weir-sim [--seed N] [--count N] [--seconds N] [--loud]\n"
			    "Runs count seeds from N on, or for so many seconds. Exit status 1: a\n"
			    "rule was broken; the seed is printed, and does the same again.\n";

uint32_t
sim_skewed(struct sim *s, uint32_t min, uint32_t max)
{
	const unsigned int shift = weir_rand_below(&s->rand, 12);

	return min + weir_rand_below(&s->rand, ((max - min) >> shift) + 1);
}

void
sim_break(struct sim *s, const char *format, ...)
{
	va_list ap;

	if (s->is_broken)
		return;
	s->is_broken = true;
	printf("seed %" PRIu64 ", %" PRIu64 " us: ", s->seed, sim_now(s));
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

void
sim_tell(const struct sim *s, const char *format, ...)
{
	va_list ap;

	if (!s->is_loud)
		return;
	printf("%10" PRIu64 ": ", sim_now(s));
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

static void
step(struct sim *s)
{
	sim_trouble(s);
	sim_flows_act(s);
	sim_dgrams_act(s);
	sim_world_step(s);
	if (s->steps % CHECK_EVERY == 0)
		sim_rules_check(s);
	if (s->is_loud && sim_now(s) >= s->print_us) {
		sim_flows_print(s);
		sim_rules_print(s);
		s->print_us = sim_now(s) + 10 * SIM_S;
	}
}

static bool
has_connections(const struct sim *s)
{
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		struct weir_account a;

		weir_stack_account(s->stack[i].st, &a);
		if (a.connections > 0 || s->stack[i].n_famine > 0)
			return true;
	}
	return false;
}

/* @return whether all rules held */
static bool
run(struct sim *s)
{
	weir_rand_seed(&s->rand, s->seed);
	sim_world_open(s);
	sim_rules_open(s);
	s->calm_us = sim_now(s) + sim_skewed(s, SIM_MS, CALM_MAX_US);
	sim_flows_open(s);
	sim_dgrams_open(s);
	while (!s->is_broken && !(sim_flows_done(s) && s->trouble_next_us == UINT64_MAX &&
					s->dgram_next_us == UINT64_MAX)) {
		step(s);
		if (sim_now(s) > s->calm_us + STUCK_US)
			sim_break(s, "stuck");
	}
	sim_flows_end(s);
	while (!s->is_broken && has_connections(s)) {
		step(s);
		if (sim_now(s) > s->calm_us + 2 * STUCK_US)
			sim_break(s, "connections do not go away");
	}
	if (s->is_broken) { /* the process ends: nothing is in order any more */
		sim_flows_print(s);
		sim_rules_print(s);
		return false;
	}
	sim_tell(s, "the end, after %" PRIu64 " steps", s->steps);
	sim_world_close(s);
	sim_rules_close(s);
	return !s->is_broken;
}

static uint64_t
number(int argc, char **argv, int *i)
{
	char *end;
	uint64_t n;

	if (*i + 1 >= argc) {
		fputs(usage, stderr);
		exit(2);
	}
	n = strtoull(argv[++*i], &end, 0);
	if (*end != '\0') {
		fputs(usage, stderr);
		exit(2);
	}
	return n;
}

static void
start_eal(const char *program)
{
	char *eal[] = {(char *)(uintptr_t)program, "--no-huge", "--no-pci", "--no-shconf",
		"--no-telemetry", "-m", "256", "--log-level=4", "--lcores=0@(0-1)", NULL};

	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		exit(2);
}

int
main(int argc, char **argv)
{
	static struct sim s; /* large */
	uint64_t first = 1, count = 1, seconds = 0, n = 0;
	const time_t start = time(NULL);
	bool is_loud = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--seed") == 0) {
			first = number(argc, argv, &i);
		} else if (strcmp(argv[i], "--count") == 0) {
			count = number(argc, argv, &i);
		} else if (strcmp(argv[i], "--seconds") == 0) {
			seconds = number(argc, argv, &i);
		} else if (strcmp(argv[i], "--loud") == 0) {
			is_loud = true;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	start_eal(argv[0]);
	for (; seconds > 0 ? (uint64_t)(time(NULL) - start) < seconds : n < count; n++) {
		memset(&s, 0, sizeof(s));
		s.seed = first + n;
		s.is_loud = is_loud;
		if (!run(&s))
			return 1;
	}
	printf("%" PRIu64 " seeds from %" PRIu64 " on: all rules held\n", n, first);
	return 0;
}
