/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Where the body of a request goes: nowhere, into a sum (PUT /sink), or into a file.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stddef.h>

#include "root.h"

struct upload {
	enum upload_kind { UPLOAD_NONE, UPLOAD_SINK, UPLOAD_FILE } kind;
	uint64_t bytes;
	uint32_t crc; /* UPLOAD_SINK: CRC32C so far */
	int error;    /* UPLOAD_FILE: first negative errno of writing */
	struct root_put put;
};

void upload_begin_sink(struct upload *u);

/** @return 0 or negative errno of root_put_begin() */
int upload_begin_file(struct upload *u, int root, const char *path, uint64_t id);

void upload_take(struct upload *u, const char *data, size_t len);

/** The CRC32C of what a sink took, as everybody else writes it. */
uint32_t upload_crc(const struct upload *u);

/** @return 1: a new file, 0: an old one replaced, or nothing to do, or negative errno */
int upload_commit(struct upload *u);

/** Forget what was taken. */
void upload_cancel(struct upload *u);

#endif
