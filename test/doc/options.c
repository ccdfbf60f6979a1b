/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the tables of doc/options.md: what lib/api has of the options that it lists. Exit status
 * 1: it has one that is not in the list. */
#include <stdio.h>

#include "opt_priv.h"

static const struct item {
	int level;
	const char *level_name;
	int number;
	const char *name;
	const char *note;
} items[] = {
#define WEIR_OPT_ITEM(level, name, number, note) {level, #level, number, #name, note},
#include "opt_list.h"
#undef WEIR_OPT_ITEM
};

static const struct weir_opt *
find(const struct item *it)
{
	for (const struct weir_opt_level *l = weir_opt_levels; l->table != NULL; l++)
		for (const struct weir_opt *o = l->table; l->level == it->level && o->size != 0;
			o++)
			if (o->name == it->number)
				return o;
	return NULL;
}

static bool
is_listed(int level, int number)
{
	for (unsigned int i = 0; i < RTE_DIM(items); i++)
		if (items[i].level == level && items[i].number == number)
			return true;
	return false;
}

static int
check_list(void)
{
	int status = 0;

	for (const struct weir_opt_level *l = weir_opt_levels; l->table != NULL; l++)
		for (const struct weir_opt *o = l->table; o->size != 0; o++)
			if (!is_listed(l->level, o->name)) {
				fprintf(stderr, "level %d, option %d: not in lib/api/opt_list.h\n",
					l->level, o->name);
				status = 1;
			}
	return status;
}

static void
print_supported(void)
{
	static const char *const kinds[] = {[WEIR_OPT_ANY] = "all",
		[WEIR_OPT_TCP] = "TCP",
		[WEIR_OPT_DGRAM] = "UDP, raw",
		[WEIR_OPT_UDP] = "UDP",
		[WEIR_OPT_RAW] = "raw"};

	printf("| level | name | sockets | get | set | note |\n|---|---|---|---|---|---|\n");
	for (const struct item *it = items; it < items + RTE_DIM(items); it++) {
		const struct weir_opt *o = find(it);

		if (o != NULL)
			printf("| %s | %s | %s |%s |%s |%s%s |\n", it->level_name, it->name,
				kinds[o->kind], weir_opt_can_get(o) ? " x" : "",
				weir_opt_can_set(o) ? " x" : "", *it->note != '\0' ? " " : "",
				it->note);
	}
}

static void
print_refused(void)
{
	printf("\nRefused with `ENOPROTOOPT`, like every number that is in neither table:\n\n");
	printf("| level | name | why |\n|---|---|---|\n");
	for (const struct item *it = items; it < items + RTE_DIM(items); it++)
		if (find(it) == NULL)
			printf("| %s | %s | %s |\n", it->level_name, it->name, it->note);
}

int
main(void)
{
	print_supported();
	print_refused();
	return check_list();
}
