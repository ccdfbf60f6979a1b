/* SPDX-License-Identifier: BSD-3-Clause */
/* A link that comes and goes. */
#include "net_rig.h"

static struct rig r;

#define MS 1000u

static void
set_port(bool is_up)
{
	r.port.is_up = is_up;
	rig_pass(&r, 1000 * MS);
}

static void
send_to_peer(void)
{
	static const uint8_t ip[20] = {0x45};

	weir_eth_output(&r.ifc, rig_mbuf(&r, ip, sizeof(ip), 0), &peer4);
}

static void
loss_of_the_link_is_noticed_and_what_waits_ends(void)
{
	rig_open(&r, &(struct rig_conf){0});
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r.ifc, &peer6, &peer_mac), 0);
	send_to_peer(); /* waits for ARP */
	set_port(false);
	CU_ASSERT_FALSE(r.ifc.is_up);
	CU_ASSERT_EQUAL(r.ifc.stats.link_downs, 1);
	CU_ASSERT_EQUAL(r.ifc.neigh_table.count, 1); /* the configured one stays */
	rig_tx_fate(&r, drop_neigh_failed, 1);
	rig_drain(&r);
	send_to_peer(); /* and asks nobody */
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	CU_ASSERT(r.core.tx_fates[WEIR_TX_drop_link_down] > 0);
	rig_close(&r);
}

static void
link_that_is_back_is_used_soon_and_addresses_are_announced(void)
{
	rig_open(&r, &(struct rig_conf){0});
	set_port(false);
	rig_drain(&r);
	r.port.is_up = true;
	rig_pass(&r, 60 * MS);
	CU_ASSERT_TRUE(r.ifc.is_up);
	CU_ASSERT_EQUAL(rig_drain(&r), 1); /* our IPv4 address, RFC 5227 2.3 */
	rig_close(&r);
}

static void
other_workers_follow_without_asking_the_port(void)
{
	rig_open(&r, &(struct rig_conf){.worker = 1, .n_workers = 2});
	set_port(false);
	CU_ASSERT_TRUE(r.ifc.is_up);
	r.port.port.is_down = true;
	rig_pass(&r, 1000 * MS);
	CU_ASSERT_FALSE(r.ifc.is_up);
	CU_ASSERT_EQUAL(rig_drain(&r), 0);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(loss_of_the_link_is_noticed_and_what_waits_ends),
		UNIT(link_that_is_back_is_used_soon_and_addresses_are_announced),
		UNIT(other_workers_follow_without_asking_the_port),
		{0},
	};

	return unit_main("link_state", tests, true);
}
