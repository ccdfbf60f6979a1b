/* SPDX-License-Identifier: BSD-3-Clause */
/* The usual program's start: a configuration file, EAL, one stack on its lcores. */
#include <errno.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "stack_priv.h"

int
weir_eal_init(const struct weir_conf *conf, const char *program, char *err, size_t err_len)
{
	char *argv[WEIR_CONF_EAL_MAX];
	char text[8192];
	const int argc = weir_conf_eal_args(conf, program, argv, text, sizeof(text));

	if (argc < 0) {
		snprintf(err, err_len, "%s: too many EAL arguments", conf->file);
		return argc;
	}
	if (rte_eal_init(argc, argv) >= 0)
		return 0;
	snprintf(err, err_len, "EAL does not start: %s (weir-check %s tells more)",
		rte_strerror(rte_errno), conf->file);
	return rte_errno > 0 ? -rte_errno : -EIO;
}

static int
init(const char *conf_file, struct weir_stack **st, char *err, size_t err_len)
{
	struct weir_conf conf;
	int rc;

	if (conf_file == NULL || st == NULL) {
		snprintf(err, err_len, "no configuration file named");
		return -EFAULT;
	}
	weir_conf_default(&conf);
	rc = weir_conf_load(&conf, conf_file, err, err_len);
	if (rc == 0)
		rc = weir_eal_init(&conf, program_invocation_short_name, err, err_len);
	if (rc != 0)
		return rc;
	rc = weir_stack_new(&conf, NULL, st, err, err_len);
	if (rc == 0) {
		rc = weir_stack_start(*st);
		if (rc == 0)
			return 0;
		snprintf(err, err_len, "%s: workers do not start: %s", conf.name, strerror(-rc));
		weir_stack_free(*st);
	}
	rte_eal_cleanup();
	return rc;
}

int
weir_init(const char *conf_file, struct weir_stack **st)
{
	char err[WEIR_CONF_ERR_MAX];
	const int rc = init(conf_file, st, err, sizeof(err));

	if (rc != 0)
		fprintf(stderr, "%s\n", err);
	return rc;
}

void
weir_fini(struct weir_stack *st)
{
	weir_stack_free(st);
	rte_eal_cleanup();
}
