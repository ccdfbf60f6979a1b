/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_rig.h"

#include <rte_malloc.h>

#define POOL_MBUFS 4095

const struct weir_mac us_mac = {{2, 0, 0, 0, 0, 1}};
const struct weir_mac peer_mac = {{2, 0, 0, 0, 0, 2}};
const struct weir_mac all_mac = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
const struct weir_addr us4 = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 1}};
const struct weir_addr peer4 = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 2}};
const struct weir_addr us6 = {.b = {0x20, 1, 0xd, 0xb8, [15] = 1}};
const struct weir_addr peer6 = {.b = {0x20, 1, 0xd, 0xb8, [15] = 2}};
const struct weir_addr link_local = {.b = {0xfe, 0x80, [11] = 0xff, 0xfe, 0, 0, 1}};

void
rig_open_quiet(struct rig *r, const struct rig_conf *c)
{
	struct weir_iface_conf conf = {.port = &r->port.port,
		.vlan = c->vlan,
		.mtu = c->mtu,
		.accept_ra = c->accept_ra,
		.is_ipv6 = !c->no_ipv6,
		.no_dad = !c->use_dad};

	memset(r, 0, sizeof(*r));
	fake_port_init(&r->port, 1);
	r->port.port.info.caps = c->caps;
	weir_wheel_init(&r->wheel, RIG_START_US);
	r->core.now_us = RIG_START_US;
	r->core.wheel = &r->wheel;
	r->core.pool = unit_pool("rig", POOL_MBUFS);
	r->core.worker = c->worker;
	r->core.n_workers = c->n_workers != 0 ? c->n_workers : 1;
	weir_rand_seed(&r->core.rand, 42);
	CU_ASSERT_EQUAL_FATAL(weir_iface_init(&r->ifc, &r->core, &conf), 0);
	if (c->no_addrs)
		return;
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r->ifc, &us4, 120, false), 0);
	if (!c->no_ipv6)
		CU_ASSERT_EQUAL(weir_iface_add_addr(&r->ifc, &us6, 64, c->use_dad), 0);
}

void
rig_open(struct rig *r, const struct rig_conf *c)
{
	rig_open_quiet(r, c);
	weir_iface_start(&r->ifc);
	rig_pass(r, 5000000);
	rig_drain(r);
}

void
rig_close(struct rig *r)
{
	weir_iface_fini(&r->ifc);
	for (unsigned int w = 0; w < WEIR_WORKERS_MAX; w++)
		rte_pktmbuf_free_bulk(r->core.handover[w].m, r->core.handover[w].n);
	weir_core_flush(&r->core);
	fake_port_fini(&r->port);
	CU_ASSERT_EQUAL(r->core.loop.n, 0);
	unit_books_balance(&r->core, r->core.rx_frames);
	CU_ASSERT_EQUAL(r->wheel.armed, 0);
	unit_pool_done(r->core.pool);
}

struct rte_mbuf *
rig_mbuf(struct rig *r, const void *bytes, size_t n, size_t seg)
{
	struct rte_mbuf *head = NULL, *m;
	const uint8_t *b = bytes;
	size_t part;

	do {
		m = rte_pktmbuf_alloc(r->core.pool);
		part = seg == 0 ? RTE_MIN(n, (size_t)rte_pktmbuf_tailroom(m)) : RTE_MIN(n, seg);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)part), b, part);
		b += part;
		n -= part;
		if (head == NULL)
			head = m;
		else
			CU_ASSERT_EQUAL(rte_pktmbuf_chain(head, m), 0);
	} while (n > 0);
	return head;
}

struct rte_mbuf *
rig_frame(struct rig *r, const struct weir_mac *dst, uint16_t type, const void *payload, size_t n)
{
	const struct weir_eth_hdr eth = {.dst = *dst, .src = peer_mac, .type = weir_be16(type)};
	static uint8_t buf[WEIR_ETH_HLEN + 65536];

	memcpy(buf, &eth, sizeof(eth));
	memcpy(buf + sizeof(eth), payload, n);
	return rig_mbuf(r, buf, sizeof(eth) + n, 0);
}

void
rig_recv(struct rig *r, struct rte_mbuf *m)
{
	r->core.rx_frames++;
	weir_vec_add(&r->frame, m);
	weir_eth_input(&r->ifc, &r->frame, &r->arp, &r->ip4, &r->ip6);
	weir_arp_input(&r->ifc, &r->arp);
	weir_core_flush(&r->core);
}

static void
fire(struct rig *r, struct weir_wheel_entry *e)
{
	if (e->kind == WEIR_TIMER_NEIGH)
		weir_neigh_timer(RTE_PTR_SUB(e, offsetof(struct weir_neigh, timer)));
	else if (e->kind == WEIR_TIMER_IFACE)
		weir_iface_timer(&r->ifc);
	else if (r->ip_timer != NULL)
		r->ip_timer(e);
}

void
rig_pass(struct rig *r, uint64_t us)
{
	const uint64_t until_us = r->core.now_us + us;
	struct weir_wheel_entry *due[8];
	uint64_t next_us;
	unsigned int n;

	do {
		next_us = weir_wheel_next_us(&r->wheel);
		r->core.now_us = RTE_MIN(RTE_MAX(next_us, r->core.now_us), until_us);
		while ((n = weir_wheel_expire(&r->wheel, r->core.now_us, due, 1)) > 0)
			fire(r, due[0]);
		weir_eth_flush(&r->ifc);
		weir_core_flush(&r->core);
	} while (r->core.now_us < until_us);
}

struct rte_mbuf *
rig_sent(struct rig *r)
{
	weir_eth_flush(&r->ifc);
	return fake_port_take(&r->port, 0);
}

unsigned int
rig_drain(struct rig *r)
{
	weir_eth_flush(&r->ifc);
	return fake_port_drain(&r->port);
}

void
rig_use(struct rig *r, struct weir_vec *v)
{
	for (unsigned int i = 0; i < v->n; i++)
		weir_end(&r->core, v->m[i], WEIR_FATE_udp_taken);
	v->n = 0;
	weir_core_flush(&r->core);
}
