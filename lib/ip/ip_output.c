/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: udp, tcp, icmp -> ip_output -> eth_output, or core->loop for our own addresses. */
#include "weir_ip.h"

#include "ip_priv.h"
#include "weir_cksum.h"
#include "weir_eth_known.h"

#define IP_LEN_MAX 65535
#define FRAG_ALIGN 8
#define TX_L4_FLAGS                                                               \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IP_CKSUM | \
		RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6)

/* Headers */

/* RFC 6864: the identification matters only where fragments may be made. Workers take turns. */
static uint16_t
next_ip4_id(struct weir_ip *ip)
{
	ip->ip4_id++;
	return (uint16_t)(ip->ip4_id * ip->core->n_workers + ip->core->worker);
}

static uint8_t
hop_limit(const struct weir_ip *ip, const struct weir_dst *dst, const struct weir_ip_hdr_info *h)
{
	if (h->ttl != 0)
		return h->ttl;
	if (!weir_addr_is_v4(h->dst) && dst->ifc->hop_limit != 0)
		return dst->ifc->hop_limit;
	return ip->ttl;
}

/* hdr: where it is to be, in m; len: of the packet, header included */
static inline void
write4(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, struct weir_ip4_hdr *hdr, uint16_t len, uint16_t id,
	uint16_t frag)
{
	weir_ip4_build(hdr, &(struct weir_ip4){.src = weir_addr_to_v4(h->src),
				    .dst = weir_addr_to_v4(h->dst),
				    .total_len = len,
				    .id = id,
				    .frag = frag,
				    .proto = h->proto,
				    .ttl = hop_limit(ip, dst, h),
				    .tos = h->tos});
	m->l3_len = WEIR_IP4_HLEN;
	/* The port makes many headers of this one; virtio, without the offload, sums them anew. */
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) && (dst->ifc->caps & WEIR_PORT_TX_IP4_CKSUM)) {
		hdr->cksum = 0;
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	}
}

/* len: of what is behind the header */
static inline void
write6(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, void *hdr, uint16_t len, uint8_t next)
{
	weir_ip6_build(hdr, &(struct weir_ip6){.src = *h->src,
				    .dst = *h->dst,
				    .payload_len = len,
				    .next = next,
				    .hop_limit = hop_limit(ip, dst, h),
				    .tclass = h->tos});
	m->l3_len = WEIR_IP6_HLEN;
}

/* The same for m that has the room already. */

static void
build4(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, uint16_t id, uint16_t frag)
{
	write4(ip, dst, m, h, rte_pktmbuf_mtod(m, void *), (uint16_t)m->pkt_len, id, frag);
}

static void
build6(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, uint8_t next)
{
	write6(ip, dst, m, h, rte_pktmbuf_mtod(m, void *), (uint16_t)(m->pkt_len - WEIR_IP6_HLEN),
		next);
}

static inline bool
is_whole_only(const struct weir_ip_hdr_info *h)
{
	return h->is_df || !h->may_fragment;
}

/* A packet ends before it reached the link: it was made, too. */
static void
end_here(struct weir_ip *ip, struct rte_mbuf *m, enum weir_tx_fate fate)
{
	ip->core->tx_made++;
	weir_tx_end(ip->core, m, fate);
}

/* Fragments */

/* Bytes off..off+len of m as a packet with hlen bytes of room in front. */
static struct rte_mbuf *
copy_part(struct weir_ip *ip, const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t hlen)
{
	struct rte_mbuf *part = rte_pktmbuf_copy(m, ip->core->pool, off, len);
	struct rte_mbuf *whole;

	if (part == NULL) {
		ip->core->mbuf_fail++;
		return NULL;
	}
	part->ol_flags &= ~TX_L4_FLAGS;
	part->tx_offload = 0;
	whole = weir_mbuf_prepend(ip->core, part, hlen);
	if (whole == NULL)
		rte_pktmbuf_free(part);
	return whole;
}

static void
build_frag(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, const struct weir_ip6_frag *f)
{
	if (weir_addr_is_v4(h->dst)) {
		build4(ip, dst, m, h, (uint16_t)f->id,
			(uint16_t)(f->offset / FRAG_ALIGN | (f->more ? WEIR_IP4_MF : 0)));
		return;
	}
	build6(ip, dst, m, h, WEIR_IP6_NH_FRAGMENT);
	weir_ip6_frag_build(rte_pktmbuf_mtod_offset(m, uint8_t *, WEIR_IP6_HLEN), f);
	m->l3_len = WEIR_IP6_HLEN + WEIR_IP6_FRAG_HLEN;
}

/* Send m in parts that fit the path (RFC 791 3.2, RFC 8200 4.5). m ends: its parts count. */
static void
send_frags(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h)
{
	const bool is_v4 = weir_addr_is_v4(h->dst);
	const uint16_t hlen = is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN + WEIR_IP6_FRAG_HLEN;
	const uint32_t part_max = (dst->mtu - hlen) & ~(FRAG_ALIGN - 1u);
	struct weir_ip6_frag f = {.next = h->proto};
	struct rte_mbuf *part;
	uint32_t len;

	f.id = is_v4 ? next_ip4_id(ip) : (uint32_t)weir_rand_u64(&ip->core->rand);
	for (uint32_t off = 0; off < m->pkt_len; off += len) {
		len = RTE_MIN(part_max, m->pkt_len - off);
		f.offset = (uint16_t)off;
		f.more = off + len < m->pkt_len;
		part = copy_part(ip, m, off, len, hlen);
		if (part == NULL) { /* the rest would be of no use */
			end_here(ip, m, WEIR_TX_drop_tx_no_mbuf);
			return;
		}
		build_frag(ip, dst, part, h, &f);
		ip->stats.frags_sent++;
		weir_eth_output(dst->ifc, part, &dst->next_hop);
	}
	rte_pktmbuf_free(m);
}

/* Local delivery */

/* May the receiving side change the mbuf structs of this chain? */
static bool
is_exclusive(const struct rte_mbuf *m)
{
	for (; m != NULL; m = m->next) {
		if (rte_mbuf_refcnt_read(m) != 1)
			return false;
	}
	return true;
}

static void
loop_back(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m, uint16_t l3_type)
{
	struct weir_core *core = ip->core;
	struct rte_mbuf *own;

	if (core->loop.n >= WEIR_LOOP_MAX) {
		end_here(ip, m, WEIR_TX_drop_port_full);
		return;
	}
	if (!is_exclusive(m)) {
		own = weir_mbuf_copy(core, m);
		if (own == NULL) {
			end_here(ip, m, WEIR_TX_drop_tx_no_mbuf);
			return;
		}
		rte_pktmbuf_free(m);
		m = own;
	}
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	*weir_pkt(m) = (struct weir_pkt){
		.rx_us = core->now_us,
		.l3_type = l3_type,
		.ifindex = dst->ifc->index,
		.flags = WEIR_PKT_LOOPED | WEIR_PKT_L4_CKSUM_OK,
	};
	core->tx_made++;
	core->tx_fates[WEIR_TX_looped]++;
	weir_pktq_add(&core->loop, m);
}

/* Output */

static bool
may_leave(const struct weir_dst *dst, const struct weir_ip_hdr_info *h)
{
	return dst->ifc != NULL && (dst->is_local || !weir_addr_is_loopback(h->src));
}

/* Does a packet of len bytes, IP header included, need to be split or refused? */
static bool
is_too_big(const struct weir_dst *dst, const struct rte_mbuf *m, uint32_t len)
{
	return len > dst->mtu && !dst->is_local && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
}

/* m with its IP header. NULL: the pool is dry, m has ended */
static struct rte_mbuf *
add_header(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, bool is_v4)
{
	const bool is_df = is_whole_only(h);
	struct rte_mbuf *out =
		weir_mbuf_prepend(ip->core, m, is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN);

	if (unlikely(out == NULL))
		end_here(ip, m, WEIR_TX_drop_tx_no_mbuf);
	else if (is_v4)
		build4(ip, dst, out, h, is_df ? 0 : next_ip4_id(ip), is_df ? WEIR_IP4_DF : 0);
	else
		build6(ip, dst, out, h, h->proto);
	return out;
}

static void
send_whole(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h)
{
	const bool is_v4 = weir_addr_is_v4(h->dst);

	m = add_header(ip, dst, m, h, is_v4);
	if (unlikely(m == NULL))
		return;
	if (unlikely(dst->is_local))
		loop_back(ip, dst, m, is_v4 ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6);
	else
		weir_eth_output(dst->ifc, m, &dst->next_hop);
}

/* To another host, in one piece: both headers at once, if that one's address is known. */
static inline void
send_plain(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, bool is_v4)
{
	const uint16_t len = (uint16_t)m->pkt_len;
	void *hdr = weir_eth_output_known(dst->ifc, m, &dst->next_hop,
		is_v4 ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6,
		is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN);

	if (unlikely(hdr == NULL))
		send_whole(ip, dst, m, h);
	else if (!is_v4)
		write6(ip, dst, m, h, hdr, len, h->proto);
	else if (is_whole_only(h))
		write4(ip, dst, m, h, hdr, len + WEIR_IP4_HLEN, 0, WEIR_IP4_DF);
	else
		write4(ip, dst, m, h, hdr, len + WEIR_IP4_HLEN, next_ip4_id(ip), 0);
}

/* A copy to members of the group, or all, on this host. It is the packet that was made. */
static void
loop_copy(struct weir_ip *ip, const struct weir_dst *dst, const struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h)
{
	const bool is_v4 = weir_addr_is_v4(h->dst);
	struct rte_mbuf *copy = weir_mbuf_copy(ip->core, m);

	if (copy == NULL)
		return;
	copy->ol_flags &= ~TX_L4_FLAGS;
	if (rte_pktmbuf_prepend(copy, is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN) == NULL) {
		rte_pktmbuf_free(copy);
		return;
	}
	if (is_v4)
		build4(ip, dst, copy, h, 0, WEIR_IP4_DF);
	else
		build6(ip, dst, copy, h, h->proto);
	loop_back(ip, dst, copy, is_v4 ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6);
}

/* In one piece or in several, or not at all. */
static void
send_sized(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h)
{
	const bool is_v4 = weir_addr_is_v4(h->dst);

	if (likely(!is_too_big(dst, m, m->pkt_len + (is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN))))
		send_whole(ip, dst, m, h);
	else if (h->may_fragment)
		send_frags(ip, dst, m, h);
	else
		end_here(ip, m, WEIR_TX_drop_too_big);
}

static void
send_and_loop(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h)
{
	loop_copy(ip, dst, m, h);
	send_sized(ip, dst, m, h);
}

static void
send_other(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h, uint32_t len)
{
	if (unlikely(!may_leave(dst, h)))
		end_here(ip, m, WEIR_TX_drop_no_route);
	else if (unlikely(len > IP_LEN_MAX))
		end_here(ip, m, WEIR_TX_drop_too_big);
	else if (unlikely(h->is_looped || dst->is_broadcast) && !dst->is_local)
		send_and_loop(ip, dst, m, h);
	else
		send_sized(ip, dst, m, h);
}

/* All checks that most packets pass, at once. IPv6's header is not part of its length. */
static inline bool
is_plain(const struct weir_dst *dst, const struct rte_mbuf *m, const struct weir_ip_hdr_info *h,
	uint32_t len, bool is_v4)
{
	const uint32_t max = is_v4 ? dst->mtu : dst->mtu - WEIR_IP6_HLEN;

	return dst->ifc != NULL && !(dst->is_local | dst->is_broadcast | h->is_looped) &&
	       (len <= max || ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) && len <= IP_LEN_MAX)) &&
	       !weir_addr_is_loopback(h->src);
}

void
weir_ip_output(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *h)
{
	const bool is_v4 = weir_addr_is_v4(h->dst);
	const uint32_t len = m->pkt_len + (is_v4 ? WEIR_IP4_HLEN : 0u); /* IPv6 counts without */

	if (is_v4)
		ip->stats.tx_ip4++;
	else
		ip->stats.tx_ip6++;
	if (likely(is_plain(dst, m, h, len, is_v4)))
		send_plain(ip, dst, m, h, is_v4);
	else
		send_other(ip, dst, m, h, len);
}

void
weir_ip_output_whole(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m)
{
	struct weir_ip4_hdr *h = rte_pktmbuf_mtod(m, struct weir_ip4_hdr *);
	const bool is_v4 = h->version_ihl >> 4 == 4;

	if (is_v4) {
		h->cksum = 0;
		h->cksum = (uint16_t)~weir_cksum_mbuf(m, 0, (h->version_ihl & 15) * 4u);
		ip->stats.tx_ip4++;
	} else {
		ip->stats.tx_ip6++;
	}
	m->ol_flags &= ~TX_L4_FLAGS;
	m->tx_offload = 0;
	m->l3_len = is_v4 ? (h->version_ihl & 15) * 4u : WEIR_IP6_HLEN;
	if (unlikely(dst->is_local))
		loop_back(ip, dst, m, is_v4 ? WEIR_ETH_TYPE_IP4 : WEIR_ETH_TYPE_IP6);
	else
		weir_eth_output(dst->ifc, m, &dst->next_hop);
}

/* Transport checksums */

/* What the port is asked for, of a transport protocol; 0: it has nothing for it. */
static uint64_t
offload_flag(const struct weir_dst *dst, uint8_t proto)
{
	if (proto == IPPROTO_TCP)
		return dst->ifc->caps & WEIR_PORT_TX_TCP_CKSUM ? RTE_MBUF_F_TX_TCP_CKSUM : 0;
	if (proto == IPPROTO_UDP)
		return dst->ifc->caps & WEIR_PORT_TX_UDP_CKSUM ? RTE_MBUF_F_TX_UDP_CKSUM : 0;
	return 0;
}

static uint16_t
software_cksum(
	const struct weir_dst *dst, const struct rte_mbuf *m, const struct weir_ip_hdr_info *h)
{
	const uint32_t len = m->pkt_len;
	uint16_t sum;

	if (dst->is_local) /* memory does not corrupt it: nobody will look */
		return weir_cksum_pseudo(h->src, h->dst, h->proto, len);
	sum = weir_cksum_l4(m, 0, len, h->src, h->dst, h->proto);
	return sum == 0 && h->proto == IPPROTO_UDP ? 0xffff : sum; /* RFC 768: 0 would mean none */
}

/* The port finishes the checksum, but not of packets that are split here or never reach it. */
void
weir_ip_l4_cksum(const struct weir_dst *dst, struct rte_mbuf *m, const struct weir_ip_hdr_info *h,
	uint16_t *field, uint16_t l4_hlen, uint16_t tso_segsz)
{
	const bool is_v4 = weir_addr_is_v4(h->dst);
	const uint32_t len = m->pkt_len;
	const uint32_t max = dst->mtu - (is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN);
	uint64_t flags = dst->is_local ? 0 : offload_flag(dst, h->proto);

	m->ol_flags &= ~TX_L4_FLAGS;
	m->tx_offload = 0;
	if (unlikely(flags == 0 || (len > max && tso_segsz == 0))) {
		*field = 0;
		*field = software_cksum(dst, m, h);
		return;
	}
	m->l4_len = l4_hlen;
	flags |= is_v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	if (unlikely(tso_segsz != 0)) {
		m->tso_segsz = tso_segsz;
		flags |= RTE_MBUF_F_TX_TCP_SEG;
	}
	m->ol_flags |= flags;
	*field = weir_cksum_pseudo(h->src, h->dst, h->proto, tso_segsz != 0 ? 0 : len);
}
