/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_ip_hdr.h"

#include <rte_ip.h>

/* RFC 791 3.1: option types with the copied flag. */
#define OPT4_END   0
#define OPT4_NOP   1
#define OPT4_LSRR  131
#define OPT4_SSRR  137
/* RFC 8200 4.2. */
#define OPT6_PAD1  0
#define OPT6_PADN  1
#define OPT6_ALERT 5 /* RFC 2711: router alert, in MLD reports */

_Static_assert(sizeof(struct weir_ip4_hdr) == WEIR_IP4_HLEN, "as on the wire");
_Static_assert(sizeof(struct weir_ip6_hdr) == WEIR_IP6_HLEN, "as on the wire");

bool
weir_ip4_cksum_ok(const void *bytes, size_t hlen)
{
	return (hlen == WEIR_IP4_HLEN ? weir_ip4_sum(bytes) : rte_raw_cksum(bytes, hlen)) == 0xffff;
}

bool
weir_ip4_options_ok(const void *options, size_t len)
{
	const uint8_t *o = options;
	size_t i = 0;

	while (i < len && o[i] != OPT4_END) {
		if (o[i] == OPT4_NOP) {
			i++;
			continue;
		}
		if (o[i] == OPT4_LSRR || o[i] == OPT4_SSRR)
			return false;
		if (len - i < 2 || o[i + 1] < 2 || o[i + 1] > len - i)
			return false;
		i += o[i + 1];
	}
	return true;
}

void
weir_ip6_build(void *bytes, const struct weir_ip6 *ip)
{
	struct weir_ip6_hdr h = {
		.vtf = weir_be32(6u << 28 | (uint32_t)ip->tclass << 20 | ip->flow_label),
		.payload_len = weir_be16(ip->payload_len),
		.next = ip->next,
		.hop_limit = ip->hop_limit,
	};

	memcpy(h.src, &ip->src, sizeof(h.src));
	memcpy(h.dst, &ip->dst, sizeof(h.dst));
	memcpy(bytes, &h, sizeof(h));
}

void
weir_ip6_frag_parse(const uint8_t bytes[WEIR_IP6_FRAG_HLEN], struct weir_ip6_frag *f)
{
	struct weir_be16 where;
	struct weir_be32 id;

	memcpy(&where, bytes + 2, sizeof(where));
	memcpy(&id, bytes + 4, sizeof(id));
	*f = (struct weir_ip6_frag){.id = weir_host32(id),
		.offset = weir_host16(where) & 0xfff8,
		.next = bytes[0],
		.more = weir_host16(where) & 1};
}

void
weir_ip6_frag_build(uint8_t bytes[WEIR_IP6_FRAG_HLEN], const struct weir_ip6_frag *f)
{
	const struct weir_be16 where = weir_be16((uint16_t)(f->offset | (f->more ? 1 : 0)));
	const struct weir_be32 id = weir_be32(f->id);

	bytes[0] = f->next;
	bytes[1] = 0;
	memcpy(bytes + 2, &where, sizeof(where));
	memcpy(bytes + 4, &id, sizeof(id));
}

/* RFC 8200 4.2: the two highest bits say what to do with an option that is not known. */
static enum weir_ip6_opts
unknown_option(uint8_t type)
{
	static const enum weir_ip6_opts action[4] = {WEIR_IP6_OPTS_OK, WEIR_IP6_OPTS_DROP,
		WEIR_IP6_OPTS_TELL, WEIR_IP6_OPTS_TELL_UNICAST};

	return action[type >> 6];
}

enum weir_ip6_opts
weir_ip6_opts_check(const uint8_t *bytes, size_t len, unsigned int *bad_off)
{
	enum weir_ip6_opts verdict = WEIR_IP6_OPTS_OK;
	size_t i = 2;

	while (i < len) {
		if (bytes[i] == OPT6_PAD1) {
			i++;
			continue;
		}
		if (len - i < 2 || bytes[i + 1] > len - i - 2)
			return WEIR_IP6_OPTS_DROP;
		if (bytes[i] != OPT6_PADN && bytes[i] != OPT6_ALERT) {
			verdict = unknown_option(bytes[i]);
			if (verdict != WEIR_IP6_OPTS_OK) {
				*bad_off = (unsigned int)i;
				return verdict;
			}
		}
		i += 2u + bytes[i + 1];
	}
	return verdict;
}
