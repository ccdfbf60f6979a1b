/* SPDX-License-Identifier: BSD-3-Clause */
/* The latest events of the TCP connections that have a certain end. */
#include <string.h>

#include "stat.h"

/* Connections that o means; one that is over meanwhile is left out. */
static bool
ask_traces(struct stat_client *c, const char *stack, const struct stat_opts *o, const json_t *rows,
	json_t *traces)
{
	const json_t *s;
	size_t i;

	json_array_foreach(rows, i, s)
	{
		json_t *trace;

		if (json_object_get(s, "id") == NULL ||
			(strcmp(stat_text(s, "peer"), o->conn) != 0 &&
				strcmp(stat_text(s, "local"), o->conn) != 0))
			continue;
		trace = stat_ask(c, "/weir/trace,%s,%lld", stack, stat_int(s, "id"));
		if (trace == NULL)
			return false;
		if (stat_report_error(trace, o->conn))
			json_decref(trace);
		else
			json_array_append_new(traces, trace);
	}
	return true;
}

json_t *
gather_trace(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	json_t *rows = stat_ask_rows(c, stack, "sockets"), *traces = json_array();
	const bool is_good = rows != NULL && ask_traces(c, stack, o, rows, traces);

	json_decref(rows);
	if (is_good && json_array_size(traces) > 0)
		return json_pack("{s:s, s:o}", "stack", stack, "traces", traces);
	if (is_good)
		stat_complain("stack %s has no TCP connection with an end %s", stack, o->conn);
	json_decref(traces);
	return NULL;
}

/* Rows are named "0", "1", ..: in that order. */
static void
show_events(const json_t *events)
{
	char row[24];

	for (size_t i = 0; i < json_object_size(events); i++) {
		const json_t *e;

		snprintf(row, sizeof(row), "%zu", i);
		e = json_object_get(events, row);
		printf("%14.6f s ago  %s\n", (double)stat_int(e, "age_us") / 1e6,
			stat_text(e, "event"));
	}
}

void
show_trace(const json_t *of, const struct stat_opts *o)
{
	const json_t *trace;
	size_t i;

	(void)o;
	json_array_foreach(json_object_get(of, "traces"), i, trace)
	{
		printf("%s%s to %s: %s\n", i == 0 ? "" : "\n", stat_text(trace, "local"),
			stat_text(trace, "peer"), stat_text(trace, "state"));
		show_events(json_object_get(trace, "events"));
	}
}
