/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A crowd of connections to one server: what each costs in memory while it is idle, and what a
 * request costs when it comes to any of them. The clients are no stack but a generator on the other
 * end of the cable: the server's first sequence number is all that it knows of a connection, the
 * rest is in the segments that it answers.
 */
#include "perf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_tcp.h>

#include "stack_priv.h"

#define BURST	   32
#define WINDOW	   128 /* under way at a time: the cable's queues hold more */
#define MBUFS	   16383
#define FIRST_HOST UINT32_C(0xc6120001) /* 198.18.0.1 and on (RFC 2544) */
#define FIRST_PORT 1024
#define PORTS	   50000   /* of a host */
#define REST_US	   3000000 /* idle ones are asleep by then */
#define SILENCE_US 2000000 /* what does not come for that long is lost */

struct crowd {
	const struct perf_opts *o;
	struct perf_side server;
	struct rte_mempool *pool;
	struct weir_port *port;
	uint32_t *irs;	/* irs[conns]: the server's first sequence numbers; 0: not known */
	uint32_t asked; /* of this round */
	uint32_t answered;
	uint32_t requests; /* earlier rounds of requests */
	struct perf_counts steps;
	uint64_t packets; /* that came back */
};

static uint32_t
number_of(const struct rte_ipv4_hdr *ip, const struct rte_tcp_hdr *tcp)
{
	return (rte_be_to_cpu_32(ip->dst_addr) - FIRST_HOST) * PORTS +
	       rte_be_to_cpu_16(tcp->dst_port) - FIRST_PORT;
}

static void
put_link(const struct crowd *d, struct rte_ether_hdr *eth)
{
	memcpy(&eth->dst_addr, &d->server.st->ports[0]->info.mac, sizeof(eth->dst_addr));
	eth->src_addr = (struct rte_ether_addr){{2, 0, 0, 0, 0, 2}}; /* as in bed.c */
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
}

static void
put_ip(struct rte_ipv4_hdr *ip, uint32_t i, uint16_t len)
{
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(len),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_TCP,
		.src_addr = rte_cpu_to_be_32(FIRST_HOST + i / PORTS),
		.dst_addr = perf_server_addr(0).sin_addr.s_addr,
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* Segment of client i. */
static struct rte_mbuf *
segment(struct crowd *d, uint32_t i, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(d->pool);
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;
	struct rte_tcp_hdr *tcp;

	if (m == NULL)
		return NULL;
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(
		m, (uint16_t)(sizeof(*eth) + sizeof(*ip) + sizeof(*tcp) + len));
	ip = (struct rte_ipv4_hdr *)(eth + 1);
	tcp = (struct rte_tcp_hdr *)(ip + 1);
	put_link(d, eth);
	put_ip(ip, i, (uint16_t)(sizeof(*ip) + sizeof(*tcp) + len));
	*tcp = (struct rte_tcp_hdr){
		.src_port = rte_cpu_to_be_16((uint16_t)(FIRST_PORT + i % PORTS)),
		.dst_port = perf_server_addr(0).sin_port,
		.sent_seq = rte_cpu_to_be_32(seq),
		.recv_ack = rte_cpu_to_be_32(ack),
		.data_off = sizeof(*tcp) / 4 << 4,
		.tcp_flags = flags,
		.rx_win = rte_cpu_to_be_16(UINT16_MAX),
	};
	memset(tcp + 1, 'x', len);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	return m;
}

static void
send_one(struct crowd *d, struct rte_mbuf *m)
{
	if (m == NULL || weir_port_tx(d->port, 0, &m, 1) == 1)
		return;
	perf_add(&d->server.counts.lost, 1);
	rte_pktmbuf_free(m);
}

/* The SYN,ACK or the answer of connection i is acknowledged, and counts once. */
static void
take(struct crowd *d, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);
	const uint32_t seq = rte_be_to_cpu_32(tcp->sent_seq), i = number_of(ip, tcp);
	const uint16_t hlen = (uint16_t)(sizeof(*ip) + (tcp->data_off >> 4) * 4);
	const uint16_t len = (uint16_t)(rte_be_to_cpu_16(ip->total_length) - hlen);
	const bool is_syn = tcp->tcp_flags & RTE_TCP_SYN_FLAG;

	if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || i >= d->o->conns)
		return;
	if (tcp->tcp_flags & RTE_TCP_RST_FLAG)
		perf_add(&d->server.counts.errors, 1);
	if (is_syn)
		d->irs[i] = seq;
	if (!is_syn && len == 0)
		return;
	d->answered++;
	send_one(d, segment(d, i, RTE_TCP_ACK_FLAG, rte_be_to_cpu_32(tcp->recv_ack),
			    seq + len + is_syn, 0));
}

static unsigned int
take_all(struct crowd *d)
{
	struct rte_mbuf *m[BURST];
	const unsigned int n = weir_port_rx(d->port, 0, m, BURST);

	for (unsigned int i = 0; i < n; i++)
		take(d, m[i]);
	if (n > 0)
		rte_pktmbuf_free_bulk(m, n);
	d->packets += n;
	return n;
}

static void
step_server(struct crowd *d)
{
	const uint64_t start = rte_rdtsc();

	weir_stack_step(d->server.st);
	perf_step(&d->steps, start);
}

static struct rte_mbuf *
next_segment(struct crowd *d, bool is_syn)
{
	const uint32_t done = 1 + d->requests * d->o->size, i = d->asked;

	if (is_syn)
		return segment(d, i, RTE_TCP_SYN_FLAG, 0, 0, 0);
	return segment(d, i, RTE_TCP_PSH_FLAG | RTE_TCP_ACK_FLAG, done, d->irs[i] + done,
		(uint16_t)d->o->size);
}

static bool
may_ask(const struct crowd *d)
{
	return d->asked < d->o->conns && d->asked - d->answered < WINDOW;
}

/* Each connection is opened, or gets a request. @return cycles of the server for each; < 0: lost */
static double
round_of_all(struct crowd *d, bool is_syn)
{
	struct weir_stack *st = d->server.st;
	uint64_t heard_us = weir_stack_now_us(st);

	d->asked = d->answered = 0;
	d->steps.cycles = 0;
	while (d->answered < d->o->conns) {
		for (unsigned int i = 0; i < BURST && may_ask(d); i++, d->asked++)
			send_one(d, next_segment(d, is_syn));
		step_server(d);
		if (take_all(d) > 0)
			heard_us = weir_stack_now_us(st);
		if (weir_stack_now_us(st) - heard_us > SILENCE_US)
			return -1;
	}
	step_server(d);
	d->requests += !is_syn;
	return (double)d->steps.cycles / d->o->conns;
}

static void
rest(struct crowd *d)
{
	const uint64_t end = weir_stack_now_us(d->server.st) + REST_US;

	while (weir_stack_now_us(d->server.st) < end) {
		weir_stack_step(d->server.st);
		take_all(d);
	}
}

static uint64_t
slab_bytes(const struct weir_slab *s)
{
	return (uint64_t)s->used * s->obj_size;
}

/* What connections have of the pools, the table's part included. */
static uint64_t
bytes_used(const struct crowd *d)
{
	const struct weir_stack *st = d->server.st;
	const struct weir_tcp *t = &st->workers[0]->tcp;

	return slab_bytes(&t->conns) + slab_bytes(&t->parked) + slab_bytes(&t->rests) +
	       slab_bytes(&t->naps) + slab_bytes(&t->sents) +
	       (uint64_t)weir_tcp_n_conns(t) * 2 * sizeof(t->table.slots[0]) +
	       (uint64_t)weir_peek(st->socks.used) * (st->socks.stash.obj_size + sizeof(uint32_t));
}

static int
measure(struct crowd *d)
{
	const struct weir_tcp *t = &d->server.st->workers[0]->tcp;
	const double opened = round_of_all(d, true);
	double request = -1, again = -1;
	uint64_t bytes;

	if (opened >= 0)
		rest(d);
	bytes = bytes_used(d);
	printf("{\"workload\": \"crowd\", \"conns\": %u, \"established\": %" PRIu64
	       ", \"cycles_per_open\": %.1f, \"bytes_per_conn\": %.1f, \"asleep\": %u, ",
		d->o->conns, t->n_state[WEIR_TCP_ESTABLISHED], opened, (double)bytes / d->o->conns,
		t->parked.used);
	if (opened >= 0)
		request = round_of_all(d, false);
	if (request >= 0)
		again = round_of_all(d, false);
	printf("\"cycles_per_waking_request\": %.1f, \"cycles_per_request\": %.1f, "
	       "\"errors\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"tsc_hz\": %" PRIu64 "}\n",
		request, again, d->server.counts.errors, d->server.counts.lost, rte_get_tsc_hz());
	return again < 0 ? -ETIMEDOUT : d->server.counts.errors != 0 ? -EIO : 0;
}

static int
open_crowd(struct crowd *d)
{
	d->irs = calloc(d->o->conns, sizeof(d->irs[0]));
	d->pool = rte_pktmbuf_pool_create(
		"crowd", MBUFS, 256, WEIR_PKT_PRIV, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	d->server.st = perf_stack(d->o, true, false);
	if (d->irs == NULL || d->pool == NULL || d->server.st == NULL)
		return -ENOMEM;
	return perf_port_open(d->o, false, true, d->pool, &d->port);
}

static void
close_crowd(struct crowd *d)
{
	if (d->port != NULL)
		d->port->ops->stop(d->port);
	perf_stacks_free(d->o, d->server.st, NULL);
	if (d->port != NULL)
		d->port->ops->close(d->port);
	perf_side_fini(&d->server);
	rte_mempool_free(d->pool);
	free(d->irs);
}

int
perf_crowd_run(const struct perf_opts *o)
{
	struct crowd d = {.o = o};
	int rc = open_crowd(&d);

	if (rc == 0)
		rc = perf_serve(&d.server, o, d.server.st);
	if (rc == 0)
		rc = measure(&d);
	close_crowd(&d);
	if (rc != 0)
		fprintf(stderr, "crowd: %s\n", strerror(-rc));
	return rc;
}
