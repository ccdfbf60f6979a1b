/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_rig.h"

#include "weir_udp_hdr.h"

static const char hello[] = "hello, datagram";

static void
payload_addresses_and_ports_reach_the_binding(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, false);
	const struct weir_addr peer = addr(PEER4), us = addr(US4);
	const struct weir_pkt *p;

	weir_udp_bind(&r->udp, &pcb);
	rig_recv(r, .sport = 1234, .data = hello, .n = sizeof(hello));
	CU_ASSERT_PTR_EQUAL(weir_ready_pop(&r->ready), &pcb.ready);
	CU_ASSERT_EQUAL(pcb.ready.events, WEIR_READY_READ);
	CU_ASSERT_EQUAL_FATAL(pcb.rx.n, 1);
	p = weir_pkt(weir_pktq_first(&pcb.rx));
	CU_ASSERT_TRUE(weir_addr_eq(&p->flow.laddr, &us) && weir_addr_eq(&p->flow.raddr, &peer));
	CU_ASSERT_EQUAL(weir_host16(p->flow.lport), 2000);
	CU_ASSERT_EQUAL(weir_host16(p->flow.rport), 1234);
	rig_got(&pcb, hello, sizeof(hello));
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_udp_taken], 1);
	rig_close(r);
}

static void
an_empty_datagram_is_a_datagram(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, true);

	weir_udp_bind(&r->udp, &pcb);
	rig_recv(r, .src = PEER6, .dst = US6);
	rig_recv(r, .src = PEER4, .dst = US4);
	rig_got(&pcb, NULL, 0);
	rig_got(&pcb, NULL, 0);
	rig_close(r);
}

static void
what_lies_behind_the_datagram_is_cut_off(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, false);

	weir_udp_bind(&r->udp, &pcb);
	rig_recv(r, .data = hello, .n = sizeof(hello), .extra = 7);
	rig_got(&pcb, hello, sizeof(hello));
	rig_close(r);
}

static void
set_len(struct rte_mbuf *m, uint16_t len)
{
	rte_pktmbuf_mtod_offset(m, struct weir_udp_hdr *, weir_pkt(m)->l4_off)->len =
		weir_be16(len);
}

static void
wrong_lengths_are_dropped(void)
{
	static const uint16_t bad[] = {0, 1, 7, 8 + sizeof(hello) + 1, UINT16_MAX};
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, false);
	const struct dgram d = {.data = hello, .n = sizeof(hello), .no_cksum = true};
	struct rte_mbuf *m;

	weir_udp_bind(&r->udp, &pcb);
	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		m = rig_dgram(r, &d);
		set_len(m, bad[i]);
		rig_input(r, m);
	}
	for (uint16_t n = 0; n < WEIR_UDP_HLEN; n++) { /* not even a header */
		m = rig_dgram(r, &d);
		weir_pkt(m)->l4_len = n;
		rte_pktmbuf_trim(m, (uint16_t)(WEIR_UDP_HLEN + sizeof(hello) - n));
		rig_input(r, m);
	}
	CU_ASSERT_EQUAL(rig_drain(&pcb), 0);
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_short], RTE_DIM(bad) + WEIR_UDP_HLEN);
	CU_ASSERT_PTR_NULL(rig_sent(r));
	rig_close(r);
}

static void
a_wrong_checksum_is_dropped(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, true);

	weir_udp_bind(&r->udp, &pcb);
	rig_recv(r, .data = hello, .n = sizeof(hello), .bad_cksum = true);
	rig_recv(r, .src = PEER6, .dst = US6, .data = hello, .n = sizeof(hello), .bad_cksum = true);
	CU_ASSERT_EQUAL(rig_drain(&pcb), 0);
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_cksum], 2);
	rig_close(r);
}

/* RFC 768 allows it, RFC 8200 8.1 does not. */
static void
no_checksum_is_taken_over_ipv4_alone(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, true);

	weir_udp_bind(&r->udp, &pcb);
	rig_recv(r, .no_cksum = true);
	rig_recv(r, .no_cksum = true, .flags = WEIR_PKT_L4_CKSUM_BAD); /* some ports say so of it */
	CU_ASSERT_EQUAL(rig_drain(&pcb), 2);
	rig_recv(r, .src = PEER6, .dst = US6, .no_cksum = true);
	rig_recv(r, .src = PEER6, .dst = US6, .no_cksum = true, .flags = WEIR_PKT_L4_CKSUM_OK);
	CU_ASSERT_EQUAL(rig_drain(&pcb), 0);
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_cksum], 2);
	rig_close(r);
}

static void
the_ports_verdict_on_the_checksum_stands(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, false);

	weir_udp_bind(&r->udp, &pcb);
	rig_recv(r, .bad_cksum = true, .flags = WEIR_PKT_L4_CKSUM_OK);
	CU_ASSERT_EQUAL(rig_drain(&pcb), 1);
	rig_recv(r, .flags = WEIR_PKT_L4_CKSUM_BAD);
	CU_ASSERT_EQUAL(rig_drain(&pcb), 0);
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_cksum], 1);
	rig_close(r);
}

static void
headers_may_be_split_over_segments_anywhere(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, false);
	const struct dgram d = {.data = hello, .n = sizeof(hello), .extra = 5};
	const uint16_t total = 20 + 8 + sizeof(hello) + 5;

	weir_udp_bind(&r->udp, &pcb);
	for (uint16_t cut = 1; cut < total; cut++) {
		struct rte_mbuf *m = unit_split(r->pool, rig_dgram(r, &d), cut);

		rig_input(r, unit_split(r->pool, m, (uint16_t)(cut / 2)));
		rig_got(&pcb, hello, sizeof(hello));
	}
	rig_close(r);
}

static void
a_port_without_a_socket_is_answered_by_icmp(void)
{
	struct rig *r = rig_open();
	struct rte_mbuf *m;

	rig_recv(r, .src = PEER4, .dst = US4);
	m = rig_sent(r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint8_t *, 20), 3); /* unreachable: port */
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint8_t *, 21), 3);
	rte_pktmbuf_free(m);
	rig_recv(r, .src = PEER6, .dst = US6);
	m = rig_sent(r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint8_t *, 40), 1); /* unreachable: port */
	CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(m, uint8_t *, 41), 4);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_no_port], 2);
	CU_ASSERT_EQUAL(r->udp.stats.rx_no_port, 2);
	rig_close(r);
}

/* RFC 1122 3.2.2: no error about a packet to many. */
static void
a_group_without_a_socket_is_not_answered(void)
{
	struct rig *r = rig_open();

	rig_recv(r, .dst = "224.0.0.1", .flags = WEIR_PKT_MULTICAST);
	rig_recv(r, .dst = "192.0.2.255", .flags = WEIR_PKT_BROADCAST);
	CU_ASSERT_PTR_NULL(rig_sent(r));
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_no_port], 2);
	rig_close(r);
}

static void
a_group_reaches_every_binding_that_fits(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb[4] = {rig_pcb(NULL, false), rig_pcb("224.0.0.1", false),
		rig_pcb(US4, false), rig_pcb(NULL, true)};

	for (unsigned int i = 0; i < 4; i++)
		weir_udp_bind(&r->udp, &pcb[i]);
	rig_recv(r, .dst = "224.0.0.1", .data = hello, .n = sizeof(hello),
		.flags = WEIR_PKT_MULTICAST);
	rig_got(&pcb[0], hello, sizeof(hello));
	rig_got(&pcb[1], hello, sizeof(hello));
	CU_ASSERT_EQUAL(rig_drain(&pcb[2]), 0);
	CU_ASSERT_EQUAL(weir_host16(weir_pkt(weir_pktq_first(&pcb[3].rx))->flow.rport), 1000);
	rig_got(&pcb[3], hello, sizeof(hello));
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_udp_taken], 1);
	CU_ASSERT_EQUAL(r->udp.stats.rx_datagrams, 3);
	rig_close(r);
}

static void
a_dry_pool_costs_a_group_the_copies_alone(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb[2] = {rig_pcb(NULL, false), rig_pcb(NULL, false)};
	struct rte_mbuf *held[RIG_MBUFS - 1];
	struct rte_mbuf *m =
		rig_dgram(r, &(struct dgram){.dst = "224.0.0.1", .flags = WEIR_PKT_MULTICAST});

	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_alloc_bulk(r->pool, held, RTE_DIM(held)), 0);
	weir_udp_bind(&r->udp, &pcb[0]);
	weir_udp_bind(&r->udp, &pcb[1]);
	rig_input(r, m);
	CU_ASSERT_EQUAL(rig_drain(&pcb[0]) + rig_drain(&pcb[1]), 1);
	CU_ASSERT_EQUAL(r->core.mbuf_fail, 1);
	rte_pktmbuf_free_bulk(held, RTE_DIM(held));
	rig_close(r);
}

/* An ICMP error of this burst about a datagram from US4:2000 to PEER4:1000. */
static void
give_error(struct rig *r, uint8_t proto, bool is_hard)
{
	struct rte_mbuf *m = rig_dgram(r, &(struct dgram){.n = 0});
	struct weir_vec v = {.n = 0};

	r->ip.n_errors = 1;
	r->ip.errors[0] = (struct weir_icmp_error){.m = m,
		.flow = {.laddr = addr(US4),
			.raddr = addr(PEER4),
			.lport = weir_be16(2000),
			.rport = weir_be16(1000)},
		.proto = proto,
		.error = ECONNREFUSED,
		.is_hard = is_hard};
	weir_udp_input(&r->udp, &v, &r->ready);
	r->ip.n_errors = 0;
	rte_pktmbuf_free(m);
}

static void
a_hard_icmp_error_reaches_the_connected_binding(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(US4, false), other = rig_pcb(NULL, false);

	pcb.raddr = addr(PEER4);
	pcb.rport = weir_be16(1000);
	weir_udp_bind(&r->udp, &pcb);
	weir_udp_bind(&r->udp, &other);
	give_error(r, IPPROTO_UDP, true);
	CU_ASSERT_PTR_EQUAL(weir_ready_pop(&r->ready), &pcb.ready);
	CU_ASSERT_EQUAL(pcb.ready.events, WEIR_READY_ERROR);
	CU_ASSERT_EQUAL(pcb.error, ECONNREFUSED);
	CU_ASSERT_PTR_NULL(weir_ready_pop(&r->ready));
	rig_close(r);
}

static void
other_icmp_errors_reach_nobody(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(US4, false);

	weir_udp_bind(&r->udp, &pcb);
	give_error(r, IPPROTO_UDP, true); /* not connected */
	weir_udp_unbind(&r->udp, &pcb);
	give_error(r, IPPROTO_UDP, true); /* nobody there */
	pcb.raddr = addr(PEER4);
	pcb.rport = weir_be16(1000);
	weir_udp_bind(&r->udp, &pcb);
	give_error(r, IPPROTO_UDP, false); /* soft */
	give_error(r, IPPROTO_TCP, true);
	CU_ASSERT_PTR_NULL(weir_ready_pop(&r->ready));
	CU_ASSERT_EQUAL(pcb.error, 0);
	rig_close(r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(payload_addresses_and_ports_reach_the_binding),
		UNIT(an_empty_datagram_is_a_datagram),
		UNIT(what_lies_behind_the_datagram_is_cut_off),
		UNIT(wrong_lengths_are_dropped),
		UNIT(a_wrong_checksum_is_dropped),
		UNIT(no_checksum_is_taken_over_ipv4_alone),
		UNIT(the_ports_verdict_on_the_checksum_stands),
		UNIT(headers_may_be_split_over_segments_anywhere),
		UNIT(a_port_without_a_socket_is_answered_by_icmp),
		UNIT(a_group_without_a_socket_is_not_answered),
		UNIT(a_group_reaches_every_binding_that_fits),
		UNIT(a_dry_pool_costs_a_group_the_copies_alone),
		UNIT(a_hard_icmp_error_reaches_the_connected_binding),
		UNIT(other_icmp_errors_reach_nobody),
		{NULL},
	};

	return unit_main("udp/input", tests, true);
}
