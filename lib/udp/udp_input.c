/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip4_input, ip6_input -> udp_input -> (ready list) -> sock_publish */
#include "udp_priv.h"

#include "weir_cksum.h"
#include "weir_mbuf.h"
#include "weir_shared.h"
#include "weir_udp_hdr.h"

/* RFC 768: no checksum is a zero; RFC 8200 8.1: not over IPv6. */
static bool
is_cksum_ok(const struct rte_mbuf *m, const struct weir_pkt *p, const struct weir_udp_hdr *h)
{
	if (h->cksum.raw == 0)
		return weir_addr_is_v4(&p->flow.laddr);
	if (p->flags & (WEIR_PKT_L4_CKSUM_OK | WEIR_PKT_L4_CKSUM_BAD))
		return !(p->flags & WEIR_PKT_L4_CKSUM_BAD);
	return weir_cksum_l4_ok(
		m, p->l4_off, p->l4_len, &p->flow.raddr, &p->flow.laddr, IPPROTO_UDP);
}

/* RFC 6935 5: over IPv6 only a socket that has said so takes datagrams without a checksum. */
static bool
may_lack_cksum(const struct weir_udp *u, const struct weir_pkt *p)
{
	const struct weir_pcb *pcb;

	if (p->flags & (WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST))
		return false;
	pcb = udp_best_match(u, &p->flow, p->ifindex);
	return pcb != NULL && pcb->opts != NULL && weir_peek(pcb->opts->no_cksum6_rx);
}

/*
 * Read and check the header; the ports and the datagram's own length go to weir_pkt.
 * @return udp_taken, or why not
 */
static enum weir_fate
check_header(const struct weir_udp *u, const struct rte_mbuf *m, struct weir_pkt *p)
{
	const struct weir_udp_hdr *h;
	struct weir_udp_hdr bytes;

	if (unlikely(p->l4_len < WEIR_UDP_HLEN))
		return WEIR_FATE_drop_udp_short;
	h = rte_pktmbuf_read(m, p->l4_off, sizeof(bytes), &bytes);
	if (unlikely(h == NULL || weir_host16(h->len) < WEIR_UDP_HLEN ||
		     weir_host16(h->len) > p->l4_len))
		return WEIR_FATE_drop_udp_short;
	p->l4_len = weir_host16(h->len); /* what lies behind is not part of it */
	weir_flow_take_ports(&p->flow, h);
	if (unlikely(!is_cksum_ok(m, p, h)) && (h->cksum.raw != 0 || !may_lack_cksum(u, p)))
		return WEIR_FATE_drop_udp_cksum;
	return WEIR_FATE_udp_taken;
}

/* Leave the payload alone in m. */
static void
strip_headers(struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(m);
	const uint32_t end = (uint32_t)p->l4_off + p->l4_len;

	if (m->pkt_len > end)
		weir_mbuf_trim(m, end);
	weir_mbuf_strip(m, (uint32_t)p->l4_off + WEIR_UDP_HLEN);
}

static void
give(struct weir_udp *u, struct weir_pcb *pcb, struct rte_mbuf *m, struct weir_ready *ready)
{
	weir_pktq_add(&pcb->rx, m);
	weir_ready_add(ready, &pcb->ready, WEIR_READY_READ);
	u->stats.rx_datagrams++;
}

/* One more mbuf for the same bytes: a packet waits in one queue only. */
static void
give_copy(struct weir_udp *u, struct weir_pcb *pcb, struct rte_mbuf *m, struct weir_ready *ready)
{
	struct rte_mbuf *copy = rte_pktmbuf_clone(m, u->core->pool);

	if (copy == NULL) {
		u->core->mbuf_fail++;
		return;
	}
	*weir_pkt(copy) = *weir_pkt(m);
	give(u, pcb, copy, ready);
}

static void
refuse(struct weir_udp *u, struct rte_mbuf *m)
{
	u->stats.rx_no_port++;
	weir_icmp_unreach(u->ip, m, WEIR_UNREACH_PORT);
	weir_end(u->core, m, WEIR_FATE_drop_udp_no_port);
}

static void
deliver_to_best(struct weir_udp *u, struct rte_mbuf *m, struct weir_ready *ready)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_pcb *pcb = udp_best_match(u, &p->flow, p->ifindex);

	if (pcb == NULL) {
		refuse(u, m);
		return;
	}
	strip_headers(m);
	u->core->fates[WEIR_FATE_udp_taken]++;
	give(u, pcb, m, ready);
}

/* RFC 1122 4.1.3.5: multicast and broadcast go to every binding that fits. */
static void
deliver_to_all(struct weir_udp *u, struct rte_mbuf *m, struct weir_ready *ready)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_pcb *next;
	struct weir_pcb *pcb = udp_first_match(u, &p->flow, p->ifindex);

	if (pcb == NULL) {
		refuse(u, m);
		return;
	}
	strip_headers(m);
	u->core->fates[WEIR_FATE_udp_taken]++;
	while ((next = udp_next_match(u, pcb, &p->flow, p->ifindex)) != NULL) {
		give_copy(u, pcb, m, ready);
		pcb = next;
	}
	give(u, pcb, m, ready);
}

static void
input_one(struct weir_udp *u, struct rte_mbuf *m, struct weir_ready *ready)
{
	struct weir_pkt *p = weir_pkt(m);
	const enum weir_fate fate = check_header(u, m, p);

	if (unlikely(fate != WEIR_FATE_udp_taken))
		weir_end(u->core, m, fate);
	else if (unlikely(p->flags & (WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST)))
		deliver_to_all(u, m, ready);
	else
		deliver_to_best(u, m, ready);
}

/*
 * RFC 1122 4.1.3.3: tell the binding that sent the quoted packet. As in Linux, only a connected
 * one, for another could not say which of its datagrams is meant, and hard errors only; or one that
 * has asked for all (IP_RECVERR).
 */
static void
take_error(struct weir_udp *u, const struct weir_icmp_error *e, struct weir_ready *ready)
{
	struct weir_pcb *pcb = udp_best_match(u, &e->flow, weir_pkt(e->m)->ifindex);

	if (pcb == NULL || !weir_dgram_take_error(
				   u->ip, pcb, e, udp_is_connected(pcb), e->l4_at + WEIR_UDP_HLEN))
		return;
	weir_ready_add(ready, &pcb->ready, WEIR_READY_ERROR);
	u->stats.rx_errors++;
}

void
weir_udp_input(struct weir_udp *u, struct weir_vec *v, struct weir_ready *ready)
{
	for (unsigned int i = 0; i < v->n; i++)
		input_one(u, v->m[i], ready);
	v->n = 0;
	for (unsigned int i = 0; i < u->ip->n_errors; i++) {
		if (u->ip->errors[i].proto == IPPROTO_UDP)
			take_error(u, &u->ip->errors[i], ready);
	}
}
