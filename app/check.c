/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-check FILE: is the configuration right, and can this machine run it? */
#include <getopt.h>
#include <stdlib.h>

#include "check/check.h"

enum { FILE_IS_WRONG = 1, MACHINE_CANNOT = 2 };

static const char usage[] =
	"usage: weir-check [--root DIR] FILE\n"
	"       weir-check --keys\n"
	"Says whether a configuration file is right and whether this machine can run it.\n"
	"  --keys      every section and key with its default, what is allowed and what it is for\n"
	"  --root DIR  read /proc, /sys and /dev below DIR: another machine's, for tests\n"
	"exit status: 0 it can run, 1 the file is wrong, 2 the machine can't run it\n";

static int
check_file(const char *path, const char *root)
{
	struct weir_conf conf;
	struct check c = {.conf = &conf, .root = root, .out = stdout};
	char err[WEIR_CONF_ERR_MAX];

	weir_conf_default(&conf);
	if (weir_conf_load(&conf, path, err, sizeof(err)) < 0 ||
		weir_conf_check(&conf, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", err);
		return FILE_IS_WRONG;
	}
	check_say(&c, CHECK_OK, "%s: the file is right", path);
	check_ports(&c);
	check_memory(&c);
	check_cpus(&c);
	check_pci(&c);
	check_vdevs(&c);
	printf("%s: this machine %s run it\n", path, c.n_faults == 0 ? "can" : "can't");
	return c.n_faults == 0 ? EXIT_SUCCESS : MACHINE_CANNOT;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"root", required_argument, NULL, 'r'},
		{"keys", no_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	const char *root = "";
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			root = optarg;
			break;
		case 'k':
			weir_conf_print_keys(stdout);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return FILE_IS_WRONG;
		}
	}
	if (optind != argc - 1) {
		fputs(usage, stderr);
		return FILE_IS_WRONG;
	}
	return check_file(argv[optind], root);
}
