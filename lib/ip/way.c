/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: udp_output, raw_output -> way -> ip_output */
#include "weir_ip.h"

int
weir_ip_way(
	struct weir_ip *ip, const struct weir_addr *raddr, int ifindex, const struct weir_dst **dst)
{
	const uint64_t hash = weir_mix64(raddr->q[0] ^ ip->core->secret[0],
		raddr->q[1] ^ ip->core->secret[1] ^ UINT64_C(0x9e3779b97f4a7c15));
	struct weir_ip_way *way = &ip->ways[hash % WEIR_IP_WAYS];
	int rc;

	*dst = &way->dst;
	if (likely(weir_dst_is_fresh(ip, &way->dst) && way->ifindex == ifindex &&
		    weir_addr_eq(&way->raddr, raddr)))
		return 0;
	rc = weir_ip_route(ip, raddr, ifindex, &way->dst);
	if (rc < 0)
		way->dst.gen = 0; /* never fresh */
	way->raddr = *raddr;
	way->ifindex = ifindex;
	return rc;
}
