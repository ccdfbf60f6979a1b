/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of level IPPROTO_UDP, and those that UDP and raw sockets have of errors: udp(7), ip(7).
 */
#include <linux/udp.h>

#include "opt_priv.h"

WEIR_OPT_DGRAM_BOOL(no_cksum4, no_cksum4)
WEIR_OPT_DGRAM_BOOL(no_cksum6_tx, no_cksum6_tx)
WEIR_OPT_DGRAM_BOOL(no_cksum6_rx, no_cksum6_rx)
WEIR_OPT_DGRAM_BOOL(gro, is_gro)

/* Nobody reads what is left when it is switched off: the queue goes. */
static int
set_recverr(struct weir_sock *s, unsigned int version, bool on)
{
	weir_poke(s->dgram->opts.is_recverr[version], on);
	if (on)
		return 0;
	weir_lock(&s->recv_lock);
	while (weir_sock_first_note(s) != NULL)
		weir_sock_drop_note(s);
	weir_unlock(&s->recv_lock);
	return 0;
}

WEIR_OPT_GET(recverr4)
{
	return weir_opt_put(value, weir_peek(s->dgram->opts.is_recverr[0]));
}

WEIR_OPT_SET(recverr4)
{
	return set_recverr(s, 0, weir_opt_int(value) != 0);
}

WEIR_OPT_GET(recverr6)
{
	return weir_opt_put(value, weir_peek(s->dgram->opts.is_recverr[1]));
}

WEIR_OPT_SET(recverr6)
{
	return set_recverr(s, 1, weir_opt_int(value) != 0);
}

WEIR_OPT_GET(segment)
{
	return weir_opt_put(value, weir_peek(s->dgram->opts.segment));
}

WEIR_OPT_SET(segment)
{
	if (!weir_opt_is_in(weir_opt_int(value), 0, UINT16_MAX))
		return -EINVAL;
	weir_poke(s->dgram->opts.segment, (uint16_t)weir_opt_int(value));
	return 0;
}

const struct weir_opt weir_opts_udp[] = {
	WEIR_OPT_ROW(UDP_GRO, WEIR_OPT_UDP, get_gro, set_gro),
	WEIR_OPT_ROW(UDP_NO_CHECK6_RX, WEIR_OPT_UDP, get_no_cksum6_rx, set_no_cksum6_rx),
	WEIR_OPT_ROW(UDP_NO_CHECK6_TX, WEIR_OPT_UDP, get_no_cksum6_tx, set_no_cksum6_tx),
	WEIR_OPT_ROW(UDP_SEGMENT, WEIR_OPT_UDP, get_segment, set_segment),
	{0},
};

/* Behind those of SOL_SOCKET, IPPROTO_IP and IPPROTO_IPV6. */
const struct weir_opt weir_opts_no_check[] = {
	WEIR_OPT_ROW(SO_NO_CHECK, WEIR_OPT_UDP, get_no_cksum4, set_no_cksum4),
	{0},
};

const struct weir_opt weir_opts_err4[] = {
	WEIR_OPT_ROW(IP_RECVERR, WEIR_OPT_DGRAM, get_recverr4, set_recverr4),
	{0},
};

const struct weir_opt weir_opts_err6[] = {
	WEIR_OPT_ROW(IPV6_RECVERR, WEIR_OPT_DGRAM, get_recverr6, set_recverr6),
	{0},
};
