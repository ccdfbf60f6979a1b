/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: port tx -> tso -> ring or line
 *
 * rte_gso does IPv4 alone, so this is ours. Each frame is a new mbuf with the headers and
 * indirect mbufs that refer to the payload.
 */
#include "cable_priv.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#define FIRST_ONLY RTE_TCP_CWR_FLAG /* RFC 3168 6.1.2: once, on the first */
#define LAST_ONLY  (RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG)

/* Where the payload's next byte is. */
struct cursor {
	struct rte_mbuf *seg;
	uint32_t off;
};

static uint32_t
header_len(const struct rte_mbuf *m)
{
	return (uint32_t)m->l2_len + m->l3_len + m->l4_len;
}

bool
cable_tso_is_valid(const struct rte_mbuf *m)
{
	const uint32_t l3_min = m->ol_flags & RTE_MBUF_F_TX_IPV6 ? sizeof(struct rte_ipv6_hdr)
								 : sizeof(struct rte_ipv4_hdr);

	return m->l2_len >= RTE_ETHER_HDR_LEN && m->l3_len >= l3_min &&
	       m->l4_len >= sizeof(struct rte_tcp_hdr) && header_len(m) <= CABLE_HDR_MAX &&
	       header_len(m) <= m->pkt_len && m->tso_segsz != 0 &&
	       cable_tso_frames(m) <= CABLE_FRAMES_MAX &&
	       rte_pktmbuf_data_room_size(m->pool) >= RTE_PKTMBUF_HEADROOM + CABLE_HDR_MAX;
}

uint32_t
cable_tso_frames(const struct rte_mbuf *m)
{
	const uint32_t payload = m->pkt_len - header_len(m);

	return payload == 0 ? 1 : (payload + m->tso_segsz - 1) / m->tso_segsz;
}

static void
cursor_skip(struct cursor *c, uint32_t n)
{
	c->off += n;
	while (c->seg != NULL && c->off >= c->seg->data_len) {
		c->off -= c->seg->data_len;
		c->seg = c->seg->next;
	}
}

/* Refer to the next len bytes behind frame's last segment. @return 0 or -ENOMEM */
static int
append_payload(struct rte_mbuf *frame, struct cursor *c, uint32_t len)
{
	struct rte_mbuf *last = rte_pktmbuf_lastseg(frame);

	while (len > 0) {
		const uint32_t n = RTE_MIN(len, c->seg->data_len - c->off);
		struct rte_mbuf *part = rte_pktmbuf_alloc(frame->pool);

		if (part == NULL)
			return -ENOMEM;
		rte_pktmbuf_attach(part, c->seg);
		part->data_off = (uint16_t)(part->data_off + c->off);
		part->data_len = (uint16_t)n;
		part->pkt_len = n;
		last->next = part;
		last = part;
		frame->nb_segs++;
		frame->pkt_len += n;
		cursor_skip(c, n);
		len -= n;
	}
	return 0;
}

/* The headers of frame i, of which payload bytes lie before and follow. */
static void
fix_headers(struct rte_mbuf *frame, uint32_t i, uint32_t before, uint32_t payload, bool is_last)
{
	void *l3 = rte_pktmbuf_mtod_offset(frame, void *, frame->l2_len);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)((char *)l3 + frame->l3_len);
	const uint32_t ip_len = frame->l3_len + frame->l4_len + payload;

	if (frame->ol_flags & RTE_MBUF_F_TX_IPV6) {
		struct rte_ipv6_hdr *ip = l3;

		ip->payload_len = rte_cpu_to_be_16((uint16_t)(ip_len - sizeof(*ip)));
	} else {
		struct rte_ipv4_hdr *ip = l3;

		ip->total_length = rte_cpu_to_be_16((uint16_t)ip_len);
		ip->packet_id = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ip->packet_id) + i));
	}
	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + before);
	if (i != 0)
		tcp->tcp_flags &= (uint8_t)~FIRST_ONLY;
	if (!is_last)
		tcp->tcp_flags &= (uint8_t)~LAST_ONLY;
}

/* Every frame is left to have its checksums done, as one sent alone would. */
static uint64_t
frame_flags(const struct rte_mbuf *m)
{
	uint64_t flags = m->ol_flags & ~(RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK |
					       RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);

	flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	return flags & RTE_MBUF_F_TX_IPV6 ? flags : flags | RTE_MBUF_F_TX_IP_CKSUM;
}

static struct rte_mbuf *
make_headers(const struct rte_mbuf *m)
{
	const uint32_t len = header_len(m);
	struct rte_mbuf *h = rte_pktmbuf_alloc(m->pool);
	const void *from;
	char *to;

	if (h == NULL)
		return NULL;
	to = rte_pktmbuf_append(h, (uint16_t)len);
	from = rte_pktmbuf_read(m, 0, len, to);
	if (from != to)
		memcpy(to, from, len);
	h->ol_flags = frame_flags(m);
	h->tx_offload = m->tx_offload;
	h->vlan_tci = m->vlan_tci;
	h->hash = m->hash;
	return h;
}

int
cable_tso_cut(struct rte_mbuf *m, struct rte_mbuf **frames)
{
	const uint32_t n = cable_tso_frames(m);
	uint32_t left = m->pkt_len - header_len(m);
	uint32_t before = 0;
	struct cursor c = {.seg = m};

	cursor_skip(&c, header_len(m));
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t len = RTE_MIN(left, (uint32_t)m->tso_segsz);

		frames[i] = make_headers(m);
		if (frames[i] == NULL || append_payload(frames[i], &c, len) != 0) {
			rte_pktmbuf_free_bulk(frames, i + 1); /* NULL is allowed there */
			rte_pktmbuf_free(m);
			return -ENOMEM;
		}
		fix_headers(frames[i], i, before, len, i == n - 1);
		before += len;
		left -= len;
	}
	rte_pktmbuf_free(m);
	return 0;
}
