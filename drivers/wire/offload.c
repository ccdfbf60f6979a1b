/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ring -> port rx -> offload, only where the two ends' offloads differ or a frame is copied
 */
#include "cable_priv.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "weir_cksum.h"

#define CKSUM_FLAGS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)

/* Does the pool's room hold the headers? (Pools of indirect mbufs have none at all.) */
static bool
has_room(struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size(pool) >= RTE_PKTMBUF_HEADROOM + CABLE_HDR_MAX;
}

struct rte_mbuf *
cable_copy(const struct rte_mbuf *m)
{
	return has_room(m->pool) ? rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX) : NULL;
}

/* Drop the first len bytes and the segments they leave empty. @return the rest, NULL if none */
static struct rte_mbuf *
cut_front(struct rte_mbuf *m, uint32_t len)
{
	while (m != NULL && len >= m->data_len) {
		struct rte_mbuf *next = m->next;

		len -= m->data_len;
		m->next = NULL;
		m->nb_segs = 1;
		rte_pktmbuf_free_seg(m);
		m = next;
	}
	if (m != NULL) {
		m->data_off = (uint16_t)(m->data_off + len);
		m->data_len = (uint16_t)(m->data_len - len);
	}
	return m;
}

/*
 * Put front[len] in place of m's first `cut` bytes, without writing to them: a new mbuf in front.
 * Returns the chain, or NULL (m freed) without mbufs.
 */
static struct rte_mbuf *
replace_front(struct rte_mbuf *m, uint32_t cut, const void *front, uint16_t len)
{
	struct rte_mbuf *h = has_room(m->pool) ? rte_pktmbuf_alloc(m->pool) : NULL;

	if (h == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(rte_pktmbuf_append(h, len), front, len);
	h->pkt_len = m->pkt_len - cut + len;
	h->ol_flags = m->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	h->tx_offload = m->tx_offload;
	h->vlan_tci = m->vlan_tci;
	h->hash = m->hash;
	h->next = cut_front(m, cut);
	for (const struct rte_mbuf *s = h->next; s != NULL; s = s->next)
		h->nb_segs++;
	return h;
}

static bool
is_writable(const struct rte_mbuf *m, uint32_t len)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && m->data_len >= len;
}

/* Bytes up to the end of what a checksum request makes us write; 0 when it makes no sense. */
static uint32_t
front_len(const struct rte_mbuf *m)
{
	const uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	uint32_t len = (uint32_t)m->l2_len + m->l3_len;

	if (m->l3_len < sizeof(struct rte_ipv4_hdr))
		return 0;
	if (l4 == RTE_MBUF_F_TX_TCP_CKSUM || (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
		len += sizeof(struct rte_tcp_hdr);
	else if (l4 == RTE_MBUF_F_TX_UDP_CKSUM)
		len += sizeof(struct rte_udp_hdr);
	return len <= m->pkt_len && len <= CABLE_HDR_MAX ? len : 0;
}

/* The transport part's length by the IP header (the frame may be padded), and its addresses. */
static uint32_t
read_ip(const struct rte_mbuf *m, struct weir_addr *src, struct weir_addr *dst)
{
	const void *l3 = rte_pktmbuf_mtod_offset(m, const void *, m->l2_len);
	const uint32_t l4_max = m->pkt_len - m->l2_len - m->l3_len;
	uint32_t len;

	if (m->ol_flags & RTE_MBUF_F_TX_IPV6) {
		const struct rte_ipv6_hdr *ip = l3;

		*src = weir_addr_v6(ip->src_addr);
		*dst = weir_addr_v6(ip->dst_addr);
		len = rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip);
	} else {
		const struct rte_ipv4_hdr *ip = l3;

		*src = weir_addr_v4((struct weir_be32){ip->src_addr});
		*dst = weir_addr_v4((struct weir_be32){ip->dst_addr});
		len = rte_be_to_cpu_16(ip->total_length);
	}
	len -= RTE_MIN(len, (uint32_t)m->l3_len);
	return RTE_MIN(len, l4_max);
}

static void
fill_l4(struct rte_mbuf *m, uint8_t proto, uint32_t field_off)
{
	const uint32_t l4_off = (uint32_t)m->l2_len + m->l3_len;
	rte_be16_t *field = rte_pktmbuf_mtod_offset(m, rte_be16_t *, l4_off + field_off);
	struct weir_addr src;
	struct weir_addr dst;
	const uint32_t len = read_ip(m, &src, &dst);

	*field = 0;
	*field = weir_cksum_l4(m, l4_off, len, &src, &dst, proto);
	if (proto == IPPROTO_UDP && *field == 0)
		*field = 0xffff; /* RFC 768: 0 means none */
}

void
cable_finish_owned(struct rte_mbuf *m)
{
	const uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	const bool is_sane = front_len(m) != 0;

	if (is_sane && (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)) {
		struct rte_ipv4_hdr *ip =
			rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, m->l2_len);

		ip->hdr_checksum = 0;
		ip->hdr_checksum = (rte_be16_t)~rte_raw_cksum(ip, m->l3_len);
	}
	if (is_sane && (l4 == RTE_MBUF_F_TX_TCP_CKSUM || (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)))
		fill_l4(m, IPPROTO_TCP, offsetof(struct rte_tcp_hdr, cksum));
	else if (is_sane && l4 == RTE_MBUF_F_TX_UDP_CKSUM)
		fill_l4(m, IPPROTO_UDP, offsetof(struct rte_udp_hdr, dgram_cksum));
	m->ol_flags &= ~CKSUM_FLAGS;
}

struct rte_mbuf *
cable_finish(struct rte_mbuf *m)
{
	const uint32_t len = front_len(m);
	uint8_t buf[CABLE_HDR_MAX];

	if ((m->ol_flags & CKSUM_FLAGS) == 0 || len == 0)
		return m;
	if (!is_writable(m, len)) {
		m = replace_front(m, len, rte_pktmbuf_read(m, 0, len, buf), (uint16_t)len);
		if (m == NULL)
			return NULL;
	}
	cable_finish_owned(m);
	return m;
}

struct rte_mbuf *
cable_tag_in(struct rte_mbuf *m)
{
	uint8_t front[RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN];
	const rte_be16_t tag[2] = {
		rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(m->vlan_tci)};
	const uint8_t *eth = rte_pktmbuf_read(m, 0, RTE_ETHER_HDR_LEN, front);

	m->ol_flags &= ~RTE_MBUF_F_TX_VLAN;
	if (eth == NULL)
		return m;
	memmove(front, eth, 2 * RTE_ETHER_ADDR_LEN);
	memmove(front + sizeof(front) - 2, eth + 2 * RTE_ETHER_ADDR_LEN, 2);
	memcpy(front + 2 * RTE_ETHER_ADDR_LEN, tag, sizeof(tag));
	m = replace_front(m, RTE_ETHER_HDR_LEN, front, sizeof(front));
	if (m != NULL)
		m->l2_len += RTE_VLAN_HLEN;
	return m;
}

struct rte_mbuf *
cable_tag_out(struct rte_mbuf *m)
{
	uint8_t buf[RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN];
	uint8_t front[RTE_ETHER_HDR_LEN];
	const uint8_t *eth = rte_pktmbuf_read(m, 0, sizeof(buf), buf);
	rte_be16_t tag[2];

	if (eth == NULL)
		return m;
	memcpy(tag, eth + 2 * RTE_ETHER_ADDR_LEN, sizeof(tag));
	if (tag[0] != rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN))
		return m;
	memcpy(front, eth, 2 * RTE_ETHER_ADDR_LEN);
	memcpy(front + 2 * RTE_ETHER_ADDR_LEN, eth + sizeof(buf) - 2, 2);
	m = replace_front(m, sizeof(buf), front, sizeof(front));
	if (m == NULL)
		return NULL;
	m->vlan_tci = rte_be_to_cpu_16(tag[1]);
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->l2_len -= RTE_MIN((unsigned int)m->l2_len, (unsigned int)RTE_VLAN_HLEN);
	return m;
}
