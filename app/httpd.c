/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-httpd: a web server in callback style, on Weir's workers. */
#include "httpd/httpd.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: weir-httpd CONF [--port PORT] [--root DIR]\n"
	"A web server on the stack that the configuration file CONF describes.\n"
	"  --port PORT  TCP port (80)\n"
	"  --root DIR   files to serve, and where PUT makes new ones; without it there is a "
	"built-in\n"
	"               page, GET /size/N (N bytes) and PUT /sink (counted, not kept) alone\n"
	"Ends by Ctrl-C.\n";

struct options {
	const char *conf;
	const char *root;
	long port;
};

static bool
parse(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'},
		{"root", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'p')
			o->port = app_number("--port", optarg, 1, UINT16_MAX);
		else if (opt == 'r')
			o->root = optarg;
		else if (opt == 'h')
			exit(fputs(usage, stdout) < 0);
		else
			return false;
		if (o->port < 0)
			return false;
	}
	o->conf = argv[optind];
	return optind == argc - 1;
}

static int
serve(const struct app *app, const struct options *o)
{
	struct httpd *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL)
		return EXIT_FAILURE;
	rc = httpd_start(h, app->st, (uint16_t)o->port, o->root);
	if (rc == 0)
		app_wait(app);
	weir_stack_stop(app->st);
	if (rc == 0)
		httpd_print_counts(h);
	httpd_stop(h);
	free(h);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o = {.port = 80};
	struct app app;
	int status;

	if (!parse(&o, argc, argv)) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	if (app_init(&app, "weir-httpd", o.conf) != 0)
		return EXIT_FAILURE;
	status = serve(&app, &o);
	app_fini(&app);
	return status;
}
