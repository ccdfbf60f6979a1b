/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-ctl: addresses, routes, neighbours and ports of a running Weir program. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"

static const char usage[] =
	"usage: weir-ctl [OPTION]... OBJECT [COMMAND]\n"
	"Shows and changes what a running Weir program has, found by DPDK's telemetry socket.\n"
	"  addr [list]\n"
	"  addr add ADDRESS/LENGTH port NAME [nodad] [preferred SECONDS] [valid SECONDS]\n"
	"  addr del ADDRESS port NAME\n"
	"  route [list]\n"
	"  route add | replace PREFIX [via ADDRESS] [port NAME] [metric N] [mtu N] [src ADDRESS]\n"
	"  route add | replace blackhole | unreachable | prohibit PREFIX [metric N]\n"
	"  route del PREFIX [metric N]\n"
	"  route get ADDRESS\n"
	"  neigh [list]\n"
	"  neigh add ADDRESS lladdr MAC port NAME\n"
	"  neigh del ADDRESS port NAME\n"
	"  neigh flush [port NAME]\n"
	"  port [list]\n"
	"  port set NAME up | down | mtu N\n"
	"PREFIX: 10.1.0.0/16, 2001:db8::/32, default, default6 (of IPv6 without via)\n"
	"Which program, where several run:\n"
	"  --pid PID          by its process id\n"
	"  --prefix NAME      by the file prefix in its configuration\n"
	"  --socket PATH      by its telemetry socket\n"
	"  --stack NAME       one stack of it, where it has several\n"
	"  -j, --json         lists as JSON instead of tables\n"
	"exit status: 0 done, 1 refused, no such program or no answer, 2 wrong usage\n";

enum { FAILED = 1, WRONG_USAGE = 2 };

#define COMMAND_MAX 200

/* @return the first word of the command; -1: wrong usage */
static int
read_command_line(int argc, char **argv, struct stat_opts *o)
{
	static const struct option options[] = {{"pid", required_argument, NULL, 'p'},
		{"prefix", required_argument, NULL, 'f'}, {"socket", required_argument, NULL, 's'},
		{"stack", required_argument, NULL, 'S'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "+jh", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		}
		if (!stat_read_option(o, opt, optarg))
			return -1;
	}
	return optind < argc ? optind : -1;
}

/* Lists: a row's values under these names are its cells, -j shows all. */
static const struct list {
	const char *object;
	const char *command;
	const char *columns;
	const char *names[9];
} lists[] = {
	{"addr", "addrs", "Port,Address,State,>Preferred,>Valid",
		{"port", "address", "state", "preferred_s", "valid_s"}},
	{"route", "routes", "Network,Gateway,Port,>Metric,>MTU,Source,Kind,Origin",
		{"net", "gateway", "port", "metric", "mtu", "src", "kind", "origin"}},
	{"neigh", "neighs", "Address,Port,MAC,State", {"address", "port", "mac", "state"}},
	{"port", "ports", "Port,Link,MAC,>MTU", {"name", "link", "mac", "mtu"}},
	{NULL},
};

static void
add_cell(struct stat_table *t, const json_t *value)
{
	if (json_is_integer(value))
		table_add(t, "%lld", (long long)json_integer_value(value));
	else
		table_add(t, "%s", json_is_string(value) ? json_string_value(value) : "-");
}

static int
show_list(struct stat_client *c, const struct stat_opts *o, const struct list *l)
{
	json_t *rows = stat_ask_rows(c, o->stack == NULL ? "" : o->stack, l->command);
	struct stat_table *t;
	const json_t *row;
	size_t i;

	if (rows == NULL)
		return FAILED;
	if (o->is_json) {
		json_dumpf(rows, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		t = table_new(l->columns);
		json_array_foreach(rows, i, row) for (const char *const *name = l->names;
						      *name != NULL; name++)
			add_cell(t, json_object_get(row, *name));
		table_print(t, stdout);
	}
	json_decref(rows);
	return EXIT_SUCCESS;
}

/* @return EXIT_SUCCESS or FAILED, said why */
static int
judge(json_t *answer)
{
	const char *error = stat_text(answer, "error");
	const bool is_good = answer != NULL && *error == '\0';

	if (answer != NULL && !is_good)
		stat_complain("%s", error);
	json_decref(answer);
	return is_good ? EXIT_SUCCESS : FAILED;
}

static int
show_way(struct stat_client *c, const char *stack, const char *dst)
{
	json_t *way = stat_ask(c, "/weir/way,%s,%s", stack, dst);

	if (*stat_text(way, "to") != '\0')
		printf("%s via %s port %s src %s mtu %lld\n", stat_text(way, "to"),
			stat_text(way, "next_hop"),
			*stat_text(way, "port") != '\0' ? stat_text(way, "port") : "-",
			stat_text(way, "src"), stat_int(way, "mtu"));
	return judge(way);
}

static int
change(struct stat_client *c, const char *stack, char **words, int n)
{
	char text[COMMAND_MAX];
	size_t at = 0;

	for (int i = 0; i < n && at < sizeof(text); i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%s", i == 0 ? "" : " ", words[i]);
	if (at >= sizeof(text)) {
		stat_complain("too long");
		return FAILED;
	}
	return judge(stat_ask(c, "/weir/net,%s,%s", stack, text));
}

static int
run(struct stat_client *c, const struct stat_opts *o, char **words, int n)
{
	const char *stack = o->stack == NULL ? "" : o->stack;
	const struct list *l = lists;

	while (l->object != NULL && strcmp(l->object, words[0]) != 0)
		l++;
	if (l->object != NULL && (n == 1 || (n == 2 && strcmp(words[1], "list") == 0)))
		return show_list(c, o, l);
	if (n == 3 && strcmp(words[0], "route") == 0 && strcmp(words[1], "get") == 0)
		return show_way(c, stack, words[2]);
	return change(c, stack, words, n);
}

int
main(int argc, char **argv)
{
	struct stat_opts opts = {0};
	const int first = read_command_line(argc, argv, &opts);
	struct stat_client c;
	int status;

	if (first < 0) {
		fputs(usage, stderr);
		return WRONG_USAGE;
	}
	if (stat_find(&opts, &c) != 0)
		return FAILED;
	status = run(&c, &opts, argv + first, argc - first);
	stat_close(&c);
	return status;
}
