/* SPDX-License-Identifier: BSD-3-Clause */
#include "httpd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

static int
open_root(const char *dir)
{
	const int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	fprintf(stderr, "%s: %s\n", dir, strerror(errno));
	return -errno;
}

int
httpd_start(struct httpd *h, struct weir_stack *st, uint16_t port, const char *root_dir)
{
	struct weir_callbacks cb = httpd_callbacks;

	h->st = st;
	h->root = -1;
	h->listener = -1;
	h->pattern = source_pattern_new(HTTPD_IO_MAX);
	if (h->pattern == NULL)
		return -ENOMEM;
	if (root_dir != NULL) {
		h->root = open_root(root_dir);
		if (h->root < 0)
			return h->root;
	}
	cb.arg = h;
	h->listener = app_open(st, SOCK_STREAM, port, &cb);
	return h->listener < 0 ? h->listener : 0;
}

void
httpd_stop(struct httpd *h)
{
	app_conns_end(&h->conns, httpd_conn_end);
	if (h->listener >= 0)
		weir_close(h->st, h->listener);
	if (h->root >= 0)
		close(h->root);
	free(h->pattern);
}

void
httpd_print_counts(const struct httpd *h)
{
	struct httpd_counts n = {0};

	for (unsigned int i = 0; i < RTE_MAX_LCORE; i++) {
		const struct httpd_counts *of = &h->lanes[i].n;

		n.connections += of->connections;
		n.ended += of->ended;
		n.requests += of->requests;
		n.refused += of->refused;
		n.aborted += of->aborted;
		n.bytes_in += of->bytes_in;
		n.bytes_out += of->bytes_out;
	}
	printf("weir-httpd: %" PRIu64 " connections (%" PRIu64 " still open, %" PRIu64
	       " broken off), %" PRIu64 " requests (%" PRIu64 " refused), %" PRIu64
	       " bytes in, %" PRIu64 " bytes out\n",
		n.connections, n.connections - n.ended, n.aborted, n.requests, n.refused,
		n.bytes_in, n.bytes_out);
}
