/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: ip4_input -> icmp4_input. RFC 792, RFC 1122 3.2.2. */
#include <errno.h>

#include "ip_priv.h"
#include "weir_cksum.h"

struct error_meaning {
	int error;
	bool is_hard;
};

/* What "destination unreachable" means to a socket, by code. */
static const struct error_meaning unreach_meaning[] = {
	[0] = {ENETUNREACH, false},
	[1] = {EHOSTUNREACH, false},
	[WEIR_ICMP4_UNREACH_PROTO] = {ENOPROTOOPT, true},
	[WEIR_ICMP4_UNREACH_PORT] = {ECONNREFUSED, true},
	[WEIR_ICMP4_UNREACH_FRAG] = {EMSGSIZE, false},
	[5] = {EOPNOTSUPP, false},   /* source route failed */
	[6] = {ENETUNREACH, true},   /* network unknown */
	[7] = {EHOSTDOWN, true},     /* host unknown */
	[8] = {ENONET, true},	     /* source isolated */
	[9] = {ENETUNREACH, true},   /* network prohibited */
	[10] = {EHOSTUNREACH, true}, /* host prohibited */
	[11] = {ENETUNREACH, false}, /* network, for this type of service */
	[12] = {EHOSTUNREACH, false},
	[13] = {EHOSTUNREACH, true}, /* filtered */
	[14] = {EHOSTUNREACH, true}, /* precedence */
	[15] = {EHOSTUNREACH, true},
};

/* @return false for types that are no errors to a flow, or codes that nobody knows */
bool
icmp4_meaning(const struct weir_icmp_hdr *h, struct weir_icmp_error *e)
{
	*e = (struct weir_icmp_error){.type = h->type, .code = h->code};
	switch (h->type) {
	case WEIR_ICMP4_UNREACH:
		if (h->code >= RTE_DIM(unreach_meaning))
			return false;
		e->error = unreach_meaning[h->code].error;
		e->is_hard = unreach_meaning[h->code].is_hard;
		if (h->code == WEIR_ICMP4_UNREACH_FRAG) /* RFC 1191 4 */
			e->mtu = (uint16_t)weir_host32(h->rest);
		return true;
	case WEIR_ICMP4_TIME_EXCEEDED:
		e->error = EHOSTUNREACH;
		return true;
	case WEIR_ICMP4_PARAM:
		e->error = EPROTO;
		return true;
	default:
		return false;
	}
}

void
icmp4_input(struct weir_ip *ip, struct rte_mbuf *m)
{
	const struct weir_pkt *p = weir_pkt(m);
	struct weir_icmp_hdr h;

	if (p->l4_len < sizeof(h) || weir_mbuf_read(m, p->l4_off, sizeof(h), &h) != sizeof(h)) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_short);
		return;
	}
	if (weir_cksum_mbuf(m, p->l4_off, p->l4_len) != 0xffff) {
		weir_end(ip->core, m, WEIR_FATE_drop_icmp_cksum);
		return;
	}
	if (weir_icmp4_is_error(h.type)) {
		icmp_take_error(ip, m, &h);
		return;
	}
	/* RFC 1122 3.2.2.6: a request to a group may be left unanswered; answers feed floods. */
	if (h.type == WEIR_ICMP4_ECHO && h.code == 0 &&
		!(p->flags & (WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST))) {
		icmp_answer_echo(ip, m, WEIR_ICMP4_ECHO_REPLY);
		return;
	}
	weir_end(ip->core, m, WEIR_FATE_drop_icmp_type);
}
