/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: eth_input -> ip4_input -> udp, tcp, raw, icmp4. RFC 791, RFC 1122 3.2. */
#include "weir_ip.h"

#include "ip_priv.h"

/* Has the port checked the header, or must we? */
static bool
is_cksum_ok(const struct weir_ip *ip, struct rte_mbuf *m, const void *header, size_t hlen)
{
	const struct weir_pkt *p = weir_pkt(m);

	if (p->flags & WEIR_PKT_LOOPED)
		return true;
	if (ip_iface_of(ip, p)->caps & WEIR_PORT_RX_IP4_CKSUM &&
		(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		return true;
	return weir_ip4_cksum_ok(header, hlen);
}

/* The header as values in h; GO_ON when it is right. */
static enum weir_fate
read_header(const struct weir_ip *ip, struct rte_mbuf *m, struct weir_ip4 *h)
{
	uint8_t buf[WEIR_IP4_HLEN_MAX];
	const uint8_t *bytes = rte_pktmbuf_read(m, 0, WEIR_IP4_HLEN, buf);
	enum weir_fate fate;

	if (unlikely(bytes == NULL))
		return WEIR_FATE_drop_ip_short;
	fate = ip_fate_of(weir_ip4_parse(bytes, WEIR_IP4_HLEN, m->pkt_len, h));
	if (unlikely(fate != GO_ON))
		return fate;
	if (unlikely(h->hlen > WEIR_IP4_HLEN))
		bytes = rte_pktmbuf_read(m, 0, h->hlen, buf); /* hlen <= total_len <= pkt_len */
	if (unlikely(!is_cksum_ok(ip, m, bytes, h->hlen)))
		return WEIR_FATE_drop_ip_cksum;
	if (unlikely(!weir_ip4_options_ok(bytes + WEIR_IP4_HLEN, h->hlen - WEIR_IP4_HLEN)))
		return WEIR_FATE_drop_ip_options;
	return GO_ON;
}

/* 0.0.0.0/8: "this network" (RFC 1122 3.2.1.3 (b)). */
static bool
is_zeronet(const struct weir_addr *a)
{
	return a->b[12] == 0;
}

/* Neither of a special class (0/8, 127/8, 224/3) nor like one of our addresses and broadcasts. */
static inline bool
is_plain_source(const struct weir_ip *ip, const struct weir_addr *src)
{
	const uint8_t first = src->b[12];

	return first != 0 && first != 127 && first < 224 && !ip_may_be_own(ip, src);
}

/* RFC 1122 3.2.1.3: may this address be a source? */
static bool
is_martian_source(const struct weir_ip *ip, const struct weir_pkt *p)
{
	const struct weir_addr *src = &p->flow.raddr;

	if (likely(is_plain_source(ip, src)))
		return false;
	if (weir_addr_is_multicast(src) || ip_is_broadcast(ip, src))
		return true;
	if (is_zeronet(src)) /* a station without an address may only ask everybody */
		return !weir_addr_is_any(src) || !weir_addr_is_broadcast(&p->flow.laddr);
	if (p->flags & WEIR_PKT_LOOPED)
		return false;
	/* From outside, neither loopback nor one of our own addresses. */
	return weir_ip_is_local(ip, src, NULL);
}

/* Is the packet for us? Notes in weir_pkt.flags when it is for a group. */
static enum weir_fate
check_destination(const struct weir_ip *ip, struct weir_pkt *p)
{
	const struct weir_addr *dst = &p->flow.laddr;

	if (unlikely(dst->b[12] == 127) && !(p->flags & WEIR_PKT_LOOPED))
		return WEIR_FATE_drop_ip_martian_dst;
	if (likely(ip_is_ours(ip, p)))
		return GO_ON;
	if (is_zeronet(dst))
		return WEIR_FATE_drop_ip_martian_dst;
	if (ip_is_broadcast(ip, dst)) {
		p->flags |= WEIR_PKT_BROADCAST;
		return GO_ON;
	}
	if (!weir_addr_is_multicast(dst) || !weir_iface_has_group(ip_iface_of(ip, p), dst))
		return WEIR_FATE_drop_ip_not_ours;
	p->flags |= WEIR_PKT_MULTICAST;
	return GO_ON;
}

static void
note_header(struct weir_pkt *p, const struct weir_ip4 *h)
{
	p->flow.raddr = weir_addr_v4(h->src);
	p->flow.laddr = weir_addr_v4(h->dst);
	p->l3_off = 0;
	p->l4_off = h->hlen;
	p->l4_len = h->total_len - h->hlen;
	p->proto = h->proto;
	p->ttl = h->ttl;
	p->tos = h->tos;
}

static enum weir_fate
check(const struct weir_ip *ip, struct rte_mbuf *m, struct weir_ip4 *h)
{
	struct weir_pkt *p = weir_pkt(m);
	const enum weir_fate fate = read_header(ip, m, h);

	if (unlikely(fate != GO_ON))
		return fate;
	note_header(p, h);
	if (unlikely(is_martian_source(ip, p)))
		return WEIR_FATE_drop_ip_martian_src;
	return check_destination(ip, p);
}

static void
input_one(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_sinks *to)
{
	struct weir_ip4 h;
	enum weir_fate fate;

	ip->stats.rx_ip4++;
	if (weir_pkt(m)->flags & WEIR_PKT_STEERED) {
		ip_deliver(ip, m, to);
		return;
	}
	fate = check(ip, m, &h);
	if (unlikely(fate != GO_ON)) {
		weir_end(ip->core, m, fate);
		return;
	}
	if (m->pkt_len > h.total_len)
		weir_mbuf_trim(m, h.total_len);
	ip_note_l4_cksum(ip, m);
	if (unlikely(h.frag & (WEIR_IP4_MF | WEIR_IP4_FRAG_MASK))) {
		m = reass_add(ip, m,
			&(struct ip_frag){.id = h.id,
				.off = (h.frag & WEIR_IP4_FRAG_MASK) * 8u,
				.proto = h.proto,
				.more = h.frag & WEIR_IP4_MF});
		if (m == NULL)
			return;
	}
	ip_deliver(ip, m, to);
}

void
weir_ip4_input(struct weir_ip *ip, struct weir_vec *v, struct weir_vec *udp, struct weir_vec *tcp,
	struct weir_vec *raw)
{
	const struct ip_sinks to = {udp, tcp, raw};

	ip_note_own(ip);
	for (unsigned int i = 0; i < v->n; i++)
		input_one(ip, v->m[i], &to);
	v->n = 0;
}
