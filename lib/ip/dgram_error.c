/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip->errors -> udp_input, raw_input -> (ready list) -> sock_publish: errors of datagrams */
#include "weir_dgram.h"

#include <errno.h>

#include "weir_mbuf.h"
#include "weir_pmtu.h"
#include "weir_shared.h"

static const struct weir_dgram_opts no_opts = {.pmtudisc = IP_PMTUDISC_WANT};

static const struct weir_dgram_opts *
opts_of(const struct weir_pcb *pcb)
{
	return pcb->opts != NULL ? pcb->opts : &no_opts;
}

static void
learn_mtu(struct weir_ip *ip, uint8_t pmtudisc, const struct weir_icmp_error *e)
{
	if (ip->pmtu == NULL || pmtudisc == IP_PMTUDISC_INTERFACE || pmtudisc == IP_PMTUDISC_OMIT)
		return;
	weir_pmtu_learn(ip->pmtu, ip->core->secret, &e->flow.raddr, e->mtu, ip->core->now_us);
}

/* Does the application hear of it without asking, if it is connected? */
static bool
is_hard(const struct weir_icmp_error *e, uint8_t pmtudisc)
{
	return e->is_hard || e->error == EPROTO ||
	       (e->error == EMSGSIZE && pmtudisc != IP_PMTUDISC_DONT);
}

/* The quoted datagram behind its first `skip` bytes of transport header, as far as it is there. */
static struct rte_mbuf *
quoted_data(struct weir_ip *ip, const struct weir_icmp_error *e, uint32_t skip)
{
	struct rte_mbuf *note = weir_core_alloc(ip->core);
	const uint32_t from = e->l4_at + skip;
	uint32_t n;

	if (note == NULL)
		return NULL;
	if (from < e->m->pkt_len) {
		n = RTE_MIN(e->m->pkt_len - from, (uint32_t)rte_pktmbuf_tailroom(note));
		n = weir_mbuf_read(e->m, from, n, rte_pktmbuf_mtod(note, void *));
		rte_pktmbuf_append(note, (uint16_t)n);
	}
	return note;
}

static void
add_note(struct weir_ip *ip, struct weir_pcb *pcb, const struct weir_icmp_error *e, uint32_t skip)
{
	struct rte_mbuf *note = quoted_data(ip, e, skip);

	if (note == NULL)
		return;
	weir_dgram_note(note, &(struct weir_dgram_note){.error = e->error,
				      .origin = weir_addr_is_v4(&e->flow.raddr) ? WEIR_NOTE_ICMP4
										: WEIR_NOTE_ICMP6,
				      .type = e->type,
				      .code = e->code,
				      .info = e->info});
	weir_pkt(note)->flow = e->flow;
	weir_pkt(note)->flow.laddr = e->offender;
	weir_pkt(note)->ifindex = weir_pkt(e->m)->ifindex;
	weir_pktq_add(&pcb->errs, note);
}

bool
weir_dgram_take_error(struct weir_ip *ip, struct weir_pcb *pcb, const struct weir_icmp_error *e,
	bool is_connected, uint32_t skip)
{
	const struct weir_dgram_opts *o = opts_of(pcb);
	const uint8_t pmtudisc = weir_peek(o->pmtudisc);
	const bool is_asked_for = weir_peek(o->is_recverr[!weir_addr_is_v4(&e->flow.raddr)]);

	if (e->error == EMSGSIZE) {
		learn_mtu(ip, pmtudisc, e);
		if (pmtudisc == IP_PMTUDISC_DONT && weir_addr_is_v4(&e->flow.raddr))
			return false;
	}
	if (!is_asked_for && !(is_connected && is_hard(e, pmtudisc)))
		return false;
	if (is_asked_for)
		add_note(ip, pcb, e, skip);
	pcb->error = e->error;
	return true;
}
