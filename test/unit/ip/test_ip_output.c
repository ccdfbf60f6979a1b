/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

static struct ip_rig t;
static struct weir_dst dst;
static uint8_t data[65600];

static void
open_caps(uint32_t caps)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 + i / 256);
	ip_open(&t, &(struct rig_conf){.caps = caps}, NULL, false);
}

static struct weir_ip_hdr_info
udp_to(const struct weir_addr *to)
{
	CU_ASSERT_EQUAL(weir_ip_route(&t.ip, to, -1, &dst), 0);
	return (struct weir_ip_hdr_info){
		.src = &dst.src, .dst = to, .proto = IPPROTO_UDP, .may_fragment = true};
}

static void
output(const struct weir_addr *to, size_t n, bool may_fragment)
{
	struct weir_ip_hdr_info h = udp_to(to);

	h.may_fragment = may_fragment;
	weir_ip_output(&t.ip, &dst, rig_mbuf(&t.r, data, n, 0), &h);
}

static void
ip4_header_is_right(void)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *m;
	struct weir_ip4 ip;

	open_caps(0);
	h = udp_to(&peer4);
	h.tos = 0x28;
	h.ttl = 9;
	h.may_fragment = false;
	weir_ip_output(&t.ip, &dst, rig_mbuf(&t.r, data, 100, 0), &h);
	m = rig_sent(&t.r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(weir_ip4_parse(rig_bytes(m) + 14, 20, m->pkt_len - 14, &ip), WEIR_IP_OK);
	CU_ASSERT_TRUE(weir_ip4_cksum_ok(rig_bytes(m) + 14, 20));
	CU_ASSERT_EQUAL(ip.total_len, 120);
	CU_ASSERT_EQUAL(ip.tos, 0x28);
	CU_ASSERT_EQUAL(ip.ttl, 9);
	CU_ASSERT_EQUAL(ip.frag, WEIR_IP4_DF);
	CU_ASSERT_EQUAL(weir_host32(ip.src), 0x0a000001);
	CU_ASSERT_EQUAL(m->l2_len, 14);
	CU_ASSERT_EQUAL(m->l3_len, 20);
	rte_pktmbuf_free(m);
	ip_close(&t);
}

/* RFC 6864 4.3: what may be fragmented needs an identification of its own. */
static void
ip4_identification_differs_where_it_matters(void)
{
	struct weir_ip4 a, b;
	struct rte_mbuf *m;

	open_caps(0);
	output(&peer4, 100, true);
	output(&peer4, 100, true);
	m = rig_sent(&t.r);
	weir_ip4_parse(rig_bytes(m) + 14, 20, 120, &a);
	rte_pktmbuf_free(m);
	m = rig_sent(&t.r);
	weir_ip4_parse(rig_bytes(m) + 14, 20, 120, &b);
	rte_pktmbuf_free(m);
	CU_ASSERT_NOT_EQUAL(a.id, b.id);
	CU_ASSERT_EQUAL(a.frag, 0);
	ip_close(&t);
}

static void
ip6_header_is_right(void)
{
	struct rte_mbuf *m;
	struct weir_ip6 ip;

	open_caps(0);
	t.r.ifc.hop_limit = 33; /* learnt from a router */
	output(&peer6, 100, false);
	m = rig_sent(&t.r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(weir_ip6_parse(rig_bytes(m) + 14, 40, m->pkt_len - 14, &ip), WEIR_IP_OK);
	CU_ASSERT_EQUAL(ip.payload_len, 100);
	CU_ASSERT_EQUAL(ip.next, IPPROTO_UDP);
	CU_ASSERT_EQUAL(ip.hop_limit, 33);
	CU_ASSERT_TRUE(weir_addr_eq(&ip.src, &us6));
	CU_ASSERT_EQUAL(m->l3_len, 40);
	rte_pktmbuf_free(m);
	ip_close(&t);
}

static void
too_big_is_dropped_where_it_may_not_be_split(void)
{
	open_caps(0);
	output(&peer4, 1480, false);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 1);
	output(&peer4, 1481, false);
	output(&peer6, 1461, false);
	ip_tx_fate(&t, drop_too_big, 2);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ip_close(&t);
}

/* What is sent in fragments arrives whole: our own input puts it together. */
static void
fragments_are_those_of_the_datagram(void)
{
	static const size_t sizes[] = {1481, 2960, 2961, 9000, 65515};
	const struct weir_addr *peers[] = {&peer6, &peer4};
	struct rte_mbuf *m;

	for (unsigned int v4 = 0; v4 < 2; v4++) {
		open_caps(0);
		for (size_t i = 0; i < RTE_DIM(sizes); i++) {
			const uint32_t hlen = v4 ? 20 : 48;
			uint32_t off = 0;

			output(peers[v4], sizes[i], true);
			while ((m = rig_sent(&t.r)) != NULL) {
				const uint8_t *b = rig_bytes(m) + 14;
				const uint32_t len = m->pkt_len - 14 - hlen;
				const uint32_t frag =
					v4 ? (b[6] << 8 | b[7]) : (b[42] << 8 | b[43]);

				CU_ASSERT_TRUE(m->pkt_len <= 1514);
				CU_ASSERT_EQUAL(v4 ? (frag & 0x1fff) * 8 : frag & 0xfff8, off);
				CU_ASSERT_EQUAL(!!(frag & (v4 ? 0x2000 : 1)), off + len < sizes[i]);
				CU_ASSERT_TRUE(!v4 || weir_ip4_cksum_ok(b, 20));
				CU_ASSERT_EQUAL(memcmp(b + hlen, data + off, len), 0);
				off += len;
				rte_pktmbuf_free(m);
			}
			CU_ASSERT_EQUAL(off, sizes[i]);
		}
		ip_close(&t);
	}
}

static void
nothing_is_larger_than_ip_allows(void)
{
	open_caps(0);
	output(&peer4, 65516, true);
	output(&peer6, 65536, true);
	ip_tx_fate(&t, drop_too_big, 2);
	ip_close(&t);
}

static void
shared_payload_is_not_written_to(void)
{
	struct rte_mbuf *m, *shared;
	struct weir_ip_hdr_info h;

	open_caps(WEIR_PORT_TX_MULTI_SEG);
	h = udp_to(&peer4);
	shared = rig_mbuf(&t.r, data, 100, 0);
	rte_mbuf_refcnt_update(shared, 1);
	weir_ip_output(&t.ip, &dst, shared, &h);
	m = rig_sent(&t.r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->nb_segs, 2);
	CU_ASSERT_EQUAL(m->data_len, 34); /* both headers in one new mbuf */
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(shared->pkt_len, 100);
	CU_ASSERT_EQUAL(memcmp(rig_bytes(shared), data, 100), 0);
	rte_pktmbuf_free(shared);
	ip_close(&t);
}

/* Checksums */

/* A UDP datagram with its checksum prepared; the field. */
static struct rte_mbuf *
with_cksum(const struct weir_ip_hdr_info *h, size_t n, uint16_t tso)
{
	struct rte_mbuf *m = rig_mbuf(&t.r, data, n, 0);

	weir_ip_l4_cksum(&dst, m, h, rte_pktmbuf_mtod_offset(m, uint16_t *, 6), 8, tso);
	return m;
}

static void
checksum_is_computed_for_ports_that_do_not(void)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *m;

	open_caps(0);
	h = udp_to(&peer6);
	m = with_cksum(&h, 101, 0);
	CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
	CU_ASSERT_TRUE(weir_cksum_l4_ok(m, 0, 101, &us6, &peer6, IPPROTO_UDP));
	rte_pktmbuf_free(m);
	ip_close(&t);
}

static void
checksum_is_left_to_ports_that_can(void)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *m;
	uint16_t field;

	open_caps(WEIR_PORT_TX_UDP_CKSUM);
	h = udp_to(&peer4);
	m = with_cksum(&h, 100, 0);
	CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, RTE_MBUF_F_TX_UDP_CKSUM);
	CU_ASSERT_NOT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_IPV4, 0);
	field = *rte_pktmbuf_mtod_offset(m, uint16_t *, 6);
	CU_ASSERT_EQUAL(field, weir_cksum_pseudo(&us4, &peer4, IPPROTO_UDP, 100));
	weir_ip_output(&t.ip, &dst, m, &h);
	m = rig_sent(&t.r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->l2_len, 14);
	CU_ASSERT_EQUAL(m->l3_len, 20);
	CU_ASSERT_EQUAL(m->l4_len, 8);
	rte_pktmbuf_free(m);
	h.proto = IPPROTO_TCP; /* this one it can't */
	m = with_cksum(&h, 100, 0);
	CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
	rte_pktmbuf_free(m);
	ip_close(&t);
}

/* The port would see the first part of the datagram only. */
static void
checksum_of_a_split_datagram_is_computed(void)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *m;

	open_caps(WEIR_PORT_TX_UDP_CKSUM);
	h = udp_to(&peer4);
	m = with_cksum(&h, 1600, 0);
	CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
	CU_ASSERT_TRUE(weir_cksum_l4_ok(m, 0, 1600, &us4, &peer4, IPPROTO_UDP));
	weir_ip_output(&t.ip, &dst, m, &h);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 2);
	ip_close(&t);
}

/* A TCP packet of 8000 bytes for a port with caps that cuts it, as it leaves. */
static struct rte_mbuf *
send_long(uint32_t caps)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *m;

	open_caps(caps | WEIR_PORT_TX_TCP_CKSUM | WEIR_PORT_TX_TSO | WEIR_PORT_TX_MULTI_SEG);
	h = udp_to(&peer4);
	h.proto = IPPROTO_TCP;
	h.may_fragment = false;
	m = rig_mbuf(&t.r, data, 8000, 2000);
	weir_ip_l4_cksum(&dst, m, &h, rte_pktmbuf_mtod_offset(m, uint16_t *, 16), 20, 1460);
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint16_t *, 16),
		weir_cksum_pseudo(&us4, &peer4, IPPROTO_TCP, 0));
	weir_ip_output(&t.ip, &dst, m, &h);
	m = rig_sent(&t.r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_NOT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG, 0);
	return m;
}

static void
segmentation_is_left_to_the_port(void)
{
	struct rte_mbuf *m = send_long(WEIR_PORT_TX_IP4_CKSUM);

	CU_ASSERT_NOT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM, 0);
	CU_ASSERT_EQUAL(m->tso_segsz, 1460);
	CU_ASSERT_EQUAL(m->l4_len, 20);
	CU_ASSERT_EQUAL(rig_bytes(m)[24] | rig_bytes(m)[25], 0); /* the port's to fill in */
	rte_pktmbuf_free(m);
	ip_close(&t);
}

/* virtio and vmxnet3 cut segments, but offer no checksum of the IPv4 header and refuse its flag. */
static void
segmentation_without_header_checksum_offload(void)
{
	struct rte_mbuf *m = send_long(0);

	CU_ASSERT_EQUAL(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM, 0);
	CU_ASSERT_EQUAL(rte_raw_cksum(rig_bytes(m) + 14, 20), 0xffff);
	rte_pktmbuf_free(m);
	ip_close(&t);
}

static void
udp_checksum_is_never_zero(void)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *m;
	uint8_t bytes[10] = {0};
	uint16_t sum;

	open_caps(0);
	h = udp_to(&peer4);
	sum = (uint16_t)~weir_cksum_pseudo(&us4, &peer4, IPPROTO_UDP, sizeof(bytes));
	memcpy(bytes + 8, &sum, 2); /* makes all add up to 0xffff */
	m = rig_mbuf(&t.r, bytes, sizeof(bytes), 0);
	weir_ip_l4_cksum(&dst, m, &h, rte_pktmbuf_mtod_offset(m, uint16_t *, 6), 8, 0);
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint16_t *, 6), 0xffff);
	rte_pktmbuf_free(m);
	ip_close(&t);
}

/* Local delivery */

static void
packets_to_ourselves_come_back(void)
{
	static const char *const own[] = {"10.0.0.1", "127.0.0.1", "2001:db8::1", "::1"};
	struct weir_ip_hdr_info h;
	struct weir_addr to;

	open_caps(WEIR_PORT_TX_UDP_CKSUM);
	for (size_t i = 0; i < RTE_DIM(own); i++) {
		to = ip_addr(own[i]);
		h = udp_to(&to);
		weir_ip_output(&t.ip, &dst, with_cksum(&h, 3000, 0), &h); /* no MTU in the way */
		CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
		CU_ASSERT_EQUAL(t.r.core.loop.n, 1);
		ip_turn_loop(&t);
		CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
		CU_ASSERT_TRUE(weir_addr_eq(&weir_pkt(t.udp.m[0])->flow.laddr, &to));
		CU_ASSERT_TRUE(weir_addr_eq(&weir_pkt(t.udp.m[0])->flow.raddr, &to));
		CU_ASSERT_TRUE(weir_pkt(t.udp.m[0])->flags & WEIR_PKT_L4_CKSUM_OK);
		CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->l4_len, 3000);
		ip_use(&t);
	}
	ip_tx_fate(&t, looped, 4);
	ip_close(&t);
}

/* A sender keeps a reference for retransmission: the receiver gets its own copy. */
static void
looped_packet_is_the_receivers_alone(void)
{
	struct weir_ip_hdr_info h;
	struct rte_mbuf *kept;

	open_caps(0);
	h = udp_to(&us4);
	kept = rig_mbuf(&t.r, data, 100, 0);
	rte_mbuf_refcnt_update(kept, 1);
	weir_ip_output(&t.ip, &dst, kept, &h);
	ip_turn_loop(&t);
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	CU_ASSERT_EQUAL(t.udp.m[0]->nb_segs, 1);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(kept), 1);
	rte_pktmbuf_free(kept);
	ip_close(&t);
}

static void
full_loop_drops(void)
{
	open_caps(0);
	for (unsigned int i = 0; i < WEIR_LOOP_MAX + 2; i++)
		output(&us4, 20, true);
	ip_tx_fate(&t, drop_port_full, 2);
	ip_turn_loop(&t);
	ip_close(&t);
}

static void
ping_to_ourselves_is_answered(void)
{
	uint8_t msg[16] = {8};
	struct weir_ip_hdr_info h;

	open_caps(0);
	ip_icmp_cksum(msg, sizeof(msg));
	h = udp_to(&us4);
	h.proto = IPPROTO_ICMP;
	weir_ip_output(&t.ip, &dst, rig_mbuf(&t.r, msg, sizeof(msg), 0), &h);
	ip_turn_loop(&t);
	ip_fate(&t, icmp_taken, 1);
	CU_ASSERT_EQUAL(t.r.core.loop.n, 1); /* the reply */
	ip_turn_loop(&t);
	ip_close(&t);
}

static void
loopback_addresses_do_not_leave(void)
{
	const struct weir_addr lo = ip_addr("127.0.0.1");
	struct weir_ip_hdr_info h;

	open_caps(0);
	h = udp_to(&peer4);
	h.src = &lo;
	weir_ip_output(&t.ip, &dst, rig_mbuf(&t.r, data, 20, 0), &h);
	ip_tx_fate(&t, drop_no_route, 1);
	dst.ifc = NULL;
	weir_ip_output(&t.ip, &dst, rig_mbuf(&t.r, data, 20, 0), &h);
	ip_tx_fate(&t, drop_no_route, 2);
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(ip4_header_is_right),
		UNIT(ip4_identification_differs_where_it_matters),
		UNIT(ip6_header_is_right),
		UNIT(too_big_is_dropped_where_it_may_not_be_split),
		UNIT(fragments_are_those_of_the_datagram),
		UNIT(nothing_is_larger_than_ip_allows),
		UNIT(shared_payload_is_not_written_to),
		UNIT(checksum_is_computed_for_ports_that_do_not),
		UNIT(checksum_is_left_to_ports_that_can),
		UNIT(checksum_of_a_split_datagram_is_computed),
		UNIT(segmentation_is_left_to_the_port),
		UNIT(segmentation_without_header_checksum_offload),
		UNIT(udp_checksum_is_never_zero),
		UNIT(packets_to_ourselves_come_back),
		UNIT(looped_packet_is_the_receivers_alone),
		UNIT(full_loop_drops),
		UNIT(ping_to_ourselves_is_answered),
		UNIT(loopback_addresses_do_not_leave),
		{0},
	};

	return unit_main("ip_output", tests, true);
}
