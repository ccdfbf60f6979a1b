/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-stat: ports, workers, pools, sockets and counters of a running Weir program. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"

static const char usage[] =
	"usage: weir-stat [OPTION]... [MODE]\n"
	"Shows a running Weir program, found by DPDK's telemetry socket. MODE:\n"
	"  summary            ports, workers and pools (the default)\n"
	"  sockets            sockets and TCP connections, as ss shows them\n"
	"  counters           every counter that is not zero\n"
	"  ports | workers | pools\n"
	"  trace ADDRESS:PORT the latest events of the TCP connections with that end\n"
	"Which program, where several run:\n"
	"  --pid PID          by its process id\n"
	"  --prefix NAME      by the file prefix in its configuration\n"
	"  --socket PATH      by its telemetry socket\n"
	"  --stack NAME       one stack of it; else all\n"
	"What is shown:\n"
	"  -i, --info         sockets: a second line for TCP: window, round trip, retransmissions\n"
	"  -a, --all          counters: zero ones, too\n"
	"  -r, --rate SECONDS counters: per second, over that time\n"
	"  -w, --per-worker   counters: a column for each worker\n"
	"  -j, --json         JSON instead of tables\n"
	"exit status: 0 shown, 1 no such program or no answer, 2 wrong usage\n";

enum { NOT_SHOWN = 1, WRONG_USAGE = 2 };

static const struct mode {
	const char *name;
	json_t *(*gather)(struct stat_client *c, const char *stack, const struct stat_opts *o);
	void (*show)(const json_t *of, const struct stat_opts *o);
	bool has_conn; /* an end of a connection follows */
} modes[] = {
	{"summary", gather_summary, show_summary},
	{"sockets", gather_sockets, show_sockets},
	{"counters", gather_counters, show_counters},
	{"ports", gather_ports, show_ports},
	{"workers", gather_workers, show_workers},
	{"pools", gather_pools, show_pools},
	{"trace", gather_trace, show_trace, true},
	{NULL},
};

static bool
read_option(struct stat_opts *o, int opt, const char *arg)
{
	char *end = "";

	switch (opt) {
	case 'i':
		return o->is_info = true;
	case 'a':
		return o->is_all = true;
	case 'r':
		o->rate_s = strtod(arg, &end);
		return *end == '\0' && o->rate_s >= 0.01 && o->rate_s <= 3600;
	case 'w':
		return o->is_per_worker = true;
	default:
		return stat_read_option(o, opt, arg);
	}
}

static const struct mode *
find_mode(const char *name)
{
	const struct mode *m = modes;

	while (m->name != NULL && strcmp(m->name, name) != 0)
		m++;
	return m->name == NULL ? NULL : m;
}

/* What is left of the command line. @return the mode; NULL: there is none, or too much */
static const struct mode *
read_mode(int argc, char **argv, struct stat_opts *o)
{
	const struct mode *m = find_mode(argc > 0 ? argv[0] : modes[0].name);

	if (m == NULL || (m->has_conn ? argc != 2 : argc > 1))
		return NULL;
	o->conn = m->has_conn ? argv[1] : NULL;
	return m;
}

/* @return the mode; NULL: the command line is wrong */
static const struct mode *
read_command_line(int argc, char **argv, struct stat_opts *o)
{
	static const struct option options[] = {{"pid", required_argument, NULL, 'p'},
		{"prefix", required_argument, NULL, 'f'}, {"socket", required_argument, NULL, 's'},
		{"stack", required_argument, NULL, 'S'}, {"info", no_argument, NULL, 'i'},
		{"all", no_argument, NULL, 'a'}, {"rate", required_argument, NULL, 'r'},
		{"per-worker", no_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "iar:wjh", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		}
		if (!read_option(o, opt, optarg))
			return NULL;
	}
	return read_mode(argc - optind, argv + optind, o);
}

/* @return an array of what m shows, an object per stack; NULL: said why */
static json_t *
gather(struct stat_client *c, const struct mode *m, const struct stat_opts *o)
{
	json_t *stacks = stat_ask(c, "/weir/stacks"), *all = json_array();
	const json_t *name;
	bool is_good = stacks != NULL;
	size_t i;

	json_array_foreach(stacks, i, name)
	{
		const char *stack = json_string_value(name);

		if (is_good && (o->stack == NULL || strcmp(o->stack, stack) == 0))
			is_good = json_array_append_new(all, m->gather(c, stack, o)) == 0;
	}
	if (is_good && json_array_size(all) == 0) {
		stat_complain(
			o->stack == NULL ? "the program has no stack" : "no stack %s", o->stack);
		is_good = false;
	}
	json_decref(stacks);
	if (is_good)
		return all;
	json_decref(all);
	return NULL;
}

static void
show(const json_t *all, const struct mode *m, const struct stat_opts *o)
{
	const json_t *of;
	size_t i;

	if (o->is_json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	json_array_foreach(all, i, of)
	{
		if (json_array_size(all) > 1)
			printf("%sStack %s\n", i == 0 ? "" : "\n", stat_text(of, "stack"));
		m->show(of, o);
	}
}

int
main(int argc, char **argv)
{
	struct stat_opts opts = {0};
	const struct mode *m = read_command_line(argc, argv, &opts);
	struct stat_client c;
	json_t *all;

	if (m == NULL) {
		fputs(usage, stderr);
		return WRONG_USAGE;
	}
	if (stat_find(&opts, &c) != 0)
		return NOT_SHOWN;
	all = gather(&c, m, &opts);
	stat_close(&c);
	if (all == NULL)
		return NOT_SHOWN;
	show(all, m, &opts);
	json_decref(all);
	return EXIT_SUCCESS;
}
