/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include <rte_cfgfile.h>

#include "conf_priv.h"

/* rte_cfgfile reads lines into a buffer a little longer than this, and stops at longer ones. */
#define LINE_LEN_MAX (CFG_NAME_LEN + CFG_VALUE_LEN)

struct scan {
	const struct conf_report *report;
	unsigned int line;
	bool has_section;
};

static int
fail_line(const struct scan *s, const char *text, const char *what)
{
	return conf_fail(s->report, "line %u: %.64s: %s", s->line, text, what);
}

static char *
strip(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	for (len = strlen(text); len > 0 && isspace((unsigned char)text[len - 1]);)
		text[--len] = '\0';
	return text;
}

static bool
has_control_character(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)line[i]) && strchr("\t\r\n", line[i]) == NULL)
			return true;
	return memchr(line, '\0', len) != NULL;
}

/* Cut the comment off. A '#' inside a word is a mistake: rte_cfgfile would cut the word. */
static int
cut_comment(const struct scan *s, char *line)
{
	char *comment = strchr(line, CONF_COMMENT);

	if (comment == NULL)
		return 0;
	if (comment != line && !isspace((unsigned char)comment[-1]))
		return fail_line(s, strip(line),
			"a # that begins a comment has a blank before it; values have none");
	*comment = '\0';
	return 0;
}

static int
scan_section(struct scan *s, char *text)
{
	char *end = strchr(text, ']');

	if (end == NULL || end[1] != '\0')
		return fail_line(s, text, "a section is [name] on a line of its own");
	*end = '\0';
	text = strip(text + 1);
	if (*text == '\0' || strlen(text) >= CFG_NAME_LEN)
		return fail_line(s, "[]", "a section has a name of 1 to 63 characters");
	s->has_section = true;
	return 0;
}

static int
scan_key(struct scan *s, char *text)
{
	char *equals = strchr(text, '=');
	char *value;

	if (equals == NULL)
		return fail_line(s, text, "allowed: [section], key = value, # comment");
	if (!s->has_section)
		return fail_line(s, text, "a key stands in a section, and none has begun");
	*equals = '\0';
	value = strip(equals + 1);
	text = strip(text);
	if (*text == '\0' || strlen(text) >= CFG_NAME_LEN)
		return fail_line(s, "=", "a key has 1 to 63 characters");
	if (*value == '\0')
		return fail_line(s, text, "the value is missing; for an empty one say none");
	if (strlen(value) >= CFG_VALUE_LEN)
		return fail_line(s, text, "a value has at most 255 characters");
	return 0;
}

static int
scan_line(struct scan *s, char *line, size_t len)
{
	char *text;

	s->line++;
	if (has_control_character(line, len))
		return conf_fail(s->report, "line %u: has a character that is not text", s->line);
	if (strcspn(line, "\r\n") > LINE_LEN_MAX)
		return conf_fail(s->report, "line %u: a line has at most %d characters", s->line,
			LINE_LEN_MAX);
	if (cut_comment(s, line) < 0)
		return -EINVAL;
	text = strip(line);
	if (*text == '\0')
		return 0;
	if (*text == ';')
		return fail_line(s, text, "comments begin with #");
	return *text == '[' ? scan_section(s, text) : scan_key(s, text);
}

static int
scan_file(FILE *f, const struct conf_report *r)
{
	struct scan s = {.report = r};
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && (len = getline(&line, &size, f)) >= 0)
		rc = scan_line(&s, line, (size_t)len);
	if (rc == 0 && ferror(f))
		rc = conf_fail(r, "can't be read");
	free(line);
	return rc;
}

int
conf_scan(const char *path, const struct conf_report *r)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	int rc;

	if (f == NULL) {
		rc = -errno;
		conf_fail(r, "%s", strerror(-rc));
		return rc;
	}
	/* It is read twice: here and by rte_cfgfile. */
	if (fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
		rc = conf_fail(r, "not a regular file");
	else
		rc = scan_file(f, r);
	fclose(f);
	return rc;
}
