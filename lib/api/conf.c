/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cfgfile.h>
#include <rte_common.h>

#include "conf_priv.h"
#include "weir_assert.h"

/* A section as a file names it: "port tap0". */
struct section_name {
	char word[CFG_NAME_LEN];  /* "port" */
	char label[CFG_NAME_LEN]; /* "tap0"; empty without one */
};

/* The mistake is at this key of this section. */
struct place {
	const struct conf_report *report;
	const char *section;
	const char *key;
	const char *value;
};

int
conf_fail(const struct conf_report *r, const char *fmt, ...)
{
	const bool has_file = r->file != NULL && r->file[0] != '\0';
	va_list args;
	int n;

	n = snprintf(r->err, r->err_len, "%s%s", has_file ? r->file : "", has_file ? ": " : "");
	if (n >= 0 && (size_t)n < r->err_len) {
		va_start(args, fmt);
		vsnprintf(r->err + n, r->err_len - (size_t)n, fmt, args);
		va_end(args);
	}
	return -EINVAL;
}

/* ---- the nearest known word ---- */

#define WORD_MAX CFG_NAME_LEN

/* Levenshtein's distance: letters to put in, take out or change to make b of a. */
static unsigned int
distance(const char *a, const char *b)
{
	const size_t a_len = strnlen(a, WORD_MAX), b_len = strnlen(b, WORD_MAX);
	unsigned int row[WORD_MAX + 1];

	for (unsigned int j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= a_len; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= b_len; j++) {
			const unsigned int change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = RTE_MIN(change, RTE_MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

static const char *
nearest_section(const char *word)
{
	const struct conf_section *best = conf_sections;

	for (const struct conf_section *s = conf_sections; s->name != NULL; s++)
		if (distance(word, s->name) < distance(word, best->name))
			best = s;
	return best->name;
}

static const char *
nearest_key(const struct conf_section *s, const char *word)
{
	const struct conf_key *best = s->keys;

	for (const struct conf_key *k = s->keys; k->name != NULL; k++)
		if (distance(word, k->name) < distance(word, best->name))
			best = k;
	return best->name;
}

/* ---- sections ---- */

static struct section_name
split_section(const char *text)
{
	const int word_len = (int)strcspn(text, " \t");
	const char *label = text + word_len + strspn(text + word_len, " \t");
	struct section_name name;

	snprintf(name.word, sizeof(name.word), "%.*s", word_len, text);
	snprintf(name.label, sizeof(name.label), "%s", label);
	return name;
}

static int
find_section(const char *text, const struct conf_section **found, const struct conf_report *r)
{
	const struct section_name name = split_section(text);
	const struct conf_section *s = conf_sections;
	const bool has_label = name.label[0] != '\0';

	while (s->name != NULL && strcmp(s->name, name.word) != 0)
		s++;
	if (s->name == NULL)
		return conf_fail(r, "[%s]: no such section; the nearest is [%s]", text,
			nearest_section(name.word));
	if (s->label == NULL && has_label)
		return conf_fail(r, "[%s]: allowed: [%s], without a name", text, s->name);
	if (s->label != NULL && !conf_is_name(name.label, WEIR_CONF_NAME_MAX))
		return conf_fail(r, "[%s]: allowed: [%s %s], %s up to %d letters, digits and . _ -",
			text, s->name, s->label, s->label, WEIR_CONF_NAME_MAX - 1);
	*found = s;
	return 0;
}

static void
set_defaults(const struct conf_section *s, void *item)
{
	for (const struct conf_key *k = s->keys; k->name != NULL; k++) {
		const bool is_set = k->fallback == NULL || k->kind->parse(k, item, 0, k->fallback);

		WEIR_ASSERT(is_set);
		RTE_SET_USED(is_set);
	}
}

/* A new element with its defaults, or NULL when the array is full. */
static void *
add_item(struct weir_conf *conf, const struct conf_section *s, const char *label)
{
	unsigned int *n = conf_count(conf, s->n_offset);
	void *item;

	if (*n == s->max)
		return NULL;
	item = conf_element(s, conf, (*n)++);
	memset(item, 0, s->size);
	snprintf(item, WEIR_CONF_NAME_MAX, "%.*s", WEIR_CONF_NAME_MAX - 1, label);
	set_defaults(s, item);
	return item;
}

/* What the section's keys are to be set in: conf, or the element of that name. */
static void *
find_item(struct weir_conf *conf, const struct conf_section *s, const char *label)
{
	const unsigned int n = s->label != NULL ? *conf_count(conf, s->n_offset) : 0;

	if (s->label == NULL)
		return conf;
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(conf_element(s, conf, i), label) == 0)
			return conf_element(s, conf, i);
	return add_item(conf, s, label);
}

static int
open_section(struct weir_conf *conf, const char *text, const struct conf_section **s, void **item,
	const struct conf_report *r)
{
	const int rc = find_section(text, s, r);

	if (rc < 0)
		return rc;
	*item = find_item(conf, *s, split_section(text).label);
	if (*item == NULL)
		return conf_fail(r, "[%s]: allowed: at most %u such sections", text, (*s)->max);
	return 0;
}

/* ---- keys ---- */

/* Is text the name of k? A numbered key's number comes out in *number (0 without one). */
static bool
is_key(const struct conf_key *k, const char *text, unsigned int *number)
{
	const size_t len = strlen(k->name);
	unsigned long n;
	char *end;

	*number = 0;
	if (strncmp(text, k->name, len) != 0)
		return false;
	if (text[len] == '\0' || !k->is_numbered)
		return text[len] == '\0';
	n = strtoul(text + len, &end, 10);
	*number = (unsigned int)n;
	return isdigit((unsigned char)text[len]) && *end == '\0' && n < k->max;
}

static const struct conf_key *
find_key(const struct conf_section *s, const char *text, unsigned int *number)
{
	for (const struct conf_key *k = s->keys; k->name != NULL; k++)
		if (is_key(k, text, number))
			return k;
	return NULL;
}

static int
fail_at(const struct place *p, const char *label, const char *what)
{
	return conf_fail(
		p->report, "[%s] %s = %s: %s%s", p->section, p->key, p->value, label, what);
}

static int
set_key(const struct conf_section *s, void *item, const struct place *p)
{
	char allowed[WEIR_CONF_TEXT_MAX];
	unsigned int number;
	const struct conf_key *k = find_key(s, p->key, &number);

	if (k == NULL)
		return fail_at(p, "no such key; the nearest is ", nearest_key(s, p->key));
	if (!k->kind->parse(k, item, number, p->value))
		return fail_at(p, "allowed: ", conf_allowed(k, allowed));
	return 0;
}

void
weir_conf_default(struct weir_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	for (const struct conf_section *s = conf_sections; s->name != NULL; s++)
		if (s->label == NULL)
			set_defaults(s, conf);
}

int
weir_conf_set(struct weir_conf *conf, const char *section, const char *key, const char *value,
	char *err, size_t err_len)
{
	const struct conf_report report = {NULL, err, err_len};
	const struct place place = {&report, section, key, value};
	const struct conf_section *s;
	struct weir_conf next = *conf;
	void *item;
	int rc;

	rc = open_section(&next, section, &s, &item, &report);
	if (rc == 0)
		rc = set_key(s, item, &place);
	if (rc == 0)
		*conf = next;
	return rc;
}

int
weir_conf_set_text(struct weir_conf *conf, const char *text, char *err, size_t err_len)
{
	char section[WEIR_CONF_TEXT_MAX];
	char *value, *key;

	snprintf(section, sizeof(section), "%s", text);
	value = strchr(section, '=');
	if (value != NULL)
		*value++ = '\0';
	key = value == NULL ? NULL : strrchr(section, '.');
	if (key == NULL) {
		snprintf(err, err_len, "%s: allowed: SECTION.KEY=VALUE", text);
		return -EINVAL;
	}
	*key++ = '\0';
	return weir_conf_set(conf, section, key, value, err, err_len);
}

/* ---- files ---- */

/* A section of the file, as rte_cfgfile holds it. */
struct file_section {
	char text[CFG_NAME_LEN];
	int n;
	struct rte_cfgfile_entry *entries; /* entries[n] */
};

static bool
is_given(const struct file_section *fs, const struct conf_key *k, int end, unsigned int number)
{
	unsigned int other;

	for (int i = 0; i < end; i++)
		if (is_key(k, fs->entries[i].name, &other) && other == number)
			return true;
	return false;
}

static int
load_entry(const struct file_section *fs, int i, const struct conf_section *s, void *item,
	const struct conf_report *r)
{
	const struct rte_cfgfile_entry *e = &fs->entries[i];
	const struct place place = {r, fs->text, e->name, e->value};
	unsigned int number;
	const struct conf_key *k = find_key(s, e->name, &number);

	if (k != NULL && is_given(fs, k, i, number))
		return fail_at(&place, "allowed: once", "");
	return set_key(s, item, &place);
}

static int
find_missing(
	const struct file_section *fs, const struct conf_section *s, const struct conf_report *r)
{
	char allowed[WEIR_CONF_TEXT_MAX];

	for (const struct conf_key *k = s->keys; k->name != NULL; k++)
		if (k->is_needed && !is_given(fs, k, fs->n, 0))
			return conf_fail(r, "[%s] %s: missing; allowed: %s", fs->text, k->name,
				conf_allowed(k, allowed));
	return 0;
}

static int
load_section(struct weir_conf *conf, const struct file_section *fs, const struct conf_report *r)
{
	const struct conf_section *s;
	void *item;
	int rc;

	rc = open_section(conf, fs->text, &s, &item, r);
	for (int i = 0; rc == 0 && i < fs->n; i++)
		rc = load_entry(fs, i, s, item, r);
	return rc < 0 ? rc : find_missing(fs, s, r);
}

static int
read_section(struct rte_cfgfile *file, int i, struct file_section *fs)
{
	char any[CFG_NAME_LEN] = "";

	fs->n = rte_cfgfile_section_num_entries_by_index(file, any, i);
	fs->n = RTE_MAX(fs->n, 0);
	fs->entries = calloc((size_t)fs->n + 1, sizeof(*fs->entries));
	if (fs->entries == NULL)
		return -ENOMEM;
	rte_cfgfile_section_entries_by_index(file, i, fs->text, fs->entries, fs->n);
	return 0;
}

/* Did the same section stand before number n? */
static bool
is_repeated(struct rte_cfgfile *file, const char *text, int n)
{
	const struct section_name name = split_section(text);

	for (int i = 0; i < n; i++) {
		struct rte_cfgfile_entry none;
		struct section_name other;
		char before[CFG_NAME_LEN];

		rte_cfgfile_section_entries_by_index(file, i, before, &none, 0);
		other = split_section(before);
		if (strcmp(name.word, other.word) == 0 && strcmp(name.label, other.label) == 0)
			return true;
	}
	return false;
}

static int
load_sections(struct weir_conf *conf, struct rte_cfgfile *file, const struct conf_report *r)
{
	const int n = rte_cfgfile_num_sections(file, NULL, 0);
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++) {
		struct file_section fs;

		rc = read_section(file, i, &fs);
		if (rc < 0)
			return rc;
		rc = is_repeated(file, fs.text, i)
			     ? conf_fail(r, "[%s]: allowed: once in a file", fs.text)
			     : load_section(conf, &fs, r);
		free(fs.entries);
	}
	return rc;
}

static int
open_file(const char *path, struct rte_cfgfile **file, const struct conf_report *r)
{
	const struct rte_cfgfile_parameters params = {.comment_character = CONF_COMMENT};
	const int rc = conf_scan(path, r);

	if (rc < 0)
		return rc;
	*file = rte_cfgfile_load_with_params(path, 0, &params);
	return *file != NULL ? 0 : conf_fail(r, "rte_cfgfile can't read it");
}

int
weir_conf_load(struct weir_conf *conf, const char *path, char *err, size_t err_len)
{
	const struct conf_report report = {path, err, err_len};
	struct weir_conf next = *conf;
	struct rte_cfgfile *file;
	int rc;

	rc = open_file(path, &file, &report);
	if (rc < 0)
		return rc;
	snprintf(next.file, sizeof(next.file), "%s", path);
	rc = load_sections(&next, file, &report);
	if (rc == 0)
		*conf = next;
	rte_cfgfile_close(file);
	return rc;
}

/* ---- the reference ---- */

static void
print_key(FILE *out, const struct conf_key *k)
{
	char allowed[WEIR_CONF_TEXT_MAX];

	fprintf(out, "  %s = %s\n", k->name,
		k->is_needed	      ? "(needed)"
		: k->fallback == NULL ? "(none)"
				      : k->fallback);
	fprintf(out, "      %s\n      allowed: %s\n", k->help, conf_allowed(k, allowed));
}

void
weir_conf_print_keys(FILE *out)
{
	for (const struct conf_section *s = conf_sections; s->name != NULL; s++) {
		fprintf(out, "%s[%s%s%s]  %s\n", s == conf_sections ? "" : "\n", s->name,
			s->label != NULL ? " " : "", s->label != NULL ? s->label : "", s->help);
		for (const struct conf_key *k = s->keys; k->name != NULL; k++)
			print_key(out, k);
	}
}
