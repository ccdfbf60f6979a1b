/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-echo: TCP and UDP echo (RFC 862), in the three styles of Weir's API. */
#include "echo/echo.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

static const char usage[] =
	"usage: weir-echo CONF [--port PORT] [--style buffer|mbuf|threads] [--threads N]\n"
	"Echo over TCP and UDP on the stack that the configuration file CONF describes.\n"
	"  --port PORT   7\n"
	"  --style       buffer: callbacks on the workers, with bytes (the default)\n"
	"                mbuf: callbacks on the workers, with packets, nothing copied\n"
	"                threads: blocking calls in threads\n"
	"  --threads N   connections served at once in style threads (8)\n"
	"Ends by Ctrl-C.\n";

struct options {
	const char *conf;
	const struct echo_style *style;
	long port;
	long threads;
};

static const struct echo_style *
find_style(const char *name)
{
	static const struct echo_style *const styles[] = {&echo_buffer, &echo_mbuf, &echo_threads};

	for (size_t i = 0; i < RTE_DIM(styles); i++)
		if (strcmp(name, styles[i]->name) == 0)
			return styles[i];
	return NULL;
}

static bool
parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'},
		{"style", required_argument, NULL, 's'}, {"threads", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'p')
			o->port = app_number("--port", optarg, 1, UINT16_MAX);
		else if (opt == 's')
			o->style = find_style(optarg);
		else if (opt == 't')
			o->threads = app_number("--threads", optarg, 1, RTE_MAX_LCORE - 1);
		else if (opt == 'h')
			exit(fputs(usage, stdout) < 0);
		else
			return false;
		if (o->port < 0 || o->threads < 0 || o->style == NULL)
			return false;
	}
	o->conf = argv[optind];
	return optind == argc - 1;
}

static int
serve(const struct app *app, const struct options *o)
{
	struct echo *e = calloc(1, sizeof(*e));
	int rc;

	if (e == NULL)
		return EXIT_FAILURE;
	rc = echo_start(e, app->st, o->style, (unsigned int)o->threads, (uint16_t)o->port);
	if (rc == 0)
		app_wait(app);
	echo_stop(e);
	if (rc == 0)
		echo_print_counts(e);
	free(e);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o = {.style = &echo_buffer, .port = 7, .threads = 8};
	struct app app;
	int status;

	if (!parse(&o, argc, argv)) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	if (app_init(&app, "weir-echo", o.conf) != 0)
		return EXIT_FAILURE;
	status = serve(&app, &o);
	app_fini(&app);
	return status;
}
