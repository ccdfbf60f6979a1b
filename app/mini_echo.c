/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>
#include <weir.h>

static void
echo(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	weir_send(st, fd, buf, len, 0);
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7)};
	const struct weir_callbacks callbacks = {.recv = echo};
	struct weir_stack *st;
	int fd;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	fd = weir_socket(st, AF_INET, SOCK_STREAM, 0);
	weir_set_callbacks(st, fd, &callbacks);
	weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));
	weir_listen(st, fd, 128);
	for (;;)
		pause();
}
