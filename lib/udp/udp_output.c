/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sock_dgram_send -> udp_output -> ip_output */
#include "udp_priv.h"

#include "weir_cksum.h"
#include "weir_ip_hdr.h"
#include "weir_mbuf.h"
#include "weir_udp_hdr.h"

/* Does a datagram of len bytes, header included, fit an IP packet of its version at all? */
static bool
is_sendable(const struct weir_addr *raddr, uint32_t len)
{
	return len <= UINT16_MAX - (weir_addr_is_v4(raddr) ? WEIR_IP4_HLEN : 0);
}

/* A source must be one host: a socket bound to a group sends from the route's address. */
static bool
is_usable_source(const struct weir_addr *laddr)
{
	return !weir_addr_is_any(laddr) && !weir_addr_is_multicast(laddr) &&
	       !weir_addr_is_broadcast(laddr);
}

/* A source of the other version could not be answered to. */
static int
choose_source(
	const struct weir_dst *dst, const struct weir_addr *laddr, struct weir_ip_hdr_info *info)
{
	info->src = is_usable_source(laddr) ? laddr : &dst->src;
	if (weir_addr_is_loopback(info->src) && !dst->is_local)
		return -EINVAL; /* it could not be answered */
	return weir_addr_is_v4(info->src) == weir_addr_is_v4(info->dst) ? 0 : -ENETUNREACH;
}

/*
 * RFC 768: a sum of zero is sent as all ones, its other form. A header at an odd address, behind it
 * a payload at one, is nothing that weir_ip_l4_cksum() could write to.
 */
static void
fill_cksum(const struct weir_dst *dst, struct rte_mbuf *m, const struct weir_ip_hdr_info *info,
	struct weir_udp_hdr *h)
{
	h->cksum.raw = 0;
	if (likely((uintptr_t)h % sizeof(uint16_t) == 0))
		weir_ip_l4_cksum(dst, m, info, &h->cksum.raw, sizeof(*h), 0);
	else
		h->cksum.raw = weir_cksum_l4(m, 0, m->pkt_len, info->src, info->dst, IPPROTO_UDP);
	if (h->cksum.raw == 0)
		h->cksum.raw = UINT16_MAX;
}

/* Put the header before the payload. @return the datagram, or NULL: no mbuf, m still there */
static struct rte_mbuf *
add_header(struct weir_udp *u, struct rte_mbuf *m, struct weir_be16 lport, struct weir_be16 rport)
{
	struct rte_mbuf *d = weir_mbuf_prepend(u->core, m, WEIR_UDP_HLEN);

	if (d == NULL)
		return NULL;
	/* A received packet may go out again: nothing of its way in is to be left. */
	d->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	d->tx_offload = 0;
	*rte_pktmbuf_mtod(d, struct weir_udp_hdr *) = (struct weir_udp_hdr){
		.src = lport, .dst = rport, .len = weir_be16((uint16_t)d->pkt_len)};
	return d;
}

int
weir_udp_output(struct weir_udp *u, struct rte_mbuf *m, const struct weir_dgram *d)
{
	struct weir_ip_hdr_info info = {.dst = &d->raddr,
		.proto = IPPROTO_UDP,
		.ttl = d->ttl,
		.tos = d->tos,
		.is_looped = d->is_looped,
		.is_df = d->is_df,
		.may_fragment = !d->is_whole || d->is_path_ignored};
	const struct weir_dst *dst;
	struct weir_dst here;
	struct rte_mbuf *out;
	int rc = -EMSGSIZE;

	if (!is_sendable(&d->raddr, m->pkt_len + WEIR_UDP_HLEN))
		goto refused;
	rc = weir_ip_way(u->ip, &d->raddr, d->ifindex, &dst);
	if (rc == 0)
		rc = choose_source(dst, &d->laddr, &info);
	if (rc == 0)
		dst = weir_dgram_way(d, dst, &here);
	if (rc == 0 && d->is_whole &&
		!weir_dst_takes(dst, m->pkt_len + WEIR_UDP_HLEN, weir_addr_is_v4(&d->raddr)))
		rc = -EMSGSIZE;
	if (rc < 0)
		goto refused;
	rc = -ENOBUFS;
	out = add_header(u, m, d->lport, d->rport);
	if (out == NULL)
		goto refused;
	if (d->ttl == 0 && weir_addr_is_multicast(&d->raddr))
		info.ttl = 1; /* RFC 1112 6.1 */
	if (likely(!d->no_cksum))
		fill_cksum(dst, out, &info, rte_pktmbuf_mtod(out, struct weir_udp_hdr *));
	u->stats.tx_datagrams++;
	weir_ip_output(u->ip, dst, out, &info);
	return 0;

refused:
	rte_pktmbuf_free(m);
	return rc;
}
