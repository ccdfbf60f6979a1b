/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: port -> eth_input -> ip4_input, ip6_input -> udp, tcp, raw_input -> (ready list) */
#include "weir_ring.h"
#include "weir_worker.h"

/* The stages above the link, over what the vectors hold. Leaves them empty. */
static void
run_stages(struct weir_worker *w)
{
	struct weir_rx_vecs *v = &w->rx;

	weir_ip4_input(&w->ip, &v->ip4, &v->udp, &v->tcp, &v->raw);
	weir_ip6_input(&w->ip, &v->ip6, &v->udp, &v->tcp, &v->raw);
	weir_udp_input(&w->udp, &v->udp, &w->ready);
	weir_tcp_input(&w->tcp, &v->tcp);
	weir_raw_input(&w->raw, &v->raw, &w->ready);
	weir_ip_errors_done(&w->ip);
	weir_core_flush(&w->core);
}

/* A link that brings frames is up, unless it was switched off: then they end. */
static void
take_while_down(struct weir_worker *w, struct weir_iface *ifc)
{
	struct weir_vec *v = &w->rx.frame;

	weir_iface_set_link(ifc, true);
	for (unsigned int i = 0; i < v->n && !ifc->is_up; i++)
		weir_end(&w->core, v->m[i], WEIR_FATE_drop_port_off);
	if (!ifc->is_up)
		v->n = 0;
}

unsigned int
weir_rx_path(struct weir_worker *w, struct weir_iface *ifc)
{
	struct weir_rx_vecs *v = &w->rx;

	v->frame.n = weir_port_rx(ifc->port, ifc->queue, v->frame.m, WEIR_BURST_MAX);
	if (v->frame.n == 0)
		return 0;
	w->core.rx_frames += v->frame.n;
	const unsigned int n = v->frame.n;

	if (unlikely(!ifc->is_up))
		take_while_down(w, ifc);
	weir_eth_input(ifc, &v->frame, &v->arp, &v->ip4, &v->ip6);
	weir_arp_input(ifc, &v->arp);
	run_stages(w);
	return n;
}

/* Sort packets that start at their IP or ARP header, as another worker left them. */
static void
sort_inner(struct weir_worker *w)
{
	struct weir_rx_vecs *v = &w->rx;

	for (unsigned int i = 0; i < v->frame.n; i++) {
		struct rte_mbuf *m = v->frame.m[i];
		const struct weir_pkt *p = weir_pkt(m);

		if (unlikely(p->flags & WEIR_PKT_UNREACHED)) {
			weir_ip_unreached(&w->ip, m);
		} else if (p->l3_type == WEIR_ETH_TYPE_IP4) {
			weir_vec_add(&v->ip4, m);
		} else if (p->l3_type == WEIR_ETH_TYPE_IP6) {
			weir_vec_add(&v->ip6, m);
		} else {
			weir_vec_add(&v->arp, m);
			weir_arp_input(&w->ifaces[p->ifindex], &v->arp);
		}
	}
	v->frame.n = 0;
}

static void
take_inner(struct weir_worker *w)
{
	w->core.rx_frames += w->rx.frame.n;
	sort_inner(w);
	run_stages(w);
}

unsigned int
weir_rx_path_inner(struct weir_worker *w)
{
	struct weir_rx_vecs *v = &w->rx;
	struct weir_pktq *loop = &w->core.loop;
	unsigned int n;

	n = v->frame.n = weir_ring_take(w->inbound, (void **)v->frame.m, WEIR_VEC_MAX / 2);
	if (n > 0)
		take_inner(w);
	if (likely(loop->n == 0))
		return n;
	/* Room stays for what is reassembled; what these packets cause waits for the next turn. */
	while (loop->n > 0 && v->frame.n < WEIR_VEC_MAX / 2)
		weir_vec_add(&v->frame, weir_pktq_pop(loop));
	n += v->frame.n;
	take_inner(w);
	return n;
}
