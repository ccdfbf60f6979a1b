/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_rig.h"

#include <stdio.h>

#include "weir_cksum.h"
#include "weir_ip_hdr.h"
#include "weir_udp_hdr.h"

static const char hello[] = "hello, datagram";

static struct rte_mbuf *
payload(struct rig *r, const void *data, uint16_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memcpy(rte_pktmbuf_append(m, n), data, n);
	return m;
}

/* n bytes of payload in a chain. */
static struct rte_mbuf *
long_payload(struct rig *r, uint32_t n)
{
	struct rte_mbuf *m = NULL;

	while (n > 0) {
		struct rte_mbuf *seg = rte_pktmbuf_alloc(r->pool);
		const uint16_t part = (uint16_t)RTE_MIN(n, 1999u);

		CU_ASSERT_PTR_NOT_NULL_FATAL(seg);
		memset(rte_pktmbuf_append(seg, part), (int)(n % 251), part);
		if (m == NULL)
			m = seg;
		else
			CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_chain(m, seg), 0);
		n -= part;
	}
	return m;
}

static int
send_from(struct rig *r, struct rte_mbuf *m, const char *from, const char *to)
{
	return weir_udp_output(&r->udp, m,
		&(struct weir_dgram){.laddr = addr(from),
			.raddr = addr(to),
			.lport = weir_be16(2000),
			.rport = weir_be16(1000),
			.ifindex = -1});
}

static void
check_addrs(struct rte_mbuf *m, const struct weir_addr *src, const struct weir_addr *dst)
{
	uint8_t bytes[WEIR_IP6_HLEN];
	const uint8_t *p = rte_pktmbuf_read(m, 0, WEIR_IP6_HLEN, bytes);

	if (p == NULL)
		p = rte_pktmbuf_read(m, 0, WEIR_IP4_HLEN, bytes);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	if (weir_addr_is_v4(dst)) {
		CU_ASSERT_EQUAL(memcmp(p + 12, &src->b[12], 4), 0);
		CU_ASSERT_EQUAL(memcmp(p + 16, &dst->b[12], 4), 0);
		CU_ASSERT_EQUAL(p[6] & 0x40, 0); /* DF */
	} else {
		CU_ASSERT_EQUAL(memcmp(p + 8, src->b, 16), 0);
		CU_ASSERT_EQUAL(memcmp(p + 24, dst->b, 16), 0);
	}
}

/* The next packet sent, from to to, carries these n bytes in a right datagram. Taken and freed. */
static void
sent_is(struct rig *r, const char *from, const char *to, const void *data, uint16_t n)
{
	const struct weir_addr src = addr(from), dst = addr(to);
	const uint16_t hlen = weir_addr_is_v4(&dst) ? WEIR_IP4_HLEN : WEIR_IP6_HLEN;
	struct rte_mbuf *m = rig_sent(r);
	struct weir_udp_hdr h;
	uint8_t bytes[2048];

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL_FATAL(m->pkt_len, (uint32_t)hlen + WEIR_UDP_HLEN + n);
	memcpy(&h, rte_pktmbuf_read(m, hlen, sizeof(h), bytes), sizeof(h));
	check_addrs(m, &src, &dst);
	CU_ASSERT_EQUAL(weir_host16(h.src), 2000);
	CU_ASSERT_EQUAL(weir_host16(h.dst), 1000);
	CU_ASSERT_EQUAL(weir_host16(h.len), WEIR_UDP_HLEN + n);
	CU_ASSERT_NOT_EQUAL(h.cksum.raw, 0);
	CU_ASSERT_TRUE(weir_cksum_l4_ok(m, hlen, WEIR_UDP_HLEN + n, &src, &dst, IPPROTO_UDP));
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_read(m, hlen + WEIR_UDP_HLEN, n, bytes), data, n), 0);
	rte_pktmbuf_free(m);
}

static void
datagrams_leave_over_both_versions(void)
{
	struct rig *r = rig_open();

	CU_ASSERT_EQUAL(send_from(r, payload(r, hello, sizeof(hello)), US4, PEER4), 0);
	sent_is(r, US4, PEER4, hello, sizeof(hello));
	CU_ASSERT_EQUAL(send_from(r, payload(r, hello, sizeof(hello)), US6, PEER6), 0);
	sent_is(r, US6, PEER6, hello, sizeof(hello));
	CU_ASSERT_EQUAL(r->udp.stats.tx_datagrams, 2);
	rig_close(r);
}

static void
an_unbound_source_is_the_routes(void)
{
	static const char *const any4[] = {"0.0.0.0", "::", "224.0.0.5"};
	struct rig *r = rig_open();

	for (size_t i = 0; i < RTE_DIM(any4); i++) {
		CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), any4[i], PEER4), 0);
		sent_is(r, US4, PEER4, hello, 5);
	}
	CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), "::", PEER6), 0);
	sent_is(r, US6, PEER6, hello, 5);
	rig_close(r);
}

static void
a_source_of_the_other_version_does_not_reach(void)
{
	struct rig *r = rig_open();

	CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), US6, PEER4), -ENETUNREACH);
	CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), US4, PEER6), -ENETUNREACH);
	CU_ASSERT_PTR_NULL(rig_sent(r));
	rig_close(r);
}

static void
no_route_is_an_error(void)
{
	struct rig *r = rig_open();

	CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), US4, "198.51.100.1"), -ENETUNREACH);
	rig_close(r);
}

/* The way to a destination is remembered, but not beyond a change of routes. */
static void
a_new_route_is_used_and_a_removed_one_no_more(void)
{
	const struct weir_addr net = addr("198.51.100.0"), gateway = addr(PEER4);
	struct rig *r = rig_open();

	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(
			send_from(r, payload(r, hello, 5), US4, "198.51.100.1"), -ENETUNREACH);
		CU_ASSERT_EQUAL(weir_ip_set_route(&r->ip, &net, 120, &gateway, 0), 0);
		for (unsigned int k = 0; k < 2; k++) {
			CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), US4, "198.51.100.1"), 0);
			sent_is(r, US4, "198.51.100.1", hello, 5);
		}
		CU_ASSERT_EQUAL(weir_ip_del_route(&r->ip, &net, 120, WEIR_METRIC_ANY), 0);
	}
	rig_close(r);
}

/* More destinations than are remembered, each a neighbour of its own. */
static void
many_destinations_do_not_get_mixed_up(void)
{
	struct rig *r = rig_open();
	char text[16];

	for (unsigned int i = 0; i < 400; i++) {
		const struct weir_mac mac = {{2, 0, 0, 0, 1, (uint8_t)(i % 200)}};
		struct weir_addr a;
		struct rte_mbuf *m;

		snprintf(text, sizeof(text), "192.0.2.%u", 10 + i % 200);
		a = addr(text);
		weir_iface_add_neigh(&r->ifc, &a, &mac);
		CU_ASSERT_EQUAL(send_from(r, payload(r, hello, 5), US4, text), 0);
		weir_eth_flush(&r->ifc);
		m = fake_port_take(&r->port, 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_TRUE(weir_mac_eq(rte_pktmbuf_mtod(m, struct weir_mac *), &mac));
		rte_pktmbuf_free(m);
	}
	rig_close(r);
}

/* RFC 768: the payload's last word is chosen so that the sum comes out as zero. */
static void
a_checksum_of_zero_is_sent_as_ones(void)
{
	uint16_t word[2] = {0, 0};
	struct rig *r = rig_open();
	struct rte_mbuf *m;

	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(send_from(r, payload(r, word, 4), US4, PEER4), 0);
		m = rig_sent(r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		memcpy(&word[1], rte_pktmbuf_mtod_offset(m, char *, 26), 2);
		rte_pktmbuf_free(m);
	}
	CU_ASSERT_EQUAL(word[1], 0xffff);
	rig_close(r);
}

static void
too_long_for_ip_is_emsgsize(void)
{
	struct rig *r = rig_open();

	CU_ASSERT_EQUAL(send_from(r, long_payload(r, 65508), US4, PEER4), -EMSGSIZE);
	CU_ASSERT_EQUAL(send_from(r, long_payload(r, 65528), US6, PEER6), -EMSGSIZE);
	CU_ASSERT_PTR_NULL(rig_sent(r));
	rig_close(r);
}

/* Longer than the MTU: fragments, whose datagram has a right checksum. */
static void
longer_than_the_mtu_is_split(void)
{
	const struct weir_addr src = addr(US4), dst = addr(PEER4);
	struct rig *r = rig_open();
	struct rte_mbuf *whole, *m;

	r->ifc.caps |= WEIR_PORT_TX_UDP_CKSUM; /* no help: the port never sees all of it */
	CU_ASSERT_EQUAL(send_from(r, long_payload(r, 5000), US4, PEER4), 0);
	whole = rig_sent(r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(whole);
	rte_pktmbuf_adj(whole, WEIR_IP4_HLEN);
	for (; (m = rig_sent(r)) != NULL;) {
		CU_ASSERT(m->pkt_len <= 1500);
		CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
		rte_pktmbuf_adj(m, WEIR_IP4_HLEN);
		CU_ASSERT_EQUAL(rte_pktmbuf_chain(whole, m), 0);
	}
	CU_ASSERT_EQUAL(whole->pkt_len, WEIR_UDP_HLEN + 5000);
	CU_ASSERT_TRUE(weir_cksum_l4_ok(whole, 0, whole->pkt_len, &src, &dst, IPPROTO_UDP));
	rte_pktmbuf_free(whole);
	rig_close(r);
}

static void
the_longest_datagrams_leave(void)
{
	struct rig *r = rig_open();

	CU_ASSERT_EQUAL(send_from(r, long_payload(r, 65507), US4, PEER4), 0);
	weir_eth_flush(&r->ifc);
	CU_ASSERT_EQUAL(fake_port_drain(&r->port), (65507 + 8 + 1479) / 1480);
	CU_ASSERT_EQUAL(send_from(r, long_payload(r, 65527), US6, PEER6), 0);
	weir_eth_flush(&r->ifc);
	CU_ASSERT_EQUAL(fake_port_drain(&r->port), (65527 + 8 + 1447) / 1448);
	rig_close(r);
}

static void
a_shared_payload_is_not_written_to(void)
{
	struct rig *r = rig_open();
	struct rte_mbuf *m = payload(r, hello, sizeof(hello)), *clone;
	char before[RTE_PKTMBUF_HEADROOM + sizeof(hello)];

	memcpy(before, m->buf_addr, sizeof(before));
	clone = rte_pktmbuf_clone(m, r->pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(clone);
	CU_ASSERT_EQUAL(send_from(r, clone, US4, PEER4), 0); /* indirect */
	sent_is(r, US4, PEER4, hello, sizeof(hello));
	rte_pktmbuf_refcnt_update(m, 1);
	CU_ASSERT_EQUAL(send_from(r, m, US6, PEER6), 0); /* direct, another holds it too */
	sent_is(r, US6, PEER6, hello, sizeof(hello));
	CU_ASSERT_EQUAL(memcmp(before, m->buf_addr, sizeof(before)), 0);
	CU_ASSERT_EQUAL(m->pkt_len, sizeof(hello));
	rte_pktmbuf_free(m);
	rig_close(r);
}

static void
headroom_is_not_needed(void)
{
	struct rig *r = rig_open();

	for (uint16_t room = 0; room < 64; room++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		m->data_off = room;
		memcpy(rte_pktmbuf_append(m, sizeof(hello)), hello, sizeof(hello));
		CU_ASSERT_EQUAL(send_from(r, m, US4, PEER4), 0);
		sent_is(r, US4, PEER4, hello, sizeof(hello));
	}
	rig_close(r);
}

static void
a_dry_pool_is_enobufs_and_frees_the_payload(void)
{
	struct rig *r = rig_open();
	struct rte_mbuf *held[RIG_MBUFS - 1], *m = payload(r, hello, sizeof(hello));

	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_alloc_bulk(r->pool, held, RTE_DIM(held)), 0);
	m->data_off = 0;
	CU_ASSERT_EQUAL(send_from(r, m, US4, PEER4), -ENOBUFS);
	CU_ASSERT_EQUAL(r->core.mbuf_fail, 1);
	rte_pktmbuf_free_bulk(held, RTE_DIM(held));
	rig_close(r);
}

static void
a_received_packet_goes_out_without_marks_of_its_way_in(void)
{
	struct rig *r = rig_open();
	struct rte_mbuf *m = payload(r, hello, sizeof(hello));

	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_TX_TCP_SEG;
	m->tso_segsz = 1000;
	CU_ASSERT_EQUAL(send_from(r, m, US4, PEER4), 0);
	m = rig_sent(r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->ol_flags & (RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_L4_CKSUM_GOOD |
					      RTE_MBUF_F_TX_TCP_SEG),
		0);
	CU_ASSERT_EQUAL(m->tso_segsz, 0);
	rte_pktmbuf_free(m);
	rig_close(r);
}

/* RFC 1112 6.1: one hop, unless asked for more. */
static void
a_group_is_reached_with_one_hop_by_default(void)
{
	const struct weir_addr any = addr("0.0.0.0"), group = addr("224.1.2.3");
	struct rig *r = rig_open();

	for (uint8_t ttl = 0; ttl < 10; ttl += 9) {
		struct rte_mbuf *m = payload(r, hello, 5);

		CU_ASSERT_EQUAL(weir_udp_output(&r->udp, m,
					&(struct weir_dgram){.laddr = any,
						.raddr = group,
						.lport = weir_be16(2000),
						.rport = weir_be16(1000),
						.tos = 0xb8,
						.ttl = ttl}),
			0);
		m = rig_sent(r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint8_t *, 8), ttl == 0 ? 1 : ttl);
		CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint8_t *, 1), 0xb8);
		rte_pktmbuf_free(m);
	}
	rig_close(r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(datagrams_leave_over_both_versions),
		UNIT(an_unbound_source_is_the_routes),
		UNIT(a_source_of_the_other_version_does_not_reach),
		UNIT(no_route_is_an_error),
		UNIT(a_new_route_is_used_and_a_removed_one_no_more),
		UNIT(many_destinations_do_not_get_mixed_up),
		UNIT(a_checksum_of_zero_is_sent_as_ones),
		UNIT(too_long_for_ip_is_emsgsize),
		UNIT(longer_than_the_mtu_is_split),
		UNIT(the_longest_datagrams_leave),
		UNIT(a_shared_payload_is_not_written_to),
		UNIT(headroom_is_not_needed),
		UNIT(a_dry_pool_is_enobufs_and_frees_the_payload),
		UNIT(a_received_packet_goes_out_without_marks_of_its_way_in),
		UNIT(a_group_is_reached_with_one_hop_by_default),
		{NULL},
	};

	return unit_main("udp/output", tests, true);
}
