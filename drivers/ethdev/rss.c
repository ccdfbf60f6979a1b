/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_priv.h"

#include <rte_common.h>

#include "weir_rss_key.h"

#define RSS_L4                                                         \
	(RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | \
		RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)
#define RSS_L3                                                                       \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER | \
		RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER)

bool
ethdev_rss_conf(const struct rte_eth_dev_info *dev, struct rte_eth_conf *conf)
{
	const uint64_t hf = (RSS_L3 | RSS_L4) & dev->flow_type_rss_offloads;

	if (hf == 0)
		return false;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = hf;
	if (dev->hash_key_size != 0 && dev->hash_key_size <= sizeof(weir_rss_key)) {
		/* DPDK reads it only, without saying so in the type */
		conf->rx_adv_conf.rss_conf.rss_key = (uint8_t *)(uintptr_t)weir_rss_key;
		conf->rx_adv_conf.rss_conf.rss_key_len = dev->hash_key_size;
	}
	return true;
}

/* @return whether the device told its key and hashes the ports of all four kinds of flow */
static bool
read_key(struct ethdev *e, const struct rte_eth_dev_info *dev)
{
	struct weir_port_info *info = &e->port.info;
	struct rte_eth_rss_conf rss = {.rss_key = info->rss_key};

	rss.rss_key_len = dev->hash_key_size != 0 ? dev->hash_key_size : WEIR_RSS_KEY_LEN;
	if (rss.rss_key_len > sizeof(info->rss_key) ||
		rte_eth_dev_rss_hash_conf_get(e->id, &rss) != 0)
		return false;
	info->rss_key_len = rss.rss_key_len;
	return (rss.rss_hf & RSS_L4) == RSS_L4;
}

#define RETA_GROUPS (WEIR_RETA_SIZE_MAX / RTE_ETH_RETA_GROUP_SIZE)

/* Queues in turn. Devices that can't be told keep their own table. */
static void
write_reta(const struct ethdev *e, uint16_t size)
{
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS];

	for (uint16_t i = 0; i < size; i++) {
		reta[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
		reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			i % e->rx_queues;
	}
	rte_eth_dev_rss_reta_update(e->id, reta, size);
}

static bool
read_reta(struct ethdev *e, uint16_t size)
{
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS];

	for (size_t i = 0; i < RETA_GROUPS; i++)
		reta[i].mask = UINT64_MAX;
	if (rte_eth_dev_rss_reta_query(e->id, reta, size) != 0)
		return false;
	for (uint16_t i = 0; i < size; i++) {
		const uint16_t q =
			reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];

		if (q >= e->rx_queues)
			return false;
		e->port.info.reta[i] = q;
	}
	e->port.info.reta_size = size;
	return true;
}

static bool
settle_reta(struct ethdev *e, uint16_t size)
{
	if (size < RTE_ETH_RETA_GROUP_SIZE || size > WEIR_RETA_SIZE_MAX || !rte_is_power_of_2(size))
		return false;
	write_reta(e, size);
	return read_reta(e, size);
}

bool
ethdev_rss_read(struct ethdev *e, const struct rte_eth_dev_info *dev)
{
	struct weir_port_info *info = &e->port.info;

	if (read_key(e, dev) && settle_reta(e, dev->reta_size))
		return true;
	info->rss_key_len = 0;
	info->reta_size = 0;
	return false;
}
