/* SPDX-License-Identifier: BSD-3-Clause */
/* Random calls to both sides, until they differ. Episodes begin anew with a seed of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define EPISODE 300 /* calls */

struct run {
	struct side weir, lin;
	struct world w;
	uint64_t seed;
	bool is_loud;
	bool goes_on; /* after a difference: to see all of them */
};

static void
show_result(const struct side *s, const struct result *r)
{
	printf("    %-5s %ld", s->name, r->rc);
	if (r->rc < 0)
		printf(" (%s)", strerrorname_np((int)-r->rc));
	for (int i = 0; i < VALUES; i++)
		if (r->value[i] != 0)
			printf(" [%d]=%#x", i, r->value[i]);
	if (r->hash != 0)
		printf(" hash=%08x", r->hash);
	printf("\n");
}

static void
show_step(unsigned int n, const struct step *s)
{
	printf("%4u %s(%d) other=%d args %d %#x %d %d", n, s->name, s->slot, s->other, s->arg[0],
		(unsigned int)s->arg[1], s->arg[2], s->arg[3]);
	for (int i = 0; i < SLOTS; i++)
		if (s->events[i] != 0)
			printf(" %d:%#x", i, s->events[i]);
	printf("\n");
}

static void
make(struct side *side, const struct step *s, struct result *r)
{
	memset(r, 0, sizeof(*r));
	s->run(side, s, r);
	side->settle(side);
}

/* What both say. */
enum verdict { SAME, KNOWN, DIFFERENT };

static enum verdict
one_step(struct run *r, unsigned int n)
{
	struct result weir, lin;
	enum verdict verdict = SAME;
	struct step s;

	draw(&r->w, &s);
	if (r->is_loud)
		show_step(n, &s);
	make(&r->weir, &s, &weir);
	make(&r->lin, &s, &lin);
	if (memcmp(&weir, &lin, sizeof(weir)) != 0)
		verdict = known(&s, &weir, &lin) != NULL ? KNOWN : DIFFERENT;
	if (verdict == DIFFERENT && r->goes_on)
		show_step(n, &s);
	if (r->is_loud || verdict == DIFFERENT) {
		show_result(&r->weir, &weir);
		show_result(&r->lin, &lin);
	}
	learn(&r->w, &s, &lin);
	return verdict;
}

static void
close_all(struct side *s)
{
	for (int i = 0; i < SLOTS; i++) {
		if (s->fd[i] >= 0)
			s->close(s, s->fd[i]);
		s->fd[i] = -1;
	}
	s->settle(s);
}

static void
begin(struct run *r, uint64_t seed, unsigned int n)
{
	const bool has_tcp = r->w.has_tcp, has_udp = r->w.has_udp;

	close_all(&r->weir);
	close_all(&r->lin);
	r->w = (struct world){.has_tcp = has_tcp, .has_udp = has_udp};
	r->w.dice.state = seed;
	r->w.port = (uint16_t)(OWN_PORTS + n % ((OWN_PORTS_END - OWN_PORTS) / PORTS) * PORTS);
}

/* After a difference that is known the two may go on differing. @return how it ended; *steps made
 */
static enum verdict
episode(struct run *r, uint64_t seed, unsigned int number, unsigned int *steps)
{
	const unsigned int max = *steps;
	enum verdict verdict = SAME;

	begin(r, seed, number);
	for (*steps = 0; *steps < max && verdict == SAME; ++*steps)
		verdict = one_step(r, *steps);
	return verdict;
}

static int
tell_difference(struct run *r, uint64_t seed, unsigned int steps, unsigned int number)
{
	printf("difference: seed %llu, call %u; the same with --seed %llu --loud\n",
		(unsigned long long)seed, steps, (unsigned long long)seed);
	fflush(stdout);
	if (!r->is_loud) {
		r->is_loud = true;
		episode(r, seed, number + 1, &steps);
	}
	return 1;
}

static int
run_all(struct run *r, uint64_t steps)
{
	uint64_t done = 0, n_known = 0;

	for (unsigned int number = 0; done < steps; number++) {
		const uint64_t seed = r->seed + number;
		unsigned int n = steps - done < EPISODE ? (unsigned int)(steps - done) : EPISODE;
		const enum verdict verdict = episode(r, seed, number, &n);

		if (verdict == DIFFERENT && r->goes_on)
			printf("^ seed %llu\n", (unsigned long long)seed);
		else if (verdict == DIFFERENT)
			return tell_difference(r, seed, n, number);
		done += n;
		n_known += verdict == KNOWN;
	}
	begin(r, 0, 0);
	printf("%llu calls, no difference but %llu of the known ones\n", (unsigned long long)done,
		(unsigned long long)n_known);
	return 0;
}

static int
usage(void)
{
	fprintf(stderr,
		"usage: weir-diff [--tcp] [--udp] [--steps N] [--seed S] [--loud] [--go-on]\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct run r = {.seed = 1};
	uint64_t steps = 20000;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--tcp") == 0)
			r.w.has_tcp = true;
		else if (strcmp(argv[i], "--udp") == 0)
			r.w.has_udp = true;
		else if (strcmp(argv[i], "--loud") == 0)
			r.is_loud = true;
		else if (strcmp(argv[i], "--go-on") == 0)
			r.goes_on = true;
		else if (strcmp(argv[i], "--steps") == 0 && i + 1 < argc)
			steps = strtoull(argv[++i], NULL, 0);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			r.seed = strtoull(argv[++i], NULL, 0);
		else
			return usage();
	}
	if (!r.w.has_tcp && !r.w.has_udp)
		r.w.has_tcp = r.w.has_udp = true;
	rc = side_weir(&r.weir);
	if (rc == 0)
		rc = side_linux(&r.lin);
	if (rc != 0) {
		fprintf(stderr, rc == 77 ? "no network namespace: not run\n" : "cannot begin\n");
		return rc;
	}
	memset(r.weir.fd, -1, sizeof(r.weir.fd));
	memset(r.lin.fd, -1, sizeof(r.lin.fd));
	rc = run_all(&r, steps);
	r.weir.end(&r.weir);
	r.lin.end(&r.lin);
	return rc;
}
