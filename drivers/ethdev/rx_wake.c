/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_priv.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* DPDK hands out the descriptor without its kind; the kernel knows it. */
static enum ethdev_wake
kind_of(int fd)
{
	char path[32];
	char target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (strstr(target, "[eventfd]") != NULL)
		return ETHDEV_WAKE_EVENTFD;
	if (strncmp(target, "/dev/uio", 8) == 0)
		return ETHDEV_WAKE_UIO;
	return ETHDEV_WAKE_NONE;
}

bool
ethdev_wake_find(struct ethdev *e)
{
	for (uint16_t q = 0; q < e->rx_queues; q++) {
		e->rx_fd[q] = rte_eth_dev_rx_intr_ctl_q_get_fd(e->id, q);
		if (e->rx_fd[q] < 0)
			return false;
		e->wake[q] = kind_of(e->rx_fd[q]);
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
	const size_t len = e->wake[queue] == ETHDEV_WAKE_UIO ? 4 : 8;
	uint64_t count;

	if (e->wake[queue] != ETHDEV_WAKE_NONE && poll(&pfd, 1, 0) == 1 &&
		read(pfd.fd, &count, len) < 0)
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
