/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip_input -> tcp_input -> tcp_gro -> tcp_fast, tcp_listen, tcp_syn_sent, tcp_sync
 * -> sock_publish */
#include "tcp_priv.h"

#include "weir_cksum.h"

static bool
is_cksum_ok(const struct rte_mbuf *m, const struct weir_pkt *p)
{
	if (p->flags & (WEIR_PKT_L4_CKSUM_OK | WEIR_PKT_L4_CKSUM_BAD))
		return !(p->flags & WEIR_PKT_L4_CKSUM_BAD);
	return weir_cksum_l4_ok(
		m, p->l4_off, p->l4_len, &p->flow.raddr, &p->flow.laddr, IPPROTO_TCP);
}

/* Header to weir_pkt.tcp, ports to the flow. @return tcp_taken, or why it is no segment */
static enum weir_fate
parse(struct rte_mbuf *m)
{
	struct weir_pkt *p = weir_pkt(m);
	uint8_t copy[WEIR_TCP_HLEN_MAX];
	const uint8_t *hdr = rte_pktmbuf_read(
		m, p->l4_off, RTE_MIN(p->l4_len, (uint16_t)WEIR_TCP_HLEN_MAX), copy);

	if (hdr == NULL || weir_tcp_parse(hdr, p->l4_len, &p->tcp) == 0)
		return WEIR_FATE_drop_tcp_short;
	if (!is_cksum_ok(m, p))
		return WEIR_FATE_drop_tcp_cksum;
	if (p->flags & (WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST)) /* RFC 9293 3.9.2.3 */
		return WEIR_FATE_drop_tcp_flags;
	if (unlikely((p->tos & WEIR_IP_ECN_MASK) == WEIR_IP_ECN_CE))
		p->tcp.opts |= WEIR_TCP_SEG_CE; /* not what the fast path expects */
	weir_flow_take_ports(&p->flow, hdr);
	return WEIR_FATE_tcp_taken;
}

/* First pass: end what is malformed, hash the others and let the cache fetch their slots. */
static void
parse_all(struct weir_tcp *t, struct weir_vec *v)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < v->n; i++) {
		struct rte_mbuf *m = v->m[i];
		const enum weir_fate fate = parse(m);

		if (fate != WEIR_FATE_tcp_taken) {
			weir_end(t->core, m, fate);
			continue;
		}
		weir_pkt(m)->hash = weir_flow_hash(&weir_pkt(m)->flow, t->core->secret);
		weir_tcp_prefetch_slot(t, weir_pkt(m)->hash);
		v->m[n++] = m;
	}
	v->n = n;
}

static void
conn_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	c->ready.n_in++;
	if (likely(weir_tcp_fast_input(t, c, rx)))
		return;
	if (c->state == WEIR_TCP_SYN_SENT)
		weir_tcp_syn_sent_input(t, c, rx);
	else
		weir_tcp_sync_input(t, c, rx);
	if (unlikely(rx->fate >= WEIR_FATE_drop_eth_short) && c->is_live) /* or it is over, freed */
		weir_tcp_trace(t, c, WEIR_TCP_EVENT_DROP, rx->fate,
			weir_tcp_rcvd_pos(c, rx->seg.seq), rx->seg.len);
}

/* As weir_tcp_lookup(); a connection that sleeps wakes. @return whether the segment goes on */
static bool
look_up(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t *ref)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	struct weir_tcp_conn *c;

	*ref = weir_tcp_lookup(t, &p->flow, p->hash);
	if (likely(!weir_tcp_ref_is_parked(*ref)))
		return true;
	c = weir_tcp_wake(t, *ref);
	if (c == NULL) {
		weir_tcp_done(rx, WEIR_FATE_drop_no_memory);
		return false;
	}
	*ref = weir_slab_index(&t->conns, c);
	return true;
}

static void
dispatch(struct weir_tcp *t, struct weir_tcp_rx *rx)
{
	uint32_t ref;

	if (!look_up(t, rx, &ref))
		return;
	if (unlikely(t->n_auth != 0 || (rx->seg.opts & WEIR_TCP_OPT_AUTH)) &&
		weir_tcp_auth_input(t, rx, ref) == SEG_DONE)
		return;
	if (likely(weir_tcp_ref_is_conn(ref)))
		conn_input(t, weir_tcp_conn_at(t, ref), rx);
	else if (weir_tcp_ref_is_req(ref))
		weir_tcp_req_input(t, weir_tcp_req_at(t, ref), rx);
	else if (weir_tcp_ref_is_wait(ref))
		weir_tcp_wait_input(t, weir_tcp_wait_at(t, ref), rx);
	else
		weir_tcp_listen_input(t, rx, 0);
}

static void
take_segment(struct weir_tcp *t, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_tcp_rx rx = {
		.m = m,
		.seg = p->tcp,
		.data_off = (uint16_t)(p->l4_off + p->l4_len - p->tcp.len),
		.fate = WEIR_FATE_tcp_taken,
	};

	dispatch(t, &rx);
	if (rx.m != NULL)
		weir_end(t->core, rx.m, rx.fate);
	else
		t->core->fates[rx.fate]++;
}

void
weir_tcp_input(struct weir_tcp *t, struct weir_vec *v)
{
	t->turn++;
	t->stats.rx_segs += v->n;
	weir_tcp_icmp_errors(t);
	parse_all(t, v);
	if (v->n > 1)
		weir_tcp_gro(t, v);
	for (unsigned int i = 0; i < v->n; i++)
		weir_tcp_prefetch_record(t, weir_pkt(v->m[i])->hash);
	for (unsigned int i = 0; i < v->n; i++) {
		if (i + 2 < v->n)
			weir_tcp_prefetch_act(t, weir_pkt(v->m[i + 2])->hash);
		take_segment(t, v->m[i]);
	}
	v->n = 0;
}
