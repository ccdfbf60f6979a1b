/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-ospf-hello: finds the routers of OSPFv2 on a network, and lets them find it. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "ospf/speaker.h"

static const char usage[] =
	"usage: weir-ospf-hello CONF [OPTION]...\n"
	"Exchanges Hellos (RFC 2328) with the OSPFv2 routers on a port of the stack that the\n"
	"configuration file CONF describes, and says who has heard us. No routes are learnt.\n"
	"  -p PORT      of the configuration (the first with an IPv4 address)\n"
	"  -r ID        router identifier, like 10.0.0.1 (the port's address)\n"
	"  -a AREA      likewise (0.0.0.0)\n"
	"  -i SECONDS   HelloInterval (10)\n"
	"  -d SECONDS   RouterDeadInterval (four times that)\n"
	"  -P PRIORITY  to become the designated router, 0 to 255 (0: not to)\n"
	"  -n COUNT     end when so many neighbours and we list each other; else by a signal\n"
	"exit status: 0, or 1: ended by a signal before there were COUNT, 2 other errors\n";

enum { WRONG_USAGE = 2 };

static bool
read_id(uint32_t *id, const char *what, const char *arg)
{
	if (inet_pton(AF_INET, arg, id) == 1)
		return true;
	fprintf(stderr, "%s: %s is not of the form 10.0.0.1\n", what, arg);
	return false;
}

static bool
read_number(struct ospf_opts *o, int opt, const char *arg)
{
	long n;

	switch (opt) {
	case 'i':
		n = app_number("-i", arg, 1, UINT16_MAX);
		o->hello_s = (uint16_t)n;
		return n > 0;
	case 'd':
		n = app_number("-d", arg, 1, INT32_MAX);
		o->dead_s = (uint32_t)n;
		return n > 0;
	case 'P':
		n = app_number("-P", arg, 0, UINT8_MAX);
		o->priority = (uint8_t)n;
		return n >= 0;
	default:
		n = app_number("-n", arg, 1, OSPF_NEIGHBORS_MAX);
		o->n_wanted = (uint32_t)n;
		return n > 0;
	}
}

static bool
read_option(struct ospf_opts *o, int opt, const char *arg)
{
	switch (opt) {
	case 'p':
		o->port = arg;
		return true;
	case 'r':
		return read_id(&o->router_id, "-r", arg);
	case 'a':
		return read_id(&o->area, "-a", arg);
	case '?':
		return false;
	default:
		return read_number(o, opt, arg);
	}
}

/* @return the configuration file; NULL: wrong usage */
static const char *
parse(struct ospf_opts *o, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "p:r:a:i:d:P:n:h")) != -1) {
		if (opt == 'h')
			exit(fputs(usage, stdout) < 0);
		if (!read_option(o, opt, optarg))
			return NULL;
	}
	if (o->dead_s == 0)
		o->dead_s = 4u * o->hello_s;
	return optind == argc - 1 ? argv[optind] : NULL;
}

int
main(int argc, char **argv)
{
	struct ospf_opts o = {.hello_s = 10};
	const char *conf = parse(&o, argc, argv);
	struct app app;
	int n;

	if (conf == NULL) {
		fputs(usage, stderr);
		return WRONG_USAGE;
	}
	if (app_init(&app, "weir-ospf-hello", conf) != 0)
		return WRONG_USAGE;
	puts("weir-ospf-hello: ready");
	fflush(stdout);
	n = ospf_speak(app.st, &o);
	if (n >= 0)
		printf("weir-ospf-hello: %d neighbours\n", n);
	app_fini(&app);
	if (n < 0)
		return WRONG_USAGE;
	return n >= (int)o.n_wanted ? EXIT_SUCCESS : EXIT_FAILURE;
}
