/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: sock_dgram_send -> raw_output -> ip_output */
#include "raw_priv.h"

#include <errno.h>

#include "weir_cksum.h"
#include "weir_ip_hdr.h"
#include "weir_mbuf.h"
#include "weir_shared.h"

static bool
is_usable_source(const struct weir_addr *laddr)
{
	return !weir_addr_is_any(laddr) && !weir_addr_is_multicast(laddr) &&
	       !weir_addr_is_broadcast(laddr);
}

/* m with its first n bytes writable: itself, or a copy. NULL: none to be had, m still there. */
static struct rte_mbuf *
own_front(struct weir_raw *r, struct rte_mbuf *m, uint16_t n)
{
	struct rte_mbuf *copy;

	if (weir_mbuf_is_writable(m, n))
		return m;
	copy = weir_mbuf_copy(r->core, m);
	if (copy == NULL)
		return NULL;
	if (copy->data_len < n) { /* beyond what one mbuf holds */
		rte_pktmbuf_free(copy);
		return NULL;
	}
	rte_pktmbuf_free(m);
	return copy;
}

/* raw(7): what the application left 0, and the lengths and checksum in any case. */
static void
complete_header4(struct weir_raw *r, struct rte_mbuf *m, const struct weir_dst *dst)
{
	struct weir_ip4_hdr *h = rte_pktmbuf_mtod(m, struct weir_ip4_hdr *);

	if (h->src.raw == 0)
		h->src = weir_addr_to_v4(&dst->src);
	if (h->id.raw == 0)
		h->id = weir_be16((uint16_t)weir_rand_u64(&r->core->rand));
	h->total_len = weir_be16((uint16_t)m->pkt_len);
}

/* Bytes of the header that m begins with; 0: none that could be sent. */
static uint16_t
header_len(const struct rte_mbuf *m, bool is_v4)
{
	uint8_t first;
	uint16_t len = WEIR_IP6_HLEN;

	if (weir_mbuf_read(m, 0, 1, &first) != 1)
		return 0;
	if (is_v4)
		len = (uint16_t)((first & 15) * 4);
	if (first >> 4 != (is_v4 ? 4 : 6) || len < (is_v4 ? WEIR_IP4_HLEN : WEIR_IP6_HLEN))
		return 0;
	return len <= m->pkt_len ? len : 0;
}

static int
send_with_own_header(
	struct weir_raw *r, struct rte_mbuf **m, const struct weir_dst *dst, bool is_v4)
{
	const uint16_t hlen = header_len(*m, is_v4);
	struct rte_mbuf *out;

	if (hlen == 0)
		return -EINVAL;
	if ((*m)->pkt_len > dst->mtu)
		return -EMSGSIZE;
	out = own_front(r, *m, hlen);
	if (out == NULL)
		return -ENOBUFS;
	*m = NULL;
	if (is_v4)
		complete_header4(r, out, dst);
	out->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	r->stats.tx_packets++;
	weir_ip_output_whole(r->ip, dst, out);
	return 0;
}

/* RFC 3542 3.1. The field's place is the application's choice: it may be in any segment. */
static int
fill_cksum(struct weir_raw *r, struct rte_mbuf **m, const struct weir_raw_opts *o,
	const struct weir_ip_hdr_info *h)
{
	const int32_t off = weir_peek(o->cksum_off);
	struct rte_mbuf *out;
	uint16_t sum = 0;

	if (off < 0)
		return 0;
	if ((uint32_t)off + sizeof(sum) > (*m)->pkt_len)
		return -EINVAL;
	out = own_front(r, *m, (uint16_t)((uint32_t)off + sizeof(sum)));
	if (out == NULL)
		return -ENOBUFS;
	*m = out;
	memcpy(rte_pktmbuf_mtod_offset(out, char *, off), &sum, sizeof(sum));
	sum = weir_cksum_l4(out, 0, out->pkt_len, h->src, h->dst, h->proto);
	if (sum == 0 && h->proto == IPPROTO_UDP)
		sum = UINT16_MAX;
	memcpy(rte_pktmbuf_mtod_offset(out, char *, off), &sum, sizeof(sum));
	return 0;
}

static int
send_behind_header(struct weir_raw *r, struct rte_mbuf **m, const struct weir_dst *dst,
	const struct weir_dgram *d, const struct weir_raw_opts *o)
{
	const bool is_v4 = weir_addr_is_v4(&d->raddr);
	const struct weir_ip_hdr_info h = {
		.src = is_usable_source(&d->laddr) ? &d->laddr : &dst->src,
		.dst = &d->raddr,
		.proto = !is_v4 && d->rport.raw != 0 ? (uint8_t)weir_host16(d->rport) : o->proto,
		.ttl = d->ttl == 0 && weir_addr_is_multicast(&d->raddr) ? 1 : d->ttl,
		.tos = d->tos,
		.is_looped = d->is_looped,
		.is_df = d->is_df,
		.may_fragment = !d->is_whole || d->is_path_ignored,
	};
	struct weir_dst own;
	const struct weir_dst *way = weir_dgram_way(d, dst, &own);
	int rc = weir_addr_is_v4(h.src) == is_v4 ? 0 : -ENETUNREACH;

	if (d->is_whole && !weir_dst_takes(way, (*m)->pkt_len, is_v4))
		return -EMSGSIZE;
	if (rc == 0 && !is_v4)
		rc = fill_cksum(r, m, o, &h);
	if (rc != 0)
		return rc;
	(*m)->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	(*m)->tx_offload = 0;
	r->stats.tx_packets++;
	weir_ip_output(r->ip, way, *m, &h);
	*m = NULL;
	return 0;
}

int
weir_raw_output(struct weir_raw *r, struct rte_mbuf *m, const struct weir_dgram *d,
	const struct weir_raw_opts *o)
{
	const bool is_v4 = weir_addr_is_v4(&d->raddr);
	const struct weir_dst *dst;
	int rc = -EMSGSIZE;

	if (m->pkt_len <= UINT16_MAX - (is_v4 && !weir_peek(o->is_hdrincl) ? WEIR_IP4_HLEN : 0))
		rc = weir_ip_way(r->ip, &d->raddr, d->ifindex, &dst);
	if (rc == 0 && weir_peek(o->is_hdrincl))
		rc = send_with_own_header(r, &m, dst, is_v4);
	else if (rc == 0)
		rc = send_behind_header(r, &m, dst, d, o);
	if (rc != 0)
		rte_pktmbuf_free(m);
	return rc;
}
