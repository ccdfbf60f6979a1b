/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames and a cable with a virtual clock, for the tests of this folder. */
#ifndef CABLE_RIG_H
#define CABLE_RIG_H

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "unit.h"
#include "weir_cable.h"
#include "weir_cksum.h"

#define RIG_MBUFS 4095
#define TCP_HDRS  (14 + 20 + 20)
#define TCP6_HDRS (14 + 40 + 20)
#define UDP_HDRS  (14 + 20 + 8)

struct rig {
	struct rte_mempool *pool;
	struct weir_clock clock;
	struct weir_cable *cable;
	struct weir_port *a;
	struct weir_port *b;
};

static inline void
rig_open(struct rig *r, const struct weir_cable_conf *conf)
{
	memset(r, 0, sizeof(*r));
	r->pool = unit_pool("rig", RIG_MBUFS);
	weir_clock_init_virtual(&r->clock, 1000);
	CU_ASSERT_EQUAL_FATAL(weir_cable_new("rig", conf, &r->clock, &r->cable), 0);
	r->a = weir_cable_port(r->cable, 0);
	r->b = weir_cable_port(r->cable, 1);
}

/* The counts of both directions add up, and all mbufs are back. */
static inline void
rig_close(struct rig *r)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct weir_cable_stats s;

		weir_cable_stats(r->cable, end, &s);
		CU_ASSERT_EQUAL(s.sent + s.duplicated,
			s.delivered + s.lost + s.dropped_full + s.dropped_oversize +
				s.dropped_down + s.dropped_bad + s.dropped_no_mbuf + s.held);
	}
	weir_cable_free(r->cable);
	unit_pool_done(r->pool);
}

static inline uint8_t
payload_byte(uint32_t i)
{
	return (uint8_t)(i * 7 + (i >> 8));
}

static inline void
fill_eth(struct rte_mbuf *m, uint16_t type)
{
	struct rte_ether_hdr *eth =
		(struct rte_ether_hdr *)rte_pktmbuf_append(m, sizeof(struct rte_ether_hdr));

	memset(eth, 0x02, sizeof(*eth));
	eth->ether_type = rte_cpu_to_be_16(type);
}

static inline void
fill_ip4(struct rte_mbuf *m, uint32_t src, uint8_t proto, uint32_t l4_len)
{
	struct rte_ipv4_hdr *ip =
		(struct rte_ipv4_hdr *)rte_pktmbuf_append(m, sizeof(struct rte_ipv4_hdr));

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + l4_len)),
		.packet_id = rte_cpu_to_be_16(100),
		.time_to_live = 64,
		.next_proto_id = proto,
		.src_addr = rte_cpu_to_be_32(src),
		.dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2)),
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static inline void
fill_ip6(struct rte_mbuf *m, uint8_t proto, uint32_t l4_len)
{
	struct rte_ipv6_hdr *ip =
		(struct rte_ipv6_hdr *)rte_pktmbuf_append(m, sizeof(struct rte_ipv6_hdr));

	*ip = (struct rte_ipv6_hdr){
		.vtc_flow = rte_cpu_to_be_32(0x60000000),
		.payload_len = rte_cpu_to_be_16((uint16_t)l4_len),
		.proto = proto,
		.hop_limits = 64,
		.src_addr = {0xfe, 0x80, [15] = 1},
		.dst_addr = {0xfe, 0x80, [15] = 2},
	};
}

static inline void
fill_payload(struct rte_mbuf *m, uint32_t len)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);

	for (uint32_t i = 0; i < len; i++)
		p[i] = payload_byte(i);
}

/* A UDP datagram over IPv4 with right checksums, whose source port tells it from others. */
static inline struct rte_mbuf *
udp_frame(struct rte_mempool *pool, uint16_t sport, uint32_t payload)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct rte_udp_hdr *udp;

	fill_eth(m, RTE_ETHER_TYPE_IPV4);
	fill_ip4(m, RTE_IPV4(10, 0, 0, 1), IPPROTO_UDP, 8 + payload);
	udp = (struct rte_udp_hdr *)rte_pktmbuf_append(m, sizeof(*udp));
	*udp = (struct rte_udp_hdr){
		.src_port = rte_cpu_to_be_16(sport),
		.dst_port = rte_cpu_to_be_16(7),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(8 + payload)),
	};
	fill_payload(m, payload);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(
		rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14), udp);
	return m;
}

static inline uint16_t
udp_sport(const struct rte_mbuf *m)
{
	return rte_be_to_cpu_16(*rte_pktmbuf_mtod_offset(m, rte_be16_t *, 14 + 20));
}

/*
 * A TCP packet that leaves checksums and segmentation to the port; the payload lies in segments of
 * at most 1000 bytes behind the headers.
 */
static inline struct rte_mbuf *
tso_packet(struct rte_mempool *pool, bool is_v6, uint32_t payload, uint16_t mss)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct rte_tcp_hdr *tcp;

	fill_eth(m, is_v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	if (is_v6)
		fill_ip6(m, IPPROTO_TCP, 20 + payload);
	else
		fill_ip4(m, RTE_IPV4(10, 0, 0, 1), IPPROTO_TCP, 20 + payload);
	tcp = (struct rte_tcp_hdr *)rte_pktmbuf_append(m, sizeof(*tcp));
	*tcp = (struct rte_tcp_hdr){
		.src_port = rte_cpu_to_be_16(1),
		.dst_port = rte_cpu_to_be_16(80),
		.sent_seq = rte_cpu_to_be_32(0xfffffff0),
		.recv_ack = rte_cpu_to_be_32(1),
		.data_off = 5 << 4,
		.tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG |
			     RTE_TCP_CWR_FLAG,
	};
	for (uint32_t off = 0; off < payload; off += 1000) {
		const uint32_t n = RTE_MIN(payload - off, 1000u);
		struct rte_mbuf *s = rte_pktmbuf_alloc(pool);
		uint8_t *p = (uint8_t *)rte_pktmbuf_append(s, (uint16_t)n);

		for (uint32_t i = 0; i < n; i++)
			p[i] = payload_byte(off + i);
		rte_pktmbuf_chain(m, s);
	}
	m->l2_len = 14;
	m->l3_len = is_v6 ? 40 : 20;
	m->l4_len = 20;
	m->tso_segsz = mss;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
		       (is_v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
	return m;
}

/* Are the checksums of a TCP or UDP frame right, looked at as a whole? */
static inline bool
cksums_ok(const struct rte_mbuf *m)
{
	uint8_t buf[10000];
	const uint8_t *f = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	const uint16_t type = rte_be_to_cpu_16(*(const rte_be16_t *)(const void *)(f + 12));

	if (type == RTE_ETHER_TYPE_IPV6) {
		const struct rte_ipv6_hdr *ip = (const void *)(f + 14);

		return rte_ipv6_udptcp_cksum_verify(ip, ip + 1) == 0;
	}
	if (type == RTE_ETHER_TYPE_IPV4) {
		const struct rte_ipv4_hdr *ip = (const void *)(f + 14);

		return rte_raw_cksum(ip, sizeof(*ip)) == 0xffff &&
		       rte_ipv4_udptcp_cksum_verify(ip, ip + 1) == 0;
	}
	return false;
}

/* Send one frame; it must be taken. */
static inline void
send_one(struct weir_port *p, struct rte_mbuf *m)
{
	CU_ASSERT_EQUAL(weir_port_tx(p, 0, &m, 1), 1);
}

/* The next frame, or NULL. */
static inline struct rte_mbuf *
recv_one(struct weir_port *p)
{
	struct rte_mbuf *m;

	return weir_port_rx(p, 0, &m, 1) == 1 ? m : NULL;
}

#endif
