/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The command line of weir-wire, behind EAL's part of it.
 */
#ifndef WIRE_OPTS_H
#define WIRE_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "weir_impair.h"

struct wire_opts {
	const char *device[2]; /* --a, --b */
	struct weir_impair impair[2]; /* of what goes from a to b, from b to a */
	uint64_t seed;
	uint32_t seconds; /* 0: until a signal */
	uint32_t mbufs;
	bool poll;
};

/** @return 0, or -EINVAL with a line in err */
int wire_opts_parse(struct wire_opts *o, int argc, char **argv, char *err, size_t err_len);

bool wire_opts_want_help(int argc, char **argv);

void wire_opts_help(void);

#endif
