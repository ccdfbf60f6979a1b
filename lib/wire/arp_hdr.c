/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_arp_hdr.h"

#define HTYPE_ETHERNET 1

struct arp_hdr {
	struct weir_be16 htype;
	struct weir_be16 ptype;
	uint8_t hlen;
	uint8_t plen;
	struct weir_be16 op;
	struct weir_mac sha;
	struct weir_be32 spa;
	struct weir_mac tha;
	struct weir_be32 tpa;
} __attribute__((packed));

_Static_assert(sizeof(struct arp_hdr) == WEIR_ARP_LEN, "as on the wire");

bool
weir_arp_parse(const void *bytes, size_t len, struct weir_arp *arp)
{
	struct arp_hdr h;

	if (len < sizeof(h))
		return false;
	memcpy(&h, bytes, sizeof(h));
	if (weir_host16(h.htype) != HTYPE_ETHERNET || weir_host16(h.ptype) != WEIR_ETH_TYPE_IP4 ||
		h.hlen != sizeof(struct weir_mac) || h.plen != sizeof(struct weir_be32))
		return false;
	*arp = (struct weir_arp){
		.op = weir_host16(h.op), .sha = h.sha, .tha = h.tha, .spa = h.spa, .tpa = h.tpa};
	return arp->op == WEIR_ARP_REQUEST || arp->op == WEIR_ARP_REPLY;
}

void
weir_arp_build(void *bytes, const struct weir_arp *arp)
{
	const struct arp_hdr h = {
		.htype = weir_be16(HTYPE_ETHERNET),
		.ptype = weir_be16(WEIR_ETH_TYPE_IP4),
		.hlen = sizeof(struct weir_mac),
		.plen = sizeof(struct weir_be32),
		.op = weir_be16(arp->op),
		.sha = arp->sha,
		.spa = arp->spa,
		.tha = arp->tha,
		.tpa = arp->tpa,
	};

	memcpy(bytes, &h, sizeof(h));
}
