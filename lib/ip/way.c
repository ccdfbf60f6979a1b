/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: udp_output, raw_output, tcp_usr, tcp_reply -> way -> ip_output */
#include "weir_dgram.h"

#include "weir_pmtu.h"
#include "weir_shared.h"

/* What is known of the path beyond the interface. */
static void
narrow(const struct weir_ip *ip, struct weir_ip_way *way)
{
	const uint64_t now_us = ip->core->now_us;
	uint16_t mtu;

	way->until_us = UINT64_MAX;
	if (ip->pmtu == NULL)
		return;
	way->pmtu_version = __atomic_load_n(&ip->pmtu->version, __ATOMIC_ACQUIRE);
	mtu = weir_pmtu_get(ip->pmtu, ip->core->secret, &way->raddr, now_us);
	if (mtu == 0 || mtu >= way->dst.mtu || way->dst.is_local)
		return;
	way->dst.mtu = mtu;
	way->until_us = now_us + WEIR_PMTU_LIFE_US / 10; /* look again, it may be over */
}

static bool
is_path_same(const struct weir_ip *ip, const struct weir_ip_way *way)
{
	return (ip->pmtu == NULL || way->pmtu_version == weir_peek(ip->pmtu->version)) &&
	       ip->core->now_us < way->until_us;
}

static struct weir_ip_way *
find_way(struct weir_ip *ip, const struct weir_addr *raddr, int ifindex, int *rc)
{
	const uint64_t hash = weir_mix64(raddr->q[0] ^ ip->core->secret[0],
		raddr->q[1] ^ ip->core->secret[1] ^ UINT64_C(0x9e3779b97f4a7c15));
	struct weir_ip_way *way = &ip->ways[hash % WEIR_IP_WAYS];

	*rc = 0;
	if (likely(weir_dst_is_fresh(ip, &way->dst) && way->ifindex == ifindex &&
		    weir_addr_eq(&way->raddr, raddr) && is_path_same(ip, way)))
		return way;
	*rc = weir_ip_route(ip, raddr, ifindex, &way->dst);
	if (*rc < 0)
		way->dst.gen = 0; /* never fresh */
	way->raddr = *raddr;
	way->ifindex = ifindex;
	way->route_mtu = way->dst.mtu;
	if (*rc == 0)
		narrow(ip, way);
	return way;
}

int
weir_ip_way(
	struct weir_ip *ip, const struct weir_addr *raddr, int ifindex, const struct weir_dst **dst)
{
	int rc;

	*dst = &find_way(ip, raddr, ifindex, &rc)->dst;
	return rc;
}

int
weir_ip_route_again(
	struct weir_ip *ip, const struct weir_addr *raddr, int ifindex, struct weir_dst *out)
{
	int rc;
	const struct weir_ip_way *way = find_way(ip, raddr, ifindex, &rc);

	*out = way->dst;
	out->mtu = way->route_mtu;
	return rc;
}

const struct weir_dst *
weir_dgram_way(const struct weir_dgram *d, const struct weir_dst *dst, struct weir_dst *own)
{
	if (likely(!d->is_path_ignored && d->mtu == 0 && !d->is_host_only))
		return dst;
	*own = *dst;
	if (d->is_path_ignored && !dst->is_local)
		own->mtu = dst->ifc->mtu;
	if (d->mtu != 0)
		own->mtu = RTE_MIN(own->mtu, d->mtu);
	own->is_local |= d->is_host_only;
	return own;
}
