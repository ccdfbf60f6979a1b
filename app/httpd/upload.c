/* SPDX-License-Identifier: BSD-3-Clause */
#include "upload.h"

#include <errno.h>
#include <unistd.h>

#include <rte_hash_crc.h>

void
upload_begin_sink(struct upload *u)
{
	*u = (struct upload){.kind = UPLOAD_SINK, .crc = UINT32_MAX};
}

int
upload_begin_file(struct upload *u, int root, const char *path, uint64_t id)
{
	const int rc = root_put_begin(&u->put, root, path, id);

	if (rc != 0)
		return rc;
	u->kind = UPLOAD_FILE;
	u->bytes = 0;
	u->error = 0;
	return 0;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

void
upload_take(struct upload *u, const char *data, size_t len)
{
	u->bytes += len;
	if (u->kind == UPLOAD_SINK)
		u->crc = rte_hash_crc(data, (uint32_t)len, u->crc);
	else if (u->kind == UPLOAD_FILE && u->error == 0)
		u->error = write_all(u->put.fd, data, len);
}

uint32_t
upload_crc(const struct upload *u)
{
	return ~u->crc;
}

int
upload_commit(struct upload *u)
{
	const enum upload_kind kind = u->kind;

	if (kind == UPLOAD_FILE && u->error != 0) {
		upload_cancel(u);
		return u->error;
	}
	u->kind = UPLOAD_NONE;
	return kind == UPLOAD_FILE ? root_put_commit(&u->put) : 0;
}

void
upload_cancel(struct upload *u)
{
	if (u->kind == UPLOAD_FILE)
		root_put_cancel(&u->put);
	u->kind = UPLOAD_NONE;
}
