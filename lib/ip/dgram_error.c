/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip->errors -> udp_input, raw_input -> (ready list) -> sock_publish: errors of datagrams */
#include "weir_dgram.h"

#include <errno.h>

#include "weir_mbuf.h"
#include "weir_pmtu.h"
#include "weir_shared.h"

static const struct weir_dgram_opts no_opts = {.pmtudisc = {IP_PMTUDISC_WANT, IP_PMTUDISC_WANT}};

static const struct weir_dgram_opts *
opts_of(const struct weir_pcb *pcb)
{
	return pcb->opts != NULL ? pcb->opts : &no_opts;
}

/* What comes back to those who keep to the interface's MTU is no news of the path. */
static bool
is_path_believed(uint8_t pmtudisc)
{
	return pmtudisc != IP_PMTUDISC_INTERFACE && pmtudisc != IP_PMTUDISC_OMIT;
}

static void
learn_mtu(struct weir_ip *ip, const struct weir_icmp_error *e)
{
	if (ip->pmtu != NULL)
		weir_pmtu_learn(
			ip->pmtu, ip->core->secret, &e->flow.raddr, e->mtu, ip->core->now_us);
}

/* Does the application hear of it without asking, if it is connected? */
static bool
is_hard(const struct weir_icmp_error *e, const struct weir_pcb *pcb, uint8_t pmtudisc)
{
	if (e->error != EMSGSIZE)
		return e->is_hard || e->error == EPROTO;
	if (pcb->ready.kind == WEIR_READY_RAW && !weir_addr_is_v4(&e->flow.raddr))
		return pmtudisc == IP_PMTUDISC_DO;
	return pmtudisc != IP_PMTUDISC_DONT;
}

/* Is a path too narrow nothing to this socket? As Linux: by version. */
static bool
is_width_ignored(const struct weir_icmp_error *e, uint8_t pmtudisc)
{
	return weir_addr_is_v4(&e->flow.raddr) ? pmtudisc == IP_PMTUDISC_DONT
					       : !is_path_believed(pmtudisc);
}

/* The quoted datagram from `from` on, as far as it is there. */
static struct rte_mbuf *
quoted_data(struct weir_ip *ip, const struct weir_icmp_error *e, uint32_t from)
{
	struct rte_mbuf *note = weir_core_alloc(ip->core);
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
add_note(struct weir_ip *ip, struct weir_pcb *pcb, const struct weir_icmp_error *e, uint32_t at)
{
	struct rte_mbuf *note = quoted_data(ip, e, at);

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
	bool is_connected, uint32_t at)
{
	const struct weir_dgram_opts *o = opts_of(pcb);
	const bool is_v6 = !weir_addr_is_v4(&e->flow.raddr);
	const uint8_t pmtudisc = weir_peek(o->pmtudisc[is_v6]);
	const bool is_asked_for = weir_peek(o->is_recverr[is_v6]);

	if (e->error == EMSGSIZE) {
		if (is_path_believed(pmtudisc))
			learn_mtu(ip, e);
		if (is_width_ignored(e, pmtudisc))
			return false;
	}
	if (!is_asked_for && !(is_connected && is_hard(e, pcb, pmtudisc)))
		return false;
	if (is_asked_for)
		add_note(ip, pcb, e, at);
	pcb->error = e->error;
	return true;
}
