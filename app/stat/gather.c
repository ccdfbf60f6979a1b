/* SPDX-License-Identifier: BSD-3-Clause */
/* What each mode shows of one stack, as JSON. */
#include <time.h>
#include <unistd.h>

#include "stat.h"

#define BUSY_SAMPLE_US 200000

/* {"stack": name, what: rows} */
static json_t *
rows_of(struct stat_client *c, const char *stack, const char *what)
{
	json_t *rows = stat_ask_rows(c, stack, what);

	return rows == NULL ? NULL : json_pack("{s:s, s:o}", "stack", stack, what, rows);
}

json_t *
gather_ports(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	return rows_of(c, stack, "ports");
}

json_t *
gather_pools(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	return rows_of(c, stack, "pools");
}

json_t *
gather_sockets(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	return rows_of(c, stack, "sockets");
}

/* How much of the time between two samples the worker had something to do. */
static double
busy_percent(const json_t *before, const json_t *after)
{
	const long long tsc = stat_int(after, "tsc") - stat_int(before, "tsc");
	const long long busy = stat_int(after, "busy_tsc") - stat_int(before, "busy_tsc");

	return tsc <= 0 ? 0.0 : 100.0 * (double)busy / (double)tsc;
}

json_t *
gather_workers(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	json_t *before = rows_of(c, stack, "workers"), *after = NULL;
	json_t *row;
	size_t i;

	if (before != NULL) {
		usleep(BUSY_SAMPLE_US);
		after = rows_of(c, stack, "workers");
	}
	json_array_foreach(json_object_get(after, "workers"), i, row) json_object_set_new(row,
		"busy_percent",
		json_real(
			busy_percent(json_array_get(json_object_get(before, "workers"), i), row)));
	json_decref(before);
	return after;
}

/* The parts of several modes in one object. Takes part. */
static bool
merge(json_t *whole, json_t *part)
{
	const bool is_there = part != NULL;

	json_object_update(whole, part);
	json_decref(part);
	return is_there;
}

json_t *
gather_summary(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	json_t *whole = json_object();

	if (merge(whole, gather_ports(c, stack, o)) && merge(whole, gather_workers(c, stack, o)) &&
		merge(whole, gather_pools(c, stack, o)))
		return whole;
	json_decref(whole);
	return NULL;
}

/* ---- counters ---- */

/* {layer: {name: value}}; worker -1: of all. NULL: said why */
static json_t *
ask_counters(struct stat_client *c, const char *stack, long worker)
{
	json_t *json = worker < 0 ? stat_ask(c, "/weir/counters,%s", stack)
				  : stat_ask(c, "/weir/counters,%s,%ld", stack, worker);

	if (*stat_text(json, "error") != '\0') {
		stat_complain("counters: %s", stat_text(json, "error"));
		json_decref(json);
		return NULL;
	}
	json_object_del(json, "stack");
	return json;
}

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Turn the totals in after into differences per second. */
static void
to_rates(const json_t *before, json_t *after, double seconds)
{
	const char *layer, *name;
	json_t *counters, *value;
	void *next;

	json_object_foreach(after, layer, counters)
	{
		const json_t *old = json_object_get(before, layer);

		json_object_foreach_safe(counters, next, name, value) json_object_set_new(counters,
			name,
			json_real((double)(json_integer_value(value) - stat_int(old, name)) /
				  seconds));
	}
}

/* The sum, then each worker's if they are wanted. NULL: said why */
static json_t *
ask_all_counters(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	json_t *all = json_array(), *rows = NULL;
	bool is_good = json_array_append_new(all, ask_counters(c, stack, -1)) == 0;

	if (is_good && o->is_per_worker)
		rows = stat_ask_rows(c, stack, "workers");
	for (size_t i = 0; is_good && i < json_array_size(rows); i++)
		is_good = json_array_append_new(all, ask_counters(c, stack, (long)i)) == 0;
	json_decref(rows);
	if (is_good)
		return all;
	json_decref(all);
	return NULL;
}

/* The same as rates over o->rate_s, if these are wanted. */
static json_t *
ask_values(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	json_t *before = ask_all_counters(c, stack, o), *after, *values;
	const double start = now_s();
	size_t i;

	if (o->rate_s == 0.0 || before == NULL)
		return before;
	usleep((useconds_t)(o->rate_s * 1e6));
	after = ask_all_counters(c, stack, o);
	json_array_foreach(after, i, values)
		to_rates(json_array_get(before, i), values, now_s() - start);
	json_decref(before);
	return after;
}

/* {layer: {name: {"unit":, "help":}}} of the layers of values */
static json_t *
ask_help(struct stat_client *c, json_t *values)
{
	json_t *help = json_object(), *counters;
	const char *layer;

	json_object_foreach(values, layer, counters)
		json_object_set_new(help, layer, stat_ask(c, "/weir/counter_help,%s", layer));
	return help;
}

json_t *
gather_counters(struct stat_client *c, const char *stack, const struct stat_opts *o)
{
	json_t *values = ask_values(c, stack, o), *sum, *whole;

	if (values == NULL)
		return NULL;
	sum = json_incref(json_array_get(values, 0));
	json_array_remove(values, 0);
	whole = json_pack("{s:s, s:b, s:o, s:o}", "stack", stack, "per_second", o->rate_s != 0.0,
		"help", ask_help(c, sum), "counters", sum);
	if (o->is_per_worker)
		json_object_set(whole, "workers", values);
	json_decref(values);
	return whole;
}
