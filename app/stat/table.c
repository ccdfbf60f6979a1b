/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables: columns as wide as their widest cell. */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stat.h"

#define COLUMNS_MAX 80

struct cell {
	char *text;
	bool is_note;
};

struct stat_table {
	unsigned int n_columns;
	size_t width[COLUMNS_MAX];
	bool is_right[COLUMNS_MAX];
	unsigned int column; /* of the next cell */
	size_t n;
	size_t room;
	struct cell *cells; /* the head, then row by row, notes in between */
};

static char *
format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	return text;
}

static void
append(struct stat_table *t, char *text, bool is_note)
{
	if (t->n == t->room) {
		t->room = t->room == 0 ? 64 : 2 * t->room;
		t->cells = reallocarray(t->cells, t->room, sizeof(t->cells[0]));
		if (t->cells == NULL)
			abort();
	}
	t->cells[t->n++] = (struct cell){text, is_note};
}

static void
append_cell(struct stat_table *t, char *text)
{
	const size_t len = strlen(text);

	append(t, text, false);
	if (len > t->width[t->column])
		t->width[t->column] = len;
	t->column = (t->column + 1) % t->n_columns;
}

struct stat_table *
table_new(const char *columns)
{
	struct stat_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	t->n_columns = 1;
	for (const char *p = columns; *p != '\0'; p++)
		t->n_columns += *p == ',' && t->n_columns < COLUMNS_MAX;
	for (unsigned int i = 0; i < t->n_columns; i++) {
		t->is_right[i] = *columns == '>';
		columns += t->is_right[i];
		append_cell(t, strndup(columns, strcspn(columns, ",")));
		columns += strcspn(columns, ",") + 1;
	}
	return t;
}

void
table_add(struct stat_table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append_cell(t, format(fmt, ap));
	va_end(ap);
}

void
table_note(struct stat_table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(t, format(fmt, ap), true);
	va_end(ap);
}

static void
print_cell(const struct stat_table *t, unsigned int column, const char *text, FILE *out)
{
	const bool is_last = column == t->n_columns - 1;
	int width = (int)t->width[column];

	if (!t->is_right[column])
		width = is_last ? 0 : -width; /* no blanks at the end of a line */
	fprintf(out, "%*s%s", width, text, is_last ? "\n" : "  ");
}

void
table_print(struct stat_table *t, FILE *out)
{
	unsigned int column = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->cells[i].is_note) {
			fprintf(out, "    %s\n", t->cells[i].text);
		} else {
			print_cell(t, column, t->cells[i].text, out);
			column = (column + 1) % t->n_columns;
		}
		free(t->cells[i].text);
	}
	free(t->cells);
	free(t);
}
