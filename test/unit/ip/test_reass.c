/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

#define S 1000000ull

static struct ip_rig t;
static uint8_t data[65600];

static void
open_rig(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	ip_open(&t, &(struct rig_conf){0}, NULL, false);
}

/* Bytes off..off+len of the datagram `id`, in either version. */
static void
recv_frag(bool is_v4, uint16_t id, size_t off, size_t len, bool more)
{
	uint8_t ext[8];

	if (is_v4) {
		ip_recv4(&t, &(struct pkt4){.id = id,
				     .frag = (uint16_t)(off / 8 | (more ? WEIR_IP4_MF : 0)),
				     .payload = data + off,
				     .n = len,
				     .seg = 1000});
		return;
	}
	weir_ip6_frag_build(
		ext, &(struct weir_ip6_frag){
			     .id = id, .offset = (uint16_t)off, .next = IPPROTO_UDP, .more = more});
	ip_recv6(&t, &(struct pkt6){.next = 44,
			     .ext = ext,
			     .n_ext = 8,
			     .payload = data + off,
			     .n = len,
			     .seg = 1000});
}

static void
expect_datagram(bool is_v4, uint32_t len)
{
	static uint8_t got[65535];
	struct weir_pkt *p;

	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	p = weir_pkt(t.udp.m[0]);
	CU_ASSERT_EQUAL(p->l4_off, is_v4 ? 20 : 48);
	CU_ASSERT_EQUAL(p->l4_len, len);
	CU_ASSERT_EQUAL(p->proto, IPPROTO_UDP);
	CU_ASSERT_TRUE(p->flags & WEIR_PKT_REASSEMBLED);
	CU_ASSERT_EQUAL(t.udp.m[0]->pkt_len, p->l4_off + len);
	rte_mbuf_sanity_check(t.udp.m[0], 1);
	if (rte_pktmbuf_read(t.udp.m[0], p->l4_off, len, got) != got)
		memcpy(got, rte_pktmbuf_mtod_offset(t.udp.m[0], void *, p->l4_off), len);
	CU_ASSERT_EQUAL(memcmp(got, data, len), 0);
	CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 0);
	ip_use(&t);
}

#define BOTH(v4) for (unsigned int v4 = 0; v4 < 2; v4++)

static void
parts_in_any_order_make_the_datagram(void)
{
	static const unsigned int orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	BOTH(v4)
	{
		open_rig();
		for (unsigned int o = 0; o < 6; o++) {
			for (unsigned int i = 0; i < 3; i++) {
				CU_ASSERT_EQUAL(t.udp.n, 0);
				CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), i);
				recv_frag(v4, (uint16_t)o, orders[o][i] * 1480u,
					orders[o][i] < 2 ? 1480 : 33, orders[o][i] < 2);
			}
			expect_datagram(v4, 2993);
		}
		ip_fate(&t, frag_merged, 12);
		CU_ASSERT_EQUAL(t.ip.stats.reassembled, 6);
		ip_close(&t);
	}
}

static void
largest_datagram_is_put_together(void)
{
	BOTH(v4)
	{
		const size_t len = v4 ? 65515 : 65535;

		open_rig();
		for (size_t off = 0; off < len; off += 1448)
			recv_frag(v4, 1, off, RTE_MIN((size_t)1448, len - off), off + 1448 < len);
		expect_datagram(v4, (uint32_t)len);
		ip_close(&t);
	}
}

static void
overlap_drops_the_whole_datagram(void)
{
	BOTH(v4)
	{
		open_rig();
		recv_frag(v4, 1, 0, 80, true);
		recv_frag(v4, 1, 160, 80, true);
		recv_frag(v4, 1, 72, 80, true); /* over the end of the first */
		ip_fate(&t, drop_frag_bad, 3);
		CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 0);
		recv_frag(v4, 1, 160, 80, true);
		recv_frag(v4, 1, 96, 72, true); /* into the start of the next */
		ip_fate(&t, drop_frag_bad, 5);
		recv_frag(v4, 1, 96, 72, true);
		recv_frag(v4, 1, 80, 200, true); /* around it */
		ip_fate(&t, drop_frag_bad, 7);
		ip_close(&t);
	}
}

static void
duplicate_is_dropped_alone(void)
{
	BOTH(v4)
	{
		open_rig();
		recv_frag(v4, 1, 0, 80, true);
		recv_frag(v4, 1, 0, 80, true);
		ip_fate(&t, drop_frag_bad, 1);
		recv_frag(v4, 1, 80, 8, false);
		expect_datagram(v4, 88);
		ip_close(&t);
	}
}

static void
malformed_parts_are_dropped(void)
{
	BOTH(v4)
	{
		open_rig();
		recv_frag(v4, 1, 0, 81, true); /* not a multiple of 8 */
		recv_frag(v4, 1, 8, 0, true);
		recv_frag(v4, 1, 8, 0, false);
		recv_frag(v4, 1, 65528, 8, false); /* beyond 65535 */
		ip_fate(&t, drop_frag_bad, 4);
		CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 0);
		rig_drain(&t.r);
		ip_close(&t);
	}
}

static void
contradicting_ends_drop_the_datagram(void)
{
	BOTH(v4)
	{
		open_rig();
		recv_frag(v4, 1, 80, 8, false);
		recv_frag(v4, 1, 160, 8, false); /* ends elsewhere */
		ip_fate(&t, drop_frag_bad, 2);
		recv_frag(v4, 2, 80, 8, false);
		recv_frag(v4, 2, 88, 8, true); /* goes on behind the end */
		ip_fate(&t, drop_frag_bad, 4);
		recv_frag(v4, 3, 88, 8, true);
		recv_frag(v4, 3, 40, 8, false); /* ends before what is there */
		ip_fate(&t, drop_frag_bad, 6);
		CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 0);
		ip_close(&t);
	}
}

static void
datagrams_do_not_mix(void)
{
	open_rig();
	recv_frag(true, 1, 0, 80, true);
	recv_frag(true, 2, 80, 8, false);
	recv_frag(false, 1, 80, 8, false);
	ip_recv4(&t,
		&(struct pkt4){
			.id = 1, .frag = 10, .proto = IPPROTO_TCP, .payload = data + 80, .n = 8});
	ip_recv4(&t, &(struct pkt4){
			     .id = 1, .frag = 10, .src = "10.0.0.3", .payload = data + 80, .n = 8});
	CU_ASSERT_EQUAL(t.udp.n + t.tcp.n, 0);
	CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 5);
	recv_frag(true, 1, 80, 8, false);
	CU_ASSERT_EQUAL(t.udp.n, 1);
	CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 4);
	ip_close(&t);
}

/* RFC 6946: a fragment that is the whole datagram waits for nothing. */
static void
atomic_fragment_goes_up_at_once(void)
{
	open_rig();
	recv_frag(false, 1, 0, 80, true);
	recv_frag(false, 1, 0, 33, false);
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->l4_off, 48);
	CU_ASSERT_EQUAL(weir_pkt(t.udp.m[0])->l4_len, 33);
	CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 1);
	ip_close(&t);
}

static void
incomplete_datagram_times_out_and_is_reported(void)
{
	struct weir_icmp_hdr h;
	struct rte_mbuf *m;

	BOTH(v4)
	{
		open_rig();
		recv_frag(v4, 1, 0, 80, true);
		recv_frag(v4, 2, 80, 80, true); /* without its start there is nothing to quote */
		rig_pass(&t.r, 60 * S - 1);
		ip_fate(&t, drop_frag_timeout, 0);
		rig_pass(&t.r, 1);
		ip_fate(&t, drop_frag_timeout, 2);
		CU_ASSERT_EQUAL(weir_ip_frags_held(&t.ip), 0);
		m = rig_sent(&t.r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		memcpy(&h, rig_bytes(m) + 14 + (v4 ? 20 : 40), sizeof(h));
		CU_ASSERT_EQUAL(h.type, v4 ? WEIR_ICMP4_TIME_EXCEEDED : WEIR_ICMP6_TIME_EXCEEDED);
		CU_ASSERT_EQUAL(h.code, WEIR_ICMP_FRAG_TIMEOUT);
		rte_pktmbuf_free(m);
		CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
		ip_close(&t);
	}
}

static void
memory_is_bounded_and_the_oldest_goes(void)
{
	open_rig();
	for (uint16_t id = 0; id < 64; id++) {
		recv_frag(true, id, 0, 80, true);
		rig_pass(&t.r, 1);
	}
	ip_fate(&t, drop_frag_limit, 0);
	recv_frag(true, 100, 0, 80, true);
	ip_fate(&t, drop_frag_limit, 1);
	recv_frag(true, 63, 80, 8, false); /* a young one survived */
	CU_ASSERT_EQUAL(t.udp.n, 1);
	for (size_t i = 0; i < 2000; i++)
		recv_frag(true, 200, i * 16, 8, true); /* never complete */
	CU_ASSERT_TRUE(weir_ip_frags_held(&t.ip) <= 512);
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(parts_in_any_order_make_the_datagram),
		UNIT(largest_datagram_is_put_together),
		UNIT(overlap_drops_the_whole_datagram),
		UNIT(duplicate_is_dropped_alone),
		UNIT(malformed_parts_are_dropped),
		UNIT(contradicting_ends_drop_the_datagram),
		UNIT(datagrams_do_not_mix),
		UNIT(atomic_fragment_goes_up_at_once),
		UNIT(incomplete_datagram_times_out_and_is_reported),
		UNIT(memory_is_bounded_and_the_oldest_goes),
		{0},
	};

	return unit_main("reass", tests, true);
}
