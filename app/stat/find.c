/* SPDX-License-Identifier: BSD-3-Clause */
/* Which process: the telemetry sockets in DPDK's runtime directories, one per file prefix. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stat.h"

#define SOCKET_NAME "dpdk_telemetry.v2"
#define TARGETS_MAX 64

struct target {
	char *path;
	char *prefix;
	long pid;
};

struct search {
	const struct stat_opts *opts;
	struct target found[TARGETS_MAX];
	unsigned int n;
	char *refused; /* one that this user may not connect to; NULL without */
};

static void
note_refusal(struct search *s, const char *path)
{
	free(s->refused);
	s->refused = strdup(path);
}

/* Does the process behind c have stacks of Weir? Other DPDK programs answer null. */
static bool
is_weir(struct stat_client *c)
{
	json_t *commands = stat_ask(c, "/");
	const json_t *name;
	size_t i;
	bool is = false;

	json_array_foreach(commands, i, name) is |=
		strcmp(json_string_value(name), "/weir/stacks") == 0;
	json_decref(commands);
	return is;
}

static void
try_socket(struct search *s, const char *path, const char *prefix)
{
	const struct stat_opts *o = s->opts;
	struct stat_client c;
	const int rc = stat_open(&c, path);

	if (rc == -EACCES || rc == -EPERM)
		note_refusal(s, path);
	if (rc != 0)
		return; /* mostly what a process left that was killed */
	if ((o->pid == 0 || o->pid == c.pid) && s->n < TARGETS_MAX && is_weir(&c))
		s->found[s->n++] = (struct target){strdup(path), strdup(prefix), c.pid};
	stat_close(&c);
}

/* Several processes of one prefix append :1, :2, ... to the name. */
static void
search_prefix(struct search *s, const char *base, const char *prefix)
{
	char path[512];
	struct dirent *e;
	DIR *dir;

	if (s->opts->prefix != NULL && strcmp(s->opts->prefix, prefix) != 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", base, prefix);
	dir = opendir(path);
	if (dir == NULL && errno == EACCES)
		note_refusal(s, path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, SOCKET_NAME, strlen(SOCKET_NAME)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", base, prefix, e->d_name);
		try_socket(s, path, prefix);
	}
	if (dir != NULL)
		closedir(dir);
}

static void
search_base(struct search *s, const char *base)
{
	DIR *dir = opendir(base);
	struct dirent *e;

	if (dir == NULL && errno == EACCES)
		note_refusal(s, base);
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			search_prefix(s, base, e->d_name);
	if (dir != NULL)
		closedir(dir);
}

/* Where rte_eal_get_runtime_dir() lies: root's, the user's, and the user's without a session. */
static void
search_all(struct search *s)
{
	const char *session = getenv("XDG_RUNTIME_DIR");
	char base[256];

	search_base(s, "/var/run/dpdk");
	if (session != NULL && *session != '\0') {
		snprintf(base, sizeof(base), "%s/dpdk", session);
		search_base(s, base);
	}
	search_base(s, "/tmp/dpdk");
}

static void
list_found(const struct search *s)
{
	struct stat_table *t = table_new(">Pid,Prefix,Socket");

	for (unsigned int i = 0; i < s->n; i++) {
		table_add(t, "%ld", s->found[i].pid);
		table_add(t, "%s", s->found[i].prefix);
		table_add(t, "%s", s->found[i].path);
	}
	table_print(t, stderr);
}

static int
refuse(const struct search *s)
{
	if (s->n > 1) {
		stat_complain("several programs: choose by --pid, --prefix or --socket");
		list_found(s);
	} else if (s->refused != NULL) {
		stat_complain(
			"%s: permission denied: run as the program's user, or as root", s->refused);
	} else {
		stat_complain("no running Weir program%s found (telemetry = yes in its [eal]?)",
			s->opts->pid != 0 || s->opts->prefix != NULL ? " of that name or number"
								     : "");
	}
	return -1;
}

static int
open_path(const char *path, struct stat_client *c)
{
	const int rc = stat_open(c, path);

	if (rc == -EACCES || rc == -EPERM)
		stat_complain("%s: permission denied: run as the program's user, or as root", path);
	else if (rc == -ECONNREFUSED)
		stat_complain("%s: the program that made it has ended", path);
	else if (rc == -EPROTO)
		stat_complain("%s: not DPDK's telemetry, or too many watch it", path);
	else if (rc != 0)
		stat_complain("%s: %s", path, strerror(-rc));
	return rc == 0 ? 0 : -1;
}

int
stat_find(const struct stat_opts *o, struct stat_client *c)
{
	struct search s = {.opts = o};
	int rc;

	if (o->socket != NULL)
		return open_path(o->socket, c);
	search_all(&s);
	rc = s.n == 1 ? open_path(s.found[0].path, c) : refuse(&s);
	for (unsigned int i = 0; i < s.n; i++) {
		free(s.found[i].path);
		free(s.found[i].prefix);
	}
	free(s.refused);
	return rc;
}
