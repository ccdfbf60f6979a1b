/* SPDX-License-Identifier: BSD-3-Clause */
/* What weir-stat and weir-ctl have in common on the command line. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "stat.h"

void
stat_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

bool
stat_read_option(struct stat_opts *o, int opt, const char *arg)
{
	char *end;

	switch (opt) {
	case 'p':
		o->pid = strtol(arg, &end, 10);
		return *end == '\0' && o->pid > 0;
	case 'f':
		o->prefix = arg;
		return true;
	case 's':
		o->socket = arg;
		return true;
	case 'S':
		o->stack = arg;
		return true;
	case 'j':
		return o->is_json = true;
	default:
		return false;
	}
}
