/* SPDX-License-Identifier: BSD-3-Clause */
/* What the network and the machine do to those who use them. */
#include "sim.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include <stdio.h>

#include "weir_net.h"

static uint32_t
percent_ppm(struct sim *s, uint32_t max_percent)
{
	return weir_rand_below(&s->rand, max_percent * 10000 + 1);
}

static struct weir_impair
some_impairment(struct sim *s)
{
	struct weir_impair m = {0};

	if (sim_chance(s, 60))
		m.loss_ppm = percent_ppm(s, sim_chance(s, 10) ? 30 : 5);
	if (sim_chance(s, 15)) {
		m.burst_enter_ppm = percent_ppm(s, 1);
		m.burst_leave_ppm = 100000 + percent_ppm(s, 40);
		m.burst_loss_ppm = 900000;
	}
	if (sim_chance(s, 30))
		m.dup_ppm = percent_ppm(s, 5);
	if (sim_chance(s, 20))
		m.corrupt_ppm = percent_ppm(s, 2);
	if (sim_chance(s, 40)) {
		m.reorder_ppm = percent_ppm(s, 10);
		m.reorder_pkts = 1 + weir_rand_below(&s->rand, 10);
	}
	if (sim_chance(s, 70))
		m.delay_us = sim_skewed(s, 10, 200000);
	if (sim_chance(s, 20))
		m.jitter_us = weir_rand_below(&s->rand, m.delay_us + 1);
	if (sim_chance(s, 30)) {
		m.rate_bps = UINT64_C(1000000) << weir_rand_below(&s->rand, 10);
		m.queue_bytes = sim_skewed(s, 5000, 262144);
	}
	return m;
}

static void
change_cable(struct sim *s)
{
	const unsigned int c = weir_rand_below(&s->rand, s->n_cables);
	const unsigned int end = sim_chance(s, 50);
	const struct weir_impair m = some_impairment(s);

	sim_tell(s, "cable %u from end %u: loss %u dup %u corrupt %u reorder %u delay %u rate %lu",
		c, end, m.loss_ppm, m.dup_ppm, m.corrupt_ppm, m.reorder_ppm, m.delay_us,
		m.rate_bps);
	s->has_corrupted |= m.corrupt_ppm != 0;
	weir_cable_set(s->cable[c].cable, end, &m);
}

/* Not so long that a connection may give up, or an attempt to connect. */
static void
black_out(struct sim *s)
{
	struct sim_cable *c = &s->cable[weir_rand_below(&s->rand, s->n_cables)];

	if (c->down_until_us != 0)
		return;
	c->down_until_us = sim_now(s) + sim_skewed(s, 1000, 2000000);
	sim_tell(s, "%s: dark for %lu us", c->name, c->down_until_us - sim_now(s));
	weir_cable_link(c->cable, false);
}

static void
set_mtu(struct sim *s, unsigned int cable, unsigned int end, uint16_t mtu)
{
	const struct sim_cable *c = &s->cable[cable];
	char port[16];

	snprintf(port, sizeof(port), "p%u", cable);
	sim_tell(s, "%s: MTU of end %u: %u", c->name, end, mtu);
	if (weir_port_set_mtu(s->stack[c->stack[end]].st, port, mtu) != 0)
		sim_break(s, "%s: MTU %u is refused", c->name, mtu);
}

/* What one end sends from now on; the other goes on as it was. */
static void
change_mtu(struct sim *s)
{
	const unsigned int cable = weir_rand_below(&s->rand, s->n_cables);
	const uint16_t least = 1280; /* of IPv6 */

	set_mtu(s, cable, sim_chance(s, 50),
		(uint16_t)(least + weir_rand_below(&s->rand, s->cable[cable].mtu - least + 1u)));
}

static void
take_mbufs(struct sim *s)
{
	struct sim_stack *k = &s->stack[weir_rand_below(&s->rand, s->n_stacks)];
	struct rte_mempool *pool = k->pools[weir_rand_below(&s->rand, k->n_pools)];
	const unsigned int leave = weir_rand_below(&s->rand, 200);

	if (k->n_famine > 0)
		return;
	while (k->n_famine < RTE_DIM(k->famine) && rte_mempool_avail_count(pool) > leave) {
		k->famine[k->n_famine] = rte_pktmbuf_alloc(pool);
		if (k->famine[k->n_famine] == NULL)
			break;
		k->n_famine++;
	}
	k->famine_until_us = sim_now(s) + sim_skewed(s, 1000, 1000000);
	sim_tell(s, "%s: %u mbufs gone for %lu us", pool->name, k->n_famine,
		k->famine_until_us - sim_now(s));
}

/* Forged segments: flags, sequence and acknowledgment numbers by chance, no data */

static struct weir_tcp_conn *
some_conn(struct sim *s, struct sim_stack **of)
{
	struct sim_stack *k = &s->stack[weir_rand_below(&s->rand, s->n_stacks)];
	struct weir_tcp *t = &k->st->workers[weir_rand_below(&s->rand, k->n_pools)]->tcp;
	struct weir_tcp_conn *c;

	*of = k;
	if (t->conns.fresh == 0)
		return NULL;
	c = weir_slab_at(&t->conns, weir_rand_below(&s->rand, t->conns.fresh));
	return c->is_live && weir_addr_is_v4(&c->flow.raddr) && c->dst.ifc != NULL ? c : NULL;
}

/* In the window, but not where a reset or a SYN would be believed (RFC 5961 3, 4). */
static uint32_t
forged_seq(struct sim *s, const struct weir_tcp_conn *c)
{
	return sim_chance(s, 50) ? c->rcv.nxt + 1 + weir_rand_below(&s->rand, 5000)
				 : (uint32_t)weir_rand_u64(&s->rand);
}

static void
fill_forged(struct sim *s, struct rte_mbuf *m, const struct weir_tcp_conn *c)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, 54);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	const struct weir_be32 src = weir_addr_to_v4(&c->flow.raddr);
	const struct weir_be32 dst = weir_addr_to_v4(&c->flow.laddr);

	memset(eth, 0, 54);
	memcpy(&eth->dst_addr, &c->dst.ifc->mac, 6);
	eth->src_addr.addr_bytes[0] = 2;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(40);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_TCP;
	memcpy(&ip->src_addr, &src, 4);
	memcpy(&ip->dst_addr, &dst, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	memcpy(&tcp->src_port, &c->flow.rport, 2);
	memcpy(&tcp->dst_port, &c->flow.lport, 2);
	tcp->sent_seq = rte_cpu_to_be_32(forged_seq(s, c));
	tcp->recv_ack = rte_cpu_to_be_32((uint32_t)weir_rand_u64(&s->rand));
	tcp->data_off = 5 << 4;
	tcp->tcp_flags = (uint8_t)(weir_rand_below(&s->rand, 64) & ~RTE_TCP_FIN_FLAG);
	tcp->rx_win = (uint16_t)weir_rand_u64(&s->rand);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
}

/* Put on the cable at its other end, as if from there. */
static void
forge(struct sim *s)
{
	struct sim_stack *of;
	const struct weir_tcp_conn *c = some_conn(s, &of);

	if (c == NULL || c->state < WEIR_TCP_ESTABLISHED)
		return;
	for (unsigned int i = 0; i < s->n_cables; i++) {
		for (unsigned int end = 0; end < 2; end++) {
			struct rte_mbuf *m;

			if (weir_cable_port(s->cable[i].cable, end) != c->dst.ifc->port)
				continue;
			m = rte_pktmbuf_alloc(of->pools[0]);
			if (m == NULL)
				return;
			fill_forged(s, m, c);
			if (weir_port_tx(weir_cable_port(s->cable[i].cable, !end), 0, &m, 1) == 0)
				rte_pktmbuf_free(m);
			return;
		}
	}
}

/* Time */

static void
end_what_is_over(struct sim *s)
{
	for (unsigned int c = 0; c < s->n_cables; c++) {
		struct sim_cable *k = &s->cable[c];

		if (k->down_until_us != 0 && k->down_until_us <= sim_now(s)) {
			k->down_until_us = 0;
			weir_cable_link(k->cable, true);
		}
	}
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		struct sim_stack *k = &s->stack[i];

		if (k->n_famine > 0 && k->famine_until_us <= sim_now(s)) {
			rte_pktmbuf_free_bulk(k->famine, k->n_famine);
			k->n_famine = 0;
		}
	}
}

/* From now on the network is a good one. */
static void
calm_down(struct sim *s)
{
	const struct weir_impair none = {.delay_us = 100};

	sim_tell(s, "calm");
	for (unsigned int c = 0; c < s->n_cables; c++) {
		weir_cable_set(s->cable[c].cable, 0, &none);
		weir_cable_set(s->cable[c].cable, 1, &none);
	}
}

void
sim_trouble(struct sim *s)
{
	end_what_is_over(s);
	if (sim_now(s) < s->trouble_next_us)
		return;
	if (sim_now(s) >= s->calm_us) {
		s->trouble_next_us = UINT64_MAX;
		calm_down(s);
		return;
	}
	s->trouble_next_us = RTE_MIN(sim_now(s) + sim_skewed(s, 100, 1000000), s->calm_us);
	switch (weir_rand_below(&s->rand, 9)) {
	case 0:
		black_out(s);
		break;
	case 1:
		take_mbufs(s);
		break;
	case 2:
	case 3:
	case 4:
		forge(s);
		s->trouble_next_us = sim_now(s) + weir_rand_below(&s->rand, 2000);
		break;
	case 5:
		change_mtu(s);
		break;
	default:
		change_cable(s);
		break;
	}
}

uint64_t
sim_trouble_next_us(const struct sim *s)
{
	uint64_t next = s->trouble_next_us;

	for (unsigned int c = 0; c < s->n_cables; c++)
		if (s->cable[c].down_until_us != 0)
			next = RTE_MIN(next, s->cable[c].down_until_us);
	for (unsigned int i = 0; i < s->n_stacks; i++)
		if (s->stack[i].n_famine > 0)
			next = RTE_MIN(next, s->stack[i].famine_until_us);
	return next;
}
