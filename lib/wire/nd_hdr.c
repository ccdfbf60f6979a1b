/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_nd_hdr.h"

#define OPT_SLLA   1
#define OPT_TLLA   2
#define OPT_PREFIX 3
#define OPT_MTU	   5

#define OPT_PREFIX_LEN 32
#define OPT_MTU_LEN    8

#define NA_ROUTER      0x80
#define NA_SOLICITED   0x40
#define NA_OVERRIDE    0x20
#define PREFIX_ON_LINK 0x80
#define PREFIX_AUTO    0x40

/* Where options start: the length of each type's fixed part. */
static size_t
fixed_len(uint8_t type)
{
	switch (type) {
	case WEIR_ND_RS:
		return 8;
	case WEIR_ND_RA:
		return 16;
	case WEIR_ND_NS:
	case WEIR_ND_NA:
		return 24;
	case WEIR_ND_REDIRECT:
		return 40;
	default:
		return 0;
	}
}

static uint32_t
read32(const uint8_t *b)
{
	struct weir_be32 v;

	memcpy(&v, b, sizeof(v));
	return weir_host32(v);
}

static void
parse_prefix(const uint8_t *o, struct weir_nd *nd)
{
	if (o[2] > 128 || nd->n_prefixes == WEIR_ND_PREFIXES_MAX)
		return;
	nd->prefixes[nd->n_prefixes++] = (struct weir_nd_prefix){
		.prefix = weir_addr_v6(o + 16),
		.valid_s = read32(o + 4),
		.preferred_s = read32(o + 8),
		.len = o[2],
		.is_on_link = o[3] & PREFIX_ON_LINK,
		.is_auto = o[3] & PREFIX_AUTO,
	};
}

/* RFC 4861 4.6: options that are not known are stepped over, and so are known ones cut short. */
static void
parse_option(const uint8_t *o, size_t len, struct weir_nd *nd)
{
	if (o[0] == OPT_SLLA && len == WEIR_ND_OPT_LLA_LEN) {
		nd->has_slla = true;
		memcpy(&nd->slla, o + 2, sizeof(nd->slla));
	} else if (o[0] == OPT_TLLA && len == WEIR_ND_OPT_LLA_LEN) {
		nd->has_tlla = true;
		memcpy(&nd->tlla, o + 2, sizeof(nd->tlla));
	} else if (o[0] == OPT_PREFIX && len == OPT_PREFIX_LEN) {
		parse_prefix(o, nd);
	} else if (o[0] == OPT_MTU && len == OPT_MTU_LEN) {
		nd->mtu = read32(o + 4);
	}
}

static void
parse_fixed(const uint8_t *b, struct weir_nd *nd)
{
	struct weir_be16 lifetime;

	switch (nd->type) {
	case WEIR_ND_RA:
		memcpy(&lifetime, b + 6, sizeof(lifetime));
		nd->hop_limit = b[4];
		nd->lifetime_s = weir_host16(lifetime);
		nd->reachable_ms = read32(b + 8);
		nd->retrans_ms = read32(b + 12);
		break;
	case WEIR_ND_NA:
		nd->is_router = b[4] & NA_ROUTER;
		nd->is_solicited = b[4] & NA_SOLICITED;
		nd->is_override = b[4] & NA_OVERRIDE;
		nd->target = weir_addr_v6(b + 8);
		break;
	case WEIR_ND_REDIRECT:
		nd->dst = weir_addr_v6(b + 24);
		nd->target = weir_addr_v6(b + 8);
		break;
	case WEIR_ND_NS:
		nd->target = weir_addr_v6(b + 8);
		break;
	default:
		break;
	}
}

bool
weir_nd_parse(const void *bytes, size_t len, struct weir_nd *nd)
{
	const uint8_t *b = bytes;
	size_t off, opt_len;

	if (len < 8)
		return false;
	off = fixed_len(b[0]);
	if (off == 0 || len < off)
		return false;
	*nd = (struct weir_nd){.type = b[0], .code = b[1]};
	parse_fixed(b, nd);
	for (; off < len; off += opt_len) {
		if (len - off < 8)
			return false;
		opt_len = b[off + 1] * 8u;
		if (opt_len == 0 || opt_len > len - off)
			return false;
		parse_option(b + off, opt_len, nd);
	}
	return true;
}

static size_t
build_lla(uint8_t *o, uint8_t type, const struct weir_mac *mac)
{
	o[0] = type;
	o[1] = WEIR_ND_OPT_LLA_LEN / 8;
	memcpy(o + 2, mac, sizeof(*mac));
	return WEIR_ND_OPT_LLA_LEN;
}

size_t
weir_nd_build(void *bytes, const struct weir_nd *nd)
{
	uint8_t *b = bytes;
	size_t len = fixed_len(nd->type);

	memset(b, 0, len);
	b[0] = nd->type;
	b[1] = nd->code;
	if (nd->type != WEIR_ND_RS)
		memcpy(b + 8, &nd->target, sizeof(nd->target));
	if (nd->type == WEIR_ND_NA)
		b[4] = (uint8_t)((nd->is_router ? NA_ROUTER : 0) |
				 (nd->is_solicited ? NA_SOLICITED : 0) |
				 (nd->is_override ? NA_OVERRIDE : 0));
	if (nd->has_slla)
		len += build_lla(b + len, OPT_SLLA, &nd->slla);
	else if (nd->has_tlla)
		len += build_lla(b + len, OPT_TLLA, &nd->tlla);
	return len;
}

struct weir_addr
weir_addr_solicited_node(const struct weir_addr *a)
{
	struct weir_addr s = {.b = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(s.b + 13, a->b + 13, 3);
	return s;
}

struct weir_addr
weir_addr_eui64(const struct weir_addr *prefix, const struct weir_mac *mac)
{
	struct weir_addr a = {.q = {prefix->q[0], 0}};

	a.b[8] = mac->b[0] ^ 0x02; /* the universal/local bit is inverted */
	a.b[9] = mac->b[1];
	a.b[10] = mac->b[2];
	a.b[11] = 0xff;
	a.b[12] = 0xfe;
	a.b[13] = mac->b[3];
	a.b[14] = mac->b[4];
	a.b[15] = mac->b[5];
	return a;
}

struct weir_mac
weir_mac_of_group(const struct weir_addr *group)
{
	const uint8_t *b = group->b + 12;

	if (weir_addr_is_v4(group))
		return (struct weir_mac){{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}};
	return (struct weir_mac){{0x33, 0x33, b[0], b[1], b[2], b[3]}};
}
