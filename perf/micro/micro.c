/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weir-micro: the parts that Weir has its own, each beside DPDK's that it stands for. TSC cycles of
 * one operation, the least of several rounds: what is left when nothing disturbs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_timer.h>

#include "weir_addr.h"
#include "weir_cksum.h"
#include "weir_mpsc.h"
#include "weir_table.h"
#include "weir_wheel.h"

#define ROUNDS	 9
#define N	 65536 /* operations of a round, and objects */
#define TIMERS_S 1     /* timers are armed for up to so many seconds */

static struct weir_wheel wheel;
static struct weir_wheel_entry entries[N];
static struct rte_timer timers[N];
static struct weir_table table;
static struct rte_hash *hash;
static struct weir_flow flows[N];
static const uint64_t secret[2] = {1, 2};
static struct weir_mpsc mpsc;
static struct weir_qnode nodes[N];
static struct rte_ring *ring;
static struct rte_mbuf *packet;
static volatile uint32_t sink;

/* Somewhere in the next second, the same for both sides. */
static uint64_t
delay_us(uint32_t i)
{
	return (i * UINT64_C(2654435761)) % (TIMERS_S * 1000000);
}

static void
wheel_arm_cancel(void)
{
	for (uint32_t i = 0; i < N; i++)
		weir_wheel_arm(&wheel, &entries[i], delay_us(i));
	for (uint32_t i = 0; i < N; i++)
		weir_wheel_cancel(&wheel, &entries[i]);
}

static void
timer_reset_stop(void)
{
	const uint64_t us = rte_get_timer_hz() / 1000000;

	for (uint32_t i = 0; i < N / 64; i++) /* its list is searched: fewer of them */
		rte_timer_reset(&timers[i], delay_us(i) * us, SINGLE, rte_lcore_id(), NULL, NULL);
	for (uint32_t i = 0; i < N / 64; i++)
		rte_timer_stop(&timers[i]);
}

static void
table_lookup(void)
{
	for (uint32_t i = 0; i < N; i++) {
		const struct weir_flow *f = &flows[(i * 40503u) % N];
		const uint32_t h = weir_flow_hash(f, secret);
		struct weir_table_iter it = weir_table_begin(&table, h);
		uint32_t index = 0;

		while (weir_table_next(&table, &it, h, &index) && !weir_flow_eq(f, &flows[index])) {
		}
		sink = index;
	}
}

static void
hash_lookup(void)
{
	for (uint32_t i = 0; i < N; i++)
		sink = (uint32_t)rte_hash_lookup(hash, &flows[(i * 40503u) % N]);
}

static void
cksum_own(void)
{
	for (uint32_t i = 0; i < N; i++)
		sink = weir_cksum_mbuf(packet, 0, packet->data_len);
}

static void
cksum_dpdk(void)
{
	for (uint32_t i = 0; i < N; i++)
		sink = rte_raw_cksum(rte_pktmbuf_mtod(packet, const void *), packet->data_len);
}

static void
mpsc_pass(void)
{
	for (uint32_t i = 0; i < N; i++) {
		weir_mpsc_push(&mpsc, &nodes[i]);
		sink = weir_mpsc_pop(&mpsc) != NULL;
	}
}

static void
ring_pass(void)
{
	void *p;

	for (uint32_t i = 0; i < N; i++) {
		rte_ring_mp_enqueue(ring, &nodes[i]);
		sink = (uint32_t)rte_ring_sc_dequeue(ring, &p);
	}
}

static const struct pair {
	const char *what;
	void (*own)(void);
	uint32_t own_ops;
	const char *against;
	void (*other)(void);
	uint32_t other_ops;
} pairs[] = {
	{"timer armed and cancelled, 64 k wait", wheel_arm_cancel, N, "rte_timer, 1 k wait",
		timer_reset_stop, N / 64},
	{"flow looked up among 64 k", table_lookup, N, "rte_hash", hash_lookup, N},
	{"checksum of 1460 bytes", cksum_own, N, "rte_raw_cksum", cksum_dpdk, N},
	{"passed on, many producers", mpsc_pass, N, "rte_ring MP/SC", ring_pass, N},
};

static double
cycles(void (*fn)(void), uint32_t ops)
{
	uint64_t least = UINT64_MAX, start;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		start = rte_rdtsc();
		fn();
		least = RTE_MIN(least, rte_rdtsc() - start);
	}
	return (double)least / ops;
}

static void
fill_flows(void)
{
	for (uint32_t i = 0; i < N; i++) {
		memset(&flows[i], 0, sizeof(flows[i]));
		flows[i].laddr = weir_addr_v4(weir_be32(0x0a000001));
		flows[i].raddr = weir_addr_v4(weir_be32(0x0a010000 + i));
		flows[i].lport = weir_be16(80);
		flows[i].rport = weir_be16((uint16_t)(i * 7));
		weir_table_add(&table, weir_flow_hash(&flows[i], secret), i);
		rte_hash_add_key(hash, &flows[i]);
		weir_wheel_entry_init(&entries[i], 0);
		rte_timer_init(&timers[i]);
	}
}

static bool
set_up(void)
{
	const struct rte_hash_parameters params = {.name = "micro",
		.entries = 2 * N,
		.key_len = sizeof(struct weir_flow),
		.hash_func = rte_jhash,
		.socket_id = SOCKET_ID_ANY};
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"micro", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	hash = rte_hash_create(&params);
	ring = rte_ring_create("micro", 1024, SOCKET_ID_ANY, RING_F_SC_DEQ);
	packet = pool == NULL ? NULL : rte_pktmbuf_alloc(pool);
	if (hash == NULL || ring == NULL || packet == NULL ||
		weir_table_init(&table, N, SOCKET_ID_ANY) != 0 || rte_timer_subsystem_init() != 0)
		return false;
	memset(rte_pktmbuf_append(packet, 1460), 0x5a, 1460);
	weir_mpsc_init(&mpsc);
	weir_wheel_init(&wheel, 0);
	fill_flows();
	return true;
}

int
main(void)
{
	char *eal[] = {"weir-micro", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-l0", "--log-level=4", "-m256", NULL};

	if (rte_eal_init(RTE_DIM(eal) - 1, eal) < 0 || !set_up()) {
		fputs("weir-micro: no memory\n", stderr);
		return EXIT_FAILURE;
	}
	for (const struct pair *p = pairs; p < pairs + RTE_DIM(pairs); p++)
		printf("%-38s %7.1f   %-20s %7.1f\n", p->what, cycles(p->own, p->own_ops),
			p->against, cycles(p->other, p->other_ops));
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
