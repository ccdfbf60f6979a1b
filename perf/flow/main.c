/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-perf: one workload, measured once; its result as a line of JSON. */
#include "perf.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

const struct perf_workload perf_workloads[] = {
	{"tcp_rr", PERF_ECHO, SOCK_STREAM, false, false, "request and answer"},
	{"tcp_short", PERF_SHORT, SOCK_STREAM, false, false, "connect, request, answer, close"},
	{"tcp_in", PERF_BULK, SOCK_STREAM, true, false, "1460 bytes received"},
	{"tcp_out", PERF_BULK, SOCK_STREAM, false, true, "1460 bytes sent"},
	{"tcp_both", PERF_BULK, SOCK_STREAM, true, true, "1460 bytes sent or received"},
	{"udp_rr", PERF_ECHO, SOCK_DGRAM, false, false, "datagram and answer"},
	{"idle", PERF_IDLE, SOCK_DGRAM, false, false, "wake-up of a sleeping worker"},
	{"crowd", PERF_CROWD, SOCK_STREAM, false, false, "request to any of many"},
	{NULL},
};

#define FLOWS_MAX 60000 /* ports of a client */

enum option_number {
	OPT_PORTS = 1,
	OPT_SERVER,
	OPT_CORES,
	OPT_MBUF,
	OPT_NO_CEILING,
	OPT_IMPAIR,
	OPT_LISTENERS,
	OPT_CONNS,
	OPT_DEPTH,
	OPT_SIZE,
	OPT_SLICE_MS,
	OPT_SLICES,
	OPT_WARMUP_MS,
	OPT_OPS,
	OPT_SERVER_CPU,
	OPT_CLIENT_CPU,
	OPT_HUGEPAGES,
	OPT_FLOOD,
	OPT_SET,
	OPT_HELP,
};

static const struct option options[] = {
	{"ports", required_argument, NULL, OPT_PORTS},
	{"server", required_argument, NULL, OPT_SERVER},
	{"cores", required_argument, NULL, OPT_CORES},
	{"mbuf", no_argument, NULL, OPT_MBUF},
	{"no-ceiling", no_argument, NULL, OPT_NO_CEILING},
	{"impair", required_argument, NULL, OPT_IMPAIR},
	{"listeners", required_argument, NULL, OPT_LISTENERS},
	{"conns", required_argument, NULL, OPT_CONNS},
	{"depth", required_argument, NULL, OPT_DEPTH},
	{"size", required_argument, NULL, OPT_SIZE},
	{"slice-ms", required_argument, NULL, OPT_SLICE_MS},
	{"slices", required_argument, NULL, OPT_SLICES},
	{"warmup-ms", required_argument, NULL, OPT_WARMUP_MS},
	{"ops", required_argument, NULL, OPT_OPS},
	{"server-cpu", required_argument, NULL, OPT_SERVER_CPU},
	{"client-cpu", required_argument, NULL, OPT_CLIENT_CPU},
	{"hugepages", required_argument, NULL, OPT_HUGEPAGES},
	{"flood", required_argument, NULL, OPT_FLOOD},
	{"set", required_argument, NULL, OPT_SET},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL},
};

static void
usage(FILE *out)
{
	fputs("weir-perf [OPTION...] WORKLOAD\n"
	      "  --ports cable|memif    what lies between server and client (cable)\n"
	      "  --server weir|lwip     lwip: for comparison, with memif on one core (weir)\n"
	      "  --cores 1|2            1: both stepped in turn; 2: each on its own (1)\n"
	      "  --conns N --depth N    connections or sockets; requests under way on each (1, 1)\n"
	      "  --listeners N          sockets of the server, which they spread over (1)\n"
	      "  --impair loss=1%,...   what the cable does to packets, both ways (drivers/wire)\n"
	      "  --size N               bytes of a request and of its answer (64)\n"
	      "  --mbuf                 the server takes, and echoes, the packet's own mbuf\n"
	      "  --flood syn|ack|udp    16 such packets of strangers for each turn of the client;\n"
	      "                         with one core: on two, nothing paces it\n"
	      "  --slices N --slice-ms N --warmup-ms N   how long (20, 50, 200)\n"
	      "  --ops N                fewer than N operations: failed\n"
	      "  --no-ceiling           do not measure MAC swapping after it\n"
	      "  --server-cpu N --client-cpu N   (the first allowed, and the second)\n"
	      "  --hugepages yes|no|auto (auto)\n"
	      "  --set SECTION.KEY=VALUE  configuration of both stacks: tcp.timestamps=no\n"
	      "workloads:\n",
		out);
	for (const struct perf_workload *w = perf_workloads; w->name != NULL; w++)
		fprintf(out, "  %-10s operation: %s\n", w->name, w->what);
}

static int
number(const char *text, unsigned long min, unsigned long max, unsigned int *n)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "%s: allowed: %lu to %lu\n", text, min, max);
		return -EINVAL;
	}
	*n = (unsigned int)value;
	return 0;
}

/* One of two names. */
static int
choice(const char *what, const char *text, const char *no, const char *yes, bool *is_yes)
{
	*is_yes = strcmp(text, yes) == 0;
	if (*is_yes || strcmp(text, no) == 0)
		return 0;
	fprintf(stderr, "%s %s: allowed: %s, %s\n", what, text, no, yes);
	return -EINVAL;
}

static int
add_set(struct perf_opts *o, const char *text)
{
	if (o->n_sets == PERF_SETS_MAX) {
		fprintf(stderr, "--set: allowed: %d times\n", PERF_SETS_MAX);
		return -EINVAL;
	}
	o->sets[o->n_sets++] = text;
	return 0;
}

static int
take_option(struct perf_opts *o, enum option_number opt, const char *text)
{
	unsigned int n = 0;
	bool is_yes;
	int rc = 0;

	switch (opt) {
	case OPT_PORTS:
		rc = choice("--ports", text, "cable", "memif", &is_yes);
		o->ports = is_yes ? PERF_MEMIF : PERF_CABLE;
		return rc;
	case OPT_SERVER:
		rc = choice("--server", text, "weir", "lwip", &is_yes);
		o->server = is_yes ? PERF_LWIP : PERF_WEIR;
		return rc;
	case OPT_CORES:
		rc = number(text, 1, 2, &n);
		o->is_two_cores = n == 2;
		return rc;
	case OPT_MBUF:
		o->use_mbuf = true;
		return 0;
	case OPT_NO_CEILING:
		o->has_ceiling = false;
		return 0;
	case OPT_IMPAIR:
		o->impair = text;
		return 0;
	case OPT_LISTENERS:
		return number(text, 1, 50000, &o->listeners);
	case OPT_CONNS:
		return number(text, 1, 12000000, &o->conns);
	case OPT_DEPTH:
		return number(text, 1, 256, &o->depth);
	case OPT_SIZE:
		return number(text, 1, 1400, &o->size);
	case OPT_SLICE_MS:
		return number(text, 1, 60000, &o->slice_ms);
	case OPT_SLICES:
		return number(text, 1, 1000, &o->slices);
	case OPT_WARMUP_MS:
		return number(text, 0, 60000, &o->warmup_ms);
	case OPT_OPS:
		rc = number(text, 0, UINT32_MAX, &n);
		o->ops_min = n;
		return rc;
	case OPT_SERVER_CPU:
		rc = number(text, 0, 1023, &n);
		o->server_cpu = (int)n;
		return rc;
	case OPT_CLIENT_CPU:
		rc = number(text, 0, 1023, &n);
		o->client_cpu = (int)n;
		return rc;
	case OPT_HUGEPAGES:
		o->hugepages = text;
		return 0;
	case OPT_FLOOD:
		return perf_flood_named(text, &o->flood);
	case OPT_SET:
		return add_set(o, text);
	case OPT_HELP:
		usage(stdout);
		exit(EXIT_SUCCESS);
	}
	return -EINVAL; /* getopt_long() has said why */
}

static int
find_workload(struct perf_opts *o, const char *name)
{
	for (const struct perf_workload *w = perf_workloads; w->name != NULL; w++)
		if (strcmp(w->name, name) == 0) {
			o->workload = w;
			return 0;
		}
	fprintf(stderr, "%s: no such workload (--help lists them)\n", name);
	return -EINVAL;
}

/* The CPUs not named: the first that we may use, and for a client of its own the second. */
static void
choose_cpus(struct perf_opts *o)
{
	int cpus[2] = {-1, -1};
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &set) && cpu != o->server_cpu) {
			cpus[1] = cpus[0];
			cpus[0] = cpu;
		}
	if (o->server_cpu < 0) {
		o->server_cpu = cpus[0];
		cpus[0] = cpus[1];
	}
	if (o->client_cpu < 0)
		o->client_cpu = o->is_two_cores && cpus[0] >= 0 ? cpus[0] : o->server_cpu;
}

static int
parse(struct perf_opts *o, int argc, char **argv)
{
	int opt, rc = 0;

	*o = (struct perf_opts){.conns = 1,
		.depth = 1,
		.size = 64,
		.slices = 20,
		.slice_ms = 50,
		.warmup_ms = 200,
		.server_cpu = -1,
		.client_cpu = -1,
		.listeners = 1,
		.hugepages = "auto",
		.has_ceiling = true};
	while (rc == 0 && (opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(o, (enum option_number)opt, optarg);
	if (rc != 0)
		return rc;
	if (optind + 1 != argc) {
		usage(stderr);
		return -EINVAL;
	}
	rc = find_workload(o, argv[optind]);
	if (rc != 0)
		return rc;
	if (o->impair != NULL && (o->ports != PERF_CABLE || o->has_ceiling)) {
		fprintf(stderr, "--impair: allowed: --ports cable, --no-ceiling\n");
		return -EINVAL;
	}
	if (o->workload->shape == PERF_IDLE && o->ports != PERF_CABLE) {
		fprintf(stderr, "idle: allowed: --ports cable\n");
		return -EINVAL;
	}
	o->is_two_cores |= o->workload->shape == PERF_IDLE;
	if (o->flood != PERF_NO_FLOOD && o->is_two_cores) {
		fprintf(stderr, "--flood: allowed: --cores 1, where client and flood take turns\n");
		return -EINVAL;
	}
	if (o->server == PERF_LWIP && (o->ports != PERF_MEMIF || o->is_two_cores || o->use_mbuf)) {
		fprintf(stderr, "--server lwip: allowed: --ports memif --cores 1, no --mbuf\n");
		return -EINVAL;
	}
	if (o->conns > FLOWS_MAX && o->workload->shape != PERF_CROWD) {
		fprintf(stderr, "--conns: allowed: 1 to %d; crowd: more\n", FLOWS_MAX);
		return -EINVAL;
	}
	if (o->workload->shape == PERF_CROWD && (o->ports != PERF_CABLE || o->is_two_cores)) {
		fprintf(stderr, "crowd: allowed: --ports cable --cores 1\n");
		return -EINVAL;
	}
	choose_cpus(o);
	return 0;
}

static void
print_result(const struct perf_opts *o, const struct perf_result *r, const struct perf_result *top)
{
	printf("{\"workload\": \"%s\", \"server\": \"%s\", \"ports\": \"%s\", "
	       "\"cores\": %d, \"conns\": %u, \"depth\": %u, \"size\": %u, \"mbuf\": %s, ",
		o->workload->name, o->server == PERF_LWIP ? "lwip" : "weir",
		o->ports == PERF_CABLE ? "cable" : "memif", o->is_two_cores ? 2 : 1, o->conns,
		o->depth, o->size, o->use_mbuf ? "true" : "false");
	printf("\"ops\": %" PRIu64 ", \"ops_per_s\": %.1f, \"cycles_per_op\": %.1f, "
	       "\"rx_per_op\": %.3f, \"tx_per_op\": %.3f, \"rx_len\": %u, \"tx_len\": %u, "
	       "\"errors\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"rexmits\": %" PRIu64
	       ", \"steps_cut\": %" PRIu64 ", \"balanced\": %s",
		r->ops, r->ops_per_s, r->cycles_per_op, r->profile.rx_per_op, r->profile.tx_per_op,
		r->profile.rx_len, r->profile.tx_len, r->errors, r->lost, r->rexmits, r->cut,
		r->is_balanced ? "true" : "false");
	if (o->has_ceiling)
		printf(", \"ceiling_ops_per_s\": %.1f, \"ceiling_cycles_per_op\": %.1f, "
		       "\"ceiling_lost\": %" PRIu64,
			top->ops_per_s, top->cycles_per_op, top->lost);
	printf(", \"tsc_hz\": %" PRIu64 "}\n", rte_get_tsc_hz());
}

static int
run(const struct perf_opts *o, struct perf_peer *peer)
{
	struct perf_result res, top = {0};
	int rc = perf_flow_run(o, peer, &res);

	if (rc == 0 && o->has_ceiling)
		rc = perf_ceiling_run(o, peer, &res.profile, &top);
	if (peer != NULL)
		rc = perf_peer_enter(peer, PERF_END) != 0 && rc == 0 ? -EIO : rc;
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", o->workload->name, strerror(-rc));
		return rc;
	}
	res.is_balanced &= peer == NULL || peer->is_balanced;
	print_result(o, &res, &top);
	return res.is_balanced ? 0 : -EBADMSG;
}

int
main(int argc, char **argv)
{
	struct perf_opts o;
	struct perf_peer *peer = NULL;
	int rc = parse(&o, argc, argv);

	if (rc == 0 && o.ports == PERF_MEMIF && o.is_two_cores) {
		peer = perf_peer_fork(&o);
		rc = peer == NULL ? -errno : 0;
	}
	if (rc == 0)
		rc = perf_eal(&o, false);
	if (rc == 0 && o.workload->shape == PERF_IDLE)
		rc = perf_idle_run(&o);
	else if (rc == 0)
		rc = o.workload->shape == PERF_CROWD ? perf_crowd_run(&o) : run(&o, peer);
	rte_eal_cleanup();
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
