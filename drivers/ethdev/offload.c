/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_priv.h"

#include <string.h>

#include <rte_common.h>

/* Which DPDK offloads stand behind a capability; all of them are needed. */
static const struct {
	uint32_t cap;
	uint64_t rx;
	uint64_t tx;
} offloads[] = {
	{WEIR_PORT_RX_IP4_CKSUM, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, 0},
	{WEIR_PORT_RX_L4_CKSUM, RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM, 0},
	{WEIR_PORT_RX_RSS_HASH, RTE_ETH_RX_OFFLOAD_RSS_HASH, 0},
	{WEIR_PORT_RX_LRO, RTE_ETH_RX_OFFLOAD_TCP_LRO, 0},
	{WEIR_PORT_RX_VLAN, RTE_ETH_RX_OFFLOAD_VLAN_STRIP, 0},
	{WEIR_PORT_TX_IP4_CKSUM, 0, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM},
	{WEIR_PORT_TX_TCP_CKSUM, 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM},
	{WEIR_PORT_TX_UDP_CKSUM, 0, RTE_ETH_TX_OFFLOAD_UDP_CKSUM},
	{WEIR_PORT_TX_TSO, 0, RTE_ETH_TX_OFFLOAD_TCP_TSO},
	{WEIR_PORT_TX_MULTI_SEG, 0, RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
	{WEIR_PORT_TX_VLAN, 0, RTE_ETH_TX_OFFLOAD_VLAN_INSERT},
};

/*
 * Drivers with habits of their own. net_tap does its checksums in software as we do, but sums the
 * segments of a chain as if each started at an even byte, refuses headers that are not contiguous,
 * and segments IPv4 alone. Its queue choice is the kernel's. Its receive descriptors
 * are one scatter list for one frame: more than a frame's worth only ties up mbufs. net_vmxnet3
 * tells its host that a frame has one buffer, so QEMU drops the longer ones that LRO makes.
 * net_e1000_em gives its queue no MSI-X vector: its receive interrupt never comes; nor does
 * net_vmxnet3's of the link. net_memif has no receive interrupts, and crashes now and then when it
 * is stopped and started again at once, as is done with a driver whose interrupts fail.
 */
static const struct ethdev_quirk quirks[] = {
	{
		.driver = "net_tap",
		.caps_off = WEIR_PORT_TX_IP4_CKSUM | WEIR_PORT_TX_TCP_CKSUM |
			    WEIR_PORT_TX_UDP_CKSUM | WEIR_PORT_TX_TSO | WEIR_PORT_RX_IP4_CKSUM |
			    WEIR_PORT_RX_L4_CKSUM | WEIR_PORT_RX_RSS_HASH | WEIR_PORT_RSS,
		.rx_desc_max = 16,
	},
	{
		.driver = "net_vmxnet3",
		.caps_off = WEIR_PORT_RX_LRO,
		.rx_desc_max = UINT16_MAX,
		.no_lsc = true,
	},
	{
		.driver = "net_e1000_em",
		.caps_off = WEIR_PORT_RX_INTR,
		.rx_desc_max = UINT16_MAX,
	},
	{
		.driver = "net_memif",
		.caps_off = WEIR_PORT_RX_INTR,
		.rx_desc_max = UINT16_MAX,
	},
};

const struct ethdev_quirk *
ethdev_quirk(const struct rte_eth_dev_info *dev)
{
	static const struct ethdev_quirk none = {.rx_desc_max = UINT16_MAX};

	for (size_t i = 0; i < RTE_DIM(quirks); i++)
		if (dev->driver_name != NULL && strcmp(dev->driver_name, quirks[i].driver) == 0)
			return &quirks[i];
	return &none;
}

/* What makes no sense alone: segmentation changes headers, so their checksums must be done too. */
static uint32_t
without_orphans(uint32_t caps)
{
	const uint32_t tso_needs = WEIR_PORT_TX_TCP_CKSUM | WEIR_PORT_TX_MULTI_SEG;

	if ((caps & tso_needs) != tso_needs)
		caps &= ~(uint32_t)WEIR_PORT_TX_TSO;
	return caps;
}

uint32_t
ethdev_offload_caps(const struct rte_eth_dev_info *dev, uint32_t caps_off)
{
	uint32_t caps = WEIR_PORT_RSS;

	for (size_t i = 0; i < RTE_DIM(offloads); i++)
		if ((offloads[i].rx & ~dev->rx_offload_capa) == 0 &&
			(offloads[i].tx & ~dev->tx_offload_capa) == 0)
			caps |= offloads[i].cap;
	return without_orphans(caps & ~caps_off & ~ethdev_quirk(dev)->caps_off);
}

void
ethdev_offload_conf(const struct rte_eth_dev_info *dev, uint32_t caps, struct rte_eth_conf *conf)
{
	/* Never RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE: sent mbufs are shared and of several pools. */
	for (size_t i = 0; i < RTE_DIM(offloads); i++) {
		if (caps & offloads[i].cap) {
			conf->rxmode.offloads |= offloads[i].rx;
			conf->txmode.offloads |= offloads[i].tx;
		}
	}
	if (caps & WEIR_PORT_RX_LRO) {
		conf->rxmode.max_lro_pkt_size = dev->max_lro_pkt_size;
		conf->rxmode.offloads |= dev->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	}
}
