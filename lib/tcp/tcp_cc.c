/* SPDX-License-Identifier: BSD-3-Clause */
/* The algorithms by name. */
#include "tcp_priv.h"

static const struct weir_tcp_cc_ops *const algorithms[] = {
	&weir_tcp_cc_newreno,
};

const struct weir_tcp_cc_ops *
weir_tcp_cc_at(unsigned int i)
{
	return i < RTE_DIM(algorithms) ? algorithms[i] : NULL;
}

const struct weir_tcp_cc_ops *
weir_tcp_cc_find(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(algorithms); i++) {
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	}
	return NULL;
}
