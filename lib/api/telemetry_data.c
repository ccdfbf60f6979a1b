/* SPDX-License-Identifier: BSD-3-Clause */
/* Values into rte_tel_data. */
#include <stdarg.h>
#include <stdio.h>

#include "telemetry_priv.h"

void
tel_u64(struct rte_tel_data *d, const char *name, uint64_t value)
{
	rte_tel_data_add_dict_u64(d, name, value);
}

void
tel_int(struct rte_tel_data *d, const char *name, int value)
{
	rte_tel_data_add_dict_int(d, name, value);
}

void
tel_text(struct rte_tel_data *d, const char *name, const char *fmt, ...)
{
	char text[RTE_TEL_MAX_STRING_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rte_tel_data_add_dict_string(d, name, text);
}

struct rte_tel_data *
tel_dict(void)
{
	struct rte_tel_data *d = rte_tel_data_alloc();

	if (d != NULL)
		rte_tel_data_start_dict(d);
	return d;
}

struct rte_tel_data *
tel_strings(void)
{
	struct rte_tel_data *d = rte_tel_data_alloc();

	if (d != NULL)
		rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	return d;
}

void
tel_put(struct rte_tel_data *d, const char *name, struct rte_tel_data *sub)
{
	if (sub != NULL && rte_tel_data_add_dict_container(d, name, sub, 0) != 0)
		rte_tel_data_free(sub);
}

void
tel_put_row(struct rte_tel_data *d, unsigned int row, struct rte_tel_data *sub)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", row);
	tel_put(d, name, sub);
}
