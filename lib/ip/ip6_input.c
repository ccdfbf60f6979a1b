/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: eth_input -> ip6_input -> udp, tcp, raw, icmp6. RFC 8200. */
#include "weir_ip.h"

#include "ip_priv.h"

#define EXT_HEADERS_MAX 8    /* RFC 8504 5.3: a limit is allowed */
#define EXT_LEN_MAX	2048 /* of one extension header: its length field ends there */

/* Where the walk along the header chain stands. */
struct walk {
	uint32_t off;	/* of the next header */
	uint32_t field; /* of the byte that names it: what parameter problems point at */
	uint8_t next;	/* its type */
};

/* Addresses */

/* RFC 4291 2.5.5.2: mapped addresses never are on the wire; to us they would look like IPv4. */
static bool
is_martian_source(const struct weir_ip *ip, const struct weir_pkt *p)
{
	const struct weir_addr *src = &p->flow.raddr;

	if (likely(src->q[0] != 0 && src->b[0] != 0xff && !ip_may_be_own(ip, src)))
		return false;
	if (weir_addr_is_multicast(src) || weir_addr_is_v4(src))
		return true;
	if (p->flags & WEIR_PKT_LOOPED)
		return false;
	/* Neighbour discovery has to see who else uses our addresses. */
	return weir_addr_is_loopback(src) ||
	       (p->proto != IPPROTO_ICMPV6 && weir_ip_is_local_on(ip, src, p->ifindex, NULL));
}

/* RFC 4291 2.7: scopes 0 and 1 do not leave a node. */
static bool
is_martian_group(const struct weir_pkt *p)
{
	return (p->flow.laddr.b[1] & 15) <= 1 && !(p->flags & WEIR_PKT_LOOPED);
}

static enum weir_fate
check_destination(const struct weir_ip *ip, struct weir_pkt *p)
{
	const struct weir_addr *dst = &p->flow.laddr;

	if (weir_addr_is_v4(dst) || weir_addr_is_any(dst))
		return WEIR_FATE_drop_ip_martian_dst;
	if (weir_addr_is_loopback(dst) && !(p->flags & WEIR_PKT_LOOPED))
		return WEIR_FATE_drop_ip_martian_dst;
	if (likely(ip_is_ours(ip, p)))
		return GO_ON;
	if (!weir_addr_is_multicast(dst))
		return WEIR_FATE_drop_ip_not_ours;
	if (is_martian_group(p))
		return WEIR_FATE_drop_ip_martian_dst;
	if (!weir_iface_has_group(ip_iface_of(ip, p), dst))
		return WEIR_FATE_drop_ip_not_ours;
	p->flags |= WEIR_PKT_MULTICAST;
	return GO_ON;
}

/* Extension headers */

/* The bytes of the extension header that stands next, as long as it says; NULL: truncated. */
static const uint8_t *
read_ext(const struct rte_mbuf *m, const struct walk *w, uint8_t buf[EXT_LEN_MAX], size_t *len)
{
	uint8_t start[2];

	if (weir_mbuf_read(m, w->off, sizeof(start), start) != sizeof(start))
		return NULL;
	*len = weir_ip6_ext_len(start);
	return rte_pktmbuf_read(m, w->off, (uint32_t)*len, buf);
}

static void
step(struct walk *w, uint8_t next, size_t len)
{
	w->field = w->off;
	w->next = next;
	w->off += (uint32_t)len;
}

/*
 * RFC 4443 2.4 (e.1): an ICMPv6 error may hide behind the header that we complain about; we stay
 * silent about all ICMPv6 then.
 */
static void
report_param(struct weir_ip *ip, struct rte_mbuf *m, uint8_t code, uint32_t where, bool to_group)
{
	struct weir_icmp_quote q;
	uint8_t start[256];
	const uint32_t n = weir_mbuf_read(m, 0, sizeof(start), start);

	if (weir_icmp6_quote_parse(start, n, &q) && q.proto == IPPROTO_ICMPV6)
		return;
	icmp_send_error(ip, m,
		&(struct icmp_report){.type = WEIR_ICMP6_PARAM,
			.code = code,
			.rest = where,
			.is_multicast_ok = to_group});
}

/* RFC 8200 4.2: hop-by-hop and destination options. */
static enum weir_fate
take_options(struct weir_ip *ip, struct rte_mbuf *m, struct walk *w)
{
	uint8_t buf[EXT_LEN_MAX];
	enum weir_ip6_opts verdict;
	unsigned int bad_off = 0;
	const uint8_t *ext;
	size_t len;

	ext = read_ext(m, w, buf, &len);
	if (ext == NULL)
		return WEIR_FATE_drop_ip_options;
	verdict = weir_ip6_opts_check(ext, len, &bad_off);
	if (verdict == WEIR_IP6_OPTS_TELL || verdict == WEIR_IP6_OPTS_TELL_UNICAST)
		report_param(ip, m, WEIR_ICMP6_PARAM_OPTION, w->off + bad_off,
			verdict == WEIR_IP6_OPTS_TELL);
	if (verdict != WEIR_IP6_OPTS_OK)
		return WEIR_FATE_drop_ip_options;
	step(w, ext[0], len);
	return GO_ON;
}

/* RFC 8200 4.1: only as the first. */
static enum weir_fate
take_hop_by_hop(struct weir_ip *ip, struct rte_mbuf *m, struct walk *w)
{
	if (w->off == WEIR_IP6_HLEN)
		return take_options(ip, m, w);
	report_param(ip, m, WEIR_ICMP6_PARAM_NEXT_HEADER, w->field, false);
	return WEIR_FATE_drop_ip_options;
}

/* RFC 8200 4.4: no type is known here (RFC 5095 forbids type 0); none left to visit is harmless. */
static enum weir_fate
take_routing(struct weir_ip *ip, struct rte_mbuf *m, struct walk *w)
{
	uint8_t buf[EXT_LEN_MAX];
	const uint8_t *ext;
	size_t len;

	ext = read_ext(m, w, buf, &len);
	if (ext == NULL)
		return WEIR_FATE_drop_ip_options;
	if (ext[3] != 0) {
		report_param(ip, m, WEIR_ICMP6_PARAM_FIELD, w->off + 2, false);
		return WEIR_FATE_drop_ip_options;
	}
	step(w, ext[0], len);
	return GO_ON;
}

/*
 * RFC 8200 4.5. The packet goes on when it is whole: at once for an atomic fragment (RFC 6946),
 * as another mbuf when this was the last part, and NULL while parts are missing.
 */
static enum weir_fate
take_fragment(struct weir_ip *ip, struct rte_mbuf **m, struct walk *w)
{
	uint8_t bytes[WEIR_IP6_FRAG_HLEN];
	struct weir_pkt *p = weir_pkt(*m);
	struct weir_ip6_frag f;

	if (weir_mbuf_read(*m, w->off, sizeof(bytes), bytes) != sizeof(bytes))
		return WEIR_FATE_drop_frag_bad;
	weir_ip6_frag_parse(bytes, &f);
	step(w, f.next, sizeof(bytes));
	if (f.offset == 0 && !f.more)
		return GO_ON;
	p->l4_off = (uint16_t)w->off;
	p->l4_len = (uint16_t)((*m)->pkt_len - w->off);
	p->proto = f.next;
	if (f.more && (p->l4_len & 7) != 0) {
		report_param(ip, *m, WEIR_ICMP6_PARAM_FIELD,
			offsetof(struct weir_ip6_hdr, payload_len), false);
		return WEIR_FATE_drop_frag_bad;
	}
	*m = reass_add(ip, *m, &(struct ip_frag){.id = f.id, .off = f.offset, .more = f.more});
	if (*m == NULL)
		return GO_ON;
	p = weir_pkt(*m);
	*w = (struct walk){
		.off = p->l4_off, .field = p->l4_off - WEIR_IP6_FRAG_HLEN, .next = p->proto};
	return GO_ON;
}

/* Walk to the transport header. *m may become another packet, or NULL when it is held. */
static enum weir_fate
walk_headers(struct weir_ip *ip, struct rte_mbuf **m, struct walk *w)
{
	enum weir_fate fate;

	for (unsigned int n = 0; n <= EXT_HEADERS_MAX; n++) {
		switch (w->next) {
		case WEIR_IP6_NH_HOPOPTS:
			fate = take_hop_by_hop(ip, *m, w);
			break;
		case WEIR_IP6_NH_DSTOPTS:
			fate = take_options(ip, *m, w);
			break;
		case WEIR_IP6_NH_ROUTING:
			fate = take_routing(ip, *m, w);
			break;
		case WEIR_IP6_NH_FRAGMENT:
			fate = take_fragment(ip, m, w);
			break;
		default:
			return GO_ON;
		}
		if (fate != GO_ON || *m == NULL)
			return fate;
	}
	return WEIR_FATE_drop_ip_options;
}

/* One packet */

static enum weir_fate
read_header(struct rte_mbuf *m, struct weir_ip6 *h)
{
	uint8_t buf[WEIR_IP6_HLEN];
	const void *bytes = rte_pktmbuf_read(m, 0, WEIR_IP6_HLEN, buf);
	struct weir_pkt *p = weir_pkt(m);
	enum weir_fate fate;

	if (unlikely(bytes == NULL))
		return WEIR_FATE_drop_ip_short;
	fate = ip_fate_of(weir_ip6_parse(bytes, WEIR_IP6_HLEN, m->pkt_len, h));
	if (unlikely(fate != GO_ON))
		return fate;
	p->flow.raddr = h->src;
	p->flow.laddr = h->dst;
	p->l3_off = 0;
	p->l4_off = WEIR_IP6_HLEN;
	p->l4_len = h->payload_len;
	p->proto = h->next;
	p->ttl = h->hop_limit;
	p->tos = h->tclass;
	return GO_ON;
}

static void
end_or_deliver(
	struct weir_ip *ip, struct rte_mbuf *m, const struct walk *w, const struct ip_sinks *to)
{
	struct weir_pkt *p = weir_pkt(m);

	p->proto = w->next;
	p->l4_off = (uint16_t)w->off;
	p->l4_len = (uint16_t)(m->pkt_len - w->off);
	p->u[1] = w->field;
	if (unlikely(w->next == WEIR_IP6_NH_NONE))
		weir_end(ip->core, m, WEIR_FATE_drop_ip_proto);
	else if (unlikely(w->next != IPPROTO_ICMPV6 && weir_addr_is_any(&p->flow.raddr)))
		weir_end(ip->core, m, WEIR_FATE_drop_ip_martian_src);
	else
		ip_deliver(ip, m, to);
}

static enum weir_fate
check(const struct weir_ip *ip, struct rte_mbuf *m, struct weir_ip6 *h)
{
	struct weir_pkt *p = weir_pkt(m);
	const enum weir_fate fate = read_header(m, h);

	if (unlikely(fate != GO_ON))
		return fate;
	if (unlikely(is_martian_source(ip, p)))
		return WEIR_FATE_drop_ip_martian_src;
	return check_destination(ip, p);
}

static void
input_one(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_sinks *to)
{
	struct walk w = {WEIR_IP6_HLEN, offsetof(struct weir_ip6_hdr, next), 0};
	struct weir_ip6 h;
	enum weir_fate fate;

	ip->stats.rx_ip6++;
	if (weir_pkt(m)->flags & WEIR_PKT_STEERED) {
		ip_deliver(ip, m, to);
		return;
	}
	fate = check(ip, m, &h);
	if (likely(fate == GO_ON)) {
		if (m->pkt_len > WEIR_IP6_HLEN + (uint32_t)h.payload_len)
			weir_mbuf_trim(m, WEIR_IP6_HLEN + (uint32_t)h.payload_len);
		ip_note_l4_cksum(ip, m);
		w.next = h.next;
		fate = walk_headers(ip, &m, &w);
	}
	if (unlikely(fate != GO_ON))
		weir_end(ip->core, m, fate);
	else if (likely(m != NULL))
		end_or_deliver(ip, m, &w, to);
}

void
weir_ip6_input(struct weir_ip *ip, struct weir_vec *v, struct weir_vec *udp, struct weir_vec *tcp,
	struct weir_vec *raw)
{
	const struct ip_sinks to = {udp, tcp, raw};

	ip_note_own(ip);
	for (unsigned int i = 0; i < v->n; i++)
		input_one(ip, v->m[i], &to);
	v->n = 0;
}
