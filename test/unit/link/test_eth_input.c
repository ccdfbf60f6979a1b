/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_rig.h"

static struct rig r;
static const uint8_t payload[60] = {0x45};

static void
open_default(void)
{
	rig_open(&r, &(struct rig_conf){0});
}

static void
frame_to_us_goes_on_at_its_ip_header(void)
{
	struct weir_pkt *p;

	open_default();
	rig_recv(&r, rig_frame(&r, &us_mac, WEIR_ETH_TYPE_IP4, payload, sizeof(payload)));
	CU_ASSERT_EQUAL_FATAL(r.ip4.n, 1);
	p = weir_pkt(r.ip4.m[0]);
	CU_ASSERT_EQUAL(*rig_bytes(r.ip4.m[0]), 0x45);
	CU_ASSERT_EQUAL(r.ip4.m[0]->pkt_len, sizeof(payload));
	CU_ASSERT_EQUAL(p->l3_off, 0);
	CU_ASSERT_EQUAL(p->l3_type, WEIR_ETH_TYPE_IP4);
	CU_ASSERT_EQUAL(p->flags, 0);
	CU_ASSERT_EQUAL(p->rx_us, r.core.now_us);
	rig_use(&r, &r.ip4);
	rig_close(&r);
}

static void
frame_to_another_station_is_dropped(void)
{
	open_default();
	rig_recv(&r, rig_frame(&r, &peer_mac, WEIR_ETH_TYPE_IP4, payload, sizeof(payload)));
	rig_fate(&r, drop_eth_dst, 1);
	rig_close(&r);
}

static void
group_frames_are_marked(void)
{
	static const struct weir_mac group = {{0x33, 0x33, 0, 0, 0, 1}};

	open_default();
	rig_recv(&r, rig_frame(&r, &all_mac, WEIR_ETH_TYPE_IP6, payload, sizeof(payload)));
	rig_recv(&r, rig_frame(&r, &group, WEIR_ETH_TYPE_IP6, payload, sizeof(payload)));
	CU_ASSERT_EQUAL_FATAL(r.ip6.n, 2);
	CU_ASSERT_EQUAL(weir_pkt(r.ip6.m[0])->flags, WEIR_PKT_BROADCAST);
	CU_ASSERT_EQUAL(weir_pkt(r.ip6.m[1])->flags, WEIR_PKT_MULTICAST);
	rig_use(&r, &r.ip6);
	rig_close(&r);
}

static void
short_frames_and_unknown_types_are_dropped(void)
{
	uint8_t zeros[18] = {0};

	open_default();
	for (size_t n = 1; n < WEIR_ETH_HLEN; n++)
		rig_recv(&r, rig_mbuf(&r, zeros, n, 0));
	rig_fate(&r, drop_eth_short, WEIR_ETH_HLEN - 1);
	rig_recv(&r, rig_frame(&r, &us_mac, 0x88cc, payload, sizeof(payload)));
	rig_recv(&r, rig_frame(&r, &us_mac, 60, payload, sizeof(payload))); /* 802.3 length */
	rig_fate(&r, drop_eth_type, 2);
	memcpy(zeros, &us_mac, 6);
	zeros[12] = 0x81; /* a tag that is cut off */
	rig_recv(&r, rig_mbuf(&r, zeros, 17, 0));
	rig_fate(&r, drop_eth_short, WEIR_ETH_HLEN);
	rig_close(&r);
}

static struct rte_mbuf *
tagged(uint16_t tci, uint16_t type)
{
	uint8_t bytes[64] = {
		(uint8_t)(tci >> 8), (uint8_t)tci, (uint8_t)(type >> 8), (uint8_t)type, 0x45};

	return rig_frame(&r, &us_mac, WEIR_ETH_TYPE_VLAN, bytes, sizeof(bytes));
}

static struct rte_mbuf *
stripped(uint16_t tci)
{
	struct rte_mbuf *m = rig_frame(&r, &us_mac, WEIR_ETH_TYPE_IP4, payload, sizeof(payload));

	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = tci;
	return m;
}

static void
only_our_vlan_is_received(void)
{
	rig_open(&r, &(struct rig_conf){.vlan = 7});
	rig_recv(&r, tagged(7, WEIR_ETH_TYPE_IP4));
	rig_recv(&r, tagged(0xe007, WEIR_ETH_TYPE_IP4)); /* priority 7 */
	rig_recv(&r, stripped(7));
	CU_ASSERT_EQUAL_FATAL(r.ip4.n, 3);
	CU_ASSERT_EQUAL(*rig_bytes(r.ip4.m[0]), 0x45);
	rig_recv(&r, tagged(8, WEIR_ETH_TYPE_IP4));
	rig_recv(&r, stripped(8));
	rig_recv(&r, rig_frame(&r, &us_mac, WEIR_ETH_TYPE_IP4, payload, sizeof(payload)));
	rig_fate(&r, drop_vlan, 3);
	rig_recv(&r, tagged(7, WEIR_ETH_TYPE_VLAN)); /* a tag in a tag */
	rig_fate(&r, drop_eth_type, 1);
	rig_use(&r, &r.ip4);
	rig_close(&r);
}

static void
untagged_interface_takes_priority_tags_only(void)
{
	open_default();
	rig_recv(&r, tagged(0xa000, WEIR_ETH_TYPE_IP4));
	CU_ASSERT_EQUAL(r.ip4.n, 1);
	rig_recv(&r, tagged(7, WEIR_ETH_TYPE_IP4));
	rig_fate(&r, drop_vlan, 1);
	rig_use(&r, &r.ip4);
	rig_close(&r);
}

static void
headers_may_lie_in_several_segments(void)
{
	struct weir_eth_hdr eth = {.dst = us_mac, .type = weir_be16(WEIR_ETH_TYPE_IP4)};
	uint8_t bytes[74];

	open_default();
	memcpy(bytes, &eth, sizeof(eth));
	memcpy(bytes + sizeof(eth), payload, sizeof(payload));
	for (size_t seg = 1; seg < 20; seg++) {
		rig_recv(&r, rig_mbuf(&r, bytes, sizeof(bytes), seg));
		CU_ASSERT_EQUAL_FATAL(r.ip4.n, 1);
		CU_ASSERT_EQUAL(r.ip4.m[0]->pkt_len, sizeof(payload));
		rte_mbuf_sanity_check(r.ip4.m[0], 1);
		rig_use(&r, &r.ip4);
	}
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(frame_to_us_goes_on_at_its_ip_header),
		UNIT(frame_to_another_station_is_dropped),
		UNIT(group_frames_are_marked),
		UNIT(short_frames_and_unknown_types_are_dropped),
		UNIT(only_our_vlan_is_received),
		UNIT(untagged_interface_takes_priority_tags_only),
		UNIT(headers_may_lie_in_several_segments),
		{0},
	};

	return unit_main("eth_input", tests, true);
}
