/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_rig.h"

#include <limits.h>

static struct rig r;
static const uint8_t payload[100] = {0x45, 1, 2, 3};

static void
open_caps(uint32_t caps, uint16_t vlan)
{
	rig_open(&r, &(struct rig_conf){.caps = caps, .vlan = vlan});
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r.ifc, &peer4, &peer_mac), 0);
}

static void
frame_carries_addresses_and_type(void)
{
	struct rte_mbuf *m;

	open_caps(0, 0);
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
	m = rig_sent(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->dst, &peer_mac));
	CU_ASSERT_TRUE(weir_mac_eq(&rig_eth(m)->src, &us_mac));
	CU_ASSERT_EQUAL(weir_host16(rig_eth(m)->type), WEIR_ETH_TYPE_IP4);
	CU_ASSERT_EQUAL(m->l2_len, WEIR_ETH_HLEN);
	CU_ASSERT_EQUAL(memcmp(rig_bytes(m) + 14, payload, sizeof(payload)), 0);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
groups_and_broadcasts_are_mapped(void)
{
	static const struct {
		const char *to, *mac;
	} map[] = {
		{"255.255.255.255", "\xff\xff\xff\xff\xff\xff"},
		{"10.0.0.255", "\xff\xff\xff\xff\xff\xff"},
		{"224.129.2.3", "\x01\x00\x5e\x01\x02\x03"},
		{"ff02::1:ff12:3456", "\x33\x33\xff\x12\x34\x56"},
	};
	struct weir_addr to;
	struct rte_mbuf *m;

	open_caps(0, 0);
	for (size_t i = 0; i < RTE_DIM(map); i++) {
		CU_ASSERT_EQUAL(weir_addr_parse(map[i].to, &to), 0);
		weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &to);
		m = rig_sent(&r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(memcmp(&rig_eth(m)->dst, map[i].mac, 6), 0);
		rte_pktmbuf_free(m);
	}
	rig_close(&r);
}

static void
tag_is_written_or_left_to_the_port(void)
{
	struct rte_mbuf *m;

	open_caps(0, 7);
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
	m = rig_sent(&r);
	CU_ASSERT_EQUAL(memcmp(rig_bytes(m) + 12, "\x81\0\0\7\x08\0\x45", 7), 0);
	CU_ASSERT_EQUAL(m->l2_len, 18);
	rte_pktmbuf_free(m);
	rig_close(&r);
	open_caps(WEIR_PORT_TX_VLAN, 7);
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
	m = rig_sent(&r);
	CU_ASSERT_EQUAL(memcmp(rig_bytes(m) + 12, "\x08\0\x45", 3), 0);
	CU_ASSERT_EQUAL(m->l2_len, 14);
	CU_ASSERT_EQUAL(m->vlan_tci, 7);
	CU_ASSERT_NOT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_VLAN, 0);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

/* Somebody else reads the same bytes: the header goes into an mbuf of its own. */
static void
shared_data_is_not_written_to(void)
{
	struct rte_mbuf *data, *clone, *m;

	open_caps(WEIR_PORT_TX_MULTI_SEG, 0);
	data = rig_mbuf(&r, payload, sizeof(payload), 0);
	memset(rte_pktmbuf_mtod_offset(data, uint8_t *, -14), 0xee, 14);
	rte_mbuf_refcnt_update(data, 1);
	weir_eth_output(&r.ifc, data, &peer4);
	clone = rte_pktmbuf_clone(data, r.core.pool);
	weir_eth_output(&r.ifc, clone, &peer4);
	for (unsigned int i = 0; i < 2; i++) {
		m = rig_sent(&r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(m->nb_segs, 2);
		CU_ASSERT_EQUAL(m->pkt_len, sizeof(payload) + 14);
		CU_ASSERT_EQUAL(m->data_len, 14);
		rte_pktmbuf_free(m);
	}
	CU_ASSERT_EQUAL(data->pkt_len, sizeof(payload));
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(data, uint8_t *, -1), 0xee);
	rte_pktmbuf_free(data);
	rig_close(&r);
}

static void
chains_are_joined_for_ports_that_take_none(void)
{
	struct rte_mbuf *m;

	open_caps(0, 0);
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 7), &peer4);
	m = rig_sent(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->nb_segs, 1);
	CU_ASSERT_EQUAL(memcmp(rig_bytes(m) + 14, payload, sizeof(payload)), 0);
	CU_ASSERT_EQUAL(r.ifc.stats.tx_linearized, 1);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
chains_longer_than_the_port_takes_are_joined(void)
{
	struct rte_mbuf *m;

	open_caps(WEIR_PORT_TX_MULTI_SEG, 0);
	r.ifc.segs_max = 4;
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 25), &peer4);
	m = rig_sent(&r);
	CU_ASSERT_EQUAL(m->nb_segs, 4);
	rte_pktmbuf_free(m);
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 24), &peer4);
	m = rig_sent(&r);
	CU_ASSERT_EQUAL(m->nb_segs, 1);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
chain_that_fits_no_mbuf_is_dropped(void)
{
	static const uint8_t big[5000] = {0x45};

	open_caps(0, 0);
	weir_eth_output(&r.ifc, rig_mbuf(&r, big, sizeof(big), 1000), &peer4);
	CU_ASSERT_PTR_NULL(rig_sent(&r));
	rig_tx_fate(&r, drop_tx_no_mbuf, 1);
	rig_close(&r);
}

static void
what_the_port_does_not_take_is_sent_later_in_order(void)
{
	struct rte_mbuf *m;
	uint8_t bytes[20] = {0};

	open_caps(0, 0);
	r.port.tx_room = 3;
	for (uint8_t i = 0; i < 10; i++) {
		bytes[0] = i;
		weir_eth_output(&r.ifc, rig_mbuf(&r, bytes, sizeof(bytes), 0), &peer4);
	}
	weir_eth_flush(&r.ifc);
	CU_ASSERT_EQUAL(fake_port_sent(&r.port, 0), 3);
	CU_ASSERT_EQUAL(weir_eth_room(&r.ifc), WEIR_TXQ_MAX - 7);
	r.port.tx_room = UINT_MAX;
	for (uint8_t i = 0; i < 10; i++) {
		m = rig_sent(&r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(rig_bytes(m)[14], i);
		rte_pktmbuf_free(m);
	}
	rig_close(&r);
}

static void
port_that_is_stuck_loses_its_queue(void)
{
	open_caps(0, 0);
	r.port.tx_room = 0;
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
	weir_eth_flush(&r.ifc);
	rig_pass(&r, 99000);
	rig_tx_fate(&r, drop_port_full, 0);
	rig_pass(&r, 1000);
	rig_tx_fate(&r, drop_port_full, 1);
	CU_ASSERT_EQUAL(weir_eth_room(&r.ifc), WEIR_TXQ_MAX);
	rig_close(&r);
}

static void
full_queue_drops_the_newest(void)
{
	open_caps(0, 0);
	r.port.tx_room = 0;
	for (unsigned int i = 0; i < WEIR_TXQ_MAX + 5; i++)
		weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
	rig_tx_fate(&r, drop_port_full, 5);
	r.port.tx_room = UINT_MAX;
	CU_ASSERT_EQUAL(rig_drain(&r), WEIR_TXQ_MAX);
	rig_close(&r);
}

static void
nothing_is_sent_while_the_link_is_down(void)
{
	open_caps(0, 0);
	r.ifc.is_up = false;
	weir_eth_output(&r.ifc, rig_mbuf(&r, payload, sizeof(payload), 0), &peer4);
	rig_tx_fate(&r, drop_link_down, 1);
	rig_close(&r);
}

static void
dry_pool_drops_and_recovers(void)
{
	struct rte_mbuf *hold[4096], *data;
	unsigned int n = 0;

	open_caps(WEIR_PORT_TX_MULTI_SEG, 0);
	data = rig_mbuf(&r, payload, sizeof(payload), 0);
	rte_mbuf_refcnt_update(data, 2);
	while ((hold[n] = rte_pktmbuf_alloc(r.core.pool)) != NULL)
		n++;
	weir_eth_output(&r.ifc, data, &peer4); /* needs a header mbuf */
	rig_tx_fate(&r, drop_tx_no_mbuf, 1);
	CU_ASSERT_EQUAL(r.core.mbuf_fail, 1);
	rte_pktmbuf_free_bulk(hold, n);
	weir_eth_output(&r.ifc, data, &peer4);
	CU_ASSERT_EQUAL(rig_drain(&r), 1);
	rte_pktmbuf_free(data);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(frame_carries_addresses_and_type),
		UNIT(groups_and_broadcasts_are_mapped),
		UNIT(tag_is_written_or_left_to_the_port),
		UNIT(shared_data_is_not_written_to),
		UNIT(chains_are_joined_for_ports_that_take_none),
		UNIT(chains_longer_than_the_port_takes_are_joined),
		UNIT(chain_that_fits_no_mbuf_is_dropped),
		UNIT(what_the_port_does_not_take_is_sent_later_in_order),
		UNIT(port_that_is_stuck_loses_its_queue),
		UNIT(full_queue_drops_the_newest),
		UNIT(nothing_is_sent_while_the_link_is_down),
		UNIT(dry_pool_drops_and_recovers),
		{0},
	};

	return unit_main("eth_output", tests, true);
}
