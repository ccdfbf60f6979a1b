/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-ping: ICMP echo over a raw socket. */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw/ping.h"

static const char usage[] =
	"usage: weir-ping CONF [OPTION]... ADDRESS\n"
	"Pings an IPv4 or IPv6 address from the stack that the configuration file CONF describes.\n"
	"  -c COUNT       requests; without, until Ctrl-C\n"
	"  -i SECONDS     from one request to the next (1)\n"
	"  -s SIZE        bytes of data (56)\n"
	"  -t TTL         time to live, hop limit\n"
	"  -f             flood: the next request upon each answer, or after 10 ms\n"
	"  -W SECONDS     wait for the last answers (1)\n"
	"  -M do|want|dont  don't fragment: never; as the path's MTU says; always may be\n"
	"  -u SECONDS     first wait until the address answers, at most so long\n"
	"  -q             only the statistics\n"
	"exit status: 0 answered, 1 not all answered, 2 other errors\n";

enum { FLOOD_US = 10000, SIZE_MAX_ECHO = 65507, WRONG_USAGE = 2 };

/* @return microseconds, 0: wrong */
static uint64_t
read_seconds(const char *arg)
{
	char *end;
	const double s = strtod(arg, &end);

	return end == arg || *end != '\0' || !(s > 0 && s < 1e6) ? 0 : (uint64_t)(s * 1e6);
}

static int
read_discover(const char *arg)
{
	if (strcmp(arg, "do") == 0)
		return IP_PMTUDISC_DO;
	if (strcmp(arg, "want") == 0)
		return IP_PMTUDISC_WANT;
	return strcmp(arg, "dont") == 0 ? IP_PMTUDISC_DONT : -1;
}

static long
read_number(struct ping_opts *o, int opt, const char *arg)
{
	long n;

	switch (opt) {
	case 'c':
		n = app_number("-c", arg, 1, INT32_MAX);
		o->count = (uint64_t)n;
		return n;
	case 's':
		n = app_number("-s", arg, 0, SIZE_MAX_ECHO);
		o->size = (size_t)n;
		return n;
	case 't':
		return o->ttl = (int)app_number("-t", arg, 1, 255);
	default:
		n = app_number("-u", arg, 1, 3600);
		o->wait_up_s = (unsigned int)n;
		return n;
	}
}

static bool
read_option(struct ping_opts *o, int opt, const char *arg)
{
	switch (opt) {
	case 'i':
		return (o->interval_us = read_seconds(arg)) > 0;
	case 'W':
		return (o->linger_us = read_seconds(arg)) > 0;
	case 'M':
		return (o->mtu_discover = read_discover(arg)) >= 0;
	case 'f':
		o->interval_us = FLOOD_US;
		return o->is_flood = true;
	case 'q':
		return o->is_quiet = true;
	case '?':
		return false;
	default:
		return read_number(o, opt, arg) >= 0;
	}
}

/* @return the configuration file; NULL: wrong usage */
static const char *
parse(struct ping_opts *o, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "c:i:s:t:fW:M:u:qh")) != -1) {
		if (opt == 'h')
			exit(fputs(usage, stdout) < 0);
		if (!read_option(o, opt, optarg))
			return NULL;
	}
	if (optind != argc - 2 || raw_host_parse(&o->to, argv[optind + 1]) != 0)
		return NULL;
	return argv[optind];
}

int
main(int argc, char **argv)
{
	struct ping_opts o = {
		.interval_us = 1000000, .linger_us = 1000000, .size = 56, .mtu_discover = -1};
	const char *conf = parse(&o, argc, argv);
	struct app app;
	int status;

	if (conf == NULL) {
		fputs(usage, stderr);
		return WRONG_USAGE;
	}
	if (app_init(&app, "weir-ping", conf) != 0)
		return WRONG_USAGE;
	puts("weir-ping: ready");
	fflush(stdout);
	status = ping_run(app.st, &o);
	app_fini(&app);
	return status;
}
