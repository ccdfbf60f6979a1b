/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

static void
ip_timer(struct weir_wheel_entry *e)
{
	weir_ip_timer(RTE_PTR_SUB(e, offsetof(struct weir_ip, timer)));
}

void
ip_open(struct ip_rig *t, const struct rig_conf *c, const struct weir_steer *steer,
	bool is_steering)
{
	const struct weir_ip_conf conf = {.ifaces = &t->r.ifc,
		.n_ifaces = 1,
		.steer = steer,
		.is_steering = is_steering,
		.numa_node = SOCKET_ID_ANY,
		.name = "test"};

	rig_open(&t->r, c);
	t->r.ip_timer = ip_timer;
	t->udp.n = t->tcp.n = t->raw.n = 0;
	t->has_raw = false;
	CU_ASSERT_EQUAL_FATAL(weir_ip_init(&t->ip, &t->r.core, &conf), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&t->r.ifc, &peer4, &peer_mac), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&t->r.ifc, &peer6, &peer_mac), 0);
}

void
ip_close(struct ip_rig *t)
{
	ip_use(t);
	weir_ip_fini(&t->ip);
	rig_close(&t->r);
}

void
ip_begin(struct ip_rig *t, struct rte_mbuf *m, uint16_t l3_type, uint8_t flags)
{
	*weir_pkt(m) =
		(struct weir_pkt){.rx_us = t->r.core.now_us, .l3_type = l3_type, .flags = flags};
}

void
ip_recv_mbuf(struct ip_rig *t, struct rte_mbuf *m, bool is_v4)
{
	struct weir_vec *v = is_v4 ? &t->r.ip4 : &t->r.ip6;
	struct weir_vec *raw = t->has_raw ? &t->raw : NULL;

	t->r.core.rx_frames++;
	weir_vec_add(v, m);
	if (is_v4)
		weir_ip4_input(&t->ip, v, &t->udp, &t->tcp, raw);
	else
		weir_ip6_input(&t->ip, v, &t->udp, &t->tcp, raw);
	CU_ASSERT_EQUAL(v->n, 0);
	weir_core_flush(&t->r.core);
}

/* memcpy() that takes NULL for nothing. */
static void
put(uint8_t *to, const void *from, size_t n)
{
	if (n > 0)
		memcpy(to, from, n);
}

void
ip_recv4(struct ip_rig *t, const struct pkt4 *p)
{
	static uint8_t b[70000];
	const struct weir_addr src = p->src != NULL ? ip_addr(p->src) : peer4;
	const struct weir_addr dst = p->dst != NULL ? ip_addr(p->dst) : us4;
	const size_t hlen = WEIR_IP4_HLEN + p->n_options, n = hlen + p->n;
	struct weir_ip4_hdr *h = (struct weir_ip4_hdr *)b;
	struct rte_mbuf *m;

	memset(b, 0, n + p->pad);
	weir_ip4_build(b, &(struct weir_ip4){.src = weir_addr_to_v4(&src),
				  .dst = weir_addr_to_v4(&dst),
				  .total_len = p->total_len != 0 ? p->total_len : (uint16_t)n,
				  .id = p->id,
				  .frag = p->frag,
				  .proto = p->proto != 0 ? p->proto : IPPROTO_UDP,
				  .ttl = p->ttl != 0 ? p->ttl : 64});
	put(b + WEIR_IP4_HLEN, p->options, p->n_options);
	put(b + hlen, p->payload, p->n);
	h->version_ihl = p->version_ihl != 0 ? p->version_ihl : (uint8_t)(0x40 | hlen / 4);
	h->cksum = 0;
	h->cksum = (uint16_t)~rte_raw_cksum(b, hlen);
	if (p->bad_cksum)
		h->cksum ^= 0x10;
	m = rig_mbuf(&t->r, b, n + p->pad, p->seg);
	m->ol_flags |= p->ol_flags;
	ip_begin(t, m, WEIR_ETH_TYPE_IP4, p->flags);
	ip_recv_mbuf(t, m, true);
}

void
ip_recv6(struct ip_rig *t, const struct pkt6 *p)
{
	static uint8_t b[70000];
	const size_t n = WEIR_IP6_HLEN + p->n_ext + p->n;
	struct rte_mbuf *m;

	memset(b, 0, n + p->pad);
	weir_ip6_build(b,
		&(struct weir_ip6){.src = p->src != NULL ? ip_addr(p->src) : peer6,
			.dst = p->dst != NULL ? ip_addr(p->dst) : us6,
			.payload_len = (uint16_t)(p->payload_len != 0 ? p->payload_len
								      : (int)(n - WEIR_IP6_HLEN)),
			.next = p->next,
			.hop_limit = p->hop_limit != 0 ? p->hop_limit : 64});
	put(b + WEIR_IP6_HLEN, p->ext, p->n_ext);
	put(b + WEIR_IP6_HLEN + p->n_ext, p->payload, p->n);
	m = rig_mbuf(&t->r, b, n + p->pad, p->seg);
	m->ol_flags |= p->ol_flags;
	ip_begin(t, m, WEIR_ETH_TYPE_IP6, p->flags);
	ip_recv_mbuf(t, m, false);
}

void
ip_turn_loop(struct ip_rig *t)
{
	struct rte_mbuf *m;

	for (unsigned int n = t->r.core.loop.n; n > 0; n--) {
		m = weir_pktq_pop(&t->r.core.loop);
		ip_recv_mbuf(t, m, weir_pkt(m)->l3_type == WEIR_ETH_TYPE_IP4);
	}
}

void
ip_use(struct ip_rig *t)
{
	rig_use(&t->r, &t->udp);
	rig_use(&t->r, &t->tcp);
	rig_use(&t->r, &t->raw);
}

void
ip_icmp_cksum(uint8_t *bytes, size_t n)
{
	uint16_t c;

	memset(bytes + 2, 0, 2);
	c = (uint16_t)~rte_raw_cksum(bytes, n);
	memcpy(bytes + 2, &c, 2);
}

void
ip_icmp6_cksum(struct ip_rig *t, uint8_t *bytes, size_t n, const char *src, const char *dst)
{
	const struct weir_addr s = src != NULL ? ip_addr(src) : peer6;
	const struct weir_addr d = dst != NULL ? ip_addr(dst) : us6;
	struct rte_mbuf *m;
	uint16_t c;

	memset(bytes + 2, 0, 2);
	m = rig_mbuf(&t->r, bytes, n, 0);
	c = weir_cksum_l4(m, 0, (uint32_t)n, &s, &d, IPPROTO_ICMPV6);
	rte_pktmbuf_free(m);
	memcpy(bytes + 2, &c, 2);
}
