/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-load: load for a server, and the latency of its answers. doc/load.md */
#include "load/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

static const char usage[] =
	"usage: weir-load CONF [OPTION]... ADDRESS[:PORT] ([ADDRESS]:PORT for IPv6)\n"
	"Requests to a server from the stack that the configuration file CONF describes.\n"
	"  --protocol echo|http|udp   TCP echo, HTTP/1.1 GET, UDP echo (echo)\n"
	"  --close keep|client|server a connection for each request, closed by whom (keep);\n"
	"                             server: HTTP only, and depth 1 for both\n"
	"  --conns N --depth N        connections or sockets; requests under way on each (1, 1)\n"
	"  --size N                   bytes of an echo's request (64)\n"
	"  --path PATH                of the GET (/)\n"
	"  --rate N                   open loop: so many requests a second are due in all, "
	"whether\n"
	"                             the server keeps up or not; 0: closed loop (0)\n"
	"  --seconds S --warmup S     how long it measures, and how long it runs before (10, 1)\n"
	"  --timeout MS               after which a datagram is lost (1000)\n"
	"  --json                     the result as one line of JSON\n"
	"  --histogram FILE           all latencies, by buckets of less than 1 %\n"
	"  --set SECTION.KEY=VALUE    a value of the configuration\n"
	"exit status: 0 measured, 1 not\n";

enum option_number {
	OPT_PROTOCOL = 1,
	OPT_CLOSE,
	OPT_CONNS,
	OPT_DEPTH,
	OPT_SIZE,
	OPT_PATH,
	OPT_RATE,
	OPT_SECONDS,
	OPT_WARMUP,
	OPT_TIMEOUT,
	OPT_JSON,
	OPT_HISTOGRAM,
	OPT_SET,
	OPT_HELP,
};

static const struct option options[] = {
	{"protocol", required_argument, NULL, OPT_PROTOCOL},
	{"close", required_argument, NULL, OPT_CLOSE},
	{"conns", required_argument, NULL, OPT_CONNS},
	{"depth", required_argument, NULL, OPT_DEPTH},
	{"size", required_argument, NULL, OPT_SIZE},
	{"path", required_argument, NULL, OPT_PATH},
	{"rate", required_argument, NULL, OPT_RATE},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"warmup", required_argument, NULL, OPT_WARMUP},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"json", no_argument, NULL, OPT_JSON},
	{"histogram", required_argument, NULL, OPT_HISTOGRAM},
	{"set", required_argument, NULL, OPT_SET},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* One of three names. @return its number or -EINVAL */
static int
choice(const char *what, const char *text, const char *const names[3])
{
	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	fprintf(stderr, "%s %s: allowed: %s, %s, %s\n", what, text, names[0], names[1], names[2]);
	return -EINVAL;
}

static int
whole(const char *what, const char *text, long min, long max, unsigned int *n)
{
	const long value = app_number(what, text, min, max);

	if (value < 0)
		return (int)value;
	*n = (unsigned int)value;
	return 0;
}

static int
real(const char *what, const char *text, double max, double *to)
{
	char *end;

	*to = strtod(text, &end);
	if (end != text && *end == '\0' && *to >= 0 && *to <= max)
		return 0;
	fprintf(stderr, "%s %s: allowed: 0 to %g\n", what, text, max);
	return -EINVAL;
}

static int
add_set(struct load_opts *o, const char *text)
{
	if (o->n_sets == LOAD_SETS_MAX) {
		fprintf(stderr, "--set: allowed: %d times\n", LOAD_SETS_MAX);
		return -E2BIG;
	}
	o->sets[o->n_sets++] = text;
	return 0;
}

static int
take_choice(struct load_opts *o, enum option_number opt, const char *text)
{
	static const char *const protocols[3] = {"echo", "http", "udp"};
	static const char *const closes[3] = {"keep", "client", "server"};
	const bool is_protocol = opt == OPT_PROTOCOL;
	const int n = choice(
		is_protocol ? "--protocol" : "--close", text, is_protocol ? protocols : closes);

	if (n >= 0 && is_protocol)
		o->protocol = (enum load_protocol)n;
	else if (n >= 0)
		o->close = (enum load_close)n;
	return n < 0 ? n : 0;
}

static int
take(struct load_opts *o, enum option_number opt, const char *text)
{
	switch (opt) {
	case OPT_PROTOCOL:
	case OPT_CLOSE:
		return take_choice(o, opt, text);
	case OPT_CONNS:
		return whole("--conns", text, 1, 10000000, &o->conns);
	case OPT_DEPTH:
		return whole("--depth", text, 1, 1024, &o->depth);
	case OPT_SIZE:
		return whole("--size", text, 1, 65536, &o->size);
	case OPT_TIMEOUT:
		return whole("--timeout", text, 1, 3600000, &o->timeout_ms);
	case OPT_RATE:
		return real("--rate", text, 1e9, &o->rate);
	case OPT_SECONDS:
		return real("--seconds", text, 1e6, &o->run_s);
	case OPT_WARMUP:
		return real("--warmup", text, 1e6, &o->warmup_s);
	case OPT_SET:
		return add_set(o, text);
	case OPT_PATH:
		o->path = text;
		return 0;
	case OPT_JSON:
		o->as_json = true;
		return 0;
	case OPT_HISTOGRAM:
		o->histogram = text;
		return 0;
	case OPT_HELP:
		exit(fputs(usage, stdout) < 0);
	}
	return -EINVAL; /* getopt_long() has said why */
}

/* "1.2.3.4:80", "[::1]:80", or either without a port. */
static int
read_target(struct load_opts *o, const char *text)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&o->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&o->addr;
	const char *colon = strrchr(text, ':');
	const char *bracket = strchr(text, ']');
	const bool has_port = colon != NULL &&
			      (bracket == NULL ? strchr(text, ':') == colon : colon == bracket + 1);
	long port = o->protocol == LOAD_HTTP ? 80 : 7;
	char host[INET6_ADDRSTRLEN];

	o->target = text;
	if (has_port)
		port = app_number("port", colon + 1, 1, UINT16_MAX);
	if (port < 0)
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s",
		(int)(bracket != NULL ? bracket - text - 1
			: has_port    ? colon - text
				      : (long)strlen(text)),
		bracket != NULL ? text + 1 : text);
	o->addr_len = sizeof(*in);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1)
		return 0;
	o->addr_len = sizeof(*in6);
	in6->sin6_family = AF_INET6;
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1)
		return 0;
	fprintf(stderr, "%s: not an address\n", text);
	return -EINVAL;
}

/* Options that exclude each other. */
static int
judge(const struct load_opts *o)
{
	if (o->close != LOAD_KEEP && (o->depth != 1 || o->protocol == LOAD_UDP))
		fprintf(stderr, "--close: allowed: with TCP, and --depth 1\n");
	else if (o->close == LOAD_SERVER_CLOSES && o->protocol != LOAD_HTTP)
		fprintf(stderr, "--close server: allowed: with --protocol http\n");
	else if (o->protocol == LOAD_UDP && o->size < sizeof(uint64_t))
		fprintf(stderr, "--size: allowed: from 8 with --protocol udp\n");
	else
		return 0;
	return -EINVAL;
}

static int
parse(struct load_opts *o, int argc, char **argv)
{
	int opt, rc = 0;

	while (rc == 0 && (opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take(o, (enum option_number)opt, optarg);
	if (rc == 0 && optind + 2 != argc) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	if (rc == 0)
		rc = judge(o);
	if (rc == 0)
		rc = read_target(o, argv[optind + 1]);
	o->conf = argv[optind];
	return rc;
}

/* A client that never waits for its own ports; the file and --set have the last word. */
static int
configure(struct weir_conf *conf, const struct load_opts *o, char *err, size_t err_len)
{
	int rc;

	weir_conf_default(conf);
	conf->tcp.time_wait_ms = 1;
	conf->tcp.port_min = 1024;
	conf->tcp.port_max = UINT16_MAX;
	conf->sockets = conf->connections = 4096 + o->conns * 2;
	rc = weir_conf_load(conf, o->conf, err, err_len);
	for (unsigned int i = 0; i < o->n_sets && rc == 0; i++)
		rc = weir_conf_set_text(conf, o->sets[i], err, err_len);
	return rc;
}

/* This thread is the worker: on its CPU. */
static void
pin(const struct weir_conf *conf)
{
	cpu_set_t set;

	if (conf->cpus[0] < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(conf->cpus[0], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int
open_stack(const struct load_opts *o, struct weir_stack **st)
{
	char err[WEIR_CONF_ERR_MAX] = "";
	struct weir_conf conf;
	int rc = configure(&conf, o, err, sizeof(err));

	if (rc == 0)
		rc = weir_eal_init(&conf, "weir-load", err, sizeof(err));
	if (rc == 0)
		rc = weir_stack_new(&conf, NULL, st, err, sizeof(err));
	if (rc == 0)
		pin(&conf);
	else
		fprintf(stderr, "%s\n", err);
	return rc;
}

/* Ctrl-C ends the measurement, which looks for it. */
static void
hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int
main(int argc, char **argv)
{
	struct load_opts o = {.conns = 1,
		.depth = 1,
		.size = 64,
		.path = "/",
		.warmup_s = 1,
		.run_s = 10,
		.timeout_ms = 1000};
	struct load *l = malloc(sizeof(*l));
	struct weir_stack *st = NULL;
	int rc = l == NULL ? -ENOMEM : parse(&o, argc, argv);

	hold_signals();
	if (rc == 0)
		rc = open_stack(&o, &st);
	if (rc == 0)
		rc = load_run(l, &o, st);
	if (rc == 0)
		load_report(l);
	if (rc == 0 && o.histogram != NULL)
		rc = load_write_histogram(l, o.histogram);
	if (st != NULL)
		weir_fini(st);
	free(l);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
