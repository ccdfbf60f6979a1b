/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * weir-stat: a running Weir program seen through DPDK's telemetry socket.
 * Model   find.c looks for the process, client.c asks it, gather.c turns the answers to one mode
 *         into a JSON object per stack, which show_*.c prints as tables (or --json as it is).
 */
#ifndef STAT_H
#define STAT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/** What the command line says. */
struct stat_opts {
	const char *socket; /* NULL: find one */
	const char *prefix; /* NULL: any */
	const char *stack;  /* NULL: all of the process */
	long pid;           /* 0: any */
	double rate_s;      /* 0: totals */
	bool is_all;        /* zero counters, too */
	bool is_json;
	bool is_info;       /* sockets: a second line for TCP */
	bool is_per_worker; /* counters */
	const char *conn;   /* trace: an end of it, as sockets shows it */
};

/* opts.c: of weir-ctl, too */

/** Say what is wrong on stderr, one line, behind the program's name. */
void stat_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** -p, -f, -s, -S (which program and stack) and -j. @return false: wrong, or another option */
bool stat_read_option(struct stat_opts *o, int opt, const char *arg);

/* client.c */

struct stat_client {
	int fd;
	long pid;
	size_t answer_max;
	char *answer;
};

/** @return 0; negative errno, -EPROTO: not DPDK's telemetry */
int stat_open(struct stat_client *c, const char *path);
void stat_close(struct stat_client *c);

/** Ask a command. @return what it answers, the caller's; NULL: nothing, said why */
json_t *stat_ask(struct stat_client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Say so if answer tells of an error. @return whether it does */
bool stat_report_error(const json_t *answer, const char *what);

/** All pages of a list: the rows of "what" as an array. NULL: said why */
json_t *stat_ask_rows(struct stat_client *c, const char *stack, const char *what);

/* find.c */

/** Connect to the process that o means. @return 0; -1: none or several, said which */
int stat_find(const struct stat_opts *o, struct stat_client *c);

/* gather.c and show_*.c: one function of each per mode */

json_t *gather_summary(struct stat_client *c, const char *stack, const struct stat_opts *o);
json_t *gather_ports(struct stat_client *c, const char *stack, const struct stat_opts *o);
json_t *gather_workers(struct stat_client *c, const char *stack, const struct stat_opts *o);
json_t *gather_pools(struct stat_client *c, const char *stack, const struct stat_opts *o);
json_t *gather_sockets(struct stat_client *c, const char *stack, const struct stat_opts *o);
json_t *gather_trace(struct stat_client *c, const char *stack, const struct stat_opts *o);
json_t *gather_counters(struct stat_client *c, const char *stack, const struct stat_opts *o);

void show_summary(const json_t *of, const struct stat_opts *o);
void show_ports(const json_t *of, const struct stat_opts *o);
void show_workers(const json_t *of, const struct stat_opts *o);
void show_pools(const json_t *of, const struct stat_opts *o);
void show_sockets(const json_t *of, const struct stat_opts *o);
void show_trace(const json_t *of, const struct stat_opts *o);
void show_counters(const json_t *of, const struct stat_opts *o);

static inline long long
stat_int(const json_t *of, const char *name)
{
	return json_integer_value(json_object_get(of, name));
}

/** "" where there is none. */
static inline const char *
stat_text(const json_t *of, const char *name)
{
	const char *text = json_string_value(json_object_get(of, name));

	return text == NULL ? "" : text;
}

/* table.c */

struct stat_table;

/** Columns "Name,>Name,...": those with > are right-aligned. */
struct stat_table *table_new(const char *columns);

/** The next cell, row by row. */
void table_add(struct stat_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** A line below the last row. */
void table_note(struct stat_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Print and free. */
void table_print(struct stat_table *t, FILE *out);

#endif
