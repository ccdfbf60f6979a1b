/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What packetdrill loads: no more than a door. The tool loads it with RTLD_DEEPBIND, and everything
 * loaded that way looks symbols up in its own libraries first. EAL would then read libc's optarg
 * and optind, while getopt() writes the copies in the program. So the stack, in a library beside
 * this one, is loaded a second time, plainly.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pd_table.h"

#define STACK_LIBRARY "weir-packetdrill-stack.so"

static void *
fail(const char *what)
{
	fprintf(stderr, "weir-packetdrill: %s\n", what != NULL ? what : "path too long");
	exit(EXIT_FAILURE);
}

/* The library beside this one. */
static void *
load_stack(void)
{
	char path[4096];
	Dl_info self;
	void *handle;
	char *slash;

	if (dladdr((void *)(uintptr_t)packetdrill_interface_init, &self) == 0)
		return fail("where is this library?");
	slash = strrchr(self.dli_fname, '/');
	if (snprintf(path, sizeof(path), "%.*s%s",
		    slash == NULL ? 0 : (int)(slash - self.dli_fname) + 1, self.dli_fname,
		    STACK_LIBRARY) >= (int)sizeof(path))
		return fail(NULL);
	handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	return handle != NULL ? handle : fail(dlerror());
}

__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags, struct pd_table *table)
{
	void *const handle = load_stack();
	pd_init_fn *init;

	*(void **)&init = dlsym(handle, "weir_packetdrill_init");
	if (init == NULL)
		fail(dlerror());
	init(flags, table);
}
