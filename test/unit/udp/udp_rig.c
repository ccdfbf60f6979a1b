/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_rig.h"

#include <stdlib.h>

#include "weir_cksum.h"
#include "weir_ip_hdr.h"
#include "weir_udp_hdr.h"

struct weir_addr
addr(const char *text)
{
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(text, &a), 0);
	return a;
}

static void
set_up_iface(struct rig *r)
{
	const struct weir_iface_conf conf = {
		.port = &r->port.port, .is_ipv6 = true, .no_dad = true};
	const struct weir_addr us4 = addr(US4), us6 = addr(US6);
	const struct weir_addr peer4 = addr(PEER4), peer6 = addr(PEER6);
	const struct weir_mac mac = {{2, 0, 0, 0, 0, 2}};

	CU_ASSERT_EQUAL_FATAL(weir_iface_init(&r->ifc, &r->core, &conf), 0);
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r->ifc, &us4, 120, false), 0);
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r->ifc, &us6, 64, false), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r->ifc, &peer4, &mac), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r->ifc, &peer6, &mac), 0);
	weir_eth_flush(&r->ifc);
	fake_port_drain(&r->port); /* announcements of the addresses */
}

struct rig *
rig_open(void)
{
	struct rig *r = calloc(1, sizeof(*r));
	const struct weir_ip_conf conf = {
		.ifaces = &r->ifc, .n_ifaces = 1, .numa_node = SOCKET_ID_ANY, .name = "rig"};

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	r->pool = unit_pool("rig", RIG_MBUFS);
	weir_wheel_init(&r->wheel, 0);
	r->core.wheel = &r->wheel;
	r->core.pool = r->pool;
	r->core.n_workers = 1;
	r->core.now_us = 1000000;
	weir_rand_seed(&r->core.rand, 1);
	fake_port_init(&r->port, 1);
	set_up_iface(r);
	CU_ASSERT_EQUAL_FATAL(weir_ip_init(&r->ip, &r->core, &conf), 0);
	CU_ASSERT_EQUAL_FATAL(weir_udp_init(&r->udp, &r->core, &r->ip, 16, SOCKET_ID_ANY), 0);
	STAILQ_INIT(&r->ready);
	return r;
}

void
rig_close(struct rig *r)
{
	weir_udp_fini(&r->udp);
	weir_ip_fini(&r->ip);
	weir_iface_fini(&r->ifc);
	fake_port_fini(&r->port);
	weir_core_flush(&r->core);
	unit_books_balance(&r->core, r->given);
	unit_pool_done(r->pool);
	free(r);
}

static void
put_ip_header(struct rte_mbuf *m, const struct weir_addr *src, const struct weir_addr *dst)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t len;

	if (weir_addr_is_v4(dst)) {
		len = rte_cpu_to_be_16((uint16_t)m->pkt_len);
		memset(p, 0, WEIR_IP4_HLEN);
		p[0] = 0x45;
		memcpy(p + 2, &len, 2);
		p[8] = 64;
		p[9] = IPPROTO_UDP;
		memcpy(p + 12, &src->b[12], 4);
		memcpy(p + 16, &dst->b[12], 4);
		return;
	}
	len = rte_cpu_to_be_16((uint16_t)(m->pkt_len - WEIR_IP6_HLEN));
	memset(p, 0, WEIR_IP6_HLEN);
	p[0] = 0x60;
	memcpy(p + 4, &len, 2);
	p[6] = IPPROTO_UDP;
	p[7] = 64;
	memcpy(p + 8, src->b, 16);
	memcpy(p + 24, dst->b, 16);
}

struct rte_mbuf *
rig_dgram(struct rig *r, const struct dgram *d)
{
	const struct weir_addr src = addr(d->src == NULL ? PEER4 : d->src);
	const struct weir_addr dst = addr(d->dst == NULL ? US4 : d->dst);
	const uint16_t hlen = weir_addr_is_v4(&dst) ? WEIR_IP4_HLEN : WEIR_IP6_HLEN;
	const uint16_t len = (uint16_t)(WEIR_UDP_HLEN + d->n);
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);
	struct weir_udp_hdr *h;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	h = (void *)(rte_pktmbuf_append(m, (uint16_t)(hlen + len + d->extra)) + hlen);
	put_ip_header(m, &src, &dst);
	*h = (struct weir_udp_hdr){.src = weir_be16(d->sport == 0 ? 1000 : d->sport),
		.dst = weir_be16(d->dport == 0 ? 2000 : d->dport),
		.len = weir_be16(len)};
	if (d->n > 0)
		memcpy(h + 1, d->data, d->n);
	memset((char *)h + len, 0xee, d->extra);
	if (!d->no_cksum)
		h->cksum.raw = weir_cksum_l4(m, hlen, len, &src, &dst, IPPROTO_UDP);
	if (d->bad_cksum)
		h->cksum.raw ^= 0x0101;
	*weir_pkt(m) = (struct weir_pkt){.l4_off = hlen,
		.l4_len = (uint16_t)(len + d->extra),
		.proto = IPPROTO_UDP,
		.ttl = 64,
		.flags = d->flags,
		.ifindex = d->ifindex,
		.flow = {.laddr = dst, .raddr = src}};
	return m;
}

void
rig_input(struct rig *r, struct rte_mbuf *m)
{
	struct weir_vec v = {.n = 1, .m = {m}};

	r->given++;
	weir_udp_input(&r->udp, &v, &r->ready);
	CU_ASSERT_EQUAL(v.n, 0);
}

struct weir_pcb
rig_pcb(const char *laddr, bool is_v6)
{
	return (struct weir_pcb){.laddr = addr(laddr != NULL ? laddr
					       : is_v6	     ? "::"
							     : "0.0.0.0"),
		.lport = weir_be16(2000),
		.is_v6 = is_v6,
		.ready.kind = WEIR_READY_UDP};
}

void
rig_got(struct weir_pcb *pcb, const void *data, uint16_t n)
{
	struct rte_mbuf *m = weir_pktq_pop(&pcb->rx);
	uint8_t bytes[2048];

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->pkt_len, n);
	if (n > 0) {
		const void *p = rte_pktmbuf_read(m, 0, n, bytes);

		CU_ASSERT_FATAL(p != NULL);
		CU_ASSERT_EQUAL(memcmp(p, data, n), 0);
	}
	rte_pktmbuf_free(m);
}

unsigned int
rig_drain(struct weir_pcb *pcb)
{
	const unsigned int n = pcb->rx.n;

	weir_pktq_free(&pcb->rx);
	return n;
}

struct rte_mbuf *
rig_sent(struct rig *r)
{
	struct rte_mbuf *m;

	weir_eth_flush(&r->ifc);
	m = fake_port_take(&r->port, 0);
	if (m != NULL)
		rte_pktmbuf_adj(m, WEIR_ETH_HLEN);
	return m;
}
