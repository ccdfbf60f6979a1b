/* SPDX-License-Identifier: BSD-3-Clause */
/* idle = sleep: a worker without work waits for receive interrupts, its wheel, and its door. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "weir_log.h"
#include "weir_ring.h"
#include "weir_worker.h"

#define SLEEP_MAX_US 1000000 /* counters and links are looked at that often at least */
#define NO_WAKEUP_US 1000    /* a port without receive interrupts is polled that often */
#define EVENTS_MAX   8

static int
watch(struct weir_worker *w, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

static bool
polls(const struct weir_iface *ifc)
{
	return ifc->queue < ifc->rx_queues;
}

static bool
watch_port(struct weir_worker *w, struct weir_iface *ifc)
{
	int fd;

	if (!polls(ifc))
		return true;
	if (!(ifc->caps & WEIR_PORT_RX_INTR))
		return false;
	fd = ifc->port->ops->rx_fd(ifc->port, ifc->queue);
	return fd >= 0 && watch(w, fd) == 0;
}

int
weir_idle_init(struct weir_worker *w)
{
	int rc;

	w->epoll_fd = -1;
	if (w->idle == WEIR_WORKER_POLL)
		return 0;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0)
		return -errno;
	rc = watch(w, w->sock.efd);
	if (rc != 0)
		return rc;
	w->has_rx_wakeup = true;
	for (unsigned int i = 0; i < w->n_ifaces; i++) {
		if (watch_port(w, &w->ifaces[i]))
			continue;
		w->has_rx_wakeup = false;
		if (w->index == 0)
			WEIR_LOG(INFO,
				"port %s has no receive interrupts: polled every %u us while idle",
				w->ifaces[i].port->info.name, NO_WAKEUP_US);
	}
	return 0;
}

void
weir_idle_fini(struct weir_worker *w)
{
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	w->epoll_fd = -1;
}

static void
set_interrupts(struct weir_worker *w, bool on)
{
	for (unsigned int i = 0; i < w->n_ifaces; i++) {
		struct weir_iface *ifc = &w->ifaces[i];

		if (polls(ifc) && (ifc->caps & WEIR_PORT_RX_INTR))
			ifc->port->ops->rx_intr(ifc->port, ifc->queue, on);
	}
}

static bool
has_output_waiting(const struct weir_worker *w)
{
	for (unsigned int i = 0; i < w->n_ifaces; i++)
		if (weir_eth_room(&w->ifaces[i]) < WEIR_TXQ_MAX)
			return true;
	return w->core.loop.n != 0 || !TAILQ_EMPTY(&w->tcp.out);
}

static int
timeout_us(const struct weir_worker *w)
{
	const uint64_t next = weir_wheel_next_us(&w->wheel);
	const uint64_t now = weir_clock_now_us(w->clock);
	const uint64_t max = w->has_rx_wakeup ? SLEEP_MAX_US : NO_WAKEUP_US;

	if (next <= now)
		return 0;
	return (int)RTE_MIN(next - now, max);
}

static void
drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0) {
		/* EAGAIN: nothing to drain. */
	}
}

static void
sleep_for(struct weir_worker *w, int us)
{
	struct epoll_event ev[EVENTS_MAX];
	const struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};
	const int n = epoll_pwait2(w->epoll_fd, ev, EVENTS_MAX, &ts, NULL);

	w->stats.sleeps++;
	for (int i = 0; i < n; i++)
		if (ev[i].data.fd == w->sock.efd)
			drain(w->sock.efd);
}

void
weir_idle(struct weir_worker *w)
{
	if (w->idle == WEIR_WORKER_POLL || has_output_waiting(w))
		return;
	if (w->idle_since_us == 0)
		w->idle_since_us = w->core.now_us;
	if (w->core.now_us - w->idle_since_us < w->idle_poll_us)
		return;
	set_interrupts(w, true);
	__atomic_exchange_n(&w->sock.is_sleeping, 1, __ATOMIC_ACQ_REL);
	/* A last look: whatever came before the line above saw us awake. */
	if (weir_sock_is_quiet(&w->sock) && weir_ring_is_empty(w->calls) &&
		weir_ring_is_empty(w->inbound) &&
		!__atomic_load_n(&w->must_stop, __ATOMIC_ACQUIRE) && weir_worker_turn(w) == 0)
		sleep_for(w, timeout_us(w));
	__atomic_store_n(&w->sock.is_sleeping, 0, __ATOMIC_RELEASE);
	set_interrupts(w, false);
}
