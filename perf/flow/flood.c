/* SPDX-License-Identifier: BSD-3-Clause */
/* What strangers send to the server beside the client: --flood. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack_priv.h"
#include "weir_tcp_hdr.h"
#include "weir_udp_hdr.h"

#define BURST	    16 /* packets for each turn of the client */
#define CLOSED_PORT 9

static const char *const names[] = {
	[PERF_NO_FLOOD] = "no",
	[PERF_SYN_FLOOD] = "syn",
	[PERF_ACK_FLOOD] = "ack",
	[PERF_UDP_FLOOD] = "udp",
};

int
perf_flood_named(const char *name, enum perf_flood *flood)
{
	for (unsigned int i = 0; i < RTE_DIM(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*flood = (enum perf_flood)i;
			return 0;
		}
	fprintf(stderr, "--flood %s: allowed: no, syn, ack, udp\n", name);
	return -EINVAL;
}

/* Some host of 198.18.0.0/15 (RFC 2544) that nobody will hear of again. */
static struct weir_addr
stranger(struct weir_rand *rand)
{
	return weir_addr_v4(weir_be32(UINT32_C(0xc6120000) | (weir_rand_u64(rand) & 0x1ffff)));
}

static void
put_tcp(struct rte_mbuf *m, struct weir_rand *rand, bool is_syn)
{
	const uint64_t r = weir_rand_u64(rand);
	const struct weir_tcp_hdr_info h = {
		.sport = weir_be16((uint16_t)(r | 1024)),
		.dport = {perf_server_addr(0).sin_port},
		.seq = (uint32_t)(r >> 16),
		.ack = is_syn ? 0 : (uint32_t)(r >> 32),
		.wnd = 65535,
		.flags = is_syn ? WEIR_TCP_SYN : WEIR_TCP_ACK,
		.opts = is_syn ? WEIR_TCP_OPT_MSS : 0,
		.mss = 1460,
	};

	rte_pktmbuf_append(m, (uint16_t)weir_tcp_build_len(&h));
	weir_tcp_build(rte_pktmbuf_mtod(m, uint8_t *), &h);
}

static void
put_udp(struct rte_mbuf *m)
{
	struct weir_udp_hdr *h = (struct weir_udp_hdr *)rte_pktmbuf_append(m, sizeof(*h));

	*h = (struct weir_udp_hdr){
		weir_be16(4000), weir_be16(CLOSED_PORT), weir_be16(sizeof(*h)), weir_be16(0)};
}

/* The checksum field of either header. */
static uint16_t *
cksum_of(struct rte_mbuf *m, bool is_udp)
{
	return rte_pktmbuf_mtod_offset(m, uint16_t *,
		is_udp ? offsetof(struct weir_udp_hdr, cksum)
		       : offsetof(struct weir_tcp_hdr, cksum));
}

static void
send_one(struct weir_worker *w, const struct weir_dst *dst, const struct weir_addr *server,
	enum perf_flood flood)
{
	const bool is_udp = flood == PERF_UDP_FLOOD;
	const struct weir_addr src = stranger(&w->core.rand);
	const struct weir_ip_hdr_info ip = {
		.src = &src, .dst = server, .proto = is_udp ? IPPROTO_UDP : IPPROTO_TCP};
	struct rte_mbuf *m = weir_core_alloc(&w->core);

	if (m == NULL)
		return;
	if (is_udp)
		put_udp(m);
	else
		put_tcp(m, &w->core.rand, flood == PERF_SYN_FLOOD);
	weir_ip_l4_cksum(dst, m, &ip, cksum_of(m, is_udp), (uint16_t)m->pkt_len, 0);
	weir_ip_output(&w->ip, dst, m, &ip);
}

void
perf_flood(const struct perf_opts *o, struct weir_stack *client)
{
	struct weir_worker *w = client->workers[0];
	const struct weir_addr server =
		weir_addr_v4((struct weir_be32){perf_server_addr(0).sin_addr.s_addr});
	struct weir_dst dst;

	if (o->flood == PERF_NO_FLOOD || weir_ip_route(&w->ip, &server, -1, &dst) != 0)
		return;
	for (unsigned int i = 0; i < BURST; i++)
		send_one(w, &dst, &server, o->flood);
}
