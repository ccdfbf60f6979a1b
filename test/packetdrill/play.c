/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads the adapter as packetdrill does and plays scenes through it.
 * usage: packetdrill-play [-v] /path/weir-packetdrill.so [SCENE]
 */
#include <dlfcn.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

/* AddressSanitizer's runtime refuses to be bypassed. */
#ifdef __SANITIZE_ADDRESS__
#define DEEPBIND 0
#else
#define DEEPBIND RTLD_DEEPBIND
#endif

#define FLAGS "local=192.168.0.1,fd3d:a0b:17d6::1;remote=192.0.2.1,2001:db8::1;ts=off;timeout=30ms;"

static pd_init_fn *
load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | DEEPBIND);
	pd_init_fn *init = NULL;

	if (handle != NULL)
		*(void **)&init = dlsym(handle, "packetdrill_interface_init");
	if (init == NULL) {
		fprintf(stderr, "%s: %s\n", path, dlerror());
		exit(EXIT_FAILURE);
	}
	return init;
}

static unsigned int
count_empty(const struct pd_table *t)
{
	void *words[sizeof(*t) / sizeof(void *)];
	unsigned int n = 0;

	memcpy(words, t, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		n += words[i] == NULL;
	return n;
}

static unsigned int
play(pd_init_fn *init, const struct scene_entry *e, enum kind kind)
{
	struct scene s = {
		.name = e->name, .kind = kind, .irs = 0xfffffff0, .packet = malloc(PACKET_MAX)};
	char flags[1024];

	snprintf(flags, sizeof(flags), "%s%s", FLAGS, e->flags != NULL ? e->flags : "");
	init(flags, &s.t);
	EQUAL(&s, count_empty(&s.t), 0);
	s.now_us = scene_time(&s);
	e->play(&s);
	s.t.free(s.t.context);
	free(s.packet);
	return s.failures;
}

/* Flags that make no sense end the program: the tool has no other way to learn of it. */
static bool
is_refused(pd_init_fn *init, const char *flags)
{
	struct pd_table t = {0};
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(EXIT_SUCCESS);
		init(flags, &t);
		_exit(EXIT_SUCCESS);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) != 0;
}

static unsigned int
refuse(pd_init_fn *init)
{
	static const char *const wrong[] = {"nonsense", "nonsense=1", "local=1.2.3", "ts=maybe",
		"mtu=1", "delack=soon", "wscale=15", "window=x", "timeout=0", "tcp.nonsense=1"};
	unsigned int failures = 0;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (is_refused(init, wrong[i]))
			continue;
		printf("accepted: --so_flags=%s\n", wrong[i]);
		failures++;
	}
	return failures;
}

static unsigned int
play_all(pd_init_fn *init, const struct scene_entry *scenes, const char *only, bool is_loud)
{
	unsigned int failures = 0;

	for (const struct scene_entry *e = scenes; e->name != NULL; e++) {
		unsigned int bad = 0;

		if (only != NULL && strcmp(only, e->name) != 0)
			continue;
		for (enum kind kind = IPV4; kind < (e->is_v4_only ? IPV6 : KINDS); kind++)
			bad += play(init, e, kind);
		if (is_loud || bad != 0)
			printf("%s: %s\n", e->name, bad == 0 ? "passed" : "FAILED");
		failures += bad;
	}
	return failures;
}

int
main(int argc, char **argv)
{
	const struct scene_entry *const all[] = {scenes_open, scenes_data, scenes_close,
		scenes_calls, scenes_fastopen, scenes_linux, scenes_stamps, scenes_edges,
		scenes_states, scenes_icmp, scenes_knobs};
	bool is_loud = false;
	unsigned int failures = 0;
	pd_init_fn *init;
	const char *only;
	int option;

	while ((option = getopt(argc, argv, "v")) != -1)
		is_loud = option == 'v';
	if (optind >= argc) {
		fprintf(stderr, "usage: %s [-v] LIBRARY [SCENE]\n", argv[0]);
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	init = load(argv[optind]);
	only = argv[optind + 1];
	failures += only == NULL ? refuse(init) : 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		failures += play_all(init, all[i], only, is_loud);
	printf("%u failures\n", failures);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
