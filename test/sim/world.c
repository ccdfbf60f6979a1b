/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static void
set(struct weir_conf *conf, const char *section, const char *key, const char *value)
{
	char err[WEIR_CONF_ERR_MAX] = "";

	if (weir_conf_set(conf, section, key, value, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		exit(2);
	}
}

/* Cables */

static void
make_cable(struct sim *s, unsigned int from, unsigned int to)
{
	struct sim_cable *c = &s->cable[s->n_cables];
	const struct weir_cable_conf conf = {
		.seed = weir_rand_u64(&s->rand),
		.queues = 2,
		.queue_depth = 256,
		.line_pkts = 4096,
		.mtu = sim_chance(s, 20) ? 9000 : 1500,
		.lro = sim_chance(s, 20),
		.caps_off = sim_chance(s, 30) ? WEIR_PORT_TX_TSO : 0,
	};

	c->mtu = conf.mtu;
	snprintf(c->name, sizeof(c->name), "sim%u", s->n_cables);
	c->stack[0] = from;
	c->stack[1] = to;
	c->down_until_us = 0;
	if (weir_cable_new(c->name, &conf, &s->clock, &c->cable) != 0) {
		fprintf(stderr, "no memory for a cable\n");
		exit(2);
	}
	s->n_cables++;
}

socklen_t
sim_addr(const struct sim *s, unsigned int cable, unsigned int stack, int domain, uint16_t port,
	struct sockaddr_storage *ss)
{
	const uint8_t host = s->cable[cable].stack[0] == stack ? 1 : 2;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)domain;
	if (domain == AF_INET) {
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(0x0a000000 | cable << 8 | host);
		return sizeof(*in);
	}
	in6->sin6_port = htons(port);
	in6->sin6_addr.s6_addr[0] = 0xfd;
	in6->sin6_addr.s6_addr[1] = (uint8_t)cable;
	in6->sin6_addr.s6_addr[15] = host;
	return sizeof(*in6);
}

/* Stacks */

static void
add_port(const struct sim *s, struct weir_conf *conf, unsigned int cable, unsigned int end)
{
	char section[32], text[64];

	snprintf(section, sizeof(section), "port p%u", cable);
	snprintf(text, sizeof(text), "%s:%c", s->cable[cable].name, 'a' + end);
	set(conf, section, "driver", "wire");
	set(conf, section, "device", text);
	snprintf(
		text, sizeof(text), "10.0.%u.%u/24, fd%02x::%u/64", cable, end + 1, cable, end + 1);
	set(conf, section, "address", text);
	set(conf, section, "dad", "no");
	set(conf, section, "accept_ra", "no");
	set(conf, section, "rx_descriptors", "64");
	set(conf, section, "tx_descriptors", "64");
}

/* Settings that no peer may suffer from; each is left alone more often than not. */
static void
choose_settings(struct sim *s, struct weir_conf *conf)
{
	static const struct {
		const char *key;
		const char *value[5];
	} settings[] = {
		{"congestion", {"reno", "bbr", "dctcp"}},
		{"pacing", {"yes"}},
		{"ecn", {"no", "yes", "accurate", "accurate-accept", "accurate-passive"}},
		{"ecn_option", {"no", "needed"}},
		{"mtu_probing", {"black-hole", "always"}},
		{"hystart", {"linux", "no"}},
		{"idle_restart", {"no"}},
		{"tail_loss_probe", {"no"}},
		{"frto", {"no"}},
		{"dsack", {"no"}},
		{"reordering", {"1", "10"}},
		{"delayed_ack_ms", {"0", "200"}},
		{"rto_min_ms", {"20", "1000"}},
		{"syn_cookies", {"no"}}, /* always: a first segment lost may end a connection */
		{"window_scale_max", {"0", "3"}},
		{"sndbuf", {"4K", "64K"}},
		{"rcvbuf", {"64K", "1M"}},
		{"initial_window", {"1", "3", "40"}},
		{"rfc1337", {"no"}},
		{"time_wait_reuse", {"yes"}},
		{"fastopen", {"3", "519", "1543"}},
	};

	for (unsigned int i = 0; i < RTE_DIM(settings); i++) {
		unsigned int n = 0;

		while (n < RTE_DIM(settings[i].value) && settings[i].value[n] != NULL)
			n++;
		if (sim_chance(s, 15))
			set(conf, "tcp", settings[i].key,
				settings[i].value[weir_rand_below(&s->rand, n)]);
	}
}

static void
make_stack(struct sim *s, unsigned int i)
{
	struct sim_stack *k = &s->stack[i];
	char err[WEIR_CONF_ERR_MAX] = "";
	struct weir_conf conf;

	weir_conf_default(&conf);
	snprintf(conf.name, sizeof(conf.name), "s%u", i);
	conf.n_workers = 1 + sim_chance(s, 30);
	conf.mbufs = 2048;
	conf.sockets = 64;
	conf.connections = 128;
	conf.half_open = 256; /* more would take longer to clear than to use */
	conf.time_waits = 256;
	conf.traces = 256;
	if (sim_chance(s, 30)) /* few may be awake: the others sleep, wait, are refused */
		conf.active_connections = 2 + weir_rand_below(&s->rand, 6);
	conf.seed = weir_rand_u64(&s->rand);
	conf.tcp.timestamps = sim_chance(s, 80);
	conf.tcp.window_scale = sim_chance(s, 90);
	conf.tcp.sack = sim_chance(s, 80);
	conf.tcp.time_wait_ms = 2000;
	conf.tcp.orphan_retries = 15; /* readers are slow, and rto_min_ms may be small */
	choose_settings(s, &conf);
	for (unsigned int c = 0; c < s->n_cables; c++) {
		if (s->cable[c].stack[0] == i || s->cable[c].stack[1] == i)
			add_port(s, &conf, c, s->cable[c].stack[1] == i);
	}
	if (weir_stack_new(&conf, &s->clock, &k->st, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		exit(2);
	}
	k->n_pools = k->st->n_workers;
	memcpy(k->pools, k->st->pools, k->n_pools * sizeof(k->pools[0]));
}

void
sim_world_open(struct sim *s)
{
	weir_clock_init_virtual(&s->clock, SIM_S);
	s->n_stacks = 2 + sim_chance(s, 30);
	for (unsigned int i = 0; i < s->n_stacks; i++)
		for (unsigned int j = i + 1; j < s->n_stacks; j++)
			make_cable(s, i, j);
	for (unsigned int i = 0; i < s->n_stacks; i++)
		make_stack(s, i);
}

/* Time */

/* When something can happen at the earliest, nothing having happened now. */
static uint64_t
next_us(const struct sim *s)
{
	uint64_t next =
		RTE_MIN(sim_flows_next_us(s), RTE_MIN(sim_trouble_next_us(s), s->dgram_next_us));

	for (unsigned int i = 0; i < s->n_stacks; i++)
		next = RTE_MIN(next, weir_stack_next_us(s->stack[i].st));
	for (unsigned int c = 0; c < s->n_cables; c++)
		next = RTE_MIN(next, weir_cable_next_us(s->cable[c].cable));
	return next;
}

void
sim_world_step(struct sim *s)
{
	const uint64_t now = sim_now(s);
	unsigned int n = 0;
	uint64_t next;

	for (unsigned int i = 0; i < s->n_stacks; i++)
		n += weir_stack_step(s->stack[i].st);
	next = n > 0 ? now + 1 : next_us(s);
	weir_clock_advance(&s->clock, next > now ? RTE_MIN(next - now, SIM_S) : 1);
	s->steps++;
}

/* The end */

static void
check_account(struct sim *s, unsigned int i)
{
	struct weir_account a;

	weir_stack_account(s->stack[i].st, &a);
	if (!a.is_balanced)
		sim_break(s,
			"s%u: packets do not add up: in %lu ended %lu held %lu, out %lu %lu %lu", i,
			a.rx.in, a.rx.ended, a.rx.held, a.tx.in, a.tx.ended, a.tx.held);
	if (a.sockets != 0 || a.descriptors != 0 || a.connections != 0)
		sim_break(s, "s%u: left: %u sockets, %u descriptors, %lu connections", i, a.sockets,
			a.descriptors, a.connections);
}

void
sim_world_close(struct sim *s)
{
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		check_account(s, i);
		for (unsigned int p = 0; p < s->stack[i].n_pools; p++)
			s->stack[i].st->pools[p] = NULL; /* others may hold mbufs of them */
	}
	for (unsigned int i = 0; i < s->n_stacks; i++)
		weir_stack_free(s->stack[i].st);
	for (unsigned int c = 0; c < s->n_cables; c++)
		weir_cable_free(s->cable[c].cable);
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		for (unsigned int p = 0; p < s->stack[i].n_pools; p++) {
			struct rte_mempool *pool = s->stack[i].pools[p];

			if (rte_mempool_avail_count(pool) != pool->size)
				sim_break(s, "s%u: %u mbufs lost", i,
					pool->size - rte_mempool_avail_count(pool));
			rte_mempool_free(pool);
		}
	}
}
