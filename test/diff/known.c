/* SPDX-License-Identifier: BSD-3-Clause */
/* Differences that are none: by name, each with its reason in README.md. */
#include <errno.h>

#include "calls.h"

const char *
known(const struct step *s, const struct result *weir, const struct result *lin)
{
	if (s->run == run_bind && weir->rc == -EINVAL && (lin->rc == 0 || lin->rc == -EADDRINUSE))
		return "port-kept";
	if (s->run == run_name && weir->rc == 0 && lin->rc == 0 && s->arg[0] == 0)
		return "name-of-the-lost";
	if (s->run == run_connect && weir->rc == -EADDRINUSE)
		return "pair-in-use";
	if (s->run == run_recv && s->arg[0] == 0 && weir->rc == -EAGAIN && lin->rc == 0)
		return "no-byte-before-the-mark";
	if ((s->run == run_bind || s->run == run_listen) && weir->rc == 0 && lin->rc == -EADDRINUSE)
		return "port-free";
	return NULL;
}
