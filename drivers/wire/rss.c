/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: port tx -> rss -> ring of the other end's queue */
#include "cable_priv.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_thash.h>

#include "weir_rss_key.h"

#define VLAN_TAGS_MAX 2

void
cable_rss_init(struct cable_rss *rss)
{
	uint32_t key[WEIR_RSS_KEY_LEN / 4];

	memcpy(key, weir_rss_key, sizeof(key));
	rte_convert_rss_key(key, key, sizeof(key));
	for (uint32_t byte = 0; byte < CABLE_TUPLE_MAX; byte++) {
		for (uint32_t value = 0; value < 256; value++) {
			uint32_t tuple[CABLE_TUPLE_MAX / 4] = {0};

			tuple[byte / 4] = value << (24 - byte % 4 * 8);
			rss->table[byte][value] =
				rte_softrss_be(tuple, CABLE_TUPLE_MAX / 4, (const uint8_t *)key);
		}
	}
}

static uint32_t
hash_tuple(const struct cable_rss *rss, const uint8_t *tuple, unsigned int len)
{
	uint32_t h = 0;

	for (unsigned int i = 0; i < len; i++)
		h ^= rss->table[i][tuple[i]];
	return h;
}

/* The network header's place and EtherType (host order), behind up to two tags. */
static bool
find_l3(const struct rte_mbuf *m, uint32_t *off, uint16_t *type)
{
	rte_be16_t buf;
	const rte_be16_t *t;

	*off = RTE_ETHER_HDR_LEN;
	for (int tags = 0; tags <= VLAN_TAGS_MAX; tags++, *off += RTE_VLAN_HLEN) {
		t = rte_pktmbuf_read(m, *off - 2, sizeof(buf), &buf);
		if (t == NULL)
			return false;
		*type = rte_be_to_cpu_16(*t);
		if (*type != RTE_ETHER_TYPE_VLAN && *type != RTE_ETHER_TYPE_QINQ)
			return true;
	}
	return false;
}

/* Append the ports at off to a tuple of len bytes. @return the tuple's new length */
static unsigned int
add_ports(const struct rte_mbuf *m, uint32_t off, uint8_t proto, uint8_t *tuple, unsigned int len)
{
	uint32_t buf;
	const void *ports;

	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return len;
	ports = rte_pktmbuf_read(m, off, sizeof(buf), &buf);
	if (ports == NULL)
		return len;
	memcpy(tuple + len, ports, sizeof(buf));
	return len + sizeof(buf);
}

static unsigned int
tuple_v4(const struct rte_mbuf *m, uint32_t off, uint8_t *tuple)
{
	struct rte_ipv4_hdr buf;
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_read(m, off, sizeof(buf), &buf);

	if (ip == NULL)
		return 0;
	memcpy(tuple, &ip->src_addr, 8);
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return 8; /* later fragments have no ports: keep them with the first */
	return add_ports(m, off + rte_ipv4_hdr_len(ip), ip->next_proto_id, tuple, 8);
}

static unsigned int
tuple_v6(const struct rte_mbuf *m, uint32_t off, uint8_t *tuple)
{
	struct rte_ipv6_hdr buf;
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_read(m, off, sizeof(buf), &buf);

	if (ip == NULL)
		return 0;
	memcpy(tuple, ip->src_addr, 32);
	return add_ports(m, off + sizeof(buf), ip->proto, tuple, 32);
}

bool
cable_rss_hash(const struct cable_rss *rss, const struct rte_mbuf *m, uint32_t *hash)
{
	uint8_t tuple[CABLE_TUPLE_MAX];
	unsigned int len = 0;
	uint16_t type;
	uint32_t off;

	if (!find_l3(m, &off, &type))
		return false;
	if (type == RTE_ETHER_TYPE_IPV4)
		len = tuple_v4(m, off, tuple);
	else if (type == RTE_ETHER_TYPE_IPV6)
		len = tuple_v6(m, off, tuple);
	*hash = hash_tuple(rss, tuple, len);
	return len != 0;
}
