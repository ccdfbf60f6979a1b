/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_icmp_hdr.h"

#include <netinet/in.h>

#include "weir_ip_hdr.h"

#define QUOTED_L4_LEN 8 /* RFC 792: the least that an error quotes of the transport header */

/* Ports and sequence number from the first 8 bytes of the transport header. */
static bool
quote_l4(const uint8_t *l4, size_t len, struct weir_icmp_quote *q)
{
	struct weir_be32 seq;

	if (q->proto != IPPROTO_TCP && q->proto != IPPROTO_UDP)
		return true;
	if (len < QUOTED_L4_LEN)
		return false;
	memcpy(&q->sport, l4, sizeof(q->sport));
	memcpy(&q->dport, l4 + 2, sizeof(q->dport));
	if (q->proto == IPPROTO_TCP) {
		memcpy(&seq, l4 + 4, sizeof(seq));
		q->tcp_seq = weir_host32(seq);
	}
	return true;
}

bool
weir_icmp4_quote_parse(const void *bytes, size_t len, struct weir_icmp_quote *q)
{
	struct weir_ip4 ip;

	/* The quoted packet may be longer than the quote: only the header must be there. */
	if (weir_ip4_parse(bytes, len, UINT32_MAX, &ip) != WEIR_IP_OK || ip.hlen > len)
		return false;
	if (ip.frag & WEIR_IP4_FRAG_MASK)
		return false;
	*q = (struct weir_icmp_quote){.src = weir_addr_v4(ip.src),
		.dst = weir_addr_v4(ip.dst),
		.l4_off = (uint16_t)ip.hlen,
		.proto = ip.proto};
	return quote_l4((const uint8_t *)bytes + ip.hlen, len - ip.hlen, q);
}

/* Step over one extension header; false when it hides the transport header. */
static bool
step_over_ext(const uint8_t *bytes, size_t len, size_t *off, uint8_t *next)
{
	struct weir_ip6_frag f;

	if (len - *off < 8)
		return false;
	if (*next == WEIR_IP6_NH_FRAGMENT) {
		weir_ip6_frag_parse(bytes + *off, &f);
		*next = f.next;
		*off += WEIR_IP6_FRAG_HLEN;
		return f.offset == 0;
	}
	*next = bytes[*off];
	*off += weir_ip6_ext_len(bytes + *off);
	return *off <= len;
}

bool
weir_icmp6_quote_parse(const void *bytes, size_t len, struct weir_icmp_quote *q)
{
	struct weir_ip6 ip;
	size_t off = WEIR_IP6_HLEN;

	if (weir_ip6_parse(bytes, len, UINT32_MAX, &ip) != WEIR_IP_OK)
		return false;
	while (ip.next == WEIR_IP6_NH_HOPOPTS || ip.next == WEIR_IP6_NH_DSTOPTS ||
		ip.next == WEIR_IP6_NH_ROUTING || ip.next == WEIR_IP6_NH_FRAGMENT) {
		if (!step_over_ext(bytes, len, &off, &ip.next))
			return false;
	}
	*q = (struct weir_icmp_quote){
		.src = ip.src, .dst = ip.dst, .l4_off = (uint16_t)off, .proto = ip.next};
	return quote_l4((const uint8_t *)bytes + off, len - off, q);
}
