/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of raw sockets: raw(7), RFC 3542 3. */
#include <netinet/icmp6.h>

#include "opt_priv.h"

#define ICMP_FILTER_OPT 1 /* linux/icmp.h does not go with netinet/icmp6.h */

WEIR_OPT_GET(hdrincl)
{
	return weir_opt_put(value, weir_peek(s->dgram->raw.is_hdrincl));
}

WEIR_OPT_SET(hdrincl)
{
	weir_poke(s->dgram->raw.is_hdrincl, weir_opt_int(value) != 0);
	return 0;
}

WEIR_OPT_GET(checksum)
{
	return weir_opt_put(value, weir_peek(s->dgram->raw.cksum_off));
}

/* RFC 3542 3.1: ICMPv6 has no choice; an odd place cannot be. */
WEIR_OPT_SET(checksum)
{
	const int v = weir_opt_int(value);

	if (s->domain != AF_INET6)
		return -ENOPROTOOPT;
	if (s->dgram->raw.proto == IPPROTO_ICMPV6 || (v > 0 && (v & 1)))
		return -EINVAL;
	weir_poke(s->dgram->raw.cksum_off, RTE_MAX(v, -1));
	return 0;
}

WEIR_OPT_GET(icmp_filter)
{
	if (s->domain != AF_INET || s->dgram->raw.proto != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	return weir_opt_put(value, (int)weir_peek(s->dgram->raw.icmp4_filter));
}

WEIR_OPT_SET(icmp_filter)
{
	if (s->domain != AF_INET || s->dgram->raw.proto != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	weir_poke(s->dgram->raw.icmp4_filter, (uint32_t)weir_opt_int(value));
	return 0;
}

static_assert(sizeof(struct icmp6_filter) == sizeof(((struct weir_raw_opts *)0)->icmp6_filter),
	"as on Linux a set bit keeps the type out");

WEIR_OPT_GET(icmp6_filter)
{
	if (s->domain != AF_INET6 || s->dgram->raw.proto != IPPROTO_ICMPV6)
		return -EOPNOTSUPP;
	weir_shared_copy(value, s->dgram->raw.icmp6_filter, sizeof(struct icmp6_filter));
	return 0;
}

WEIR_OPT_SET(icmp6_filter)
{
	uint32_t words[8];

	if (s->domain != AF_INET6 || s->dgram->raw.proto != IPPROTO_ICMPV6)
		return -EOPNOTSUPP;
	memcpy(words, value, sizeof(words));
	for (unsigned int i = 0; i < RTE_DIM(words); i++)
		weir_poke(s->dgram->raw.icmp6_filter[i], words[i]);
	return 0;
}

const struct weir_opt weir_opts_raw[] = {
	WEIR_OPT_ROW(ICMP_FILTER_OPT, WEIR_OPT_RAW, get_icmp_filter, set_icmp_filter),
	WEIR_OPT_ROW(IPV6_CHECKSUM, WEIR_OPT_RAW, get_checksum, set_checksum),
	{0},
};

/* Behind those of level IPPROTO_IP and IPPROTO_IPV6. */
const struct weir_opt weir_opts_raw4[] = {
	WEIR_OPT_ROW(IP_HDRINCL, WEIR_OPT_RAW, get_hdrincl, set_hdrincl),
	{0},
};

const struct weir_opt weir_opts_raw6[] = {
	WEIR_OPT_ROW(IPV6_CHECKSUM, WEIR_OPT_RAW, get_checksum, set_checksum),
	WEIR_OPT_ROW(IPV6_HDRINCL, WEIR_OPT_RAW, get_hdrincl, set_hdrincl),
	{0},
};

const struct weir_opt weir_opts_icmp6[] = {
	{ICMP6_FILTER, WEIR_OPT_RAW, sizeof(struct icmp6_filter), get_icmp6_filter,
		set_icmp6_filter, 0, NULL},
	{0},
};
