/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two whole stacks, one clock, and a path between them that loses, delays, duplicates, corrupts.
 * What one writes the other reads, to the last byte and the FIN; nothing is lost in either stack.
 */
#include <stdlib.h>

#include "fake_port.h"
#include "unit.h"
#include "weir_rand.h"
#include "weir_tcp.h"

#define PATH_MAX_PKTS 4096
#define PORT	      5000

struct end {
	struct rte_mempool *pool;
	struct weir_wheel wheel;
	struct weir_core core;
	struct fake_port port;
	struct weir_iface ifc;
	struct weir_ip ip;
	struct weir_tcp tcp;
	struct weir_ready ready;
	union {
		struct weir_tcp_conn *conn;
		struct weir_tcp_end end;
	};
	struct weir_tcp_listener listener;
	uint32_t n_accept;
	struct weir_pktq rx;
	uint64_t written, read;
	bool is_shut, has_fin, is_over;
	int error;
};

struct flying {
	uint64_t at_us;
	struct rte_mbuf *m;
};

/* How bad the path is, and what is to be carried over it. */
struct course {
	uint64_t seed;
	uint32_t loss_pct, dup_pct, corrupt_pct;
	uint32_t delay_us, jitter_us;
	uint64_t bytes; /* each way */
	uint32_t rcvbuf, sndbuf;
	uint32_t mbufs;
	bool use_tso;
	bool is_lazy; /* readers read only now and then */
	bool is_v6;
};

static struct end ends[2];
static struct flying path[2][PATH_MAX_PKTS]; /* towards end 0, 1 */
static unsigned int n_flying[2];
static struct weir_rand rand_path;
static uint64_t now_us;

static uint8_t
pattern(uint64_t pos)
{
	return (uint8_t)(pos * 31 + (pos >> 9) * 7 + (pos >> 17));
}

static struct weir_addr
addr_of(unsigned int i, bool is_v6)
{
	static const char *const text[2][2] = {
		{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}};
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(text[is_v6][i], &a), 0);
	return a;
}

static void
set_up_iface(struct end *e, unsigned int i, const struct course *co)
{
	const struct weir_iface_conf conf = {
		.port = &e->port.port, .is_ipv6 = true, .no_dad = true};
	const struct weir_addr us = addr_of(i, co->is_v6), peer = addr_of(!i, co->is_v6);
	const struct weir_mac mac = {{2, 0, 0, 0, 0, 1}}; /* that of every fake port */

	CU_ASSERT_EQUAL_FATAL(weir_iface_init(&e->ifc, &e->core, &conf), 0);
	CU_ASSERT_EQUAL(weir_iface_add_addr(&e->ifc, &us, co->is_v6 ? 64 : 120, false), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&e->ifc, &peer, &mac), 0);
	weir_eth_flush(&e->ifc);
	fake_port_drain(&e->port);
}

static void
set_up(struct end *e, unsigned int i, const struct course *co)
{
	const struct weir_ip_conf ip_conf = {.ifaces = &e->ifc,
		.n_ifaces = 1,
		.numa_node = SOCKET_ID_ANY,
		.name = i == 0 ? "end0" : "end1"};
	struct weir_tcp_conf conf;

	memset(e, 0, sizeof(*e));
	e->pool = unit_pool(ip_conf.name, co->mbufs);
	e->core.now_us = now_us;
	e->core.wheel = &e->wheel;
	e->core.pool = e->pool;
	e->core.n_workers = 1;
	weir_wheel_init(&e->wheel, now_us);
	weir_rand_seed(&e->core.rand, co->seed + i);
	STAILQ_INIT(&e->ready);
	fake_port_init(&e->port, 1);
	if (co->use_tso)
		e->port.port.info.caps |= WEIR_PORT_TX_MULTI_SEG;
	set_up_iface(e, i, co);
	CU_ASSERT_EQUAL_FATAL(weir_ip_init(&e->ip, &e->core, &ip_conf), 0);
	weir_tcp_conf_default(&conf);
	conf.max_conns = 16;
	conf.opts.rcvbuf = co->rcvbuf;
	conf.opts.sndbuf = co->sndbuf;
	conf.time_wait_us = 1000000;
	conf.data_retries = 100;
	CU_ASSERT_EQUAL_FATAL(
		weir_tcp_init(&e->tcp, &e->core, &e->ip, &e->ready, &conf, SOCKET_ID_ANY), 0);
}

static void
start(const struct course *co)
{
	struct weir_flow flow = {.raddr = addr_of(1, co->is_v6), .rport = weir_be16(PORT)};

	ends[1].listener = (struct weir_tcp_listener){.laddr = flow.raddr,
		.lport = flow.rport,
		.is_v6 = co->is_v6,
		.opts = ends[1].tcp.conf.opts,
		.backlog = 1,
		.n_accept = &ends[1].n_accept};
	weir_tcp_listen(&ends[1].tcp, &ends[1].listener);
	flow.laddr = addr_of(0, co->is_v6);
	CU_ASSERT_EQUAL_FATAL(weir_tcp_connect(&ends[0].tcp, &flow, &ends[0].tcp.conf.opts,
				      &ends[0].end, &ends[0].conn),
		0);
}

static void
publish(struct end *e)
{
	struct weir_ready_item *item;
	struct rte_mbuf *m;

	while ((item = weir_ready_pop(&e->ready)) != NULL) {
		struct weir_tcp_conn *c = container_of(item, struct weir_tcp_conn, ready);
		const unsigned int events = item->events;

		item->events = 0;
		if (events & WEIR_READY_ACCEPT) {
			weir_tcp_own(c, &e->end);
			c->listener = NULL;
			e->conn = c;
		}
		while ((m = weir_pktq_pop(&c->rcv.rx)) != NULL)
			weir_pktq_add(&e->rx, m);
		e->has_fin |= !!(events & WEIR_READY_PEERCLOSE);
		if (events & WEIR_READY_CLOSE) {
			e->is_over = true;
			e->error = c->error;
			e->conn = NULL;
			weir_tcp_release(&e->tcp, c);
		}
	}
}

static void
read_some(struct end *e)
{
	struct rte_mbuf *m;
	uint8_t byte;

	while ((m = weir_pktq_pop(&e->rx)) != NULL) {
		unsigned int wrong = 0;

		for (uint32_t i = 0; i < m->pkt_len; i++)
			wrong += *(const uint8_t *)rte_pktmbuf_read(m, i, 1, &byte) !=
				 pattern(e->read++);
		CU_ASSERT_EQUAL(wrong, 0);
		if (e->conn != NULL)
			weir_tcp_credit(&e->tcp, e->conn, weir_mbuf_truesize(m));
		rte_pktmbuf_free(m);
	}
}

/* One packet of 1..1800 bytes; false: no mbuf. */
static bool
write_one(struct end *e, uint64_t left)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(e->pool);
	const uint16_t n = (uint16_t)RTE_MIN(
		left, 1 + weir_rand_below(&rand_path, 3) * weir_rand_below(&rand_path, 900));
	uint8_t *p;

	if (m == NULL)
		return false;
	p = (uint8_t *)rte_pktmbuf_append(m, n);
	for (uint16_t i = 0; i < n; i++)
		p[i] = pattern(e->written + i);
	if (weir_tcp_send(&e->tcp, e->conn, m) < 0) {
		rte_pktmbuf_free(m);
		return false;
	}
	e->written += n;
	return true;
}

static void
write_some(struct end *e, uint64_t bytes)
{
	if (e->conn == NULL || e->is_shut)
		return;
	/* a few mbufs must be left to send the others with */
	while (e->written < bytes && weir_tcp_send_room(e->conn) > 0 &&
		rte_mempool_avail_count(e->pool) > 8 && write_one(e, bytes - e->written))
		;
	if (e->written == bytes && e->conn->state >= WEIR_TCP_ESTABLISHED) {
		e->is_shut = true;
		weir_tcp_shutdown(&e->tcp, e->conn);
	}
}

static void
expire(struct end *e)
{
	struct weir_wheel_entry *due;

	while (weir_wheel_expire(&e->wheel, now_us, &due, 1) == 1) {
		if (due->kind == WEIR_TIMER_TCP)
			weir_tcp_timer(&e->tcp, container_of(due, struct weir_tcp_conn, timer));
		else if (due->kind == WEIR_TIMER_IFACE)
			weir_iface_timer(container_of(due, struct weir_iface, timer));
		else if (due->kind == WEIR_TIMER_NEIGH)
			weir_neigh_timer(container_of(due, struct weir_neigh, timer));
		else
			weir_ip_timer(&e->ip);
	}
}

/* Frames whose time has come. */
static void
arrive(struct end *e, unsigned int i)
{
	struct weir_vec v = {.n = 0}, arp = {.n = 0}, ip4 = {.n = 0}, ip6 = {.n = 0};
	struct weir_vec udp = {.n = 0}, tcp = {.n = 0}, raw = {.n = 0};
	unsigned int kept = 0;

	for (unsigned int k = 0; k < n_flying[i]; k++) {
		if (path[i][k].at_us <= now_us && v.n < WEIR_BURST_MAX)
			weir_vec_add(&v, path[i][k].m);
		else
			path[i][kept++] = path[i][k];
	}
	n_flying[i] = kept;
	e->core.rx_frames += v.n;
	weir_eth_input(&e->ifc, &v, &arp, &ip4, &ip6);
	weir_arp_input(&e->ifc, &arp);
	weir_ip4_input(&e->ip, &ip4, &udp, &tcp, &raw);
	weir_ip6_input(&e->ip, &ip6, &udp, &tcp, &raw);
	CU_ASSERT_EQUAL(udp.n, 0);
	CU_ASSERT_EQUAL(raw.n, 0);
	weir_tcp_input(&e->tcp, &tcp);
	weir_ip_errors_done(&e->ip);
}

static void
fly(const struct course *co, unsigned int to, struct rte_mbuf *m)
{
	const uint64_t at_us =
		now_us + co->delay_us +
		(co->jitter_us != 0 ? weir_rand_below(&rand_path, co->jitter_us) : 0);

	if (m == NULL)
		return;
	if (weir_rand_below(&rand_path, 100) < co->loss_pct || n_flying[to] == PATH_MAX_PKTS) {
		rte_pktmbuf_free(m);
		return;
	}
	if (weir_rand_below(&rand_path, 100) < co->corrupt_pct)
		*rte_pktmbuf_mtod_offset(m, uint8_t *, weir_rand_below(&rand_path, m->data_len)) ^=
			(uint8_t)(1u << weir_rand_below(&rand_path, 8));
	path[to][n_flying[to]++] = (struct flying){at_us, m};
}

/* What a cable would do: other memory at the other end. */
static void
leave(const struct course *co, unsigned int from)
{
	struct rte_mbuf *m;

	while ((m = fake_port_take(&ends[from].port, 0)) != NULL) {
		const bool twice = weir_rand_below(&rand_path, 100) < co->dup_pct;

		for (int i = 0; i <= twice; i++)
			fly(co, !from, rte_pktmbuf_copy(m, ends[!from].pool, 0, UINT32_MAX));
		rte_pktmbuf_free(m);
	}
}

static void
turn(const struct course *co, unsigned int i)
{
	struct end *e = &ends[i];

	e->core.now_us = now_us;
	expire(e);
	arrive(e, i);
	publish(e);
	if (!co->is_lazy || weir_rand_below(&rand_path, 50) == 0)
		read_some(e);
	write_some(e, co->bytes);
	weir_tcp_flush(&e->tcp);
	publish(e);
	weir_eth_flush(&e->ifc);
	weir_core_flush(&e->core);
	leave(co, i);
}

/* The next moment when anything happens; with work at hand: soon. */
static void
pass_time(const struct course *co)
{
	uint64_t next = now_us + 5000;

	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int k = 0; k < n_flying[i]; k++)
			next = RTE_MIN(next, path[i][k].at_us);
		if (!TAILQ_EMPTY(&ends[i].tcp.out) || (co->is_lazy && ends[i].rx.n != 0))
			next = RTE_MIN(next, now_us + 100);
		next = RTE_MIN(next, weir_wheel_next_us(&ends[i].wheel));
	}
	now_us = RTE_MAX(next, now_us + 1);
}

static void
check_counters(struct end *e)
{
	uint64_t ended = 0;

	for (unsigned int i = 0; i < WEIR_FATE_MAX; i++)
		ended += e->core.fates[i];
	CU_ASSERT_EQUAL(ended, e->core.rx_frames);
}

static void
tear_down(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct end *e = &ends[i];

		weir_pktq_free(&e->rx);
		for (unsigned int k = 0; k < n_flying[i]; k++)
			rte_pktmbuf_free(path[i][k].m);
		n_flying[i] = 0;
		weir_tcp_fini(&e->tcp);
		weir_ip_fini(&e->ip);
		weir_iface_fini(&e->ifc);
		fake_port_fini(&e->port);
		weir_core_flush(&e->core);
		check_counters(e);
	}
	unit_pool_done(ends[0].pool);
	unit_pool_done(ends[1].pool);
}

static void
run(const struct course *co)
{
	const uint64_t limit_us = UINT64_C(36000) * 1000000;
	uint64_t start_us;

	now_us = 1000000 + co->seed * 977;
	start_us = now_us;
	weir_rand_seed(&rand_path, co->seed);
	for (unsigned int i = 0; i < 2; i++)
		set_up(&ends[i], i, co);
	start(co);
	while (!(ends[0].is_over && ends[1].is_over && ends[0].rx.n + ends[1].rx.n == 0) &&
		now_us - start_us < limit_us) {
		turn(co, 0);
		turn(co, 1);
		pass_time(co);
	}
	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(ends[i].error, 0);
		CU_ASSERT_EQUAL(ends[i].written, co->bytes);
		CU_ASSERT_EQUAL(ends[i].read, co->bytes);
		CU_ASSERT(ends[i].has_fin);
		CU_ASSERT(ends[i].is_over);
	}
	if (getenv("PAIR_VERBOSE") != NULL)
		printf("\n  seed %lu: %.3f s, rexmit %lu+%lu rto %lu+%lu fast %lu+%lu",
			(unsigned long)co->seed, (double)(now_us - start_us) / 1e6,
			(unsigned long)ends[0].tcp.stats.rexmit_segs,
			(unsigned long)ends[1].tcp.stats.rexmit_segs,
			(unsigned long)ends[0].tcp.stats.rto_fired,
			(unsigned long)ends[1].tcp.stats.rto_fired,
			(unsigned long)ends[0].tcp.stats.fast_rexmit,
			(unsigned long)ends[1].tcp.stats.fast_rexmit);
	tear_down();
}

static const struct course clean = {.seed = 1,
	.delay_us = 500,
	.bytes = 3000000,
	.rcvbuf = 1 << 20,
	.sndbuf = 1 << 20,
	.mbufs = 8191};

static void
clean_path_carries_all_without_retransmission(void)
{
	run(&clean);
	CU_ASSERT_EQUAL(ends[0].tcp.stats.rexmit_segs, 0);
	CU_ASSERT_EQUAL(ends[1].tcp.stats.rexmit_segs, 0);
}

static void
ipv6_carries_all(void)
{
	struct course co = clean;

	co.is_v6 = true;
	co.use_tso = true;
	run(&co);
}

static void
bad_paths_carry_all(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct course co = clean;

		co.seed = seed;
		co.bytes = 200000;
		co.loss_pct = (uint32_t)(seed % 5) * 2;
		co.dup_pct = (uint32_t)(seed % 3) * 2;
		co.corrupt_pct = (uint32_t)(seed % 4);
		co.jitter_us = seed % 2 == 0 ? 4000 : 0;
		co.use_tso = seed % 2;
		run(&co);
	}
}

static void
small_buffers_and_lazy_readers(void)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct course co = clean;

		co.seed = seed;
		co.bytes = 100000;
		co.rcvbuf = 8000 + (uint32_t)seed * 3000;
		co.sndbuf = 10000;
		co.is_lazy = true;
		co.loss_pct = seed % 3;
		run(&co);
	}
}

/* So few mbufs that allocations fail all the time. */
static void
starving_pool_recovers(void)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct course co = clean;

		co.seed = seed;
		co.bytes = 100000;
		co.mbufs = 63;
		co.use_tso = seed % 2;
		run(&co);
		CU_ASSERT(ends[0].core.mbuf_fail + ends[1].core.mbuf_fail > 0);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(clean_path_carries_all_without_retransmission),
		UNIT(ipv6_carries_all),
		UNIT(bad_paths_carry_all),
		UNIT(small_buffers_and_lazy_readers),
		UNIT(starving_pool_recovers),
		{NULL, NULL},
	};

	return unit_main("tcp_pair", tests, true);
}
