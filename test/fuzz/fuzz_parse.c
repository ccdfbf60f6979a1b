/* SPDX-License-Identifier: BSD-3-Clause */
/* The parsers of lib/wire: the first byte says which, the rest is its input. */
#include <stdlib.h>
#include <string.h>

#include "weir_icmp_hdr.h"
#include "weir_ip_hdr.h"
#include "weir_nd_hdr.h"
#include "weir_tcp_hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_tcp(const uint8_t *bytes, size_t len)
{
	struct weir_tcp_seg seg;
	const uint16_t n = (uint16_t)(len > UINT16_MAX ? UINT16_MAX : len);
	const unsigned int hlen = weir_tcp_parse(bytes, n, &seg);

	if (hlen == 0)
		return;
	if (hlen > n)
		abort();
	for (unsigned int i = 0; i < seg.n_sack; i++)
		weir_tcp_sack_at(bytes, &seg, i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_icmp_quote q;
	struct weir_nd nd;
	unsigned int off;

	if (size == 0)
		return 0;
	switch (data[0] % 6) {
	case 0:
		parse_tcp(data + 1, size - 1);
		break;
	case 1:
		weir_icmp4_quote_parse(data + 1, size - 1, &q);
		break;
	case 2:
		weir_icmp6_quote_parse(data + 1, size - 1, &q);
		break;
	case 3:
		weir_nd_parse(data + 1, size - 1, &nd);
		break;
	case 4:
		weir_ip4_options_ok(data + 1, size - 1);
		break;
	default:
		weir_ip6_opts_check(data + 1, size - 1, &off);
		break;
	}
	return 0;
}
