/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: port rx -> eth_input -> arp_input, ip4_input, ip6_input */
#include "weir_link.h"

#include <rte_prefetch.h>

#include "link_priv.h"
#include "weir_mem.h"

#define PREFETCH_AHEAD 4

/* The outermost header: addresses, EtherType behind a tag if there is one. */
struct frame {
	struct weir_mac dst;
	uint16_t type;
	uint16_t vlan; /* 0: none, or a priority tag */
	uint16_t hlen;
};

static bool
read_frame(const struct rte_mbuf *m, struct frame *f)
{
	uint8_t buf[WEIR_ETH_HLEN + WEIR_VLAN_HLEN];
	const struct weir_eth_hdr *eth = rte_pktmbuf_read(m, 0, WEIR_ETH_HLEN, buf);
	const struct weir_vlan_hdr *tag;

	if (unlikely(eth == NULL))
		return false;
	*f = (struct frame){.dst = eth->dst, .type = weir_host16(eth->type), .hlen = WEIR_ETH_HLEN};
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		f->vlan = m->vlan_tci & 0xfff;
		return true;
	}
	if (likely(f->type != WEIR_ETH_TYPE_VLAN))
		return true;
	tag = rte_pktmbuf_read(m, WEIR_ETH_HLEN, WEIR_VLAN_HLEN, buf);
	if (tag == NULL)
		return false;
	f->vlan = weir_host16(tag->tci) & 0xfff;
	f->type = weir_host16(tag->type);
	f->hlen += WEIR_VLAN_HLEN;
	return true;
}

/* Who the frame is for, as weir_pkt flags; false: another station. */
static bool
classify_dst(const struct weir_iface *ifc, const struct weir_mac *dst, uint8_t *flags)
{
	*flags = 0;
	if (likely(weir_mac_eq(dst, &ifc->mac)))
		return true;
	if (!weir_mac_is_group(dst))
		return false;
	*flags = weir_mac_is_broadcast(dst) ? WEIR_PKT_BROADCAST : WEIR_PKT_MULTICAST;
	return true;
}

/* Where a frame of this type goes on, or NULL. */
static struct weir_vec *
vec_of_type(uint16_t type, struct weir_vec *arp, struct weir_vec *ip4, struct weir_vec *ip6)
{
	switch (type) {
	case WEIR_ETH_TYPE_IP4:
		return ip4;
	case WEIR_ETH_TYPE_IP6:
		return ip6;
	case WEIR_ETH_TYPE_ARP:
		return arp;
	default:
		return NULL;
	}
}

static void
begin_packet(const struct weir_iface *ifc, struct rte_mbuf *m, const struct frame *f, uint8_t flags)
{
	struct weir_pkt *p = weir_pkt(m);

	weir_zero(p, sizeof(*p));
	p->rx_us = ifc->core->now_us;
	p->l3_type = f->type;
	p->ifindex = ifc->index;
	p->flags = flags;
	weir_mbuf_strip(m, f->hlen);
}

static void
input_one(struct weir_iface *ifc, struct rte_mbuf *m, struct weir_vec *arp, struct weir_vec *ip4,
	struct weir_vec *ip6)
{
	struct weir_core *core = ifc->core;
	struct weir_vec *next;
	struct frame f;
	uint8_t flags;

	if (unlikely(!read_frame(m, &f))) {
		weir_end(core, m, WEIR_FATE_drop_eth_short);
		return;
	}
	if (unlikely(!classify_dst(ifc, &f.dst, &flags))) {
		weir_end(core, m, WEIR_FATE_drop_eth_dst);
		return;
	}
	if (unlikely(f.vlan != ifc->vlan)) {
		weir_end(core, m, WEIR_FATE_drop_vlan);
		return;
	}
	next = vec_of_type(f.type, arp, ip4, ip6);
	if (unlikely(next == NULL)) {
		weir_end(core, m, WEIR_FATE_drop_eth_type);
		return;
	}
	if (unlikely(next->n == WEIR_VEC_MAX)) {
		weir_end(core, m, WEIR_FATE_drop_no_memory);
		return;
	}
	begin_packet(ifc, m, &f, flags);
	weir_vec_add(next, m);
}

void
weir_eth_input(struct weir_iface *ifc, struct weir_vec *v, struct weir_vec *arp,
	struct weir_vec *ip4, struct weir_vec *ip6)
{
	for (unsigned int i = 0; i < v->n && i < PREFETCH_AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(v->m[i], void *));
	for (unsigned int i = 0; i < v->n; i++) {
		if (i + PREFETCH_AHEAD < v->n)
			rte_prefetch0(rte_pktmbuf_mtod(v->m[i + PREFETCH_AHEAD], void *));
		input_one(ifc, v->m[i], arp, ip4, ip6);
	}
	v->n = 0;
}
