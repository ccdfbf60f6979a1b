/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP of both versions: echo, errors out, errors in. */
#include "weir_ip.h"

#include "ip_priv.h"
#include "weir_cksum.h"

#define ONE_S_US 1000000ull

/* RFC 1812 4.3.2.3: quote as much as fits 576 bytes; RFC 4443 2.4 (c): the minimum MTU. */
#define ERROR_LEN_MAX4 (576 - WEIR_IP4_HLEN)
#define ERROR_LEN_MAX6 (WEIR_IP6_MTU_MIN - WEIR_IP6_HLEN)

#define QUOTE_MAX 256 /* of a quoted packet: header, extension headers within reason, 8 bytes */

/* Token buckets */

void
icmp_bucket_init(struct weir_bucket *b, uint32_t rate_per_s, uint32_t burst, uint64_t now_us)
{
	*b = (struct weir_bucket){
		.tokens = burst, .rate_per_s = rate_per_s, .burst = burst, .filled_us = now_us};
}

bool
icmp_bucket_take(struct weir_bucket *b, uint64_t now_us)
{
	const uint64_t passed_us = now_us - b->filled_us;
	const uint64_t fresh = passed_us * b->rate_per_s / ONE_S_US;

	if (fresh > 0) {
		b->tokens = (uint32_t)RTE_MIN(b->tokens + fresh, (uint64_t)b->burst);
		b->filled_us += fresh * ONE_S_US / b->rate_per_s;
	}
	if (b->tokens == 0)
		return false;
	b->tokens--;
	return true;
}

/* Transmit */

/* Send the ICMP message that m holds: its checksum is filled in here. Takes m. */
static void
send_message(struct weir_ip *ip, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_addr *to, const struct weir_addr *from, uint8_t tos)
{
	struct weir_icmp_hdr *icmp = rte_pktmbuf_mtod(m, struct weir_icmp_hdr *);
	const bool is_v4 = weir_addr_is_v4(to);
	const struct weir_ip_hdr_info h = {.src = from,
		.dst = to,
		.proto = is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.tos = tos,
		.may_fragment = true};

	icmp->cksum = 0;
	icmp->cksum = is_v4 ? (uint16_t)~weir_cksum_mbuf(m, 0, m->pkt_len)
			    : weir_cksum_l4(m, 0, m->pkt_len, from, to, IPPROTO_ICMPV6);
	weir_ip_output(ip, dst, m, &h);
}

/* A route back to where a packet came from. */
static int
route_back(struct weir_ip *ip, const struct weir_pkt *p, struct weir_dst *dst)
{
	const bool is_scoped = weir_addr_is_link_local(&p->flow.raddr);

	return weir_ip_route(ip, &p->flow.raddr, is_scoped ? p->ifindex : -1, dst);
}

/* The address that was asked answers; for a group, the one that fits the way back. */
static struct weir_addr
answer_from(const struct weir_pkt *p, const struct weir_dst *dst)
{
	return weir_addr_is_multicast(&p->flow.laddr) ? dst->src : p->flow.laddr;
}

/* The ICMP message of m in an mbuf that may be written to; m ends. NULL: none to be had. */
static struct rte_mbuf *
take_message(struct weir_ip *ip, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct rte_mbuf *own;

	if (m->nb_segs == 1 && weir_mbuf_is_writable(m, p->l4_off + WEIR_ICMP_HLEN)) {
		weir_mbuf_strip(m, p->l4_off);
		ip->core->fates[WEIR_FATE_icmp_taken]++;
		return m;
	}
	own = rte_pktmbuf_copy(m, ip->core->pool, p->l4_off, p->l4_len);
	if (own == NULL)
		ip->core->mbuf_fail++;
	weir_end(ip->core, m, own != NULL ? WEIR_FATE_icmp_taken : WEIR_FATE_drop_no_mbuf);
	return own;
}

void
icmp_answer_echo(struct weir_ip *ip, struct rte_mbuf *m, uint8_t reply_type)
{
	const struct weir_pkt *p = weir_pkt(m);
	const struct weir_addr to = p->flow.raddr;
	const uint8_t tos = p->tos;
	struct weir_addr from;
	struct weir_dst dst;

	if (!icmp_bucket_take(&ip->icmp_echo, ip->core->now_us)) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_rate);
		return;
	}
	if (route_back(ip, p, &dst) != 0) {
		weir_end(ip->core, m, WEIR_FATE_icmp_taken);
		return;
	}
	from = answer_from(p, &dst);
	m = take_message(ip, m);
	if (m == NULL)
		return;
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = 0;
	rte_pktmbuf_mtod(m, struct weir_icmp_hdr *)->type = reply_type;
	ip->stats.icmp_echo_replies++;
	send_message(ip, &dst, m, &to, &from, tos);
}

/* Is m itself an ICMP error, or too short to tell? */
static bool
is_error(const struct rte_mbuf *m, const struct weir_pkt *p)
{
	uint8_t type;

	if (p->proto != IPPROTO_ICMP && p->proto != IPPROTO_ICMPV6)
		return false;
	if (p->l4_len == 0 || weir_mbuf_read(m, p->l4_off, 1, &type) != 1)
		return true;
	return p->proto == IPPROTO_ICMP ? weir_icmp4_is_error(type) : weir_icmp6_is_error(type);
}

/* RFC 1122 3.2.2, RFC 4443 2.4 (e): what must not be answered by an error. */
static bool
may_report(const struct weir_ip *ip, const struct rte_mbuf *m, const struct weir_pkt *p,
	const struct icmp_report *r)
{
	const struct weir_addr *src = &p->flow.raddr;

	if (p->flags & (WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST) && !r->is_multicast_ok)
		return false;
	if (weir_addr_is_any(src) || weir_addr_is_multicast(src) || ip_is_broadcast(ip, src))
		return false;
	return !is_error(m, p);
}

/* An ICMP error that quotes m from its IP header on, or NULL. */
static struct rte_mbuf *
build_error(struct weir_ip *ip, const struct rte_mbuf *m, const struct icmp_report *r, bool is_v4)
{
	struct rte_mbuf *e = weir_core_alloc(ip->core);
	uint32_t room;
	uint16_t quoted;

	if (e == NULL)
		return NULL;
	*rte_pktmbuf_mtod(e, struct weir_icmp_hdr *) = (struct weir_icmp_hdr){
		.type = r->type, .code = r->code, .rest = weir_be32(r->rest)};
	room = RTE_MIN((uint32_t)(is_v4 ? ERROR_LEN_MAX4 : ERROR_LEN_MAX6),
		(uint32_t)rte_pktmbuf_tailroom(e));
	quoted = (uint16_t)weir_mbuf_read(
		m, 0, room - WEIR_ICMP_HLEN, rte_pktmbuf_mtod_offset(e, void *, WEIR_ICMP_HLEN));
	rte_pktmbuf_append(e, (uint16_t)(WEIR_ICMP_HLEN + quoted));
	return e;
}

void
icmp_send_error(struct weir_ip *ip, struct rte_mbuf *m, const struct icmp_report *r)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_addr from;
	struct rte_mbuf *e;
	struct weir_dst dst;

	if (!may_report(ip, m, p, r))
		return;
	if (!(p->flags & WEIR_PKT_LOOPED) && /* nobody to protect, as Linux sees it */
		!icmp_bucket_take(&ip->icmp_errors, ip->core->now_us)) {
		ip->stats.icmp_errors_limited++;
		return;
	}
	if (route_back(ip, p, &dst) != 0)
		return;
	e = build_error(ip, m, r, weir_addr_is_v4(&p->flow.raddr));
	if (e == NULL)
		return;
	from = answer_from(p, &dst);
	ip->stats.icmp_errors_sent++;
	send_message(ip, &dst, e, &p->flow.raddr, &from, 0);
}

/* Where an IPv6 header chain names the protocol: ip6_input leaves it here. */
static uint32_t
next_header_field(const struct rte_mbuf *m, const struct weir_pkt *p)
{
	return p->l4_off == WEIR_IP6_HLEN ? offsetof(struct weir_ip6_hdr, next) : (uint32_t)p->u[1];
}

void
weir_icmp_unreach(struct weir_ip *ip, struct rte_mbuf *m, enum weir_unreach what)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct icmp_report r = {0};

	if (weir_addr_is_v4(&p->flow.raddr)) {
		r.type = WEIR_ICMP4_UNREACH;
		r.code = what == WEIR_UNREACH_PORT ? WEIR_ICMP4_UNREACH_PORT
						   : WEIR_ICMP4_UNREACH_PROTO;
	} else if (what == WEIR_UNREACH_PORT) {
		r.type = WEIR_ICMP6_UNREACH;
		r.code = WEIR_ICMP6_UNREACH_PORT;
	} else { /* RFC 8200 4: an unknown next header is a parameter problem */
		r.type = WEIR_ICMP6_PARAM;
		r.code = WEIR_ICMP6_PARAM_NEXT_HEADER;
		r.rest = next_header_field(m, p);
	}
	icmp_send_error(ip, m, &r);
}

/* Receive */

/* Whose flow is it about? true: another worker has m now. */
static bool
hand_over(struct weir_ip *ip, struct rte_mbuf *m, const struct weir_icmp_error *e)
{
	uint16_t worker;

	if (ip->steer == NULL || weir_pkt(m)->flags & WEIR_PKT_STEERED)
		return false;
	if (e->proto != IPPROTO_TCP && e->proto != IPPROTO_UDP)
		return false;
	worker = weir_steer_worker(ip->steer, &e->flow);
	if (worker == ip->core->worker)
		return false;
	weir_core_handover(ip->core, m, worker);
	return true;
}

/* The packet of ours that m quotes from off on. */
static bool
read_quote(
	const struct rte_mbuf *m, uint32_t off, uint32_t len, bool is_v4, struct weir_icmp_quote *q)
{
	uint8_t bytes[QUOTE_MAX];
	const uint32_t n = weir_mbuf_read(m, off, RTE_MIN(len, (uint32_t)QUOTE_MAX), bytes);

	return is_v4 ? weir_icmp4_quote_parse(bytes, n, q) : weir_icmp6_quote_parse(bytes, n, q);
}

static void
name_flow(struct weir_icmp_error *e, const struct weir_icmp_quote *q)
{
	e->flow = (struct weir_flow){
		.laddr = q->src, .raddr = q->dst, .lport = q->sport, .rport = q->dport};
	e->proto = q->proto;
	e->tcp_seq = q->tcp_seq;
	e->l4_at = q->l4_off;
}

/* As Linux tells it: the MTU, or where the parameter is that was wrong. */
static uint32_t
icmp4_info(const struct weir_icmp_hdr *h)
{
	if (h->type == WEIR_ICMP4_UNREACH && h->code == WEIR_ICMP4_UNREACH_FRAG)
		return weir_host32(h->rest) & UINT16_MAX;
	return h->type == WEIR_ICMP4_PARAM ? weir_host32(h->rest) >> 24 : 0;
}

/* For the upper layers of this worker. Takes m. */
static void
leave_error(struct weir_ip *ip, struct rte_mbuf *m, struct weir_icmp_error *e)
{
	if (ip->n_errors == WEIR_ICMP_ERRORS_MAX) {
		weir_end(ip->core, m, WEIR_FATE_drop_no_memory);
		return;
	}
	e->m = m;
	ip->errors[ip->n_errors++] = *e;
}

void
icmp_take_error(struct weir_ip *ip, struct rte_mbuf *m, const struct weir_icmp_hdr *h)
{
	const struct weir_pkt *p = weir_pkt(m);
	const bool is_v4 = weir_addr_is_v4(&p->flow.laddr);
	struct weir_icmp_error e;
	struct weir_icmp_quote q;

	if (!(is_v4 ? icmp4_meaning(h, &e) : icmp6_meaning(h, &e))) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_type);
		return;
	}
	if (!read_quote(m, p->l4_off + WEIR_ICMP_HLEN, p->l4_len - (uint32_t)WEIR_ICMP_HLEN, is_v4,
		    &q)) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_short);
		return;
	}
	/* RFC 5927 4: it must quote what the address it came to has sent. */
	if (!weir_addr_eq(&q.src, &p->flow.laddr) || !weir_ip_is_local(ip, &q.src, NULL)) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_no_flow);
		return;
	}
	name_flow(&e, &q);
	e.l3_at = (uint16_t)(p->l4_off + WEIR_ICMP_HLEN);
	e.l4_at = (uint16_t)(e.l4_at + e.l3_at);
	e.info = is_v4 ? icmp4_info(h) : weir_host32(h->rest);
	e.offender = p->flow.raddr;
	if (hand_over(ip, m, &e))
		return;
	ip->stats.icmp_errors_received++;
	leave_error(ip, m, &e);
}

void
weir_ip_unreached(struct weir_ip *ip, struct rte_mbuf *m)
{
	const bool is_v4 = weir_pkt(m)->l3_type == WEIR_ETH_TYPE_IP4;
	struct weir_icmp_error e = {
		.type = is_v4 ? WEIR_ICMP4_UNREACH : WEIR_ICMP6_UNREACH,
		.code = is_v4 ? WEIR_ICMP4_UNREACH_HOST : WEIR_ICMP6_UNREACH_ADDR,
		.error = EHOSTUNREACH,
	};
	struct weir_icmp_quote q;

	if (!read_quote(m, 0, m->pkt_len, is_v4, &q)) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_no_flow);
		return;
	}
	name_flow(&e, &q);
	e.offender = q.src;
	leave_error(ip, m, &e);
}
