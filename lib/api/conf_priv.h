/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * How configuration files are read.
 * Model   conf_table.c lists sections and keys. A key has a kind (conf_kind.c), which turns text
 *         into the field of a struct. Parsing, messages, defaults and the reference that
 *         `weir-check --keys` prints all come from that one list.
 *         conf.c sets values and loads files, conf_scan.c judges their form, conf_check.c the
 *         values together, conf_eal.c makes EAL arguments of them.
 */
#ifndef CONF_PRIV_H
#define CONF_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir_conf.h"

#define CONF_COMMENT '#'

struct conf_key;

struct conf_kind {
	/** Text into the field. i: number of a numbered key. @return false: not allowed */
	bool (*parse)(const struct conf_key *key, void *item, unsigned int i, const char *text);
	/** Is the field as parse would leave it? NULL: whatever it holds is right. */
	bool (*is_right)(const struct conf_key *key, const void *item);
	/** What is allowed, in words. NULL: key->words says it all. */
	void (*allowed)(const struct conf_key *key, char *text, size_t len);
};

struct conf_key {
	const char *name;
	const struct conf_kind *kind;
	size_t offset;   /* of the field in the section's struct */
	size_t size;     /* of the field, or of one element of a list */
	size_t n_offset; /* of the unsigned int that counts a list's elements */
	uint64_t min;    /* numbers: range; lists: max is the number of elements */
	uint64_t max;
	const char *words;    /* choices "a|b"; or what is allowed */
	const char *fallback; /* default as a file would write it; NULL: nothing */
	const char *help;
	bool is_needed;   /* a section without it is a mistake */
	bool is_numbered; /* key, key0, key1, ... */
};

struct conf_section {
	const char *name;  /* "port" */
	const char *label; /* "NAME": such a section has a name of its own; NULL: it stands once */
	const char *help;
	const struct conf_key *keys; /* up to the one without a name */
	size_t offset;               /* of the array in struct weir_conf, with a label */
	size_t size;                 /* of an element; it begins with its name */
	size_t n_offset;
	unsigned int max;
};

/** All sections, up to the one without a name. */
extern const struct conf_section conf_sections[];

/** Where a mistake is reported. */
struct conf_report {
	const char *file; /* NULL or "": no file to name */
	char *err;
	size_t err_len;
};

/** Write "FILE: ..." to the report. @return -EINVAL */
int conf_fail(const struct conf_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** What is allowed for key, in words; returns text. */
const char *conf_allowed(const struct conf_key *key, char text[WEIR_CONF_TEXT_MAX]);

/** A size as files write it: 4096 -> "4K". Returns text. */
const char *conf_format_size(uint64_t bytes, char *text, size_t len);

/** Letters, digits, '.', '_', '-'; begins with a letter or digit; shorter than size. */
bool conf_is_name(const char *text, size_t size);

/** domain:bus:device.function, at the start of text up to its end or a comma? */
bool conf_is_pci_address(const char *text);

/** The count behind n_offset in item. */
static inline unsigned int *
conf_count(void *item, size_t n_offset)
{
	return (unsigned int *)((char *)item + n_offset);
}

/** Element i of a section's array in conf. */
static inline void *
conf_element(const struct conf_section *s, struct weir_conf *conf, unsigned int i)
{
	return (char *)conf + s->offset + i * s->size;
}

/**
 * Judge the form of a file: whether rte_cfgfile reads from it what a person sees in it. It skips
 * lines without '=', joins what looks like a comment, cuts what is too long.
 */
int conf_scan(const char *path, const struct conf_report *r);

/** What EAL arguments depend on besides the configuration. */
struct conf_machine {
	unsigned int n_cpus;
	int cpus[1024];        /* that the calling thread may use */
	uint64_t huge_free_mb; /* in free hugepages of all sizes */
	bool has_hugetlbfs;
};

void conf_machine_read(struct conf_machine *m);

/** weir_conf_eal_args() for a given machine. */
int conf_eal_args(const struct weir_conf *conf, const struct conf_machine *m, const char *program,
	char *argv[WEIR_CONF_EAL_MAX], char *text, size_t text_len);

#define CONF_FASTOPEN_KEY 16 /* bytes */

/** [tcp] fastopen_key. @return bytes: 16, or 0 where there is none; -EINVAL: it is no key */
int conf_fastopen_key(const char *text, uint8_t key[CONF_FASTOPEN_KEY]);

#endif
