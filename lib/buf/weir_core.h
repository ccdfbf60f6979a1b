/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What every layer of one worker shares: time, timers, random numbers, the mbuf pool, counters of
 * packet fates, and packets for other workers.
 * Thread  One per worker, touched by its lcore alone; fate counters may be read by anyone.
 */
#ifndef WEIR_CORE_H
#define WEIR_CORE_H

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "weir_pktq.h"
#include "weir_rand.h"
#include "weir_stat.h"
#include "weir_vec.h"
#include "weir_wheel.h"

#define WEIR_WORKERS_MAX 64
#define WEIR_LOOP_MAX    1024 /* packets that wait in weir_core.loop */

enum weir_fate {
#define WEIR_FATE(name, unit, help) WEIR_FATE_##name,
#include "weir_fate_list.h"
#undef WEIR_FATE
	WEIR_FATE_MAX
};

enum weir_tx_fate {
#define WEIR_TX_FATE(name, unit, help) WEIR_TX_##name,
#include "weir_tx_list.h"
#undef WEIR_TX_FATE
	WEIR_TX_MAX
};

extern const struct weir_stat_desc weir_fate_desc[WEIR_FATE_MAX];
extern const struct weir_stat_desc weir_tx_fate_desc[WEIR_TX_MAX];

/** Who gets an entry that the wheel hands back: weir_wheel_entry.kind. */
enum weir_timer_kind {
	WEIR_TIMER_NEIGH, /* struct weir_neigh */
	WEIR_TIMER_IFACE, /* struct weir_iface: DAD, router solicitation, lifetimes */
	WEIR_TIMER_IP,    /* struct weir_ip: reassembly, path MTU ageing */
	WEIR_TIMER_MCAST, /* struct weir_ip: IGMP and MLD */
	WEIR_TIMER_TCP,   /* struct weir_tcp_conn */
	WEIR_TIMER_TCP_NAP,  /* struct weir_tcp_nap: a connection that sleeps */
	WEIR_TIMER_TCP_REQ,  /* struct weir_tcp_req */
	WEIR_TIMER_TCP_WAIT, /* struct weir_tcp: TIME_WAIT */
	WEIR_TIMER_KINDS
};

struct weir_core {
	uint64_t now_us; /* read once a turn */
	struct weir_wheel *wheel;
	struct rte_mempool *pool; /* mbufs of this worker; private area WEIR_PKT_PRIV */
	struct weir_vec dead;     /* dropped or used up, freed in bulk by weir_core_flush() */
	uint64_t rx_frames;       /* frames from ports and rings; equals the sum of fates + held */
	uint64_t fates[WEIR_FATE_MAX];
	uint64_t tx_made; /* packets made; equals the sum of tx_fates + held */
	uint64_t tx_fates[WEIR_TX_MAX];
	uint64_t mbuf_fail; /* allocations that found the pool dry */
	struct weir_rand rand;
	uint64_t secret[2]; /* key of flow hashes, ISNs, ports: equal on all workers of a stack */
	uint16_t worker;    /* this worker, 0..n_workers-1 */
	uint16_t n_workers;
	/*
	 * Packets for other workers, moved to their rings by worker/mbox.c at the end of a turn.
	 * A frame put here has weir_pkt set as at the point where the other worker goes on:
	 * data starts at the ARP or IP header, l3_type tells which.
	 */
	struct weir_vec handover[WEIR_WORKERS_MAX];
	/*
	 * Packets to our own addresses (WEIR_PKT_LOOPED, data at the IP header). The worker counts
	 * them in rx_frames and feeds them to IP input at its next turn, by weir_pkt.l3_type. Also
	 * packets that could not be delivered (WEIR_PKT_UNREACHED): for weir_ip_unreached().
	 */
	struct weir_pktq loop; /* at most WEIR_LOOP_MAX, some of them each turn */
};

/** Free what weir_drop() and weir_use() collected. Called at the end of each stage or turn. */
void weir_core_flush(struct weir_core *core);

/** m ends here: count the fate, free it with the rest at the end of the turn. */
static inline void
weir_end(struct weir_core *core, struct rte_mbuf *m, enum weir_fate fate)
{
	core->fates[fate]++;
	if (core->dead.n == WEIR_VEC_MAX)
		weir_core_flush(core);
	core->dead.m[core->dead.n++] = m;
}

/** A packet made by the stack ends before it left: count and free. */
static inline void
weir_tx_end(struct weir_core *core, struct rte_mbuf *m, enum weir_tx_fate fate)
{
	core->tx_fates[fate]++;
	rte_pktmbuf_free(m);
}

/**
 * An mbuf for a packet that this worker makes, RTE_PKTMBUF_HEADROOM free in front.
 * @return NULL when the pool is dry (counted in mbuf_fail)
 */
static inline struct rte_mbuf *
weir_core_alloc(struct weir_core *core)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(core->pool);

	if (unlikely(m == NULL))
		core->mbuf_fail++;
	return m;
}

/**
 * Hand m over to another worker, which goes on from weir_pkt(m)->l3_off.
 * Counted as handed_over here and as a received frame there; dropped when there is no room.
 */
void weir_core_handover(struct weir_core *core, struct rte_mbuf *m, uint16_t worker);

#endif
