/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_eth_ring.h>

#include "unit.h"
#include "weir_ethdev.h"
#include "weir_rss_key.h"

#define QUEUES 4

struct rig {
	struct rte_mempool *pool;
	struct rte_mempool *pools[WEIR_PORT_QUEUES_MAX + 1];
	struct weir_port_conf conf;
	struct weir_port *port;
	char err[256];
};

static void
plug(const char *name, const char *args)
{
	CU_ASSERT_EQUAL_FATAL(rte_eal_hotplug_add("vdev", name, args), 0);
}

static int
keep_net_ring(struct dl_phdr_info *info, size_t size, void *arg)
{
	if (strstr(info->dlpi_name, "librte_net_ring") == NULL)
		return 0;
	*(void **)arg = dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD);
	return 1;
}

/* A device of rings given; EAL has loaded its driver as a plugin, so it is not linked. */
static void
plug_rings(const char *name, struct rte_ring **rx, unsigned int n_rx, struct rte_ring **tx,
	unsigned int n_tx)
{
	typeof(&rte_eth_from_rings) from_rings;
	void *lib = NULL;

	dl_iterate_phdr(keep_net_ring, &lib);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lib);
	from_rings = (typeof(from_rings))(uintptr_t)dlsym(lib, "rte_eth_from_rings");
	CU_ASSERT_PTR_NOT_NULL_FATAL(from_rings);
	CU_ASSERT_TRUE_FATAL(from_rings(name, rx, n_rx, tx, n_tx, 0) >= 0);
}

static void
rig_init(struct rig *r, const char *device, uint16_t queues)
{
	memset(r, 0, sizeof(*r));
	r->pool = unit_pool("ethdev", 8191);
	for (size_t i = 0; i < RTE_DIM(r->pools); i++)
		r->pools[i] = r->pool;
	r->conf = (struct weir_port_conf){
		.name = "p0",
		.device = device,
		.n_queues = queues,
		.rx_desc = 100, /* to be adjusted where the device wants it */
		.tx_desc = 100,
		.pools = r->pools,
	};
}

static int
rig_open(struct rig *r)
{
	return weir_ethdev_driver.open(&r->conf, &r->port, r->err, sizeof(r->err));
}

static void
rig_close(struct rig *r)
{
	if (r->port != NULL)
		r->port->ops->close(r->port);
	unit_pool_done(r->pool);
}

static void
an_unknown_device_is_refused_with_the_list(void)
{
	struct rig r;

	plug("net_null7", "");
	rig_init(&r, "net_nothing0", 1);
	CU_ASSERT_EQUAL(rig_open(&r), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "net_nothing0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "net_null7"));
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "vdev"));
	r.conf.device = "0000:99:00.0";
	CU_ASSERT_EQUAL(rig_open(&r), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "vfio-pci"));
	rig_close(&r);
	rte_eal_hotplug_remove("vdev", "net_null7");
}

static void
net_null_gives_and_takes_bursts(void)
{
	struct rig r;
	struct rte_mbuf *m[32];
	struct weir_port_stats s;
	struct weir_port_link link;

	plug("net_null0", "size=64");
	rig_init(&r, "net_null0", 1);
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_STRING_EQUAL(r.port->info.name, "p0");
	CU_ASSERT_STRING_EQUAL(r.port->info.driver, "net_null");
	CU_ASSERT_EQUAL(r.port->info.n_queues, 1);
	CU_ASSERT_EQUAL(r.port->info.mtu, 1500);
	CU_ASSERT_EQUAL(r.port->ops->start(r.port), 0);
	CU_ASSERT_EQUAL(weir_port_rx(r.port, 0, m, 32), 32);
	CU_ASSERT_EQUAL(weir_port_tx(r.port, 0, m, 32), 32);
	CU_ASSERT_EQUAL(r.port->ops->stats(r.port, &s), 0);
	CU_ASSERT_EQUAL(s.rx_packets, 32);
	CU_ASSERT_EQUAL(s.tx_packets, 32);
	CU_ASSERT_EQUAL(r.port->ops->link(r.port, &link), 0);
	CU_ASSERT_TRUE(link.is_up);
	CU_ASSERT_EQUAL(r.port->ops->rx_fd(r.port, 0), -ENOTSUP);
	CU_ASSERT_EQUAL(r.port->ops->rx_intr(r.port, 0, true), -ENOTSUP);
	CU_ASSERT_EQUAL(r.port->ops->set_mtu(r.port, 1400), 0);
	CU_ASSERT_EQUAL(r.port->info.mtu, 1400);
	CU_ASSERT_EQUAL(r.port->ops->stop(r.port), 0);
	CU_ASSERT_EQUAL(r.port->ops->start(r.port), 0);
	rig_close(&r);
	rte_eal_hotplug_remove("vdev", "net_null0");
}

static void
a_device_has_one_owner_and_can_be_opened_again(void)
{
	struct rig r;
	struct weir_port *first;

	plug("net_null1", "");
	rig_init(&r, "net_null1", 1);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
		first = r.port;
		CU_ASSERT_EQUAL(rig_open(&r), -EBUSY);
		CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "weir port p0"));
		first->ops->close(first);
	}
	r.port = NULL;
	rig_close(&r);
	rte_eal_hotplug_remove("vdev", "net_null1");
}

/* Frames sent on a queue of a net_ring device come back on the queue of the same ring. */
static void
net_ring_queues_keep_packets_apart(void)
{
	struct rte_ring *rings[QUEUES];
	struct rig r;
	char name[32];

	for (int q = 0; q < QUEUES; q++) {
		snprintf(name, sizeof(name), "loop%d", q);
		rings[q] = rte_ring_create(name, 64, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	}
	plug_rings("loop", rings, QUEUES, rings, QUEUES);
	rig_init(&r, "net_ring_loop", QUEUES);
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_EQUAL(r.port->info.n_queues, QUEUES);
	CU_ASSERT_FALSE(r.port->info.caps & WEIR_PORT_RSS);
	CU_ASSERT_TRUE(r.port->info.caps & WEIR_PORT_TX_MULTI_SEG);
	CU_ASSERT_TRUE(r.port->info.segs_max > 1);
	r.port->ops->start(r.port);
	for (uint16_t q = 0; q < QUEUES; q++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r.pool);
		struct rte_mbuf *back;

		CU_ASSERT_EQUAL(weir_port_tx(r.port, q, &m, 1), 1);
		CU_ASSERT_EQUAL(weir_port_rx(r.port, (q + 1) % QUEUES, &back, 1), 0);
		CU_ASSERT_EQUAL(weir_port_rx(r.port, q, &back, 1), 1);
		CU_ASSERT_PTR_EQUAL(back, m);
		rte_pktmbuf_free(m);
	}
	rig_close(&r);
	for (int q = 0; q < QUEUES; q++)
		rte_ring_free(rings[q]);
}

static void
a_device_with_fewer_receive_queues_gives_what_it_has(void)
{
	struct rte_ring *rings[QUEUES];
	struct rig r;
	char name[32];

	for (int q = 0; q < QUEUES; q++) {
		snprintf(name, sizeof(name), "few%d", q);
		rings[q] = rte_ring_create(name, 64, SOCKET_ID_ANY, 0);
	}
	plug_rings("few", rings, 2, rings, QUEUES);
	rig_init(&r, "net_ring_few", QUEUES);
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_EQUAL(r.port->info.n_queues, 2);
	CU_ASSERT_FALSE(r.port->info.caps & WEIR_PORT_RSS);
	r.port->ops->start(r.port);
	for (uint16_t q = 0; q < QUEUES; q++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r.pool);

		CU_ASSERT_EQUAL(weir_port_rx(r.port, q, &m, 1), 0);
		CU_ASSERT_EQUAL(weir_port_tx(r.port, q, &m, 1), 1);
		CU_ASSERT_EQUAL(rte_ring_dequeue(rings[q], (void **)&m), 0);
		rte_pktmbuf_free(m);
	}
	rig_close(&r);
	for (int q = 0; q < QUEUES; q++)
		rte_ring_free(rings[q]);
}

static void
too_few_transmit_queues_are_refused(void)
{
	struct rte_ring *ring = rte_ring_create("one", 64, SOCKET_ID_ANY, 0);
	struct rig r;

	plug_rings("one", &ring, 1, &ring, 1);
	rig_init(&r, "net_ring_one", 2);
	CU_ASSERT_EQUAL(rig_open(&r), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "1 transmit queues for 2 workers"));
	rig_close(&r);
	rte_ring_free(ring);
}

static void
an_impossible_mtu_is_refused_with_the_range(void)
{
	struct rig r;

	plug("net_null2", "");
	rig_init(&r, "net_null2", 1);
	r.conf.mtu = 20;
	CU_ASSERT_EQUAL(rig_open(&r), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "mtu 20: allowed"));
	r.conf.mtu = 9000; /* the device can, its buffers can't */
	CU_ASSERT_EQUAL(rig_open(&r), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err, "mbuf_data_room is small"));
	r.conf.mtu = 1280;
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_EQUAL(r.port->info.mtu, 1280);
	rig_close(&r);
	rte_eal_hotplug_remove("vdev", "net_null2");
}

static void
interrupts_asked_for_are_optional(void)
{
	struct rig r;

	plug("net_null3", "");
	rig_init(&r, "net_null3", 1);
	r.conf.rx_intr = true;
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_FALSE(r.port->info.caps & WEIR_PORT_RX_INTR);
	rig_close(&r);
	rte_eal_hotplug_remove("vdev", "net_null3");
}

static void
capabilities_can_be_switched_off(void)
{
	struct rte_ring *ring = rte_ring_create("off", 64, SOCKET_ID_ANY, 0);
	struct rig r;

	plug_rings("off", &ring, 1, &ring, 1);
	rig_init(&r, "net_ring_off", 1);
	r.conf.caps_off = WEIR_PORT_TX_MULTI_SEG;
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_FALSE(r.port->info.caps & WEIR_PORT_TX_MULTI_SEG);
	CU_ASSERT_EQUAL(r.port->info.segs_max, 1);
	rig_close(&r);
	rte_ring_free(ring);
}

/* net_null has a key and a table: the stack gets to know them. */
static void
several_queues_get_a_known_rss(void)
{
	struct rig r;
	unsigned int uses[QUEUES] = {0};

	plug("net_null5", "");
	rig_init(&r, "net_null5", QUEUES);
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_TRUE(r.port->info.caps & WEIR_PORT_RSS);
	CU_ASSERT_EQUAL(r.port->info.rss_key_len, 40);
	CU_ASSERT_EQUAL(memcmp(r.port->info.rss_key, weir_rss_key, 40), 0);
	CU_ASSERT_EQUAL(r.port->info.reta_size, 128);
	for (int i = 0; i < r.port->info.reta_size; i++)
		uses[r.port->info.reta[i]]++;
	for (int q = 0; q < QUEUES; q++)
		CU_ASSERT_EQUAL(uses[q], 128 / QUEUES);
	r.port->ops->close(r.port);

	r.conf.caps_off = WEIR_PORT_RSS;
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_FALSE(r.port->info.caps & WEIR_PORT_RSS);
	CU_ASSERT_EQUAL(r.port->info.n_queues, QUEUES);
	CU_ASSERT_EQUAL(r.port->info.reta_size, 0);
	r.port->ops->close(r.port);

	r.conf.caps_off = 0;
	r.conf.n_queues = 1;
	CU_ASSERT_EQUAL_FATAL(rig_open(&r), 0);
	CU_ASSERT_FALSE(r.port->info.caps & WEIR_PORT_RSS); /* nothing to spread over */
	rig_close(&r);
	rte_eal_hotplug_remove("vdev", "net_null5");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(an_unknown_device_is_refused_with_the_list),
		UNIT(net_null_gives_and_takes_bursts),
		UNIT(a_device_has_one_owner_and_can_be_opened_again),
		UNIT(net_ring_queues_keep_packets_apart),
		UNIT(a_device_with_fewer_receive_queues_gives_what_it_has),
		UNIT(too_few_transmit_queues_are_refused),
		UNIT(an_impossible_mtu_is_refused_with_the_range),
		UNIT(interrupts_asked_for_are_optional),
		UNIT(capabilities_can_be_switched_off),
		UNIT(several_queues_get_a_known_rss),
		{0},
	};

	return unit_main("ethdev", tests, true);
}
