/* SPDX-License-Identifier: BSD-3-Clause */
/* The ceiling: receive a burst, swap MAC addresses, send it. Nothing cheaper answers a packet. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#define BURST	32
#define MBUFS	8192
#define OUT_MAX 512 /* packets that one turn may make: window and profile see to it */
#define FRAME_MIN \
	(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))

int
perf_swap_open(struct perf_swap *s, const struct perf_opts *o, bool is_server,
	const struct perf_profile *profile)
{
	memset(s, 0, sizeof(*s));
	s->profile = *profile;
	s->pool = rte_pktmbuf_pool_create(is_server ? "swap" : "generate", MBUFS, 256, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (s->pool == NULL) {
		fprintf(stderr, "no memory for mbufs\n");
		return -ENOMEM;
	}
	return perf_port_open(o, is_server, true, s->pool, &s->port);
}

void
perf_swap_close(struct perf_swap *s)
{
	if (s->port == NULL)
		return;
	s->port->ops->stop(s->port);
	s->port->ops->close(s->port);
	s->port = NULL;
}

void
perf_swap_free(struct perf_swap *s)
{
	perf_swap_close(s);
	rte_mempool_free(s->pool);
	s->pool = NULL;
}

static void
set_len(struct rte_mbuf *m, uint32_t len)
{
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
}

static void
send_all(struct perf_swap *s, struct rte_mbuf **m, unsigned int n)
{
	const unsigned int sent = weir_port_tx(s->port, 0, m, (uint16_t)n);

	perf_add(&s->counts.tx_packets, sent);
	perf_add(&s->counts.lost, n - sent);
	if (sent < n)
		rte_pktmbuf_free_bulk(m + sent, n - sent);
}

/* The swapper. */

static void
swap_macs(struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	const struct rte_ether_addr src = eth->src_addr;

	eth->src_addr = eth->dst_addr;
	eth->dst_addr = src;
}

/* More is sent than is received: packets like the one that came. @return how many */
static unsigned int
add_more(struct perf_swap *s, const struct rte_mbuf *like, struct rte_mbuf **out, unsigned int room)
{
	unsigned int n = RTE_MIN((unsigned int)s->credit, room);

	if (n == 0 || rte_pktmbuf_alloc_bulk(s->pool, out, n) != 0)
		return 0;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(rte_pktmbuf_mtod(out[i], void *), rte_pktmbuf_mtod(like, const void *),
			FRAME_MIN);
		set_len(out[i], s->profile.tx_len);
	}
	s->credit -= n;
	return n;
}

static unsigned int
answer(struct perf_swap *s, struct rte_mbuf *m, struct rte_mbuf **out, unsigned int room)
{
	s->credit += s->profile.tx_per_op / s->profile.rx_per_op;
	if (s->credit < 1 || room == 0) {
		rte_pktmbuf_free(m);
		return 0;
	}
	s->credit -= 1;
	swap_macs(m);
	set_len(m, s->profile.tx_len);
	out[0] = m;
	return 1 + (s->credit < 1 ? 0 : add_more(s, m, out + 1, room - 1));
}

unsigned int
perf_swap_turn(struct perf_swap *s)
{
	struct rte_mbuf *in[BURST], *out[OUT_MAX];
	const unsigned int n = weir_port_rx(s->port, 0, in, BURST);
	unsigned int k = 0;

	if (n == 0)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		k += answer(s, in[i], out + k, OUT_MAX - k);
	if (k > 0)
		send_all(s, out, k);
	perf_add(&s->counts.rx_packets, n);
	perf_add(&s->counts.units, n + k);
	return n;
}

int
perf_swap_loop(void *swap)
{
	struct perf_swap *s = swap;

	while (!__atomic_load_n(&s->must_stop, __ATOMIC_ACQUIRE)) {
		const uint64_t start = rte_rdtsc();

		if (perf_swap_turn(s) != 0)
			perf_add(&s->counts.cycles, rte_rdtsc() - start);
	}
	return 0;
}

/* The generator. */

/* A frame of the profile's size that every port takes for UDP over IPv4. */
static void
fill(const struct perf_swap *s, struct rte_mbuf *m)
{
	static const struct rte_ether_hdr eth = {
		.dst_addr = {{2, 0, 0, 0, 0, 1}},
		.src_addr = {{2, 0, 0, 0, 0, 2}},
		.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
	};
	const struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(s->profile.rx_len - sizeof(eth))),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = RTE_BE32(0x0a500002),
		.dst_addr = RTE_BE32(0x0a500001),
	};

	memcpy(rte_pktmbuf_mtod(m, void *), &eth, sizeof(eth));
	memcpy(rte_pktmbuf_mtod_offset(m, void *, sizeof(eth)), &ip, sizeof(ip));
	memset(rte_pktmbuf_mtod_offset(m, void *, sizeof(eth) + sizeof(ip)), 0,
		sizeof(struct rte_udp_hdr));
	set_len(m, s->profile.rx_len);
}

static unsigned int
collect(struct perf_swap *s)
{
	struct rte_mbuf *m[BURST];
	unsigned int n, all = 0;

	do {
		n = weir_port_rx(s->port, 0, m, BURST);
		rte_pktmbuf_free_bulk(m, n);
		all += n;
	} while (n == BURST);
	perf_add(&s->counts.rx_packets, all);
	return all;
}

void
perf_swap_generate(struct perf_swap *s)
{
	const struct perf_profile *p = &s->profile;
	struct rte_mbuf *m[BURST];
	unsigned int n;

	/* Under way until answered; a fraction may stay, for answers that were not owed yet. */
	s->credit = RTE_MAX(s->credit - collect(s) * p->rx_per_op / p->tx_per_op, 0.0);
	n = s->credit + 0.5 >= p->window ? 0 : (unsigned int)(p->window - s->credit + 0.5);
	n = RTE_MIN(n, (unsigned int)BURST);
	if (n == 0 || rte_pktmbuf_alloc_bulk(s->pool, m, n) != 0)
		return;
	for (unsigned int i = 0; i < n; i++)
		fill(s, m[i]);
	send_all(s, m, n);
	s->credit += n;
}

void
perf_swap_push(struct perf_swap *s)
{
	perf_add(&s->counts.lost, (uint64_t)s->credit);
	s->credit = 0;
}
