/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip4_input, ip6_input -> ip_deliver -> udp, tcp, raw, icmp; and set-up. */
#include "weir_ip.h"

#include <rte_malloc.h>

#include "mcast_priv.h"

#define TTL_DEFAULT	  64
#define ICMP_ERRORS_PER_S 1000
#define ICMP_ERRORS_BURST 50
#define ICMP_ECHO_PER_S	  100000
#define ICMP_ECHO_BURST	  10000

int
weir_ip_init(struct weir_ip *ip, struct weir_core *core, const struct weir_ip_conf *conf)
{
	const uint32_t errors_per_s =
		conf->icmp_errors_per_s != 0 ? conf->icmp_errors_per_s : ICMP_ERRORS_PER_S;
	int rc;

	if (conf->n_ifaces == 0 || conf->n_ifaces > WEIR_IFACES_MAX)
		return -EINVAL;
	memset(ip, 0, sizeof(*ip));
	ip->core = core;
	ip->ifaces = conf->ifaces;
	ip->n_ifaces = conf->n_ifaces;
	ip->steer = conf->steer;
	ip->pmtu = conf->pmtu;
	ip->is_steering = conf->is_steering && conf->steer != NULL;
	ip->ttl = TTL_DEFAULT;
	ip->own_changes = UINT64_MAX; /* never looked */
	ip->ip4_id = (uint32_t)weir_rand_u64(&core->rand);
	icmp_bucket_init(&ip->icmp_errors, errors_per_s, ICMP_ERRORS_BURST, core->now_us);
	icmp_bucket_init(&ip->icmp_echo, ICMP_ECHO_PER_S, ICMP_ECHO_BURST, core->now_us);
	weir_wheel_entry_init(&ip->timer, WEIR_TIMER_IP);
	rc = route_init(ip, conf->numa_node);
	if (rc != 0)
		return rc;
	rc = reass_init(ip, conf->numa_node);
	if (rc == 0)
		rc = mcast_init(ip, conf->numa_node);
	if (rc != 0) {
		reass_fini(ip);
		route_fini(ip);
	}
	return rc;
}

void
weir_ip_fini(struct weir_ip *ip)
{
	weir_ip_errors_done(ip);
	weir_wheel_cancel(ip->core->wheel, &ip->timer);
	mcast_fini(ip);
	reass_fini(ip);
	route_fini(ip);
}

static struct weir_iface *
iface_at(struct weir_ip *ip, int ifindex)
{
	const unsigned int i = ifindex < 0 ? 0 : (unsigned int)ifindex;

	return i < ip->n_ifaces ? &ip->ifaces[i] : NULL;
}

int
weir_ip_join(struct weir_ip *ip, const struct weir_addr *group, int ifindex)
{
	struct weir_iface *ifc = iface_at(ip, ifindex);

	return ifc != NULL ? weir_iface_join(ifc, group) : -ENODEV;
}

int
weir_ip_leave(struct weir_ip *ip, const struct weir_addr *group, int ifindex)
{
	struct weir_iface *ifc = iface_at(ip, ifindex);

	return ifc != NULL ? weir_iface_leave(ifc, group) : -ENODEV;
}

/* Whose addresses */

static const struct weir_ifaddr *
usable_addr(const struct weir_iface *ifc, const struct weir_addr *addr)
{
	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		if (weir_addr_eq(&ifc->addrs[i].addr, addr))
			return weir_ifaddr_is_usable(&ifc->addrs[i]) ? &ifc->addrs[i] : NULL;
	}
	return NULL;
}

bool
weir_ip_is_local(const struct weir_ip *ip, const struct weir_addr *addr, unsigned int *ifindex)
{
	const bool is_loopback = weir_addr_is_loopback(addr);

	for (unsigned int i = 0; i < ip->n_ifaces; i++) {
		if (!is_loopback && usable_addr(&ip->ifaces[i], addr) == NULL)
			continue;
		if (ifindex != NULL)
			*ifindex = i;
		return true;
	}
	return false;
}

bool
weir_ip_is_local_on(
	const struct weir_ip *ip, const struct weir_addr *addr, int ifindex, unsigned int *own)
{
	if (likely(ifindex < 0 || !weir_addr_is_link_local(addr)))
		return weir_ip_is_local(ip, addr, own);
	if (own != NULL)
		*own = (unsigned int)ifindex;
	return ifindex < (int)ip->n_ifaces && usable_addr(&ip->ifaces[ifindex], addr) != NULL;
}

bool
ip_is_ours(const struct weir_ip *ip, const struct weir_pkt *p)
{
	const struct weir_addr *dst = &p->flow.laddr;

	if (likely(usable_addr(ip_iface_of(ip, p), dst) != NULL))
		return true;
	if (weir_addr_is_link_local(dst) && !(p->flags & WEIR_PKT_LOOPED))
		return false;
	return weir_ip_is_local(ip, dst, NULL);
}

bool
ip_is_broadcast(const struct weir_ip *ip, const struct weir_addr *a)
{
	if (weir_addr_is_broadcast(a))
		return true;
	for (unsigned int i = 0; i < ip->n_ifaces; i++) {
		if (weir_iface_is_directed_broadcast(&ip->ifaces[i], a))
			return true;
	}
	return false;
}

/* Each address, and the last one of its network, which of IPv4 is the broadcast. */
static uint64_t
own_bits_of(const struct weir_iface *ifc)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < ifc->n_addrs; i++) {
		const unsigned int host_bits = RTE_MIN(128u - ifc->addrs[i].prefix_len, 8u);
		struct weir_addr last = ifc->addrs[i].addr;

		bits |= ip_own_bit(&last);
		last.b[15] |= (uint8_t)((1u << host_bits) - 1);
		bits |= ip_own_bit(&last);
	}
	return bits;
}

void
ip_note_own(struct weir_ip *ip)
{
	const uint64_t changes = weir_ip_iface_changes(ip);

	if (likely(changes == ip->own_changes))
		return;
	ip->own_changes = changes;
	ip->own_bits = 0;
	for (unsigned int i = 0; i < ip->n_ifaces; i++)
		ip->own_bits |= own_bits_of(&ip->ifaces[i]);
}

/* Input, both versions */

void
ip_note_l4_cksum(const struct weir_ip *ip, struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(m);
	const uint64_t said = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	if (p->flags & WEIR_PKT_LOOPED || !(ip_iface_of(ip, p)->caps & WEIR_PORT_RX_L4_CKSUM))
		return;
	/* NONE: the field was never filled in, but the data is known to be good. */
	if (said == RTE_MBUF_F_RX_L4_CKSUM_GOOD || said == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		p->flags |= WEIR_PKT_L4_CKSUM_OK;
	else if (said == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		p->flags |= WEIR_PKT_L4_CKSUM_BAD;
}

void
ip_give(struct weir_ip *ip, struct rte_mbuf *m, struct weir_vec *v)
{
	if (unlikely(v->n == WEIR_VEC_MAX))
		weir_end(ip->core, m, WEIR_FATE_drop_no_memory);
	else
		weir_vec_add(v, m);
}

/* Does m belong to a flow of another worker? It is on its way there then. */
static bool
hand_over(struct weir_ip *ip, struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(m);
	struct weir_be16 ports[2];
	uint16_t worker;

	if (ip->steer == NULL ||
		!(ip->is_steering || (p->flags & (WEIR_PKT_REASSEMBLED | WEIR_PKT_LOOPED))))
		return false;
	if (p->flags & (WEIR_PKT_STEERED | WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST))
		return false;
	if (p->l4_len < sizeof(ports) ||
		weir_mbuf_read(m, p->l4_off, sizeof(ports), ports) != sizeof(ports))
		return false;
	weir_flow_take_ports(&p->flow, ports);
	worker = weir_steer_worker(ip->steer, &p->flow);
	if (worker == ip->core->worker)
		return false;
	weir_core_handover(ip->core, m, worker);
	return true;
}

static void
deliver_other(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_sinks *to)
{
	if (to->raw != NULL) {
		ip_give(ip, m, to->raw);
		return;
	}
	weir_icmp_unreach(ip, m, WEIR_UNREACH_PROTO);
	weir_end(ip->core, m, WEIR_FATE_drop_ip_proto);
}

/* Protocols that are processed here or by a transport: raw sockets see them beside that. */
static bool
has_handler(uint8_t proto, bool is_v4)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       (is_v4 ? proto == IPPROTO_ICMP || proto == IPPROTO_IGMP : proto == IPPROTO_ICMPV6);
}

/* Not what another worker has seen before. */
static bool
is_for_raw(const struct weir_ip *ip, const struct weir_pkt *p)
{
	const bool is_v4 = p->l3_type == WEIR_ETH_TYPE_IP4;
	const uint64_t *protos = ip->raw_protos[!is_v4];

	return !(p->flags & WEIR_PKT_STEERED) && has_handler(p->proto, is_v4) &&
	       (protos[p->proto / 64] >> p->proto % 64 & 1);
}

/* What a full vector or a dry pool costs is the copy alone. */
static void
leave_copy(struct weir_ip *ip, struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (!is_for_raw(ip, weir_pkt(m)) || ip->raw_copies.n == WEIR_VEC_MAX)
		return;
	copy = rte_pktmbuf_clone(m, ip->core->pool);
	if (copy == NULL) {
		ip->core->mbuf_fail++;
		return;
	}
	*weir_pkt(copy) = *weir_pkt(m);
	weir_vec_add(&ip->raw_copies, copy);
}

void
ip_deliver(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_sinks *to)
{
	const struct weir_pkt *p = weir_pkt(m);
	const bool is_v4 = p->l3_type == WEIR_ETH_TYPE_IP4;

	if (unlikely(ip->n_raw != 0))
		leave_copy(ip, m);
	if (p->proto == IPPROTO_TCP) {
		if (!hand_over(ip, m))
			ip_give(ip, m, to->tcp);
	} else if (p->proto == IPPROTO_UDP) {
		if (!hand_over(ip, m))
			ip_give(ip, m, to->udp);
	} else if (p->proto == IPPROTO_ICMP && is_v4) {
		icmp4_input(ip, m);
	} else if (p->proto == IPPROTO_ICMPV6 && !is_v4) {
		icmp6_input(ip, m);
	} else if (p->proto == IPPROTO_IGMP && is_v4) {
		igmp_input(ip, m);
	} else {
		deliver_other(ip, m, to);
	}
}

void
weir_ip_errors_done(struct weir_ip *ip)
{
	for (unsigned int i = 0; i < ip->n_errors; i++)
		weir_end(ip->core, ip->errors[i].m, WEIR_FATE_icmp_taken);
	ip->n_errors = 0;
}
