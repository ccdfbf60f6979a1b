/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

#include <errno.h>

static struct ip_rig t;

static void
open_rig(void)
{
	ip_open(&t, &(struct rig_conf){0}, NULL, false);
}

/* The next frame sent; hlen bytes of IP header behind the Ethernet header. */
static struct rte_mbuf *
sent(struct weir_icmp_hdr *h, size_t hlen)
{
	struct rte_mbuf *m = rig_sent(&t.r);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memcpy(h, rig_bytes(m) + 14 + hlen, sizeof(*h));
	return m;
}

static void
recv_echo4(const char *dst, size_t n, size_t seg, uint8_t flags)
{
	static uint8_t msg[65507];

	for (size_t i = 8; i < n; i++)
		msg[i] = (uint8_t)i;
	memcpy(msg, "\x08\0\0\0\x12\x34\0\1", 8);
	ip_icmp_cksum(msg, n);
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP,
			     .dst = dst,
			     .payload = msg,
			     .n = n,
			     .seg = seg,
			     .flags = flags});
}

static void
recv_echo6(const char *dst, size_t n, size_t seg)
{
	uint8_t msg[1400];

	for (size_t i = 8; i < n; i++)
		msg[i] = (uint8_t)i;
	memcpy(msg, "\x80\0\0\0\x12\x34\0\1", 8);
	ip_icmp6_cksum(&t, msg, n, NULL, dst);
	ip_recv6(&t,
		&(struct pkt6){
			.next = IPPROTO_ICMPV6, .dst = dst, .payload = msg, .n = n, .seg = seg});
}

static void
echo_is_answered_with_the_same_data(void)
{
	struct weir_icmp_hdr h;
	struct rte_mbuf *m;
	struct weir_ip4 ip;

	open_rig();
	for (size_t seg = 0; seg < 90; seg += 9) {
		recv_echo4(NULL, 92, seg, 0);
		m = sent(&h, 20);
		CU_ASSERT_EQUAL(h.type, WEIR_ICMP4_ECHO_REPLY);
		CU_ASSERT_EQUAL(weir_host32(h.rest), 0x12340001);
		CU_ASSERT_EQUAL(m->pkt_len, 14 + 20 + 92);
		CU_ASSERT_EQUAL(weir_ip4_parse(rig_bytes(m) + 14, 20, m->pkt_len - 14, &ip), 0);
		CU_ASSERT_EQUAL(weir_host32(ip.src), 0x0a000001);
		CU_ASSERT_EQUAL(weir_host32(ip.dst), 0x0a000002);
		CU_ASSERT_EQUAL(ip.ttl, 64);
		CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 34, 92), 0xffff);
		CU_ASSERT_EQUAL(rig_bytes(m)[14 + 20 + 91], 91);
		rte_pktmbuf_free(m);
	}
	ip_fate(&t, icmp_taken, 10);
	CU_ASSERT_EQUAL(t.ip.stats.icmp_echo_replies, 10);
	ip_close(&t);
}

static void
echo_over_ip6_is_answered_also_from_a_group(void)
{
	struct weir_icmp_hdr h;
	struct rte_mbuf *m;
	struct weir_ip6 ip;

	open_rig();
	recv_echo6(NULL, 64, 0);
	recv_echo6(NULL, 64, 11);
	recv_echo6("ff02::1", 64, 0);
	for (unsigned int i = 0; i < 3; i++) {
		m = sent(&h, 40);
		CU_ASSERT_EQUAL(h.type, WEIR_ICMP6_ECHO_REPLY);
		CU_ASSERT_EQUAL(weir_ip6_parse(rig_bytes(m) + 14, 40, m->pkt_len - 14, &ip), 0);
		CU_ASSERT_TRUE(weir_addr_eq(&ip.src, &us6));
		CU_ASSERT_TRUE(weir_addr_eq(&ip.dst, &peer6));
		CU_ASSERT_TRUE(weir_cksum_l4_ok(m, 54, 64, &ip.src, &ip.dst, IPPROTO_ICMPV6));
		rte_pktmbuf_free(m);
	}
	ip_close(&t);
}

static void
large_echo_is_answered_in_fragments(void)
{
	unsigned int n;

	open_rig();
	recv_echo4(NULL, 4008, 1400, 0);
	n = rig_drain(&t.r);
	CU_ASSERT_EQUAL(n, 3);
	recv_echo4(NULL, 1480, 0, 0); /* ping -s 1472: just fits */
	CU_ASSERT_EQUAL(rig_drain(&t.r), 1);
	ip_close(&t);
}

static void
echo_to_a_broadcast_is_ignored(void)
{
	open_rig();
	recv_echo4("10.0.0.255", 92, 0, 0);
	recv_echo4("255.255.255.255", 92, 0, 0);
	recv_echo4("224.0.0.1", 92, 0, 0);
	recv_echo4(NULL, 92, 0, WEIR_PKT_BROADCAST); /* unicast in a broadcast frame */
	ip_fate(&t, drop_icmp_type, 4);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ip_close(&t);
}

static void
echo_is_rate_limited(void)
{
	unsigned int n = 0;

	open_rig();
	for (unsigned int i = 0; i < 12000; i++) {
		recv_echo4(NULL, 16, 0, 0);
		n += rig_drain(&t.r);
	}
	CU_ASSERT_EQUAL(n, 10000);
	ip_fate(&t, drop_icmp_rate, 2000);
	rig_pass(&t.r, 1000);
	for (unsigned int i = 0; i < 200; i++)
		recv_echo4(NULL, 16, 0, 0);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 100);
	ip_close(&t);
}

static void
malformed_messages_end_by_name(void)
{
	uint8_t msg[16] = {8};

	open_rig();
	for (size_t n = 0; n < 8; n++) {
		ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP, .payload = msg, .n = n});
		ip_recv6(&t, &(struct pkt6){.next = IPPROTO_ICMPV6, .payload = msg, .n = n});
	}
	ip_fate(&t, drop_icmp_short, 16);
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP, .payload = msg, .n = 16});
	msg[0] = 128;
	ip_recv6(&t, &(struct pkt6){.next = IPPROTO_ICMPV6, .payload = msg, .n = 16});
	ip_fate(&t, drop_icmp_cksum, 2);
	msg[0] = 200;
	ip_icmp_cksum(msg, 16);
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP, .payload = msg, .n = 16});
	ip_icmp6_cksum(&t, msg, 16, NULL, NULL);
	ip_recv6(&t, &(struct pkt6){.next = IPPROTO_ICMPV6, .payload = msg, .n = 16});
	ip_fate(&t, drop_icmp_type, 2);
	msg[0] = 128; /* an echo request from nobody */
	ip_icmp6_cksum(&t, msg, 16, "::", NULL);
	ip_recv6(&t, &(struct pkt6){.src = "::", .next = IPPROTO_ICMPV6, .payload = msg, .n = 16});
	ip_fate(&t, drop_ip_martian_src, 1);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ip_close(&t);
}

/* Errors that we send */

static void
unknown_protocol_and_port_are_reported(void)
{
	static const uint8_t data[1000] = {1, 2, 3};
	struct weir_icmp_hdr h;
	struct rte_mbuf *m;

	open_rig();
	ip_recv4(&t, &(struct pkt4){.proto = 99, .payload = data, .n = sizeof(data), .seg = 300});
	m = sent(&h, 20);
	CU_ASSERT_EQUAL(h.type, WEIR_ICMP4_UNREACH);
	CU_ASSERT_EQUAL(h.code, WEIR_ICMP4_UNREACH_PROTO);
	CU_ASSERT_EQUAL(m->pkt_len, 14 + 576); /* RFC 1812 4.3.2.3 */
	CU_ASSERT_EQUAL(weir_cksum_mbuf(m, 34, 556), 0xffff);
	CU_ASSERT_EQUAL(rig_bytes(m)[42], 0x45);
	CU_ASSERT_EQUAL(memcmp(rig_bytes(m) + 62, data, 500), 0);
	rte_pktmbuf_free(m);
	ip_recv4(&t, &(struct pkt4){.payload = data, .n = 20});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	weir_icmp_unreach(&t.ip, t.udp.m[0], WEIR_UNREACH_PORT);
	m = sent(&h, 20);
	CU_ASSERT_EQUAL(h.code, WEIR_ICMP4_UNREACH_PORT);
	rte_pktmbuf_free(m);
	ip_use(&t);
	ip_recv6(&t, &(struct pkt6){.next = IPPROTO_UDP, .payload = data, .n = sizeof(data)});
	CU_ASSERT_EQUAL_FATAL(t.udp.n, 1);
	weir_icmp_unreach(&t.ip, t.udp.m[0], WEIR_UNREACH_PORT);
	m = sent(&h, 40);
	CU_ASSERT_EQUAL(h.type, WEIR_ICMP6_UNREACH);
	CU_ASSERT_EQUAL(h.code, WEIR_ICMP6_UNREACH_PORT);
	CU_ASSERT_TRUE(weir_cksum_l4_ok(m, 54, m->pkt_len - 54, &us6, &peer6, IPPROTO_ICMPV6));
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(t.ip.stats.icmp_errors_sent, 3);
	ip_close(&t);
}

/* RFC 1122 3.2.2, RFC 4443 2.4 (e). */
static void
no_error_answers_groups_errors_or_nobody(void)
{
	static const uint8_t payload[16] = {0};
	uint8_t error[36] = {3, 3};

	open_rig();
	ip_recv4(&t, &(struct pkt4){.proto = 99, .dst = "10.0.0.255", .payload = payload, .n = 16});
	ip_recv4(&t, &(struct pkt4){.proto = 99, .dst = "224.0.0.1", .payload = payload, .n = 16});
	ip_recv4(
		&t, &(struct pkt4){
			    .proto = 99, .flags = WEIR_PKT_BROADCAST, .payload = payload, .n = 16});
	ip_recv4(&t, &(struct pkt4){.proto = 99,
			     .src = "0.0.0.0",
			     .dst = "255.255.255.255",
			     .payload = payload,
			     .n = 16});
	ip_recv6(&t, &(struct pkt6){.next = 99, .dst = "ff02::1", .payload = payload, .n = 16});
	ip_fate(&t, drop_ip_proto, 5);
	/* ICMP of the other version has no handler; one that is an error stays unanswered. */
	error[0] = 1;
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMPV6, .payload = error, .n = 36});
	ip_fate(&t, drop_ip_proto, 6);
	CU_ASSERT_EQUAL(rig_drain(&t.r), 0);
	ip_close(&t);
}

static void
errors_are_rate_limited(void)
{
	static const uint8_t payload[16] = {0};

	open_rig();
	for (unsigned int i = 0; i < 60; i++)
		ip_recv4(&t, &(struct pkt4){.proto = 99, .payload = payload, .n = 16});
	CU_ASSERT_EQUAL(rig_drain(&t.r), 50);
	CU_ASSERT_EQUAL(t.ip.stats.icmp_errors_limited, 10);
	rig_pass(&t.r, 3000);
	for (unsigned int i = 0; i < 10; i++)
		ip_recv4(&t, &(struct pkt4){.proto = 99, .payload = payload, .n = 16});
	CU_ASSERT_EQUAL(rig_drain(&t.r), 3);
	ip_close(&t);
}

/* Errors that we receive */

static size_t
error4(uint8_t *msg, uint8_t type, uint8_t code, uint16_t mtu, const char *src)
{
	const struct weir_addr s = src != NULL ? ip_addr(src) : us4;

	memset(msg, 0, 36);
	msg[0] = type;
	msg[1] = code;
	msg[6] = (uint8_t)(mtu >> 8);
	msg[7] = (uint8_t)mtu;
	weir_ip4_build(msg + 8, &(struct weir_ip4){.src = weir_addr_to_v4(&s),
					.dst = weir_addr_to_v4(&peer4),
					.total_len = 1500,
					.proto = IPPROTO_TCP,
					.ttl = 1});
	memcpy(msg + 28, "\x30\x39\0\x50\1\2\3\4", 8); /* port 12345 to 80 */
	ip_icmp_cksum(msg, 36);
	return 36;
}

static void
recv_error4(uint8_t type, uint8_t code, uint16_t mtu)
{
	uint8_t msg[36];

	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP,
			     .src = "10.0.0.9", /* any router on the way */
			     .payload = msg,
			     .n = error4(msg, type, code, mtu, NULL)});
}

static void
error_is_left_for_the_flow(void)
{
	const struct weir_icmp_error *e = &t.ip.errors[0];

	open_rig();
	recv_error4(WEIR_ICMP4_UNREACH, WEIR_ICMP4_UNREACH_PORT, 0);
	CU_ASSERT_EQUAL_FATAL(t.ip.n_errors, 1);
	CU_ASSERT_TRUE(weir_addr_eq(&e->flow.laddr, &us4));
	CU_ASSERT_TRUE(weir_addr_eq(&e->flow.raddr, &peer4));
	CU_ASSERT_EQUAL(weir_host16(e->flow.lport), 12345);
	CU_ASSERT_EQUAL(weir_host16(e->flow.rport), 80);
	CU_ASSERT_EQUAL(e->proto, IPPROTO_TCP);
	CU_ASSERT_EQUAL(e->tcp_seq, 0x01020304);
	CU_ASSERT_EQUAL(e->error, ECONNREFUSED);
	CU_ASSERT_TRUE(e->is_hard);
	ip_fate(&t, icmp_taken, 0);
	weir_ip_errors_done(&t.ip);
	ip_fate(&t, icmp_taken, 1);
	CU_ASSERT_EQUAL(t.ip.n_errors, 0);
	ip_close(&t);
}

static void
errors_mean_what_they_mean_on_linux(void)
{
	static const struct {
		uint8_t type, code;
		int error;
		bool is_hard;
	} want[] = {
		{3, 0, ENETUNREACH, false},
		{3, 1, EHOSTUNREACH, false},
		{3, 2, ENOPROTOOPT, true},
		{3, 4, EMSGSIZE, false},
		{3, 13, EHOSTUNREACH, true},
		{11, 0, EHOSTUNREACH, false},
		{12, 0, EPROTO, false},
	};

	open_rig();
	for (size_t i = 0; i < RTE_DIM(want); i++) {
		recv_error4(want[i].type, want[i].code, 1400);
		CU_ASSERT_EQUAL_FATAL(t.ip.n_errors, 1);
		CU_ASSERT_EQUAL(t.ip.errors[0].error, want[i].error);
		CU_ASSERT_EQUAL(t.ip.errors[0].is_hard, want[i].is_hard);
		CU_ASSERT_EQUAL(t.ip.errors[0].mtu, want[i].code == 4 ? 1400 : 0);
		weir_ip_errors_done(&t.ip);
	}
	recv_error4(3, 16, 0);
	recv_error4(WEIR_ICMP4_REDIRECT, 0, 0);
	recv_error4(WEIR_ICMP4_QUENCH, 0, 0); /* RFC 6633 */
	ip_fate(&t, drop_icmp_type, 3);
	CU_ASSERT_EQUAL(t.ip.n_errors, 0);
	ip_close(&t);
}

static void
recv_error6(uint8_t type, uint8_t code, uint32_t mtu, const struct weir_addr *quoted_src)
{
	const struct weir_be32 m = weir_be32(mtu);
	uint8_t msg[56] = {type, code};

	memcpy(msg + 4, &m, 4);
	weir_ip6_build(msg + 8, &(struct weir_ip6){.src = *quoted_src,
					.dst = peer6,
					.payload_len = 1400,
					.next = IPPROTO_UDP,
					.hop_limit = 1});
	memcpy(msg + 48, "\x30\x39\0\x50\1\2\3\4", 8);
	ip_icmp6_cksum(&t, msg, sizeof(msg), "2001:db8::9", NULL);
	ip_recv6(&t, &(struct pkt6){.src = "2001:db8::9",
			     .next = IPPROTO_ICMPV6,
			     .payload = msg,
			     .n = sizeof(msg)});
}

static void
errors_over_ip6_mean_what_they_mean_on_linux(void)
{
	static const struct {
		uint8_t type, code;
		uint32_t mtu;
		int error;
		bool is_hard;
		uint16_t want_mtu;
	} want[] = {
		{1, 0, 0, ENETUNREACH, false, 0},
		{1, 1, 0, EACCES, true, 0},
		{1, 3, 0, EHOSTUNREACH, false, 0},
		{1, 4, 0, ECONNREFUSED, true, 0},
		{2, 0, 1400, EMSGSIZE, false, 1400},
		{2, 0, 68, EMSGSIZE, false, 1280}, /* RFC 8201 4 */
		{2, 0, 100000, EMSGSIZE, false, 65535},
		{3, 0, 0, EHOSTUNREACH, false, 0},
		{4, 1, 0, EPROTO, false, 0},
	};

	open_rig();
	for (size_t i = 0; i < RTE_DIM(want); i++) {
		recv_error6(want[i].type, want[i].code, want[i].mtu, &us6);
		CU_ASSERT_EQUAL_FATAL(t.ip.n_errors, 1);
		CU_ASSERT_EQUAL(t.ip.errors[0].error, want[i].error);
		CU_ASSERT_EQUAL(t.ip.errors[0].is_hard, want[i].is_hard);
		CU_ASSERT_EQUAL(t.ip.errors[0].mtu, want[i].want_mtu);
		CU_ASSERT_EQUAL(t.ip.errors[0].proto, IPPROTO_UDP);
		weir_ip_errors_done(&t.ip);
	}
	recv_error6(100, 0, 0, &us6);
	ip_fate(&t, drop_icmp_type, 1);
	recv_error6(1, 4, 0, &peer6);
	ip_fate(&t, drop_icmp_no_flow, 1);
	ip_close(&t);
}

static void
error_about_what_we_did_not_send_is_dropped(void)
{
	uint8_t msg[36];
	size_t n;

	open_rig();
	n = error4(msg, 3, 3, 0, "10.0.0.7");
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP, .payload = msg, .n = n});
	ip_fate(&t, drop_icmp_no_flow, 1);
	n = error4(msg, 3, 3, 0, NULL);
	ip_icmp_cksum(msg, 30);
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP, .payload = msg, .n = 30});
	ip_fate(&t, drop_icmp_short, 1);
	msg[8] = 0x65; /* quotes something else */
	ip_icmp_cksum(msg, n);
	ip_recv4(&t, &(struct pkt4){.proto = IPPROTO_ICMP, .payload = msg, .n = n});
	ip_fate(&t, drop_icmp_short, 2);
	CU_ASSERT_EQUAL(t.ip.n_errors, 0);
	ip_close(&t);
}

static void
more_errors_than_are_kept_are_dropped(void)
{
	open_rig();
	for (unsigned int i = 0; i < WEIR_ICMP_ERRORS_MAX + 2; i++)
		recv_error4(3, 3, 0);
	CU_ASSERT_EQUAL(t.ip.n_errors, WEIR_ICMP_ERRORS_MAX);
	ip_fate(&t, drop_no_memory, 2);
	ip_close(&t);
}

static void
error_goes_to_the_worker_of_its_flow(void)
{
	struct weir_steer s = {.n_workers = 2, .reta_size = 2, .key_len = 40, .reta = {1, 1}};
	struct rte_mbuf *m;

	ip_open(&t, &(struct rig_conf){.n_workers = 2}, &s, false);
	recv_error4(3, 3, 0);
	ip_fate(&t, handed_over, 1);
	CU_ASSERT_EQUAL_FATAL(t.r.core.handover[1].n, 1);
	CU_ASSERT_EQUAL(t.ip.n_errors, 0);
	m = t.r.core.handover[1].m[0]; /* there it is taken */
	t.r.core.handover[1].n = 0;
	ip_recv_mbuf(&t, m, true);
	CU_ASSERT_EQUAL(t.ip.n_errors, 1);
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(echo_is_answered_with_the_same_data),
		UNIT(echo_over_ip6_is_answered_also_from_a_group),
		UNIT(large_echo_is_answered_in_fragments),
		UNIT(echo_to_a_broadcast_is_ignored),
		UNIT(echo_is_rate_limited),
		UNIT(malformed_messages_end_by_name),
		UNIT(unknown_protocol_and_port_are_reported),
		UNIT(no_error_answers_groups_errors_or_nobody),
		UNIT(errors_are_rate_limited),
		UNIT(error_is_left_for_the_flow),
		UNIT(errors_mean_what_they_mean_on_linux),
		UNIT(errors_over_ip6_mean_what_they_mean_on_linux),
		UNIT(error_about_what_we_did_not_send_is_dropped),
		UNIT(more_errors_than_are_kept_are_dropped),
		UNIT(error_goes_to_the_worker_of_its_flow),
		{0},
	};

	return unit_main("icmp", tests, true);
}
