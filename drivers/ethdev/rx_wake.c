/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_priv.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* DPDK hands out the descriptor without its kind; the kernel knows it. */
static void
find_kind(int fd, char kind[64])
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, kind, 63);
	kind[n < 0 ? 0 : n] = '\0';
}

/*
 * UIO has one interrupt for packets and link alike. Drivers that give it to the packets no longer
 * tell of the link, so there we do without.
 */
bool
ethdev_wake_find(struct ethdev *e)
{
	char kind[64];

	for (uint16_t q = 0; q < e->rx_queues; q++) {
		e->rx_fd[q] = rte_eth_dev_rx_intr_ctl_q_get_fd(e->id, q);
		if (e->rx_fd[q] < 0)
			return false;
		find_kind(e->rx_fd[q], kind);
		if (strncmp(kind, "/dev/uio", 8) == 0)
			return false;
		e->is_eventfd[q] = strstr(kind, "[eventfd]") != NULL;
	}
	return true;
}

int
ethdev_rx_fd(struct weir_port *p, uint16_t queue)
{
	const struct ethdev *e = ethdev_of(p);

	if (!(p->info.caps & WEIR_PORT_RX_INTR) || queue >= e->rx_queues)
		return -ENOTSUP;
	return e->rx_fd[queue];
}

/* Take what the interrupt left in its descriptor, or epoll would report it for ever. */
static void
drain(const struct ethdev *e, uint16_t queue)
{
	struct pollfd pfd = {.fd = e->rx_fd[queue], .events = POLLIN};
	uint64_t count;

	if (e->is_eventfd[queue] && poll(&pfd, 1, 0) == 1 &&
		read(pfd.fd, &count, sizeof(count)) < 0)
		return; /* taken by somebody else in between: as good */
}

int
ethdev_rx_intr(struct weir_port *p, uint16_t queue, bool on)
{
	const struct ethdev *e = ethdev_of(p);
	int r;

	if (!(p->info.caps & WEIR_PORT_RX_INTR) || queue >= e->rx_queues)
		return -ENOTSUP;
	if (!on)
		drain(e, queue);
	r = on ? rte_eth_dev_rx_intr_enable(e->id, queue)
	       : rte_eth_dev_rx_intr_disable(e->id, queue);
	/* A device without the switch (tap) raises its descriptor always. */
	return r == -ENOTSUP ? 0 : r;
}
