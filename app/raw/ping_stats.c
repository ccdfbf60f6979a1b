/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "ping.h"

void
ping_stats_add(struct ping_stats *s, uint64_t rtt_us)
{
	if (s->rtts == 0 || rtt_us < s->min)
		s->min = rtt_us;
	if (rtt_us > s->max)
		s->max = rtt_us;
	s->rtts++;
	s->sum += (double)rtt_us;
	s->sum2 += (double)rtt_us * (double)rtt_us;
}

static void
print_count(const char *what, uint64_t n)
{
	if (n > 0)
		printf(", %s%" PRIu64 "%s", *what == '+' ? "+" : "", n, what + (*what == '+'));
}

void
ping_stats_print(const struct ping_stats *s, const char *host, uint64_t took_us)
{
	printf("\n--- %s ping statistics ---\n", host);
	printf("%" PRIu64 " packets transmitted, %" PRIu64 " received", s->sent, s->received);
	print_count("+ duplicates", s->duplicates);
	print_count("+ corrupted", s->corrupted);
	print_count("+ errors", s->errors);
	printf(", %.4g%% packet loss, time %" PRIu64 "ms\n",
		s->sent > 0 ? 100.0 * (double)(s->sent - s->received) / (double)s->sent : 0,
		took_us / 1000);
	if (s->rtts > 0) {
		const double avg = s->sum / (double)s->rtts;
		const double var = s->sum2 / (double)s->rtts - avg * avg;

		printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)s->min / 1e3,
			avg / 1e3, (double)s->max / 1e3, var > 0 ? sqrt(var) / 1e3 : 0);
	}
}
