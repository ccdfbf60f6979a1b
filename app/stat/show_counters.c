/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters, one a line, with what they mean. */
#include <stdlib.h>
#include <string.h>

#include "stat.h"

static struct stat_table *
new_table(size_t n_workers)
{
	char *columns = NULL;
	size_t len;
	FILE *f = open_memstream(&columns, &len);
	struct stat_table *t;

	if (f == NULL)
		abort();
	fprintf(f, "Counter,>Sum,");
	for (size_t i = 0; i < n_workers; i++)
		fprintf(f, ">Worker %zu,", i);
	fprintf(f, "Unit,Meaning");
	fclose(f);
	t = table_new(columns);
	free(columns);
	return t;
}

static void
add_value(struct stat_table *t, const json_t *value)
{
	if (json_is_real(value))
		table_add(t, "%.1f", json_real_value(value));
	else
		table_add(t, "%lld", (long long)json_integer_value(value));
}

struct row {
	const char *layer;
	const char *name;
	const json_t *value;
};

static void
add_row(struct stat_table *t, const json_t *of, const struct row *r)
{
	const json_t *help =
		json_object_get(json_object_get(json_object_get(of, "help"), r->layer), r->name);
	const json_t *worker;
	size_t i;

	table_add(t, "%s.%s", r->layer, r->name);
	add_value(t, r->value);
	json_array_foreach(json_object_get(of, "workers"), i, worker)
		add_value(t, json_object_get(json_object_get(worker, r->layer), r->name));
	table_add(t, "%s%s", stat_text(help, "unit"),
		json_is_true(json_object_get(of, "per_second")) ? "/s" : "");
	table_add(t, "%s", stat_text(help, "help"));
}

void
show_counters(const json_t *of, const struct stat_opts *o)
{
	struct stat_table *t = new_table(json_array_size(json_object_get(of, "workers")));
	const char *layer, *name;
	json_t *counters, *value;

	json_object_foreach(json_object_get(of, "counters"), layer, counters) json_object_foreach(
		counters, name, value) if (o->is_all || json_number_value(value) != 0.0)
		add_row(t, of, &(struct row){layer, name, value});
	table_print(t, stdout);
}
