/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

void
check_say(struct check *c, enum check_level level, const char *fmt, ...)
{
	static const char *const names[] = {"OK", "NOTE", "FAULT"};
	va_list args;

	fprintf(c->out, "%-5s ", names[level]);
	va_start(args, fmt);
	vfprintf(c->out, fmt, args);
	va_end(args);
	fputc('\n', c->out);
	c->n_faults += level == CHECK_FAULT;
}

bool
check_has_capability(const struct check *c, unsigned int capability)
{
	char status[8192], value[32];

	if (weir_sys_read(status, sizeof(status), c->root, "/proc/self/status") < 0 ||
		weir_sys_field(value, sizeof(value), status, "CapEff") < 0)
		return true; /* we can't know */
	return strtoull(value, NULL, 16) >> capability & 1;
}
