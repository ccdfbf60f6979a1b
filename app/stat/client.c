/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's telemetry protocol: a greeting, then one command and one JSON answer per packet. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "stat.h"

#define GREETING_MAX	 1024
#define ANSWER_MAX_LIMIT (1 << 20)
#define TIMEOUT_S	 10 /* a program may take 1 s for each worker that does not answer */
#define PAGES_MAX	 1000000

static int
greet(struct stat_client *c)
{
	char greeting[GREETING_MAX];
	const ssize_t n = recv(c->fd, greeting, sizeof(greeting), 0);
	json_t *json;

	if (n < 0)
		return -errno;
	json = json_loadb(greeting, (size_t)n, 0, NULL);
	c->pid = (long)stat_int(json, "pid");
	c->answer_max = (size_t)stat_int(json, "max_output_len");
	json_decref(json);
	if (c->answer_max == 0 || c->answer_max > ANSWER_MAX_LIMIT)
		return -EPROTO;
	c->answer = malloc(c->answer_max);
	return c->answer == NULL ? -ENOMEM : 0;
}

int
stat_open(struct stat_client *c, const char *path)
{
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int rc;

	*c = (struct stat_client){.fd = -1};
	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	rc = connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : greet(c);
	if (rc != 0)
		stat_close(c);
	return rc;
}

void
stat_close(struct stat_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->answer);
	*c = (struct stat_client){.fd = -1};
}

/* {"COMMAND": result} */
static json_t *
take_result(const char *command, const char *answer, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(answer, len, 0, &error);
	json_t *result = json_object_iter_value(json_object_iter(json));

	if (json == NULL)
		stat_complain("%s: the answer is no JSON: %s", command, error.text);
	else if (result == NULL || json_is_null(result))
		stat_complain("%s: the program does not know this command", command);
	else
		json_incref(result);
	if (json_is_null(result))
		result = NULL;
	json_decref(json);
	return result;
}

json_t *
stat_ask(struct stat_client *c, const char *fmt, ...)
{
	char command[256];
	va_list ap;
	ssize_t n;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	n = send(c->fd, command, strlen(command), MSG_NOSIGNAL);
	if (n >= 0)
		n = recv(c->fd, c->answer, c->answer_max, 0);
	if (n <= 0) {
		stat_complain("%s: %s", command,
			n == 0					  ? "the program has ended"
			: errno == EAGAIN || errno == EWOULDBLOCK ? "the program does not answer"
								  : strerror(errno));
		return NULL;
	}
	return take_result(command, c->answer, (size_t)n);
}

/* An error that concerns a part of the answer, such as a worker that hangs. */
bool
stat_report_error(const json_t *answer, const char *what)
{
	const char *error = stat_text(answer, "error");

	if (*error == '\0')
		return false;
	stat_complain("%s: %s", what, error);
	return true;
}

static void
append_rows(json_t *rows, json_t *page)
{
	const char *key;
	json_t *row;

	json_object_foreach(page, key, row)
	{
		stat_report_error(row, key);
		json_array_append(rows, row);
	}
}

json_t *
stat_ask_rows(struct stat_client *c, const char *stack, const char *what)
{
	json_t *rows = json_array();
	json_t *answer, *next;
	long long from = 0;

	for (unsigned int page = 0; page < PAGES_MAX; page++) {
		answer = stat_ask(c, "/weir/%s,%s,%lld", what, stack, from);
		if (answer == NULL)
			break;
		stat_report_error(answer, what);
		append_rows(rows, json_object_get(answer, what));
		next = json_object_get(answer, "next");
		from = json_integer_value(next);
		json_decref(answer);
		if (next == NULL)
			return rows;
	}
	json_decref(rows);
	return NULL;
}
