/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-wire: a line with impairments between any two DPDK ports. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "weir_clock.h"
#include "weir_ethdev.h"
#include "weir_impair.h"
#include "weir_pkt.h"
#include "wire/wire_opts.h"

#define BURST	   32
#define DESC	   1024
#define IDLE_US	   50	 /* longest sleep where packets can't wake us, */
#define WAKE_US	   1000	 /* and where they can */
#define SIGNALS_US 1000	 /* how often signals are looked for under load */
#define STUCK_US   10000 /* frames that a port does not take for so long are dropped */

/* What comes in by one port and goes out by the other. */
struct way {
	struct weir_port *in;
	struct weir_port *out;
	struct weir_line *line;
	struct rte_mbuf *pending[BURST]; /* out of the line, not yet taken by the port */
	uint16_t n_pending;
	uint64_t stuck_us; /* since when the port has taken none */
	uint64_t sent;
	uint64_t unsent; /* dropped because the port does not take them */
};

struct wire {
	struct wire_opts opts;
	struct weir_clock clock;
	struct rte_mempool *pool;
	struct weir_port *port[2];
	struct way way[2];
	int signals;
	bool can_wake; /* both ports can wake us */
	bool is_over;
	uint64_t end_us;
	uint64_t look_us; /* when signals are looked for next */
};

static void
print_way(const struct way *w, const char *name)
{
	struct weir_line_stats s;

	weir_line_stats(w->line, &s);
	printf("%s: received %" PRIu64 ", sent %" PRIu64 ", lost %" PRIu64 ", duplicated %" PRIu64
	       ", corrupted %" PRIu64 ", reordered %" PRIu64 ", queue full %" PRIu64
	       ", port full %" PRIu64 ", held %" PRIu64 "\n",
		name, s.pushed, w->sent, s.lost, s.duplicated, s.corrupted, s.reordered,
		s.dropped_full, w->unsent, s.held + w->n_pending);
}

static void
print_stats(const struct wire *w)
{
	print_way(&w->way[0], "a to b");
	print_way(&w->way[1], "b to a");
	fflush(stdout);
}

static void
look_for_signals(struct wire *w, uint64_t now_us)
{
	struct signalfd_siginfo s;

	w->look_us = now_us + SIGNALS_US;
	while (read(w->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGUSR1)
			print_stats(w);
		else
			w->is_over = true;
	}
	if (now_us >= w->end_us)
		w->is_over = true;
}

/* @return frames received */
static uint16_t
receive(struct way *w, uint64_t now_us)
{
	struct rte_mbuf *m[BURST];
	const uint16_t n = weir_port_rx(w->in, 0, m, BURST);

	for (uint16_t i = 0; i < n; i++) {
		/* What the port found out about it is not for the other port. */
		m[i]->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
		m[i]->tx_offload = 0;
		weir_line_push(w->line, m[i], now_us);
	}
	return n;
}

/* Frames longer than a buffer are chains, which the other port may not take. */
static void
refill(struct way *w, uint64_t now_us)
{
	const uint16_t n = (uint16_t)weir_line_pull(
		w->line, now_us, &w->pending[w->n_pending], BURST - w->n_pending);

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = w->pending[w->n_pending];

		if (m->nb_segs <= w->out->info.segs_max) {
			w->n_pending++;
			continue;
		}
		rte_pktmbuf_free(m);
		w->unsent++;
		memmove(&w->pending[w->n_pending], &w->pending[w->n_pending + 1],
			(n - i - 1u) * sizeof(m));
	}
}

/* The first frame is what the port does not like (or all: it is down). */
static void
give_up(struct way *w, uint64_t now_us)
{
	if (w->stuck_us == 0)
		w->stuck_us = now_us;
	if (now_us - w->stuck_us < STUCK_US)
		return;
	rte_pktmbuf_free(w->pending[0]);
	w->unsent++;
	w->n_pending--;
	memmove(&w->pending[0], &w->pending[1], w->n_pending * sizeof(w->pending[0]));
}

/* @return frames sent */
static uint16_t
transmit(struct way *w, uint64_t now_us)
{
	uint16_t n;

	refill(w, now_us);
	if (w->n_pending == 0)
		return 0;
	n = weir_port_tx(w->out, 0, w->pending, w->n_pending);
	if (n == 0) {
		give_up(w, now_us);
		return 0;
	}
	w->stuck_us = 0;
	w->sent += n;
	w->n_pending -= n;
	memmove(&w->pending[0], &w->pending[n], w->n_pending * sizeof(w->pending[0]));
	return n;
}

/* Until a packet, a frame that is due, a signal, or a little time. */
static void
wait_a_little(struct wire *w, uint64_t now_us)
{
	struct pollfd fds[3] = {{.fd = w->signals, .events = POLLIN}};
	uint64_t until = now_us + (w->can_wake ? WAKE_US : IDLE_US);
	struct timespec ts = {0};

	for (int i = 0; i < 2; i++) {
		const uint64_t next_us = w->way[i].n_pending > 0
						 ? now_us + IDLE_US
						 : weir_line_next_us(w->way[i].line);

		until = RTE_MIN(until, RTE_MAX(next_us, now_us));
		if (w->can_wake) {
			w->port[i]->ops->rx_intr(w->port[i], 0, true);
			fds[1 + i].fd = w->port[i]->ops->rx_fd(w->port[i], 0);
			fds[1 + i].events = POLLIN;
		}
	}
	ts.tv_nsec = (long)(until - now_us) * 1000;
	ppoll(fds, w->can_wake ? 3 : 1, &ts, NULL);
	for (int i = 0; w->can_wake && i < 2; i++)
		w->port[i]->ops->rx_intr(w->port[i], 0, false);
}

static void
run(struct wire *w)
{
	while (!w->is_over) {
		const uint64_t now_us = weir_clock_now_us(&w->clock);
		unsigned int work = 0;

		for (int i = 0; i < 2; i++) {
			work += receive(&w->way[i], now_us);
			work += transmit(&w->way[i], now_us);
		}
		if (now_us >= w->look_us)
			look_for_signals(w, now_us);
		if (work == 0 && !w->opts.poll && !w->is_over)
			wait_a_little(w, now_us);
	}
}

static int
open_port(struct wire *w, int i, char *err, size_t err_len)
{
	const struct weir_port_conf conf = {
		.name = i == 0 ? "a" : "b",
		.device = w->opts.device[i],
		.n_queues = 1,
		.rx_desc = DESC,
		.tx_desc = DESC,
		.promisc = true,
		.rx_intr = !w->opts.poll,
		.caps_off = ~(uint32_t)WEIR_PORT_TX_MULTI_SEG, /* frames pass as they are */
		.pools = &w->pool,
	};
	int r = weir_ethdev_driver.open(&conf, &w->port[i], err, err_len);

	if (r != 0)
		return r;
	r = w->port[i]->ops->start(w->port[i]);
	if (r != 0)
		snprintf(err, err_len, "%s: start: %s", conf.device, rte_strerror(-r));
	return r;
}

static int
set_up(struct wire *w, char *err, size_t err_len)
{
	int r;

	weir_clock_init_tsc(&w->clock);
	w->end_us = UINT64_MAX;
	if (w->opts.seconds != 0)
		w->end_us = weir_clock_now_us(&w->clock) + w->opts.seconds * UINT64_C(1000000);
	w->pool = rte_pktmbuf_pool_create("weir_wire", w->opts.mbufs, 256, WEIR_PKT_PRIV,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (w->pool == NULL) {
		snprintf(err, err_len, "%u mbufs: %s", w->opts.mbufs, rte_strerror(rte_errno));
		return -ENOMEM;
	}
	for (int i = 0; i < 2; i++)
		if ((r = open_port(w, i, err, err_len)) != 0)
			return r;
	for (int i = 0; i < 2; i++) {
		w->way[i].in = w->port[i];
		w->way[i].out = w->port[!i];
		r = weir_line_new(&w->opts.impair[i], w->opts.seed * 2 + (uint64_t)i,
			w->opts.mbufs / 3, SOCKET_ID_ANY, &w->way[i].line);
		if (r != 0) {
			snprintf(err, err_len, "no memory for the lines");
			return r;
		}
	}
	w->can_wake = w->port[0]->info.caps & w->port[1]->info.caps & WEIR_PORT_RX_INTR;
	return 0;
}

static void
tear_down(struct wire *w)
{
	for (int i = 0; i < 2; i++) {
		rte_pktmbuf_free_bulk(w->way[i].pending, w->way[i].n_pending);
		weir_line_free(w->way[i].line);
	}
	for (int i = 0; i < 2; i++)
		if (w->port[i] != NULL)
			w->port[i]->ops->close(w->port[i]);
	rte_mempool_free(w->pool);
}

/* Blocked before EAL starts its threads, so that the signals come to nobody but the descriptor. */
static int
take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
main(int argc, char **argv)
{
	struct wire w = {.signals = take_signals()};
	char err[256] = "";
	int n, r;

	if (wire_opts_want_help(argc, argv)) {
		wire_opts_help();
		return EXIT_SUCCESS;
	}
	n = rte_eal_init(argc, argv);
	if (n < 0) {
		fprintf(stderr, "weir-wire: EAL: %s\n", rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	prctl(PR_SET_TIMERSLACK, 1);
	r = wire_opts_parse(&w.opts, argc - n, argv + n, err, sizeof(err));
	if (r == 0)
		r = set_up(&w, err, sizeof(err));
	if (r == 0) {
		printf("weir-wire: %s <-> %s\n", w.opts.device[0], w.opts.device[1]);
		fflush(stdout);
		run(&w);
		print_stats(&w);
	} else {
		fprintf(stderr, "weir-wire: %s\n", err);
	}
	tear_down(&w);
	rte_eal_cleanup();
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
