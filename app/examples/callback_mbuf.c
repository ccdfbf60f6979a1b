/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP and UDP echo on port 7 by callbacks with the packet itself: what comes in goes out. */
#include <stdio.h>
#include <unistd.h>
#include <weir.h>

static void
on_datagram(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	if (weir_send_mbuf(st, fd, m, &from->addr.sa, from->addr_len) != 0)
		weir_mbuf_free(m); /* refused: it is still ours */
}

/* What does not fit is kept, and no more let in until it is gone: arg is the one packet kept. */
static void
on_segment(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	if (weir_send_mbuf(st, fd, m, NULL, 0) == 0)
		return;
	weir_set_receiving(st, fd, false);
	weir_set_arg(st, fd, m);
}

/* After the peer's end: what is kept goes, then we close, too. */
static void
on_last_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	if (ev != WEIR_EV_CLOSE && weir_send_mbuf(st, fd, arg, NULL, 0) != 0)
		return;
	if (ev == WEIR_EV_CLOSE)
		weir_mbuf_free(arg);
	weir_close(st, fd);
}

static void
on_event(struct weir_stack *st, int fd, enum weir_event ev, int error, void *arg)
{
	const struct weir_callbacks last = {
		.recv_mbuf = on_segment, .event = on_last_event, .arg = arg};

	if (ev == WEIR_EV_WRITE && arg != NULL && weir_send_mbuf(st, fd, arg, NULL, 0) == 0) {
		weir_set_arg(st, fd, NULL);
		weir_set_receiving(st, fd, true);
	} else if (ev == WEIR_EV_PEERCLOSE && arg != NULL) {
		weir_set_callbacks(st, fd, &last);
	} else if (ev == WEIR_EV_PEERCLOSE || ev == WEIR_EV_CLOSE) {
		weir_mbuf_free(arg);
		weir_close(st, fd);
	}
}

static int
open_at(struct weir_stack *st, int type, const struct weir_callbacks *callbacks)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7)};
	const int fd = weir_socket(st, AF_INET, type, 0);

	weir_set_callbacks(st, fd, callbacks);
	weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any));
	return type == SOCK_STREAM ? weir_listen(st, fd, 128) : 0;
}

int
main(int argc, char **argv)
{
	const struct weir_callbacks stream = {.recv_mbuf = on_segment, .event = on_event};
	const struct weir_callbacks datagram = {.recv_mbuf = on_datagram};
	struct weir_stack *st;

	if (argc != 2 || weir_init(argv[1], &st) != 0)
		return 1;
	if (open_at(st, SOCK_STREAM, &stream) != 0 || open_at(st, SOCK_DGRAM, &datagram) != 0)
		return 1;
	puts("callback_mbuf: ready");
	fflush(stdout);
	for (;;)
		pause();
}
